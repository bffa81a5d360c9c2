// The live list of alerts, newest first. It holds still while the pointer is on it.
import { formatClock, formatDuration } from "../format.ts";
import type { Alert } from "../protocol.ts";
import { byId, chips, el } from "./dom.ts";

const MOST_ROWS = 80;

const FILTERS = [
  { key: "all", label: "All", keeps: (_: Alert) => true },
  { key: "overspeed", label: "Speed", keeps: (alert: Alert) => alert.kind === "overspeed" },
  { key: "zones", label: "Districts", keeps: (alert: Alert) => alert.kind !== "overspeed" },
];

export function alertText(alert: Alert): string {
  const zone = alert.zoneName ?? alert.zoneId ?? "a zone";
  if (alert.kind === "zone_enter") return `entered ${zone}`;
  if (alert.kind === "zone_exit") return `left ${zone}`;
  const peak = alert.peak === null ? "over the limit" : `${Math.round(alert.peak)} km/h`;
  const limit = alert.limit === null ? "" : ` where ${Math.round(alert.limit)} is allowed`;
  const time = alert.durationMs ? `, for ${formatDuration(alert.durationMs)}` : "";
  return `${peak}${limit}${time}`;
}

export class AlertFeed {
  private readonly feed = byId("alert-feed");
  private filter = FILTERS[0]!;
  private held = false;
  private waiting = false;
  private alerts: readonly Alert[] = [];
  private readonly rows = new Map<string, HTMLElement>();

  constructor(private readonly lineOf: (vehicleId: string) => string | null, private readonly choose: (alert: Alert) => void) {
    chips(byId("alert-filter"), FILTERS, (key) => {
      this.filter = FILTERS.find((filter) => filter.key === key) ?? FILTERS[0]!;
      this.paint(false);
    });
    this.feed.addEventListener("pointerenter", () => { this.held = true; });
    this.feed.addEventListener("pointerleave", () => {
      this.held = false;
      if (this.waiting) this.paint(true);
    });
  }

  show(alerts: readonly Alert[]): void {
    const first = this.alerts.length === 0;
    this.alerts = alerts;
    if (this.held) this.waiting = true;
    else this.paint(!first);
  }

  private paint(animate: boolean): void {
    this.waiting = false;
    const shown = this.alerts.filter(this.filter.keeps).slice(0, MOST_ROWS);
    const wanted = new Set(shown.map((alert) => alert.alertId));
    for (const [id, row] of this.rows) {
      if (!wanted.has(id)) {
        row.remove();
        this.rows.delete(id);
      }
    }
    let before: ChildNode | null = this.feed.firstChild;
    for (const alert of shown) {
      const known = this.rows.get(alert.alertId);
      if (known !== undefined && known === before) {
        before = known.nextSibling;
        continue;
      }
      const row = known ?? this.makeRow(alert, animate);
      this.rows.set(alert.alertId, row);
      this.feed.insertBefore(row, before);
    }
    this.feed.dataset.empty = String(shown.length === 0);
  }

  private makeRow(alert: Alert, animate: boolean): HTMLElement {
    const line = this.lineOf(alert.vehicleId);
    const button = el("button", { type: "button", class: "alert", "data-kind": alert.kind },
      el("i", { "aria-hidden": "true" }),
      el("span", { class: "alert-text" },
        el("b", {}, line === null ? alert.vehicleId : `${line} · ${alert.vehicleId}`),
        el("span", {}, alertText(alert))),
      el("time", {}, formatClock(alert.timestamp)));
    button.addEventListener("click", () => this.choose(alert));
    return el("li", animate ? { class: "fresh" } : {}, button);
  }
}
