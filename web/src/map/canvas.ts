// A canvas laid over the map and the camera's arithmetic for drawing on it.
import type { Map as MapLibreMap } from "maplibre-gl";
import { project, type Point } from "../mercator.ts";

const TILE = 512;
const MOST_PIXEL_RATIO = 2;

/** The camera at one moment: unit-square points to CSS pixels. The map is never tilted nor turned. */
export class View {
  readonly scale: number;
  private readonly centreX: number;
  private readonly originX: number;
  private readonly originY: number;

  constructor(readonly zoom: number, centre: Point, readonly width: number, readonly height: number) {
    this.scale = TILE * 2 ** zoom;
    this.centreX = centre.x;
    this.originX = width / 2 - centre.x * this.scale;
    this.originY = height / 2 - centre.y * this.scale;
  }

  static of(map: MapLibreMap): View {
    const { lng, lat } = map.getCenter();
    const box = map.getContainer();
    return new View(map.getZoom(), project(lng, lat), box.clientWidth, box.clientHeight);
  }

  /** Of the copy of the world that is nearest to the middle. */
  x(point: Point): number {
    const x = point.x - Math.round(point.x - this.centreX);
    return this.originX + x * this.scale;
  }

  y(point: Point): number {
    return this.originY + point.y * this.scale;
  }

  shows(x: number, y: number, margin: number): boolean {
    return x > -margin && y > -margin && x < this.width + margin && y < this.height + margin;
  }
}

export class Overlay {
  readonly canvas = document.createElement("canvas");
  readonly ctx: CanvasRenderingContext2D;
  private ratio = 1;

  constructor(parent: HTMLElement, className: string) {
    this.canvas.className = className;
    this.canvas.setAttribute("aria-hidden", "true");
    parent.append(this.canvas);
    this.ctx = this.canvas.getContext("2d")!;
  }

  /** Clears, and fits the canvas to the view; afterwards one unit is one CSS pixel. */
  begin(view: View): CanvasRenderingContext2D {
    this.ratio = Math.min(MOST_PIXEL_RATIO, window.devicePixelRatio || 1);
    const width = Math.round(view.width * this.ratio);
    const height = Math.round(view.height * this.ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.ctx.clearRect(0, 0, view.width, view.height);
    return this.ctx;
  }
}
