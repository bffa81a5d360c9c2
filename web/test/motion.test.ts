import assert from "node:assert/strict";
import test from "node:test";
import { metresPerUnit, project, unproject } from "../src/mercator.ts";
import { Motion, turnBetween, type Fix } from "../src/motion.ts";

const HOME = project(21.0, 52.2);
const UNIT = 1 / metresPerUnit(HOME.y); // one metre

/** A fix some metres east of home, driving east. */
const east = (metres: number, speed: number | null = 36, heading: number | null = 90): Fix =>
  ({ x: HOME.x + metres * UNIT, y: HOME.y, speed, heading });
const metresEast = (motion: Motion, at: number): number => (motion.at(at).x - HOME.x) / UNIT;

test("projection and its inverse agree", () => {
  for (const [lon, lat] of [[0, 0], [21.0122, 52.2297], [-73.9, 40.7], [179.9, -84]] as const) {
    const back = unproject(project(lon, lat));
    assert.ok(Math.abs(back.lon - lon) < 1e-9 && Math.abs(back.lat - lat) < 1e-9, `${lon}, ${lat}`);
  }
});

test("a turn takes the shorter way round", () => {
  const rows: [number, number, number][] = [[0, 90, 90], [350, 10, 20], [10, 350, -20], [0, 180, 180], [270, 90, 180], [90, 90, 0]];
  for (const [from, to, turn] of rows) assert.equal(turnBetween(from, to), turn, `${from} to ${to}`);
});

test("a first fix stands where it is", () => {
  const motion = new Motion(east(0, 50), 1000);
  assert.equal(metresEast(motion, 1000), 0);
  assert.equal(metresEast(motion, 60_000), 0);
});

test("a vehicle glides from fix to fix without jumping or turning back", () => {
  const motion = new Motion(east(0), 0);
  let last = 0;
  for (let fix = 1; fix <= 6; fix++) {
    const arrival = fix * 10_000;
    motion.update(east(fix * 100), arrival);
    for (let t = arrival; t < arrival + 10_000; t += 50) {
      const here = metresEast(motion, t);
      assert.ok(here - last > -0.5, `moved back ${last - here} m at ${t}`);
      assert.ok(here - last < 2, `jumped ${here - last} m at ${t}`);
      last = here;
    }
  }
});

test("a glide reaches its fix before the next one is due", () => {
  const motion = new Motion(east(0), 0);
  motion.update(east(100), 10_000);
  const late = metresEast(motion, 19_000);
  assert.ok(late >= 100 && late < 140, `${late}`);
});

test("without further fixes a vehicle rolls out and stands near its last fix", () => {
  const motion = new Motion(east(0), 0);
  motion.update(east(100, 90), 10_000);
  const afterMinute = metresEast(motion, 70_000);
  assert.ok(Math.abs(metresEast(motion, 600_000) - afterMinute) < 0.01);
  assert.ok(afterMinute >= 100 && afterMinute < 100 + 35 + 40, `${afterMinute}`);
});

test("a stopped vehicle ends exactly on its fix", () => {
  const motion = new Motion(east(0), 0);
  motion.update(east(100, 0), 10_000);
  assert.ok(Math.abs(metresEast(motion, 30_000) - 100) < 1e-6);
});

test("a fix too far to have been driven is set down at once", () => {
  const motion = new Motion(east(0), 0);
  motion.update(east(5_000, null), 10_000);
  assert.ok(Math.abs(metresEast(motion, 10_002) - 5_000) < 1e-6);
});

test("a heading turns smoothly through north, and a missing one keeps the old", () => {
  const motion = new Motion(east(0, 30, 350), 0);
  motion.update(east(10, 30, 10), 10_000);
  assert.equal(motion.at(10_000).heading, 350);
  const middle = motion.at(10_150).heading!;
  assert.ok(middle > 350 || middle < 10, `${middle}`);
  assert.equal(motion.at(11_000).heading, 10);
  motion.update(east(20, null, null), 20_000);
  assert.equal(motion.at(21_000).heading, 10);
});
