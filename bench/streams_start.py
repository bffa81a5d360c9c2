#!/usr/bin/env python3
"""What passes between the start of a Streams application and its first result that a reader of committed records sees.

    cmake --preset bench && cmake --build build/bench --target streams_load muir
    bench/streams_start.py [--starts N] [--broker muir|kafka] [--only TOPOLOGY]

Every start is a new application, with internal topics and stores to make, over a topic of four partitions that has records.
Printed is a Markdown table of medians in milliseconds since the process was started, as the steps are reached, and the slowest
first result: BEGUN is main(), the states are Kafka Streams'. Needs Apache Kafka's jars (./test fetches them) for --broker kafka.
"""
import argparse
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from brokers import ApacheKafka, MuirBroker, cluster
import streams_vs_jvm
from streams_vs_jvm import BIN, GUARANTEES, TOPOLOGIES, Offsets, command_of, load

STEPS = ("BEGUN", "REBALANCING", "RUNNING", "first result")
FIRST_RESULT_SECONDS = 60
LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER = 5, 6


def has_results(offsets, topic):
    try:
        return offsets.committed_end(topic) > 0
    except streams_vs_jvm.PartitionError as failed:
        if failed.error in (LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER):  # the topic has just been made
            return False
        raise


def start_once(bootstrap, offsets, topology, guarantee, name, folder):
    out = f"{name}-out"
    load(bootstrap, "create", out, offsets.partitions)
    state = pathlib.Path(folder) / name
    began = time.time()
    process = subprocess.Popen(command_of("Muir", bootstrap, topology, guarantee, name, str(state), None),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=cluster.die_with_parent)
    try:
        while not has_results(offsets, out):
            if process.poll() is not None:
                raise RuntimeError(f"{topology} {guarantee} ended with {process.returncode}")
            if time.time() - began > FIRST_RESULT_SECONDS:
                raise RuntimeError(f"{topology} {guarantee}: no result after {FIRST_RESULT_SECONDS} s")
            time.sleep(0.001)
        steps = {"first result": (time.time() - began) * 1000}
        printed, _ = process.communicate("\n", timeout=60)
        for line in printed.splitlines():
            at, step = line.split()
            steps.setdefault(step, int(at) - began * 1000)
    finally:
        process.kill()
        process.wait()
    load(bootstrap, "drop", name + "-")
    shutil.rmtree(state, ignore_errors=True)
    return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--broker", choices=("muir", "kafka"), default="muir")
    parser.add_argument("--only", choices=TOPOLOGIES, help="one topology")
    options = parser.parse_args()
    print("| topology | guarantee | " + " | ".join(STEPS) + " | slowest |\n|---|---|" + "---|" * (len(STEPS) + 1))
    with tempfile.TemporaryDirectory(prefix="muir-bench-state-") as folder, \
            (MuirBroker(BIN / "muir", ["group.initial.rebalance.delay.ms=0"]) if options.broker == "muir" else ApacheKafka()) as broker:
        load(broker.bootstrap_servers, "fill", 4000, 100, 4)
        offsets = Offsets(broker.bootstrap_servers, 4)
        for topology in [options.only] if options.only else TOPOLOGIES:
            for guarantee in GUARANTEES:
                runs = [start_once(broker.bootstrap_servers, offsets, topology, guarantee, f"start-{topology}-{guarantee}-{n}", folder)
                        for n in range(options.starts)]
                # A result may be out before RUNNING is told; then the application has been closed before.
                medians = [statistics.median(run.get(step, run["first result"]) for run in runs) for step in STEPS]
                print(f"| {topology} | {guarantee} | " + " | ".join(f"{m:.0f}" for m in medians)
                      + f" | {max(run['first result'] for run in runs):.0f} |", flush=True)


if __name__ == "__main__":
    main()
