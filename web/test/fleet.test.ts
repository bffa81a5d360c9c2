import assert from "node:assert/strict";
import test from "node:test";
import { Fleet, speedBand, STALE_MS } from "../src/fleet.ts";
import { decodeFeed, decodeTrail, type FeedMessage, type VehicleState } from "../src/protocol.ts";
import { joinMoves, alertText } from "../src/ui/alert_feed.ts";

const bus = (vehicleId: string, timestamp: number, more: object = {}): object =>
  ({ vehicleId, lat: 52.2, lon: 21, timestamp, receivedAt: timestamp, speed: 30, speedLimit: 50, ...more });
const alert = (alertId: string, kind: string, timestamp: number, more: object = {}): object =>
  ({ alertId, kind, vehicleId: "1", timestamp, lat: 52, lon: 21, ...more });
const message = (type: string, members: object): FeedMessage => decodeFeed(JSON.stringify({ type, ...members }))!;

test("an update changes what it names and keeps the rest", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { vehicles: [bus("1", 1000), bus("2", 1000)], zones: [{ zoneId: "a", vehicles: 2 }, { zoneId: "b", vehicles: 0 }] }), 0);
  fleet.apply(message("update", { vehicles: [bus("2", 2000, { speed: 5 })], zones: [{ zoneId: "a", vehicles: 1 }] }), 10);
  assert.equal(fleet.vehicles.size, 2);
  assert.equal(fleet.vehicles.get("2")?.state.speed, 5);
  assert.equal(fleet.vehicles.get("2")?.trail.length, 2);
  assert.deepEqual([...fleet.zoneCounts], [["a", 1], ["b", 0]]);
});

test("a snapshot removes what it does not name and keeps the trail of what it does", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { vehicles: [bus("1", 1000), bus("2", 1000)], zones: [{ zoneId: "old", vehicles: 1 }] }), 0);
  fleet.apply(message("snapshot", { vehicles: [bus("2", 3000)] }), 10);
  assert.deepEqual([...fleet.vehicles.keys()], ["2"]);
  assert.equal(fleet.vehicles.get("2")?.trail.length, 2);
  assert.equal(fleet.zoneCounts.size, 0);
});

test("a repeated fix changes the state but adds no trail", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { vehicles: [bus("1", 1000)] }), 0);
  fleet.apply(message("update", { vehicles: [bus("1", 1000, { zones: ["a"] })] }), 10);
  assert.deepEqual(fleet.vehicles.get("1")?.state.zones, ["a"]);
  assert.equal(fleet.vehicles.get("1")?.trail.length, 1);
});

test("what the server remembers goes before what the page has seen, once", () => {
  const fleet = new Fleet();
  const fix = (timestamp: number): object => ({ lat: 52.1, lon: 21, speed: 20, timestamp });
  fleet.apply(message("snapshot", { vehicles: [bus("1", 3000)] }), 0);
  fleet.apply(message("update", { vehicles: [bus("1", 4000)] }), 10);
  const trail = decodeTrail({ vehicleId: "1", fixes: [fix(1000), fix(2000), { lat: 952, lon: 0, timestamp: 2500 }, fix(3000), fix(4000)] });
  fleet.extendTrail("1", trail);
  fleet.extendTrail("1", trail);
  fleet.extendTrail("unknown", trail);
  assert.deepEqual(fleet.vehicles.get("1")?.trail.map((point) => point.timestamp), [1000, 2000, 3000, 4000]);
});

test("alerts are kept once, newest first", () => {
  const fleet = new Fleet();
  fleet.apply(message("snapshot", { alerts: [alert("b", "overspeed", 2000), alert("a", "overspeed", 1000)] }), 0);
  const fresh = fleet.apply(message("update", { alerts: [alert("b", "overspeed", 2000), alert("c", "overspeed", 3000)] }), 0);
  assert.deepEqual(fresh.map((one) => one.alertId), ["c"]);
  assert.deepEqual(fleet.alerts.map((one) => one.alertId), ["c", "b", "a"]);
});

test("the band of a vehicle follows its speed, its limit and its age", () => {
  const rows: [object, number, string][] = [
    [{ speed: 0 }, 0, "stopped"], [{ speed: null }, 0, "stopped"], [{ speed: 12 }, 0, "slow"], [{ speed: 30 }, 0, "normal"],
    [{ speed: 46 }, 0, "near"], [{ speed: 61, overspeed: true }, 0, "over"], [{ speed: 61, overspeed: true }, STALE_MS + 1, "stale"],
  ];
  for (const [more, age, band] of rows) {
    const state = message("update", { vehicles: [bus("1", 1000, more)] }).vehicles[0] as VehicleState;
    assert.equal(speedBand(state, 1000 + age), band, JSON.stringify(more));
  }
});

test("leaving one zone for the next is one line of the feed", () => {
  const alerts = message("update", { alerts: [
    alert("1", "zone_enter", 5, { zoneId: "b", zoneName: "Wola" }), alert("2", "zone_exit", 5, { zoneId: "a", zoneName: "Ochota" }),
    alert("3", "overspeed", 4, { limit: 50, peak: 71.4, durationMs: 24_000 }), alert("4", "zone_exit", 3, { zoneId: "c" }),
  ] }).alerts;
  assert.deepEqual(joinMoves(alerts).map(alertText), ["Ochota → Wola", "71 km/h, limit 50, 24 s", "left c"]);
});

test("a peak just above the limit is not rounded to it", () => {
  for (const [peak, text] of [[50.4, "50.4 km/h, limit 50"], [50.6, "51 km/h, limit 50"], [71, "71 km/h, limit 50"]] as const) {
    const [one] = message("update", { alerts: [alert("a", "overspeed", 1, { peak, limit: 50 })] }).alerts;
    assert.equal(alertText({ alert: one!, from: null }), text);
  }
});
