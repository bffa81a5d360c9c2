// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dateOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const shortClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const NONE = "–";

export const formatCount = (value: number): string => whole.format(value);
/** The time alone for something else that shows the day. */
export const formatShortClock = (epochMs: number): string => shortClock.format(epochMs);

export function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : whole.format(perSecond);
}

/** The day, when it is not today; with its year, when that is not this one. */
export function formatDay(epochMs: number, now: number): string {
  const then = new Date(epochMs);
  const today = new Date(now);
  if (then.toDateString() === today.toDateString()) return "";
  return (then.getFullYear() === today.getFullYear() ? date : dateOfYear).format(then);
}

/** A time as nobody can mistake for one of another day. */
export function formatTime(epochMs: number, now: number): string {
  if (!Number.isFinite(epochMs) || Math.abs(epochMs) > 8.64e15) return NONE;
  const day = formatDay(epochMs, now);
  return day === "" ? clock.format(epochMs) : `${day}, ${clock.format(epochMs)}`;
}

/** A limit as it was set: rounding would move it. */
export const formatLimit = (kmh: number): string => String(kmh);

/** A speed beside its limit: whole km/h, and as many decimals as it takes to look above, at or below it as it is. */
export function formatSpeedBeside(kmh: number | null, limit: number): string {
  if (kmh === null) return NONE;
  for (let decimals = 0; decimals <= 6; decimals++) {
    const text = kmh.toFixed(decimals);
    if (Math.sign(Number(text) - limit) === Math.sign(kmh - limit)) return text;
  }
  return String(kmh);
}

export function formatLatency(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/** A length of time, coarse: 8 s, 3 min, 2 h 5 min, 4 d. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** A length of time in its largest unit alone: 3 min, 5 h, 2 d. */
export function formatCoarse(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h` : `${formatCount(Math.floor(hours / 24))} d`;
}

export function formatAge(ms: number): string {
  return ms < 1500 ? "just now" : `${formatDuration(ms)} ago`;
}

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

export function formatHeading(degrees: number | null): string {
  if (degrees === null) return NONE;
  const normal = ((degrees % 360) + 360) % 360;
  return `${POINTS[Math.round(normal / 45) % 8]} ${Math.round(normal) % 360}°`;
}
