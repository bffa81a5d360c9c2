#!/usr/bin/env python3
"""Muir Streams beside Kafka Streams on the JVM: the same topologies over the same records on one broker, in turn.

    cmake --preset bench && cmake --build build/bench --target streams_load muir
    bench/streams_vs_jvm.py [--records N] [--rounds N] [--partitions N] [--broker muir|kafka] [--only TOPOLOGY]
                            [--json FILE]

One broker run holds a topic of --partitions (four) with all records. Each application has one stream thread, default settings
and no record cache, reads the topic from its beginning, and is stopped when the last result is visible to a reader of
committed records. The order of the two alternates from round to round; printed are medians as a Markdown table: records per
second from the first visible result to the last; CPU time of the application's process per record, start included; its
greatest memory; start to first result; and what it received from the broker per byte of the topic. Needs Apache Kafka's jars
(./test fetches them) and javac.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from brokers import REPOSITORY, ApacheKafka, MuirBroker, cluster

BIN = REPOSITORY / "build" / "bench" / "bin"
TOPOLOGIES = ("pass-through", "count", "window", "join")
GUARANTEES = ("at_least_once", "exactly_once_v2")
JVM_FLAGS = ["-Xms256m", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
READ_COMMITTED = 1


class PartitionError(RuntimeError):
    """A partition's error in an answer."""

    def __init__(self, topic, error):
        super().__init__(f"ListOffsets of {topic}: error {error}")
        self.error = error


class Offsets:
    """Asks for the ends of a topic's partitions with ListOffsets version 2, which costs the machine next to nothing."""

    def __init__(self, bootstrap, partitions):
        self.partitions = partitions
        host, port = bootstrap.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise OSError("the broker closed the connection")
            data += piece
        return data

    def committed_end(self, topic):
        name = topic.encode()
        body = struct.pack(">hhih", 2, 2, 1, -1) + struct.pack(">ibi", -1, READ_COMMITTED, 1)
        body += struct.pack(">h", len(name)) + name + struct.pack(">i", self.partitions)
        body += b"".join(struct.pack(">iq", p, -1) for p in range(self.partitions))
        self.socket.sendall(struct.pack(">i", len(body)) + body)
        answer = self._read(struct.unpack(">i", self._read(4))[0])
        at = 4 + 4 + 4 + 2 + len(name) + 4  # correlation id, throttle time, one topic, its name, its partitions
        total = 0
        for _ in range(self.partitions):
            _, error, _, offset = struct.unpack_from(">ihqq", answer, at)
            if error != 0:
                raise PartitionError(topic, error)
            total += offset
            at += 22
        return total


def load(*arguments):
    subprocess.run([str(BIN / "streams_load"), *map(str, arguments)], check=True, timeout=900)


def compiled_java(folder):
    subprocess.run(["javac", "-nowarn", "-cp", cluster.classpath(), "-d", str(folder), str(REPOSITORY / "bench/StreamsLoad.java")],
                   check=True)
    return folder


def command_of(system, bootstrap, topology, guarantee, name, state, classes):
    if system == "Muir":
        return [str(BIN / "streams_load"), bootstrap, "run", topology, guarantee, name, state]
    return ["java", *JVM_FLAGS, "-cp", f"{classes}:{cluster.classpath()}", "StreamsLoad", bootstrap, topology, guarantee, name, state]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def received_mib(pid, bootstrap):
    """Bytes that the process's open connections to the broker have received, by ss; None without it."""
    if shutil.which("ss") is None:
        return None
    out = subprocess.run(["ss", "-tinpHO", "dport", "=", ":" + bootstrap.split(":")[1]], capture_output=True, text=True).stdout
    return sum(int(re.search(r"bytes_received:(\d+)", line).group(1)) for line in out.splitlines()
               if f"pid={pid}," in line and "bytes_received:" in line) / (1 << 20)


def run_once(system, bootstrap, offsets, topology, guarantee, number, records, classes, folder):
    name = f"bench-{number}"
    out = f"{name}-out"
    load(bootstrap, "create", out, offsets.partitions)
    state = pathlib.Path(folder) / name
    process = subprocess.Popen(command_of(system, bootstrap, topology, guarantee, name, str(state), classes),
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=cluster.die_with_parent)
    began = time.monotonic()
    first = None  # (time, results)
    try:
        while (results := offsets.committed_end(out)) < records:
            now = time.monotonic()
            if results > 0 and first is None:
                first = (now, results)
            if process.poll() is not None:
                raise RuntimeError(f"{system} {topology} {guarantee} ended with {process.returncode}")
            if now - began > 900:
                raise RuntimeError(f"{system} {topology} {guarantee}: {results} of {records} results after 15 minutes")
            time.sleep(0.01)
        ended = time.monotonic()
        first = first or (began, 0)
        figures = {"records/s": (results - first[1]) / max(1e-3, ended - first[0]),
                   "overall": records / (ended - began),
                   "CPU µs": cpu_seconds(process.pid) * 1e6 / records, "MiB": peak_mib(process.pid),
                   "first result s": first[0] - began}
        received = received_mib(process.pid, bootstrap)
        if received is not None:
            figures["received MiB"] = received
        process.stdin.write(b"\n")
        process.stdin.close()
        process.wait(600)
    finally:
        process.kill()
        process.wait()
    load(bootstrap, "drop", name + "-")
    shutil.rmtree(state, ignore_errors=True)
    return figures


def table(results):
    lines = ["| topology | guarantee | Muir, records/s | JVM, records/s | Muir / JVM | CPU µs per record, Muir | JVM | Muir / JVM "
             "| peak MiB, Muir | JVM | first result s, Muir | JVM |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for (topology, guarantee), systems in results.items():
        def median(system, figure):
            return statistics.median(run[figure] for run in systems[system])
        rates, cpu = ([median(s, f) for s in ("Muir", "JVM")] for f in ("records/s", "CPU µs"))
        lines.append(f"| {topology} | {guarantee} | {rates[0]:,.0f} | {rates[1]:,.0f} | {rates[0] / rates[1]:.2f} "
                     f"| {cpu[0]:.2f} | {cpu[1]:.2f} | {cpu[0] / cpu[1]:.2f} "
                     f"| {median('Muir', 'MiB'):,.0f} | {median('JVM', 'MiB'):,.0f} "
                     f"| {median('Muir', 'first result s'):.2f} | {median('JVM', 'first result s'):.2f} |")
    return "\n".join(lines)


def main():
    global BIN
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--record-bytes", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broker", choices=("muir", "kafka"), default="muir")
    parser.add_argument("--guarantee", choices=GUARANTEES, help="one guarantee")
    parser.add_argument("--bin", type=pathlib.Path, default=BIN, help="where streams_load and muir are")
    parser.add_argument("--only", choices=TOPOLOGIES, help="one topology")
    parser.add_argument("--systems", default="Muir,JVM", help="one of the two, to look at it alone")
    parser.add_argument("--json", metavar="FILE", help="where to write every single run")
    options = parser.parse_args()
    BIN = options.bin
    systems = options.systems.split(",")
    results = {}
    with tempfile.TemporaryDirectory(prefix="muir-bench-state-") as folder, \
            (MuirBroker(BIN / "muir", ["group.initial.rebalance.delay.ms=0"]) if options.broker == "muir" else ApacheKafka()) as broker:
        classes = compiled_java(pathlib.Path(folder) / "classes") if "JVM" in systems else None
        load(broker.bootstrap_servers, "fill", options.records, options.record_bytes, options.partitions)
        offsets = Offsets(broker.bootstrap_servers, options.partitions)
        number = 0
        for round_number in range(options.rounds):
            for topology in [options.only] if options.only else TOPOLOGIES:
                for guarantee in [options.guarantee] if options.guarantee else GUARANTEES:
                    for system in systems if round_number % 2 == 0 else systems[::-1]:
                        number += 1
                        run = run_once(system, broker.bootstrap_servers, offsets, topology, guarantee, number, options.records,
                                       classes, folder)
                        results.setdefault((topology, guarantee), {}).setdefault(system, []).append(run)
                        print(f"{round_number + 1} {topology} {guarantee} {system}: "
                              + ", ".join(f"{k} {v:,.2f}" for k, v in run.items()), file=sys.stderr, flush=True)
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps([{"topology": t, "guarantee": g, **s} for (t, g), s in results.items()]))
    if len(systems) == 2:
        print(f"{options.records:,} records of {options.record_bytes} B in {options.partitions} partitions on {broker.name}, {options.rounds} rounds\n")
        print(table(results))


if __name__ == "__main__":
    main()
