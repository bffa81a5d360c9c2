import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { decodeBackground, decodeLine } from "../src/streets.ts";

test("a line is the running sum of its steps", () => {
  assert.deepEqual(decodeLine([2100000, 5220000, 10, -5, 0, 1], 100000), [[21, 52.2], [21.0001, 52.19995], [21.0001, 52.19996]]);
  assert.deepEqual(decodeLine([], 100000), []);
  assert.deepEqual(decodeLine([5], 1), []);
});

test("what is no background is none", () => {
  for (const value of [null, 5, {}, { version: 2, scale: 1, streets: [], bounds: [] }]) assert.equal(decodeBackground(value), null);
});

test("the demo's background lies within its bounds", () => {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "apps", "vts", "demo", "streets.json");
  const background = decodeBackground(JSON.parse(readFileSync(file, "utf8")))!;
  const [west, south, east, north] = background.bounds;
  for (const lines of Object.values(background.streets)) {
    assert.ok(lines.length > 50);
    for (const line of lines) {
      assert.ok(line.length > 1);
      for (const [lon, lat] of line) assert.ok(lon > west && lon < east && lat > south && lat < north, `${lon}, ${lat}`);
    }
  }
  assert.ok(background.places.some((place) => place.name === "Metro Politechnika"));
  assert.ok(background.river !== null && background.corridors.has("189"));
});
