#!/usr/bin/env python3
"""The page of an empty system in a real browser: it says how to begin, shows what is posted, survives a restart of the server,
works with the keyboard and at every width."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import product  # noqa: E402: found through the path above

sys.path.insert(0, str(product.REPOSITORY / "tests" / "browser"))
import webdriver  # noqa: E402: found through the path above

ZONE = {"type": "Feature", "properties": {"name": "Depot", "kind": "depot"}, "geometry": {"type": "Polygon", "coordinates": [
    [[20.99, 52.22], [21.03, 52.22], [21.03, 52.24], [20.99, 52.24], [20.99, 52.22]]]}}
ENTER = "\ue007"
ESCAPE = "\ue00c"
DOWN = "\ue015"
TAB = "\ue004"

# What reaches beyond the window, or is cut off by the box around it without an ellipsis or a way to scroll.
OVERFLOW = """
const out = [], width = document.documentElement.clientWidth;
for (const e of document.querySelectorAll('body *')) {
  if (e.closest('#map, .skip, noscript')) continue;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  if (box.width === 0 || box.height === 0 || style.visibility === 'hidden') continue;
  if (box.left < -1 || box.right > width + 1) out.push(`${e.tagName} ${e.className.baseVal ?? e.className} ${box.left}..${box.right}`);
  if (style.overflowX === 'hidden' && style.textOverflow !== 'ellipsis' && e.scrollWidth > e.clientWidth + 1)
    out.push(`${e.tagName} ${e.className} holds ${e.scrollWidth} in ${e.clientWidth}`);
}
if (document.documentElement.scrollWidth > width) out.push('the page scrolls sideways');
return out;
"""
# Buttons, fields and regions without a name that a screen reader could say.
NAMELESS = """
const named = (e) => (e.getAttribute('aria-label') || document.getElementById(e.getAttribute('aria-labelledby'))?.textContent || e.textContent || '').trim();
return [...document.querySelectorAll('button, input, [role], aside, section, nav, dialog')]
  .filter((e) => e.getAttribute('role') !== 'presentation' && e.getAttribute('aria-hidden') !== 'true' && !e.closest('#map') && !named(e) && !['status', 'alert'].includes(e.getAttribute('role')))
  .map((e) => e.outerHTML.slice(0, 120));
"""


# Vehicles that a panel or the edge of the window hides; the muir.free() rectangle is what no panel covers.
HIDDEN = """
const free = muir.free(), shown = muir.onScreen();
const inside = shown.filter((v) => v.x >= free.left && v.x <= free.right && v.y >= free.top && v.y <= free.bottom).map((v) => v.id);
return muir.ids().filter((id) => !inside.includes(id));
"""
DAY_MS = 86_400_000


def position(vehicle, lon, speed=40, **more):
    return {"vehicleId": vehicle, "lat": 52.23, "lon": lon, "speed": speed, "heading": 90, "timestamp": int(time.time() * 1000), **more}


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="muir-page-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.muir = product.Product(self.folder)
        self.addCleanup(lambda: self.muir.process and self.muir.process.poll() is None and self.muir.kill())
        self.muir.start()
        self.gateway = product.Gateway(self.muir)

    def open(self, width=1440, height=900, scheme="dark"):
        browser = webdriver.Browser(width, height)
        self.addCleanup(browser.close)
        browser.cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        browser.go(self.muir.url + "/")
        browser.wait("a live page", "return window.muir && muir.connection === 'live' && muir.mapIdle")
        return browser

    def errors(self, browser):
        return [m["message"] for m in browser.console() if m["level"] == "SEVERE"]

    def test_an_empty_system_says_how_to_begin_and_then_shows_it(self):
        browser = self.open()
        browser.wait("the first steps", "return !document.querySelector('#empty').hidden")
        self.assertEqual(browser.run("return document.querySelector('#fleet-list').dataset.empty"), "No vehicles yet")
        self.assertIn("City of Warsaw", browser.text("#attribution"))  # whose data the streets were drawn from
        self.assertFalse(browser.run("return !document.querySelector('#demo').hidden"), "nothing here is a demo")
        command = browser.text("#empty pre code")
        self.assertIn(f"{self.muir.url}/api/v1/positions", command)
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.stdout, '{"accepted":1,"rejected":0,"refused":0,"results":[]}', done.stderr)
        browser.wait("the vehicle", "return muir.vehicles === 1 && document.querySelector('#empty').hidden")
        browser.wait("the map to go there", "return muir.mapIdle && muir.onScreen().some((v) => v.id === 'V123')")
        self.assertEqual(self.errors(browser), [])

    def test_a_vehicle_can_be_watched_by_keyboard_alone(self):
        self.muir.put("/api/v1/zones/depot", ZONE)
        self.muir.put("/api/v1/vehicles/V1", {"line": "189", "name": "Our first", "speedLimit": 30})
        self.muir.wait(lambda: len(self.muir.get("/api/v1/zones")["zones"]) == 1, 20, "the zone")
        now = int(time.time() * 1000)
        for seconds_ago, lon, speed in ((60, 20.98, 20), (40, 20.991, 55), (20, 20.992, 20)):
            self.gateway.post([position("V1", lon, speed, timestamp=now - seconds_ago * 1000)])
        self.gateway.post([position("V2", 21.5, lat=91)])
        self.muir.wait(lambda: len(self.muir.get("/api/v1/alerts")["alerts"]) == 2, 20, "both alerts")
        browser = self.open()
        browser.press("/")
        browser.type("#search", "depot")  # by its zone
        browser.wait("one row", "return document.querySelectorAll('.fleet-row:not([hidden])').length === 1")
        browser.press(DOWN)
        browser.press(ENTER)
        browser.wait("the card", "return document.querySelector('#card:not([hidden])')?.dataset.vehicle === 'V1'")
        self.assertIn("Our first", browser.text("#card h2"))
        self.assertIn("30 km/h", browser.text("#card .facts"))
        browser.wait("the way before the page was opened", "return muir.trail === 3")
        browser.wait("the chart of its speeds", "return document.querySelector('#card .speed-line')?.getAttribute('points').split(' ').length === 3")
        row = browser.run("const r = document.querySelector('.fleet-row:not([hidden])'); return [r.getAttribute('aria-posinset'), r.getAttribute('aria-setsize'), r.getAttribute('aria-selected')]")
        self.assertEqual(row, ["1", "1", "true"])
        browser.press(ESCAPE)
        browser.wait("the card to close", "return document.querySelector('#card').hidden")
        browser.press(ESCAPE)
        browser.wait("the search to be left", "return document.querySelector('#search').value === ''")
        browser.run("document.querySelector('#alert-feed .alert[data-kind=zone_enter]').focus()")
        browser.press(ENTER)
        browser.wait("the alert to lead to its vehicle", "return muir.selected === 'V1' && muir.mapIdle && muir.zoom > 14")
        browser.click(".counters button")
        browser.wait("the dead letter", "return document.querySelector('#dead-letters td code')?.textContent === 'latitude_out_of_range'")
        browser.press(ESCAPE)
        browser.wait("the list to close", "return !document.querySelector('#dead-letters').open")
        self.assertEqual(browser.run("return muir.selected"), "V1", "Escape closed the list and nothing behind it")
        self.assertEqual(browser.run(NAMELESS), [])
        self.assertEqual(self.errors(browser), [])

    def test_the_page_comes_back_when_the_server_does(self):
        self.gateway.post([position("V1", 21.0)])
        browser = self.open()
        browser.wait("the vehicle", "return muir.vehicles === 1")
        browser.run("window.sameDocument = true")
        self.assertEqual(self.muir.stop(), 0)
        browser.wait("the page to notice", "return muir.connection !== 'live' && document.querySelector('#connection').dataset.state !== 'live'")
        browser.wait("it to say so", "return /Offline/.test(document.querySelector('#connection').textContent)")
        self.assertEqual(browser.run("return muir.vehicles"), 1, "what was known stays on the map")
        self.muir.start()
        self.gateway.post([position("V2", 21.01)])
        browser.wait("both vehicles, live", "return muir.connection === 'live' && muir.vehicles === 2", seconds=60)
        self.assertTrue(browser.run("return window.sameDocument"), "without being loaded again")
        self.gateway.post([position("V1", 21.001)])
        browser.wait("the next fix", "return muir.connection === 'live' && document.querySelector('.connection').textContent.startsWith('Live')")
        strange = [message for message in self.errors(browser) if "ERR_CONNECTION_REFUSED" not in message and "WebSocket" not in message]
        self.assertEqual(strange, [])

    def delete(self, path):
        request = urllib.request.Request(self.muir.url + path, method="DELETE")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def test_a_fix_of_yesterday_looks_like_one(self):
        self.muir.put("/api/v1/zones/depot", ZONE)
        then = int(time.time() * 1000) - DAY_MS
        day = time.strftime("%-d %b", time.localtime(then / 1000))
        for seconds_ago, lon, speed in ((60, 20.98, 20), (40, 20.991, 55), (20, 20.992, 20), (0, 20.993, 40)):
            self.gateway.post([position("OLD", lon, speed, timestamp=then - seconds_ago * 1000)])
        self.gateway.post([position("BAD", 21, lat=91, timestamp=then), position("NEW", 21.01)])
        self.muir.wait(lambda: len(self.muir.get("/api/v1/alerts")["alerts"]) == 2 and len(self.muir.get("/api/v1/vehicles")["vehicles"]) == 2, 20, "all")
        browser = self.open()
        browser.wait("both vehicles", "return muir.vehicles === 2")
        self.assertEqual(browser.run("return muir.bands()"), {"OLD": "stale", "NEW": "normal"}, "though both were received just now")
        self.gateway.post([position("OLD", 20.994, 40, timestamp=then + 1000)])
        browser.click("#fleet-filter [data-key=stale]")
        browser.wait("the old one alone", "return [...document.querySelectorAll('.fleet-row:not([hidden])')].map((r) => r.dataset.id).join() === 'OLD'")
        self.assertIn(browser.text(".fleet-row:not([hidden]) .speed"), ("23 h", "1 d"))
        browser.click(".fleet-row:not([hidden])")
        browser.wait("its card", "return document.querySelector('#card:not([hidden])')?.dataset.vehicle === 'OLD'")
        card = browser.text("#card")
        self.assertRegex(card, rf"Last fix\n{day}, \d\d:\d\d:\d\d \((23 h|1 d) ago\)")
        self.assertIn("No fix for", card)
        self.assertNotIn("Moving", card)
        self.assertIn(f"of {day}", browser.text("#card h3"))
        times = browser.run("return [...document.querySelectorAll('#alert-feed time')].map((t) => t.textContent)")
        self.assertEqual(len(times), 2)
        for text in times:
            self.assertTrue(text.startswith(f"{day}, "), text)
        browser.click(".counters button")
        browser.wait("the dead letter", "return document.querySelector('#dead-letters td code')?.textContent === 'latitude_out_of_range'")
        cells = browser.run("return [...document.querySelectorAll('#dead-letters tbody td')].slice(0, 2).map((td) => td.textContent)")
        self.assertRegex(cells[0], r"^\d\d:\d\d:\d\d$")  # received today
        self.assertTrue(cells[1].startswith(f"{day}, "), cells[1])
        self.assertEqual(self.errors(browser), [])

    def test_the_whole_fleet_is_shown_from_the_first_moment_and_by_the_button(self):
        self.muir.put("/api/v1/zones/depot", ZONE)  # what is far from all zones is shown as well
        places = {"W": (52.23, 21.0), "L": (38.72, -9.14), "N": (69.65, 18.96)}
        self.gateway.post([position(name, lon, lat=lat) for name, (lat, lon) in places.items()])
        self.muir.wait(lambda: len(self.muir.get("/api/v1/vehicles")["vehicles"]) == 3, 20, "the fleet")
        for width, height in ((1440, 900), (1024, 768), (390, 844)):
            with self.subTest(width=width):
                browser = self.open(width, height)
                browser.wait("the fleet", "return muir.vehicles >= 3 && muir.onScreen().length === muir.vehicles && muir.mapIdle")
                self.assertEqual(browser.run(HIDDEN), [])
                first = browser.run("return muir.zoom")
                browser.click("#zoom-in")
                browser.wait("another view", "return muir.mapIdle && muir.zoom > arguments[0] + 0.9", first)
                browser.click("#zoom-fit")
                # A footer that has become longer meanwhile leaves the map a little less room.
                browser.wait("the same view", f"return muir.mapIdle && Math.abs(muir.zoom - arguments[0]) < 0.25 && (() => {{ {HIDDEN} }})().length === 0", first)
                self.assertTrue(browser.run("return [...document.querySelectorAll('#legend li')].length === 6 && [...document.querySelectorAll('#legend li')]"
                                            ".every((li) => { const b = li.getBoundingClientRect(); return b.width > 0 && b.right <= innerWidth && b.bottom <= innerHeight"
                                            " && document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2) !== null; })"), "the legend")
                self.assertEqual(browser.run("const foot = document.querySelector('#legend').getBoundingClientRect(), tabs = document.querySelector('#tabs').getBoundingClientRect();"
                                             " return tabs.height > 0 && foot.bottom > tabs.top"), False, "the legend lies under the tabs")
                browser.close()
        browser = self.open()
        browser.wait("the fleet", "return muir.onScreen().length === 3 && muir.mapIdle")
        self.gateway.post([position("S", 28.04, lat=-26.2)])
        browser.wait("the one that came to be in view", f"return muir.vehicles === 4 && muir.mapIdle && (() => {{ {HIDDEN} }})().length === 0")

    def test_what_is_removed_leaves_an_open_page_and_nothing_else_moves(self):
        self.muir.put("/api/v1/zones/depot", ZONE)
        self.gateway.post([position("V1", 21.01), position("V2", 21.02)])
        self.muir.wait(lambda: len(self.muir.get("/api/v1/vehicles")["vehicles"]) == 2, 20, "the fleet")
        browser = self.open()
        browser.wait("all of it", "return muir.vehicles === 2 && muir.zones.join() === 'depot' && muir.mapIdle && document.querySelector('[data-key=vehicles] dd').textContent === '2'")
        place = "return [...document.querySelectorAll('.connection, .counters > div:not([hidden])')].map((e) => Math.round(e.getBoundingClientRect().left)).join()"
        before = browser.run(place)
        # The name of the zone is in its middle, where V1 stands: the vehicle is what a click finds.
        browser.run("document.querySelector('#zoom-out').click()")
        browser.wait("the zone's name", "const found = muir.at(21.01, 52.23); return muir.mapIdle && found.vehicle === 'V1'")
        at = browser.run("return muir.at(21.01, 52.23)")
        browser.click_at(at["x"], at["y"])
        browser.wait("the vehicle and not the zone", "return muir.selected === 'V1' && document.querySelector('.zone-chip') === null")
        self.delete("/api/v1/zones/depot")
        browser.wait("the zone to go", "return muir.zones.length === 0")
        browser.wait("the card to say so", "return /Zone\\s*none/.test(document.querySelector('#card').innerText)")
        self.muir.put("/api/v1/zones/yard", ZONE)
        browser.wait("a new zone to come", "return muir.zones.join() === 'yard'")
        self.delete("/api/v1/vehicles/V1")
        browser.wait("the vehicle to go, with its card", "return muir.ids().join() === 'V2' && muir.selected === null && document.querySelector('#card').hidden")
        self.gateway.post([position("V1", 21.01 + n / 10_000, timestamp=int(time.time() * 1000) - n) for n in range(1200)])
        browser.wait("it to come again", "return muir.vehicles === 2 && Number(document.querySelector('[data-key=rate] dd').textContent) > 1")
        self.assertEqual(browser.run(place), before, "the header jumped")
        self.assertEqual(self.errors(browser), [])

    def test_nothing_overflows_at_any_width(self):
        self.muir.put("/api/v1/zones/depot", ZONE)
        for number in range(30):
            self.gateway.post([position(f"A-long-name-for-a-vehicle-{number}", 21 + number / 1000, 70)])
        for width, height, scheme in ((1920, 1080, "dark"), (1366, 768, "light"), (1024, 768, "dark"), (768, 1024, "light"), (844, 390, "dark"),
                                      (390, 844, "dark"), (360, 640, "light"), (320, 568, "dark")):
            with self.subTest(width=width):
                browser = self.open(width, height, scheme)
                browser.wait("the fleet", "return muir.vehicles === 30 && document.querySelector('[data-key=vehicles] dd').textContent === '30'")
                self.assertEqual(browser.run(OVERFLOW), [])
                if width <= 820:
                    browser.click("[data-tab=alerts]")
                    self.assertEqual(browser.run(OVERFLOW), [])
                    browser.click("[data-tab=fleet]")
                    browser.wait("the list", "return document.querySelector('.fleet-row:not([hidden])')")
                    self.assertEqual(browser.run(OVERFLOW), [])
                browser.click(".fleet-row:not([hidden])")
                browser.wait("the card", "return document.querySelector('#card:not([hidden])')")
                self.assertEqual(browser.run(OVERFLOW), [])
                box = browser.run("const b = document.querySelector('#card').getBoundingClientRect(); return [b.top, b.bottom]")
                self.assertGreaterEqual(box[0], 0)
                self.assertLessEqual(box[1], height)
                self.assertEqual(self.errors(browser), [])
                browser.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
