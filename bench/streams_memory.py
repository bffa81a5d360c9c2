#!/usr/bin/env python3
"""Memory of one stream thread whose processor does not keep up, by the number of its source partitions.

    cmake --preset bench && cmake --build build/bench --target streams_load muir
    bench/streams_memory.py [--bin FOLDER] [--records N] [--seconds N] [PARTITIONS...]

For each number of partitions a topic with all records of 100 B, read by an application that takes 1 ms for each; its resident
memory after some seconds, the greatest until then, and what it has received from the broker.
"""
import argparse
import pathlib
import re
import subprocess
import tempfile
import time

from brokers import REPOSITORY, MuirBroker


def resident_mib(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{key}:\s+(\d+)", text).group(1)) / 1024


def received_mb(pid, bootstrap):
    """Bytes that the process's open connections to the broker have received."""
    out = subprocess.run(["ss", "-tinpHO", f"dport = :{bootstrap.split(':')[1]}"], capture_output=True, text=True, check=False).stdout
    return sum(int(re.search(r"bytes_received:(\d+)", line).group(1)) for line in out.splitlines()
               if f"pid={pid}," in line and "bytes_received:" in line) / 1e6


def measure(binaries, partitions, options):
    load = binaries / "streams_load"
    with MuirBroker(binaries / "muir") as broker, tempfile.TemporaryDirectory() as folder:
        subprocess.run([load, broker.bootstrap_servers, "fill", str(options.records), "100", str(partitions)], check=True)
        process = subprocess.Popen([load, broker.bootstrap_servers, "run", "slow", "at_least_once", "slow", folder],
                                   stdin=subprocess.PIPE)
        time.sleep(options.seconds)
        print(f"{partitions:5} partitions: {resident_mib(process.pid, 'VmRSS'):5.0f} MiB, at most "
              f"{resident_mib(process.pid, 'VmHWM'):5.0f} MiB; {received_mb(process.pid, broker.bootstrap_servers):5.0f} MB received",
              flush=True)
        process.stdin.close()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=REPOSITORY / "build" / "bench" / "bin")
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("partitions", nargs="*", type=int, default=[1, 10, 100, 1000])
    options = parser.parse_args()
    for partitions in options.partitions:
        measure(options.bin, partitions, options)


if __name__ == "__main__":
    main()
