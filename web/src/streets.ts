// The compact background of the map; its format is described in apps/vts/demo/README.md.

export type Line = [number, number][];
export type StreetClass = "major" | "middle" | "minor";

export interface Place {
  name: string;
  lon: number;
  lat: number;
  /** how many stop posts the place has: its weight */
  posts: number;
}

export interface Background {
  bounds: [number, number, number, number];
  streets: Record<StreetClass, Line[]>;
  corridors: Map<string, Line>;
  city: Line[];
  river: Line | null;
  places: Place[];
}

/** Sums up [x, y, dx, dy, ...] to points in degrees. */
export function decodeLine(deltas: readonly number[], scale: number): Line {
  const line: Line = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < deltas.length; i += 2) {
    x += deltas[i]!;
    y += deltas[i + 1]!;
    line.push([x / scale, y / scale]);
  }
  return line;
}

interface Document {
  version: number;
  scale: number;
  bounds: [number, number, number, number];
  streets: { class: StreetClass; lines: number[][] }[];
  corridors: Record<string, number[]>;
  city: number[][];
  river: number[];
  stops: [string, number, number, number][];
}

export function decodeBackground(value: unknown): Background | null {
  const doc = value as Partial<Document> | null;
  if (doc?.version !== 1 || !doc.scale || !Array.isArray(doc.streets) || !Array.isArray(doc.bounds)) return null;
  const scale = doc.scale;
  const streets: Background["streets"] = { major: [], middle: [], minor: [] };
  for (const group of doc.streets) {
    if (group.class in streets) streets[group.class] = group.lines.map((line) => decodeLine(line, scale));
  }
  return {
    bounds: doc.bounds,
    streets,
    corridors: new Map(Object.entries(doc.corridors ?? {}).map(([name, line]) => [name, decodeLine(line, scale)])),
    city: (doc.city ?? []).map((ring) => decodeLine(ring, scale)),
    river: doc.river ? decodeLine(doc.river, scale) : null,
    places: (doc.stops ?? []).map(([name, lon, lat, posts]) => ({ name, lon: lon / scale, lat: lat / scale, posts })),
  };
}
