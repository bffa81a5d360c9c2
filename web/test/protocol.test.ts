import assert from "node:assert/strict";
import test from "node:test";
import { decodeAlert, decodeFeed, decodeSpeedWindows, decodeVehicle, decodeZones, decodeStandstill } from "../src/protocol.ts";

const VEHICLE = {
  vehicleId: "9923", lat: 52.23, lon: 21.01, speed: 31.5, heading: 270, timestamp: 1708354800000, receivedAt: 1708354800123,
  line: "186", brigade: "4", name: null, speedLimit: 50, overspeed: false, zones: ["wola"],
};

test("a snapshot is decoded in full", () => {
  const stats = { demo: true, attribution: "City", vehicles: 1, accepted: 7, positionsPerSecond: 84.5, latencyMs: { p50: 3, p99: 9 } };
  const message = decodeFeed(JSON.stringify({ type: "snapshot", vehicles: [VEHICLE], zones: [{ zoneId: "wola", vehicles: 1 }], alerts: [], stats }));
  assert.deepEqual(message?.vehicles, [VEHICLE]);
  assert.deepEqual(message?.zones, [{ zoneId: "wola", vehicles: 1 }]);
  assert.equal(message?.stats?.demo, true);
  assert.deepEqual(message?.stats?.latencyMs, { p50: 3, p99: 9 });
  assert.equal(message?.stats?.duplicates, 0);
});

test("absent members of an update are empty", () => {
  assert.deepEqual(decodeFeed('{"type":"update"}'), { type: "update", vehicles: [], zones: [], alerts: [], removedVehicles: [], zonesChanged: false, stats: null });
});

test("what is no message is none", () => {
  for (const text of ["", "{", "null", "[]", "42", '"update"', '{"type":"other"}', '{"vehicles":[]}']) {
    assert.equal(decodeFeed(text), null, text);
  }
});

test("vehicles without an id or a possible position are dropped, the others kept", () => {
  const bad = [null, 5, {}, { ...VEHICLE, vehicleId: 7 }, { ...VEHICLE, lat: "52" }, { ...VEHICLE, lat: 91 }, { ...VEHICLE, lon: -181 }, { ...VEHICLE, lon: null }];
  const message = decodeFeed(JSON.stringify({ type: "update", vehicles: [...bad, VEHICLE] }));
  assert.deepEqual(message?.vehicles.map((vehicle) => vehicle.vehicleId), ["9923"]);
});

test("optional members of a vehicle may be missing", () => {
  const vehicle = decodeVehicle({ vehicleId: "1", lat: 1, lon: 2 });
  assert.deepEqual(vehicle, {
    vehicleId: "1", lat: 1, lon: 2, speed: null, heading: null, timestamp: 0, receivedAt: 0, line: null, brigade: null, name: null,
    speedLimit: 50, overspeed: false, zones: [],
  });
});

test("alerts of unknown kinds are dropped", () => {
  const alert = { alertId: "a", kind: "overspeed", vehicleId: "1", timestamp: 5, lat: 1, lon: 2, limit: 50, peak: 71.2, durationMs: 9000 };
  assert.equal(decodeAlert(alert)?.peak, 71.2);
  assert.equal(decodeAlert(alert)?.zoneName, null);
  assert.equal(decodeAlert({ ...alert, kind: "party" }), null);
});

test("zones keep whole rings only", () => {
  const ring = [[21, 52], [21.1, 52], [21.1, 52.1], [21, 52]];
  const zones = decodeZones({ zones: [{ zoneId: "a", name: "A", kind: "district", vehicles: 3, polygons: [[ring], [[[1, 2]]], "x"] }, { zoneId: "b" }] });
  assert.equal(zones.length, 1);
  assert.deepEqual(zones[0]?.polygons, [[ring]]);
});

test("speed windows without an average are dropped", () => {
  assert.deepEqual(decodeSpeedWindows({ windows: [{ start: 0, end: 300000, avgSpeed: 21, count: 8 }, { start: 0, end: 1 }] }),
    [{ start: 0, end: 300000, avgSpeed: 21, count: 8 }]);
  assert.deepEqual(decodeSpeedWindows("no"), []);
});

test("mutated messages never throw", () => {
  const seed = 20240219;
  let state = seed;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const text = JSON.stringify({ type: "update", vehicles: [VEHICLE], zones: [{ zoneId: "a", vehicles: 1 }], alerts: [{ kind: "overspeed", vehicleId: "1", lat: 1, lon: 2 }], stats: { latencyMs: {} } });
  const pieces = ["null", "[", "]", "{", "}", '"', ",", "-1", "1e999", "true", "\u0000"];
  for (let i = 0; i < 5000; i++) {
    const at = Math.floor(random() * text.length);
    const cut = Math.floor(random() * 6);
    const piece = pieces[Math.floor(random() * pieces.length)]!;
    const mutated = text.slice(0, at) + piece + text.slice(at + cut);
    assert.doesNotThrow(() => decodeFeed(mutated), `seed ${seed}, round ${i}: ${mutated}`);
  }
});

test("a standstill is what /health says is one", () => {
  const rows: [unknown, string | null][] = [
    [{ status: "ok", processing: "running" }, null], [{ status: "failing", processing: "starting", why: "w" }, null],
    [{ status: "failing", processing: "stopped", why: "task 0_1 offset=7" }, "task 0_1 offset=7"],
    [{ processing: "stopped" }, ""], [{ processing: "stopped", why: 7 }, ""], [{}, null], [null, null], ["stopped", null], [7, null],
  ];
  for (const [value, why] of rows) assert.equal(decodeStandstill(value), why, JSON.stringify(value));
});
