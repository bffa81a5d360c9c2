#!/usr/bin/env python3
"""A real Apache Kafka cluster (KRaft, combined nodes) on this machine's JVM, for one test.

As a module: Cluster(nodes=3) with start(), kill(i), restart(i), stop() and bootstrap_servers.
As a program: starts a cluster, prints one line of JSON {"bootstrap": "..."} when it serves, then obeys one
command per line of standard input (`kill N`, `stop N`, `restart N`), answering `ok` or `error ...`; the end of
standard input stops everything. The jars come from Maven Central through testing/kafka/pom.xml.
"""
import argparse
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import base64

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LIBS = REPOSITORY / "build" / "kafka" / "libs"
JVM_FLAGS = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+TieredCompilation", "-Xshare:auto",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dlog4j2.disable.jmx=true"]


def classpath():
    if not LIBS.is_dir() or not any(LIBS.glob("kafka_2.13-*.jar")):
        raise RuntimeError(f"no Kafka jars in {LIBS}: run ./test, or "
                           "mvn -f testing/kafka/pom.xml dependency:copy-dependencies")
    return f"{LIBS}/*"


def java(main_class, *arguments, flags=JVM_FLAGS):
    return ["java", *flags, "-cp", classpath(), main_class, *arguments]


def free_ports(count):
    """Ports that were free a moment ago; all sockets are held until the last is chosen so that they differ."""
    sockets = []
    for _ in range(count):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
        sockets.append(s)
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def die_with_parent():
    """In the child: SIGKILL when the test dies, so that no JVM is left behind."""
    ctypes.CDLL("libc.so.6", use_errno=True).prctl(1, signal.SIGKILL)


class Cluster:
    """`tls` is a folder with keystore.pem (private key and certificate chain) and trust.pem: with it, every node also
    has a listener SSL."""

    def __init__(self, nodes=3, overrides=None, folder=None, heap_flags=None, tls=None):
        self.nodes = nodes
        self.overrides = dict(overrides or {})
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="muir-kafka-"))
        self.flags = heap_flags or JVM_FLAGS
        self.processes = [None] * nodes
        self.tls = pathlib.Path(tls) if tls else None
        ports = free_ports(3 * nodes)
        self.broker_ports, self.controller_ports, self.tls_ports = ports[:nodes], ports[nodes:2 * nodes], ports[2 * nodes:]
        # Its first letter is ours: one that begins with "-" is an option to the tool that formats.
        self.cluster_id = "M" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]

    @property
    def bootstrap_servers(self):
        return ",".join(f"127.0.0.1:{p}" for p in self.broker_ports)

    @property
    def tls_bootstrap_servers(self):
        return ",".join(f"localhost:{p}" for p in self.tls_ports) if self.tls else ""

    def _tls_properties(self, i, values):
        values["listeners"] += f",SSL://127.0.0.1:{self.tls_ports[i]}"
        values["advertised.listeners"] += f",SSL://localhost:{self.tls_ports[i]}"
        values["listener.security.protocol.map"] += ",SSL:SSL"
        for store, file in (("keystore", "keystore.pem"), ("truststore", "trust.pem")):
            values[f"ssl.{store}.type"] = "PEM"
            values[f"ssl.{store}.location"] = self.tls / file

    def _properties(self, i):
        replicas = min(3, self.nodes)
        values = {
            "process.roles": "broker,controller",
            "node.id": i + 1,
            "controller.quorum.voters": ",".join(f"{n + 1}@127.0.0.1:{p}" for n, p in enumerate(self.controller_ports)),
            "listeners": f"PLAINTEXT://127.0.0.1:{self.broker_ports[i]},CONTROLLER://127.0.0.1:{self.controller_ports[i]}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.broker_ports[i]}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.folder / f"node{i + 1}",
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 5,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": max(1, replicas - 1),
            "transaction.state.log.num.partitions": 5,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": max(1, replicas - 1),
            "default.replication.factor": replicas,
            "min.insync.replicas": max(1, replicas - 1),
            "num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "num.network.threads": 2,
            "num.io.threads": 2,
            "log.cleaner.dedupe.buffer.size": 2097152,
            "log.cleaner.threads": 1,
            "controller.quorum.election.timeout.ms": 500,
            "controller.quorum.fetch.timeout.ms": 1000,
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 500,
            "unclean.leader.election.enable": "false",
        }
        if self.tls:
            self._tls_properties(i, values)
        values.update(self.overrides)
        return "".join(f"{k}={v}\n" for k, v in values.items())

    def _run(self, i):
        log = open(self.folder / f"node{i + 1}.log", "ab")
        config = self.folder / f"node{i + 1}.properties"
        self.processes[i] = subprocess.Popen(java("kafka.Kafka", str(config), flags=self.flags), stdout=log,
                                             stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                             preexec_fn=die_with_parent)
        log.close()

    def start(self, timeout=120):
        formats = []
        for i in range(self.nodes):
            config = self.folder / f"node{i + 1}.properties"
            config.write_text(self._properties(i))
            log = open(self.folder / f"node{i + 1}.log", "ab")
            formats.append(subprocess.Popen(
                java("kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", str(config)), stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent))
        for i, process in enumerate(formats):
            if process.wait(timeout=timeout) != 0:
                raise RuntimeError(f"formatting node {i + 1} failed:\n{self.log_tail(i)}")
        for i in range(self.nodes):
            self._run(i)
        self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=120):
        """Until every running broker is registered and unfenced, seen through kafka's own metadata request."""
        deadline = time.monotonic() + timeout
        want = sum(1 for p in self.processes if p is not None)
        while True:
            for i, process in enumerate(self.processes):
                if process is not None and process.poll() is not None:
                    raise RuntimeError(f"node {i + 1} ended with {process.returncode}:\n{self.log_tail(i)}")
            if self._registered() >= want:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kafka did not come up in {timeout} s:\n{self.log_tail(0)}")
            time.sleep(0.1)

    def _registered(self):
        """How many brokers a Metadata v0 answer of some running node lists."""
        best = 0
        for i, process in enumerate(self.processes):
            if process is None:
                continue
            try:
                with socket.create_connection(("127.0.0.1", self.broker_ports[i]), timeout=1) as s:
                    s.settimeout(2)
                    body = b"\x00\x03\x00\x01\x00\x00\x00\x07\xff\xff\x00\x00\x00\x00"  # Metadata v1, no topics
                    s.sendall(len(body).to_bytes(4, "big") + body)
                    size = int.from_bytes(self._exactly(s, 4), "big")
                    answer = self._exactly(s, size)
                    best = max(best, int.from_bytes(answer[4:8], "big"))
            except OSError:
                continue
        return best

    @staticmethod
    def _exactly(s, n):
        data = b""
        while len(data) < n:
            piece = s.recv(n - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
        return data

    def log_tail(self, i, lines=25):
        path = self.folder / f"node{i + 1}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _end(self, i, sig, timeout=60):
        process = self.processes[i]
        if process is None:
            return
        process.send_signal(sig)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes[i] = None

    def kill(self, i):
        self._end(i, signal.SIGKILL)

    def stop_node(self, i):
        self._end(i, signal.SIGTERM)

    def restart(self, i, timeout=120):
        self.kill(i)
        self._run(i)
        self.wait_ready(timeout)

    def stop(self):
        for i in range(self.nodes):
            self.kill(i)  # the folder goes with it: nothing to shut down in order
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--tls", metavar="FOLDER", help="a listener SSL beside, with this folder's keystore.pem and trust.pem")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Cluster(options.nodes, dict(s.split("=", 1) for s in options.set), tls=options.tls) as cluster:
        print(json.dumps({"bootstrap": cluster.bootstrap_servers, "tls_bootstrap": cluster.tls_bootstrap_servers,
                          "folder": str(cluster.folder)}), flush=True)
        for line in sys.stdin:
            words = line.split()
            try:
                action = {"kill": cluster.kill, "stop": cluster.stop_node, "restart": cluster.restart}[words[0]]
                action(int(words[1]))
                print("ok", flush=True)
            except (KeyError, IndexError, ValueError, RuntimeError) as problem:
                print("error", repr(problem), flush=True)


if __name__ == "__main__":
    main()
