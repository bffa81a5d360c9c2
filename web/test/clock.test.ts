import assert from "node:assert/strict";
import test from "node:test";
import { ServerClock } from "../src/clock.ts";

test("a machine whose clock is wrong takes the server's time; a message on its way changes nothing", () => {
  const rows: [number, number, number][] = [ // the server said, it was heard at, what is 5,000 of this machine
    [1_000_000, 1_000_300, 5_000],
    [1_000_000, 1_300_000, -295_000],
    [90_000_000, 1_000_000, 89_005_000],
  ];
  for (const [said, heard, want] of rows) {
    const clock = new ServerClock();
    assert.equal(clock.now(5_000), 5_000);
    clock.heard(said, heard);
    assert.equal(clock.now(5_000), want);
  }
});
