"""The vehicle tracking rules computed a second time, from their documented statement alone.

Input: the positions as posted (dictionaries), zones and vehicle limits. Output: what the topics must hold in the end.
Nothing here is shared with the C++ code. Rules, in the order in which a position meets them:

1.  A time that cannot be read: rejected, unparseable_time. Numbers are seconds below 1e11, milliseconds below 1e14,
    microseconds below 1e17, nanoseconds above.
2.  Latitude outside [-90, 90], longitude outside [-180, 180], both exactly 0; a speed outside [0, 1000] or a heading outside
    [0, 360] that is not -1: rejected.
3.  Before the year 2000, or further ahead of the clock than the limit: rejected, past_time or future_time.
4.  Same vehicle and timestamp as an earlier position that passed 1-3: a duplicate, dropped. (It is remembered for hours of
    the vehicle's own time and at least as long after its receipt: longer than any run whose positions come here.)
5.  Newer than the vehicle's newest accepted fix and further from it than the limit speed allows: rejected, implied_speed;
    except for the third in a row of such fixes, each newer than the one before and not too far from it: that one is
    accepted. A fix that is newer than the newest and not too far from it ends the row.
    Distance: haversine, mean earth radius 6,371,008.8 m.
6.  Accepted. Older than the newest: history and windows only.

A speed or heading of -1 is none. Windows of five minutes take fixes until the vehicle's own newest accepted fix is a minute
past their end. No rule looks at another vehicle. A zone contains what one of its polygons contains.
"""
import collections
import math

EARTH_RADIUS_M = 6_371_008.8
WINDOW_MS = 300_000
GRACE_MS = 60_000
EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z


def haversine_m(lat1, lon1, lat2, lon2):
    p1, p2 = math.radians(lat1), math.radians(lat2)
    a = math.sin((p2 - p1) / 2) ** 2 + \
        math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(a)))


class Zone:
    def __init__(self, zone_id, polygons):
        self.zone_id = zone_id
        self.polygons = polygons
        xs = [p[0] for polygon in polygons for r in polygon for p in r]
        ys = [p[1] for polygon in polygons for r in polygon for p in r]
        self.box = (min(xs), min(ys), max(xs), max(ys))

    def contains(self, lon, lat):
        lon = -180.0 if lon == 180.0 else lon
        west, south, east, north = self.box
        if not (west <= lon <= east and south <= lat <= north):
            return False
        return any(self.in_polygon(polygon, lon, lat) for polygon in self.polygons)

    @staticmethod
    def in_polygon(polygon, lon, lat):
        """Even-odd over all rings."""
        inside = False
        for ring in polygon:
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
        zones.append(Zone(feature["properties"]["zone_id"], [[[tuple(p[:2]) for p in ring] for ring in polygon] for polygon in polygons]))
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
        self.elsewhere = []     # (ts, lat, lon): the row of fixes that are too far from the newest


def compute(positions, zones, now_ms, limits=None, speed_limit=50.0, implied_speed_limit=250.0, future_limit_ms=60_000):
    """`positions`: dictionaries as posted, with `timestamp` as a number since 1970, or text that is no time."""
    expected = Expected()
    vehicles = collections.defaultdict(Vehicle)
    limits = limits or {}
    memory = {}
    for p in positions:
        vehicle_id, ts, lat, lon = p["vehicleId"], milliseconds(p["timestamp"]), p["lat"], p["lon"]
        speed, heading = known(p.get("speed")), known(p.get("heading"))
        rule = stateless_rule(ts, lat, lon, speed, heading, now_ms + future_limit_ms)
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
            if too_far(v.newest, (ts, lat, lon), implied_speed_limit) and not third_in_a_row(v, (ts, lat, lon), implied_speed_limit):
                expected.dead_letters[(vehicle_id, ts, "implied_speed")] += 1
                continue
        expected.accepted += 1
        if newer:
            v.elsewhere = []
        start = ts - ts % WINDOW_MS
        if speed is not None and (newer or v.newest[0] < start + WINDOW_MS + GRACE_MS):
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


def milliseconds(timestamp):
    if not isinstance(timestamp, int):
        return timestamp
    for limit, factor, divisor in ((10**11, 1000, 1), (10**14, 1, 1), (10**17, 1, 10**3)):
        if timestamp < limit:
            return timestamp * factor // divisor
    return timestamp // 10**6


def known(value):
    return None if value == -1 else value


def too_far(earlier, later, limit_kmh):
    return haversine_m(earlier[1], earlier[2], later[1], later[2]) / (later[0] - earlier[0]) * 3600 > limit_kmh


def third_in_a_row(v, fix, limit_kmh):
    if v.elsewhere and fix[0] <= v.elsewhere[-1][0]:
        return False
    if v.elsewhere and too_far(v.elsewhere[-1], fix, limit_kmh):
        v.elsewhere = []
    v.elsewhere.append(fix)
    return len(v.elsewhere) == 3


def stateless_rule(ts, lat, lon, speed, heading, latest_ms):
    if not isinstance(ts, int):
        return "unparseable_time"
    if not -90 <= lat <= 90:
        return "latitude_out_of_range"
    if not -180 <= lon <= 180:
        return "longitude_out_of_range"
    if lat == 0 and lon == 0:
        return "null_island"
    if speed is not None and not 0 <= speed <= 1000:
        return "speed_out_of_range"
    if heading is not None and not 0 <= heading <= 360:
        return "heading_out_of_range"
    if ts < EARLIEST_MS:
        return "past_time"
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
