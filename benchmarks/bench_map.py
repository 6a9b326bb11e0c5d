"""The map against stock folium on the same incidents: size, time to build, time to show, time to redraw.

In: nothing; data are made by rule. Out: a table on standard output, and gapmap's figures as ratios. Method: each page is
built in a process of its own, opened from disk in headless Chromium with the network off (folium's pages get their
scripts pasted in where gapmap ships them; those of MarkerCluster it does not ship, so that page is built only).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import folium
from folium.plugins import FastMarkerCluster

from gapmap.maps import build_map, save
from gapmap.maps.page import vendored
from tests import browser
from tests.big_analysis import big_analysis

_MB = 1e6


def _gapmap(incidents: int, stretches: int, places: int, path: Path) -> float:
    analysis = big_analysis(stretches, incidents, places)
    started = time.process_time()
    save(build_map(analysis), path)
    return time.process_time() - started


def _offline(drawn: folium.Map, path: Path) -> None:
    """Write a stock page with Leaflet inside, so that it opens without a network."""
    text = drawn.get_root().render()
    head = f"<head><style>{vendored('leaflet.css').decode()}</style><script>{vendored('leaflet.js').decode()}</script>"
    path.write_text(text.replace("<head>", head, 1), encoding="utf-8")


def _cluster(incidents: int, stretches: int, places: int, path: Path) -> float:
    table = big_analysis(stretches, incidents, places).table("incidents")
    started = time.process_time()
    degrees = table.geometry.to_crs(4326)
    drawn = folium.Map(location=[36, 43], zoom_start=7, tiles=None, prefer_canvas=True)
    drawn.options["maxZoom"] = 18
    cluster: Any = FastMarkerCluster
    cluster(list(zip(degrees.y.tolist(), degrees.x.tolist(), strict=True))).add_to(drawn)
    _offline(drawn, path)
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


_DRAWS = """
const [map, filter, done] = arguments, pans = [], filters = [];
const median = (list) => list.slice().sort((a, b) => a - b)[list.length >> 1];
(function next() {
  if (pans.length < 20) {
    const t = performance.now();
    map.panBy([pans.length % 2 ? 60 : -60, 25], {animate: false});
    pans.push(performance.now() - t);
  } else if (filter && filters.length < 10) {
    const t = performance.now();
    gapmap.setFilter({deaths: filters.length % 2, width_km: filters.length % 3});
    filters.push(performance.now() - t);
  } else return done([median(pans), filters.length ? median(filters) : null]);
  requestAnimationFrame(next);
})();
"""


def _show(path: Path, *, own: bool) -> tuple[float, float, float | None]:
    """Return seconds to the first drawing, milliseconds of a redraw and of a filter."""
    with tempfile.TemporaryDirectory() as profile, browser.chromium(Path(profile)) as driver:
        driver.set_page_load_timeout(300)
        driver.set_script_timeout(300)
        times = []
        for _ in range(3 if own else 1):
            driver.get("about:blank")
            started = time.monotonic()
            if own:
                browser.open_page(driver, path)
            else:
                driver.get(path.resolve().as_uri())
                browser.settle(driver)
            times.append(time.monotonic() - started)
        found = "window.map_gapmap" if own else "Object.values(window).find(v => v instanceof L.Map)"
        redraw, filtered = driver.execute_async_script(
            _DRAWS.replace("[map, filter, done] = arguments", f"map = {found}, [filter, done] = arguments"), own
        )
        return statistics.median(times), redraw, filtered


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    incidents = parser.parse_args().incidents
    print("| way | incidents | stretches | places | build s (CPU) | GB | file MB | first s | redraw ms | filter ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    cases = [(way, (count, 500, 200)) for count in incidents for way in _WAYS if way != "GeoJson" or count <= 100_000]  # noqa: PLR2004 -- beyond, the browser gives up
    cases.append(("gapmap", (max(incidents), 5_000, 2_000)))
    with tempfile.TemporaryDirectory() as folder:
        figures: dict[tuple[str, int], tuple[float, float]] = {}
        for way, given in cases:
            path = Path(folder) / "map.html"
            seconds, memory = _build(way, given, path)
            size = path.stat().st_size / _MB
            shown = ["", "", ""]
            if way != "FastMarkerCluster":
                first, redraw, filtered = _show(path, own=way == "gapmap")
                shown = [f"{first:.2f}", f"{redraw:.0f}", "" if filtered is None else f"{filtered:.0f}"]
            print(
                f"| {way} | {' | '.join(f'{n:,}' for n in given)} | {seconds:.1f} | {memory:.2f} | {size:.1f} | {' | '.join(shown)} |"
            )
            figures.setdefault((way, given[0]), (seconds, size))
    for (way, count), (seconds, size) in figures.items():
        if way != "gapmap":
            own = figures["gapmap", count]
            print(
                f"{count:,} incidents: {way} takes {seconds / own[0]:.1f} times gapmap's build and {size / own[1]:.1f} times its file"
            )


if __name__ == "__main__":
    main()
