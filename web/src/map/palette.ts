// The map's colours, dark and light. The page's own colours are CSS variables in style.css.
import type { SpeedBand } from "../fleet.ts";

export interface Palette {
  land: string;
  outside: string;
  river: string;
  riverFaded: string;
  casing: string;
  minor: string;
  middle: string;
  major: string;
  border: string;
  tint: string;
  tintMost: number;
  corridor: string;
  stop: string;
  label: string;
  labelSoft: string;
  water: string;
  halo: string;
  countBack: string;
  outline: string;
  onBand: string;
  select: string;
  bands: Record<SpeedBand, string>;
}

export const DARK: Palette = {
  land: "#10161d",
  outside: "#0a0e13",
  river: "#1d3f5e",
  riverFaded: "rgba(29,63,94,0)",
  casing: "#0c1116",
  minor: "#303d4b",
  middle: "#405063",
  major: "#5d7084",
  border: "#54708c",
  tint: "#3f8fe0",
  tintMost: 0.17,
  corridor: "#5fb3ff",
  stop: "#5d6d7e",
  label: "#c3d0dc",
  labelSoft: "#8496a8",
  water: "#7fb0d8",
  halo: "rgba(11,16,21,0.85)",
  countBack: "rgba(95,179,255,0.16)",
  outline: "rgba(6,10,14,0.9)",
  onBand: "#07110f",
  select: "#ffffff",
  bands: {
    stopped: "#8a9bae",
    slow: "#57a8ff",
    normal: "#3ed6a6",
    near: "#f6c052",
    over: "#ff6b57",
    stale: "#8496a8",
  },
};

export const LIGHT: Palette = {
  land: "#f4f6f8",
  outside: "#e7ebef",
  river: "#b9d7ee",
  riverFaded: "rgba(185,215,238,0)",
  casing: "#d5dce3",
  minor: "#ffffff",
  middle: "#ffffff",
  major: "#fff3d6",
  border: "#8aa0b6",
  tint: "#1f7ae0",
  tintMost: 0.17,
  corridor: "#1f7ae0",
  stop: "#8a98a6",
  label: "#2d3b49",
  labelSoft: "#5d6d7d",
  water: "#44799f",
  halo: "rgba(255,255,255,0.9)",
  countBack: "rgba(31,122,224,0.12)",
  outline: "rgba(255,255,255,0.95)",
  onBand: "#ffffff",
  select: "#0e1a26",
  bands: {
    stopped: "#6c7d8f",
    slow: "#1c78dd",
    normal: "#0c8f68",
    near: "#b87400",
    over: "#dc3a24",
    stale: "#75828f",
  },
};
