// The recording played in a loop, with the rules that make states, alerts and counts of it.
const WINDOW_MS = 300_000;
const LIMIT = 50;
const MOST = 500;

/** Even-odd over all rings. */
function contains(rings, lon, lat) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [xi, yi] = ring[i];
      const [xj, yj] = ring[j];
      if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

function zoneOf(feature) {
  const { type, coordinates } = feature.geometry;
  const polygons = type === "MultiPolygon" ? coordinates : [coordinates];
  const rings = polygons.flat();
  const points = rings.flat();
  const lons = points.map((p) => p[0]);
  const lats = points.map((p) => p[1]);
  return {
    zoneId: feature.properties.zone_id, name: feature.properties.name, kind: feature.properties.kind, polygons, rings,
    west: Math.min(...lons), east: Math.max(...lons), south: Math.min(...lats), north: Math.max(...lats),
  };
}

const percentile = (sorted, p) => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0;

export class Replay {
  states = new Map();
  alerts = [];
  deadLetters = [];

  constructor({ fixes, vehicles, zones, speed, warmUpMs }) {
    this.fixes = fixes;
    this.meta = new Map(vehicles.map(([id, line, brigade]) => [id, { line, brigade }]));
    this.zones = zones.map(zoneOf);
    this.counts = new Map(this.zones.map((zone) => [zone.zoneId, 0]));
    this.speed = speed;
    this.trails = new Map();
    this.windows = new Map();
    this.episodes = new Map();
    this.first = Number(fixes[0][1]);
    this.span = Number(fixes[fixes.length - 1][1]) - this.first + 10_000;
    this.start = Date.now() - warmUpMs / speed;
    this.began = Date.now();
    this.next = 0;
    this.lap = 0;
    this.accepted = 0;
    this.alertCount = 0;
    this.lastStats = 0;
    this.recent = [];
    this.latencies = [];
    this.advance(Date.now());
  }

  /** Applies everything due by now; the changes, or null. */
  advance(now) {
    const changed = new Map();
    const alerts = [];
    const zones = new Set();
    for (;;) {
      const row = this.fixes[this.next];
      const due = this.start + (this.lap * this.span + Number(row[1]) - this.first) / this.speed;
      if (due > now) break;
      this.apply(row, due, now, changed, alerts, zones);
      if (++this.next === this.fixes.length) {
        this.next = 0;
        this.lap++;
      }
    }
    alerts.reverse();
    this.alerts = [...alerts, ...this.alerts].slice(0, MOST);
    this.recent.push({ at: now, n: changed.size });
    while (this.recent[0].at < now - 5000) this.recent.shift();
    const update = {};
    if (changed.size > 0) update.vehicles = [...changed.values()];
    if (zones.size > 0) update.zones = [...zones].map((zoneId) => ({ zoneId, vehicles: this.counts.get(zoneId) }));
    if (alerts.length > 0) update.alerts = alerts;
    if (now - this.lastStats >= 1000) {
      this.lastStats = now;
      update.stats = this.stats();
    }
    return Object.keys(update).length > 0 ? update : null;
  }

  apply([vehicleId, , latText, lonText, speedText, headingText], due, now, changed, alerts, zones) {
    const lat = Number(latText);
    const lon = Number(lonText);
    const speed = speedText === "" ? null : Number(speedText);
    const before = this.states.get(vehicleId);
    const inside = this.zones
      .filter((z) => lon >= z.west && lon <= z.east && lat >= z.south && lat <= z.north && contains(z.rings, lon, lat))
      .map((z) => z.zoneId);
    const state = {
      vehicleId, lat, lon, speed, heading: headingText === "" ? null : Number(headingText), timestamp: Math.round(due), receivedAt: Math.round(due),
      line: this.meta.get(vehicleId)?.line ?? null, brigade: this.meta.get(vehicleId)?.brigade ?? null,
      speedLimit: LIMIT, overspeed: speed !== null && speed > LIMIT, zones: inside,
    };
    this.accepted++;
    this.latencies.push(Math.max(0, now - due));
    if (this.latencies.length > 2000) this.latencies.shift();
    this.moveZones(before, state, alerts, zones);
    this.watchSpeed(state, alerts);
    this.average(state);
    this.states.set(vehicleId, state);
    const trail = this.trails.get(vehicleId) ?? [];
    trail.push({ lat, lon, speed, timestamp: state.timestamp });
    this.trails.set(vehicleId, trail.slice(-120));
    changed.set(vehicleId, state);
  }

  raise(kind, state, alerts, more) {
    this.alertCount++;
    alerts.push({ alertId: `${kind}-${state.vehicleId}-${state.timestamp}-${more.zoneId ?? ""}`, kind, vehicleId: state.vehicleId, timestamp: state.timestamp, lat: state.lat, lon: state.lon, ...more });
  }

  moveZones(before, state, alerts, zones) {
    const old = before?.zones ?? [];
    for (const zone of this.zones) {
      const was = old.includes(zone.zoneId);
      const is = state.zones.includes(zone.zoneId);
      if (was === is) continue;
      this.counts.set(zone.zoneId, this.counts.get(zone.zoneId) + (is ? 1 : -1));
      zones.add(zone.zoneId);
      if (before) this.raise(is ? "zone_enter" : "zone_exit", state, alerts, { zoneId: zone.zoneId, zoneName: zone.name });
    }
  }

  watchSpeed(state, alerts) {
    if (state.speed === null) return;
    const open = this.episodes.get(state.vehicleId);
    if (state.overspeed) {
      if (open) open.peak = Math.max(open.peak, state.speed);
      else this.episodes.set(state.vehicleId, { start: state.timestamp, peak: state.speed });
    } else if (open) {
      this.episodes.delete(state.vehicleId);
      this.raise("overspeed", state, alerts, { limit: LIMIT, peak: open.peak, start: open.start, end: state.timestamp, durationMs: state.timestamp - open.start });
    }
  }

  average(state) {
    if (state.speed === null) return;
    const list = this.windows.get(state.vehicleId) ?? [];
    this.windows.set(state.vehicleId, list);
    const start = Math.floor(state.timestamp / WINDOW_MS) * WINDOW_MS;
    let window = list[list.length - 1];
    if (window?.start !== start) {
      window = { start, sum: 0, count: 0 };
      list.push(window);
      if (list.length > 24) list.shift();
    }
    window.sum += state.speed;
    window.count++;
  }

  windowsOf(vehicleId) {
    return (this.windows.get(vehicleId) ?? []).map((w) => ({ start: w.start, end: w.start + WINDOW_MS, avgSpeed: w.sum / w.count, count: w.count }));
  }

  trailOf(vehicleId) {
    return this.trails.get(vehicleId) ?? [];
  }

  vehiclesIn(zoneId) {
    return [...this.states.values()].filter((state) => state.zones.includes(zoneId)).map((state) => state.vehicleId);
  }

  zoneCounts() {
    return this.zones.map(({ zoneId }) => ({ zoneId, vehicles: this.counts.get(zoneId) }));
  }

  zonesWithShapes() {
    return this.zones.map(({ zoneId, name, kind, polygons }) => ({ zoneId, name, kind, vehicles: this.counts.get(zoneId), polygons }));
  }

  stats() {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    const n = this.recent.reduce((sum, entry) => sum + entry.n, 0);
    return {
      demo: true, attribution: "Vehicle data: City of Warsaw (Miasto Stoleczne Warszawa), api.um.warszawa.pl, February 2024, processed.",
      vehicles: this.states.size, received: this.accepted, accepted: this.accepted, duplicates: 0, late: 0, deadLetters: this.deadLetters.length,
      alerts: this.alertCount, positionsPerSecond: n / 5, latencyMs: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) },
      screenLatencyMs: this.screen ?? null, uptimeMs: Date.now() - this.began, cluster: "muir",
    };
  }

  snapshot() {
    return { vehicles: [...this.states.values()], zones: this.zoneCounts(), alerts: this.alerts.slice(0, 100), stats: this.stats() };
  }

  heard(text) {
    try {
      const message = JSON.parse(text);
      if (message.type === "latency") this.screen = { p50: message.p50, p99: message.p99, n: message.n };
    } catch {
      // not for us
    }
  }
}
