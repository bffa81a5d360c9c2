// Builds the page into dist/ (default), or the unit tests into build/ (--tests).
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { gzipSync } from "node:zlib";

const root = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts) => path.join(root, ...parts);

async function buildTests() {
  await rm(at("build"), { recursive: true, force: true });
  const tests = (await readdir(at("test"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: tests.map((name) => at("test", name)),
    outdir: at("build"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node18",
    sourcemap: "inline",
    logLevel: "warning",
  });
}

// MapLibre starts its worker from a file of its own; the name ends in .js so that any web server knows its type.
async function copyWorker() {
  const code = await readFile(at("node_modules", "maplibre-gl", "dist", "maplibre-gl-worker.mjs"), "utf8");
  const hash = createHash("sha256").update(code).digest("hex").slice(0, 8).toUpperCase();
  const name = `map-worker-${hash}.js`;
  await writeFile(at("dist", "assets", name), code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
  return name;
}

async function buildPage() {
  await rm(at("dist"), { recursive: true, force: true });
  await mkdir(at("dist", "assets"), { recursive: true });
  const worker = await copyWorker();
  const result = await build({
    entryPoints: { app: at("src", "main.ts"), style: at("src", "style.css") },
    outdir: at("dist", "assets"),
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome100", "firefox100", "safari15.4"],
    loader: { ".woff2": "file" },
    define: { MAP_WORKER_URL: JSON.stringify(`assets/${worker}`) },
    legalComments: "linked",
    metafile: true,
    logLevel: "warning",
  });
  const outputs = Object.keys(result.metafile.outputs).map((name) => path.basename(name));
  const find = (pattern) => outputs.find((name) => pattern.test(name));
  const page = (await readFile(at("index.html"), "utf8"))
    .replace("%STYLE%", `assets/${find(/^style-.*\.css$/)}`)
    .replace("%APP%", `assets/${find(/^app-.*\.js$/)}`);
  await writeFile(at("dist", "index.html"), page);
  await pack(outputs.filter((name) => /\.(js|css)$/.test(name)).concat(worker));
}

// The server sends these to browsers that take gzip: all of them. Fonts are packed already.
async function pack(names) {
  for (const name of names) {
    await writeFile(at("dist", "assets", `${name}.gz`), gzipSync(await readFile(at("dist", "assets", name)), { level: 9 }));
  }
}

await (process.argv.includes("--tests") ? buildTests() : buildPage());
