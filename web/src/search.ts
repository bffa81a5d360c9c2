// The fleet list's order, filter and search.
import type { VehicleState } from "./protocol.ts";

const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** By line (those without one last), then by vehicle, numbers as numbers. */
export function byLine(a: VehicleState, b: VehicleState): number {
  if (a.line !== b.line) {
    if (a.line === null) return 1;
    if (b.line === null) return -1;
    const order = natural.compare(a.line, b.line);
    if (order !== 0) return order;
  }
  return natural.compare(a.vehicleId, b.vehicleId);
}

/** "Żoliborz" is found by "zoliborz" as well. */
const plain = (text: string): string => text.toLowerCase().replace(/ł/g, "l").normalize("NFD").replace(/\p{M}/gu, "");

/**
 * How well one word fits a vehicle, 0 for not at all. The whole id or line beats a beginning, a
 * beginning beats a part, and those beat name and zones; "189/3" is line and brigade.
 */
function fit(word: string, state: VehicleState, zoneName: (zoneId: string) => string | null): number {
  const id = state.vehicleId.toLowerCase();
  const line = (state.line ?? "").toLowerCase();
  if (word === id) return 6;
  if (word === line) return 5;
  if (word.includes("/") && `${line}/${(state.brigade ?? "").toLowerCase()}`.startsWith(word)) return 5;
  if (line !== "" && line.startsWith(word)) return 4;
  if (id.startsWith(word)) return 3;
  if (id.includes(word)) return 2;
  const text = [state.name ?? "", ...state.zones.map(zoneName).filter((name) => name !== null)].map(plain).join(" ");
  return text.includes(plain(word)) ? 1 : 0;
}

/** The vehicles that fit every word of the query, best first, then by line. */
export function search(states: Iterable<VehicleState>, query: string, zoneName: (zoneId: string) => string | null): VehicleState[] {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found: { state: VehicleState; score: number }[] = [];
  for (const state of states) {
    let score = 1;
    for (const word of words) {
      const points = fit(word, state, zoneName);
      score = points === 0 ? 0 : score * 10 + points;
      if (score === 0) break;
    }
    if (score > 0) found.push({ state, score });
  }
  found.sort((a, b) => b.score - a.score || byLine(a.state, b.state));
  return found.map((entry) => entry.state);
}
