// Web Mercator on the unit square: x grows east, y grows south.

export interface Point {
  x: number;
  y: number;
}

export function project(lon: number, lat: number): Point {
  const s = Math.sin((Math.max(-85.05, Math.min(85.05, lat)) * Math.PI) / 180);
  return { x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI) };
}

export function unproject(point: Point): { lon: number; lat: number } {
  const n = Math.PI * (1 - 2 * point.y);
  return { lon: (point.x - 0.5) * 360, lat: (Math.atan(Math.sinh(n)) * 180) / Math.PI };
}

/** How many metres on the ground one unit spans at this y. */
export function metresPerUnit(y: number): number {
  const lat = Math.atan(Math.sinh(Math.PI * (1 - 2 * y)));
  return 40_075_016.7 * Math.cos(lat);
}
