#!/usr/bin/env python3
"""The oracle itself, on cases small enough to work out by hand."""
import unittest

import oracle

SQUARE = oracle.Zone("square", [[(0.0, 50.0), (1.0, 50.0), (1.0, 51.0), (0.0, 51.0), (0.0, 50.0)]])
NOW = 1_000_000_000


def fix(ts, lat=50.5, lon=0.5, speed=None, vehicle="v"):
    item = {"vehicleId": vehicle, "timestamp": ts, "lat": lat, "lon": lon}
    if speed is not None:
        item["speed"] = speed
    return item


class Oracle(unittest.TestCase):
    def compute(self, *fixes, **options):
        return oracle.compute(fixes, [SQUARE], NOW, **options)

    def test_the_first_fix_enters_nothing(self):
        self.assertEqual(sum(self.compute(fix(1000)).enters.values()), 0)

    def test_enter_and_exit_are_differences_of_consecutive_fixes(self):
        e = self.compute(fix(0, lon=1.001), fix(60_000, lon=0.999), fix(120_000, lon=1.001))
        self.assertEqual(dict(e.enters), {("v", "square", 60_000): 1})
        self.assertEqual(dict(e.exits), {("v", "square", 120_000): 1})

    def test_an_older_fix_changes_windows_only(self):
        e = self.compute(fix(60_000, speed=10), fix(30_000, lon=1.001, speed=20))
        self.assertEqual(e.averages, {("v", 0): (30.0, 2)})
        self.assertEqual((e.late, sum(e.exits.values())), (1, 0))

    def test_overspeed_opens_above_and_closes_at_the_limit(self):
        e = self.compute(fix(1, speed=50), fix(2, speed=51), fix(3, speed=70), fix(4), fix(5, speed=50), fix(6, speed=60))
        self.assertEqual(dict(e.overspeeds), {("v", 2, 5, 70): 1})

    def test_same_vehicle_and_time_is_a_duplicate(self):
        self.assertEqual(self.compute(fix(1), fix(1, lat=50.6), fix(1, vehicle="w")).duplicates, 1)

    def test_rejections(self):
        e = self.compute(fix("yesterday"), fix(1, lat=91), fix(1, lon=181), fix(1, lat=0, lon=0), fix(NOW + 60_001),
                         fix(10_000), fix(11_000, lat=51.5))
        self.assertEqual(sorted(rule for _, _, rule in e.dead_letters),
                         ["future_time", "implied_speed", "latitude_out_of_range", "longitude_out_of_range",
                          "null_island", "unparseable_time"])


if __name__ == "__main__":
    unittest.main()
