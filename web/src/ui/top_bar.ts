// Counters, latency, connection and the note that this is a demo.
import type { Connection } from "../feed.ts";
import { formatCount, formatDuration, formatLatency, formatRate, NONE } from "../format.ts";
import type { Percentiles, Stats } from "../protocol.ts";
import { byId, el, setText } from "./dom.ts";

const COUNTERS = [
  { key: "vehicles", label: "Vehicles", hint: "Vehicles of which a position is known; those without a fix in the last two minutes are drawn hollow" },
  { key: "rate", label: "Positions/s", hint: "Positions received per second, over the last half minute" },
  { key: "accepted", label: "Accepted", hint: "Positions accepted, ever" },
  { key: "duplicates", label: "Duplicates", hint: "Positions dropped because vehicle and time repeat" },
  { key: "dead", label: "Dead letters", hint: "Positions rejected, each with its reason: open the list" },
  { key: "alerts", label: "Alerts", hint: "Alerts raised, ever" },
  { key: "server", label: "In the system", hint: "From receipt to the end of processing, as the server measures it: median and 99th percentile" },
  { key: "screen", label: "To this screen", hint: "From the server's receipt of a fix to the first drawn frame that shows it: median and 99th percentile" },
] as const;

type Key = (typeof COUNTERS)[number]["key"];

export class TopBar {
  private readonly values = new Map<Key, HTMLElement>();
  private readonly connection = byId("connection");
  private readonly connectionText = this.connection.querySelector("span")!;
  /** Counts down every second: not for screen readers, which say what changes. */
  private readonly countdown = el("span", { "aria-hidden": "true", class: "countdown" });
  private state: Connection = { state: "connecting" };
  private standstill: string | null = null;

  constructor(onDeadLetters: () => void) {
    this.connection.append(this.countdown);
    const list = byId("counters");
    for (const { key, label, hint } of COUNTERS) {
      const value = el("dd", {}, NONE);
      const item = el("div", { title: hint, "data-key": key }, el("dt", {}, label), value);
      if (key === "dead") {
        const button = el("button", { type: "button", "aria-label": "Show dead letters" });
        button.addEventListener("click", onDeadLetters);
        item.append(button);
      }
      this.values.set(key, value);
      list.append(item);
    }
  }

  setConnection(connection: Connection): void {
    this.state = connection;
    this.tick();
  }

  /** Why positions are not processed; null: they are. */
  setStandstill(why: string | null): void {
    this.standstill = why;
    this.tick();
  }

  /** Once a second: the countdown to the next attempt. */
  tick(): void {
    const stopped = this.state.state === "live" && this.standstill !== null;
    this.connection.dataset.state = stopped ? "stopped" : this.state.state;
    this.connection.title = stopped ? `Positions are taken, but not processed: ${this.standstill}` : "";
    document.body.dataset.connection = this.state.state;
    setText(this.connectionText, stopped ? "Stopped" : { live: "Live", connecting: "Connecting", waiting: "Offline" }[this.state.state]);
    setText(this.countdown, this.state.state === "waiting" ? `again in ${formatDuration(Math.max(0, this.state.retryAt - Date.now()))}` : "");
  }

  setStats(stats: Stats, vehicles: number): void {
    this.set("vehicles", formatCount(vehicles));
    this.set("rate", formatRate(stats.positionsPerSecond));
    this.set("accepted", formatCount(stats.accepted));
    this.set("duplicates", formatCount(stats.duplicates));
    this.set("dead", formatCount(stats.deadLetters));
    this.set("alerts", formatCount(stats.alerts));
    this.setPair("server", stats.latencyMs);
    byId("demo").hidden = !stats.demo;
  }

  setScreenLatency(latency: Percentiles | null): void {
    this.setPair("screen", latency);
  }

  private setPair(key: Key, latency: Percentiles | null): void {
    this.set(key, latency === null ? NONE : `${formatLatency(latency.p50)} / ${formatLatency(latency.p99)}`);
  }

  private set(key: Key, text: string): void {
    setText(this.values.get(key)!, text);
  }
}
