// The camera that shows all of some points in the part of the window that no panel covers.
import type { Point } from "./mercator.ts";

const TILE = 512;
export const ZOOM_MIN = -1;
const ZOOM_MAX = 15;
/** Free space that is smaller than this is taken as this, in CSS pixels. */
const FREE_MIN = 80;

/** What lies over the map at its edges, in CSS pixels. */
export interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

export interface Camera {
  /** on the unit square; x may lie beyond it, for points on both sides of 180 degrees */
  centre: Point;
  zoom: number;
}

/** The shortest stretch of the circle of length 1 that holds all of `xs`: [from, to], from within [0, 1). */
export function arcOf(xs: readonly number[]): [number, number] {
  const sorted = Float64Array.from(xs, (x) => x - Math.floor(x)).sort();
  let from = sorted[0]!;
  let widest = from + 1 - sorted[sorted.length - 1]!;
  for (let i = 1; i < sorted.length; i++) {
    const gap = sorted[i]! - sorted[i - 1]!;
    if (gap > widest) {
      widest = gap;
      from = sorted[i]!;
    }
  }
  return [from, from + 1 - widest];
}

/** As near as all points allow, and not nearer than a street. Null without points. */
export function fit(points: readonly Point[], width: number, height: number, padding: Padding): Camera | null {
  if (points.length === 0) return null;
  const [west, east] = arcOf(points.map((point) => point.x));
  let north = Infinity;
  let south = -Infinity;
  for (const { y } of points) {
    north = Math.min(north, y);
    south = Math.max(south, y);
  }
  const across = Math.max(FREE_MIN, width - padding.left - padding.right) / Math.max(1e-12, east - west);
  const down = Math.max(FREE_MIN, height - padding.top - padding.bottom) / Math.max(1e-12, south - north);
  const zoom = Math.max(ZOOM_MIN, Math.min(ZOOM_MAX, Math.log2(Math.min(across, down) / TILE)));
  const scale = TILE * 2 ** zoom;
  return {
    centre: {
      x: (west + east) / 2 + (padding.right - padding.left) / 2 / scale,
      y: (north + south) / 2 + (padding.bottom - padding.top) / 2 / scale,
    },
    zoom,
  };
}
