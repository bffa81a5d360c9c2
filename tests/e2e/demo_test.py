#!/usr/bin/env python3
"""`muir up` as a user starts it: the recorded buses move on the page of a real browser, a card opens, alerts appear."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import product


class Demo(unittest.TestCase):
    def test_the_page_shows_the_replayed_buses(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-demo-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        muir = product.Product(folder, demo=True)
        self.addCleanup(lambda: muir.process and muir.process.poll() is None and muir.kill())
        muir.start()
        muir.wait(lambda: muir.get("/api/v1/stats")["demo"], 60, "the demo")
        self.assertIn("City of Warsaw", muir.get("/api/v1/stats")["attribution"])
        muir.wait(lambda: len(muir.get("/api/v1/vehicles")["vehicles"]) > 500, 120, "the fleet")
        muir.wait(lambda: muir.get("/api/v1/alerts")["alerts"], 120, "an alert")
        picture = os.environ.get("MUIR_SCREENSHOT", str(folder / "map.png"))
        seen = subprocess.run([product.REPOSITORY / "tests/browser/run.sh", muir.url + "/", picture], capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(seen.returncode, 0, seen.stdout + seen.stderr)
        self.assertGreater(pathlib.Path(picture).stat().st_size, 50_000)
        self.assertEqual(muir.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
