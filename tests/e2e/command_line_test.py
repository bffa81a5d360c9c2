#!/usr/bin/env python3
"""The command line: what is wrong is said before anything is written, help teaches, programs get JSON, Ctrl-C ends."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import product  # noqa: E402: found through the path above

sys.path.insert(0, str(product.REPOSITORY / "tools"))
import reference  # noqa: E402

COMMANDS = (["config"], ["up"], ["broker"], ["registry"], ["vts"], ["vts", "replay"])


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-command-line-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"

    def run_muir(self, *words, environment=None, timeout=60):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MUIR_")}
        return subprocess.run([str(product.BINARY), *words], capture_output=True, text=True, timeout=timeout, cwd=self.folder,
                              stdin=subprocess.DEVNULL, env={**kept, **(environment or {})})

    def start(self, *words):
        http, broker, registry = product.cluster.free_ports(3)
        process = subprocess.Popen([str(product.BINARY), "up", "--no-demo", "--data", str(self.data), "--http-port", str(http),
                                    "--broker-port", str(broker), "--registry-port", str(registry), *words], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, cwd=self.folder,
                                   preexec_fn=product.cluster.die_with_parent)
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.wait(), process.stdout.close(), process.stderr.close()))
        return process, http

    def test_what_is_wrong_in_the_configuration_is_said_before_anything_is_written(self):
        (self.folder / "bad.properties").write_text("vts.partitions=many\n")
        (self.folder / "broken.properties").write_text("a=\\u12\n")
        cases = [  # words, environment, what the message names
            (["up", "--set", "num.partitions=many"], {}, "num.partitions=many"),
            (["up", "--set", "log.retention.hours=soon"], {}, "log.retention.hours=soon"),
            (["up", "--set", "advertised.listeners=nowhere"], {}, "nowhere"),
            (["up", "--set", "vts.partitions=0"], {}, "vts.partitions"),
            (["up", "--set", "vts.http.port=x"], {}, "vts.http.port"),
            (["up", "--set", "vts.http.allowed.origins=fleet.example.com"], {}, "vts.http.allowed.origins"),
            (["up", "--set", "metrics.listeners=localhost:9404"], {}, "metrics.listeners: 'localhost:9404'"),
            (["broker", "--set", "metrics.listeners=none,servers"], {}, "metrics.listeners: 'none'"),
            (["up", "--set", "processing.guarantee=twice"], {}, "processing.guarantee"),
            (["up", "--set", "security.protocol=CARRIER_PIGEON"], {}, "CARRIER_PIGEON"),
            (["up", "--set", "no equals sign"], {}, "no equals sign"),
            (["up", "--config", "bad.properties"], {}, "vts.partitions"),
            (["up", "--config", "broken.properties"], {}, "broken.properties"),
            (["up", "--config", "missing.properties"], {}, "missing.properties"),
            (["up"], {"MUIR_VTS_PARTITIONS": "many"}, "vts.partitions"),
            (["up", "--config", "."], {}, "configuration file . cannot be read: Is a directory"),
            *[(["up", option, ""], {}, f"{option}: is empty") for option in
              ("--host", "--data", "--config", "--web-dir", "--bootstrap-servers", "--schema-registry-url")],
            (["broker", "--host", ""], {}, "--host: is empty"),
            (["broker", "--set", "metrics.listeners=http://:9404"], {}, "metrics.listeners"),
            (["registry", "--host", " ", "--bootstrap-servers", "localhost:9"], {}, "--host: is empty"),
            (["registry", "--bootstrap-servers", "localhost:9", "--set", "listeners=http://:8081"], {}, "no host"),
            (["vts", "--set", "state.dir="], {}, "state.dir"),
            (["config", "--set", "vts.http.host=999.1.1.1"], {}, "999.1.1.1"),
            (["up", "--http-port", "9000", "--broker-port", "9000"], {}, "--http-port and --broker-port are both 9000"),
            *[(["up", "--http-port", value], {}, f"--http-port: '{value}' is no whole number from 0 to 65535") for value in
              ("70000", "", " ", "80x", "0x50", "1e3", "8_0", "-1", "80,81", "80 81", "99999999999999999999", "80.0", "\u0668\u0660")],
            *[(["vts", "replay", "x.csv", "--batch", value], {}, f"--batch: '{value}' is no whole number from 1 to 10000") for value in
              ("0", "10001", "5 kB", "0x10", "")],
            (["up", "--http-port", "8080", "--http-port", "8081"], {}, "--http-port"),
            (["up", "--no-demo=5"], {}, "no-demo was given a disallowed flag override"),
            (["vts", "replay", "x.csv", "--keep-times=maybe"], {}, "keep-times was given a disallowed flag override"),
            (["vts", "replay", ""], {}, "file: is empty"),
            (["vts", "replay", "x.csv", "--ca-file", ""], {}, "--ca-file: is empty"),
            (["vts", "replay", "x.csv", "--url", ""], {}, "URL ''"),
            (["config", "--reference", "speed"], {}, "word excludes --reference"),
            (["config", "--reference", "--output", "json"], {}, "--output excludes --reference"),
            (["config", "--set", ""], {}, "'' is not key=value"),
            (["config", "--set", "=3"], {}, "'=3' is not key=value"),
            (["config", "--set", "num.partitions"], {}, "'num.partitions' is not key=value"),
            *[(["up", "--set", f"num.partitions={value}"], {}, "num.partitions") for value in ("3 GB", "0x10", "1e1", "1_0", "\u0663", "")],
            (["up", "--set", "log.retention.hours=5h"], {}, "log.retention.hours=5h: expected a whole number"),
            (["up", "--output", "xml"], {}, "--output"),
            (["broker", "--set", "num.partitions=many"], {}, "num.partitions=many"),
            (["registry", "--bootstrap-servers", "localhost:9", "--set", "num.stream.threads=none"], {}, "num.stream.threads"),
            (["vts", "--set", "vts.speed.limit.kmh=fast"], {}, "vts.speed.limit.kmh"),
            (["up", "--set", "vts.speed.limit.kmh=-5"], {}, "vts.speed.limit.kmh=-5: expected a number above 0 and below 1000"),
            (["up", "--set", "vts.speed.limit.kmh=nan"], {}, "vts.speed.limit.kmh=nan"),
            (["up", "--set", "vts.implied.speed.limit.kmh=0"], {}, "vts.implied.speed.limit.kmh=0"),
            (["up", "--set", "vts.future.limit.ms=9223372036854775807"], {}, "vts.future.limit.ms"),
            (["up", "--set", "vts.http.host="], {}, "vts.http.host"),
            (["up", "--set", "num.partitions=0"], {}, "num.partitions=0"),
            (["up", "--set", "listeners="], {}, "listeners=: at least one is needed"),
            (["up", "--set", "schema.registry.url=ftp://x"], {}, "schema.registry.url=ftp://x: URL 'ftp://x': does not begin with http://"),
            (["broker", "--set", "log.dirs="], {}, "log.dirs=: at least one is needed"),
            (["broker", "--set", "metrics.listeners="], {}, "metrics.listeners=: expected something"),
            (["up", "--set", "fetch.max.bytes=100"], {}, "fetch.max.bytes=100"),
            (["up", "--set", "log.retention.hours=0"], {}, "log.retention.hours=0"),
            (["up", "--set", "group.min.session.timeout.ms=9999999"], {}, "group.min.session.timeout.ms"),
            (["up", "--set", "commit.interval.ms=-1"], {}, "commit.interval.ms"),
            (["up", "--set", "producer.acks=0"], {}, "producer.acks=0: expected all, which enable.idempotence=true needs"),
            (["up", "--set", "producer.delivery.timeout.ms=10"], {}, "producer.delivery.timeout.ms=10: expected at least linger.ms"),
            (["up", "--set", "topic.segment.bytes=1"], {}, "topic.segment.bytes=1: expected a whole number from 14 to 2147483647"),
            (["up", "--set", "topic.min.compaction.lag.ms=9", "--set", "topic.max.compaction.lag.ms=5"], {},
             "topic.*: conflict topic config setting min.compaction.lag.ms (9) > max.compaction.lag.ms (5)"),
            (["up", "--set", "topic.segment.byte=1"], {}, "topic.segment.byte=1: there is no configuration key segment.byte of topics"),
            (["up", "--set", "consumer.rdkafka.enable.auto.commit=true"], {}, "consumer.rdkafka.enable.auto.commit=true: is decided by the client"),
            (["up", "--set", "rdkafka.debug=nothing at all"], {}, "rdkafka.debug=nothing at all"),
            (["up", "--set", "replication.factor=3"], {}, "replication.factor=3: there is one broker"),
            (["up", "--set", "group.min.session.timeout.ms=60000"], {}, "session.timeout.ms=45000: is less than 60000, the broker's group.min"),
            (["up", "--set", "max.connections=20"], {}, "max.connections=20: is less than 36, what the program's own clients need"),
            (["up", "--set", "socket.request.max.bytes=1"], {}, "socket.request.max.bytes=1: is less than 1048576"),
            (["up", "--set", "offset.metadata.max.bytes=0"], {}, "offset.metadata.max.bytes=0: is less than 1024"),
            (["up", "--set", "transaction.max.timeout.ms=5000"], {}, "transaction.max.timeout.ms=5000: is less than 10000, transaction.timeout.ms"),
            (["up", "--set", "offsets.topic.num.partitions=100000000"], {}, "offsets.topic.num.partitions=100000000: expected a whole number from 1 to 10000"),
            (["up", "--set", "num.network.threads=1000000"], {}, "num.network.threads=1000000: expected a whole number from 1 to 256"),
            (["broker", "--set", "max.partitions=99"], {}, "max.partitions=99: is less than 100"),
            (["broker", "--set", "log.cleaner.min.compaction.lag.ms=100", "--set", "log.cleaner.max.compaction.lag.ms=50"], {},
             "log.cleaner.min.compaction.lag.ms=100: above log.cleaner.max.compaction.lag.ms=50"),
            (["up", "--set", "consumer.heartbeat.interval.ms=45000"], {}, "heartbeat.interval.ms"),
            (["up", "--set", "vts.partitions=2", "stray"], {}, "stray"),
            (["up", "--web-dir", "nowhere"], {}, "--web-dir"),
            (["vts", "replay", "x.csv", "--speed", "inf"], {}, "--speed inf"),
            (["vts", "replay", "x.csv", "--speed", "-1"], {}, "--speed -1"),
            (["registry"], {}, "--bootstrap-servers"),
            (["up", "--no-dmeo"], {}, "--no-dmeo"),
            (["upp"], {}, "did you mean 'up'?"),
            ([], {}, "subcommand"),
        ]
        for words, environment, named in cases:
            with self.subTest(words=words, environment=environment):
                shutil.rmtree(self.data, ignore_errors=True)
                data = [] if words[:2] == ["vts", "replay"] or words[:1] not in (["up"], ["broker"], ["registry"], ["vts"]) else ["--data", str(self.data)]
                done = self.run_muir(*words, *data, environment=environment)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(named, done.stdout + done.stderr)
                self.assertFalse(self.data.exists(), "something was written")

    def test_unknown_keys_are_warned_about_with_where_they_were_given(self):
        (self.folder / "muir.properties").write_text("num.partition=3\n")
        done = self.run_muir("up", "--data", str(self.data), "--config", "muir.properties", "--set", "vts.partitionz=3", "--set", "vts.partitions=0",
                             environment={"MUIR_NUM_STREAM_THREAD": "2"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown configuration key 'num.partition' (muir.properties); did you mean 'num.partitions'?", done.stderr)
        self.assertIn("unknown configuration key 'vts.partitionz' (--set); did you mean 'vts.partitions'?", done.stderr)
        self.assertIn("unknown configuration key 'num.stream.thread' (environment); did you mean 'num.stream.threads'?", done.stderr)

    def test_a_word_after_a_setting_is_a_word(self):
        for words in (["config", "--set", "num.partitions=3", "num.partitions"], ["config", "num.partitions", "--set", "num.partitions=3"],
                      ["config", "--set", "vts.partitions=2", "--set", "num.partitions=3", "num.partitions", "--output", "table"]):
            with self.subTest(words=words):
                done = self.run_muir(*words)
                self.assertEqual(done.returncode, 0, done.stderr)
                rows = done.stdout.splitlines()[1:]
                self.assertTrue(all("num.partitions" in row for row in rows), done.stdout)
                self.assertRegex(done.stdout, r"(?m)^num.partitions +3 +--set ")

    def test_the_broker_lies_where_log_dirs_says_and_has_the_id_of_node_id(self):
        topics = self.folder / "topics"
        (self.folder / "server.properties").write_text(f"node.id=7\nlog.dirs={topics}\n")
        port, = product.cluster.free_ports(1)
        words = ["broker", "--broker-port", str(port), "--config", "server.properties"]
        with open(self.folder / "broker.log", "wb") as out:
            broker = subprocess.Popen([str(product.BINARY), *words, "--output", "json"], stdout=subprocess.PIPE, stderr=out, cwd=self.folder,
                                      stdin=subprocess.DEVNULL, preexec_fn=product.cluster.die_with_parent)
        self.addCleanup(lambda: (broker.kill(), broker.wait(), broker.stdout.close()))
        self.assertIn(b"bootstrapServers", broker.stdout.readline())
        listed = subprocess.run(["kcat", "-L", "-J", "-b", f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual([b["id"] for b in json.loads(listed.stdout)["brokers"]], [7])
        self.assertIn("node.id=7", (topics / "meta.properties").read_text())
        self.assertFalse(self.data.exists(), "there is a second folder")
        broker.send_signal(signal.SIGTERM)
        self.assertEqual(broker.wait(timeout=60), 0)
        for more, code, message in (
                (["--set", "node.id=8"], 2, "node.id=8: the data of this folder are those of node.id=7"),
                (["--data", "data"], 2, "both name the broker's folder"),
                (["--set", "log.dirs=a,b"], 2, "one data folder is supported"),
                (["--set", "authorizer.class.name=x"], 2, "neither SASL nor ACLs")):
            with self.subTest(message=message):
                done = self.run_muir(*words, *more)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(message, done.stderr)

    def test_where_the_peers_of_vehicle_tracking_are_may_stand_in_the_configuration(self):
        broker, registry = product.cluster.free_ports(2)
        (self.folder / "peers.properties").write_text(f"bootstrap.servers=127.0.0.1:{broker}\nschema.registry.url=http://127.0.0.1:{registry}\n")
        with open(self.folder / "broker.log", "wb") as out:
            process = subprocess.Popen([str(product.BINARY), "broker", "--data", str(self.folder / "cluster"), "--broker-port", str(broker),
                                        "--output", "json", "--set", "metrics.listeners=none"], stdout=subprocess.PIPE, stderr=out, cwd=self.folder,
                                       stdin=subprocess.DEVNULL, preexec_fn=product.cluster.die_with_parent)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        self.assertIn(b"bootstrapServers", process.stdout.readline())
        self.assertNotIn("metrics.listeners", (self.folder / "broker.log").read_text(), "a key that has an effect is warned of")
        done = self.run_muir("vts", "--config", "peers.properties", "--http-port", "0", "--data", str(self.data))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"http://127.0.0.1:{registry}", done.stderr)
        self.assertNotIn("8081", done.stderr)

    def free_ports(self):
        return dict(zip(("--http-port", "--broker-port", "--registry-port"), map(str, product.cluster.free_ports(3))))

    def test_what_stands_in_the_way_of_a_start_is_noticed_before_anything_is_written(self):
        file = self.folder / "file"
        file.write_text("")
        lonely = self.folder / "bin" / "muir"  # no demo around it
        lonely.parent.mkdir()
        shutil.copy(product.BINARY, lonely)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            busy = str(taken.getsockname()[1])
            for option in ("--http-port", "--broker-port", "--registry-port"):
                with self.subTest(option=option):
                    ports = {**self.free_ports(), option: busy}
                    done = self.run_muir("up", "--no-demo", "--data", str(self.data), *(word for pair in ports.items() for word in pair))
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn(f"{option} (it was {busy})", done.stderr)
                    self.assertFalse(self.data.exists(), "something was written")
        words = [word for pair in self.free_ports().items() for word in pair]
        done = subprocess.run([str(lonely), "up", "--data", str(self.data), *words], capture_output=True, text=True, timeout=60, cwd=self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--no-demo", done.stderr)
        self.assertFalse(self.data.exists(), "something was written")
        done = self.run_muir("up", "--no-demo", "--data", str(file / "data"), *words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("choose another one with --data", done.stderr)

    def test_a_listener_without_its_certificate_is_noticed_before_anything_is_written(self):
        for settings, message in ((["listeners=SSL://127.0.0.1:0"], "needs a certificate"),
                                  (["listeners=PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0", "listener.name.ssl.ssl.keystore.location=none.pem"], "none.pem")):
            with self.subTest(settings=settings):
                done = self.run_muir("broker", "--data", str(self.data), *(word for one in settings for word in ("--set", one)))
                self.assertIn(done.returncode, (1, 2), done.stderr)
                self.assertIn(message, done.stderr)
                self.assertFalse(self.data.exists(), "something was written")

    def test_a_registry_that_is_not_there_is_noticed_before_topics_exist(self):
        port, free = product.cluster.free_ports(2)
        with open(self.folder / "broker.log", "wb") as out:
            broker = subprocess.Popen([str(product.BINARY), "broker", "--data", str(self.folder / "cluster"), "--broker-port", str(port)],
                                      stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder,
                                      preexec_fn=product.cluster.die_with_parent)
        self.addCleanup(lambda: (broker.kill(), broker.wait()))
        done = self.run_muir("vts", "--data", str(self.data), "--http-port", "0", "--bootstrap-servers", f"127.0.0.1:{port}", "--schema-registry-url",
                             f"http://127.0.0.1:{free}", timeout=120)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--schema-registry-url", done.stderr)
        topics = [path.name for path in (self.folder / "cluster" / "broker").iterdir() if path.name.startswith("vehicle.")]
        self.assertEqual(topics, [])

    def test_an_answer_that_cannot_be_written_is_a_failure(self):
        """What a command was asked for must arrive: full devices, pipes whose reader has gone and closed descriptors end it with 1 and why."""
        recording = self.folder / "fixes.csv"
        recording.write_text("vehicle_id,ts_ms,lat,lon\nA,1000,52.1,21.1\n")
        answers = [["config"], ["config", "partitions"], ["config", "--output", "json"], ["config", "--reference"], ["--help"], ["-h"], ["--version"],
                   *[[*command, "--help"] for command in COMMANDS]]
        for how, why in (("a full device", "No space left on device"), ("a closed pipe", "Broken pipe"), ("a closed descriptor", "Bad file descriptor")):
            for words in answers:
                with self.subTest(how=how, words=words):
                    reader, writer = os.pipe()
                    os.close(reader)
                    with open("/dev/full", "wb") as full, os.fdopen(writer, "wb") as closed:
                        done = subprocess.run([str(product.BINARY), *words], stdout={"a full device": full, "a closed pipe": closed}.get(how),
                                              stderr=subprocess.PIPE, text=True, timeout=60, cwd=self.folder,
                                              preexec_fn=(lambda: os.close(1)) if how == "a closed descriptor" else None)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertEqual(done.stderr, f"muir: standard output: {why}\n")

    def test_a_server_whose_line_of_json_cannot_be_written_ends(self):
        words = [word for pair in self.free_ports().items() for word in pair]
        with open("/dev/full", "wb") as full:
            done = subprocess.run([str(product.BINARY), "up", "--no-demo", "--data", str(self.data), *words, "--output", "json"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=120, cwd=self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("muir: standard output: No space left on device", done.stderr)

    def test_words_of_the_environment_that_nobody_knows_are_said(self):
        cases = [  # environment, what is said; nothing: all is understood
            ({"MUIR_LOG_LEVEL": "verbose"}, "MUIR_LOG_LEVEL=verbose: no level; debug, info, warn, error and off are (info is taken)"),
            ({"MUIR_LOG_LEVEL": ""}, "MUIR_LOG_LEVEL=: no level"),
            ({"MUIR_LOG_LEVEL": "5"}, "MUIR_LOG_LEVEL=5: no level"),
            ({"MUIR_LOG_LEVEL": "WARN"}, ""), ({"MUIR_LOG_LEVEL": "off"}, ""), ({"MUIR_LOG_LEVEL": "Debug"}, ""),
        ]
        for environment, said in cases:
            for words in (["config", "partitions"], ["--help"], ["--version"], ["vts", "replay", "--help"], ["up", "--help"]):
                with self.subTest(environment=environment, words=words):
                    done = self.run_muir(*words, environment=environment)
                    self.assertEqual(done.returncode, 0)
                    self.assertIn(said, done.stderr) if said else self.assertEqual(done.stderr, "")
        for name in ("MUIR_DATA", "MUIR_HTTP_PORT", "MUIR_LOGLEVEL", "MUIR_log_level"):
            with self.subTest(name=name):
                self.assertIn("unknown configuration key", self.run_muir("config", "partitions", environment={name: "x"}).stderr)

    def test_no_command_minds_that_nobody_listens_to_what_goes_wrong(self):
        """Closed pipes and closed descriptors: the exit code is what it would be."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            busy = str(taken.getsockname()[1])
            commands = [  # words, exit code
                (["config", "no such word"], 1), (["upp"], 2), ([], 2), (["up", "--http-port", "x"], 2), (["up", "--set", "num.partitions=x"], 2),
                (["up", "--data", str(self.data), "--broker-port", busy], 1), (["broker", "--data", str(self.data), "--broker-port", busy], 1),
                (["vts", "replay", "missing.csv"], 1), (["vts", "replay", "missing.csv", "--output", "json"], 1),
            ]
            for words, code in commands:
                for how in ("closed pipe", "closed descriptors"):
                    with self.subTest(words=words, how=how):
                        if how == "closed pipe":
                            reader, writer = os.pipe()
                            os.close(reader)
                            done = subprocess.run([str(product.BINARY), *words], stdout=writer, stderr=writer, timeout=60, cwd=self.folder)
                            os.close(writer)
                        else:
                            done = subprocess.run([str(product.BINARY), *words], timeout=60, cwd=self.folder,
                                                  preexec_fn=lambda: [os.close(fd) for fd in (0, 1, 2)])
                        self.assertEqual(done.returncode, code)

    def test_a_server_without_standard_streams_writes_into_no_file_of_its_own(self):
        ports = self.free_ports()
        process = subprocess.Popen([str(product.BINARY), "up", "--no-demo", "--data", str(self.data), *(word for pair in ports.items() for word in pair)],
                                   cwd=self.folder, preexec_fn=lambda: [os.close(fd) for fd in (0, 1, 2)])
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.wait()))
        muir = product.Product(self.folder)
        muir.process, muir.http_port = process, int(ports["--http-port"])
        muir.log.write_text("")
        muir.wait(lambda: muir.get("/api/v1/stats") is not None, 90, "the REST interface")
        product.Gateway(muir).post([{"vehicleId": "V1", "lat": 52.2, "lon": 21, "timestamp": 1767268800000}])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 0)
        strays = [path for path in self.data.rglob("*") if path.is_file() and re.search(rb"is running|stopping|application muir-vts is", path.read_bytes())]
        self.assertEqual(strays, [])

    def test_config_lists_keys_with_values_and_where_they_come_from(self):
        (self.folder / "fleet.properties").write_text("vts.speed.limit.kmh=70\n")
        done = self.run_muir("config", "--config", "fleet.properties", "--set", "num.stream.threads=4", "--output", "json",
                             environment={"MUIR_VTS_PARTITIONS": "8"})
        self.assertEqual(done.returncode, 0, done.stderr)
        keys = {row["key"]: row for row in json.loads(done.stdout)}
        self.assertGreater(len(keys), 60)
        self.assertEqual([(keys[k]["value"], keys[k]["from"]) for k in
                          ("vts.speed.limit.kmh", "num.stream.threads", "vts.partitions", "vts.batch.max", "log.segment.bytes")],
                         [("70", "fleet.properties"), ("4", "--set"), ("8", "environment"), ("10000", "default"), ("1073741824", "default")])
        self.assertTrue(all(row["meaning"] for row in keys.values()))
        table = self.run_muir("config", "IMPLIED")
        self.assertRegex(table.stdout, r"^KEY +VALUE +FROM +MEANING\nvts.implied.speed.limit.kmh +250 +default +a fix is rejected")
        self.assertEqual(self.run_muir("config", "no such word").returncode, 1)
        self.assertEqual(self.run_muir("config", "speed", "limit").stdout, self.run_muir("config", "speed limit").stdout)
        for words in ("partitions", "no such word"):  # of another key than what is wrong
            other = self.run_muir("config", words, "--set", "producer.acks=0", "--set", "vts.batch.max=0")
            self.assertEqual(other.returncode, 2)
            self.assertIn("producer.acks=0: expected all", other.stderr)
            self.assertIn("vts.batch.max=0: expected a whole number from 1 to 1000000", other.stderr)
        self.assertEqual(len(self.run_muir("config", "speed limit").stdout.splitlines()), 3)
        self.assertIn("PUT /api/v1/zones/{id}", self.run_muir("config", "zone").stderr)
        self.assertEqual(self.run_muir("config", "rdkafka", "--set", "rdkafka.debug=broker").stderr, "")
        wrong = self.run_muir("config", "partitions", "--set", "num.partitions=x")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("num.partitions", wrong.stdout)  # shown, so that it can be found
        hidden = self.run_muir("config", "ssl.key", "--set", "ssl.key.password=swordfish")
        self.assertNotIn("swordfish", hidden.stdout)

    def test_the_reference_is_what_is_declared(self):
        tables = reference.declared(product.BINARY)
        page = reference.sections(reference.PAGE.read_text())
        self.assertEqual(sorted(page), sorted(tables))
        for part, table in tables.items():
            self.assertEqual(page[part], table, "run tools/reference.py")

    def test_help_shows_examples_and_where_configuration_comes_from(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                done = self.run_muir(*command, "--help")
                self.assertEqual(done.returncode, 0)
                self.assertIn("Examples:\n  muir " + " ".join(command), done.stdout)
                self.assertTrue(command[-1] == "replay" or "MUIR_KEY_NAME" in done.stdout)
        self.assertIn("muir up", self.run_muir("--help").stdout)
        self.assertRegex(self.run_muir("--version").stdout, r"^muir \d+\.\d+\.\d+\n$")

    def test_programs_get_json_and_ctrl_c_ends_in_order(self):
        process, http = self.start("--output", "json")
        started = json.loads(process.stdout.readline())
        self.assertEqual(started["url"], f"http://127.0.0.1:{http}")
        self.assertEqual(started["demo"], False)
        self.assertGreater(started["startMs"], 0)
        recording = self.folder / "fixes.csv"
        recording.write_text("vehicle_id,ts_ms,lat,lon\nA,1000,52.1,21.1\nA,2000,52.1,21.1001\nB,1000,91,21\n")
        done = self.run_muir("vts", "replay", str(recording), "--speed", "max", "--url", started["url"], "--output", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual({k: summary[k] for k in ("acknowledged", "rejected", "refused", "complete")},
                         {"acknowledged": 3, "rejected": 1, "refused": 0, "complete": True})
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(out, "", "nothing but the one line of JSON")

    def test_on_an_existing_cluster_an_instance_comes_back_as_the_same_member(self):
        port = product.cluster.free_ports(1)[0]
        log = self.folder / "broker.log"
        with open(log, "wb") as out:
            broker = subprocess.Popen([str(product.BINARY), "broker", "--data", str(self.folder / "cluster"), "--broker-port", str(port)],
                                      stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder,
                                      preexec_fn=product.cluster.die_with_parent)
        self.addCleanup(lambda: (broker.kill(), broker.wait()))
        muir = product.Product(self.folder, bootstrap=f"127.0.0.1:{port}")
        self.addCleanup(lambda: muir.process and muir.process.poll() is None and muir.kill())
        muir.start()
        name = (self.folder / "data" / "instance-id").read_text().strip()
        self.assertRegex(name, r"^muir-[0-9a-f]{16}$")

        def post(vehicle):
            product.Gateway(muir).post([{"vehicleId": vehicle, "lat": 52.2, "lon": 21, "timestamp": 1767268800000}])

        post("V1")
        muir.wait(lambda: muir.get("/api/v1/stats")["accepted"] == 1, 60, "the first position")
        muir.kill()
        muir.start()
        post("V2")
        muir.wait(lambda: muir.get("/api/v1/stats")["accepted"] == 2, 60, "the position after the crash")
        self.assertEqual((self.folder / "data" / "instance-id").read_text().strip(), name)
        text = log.read_text()
        for thread in (1, 2):
            self.assertIn(f"static member {name}-{thread} comes back", text)
        self.assertNotIn("was silent for its session timeout", text)
        self.assertEqual(muir.stop(), 0)

    def test_a_hangup_ends_in_order_unless_it_is_ignored(self):
        for handling, ends_by in ((signal.SIG_DFL, signal.SIGHUP), (signal.SIG_IGN, signal.SIGTERM)):
            with self.subTest(handling=handling):
                port, = product.cluster.free_ports(1)
                process = subprocess.Popen([str(product.BINARY), "broker", "--data", str(self.data), "--broker-port", str(port)], text=True,
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=self.folder,
                                           preexec_fn=lambda: (product.cluster.die_with_parent(), signal.signal(signal.SIGHUP, handling)))
                self.addCleanup(lambda: (process.poll() is None and process.kill(), process.wait(), process.stdout.close()))
                self.assertTrue(any(line.startswith("Ctrl-C") for line in process.stdout))
                process.send_signal(signal.SIGHUP)
                if ends_by != signal.SIGHUP:
                    subprocess.run(["kcat", "-L", "-b", f"127.0.0.1:{port}"], capture_output=True, timeout=60, check=True)
                    process.send_signal(ends_by)
                self.assertEqual(process.wait(timeout=30), 0)

    def test_a_second_ctrl_c_ends_at_once(self):
        process, http = self.start()
        for line in process.stdout:
            if line.startswith("Ctrl-C"):
                break
        process.send_signal(signal.SIGINT)
        self.assertIn("stopping", process.stdout.readline() + process.stdout.readline())
        process.send_signal(signal.SIGINT)
        # The first may have ended it in order before the second arrived.
        self.assertIn(process.wait(timeout=30), (0, 128 + signal.SIGINT))

    def test_ctrl_c_ends_a_start_that_waits(self):
        with socket.socket() as silent:  # takes connections and says nothing
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            process = subprocess.Popen([str(product.BINARY), "vts", "--data", str(self.data), "--http-port", "0", "--bootstrap-servers",
                                        f"127.0.0.1:{silent.getsockname()[1]}", "--schema-registry-url", "http://127.0.0.1:9"],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, cwd=self.folder,
                                       preexec_fn=product.cluster.die_with_parent)
            self.addCleanup(lambda: (process.poll() is None and process.kill(), process.wait(), process.stdout.close()))
            silent.accept()[0].close()
            process.send_signal(signal.SIGINT)
            # One is enough: in order when what waits ends by itself, else at once.
            self.assertIn(process.wait(timeout=30), (0, 128 + signal.SIGINT))
            self.assertIn("muir: the start is given up", process.stdout.read())

    def test_a_signal_ends_a_start_wherever_it_is(self):
        for moment in ("info ", "schema registry at", "is REBALANCING", "joins", "assigned", "is RUNNING"):
            with self.subTest(moment=moment):
                self.data = self.folder / moment.strip().replace(" ", "-")
                process, _ = self.start()
                self.assertTrue(any(moment in line for line in process.stderr))
                process.send_signal(signal.SIGTERM)
                self.assertIn(process.wait(timeout=30), (0, 128 + signal.SIGTERM))

    def test_a_recording_that_cannot_be_read_has_no_summary(self):
        done = self.run_muir("vts", "replay", "missing.csv")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("missing.csv: cannot be opened", done.stderr)

    def test_a_cluster_that_is_not_there_is_named(self):
        done = self.run_muir("vts", "--bootstrap-servers", "127.0.0.1:9", "--http-port", "0", "--data", str(self.data), timeout=120)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is the Kafka cluster of --bootstrap-servers 127.0.0.1:9 running", done.stderr)

    def test_a_port_in_use_is_named_with_the_option_that_changes_it(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            done = self.run_muir("broker", "--data", str(self.data), "--broker-port", port)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"--broker-port (it was {port})", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
