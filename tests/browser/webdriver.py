"""Drives a headless Chromium over the W3C WebDriver protocol; standard library only."""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]
START_S = 30


class WebDriverError(Exception):
    pass


def program(*names):
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise WebDriverError(f"none of {', '.join(names)} is installed")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Browser:
    """A browser with one window, as a context manager; ends with everything it started."""

    def __init__(self, width=1440, height=900):
        self.folder = tempfile.mkdtemp(prefix="muir-browser-")
        self.session = None
        self.port = free_port()
        self.driver = subprocess.Popen(
            [program("chromedriver"), f"--port={self.port}", "--log-level=SEVERE"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder}, start_new_session=True)
        try:
            self._wait_for_driver()
            options = {"binary": program("chromium", "chromium-browser", "google-chrome"),
                       "args": FLAGS + [f"--user-data-dir={self.folder}/profile", f"--window-size={width},{height}"]}
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
            self.session = answer["sessionId"]
            self.cdp("Emulation.setDeviceMetricsOverride",
                     {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self._call("DELETE", f"/session/{self.session}")
            except (WebDriverError, OSError):
                pass
            self.session = None
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_for_driver(self):
        deadline = time.monotonic() + START_S
        while True:
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except OSError:
                pass
            if self.driver.poll() is not None or time.monotonic() > deadline:
                raise WebDriverError("chromedriver does not start")
            time.sleep(0.05)

    def _call(self, method, path, body=None):
        data = None if body is None and method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise WebDriverError(f"{value.get('error')}: {value.get('message', '').splitlines()[0]}") from None

    def _in_session(self, method, path, body=None):
        return self._call(method, f"/session/{self.session}{path}", body)

    def go(self, url):
        self._in_session("POST", "/url", {"url": url})

    def run(self, script, *args):
        """Runs JavaScript, gives what it returns."""
        return self._in_session("POST", "/execute/sync", {"script": script, "args": list(args)})

    def wait(self, what, script, *args, seconds=60):
        """Waits until the script returns something true, and gives it; `what` is for the message."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(script, *args)
            if value:
                return value
            if time.monotonic() > deadline:
                raise WebDriverError(f"waited {seconds} s in vain for {what}")
            time.sleep(0.1)

    def element(self, selector):
        value = self._in_session("POST", "/element", {"using": "css selector", "value": selector})
        return next(iter(value.values()))

    def click(self, selector):
        self._in_session("POST", f"/element/{self.element(selector)}/click", {})

    def type(self, selector, text):
        self._in_session("POST", f"/element/{self.element(selector)}/value", {"text": text})

    def press(self, key):
        """A key for whatever has the focus."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._in_session("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def click_at(self, x, y):
        actions = [{"type": "pointerMove", "x": round(x), "y": round(y)}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._in_session("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def text(self, selector):
        return self._in_session("GET", f"/element/{self.element(selector)}/text")

    def cdp(self, command, params):
        return self._in_session("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def console(self):
        """Messages of the console since the last call."""
        return self._in_session("POST", "/se/log", {"type": "browser"})

    def screenshot(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self._in_session("GET", "/screenshot")))
