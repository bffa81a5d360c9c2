"""The posted positions of the end-to-end tests: the recorded half hour, with the dirt that real feeds have."""
import csv
import gzip
import heapq
import pathlib
import random

DAY_MS = 86_400_000
DEMO = pathlib.Path(__file__).resolve().parents[2] / "apps" / "vts" / "demo"


def recorded():
    with gzip.open(DEMO / "positions.csv.gz", "rt", newline="") as f:
        for row in csv.DictReader(f):
            item = {"vehicleId": row["vehicle_id"], "lat": float(row["lat"]), "lon": float(row["lon"]),
                    "timestamp": int(row["ts_ms"])}
            if row["speed_kmh"]:
                item["speed"] = float(row["speed_kmh"])
            if row["heading"]:
                item["heading"] = float(row["heading"])
            yield item


def offline_trips(rng):
    """The first fixes of some vehicles as trips of the day before, by vehicles of their own; three times each, as a tracker
    posts what nobody acknowledged."""
    trips = {}
    for item in recorded():
        trip = trips.setdefault(item["vehicleId"], [])
        if len(trip) < 40:
            trip.append(dict(item, vehicleId="offline-" + item["vehicleId"], timestamp=item["timestamp"] - DAY_MS))
    return [trips[vehicle] for vehicle in rng.sample(sorted(trips), 12) for _ in range(3)]


def dirty(now_ms, seed):
    """The recording with repeated, late, misplaced, misdated and jumping positions among it, wrong first positions, and trips
    of the day before; the seed decides where."""
    rng = random.Random(seed)
    held_back = []
    trips = [(rng.randrange(0, 60_000), number, trip) for number, trip in enumerate(offline_trips(rng))]
    heapq.heapify(trips)
    begun = set()
    for number, item in enumerate(recorded()):
        while trips and trips[0][0] <= number:
            yield from heapq.heappop(trips)[2]
        if item["vehicleId"] not in begun:
            begun.add(item["vehicleId"])
            if rng.random() < 0.02:
                yield dict(item, timestamp=item["timestamp"] - 1000, lat=round(item["lat"] + 1.0, 5))
        if rng.random() < 0.002:
            # Arrives 15 to 45 seconds late: the vehicle has newer fixes by then, the window's grace has not passed.
            heapq.heappush(held_back, (number + rng.randrange(1500, 4200), number, item))
            continue
        yield differently(item, rng)
        if rng.random() < 0.01:
            yield dict(item)
        if rng.random() < 0.001:
            yield wrong(item, number, now_ms, rng)
        while held_back and held_back[0][0] <= number:
            yield heapq.heappop(held_back)[2]
    for _, _, trip in sorted(trips):
        yield from trip
    for _, _, item in sorted(held_back):
        yield item


def differently(item, rng):
    """Now and then the same in other words: another unit of time, a speed that is not known."""
    if rng.random() < 0.002:
        return dict(item, timestamp=item["timestamp"] * rng.choice((10**3, 10**6)))
    if rng.random() < 0.002:
        return dict(item, speed=-1, heading=-1)
    return item


def wrong(item, number, now_ms, rng):
    changed = dict(item, timestamp=item["timestamp"] + 1)
    kind = rng.randrange(9)
    if kind == 0:
        changed["lat"] = 90.5 + rng.random()
    elif kind == 1:
        changed["lon"] = -180.5 - rng.random()
    elif kind == 2:
        changed["lat"] = changed["lon"] = 0.0
    elif kind == 3:
        changed["timestamp"] = f"20224-02-19 15:58:{number}"
    elif kind == 4:
        changed["timestamp"] = now_ms + 86_400_000 + number
    elif kind == 5:
        changed["speed"] = rng.choice((-5, 1e9, 1e308))
    elif kind == 6:
        changed["heading"] = rng.choice((-90, 720))
    elif kind == 7:
        changed["timestamp"] = number
    else:
        changed["lat"] = round(item["lat"] + 1.0, 5)
    return changed
