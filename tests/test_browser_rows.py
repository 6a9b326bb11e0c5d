"""The features of the map, each in headless Chromium, opened from disk with the network off."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import re
import time
from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import mgrs
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from PIL import Image
from pypdf import PdfReader
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from gapmap.editions import edition
from gapmap.maps import build_map, save
from gapmap.maps.languages import LANGUAGES, catalogue
from gapmap.report import build_report
from tests import browser
from tests.big_analysis import big_analysis
from tests.fake_analysis import FakeAnalysis, fake_analysis, width, without_zones
from tests.hostile import PAYLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Maps on disk: one a language, and a big one."""
    folder = tmp_path_factory.mktemp("maps")
    found = {each: save(build_map(fake_analysis(), language=each), folder / f"{each}.html") for each in LANGUAGES}
    return {**found, "big": save(build_map(big_analysis(500, 50_000, 200)), folder / "big.html")}


@pytest.fixture
def page(chrome: Chrome, files: dict[str, Path]) -> Chrome:
    return _show(chrome, files["en"])


def _show(chrome: Chrome, path: Path, size: tuple[int, int] = (1280, 800)) -> Chrome:
    chrome.get("about:blank")  # else a page that differs by its hash alone is not loaded again
    browser.resize(chrome, size)
    browser.console(chrome)
    browser.open_page(chrome, path)
    return chrome


def _js(chrome: Chrome, code: str, *given: object) -> Any:  # noqa: ANN401 - whatever the page answers
    return chrome.execute_script(f"return {code}", *given)


def _click(chrome: Chrome, selector: str) -> None:
    chrome.execute_script("document.querySelector(arguments[0]).click()", selector)
    browser.settle(chrome)


def _text(chrome: Chrome, selector: str) -> str:
    """Return the text of an element without the marks that isolate its numbers."""
    return re.sub("[\u2068\u2069]", "", _js(chrome, "document.querySelector(arguments[0]).textContent", selector))


def _details(chrome: Chrome) -> dict[str, str]:
    found = _js(chrome, "[...document.querySelectorAll('#details dd')].map(e => [e.dataset.key, e.dataset.value])")
    return dict(reversed(found))  # the first of each key: the stretch's, not the whole corridor's


def _at(chrome: Chrome, lat: float, lon: float) -> tuple[int, int]:
    x, y = _js(
        chrome,
        "((p, r) => [p[0] + r.left, p[1] + r.top])(gapmap.pixel(...arguments),"
        " document.getElementById('stage').getBoundingClientRect())",
        lat,
        lon,
    )
    return round(x), round(y)


def _move(chrome: Chrome, x: int, y: int, *, click: bool = False) -> None:
    actions = ActionChains(chrome, duration=20)
    pointer: Any = actions.w3c_actions.pointer_action
    pointer.move_to_location(x, y)
    if click:
        pointer.click()
    actions.perform()
    browser.settle(chrome)


def _press(chrome: Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(chrome, duration=10).send_keys(key).perform()
    browser.settle(chrome)


def _degrees(analysis: FakeAnalysis, name: str) -> gpd.GeoSeries:
    return analysis.table(name).geometry.to_crs(4326)


# ---- Rows 3 to 9


def test_row_3_many_points_stay_fluid(chrome: Chrome, files: dict[str, Path]) -> None:
    """The budget itself, with a million points, is in benchmarks/bench_map.py."""
    started = time.monotonic()
    _show(chrome, files["big"])
    assert time.monotonic() - started < 6  # 3 s, on a machine that tests other things as well
    assert _js(chrome, "gapmap.visibleCount()") == 50_000
    pans = chrome.execute_async_script(
        "const done = arguments[0], took = []; (function next() { if (took.length === 20) return done(took);"
        " const t = performance.now(); map_gapmap.panBy([took.length % 2 ? 40 : -40, 15], {animate: false});"
        " took.push(performance.now() - t); requestAnimationFrame(next); })()"
    )
    assert np.median(pans) < 100
    assert _js(chrome, "document.getElementById('crowded').hidden") is False
    filters = chrome.execute_async_script(
        "const done = arguments[0], took = []; (function next() { if (took.length === 20) return done(took);"
        " const t = performance.now(), k = took.length;"
        " gapmap.setFilter(k % 2 ? {deaths: k % 3, width_km: k % 5} : {window: [`201${3 + k % 4}-03-01`, '2019-06-30']});"
        " took.push(performance.now() - t); requestAnimationFrame(next); })()"
    )
    assert np.median(filters) < 100


def test_row_4_details_equal_the_table(page: Chrome) -> None:
    row = fake_analysis().table("stretches").loc["C01.02"]
    assert _js(page, "gapmap.select('C01.02')")
    found = _details(page)
    for column in ("width_min_m", "width_mean_m", "width_max_m", "length_km", "area_km2", "incidents_count"):
        assert float(found[column]) == pytest.approx(row[column], abs=1e-3)
    chart = _js(page, "document.querySelector('#details svg').getAttribute('aria-label')")
    assert "Width along the middle line" in chart
    drawn = _js(page, "document.querySelector('#details .chart .line').getAttribute('d').split('L').length")
    assert drawn == 12  # ten measuring lines and the two ends


@pytest.mark.parametrize("key", ["C01.02", "C01.06"])
def test_row_4_chart_reaches_both_ends_with_their_widths(chrome: Chrome, tmp_path: Path, key: str) -> None:
    """Lines may stand far apart, or far from the end of the corridor, beyond which there is none."""
    analysis = fake_analysis()
    lines, row = analysis.table("transects"), analysis.table("stretches").loc[key]
    far = lines["along_m"].between(row["from_m"] + 4_000, row["to_m"] - 12_000)
    _show(chrome, save(build_map(analysis.with_table("transects", lines[far])), tmp_path / "map.html"))
    assert _js(chrome, "gapmap.select(arguments[0])", key)
    path = _js(chrome, "document.querySelector('#details .chart .line').getAttribute('d')")
    x, y = np.array([each.split() for each in path[1:].split("L")], dtype=float).T
    axis = _js(chrome, "(b => [b.x, b.x + b.width])(document.querySelector('#details .chart .axis').getBBox())")
    assert x[[0, -1]] == pytest.approx(axis, abs=0.2)
    ends = width(np.array([row["from_m"], row["to_m"]]) - 60_000)
    most = max(ends.max(), lines["width_m"][far].max())
    assert y[[0, -1]] == pytest.approx(74 - ends / most * 62, abs=0.1)
    assert _js(chrome, "document.querySelector('#details .chart text').textContent") == f"{most / 1000:.1f} km"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_row_4_chart_is_as_long_as_the_middle_line(chrome: Chrome, files: dict[str, Path], language: str) -> None:
    analysis, km = fake_analysis(), catalogue(language)["km"]
    lines = analysis.table("transects").set_index("along_m")["width_m"]
    _show(chrome, files[language])
    assert _js(chrome, "gapmap.select('C01.02')")
    parts = (
        ("", analysis.table("stretches").loc["C01.02"]),
        ("[data-corridor] ", analysis.table("corridors").loc["C01"]),
    )
    for within, row in parts:
        long = km.replace("{n}", f"{row['length_km']:.1f}")
        shown = _js(
            chrome,
            "(e => [[...e.querySelectorAll('text')].map(t => t.textContent), e.querySelector('svg').getAttribute('aria-label'),"
            " ['line', 'axis'].map(c => e.querySelector('.' + c).getBBox()).map(b => [b.x, b.x + b.width])])"
            "(document.querySelector(`#details ${arguments[0]}.chart`))",
            within,
        )
        start = row.get("from_m", 0.0)
        end = start + 1000 * row["length_km"]
        most = max(
            width(np.array([start, end]) - 60_000).max(), lines[lines.index.to_series().between(start, end)].max()
        )
        assert shown[0] == [km.replace("{n}", f"{most / 1000:.1f}"), "0", "0", long]
        assert long in shown[1]
        line, axis = shown[2]
        assert line == pytest.approx(axis, abs=0.2)
        texts = _js(chrome, "[...document.querySelectorAll('#details .chart text')].every(t => t.getBBox().x >= 0)")
        assert texts


def test_row_4_details_name_who_lives_there(chrome: Chrome, tmp_path: Path) -> None:
    """Places by name, the largest first, and their people: before the incidents, so that both are seen without scrolling."""
    analysis = fake_analysis().with_values("places", stretch_id="C01.02", population=[4_000.0, np.nan, 150_000.0])
    analysis = analysis.with_values(
        "stretches", places=[0, 3, 1, 0, 0, 0], population=[np.nan, 154_000.0] + [np.nan] * 4
    )
    _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
    words = "[...document.querySelectorAll('#details > dl dt')].map(e => e.textContent).slice(5, 8)"
    value = "document.querySelector('#details > dl [data-key=\"' + arguments[0] + '\"]')?.textContent"
    assert _js(chrome, "gapmap.select('C01.02')")
    assert _js(chrome, words) == ["Places", "People in them", "Incidents (plain count), all dates and kinds"]
    assert _js(chrome, value, "places") == "3 · Altun Kupri · Gwer · مخمور"
    assert _js(chrome, value, "population") == "154,000"
    assert _js(chrome, "gapmap.select('C01.03')")
    assert [_js(chrome, value, each) for each in ("places", "population")] == ["1", "not known"]
    assert _js(chrome, "gapmap.select('C01.01')")
    assert [_js(chrome, value, each) for each in ("places", "population")] == ["0", None]
    chrome.execute_script("gapmap.openArea([[35.5, 42], [35.5, 44.5], [37, 44.5], [37, 42]])")
    value = value.replace("> dl ", "")
    assert [_js(chrome, value, each) for each in ("places", "population")] == ["3", "154,000"]


def test_row_4_details_say_what_no_filter_touches(page: Chrome) -> None:
    page.execute_script("gapmap.setFilter({kinds: ['IED']}); gapmap.select('C01.01')")
    assert _details(page)["incidents_count"] == "3"
    assert _text(page, "[data-id='C01.01'] [data-key=incidents]") == "1"
    assert "Incidents (plain count), all dates and kinds" in _text(page, "#details")


def test_row_5_list_is_virtual_sorted_and_linked(chrome: Chrome, files: dict[str, Path]) -> None:
    _show(chrome, files["big"])
    _click(chrome, "#tab-list")
    assert _js(chrome, "gapmap.listed().length") == 500
    assert _js(chrome, "document.querySelectorAll('#list tr').length") < 60
    widths = big_analysis(500, 1).table("stretches")["width_max_m"]
    _click(chrome, "th[data-key='width_max_m'] button")
    listed = _js(chrome, "gapmap.listed()")
    assert (np.diff(widths.loc[listed]) <= 1e-4).all()
    _click(chrome, "th[data-key='width_max_m'] button")
    assert (np.diff(widths.loc[_js(chrome, "gapmap.listed()")]) >= -1e-4).all()
    assert _js(chrome, "document.querySelector('th[data-key=width_max_m]').ariaSort") == "ascending"
    _click(chrome, "#list td button")
    first = _js(chrome, "gapmap.listed()[0]")
    assert _js(chrome, "gapmap.state().selected") == first
    assert _js(chrome, "document.querySelector(`tr[data-id='${arguments[0]}']`).ariaSelected", first) == "true"
    assert _js(chrome, "gapmap.state().zoom") > 9
    last = _js(chrome, "gapmap.listed()[420]")
    chrome.execute_script("gapmap.select(arguments[0])", last)  # as a click on the map does
    inside = _js(
        chrome,
        "((r, s) => r.top >= s.top && r.bottom <= s.bottom + 1)(document.querySelector(`tr[data-id='${arguments[0]}']`)"
        ".getBoundingClientRect(), document.getElementById('scroller').getBoundingClientRect())",
        last,
    )
    assert inside
    assert _js(chrome, "document.querySelectorAll('#list tr').length") < 60


def test_row_6_legend_counts_classes_and_dims_what_is_off(page: Chrome) -> None:
    stretches = fake_analysis().table("stretches")
    expected = np.histogram(stretches["width_max_m"], [0, 2e3, 5e3, 10e3, 15e3, 20e3])[0]
    shown = _js(page, "[...document.querySelectorAll('[data-class] .count')].map(e => Number(e.textContent))")
    assert shown == expected.tolist()
    colours = _js(
        page, "[...document.querySelectorAll('[data-class] i')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(colours)) == 5
    assert {e["id"] for e in _js(page, "gapmap.layers()")} == set(
        _js(page, "[...document.querySelectorAll('[data-layer]')].map(e => e.dataset.layer)")
    )
    _click(page, "[data-layer=corridors]")
    assert _js(page, "document.querySelector('.classes').classList.contains('off')")
    assert float(page.find_element("css selector", ".classes").value_of_css_property("opacity")) < 0.6
    # The swatch of the widest class is the colour on the map, seen through nothing else.
    _click(page, "[data-layer=corridors]")
    for layer in ("places", "incidents", "centrelines", "boundaries"):
        _click(page, f"[data-layer={layer}]")
    spot = gpd.GeoSeries(gpd.points_from_xy([35_000], [1_000]), crs=fake_analysis().crs).to_crs(4326).iloc[0]
    pixel = _js(
        page,
        "((c, p) => { const r = c.getBoundingClientRect(), s = document.getElementById('stage').getBoundingClientRect();"
        " return [...c.getContext('2d').getImageData(p[0] + s.left - r.left, p[1] + s.top - r.top, 1, 1).data] })"
        "(document.querySelector('.leaflet-gap-ground-pane canvas'), gapmap.pixel(...arguments))",
        spot.y,
        spot.x,
    )
    swatch = [int(part) for part in re.findall(r"\d+", colours[4])]
    assert np.abs(np.array(pixel[:3]) - swatch).max() <= 3


def test_row_6_boundaries_look_in_the_legend_as_on_the_map(chrome: Chrome, tmp_path: Path) -> None:
    """A country's edge is one line, the edges of its parts are dashed."""
    analysis = fake_analysis()
    rows = analysis.table("boundaries").iloc[[0, 1, 1]].set_axis(["B1", "B2", "B3"])
    page = _show(chrome, save(build_map(analysis.with_table("boundaries", rows)), tmp_path / "map.html"))
    swatch = (
        "((c, y) => [...c.getContext('2d').getImageData(0, y, 68, 1).data].filter((_, i) => i % 4 === 3).map(v => v > 40))"
        "(document.querySelector('[data-layer=boundaries] + canvas'), arguments[0])"
    )
    assert all(_js(page, swatch, 12))
    dashed = _js(page, swatch, 24)
    assert dashed.count(True) > 30
    assert dashed.count(False) > 10
    assert "Opacity" in _text(page, "#layers")


def test_row_6_incidents_hide_no_corridor_from_afar(page: Chrome) -> None:
    """From afar an incident is smaller and lets the ground through; near by it is whole."""
    analysis = fake_analysis()
    page.execute_script(
        "for (const id of ['places', 'incidents']) document.querySelector(`[data-layer=${id}]`).click()"
    )
    seen = []
    for zoom in (7.5, 10):
        spot = _degrees(analysis, "incidents").iloc[4]  # none is near it
        page.execute_script(
            "map_gapmap.setView([arguments[0], arguments[1]], arguments[2], {animate: false})", spot.y, spot.x, zoom
        )
        browser.settle(page)
        page.execute_script("document.querySelector('[data-layer=incidents]').click()")
        alpha = _js(
            page,
            "((c, p) => { const r = c.getBoundingClientRect(), s = document.getElementById('stage').getBoundingClientRect(), n = 24;"
            " return [...c.getContext('2d').getImageData(p[0] + s.left - r.left - 12, p[1] + s.top - r.top - 12, n, n).data]"
            ".filter((_, i) => i % 4 === 3) })(document.querySelector('.leaflet-gap-marks-pane canvas'), gapmap.pixel(...arguments))",
            spot.y,
            spot.x,
        )
        seen.append((max(alpha), sum(each > 0 for each in alpha)))
        page.execute_script("document.querySelector('[data-layer=incidents]').click()")
    (far, small), (near, large) = seen
    assert 100 < far < 210
    assert near == 255
    assert 4 < small < large / 3


def test_row_7_filters_count_as_numpy_does(page: Chrome) -> None:
    table = fake_analysis().table("incidents")
    stretches = fake_analysis().table("stretches")
    wide = stretches.index[stretches["width_max_m"] >= 15_000]
    assert 0 < len(wide) < len(stretches)
    cases: list[tuple[dict[str, object], pd.Series]] = [
        ({"kinds": ["IED"]}, table["kind"] == "IED"),
        ({"deaths": 1}, table["deaths_best"] >= 1),
        ({"listed": True}, table["stretch_id"] != ""),
        ({"listed": True, "width_km": 15}, table["stretch_id"].isin(wide)),
    ]
    _click(page, "#tab-filter")
    for change, expected in cases:
        page.execute_script("gapmap.setFilter(arguments[0])", change)
        assert _js(page, "gapmap.visibleCount()") == expected.sum(), change
        assert f"{expected.sum()} of 5 incidents (plain count)" in _text(page, "#count")
        _click(page, "#clear")
        assert _js(page, "gapmap.visibleCount()") == 5
    _click(page, "#filter input[data-kind='0']")
    assert _js(page, "gapmap.visibleCount()") == (table["kind"] != "IED").sum()
    assert _js(page, "document.getElementById('count').getAttribute('role')") == "status"
    pair = _js(page, "[...document.querySelectorAll('#filter select')][0].options[1].value")
    page.execute_script("gapmap.setFilter({pair: arguments[0]})", pair)
    assert pair == "federal|regional"
    assert _js(page, "gapmap.listed().length") == 6


def test_row_7_incidents_with_civilians_as_the_target(chrome: Chrome, tmp_path: Path) -> None:
    analysis = fake_analysis().with_values("incidents", civilians=[1.0, 0.0, np.nan, 1.0, 1.0])
    table = analysis.table("incidents")
    _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
    _click(chrome, "#tab-filter")
    box = chrome.find_element("xpath", "//*[@id='filter']//label[contains(., 'Civilians')]//input")
    box.click()
    assert _js(chrome, "gapmap.state().filters.civilians") is True
    assert _js(chrome, "gapmap.visibleCount()") == (table["civilians"] == 1).sum() == 3
    assert "3 of 5 incidents (plain count)" in _text(chrome, "#count")
    chrome.execute_script("gapmap.setFilter({kinds: ['IED']})")
    both = (table["civilians"] == 1) & (table["kind"] == "IED")
    assert 0 < _js(chrome, "gapmap.visibleCount()") == both.sum() < 3
    _click(chrome, "#clear")
    assert not box.is_selected()
    assert _js(chrome, "gapmap.visibleCount()") == 5


def test_row_8_time_window_counts_and_plays(page: Chrome) -> None:
    table = fake_analysis().table("incidents")
    handle = page.find_element("id", "from")
    page.execute_script("document.getElementById('step').value = 'month'; arguments[0].focus()", handle)
    for _ in range(8):
        before = _js(page, "gapmap.state().window") or ["2018-07-08", ""]
        _press(page, Keys.ARROW_RIGHT)
        first, last = _js(page, "gapmap.state().window")
        assert pd.Timestamp(first) == pd.Timestamp(before[0]) + pd.offsets.MonthBegin()
        inside = (table["date_from"] <= last) & (table["date_to"] >= first)
        assert _js(page, "gapmap.visibleCount()") == inside.sum()
    assert "March 2019" in (handle.get_attribute("aria-valuetext") or "")
    starts = set()
    _click(page, "#play")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        starts.add(_js(page, "JSON.stringify(gapmap.state().window)"))
        time.sleep(0.1)
    assert len(starts) >= 3
    page.execute_script(
        "Object.defineProperty(document, 'hidden', {value: true}); document.dispatchEvent(new Event('visibilitychange'))"
    )
    assert _js(page, "document.getElementById('play').getAttribute('aria-pressed')") == "false"
    _click(page, "#window-all")
    assert _js(page, "gapmap.visibleCount()") == 5
    assert int(_js(page, "document.getElementById('histogram').dataset.total")) == 5


def test_row_8_months_are_months(page: Chrome) -> None:
    """From 8 July 2018 to 5 March 2021: windows follow one another, and what a key did its counterpart undoes."""
    _click(page, "#window-all")
    page.execute_script("document.getElementById('step').value = 'month'; document.getElementById('to').focus()")
    seen = []
    for key in (Keys.ARROW_LEFT,) * 3 + (Keys.ARROW_RIGHT,) * 3:
        _press(page, key)
        seen.append((_js(page, "gapmap.state().window") or ["", "2021-03-05"])[1])
    assert seen == ["2021-02-28", "2021-01-31", "2020-12-31", "2021-01-31", "2021-02-28", "2021-03-05"]
    for name, first in (("from", "2018-08-01"), ("from", "2018-09-01")):
        page.execute_script("document.getElementById(arguments[0]).focus()", name)
        _press(page, Keys.ARROW_RIGHT)
        assert _js(page, "gapmap.state().window")[0] == first
    _press(page, Keys.ARROW_LEFT)
    assert _js(page, "gapmap.state().window")[0] == "2018-08-01"
    _click(page, "#window-all")
    shown = page.execute_async_script(
        "const done = arguments[0], seen = [], speed = document.getElementById('speed'); speed.value = '8';"
        " document.getElementById('play').click(); (function look() { const now = gapmap.state().window.join();"
        " if (seen[seen.length - 1] !== now) seen.push(now);"
        " if (seen.length < 9) setTimeout(look, 10); else { document.getElementById('play').click(); done(seen); } })()"
    )
    windows = [[pd.Timestamp(each) for each in text.split(",")] for text in shown]
    assert windows[0] == [pd.Timestamp("2018-07-08"), pd.Timestamp("2018-07-31")]
    for (_, before), (first, last) in itertools.pairwise(windows):
        assert first == before + pd.Timedelta(days=1)
        assert (first.day, last) == (1, first + pd.offsets.MonthEnd())


def test_row_8_handles_push_each_other_under_the_mouse(page: Chrome) -> None:
    wide = page.find_element("id", "histogram").size["width"]
    for name, far in (("from", wide * 9 // 10), ("to", -wide * 7 // 10)):
        handle = page.find_element("id", name)
        ActionChains(page, duration=20).click_and_hold(handle).move_by_offset(far, 0).release().perform()
        browser.settle(page)
    first, last = _js(page, "gapmap.state().window")
    assert first == last < "2019-06-01"  # pushed back from the right end, where both stood together
    _press(page, Keys.END)
    assert _js(page, "gapmap.state().window")[1] > "2021-01-01"


def test_names_of_both_directions_stand_apart(chrome: Chrome, tmp_path: Path) -> None:
    names = json.dumps(["Guwair", "الكوير", "گوێر"], ensure_ascii=False)
    analysis = fake_analysis().with_values(
        "places", name="Gwer", names=names, nearest_zone_federal="Post 1 (illustrative)"
    )
    analysis = analysis.with_values("stretches", facing_a="Post 1; مخفر ٢")
    _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
    apart = "[...document.querySelectorAll(`#details dd[data-key=${arguments[0]}] bdi`)].map(e => e.textContent)"
    assert _js(chrome, "gapmap.select('C01.02')")
    assert _js(chrome, apart, "facing_a") == ["Post 1", "مخفر ٢"]
    spot = _degrees(analysis, "places").iloc[0]
    _move(chrome, *_at(chrome, spot.y, spot.x), click=True)
    assert _js(chrome, apart, "names") == ["Guwair", "الكوير", "گوێر"]
    assert _text(chrome, "dd[data-key=distance_federal_m]") == "5.00 km · Post 1 (illustrative)"


def test_row_9_width_threshold_keeps_the_widest(page: Chrome) -> None:
    _click(page, "#tab-filter")
    stretches = fake_analysis().table("stretches")
    slide = page.find_element("id", "width")
    for value in ("5", "19"):
        page.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))",
            slide,
            value,
        )
        expected = stretches.index[stretches["width_max_m"] >= float(value) * 1000].tolist()
        assert _js(page, "gapmap.listed()") == expected
        counted = _js(page, "[...document.querySelectorAll('[data-class] .count')].map(e => Number(e.textContent))")
        assert sum(counted) == len(expected)
    assert _js(page, "document.querySelectorAll('#list tr[data-id]').length") == len(expected)


def test_row_9_nothing_of_a_hidden_stretch_stays(page: Chrome) -> None:
    """Its middle line, its measuring lines, its width under the pointer and its panel go with it."""
    page.execute_script(
        "document.querySelectorAll('[data-layer]').forEach((e) => {"
        " if (e.checked !== ['transects', 'centrelines', 'corridors'].includes(e.dataset.layer)) e.click() });"
        " const fade = document.querySelector(\"[data-opacity='corridors']\"); fade.value = '0.1';"
        " fade.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    ink = (
        "(([lat, lon], c) => { const p = gapmap.pixel(lat, lon), r = c.getBoundingClientRect(),"
        " s = document.getElementById('stage').getBoundingClientRect();"
        " const box = c.getContext('2d').getImageData(p[0] + s.left - r.left - 8, p[1] + s.top - r.top - 8, 16, 16).data;"
        " let dark = 0; for (let i = 0; i < box.length; i += 4) dark += box[i + 3] > 150 && box[i] < 90; return dark; })"
        "(arguments[0], document.querySelector('.leaflet-gap-ground-pane canvas'))"
    )
    narrow, wide = (
        gpd.GeoSeries(gpd.points_from_xy([x], [0]), crs=fake_analysis().crs).to_crs(4326).iloc[0]
        for x in (-10_000, 35_000)
    )
    page.execute_script("gapmap.select('C01.03'); map_gapmap.setView([36.2, 43.4], 9, {animate: false})")
    browser.settle(page)
    assert min(_js(page, ink, [at.y, at.x]) for at in (narrow, wide)) > 10
    page.execute_script("gapmap.setFilter({width_km: 15})")
    assert "C01.03" not in _js(page, "gapmap.listed()")
    assert "C01.05" in _js(page, "gapmap.listed()")
    assert _js(page, "gapmap.state().selected") is None
    assert not page.find_element("id", "details").is_displayed()
    assert [_js(page, ink, [at.y, at.x]) > 10 for at in (narrow, wide)] == [False, True]
    for at, shown in ((narrow, False), (wide, True)):
        _move(page, *_at(page, at.y, at.x))
        assert ("Width here: " in _text(page, "#cursor")) is shown


# ---- Rows 10 to 15


def test_row_10_cursor_shows_mgrs_and_go_to_takes_all_forms(page: Chrome) -> None:
    known = mgrs.MGRS()
    random = np.random.default_rng(2)
    spots = np.column_stack([random.uniform(-79, 83, 3_000), random.uniform(-180, 180, 3_000)])
    near = np.column_stack([random.uniform(29, 38, 3_000), random.uniform(38, 49, 3_000)])
    asked = np.concatenate([near, spots]).tolist()
    shown = _js(page, "arguments[0].map(at => gapmap.mgrs(...at).replaceAll(' ', ''))", asked)
    for (lat, lon), text in zip(asked, shown, strict=True):
        expected = known.toMGRS(lat, lon, MGRSPrecision=5).lstrip("0")
        assert text[:-10] == expected[:-10]
        assert abs(int(text[-10:-5]) - int(expected[-10:-5])) <= 1
        assert abs(int(text[-5:]) - int(expected[-5:])) <= 1
    back = np.array(_js(page, "arguments[0].map(text => gapmap.parsePoint(text))", shown[:3_000]))
    assert GEOD.inv(near[:, 1], near[:, 0], back[:, 1], back[:, 0])[2].max() < 1
    x, y = _at(page, 36.22, 43.05)
    _move(page, x, y)
    lat, lon = _js(
        page,
        "(a => [a.lat, a.lng])(map_gapmap.mouseEventToLatLng({clientX: arguments[0], clientY: arguments[1]}))",
        x,
        y,
    )
    assert GEOD.inv(lon, lat, 43.05, 36.22)[2] < 600  # a pixel
    assert _text(page, "#cursor [data-key=mgrs]").replace(" ", "") == known.toMGRS(lat, lon)
    assert "Width here: " in _text(page, "#cursor")
    for text in (
        "36.2, 43.3",
        "36.2N 43.3E",
        "43.3E 36.2N",
        "36°12'00\"N 43°18'00\"E",
        "\u0663\u0666\u066b\u0662 \u0664\u0663\u066b\u0663",
    ):
        assert _js(page, "gapmap.parsePoint(arguments[0])", text) == pytest.approx([36.2, 43.3]), text
    for text in ("", "Gwer", "95 43", "36 43 12", "36.2 400", "99ZZZ1"):
        assert _js(page, "gapmap.parsePoint(arguments[0])", text) is None, text
    for text, selected in (
        ("38SLF 12345 67890", "point"),
        ("36.1 43.1", "point"),
        ("Guwair", "place:0"),
        ("مخمور", "place:1"),
        ("altun", "place:2"),
    ):
        box = page.find_element("id", "goto-text")
        box.clear()
        box.send_keys(text, Keys.ENTER)
        if text == "altun":  # a stretch bears the name too
            _click(page, "#goto-found button")
        assert _js(page, "gapmap.state().selected") == selected, text


def test_row_10_go_to_says_what_is_off_the_map(page: Chrome) -> None:
    box = page.find_element("id", "goto-text")
    for text, off in (("36,2 43,3", False), ("43.3 36.2", True), ("12 12", True)):
        box.clear()
        box.send_keys(text, Keys.ENTER)
        assert _js(page, "gapmap.state().selected") == "point"
        assert ("outside the ground of this map" in _text(page, "#said")) is off, text
    box.clear()
    box.send_keys(" ", Keys.ENTER)
    assert _text(page, "#said") == ""


def test_row_10_a_click_copies_position_and_mgrs(page: Chrome) -> None:
    page.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    page.execute_script("window.focus()")
    box = page.find_element("id", "goto-text")
    box.clear()
    box.send_keys("36.1 43.1", Keys.ENTER)
    page.find_element("xpath", "//*[@id='details']//button[text()='Copy']").click()
    browser.settle(page)
    held = page.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, e => done(String(e)))"
    )
    shown = _js(page, "[...document.querySelectorAll('#details .small bdi')].slice(0, 2).map(e => e.textContent)")
    assert held == " ".join(shown)
    assert shown[1].replace(" ", "") == mgrs.MGRS().toMGRS(36.1, 43.1)
    for text in shown:  # what was copied can be looked for
        assert _js(page, "gapmap.parsePoint(arguments[0])", text) == pytest.approx([36.1, 43.1], abs=2e-5), text
    assert "Copied" in _text(page, "#said")


def test_row_12_axe_finds_nothing_serious_in_any_language(chrome: Chrome, files: dict[str, Path]) -> None:
    for language in LANGUAGES:
        _show(chrome, files[language])
        chrome.execute_script("gapmap.select('C01.01')")
        for tab in ("legend", "list", "filter", "save", "made"):
            _click(chrome, f"#tab-{tab}")
            if tab != "legend" and language != "en":
                continue  # the same elements with other words
            assert browser.axe_findings(chrome) == [], (language, tab)


def test_row_12_whole_job_by_keyboard(page: Chrome, tmp_path: Path) -> None:
    """Find a stretch, read it, filter by date, export: Tab, arrows, Enter and Escape alone."""
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})

    def tab_to(condition: str, most: int = 80) -> None:
        for _ in range(most):
            ActionChains(page, duration=5).send_keys(Keys.TAB).perform()
            if page.execute_script(f"const e = document.activeElement; return {condition}"):
                return
        pytest.fail(f"Tab never reached {condition}")

    tab_to("e.id === 'tab-legend'")
    _press(page, Keys.ARROW_RIGHT)
    reached = set()
    tab_to("e.closest('tbody tr')")
    for _ in range(6):
        reached.add(_js(page, "document.activeElement.closest('tr')?.dataset.id"))
        _press(page, Keys.TAB)
    assert reached == set(fake_analysis().table("stretches").index)
    page.execute_script("document.querySelector('#list td button').focus()")
    _press(page, Keys.ARROW_DOWN, Keys.ENTER)
    assert _js(page, "gapmap.state().selected") == "C01.02"
    assert "Narrowest" in page.find_element("id", "details").text
    _press(page, Keys.ESCAPE)
    assert _js(page, "document.activeElement.closest('tr').dataset.id") == "C01.02"
    page.execute_script("document.getElementById('goto-text').focus()")
    tab_to("e.id === 'from'")
    _press(page, *[Keys.ARROW_RIGHT] * 8)
    tab_to("e.getAttribute('role') === 'tab'")
    _press(page, *[Keys.ARROW_RIGHT] * 2)
    tab_to("e.id === 'csv-incidents'")
    shown = _js(page, "gapmap.visibleCount()")
    assert 0 < shown < 5
    _press(page, Keys.ENTER)
    end = time.monotonic() + 5
    while not (tmp_path / "incidents.csv").exists() and time.monotonic() < end:
        time.sleep(0.05)
    text = (tmp_path / "incidents.csv").read_text(encoding="utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == shown


def test_row_13_forces_and_widths_differ_without_colour(page: Chrome) -> None:
    """Widths by lightness; forces by the direction of their hatch, seen in the swatches turned to grey."""
    colours = _js(
        page, "[...document.querySelectorAll('[data-class] i')].map(e => getComputedStyle(e).backgroundColor)"
    )
    grey = [np.dot([int(each) for each in re.findall(r"\d+", text)], [0.2126, 0.7152, 0.0722]) for text in colours]
    assert (np.diff(grey) < -15).all()
    swatches = _js(
        page,
        "['federal', 'regional'].map(f => { const c = document.querySelector(`[data-layer='cover:${f}'] + canvas`);"
        " return [...c.getContext('2d').getImageData(8, 8, 50, 20).data] })",
    )
    first, second = (np.array(each).reshape(20, 50, 4)[..., :3] @ [0.2126, 0.7152, 0.0722] for each in swatches)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.6


def test_row_14_foot_says_how_corridors_were_measured_where_they_were(chrome: Chrome, tmp_path: Path) -> None:
    analysis = fake_analysis()
    for read, said in ((analysis, True), (analysis.with_table("ground", analysis.table("ground").iloc[:0]), False)):
        _show(chrome, save(build_map(read), tmp_path / "map.html"))
        assert ("measured in" in _text(chrome, "#provenance")) is said


def test_row_14_provenance_is_all_there(page: Chrome) -> None:
    _click(page, "#tab-made")
    text = page.find_element("id", "panel-made").text
    run = fake_analysis().table("run").iloc[0]
    for wanted in (
        run["notice"],
        run["title"],
        "ab" * 32,
        "61 of 63",
        "20 km",
        "Lambert",
        "0.1.0",
        run["created"],
        "1 June 2021",
    ):
        assert str(wanted) in re.sub("[\u2068\u2069]", "", text), wanted
    assert "Cover is what the forces declare" in text


def test_row_15_opacity_fades_a_layer_and_comes_back(page: Chrome) -> None:
    def ink() -> float:
        return _js(
            page,
            "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((s, v, i) => i % 4 === 3 ? s + v : s, 0))"
            "(document.querySelector('.leaflet-gap-ground-pane canvas'))",
        )

    before = ink()
    slide = "(e => { e.value = arguments[0]; e.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector(\"[data-opacity='corridors']\"))"
    page.execute_script(slide, "0.3")
    assert ink() < 0.95 * before
    page.execute_script(slide, "1")
    assert ink() == before


# ---- Rows 16 to 19


def test_row_16_area_gives_incidents_places_and_ground(page: Chrome) -> None:
    analysis = fake_analysis()
    ring = [[36.05, 42.6], [36.35, 42.62], [36.3, 43.1], [36.02, 43.05]]
    found = _js(page, "gapmap.query(arguments[0])", ring)
    to_mercator = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform
    area = shapely.Polygon([to_mercator(lon, lat) for lat, lon in ring])
    inside = analysis.table("incidents").to_crs(3857).within(area)
    assert found["incidents"] == inside.sum() > 1
    kinds = analysis.table("incidents").loc[inside, "kind"].value_counts().to_dict()
    assert found["by_kind"] == kinds
    assert (
        sorted(found["places"])
        == analysis.table("places").index[analysis.table("places").to_crs(3857).within(area)].tolist()
    )
    dense = gpd.GeoSeries([area.segmentize(500)], crs=3857).to_crs(analysis.crs).iloc[0]
    expected = analysis.table("stretches").intersection(dense).area.sum() / 1e6
    assert found["gap_km2"] == pytest.approx(expected, rel=3e-3)
    # By hand: three clicks and Enter.
    _click(page, "#tool-area")
    for lat, lon in ring:
        _move(page, *_at(page, lat, lon), click=True)
    _press(page, Keys.ENTER)
    assert _js(page, "gapmap.state().selected") == "area"
    assert abs(float(_details(page)["gap_km2"]) - expected) < 0.05 * expected
    assert int(_details(page)["incidents"]) == inside.sum()


def test_row_16_area_follows_the_filters(page: Chrome) -> None:
    """Panel, export and link: what a filter hides is in none of them, whenever it was set."""
    table = fake_analysis().table("incidents")
    page.execute_script("gapmap.openArea([[35, 42], [37, 42], [37, 45], [35, 45]])")
    assert int(_details(page)["incidents"]) == len(table)
    assert "filters" not in _text(page, "#area-note")
    whole = float(_details(page)["gap_km2"])
    page.execute_script("gapmap.setFilter({kinds: ['IED'], width_km: 15})")
    kept = fake_analysis().table("stretches").query("width_max_m >= 15_000")
    found = _details(page)
    assert (int(found["incidents"]), int(found["kind:IED"])) == ((table["kind"] == "IED").sum(),) * 2
    assert "kind:attack" not in found
    assert float(found["gap_km2"]) == pytest.approx(kept.area.sum() / 1e6, rel=3e-3)
    assert float(found["gap_km2"]) < whole
    assert "Only what the filters show" in _text(page, "#area-note")
    page.execute_script(
        "window.saved = null; const of = URL.createObjectURL; URL.createObjectURL = (b) => { b.text().then((t) => saved = t);"
        " return of(b); }; document.getElementById('area-csv').click(); URL.createObjectURL = of;"
    )
    _wait(page, "window.saved !== null")
    rows = list(csv.DictReader(io.StringIO(_js(page, "saved").lstrip("\ufeff"))))
    assert [row["kind"] for row in rows] == ["IED"] * (table["kind"] == "IED").sum()
    page.execute_script("gapmap.setFilter({window: ['2020-01-01', '2020-12-31']})")
    assert int(_details(page)["incidents"]) == 1
    hash_ = _js(page, "gapmap.hash()")
    page.execute_script(
        "gapmap.setFilter({kinds: null, width_km: 0, window: null}); location.hash = arguments[0]", hash_
    )
    _wait(page, "gapmap.visibleCount() === 1")
    assert int(_details(page)["incidents"]) == 1


def test_row_16_ground_of_two_corridors_counts_once(chrome: Chrome, tmp_path: Path) -> None:
    """Corridors of different pairs may lie on one another; ground is ground."""
    analysis = fake_analysis()
    stretches = analysis.table("stretches")
    shapes = list(stretches.geometry)
    shapes[3] = shapely.union(shapes[2], shapes[3])  # another pair's, over its neighbour
    moved = gpd.GeoDataFrame(stretches.drop(columns="geometry"), geometry=shapes, crs=analysis.crs)
    _show(chrome, save(build_map(analysis.with_table("stretches", moved)), tmp_path / "map.html"))
    found = _js(chrome, "gapmap.query([[35.5, 42], [37, 42], [37, 45], [35.5, 45]])")["gap_km2"]
    assert found == pytest.approx(shapely.union_all(shapes).area / 1e6, rel=3e-3)


def test_row_16_area_whose_edges_cross_is_not_answered(page: Chrome) -> None:
    _click(page, "#tool-area")
    for lat, lon in ((36.05, 42.6), (36.35, 43.1), (36.05, 43.1), (36.35, 42.6)):
        _move(page, *_at(page, lat, lon), click=True)
    _press(page, Keys.ENTER)
    assert "cross" in _text(page, "#said")
    assert _js(page, "gapmap.state().selected") is None
    assert not page.find_element("id", "details").is_displayed()


def test_row_17_opening_something_else_ends_the_measuring(page: Chrome) -> None:
    _click(page, "#tool-measure")
    for at in ((36.1, 43.0), (36.3, 43.5)):
        _move(page, *_at(page, *at), click=True)
    _click(page, "#tab-list")
    _click(page, "#list td button")
    assert _js(page, "document.getElementById('tool-measure').ariaPressed") == "false"
    _move(page, *_at(page, 36.2, 42.75), click=True)
    assert _js(page, "gapmap.state().selected") == "C01.01"


def test_row_16_many_points_are_counted_as_shapely_does(chrome: Chrome, files: dict[str, Path]) -> None:
    _show(chrome, files["big"])
    table = big_analysis(500, 50_000, 200).table("incidents").to_crs(3857)
    centre = table.geometry.iloc[0]
    ring = shapely.Polygon(
        [
            (centre.x + 40_000 * np.cos(t) * (1 + 0.3 * np.cos(5 * t)), centre.y + 40_000 * np.sin(t))
            for t in np.linspace(0, 6.2, 64)
        ]
    )
    to_degrees = pyproj.Transformer.from_crs(3857, 4326, always_xy=True).transform
    corners = [list(reversed(to_degrees(*at))) for at in ring.exterior.coords[:-1]]
    counted = _js(chrome, "gapmap.query(arguments[0]).incidents", corners)
    expected = table.within(ring).sum()
    assert expected > 500
    assert abs(counted - expected) <= 2  # positions stand on a grid of about half a metre


def test_row_17_lengths_and_areas_are_geodesic(page: Chrome) -> None:
    lon, lat, _ = GEOD.fwd(43.3, 36.2, 37, 100_000)
    found = _js(page, "gapmap.measure([[36.2, 43.3], [arguments[0], arguments[1]]])", lat, lon)
    assert found["length_m"] == pytest.approx(100_000, abs=0.01)
    ring = [[35.5, 42.1], [37.0, 42.4], [36.8, 44.9], [35.4, 44.2]]
    area, around = GEOD.polygon_area_perimeter([at[1] for at in ring], [at[0] for at in ring])
    found = _js(page, "gapmap.measure(arguments[0])", ring)
    assert found["area_m2"] == pytest.approx(abs(area), rel=1e-3)
    assert found["around_m"] == pytest.approx(around, rel=1e-6)
    _click(page, "#tool-measure")
    for at in ((36.1, 43.0), (36.3, 43.5)):
        _move(page, *_at(page, *at), click=True)
    shown = float(_details(page)["length_m"])
    assert shown == pytest.approx(GEOD.inv(43.0, 36.1, 43.5, 36.3)[2], rel=0.02)  # clicks fall on whole pixels


def _start_by_key(chrome: Chrome, tool: str) -> None:
    chrome.find_element("id", tool).send_keys(Keys.ENTER)
    assert _js(chrome, "document.activeElement.id") == "map_gapmap"
    assert chrome.find_element("id", "cross").is_displayed()


def _pan(chrome: Chrome, key: str) -> tuple[float, float]:
    """Press a key until the map has moved, and return its middle."""
    middle = "(c => [c.lat, c.lng])(map_gapmap.getCenter())"
    before = _js(chrome, middle)
    for _ in range(2):
        _press(chrome, key)
        time.sleep(0.5)  # the map glides
    lat, lon = _js(chrome, middle)
    assert [lat, lon] != before
    return lat, lon


def test_row_17_the_keyboard_measures(page: Chrome) -> None:
    _start_by_key(page, "tool-measure")
    assert _text(page, "#said") == catalogue("en")["hint_keys"]
    assert catalogue("en")["hint_keys"] in _js(page, "document.getElementById('tool-measure').title")
    drawn = _js(page, "map_gapmap.getCenter()")
    _press(page, Keys.ENTER)
    assert _text(page, "#said") == f"Point 1: {drawn['lat']:.4f}° N, {drawn['lng']:.4f}° E"
    lat, lon = _pan(page, Keys.ARROW_RIGHT)
    _press(page, Keys.SPACE)
    length = GEOD.inv(drawn["lng"], drawn["lat"], lon, lat)[2]
    assert float(_details(page)["length_m"]) == pytest.approx(length, rel=1e-6)
    _pan(page, Keys.ARROW_DOWN)
    _press(page, Keys.ENTER)
    assert float(_details(page)["length_m"]) > 1.1 * length
    _press(page, Keys.BACKSPACE)
    assert float(_details(page)["length_m"]) == pytest.approx(length, rel=1e-6)
    assert _text(page, "#said").startswith("Point 2: ")
    _pan(page, Keys.ARROW_RIGHT)
    _press(page, Keys.ENTER, Keys.ENTER)
    assert _js(page, "document.getElementById('tool-measure').ariaPressed") == "false"
    assert not page.find_element("id", "cross").is_displayed()
    assert len(_js(page, "gapmap.state().clicked")) == 3
    assert browser.console(page) == []


def test_row_16_the_keyboard_draws_an_area(page: Chrome) -> None:
    _start_by_key(page, "tool-area")
    ring = []
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT):
        ring.append(_pan(page, key))
        _press(page, Keys.ENTER)
    assert browser.axe_findings(page) == []
    _press(page, Keys.ENTER)  # again on the spot, as a double click
    assert np.array(_js(page, "gapmap.state().area")) == pytest.approx(np.array(ring), abs=1e-5)
    assert float(_details(page)["area_km2"]) > 0
    _start_by_key(page, "tool-area")
    _press(page, Keys.ENTER, Keys.ESCAPE)
    assert _js(page, "gapmap.state().area") is None
    assert not page.find_element("id", "cross").is_displayed()
    assert _text(page, "#said") == ""


def test_row_16_after_a_click_enter_ends_as_before(page: Chrome) -> None:
    page.find_element("id", "tool-area").click()
    assert _text(page, "#said") == catalogue("en")["hint_area"]
    for at in ((36.05, 42.6), (36.35, 43.1), (36.05, 43.1)):
        _move(page, *_at(page, *at), click=True)
        assert not page.find_element("id", "cross").is_displayed()
    _press(page, Keys.ENTER)
    assert len(_js(page, "gapmap.state().area")) == 3


def test_row_18_link_holds_the_whole_state(chrome: Chrome, files: dict[str, Path]) -> None:
    _show(chrome, files["en"])
    chrome.execute_script("gapmap.setFilter({kinds: ['IED'], width_km: 5, window: ['2018-08-01', '2020-12-01']})")
    for selector in ("[data-layer=places]", "th[data-key=length_km] button"):
        _click(chrome, selector)
    chrome.execute_script("gapmap.select('C01.03'); map_gapmap.setView([36.25, 43.4], 9.5, {animate: false})")
    state, link = _js(chrome, "gapmap.state()"), _js(chrome, "gapmap.hash()")
    chrome.get("about:blank")
    chrome.get(files["en"].resolve().as_uri() + link)
    time.sleep(0.3)
    browser.settle(chrome)
    assert _js(chrome, "gapmap.state()") == state
    assert state["selected"] == "C01.03"
    assert state["window"] == ["2018-08-01", "2020-12-01"]


@pytest.mark.parametrize("what", ["point", "stretch", "line"])
def test_row_18_link_holds_what_was_clicked(chrome: Chrome, files: dict[str, Path], what: str) -> None:
    _show(chrome, files["en"])
    if what == "line":
        _click(chrome, "#tool-measure")
    for at in {"point": [(36.5, 43.3)], "stretch": [(36.2, 43.6)], "line": [(36.1, 43.0), (36.3, 43.5), (36.2, 43.6)]}[
        what
    ]:
        _move(chrome, *_at(chrome, *at), click=True)
    if what == "line":
        _press(chrome, Keys.ENTER)
    shown, state, link = _text(chrome, "#details"), _js(chrome, "gapmap.state()"), _js(chrome, "gapmap.hash()")
    chrome.get("about:blank")
    browser.open_page(chrome, files["en"])
    chrome.execute_script("location.hash = arguments[0]", link)
    _wait(chrome, "gapmap.state().selected !== null")
    assert _js(chrome, "gapmap.state()") == state
    assert _text(chrome, "#details") == shown
    assert (state["selected"] == "C01.05") is (what == "stretch")
    assert {"point": "Here", "stretch": "Width here: ", "line": "Measured"}[what] in shown


def test_row_18_hostile_link_is_ignored(chrome: Chrome, files: dict[str, Path]) -> None:
    _show(chrome, files["en"])
    plain, link = _js(chrome, "gapmap.state()"), _js(chrome, "gapmap.hash()")
    good = json.loads(re.sub(r"%([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), link.removeprefix("#gap=")))
    wrong: list[object] = [
        {**good, "centre": ["<img src=x onerror=window.__x=1>", 0]},
        {**good, "layers": {"__proto__x": True}},
        {**good, "filters": {**good["filters"], "kinds": ["<svg/onload=window.__x=1>"]}},
        {**good, "area": [[1, 2]]},
        {**good, "selected": "point", "clicked": [["<img src=x onerror=window.__x=1>", 0]]},
        {**good, "selected": "point", "clicked": [[None, 0]]},
        {**good, "selected": "measure", "clicked": [[1, 2]] * 1001},
        {**good, "zoom": 1e9},
        {**good, "window": ["2018-01-01", "x"]},
        [],
        None,
    ]
    hashes = ["#gap=" + json.dumps(each) for each in wrong] + ["#gap=%E0%A4%A", "#" + PAYLOADS[2], "#gap={{7*7}}"]
    for each in hashes:
        chrome.execute_script("location.hash = arguments[0]", each)
        time.sleep(0.02)
        assert _js(chrome, "gapmap.state()") == plain, each
    assert _js(chrome, "window.__x === undefined")
    assert browser.console(chrome) == []


def test_row_19_exports_hold_what_is_shown(chrome: Chrome, tmp_path: Path) -> None:
    analysis = fake_analysis()
    names = ["=1+1", "+x", "-x", "@x", 'say "a, b"', "plain"]
    path = save(build_map(analysis.with_values("stretches", name=names), include_notes=True), tmp_path / "map.html")
    _show(chrome, path)
    chrome.execute_script("gapmap.setFilter({kinds: ['attack']})")
    rows = list(csv.DictReader(io.StringIO(_js(chrome, "gapmap.exported('incidents_csv')").lstrip("\ufeff"))))
    assert len(rows) == _js(chrome, "gapmap.visibleCount()") == 3
    assert {row["kind"] for row in rows} == {"attack"}
    table = analysis.table("incidents")
    assert {row["incident_id"]: row["date_from"] for row in rows} == {
        key: str(day.date()) for key, day in table.loc[table["kind"] == "attack", "date_from"].items()
    }
    assert {row["notice"] for row in rows} == {analysis.table("run")["notice"].iloc[0]}
    assert sorted(row["date_from"] for row in rows) == ["2018-07-09", "2019-05-06", "2021-03-04"]
    rows = list(csv.DictReader(io.StringIO(_js(chrome, "gapmap.exported('stretches_csv')").lstrip("\ufeff"))))
    assert [row["name"] for row in rows] == ["'=1+1", "'+x", "'-x", "'@x", 'say "a, b"', "plain"]
    shown = gpd.GeoDataFrame.from_features(json.loads(_js(chrome, "gapmap.exported('stretches_geojson')")), crs=4326)
    assert shown.to_crs(analysis.crs).area.to_numpy() == pytest.approx(analysis.table("stretches").area, rel=1e-3)
    assert len(json.loads(_js(chrome, "gapmap.exported('incidents_geojson')"))["features"]) == 3
    picture = base64.b64decode(_js(chrome, "gapmap.picture()").split(",")[1])
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") > 2 * 1_000


def test_row_19_picture_and_sheet_are_finer_than_the_screen(page: Chrome) -> None:
    """Lines and letters are drawn anew with all pixels that picture and paper have, and the screen stays as it was."""
    shown = "[...document.querySelectorAll('#map_gapmap canvas')].map(c => c.toDataURL())"
    before = _js(page, shown)
    page.execute_script(
        "window.fine = []; const ink = CanvasRenderingContext2D.prototype, draw = ink.drawImage;"
        " ink.drawImage = function (node, ...at) { if (node.closest?.('#map_gapmap')) window.fine.push(node.width / at[2]); return draw.call(this, node, ...at); }"
    )
    for code in ("gapmap.picture()", "dispatchEvent(new Event('beforeprint'))"):
        page.execute_script(f"window.fine = []; {code}")
        found = _js(page, "window.fine")
        assert len(found) > 1
        assert found == pytest.approx([2] * len(found), abs=0.01), code
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert _js(page, shown) == before


@pytest.mark.parametrize(("language", "right"), [("en", False), ("ar", True)])
def test_row_19_legend_of_the_picture_has_its_signs_where_reading_begins(
    chrome: Chrome, files: dict[str, Path], language: str, *, right: bool
) -> None:
    _show(chrome, files[language])
    picture = Image.open(io.BytesIO(base64.b64decode(_js(chrome, "gapmap.picture()").split(",")[1]))).convert("HSV")
    legend = np.asarray(picture.crop((picture.width - 600, 150, picture.width, picture.height)))
    colour = (legend[:, :, 1] > 30).sum(axis=0)  # by column of the 300 px of the legend
    assert bool(colour[2 * 254 : 2 * 288].sum() > colour[2 * 14 : 2 * 48].sum()) is right


def test_row_19_exports_of_nothing_hold_the_heads_of_columns(page: Chrome) -> None:
    heads = [
        _js(page, "gapmap.exported(arguments[0]).split('\\r\\n')[0]", each)
        for each in ("incidents_csv", "stretches_csv")
    ]
    page.execute_script("gapmap.setFilter({kinds: [], width_km: 20})")
    assert _js(page, "gapmap.listed()") == []
    for what, head in zip(("incidents_csv", "stretches_csv"), heads, strict=True):
        assert len(head.split(",")) > 10
        assert _js(page, "gapmap.exported(arguments[0])", what) == head + "\r\n"


def test_row_18_copy_link_says_so_in_words(page: Chrome) -> None:
    page.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    page.execute_script("window.focus()")
    _click(page, "#copy-link")
    _wait(page, "document.getElementById('said').textContent !== ''")
    assert _text(page, "#said") == "Link copied"


@pytest.mark.parametrize(("edition", "language"), [("full", "ckb"), ("public", "en"), ("public", "ar")])
def test_row_19_print_is_one_sheet_in_other_editions_and_languages(
    chrome: Chrome, tmp_path: Path, edition: str, language: str
) -> None:
    drawn = build_map(fake_analysis(), edition=edition, language=language)
    _show(chrome, save(drawn, tmp_path / "map.html"))
    if edition == "full":  # the sheet of a stretch
        assert _js(chrome, "gapmap.select('C01.02')")
    sheet = _sheet(chrome)
    assert len(sheet.pages) == 1
    assert fake_analysis().table("run")["title"].iloc[0] in " ".join(sheet.pages[0].extract_text().split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_row_19_figures_and_legend_stand_side_by_side_on_paper(
    chrome: Chrome, files: dict[str, Path], language: str
) -> None:
    _show(chrome, files[language])
    try:
        assert _js(chrome, "gapmap.select('C01.02')")
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        browser.resize(chrome, (1055, 726))  # A4 less its margins
        assert browser.untidy(chrome) == []
        assert _js(chrome, "(e => e.scrollHeight - e.clientHeight)(document.getElementById('side'))") <= 1
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.resize(chrome, (1280, 800))


def _sheet(chrome: Chrome) -> PdfReader:
    pdf = chrome.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    return PdfReader(io.BytesIO(base64.b64decode(pdf["data"])))


@pytest.mark.parametrize("extreme", [False, True])
def test_row_19_long_names_stay_on_one_sheet(chrome: Chrome, tmp_path: Path, *, extreme: bool) -> None:
    """Names end in dots; only where everything is long, details fade out at their end."""
    forces = {
        each: {"label": f"The {each} forces of all provinces and of their command"} for each in ["federal", "regional"]
    }
    parameters = {"parameters": json.dumps({"forces": forces})}
    zones = "; ".join(f"Post on the hill number {n}" for n in range(40))
    if extreme:
        inputs = [{"role": "zones", "name": f"a file with a long name {n}.csv"} for n in range(60)]
        parameters |= {"title": "A long title " * 30, "inputs": json.dumps(inputs)}
    analysis = fake_analysis().with_values("stretches", name="near many villages " * 20, facing_a=zones, facing_b=zones)
    analysis = analysis.with_values("run", **parameters)
    if extreme:
        analysis = analysis.with_values(
            "incidents", kind=[f"a kind that takes a whole line to say {n}" for n in range(5)]
        )
        analysis = analysis.with_values("stretches", near_limit=True, incidents_count=5, deaths_best=3, population=9.0)
    _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
    assert _js(chrome, "gapmap.select('C01.02')")
    assert len(_sheet(chrome).pages) == 1
    try:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        browser.resize(chrome, (1055, 726))  # A4 less its margins
        hidden = "(e => e.scrollHeight - e.clientHeight)(document.querySelector(arguments[0]))"
        assert _js(chrome, hidden, "#side") <= 1
        assert _js(chrome, hidden, "#details h2") > 1  # which ends in dots
        assert (_js(chrome, hidden, "#details") > 1) is extreme
        fade = _js(chrome, "getComputedStyle(document.getElementById('details'), '::after').backgroundImage")
        assert fade.startswith("linear-gradient")
        box = "document.querySelector(arguments[0]).getBoundingClientRect().toJSON()"
        stage, foot, side = (_js(chrome, box, each) for each in ("#stage", "#provenance", "#side"))
        assert stage["height"] > 400
        assert foot["bottom"] <= side["bottom"] + 1 <= 726
        assert foot["height"] > 20
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.resize(chrome, (1280, 800))


def test_row_19_map_on_paper_leaves_no_strip(page: Chrome) -> None:
    found: list[list[float]] = []

    def look(operator: bytes, _given: object, at: list[float], _text: object) -> None:
        if operator == b"Do" and at[0] > 300:
            found.append(at)

    _sheet(page).pages[0].extract_text(visitor_operand_before=look)
    across, down = ((213 - 0.6) / 25.4 * 72, (158 - 0.6) / 25.4 * 72)  # of the box of the map, less its border
    assert len(found) == 1  # one picture, and not a part of it drawn anew
    assert found[0][0] == pytest.approx(across, abs=1.5)
    assert abs(found[0][3]) == pytest.approx(down, abs=1.5)


def test_row_19_map_fills_the_sheet_from_any_screen(chrome: Chrome, files: dict[str, Path]) -> None:
    """Lines of latitude and longitude reach all four edges of the paper; afterwards the screen is as it was."""
    shown = "[...document.querySelectorAll('#map_gapmap canvas')].map(c => c.toDataURL())"
    edges = (
        "((c, colours) => [colours(2, 0, 1, c.height), colours(c.width - 3, 0, 1, c.height), colours(0, 2, c.width, 1),"
        " colours(0, c.height - 3, c.width, 1)].map(found => found.size))(document.getElementById('paper'), (x, y, w, h) =>"
        " new Set(new Uint32Array(document.getElementById('paper').getContext('2d').getImageData(x, y, w, h).data.buffer)))"
    )
    try:
        for size in ((1280, 800), (1920, 1080), (412, 915), (1280, 420)):
            _show(chrome, files["en"], size)
            assert _js(chrome, "gapmap.select('C01.01')")
            chrome.execute_script(
                "window.drawn = []; map_gapmap.on('moveend', () => window.drawn.push(map_gapmap.getBounds().toBBoxString()))"
            )
            bounds = "map_gapmap.getBounds().toBBoxString()"
            before, seen = _js(chrome, shown), _js(chrome, bounds)
            pixel = 360 / 256 / 2 ** _js(chrome, "map_gapmap.getZoom()") * 2
            chrome.execute_script("dispatchEvent(new Event('beforeprint'))")
            width, height = _js(chrome, "(c => [c.width, c.height])(document.getElementById('paper'))")
            found = _js(chrome, edges)
            chrome.execute_script("dispatchEvent(new Event('afterprint'))")
            assert width / height == pytest.approx(213 / 158, rel=0.01)
            assert min(found) > 1, size
            name_pt = 2 * 12 / width * 213 / 25.4 * 72  # a name is written in 12 px, each of them two of the sheet's
            assert 7 < name_pt < 11, size
            screen, sheets = _box(seen), [_box(each) for each in _js(chrome, "window.drawn")]
            assert any(sheet.buffer(pixel).covers(screen) and sheet.area > 1.05 * screen.area for sheet in sheets), size
            assert _js(chrome, bounds) == seen
            assert _js(chrome, shown) == before
    finally:
        browser.resize(chrome, (1280, 800))


def _box(text: str) -> shapely.Polygon:
    return shapely.box(*map(float, text.split(",")))


def test_row_19_map_fills_its_box_under_a_long_title(chrome: Chrome, tmp_path: Path) -> None:
    """Where long texts leave the map a lower box, it is drawn for that; scrolled panels stay where they were."""
    inputs = [{"role": "zones", "name": f"a file with a long name {n}.csv"} for n in range(60)]
    analysis = fake_analysis().with_values("run", title="A long title " * 30, inputs=json.dumps(inputs))
    _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
    chrome.execute_script("document.getElementById('panel-legend').scrollTop = 30")
    chrome.execute_script("dispatchEvent(new Event('beforeprint'))")
    drawn = _js(chrome, "(c => c.width / c.height)(document.getElementById('paper'))")
    assert _js(chrome, "document.getElementById('panel-legend').scrollTop") == 30
    try:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        browser.resize(chrome, (1055, 726))  # A4 less its margins
        box = _js(chrome, "(e => e.clientWidth / e.clientHeight)(document.getElementById('stage'))")
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        chrome.execute_script("dispatchEvent(new Event('afterprint'))")
        browser.resize(chrome, (1280, 800))
    assert box > 1.02 * 213 / 158
    assert drawn == pytest.approx(box, rel=0.005)


def test_row_19_map_fills_the_sheet(page: Chrome) -> None:
    width, height = _js(
        page,
        "(dispatchEvent(new Event('beforeprint')), (c => [c.width, c.height])(document.getElementById('paper')))",
    )
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    stage = page.find_element("id", "stage").size
    assert stage["width"] / stage["height"] > 1.5
    assert width / height == pytest.approx(213 / 158, rel=0.01)


def test_row_19_print_is_one_sheet_with_the_banner(page: Chrome) -> None:
    sheet = _sheet(page)
    assert len(sheet.pages) == 1
    text = " ".join(sheet.pages[0].extract_text().split())
    run = fake_analysis().table("run").iloc[0]
    for wanted in (run["title"], run["notice"], "1 June 2021", "Wider than the limit", "120 km long"):
        assert wanted in text, wanted
    assert page.find_elements("id", "paper") == []


# ---- Rows 22 and 23


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_row_22_interface_in_other_languages(chrome: Chrome, files: dict[str, Path], language: str) -> None:
    _show(chrome, files[language])
    words = catalogue(language)
    assert _js(chrome, "[document.documentElement.lang, document.documentElement.dir]") == [words["_html"], "rtl"]
    assert _js(chrome, "document.getElementById('map_gapmap').dir") == "ltr"
    chrome.execute_script("gapmap.select('C01.02')")
    english = {text for text in catalogue("en").values() if re.fullmatch(r"[A-Z][a-z][A-Za-z ,()*]+", text)}
    seen = _js(
        chrome,
        "(w => { const out = []; let n; while (n = w.nextNode()) if (!n.parentElement.closest('script, style, noscript'))"
        " out.push(n.nodeValue.trim()); return out.filter(Boolean) })(document.createTreeWalker(document.body, 4))",
    )
    assert english & set(seen) == set()
    keys = {key for key in words if "_" in key.strip("_")}
    assert keys & set(seen) == set()
    assert words["unchecked"] in _text(chrome, "#provenance")
    assert _text(chrome, "#made h4").startswith(f"{words['role_zones']}: ")
    unmarked = _js(
        chrome,
        "[...document.querySelectorAll('#details dd, #count, #headline')].filter(e => /[0-9]/.test(e.textContent))"
        ".filter(e => !e.querySelector('bdi')).length",
    )
    assert unmarked == 0
    assert browser.console(chrome) == []


def test_row_22_latin_sentences_at_the_foot_read_line_by_line(chrome: Chrome, tmp_path: Path) -> None:
    """Among Arabic words the lines of a long Latin sentence begin at one edge, and none goes on to the left of another."""
    credit = "Elevation: a model of the whole Earth, 30 arc-seconds, metres above mean sea level."
    inputs = [{"role": "terrain", "name": "dem.tif", "attribution": credit}]
    analysis = fake_analysis().with_values("run", inputs=json.dumps(inputs))
    _show(chrome, save(build_map(analysis, language="ar"), tmp_path / "map.html"), (412, 915))
    try:
        lines = _js(
            chrome,
            "(e => { const r = document.createRange(); r.selectNodeContents(e); return [...r.getClientRects()].map(b => b.left); })"
            "([...document.querySelectorAll('#provenance bdi')].find(e => e.textContent === arguments[0]))",
            credit,
        )
        assert len(lines) > 1
        assert lines == pytest.approx([lines[0]] * len(lines), abs=1)
    finally:
        browser.resize(chrome, (1280, 800))


def test_what_was_remarked_of_a_file_is_said_with_it(chrome: Chrome, tmp_path: Path) -> None:
    inputs = [{"role": "places", "name": "towns.csv", "rows": 9, "used": 9, "remarks": ["rows 1, 2: ca. 500", "row 3"]}]
    analysis = fake_analysis().with_values("run", inputs=json.dumps(inputs))
    _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
    _click(chrome, "#tab-made")
    said = _text(chrome, "#made")
    assert "Worth a look" in said
    assert said.index("towns.csv") < said.index("rows 1, 2: ca. 500") < said.index("row 3")
    assert browser.axe_findings(chrome) == []
    assert browser.console(chrome) == []


def test_row_22_latin_place_leaves_the_figure_with_its_unit(chrome: Chrome, tmp_path: Path) -> None:
    analysis = fake_analysis().with_values("stretches", name="near Gwer, 5 km SW")
    analysis = analysis.with_values("places", name="Gwer", names="[]")
    _show(chrome, save(build_map(analysis, language="ar"), tmp_path / "map.html"))
    _click(chrome, "#tab-list")
    assert _js(chrome, "gapmap.select('C01.02')")
    for selector in ("#list td button", "#details h2", "#headline"):
        near, gwer, figure, unit = _js(
            chrome,
            "(w => { let n; const out = []; while (n = w.nextNode()) { const at = n.nodeValue.indexOf('قرب'); if (at < 0) continue;"
            " for (const part of ['قرب', 'Gwer', '5', 'كم']) { const r = document.createRange(), k = n.nodeValue.indexOf(part, at);"
            " r.setStart(n, k); r.setEnd(n, k + part.length); const b = r.getBoundingClientRect(); out.push([b.top, b.left]); } } return out.slice(0, 4); })"
            "(document.createTreeWalker(document.querySelector(arguments[0]), 4))",
            selector,
        )
        assert abs(figure[0] - unit[0]) < 5, selector
        assert figure[1] > unit[1], selector  # read from the right: first the figure, then its unit
        assert figure[0] > gwer[0] + 5 or near[1] > gwer[1] > figure[1], selector
    assert "near Gwer, 5 km SW" in _js(chrome, "gapmap.exported('stretches_csv')")
    assert not re.search("[\u2066-\u2069]", _js(chrome, "gapmap.exported('stretches_geojson')"))
    assert "C01.02" in _js(chrome, "gapmap.search('قرب Gwer')")


def test_row_23_phone_has_a_sheet_and_large_targets(chrome: Chrome, files: dict[str, Path]) -> None:
    _show(chrome, files["en"], (412, 915))
    try:
        assert _js(chrome, "document.documentElement.scrollWidth <= window.innerWidth")
        stage, side = (
            _js(chrome, f"document.getElementById('{each}').getBoundingClientRect().toJSON()")
            for each in ("stage", "side")
        )
        assert side["top"] >= stage["bottom"]
        assert stage["width"] == side["width"] == _js(chrome, "document.documentElement.clientWidth")
        for tab in ("legend", "list", "filter", "save"):
            _click(chrome, f"#tab-{tab}")
            tiny = _js(
                chrome,
                "[...document.querySelectorAll('button, input, select, .handle, a')].filter(e => e.offsetParent)"
                ".map(e => [e.id || e.className || e.textContent, (e.closest('label') || e).getBoundingClientRect().height,"
                " e.getBoundingClientRect().width]).filter(e => e[1] < 24 || e[2] < 17)",
            )
            assert tiny == [], tab
        main = _js(
            chrome,
            "[...document.querySelectorAll('#bar button, #tabs button, #play')].map(e => e.getBoundingClientRect().height)",
        )
        assert min(main) >= 44
        assert "user-scalable" not in _js(chrome, "document.querySelector('meta[name=viewport]').content")
    finally:
        browser.resize(chrome, (1280, 800))


def _wait(chrome: Chrome, code: str) -> None:
    """Wait until something is true: fingers are worked on later than they are lifted."""
    end = time.monotonic() + 5
    while not _js(chrome, code):
        assert time.monotonic() < end, code
        time.sleep(0.05)


def _touch(chrome: Chrome, kind: str, *points: tuple[float, float]) -> None:
    spots = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    chrome.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": spots})


def test_row_23_details_come_up_in_sight(chrome: Chrome, files: dict[str, Path]) -> None:
    _show(chrome, files["en"], (412, 915))
    try:
        assert _js(chrome, "gapmap.select('C01.02')")
        browser.settle(chrome)
        for _ in range(2):
            top, close, high = _js(
                chrome,
                "[document.querySelector('#details h2'), document.querySelector('#details .close')]"
                ".map(e => e.getBoundingClientRect().top).concat(innerHeight)",
            )
            assert 0 < top < high - 100
            assert 0 < close < high - 44
            _click(chrome, "#tool-area")  # which closes them
            assert not chrome.find_element("id", "details").is_displayed()
            for lat, lon in ((36.05, 42.9), (36.05, 43.2), (36.2, 43.05)):
                chrome.execute_script(
                    "map_gapmap.fire('click', {latlng: L.latLng(arguments[0], arguments[1])})", lat, lon
                )
            _click(chrome, "#tool-area")  # no Enter on a phone: the button ends it
            assert _js(chrome, "gapmap.state().selected") == "area"
        _click(chrome, "#details .close")
        assert not chrome.find_element("id", "details").is_displayed()
    finally:
        browser.resize(chrome, (1280, 800))


def test_row_23_fingers_open_move_and_zoom(chrome: Chrome, files: dict[str, Path]) -> None:
    _show(chrome, files["en"], (412, 915))
    chrome.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    try:
        _show(chrome, files["en"], (412, 915))  # Leaflet looks for fingers when it starts
        chrome.execute_script("map_gapmap.setView([36.2, 43.3], 9, {animate: false})")
        browser.settle(chrome)
        spot = _degrees(fake_analysis(), "stretches").representative_point().iloc[3]
        x, y = _at(chrome, spot.y, spot.x)
        _touch(chrome, "Start", (x, y))
        _touch(chrome, "End")
        _wait(chrome, "gapmap.state().selected === 'C01.04'")
        assert _details(chrome)["width_mean_m"]
        _click(chrome, "#details .close")
        middle = _js(chrome, "[map_gapmap.getCenter().lat, map_gapmap.getCenter().lng]")
        x, y = _at(chrome, *middle)
        _touch(chrome, "Start", (x, y))
        for step in range(1, 9):
            _touch(chrome, "Move", (x - 10 * step, y))
        _touch(chrome, "End")
        _wait(chrome, f"map_gapmap.getCenter().lng > {middle[1]} + 0.01")
        zoom = _js(chrome, "map_gapmap.getZoom()")
        _touch(chrome, "Start", (x - 20, y), (x + 20, y))
        for step in range(1, 9):
            _touch(chrome, "Move", (x - 20 - 10 * step, y), (x + 20 + 10 * step, y))
        _touch(chrome, "End")
        _wait(chrome, f"map_gapmap.getZoom() > {zoom} + 1")
        assert browser.console(chrome) == []
    finally:
        chrome.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        browser.resize(chrome, (1280, 800))


# ---- Empty states, overlaps


def _without(analysis: FakeAnalysis, *names: str) -> FakeAnalysis:
    for name in names:
        analysis = analysis.with_table(name, analysis.table(name).iloc[:0])
    return analysis


EMPTY = ("corridors", "stretches", "facets", "transects", "centrelines")


@pytest.mark.parametrize("case", ["no incidents", "no corridors", "one force", "no dates", "one day", "long names"])
def test_odd_results_are_shown_in_plain_words(chrome: Chrome, tmp_path: Path, case: str) -> None:
    analysis = fake_analysis()
    if case == "no incidents":
        analysis = _without(analysis, "incidents")
    elif case == "no corridors":
        analysis = _without(analysis, *EMPTY)
    elif case == "one force":
        analysis = _without(analysis, *EMPTY, "incidents")
        analysis = analysis.with_table("cover", analysis.table("cover").iloc[:1])
    elif case == "no dates":
        analysis = analysis.with_values("incidents", date_from=pd.NaT, date_to=pd.NaT)
    elif case == "one day":
        day = pd.Timestamp("2021-03-04")
        analysis = analysis.with_values("incidents", date_from=[day] * 4 + [pd.NaT], date_to=[day] * 4 + [pd.NaT])
    else:
        analysis = analysis.with_values("stretches", name="طويل جدا " * 45).with_values("places", name="Longplace" * 45)
    _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
    said = {
        "no incidents": ("#panel-legend", "This result holds no incidents."),
        "no corridors": ("#panel-list", "There is no corridor, so there is no stretch."),
        "one force": ("#panel-list", "A corridor lies between two forces; this result holds fewer."),
        "no dates": ("#panel-filter", "No incident carries a date"),
        "one day": ("#panel-filter", "All dated incidents are of 4 March 2021, so there is no window of dates."),
        "long names": ("#panel-list", "طويل"),
    }[case]
    assert said[1] in _text(chrome, said[0])
    assert len(_js(chrome, "gapmap.labelBoxes()")) > 0  # drawn at once, not at the first move
    timed = case in {"no corridors", "long names"}
    assert _js(chrome, "document.getElementById('time').hidden") is not timed
    assert _js(chrome, "document.documentElement.scrollWidth <= window.innerWidth")
    for tab in ("list", "filter", "save", "made"):
        _click(chrome, f"#tab-{tab}")
    assert browser.console(chrome) == []


def test_an_area_counts_only_what_the_page_holds(chrome: Chrome, tmp_path: Path) -> None:
    """Incidents shared as counts are not there to be counted: 0 would be a false answer."""
    shared = json.loads(fake_analysis().table("run")["parameters"].iloc[0])
    parameters = json.dumps({**shared, "incidents": {"share": "counts"}})
    counts = fake_analysis().with_values("run", parameters=parameters)
    for analysis, held in ((fake_analysis(), True), (counts, False)):
        _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
        chrome.execute_script("gapmap.openArea([[35, 42], [37, 42], [37, 45], [35, 45]])")
        assert ("incidents" in _details(chrome)) is held
        assert int(_details(chrome)["places"]) == 3


def test_public_page_offers_what_it_can_answer(chrome: Chrome, tmp_path: Path) -> None:
    _show(chrome, save(build_map(fake_analysis(), edition="public"), tmp_path / "map.html"))
    assert not chrome.find_element("id", "tool-area").is_displayed()
    assert not chrome.find_element("id", "count").is_displayed()
    assert "place" not in (chrome.find_element("id", "goto-text").get_attribute("placeholder") or "")
    inked = _js(
        chrome,
        "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0))"
        "(document.querySelector('.leaflet-gap-marks-pane canvas'))",
    )
    assert inked  # the lines of latitude and longitude, before the map is moved
    swatch, drawn = _js(
        chrome,
        "((a, c, p) => { const r = c.getBoundingClientRect(), s = document.getElementById('stage').getBoundingClientRect();"
        " const at = [p[0] + s.left - r.left, p[1] + s.top - r.top];"
        " return [a.getContext('2d').getImageData(34, 18, 1, 1), c.getContext('2d').getImageData(...at, 1, 1)].map(i => [...i.data]) })"
        "(document.querySelector(\"[data-layer^='grid:'] + canvas\"), document.querySelector('.leaflet-gap-ground-pane canvas'),"
        " (b => gapmap.pixel((b[1] + b[3]) / 2, (b[0] + b[2]) / 2))(JSON.parse(document.getElementById('gapmap-facts').textContent)"
        ".grid.cells.find(c => c.gap === Number(document.querySelector(\"[data-layer^='grid:']\").dataset.layer.slice(5))).box))",
    )
    assert swatch == drawn


@pytest.mark.parametrize(
    ("edition", "language", "size"),
    [
        *(("full", language, size) for language in LANGUAGES for size in ((1280, 800), (412, 915))),
        ("full", "en", (1920, 1080)),
        ("partner", "en", (1280, 800)),
        ("partner", "ar", (412, 915)),
        *(
            ("public", language, size)
            for language, size in (("en", (1280, 800)), ("ckb", (1280, 800)), ("kmr", (412, 915)))
        ),
    ],
)
def test_no_two_panels_or_labels_overlap_and_no_text_is_cut(
    chrome: Chrome, tmp_path: Path, edition: str, language: str, size: tuple[int, int]
) -> None:
    force = "federal" if edition == "partner" else None
    analysis = without_zones(fake_analysis()) if force else fake_analysis()
    drawn = build_map(analysis, edition=edition, force=force, language=language)
    _show(chrome, save(drawn, tmp_path / "map.html"), size)
    try:
        if edition == "public":
            x, y = _at(chrome, 36.2, 43.3)
            _move(chrome, x, y, click=True)
        else:
            assert _js(chrome, "gapmap.select('C01.02')")
        for tab in _js(chrome, "[...document.querySelectorAll('[role=tab]')].map(e => e.id)"):
            _click(chrome, f"#{tab}")
            assert browser.untidy(chrome) == [], tab
            for key in ("width_max_m", "width_mean_m") if tab == "tab-list" else ():
                _click(chrome, f"th[data-key={key}] button")  # beside the word there is an arrow now
                assert browser.untidy(chrome) == [], key
        if size[0] > 800:  # else there may be no place in sight
            assert _js(chrome, "gapmap.labelBoxes().length > 1") is (edition != "public")
    finally:
        browser.resize(chrome, (1280, 800))


def test_long_names_in_the_list_show_three_lines_and_no_part_of_a_fourth(chrome: Chrome, tmp_path: Path) -> None:
    """So two stretches near one place, told apart by distance and direction, look different."""
    hidden = "(e => e.scrollHeight - e.clientHeight)(document.querySelector('#list td button span'))"
    for name, cut in (
        ("near Tuz Khurmatu, 14 km NE", False),
        ("near Tuz Khurmatu and its villages, 8 km NE of the road " * 2, True),
    ):
        analysis = fake_analysis().with_values("stretches", name=name)
        _show(chrome, save(build_map(analysis), tmp_path / "map.html"))
        _click(chrome, "#tab-list")
        assert browser.untidy(chrome) == []
        assert _js(chrome, "document.querySelector('#list td button').getBoundingClientRect().height") >= 40
        assert _js(chrome, "document.querySelector('#list tbody tr').getBoundingClientRect().height") == 50
        assert (_js(chrome, hidden) > 1) is cut


def test_no_label_is_cut_by_the_edge_of_the_map(page: Chrome) -> None:
    for x, y in ((0, 0), (430, 0), (-430, 0), (0, 250), (0, -250)):
        page.execute_script(
            "const p = gapmap.pixel(JSON.parse(document.getElementById('gapmap-facts').textContent).places[0].lat,"
            " JSON.parse(document.getElementById('gapmap-facts').textContent).places[0].lon), s = map_gapmap.getSize();"
            " map_gapmap.panBy([p[0] - s.x / 2 + arguments[0], p[1] - s.y / 2 + arguments[1]], {animate: false})",
            x,
            y,
        )
        browser.settle(page)
        cut = _js(
            page,
            "((o, s) => gapmap.labelBoxes().map(b => [b[0] - o.x, b[1] - o.y, b[2] - o.x, b[3] - o.y])"
            ".filter(b => b[2] > 0 && b[0] < s.x && b[3] > 0 && b[1] < s.y && !(b[0] >= 0 && b[2] <= s.x && b[1] >= 0 && b[3] <= s.y)))"
            "(map_gapmap.containerPointToLayerPoint([0, 0]), map_gapmap.getSize())",
        )
        assert cut == [], (x, y)


def test_no_label_lies_under_a_button(page: Chrome) -> None:
    """Wherever a place comes to lie: below the zoom buttons, the arrow, the scale bar."""
    spot = _degrees(fake_analysis(), "places").iloc[2]
    for selector in (".leaflet-control-zoom", "#north", ".leaflet-control-scale"):
        for beside in (-60, -20, 20, 60):
            page.execute_script(
                "const r = document.querySelector(arguments[0]).getBoundingClientRect(), s = document.getElementById('stage').getBoundingClientRect(),"
                " p = gapmap.pixel(arguments[1], arguments[2]);"
                " map_gapmap.panBy([p[0] - (r.left + r.right) / 2 + s.left - arguments[3], p[1] - (r.top + r.bottom) / 2 + s.top], {animate: false})",
                selector,
                spot.y,
                spot.x,
                beside,
            )
            browser.settle(page)
            assert browser.untidy(page) == [], (selector, beside)


def test_no_place_lies_under_a_figure_of_the_graticule(chrome: Chrome, tmp_path: Path) -> None:
    """A place on a line of longitude and one on a line of latitude, wherever the figure would stand."""
    analysis, at = fake_analysis(), [(43.5, 36.1), (43.3, 36.0), (43.0, 35.9)]
    points = gpd.GeoSeries.from_xy(*zip(*at, strict=True), crs=4326).to_crs(analysis.crs)
    _show(chrome, save(build_map(analysis.with_values("places", geometry=list(points))), tmp_path / "map.html"))
    _click(chrome, '[data-layer="graticule"]')
    for lon, lat in at[:2]:
        for beside in (-8, 0, 8):
            chrome.execute_script(
                "const p = gapmap.pixel(arguments[1], arguments[0]), s = map_gapmap.getSize(), along = arguments[0] === 43.5;"
                " map_gapmap.panBy([along ? p[0] - 400 : p[0] - 78 - arguments[2], along ? p[1] - s.y + 40 - arguments[2] : p[1] - 200], {animate: false})",
                lon,
                lat,
                beside,
            )
            browser.settle(chrome)
            found = _js(
                chrome,
                "(p => gapmap.figureBoxes().filter(b => p.x > b[0] - 5 && p.x < b[2] + 5 && p.y > b[1] - 5 && p.y < b[3] + 5).length)"
                "(map_gapmap.latLngToLayerPoint([arguments[1], arguments[0]]))",
                lon,
                lat,
            )
            assert _js(chrome, "gapmap.figureBoxes().length") > 1
            assert found == 0, (lon, lat, beside)


def test_a_name_goes_with_its_disc_at_the_edge_of_the_map(page: Chrome) -> None:
    """A place just outside the map is not named in it: nobody could see what the name belongs to."""
    spot = _degrees(fake_analysis(), "places").iloc[2]
    for outside, wanted in ((-2, 0), (10, 1)):
        page.execute_script(
            "const p = gapmap.pixel(arguments[0], arguments[1]); map_gapmap.panBy([p[0] - arguments[2], p[1] - 200], {animate: false})",
            spot.y,
            spot.x,
            outside,
        )
        browser.settle(page)
        shown = _js(
            page,
            "((o, s) => gapmap.labelBoxes().filter(b => b[2] - o.x > 0 && b[0] - o.x < 150 && Math.abs(b[1] - o.y - 200) < 40).length)"
            "(map_gapmap.containerPointToLayerPoint([0, 0]))",
        )
        assert shown == wanted, outside


def test_all_is_in_sight_in_a_window_of_another_size_until_somebody_moves_the_map(page: Chrome) -> None:
    zoom = "map_gapmap.getZoom()"
    first = _js(page, zoom)
    try:
        browser.resize(page, (900, 800))
        _wait(page, f"{zoom} < {first}")
        browser.resize(page, (1280, 800))
        _wait(page, f"{zoom} === {first}")
        page.execute_script("map_gapmap.panBy([40, 10], {animate: false})")
        middle = "[map_gapmap.getCenter().lat.toFixed(3), map_gapmap.getCenter().lng.toFixed(3)].join()"
        moved, wide = _js(page, middle), _js(page, "map_gapmap.getSize().x")
        browser.resize(page, (900, 800))
        _wait(page, f"map_gapmap.getSize().x < {wide}")
        browser.settle(page)
        assert (_js(page, zoom), _js(page, middle)) == (first, moved)
    finally:
        browser.resize(page, (1280, 800))


# Where a part of what an element says is drawn, from left to right.
_DRAWN = """((e, part) => {
  const text = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (text.nextNode()) {
    const at = text.currentNode.data.indexOf(part);
    if (at < 0) continue;
    range.setStart(text.currentNode, at);
    range.setEnd(text.currentNode, at + part.length);
    const box = range.getBoundingClientRect();
    return [box.left, box.right];
  }
})"""


def _in_arabic_letters() -> FakeAnalysis:
    """Return the analysis with a force and a file that are called in Arabic letters."""
    analysis = fake_analysis()
    run = analysis.table("run").iloc[0]
    forces = json.loads(run["parameters"])["forces"] | {"federal": {"label": "چارلی"}}
    inputs = [
        {**json.loads(run["inputs"])[0], "force": "federal", "name": "طبقة القوات 2021.kmz", "remarks": ["One is odd."]}
    ]
    return analysis.with_values("run", parameters=json.dumps({"forces": forces}), inputs=json.dumps(inputs))


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_name_in_other_letters_does_not_turn_the_sentence_around_it(
    chrome: Chrome, tmp_path: Path, language: str
) -> None:
    page = build_map(_in_arabic_letters(), language=language)
    folium.FeatureGroup(name="\u2068چارلی\u2069: as read (2 post)").add_to(page)
    _show(chrome, save(page, tmp_path / "map.html"))
    name = "document.querySelector(`[data-layer^='${arguments[0]}']`).closest('label').lastElementChild"
    own = {"en": "declared cover", "ar": "التغطية المعلنة"}[language]
    for layer, words in (("cover:federal", own), ("added:", "as read")):
        label, colon, said = (
            _js(chrome, f"{_DRAWN}({name}, arguments[1])", layer, each) for each in ("چارلی", ":", words)
        )
        order = [label, colon, said] if words.isascii() else [said, colon, label]
        assert order == sorted(order), (layer, label, colon, said)
    assert _js(chrome, f"getComputedStyle({name}).direction", "cover:federal") == {"en": "ltr", "ar": "rtl"}[language]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_name_of_a_file_reads_as_a_file_system_shows_it(chrome: Chrome, tmp_path: Path, language: str) -> None:
    """On the map in the footer and under "Made from"; in the briefing among the inputs and what is worth a look."""
    _show(chrome, save(build_map(_in_arabic_letters(), language=language), tmp_path / "map.html"))
    _click(chrome, "#tab-made")
    places = ["document.querySelector('#provenance')", "[...document.querySelectorAll('#made h4')].at(-1)"]
    before = chrome.current_url
    for place in places:
        stem, ending = (_js(chrome, f"{_DRAWN}({place}, arguments[0])", each) for each in ("القوات", ".kmz"))
        assert stem[1] < ending[0], place
    report = build_report(edition(_in_arabic_letters(), "full"), language=language)
    (tmp_path / "report.html").write_text(report, encoding="utf-8")
    chrome.get((tmp_path / "report.html").resolve().as_uri())
    assert chrome.current_url != before
    for place in ("document.querySelector('.inputs td')", "[...document.querySelectorAll('li')].at(-1)"):
        stem, ending = (_js(chrome, f"{_DRAWN}({place}, arguments[0])", each) for each in ("القوات", ".kmz"))
        assert stem[1] < ending[0], place
    legend = "[...document.querySelectorAll('.legend > span')].find(e => e.textContent.includes('چارلی'))"
    label, colon = (_js(chrome, f"{_DRAWN}({legend}, arguments[0])", each) for each in ("چارلی", ":"))
    assert (label < colon) is (language == "en")


def test_focus_on_the_map_is_seen(page: Chrome) -> None:
    page.execute_script("document.getElementById('tool-measure').focus()")
    for _ in range(8):
        _press(page, Keys.TAB)
        if _js(page, "document.activeElement.id") == "map_gapmap":
            break
    assert _js(page, "document.activeElement.id") == "map_gapmap"
    shown = Image.open(io.BytesIO(page.find_element("id", "stage").screenshot_as_png)).convert("RGB")
    assert shown.getpixel((1, shown.height // 2)) == shown.getpixel((shown.width // 2, 1)) == (0x0B, 0x4F, 0x8A)


def test_names_in_a_file_cannot_leave_their_cell(chrome: Chrome, tmp_path: Path) -> None:
    """Layer names, file names and units of a hostile file in the dialogs that other tests do not open."""
    for payload in PAYLOADS[2:6]:
        analysis = fake_analysis().with_values("incidents", kind=payload, note=payload)
        analysis = analysis.with_values("places", name=payload, names=json.dumps([payload]))
        _show(chrome, save(build_map(analysis, include_notes=True), tmp_path / "map.html"))
        box = chrome.find_element("id", "goto-text")
        chrome.execute_script("arguments[0].value = arguments[1]", box, payload)
        _click(chrome, "#goto-go")
        chrome.execute_script("gapmap.openArea([[35, 42], [37, 42], [37, 45], [35, 45]])")
        assert payload in _text(chrome, "#details")
        for what in ("incidents_csv", "incidents_geojson"):
            assert _js(chrome, "gapmap.exported(arguments[0]).length", what) > 100
        _js(chrome, "gapmap.picture().length")
        _click(chrome, "#tab-filter")
        assert payload in _text(chrome, "#filter")
        assert _js(chrome, "window.__x === undefined")
        assert browser.console(chrome) == []
