// The still part of the map, drawn by MapLibre: land, river, streets, districts. It needs no tile
// server, no glyph server and no sprite; labels and vehicles are drawn on canvases above it.
import * as maplibre from "maplibre-gl";
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Background, Line, StreetClass } from "../streets.ts";
import type { Zone } from "../protocol.ts";
import { ZOOM_MIN } from "../fit.ts";
import { DARK, type Palette } from "./palette.ts";

declare const MAP_WORKER_URL: string;

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
const WORLD: Line = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]];
const LAT_MAX = 85.05;
const RIVER_M = 330;
const METRES_PER_PIXEL_Z0 = 47_950; // at Warsaw's latitude

const collection = (geometries: GeoJSON.Geometry[]): GeoJSON.FeatureCollection => ({
  type: "FeatureCollection",
  features: geometries.map((geometry) => ({ type: "Feature", properties: {}, geometry })),
});

const byZoom = (...stops: [number, number][]): ExpressionSpecification =>
  ["interpolate", ["exponential", 1.6], ["zoom"], ...stops.flat()] as unknown as ExpressionSpecification;

const STREET_WIDTH: Record<StreetClass, [number, number][]> = {
  minor: [[9, 0.5], [12, 1.1], [14, 2.6], [16, 9], [18, 30]],
  middle: [[9, 0.8], [12, 1.7], [14, 3.8], [16, 12], [18, 40]],
  major: [[9, 1.1], [12, 2.4], [14, 5], [16, 15], [18, 50]],
};

function streetLayers(p: Palette): LayerSpecification[] {
  const kinds: StreetClass[] = ["minor", "middle", "major"];
  const rounded = { "line-cap": "round", "line-join": "round" } as const;
  const casings = kinds.map((kind): LayerSpecification => ({
    id: `casing-${kind}`, type: "line", source: `streets-${kind}`, minzoom: 12, layout: rounded,
    paint: { "line-color": p.casing, "line-width": byZoom(...STREET_WIDTH[kind].map(([z, w]): [number, number] => [z, w + (z < 14 ? 1.2 : 2.4)])) },
  }));
  const lines = kinds.map((kind): LayerSpecification => ({
    id: `street-${kind}`, type: "line", source: `streets-${kind}`, layout: rounded,
    paint: { "line-color": p[kind], "line-width": byZoom(...STREET_WIDTH[kind]) },
  }));
  return [...casings, ...lines];
}

const tintAt = (most: number): ExpressionSpecification => ["*", most, ["coalesce", ["feature-state", "share"], 0]];

function layers(p: Palette): LayerSpecification[] {
  const riverWidth = (z: number): number => (RIVER_M * 2 ** z) / METRES_PER_PIXEL_Z0;
  return [
    { id: "land", type: "background", paint: { "background-color": p.land } },
    { id: "outside", type: "fill", source: "outside", paint: { "fill-color": p.outside, "fill-antialias": false } },
    {
      id: "zone-tint", type: "fill", source: "zones",
      paint: {
        "fill-color": p.tint,
        "fill-opacity": ["interpolate", ["linear"], ["zoom"], 11.5, tintAt(p.tintMost), 14.5, tintAt(p.tintMost * 0.3)],
        "fill-opacity-transition": { duration: 0 },
      },
    },
    {
      id: "zone-border", type: "line", source: "zones", layout: { "line-join": "round" },
      paint: { "line-color": p.border, "line-opacity": 0.55, "line-width": byZoom([9, 0.6], [13, 1.2], [16, 2]), "line-dasharray": [4, 3] },
    },
    {
      id: "river", type: "line", source: "river", layout: { "line-join": "round" },
      paint: {
        "line-width": ["interpolate", ["exponential", 2], ["zoom"], 7, riverWidth(7), 18, riverWidth(18)],
        "line-gradient": ["interpolate", ["linear"], ["line-progress"], 0, p.riverFaded, 0.05, p.river, 0.94, p.river, 1, p.riverFaded],
      },
    },
    {
      id: "corridor", type: "line", source: "corridor", layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": p.corridor, "line-opacity": 0.32, "line-width": byZoom([9, 4], [13, 9], [16, 30]) },
    },
    ...streetLayers(p),
    {
      id: "zone-chosen", type: "line", source: "zones", layout: { "line-join": "round" },
      paint: { "line-color": p.corridor, "line-width": ["case", ["boolean", ["feature-state", "chosen"], false], 2.5, 0] },
    },
    {
      id: "stops", type: "circle", source: "stops", minzoom: 14,
      paint: {
        "circle-radius": byZoom([14, 1.6], [17, 4]), "circle-color": p.stop,
        "circle-opacity": ["interpolate", ["linear"], ["zoom"], 14, 0, 14.6, 0.9],
      },
    },
  ];
}

function style(p: Palette): StyleSpecification {
  const source = (extra: object = {}) => ({ type: "geojson" as const, data: EMPTY, ...extra });
  return {
    version: 8,
    sources: {
      outside: source(),
      river: source({ lineMetrics: true }),
      zones: source({ promoteId: "zoneId" }),
      "streets-minor": source({ tolerance: 0.3 }),
      "streets-middle": source({ tolerance: 0.3 }),
      "streets-major": source({ tolerance: 0.3 }),
      corridor: source(),
      stops: source(),
    },
    layers: layers(p),
  };
}

/** Owned by the page's one thread, like everything here. */
export class Basemap {
  readonly map: maplibre.Map;
  private shares = new Map<string, number>();
  private chosenZone: string | null = null;
  private readonly ready: Promise<void>;

  constructor(container: HTMLElement, palette: Palette = DARK) {
    maplibre.setWorkerUrl(new URL(MAP_WORKER_URL, document.baseURI).href);
    maplibre.setWorkerCount(1);
    this.map = new maplibre.Map({
      container,
      style: style(palette),
      center: [21.01, 52.23],
      zoom: 11,
      minZoom: ZOOM_MIN,
      maxZoom: 17.9,
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      attributionControl: false,
      fadeDuration: 0,
      // a fleet on both sides of 180 degrees is one fleet
      renderWorldCopies: true,
      // the edge of the world may stand in the middle of the window, where no panel covers what is there
      transformConstrain: (lngLat, zoom) => {
        const lat = Math.max(-LAT_MAX, Math.min(LAT_MAX, lngLat.lat));
        return { center: new maplibre.LngLat(lngLat.lng, lat), zoom: Math.max(ZOOM_MIN, zoom) };
      },
      // lines are smoothed by their own shader; multisampling would only cost
      canvasContextAttributes: { antialias: false },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.ready = new Promise((resolve) => this.map.once("load", () => resolve()));
  }

  private source(name: string): maplibre.GeoJSONSource {
    return this.map.getSource(name) as maplibre.GeoJSONSource;
  }

  async showBackground(background: Background): Promise<void> {
    await this.ready;
    for (const kind of ["minor", "middle", "major"] as const) {
      this.source(`streets-${kind}`).setData(collection([{ type: "MultiLineString", coordinates: background.streets[kind] }]));
    }
    if (background.river) this.source("river").setData(collection([{ type: "LineString", coordinates: background.river }]));
    if (background.city.length > 0) {
      this.source("outside").setData(collection([{ type: "Polygon", coordinates: [WORLD, ...background.city] }]));
    }
    const points = background.places.map((place) => [place.lon, place.lat]);
    this.source("stops").setData(collection([{ type: "MultiPoint", coordinates: points }]));
  }

  async showZones(zones: readonly Zone[]): Promise<void> {
    await this.ready;
    this.source("zones").setData({
      type: "FeatureCollection",
      features: zones.map((zone) => ({
        type: "Feature",
        properties: { zoneId: zone.zoneId },
        geometry: { type: "MultiPolygon", coordinates: zone.polygons },
      })),
    });
  }

  /** Tints zones by their share of the fullest; small changes are not worth a redraw. */
  tintZones(counts: ReadonlyMap<string, number>): void {
    if (!this.map.isStyleLoaded()) return;
    const most = Math.max(20, ...counts.values());
    for (const [zoneId, vehicles] of counts) {
      const share = Math.round((vehicles / most) * 25) / 25;
      if (this.shares.get(zoneId) === share) continue;
      this.shares.set(zoneId, share);
      this.map.setFeatureState({ source: "zones", id: zoneId }, { share });
    }
  }

  chooseZone(zoneId: string | null): void {
    if (this.chosenZone !== null) this.map.setFeatureState({ source: "zones", id: this.chosenZone }, { chosen: false });
    this.chosenZone = zoneId;
    if (zoneId !== null) this.map.setFeatureState({ source: "zones", id: zoneId }, { chosen: true });
  }

  showCorridor(line: Line | null): void {
    void this.ready.then(() =>
      this.source("corridor").setData(line ? collection([{ type: "LineString", coordinates: line }]) : EMPTY));
  }

  setPalette(palette: Palette): void {
    void this.ready.then(() => {
      for (const layer of layers(palette)) {
        if (layer.type === "background" || !("paint" in layer)) {
          this.map.setPaintProperty(layer.id, "background-color", palette.land);
          continue;
        }
        for (const [name, value] of Object.entries(layer.paint ?? {})) {
          this.map.setPaintProperty(layer.id, name as never, value as never);
        }
      }
    });
  }
}
