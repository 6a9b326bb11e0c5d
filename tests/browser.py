"""Headless Chromium for the tests of the page: a file from disk, no network, everything it asks for written down."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

_WAIT_S = 20
AXE = Path(__file__).parent.parent / ".cache" / "axe-core" / "package" / "axe.min.js"


def require_chromium() -> tuple[str, str]:
    """Return the paths of browser and driver, or skip: conftest makes a skip a failure where all must run."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no chromium and chromedriver on this machine")
    return browser, driver


def require_axe() -> str:
    """Return the script of axe-core, which .ci/run fetches, or skip."""
    if not AXE.exists():
        pytest.skip(f"no axe-core in {AXE.parent}; .ci/run fetches it")
    return AXE.read_text(encoding="utf-8")


def axe_findings(driver: Chrome) -> list[str]:
    """Return what axe-core finds serious or critical on the page as it stands."""
    driver.execute_script(require_axe())
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations"
        ".filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)"
        " + ' ' + n.failureSummary).join(' | '))))"
    )
    return [str(each) for each in found]


@contextmanager
def chromium(profile: Path, *, size: tuple[int, int] = (1280, 800)) -> Iterator[Chrome]:
    """Start a browser whose network is off and whose console and requests are logged."""
    binary, driver_path = require_chromium()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-device-scale-factor=1",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile}",
        f"--window-size={size[0]},{size[1]}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        driver.get("about:blank")
        resize(driver, size)
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        _log(driver, "performance")  # the browser's own start page
        yield driver
    finally:
        driver.quit()


def resize(driver: Chrome, size: tuple[int, int]) -> None:
    """Set the size of the page, not of the window around it."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
    )


def open_page(driver: Chrome, path: Path) -> None:
    """Open a file and wait until the map is drawn."""
    driver.get(path.resolve().as_uri())
    end = time.monotonic() + _WAIT_S
    while time.monotonic() < end:
        if driver.execute_script("return window.gapmap && (window.gapmap.ready || window.gapmap.failed !== '')"):
            break
        time.sleep(0.05)
    failed = driver.execute_script("return window.gapmap ? window.gapmap.failed : 'gapmap.js did not run'")
    assert failed == "", failed
    assert driver.execute_script("return window.gapmap.ready"), f"not ready after {_WAIT_S} s"
    settle(driver)


def settle(driver: Chrome) -> None:
    """Wait for two frames, so that what was asked for is on the screen."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));"
    )


_BOXES = """
const box = (name, e, high) => { const r = e.getBoundingClientRect(); return [name, r.left, r.top, r.right, r.top + (high || r.height)]; };
const seen = (selectors) => selectors.map(s => [s, document.querySelector(s)]).filter(([, e]) => e && e.offsetParent);
// What stands out of a panel that does not scroll counts as a part of it.
// A line of which a box that hides what stands out of it shows the top alone.
const halved = (e) => { const range = document.createRange(), edge = e.getBoundingClientRect().bottom; range.selectNodeContents(e);
  return e.offsetParent && getComputedStyle(e).overflowY === 'hidden' && [...range.getClientRects()].some(r => r.top < edge - 4 && r.bottom > edge + 4); };
const whole = (e) => (getComputedStyle(e).overflowY === 'visible' ? e.scrollHeight : 0);
const panel = '.panel:not([hidden])', texts = 'h1, h3, h4, p, dt, dd, th button, label, footer, #bar button, #tabs button';
return {
  page: seen(['#top', '#stage', '#time', '#details', '#count', '#tabs', panel, 'footer']).map(([s, e]) => box(s, e, whole(e))),
  map: seen(['.leaflet-control-zoom', '#north', '.leaflet-control-scale', '#cursor']).map(([s, e]) => box(s, e)),
  labels: gapmap.labelBoxes().map((each) => ['label', ...each]).concat(seen(['.leaflet-control-zoom', '#north', '.leaflet-control-scale']).map(([s, e]) => box(s, e))
    .map(([name, x, y, right, bottom]) => { const o = map_gapmap.containerPointToLayerPoint([0, 0]), r = document.getElementById('stage').getBoundingClientRect();
      return [name, x - r.left + o.x, y - r.top + o.y, right - r.left + o.x, bottom - r.top + o.y]; })),
  cut: [...document.querySelectorAll(texts)].filter(e => e.offsetParent && e.id !== 'said' && e.clientWidth && e.scrollWidth > e.clientWidth + 1)
    .concat([...document.querySelectorAll('td button, td button span')].filter(halved)).map(e => e.textContent),
};
"""


def untidy(driver: Chrome) -> list[tuple[str, ...]]:
    """Return which panels of the page, controls of the map and labels overlap, and which texts are cut."""
    found = driver.execute_script(_BOXES)
    return [
        *(
            (a[0], b[0])
            for part in ("page", "map", "labels")
            for a, b in combinations(found[part], 2)
            if _overlap(a, b)
        ),
        *((text,) for text in found["cut"]),
    ]


def _overlap(a: list[Any], b: list[Any]) -> bool:
    return min(a[3], b[3]) - max(a[1], b[1]) > 1 and min(a[4], b[4]) - max(a[2], b[2]) > 1


def console(driver: Chrome) -> list[str]:
    """Return what the console said since the last call, warnings and errors."""
    return [entry["message"] for entry in _log(driver, "browser") if entry["level"] in {"WARNING", "SEVERE"}]


def requests(driver: Chrome) -> list[str]:
    """Return every address asked for since the last call, data and blob addresses left out."""
    out = []
    for entry in _log(driver, "performance"):
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            out.append(message["params"]["request"]["url"])
    return [url for url in out if not url.startswith(("data:", "blob:"))]


def _log(driver: Chrome, name: str) -> list[dict[str, Any]]:
    untyped: Any = driver
    return untyped.get_log(name)
