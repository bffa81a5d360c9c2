import assert from "node:assert/strict";
import test from "node:test";
import { formatAge, formatCoarse, formatCount, formatDay, formatDuration, formatHeading, formatLatency, formatRate, formatSpeedBeside, formatTime } from "../src/format.ts";

function table<T>(name: string, format: (value: T) => string, rows: [T, string][]): void {
  test(name, () => {
    for (const [value, text] of rows) assert.equal(format(value), text, `${name}(${value})`);
  });
}

table("formatDuration", formatDuration, [[0, "0 s"], [-5, "0 s"], [8_400, "8 s"], [60_000, "1 min"], [139_000, "2 min 19 s"], [3_540_000, "59 min"],
  [3_600_000, "1 h"], [7_500_000, "2 h 5 min"], [345_600_000, "4 d"]]);
table("formatAge", formatAge, [[200, "just now"], [12_000, "12 s ago"]]);
table("formatLatency", formatLatency, [[0.42, "0.4 ms"], [9.99, "10.0 ms"], [128.4, "128 ms"], [999.4, "999 ms"], [999.5, "1.0 s"], [1_438, "1.4 s"], [12_340, "12.3 s"]]);
table("formatHeading", formatHeading, [[null, "–"], [0, "N 0°"], [359.7, "N 0°"], [45, "NE 45°"], [182, "S 182°"], [-90, "W 270°"]]);
table("formatRate", formatRate, [[0, "0.0"], [8.44, "8.4"], [84.5, "85"], [1_234, "1,234"]]);
table("formatCount", formatCount, [[0, "0"], [168_686, "168,686"]]);
table("formatCoarse", formatCoarse, [[-5, "0 s"], [59_999, "59 s"], [150_000, "2 min"], [3_600_000, "1 h"], [86_399_000, "23 h"], [172_800_000, "2 d"]]);

test("a time of another day has its day, of another year its year", () => {
  const now = new Date(2026, 2, 1, 0, 0, 30).getTime();
  const rows: [Date, string][] = [
    [new Date(2026, 2, 1, 0, 0, 5), "00:00:05"],
    [new Date(2026, 1, 28, 23, 59, 59), "28 Feb, 23:59:59"],
    [new Date(2025, 2, 1, 0, 0, 5), "1 Mar 2025, 00:00:05"],
    [new Date(2026, 2, 2, 9, 0, 0), "2 Mar, 09:00:00"],
    [new Date(1970, 0, 21, 12, 0, 0), "21 Jan 1970, 12:00:00"],
  ];
  for (const [time, text] of rows) assert.equal(formatTime(time.getTime(), now), text);
  assert.equal(formatDay(now, now), "");
  assert.equal(formatTime(1e300, now), "–");
});

test("a speed beside its limit is never rounded across it", () => {
  const rows: [number | null, number, string][] = [
    [50, 50, "50"], [50.4, 50, "50.4"], [49.6, 50, "49.6"], [50.04, 50, "50.04"], [61.2, 50, "61"], [12.3, 50, "12"], [50.6, 50.5, "51"], [50.5, 50.5, "50.5"],
    [null, 50, "–"], [0, 50, "0"],
  ];
  for (const [speed, limit, text] of rows) assert.equal(formatSpeedBeside(speed, limit), text);
  const seed = 12;
  let state = seed;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let round = 0; round < 2000; round++) {
    const limit = round % 2 === 0 ? Math.round(random() * 130) : random() * 130;
    const speed = limit + (random() - 0.5) * 10 ** (1 - Math.floor(random() * 6));
    assert.equal(Math.sign(Number(formatSpeedBeside(speed, limit)) - limit), Math.sign(speed - limit), `seed ${seed}, round ${round}: ${speed} beside ${limit}`);
  }
});
