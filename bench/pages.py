#!/usr/bin/env python3
"""What a crowd of pages costs: REST latency beside them, and memory, with a fleet that moves.

    bench/pages.py [--pages N] [--silent N] [--vehicles N] [--seconds N]

Silent pages open the feed and read nothing.
"""
import argparse
import base64
import http.client
import os
import pathlib
import random
import select
import shutil
import socket
import sys
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("MUIR_BINARY", str(REPOSITORY / "build" / "bin" / "muir"))
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))
sys.path.insert(0, str(REPOSITORY / "bench"))
import line  # noqa: E402
import product  # noqa: E402


def open_page(port):
    page = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    page.sendall(f"GET /api/v1/feed HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    page.setblocking(False)
    return page


class Asker(threading.Thread):
    """Asks for one vehicle after another, each time over a new connection."""

    def __init__(self, port):
        super().__init__()
        self.port, self.took_ms, self.ends = port, [], threading.Event()

    def run(self):
        while not self.ends.wait(0.02):
            begin = time.monotonic()
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            client.request("GET", "/api/v1/vehicles/V5")
            client.getresponse().read()
            client.close()
            self.took_ms.append((time.monotonic() - begin) * 1000)

    def figures(self):
        took, self.took_ms = sorted(self.took_ms), []
        return f"p50 {took[len(took) // 2]:.1f} ms, p99 {took[int(len(took) * 0.99)]:.1f} ms, greatest {took[-1]:.1f} ms"


class Mover(threading.Thread):
    """A thousand of the vehicles report, twice a second."""

    def __init__(self, muir, vehicles):
        super().__init__()
        self.gateway, self.vehicles, self.ends = product.Gateway(muir), vehicles, threading.Event()

    def post(self, numbers):
        now_ms = int(time.time() * 1000)
        self.gateway.post([{"vehicleId": f"V{i}", "lat": 52 + i / 20000 + random.random() / 100, "lon": 21, "speed": 30, "heading": 90,
                            "timestamp": now_ms} for i in numbers])

    def run(self):
        while not self.ends.wait(0.5):
            self.post(random.sample(range(self.vehicles), 1000))


def read_all(pages, seconds):
    """Reads what the pages get; bytes of the one that got least."""
    poller = select.epoll()
    for page in pages:
        poller.register(page.fileno(), select.EPOLLIN)
    by_number = {page.fileno(): page for page in pages}
    got = dict.fromkeys(by_number, 0)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for number, _ in poller.poll(0.1):
            data = by_number[number].recv(1 << 18)
            if not data:
                raise SystemExit("a page was cut off")
            got[number] += len(data)
    return min(got.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("--pages", 200), ("--silent", 0), ("--vehicles", 10_000), ("--seconds", 15)):
        parser.add_argument(name, type=int, default=value)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-bench-"))
    muir = product.Product(folder)
    pages = []
    try:
        muir.start()
        asker, mover = Asker(muir.http_port), Mover(muir, options.vehicles)
        for first in range(0, options.vehicles, 1000):
            mover.post(range(first, min(first + 1000, options.vehicles)))
        muir.wait(lambda: muir.get("/api/v1/stats")["vehicles"] == options.vehicles, 60, "the fleet")
        memory = line.resident_mib(muir.process.pid)
        for thread in (asker, mover):
            thread.start()
        time.sleep(3)
        print(f"REST without pages: {asker.figures()}; {memory:,.0f} MiB")
        pages = [open_page(muir.http_port) for _ in range(options.pages)]
        least = read_all(pages[options.silent:], options.seconds)
        print(f"REST beside {options.pages} pages, {options.silent} of them silent: {asker.figures()}; "
              f"{line.resident_mib(muir.process.pid):,.0f} MiB; {least / 1e6:.1f} MB or more to each")
        for thread in (asker, mover):
            thread.ends.set()
            thread.join()
    finally:
        for page in pages:
            page.close()
        muir.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
