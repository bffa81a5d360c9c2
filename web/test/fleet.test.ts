import assert from "node:assert/strict";
import test from "node:test";
import { Fleet, speedBand, STALE_MS } from "../src/fleet.ts";
import { project } from "../src/mercator.ts";
import { decodeFeed, decodeTrail, type FeedMessage, type VehicleState } from "../src/protocol.ts";
import { joinMoves, alertText } from "../src/ui/alert_feed.ts";

const bus = (vehicleId: string, timestamp: number, more: object = {}): object =>
  ({ vehicleId, lat: 52.2, lon: 21, timestamp, receivedAt: timestamp, speed: 30, speedLimit: 50, ...more });
const alert = (alertId: string, kind: string, timestamp: number, more: object = {}): object =>
  ({ alertId, kind, vehicleId: "1", timestamp, lat: 52, lon: 21, ...more });
const NOW = 5_000;
const message = (type: string, members: object): FeedMessage => decodeFeed(JSON.stringify({ type, ...members }))!;

test("an update changes what it names and keeps the rest", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { vehicles: [bus("1", 1000), bus("2", 1000)], zones: [{ zoneId: "a", vehicles: 2 }, { zoneId: "b", vehicles: 0 }] }), 0, NOW);
  fleet.apply(message("update", { vehicles: [bus("2", 2000, { speed: 5 })], zones: [{ zoneId: "a", vehicles: 1 }] }), 10, NOW);
  assert.equal(fleet.vehicles.size, 2);
  assert.equal(fleet.vehicles.get("2")?.state.speed, 5);
  assert.equal(fleet.vehicles.get("2")?.trail.length, 2);
  assert.deepEqual([...fleet.zoneCounts], [["a", 1], ["b", 0]]);
});

test("a snapshot removes what it does not name and keeps the trail of what it does", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { vehicles: [bus("1", 1000), bus("2", 1000)], zones: [{ zoneId: "old", vehicles: 1 }] }), 0, NOW);
  fleet.apply(message("snapshot", { vehicles: [bus("2", 3000)] }), 10, NOW);
  assert.deepEqual([...fleet.vehicles.keys()], ["2"]);
  assert.equal(fleet.vehicles.get("2")?.trail.length, 2);
  assert.equal(fleet.zoneCounts.size, 0);
});

test("a repeated fix changes the state but adds no trail", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { vehicles: [bus("1", 1000)] }), 0, NOW);
  fleet.apply(message("update", { vehicles: [bus("1", 1000, { zones: ["a"] })] }), 10, NOW);
  assert.deepEqual(fleet.vehicles.get("1")?.state.zones, ["a"]);
  assert.equal(fleet.vehicles.get("1")?.trail.length, 1);
});

test("what the server remembers goes before what the page has seen, once", () => {
  const fleet = new Fleet();
  const fix = (timestamp: number): object => ({ lat: 52.1, lon: 21, speed: 20, timestamp });
  fleet.apply(message("snapshot", { vehicles: [bus("1", 3000)] }), 0, NOW);
  fleet.apply(message("update", { vehicles: [bus("1", 4000)] }), 10, NOW);
  const trail = decodeTrail({ vehicleId: "1", fixes: [fix(1000), fix(2000), { lat: 952, lon: 0, timestamp: 2500 }, fix(3000), fix(4000)] });
  fleet.extendTrail("1", trail);
  fleet.extendTrail("1", trail);
  fleet.extendTrail("unknown", trail);
  assert.deepEqual(fleet.vehicles.get("1")?.trail.map((point) => point.timestamp), [1000, 2000, 3000, 4000]);
});

test("alerts are kept once, newest first", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { alerts: [alert("b", "overspeed", 2000), alert("a", "overspeed", 1000)] }), 0, NOW);
  const fresh = fleet.apply(message("update", { alerts: [alert("b", "overspeed", 2000), alert("c", "overspeed", 3000)] }), 0, NOW);
  assert.deepEqual(fresh.map((one) => one.alertId), ["c"]);
  assert.deepEqual(fleet.alerts.map((one) => one.alertId), ["c", "b", "a"]);
});

test("an update removes vehicles, and one that came again after that is a new one", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { vehicles: [bus("1", 1000), bus("2", 1000), bus("3", 1000)] }), 0, NOW);
  const before = fleet.revision;
  fleet.apply(message("update", { removedVehicles: ["1", "2", "unknown", 7], vehicles: [bus("2", 900)] }), 10, NOW);
  assert.deepEqual([...fleet.vehicles.keys()].sort(), ["2", "3"]);
  assert.deepEqual(fleet.vehicles.get("2")?.trail.map((point) => point.timestamp), [900]);
  assert.ok(fleet.revision > before);
});

test("counts of zones that are no more are forgotten", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { zones: [{ zoneId: "a", vehicles: 2 }, { zoneId: "b", vehicles: 0 }] }), 0, NOW);
  fleet.keepZones(new Set(["b", "c"]));
  assert.deepEqual([...fleet.zoneCounts.keys()], ["b"]);
});

test("alerts of an old trip that came late are old", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { alerts: [alert("new", "overspeed", 9000)] }), 0, NOW);
  fleet.apply(message("update", { alerts: [alert("old", "overspeed", 1000)] }), 0, NOW);
  assert.deepEqual(fleet.alerts.map((one) => one.alertId), ["new", "old"]);
});

test("an old fix does not roll on", () => {
  for (const [age, moves] of [[0, true], [STALE_MS + 1, false]] as const) {
    const fleet = new Fleet();
    const fixes = [bus("1", 1000), bus("1", 2000, { lat: 52.2005, heading: 0 })];
    for (const [i, fix] of fixes.entries()) fleet.apply(message("update", { vehicles: [fix] }), i * 10_000, 2000 + age);
    const { motion } = fleet.vehicles.get("1")!;
    const [at, later] = [motion.at(30_000), motion.at(33_000)];
    assert.equal(at.y !== project(21, 52.2005).y || later.y !== at.y, moves, `age ${age}`);
  }
});

test("the band of a vehicle follows its speed, its limit and its age", () => {
  const rows: [object, number, string][] = [
    [{ speed: 0 }, 0, "stopped"], [{ speed: null }, 0, "stopped"], [{ speed: 12 }, 0, "slow"], [{ speed: 30 }, 0, "normal"],
    [{ speed: 46 }, 0, "near"], [{ speed: 61, overspeed: true }, 0, "over"], [{ speed: 61, overspeed: true }, STALE_MS + 1, "stale"],
  ];
  for (const [more, age, band] of rows) {
    const state = message("update", { vehicles: [bus("1", 1000, { ...more, receivedAt: 1000 + age })] }).vehicles[0] as VehicleState;
    assert.equal(speedBand(state, 1000 + age), band, `${JSON.stringify(more)}: just received, ${age} ms old`);
  }
});

test("leaving one zone for the next is one line of the feed", () => {
  const alerts = message("update", { alerts: [
    alert("1", "zone_enter", 5, { zoneId: "b", zoneName: "Wola" }), alert("2", "zone_exit", 5, { zoneId: "a", zoneName: "Ochota" }),
    alert("3", "overspeed", 4, { limit: 50, peak: 71.4, durationMs: 24_000 }), alert("4", "zone_exit", 3, { zoneId: "c" }),
  ] }).alerts;
  assert.deepEqual(joinMoves(alerts).map(alertText), ["Ochota → Wola", "71 km/h, limit 50, 24 s", "left c"]);
});

test("a peak above the limit looks like one", () => {
  const rows = [[50.4, 50, "50.4 km/h, limit 50"], [50.04, 50, "50.04 km/h, limit 50"], [50.6, 50, "51 km/h, limit 50"], [71, 50, "71 km/h, limit 50"],
    [50.8, 50.5, "51 km/h, limit 50.5"], [50.6, 50.5, "51 km/h, limit 50.5"]] as const;
  for (const [peak, limit, text] of rows) {
    const [one] = message("update", { alerts: [alert("a", "overspeed", 1, { peak, limit })] }).alerts;
    assert.equal(alertText({ alert: one!, from: null }), text);
  }
});
