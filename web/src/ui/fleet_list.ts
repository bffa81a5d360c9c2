// The fleet list: search, filter, and as many rows as are visible.
import { speedBand, type Fleet, type SpeedBand } from "../fleet.ts";
import { formatCoarse, formatCount, formatSpeedBeside, NONE } from "../format.ts";
import type { VehicleState } from "../protocol.ts";
import { search } from "../search.ts";
import { byId, chips, el, setCutText, setText } from "./dom.ts";

const ROW_PX = 46;
const SPARE_ROWS = 4;

const FILTERS: { key: string; label: string; keeps(band: SpeedBand): boolean }[] = [
  { key: "all", label: "All", keeps: () => true },
  { key: "moving", label: "Moving", keeps: (band) => band === "slow" || band === "normal" || band === "near" || band === "over" },
  { key: "stopped", label: "Stopped", keeps: (band) => band === "stopped" },
  { key: "over", label: "Speeding", keeps: (band) => band === "over" },
  { key: "stale", label: "No fix", keeps: (band) => band === "stale" },
];

interface Row {
  root: HTMLElement;
  line: HTMLElement;
  id: HTMLElement;
  where: HTMLElement;
  speed: HTMLElement;
}

export interface FleetListEvents {
  select(vehicleId: string): void;
  /** the vehicles left by search and filters, or null when nothing is filtered */
  filtered(ids: ReadonlySet<string> | null): void;
  zoneCleared(): void;
  /** what time it is, epoch ms */
  now(): number;
}

export class FleetList {
  private readonly list = byId("fleet-list");
  private readonly input = byId<HTMLInputElement>("search");
  private readonly note = byId("fleet-note");
  private readonly sizer = el("div", { class: "sizer", role: "presentation" });
  private readonly rows: Row[] = [];
  private shown: VehicleState[] = [];
  private filter = FILTERS[0]!;
  private zone: { id: string; name: string } | null = null;
  private selected: string | null = null;
  private cursor = -1;

  constructor(
    private readonly fleet: Fleet,
    private readonly zoneName: (zoneId: string) => string | null,
    private readonly events: FleetListEvents,
  ) {
    this.list.append(this.sizer);
    this.list.addEventListener("scroll", () => this.paint(), { passive: true });
    new ResizeObserver(() => this.paint()).observe(this.list);
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.list.addEventListener("keydown", (event) => this.keyed(event));
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.shown[0]) this.events.select(this.shown[0].vehicleId);
      if (event.key === "ArrowDown") {
        event.preventDefault();
        this.list.focus();
        this.moveCursor(0);
      }
    });
    chips(byId("fleet-filter"), FILTERS, (key) => {
      this.filter = FILTERS.find((filter) => filter.key === key) ?? FILTERS[0]!;
      this.changed();
    });
  }

  focusSearch(): void {
    this.input.focus();
    this.input.select();
  }

  /** Leaves the search; true if there was something to leave. */
  clear(): boolean {
    if (this.input.value === "" && this.zone === null) return false;
    this.input.value = "";
    this.setZone(null);
    return true;
  }

  setZone(zone: { id: string; name: string } | null): void {
    const had = this.zone !== null;
    this.zone = zone;
    if (had && zone === null) this.events.zoneCleared();
    this.changed();
  }

  get chosenZone(): string | null {
    return this.zone?.id ?? null;
  }

  setSelected(vehicleId: string | null): void {
    this.selected = vehicleId;
    this.cursor = this.shown.findIndex((state) => state.vehicleId === vehicleId);
    this.paint();
  }

  private changed(): void {
    this.list.scrollTop = 0;
    this.cursor = -1;
    this.refresh();
  }

  /** Searches, sorts and paints again; called after changes and about once a second. */
  refresh(): void {
    const now = this.events.now();
    const states: VehicleState[] = [];
    for (const { state } of this.fleet.vehicles.values()) {
      if (this.zone !== null && !state.zones.includes(this.zone.id)) continue;
      if (this.filter.keeps(speedBand(state, now))) states.push(state);
    }
    this.shown = search(states, this.input.value, this.zoneName);
    const narrowed = this.input.value.trim() !== "" || this.zone !== null || this.filter.key !== "all";
    this.events.filtered(narrowed ? new Set(this.shown.map((state) => state.vehicleId)) : null);
    this.paintNote(narrowed);
    this.list.dataset.empty = this.shown.length > 0 ? "" : narrowed ? "No vehicle matches" : "No vehicles yet";
    this.paint();
  }

  private paintNote(narrowed: boolean): void {
    const total = this.fleet.vehicles.size;
    const text = narrowed ? `${formatCount(this.shown.length)} of ${formatCount(total)} vehicles` : total === 0 ? "" : `${formatCount(total)} vehicles by line`;
    if (this.note.dataset.text === text && this.note.dataset.zone === (this.zone?.id ?? "")) return;
    this.note.dataset.text = text;
    this.note.dataset.zone = this.zone?.id ?? "";
    this.note.replaceChildren(text);
    if (this.zone !== null) {
      const clear = el("button", { type: "button", class: "zone-chip", "aria-label": `Show all zones, not only ${this.zone.name}` }, `${this.zone.name} ×`);
      clear.addEventListener("click", () => this.setZone(null));
      this.note.append(clear);
    }
  }

  private makeRow(): Row {
    const row = {
      line: el("span", { class: "line" }),
      id: el("span", { class: "id" }),
      where: el("span", { class: "where" }),
      speed: el("span", { class: "speed" }),
    };
    const root = el("div", { class: "fleet-row", role: "option" },
      row.line, el("span", { class: "who" }, row.id, row.where), row.speed);
    this.sizer.append(root);
    return { root, ...row };
  }

  private paint(): void {
    const height = this.list.clientHeight;
    if (height === 0) return;
    this.sizer.style.height = `${this.shown.length * ROW_PX}px`;
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW_PX) - SPARE_ROWS);
    const count = Math.min(this.shown.length - first, Math.ceil(height / ROW_PX) + 2 * SPARE_ROWS);
    while (this.rows.length < count) this.rows.push(this.makeRow());
    const now = this.events.now();
    this.rows.forEach((row, i) => {
      const state = i < count ? this.shown[first + i] : undefined;
      row.root.hidden = state === undefined;
      if (state !== undefined) this.paintRow(row, state, first + i, now);
    });
  }

  private paintRow(row: Row, state: VehicleState, index: number, now: number): void {
    const current = this.fleet.vehicles.get(state.vehicleId)?.state ?? state;
    const zone = current.zones.map(this.zoneName).find((name) => name !== null);
    row.root.style.transform = `translateY(${index * ROW_PX}px)`;
    row.root.dataset.id = current.vehicleId;
    const band = speedBand(current, now);
    row.root.dataset.band = band;
    row.root.id = `vehicle-${index}`;
    row.root.setAttribute("aria-setsize", String(this.shown.length));
    row.root.setAttribute("aria-posinset", String(index + 1));
    row.root.setAttribute("aria-selected", String(current.vehicleId === this.selected));
    row.root.classList.toggle("cursor", index === this.cursor);
    setCutText(row.line, current.line ?? NONE);
    setCutText(row.id, current.name === null ? current.vehicleId : `${current.vehicleId} · ${current.name}`);
    setCutText(row.where, zone ?? "outside all zones");
    setText(row.speed, band === "stale" ? formatCoarse(now - current.timestamp) : formatSpeedBeside(current.speed, current.speedLimit));
  }

  private clicked(event: Event): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>(".fleet-row");
    if (row?.dataset.id !== undefined) this.events.select(row.dataset.id);
  }

  private keyed(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      this.moveCursor(this.cursor + step);
    } else if (event.key === "Enter" && this.shown[this.cursor] !== undefined) {
      this.events.select(this.shown[this.cursor]!.vehicleId);
    }
  }

  private moveCursor(to: number): void {
    if (this.shown.length === 0) return;
    this.cursor = Math.max(0, Math.min(this.shown.length - 1, to));
    const top = this.cursor * ROW_PX;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    if (top + ROW_PX > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = top + ROW_PX - this.list.clientHeight;
    this.list.setAttribute("aria-activedescendant", `vehicle-${this.cursor}`);
    this.paint();
  }
}
