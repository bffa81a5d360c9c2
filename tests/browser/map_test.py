#!/usr/bin/env python3
"""Opens the live map in a headless Chromium and checks that it shows a moving fleet.

usage: map_test.py URL [SCREENSHOT.png]
"""

import sys
import time

from webdriver import Browser, WebDriverError

LEAST_VEHICLES = 100
MOVED_PX = 1.0
ENTER = "\ue007"
ESCAPE = "\ue00c"


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def step(text):
    print(f"ok: {text}", flush=True)


def vehicles_are_there(browser):
    count = browser.wait(
        f"more than {LEAST_VEHICLES} vehicles on a finished map",
        f"return window.muir && muir.connection === 'live' && muir.mapIdle && muir.onScreen().length > {LEAST_VEHICLES}"
        " && muir.vehicles", seconds=120)
    step(f"{count} vehicles are known, over {LEAST_VEHICLES} on the screen")


def vehicles_move(browser):
    browser.run("window.muirTestStart = Object.fromEntries(muir.onScreen().map((v) => [v.id, v]))")
    moved = browser.wait(
        "ten vehicles to move on the screen",
        "const moved = muir.onScreen().filter((v) => { const s = muirTestStart[v.id];"
        " return s && Math.hypot(v.x - s.x, v.y - s.y) > arguments[0]; }).length; return moved >= 10 && moved;",
        MOVED_PX)
    step(f"{moved} vehicles moved")


def search_opens_a_card(browser):
    wanted = browser.run(
        "const bands = muir.bands(); const onScreen = muir.onScreen().map((v) => v.id).sort();"
        " return onScreen.find((id) => bands[id] === 'normal') ?? onScreen[0];")
    browser.press("/")
    check(browser.run("return document.activeElement.id") == "search", "the / key does not lead to the search")
    browser.type("#search", wanted)
    browser.wait("the search to list the vehicle",
                 "const row = document.querySelector('.fleet-row:not([hidden])'); return row && row.dataset.id === arguments[0];", wanted)
    browser.press(ENTER)
    browser.wait("the card of the vehicle", "return document.querySelector('#card:not([hidden])')?.dataset.vehicle === arguments[0];", wanted)
    check(wanted in browser.text("#card h2"), f"the card does not name vehicle {wanted}")
    check(browser.run("return muir.selected") == wanted, "the map did not select the vehicle")
    browser.wait("the map to fly there", "return muir.mapIdle && muir.zoom > 14 && muir.onScreen().some((v) => v.id === arguments[0])", wanted)
    browser.wait("the speeds of the vehicle", "return !/Loading/.test(document.querySelector('#card .graph').textContent)")
    browser.wait("the way it came before the page was opened", "return muir.trail > 1")
    browser.wait("its speeds as a line", "return document.querySelector('#card .speed-line')")
    step(f"search found vehicle {wanted}, its card is open, with its trail and its speeds")
    return wanted


def card_closes(browser):
    browser.press(ESCAPE)
    browser.wait("the card to close", "return document.querySelector('#card').hidden && muir.selected === null")
    step("Escape closes the card")


def an_alert_appears(browser):
    browser.wait("an alert in the feed", "return muir.alerts > 0 && document.querySelector('#alert-feed .alert')", seconds=180)
    step("alert: " + browser.text("#alert-feed .alert .alert-text").replace("\n", ": "))


def an_alert_leads_to_its_vehicle(browser):
    browser.click("#zoom-fit")
    browser.wait("the whole city", "return muir.mapIdle && muir.zoom < 12")
    vehicle = browser.run("const row = document.querySelector('#alert-feed .alert'); row.click(); return row.querySelector('b').textContent.split(' · ').pop()")
    browser.wait("the map to fly there", "return muir.selected === arguments[0] && muir.mapIdle && muir.zoom > 14", vehicle)
    browser.press(ESCAPE)
    browser.wait("the card to close", "return muir.selected === null")
    step(f"a click on an alert flies to vehicle {vehicle}")


def a_zone_is_searched(browser):
    everything = browser.run("return document.querySelector('#fleet-note').textContent")
    browser.press("/")
    browser.type("#search", "srodmiescie")
    browser.wait("the vehicles of one district",
                 "const rows = [...document.querySelectorAll('.fleet-row:not([hidden])')];"
                 " return rows.length > 1 && rows.every((row) => row.querySelector('.where').textContent === 'Śródmieście');")
    step(f"{browser.run('return document.querySelector(`#fleet-note`).textContent')} in Śródmieście, of {everything}")
    browser.press(ESCAPE)


def latency_is_measured(browser):
    latency = browser.wait("a latency to the screen", "return muir.latency")
    check(0 <= latency["p50"] <= latency["p99"], f"latency makes no sense: {latency}")
    step(f"receipt to screen: p50 {latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms")


def a_standstill_is_shown(browser):
    """The answer of /health is the page's own here: a server that fails is the business of other tests."""
    browser.run("window.muirFetch = fetch; window.fetch = (url, ...more) => String(url).endsWith('/health')"
                " ? Promise.resolve(new Response('{\"processing\":\"stopped\",\"why\":\"offset=7\"}', { status: 503 }))"
                " : muirFetch(url, ...more);")
    browser.wait("a standstill", "return document.querySelector('#connection span').textContent === 'Stopped'"
                 " && /not processed: offset=7/.test(document.querySelector('#connection').title)")
    browser.run("window.fetch = window.muirFetch")
    browser.wait("its end", "return document.querySelector('#connection span').textContent === 'Live' && !document.querySelector('#connection').title")
    step("the page says that processing has stopped")


def console_is_clean(browser, messages):
    messages += browser.console()
    errors = [m["message"] for m in messages if m["level"] == "SEVERE"]
    check(not errors, "errors on the console:\n" + "\n".join(errors))
    step("no errors on the console")


def compose_the_picture(browser):
    """The whole fleet, and the card of a vehicle that was too fast."""
    browser.press(ESCAPE)  # leaves the search
    browser.run("document.querySelector('#alert-feed .alert[data-kind=overspeed]').click()")
    browser.wait("its card with its speeds", "return muir.selected !== null && document.querySelector('#card .speed-line')")
    browser.wait("the map to fly there", "return muir.mapIdle && muir.zoom > 14")
    browser.click("#zoom-fit")
    browser.wait("the map to stand still", "return muir.mapIdle && muir.zoom < 12")


WIDTHS = [(1600, 1000), (1366, 768), (1100, 800), (1024, 768), (820, 1180), (390, 844), (360, 740)]

# What stands where: nothing beside the window, nothing on something else, nothing cut off, all colours explained.
LAYOUT = """
const faults = [];
const shown = (e) => { const r = e.getBoundingClientRect(); return !e.hidden && r.width > 0 && r.height > 0; };
const name = (e) => e.id ? '#' + e.id : e.dataset.key ? 'counter ' + e.dataset.key : e.className || e.textContent;
const inside = (e, outer, what) => {
  const r = e.getBoundingClientRect();
  if (r.left < outer.left - 1 || r.right > outer.right + 1 || r.top < outer.top - 1 || r.bottom > outer.bottom + 1)
    faults.push(name(e) + ' leaves ' + what);
};
const apart = (all) => {
  for (let i = 0; i < all.length; ++i) for (let j = i + 1; j < all.length; ++j) {
    const a = all[i].getBoundingClientRect(), b = all[j].getBoundingClientRect();
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      faults.push(name(all[i]) + ' is on ' + name(all[j]));
  }
};
const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
const window_ = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is wider than the window');
const legend = all('#legend li');
if (legend.length !== document.querySelectorAll('#legend li').length || legend.length < 5) faults.push('the legend is not whole');
for (const item of legend) inside(item, window_, 'the window');
const top_ = all('.top > :not(.counters), .counters > div');
for (const part of top_) inside(part, document.querySelector('.top').getBoundingClientRect(), 'the header');
apart(top_);
for (const dd of all('.counters dd')) {
  const text = document.createRange();
  text.selectNodeContents(dd);
  if (text.getBoundingClientRect().right > document.querySelector('.top').getBoundingClientRect().right - 4) faults.push(name(dd.parentElement) + ' is cut off');
}
const panels = all('.top, .fleet, .right > *, .zoom, .tabs, #legend, #attribution');
for (const panel of panels) inside(panel, window_, 'the window');
apart(panels);
return faults;
"""

# A fleet row whose texts are as long as they may be: each part stays beside the next.
LONG_TEXTS = """
const text = arguments[0];
const faults = [];
for (const row of [...document.querySelectorAll('.fleet-row:not([hidden])')].filter((e) => e.getClientRects().length > 0).slice(0, 2)) {
  for (const part of ['.line', '.id', '.where']) row.querySelector(part).textContent = text;
  const ends = ['.line', '.id', '.speed'].map((part) => row.querySelector(part).getBoundingClientRect());
  for (let i = 1; i < ends.length; ++i) if (ends[i - 1].right > ends[i].left) faults.push('part ' + i + ' of a row is on the next');
  if (ends[2].right > row.getBoundingClientRect().right) faults.push('the speed leaves its row');
  if (ends[1].width < 40) faults.push('nothing is left of the id');
  for (const part of ['.line', '.id', '.where']) {
    const e = row.querySelector(part);
    if (getComputedStyle(e).textOverflow !== 'ellipsis') faults.push(part + ' is not cut off');
    if (e.getBoundingClientRect().height > 24) faults.push(part + ' has more than one line');
  }
}
return faults;
"""

# Where the counters are while what they and the connection say is short, and long.
COUNTERS = """
const [state, number] = arguments;
document.querySelector('#connection span').textContent = state;
for (const dd of document.querySelectorAll('.counters > div:not([data-key=server]):not([data-key=screen]) dd')) {
  const text = dd.querySelector('button') ? [...dd.childNodes].find((n) => n.nodeType === 3) : dd;
  if (text) text.textContent = number;
}
return [...document.querySelectorAll('.counters > div')].map((e) => Math.round(e.getBoundingClientRect().left));
"""


def it_fits_every_width(browser):
    browser.press(ESCAPE)
    for width, height in WIDTHS:
        browser.cdp("Emulation.setDeviceMetricsOverride",
                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        browser.wait(f"the page at {width} pixels", "return innerWidth === arguments[0]", width)
        # Where there is no room beside it, a panel covers the map and its legend.
        browser.run("const tab = document.querySelector('#tabs [data-tab=map]'); if (tab.offsetParent) tab.click();")
        faults = browser.run(LAYOUT)
        check(not faults, f"at {width} pixels: " + "; ".join(faults))
        for text in ("18446744073709551615", "vehicle-" + "W" * 42, "two words " * 12):
            faults = browser.run(LONG_TEXTS, text)
            check(not faults, f"at {width} pixels with '{text}': " + "; ".join(faults))
        before, after = (browser.run(COUNTERS, *texts) for texts in (("Live", "7"), ("Connecting", "8,888")))
        check(before == after, f"at {width} pixels the header jumps: counters at {before}, then at {after}")
    step("legend, header and panels fit at " + ", ".join(str(width) for width, _ in WIDTHS) + " pixels")
    browser.cdp("Emulation.setDeviceMetricsOverride", {"width": 1600, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
    browser.wait("the wide page", "return innerWidth === 1600 && muir.mapIdle")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    started = time.monotonic()
    with Browser(1600, 1000) as browser:
        browser.cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        browser.go(sys.argv[1])
        try:
            vehicles_are_there(browser)
            vehicles_move(browser)
            search_opens_a_card(browser)
            card_closes(browser)
            an_alert_appears(browser)
            an_alert_leads_to_its_vehicle(browser)
            a_zone_is_searched(browser)
            latency_is_measured(browser)
            it_fits_every_width(browser)
            a_standstill_is_shown(browser)
            console_is_clean(browser, [])
            compose_the_picture(browser)
        except (AssertionError, WebDriverError) as problem:
            print(f"FAILED: {problem}", flush=True)
            for message in browser.console():
                print(f"console: {message['level']}: {message['message']}", flush=True)
            return 1
        finally:
            if len(sys.argv) == 3:
                browser.screenshot(sys.argv[2])
    print(f"passed in {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
