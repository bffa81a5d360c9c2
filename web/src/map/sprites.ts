// Pre-drawn pictures of vehicles, so that a frame is nothing but copies of small images.
import type { SpeedBand } from "../fleet.ts";
import type { Palette } from "./palette.ts";

const BANDS: SpeedBand[] = ["stale", "stopped", "slow", "normal", "near", "over"];
export const DIRECTIONS = 48;
const MOST_BADGES = 2_000;
export const FONT = '"Inter Variable", system-ui, sans-serif';

function canvasOf(width: number, height: number, ratio: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * ratio);
  canvas.height = Math.ceil(height * ratio);
  const ctx = canvas.getContext("2d")!;
  ctx.scale(ratio, ratio);
  return [canvas, ctx];
}

/** A kite that points up, of about `size` around (0, 0). */
function arrow(ctx: CanvasRenderingContext2D, size: number): void {
  const r = size / 2;
  ctx.beginPath();
  ctx.moveTo(0, -r * 1.15);
  ctx.lineTo(r * 0.8, r * 0.9);
  ctx.quadraticCurveTo(0, r * 0.35, -r * 0.8, r * 0.9);
  ctx.closePath();
}

/** The path in the band's colour; hollow when the fix is old, for nobody knows what is there now. */
function paint(ctx: CanvasRenderingContext2D, palette: Palette, band: SpeedBand): void {
  ctx.stroke();
  if (band !== "stale") return ctx.fill();
  ctx.fillStyle = palette.halo;
  ctx.fill();
  ctx.lineWidth = 1.3;
  ctx.strokeStyle = palette.bands.stale;
  ctx.stroke();
}

export interface Badge {
  image: HTMLCanvasElement;
  width: number;
  height: number;
}

export class Sprites {
  private sheet: HTMLCanvasElement | null = null;
  private cell = 0;
  private size = 0;
  private readonly badges = new Map<string, Badge>();

  constructor(private palette: Palette, private readonly ratio: number) {}

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.forget();
  }

  /** After fonts arrived. */
  forget(): void {
    this.sheet = null;
    this.badges.clear();
  }

  /** Prepares arrows of this size in CSS pixels; cheap when the size is unchanged. */
  prepare(size: number): void {
    if (this.sheet !== null && this.size === size) return;
    this.size = size;
    this.cell = Math.ceil(size * 1.5) + 4;
    const [sheet, ctx] = canvasOf(this.cell * (DIRECTIONS + 1), this.cell * BANDS.length, this.ratio);
    BANDS.forEach((band, row) => {
      ctx.fillStyle = this.palette.bands[band];
      ctx.strokeStyle = this.palette.outline;
      ctx.lineWidth = size < 11 ? 1.2 : 2;
      ctx.lineJoin = "round";
      for (let column = 0; column <= DIRECTIONS; column++) {
        ctx.save();
        ctx.translate((column + 0.5) * this.cell, (row + 0.5) * this.cell);
        if (band === "over") {
          ctx.globalAlpha = 0.22;
          ctx.beginPath();
          ctx.arc(0, 0, this.cell / 2 - 1, 0, 2 * Math.PI);
          ctx.fill();
          ctx.globalAlpha = 1;
        }
        if (column < DIRECTIONS) {
          ctx.rotate((column / DIRECTIONS) * 2 * Math.PI);
          arrow(ctx, size);
        } else {
          ctx.beginPath();
          ctx.arc(0, 0, size * 0.32, 0, 2 * Math.PI);
        }
        paint(ctx, this.palette, band);
        ctx.restore();
      }
    });
    this.sheet = sheet;
  }

  drawArrow(ctx: CanvasRenderingContext2D, x: number, y: number, band: SpeedBand, heading: number | null): void {
    if (this.sheet === null) return;
    const column = heading === null ? DIRECTIONS : Math.round((heading / 360) * DIRECTIONS) % DIRECTIONS;
    const cell = this.cell;
    const source = cell * this.ratio;
    ctx.drawImage(this.sheet, column * source, BANDS.indexOf(band) * source, source, source, x - cell / 2, y - cell / 2, cell, cell);
  }

  /** The line number on a capsule in the band's colour. */
  badge(text: string, band: SpeedBand): Badge {
    const key = `${band}/${text}`;
    const known = this.badges.get(key);
    if (known !== undefined) return known;
    if (this.badges.size >= MOST_BADGES) this.badges.clear();
    const font = `650 11px ${FONT}`;
    const [, measure] = canvasOf(1, 1, 1);
    measure.font = font;
    const inner = Math.max(20, Math.ceil(measure.measureText(text).width) + 10);
    const width = inner + 4;
    const height = 21;
    const [image, ctx] = canvasOf(width, height, this.ratio);
    ctx.beginPath();
    ctx.roundRect(2, 2, inner, height - 4, 6);
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = this.palette.outline;
    ctx.fillStyle = this.palette.bands[band];
    paint(ctx, this.palette, band);
    ctx.font = font;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillStyle = band === "stale" ? this.palette.labelSoft : this.palette.onBand;
    ctx.fillText(text, width / 2, height / 2 + 0.5);
    const made = { image, width, height };
    this.badges.set(key, made);
    return made;
  }
}
