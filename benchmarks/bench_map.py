"""The map against stock folium on the same incidents: size, time to build, time to show, time to redraw.

In: nothing; data are made by rule. Out: a table and ratios, printed and in RESULTS-map.md. Method: each page is built in a
process of its own and opened from disk in headless Chromium with the network off; into folium's pages the scripts they
would fetch are pasted, those of MarkerCluster from .cache, where `make bench` puts them.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import folium
from folium.plugins import FastMarkerCluster
from selenium.common.exceptions import WebDriverException

from gapmap.maps import build_map, save
from gapmap.maps.page import vendored
from tests import browser
from tests.big_analysis import big_analysis

_MB = 1e6
_DIST = Path(__file__).parent.parent / ".cache" / "leaflet" / "package" / "dist"
_CLUSTER = [_DIST / "leaflet.markercluster.js", _DIST / "leaflet.awesome-markers.min.js"]
_RESULTS = Path(__file__).parent / "RESULTS-map.md"
_MOST_GEOJSON = 100_000  # a million took 28 s and 2.2 GB to build, and the browser gave the page up
_MINUTES = 5


def _gapmap(incidents: int, stretches: int, places: int, path: Path) -> float:
    analysis = big_analysis(stretches, incidents, places)
    started = time.process_time()
    save(build_map(analysis), path)
    return time.process_time() - started


def _offline(drawn: folium.Map, path: Path, *more: Path) -> None:
    """Write a stock page with Leaflet and more scripts inside, so that it opens without a network."""
    text = drawn.get_root().render()
    scripts = [vendored("leaflet.js").decode(), *(file.read_text(encoding="utf-8") for file in more)]
    head = f"<head><style>{vendored('leaflet.css').decode()}</style>"
    head += "".join(f"<script>{script}</script>" for script in scripts)
    path.write_text(text.replace("<head>", head, 1), encoding="utf-8")


def _cluster(incidents: int, stretches: int, places: int, path: Path) -> float:
    table = big_analysis(stretches, incidents, places).table("incidents")
    started = time.process_time()
    degrees = table.geometry.to_crs(4326)
    drawn = folium.Map(location=[36, 43], zoom_start=7, tiles=None, prefer_canvas=True)
    drawn.options["maxZoom"] = 18
    cluster: Any = FastMarkerCluster
    cluster(list(zip(degrees.y.tolist(), degrees.x.tolist(), strict=True))).add_to(drawn)
    _offline(drawn, path, *_CLUSTER)
    return time.process_time() - started


def _geojson(incidents: int, stretches: int, places: int, path: Path) -> float:
    table = big_analysis(stretches, incidents, places).table("incidents")
    started = time.process_time()
    part = table[["kind", "deaths_best", "geometry"]].to_crs(4326)
    part["date"] = table["date_from"].astype(str)
    drawn = folium.Map(location=[36, 43], zoom_start=7, tiles=None, prefer_canvas=True)
    folium.GeoJson(
        json.loads(part.to_json()),
        marker=folium.CircleMarker(radius=3),
        tooltip=folium.GeoJsonTooltip(["date", "kind"]),
    ).add_to(drawn)
    _offline(drawn, path)
    return time.process_time() - started


_WAYS = {"gapmap": _gapmap, "FastMarkerCluster": _cluster, "GeoJson": _geojson}


def _work(way: str, given: tuple[int, int, int], path: Path, answer: Any) -> None:  # noqa: ANN401 - a queue
    seconds = _WAYS[way](*given, path)
    answer.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6))


def _build(way: str, given: tuple[int, int, int], path: Path) -> tuple[float, float]:
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    worker = context.Process(target=_work, args=(way, given, path, answer))
    worker.start()
    found: tuple[float, float] = answer.get()
    worker.join()
    return found


# From the call until the frame that shows it is drawn.
_DRAWS = """
const [map, filter, done] = arguments, pans = [], zooms = [], filters = [];
const median = (list) => list.slice().sort((a, b) => a - b)[list.length >> 1];
const frame = () => new Promise((drawn) => requestAnimationFrame(() => {
  const after = new MessageChannel();
  after.port1.onmessage = drawn;
  after.port2.postMessage(0);
}));
(async () => {
  for (let k = 0; k < 20; k++) {
    await frame();
    const t = performance.now();
    map.panBy([k % 2 ? 60 : -60, 25], {animate: false});
    await frame();
    pans.push(performance.now() - t);
  }
  for (let k = 0; k < 8; k++) {
    await frame();
    const t = performance.now();
    map.setZoom(map.getZoom() + (k % 4 < 2 ? 1 : -1), {animate: false});
    await frame();
    zooms.push(performance.now() - t);
  }
  for (let k = 0; filter && k < 20; k++) {
    await frame();
    const t = performance.now();
    gapmap.setFilter(k % 2 ? {deaths: k % 3, width_km: k % 5} : {window: [`201${3 + k % 4}-03-01`, "2019-06-30"]});
    await frame();
    filters.push(performance.now() - t);
  }
  done([median(pans), median(zooms), filters.length ? median(filters) : null]);
})();
"""


def _show(path: Path, *, own: bool) -> tuple[float, float, float, float | None]:
    """Return seconds to the first drawing, milliseconds of a redraw, of one after a zoom, and of a filter."""
    with tempfile.TemporaryDirectory() as profile, browser.chromium(Path(profile)) as driver:
        driver.set_page_load_timeout(60 * _MINUTES)
        driver.set_script_timeout(60 * _MINUTES)
        times = []
        for _ in range(3 if own else 1):
            driver.get("about:blank")
            started = time.monotonic()
            if own:
                browser.open_page(driver, path)
            else:
                driver.get(path.resolve().as_uri())
                browser.settle(driver)
                drawn = "return document.querySelectorAll('.leaflet-marker-icon, .leaflet-overlay-pane canvas').length"
                if not driver.execute_script(drawn):
                    raise RuntimeError("the page shows nothing")
            times.append(time.monotonic() - started)
        found = "window.map_gapmap" if own else "Object.values(window).find(v => v instanceof L.Map)"
        redraw, zoomed, filtered = driver.execute_async_script(
            _DRAWS.replace("[map, filter, done] = arguments", f"map = {found}, [filter, done] = arguments"), own
        )
        return statistics.median(times), redraw, zoomed, filtered


def _row(way: str, given: tuple[int, int, int], folder: Path) -> dict[str, float | None]:
    """Return what one page takes; None for what there is not, NaN for what did not end within the limit."""
    path = folder / "map.html"
    seconds, memory = _build(way, given, path)
    figures: dict[str, float | None] = {"build s": seconds, "GB": memory, "file MB": path.stat().st_size / _MB}
    try:
        first, redraw, zoomed, filtered = _show(path, own=way == "gapmap")
    except WebDriverException:
        first = redraw = zoomed = math.nan
        filtered = None
    return {**figures, "first s": first, "redraw ms": redraw, "zoom ms": zoomed, "filter ms": filtered}


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if math.isnan(value):
        return f"not in {_MINUTES} min"
    return f"{value:.0f}" if name.endswith("ms") else f"{value:.2f}"


def _ratio(theirs: float | None, own: float | None) -> str:
    return "-" if theirs is None or own is None or math.isnan(theirs) else f"{theirs / own:.1f}"


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    incidents = parser.parse_args().incidents
    if missing := [file for file in _CLUSTER if not file.exists()]:
        sys.exit(f"no {missing[0].name} in {_DIST}: `make bench` fetches it")
    cases = [(way, (n, 500, 200)) for n in incidents for way in _WAYS if way != "GeoJson" or n <= _MOST_GEOJSON]
    cases.append(("gapmap", (max(incidents), 5_000, 2_000)))
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    say("# The map beside stock folium\n")
    say(
        "Made by `make bench`; times of one machine, headless Chromium without a graphics card. *build*: seconds of processor;"
        " *first*: from opening the file until all is drawn; *redraw*, *zoom*, *filter*: median of 20 or 8, from the call"
        " until the frame is drawn, of a move of the map, of a step in or out, and of a change of width, deaths or dates. gapmap's page holds the stretches,"
        " the places, dates, kinds and deaths; FastMarkerCluster holds positions alone, GeoJson dates and kinds besides, and"
        f" is left out above {_MOST_GEOJSON:,} incidents, where the browser gives the page up.\n"
    )
    say(
        f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()}, folium {version('folium')}\n"
    )
    names = ("build s", "GB", "file MB", "first s", "redraw ms", "zoom ms", "filter ms")
    say(f"| way | incidents | stretches | places | {' | '.join(names)} |")
    say(f"| --- {'| ---: ' * (3 + len(names))}|")
    found: dict[tuple[str, int], dict[str, float | None]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for way, given in cases:
            row = _row(way, given, Path(folder))
            found.setdefault((way, given[0]), row)
            cells = " | ".join(_cell(name, row[name]) for name in names)
            say(f"| {way} | {' | '.join(f'{n:,}' for n in given)} | {cells} |")
    say("\nTimes gapmap's figure on the same incidents:\n")
    say("| way | incidents | build | memory | file | first | redraw | zoom |")
    say("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (way, count), row in found.items():
        if way != "gapmap":
            own = found["gapmap", count]
            cells = " | ".join(_ratio(row[name], own[name]) for name in names[:-1])
            say(f"| {way} | {count:,} | {cells} |")
    _RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
