#!/usr/bin/env python3
"""Figures of the whole line with the release binary: positions per second, end-to-end latency, start-up, memory.

    bench/line.py [--rate POSITIONS_PER_SECOND] [--seconds N]
"""
import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("MUIR_BINARY", str(REPOSITORY / "build" / "bin" / "muir"))
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))
import positions  # noqa: E402
import product  # noqa: E402


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def load_zones(muir):
    for feature in json.loads((positions.DEMO / "districts.geojson").read_text())["features"]:
        muir.put(f"/api/v1/zones/{feature['properties']['zone_id']}", feature)


def started(folder):
    muir = product.Product(folder)
    begin = time.monotonic()
    muir.start()
    return muir, time.monotonic() - begin


def throughput(muir, items):
    gateway = product.Gateway(muir)
    bodies = [items[i:i + 1000] for i in range(0, len(items), 1000)]
    begin = time.monotonic()
    for body in bodies:
        gateway.post(body)
    accepted = time.monotonic() - begin
    muir.wait(lambda: (lambda s: s["accepted"] + s["duplicates"] + s["deadLetters"] >= len(items))(muir.get("/api/v1/stats")),
              300, "every position to come out")
    return len(items) / accepted, len(items) / (time.monotonic() - begin)


def paced(muir, items, rate, seconds):
    """Posts `rate` positions a second, ten requests a second, at their own new times; the product measures itself."""
    gateway = product.Gateway(muir)
    per_request = max(1, rate // 10)
    begin = time.monotonic()
    at = 0
    for number in range(seconds * 10):
        now_ms = int(time.time() * 1000)
        batch = [dict(item, timestamp=now_ms - per_request + i) for i, item in enumerate(items[at:at + per_request])]
        at = (at + per_request) % (len(items) - per_request)
        gateway.post(batch)
        time.sleep(max(0.0, begin + (number + 1) / 10 - time.monotonic()))
    return muir.get("/api/v1/stats")["latencyMs"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    items = list(positions.recorded())
    rows = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-bench-"))
    try:
        muir, seconds = started(folder)
        rows.append(("start-up to first answer, empty", f"{seconds * 1000:,.0f} ms"))
        load_zones(muir)
        rows.append(("memory after start", f"{resident_mib(muir.process.pid):,.0f} MiB"))
        into, through = throughput(muir, items)
        rows.append(("positions accepted over HTTP (durable)", f"{into:,.0f} /s"))
        rows.append(("positions through the whole line", f"{through:,.0f} /s"))
        rows.append(("memory after the half hour", f"{resident_mib(muir.process.pid):,.0f} MiB"))
        muir.stop()
        begin = time.monotonic()
        muir.start()
        rows.append(("start-up with that data", f"{(time.monotonic() - begin) * 1000:,.0f} ms"))
        latency = paced(muir, items, options.rate, options.seconds)
        rows.append((f"end to end at {options.rate:,} positions/s, p50", f"{latency['p50']:,.0f} ms"))
        rows.append((f"end to end at {options.rate:,} positions/s, p99", f"{latency['p99']:,.0f} ms"))
        muir.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("| figure | value |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
