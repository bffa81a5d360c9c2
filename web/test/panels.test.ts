import assert from "node:assert/strict";
import test from "node:test";
import type { TrailPoint } from "../src/fleet.ts";
import { exampleCommand } from "../src/ui/empty_state.ts";
import { chartShape } from "../src/ui/speed_chart.ts";

const MINUTE = 60_000;
const at = (minute: number, speed: number | null): TrailPoint => ({ x: 0, y: 0, timestamp: minute * MINUTE, speed });
const bar = (minute: number, avgSpeed: number): { start: number; end: number; avgSpeed: number; count: number } =>
  ({ start: minute * MINUTE, end: (minute + 5) * MINUTE, avgSpeed, count: 3 });

test("the chart is of the half hour up to the newest fix", () => {
  const shape = chartShape([bar(0, 10), bar(30, 20), bar(60, 30)], [at(20, 5), at(61, 40), at(62, 44)], 50)!;
  assert.equal(shape.from, 32 * MINUTE);
  assert.equal(shape.to, 62 * MINUTE);
  assert.deepEqual(shape.bars.map((one) => one.avgSpeed), [20, 30]);
  assert.deepEqual(shape.runs, [[{ at: 61 * MINUTE, speed: 40 }, { at: 62 * MINUTE, speed: 44 }]]);
});

test("a short way is not squeezed into a corner", () => {
  const shape = chartShape([bar(20, 10)], [at(22, 40), at(24, 44)], 50)!;
  assert.deepEqual([shape.from, shape.to], [14 * MINUTE, 24 * MINUTE]);
});

test("the line is broken where fixes are missing, and skips those without a speed", () => {
  const shape = chartShape([], [at(1, 10), at(2, 20), at(5, 30), at(5.5, null), at(6, 40)], 50)!;
  assert.deepEqual(shape.runs.map((run) => run.map((point) => point.speed)), [[10, 20], [30, 40]]);
});

test("the limit and the highest speed are both within the chart", () => {
  assert.ok(chartShape([], [at(1, 10)], 50)!.most > 50);
  assert.equal(chartShape([], [at(1, 90)], 50)!.most, 90);
  assert.equal(chartShape([bar(0, 120)], [at(1, 90)], 50)!.most, 120);
});

test("without a speed there is no chart", () => {
  assert.equal(chartShape([], [], 50), null);
  assert.equal(chartShape([], [at(1, null)], 50), null);
});

test("the example posts one position to the page's server", () => {
  const command = exampleCommand("http://muir:8080", new Date(Date.UTC(2026, 0, 1, 12)));
  const [, url, body] = /^curl (\S+) -d '(.*)'$/.exec(command) ?? [];
  assert.equal(url, "http://muir:8080/api/v1/positions");
  assert.deepEqual(JSON.parse(body!), { vehicleId: "V123", lat: 52.23, lon: 21.01, speed: 40, heading: 90, timestamp: "2026-01-01T12:00:00.000Z" });
});
