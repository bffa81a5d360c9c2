// End-to-end latency as the page sees it: from the server's receipt of a fix until the first drawn
// frame that the fix shapes.
import type { Percentiles } from "./protocol.ts";

const WINDOW_MS = 30_000;
const MOST_SAMPLES = 8_192;
/** A fix older than this on arrival was replayed by a snapshot or a resync; it measures nothing. */
const OLDEST_MS = 60_000;

/** Nearest-rank percentiles; null without samples. */
export function percentiles(samples: readonly number[]): Percentiles | null {
  if (samples.length === 0) return null;
  const sorted = Float64Array.from(samples).sort();
  const rank = (p: number): number => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
  return { p50: rank(0.5), p99: rank(0.99) };
}

export class ScreenLatency {
  private waiting: number[] = [];
  private samples: { at: number; ms: number }[] = [];
  /** How far the server's clock runs ahead of ours, at least: no fix is received in the future. */
  private ahead = 0;

  /** A fix arrived and waits for a frame; both times are epoch ms. */
  arrived(receivedAt: number, now: number): void {
    const age = now - receivedAt;
    if (receivedAt <= 0 || age > OLDEST_MS) return;
    if (-age > this.ahead) this.ahead = -age;
    if (this.waiting.length < MOST_SAMPLES) this.waiting.push(receivedAt);
  }

  /** A frame was drawn. */
  shown(now: number): void {
    for (const receivedAt of this.waiting) this.samples.push({ at: now, ms: now - receivedAt + this.ahead });
    this.waiting.length = 0;
    const oldest = now - WINDOW_MS;
    let drop = Math.max(0, this.samples.length - MOST_SAMPLES);
    while (drop < this.samples.length && this.samples[drop]!.at < oldest) drop++;
    if (drop > 0) this.samples.splice(0, drop);
  }

  /** Forgets fixes that waited while nothing was drawn (a hidden page). */
  skip(): void {
    this.waiting.length = 0;
  }

  get count(): number {
    return this.samples.length;
  }

  summary(): Percentiles | null {
    return percentiles(this.samples.map((sample) => sample.ms));
  }
}
