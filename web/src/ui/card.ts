// The card of the selected vehicle.
import { speedBand, type Vehicle } from "../fleet.ts";
import { formatAge, formatCoarse, formatDay, formatHeading, formatLimit, formatSpeedBeside, formatTime, NONE } from "../format.ts";
import type { SpeedWindow } from "../protocol.ts";
import { byId, el, setCutText, setText } from "./dom.ts";
import { speedChart } from "./speed_chart.ts";

export interface CardEvents {
  close(): void;
  follow(on: boolean): void;
  /** the vehicle's speed windows, oldest first; rejects when they cannot be had */
  windows(vehicleId: string): Promise<SpeedWindow[]>;
  /** what time it is, epoch ms */
  now(): number;
}

/** A fix that came so much later than it was taken is said to be late. */
const LATE_MS = 30_000;
const PRECISE_MS = 600_000;
const CHART_TITLE = "Speed, up to 30 minutes";

export class Card {
  private readonly root = byId("card");
  private vehicleId: string | null = null;
  private vehicle: Vehicle | null = null;
  private windows: SpeedWindow[] | null = null;
  private loaded = false;
  private drawnFix = 0;
  private following = false;
  private request = 0;

  private readonly line = el("span", { class: "card-line" });
  private readonly id = el("h2", { class: "card-id" });
  private readonly sub = el("p", { class: "card-sub" });
  private readonly speed = el("span", { class: "big" });
  private readonly state = el("span", { class: "card-state" });
  private readonly unit = el("span", { class: "unit" }, "km/h");
  private readonly chartTitle = el("h3", {}, CHART_TITLE);
  private readonly facts = new Map<string, HTMLElement>();
  private readonly graph = el("div", { class: "graph" });
  private readonly followButton = el("button", { type: "button", class: "button", "aria-pressed": "false" }, "Follow");

  constructor(private readonly zoneName: (zoneId: string) => string | null, private readonly events: CardEvents) {
    const close = el("button", { type: "button", class: "close", "aria-label": "Close the vehicle card" }, "×");
    close.addEventListener("click", () => this.events.close());
    this.followButton.addEventListener("click", () => this.setFollowing(!this.following));
    const facts = el("dl", { class: "facts" });
    for (const name of ["Limit", "Heading", "Zone", "Last fix", "Received", "Position"]) {
      const value = el("dd");
      this.facts.set(name, value);
      facts.append(el("div", {}, el("dt", {}, name), value));
    }
    this.root.append(
      el("div", { class: "card-head" }, this.line, el("div", {}, this.id, this.sub), this.followButton, close),
      el("div", { class: "card-speed" }, this.speed, this.unit, this.state),
      facts,
      this.chartTitle,
      this.graph,
    );
  }

  get shownVehicle(): string | null {
    return this.vehicleId;
  }

  open(vehicleId: string): void {
    if (this.vehicleId === vehicleId) return;
    this.vehicleId = vehicleId;
    this.vehicle = null;
    this.loaded = false;
    this.root.dataset.vehicle = vehicleId;
    this.root.hidden = false;
    this.graph.replaceChildren(el("p", { class: "quiet" }, "Loading"));
    void this.refreshWindows();
  }

  close(): void {
    this.vehicleId = null;
    this.vehicle = null;
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
    const now = this.events.now();
    this.vehicle = vehicle;
    if (this.drawnFix !== state.timestamp) {
      this.drawnFix = state.timestamp;
      this.drawChart();
    }
    const band = speedBand(state, now);
    this.root.dataset.band = band;
    setCutText(this.line, state.line ?? NONE);
    setText(this.id, state.name ?? `Vehicle ${state.vehicleId}`);
    const duty = state.line === null ? "No line assigned" : `Brigade ${state.brigade ?? NONE}`;
    setText(this.sub, state.name === null ? duty : `Vehicle ${state.vehicleId} · ${duty}`);
    const age = Math.max(0, now - state.timestamp);
    const old = band === "stale";
    setText(this.speed, formatSpeedBeside(state.speed, state.speedLimit));
    setText(this.unit, old ? "km/h then" : "km/h");
    setText(this.state, { stopped: "Stopped", slow: "Moving", normal: "Moving", near: "Near the limit", over: "Over the limit", stale: `No fix for ${formatCoarse(age)}` }[band]);
    this.fact("Limit", `${formatLimit(state.speedLimit)} km/h`);
    this.fact("Heading", formatHeading(state.heading));
    // A zone that was removed is none, though the fix was taken in it.
    const zones = state.zones.map(this.zoneName).filter((name) => name !== null);
    this.fact("Zone", zones.length === 0 ? "none" : zones.join(", "));
    this.fact("Last fix", age > PRECISE_MS ? `${formatTime(state.timestamp, now)} (${formatCoarse(age)} ago)` : formatAge(age));
    const late = state.receivedAt - state.timestamp > LATE_MS;
    this.fact("Received", late ? `${formatTime(state.receivedAt, now)}` : "");
    const day = formatDay(state.timestamp, now);
    setText(this.chartTitle, day === "" ? CHART_TITLE : `${CHART_TITLE} of ${day}`);
    this.fact("Position", `${state.lat.toFixed(5)}, ${state.lon.toFixed(5)}`);
  }

  private fact(name: string, text: string): void {
    const value = this.facts.get(name)!;
    setText(value, text);
    (value.parentElement as HTMLElement).hidden = text === "";
  }

  /** Asks for the averages and draws the chart; between two of these the line goes on by drawChart(). */
  async refreshWindows(): Promise<void> {
    const vehicleId = this.vehicleId;
    if (vehicleId === null) return;
    const request = ++this.request;
    let windows: SpeedWindow[] | null;
    try {
      windows = await this.events.windows(vehicleId);
    } catch {
      windows = null;
    }
    if (request !== this.request || vehicleId !== this.vehicleId) return;
    this.windows = windows;
    this.loaded = true;
    this.drawChart();
  }

  /** Draws what is known now. */
  drawChart(): void {
    const vehicle = this.vehicle;
    if (vehicle === null || !this.loaded) return;
    const chart = speedChart(this.windows ?? [], vehicle.trail, vehicle.state.speedLimit);
    this.graph.replaceChildren(chart ?? el("p", { class: "quiet" }, this.windows === null ? "Speeds cannot be loaded now" : "No speeds yet"));
  }
}
