// What the server says, checked before anything else sees it. Bytes from outside never throw further
// than this file: a malformed message or member is dropped, the rest is used.

export interface VehicleState {
  vehicleId: string;
  lat: number;
  lon: number;
  /** km/h */
  speed: number | null;
  /** degrees clockwise from north */
  heading: number | null;
  /** of the fix, epoch ms */
  timestamp: number;
  /** when the server accepted the fix, epoch ms */
  receivedAt: number;
  line: string | null;
  brigade: string | null;
  name: string | null;
  /** km/h */
  speedLimit: number;
  overspeed: boolean;
  zones: string[];
}

export type AlertKind = "zone_enter" | "zone_exit" | "overspeed";

export interface Alert {
  alertId: string;
  kind: AlertKind;
  vehicleId: string;
  timestamp: number;
  lat: number;
  lon: number;
  zoneId: string | null;
  zoneName: string | null;
  limit: number | null;
  peak: number | null;
  durationMs: number | null;
}

export interface ZoneCount {
  zoneId: string;
  vehicles: number;
}

export interface Zone extends ZoneCount {
  name: string;
  kind: string;
  /** polygons, each a list of rings of [lon, lat] */
  polygons: [number, number][][][];
}

export interface Percentiles {
  p50: number;
  p99: number;
}

export interface Stats {
  demo: boolean;
  attribution: string;
  vehicles: number;
  received: number;
  accepted: number;
  duplicates: number;
  late: number;
  deadLetters: number;
  alerts: number;
  positionsPerSecond: number;
  latencyMs: Percentiles | null;
  /** what time it was on the server, epoch ms */
  now: number | null;
  uptimeMs: number;
  cluster: string;
}

export interface DeadLetter {
  vehicleId: string | null;
  rule: string;
  message: string;
  topic: string;
  partition: number;
  offset: number;
  /** of the fix, epoch ms; null when it could not be read */
  timestamp: number | null;
  receivedAt: number | null;
  payload: string;
}

export interface SpeedWindow {
  start: number;
  end: number;
  avgSpeed: number;
  count: number;
}

export interface TrailFix {
  lat: number;
  lon: number;
  /** km/h */
  speed: number | null;
  /** epoch ms */
  timestamp: number;
}

export interface FeedMessage {
  type: "snapshot" | "update";
  vehicles: VehicleState[];
  zones: ZoneCount[];
  alerts: Alert[];
  /** vehicles that are no more; those of `vehicles` came after */
  removedVehicles: string[];
  /** zones were added, changed or removed: their shapes are to be asked for again */
  zonesChanged: boolean;
  stats: Stats | null;
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const numberOr = <T>(value: unknown, other: T): number | T => (isNumber(value) ? value : other);
const stringOr = <T>(value: unknown, other: T): string | T => (typeof value === "string" ? value : other);

function listOf<T>(value: unknown, decode: (item: unknown) => T | null): T[] {
  if (!Array.isArray(value)) return [];
  const out: T[] = [];
  for (const item of value) {
    const decoded = decode(item);
    if (decoded !== null) out.push(decoded);
  }
  return out;
}

const isPosition = (lat: unknown, lon: unknown): boolean =>
  isNumber(lat) && isNumber(lon) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;

export function decodeVehicle(value: unknown): VehicleState | null {
  if (!isObject(value) || typeof value.vehicleId !== "string" || !isPosition(value.lat, value.lon)) return null;
  return {
    vehicleId: value.vehicleId,
    lat: value.lat as number,
    lon: value.lon as number,
    speed: numberOr(value.speed, null),
    heading: numberOr(value.heading, null),
    timestamp: numberOr(value.timestamp, 0),
    receivedAt: numberOr(value.receivedAt, 0),
    line: stringOr(value.line, null),
    brigade: stringOr(value.brigade, null),
    name: stringOr(value.name, null),
    speedLimit: numberOr(value.speedLimit, 50),
    overspeed: value.overspeed === true,
    zones: listOf(value.zones, (zone) => stringOr(zone, null)),
  };
}

export function decodeAlert(value: unknown): Alert | null {
  if (!isObject(value) || typeof value.vehicleId !== "string" || !isPosition(value.lat, value.lon)) return null;
  const kind = value.kind;
  if (kind !== "zone_enter" && kind !== "zone_exit" && kind !== "overspeed") return null;
  const timestamp = numberOr(value.timestamp, 0);
  return {
    alertId: stringOr(value.alertId, `${kind}/${value.vehicleId}/${timestamp}`),
    kind,
    vehicleId: value.vehicleId,
    timestamp,
    lat: value.lat as number,
    lon: value.lon as number,
    zoneId: stringOr(value.zoneId, null),
    zoneName: stringOr(value.zoneName, null),
    limit: numberOr(value.limit, null),
    peak: numberOr(value.peak, null),
    durationMs: numberOr(value.durationMs, null),
  };
}

export function decodeZoneCount(value: unknown): ZoneCount | null {
  if (!isObject(value) || typeof value.zoneId !== "string" || !isNumber(value.vehicles)) return null;
  return { zoneId: value.zoneId, vehicles: value.vehicles };
}

const decodePoint = (value: unknown): [number, number] | null =>
  Array.isArray(value) && isPosition(value[1], value[0]) ? [value[0] as number, value[1] as number] : null;

export function decodeZone(value: unknown): Zone | null {
  const count = decodeZoneCount(value);
  if (count === null) return null;
  const zone = value as Json;
  const polygons = listOf(zone.polygons, (polygon) => {
    const rings = listOf(polygon, (ring) => {
      const points = listOf(ring, decodePoint);
      return points.length > 2 ? points : null;
    });
    return rings.length > 0 ? rings : null;
  });
  return { ...count, name: stringOr(zone.name, count.zoneId), kind: stringOr(zone.kind, ""), polygons };
}

export function decodePercentiles(value: unknown): Percentiles | null {
  if (!isObject(value) || !isNumber(value.p50) || !isNumber(value.p99)) return null;
  return { p50: value.p50, p99: value.p99 };
}

export function decodeStats(value: unknown): Stats | null {
  if (!isObject(value)) return null;
  return {
    demo: value.demo === true,
    attribution: stringOr(value.attribution, ""),
    vehicles: numberOr(value.vehicles, 0),
    received: numberOr(value.received, 0),
    accepted: numberOr(value.accepted, 0),
    duplicates: numberOr(value.duplicates, 0),
    late: numberOr(value.late, 0),
    deadLetters: numberOr(value.deadLetters, 0),
    alerts: numberOr(value.alerts, 0),
    positionsPerSecond: numberOr(value.positionsPerSecond, 0),
    latencyMs: decodePercentiles(value.latencyMs),
    now: numberOr(value.now, null),
    uptimeMs: numberOr(value.uptimeMs, 0),
    cluster: stringOr(value.cluster, ""),
  };
}

function decodeDeadLetter(value: unknown): DeadLetter | null {
  if (!isObject(value) || typeof value.rule !== "string") return null;
  return {
    vehicleId: stringOr(value.vehicleId, null),
    rule: value.rule,
    message: stringOr(value.message, ""),
    topic: stringOr(value.topic, ""),
    partition: numberOr(value.partition, 0),
    offset: numberOr(value.offset, 0),
    timestamp: numberOr(value.timestamp, null),
    receivedAt: numberOr(value.receivedAt, null),
    payload: stringOr(value.payload, ""),
  };
}

function decodeSpeedWindow(value: unknown): SpeedWindow | null {
  if (!isObject(value) || !isNumber(value.start) || !isNumber(value.end) || !isNumber(value.avgSpeed)) return null;
  return { start: value.start, end: value.end, avgSpeed: value.avgSpeed, count: numberOr(value.count, 0) };
}

function decodeTrailFix(value: unknown): TrailFix | null {
  if (!isObject(value) || !isPosition(value.lat, value.lon) || !isNumber(value.timestamp)) return null;
  return { lat: value.lat as number, lon: value.lon as number, speed: numberOr(value.speed, null), timestamp: value.timestamp };
}

/** Members of REST answers. */
export const decodeZones = (value: unknown): Zone[] => (isObject(value) ? listOf(value.zones, decodeZone) : []);
export const decodeDeadLetters = (value: unknown): DeadLetter[] =>
  isObject(value) ? listOf(value.deadLetters, decodeDeadLetter) : [];
export const decodeSpeedWindows = (value: unknown): SpeedWindow[] =>
  isObject(value) ? listOf(value.windows, decodeSpeedWindow) : [];
export const decodeTrail = (value: unknown): TrailFix[] => (isObject(value) ? listOf(value.fixes, decodeTrailFix) : []);

/** One text frame of the feed; null when it is none. */
export function decodeFeed(text: string): FeedMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || (value.type !== "snapshot" && value.type !== "update")) return null;
  return {
    type: value.type,
    vehicles: listOf(value.vehicles, decodeVehicle),
    zones: listOf(value.zones, decodeZoneCount),
    alerts: listOf(value.alerts, decodeAlert),
    removedVehicles: listOf(value.removedVehicles, (id) => stringOr(id, null)),
    zonesChanged: value.zonesChanged === true,
    stats: decodeStats(value.stats),
  };
}

/** Why positions are not processed, as `/health` says; null when they are, or it says something else. */
export function decodeStandstill(value: unknown): string | null {
  const health = value as { processing?: unknown; why?: unknown } | null;
  if (typeof health !== "object" || health?.processing !== "stopped") return null;
  return typeof health.why === "string" ? health.why : "";
}
