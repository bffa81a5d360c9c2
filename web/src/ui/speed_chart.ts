// The card's chart: the speed at each fix as a line, its averages of five minutes as bars, the limit across.
import type { TrailPoint } from "../fleet.ts";
import { formatLimit, formatShortClock } from "../format.ts";
import type { SpeedWindow } from "../protocol.ts";
import { svg } from "./dom.ts";

const WIDTH = 272;
const HEIGHT = 64;
const LABELS = 16;
const LONGEST_MS = 30 * 60_000;
const SHORTEST_MS = 10 * 60_000;
const MARK_MS = 5 * 60_000;
/** Fixes further apart are not joined: nobody knows what was between them. */
const GAP_MS = 120_000;

export interface ChartShape {
  /** epoch ms at the left and the right edge */
  from: number;
  to: number;
  /** km/h at the top */
  most: number;
  /** runs of fixes without a gap */
  runs: { at: number; speed: number }[][];
  bars: SpeedWindow[];
}

/** What the chart shows: the half hour up to the newest fix, less when less is known. Null when there is no speed in it. */
export function chartShape(windows: readonly SpeedWindow[], trail: readonly TrailPoint[], limit: number): ChartShape | null {
  const newest = Math.max(trail[trail.length - 1]?.timestamp ?? 0, ...windows.map((window) => window.start));
  const oldest = Math.min(trail[0]?.timestamp ?? newest, ...windows.map((window) => window.start));
  const from = newest - Math.min(LONGEST_MS, Math.max(SHORTEST_MS, newest - oldest));
  const bars = windows.filter((window) => window.end > from);
  const runs: ChartShape["runs"] = [];
  let last = -Infinity;
  for (const { timestamp, speed } of trail) {
    if (timestamp < from || speed === null) continue;
    if (timestamp - last > GAP_MS) runs.push([]);
    runs[runs.length - 1]!.push({ at: timestamp, speed });
    last = timestamp;
  }
  if (bars.length === 0 && runs.length === 0) return null;
  const most = Math.max(limit * 1.15, ...bars.map((bar) => bar.avgSpeed), ...runs.flat().map((point) => point.speed));
  return { from, to: newest, most, runs, bars };
}

export function speedChart(windows: readonly SpeedWindow[], trail: readonly TrailPoint[], limit: number): SVGElement | null {
  const shape = chartShape(windows, trail, limit);
  if (shape === null) return null;
  const x = (time: number): number => ((time - shape.from) / (shape.to - shape.from)) * WIDTH;
  const y = (speed: number): number => HEIGHT - (speed / shape.most) * HEIGHT;
  const summary = shape.bars.map((bar) => `${formatShortClock(bar.start)} ${Math.round(bar.avgSpeed)} km/h`).join(", ");
  const root = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + LABELS}`, role: "img", class: "chart", "aria-label": `Average speed per 5 minutes: ${summary || "none yet"}` });
  for (const bar of shape.bars) {
    const left = Math.max(0, x(bar.start)) + 1;
    const right = Math.min(WIDTH, x(bar.end)) - 1;
    if (right <= left) continue;
    const top = Math.min(y(bar.avgSpeed), HEIGHT - 2);
    const rect = svg("rect", { x: left, y: top, width: right - left, height: HEIGHT - top, rx: 2, class: "bar" });
    rect.append(svg("title", {}, `${formatShortClock(bar.start)}–${formatShortClock(bar.end)}: ${bar.avgSpeed.toFixed(1)} km/h on average, ${bar.count} fixes`));
    root.append(rect);
  }
  const step = shape.to - shape.from > 2 * SHORTEST_MS ? 2 * MARK_MS : MARK_MS;
  for (let mark = Math.ceil(shape.from / step) * step; mark < shape.to; mark += step) {
    if (x(mark) > 16 && x(mark) < WIDTH - 16) root.append(svg("text", { x: x(mark), y: HEIGHT + 13, "text-anchor": "middle" }, formatShortClock(mark)));
  }
  root.append(svg("line", { x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit), class: "limit" }));
  root.append(svg("text", { x: 2, y: y(limit) - 4, class: "limit-text" }, `limit ${formatLimit(limit)}`));
  for (const run of shape.runs) {
    root.append(svg("polyline", { class: "speed-line", points: run.map((point) => `${x(point.at).toFixed(1)},${y(point.speed).toFixed(1)}`).join(" ") }));
  }
  const end = shape.runs[shape.runs.length - 1]?.at(-1);
  if (end !== undefined) root.append(svg("circle", { class: "speed-now", cx: x(end.at), cy: y(end.speed), r: 2.6 }));
  return root;
}
