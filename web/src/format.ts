// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const NONE = "–";

export const formatCount = (value: number): string => whole.format(value);
export const formatClock = (epochMs: number): string => clock.format(epochMs);
export const formatShortClock = (epochMs: number): string => shortClock.format(epochMs);

export function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : whole.format(perSecond);
}

export function formatSpeed(kmh: number | null): string {
  return kmh === null ? NONE : String(Math.round(kmh));
}

export function formatLatency(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 10_000) return `${whole.format(ms)} ms`;
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

export function formatAge(ms: number): string {
  return ms < 1500 ? "just now" : `${formatDuration(ms)} ago`;
}

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

export function formatHeading(degrees: number | null): string {
  if (degrees === null) return NONE;
  const normal = ((degrees % 360) + 360) % 360;
  return `${POINTS[Math.round(normal / 45) % 8]} ${Math.round(normal) % 360}°`;
}
