"""The posted positions of the end-to-end tests: the recorded half hour, with the dirt that real feeds have."""
import csv
import gzip
import heapq
import pathlib
import random

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


def dirty(now_ms, seed):
    """The recording with repeated, late, misplaced, misdated and jumping positions among it; the seed decides where."""
    rng = random.Random(seed)
    held_back = []
    for number, item in enumerate(recorded()):
        if rng.random() < 0.002:
            # Arrives 15 to 45 seconds late: the vehicle has newer fixes by then, the window's grace has not passed.
            heapq.heappush(held_back, (number + rng.randrange(1500, 4200), number, item))
            continue
        yield item
        if rng.random() < 0.01:
            yield dict(item)
        if rng.random() < 0.001:
            wrong = dict(item, timestamp=item["timestamp"] + 1)
            kind = rng.randrange(6)
            if kind == 0:
                wrong["lat"] = 90.5 + rng.random()
            elif kind == 1:
                wrong["lon"] = -180.5 - rng.random()
            elif kind == 2:
                wrong["lat"] = wrong["lon"] = 0.0
            elif kind == 3:
                wrong["timestamp"] = f"20224-02-19 15:58:{number}"
            elif kind == 4:
                wrong["timestamp"] = now_ms + 86_400_000 + number
            else:
                wrong["lat"] = round(item["lat"] + 1.0, 5)
            yield wrong
        while held_back and held_back[0][0] <= number:
            yield heapq.heappop(held_back)[2]
    for _, _, item in sorted(held_back):
        yield item
