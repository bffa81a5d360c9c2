#!/usr/bin/env python3
"""The examples as programs, on our broker: what goes in with kcat, and what comes out. Their timelines are tested without one."""
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import product  # noqa: E402: found through the path above

sys.path.insert(0, str(product.REPOSITORY / "testing" / "kafka"))
import cluster  # noqa: E402

PROGRAMS = pathlib.Path(os.environ.get("MUIR_EXAMPLES", product.BINARY.parent))
TIMEOUT_S = 60

# Program, rows of tables, records, what is then written. Tables are read beside the records, so records that find no row yet are
# sent again until what they lead to is there.
EXAMPLES = [
    ("orders",
     [("users", 'ann:{"country":"PL","tier":"premium"}')],
     [("orders", 'o1:{"user":"ann","product":"tea","quantity":2,"unit_cents":995}'), ("orders", "o2:no order"),
      ("orders", 'o3:{"user":"ann","product":"tea","quantity":0,"unit_cents":995}')],
     [("orders-premium", 'ann:{"product":"tea","quantity":2,"country":"PL","tier":"premium","total_cents":1990,'
                         '"discount_cents":199,"to_pay_cents":1791}'),
      ("orders-dead", "o2:no order"),
      ("orders-refused", 'o3:{"reason":"quantity not within 1 and 1000","order":{"user":"ann","product":"tea","quantity":0,'
                         '"unit_cents":995}}')]),
    ("clicked_ads",
     [("ads", 'ad1:{"campaign":"spring"}')],
     [("ad-views", 'v1:{"ad":"ad1","page":"/news"}'), ("ad-clicks", 'v1:{"user":"ann"}')],
     [("ad-results", 'v1:{"campaign":"spring","page":"/news","clicked_by":"ann"}')]),
    ("dead_letters",
     [],
     [("charges", 'c1:{"account":"a1","cents":500}'), ("charges", 'c2:{"account":"a1","amount":"12.50"}')],
     [("charges-accepted", 'c1:{"account":"a1","cents":500}'), ("charges-dead", 'c2:{"account":"a1","amount":"12.50"}')]),
    ("event_sourcing",
     [],
     [("account-commands", 'acc-1:{"id":"c1","ask":"open"}'), ("account-commands", 'acc-1:{"id":"c2","ask":"deposit","cents":500}'),
      ("account-commands", 'acc-1:{"id":"c3","ask":"withdraw","cents":501}')],
     [("account-events", 'acc-1:{"command":"c2","version":2,"what":"deposit","cents":500}'),
      ("account-rejections", 'acc-1:{"command":"c3","why":"500 cents left"}')]),
]


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-examples-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.muir = product.Product(cls.folder)
        cls.muir.start()
        cls.addClassCleanup(cls.muir.stop)

    def start(self, *words):
        """The program, until the test is over; it has to end by itself when told to."""
        name = "-".join(words)
        log = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen([str(PROGRAMS / words[0]), *words[1:], self.muir.bootstrap, f"state.dir={self.folder / name}"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                   preexec_fn=cluster.die_with_parent)
        self.addCleanup(log.close)
        self.addCleanup(self.end, process, name)
        return process

    def end(self, process, name):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0, (self.folder / f"{name}.log").read_text(errors="replace"))

    def kcat(self, *words, text=None):
        done = subprocess.run(["kcat", "-b", self.muir.bootstrap, "-q", *words], input=text, capture_output=True, text=True, timeout=TIMEOUT_S)
        return done.stdout

    def send(self, records):
        for topic, line in records:
            self.kcat("-P", "-t", topic, "-K:", text=line + "\n")

    def lines(self, topic):
        return self.kcat("-C", "-t", topic, "-e", "-o", "beginning", "-f", "%k:%s\n").splitlines()

    def missing(self, wanted):
        return [(topic, line) for topic, line in wanted if line not in self.lines(topic)]

    def until(self, condition, what, between=None):
        """`between` is done now and then as long as the condition does not hold."""
        looks = itertools.count(1)

        def holds():
            if condition():
                return True
            if between and next(looks) % 10 == 0:
                between()
            return False
        self.muir.wait(holds, TIMEOUT_S, what)

    def run_example(self, name, tables, records, wanted):
        self.send(tables)
        self.send(records)
        self.until(lambda: not self.missing(wanted), f"{name} to write {wanted}", between=(lambda: self.send(records)) if tables else None)

    def test_what_goes_in_comes_out(self):
        for name, tables, records, wanted in EXAMPLES:
            with self.subTest(name):
                self.start(name)
                self.run_example(name, tables, records, wanted)

    def test_dead_letters_are_tried_again(self):
        self.start("dead_letters")
        self.send([("charges", 'r1:{"account":"a1","amount":"0.07"}')])
        self.start("dead_letters", "redrive")
        wanted = [("charges-accepted", 'r1:{"account":"a1","cents":7}')]
        self.until(lambda: not self.missing(wanted), "the mended charge to be accepted")

    def test_views_answer_questions(self):
        accounts = self.start("event_sourcing")
        self.send([("account-commands", 'q1:{"id":"1","ask":"open"}'), ("account-commands", 'q1:{"id":"2","ask":"deposit","cents":7}')])

        def ask(question):
            accounts.stdin.write(question + "\n")
            accounts.stdin.flush()
            return accounts.stdout.readline().strip()

        want = '{"open":true,"cents":7,"deposits":1,"withdrawals":0,"version":2}'
        self.until(lambda: ask("q1") == want, f"q1 to be {want}")
        self.assertEqual(ask("nobody"), "no nobody")

    def test_mistakes_are_told(self):
        for words, code, said in [(["--help"], 0, "missing topics are made"), (["localhost:9092", "threads"], 2, "threads is no KEY=VALUE"),
                                  (["localhost:9092", "num.stream.threads=none"], 1, "num.stream.threads")]:
            with self.subTest(words=words):
                done = subprocess.run([str(PROGRAMS / "orders"), *words], capture_output=True, text=True, timeout=TIMEOUT_S)
                self.assertEqual(done.returncode, code)
                self.assertIn(said, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
