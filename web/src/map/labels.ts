// Names on the map: districts with their live count, the river, and stops when near enough. Drawn on
// a canvas of its own, again only when the camera or a count changes.
import type { Map as MapLibreMap } from "maplibre-gl";
import { project, type Point } from "../mercator.ts";
import type { Zone } from "../protocol.ts";
import type { Background, Place } from "../streets.ts";
import { Overlay, View } from "./canvas.ts";
import type { Palette } from "./palette.ts";
import { FONT } from "./sprites.ts";

interface ZoneLabel extends Point {
  zoneId: string;
  name: string;
}

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

const DISTRICT_ZOOM_MIN = 8.9;
const DISTRICT_ZOOM_MAX = 14.5;

/** The middle of a zone's largest ring, by area. */
function middleOf(zone: Zone): Point | null {
  let best: Point | null = null;
  let most = 0;
  for (const polygon of zone.polygons) {
    const ring = (polygon[0] ?? []).map(([lon, lat]) => project(lon, lat));
    let area = 0;
    let x = 0;
    let y = 0;
    for (let i = 0; i < ring.length; i++) {
      const a = ring[i]!;
      const b = ring[(i + 1) % ring.length]!;
      const cross = a.x * b.y - b.x * a.y;
      area += cross;
      x += (a.x + b.x) * cross;
      y += (a.y + b.y) * cross;
    }
    if (Math.abs(area) > most) {
      most = Math.abs(area);
      best = { x: x / (3 * area), y: y / (3 * area) };
    }
  }
  return best;
}

export class Labels {
  private readonly overlay: Overlay;
  private zones: ZoneLabel[] = [];
  private places: (Place & Point)[] = [];
  private river: { at: Point; angle: number } | null = null;
  private boxes: Box[] = [];
  private zoneBoxes: (Box & { zoneId: string })[] = [];

  constructor(
    private readonly map: MapLibreMap,
    private palette: Palette,
    private readonly counts: ReadonlyMap<string, number>,
  ) {
    this.overlay = new Overlay(map.getCanvasContainer(), "overlay labels");
    map.on("render", () => this.draw());
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.draw();
  }

  setZones(zones: readonly Zone[]): void {
    this.zones = [];
    for (const zone of zones) {
      const middle = middleOf(zone);
      if (middle) this.zones.push({ ...middle, zoneId: zone.zoneId, name: zone.name });
    }
    this.draw();
  }

  setBackground(background: Background): void {
    this.places = background.places
      .map((place) => ({ ...place, ...project(place.lon, place.lat) }))
      .sort((a, b) => b.posts - a.posts);
    const river = background.river;
    if (river && river.length > 8) {
      const i = Math.floor(river.length * 0.2);
      const a = project(...river[i]!);
      const b = project(...river[i + 1]!);
      this.river = { at: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, angle: Math.atan2(b.y - a.y, b.x - a.x) };
    }
    this.draw();
  }

  /** The zone whose label is at a point of the screen. */
  hit(x: number, y: number): string | null {
    return this.zoneBoxes.find((box) => x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1)?.zoneId ?? null;
  }

  draw(): void {
    if (document.hidden) return;
    const view = View.of(this.map);
    const ctx = this.overlay.begin(view);
    this.boxes = [];
    this.zoneBoxes = [];
    ctx.textBaseline = "middle";
    ctx.lineJoin = "round";
    if (view.zoom >= DISTRICT_ZOOM_MIN && view.zoom < DISTRICT_ZOOM_MAX) this.drawZones(ctx, view);
    if (this.river && view.zoom > 10.4) this.drawRiver(ctx, view, this.river);
    if (view.zoom >= 12.4) this.drawPlaces(ctx, view);
  }

  /** Keeps the box unless it meets one that is there already. */
  private claim(box: Box): boolean {
    if (this.boxes.some((b) => box.x0 < b.x1 && box.x1 > b.x0 && box.y0 < b.y1 && box.y1 > b.y0)) return false;
    this.boxes.push(box);
    return true;
  }

  private text(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, fill: string): void {
    ctx.strokeStyle = this.palette.halo;
    ctx.lineWidth = 3.5;
    ctx.strokeText(text, x, y);
    ctx.fillStyle = fill;
    ctx.fillText(text, x, y);
  }

  private drawZones(ctx: CanvasRenderingContext2D, view: View): void {
    const size = view.zoom < 10.6 ? 10.5 : 12.5;
    ctx.textAlign = "center";
    for (const zone of this.zones) {
      const x = Math.round(view.x(zone));
      const y = Math.round(view.y(zone));
      if (!view.shows(x, y, 60)) continue;
      ctx.font = `600 ${size}px ${FONT}`;
      const half = ctx.measureText(zone.name).width / 2 + 4;
      const box = { x0: x - half, x1: x + half, y0: y - 10, y1: y + 26 };
      if (!this.claim(box)) continue;
      this.zoneBoxes.push({ ...box, zoneId: zone.zoneId });
      this.text(ctx, zone.name, x, y, this.palette.label);
      this.drawCount(ctx, String(this.counts.get(zone.zoneId) ?? 0), x, y + 17);
    }
  }

  private drawCount(ctx: CanvasRenderingContext2D, text: string, x: number, y: number): void {
    ctx.font = `600 11px ${FONT}`;
    const width = ctx.measureText(text).width + 14;
    ctx.beginPath();
    ctx.roundRect(x - width / 2, y - 8.5, width, 17, 8.5);
    ctx.fillStyle = this.palette.halo;
    ctx.fill();
    ctx.fillStyle = this.palette.countBack;
    ctx.fill();
    ctx.fillStyle = this.palette.label;
    ctx.fillText(text, x, y + 0.5);
  }

  private drawRiver(ctx: CanvasRenderingContext2D, view: View, river: { at: Point; angle: number }): void {
    const x = view.x(river.at);
    const y = view.y(river.at);
    if (!view.shows(x, y, 80)) return;
    ctx.save();
    ctx.translate(x, y);
    const angle = Math.abs(river.angle) > Math.PI / 2 ? river.angle + Math.PI : river.angle;
    ctx.rotate(angle);
    ctx.textAlign = "center";
    ctx.font = `italic 500 ${view.zoom < 12 ? 11 : 14}px ${FONT}`;
    ctx.letterSpacing = "3px";
    ctx.fillStyle = this.palette.water;
    ctx.fillText("Wisła", 0, 0);
    ctx.restore();
  }

  private drawPlaces(ctx: CanvasRenderingContext2D, view: View): void {
    const least = view.zoom >= 15 ? 1 : view.zoom >= 14 ? 4 : view.zoom >= 13.2 ? 6 : 8;
    ctx.font = `500 ${view.zoom >= 15 ? 11.5 : 10.5}px ${FONT}`;
    ctx.textAlign = "left";
    for (const place of this.places) {
      if (place.posts < least) break;
      const x = Math.round(view.x(place)) + 7;
      const y = Math.round(view.y(place));
      if (!view.shows(x, y, 0)) continue;
      const width = ctx.measureText(place.name).width;
      if (!this.claim({ x0: x - 14, x1: x + width + 14, y0: y - 16, y1: y + 16 })) continue;
      this.text(ctx, place.name, x, y, this.palette.labelSoft);
    }
  }
}
