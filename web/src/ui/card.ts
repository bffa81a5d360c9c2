// The card of the selected vehicle.
import { speedBand, STALE_MS, type Vehicle } from "../fleet.ts";
import { formatAge, formatClock, formatHeading, formatShortClock, formatSpeed, NONE } from "../format.ts";
import type { SpeedWindow } from "../protocol.ts";
import { byId, el, setText, svg } from "./dom.ts";

const CHART_WIDTH = 272;
const CHART_HEIGHT = 64;
const MOST_WINDOWS = 12;

export interface CardEvents {
  close(): void;
  follow(on: boolean): void;
  /** the vehicle's speed windows, oldest first; rejects when they cannot be had */
  windows(vehicleId: string): Promise<SpeedWindow[]>;
}

/** Bars of the average speed per window, the limit as a line. */
function chart(windows: readonly SpeedWindow[], limit: number): SVGElement {
  const shown = windows.slice(-MOST_WINDOWS);
  const most = Math.max(limit * 1.15, ...shown.map((window) => window.avgSpeed));
  const y = (speed: number): number => CHART_HEIGHT - (speed / most) * CHART_HEIGHT;
  const slot = CHART_WIDTH / MOST_WINDOWS;
  const offset = MOST_WINDOWS - shown.length;
  const summary = shown.map((window) => `${formatShortClock(window.start)} ${Math.round(window.avgSpeed)} km/h`).join(", ");
  const root = svg("svg", { viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT + 16}`, role: "img", class: "chart", "aria-label": `Average speed per 5 minutes: ${summary}` });
  shown.forEach((window, i) => {
    const x = (offset + i) * slot;
    const top = Math.min(y(window.avgSpeed), CHART_HEIGHT - 2);
    const bar = svg("rect", { x: x + 2, y: top, width: slot - 4, height: CHART_HEIGHT - top, rx: 3, class: i === shown.length - 1 ? "bar latest" : "bar" });
    bar.append(svg("title", {}, `${formatShortClock(window.start)}–${formatShortClock(window.end)}: ${window.avgSpeed.toFixed(1)} km/h, ${window.count} fixes`));
    root.append(bar);
    if (i % 3 === (shown.length - 1) % 3) {
      root.append(svg("text", { x: x + slot / 2, y: CHART_HEIGHT + 13, "text-anchor": "middle" }, formatShortClock(window.start)));
    }
  });
  root.append(svg("line", { x1: 0, x2: CHART_WIDTH, y1: y(limit), y2: y(limit), class: "limit" }));
  root.append(svg("text", { x: 2, y: y(limit) - 4, class: "limit-text" }, `limit ${Math.round(limit)}`));
  return root;
}

export class Card {
  private readonly root = byId("card");
  private vehicleId: string | null = null;
  private following = false;
  private request = 0;

  private readonly line = el("span", { class: "card-line" });
  private readonly id = el("h2", { class: "card-id" });
  private readonly sub = el("p", { class: "card-sub" });
  private readonly speed = el("span", { class: "big" });
  private readonly state = el("span", { class: "card-state" });
  private readonly facts = new Map<string, HTMLElement>();
  private readonly graph = el("div", { class: "graph" });
  private readonly followButton = el("button", { type: "button", class: "button", "aria-pressed": "false" }, "Follow");

  constructor(private readonly zoneName: (zoneId: string) => string, private readonly events: CardEvents) {
    const close = el("button", { type: "button", class: "close", "aria-label": "Close the vehicle card" }, "×");
    close.addEventListener("click", () => this.events.close());
    this.followButton.addEventListener("click", () => this.setFollowing(!this.following));
    const facts = el("dl", { class: "facts" });
    for (const name of ["Limit", "Heading", "District", "Last fix", "Position"]) {
      const value = el("dd");
      this.facts.set(name, value);
      facts.append(el("div", {}, el("dt", {}, name), value));
    }
    this.root.append(
      el("div", { class: "card-head" }, this.line, el("div", {}, this.id, this.sub), this.followButton, close),
      el("div", { class: "card-speed" }, this.speed, el("span", { class: "unit" }, "km/h"), this.state),
      facts,
      el("h3", {}, "Average speed, 5 minutes"),
      this.graph,
    );
  }

  get shownVehicle(): string | null {
    return this.vehicleId;
  }

  open(vehicleId: string): void {
    this.vehicleId = vehicleId;
    this.root.dataset.vehicle = vehicleId;
    this.root.hidden = false;
    this.graph.replaceChildren(el("p", { class: "quiet" }, "Loading"));
    void this.refreshWindows();
  }

  close(): void {
    this.vehicleId = null;
    delete this.root.dataset.vehicle;
    this.root.hidden = true;
    this.setFollowing(false);
  }

  setFollowing(on: boolean): void {
    if (this.following === on) return;
    this.following = on;
    this.followButton.setAttribute("aria-pressed", String(on));
    setText(this.followButton, on ? "Following" : "Follow");
    this.events.follow(on);
  }

  /** Shows the vehicle as it is now. */
  update(vehicle: Vehicle): void {
    const { state } = vehicle;
    const now = Date.now();
    const band = speedBand(state, now);
    this.root.dataset.band = band;
    setText(this.line, state.line ?? "?");
    setText(this.id, `Vehicle ${state.vehicleId}`);
    setText(this.sub, state.line === null ? "No line assigned" : `Brigade ${state.brigade ?? NONE}`);
    setText(this.speed, formatSpeed(state.speed));
    setText(this.state, { stopped: "Stopped", slow: "Moving", normal: "Moving", near: "Near the limit", over: "Over the limit", stale: "No recent fix" }[band]);
    this.fact("Limit", `${Math.round(state.speedLimit)} km/h`);
    this.fact("Heading", formatHeading(state.heading));
    this.fact("District", state.zones.length === 0 ? "none" : state.zones.map(this.zoneName).join(", "));
    const age = Math.max(0, now - state.receivedAt);
    this.fact("Last fix", age > STALE_MS * 5 ? `${formatClock(state.timestamp)}, ${formatAge(age)}` : formatAge(age));
    this.fact("Position", `${state.lat.toFixed(5)}, ${state.lon.toFixed(5)}`);
  }

  private fact(name: string, text: string): void {
    setText(this.facts.get(name)!, text);
  }

  async refreshWindows(): Promise<void> {
    const vehicleId = this.vehicleId;
    if (vehicleId === null) return;
    const request = ++this.request;
    let content: Node;
    try {
      const windows = await this.events.windows(vehicleId);
      content = windows.length > 0 ? chart(windows, this.limit()) : el("p", { class: "quiet" }, "No speeds yet");
    } catch {
      content = el("p", { class: "quiet" }, "Speeds cannot be loaded now");
    }
    if (request === this.request && vehicleId === this.vehicleId) this.graph.replaceChildren(content);
  }

  private limit(): number {
    return Number.parseFloat(this.facts.get("Limit")?.textContent ?? "") || 50;
  }
}
