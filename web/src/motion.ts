// How a vehicle glides between fixes.
//
// Fixes arrive every ten seconds or so. A marker travels a smooth curve from where it is shown to the
// new fix and a little beyond (coasting at the reported velocity), arriving about when the next fix is
// due; with no further fix it rolls out and stands. So it never stops dead between fixes, never runs
// far past the truth, and never jumps unless the fix is too far away to have been driven.
import { metresPerUnit, type Point } from "./mercator.ts";

/** Share of the usual time between fixes that a glide takes. */
const GLIDE_SHARE = 0.85;
const GLIDE_MIN_MS = 900;
const GLIDE_MAX_MS = 10_000;
/** How far ahead of the fix a glide ends: time and distance. */
const COAST_MS = 2_500;
const COAST_MAX_M = 35;
/** Share of the velocity left at the end of a glide, and how fast it fades then. */
const END_SPEED = 0.4;
const ROLL_OUT_MS = 3_000;
/** Beyond this a marker is set down, not driven. */
const JUMP_M = 1_500;
const TURN_MS = 500;
const FIRST_INTERVAL_MS = 10_000;

export interface Fix extends Point {
  /** km/h, degrees */
  speed: number | null;
  heading: number | null;
}

export interface Pose extends Point {
  /** degrees, or null when it never had a direction */
  heading: number | null;
}

/** The shortest way from one direction to another, in (-180, 180]. */
export function turnBetween(from: number, to: number): number {
  const turn = (((to - from) % 360) + 360) % 360;
  return turn > 180 ? turn - 360 : turn;
}

function velocity(fix: Fix): Point {
  if (fix.speed === null || fix.heading === null || fix.speed < 3) return { x: 0, y: 0 };
  const unitsPerMs = fix.speed / 3600 / metresPerUnit(fix.y);
  const angle = (fix.heading * Math.PI) / 180;
  return { x: Math.sin(angle) * unitsPerMs, y: -Math.cos(angle) * unitsPerMs };
}

/** A vector shortened to at most `most`. */
function limited(v: Point, most: number): Point {
  const length = Math.hypot(v.x, v.y);
  return length > most && length > 0 ? { x: (v.x * most) / length, y: (v.y * most) / length } : v;
}

/** Times are of one monotonic clock, in ms. */
export class Motion {
  private from: Point;
  private fromVelocity: Point = { x: 0, y: 0 };
  private to: Point;
  private toVelocity: Point = { x: 0, y: 0 };
  private start: number;
  private duration = 1;
  private interval = FIRST_INTERVAL_MS;
  private headingFrom: number | null;
  private headingTo: number | null;

  constructor(fix: Fix, now: number) {
    this.from = this.to = { x: fix.x, y: fix.y };
    this.start = now;
    this.headingFrom = this.headingTo = fix.heading;
  }

  /** Takes a new fix that arrived now. */
  update(fix: Fix, now: number): void {
    const shown = this.at(now);
    const moving = this.velocityAt(now);
    const gap = Math.min(40_000, Math.max(500, now - this.start));
    this.interval += (gap - this.interval) * 0.3;

    const metres = metresPerUnit(fix.y);
    const jump = Math.hypot(fix.x - shown.x, fix.y - shown.y) * metres > JUMP_M;
    const v = velocity(fix);
    const coast = limited({ x: v.x * COAST_MS, y: v.y * COAST_MS }, COAST_MAX_M / metres);
    this.start = now;
    this.duration = Math.min(GLIDE_MAX_MS, Math.max(GLIDE_MIN_MS, this.interval * GLIDE_SHARE));
    this.to = jump ? { x: fix.x, y: fix.y } : { x: fix.x + coast.x, y: fix.y + coast.y };
    this.from = jump ? this.to : { x: shown.x, y: shown.y };
    const chord = Math.hypot(this.to.x - this.from.x, this.to.y - this.from.y);
    this.fromVelocity = limited(moving, chord / this.duration);
    this.toVelocity = limited({ x: v.x * END_SPEED, y: v.y * END_SPEED }, chord / this.duration);
    if (jump) this.duration = 1;

    this.headingFrom = shown.heading ?? fix.heading;
    if (fix.heading !== null) this.headingTo = fix.heading;
  }

  /** Where and how to draw it. */
  at(now: number): Pose {
    const elapsed = Math.max(0, now - this.start);
    const heading = this.headingAt(elapsed);
    if (elapsed >= this.duration) {
      const roll = ROLL_OUT_MS * (1 - Math.exp(-(elapsed - this.duration) / ROLL_OUT_MS));
      return { x: this.to.x + this.toVelocity.x * roll, y: this.to.y + this.toVelocity.y * roll, heading };
    }
    const t = elapsed / this.duration;
    const t2 = t * t;
    const t3 = t2 * t;
    const h10 = (t3 - 2 * t2 + t) * this.duration;
    const h01 = 3 * t2 - 2 * t3;
    const h11 = (t3 - t2) * this.duration;
    return {
      x: this.from.x * (1 - h01) + this.to.x * h01 + this.fromVelocity.x * h10 + this.toVelocity.x * h11,
      y: this.from.y * (1 - h01) + this.to.y * h01 + this.fromVelocity.y * h10 + this.toVelocity.y * h11,
      heading,
    };
  }

  private velocityAt(now: number): Point {
    const step = 16;
    const a = this.at(now - step);
    const b = this.at(now);
    return now - step < this.start ? this.fromVelocity : { x: (b.x - a.x) / step, y: (b.y - a.y) / step };
  }

  private headingAt(elapsed: number): number | null {
    if (this.headingTo === null || this.headingFrom === null) return this.headingTo;
    const t = Math.min(1, elapsed / TURN_MS);
    const eased = t * (2 - t);
    return (this.headingFrom + turnBetween(this.headingFrom, this.headingTo) * eased + 360) % 360;
  }
}
