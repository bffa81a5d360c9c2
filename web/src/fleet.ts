// Everything the page knows about vehicles, zones and alerts; changed only by feed messages.
import { project } from "./mercator.ts";
import { Motion } from "./motion.ts";
import type { Alert, FeedMessage, Stats, TrailFix, VehicleState } from "./protocol.ts";

/** Half an hour of fixes every 15 s, as many as the server remembers. */
const TRAIL_FIXES = 120;
const MOST_ALERTS = 300;
/** Without a fix for this long a vehicle is drawn faded. */
export const STALE_MS = 120_000;

export type SpeedBand = "stopped" | "slow" | "normal" | "near" | "over" | "stale";

export interface TrailPoint {
  x: number;
  y: number;
  /** km/h */
  speed: number | null;
  timestamp: number;
}

export interface Vehicle {
  state: VehicleState;
  motion: Motion;
  /** recent fixes, oldest first */
  trail: TrailPoint[];
}

/** By the time of the fix itself: one that was sent late is as old as it is. */
export function speedBand(state: VehicleState, now: number): SpeedBand {
  if (now - state.timestamp > STALE_MS) return "stale";
  if (state.overspeed) return "over";
  const speed = state.speed ?? 0;
  if (speed < 3) return "stopped";
  if (speed < 20) return "slow";
  return speed >= state.speedLimit * 0.9 ? "near" : "normal";
}

export class Fleet {
  readonly vehicles = new Map<string, Vehicle>();
  readonly zoneCounts = new Map<string, number>();
  /** newest first */
  alerts: Alert[] = [];
  stats: Stats | null = null;
  /** grows with every change of the set of vehicles or their lines */
  revision = 0;

  /** `now` is of the clock that drives the frames, `time` what time it is. Returns the alerts that are new. */
  apply(message: FeedMessage, now: number, time: number): Alert[] {
    if (message.type === "snapshot") this.reset(message);
    for (const id of message.removedVehicles) if (this.vehicles.delete(id)) this.revision++;
    for (const state of message.vehicles) this.place(state, now, time);
    for (const zone of message.zones) this.zoneCounts.set(zone.zoneId, zone.vehicles);
    if (message.stats !== null) this.stats = message.stats;
    return this.remember(message);
  }

  private reset(message: FeedMessage): void {
    const present = new Set(message.vehicles.map((state) => state.vehicleId));
    for (const id of this.vehicles.keys()) if (!present.has(id)) this.vehicles.delete(id);
    this.zoneCounts.clear();
    this.revision++;
  }

  /** Only these zones are left. */
  keepZones(zoneIds: ReadonlySet<string>): void {
    for (const id of this.zoneCounts.keys()) if (!zoneIds.has(id)) this.zoneCounts.delete(id);
  }

  private place(state: VehicleState, now: number, time: number): void {
    const known = this.vehicles.get(state.vehicleId);
    const at = project(state.lon, state.lat);
    // An old fix says where the vehicle was: nothing rolls on from there.
    const speed = time - state.timestamp > STALE_MS ? null : state.speed;
    const fix = { ...at, speed, heading: state.heading };
    const trailPoint = { ...at, speed: state.speed, timestamp: state.timestamp };
    if (known === undefined) {
      this.vehicles.set(state.vehicleId, { state, motion: new Motion(fix, now), trail: [trailPoint] });
      this.revision++;
      return;
    }
    if (known.state.line !== state.line) this.revision++;
    const last = known.trail[known.trail.length - 1];
    known.state = state;
    if (last !== undefined && state.timestamp === last.timestamp) return;
    known.motion.update(fix, now);
    known.trail.push(trailPoint);
    if (known.trail.length > TRAIL_FIXES) known.trail.shift();
  }

  /** Puts the fixes that the server remembers before those that the page has seen itself. */
  extendTrail(vehicleId: string, fixes: readonly TrailFix[]): void {
    const vehicle = this.vehicles.get(vehicleId);
    if (vehicle === undefined) return;
    const first = vehicle.trail[0]?.timestamp ?? Infinity;
    const older = fixes.filter((fix) => fix.timestamp < first)
      .map((fix) => ({ ...project(fix.lon, fix.lat), speed: fix.speed, timestamp: fix.timestamp }));
    if (older.length > 0) vehicle.trail = [...older, ...vehicle.trail].slice(-TRAIL_FIXES);
  }

  private remember(message: FeedMessage): Alert[] {
    const known = new Set(this.alerts.map((alert) => alert.alertId));
    const fresh = message.alerts.filter((alert) => !known.has(alert.alertId));
    if (fresh.length === 0) return fresh;
    // What an old trip brings belongs among the old alerts, however late it came.
    this.alerts = [...fresh, ...this.alerts].sort((a, b) => b.timestamp - a.timestamp).slice(0, MOST_ALERTS);
    return fresh;
  }
}
