#!/usr/bin/env python3
"""Muir's broker beside Apache Kafka on this machine: the same load generators, in turn, several rounds.

    bench/broker_vs_kafka.py [--records N] [--rounds N]

Both run one node with one topic of four partitions. Muir answers acks=all after fsync; Apache Kafka, as it is shipped,
answers before. Two generators: Kafka's own Java ones, as an application would write and read, which on few cores are the
limit themselves; and bench/broker_load.cc (build/bench/bin/broker_load), which sends prepared requests and so leaves
the machine to the broker. The median of the rounds and the ratio Muir / Kafka are printed as a Markdown table.
"""
import argparse
import json
import re
import statistics
import subprocess

from brokers import REPOSITORY, ApacheKafka, MuirBroker, cluster

CLIENT_FLAGS = ["-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]


def tool(main_class, *arguments):
    return subprocess.run(cluster.java(main_class, *arguments, flags=CLIENT_FLAGS), capture_output=True, text=True, check=True,
                          timeout=600).stdout


def produce(bootstrap, topic, records, size, acks):
    out = tool("org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", str(records), "--record-size",
               str(size), "--throughput", "-1", "--bootstrap-server", bootstrap, "--command-property", f"acks={acks}",
               "linger.ms=5", "batch.size=131072")
    last = out.strip().splitlines()[-1]
    rate = float(re.search(r"([\d.]+) records/sec", last).group(1))
    p99 = float(re.search(r"([\d.]+) ms 99th", last).group(1))
    return rate, p99


def consume(bootstrap, topic, records):
    out = tool("org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", bootstrap, "--topic", topic, "--num-records",
               str(records), "--timeout", "60000")
    header, values = [l for l in out.splitlines() if "," in l][-2:]
    row = dict(zip([h.strip() for h in header.split(",")], values.split(",")))
    return float(row["fetch.nMsg.sec"])


def load(mode, bootstrap, topic, records, size):
    out = subprocess.run([str(REPOSITORY / "build/bench/bin/broker_load"), "--broker", bootstrap, "--topic", topic, "--records",
                          str(records), "--record-bytes", str(size), mode], capture_output=True, text=True, check=True, timeout=600)
    return json.loads(out.stdout)


def make_topic(bootstrap, topic):
    tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", bootstrap, "--create", "--topic", topic,
         "--partitions", "4", "--replication-factor", "1")


def round_of(system, number, records):
    figures = {}
    for size, count in ((100, records), (1000, records // 4)):
        topic = f"bench-{size}-{number}"
        make_topic(system.bootstrap_servers, topic)
        rate, p99 = produce(system.bootstrap_servers, topic, count, size, "all")
        figures[f"produce {size} B acks=all, records/s"] = rate
        figures[f"produce {size} B acks=all, p99 ms at full load"] = p99
        figures[f"consume {size} B, records/s"] = consume(system.bootstrap_servers, topic, count)

        topic = f"load-{size}-{number}"
        make_topic(system.bootstrap_servers, topic)
        produced = load("produce", system.bootstrap_servers, topic, 4 * count, size)
        figures[f"prepared requests: produce {size} B acks=all, records/s"] = produced["records_per_s"]
        figures[f"prepared requests: produce {size} B acks=all, p99 ms at full load"] = produced["p99_ms"]
        fetched = load("fetch", system.bootstrap_servers, topic, 4 * count, size)
        figures[f"prepared requests: fetch {size} B, records/s"] = fetched["records_per_s"]
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    results = {}
    with MuirBroker(REPOSITORY / "build/bin/muir") as muir, ApacheKafka(["-XX:MaxGCPauseMillis=20"]) as kafka:
        for system in (muir, kafka):
            round_of(system, 999, options.records // 10)  # warm-up: JIT, page cache
        for number in range(options.rounds):
            for system in (muir, kafka):
                for name, value in round_of(system, number, options.records).items():
                    results.setdefault(name, {}).setdefault(system.name, []).append(value)
    print("| figure | Muir | Apache Kafka | Muir / Kafka |\n|---|---|---|---|")
    for name, values in results.items():
        ours, theirs = (statistics.median(values[n]) for n in ("Muir", "Apache Kafka"))
        print(f"| {name} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
