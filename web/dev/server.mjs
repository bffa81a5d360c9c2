// Serves dist/ and speaks the page's REST and WebSocket contract from the demo recording, for work on
// the page and for its tests where the real server is not wanted.
//
// usage: node dev/server.mjs [--port 8090] [--speed 1] [--warm-up SECONDS] [--demo DIR]
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { WebSocketServer } from "ws";
import { Replay } from "./replay.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const option = (name, other) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? other : process.argv[at + 1];
};
const port = Number(option("port", "8090"));
const demo = path.resolve(option("demo", path.join(here, "..", "..", "apps", "vts", "demo")));
const dist = path.join(here, "..", "dist");
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".woff2": "font/woff2", ".geojson": "application/json" };

const csv = (text) => text.trimEnd().split("\n").slice(1).map((line) => line.split(","));
const replay = new Replay({
  fixes: csv(gunzipSync(await readFile(path.join(demo, "positions.csv.gz"))).toString()),
  vehicles: csv(await readFile(path.join(demo, "vehicles.csv"), "utf8")),
  zones: JSON.parse(await readFile(path.join(demo, "districts.geojson"), "utf8")).features,
  speed: Number(option("speed", "1")),
  warmUpMs: Number(option("warm-up", "120")) * 1000,
});

function rest(url) {
  const [resource, id, part] = url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  const limit = Number(url.searchParams.get("limit") ?? "100");
  switch (resource) {
    case "vehicles":
      if (id === undefined) return { vehicles: [...replay.states.values()] };
      if (!replay.states.has(id)) return null;
      if (part === "trail") return { vehicleId: id, fixes: replay.trailOf(id) };
      return part === "speed" ? { vehicleId: id, windows: replay.windowsOf(id) } : replay.states.get(id);
    case "zones":
      return id === undefined ? { zones: replay.zonesWithShapes() } : { zoneId: id, vehicles: replay.vehiclesIn(id) };
    case "alerts":
      return { alerts: replay.alerts.slice(0, limit) };
    case "dead-letters":
      return { deadLetters: replay.deadLetters.slice(0, limit) };
    case "stats":
      return replay.stats();
    default:
      return null;
  }
}

async function file(response, root, name) {
  const target = path.join(root, path.normalize(name));
  if (!target.startsWith(root)) throw new Error("outside");
  const body = await readFile(target);
  response.writeHead(200, { "content-type": TYPES[path.extname(target)] ?? "application/octet-stream" });
  response.end(body);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  try {
    if (url.pathname.startsWith("/api/v1/")) {
      const answer = rest(url);
      response.writeHead(answer === null ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { error: "not found" }));
    } else if (url.pathname.startsWith("/demo/")) {
      await file(response, demo, url.pathname.slice("/demo/".length));
    } else {
      await file(response, dist, url.pathname === "/" ? "index.html" : url.pathname);
    }
  } catch {
    response.writeHead(404, { "content-type": "text/plain" });
    response.end("not found\n");
  }
});

const sockets = new WebSocketServer({ server, path: "/api/v1/feed" });
sockets.on("connection", (socket) => {
  socket.send(JSON.stringify({ type: "snapshot", ...replay.snapshot() }));
  socket.on("message", (data) => replay.heard(data.toString()));
});
setInterval(() => {
  const update = replay.advance(Date.now());
  if (update === null) return;
  const text = JSON.stringify({ type: "update", ...update });
  for (const socket of sockets.clients) if (socket.readyState === 1) socket.send(text);
}, 100);

server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
