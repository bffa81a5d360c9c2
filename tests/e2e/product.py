"""Starts, kills and stops the real muir binary, and posts positions to it as a device gateway would."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "testing" / "kafka"))
import cluster  # noqa: E402: found through the path above

BINARY = pathlib.Path(os.environ.get("MUIR_BINARY", REPOSITORY / "build" / "dev" / "bin" / "muir"))


class Product:
    """One muir process; kill() and start() again keep data and ports."""

    def __init__(self, folder, bootstrap=None, settings=(), demo=False):
        self.folder = pathlib.Path(folder)
        self.http_port, self.broker_port, self.registry_port = cluster.free_ports(3)
        self.bootstrap = bootstrap or f"127.0.0.1:{self.broker_port}"
        self.external = bootstrap is not None
        self.settings = list(settings)
        self.demo = demo
        self.process = None
        self.log = self.folder / "muir.log"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def registry_url(self):
        return f"http://127.0.0.1:{self.registry_port}"

    def command(self):
        words = [str(BINARY), "up", *([] if self.demo else ["--no-demo"]), "--data", str(self.folder / "data"), "--http-port", str(self.http_port),
                 "--broker-port", str(self.broker_port), "--registry-port", str(self.registry_port)]
        if self.external:
            words += ["--bootstrap-servers", self.bootstrap]
        for setting in self.settings:
            words += ["--set", setting]
        return words

    def start(self, timeout=90):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                            preexec_fn=cluster.die_with_parent, cwd=REPOSITORY)
        self.wait(lambda: self.get("/api/v1/stats") is not None, timeout, "the REST interface to answer")
        return self

    def wait(self, condition, timeout, what):
        deadline = time.monotonic() + timeout
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"muir ended with {self.process.returncode} while waiting for {what}:\n{self.tail()}")
            try:
                if condition():
                    return
            except (OSError, urllib.error.URLError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {timeout} s for {what}:\n{self.tail()}")
            time.sleep(0.05)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def put(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"},
                                         method="PUT")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def delete(self, path):
        request = urllib.request.Request(self.url + path, method="DELETE")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=30):
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"muir did not stop within {timeout} s of SIGINT:\n{self.tail()}") from None

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Gateway:
    """Posts batches in order, each again until it is acknowledged: what a gateway with a disk queue does."""

    def __init__(self, product):
        self.product = product
        self.connection = None
        self.retries = 0

    def post(self, items, timeout=120):
        body = json.dumps(items).encode()
        deadline = time.monotonic() + timeout
        while True:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.product.http_port, timeout=30)
                self.connection.request("POST", "/api/v1/positions", body, {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                text = answer.read()
                if answer.status in (200, 207):
                    return json.loads(text)
                if answer.status < 500:
                    raise AssertionError(f"{answer.status}: {text[:500]}")
            except (OSError, http.client.HTTPException):
                self.connection = None
            self.retries += 1
            if time.monotonic() > deadline:
                raise AssertionError(f"not acknowledged within {timeout} s:\n{self.product.tail()}")
            time.sleep(0.05)
