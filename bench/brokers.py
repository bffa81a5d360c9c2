"""The brokers that benchmarks run on, one node each, for `with`: bootstrap_servers while they run, nothing left after."""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "testing" / "kafka"))
import cluster  # noqa: E402: found through the path above

KAFKA_FLAGS = ["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
START_SECONDS = 30


class MuirBroker:
    """`binary` is the muir to run, `settings` are KEY=VALUE."""

    name = "Muir"

    def __init__(self, binary, settings=()):
        self.binary = binary
        self.settings = [word for setting in settings for word in ("--set", setting)]

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="muir-bench-")
        port = cluster.free_ports(1)[0]
        self.bootstrap_servers = f"127.0.0.1:{port}"
        self.process = subprocess.Popen([str(self.binary), "broker", "--data", self.folder, "--broker-port", str(port), *self.settings],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=cluster.die_with_parent)
        try:
            self._wait_for(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_for(self, port):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(f"{self.binary} broker ended with {self.process.returncode}")
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{self.binary} broker did not listen within {START_SECONDS} s")
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class ApacheKafka(cluster.Cluster):
    name = "Apache Kafka"

    def __init__(self, flags=()):
        super().__init__(1, heap_flags=[*KAFKA_FLAGS, *flags])
