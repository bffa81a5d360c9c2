#!/usr/bin/env python3
"""The whole line against an independent computation: recorded buses through HTTP, results read from the topics.

Three runs give the same numbers: undisturbed on Muir's broker; there with the process killed by SIGKILL several times;
on a three-broker Apache Kafka with a broker killed and Muir killed as well.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import oracle
import positions
import product
import topics

SEED = int(os.environ.get("MUIR_TEST_SEED", "20240219"))
LONG = bool(os.environ.get("MUIR_TEST_LONG"))
BATCH = 500


def batches(items):
    return [items[i:i + BATCH] for i in range(0, len(items), BATCH)]


class Line(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.now_ms = int(time.time() * 1000)
        cls.items = list(positions.dirty(cls.now_ms, SEED))
        cls.districts = json.loads((positions.DEMO / "districts.geojson").read_text())
        cls.expected = oracle.compute(cls.items, oracle.zones_of_geojson(cls.districts), cls.now_ms)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-line-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, **options):
        muir = product.Product(self.folder, **options)
        self.addCleanup(lambda: muir.process and muir.process.poll() is None and muir.kill())
        muir.start()
        self.load_zones(muir)
        return muir

    def load_zones(self, muir):
        for feature in self.districts["features"]:
            properties = feature["properties"]
            muir.put(f"/api/v1/zones/{properties['zone_id']}", feature)
        muir.wait(lambda: len(muir.get("/api/v1/zones")["zones"]) == len(self.districts["features"]), 60, "the zones")

    def finish(self, muir, exact_counts):
        """Waits until everything posted has come out, reads the topics and compares."""
        want = self.expected
        muir.wait(lambda: muir.get("/api/v1/stats")["accepted"] >= want.accepted, 300, f"{want.accepted} accepted positions")
        last = {v: fix[0] for v, fix in want.newest.items()}

        def settled():
            states = {s["vehicleId"]: s["timestamp"] for s in muir.get("/api/v1/vehicles")["vehicles"]}
            return states == last
        muir.wait(settled, 120, "every vehicle's newest position")
        self.compare(muir, exact_counts)
        self.remove_and_return(muir)

    def remove_and_return(self, muir):
        """A deleted vehicle leaves its topics, and its last fix, posted again, is a first one."""
        vehicle, (timestamp, lat, lon) = sorted(self.expected.newest.items())[0]
        before = muir.get("/api/v1/stats")
        muir.delete(f"/api/v1/vehicles/{vehicle}")
        muir.wait(lambda: vehicle not in {s["vehicleId"] for s in muir.get("/api/v1/vehicles")["vehicles"]}, 60, "its removal")
        states = [value for _, _, _, key, value in topics.read_topic(muir.bootstrap, "vehicle.state") if key.decode() == vehicle]
        self.assertIsNone(states[-1])
        product.Gateway(muir).post([{"vehicleId": vehicle, "lat": lat, "lon": lon, "timestamp": timestamp}])
        muir.wait(lambda: vehicle in {s["vehicleId"] for s in muir.get("/api/v1/vehicles")["vehicles"]}, 60, "its return")
        muir.wait(lambda: muir.get("/api/v1/stats")["accepted"] == before["accepted"] + 1, 60, "its count")
        self.assertEqual(muir.get("/api/v1/stats")["duplicates"], before["duplicates"])
        self.assertEqual(muir.get("/api/v1/stats")["late"], before["late"])

    def compare(self, muir, exact_counts):
        registry = topics.Registry(muir.registry_url)

        def values(topic):
            return [(key, registry.decode(value) if value is not None else None)
                    for _, _, _, key, value in topics.read_topic(muir.bootstrap, topic)]

        alerts = collections.defaultdict(collections.Counter)
        for _, a in values("vehicle.alerts"):
            if a["kind"] == "overspeed":
                alerts["overspeed"][(a["vehicleId"], a["start"], a["end"], a["peak"])] += 1
            else:
                alerts[a["kind"]][(a["vehicleId"], a["zoneId"], a["timestamp"])] += 1
        self.same("zone entries", alerts["zone_enter"], self.expected.enters)
        self.same("zone exits", alerts["zone_exit"], self.expected.exits)
        self.same("overspeed episodes", alerts["overspeed"], self.expected.overspeeds)

        averages = {}
        for _, w in values("vehicle.speed.avg.5min"):
            averages[(w["vehicleId"], w["windowStart"])] = (w["avgSpeed"], w["count"])
        self.assertEqual({k: c for k, (_, c) in averages.items()}, {k: c for k, (_, c) in self.expected.averages.items()})
        for key, (total, count) in self.expected.averages.items():
            self.assertAlmostEqual(averages[key][0], total / count, places=6, msg=str(key))

        dead = collections.Counter()
        for _, d in values("vehicle.location.dlq"):
            when = d["timestampText"] if d["rule"] == "unparseable_time" else d["timestamp"]
            dead[(d["vehicleId"], when, d["rule"])] += 1
        if not exact_counts:  # a batch posted twice has its dead letters twice: they cannot be told from two bad fixes
            dead = collections.Counter(set(dead))
        self.same("dead letters", dead, self.expected.dead_letters)

        occupancy = {}
        for key, z in values("zone.occupancy"):
            occupancy[key.decode()] = z["vehicles"]
        self.assertEqual({z: n for z, n in occupancy.items() if n}, dict(self.expected.occupancy))

        stats = muir.get("/api/v1/stats")
        self.assertEqual(stats["accepted"], self.expected.accepted)
        self.assertEqual(stats["late"], self.expected.late)
        if exact_counts:
            self.assertEqual(stats["duplicates"], self.expected.duplicates)
            self.assertEqual(stats["received"], len(self.items))
            self.assertEqual(stats["deadLetters"], sum(self.expected.dead_letters.values()))

    def same(self, what, got, want):
        missing, surplus = want - got, got - want
        self.assertFalse(missing or surplus, f"{what}: {sum(missing.values())} missing {list(missing)[:5]}, "
                                             f"{sum(surplus.values())} too many {list(surplus)[:5]}")

    def test_undisturbed_on_our_broker(self):
        muir = self.start()
        gateway = product.Gateway(muir)
        for batch in batches(self.items):
            gateway.post(batch)
        self.assertEqual(gateway.retries, 0)
        self.finish(muir, exact_counts=True)
        self.assertEqual(muir.stop(), 0)

    def test_killed_at_random_on_our_broker(self):
        rng = random.Random(SEED)
        muir = self.start()
        gateway = product.Gateway(muir)
        work = batches(self.items)
        kills = sorted(rng.sample(range(10, len(work)), 12 if LONG else 4))
        for number, batch in enumerate(work):
            if number not in kills:
                gateway.post(batch)
                continue
            # The batch goes out on a second thread: a child process dies with the thread that started it.
            poster = concurrent.futures.ThreadPoolExecutor(1)
            posted = poster.submit(gateway.post, batch)
            time.sleep(rng.random() * 0.3)
            muir.kill()
            muir.start()
            posted.result()
            poster.shutdown()
        self.finish(muir, exact_counts=False)

    def test_apache_kafka_with_a_broker_killed(self):
        rng = random.Random(SEED + 1)
        with product.cluster.Cluster(3) as kafka:
            muir = self.start(bootstrap=kafka.bootstrap_servers)
            gateway = product.Gateway(muir)
            work = batches(self.items)
            broker_dies, muir_dies, broker_returns = len(work) // 4, len(work) // 2, 3 * len(work) // 4
            for number, batch in enumerate(work):
                if number == broker_dies:
                    kafka.kill(rng.randrange(3))
                if number == muir_dies:
                    muir.kill()
                    muir.start()
                if number == broker_returns:
                    kafka.restart(kafka.processes.index(None))
                gateway.post(batch)
            self.finish(muir, exact_counts=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
