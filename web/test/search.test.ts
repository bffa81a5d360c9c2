import assert from "node:assert/strict";
import test from "node:test";
import type { VehicleState } from "../src/protocol.ts";
import { decodeVehicle } from "../src/protocol.ts";
import { search } from "../src/search.ts";

const bus = (vehicleId: string, line: string | null, brigade = "1", more: object = {}): VehicleState => decodeVehicle({ vehicleId, line, brigade, lat: 52, lon: 21, ...more })!;
const ZONES: Record<string, string> = { zoliborz: "Żoliborz", praga: "Praga Południe" };
const FLEET = [bus("1899", "500"), bus("9923", "186", "4", { zones: ["zoliborz"], name: "Night bus" }), bus("189", "N37"), bus("7235", "189", "3"), bus("7236", "189", "12"), bus("4401", null, "1", { zones: ["praga"] }), bus("1000", "9")];
const find = (query: string): string[] => search(FLEET, query, (zoneId) => ZONES[zoneId] ?? zoneId).map((state) => state.vehicleId);

test("without a query all are listed by line, numbers as numbers, without a line last", () => {
  assert.deepEqual(find(""), ["1000", "9923", "7235", "7236", "1899", "189", "4401"]);
  assert.deepEqual(find("   "), find(""));
});

const ROWS: [string, string, string[]][] = [
  ["the whole id comes first, then the line, then beginnings", "189", ["189", "7235", "7236", "1899"]],
  ["a beginning of an id", "72", ["7235", "7236"]],
  ["a part of an id", "23", ["9923", "7235", "7236"]],
  ["line and brigade", "189/3", ["7235"]],
  ["several words must all fit", "189 7236", ["7236"]],
  ["letters in any case", "n37", ["189"]],
  ["a zone by its name", "Żoli", ["9923"]],
  ["a zone without its accents", "zoliborz", ["9923"]],
  ["a zone with a stroke", "poludnie", ["4401"]],
  ["a vehicle's own name", "night", ["9923"]],
  ["zone and line", "186 żoliborz", ["9923"]],
  ["nothing fits", "zzz", []],
];
for (const [name, query, expected] of ROWS) test(`search: ${name}`, () => assert.deepEqual(find(query), expected));
