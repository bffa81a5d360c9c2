// Puts the page together: feed -> fleet -> map and panels.
import { ServerClock } from "./clock.ts";
import { Feed, type Connection } from "./feed.ts";
import { fit, type Padding } from "./fit.ts";
import { Fleet, speedBand, type SpeedBand } from "./fleet.ts";
import { ScreenLatency } from "./latency.ts";
import { Basemap } from "./map/basemap.ts";
import { Labels } from "./map/labels.ts";
import { DARK, LIGHT, type Palette } from "./map/palette.ts";
import { FONT } from "./map/sprites.ts";
import { VehicleLayer } from "./map/vehicles.ts";
import { View } from "./map/canvas.ts";
import { project, unproject, type Point } from "./mercator.ts";
import { decodeDeadLetters, decodeSpeedWindows, decodeStandstill, decodeTrail, decodeZones, type Alert, type FeedMessage, type Zone } from "./protocol.ts";
import { decodeBackground, type Background } from "./streets.ts";
import { AlertFeed } from "./ui/alert_feed.ts";
import { Card } from "./ui/card.ts";
import { DeadLetterDialog } from "./ui/dead_letters.ts";
import { byId, el, setText } from "./ui/dom.ts";
import { EmptyState } from "./ui/empty_state.ts";
import { FleetList } from "./ui/fleet_list.ts";
import { TopBar } from "./ui/top_bar.ts";

const LATENCY_REPORT_MS = 5_000;
const WINDOWS_REFRESH_MS = 15_000;
const FOLLOW_STEP_PX = 0.75;
const FOLLOW_MS = 32;
const ZONES_RETRY_MS = 5_000;
const BACKGROUND_ATTRIBUTION = "Streets: derived from data of the City of Warsaw (Miasto Stołeczne Warszawa), api.um.warszawa.pl, February 2024, processed.";
const HEALTH_MS = 5_000;
const CLOSE_ZOOM = 14.4;
const WIDE_PX = 820;
/** Between what is shown and what lies over the map. */
const MARGIN_PX = 18;

const LEGEND: [SpeedBand, string][] = [
  ["stopped", "stopped"], ["slow", "under 20"], ["normal", "moving"], ["near", "near limit"], ["over", "speeding"], ["stale", "no recent fix"],
];

async function fetchJson(path: string): Promise<unknown> {
  const response = await fetch(new URL(path, document.baseURI));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const feedUrl = (): string => {
  const url = new URL("api/v1/feed", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
};

class Page {
  private readonly fleet = new Fleet();
  private readonly latency = new ScreenLatency();
  private readonly clock = new ServerClock();
  private readonly light = window.matchMedia("(prefers-color-scheme: light)");
  private readonly base: Basemap;
  private readonly layer: VehicleLayer;
  private readonly labels: Labels;
  private readonly list: FleetList;
  private readonly card: Card;
  private readonly alerts: AlertFeed;
  private readonly top: TopBar;
  private readonly feed: Feed;
  private readonly empty = new EmptyState(new URL(".", document.baseURI).href.replace(/\/$/, ""));
  private zones: Zone[] = [];
  private background: Background | null = null;
  private connection: Connection = { state: "connecting" };
  private following = false;
  /** the view is on nothing yet, on the zones because there are no vehicles, or on the whole fleet */
  private placed: "nowhere" | "zones" | "fleet" = "nowhere";
  /** somebody has chosen what to look at: the view does not follow the fleet any more */
  private steered = false;
  /** the free space that the whole fleet was last fitted into */
  private fittedTo = "";
  /** the map was drawn in full once: before, waiting measures the page's start, not the feed */
  private settled = false;
  private lastFollow = 0;
  private zonesAskedAt = 0;
  private alertsChanged = false;

  constructor() {
    const now = (): number => this.clock.now();
    const zoneOf = (zoneId: string): Zone | undefined => this.zones.find((zone) => zone.zoneId === zoneId);
    this.base = new Basemap(byId("map"), this.palette());
    this.labels = new Labels(this.base.map, this.palette(), this.fleet.zoneCounts);
    this.layer = new VehicleLayer(this.base.map, this.fleet, this.palette(), now, (at) => this.drawn(at));
    this.list = new FleetList(this.fleet, (zoneId) => zoneOf(zoneId)?.name ?? null, {
      select: (id) => this.select(id, true),
      filtered: (ids) => { this.layer.filter = ids; },
      zoneCleared: () => this.base.chooseZone(null),
      now,
    });
    this.card = new Card((zoneId) => zoneOf(zoneId)?.name ?? null, {
      close: () => this.select(null, false),
      follow: (on) => { this.following = on; },
      windows: async (id) => decodeSpeedWindows(await fetchJson(`api/v1/vehicles/${encodeURIComponent(id)}/speed`)),
      now,
    });
    this.alerts = new AlertFeed((id) => this.fleet.vehicles.get(id)?.state.line ?? null, (alert) => this.visit(alert), now);
    const deadLetters = new DeadLetterDialog(async () => decodeDeadLetters(await fetchJson("api/v1/dead-letters?limit=100")), now);
    this.top = new TopBar(() => void deadLetters.open());
    this.feed = new Feed(feedUrl(), {
      message: (message) => this.received(message),
      connection: (connection) => this.connected(connection),
    });
  }

  start(): void {
    this.listen();
    this.paintLegend();
    this.feed.open();
    void this.loadBackground();
    void document.fonts.load(`600 12px ${FONT}`, "Śłż 123").then(() => {
      this.layer.refreshSprites();
      this.labels.draw();
    });
    window.setInterval(() => this.everySecond(), 1000);
    window.setInterval(() => this.reportLatency(), LATENCY_REPORT_MS);
    window.setInterval(() => void this.askForHealth(), HEALTH_MS);
    window.setInterval(() => void (document.hidden || this.card.refreshWindows()), WINDOWS_REFRESH_MS);
    this.expose();
  }

  // --- feed ---

  private received(message: FeedMessage): void {
    const now = Date.now();
    if (message.type === "update" && !document.hidden) {
      for (const state of message.vehicles) this.latency.arrived(state.receivedAt, now);
    }
    if (message.stats !== null && message.stats.now !== null) this.clock.heard(message.stats.now, now);
    const fresh = this.fleet.apply(message, performance.now(), this.clock.now());
    if (message.vehicles.length > 0) this.layer.arrived();
    this.alertsChanged ||= fresh.length > 0;
    if (message.type === "snapshot") this.resynced();
    else if (message.zonesChanged) void this.loadZones();
    const selected = this.layer.selected;
    if (selected !== null && !this.fleet.vehicles.has(selected)) this.select(null, false);
    else if (selected !== null && message.vehicles.some((state) => state.vehicleId === selected)) this.updateCard();
  }

  /** A snapshot came: what is shown must follow at once; zones may be others than before. */
  private resynced(): void {
    void this.loadZones();
    this.everySecond();
  }

  private connected(connection: Connection): void {
    this.connection = connection;
    this.top.setConnection(connection);
  }

  private everySecond(): void {
    this.top.tick();
    if (document.hidden) return;
    if (this.fleet.stats) this.top.setStats(this.fleet.stats, this.fleet.vehicles.size);
    this.top.setScreenLatency(this.latency.summary());
    this.empty.show(this.connection.state === "live" && this.fleet.vehicles.size === 0 && this.fleet.stats?.demo === false);
    setText(byId("attribution"), this.fleet.stats?.attribution || (this.background === null ? "" : BACKGROUND_ATTRIBUTION));
    this.list.refresh();
    this.lookForZones();
    this.base.tintZones(this.fleet.zoneCounts);
    this.labels.draw();
    this.updateCard();
    if (this.alertsChanged) {
      this.alertsChanged = false;
      this.alerts.show(this.fleet.alerts);
    }
    this.alerts.refreshTimes();
  }

  /** A feed that is live says nothing when nothing is processed any more: what is shown would look as if it stood still. */
  private async askForHealth(): Promise<void> {
    if (document.hidden || this.connection.state !== "live") return;
    let standstill: string | null = null;
    try {
      const response = await fetch(new URL("health", document.baseURI));
      if (response.status === 503) standstill = decodeStandstill(await response.json());
    } catch {
      // No answer says nothing about processing; the feed notices when the server is gone.
    }
    this.top.setStandstill(standstill);
  }

  private reportLatency(): void {
    const summary = this.latency.summary();
    if (summary !== null && !document.hidden) this.feed.send({ type: "latency", ...summary, n: this.latency.count });
  }

  // --- map ---

  private async loadBackground(): Promise<void> {
    try {
      this.background = decodeBackground(await fetchJson("demo/streets.json"));
    } catch {
      this.background = null;
    }
    if (this.background === null) return;
    this.labels.setBackground(this.background);
    await this.base.showBackground(this.background);
  }

  /** Zones may come after the page: with the first count that names an unknown one, at the latest. */
  private lookForZones(): void {
    this.keepFleetInView();
    if (this.connection.state !== "live" || Date.now() - this.zonesAskedAt < ZONES_RETRY_MS) return;
    const known = new Set(this.zones.map((zone) => zone.zoneId));
    const missing = [...this.fleet.zoneCounts.keys()].some((zoneId) => !known.has(zoneId));
    if (missing || this.zones.length === 0) void this.loadZones();
  }

  private async loadZones(): Promise<void> {
    this.zonesAskedAt = Date.now();
    try {
      this.zones = decodeZones(await fetchJson("api/v1/zones"));
    } catch {
      return; // the next snapshot tries again
    }
    for (const zone of this.zones) if (!this.fleet.zoneCounts.has(zone.zoneId)) this.fleet.zoneCounts.set(zone.zoneId, zone.vehicles);
    const ids = new Set(this.zones.map((zone) => zone.zoneId));
    this.fleet.keepZones(ids);
    if (this.list.chosenZone !== null && !ids.has(this.list.chosenZone)) this.list.setZone(null);
    this.labels.setZones(this.zones);
    await this.base.showZones(this.zones);
    this.base.tintZones(this.fleet.zoneCounts);
    if (this.placed === "nowhere") this.showEverything(false);
  }

  /** Every vehicle; the zones where there is none; without either the view stays. */
  private showEverything(animate: boolean): void {
    const points: Point[] = [];
    for (const { state } of this.fleet.vehicles.values()) points.push(project(state.lon, state.lat));
    this.placed = points.length > 0 ? "fleet" : "zones";
    if (points.length === 0) {
      for (const zone of this.zones) for (const polygon of zone.polygons) for (const [lon, lat] of polygon[0] ?? []) points.push(project(lon, lat));
    }
    const box = this.base.map.getContainer();
    const covered = this.covered();
    this.fittedTo = this.freeSpace(covered);
    const camera = fit(points, box.clientWidth, box.clientHeight, covered);
    if (camera === null) {
      this.placed = "nowhere";
      return;
    }
    const { lon, lat } = unproject(camera.centre);
    this.base.map.easeTo({ center: [lon, lat], zoom: camera.zoom, duration: animate ? 700 : 0 });
  }

  /** Until somebody steers, vehicles that turn up elsewhere are shown as well. */
  private keepFleetInView(): void {
    if (this.steered || this.fleet.vehicles.size === 0 || this.base.map.isMoving()) return;
    const covered = this.covered();
    if (this.placed !== "fleet") return this.showEverything(false);
    if (this.fittedTo !== this.freeSpace(covered)) return this.showEverything(true); // a window of another size, a longer footer
    const view = View.of(this.base.map);
    for (const { state } of this.fleet.vehicles.values()) {
      const point = project(state.lon, state.lat);
      const x = view.x(point);
      const y = view.y(point);
      const away = Math.max(covered.left - x, covered.top - y, x - (view.width - covered.right), y - (view.height - covered.bottom));
      if (away > MARGIN_PX) return this.showEverything(true);
    }
  }

  private freeSpace({ top, right, bottom, left }: Padding): string {
    return [window.innerWidth, window.innerHeight, top, right, bottom, left].map(Math.round).join();
  }

  /** What panels cover at each edge of the map. */
  private covered(): Padding {
    const box = (id: string): DOMRect => byId(id).getBoundingClientRect();
    const wide = window.innerWidth > WIDE_PX;
    const zoom = box("zoom");
    const card = box("card");
    const low = !wide && card.height > 0 ? card.top : box("foot").top;
    return {
      top: box("top").bottom + MARGIN_PX,
      bottom: window.innerHeight - low + MARGIN_PX,
      left: wide ? zoom.right + MARGIN_PX : MARGIN_PX,
      right: window.innerWidth - (wide ? box("right").left : zoom.width === 0 ? window.innerWidth : zoom.left) + MARGIN_PX,
    };
  }

  private flyTo(lon: number, lat: number): void {
    this.steered = true;
    const wide = window.innerWidth > WIDE_PX;
    this.base.map.flyTo({
      center: [lon, lat],
      zoom: Math.max(CLOSE_ZOOM, this.base.map.getZoom()),
      offset: wide ? [0, 0] : [0, -window.innerHeight * 0.18],
      speed: 2.2,
      maxDuration: 2200,
    });
  }

  private drawn(now: number): void {
    if (this.settled) this.latency.shown(Date.now());
    else this.latency.skip();
    const vehicle = this.following && this.layer.selected !== null ? this.fleet.vehicles.get(this.layer.selected) : undefined;
    if (vehicle === undefined || this.base.map.isMoving() || now - this.lastFollow < FOLLOW_MS) return;
    this.lastFollow = now;
    const { lon, lat } = unproject(vehicle.motion.at(now));
    const at = this.base.map.project([lon, lat]);
    const box = this.base.map.getContainer();
    if (Math.hypot(at.x - box.clientWidth / 2, at.y - box.clientHeight / 2) > FOLLOW_STEP_PX) this.base.map.setCenter([lon, lat]);
  }

  // --- selection ---

  private select(vehicleId: string | null, fly: boolean): void {
    const vehicle = vehicleId === null ? undefined : this.fleet.vehicles.get(vehicleId);
    if (vehicle === undefined) {
      this.layer.selected = null;
      this.card.close();
      this.list.setSelected(null);
      this.base.showCorridor(null);
      return;
    }
    const { state } = vehicle;
    this.steered = true;
    if (this.layer.selected !== state.vehicleId) {
      this.card.setFollowing(false);
      void this.loadTrail(state.vehicleId);
    }
    this.layer.selected = state.vehicleId;
    this.card.open(state.vehicleId);
    this.updateCard();
    this.list.setSelected(state.vehicleId);
    this.base.showCorridor(this.background?.corridors.get(state.line ?? "") ?? null);
    this.showTab("map");
    if (fly) this.flyTo(state.lon, state.lat);
  }

  /** What the server remembers of the way here; without it the trail begins when the page was opened. */
  private async loadTrail(vehicleId: string): Promise<void> {
    try {
      this.fleet.extendTrail(vehicleId, decodeTrail(await fetchJson(`api/v1/vehicles/${encodeURIComponent(vehicleId)}/trail`)));
    } catch {
      return;
    }
    if (this.layer.selected === vehicleId) this.card.drawChart();
  }

  private updateCard(): void {
    const vehicle = this.layer.selected === null ? undefined : this.fleet.vehicles.get(this.layer.selected);
    if (vehicle !== undefined) this.card.update(vehicle);
  }

  private visit(alert: Alert): void {
    this.select(alert.vehicleId, false);
    this.showTab("map");
    this.flyTo(alert.lon, alert.lat);
  }

  private chooseZone(zoneId: string): void {
    const zone = this.zones.find((candidate) => candidate.zoneId === zoneId);
    if (zone === undefined) return;
    this.base.chooseZone(zoneId);
    this.list.setZone({ id: zoneId, name: zone.name });
  }

  // --- page ---

  private listen(): void {
    const map = this.base.map;
    map.on("click", (event) => {
      const vehicle = this.layer.hit(event.point.x, event.point.y);
      const zone = vehicle === null ? this.labels.hit(event.point.x, event.point.y) : null;
      if (vehicle !== null) this.select(vehicle, false);
      else if (zone !== null) this.chooseZone(zone);
    });
    map.on("mousemove", (event) => {
      this.layer.hovered = this.layer.hit(event.point.x, event.point.y);
      const pointing = this.layer.hovered !== null || this.labels.hit(event.point.x, event.point.y) !== null;
      map.getCanvas().style.cursor = pointing ? "pointer" : "";
    });
    map.once("idle", () => { this.settled = true; });
    map.on("dragstart", () => this.card.setFollowing(false));
    map.on("movestart", (event) => { this.steered ||= event.originalEvent !== undefined; });
    const zoomBy = (step: number): void => {
      this.steered = true;
      map.easeTo({ zoom: map.getZoom() + step, duration: 300 });
    };
    byId("zoom-in").addEventListener("click", () => zoomBy(1));
    byId("zoom-out").addEventListener("click", () => zoomBy(-1));
    byId("zoom-fit").addEventListener("click", () => {
      this.card.setFollowing(false);
      this.steered = false;
      this.showEverything(true);
    });
    byId("tabs").addEventListener("click", (event) => {
      const tab = (event.target as HTMLElement).dataset.tab;
      if (tab !== undefined) this.showTab(tab);
    });
    document.addEventListener("keydown", (event) => this.keyed(event));
    document.addEventListener("visibilitychange", () => {
      this.latency.skip();
      if (!document.hidden) this.everySecond();
    });
    this.light.addEventListener("change", () => this.repaint());
  }

  private keyed(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.showTab("fleet");
      this.list.focusSearch();
    } else if (event.key === "Escape" && document.querySelector("dialog[open]") === null) {
      if (this.layer.selected !== null) this.select(null, false);
      else this.list.clear();
      if (typing) (event.target as HTMLElement).blur();
    }
  }

  private showTab(tab: string): void {
    document.body.dataset.tab = tab;
    for (const button of byId("tabs").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
  }

  private palette(): Palette {
    return this.light.matches ? LIGHT : DARK;
  }

  private repaint(): void {
    const palette = this.palette();
    this.base.setPalette(palette);
    this.layer.setPalette(palette);
    this.labels.setPalette(palette);
    this.paintLegend();
  }

  private paintLegend(): void {
    const palette = this.palette();
    byId("legend").replaceChildren(...LEGEND.map(([band, text]) => {
      const dot = el("i");
      if (band === "stale") dot.style.boxShadow = `inset 0 0 0 1.5px ${palette.bands.stale}`;
      else dot.style.background = palette.bands[band];
      return el("li", {}, dot, text);
    }));
  }

  /** For tests and curious people at the console; reading it changes nothing. */
  private expose(): void {
    const page = this;
    Object.defineProperty(window, "muir", {
      value: Object.freeze({
        get vehicles() { return page.fleet.vehicles.size; },
        get alerts() { return page.fleet.alerts.length; },
        get connection() { return page.connection.state; },
        get selected() { return page.layer.selected; },
        get frames() { return page.layer.frames; },
        get frameCost() { return page.layer.frameCost; },
        get trail() { return (page.layer.selected !== null && page.fleet.vehicles.get(page.layer.selected)?.trail.length) || 0; },
        get zoom() { return page.base.map.getZoom(); },
        get latency() { return page.latency.summary(); },
        get mapIdle() { return page.base.map.loaded() && !page.base.map.isMoving(); },
        get zones() { return page.zones.map((zone) => zone.zoneId); },
        /** where a place on the earth is in the window, and what a click there would find */
        at: (lon: number, lat: number) => {
          const { x, y } = page.base.map.project([lon, lat]);
          return { x, y, vehicle: page.layer.hit(x, y), zone: page.labels.hit(x, y) };
        },
        /** the part of the window that no panel covers */
        free: () => {
          const { top, right, bottom, left } = page.covered();
          return { left: left - MARGIN_PX, top: top - MARGIN_PX, right: window.innerWidth - right + MARGIN_PX, bottom: window.innerHeight - bottom + MARGIN_PX };
        },
        ids: () => [...page.fleet.vehicles.keys()],
        onScreen: () => page.layer.drawn.map((drawn) => ({ ...drawn })),
        bands: () => Object.fromEntries([...page.fleet.vehicles.values()].map((v) => [v.state.vehicleId, speedBand(v.state, page.clock.now())])),
      }),
    });
  }
}

try {
  new Page().start();
} catch (error) {
  const fault = byId("fault");
  fault.textContent = `The map cannot start: ${error instanceof Error ? error.message : String(error)}. It needs WebGL 2.`;
  fault.hidden = false;
  throw error;
}
