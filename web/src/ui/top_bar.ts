// Counters, latency, connection and the note that this is a demo.
import type { Connection } from "../feed.ts";
import { formatCount, formatDuration, formatLatency, formatRate, NONE } from "../format.ts";
import type { Percentiles, Stats } from "../protocol.ts";
import { byId, el, setText } from "./dom.ts";

const COUNTERS = [
  { key: "vehicles", label: "Vehicles", hint: "Vehicles with a current position" },
  { key: "rate", label: "Positions/s", hint: "Positions accepted per second" },
  { key: "accepted", label: "Accepted", hint: "Positions accepted since the start" },
  { key: "duplicates", label: "Duplicates", hint: "Positions dropped because vehicle and time repeat" },
  { key: "dead", label: "Dead letters", hint: "Positions rejected, each with its reason: open the list" },
  { key: "alerts", label: "Alerts", hint: "Alerts raised since the start" },
  { key: "server", label: "In the system", hint: "From receipt to the end of processing, as the server measures it: median and 99th percentile" },
  { key: "screen", label: "To this screen", hint: "From the server's receipt of a fix to the first drawn frame that shows it: median and 99th percentile" },
] as const;

type Key = (typeof COUNTERS)[number]["key"];

export class TopBar {
  private readonly values = new Map<Key, HTMLElement>();
  private readonly connection = byId("connection");
  private readonly connectionText = this.connection.querySelector("span")!;
  private state: Connection = { state: "connecting" };

  constructor(onDeadLetters: () => void) {
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

  /** Once a second: the countdown to the next attempt. */
  tick(): void {
    this.connection.dataset.state = this.state.state;
    if (this.state.state === "live") setText(this.connectionText, "Live");
    else if (this.state.state === "connecting") setText(this.connectionText, "Connecting");
    else setText(this.connectionText, `Offline, again in ${formatDuration(Math.max(0, this.state.retryAt - Date.now()))}`);
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
    setText(byId("attribution"), stats.attribution);
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
