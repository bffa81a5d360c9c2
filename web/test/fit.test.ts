import assert from "node:assert/strict";
import test from "node:test";
import { arcOf, fit, ZOOM_MIN } from "../src/fit.ts";
import { View } from "../src/map/canvas.ts";
import { project, type Point } from "../src/mercator.ts";

test("an arc is the shortest that holds all, also across the end of the circle", () => {
  const rows: [number[], [number, number]][] = [
    [[0.5], [0.5, 0.5]],
    [[0.2, 0.4, 0.3], [0.2, 0.4]],
    [[0.95, 0.05], [0.95, 1.05]],
    [[0.9, 0.1, 0.98], [0.9, 1.1]],
  ];
  for (const [xs, want] of rows) arcOf(xs).forEach((end, i) => assert.ok(Math.abs(end - want[i]!) < 1e-9, `${xs}: ${arcOf(xs)}`));
});

test("without points there is no camera, and one point is not looked at through a microscope", () => {
  const none = { top: 0, right: 0, bottom: 0, left: 0 };
  assert.equal(fit([], 800, 600, none), null);
  assert.deepEqual(fit([{ x: 0.5, y: 0.25 }], 800, 600, none), { centre: { x: 0.5, y: 0.25 }, zoom: 15 });
});

test("whatever the fleet and the window, every vehicle is where no panel is", () => {
  const seed = 17;
  let state = seed;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const windows: [number, number, { top: number; right: number; bottom: number; left: number }][] = [
    [1440, 900, { top: 80, right: 334, bottom: 60, left: 366 }],
    [1024, 768, { top: 80, right: 300, bottom: 60, left: 340 }],
    [390, 844, { top: 110, right: 60, bottom: 120, left: 18 }],
  ];
  for (let round = 0; round < 300; round++) {
    const [width, height, padding] = windows[round % windows.length]!;
    const spread = 10 ** (-random() * 5);
    const lon = -180 + random() * 360;
    const lat = -80 + random() * 160;
    const points: Point[] = Array.from({ length: 1 + Math.floor(random() * 30) }, () => {
      const east = lon + (random() - 0.5) * 340 * spread;
      return project(((east + 540) % 360) - 180, Math.max(-85, Math.min(85, lat + (random() - 0.5) * 160 * spread)));
    });
    const camera = fit(points, width, height, padding)!;
    if (camera.zoom === ZOOM_MIN) continue; // the whole world, in a window too small for it
    const view = new View(camera.zoom, camera.centre, width, height);
    for (const point of points) {
      const x = view.x(point);
      const y = view.y(point);
      assert.ok(x >= padding.left - 1e-6 && x <= width - padding.right + 1e-6 && y >= padding.top - 1e-6 && y <= height - padding.bottom + 1e-6,
        `seed ${seed}, round ${round}: ${x}, ${y}`);
    }
  }
});
