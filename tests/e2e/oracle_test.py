#!/usr/bin/env python3
"""The oracle itself, on cases small enough to work out by hand."""
import unittest

import oracle

SQUARE = oracle.Zone("square", [[[(0.0, 50.0), (1.0, 50.0), (1.0, 51.0), (0.0, 51.0), (0.0, 50.0)]]])
BASE = 1_500_000_000_000
NOW = BASE + 1_000_000


def fix(ts, lat=50.5, lon=0.5, speed=None, vehicle="v"):
    """Times are milliseconds after BASE; text as it is."""
    item = {"vehicleId": vehicle, "timestamp": BASE + ts if isinstance(ts, int) else ts, "lat": lat, "lon": lon}
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
        self.assertEqual(dict(e.enters), {("v", "square", BASE + 60_000): 1})
        self.assertEqual(dict(e.exits), {("v", "square", BASE + 120_000): 1})

    def test_an_older_fix_changes_windows_only(self):
        e = self.compute(fix(60_000, speed=10), fix(30_000, lon=1.001, speed=20))
        self.assertEqual(e.averages, {("v", BASE): (30.0, 2)})
        self.assertEqual((e.late, sum(e.exits.values())), (1, 0))

    def test_windows_close_by_the_vehicle_s_own_newest_fix(self):
        e = self.compute(fix(0, speed=10), fix(900_000, speed=10, vehicle="w"), fix(359_999, speed=10), fix(1000, speed=20),
                         fix(360_000), fix(2000, speed=60))
        self.assertEqual(e.averages[("v", BASE)], (30.0, 2))
        self.assertEqual((e.accepted, e.late), (6, 2))

    def test_overspeed_opens_above_and_closes_at_the_limit(self):
        e = self.compute(fix(1, speed=50), fix(2, speed=51), fix(3, speed=70), fix(4), fix(5, speed=50), fix(6, speed=60))
        self.assertEqual(dict(e.overspeeds), {("v", BASE + 2, BASE + 5, 70): 1})

    def test_same_vehicle_and_time_is_a_duplicate(self):
        self.assertEqual(self.compute(fix(1), fix(1, lat=50.6), fix(1, vehicle="w")).duplicates, 1)

    def test_numbers_are_times_in_the_unit_of_their_size(self):
        for factor in (1_000, 1_000_000):
            self.assertEqual(oracle.milliseconds((BASE + 1) * factor), BASE + 1)
        self.assertEqual(oracle.milliseconds(BASE // 1000), BASE)
        self.assertEqual(oracle.milliseconds(BASE + 1), BASE + 1)

    def test_minus_one_is_no_speed(self):
        e = self.compute(dict(fix(1, speed=-1), heading=-1), fix(2, speed=0))
        self.assertEqual(e.averages, {("v", BASE): (0.0, 1)})
        self.assertFalse(e.dead_letters)

    def test_the_third_fix_elsewhere_wins(self):
        e = self.compute(fix(0, lat=51.5), fix(10_000), fix(20_000), fix(15_000), fix(30_000), fix(40_000, lat=51.5),
                         fix(50_000), fix(60_000, lat=51.5), fix(70_000, lat=51.5))
        self.assertEqual(sorted(ts - BASE for _, ts, rule in e.dead_letters if rule == "implied_speed"),
                         [10_000, 15_000, 20_000, 40_000, 60_000, 70_000])
        self.assertEqual(dict(e.enters), {("v", "square", BASE + 30_000): 1})
        self.assertEqual(e.newest["v"][0], BASE + 50_000)

    def test_a_zone_is_the_union_of_its_polygons(self):
        ring = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
        zone = oracle.Zone("two", [[ring], [[(x + 1.0, y) for x, y in ring]]])
        self.assertEqual([zone.contains(x, 1.0) for x in (0.5, 1.5, 2.5, 3.5)], [True, True, True, False])

    def test_rejections(self):
        e = self.compute(fix("yesterday"), fix(1, lat=91), fix(1, lon=181), fix(1, lat=0, lon=0), fix(1, speed=1e9),
                         dict(fix(1), heading=720), dict(fix(1), timestamp=12_345), fix(1_060_001), fix(10_000),
                         fix(11_000, lat=51.5))
        self.assertEqual(sorted(rule for _, _, rule in e.dead_letters),
                         ["future_time", "heading_out_of_range", "implied_speed", "latitude_out_of_range",
                          "longitude_out_of_range", "null_island", "past_time", "speed_out_of_range", "unparseable_time"])


if __name__ == "__main__":
    unittest.main()
