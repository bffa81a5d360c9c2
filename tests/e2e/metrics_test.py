#!/usr/bin/env python3
"""Metrics of the real program, as Prometheus reads them: both formats, the guide's rules, a scrape."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import product  # noqa: E402: found through the path above

PROMETHEUS = product.REPOSITORY / "build" / "prometheus"
GUIDE = product.REPOSITORY / "docs" / "guide" / "metrics.md"


def blocks_of_guide():
    return re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.S)


def promtool(*words, text=""):
    return subprocess.run([PROMETHEUS / "promtool", *words], input=text, capture_output=True, text=True, timeout=60)


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([product.REPOSITORY / "tools" / "fetch_prometheus.sh"], check=True)
        cls.folder = tempfile.TemporaryDirectory(prefix="muir-metrics-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "muir").mkdir()
        cls.muir = product.Product(cls.path / "muir").start()
        cls.addClassCleanup(cls.muir.stop)
        gateway = product.Gateway(cls.muir)
        gateway.post([{"vehicleId": "V\"1\\", "lat": 52.2, "lon": 21, "timestamp": 1767268800000},
                      {"vehicleId": "V1", "lat": 91, "lon": 21, "timestamp": 1767268800000}])
        # What the topology does with them shows that its stores are open, too.
        cls.muir.wait(lambda: "\nmuir_vts_positions_received_total 2\n" in cls.scrape(cls.muir.url)[1], 60, "the positions to be counted")

    @staticmethod
    def scrape(url, accept="text/plain"):
        with urllib.request.urlopen(urllib.request.Request(f"{url}/metrics", headers={"Accept": accept})) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def test_the_text_has_no_fault_that_promtool_finds(self):
        for url in (self.muir.url, self.muir.registry_url):
            kind, text = self.scrape(url)
            self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
            checked = promtool("check", "metrics", text=text)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_every_part_shows_itself(self):
        _, text = self.scrape(self.muir.url)
        for name in ("process_cpu_seconds_total", "muir_build_info", "muir_broker_requests_total", "muir_log_damaged_places",
                     "muir_http_requests_total", "muir_net_connections", "muir_registry_subjects", "muir_streams_state",
                     "muir_store_block_cache_bytes", "muir_vts_gateway_received_total"):
            self.assertTrue(re.search(rf"(?m)^{name}(\{{| )", text), name)

    def test_the_guide_names_what_there_is(self):
        _, text = self.scrape(self.muir.url)
        there = set(re.findall(r"(?m)^# TYPE (\S+) ", text))
        named = set(re.findall(r"`(muir_[a-z_]+[a-z])`", GUIDE.read_text()))
        # What is shown only once something is wrong, or somebody is refused.
        rare = {"muir_log_partition_damaged_bytes", "muir_broker_request_errors_total", "muir_vts_records_rejected_total"}
        self.assertEqual(named - there - rare, set())

    def test_prometheus_scrapes_it_and_takes_the_rules_of_the_guide(self):
        port, = product.cluster.free_ports(1)
        scrape, rules = blocks_of_guide()[0], next(block for block in blocks_of_guide() if "alert:" in block)
        (self.path / "rules.yml").write_text(rules)
        checked = promtool("check", "rules", str(self.path / "rules.yml"))
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        config = scrape.replace("scrape_interval: 15s", "scrape_interval: 1s").replace("localhost:8080", f"localhost:{self.muir.http_port}")
        (self.path / "prometheus.yml").write_text(f"rule_files: [{self.path}/rules.yml]\n" + config)
        server = subprocess.Popen([PROMETHEUS / "prometheus", f"--config.file={self.path}/prometheus.yml",
                                   f"--storage.tsdb.path={self.path}/tsdb", f"--web.listen-address=127.0.0.1:{port}"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=product.cluster.die_with_parent)
        try:
            def query(expression):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}") as answer:
                        return [float(found["value"][1]) for found in json.load(answer)["data"]["result"]]
                except (urllib.error.URLError, ConnectionError):
                    return []
            def scraped():
                self.assertIsNone(server.poll(), "prometheus has ended")
                return query("up") == [1.0] and query('muir_broker_requests_total{api="Produce"}')
            self.muir.wait(scraped, 60, "prometheus to scrape")
            self.assertEqual(query("muir_vts_gateway_received_total"), [2.0])
            self.assertEqual(query("muir_log_damaged_places"), [0.0])
            self.assertEqual(query('count(muir_http_requests_total{route="/metrics",code="200"})'), [1.0])
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    unittest.main()
