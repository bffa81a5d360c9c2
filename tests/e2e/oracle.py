"""The vehicle tracking rules computed a second time, from their documented statement alone.

Input: the positions as posted (dictionaries), zones and vehicle limits. Output: what the topics must hold in the end.
Nothing here is shared with the C++ code. Rules, in the order in which a position meets them:

1.  A time that cannot be read: rejected, unparseable_time.
2.  Latitude outside [-90, 90], longitude outside [-180, 180], both exactly 0: rejected.
3.  Further ahead of the clock than the limit: rejected, future_time.
4.  Same vehicle and timestamp as an earlier position that passed 1-3: a duplicate, dropped.
5.  Newer than the vehicle's newest accepted fix and further from it than the limit speed allows: rejected, implied_speed.
    Distance: haversine, mean earth radius 6,371,008.8 m.
6.  Accepted. Older than the newest: history and windows only.
"""
import collections
import math

EARTH_RADIUS_M = 6_371_008.8
WINDOW_MS = 300_000
GRACE_MS = 60_000


def haversine_m(lat1, lon1, lat2, lon2):
    p1, p2 = math.radians(lat1), math.radians(lat2)
    a = math.sin((p2 - p1) / 2) ** 2 + \
        math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(a)))


class Zone:
    def __init__(self, zone_id, rings):
        self.zone_id = zone_id
        self.rings = rings
        xs = [p[0] for r in rings for p in r]
        ys = [p[1] for r in rings for p in r]
        self.box = (min(xs), min(ys), max(xs), max(ys))

    def contains(self, lon, lat):
        """Even-odd over all rings."""
        west, south, east, north = self.box
        if not (west <= lon <= east and south <= lat <= north):
            return False
        inside = False
        for ring in self.rings:
            x2, y2 = ring[-1]
            for x1, y1 in ring:
                if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                    inside = not inside
                x2, y2 = x1, y1
        return inside


def zones_of_geojson(collection):
    zones = []
    for feature in collection["features"]:
        geometry = feature["geometry"]
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        zones.append(Zone(feature["properties"]["zone_id"], [[tuple(p[:2]) for p in ring] for polygon in polygons for ring in polygon]))
    return zones


class Expected:
    def __init__(self):
        self.dead_letters = collections.Counter()   # (vehicle, timestamp or text, rule)
        self.enters = collections.Counter()         # (vehicle, zone, timestamp)
        self.exits = collections.Counter()
        self.overspeeds = collections.Counter()     # (vehicle, start, end, peak)
        self.averages = {}                          # (vehicle, window start) -> (sum, count)
        self.duplicates = 0
        self.accepted = 0
        self.late = 0
        self.newest = {}                            # vehicle -> (timestamp, lat, lon)
        self.occupancy = collections.Counter()      # zone -> vehicles


class Vehicle:
    def __init__(self):
        self.newest = None      # (ts, lat, lon)
        self.zones = None
        self.seen = set()
        self.episode = None     # [start, peak]


def compute(positions, zones, now_ms, limits=None, speed_limit=50.0, implied_speed_limit=250.0, future_limit_ms=60_000):
    """`positions`: dictionaries as posted, with `timestamp` in epoch milliseconds, or text that is no time."""
    expected = Expected()
    vehicles = collections.defaultdict(Vehicle)
    limits = limits or {}
    memory = {}
    for p in positions:
        vehicle_id, ts, lat, lon, speed = p["vehicleId"], p["timestamp"], p["lat"], p["lon"], p.get("speed")
        rule = stateless_rule(ts, lat, lon, now_ms + future_limit_ms)
        if rule:
            expected.dead_letters[(vehicle_id, ts, rule)] += 1
            continue
        v = vehicles[vehicle_id]
        if ts in v.seen:
            expected.duplicates += 1
            continue
        v.seen.add(ts)
        newer = v.newest is None or ts > v.newest[0]
        if v.newest is not None and newer:
            metres = haversine_m(v.newest[1], v.newest[2], lat, lon)
            if metres / (ts - v.newest[0]) * 3600 > implied_speed_limit:
                expected.dead_letters[(vehicle_id, ts, "implied_speed")] += 1
                continue
        expected.accepted += 1
        if speed is not None:
            start = ts - ts % WINDOW_MS
            total, count = expected.averages.get((vehicle_id, start), (0.0, 0))
            expected.averages[(vehicle_id, start)] = (total + speed, count + 1)
        if not newer:
            expected.late += 1
            continue
        if (lon, lat) not in memory:
            memory[(lon, lat)] = frozenset(z.zone_id for z in zones if z.contains(lon, lat))
        inside = memory[(lon, lat)]
        if v.zones is not None:
            for zone in inside - v.zones:
                expected.enters[(vehicle_id, zone, ts)] += 1
            for zone in v.zones - inside:
                expected.exits[(vehicle_id, zone, ts)] += 1
        v.zones = inside
        v.newest = (ts, lat, lon)
        follow_overspeed(expected, v, vehicle_id, ts, speed, limits.get(vehicle_id, speed_limit))
    for vehicle_id, v in vehicles.items():
        if v.newest:
            expected.newest[vehicle_id] = v.newest
            expected.occupancy.update(v.zones)
    return expected


def stateless_rule(ts, lat, lon, latest_ms):
    if not isinstance(ts, int):
        return "unparseable_time"
    if not -90 <= lat <= 90:
        return "latitude_out_of_range"
    if not -180 <= lon <= 180:
        return "longitude_out_of_range"
    if lat == 0 and lon == 0:
        return "null_island"
    if ts > latest_ms:
        return "future_time"
    return None


def follow_overspeed(expected, v, vehicle_id, ts, speed, limit):
    """Opens at the first fix above the limit, closes at the first at or below it."""
    if speed is None:
        return
    if speed > limit:
        if v.episode is None:
            v.episode = [ts, speed]
        v.episode[1] = max(v.episode[1], speed)
    elif v.episode is not None:
        expected.overspeeds[(vehicle_id, v.episode[0], ts, v.episode[1])] += 1
        v.episode = None
