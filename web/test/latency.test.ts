import assert from "node:assert/strict";
import test from "node:test";
import { reconnectPause } from "../src/feed.ts";
import { percentiles, ScreenLatency } from "../src/latency.ts";

test("percentiles are nearest-rank", () => {
  assert.equal(percentiles([]), null);
  assert.deepEqual(percentiles([7]), { p50: 7, p99: 7 });
  assert.deepEqual(percentiles(Array.from({ length: 100 }, (_, i) => 100 - i)), { p50: 50, p99: 99 });
});

test("a fix is measured when a frame shows it, not when it arrives", () => {
  const latency = new ScreenLatency();
  latency.arrived(1_000, 1_040);
  assert.equal(latency.summary(), null);
  latency.shown(1_056);
  assert.deepEqual(latency.summary(), { p50: 56, p99: 56 });
});

test("fixes that waited behind a hidden page or came with a resync measure nothing", () => {
  const latency = new ScreenLatency();
  latency.arrived(1_000, 1_010);
  latency.skip();
  latency.arrived(1_000, 100_000);
  latency.arrived(0, 100_000);
  latency.shown(100_001);
  assert.equal(latency.summary(), null);
});

test("samples older than half a minute are forgotten", () => {
  const latency = new ScreenLatency();
  latency.arrived(1_000, 1_100);
  latency.shown(1_100);
  latency.arrived(40_000, 40_010);
  latency.shown(40_010);
  assert.equal(latency.count, 1);
  assert.deepEqual(latency.summary(), { p50: 10, p99: 10 });
});

test("a server clock that runs ahead is noticed", () => {
  const latency = new ScreenLatency();
  latency.arrived(2_000, 1_000);
  latency.shown(1_020);
  assert.deepEqual(latency.summary(), { p50: 20, p99: 20 });
});

test("pauses between attempts grow to a limit and are spread", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => reconnectPause(attempt, 0.5)), [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.equal(reconnectPause(0, 0), 375);
  assert.ok(reconnectPause(0, 0.999) < 626);
});
