import assert from "node:assert/strict";
import test from "node:test";
import { formatAge, formatCount, formatDuration, formatHeading, formatLatency, formatRate, formatSpeed } from "../src/format.ts";

function table<T>(name: string, format: (value: T) => string, rows: [T, string][]): void {
  test(name, () => {
    for (const [value, text] of rows) assert.equal(format(value), text, `${name}(${value})`);
  });
}

table("formatDuration", formatDuration, [[0, "0 s"], [-5, "0 s"], [8_400, "8 s"], [60_000, "1 min"], [139_000, "2 min 19 s"], [3_540_000, "59 min"],
  [3_600_000, "1 h"], [7_500_000, "2 h 5 min"], [345_600_000, "4 d"]]);
table("formatAge", formatAge, [[200, "just now"], [12_000, "12 s ago"]]);
table("formatLatency", formatLatency, [[0.42, "0.4 ms"], [9.99, "10.0 ms"], [128.4, "128 ms"], [1_438, "1,438 ms"], [12_340, "12.3 s"]]);
table("formatHeading", formatHeading, [[null, "–"], [0, "N 0°"], [359.7, "N 0°"], [45, "NE 45°"], [182, "S 182°"], [-90, "W 270°"]]);
table("formatSpeed", formatSpeed, [[null, "–"], [0, "0"], [49.6, "50"]]);
table("formatRate", formatRate, [[0, "0.0"], [8.44, "8.4"], [84.5, "85"], [1_234, "1,234"]]);
table("formatCount", formatCount, [[0, "0"], [168_686, "168,686"]]);
