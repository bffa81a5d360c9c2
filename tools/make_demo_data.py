#!/usr/bin/env python3
"""Makes apps/vts/demo/ from a folder with the recorded Warsaw buses.

usage: make_demo_data.py SOURCE_DIR [OUTPUT_DIR]

SOURCE_DIR holds warsaw_bus_20240219.csv.gz, warsaw_vehicles.csv, warsaw_districts.geojson,
warsaw_line_corridors.geojson and warsaw_stops.csv; apps/vts/demo/README.md says where they come from.
The result is deterministic: the same input gives the same bytes.

The street lines are inferred from the buses' own fixes: chords between consecutive fixes (with corners
rebuilt from the directions before and after) are counted on a grid, ridges of that density are
thinned to one cell, traced to lines, moved to the density's centre, smoothed and simplified.
"""

import array
import csv
import gzip
import io
import json
import math
import os
import sys
import unicodedata

WINDOW_START_MS = 1708354800000  # 2024-02-19 15:00:00 UTC, 16:00 local
WINDOW_MS = 30 * 60 * 1000

WEST, SOUTH, EAST, NORTH = 20.75, 52.03, 21.36, 52.42
CELL_M = 7.0
SCALE = 100000  # integer units per degree in streets.json
LAT0, LON0 = SOUTH, WEST
M_PER_LAT = 111260.0
M_PER_LON = 111320.0 * math.cos(math.radians((SOUTH + NORTH) / 2))
GRID_W = int((EAST - WEST) * M_PER_LON / CELL_M) + 3
GRID_H = int((NORTH - SOUTH) * M_PER_LAT / CELL_M) + 3
NEIGHBOURS = (1, GRID_W + 1, GRID_W, GRID_W - 1, -1, -GRID_W - 1, -GRID_W, -GRID_W + 1)


def say(text):
    print(text, flush=True)


# --- the recording ---------------------------------------------------------------------------------

def read_fixes(path):
    """(rows of the window as CSV lines, {vehicle: [(ts, x, y)]} of everything, in metres)."""
    window = []
    tracks = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as source:
        header = source.readline()
        for line in source:
            vehicle, ts, lat, lon, _ = line.split(",", 4)
            ts = int(ts)
            if WINDOW_START_MS <= ts < WINDOW_START_MS + WINDOW_MS:
                window.append(line)
            lat, lon = float(lat), float(lon)
            if SOUTH < lat < NORTH and WEST < lon < EAST:
                point = (ts, (lon - LON0) * M_PER_LON, (lat - LAT0) * M_PER_LAT)
                tracks.setdefault(vehicle, []).append(point)
    for track in tracks.values():
        track.sort()
    return header, window, tracks


def write_gzip(path, text):
    raw = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as out:
        out.write(text.encode("utf-8"))
    with open(path, "wb") as out:
        out.write(raw.getvalue())


# --- density of travel -----------------------------------------------------------------------------

def corner_between(before, start, end, after):
    """The point where the way in and the way out meet, when start->end cuts a street corner."""
    ux, uy = start[0] - before[0], start[1] - before[1]
    wx, wy = after[0] - end[0], after[1] - end[1]
    un, wn = math.hypot(ux, uy), math.hypot(wx, wy)
    if un < 12 or wn < 12:
        return None
    ux, uy, wx, wy = ux / un, uy / un, wx / wn, wy / wn
    cross = ux * wy - uy * wx
    if abs(cross) < 0.45:
        return None
    dx, dy = end[0] - start[0], end[1] - start[1]
    forward = (dx * wy - dy * wx) / cross
    back = (dy * ux - dx * uy) / -cross
    direct = math.hypot(dx, dy)
    if forward < 0 or back < 0 or forward + back > 1.5 * direct:
        return None
    return start[0] + ux * forward, start[1] + uy * forward


def thin_out(track):
    """Drops fixes nearer than 6 m to the last kept one, so that directions mean something."""
    kept = []
    for ts, x, y in track:
        if kept and math.hypot(x - kept[-1][1], y - kept[-1][2]) < 6:
            if ts - kept[-1][0] < 90000:
                kept[-1] = (ts, kept[-1][1], kept[-1][2])
            continue
        kept.append((ts, x, y))
    return kept


def chords(track):
    """(points, weight) of each believable move."""
    fixes = thin_out(track)
    for i in range(1, len(fixes)):
        (t0, x0, y0), (t1, x1, y1) = fixes[i - 1], fixes[i]
        distance = math.hypot(x1 - x0, y1 - y0)
        seconds = (t1 - t0) / 1000
        if seconds > 60 or distance > 700 or distance / max(seconds, 1) > 30:
            continue
        weight = 1.0 if distance < 160 else 0.6 if distance < 320 else 0.3
        points = [(x0, y0), (x1, y1)]
        if 1 < i < len(fixes) - 1:
            corner = corner_between(fixes[i - 2][1:], (x0, y0), (x1, y1), fixes[i + 1][1:])
            if corner:
                points.insert(1, corner)
                weight *= 0.7
        yield points, weight


def travel_density(tracks):
    density = array.array("f", bytes(4 * GRID_W * GRID_H))
    for track in tracks.values():
        for points, weight in chords(track):
            cells = set()
            for (x0, y0), (x1, y1) in zip(points, points[1:]):
                steps = max(1, int(math.hypot(x1 - x0, y1 - y0) / (CELL_M * 0.5)))
                for s in range(steps + 1):
                    x, y = x0 + (x1 - x0) * s / steps, y0 + (y1 - y0) * s / steps
                    cells.add(int(y / CELL_M) * GRID_W + int(x / CELL_M))
            for cell in cells:
                density[cell] += weight
    return density


def blurred(density):
    out = array.array("f", bytes(4 * len(density)))
    kernel = ((0, 4),) + tuple((n, 2) for n in (1, -1, GRID_W, -GRID_W)) + \
        tuple((n, 1) for n in (GRID_W + 1, GRID_W - 1, -GRID_W + 1, -GRID_W - 1))
    for cell, value in enumerate(density):
        if value and GRID_W < cell < len(density) - GRID_W - 1:
            value /= 16
            for step, factor in kernel:
                out[cell + step] += value * factor
    return out


# --- from density to one-cell lines ----------------------------------------------------------------

def street_cells(density, least=0.7, share=0.14, reach=3):
    """Cells travelled often enough, alone and compared with the busiest cell near them."""
    offsets = [dy * GRID_W + dx for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
    border = (reach + 1) * GRID_W
    cells = set()
    for cell, value in enumerate(density):
        if value >= least and border < cell < len(density) - border:
            if value >= share * max([density[cell + o] for o in offsets]):
                cells.add(cell)
    return cells


def components(cells, steps):
    left = set(cells)
    while left:
        todo = [left.pop()]
        group = list(todo)
        while todo:
            cell = todo.pop()
            for step in steps:
                other = cell + step
                if other in left:
                    left.remove(other)
                    todo.append(other)
                    group.append(other)
        yield group


def without_specks(cells, least):
    kept = set()
    for group in components(cells, NEIGHBOURS):
        if len(group) >= least:
            kept.update(group)
    return kept


def with_holes_filled(cells, most):
    """Fills gaps of up to `most` cells: the strip between two directions of one street."""
    four = (1, -1, GRID_W, -GRID_W)
    seen = set()
    filled = set(cells)
    for cell in cells:
        for step in four:
            start = cell + step
            if start in cells or start in seen:
                continue
            todo, group = [start], {start}
            while todo and len(group) <= most:
                here = todo.pop()
                for s in four:
                    other = here + s
                    if other not in cells and other not in group:
                        group.add(other)
                        todo.append(other)
            if len(group) <= most:
                filled |= group
            else:
                seen |= group
    return filled


def thinned(cells):
    """Zhang-Suen thinning."""
    cells = set(cells)
    ring = (GRID_W, GRID_W + 1, 1, -GRID_W + 1, -GRID_W, -GRID_W - 1, -1, GRID_W - 1)
    active = cells
    while True:
        changed = set()
        for phase in (0, 1):
            drop = []
            for cell in active:
                if cell not in cells:
                    continue
                p = [cell + r in cells for r in ring]
                count = sum(p)
                if not 2 <= count <= 6:
                    continue
                if sum(1 for i in range(8) if not p[i - 1] and p[i]) != 1:
                    continue
                north, east, south, west = p[0], p[2], p[4], p[6]
                if phase == 0 and (north and east and south or east and south and west):
                    continue
                if phase == 1 and (north and east and west or north and south and west):
                    continue
                drop.append(cell)
            cells.difference_update(drop)
            for cell in drop:
                changed.update(cell + r for r in ring)
        if not changed:
            return cells
        active = changed & cells


# --- from cells to lines ---------------------------------------------------------------------------

def links(cells):
    """Neighbours of each cell; a diagonal step is dropped where two straight ones do the same."""
    graph = {}
    for cell in cells:
        near = []
        for step in (1, -1, GRID_W, -GRID_W):
            if cell + step in cells:
                near.append(cell + step)
        for dx, dy in ((1, GRID_W), (1, -GRID_W), (-1, GRID_W), (-1, -GRID_W)):
            if cell + dx + dy in cells and cell + dx not in cells and cell + dy not in cells:
                near.append(cell + dx + dy)
        graph[cell] = near
    return graph


def trace(cells):
    """Paths of cells between junctions and ends; closed loops start anywhere on them."""
    graph = links(cells)
    nodes = {c for c, near in graph.items() if len(near) != 2}
    paths, used = [], set()

    def walk(start, first):
        path = [start, first]
        while path[-1] not in nodes and path[-1] != start:
            here = path[-1]
            a, b = graph[here]
            path.append(b if a == path[-2] else a)
        return path

    for node in sorted(nodes):
        for near in graph[node]:
            if (node, near) in used:
                continue
            path = walk(node, near)
            used.add((node, near))
            used.add((path[-1], path[-2]))
            paths.append(path)
    seen = set(nodes)
    for path in paths:
        seen.update(path)
    for cell in sorted(cells - seen):
        if cell not in seen and len(graph[cell]) == 2:
            path = walk(cell, graph[cell][0])
            seen.update(path)
            paths.append(path)
    return paths, graph


def without_spurs(cells, least):
    """Removes dead ends shorter than `least` cells, twice, so that what they hid goes too."""
    for _ in range(3):
        paths, graph = trace(cells)
        for path in paths:
            ends = (len(graph[path[0]]), len(graph[path[-1]]))
            if len(path) < least and 1 in ends and ends != (1, 1):
                cells = cells - set(path[:-1] if ends[0] == 1 else path[1:])
            elif len(path) < least and ends == (1, 1):
                cells = cells - set(path)
        cells = thinned(cells)
    return cells


def bridged(cells, reach=13):
    """Leads each dead end on, straight, to a street at most `reach` cells ahead of it."""
    _, graph = trace(cells)
    added = set()
    for end in sorted(c for c, near in graph.items() if len(near) == 1):
        path = [end]
        while len(path) < 9:
            onward = [n for n in graph[path[-1]] if n not in path]
            if len(onward) != 1:
                break
            path.append(onward[0])
        if len(path) < 5:
            continue
        ex, ey = end % GRID_W, end // GRID_W
        dx, dy = ex - path[-1] % GRID_W, ey - path[-1] // GRID_W
        norm = math.hypot(dx, dy)
        best = None
        for y in range(-reach, reach + 1):
            for x in range(-reach, reach + 1):
                other = (ey + y) * GRID_W + ex + x
                away = math.hypot(x, y)
                if other in cells and other not in path and 1 < away <= reach:
                    turn = (x * dx + y * dy) / (away * norm)
                    if turn > 0.8 and (best is None or away / turn < best[0]):
                        best = (away / turn, x, y)
        if best:
            _, x, y = best
            steps = max(abs(x), abs(y))
            added.update((ey + round(y * i / steps)) * GRID_W + ex + round(x * i / steps) for i in range(steps + 1))
    return cells | added


def flow_at(cell, density):
    """Moves through the street's whole cross-section near a cell."""
    cx, cy = cell % GRID_W, cell // GRID_W
    total = 0.0
    for dy in range(-4, 5):
        row = (cy + dy) * GRID_W + cx
        total += sum(density[row - 4:row + 5])
    return total / 9


def centre(cell, density):
    """Centre of the density around a cell, in metres."""
    cx, cy = cell % GRID_W, cell // GRID_W
    total = sx = sy = 0.0
    for dy in (-2, -1, 0, 1, 2):
        for dx in (-2, -1, 0, 1, 2):
            weight = density[(cy + dy) * GRID_W + cx + dx]
            total += weight
            sx += weight * dx
            sy += weight * dy
    if total:
        sx, sy = sx / total, sy / total
    return (cx + 0.5 + sx) * CELL_M, (cy + 0.5 + sy) * CELL_M


def smooth(points, rounds=6):
    """Averages with the neighbours, ends fixed."""
    for _ in range(rounds):
        inner = [((a[0] + 2 * b[0] + c[0]) / 4, (a[1] + 2 * b[1] + c[1]) / 4)
                 for a, b, c in zip(points, points[1:], points[2:])]
        points = [points[0]] + inner + [points[-1]]
    return points


def simplify(points, tolerance):
    """Douglas-Peucker."""
    keep = {0, len(points) - 1}
    todo = [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        dx, dy = bx - ax, by - ay
        norm = math.hypot(dx, dy)
        worst, where = tolerance, None
        for i in range(first + 1, last):
            px, py = points[i][0] - ax, points[i][1] - ay
            away = abs(px * dy - py * dx) / norm if norm else math.hypot(px, py)
            if away > worst:
                worst, where = away, i
        if where is not None:
            keep.add(where)
            todo += [(first, where), (where, last)]
    return [points[i] for i in sorted(keep)]


def street_lines(tracks):
    density = travel_density(tracks)
    say("  density counted")
    soft = blurred(density)
    cells = street_cells(soft)
    say(f"  {len(cells)} street cells")
    cells = without_specks(cells, 24)
    cells = with_holes_filled(cells, 34)
    cells = thinned(cells)
    cells = without_spurs(cells, 12)
    cells = thinned(bridged(thinned(bridged(cells))))
    cells = without_specks(without_spurs(cells, 12), 40)
    paths, _ = trace(cells)
    lines = []
    for path in paths:
        points = [centre(cell, soft) for cell in path]
        flow = sorted(flow_at(cell, soft) for cell in path)[len(path) // 2]
        lines.append((flow, simplify(smooth(points), 1.6)))
    return join(lines)


def join(lines):
    """Joins lines of a similar flow that meet end to end as each other's straightest continuation."""
    lines = [list(line) for line in lines]
    ends = {}
    for index, (_, points) in enumerate(lines):
        for tip in (0, -1):
            ends.setdefault(points[tip], []).append((index, tip))
    alias = list(range(len(lines)))

    def root(i):
        while alias[i] != i:
            i = alias[i]
        return i

    def rank(flow):
        return class_of(flow)

    for place in sorted(ends):
        arms = []
        for index, _ in ends[place]:
            index = root(index)
            points = lines[index][1]
            for tip in (0, -1):
                if points[tip] == place and points[0] != points[-1] and (index, tip) not in arms:
                    arms.append((index, tip))
        options = []
        for i, (a, ta) in enumerate(arms):
            for b, tb in arms[i + 1:]:
                if a == b or rank(lines[a][0]) != rank(lines[b][0]):
                    continue
                pa, pb = lines[a][1][1 if ta == 0 else -2], lines[b][1][1 if tb == 0 else -2]
                ux, uy = place[0] - pa[0], place[1] - pa[1]
                wx, wy = pb[0] - place[0], pb[1] - place[1]
                norm = math.hypot(ux, uy) * math.hypot(wx, wy)
                if norm:
                    options.append((-(ux * wx + uy * wy) / norm, a, ta, b, tb))
        taken = set()
        for turn, a, ta, b, tb in sorted(options):
            if turn > -0.7 or a in taken or b in taken:
                continue
            taken |= {a, b}
            first = lines[a][1] if ta == -1 else lines[a][1][::-1]
            second = lines[b][1] if tb == 0 else lines[b][1][::-1]
            lines[a] = [max(lines[a][0], lines[b][0]), first + second[1:]]
            lines[b] = [0, []]
            alias[b] = a
    return [(flow, points) for flow, points in lines if len(points) > 1]


CLASSES = (("major", 105.0), ("middle", 34.0), ("minor", 0.0))


def class_of(flow):
    return next(i for i, (_, least) in enumerate(CLASSES) if flow >= least)


# --- districts, river, stops -----------------------------------------------------------------------

def slug(name):
    plain = name.replace("ł", "l").replace("Ł", "L")
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return plain.lower().replace(" ", "-")


def polygons(geometry):
    return geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]


def districts(features):
    out = []
    for feature in features:
        if feature["properties"]["kind"] != "district":
            continue
        name = feature["properties"]["name"]
        out.append({"type": "Feature",
                    "properties": {"zone_id": slug(name), "name": name, "kind": "district"},
                    "geometry": feature["geometry"]})
    return sorted(out, key=lambda f: f["properties"]["zone_id"])


LEFT_BANK = {"bielany", "zoliborz", "srodmiescie", "mokotow", "wilanow"}
RIGHT_BANK = {"bialoleka", "praga-polnoc", "praga-poludnie", "wawer"}


def river(features):
    """The border between the banks: the Vistula's middle, as the longest chain of shared points."""
    def points_of(ids):
        return {tuple(p) for f in features if f["properties"]["zone_id"] in ids
                for polygon in polygons(f["geometry"]) for ring in polygon for p in ring}

    right = points_of(RIGHT_BANK)
    chain = set(points_of(LEFT_BANK) & right)
    north = max(chain, key=lambda p: p[1])
    line = [north]
    chain.discard(north)
    while chain:
        last = line[-1]
        near = min(chain, key=lambda p: ((p[0] - last[0]) * 0.615) ** 2 + (p[1] - last[1]) ** 2)
        if math.hypot((near[0] - last[0]) * M_PER_LON, (near[1] - last[1]) * M_PER_LAT) > 2500:
            break
        line.append(near)
        chain.discard(near)
    return line


def rounded(points, rounds=3):
    """Chaikin's corner cutting, ends fixed."""
    for _ in range(rounds):
        cut = [points[0]]
        for (ax, ay), (bx, by) in zip(points, points[1:]):
            cut += [(ax * 0.75 + bx * 0.25, ay * 0.75 + by * 0.25), (ax * 0.25 + bx * 0.75, ay * 0.25 + by * 0.75)]
        points = cut + [points[-1]]
    return points


def to_metres(lonlat):
    return [((p[0] - LON0) * M_PER_LON, (p[1] - LAT0) * M_PER_LAT) for p in lonlat]


def encoded(points):
    """[lon, lat, dlon, dlat, ...] in units of 1/SCALE degree, from metres."""
    flat, last = [], (0, 0)
    for x, y in points:
        here = (round((x / M_PER_LON + LON0) * SCALE), round((y / M_PER_LAT + LAT0) * SCALE))
        if flat and here == last:
            continue
        flat += [here[0] - last[0], here[1] - last[1]]
        last = here
    return flat


def stop_places(path):
    """One place per stop name and neighbourhood: the middle of its posts."""
    groups = {}
    with open(path, encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            lat, lon = float(row["lat"]), float(row["lon"])
            if SOUTH < lat < NORTH and WEST < lon < EAST:
                groups.setdefault((row["name"], round(lat, 1), round(lon, 1)), []).append((lon, lat))
    places = []
    for (name, _, _), posts in sorted(groups.items()):
        lon = round(sum(p[0] for p in posts) / len(posts) * SCALE)
        lat = round(sum(p[1] for p in posts) / len(posts) * SCALE)
        places.append([name, lon, lat, len(posts)])
    return places


# --- output ----------------------------------------------------------------------------------------

def write_json(path, value):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        json.dump(value, out, ensure_ascii=False, separators=(",", ":"))
        out.write("\n")


def streets_document(source, tracks, zones, city):
    lines = street_lines(tracks)
    classes = []
    for index, (name, _) in enumerate(CLASSES):
        chosen = sorted(encoded(points) for flow, points in lines if class_of(flow) == index)
        classes.append({"class": name, "lines": [line for line in chosen if len(line) > 2]})
        say(f"  {name}: {len(chosen)} lines, {sum(len(c) // 2 for c in chosen)} points")
    with open(os.path.join(source, "warsaw_line_corridors.geojson"), encoding="utf-8") as f:
        corridors = {c["properties"]["line"]: encoded(simplify(to_metres(c["geometry"]["coordinates"]), 4))
                     for c in json.load(f)["features"]}
    outline = [encoded(simplify(to_metres(ring), 4))
               for polygon in polygons(city["geometry"]) for ring in polygon]
    return {
        "version": 1,
        "scale": SCALE,
        "bounds": [WEST, SOUTH, EAST, NORTH],
        "streets": classes,
        "corridors": corridors,
        "city": outline,
        "river": encoded(simplify(rounded(to_metres(river(zones))), 2)),
        "stops": stop_places(os.path.join(source, "warsaw_stops.csv")),
    }


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.split("\n\n")[1])
    source = sys.argv[1]
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "apps", "vts", "demo")
    target = sys.argv[2] if len(sys.argv) == 3 else default
    os.makedirs(target, exist_ok=True)

    say("reading the recording")
    header, window, tracks = read_fixes(os.path.join(source, "warsaw_bus_20240219.csv.gz"))
    write_gzip(os.path.join(target, "positions.csv.gz"), header + "".join(window))
    say(f"  positions.csv.gz: {len(window)} positions")

    with open(os.path.join(source, "warsaw_vehicles.csv"), encoding="utf-8") as f:
        text = f.read()
    with open(os.path.join(target, "vehicles.csv"), "w", encoding="utf-8", newline="\n") as f:
        f.write(text)

    with open(os.path.join(source, "warsaw_districts.geojson"), encoding="utf-8") as f:
        features = json.load(f)["features"]
    zones = districts(features)
    city = next(f for f in features if f["properties"]["kind"] == "city")
    write_json(os.path.join(target, "districts.geojson"), {"type": "FeatureCollection", "features": zones})

    say("drawing streets")
    write_json(os.path.join(target, "streets.json"), streets_document(source, tracks, zones, city))
    for name in sorted(os.listdir(target)):
        say(f"  {name}: {os.path.getsize(os.path.join(target, name)) // 1024} KiB")


if __name__ == "__main__":
    main()
