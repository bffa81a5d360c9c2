// The moving part of the map: every vehicle, the trail of the selected one, and what is under the pointer.
import type { Map as MapLibreMap } from "maplibre-gl";
import { speedBand, type Fleet, type SpeedBand, type Vehicle } from "../fleet.ts";
import { metresPerUnit } from "../mercator.ts";
import { Overlay, View } from "./canvas.ts";
import type { Palette } from "./palette.ts";
import { Sprites } from "./sprites.ts";

const BADGE_ZOOM = 14;
const FASTEST_FPS = 60;
const SLOWEST_FPS = 10;
/** A marker at this speed (catching up included) should not move visibly between two frames. */
const LIVELY_M_PER_S = 22;
const STEP_PX = 0.35;
/** Share of the time that drawing may take. */
const BUDGET = 0.3;
/** Fixes that just arrived are drawn at once, unless the last frame is younger than this. */
const NEWS_MS = 30;
const HIT_PX = 15;
const ORDER: SpeedBand[] = ["stale", "stopped", "slow", "normal", "near", "over"];

export interface Drawn {
  id: string;
  x: number;
  y: number;
}

function arrowSize(zoom: number): number {
  const size = zoom < 12 ? 8 + (zoom - 10) * 1.6 : 11.2 + (zoom - 12) * 2.2;
  return Math.round(Math.max(7, Math.min(19, size)));
}

export class VehicleLayer {
  selected: string | null = null;
  hovered: string | null = null;
  /** vehicles to show in full; null for all */
  filter: ReadonlySet<string> | null = null;
  /** what the last frame showed, in CSS pixels */
  drawn: Drawn[] = [];
  frames = 0;

  private readonly overlay: Overlay;
  private readonly sprites: Sprites;
  private lastDraw = 0;
  private news = false;
  private cost = 4;
  private calm: boolean;

  constructor(
    private readonly map: MapLibreMap,
    private readonly fleet: Fleet,
    private palette: Palette,
    /** what time it is, epoch ms */
    private readonly time: () => number,
    private readonly onFrame: (now: number) => void,
  ) {
    this.overlay = new Overlay(map.getCanvasContainer(), "overlay");
    this.sprites = new Sprites(palette, Math.min(2, window.devicePixelRatio || 1));
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    map.on("render", () => this.draw(performance.now()));
    const tick = (): void => {
      requestAnimationFrame(tick);
      const now = performance.now();
      const wait = this.news ? Math.min(NEWS_MS, this.cost / BUDGET) : 1000 / this.rate();
      if (now - this.lastDraw >= wait - 2) this.draw(now);
    };
    requestAnimationFrame(tick);
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.sprites.setPalette(palette);
  }

  /** New fixes arrived. */
  arrived(): void {
    this.news = true;
  }

  refreshSprites(): void {
    this.sprites.forget();
  }

  /** As many frames as can be seen at this zoom, and no more than the machine draws with ease. */
  private rate(): number {
    const metresPerPixel = metresPerUnit(0.33) / (512 * 2 ** this.map.getZoom());
    const seen = LIVELY_M_PER_S / metresPerPixel / STEP_PX;
    const lively = this.selected !== null && !this.calm ? 24 : SLOWEST_FPS;
    const able = (1000 * BUDGET) / Math.max(0.5, this.cost);
    return Math.max(5, Math.min(FASTEST_FPS, able, Math.max(lively, seen)));
  }

  private draw(now: number): void {
    if (document.hidden) return;
    const view = View.of(this.map);
    const ctx = this.overlay.begin(view);
    this.lastDraw = now;
    this.news = false;
    this.frames++;
    const clock = this.time();
    const bands: Record<SpeedBand, [Vehicle, number, number, number | null][]> =
      { stale: [], stopped: [], slow: [], normal: [], near: [], over: [] };
    this.drawn = [];
    let chosen: [Vehicle, number, number, number | null] | null = null;
    for (const vehicle of this.fleet.vehicles.values()) {
      const pose = vehicle.motion.at(now);
      const x = view.x(pose);
      const y = view.y(pose);
      if (!view.shows(x, y, 20)) continue;
      const id = vehicle.state.vehicleId;
      this.drawn.push({ id, x, y });
      if (id === this.selected) chosen = [vehicle, x, y, pose.heading];
      else bands[speedBand(vehicle.state, clock)].push([vehicle, x, y, pose.heading]);
    }
    this.sprites.prepare(arrowSize(view.zoom));
    if (chosen) this.drawTrail(ctx, view, chosen[0], chosen[1], chosen[2]);
    for (const band of ORDER) {
      for (const [vehicle, x, y, heading] of bands[band]) this.drawVehicle(ctx, view, vehicle, band, x, y, heading);
    }
    if (chosen) {
      this.drawRing(ctx, chosen[1], chosen[2], now);
      this.drawVehicle(ctx, view, chosen[0], speedBand(chosen[0].state, clock), chosen[1], chosen[2], chosen[3]);
    }
    ctx.globalAlpha = 1;
    this.cost += (Math.min(60, performance.now() - now) - this.cost) * 0.1;
    this.onFrame(now);
  }

  private drawVehicle(ctx: CanvasRenderingContext2D, view: View, vehicle: Vehicle, band: SpeedBand,
                      x: number, y: number, heading: number | null): void {
    const id = vehicle.state.vehicleId;
    const inFocus = this.filter === null || this.filter.has(id) || id === this.selected;
    ctx.globalAlpha = !inFocus ? 0.2 : 1;
    const near = view.zoom >= BADGE_ZOOM || id === this.selected || id === this.hovered;
    if (!near || vehicle.state.line === null || !inFocus) {
      this.sprites.drawArrow(ctx, x, y, band, heading);
      return;
    }
    const badge = this.sprites.badge(vehicle.state.line, band);
    if (heading !== null) {
      const angle = (heading * Math.PI) / 180;
      const dx = Math.sin(angle) * (badge.width / 2 + 3);
      const dy = -Math.cos(angle) * (badge.height / 2 + 3);
      this.sprites.drawArrow(ctx, x + dx, y + dy, band, heading);
    }
    ctx.drawImage(badge.image, x - badge.width / 2, y - badge.height / 2, badge.width, badge.height);
  }

  private drawRing(ctx: CanvasRenderingContext2D, x: number, y: number, now: number): void {
    const phase = this.calm ? 0.3 : (now % 1800) / 1800;
    ctx.lineWidth = 2;
    ctx.strokeStyle = this.palette.select;
    ctx.globalAlpha = 0.55 * (1 - phase);
    ctx.beginPath();
    ctx.arc(x, y, 17 + phase * 16, 0, 2 * Math.PI);
    ctx.stroke();
    ctx.globalAlpha = 0.9;
    ctx.beginPath();
    ctx.arc(x, y, 21, 0, 2 * Math.PI);
    ctx.stroke();
  }

  private drawTrail(ctx: CanvasRenderingContext2D, view: View, vehicle: Vehicle, x: number, y: number): void {
    const points = vehicle.trail;
    ctx.lineCap = "round";
    ctx.lineWidth = 3;
    ctx.strokeStyle = this.palette.select;
    for (let i = 1; i < points.length; i++) {
      ctx.globalAlpha = 0.15 + (0.7 * i) / points.length;
      ctx.beginPath();
      ctx.moveTo(view.x(points[i - 1]!), view.y(points[i - 1]!));
      if (i < points.length - 1) ctx.lineTo(view.x(points[i]!), view.y(points[i]!));
      else ctx.lineTo(x, y);
      ctx.stroke();
    }
    ctx.fillStyle = this.palette.select;
    for (let i = 0; i < points.length; i++) {
      ctx.globalAlpha = 0.25 + (0.7 * i) / points.length;
      ctx.beginPath();
      ctx.arc(view.x(points[i]!), view.y(points[i]!), 2.6, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.globalAlpha = 1;
  }

  /** Smoothed time to draw a frame, ms. */
  get frameCost(): number {
    return this.cost;
  }

  /** The vehicle nearest to a point of the screen, within reach. */
  hit(x: number, y: number): string | null {
    let best: string | null = null;
    let least = HIT_PX;
    for (const drawn of this.drawn) {
      const away = Math.hypot(drawn.x - x, drawn.y - y);
      if (away < least) {
        least = away;
        best = drawn.id;
      }
    }
    return best;
  }
}
