// The live list of alerts, newest first. It holds still while the pointer is on it.
import { formatDuration, formatLimit, formatSpeedBeside, formatTime } from "../format.ts";
import type { Alert } from "../protocol.ts";
import { byId, chips, el, setText } from "./dom.ts";

const MOST_ROWS = 80;

const FILTERS = [
  { key: "all", label: "All", keeps: (_: Alert) => true },
  { key: "overspeed", label: "Speed", keeps: (alert: Alert) => alert.kind === "overspeed" },
  { key: "zones", label: "Zones", keeps: (alert: Alert) => alert.kind !== "overspeed" },
];

/** An alert as the list shows it: leaving one zone for the next is one line. */
export interface Entry {
  alert: Alert;
  /** the exit that goes with an enter */
  from: Alert | null;
}

/** Joins an enter and an exit of one vehicle at one moment; the order stays. */
export function joinMoves(alerts: readonly Alert[]): Entry[] {
  const moment = (alert: Alert): string => `${alert.vehicleId}/${alert.timestamp}`;
  const enters = new Map<string, Entry>();
  const exits = new Map<string, Alert>();
  for (const alert of alerts) if (alert.kind === "zone_exit") exits.set(moment(alert), alert);
  const entries: Entry[] = [];
  for (const alert of alerts) {
    if (alert.kind !== "zone_enter") continue;
    const from = exits.get(moment(alert)) ?? null;
    enters.set(alert.alertId, { alert, from });
    if (from !== null) exits.delete(moment(alert));
  }
  const joined = new Set([...enters.values()].map((entry) => entry.from?.alertId));
  for (const alert of alerts) {
    const enter = enters.get(alert.alertId);
    if (enter !== undefined) entries.push(enter);
    else if (!joined.has(alert.alertId)) entries.push({ alert, from: null });
  }
  return entries;
}

const zoneOf = (alert: Alert): string => alert.zoneName ?? alert.zoneId ?? "a zone";

export function alertText({ alert, from }: Entry): string {
  if (from !== null) return `${zoneOf(from)} → ${zoneOf(alert)}`;
  if (alert.kind === "zone_enter") return `entered ${zoneOf(alert)}`;
  if (alert.kind === "zone_exit") return `left ${zoneOf(alert)}`;
  const peak = alert.peak === null ? "over the limit" : `${formatSpeedBeside(alert.peak, alert.limit ?? 0)} km/h`;
  const limit = alert.limit === null ? "" : `, limit ${formatLimit(alert.limit)}`;
  const time = alert.durationMs ? `, ${formatDuration(alert.durationMs)}` : "";
  return `${peak}${limit}${time}`;
}

interface Row {
  root: HTMLElement;
  time: HTMLElement;
  at: number;
}

export class AlertFeed {
  private readonly feed = byId("alert-feed");
  private filter = FILTERS[0]!;
  private held = false;
  private waiting = false;
  private alerts: readonly Alert[] = [];
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly lineOf: (vehicleId: string) => string | null,
    private readonly choose: (alert: Alert) => void,
    private readonly now: () => number,
  ) {
    chips(byId("alert-filter"), FILTERS, (key) => {
      this.filter = FILTERS.find((filter) => filter.key === key) ?? FILTERS[0]!;
      this.paint(false);
    });
    this.feed.addEventListener("pointerenter", () => { this.held = true; });
    this.feed.addEventListener("pointerleave", () => {
      this.held = false;
      if (this.waiting) this.paint(true);
    });
    this.paint(false);
  }

  show(alerts: readonly Alert[]): void {
    const first = this.alerts.length === 0;
    this.alerts = alerts;
    if (this.held) this.waiting = true;
    else this.paint(!first);
  }

  /** Yesterday begins at midnight, also for rows that are there already. */
  refreshTimes(): void {
    const now = this.now();
    for (const row of this.rows.values()) setText(row.time, formatTime(row.at, now));
  }

  private paint(animate: boolean): void {
    this.waiting = false;
    const shown = joinMoves(this.alerts.filter(this.filter.keeps)).slice(0, MOST_ROWS);
    const key = (entry: Entry): string => `${entry.alert.alertId} ${entry.from?.alertId ?? ""}`;
    const wanted = new Set(shown.map(key));
    for (const [id, row] of this.rows) {
      if (!wanted.has(id)) {
        row.root.remove();
        this.rows.delete(id);
      }
    }
    let before: ChildNode | null = this.feed.firstChild;
    for (const entry of shown) {
      const known = this.rows.get(key(entry));
      if (known !== undefined && known.root === before) {
        before = known.root.nextSibling;
        continue;
      }
      const row = known ?? this.makeRow(entry, animate);
      this.rows.set(key(entry), row);
      this.feed.insertBefore(row.root, before);
    }
    this.feed.dataset.empty = String(shown.length === 0);
  }

  private makeRow(entry: Entry, animate: boolean): Row {
    const { alert } = entry;
    const line = this.lineOf(alert.vehicleId);
    const time = el("time", { datetime: new Date(alert.timestamp).toISOString() }, formatTime(alert.timestamp, this.now()));
    const button = el("button", { type: "button", class: "alert", "data-kind": alert.kind },
      el("i", { "aria-hidden": "true" }),
      el("span", { class: "alert-text" },
        el("b", {}, line === null ? alert.vehicleId : `${line} · ${alert.vehicleId}`),
        el("span", {}, alertText(entry))),
      time);
    button.addEventListener("click", () => this.choose(alert));
    return { root: el("li", animate ? { class: "fresh" } : {}, button), time, at: alert.timestamp };
  }
}
