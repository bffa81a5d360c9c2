#!/usr/bin/env python3
"""The guide to TLS does what it shows: its certificates are made, its broker is started with its file, its clients are let in.

Blocks `sh test` run in order and must end with 0 and print what a following `text` block shows; blocks `properties` become the files that the
guide names; the block `sh server` runs beside them until the end.
"""
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))
import product  # noqa: E402: found through the path above

BLOCK = re.compile(r"^```(sh test|sh server|properties)\n(.*?)^```\n(?:\n*^```text\n(.*?)^```\n)?", re.S | re.M)
FILES = ("broker.properties", "client.properties", "fleet.properties")  # in the order of the blocks
START_TIMEOUT_S = 60


class Guide(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-tls-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.ports = dict(zip(("9092", "9093", "9404", "8080", "8081"), product.cluster.free_ports(5)))
        self.server = None
        self.addCleanup(self.stop)

    def here(self, text):
        for default, port in self.ports.items():
            text = re.sub(rf"(?<=[:=]){default}\b", str(port), text)
        return text.replace("muir vts replay", f"{product.BINARY} vts replay")

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            self.assertEqual(self.server.wait(30), 0)

    def serve(self, commands):
        self.stop()
        words = commands.split()
        self.assertEqual(words[0], "muir")
        log = self.folder / "muir.log"
        with open(log, "wb") as out:
            self.server = subprocess.Popen([str(product.BINARY), *words[1:], "--data", "data"], stdout=out, stderr=subprocess.STDOUT,
                                           stdin=subprocess.DEVNULL, cwd=self.folder, preexec_fn=product.cluster.die_with_parent)
        deadline = time.monotonic() + START_TIMEOUT_S
        while "is running" not in log.read_text():
            self.assertIsNone(self.server.poll(), log.read_text())
            self.assertLess(time.monotonic(), deadline, log.read_text())
            time.sleep(0.05)

    def run_block(self, commands, shown):
        done = subprocess.run(["bash", "-c", self.here(commands)], capture_output=True, text=True, cwd=self.folder, timeout=60)
        self.assertEqual(done.returncode, 0, f"{commands}{done.stdout}{done.stderr}")
        if shown is not None:
            self.assertEqual(done.stdout.rstrip("\n"), shown.rstrip("\n"), commands + done.stderr)

    def registry_over_tls(self):
        """A part of Muir's own with the client's file: the registry keeps its topic on the broker."""
        registry = subprocess.Popen(
            [str(product.BINARY), "registry", "--bootstrap-servers", self.here("localhost:9093"), "--config", "client.properties",
             "--registry-port", "0", "--output", "json"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, cwd=self.folder,
            preexec_fn=product.cluster.die_with_parent)
        try:
            lines = []
            for line in registry.stdout:
                lines.append(line)
                if "schemaRegistryUrl" in line:
                    break
            self.assertIn("schemaRegistryUrl", "".join(lines))
        finally:
            registry.send_signal(signal.SIGINT)
            self.assertEqual(registry.wait(30), 0)
            registry.stdout.close()

    def test_what_it_shows(self):
        files = list(FILES)
        blocks = BLOCK.findall((REPOSITORY / "docs" / "guide" / "tls.md").read_text())
        self.assertGreaterEqual(len(blocks), 8)
        for kind, text, shown in blocks:
            with self.subTest(block=text):
                if kind == "properties":
                    (self.folder / files.pop(0)).write_text(self.here(text))
                elif kind == "sh server":
                    if self.server is not None:
                        self.registry_over_tls()
                        self.assertIn("the peer gave no certificate, and one is required", (self.folder / "muir.log").read_text())
                    self.serve(text)
                else:
                    self.run_block(text, shown or None)
        self.assertEqual(files, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
