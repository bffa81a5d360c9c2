#!/usr/bin/env python3
"""The documents do what they show: the blocks marked `sh test` of each run in order against a started product of its own.

A block must end with 0 and, when a `text` block follows, print what that one shows: `...` stands for anything, and numbers of ten
and more digits (times) are not compared. A block that only reads is right at once, unless the words since the last write say "a moment": then it
is repeated until it shows that, as views follow the topics.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))
import product  # noqa: E402: found through the path above

BLOCK = re.compile(r"^```sh test\n(.*?)^```\n(?:\n*^```text\n(.*?)^```\n)?", re.S | re.M)
READ_TIMEOUT_S = 20
COMMAND_TIMEOUT_S = 60


def blocks(text):
    """(commands, what they show or None, whether that may take a moment), in order."""
    out, said, end = [], "", 0
    for found in BLOCK.finditer(text):
        said += text[end:found.start()]
        end = found.end()
        out.append((found.group(1), found.group(2), re.search(r"\ba moment\b", said, re.I) is not None))
        if not only_reads(found.group(1)):
            said = ""
    return out


def without_times(text):
    return re.sub(r"\d{10,}", "TIME", text)


def first_missing(shown, output):
    """The first piece of `shown` that `output` does not have after the pieces before it; None when it has all."""
    at = 0
    output = without_times(output)
    for line in without_times(shown).splitlines():
        for piece in filter(None, (part.strip() for part in line.split("..."))):
            found = output.find(piece, at)
            if found < 0:
                return piece
            at = found + len(piece)
    return None


def only_reads(commands):
    return not re.search(r" -d | --data| -X P| -X D| replay |<<", commands)


class Comparison(unittest.TestCase):
    def test_pieces_are_found_in_order(self):
        cases = [
            ("a 1\n", "a 1\n", None),
            ("a ... c\n", "a b c\n", None),
            ("c ... a\n", "a b c\n", "a"),
            ('{"t":1795262984000}', '{"t":1795262999999}', None),
            ("a\nb\n", "b\na\n", "b"),
        ]
        for shown, output, missing in cases:
            with self.subTest(shown=shown):
                self.assertEqual(first_missing(shown, output), missing)

    def test_blocks_are_read_with_what_they_show(self):
        text = "```sh test\na\n```\n\n```text\nA\n```\n```sh\nb\n```\n```sh test\nc\n```\nwords\n```text\nD\n```\n"
        self.assertEqual(blocks(text), [("a\n", "A\n", False), ("c\n", None, False)])

    def test_what_takes_a_moment_is_said_since_the_last_write(self):
        read, write = "```sh test\ncurl -s x\n```\n", "```sh test\ncurl -s x -d y\n```\n"
        text = write + "A moment later:\n" + read + "and:\n" + read + write + "At once:\n" + read
        self.assertEqual([moment for _, _, moment in blocks(text)], [False, True, True, True, False])


class Documents(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-documents-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.muir = product.Product(self.folder)
        self.addCleanup(lambda: self.muir.process and self.muir.process.poll() is None and self.muir.kill())
        self.functions = ""

    def here(self, commands):
        """The commands with this product's ports and binary in place of the defaults."""
        for default, port in ((8080, self.muir.http_port), (9092, self.muir.broker_port), (8081, self.muir.registry_port)):
            for host in ("localhost", "127.0.0.1"):
                commands = commands.replace(f"{host}:{default}", f"127.0.0.1:{port}")
        commands = commands.replace("build/bin/muir", str(product.BINARY))
        return commands.replace("vts replay", f"vts replay --url {self.muir.url}")

    def run_once(self, commands):
        done = subprocess.run(["bash", "-c", self.functions + self.here(commands)], capture_output=True, text=True, cwd=self.folder,
                              timeout=COMMAND_TIMEOUT_S)
        self.assertEqual(done.returncode, 0, f"{commands}{done.stdout}{done.stderr}")
        return done.stdout

    def run_block(self, commands, shown, moment):
        if re.search(r"^\w+\(\)", commands, re.M):
            self.functions += self.here(commands)
            return
        deadline = time.monotonic() + (READ_TIMEOUT_S if moment and only_reads(commands) else 0)
        while True:
            output = self.run_once(commands)
            missing = None if shown is None else first_missing(shown, output)
            if missing is None:
                return
            if time.monotonic() > deadline:
                self.fail(f"{commands}printed\n{output}\nwhich has no (or not in this order)\n{missing}")
            time.sleep(0.1)

    def test_the_tutorial(self):
        self.run_document("docs/tutorial.md", at_least=10)

    def test_the_rest_reference(self):
        self.run_document("docs/reference/rest.md", at_least=18, then=self.every_schema_is_documented)

    def test_the_guide_to_vehicle_tracking(self):
        self.run_document("docs/guide/vts.md", at_least=4)

    def registry(self, path):
        with urllib.request.urlopen(self.muir.registry_url + path, timeout=10) as answer:
            return json.load(answer)

    def every_schema_is_documented(self):
        """By now every topic has had a record, and its schema is registered."""
        text = (REPOSITORY / "docs" / "formats" / "vts-topics.md").read_text()
        subjects = self.registry("/subjects")
        self.assertGreaterEqual(len(subjects), 10)
        for subject in subjects:
            schema = json.loads(self.registry(f"/subjects/{subject}/versions/latest")["schema"])
            topic = subject.removesuffix("-value").removesuffix("-key")
            with self.subTest(subject=subject):
                self.assertIn(f"`{topic}`", text)
                if not isinstance(schema, dict) or "fields" not in schema:
                    continue
                self.assertIn(schema["name"], text)
                if not topic.startswith("muir-vts-"):  # internal ones are named, and described in words
                    self.assertEqual([f["name"] for f in schema["fields"] if f"`{f['name']}`" not in text], [])

    def run_document(self, path, at_least, then=None):
        found = blocks((REPOSITORY / path).read_text())
        self.assertGreaterEqual(len(found), at_least)
        self.muir.start()
        for commands, shown, moment in found:
            with self.subTest(commands=commands):
                self.run_block(commands, shown, moment)
        if then is not None:
            then()
        self.assertEqual(self.muir.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
