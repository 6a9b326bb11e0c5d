"""Two analyses on one map: what changed is listed, drawn and found, in headless Chromium with the network off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shapely

from gapmap.compare import Changes, find_changes
from gapmap.maps import build_map, save
from tests import browser
from tests.fake_analysis import FakeAnalysis, fake_analysis
from tests.hostile import PAYLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def shortened(analysis: FakeAnalysis, name: str) -> FakeAnalysis:
    """Return the analysis with the western 30 km of its corridor alone."""
    corridors, facets = analysis.table("corridors"), analysis.table("facets")
    west, south, _, north = corridors.total_bounds
    left = shapely.box(west, south, west + 30_000, north)
    cut = corridors.assign(name=name, length_km=30.0).set_geometry(corridors.intersection(left))
    kept = facets[facets.representative_point().within(left)]
    return analysis.with_table("corridors", cut.assign(area_km2=cut.area / 1e6)).with_table("facets", kept)


@pytest.fixture
def pair() -> tuple[FakeAnalysis, Changes]:
    after = fake_analysis()
    return after, find_changes(shortened(after, "Gwer to Dibis"), after)


def shown(chrome: Chrome, folder: Path, analysis: FakeAnalysis, changes: Changes, language: str = "en") -> list[str]:
    """Open the map of both; the lines of the list of changes."""
    path = save(build_map(analysis, changes=changes, language=language), folder / "both.html")
    browser.console(chrome)
    browser.requests(chrome)
    browser.open_page(chrome, path)
    return [
        str(text)
        for text in chrome.execute_script(
            "return [...document.querySelectorAll('.changes li')].map(e => e.textContent.replace(/[\\u2068\\u2069]/g, ''))"
        )
    ]


def test_on_paper_the_list_of_changes_stands_below_the_legend(
    chrome: Chrome, tmp_path: Path, pair: tuple[FakeAnalysis, Changes]
) -> None:
    shown(chrome, tmp_path, *pair)
    try:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        browser.resize(chrome, (1055, 726))  # A4 less its margins
        boxes = chrome.execute_script(
            "return ['.changes', '#side', '[data-layer=boundaries]'].map(s => document.querySelector(s).closest('div, ul, aside'))"
            ".map(e => { const r = e.getBoundingClientRect(); return [r.top, r.bottom]; })"
        )
        sizes = chrome.execute_script(
            "return [...document.querySelectorAll('.changes p, .changes button')].map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.resize(chrome, (1280, 800))
    (top, bottom), (_, end), (_, legend) = boxes
    assert legend <= top < bottom <= end
    assert max(sizes) < 10


def test_row_21_classes_of_change_are_listed_drawn_and_found(
    chrome: Chrome, tmp_path: Path, pair: tuple[FakeAnalysis, Changes]
) -> None:
    after, changes = pair
    row = changes.corridors.iloc[0]
    assert row["state"] == "widened"
    lines = shown(chrome, tmp_path, after, changes)
    gained = f"{row['gained_km2']:,.1f} km²"
    assert lines[0].startswith("Gwer to Dibis: widened")
    assert f"{gained} gained, 0.0 km² lost" in lines[0]
    assert lines[-1] == "0 corridors unchanged"
    assert lines[1:-1] == ["مخمور: other ground, now corridor"]
    assert gained in chrome.find_element("id", "headline").text
    layers = chrome.execute_script("return [...document.querySelectorAll('[data-layer]')].map(e => e.dataset.layer)")
    assert layers[:2] == ["before", "gained"]  # nothing was lost
    # The map opens on what changed: the eastern three quarters of the corridor.
    first = chrome.execute_script("const b = window.map_gapmap.getBounds(); return [b.getWest(), b.getEast()]")
    west, _, east, _ = changes.ground.to_crs(4326).total_bounds
    assert first[0] < west < east < first[1]
    chrome.execute_script("window.map_gapmap.setView([0, 0], 5, {animate: false})")
    chrome.execute_script("document.querySelector('.changes button').click()")
    browser.settle(chrome)
    assert chrome.execute_script("return window.map_gapmap.getCenter().lng") == pytest.approx(
        (west + east) / 2, abs=0.1
    )
    # Switched off, what was gained is no longer drawn.
    ink = "return document.querySelector('.leaflet-gap-ground-pane canvas').toDataURL()"
    before = chrome.execute_script(ink)
    chrome.execute_script("document.querySelector('[data-layer=gained]').click()")
    browser.settle(chrome)
    assert chrome.execute_script(ink) != before
    assert browser.console(chrome) == []
    assert len(browser.requests(chrome)) == 1


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_of_what_changed_are_text(chrome: Chrome, tmp_path: Path, payload: str) -> None:
    after = fake_analysis().with_values("places", name=payload)
    lines = shown(chrome, tmp_path, after, find_changes(shortened(after, payload), after))
    assert lines[0].startswith(f"{payload}: widened")
    assert lines[1].startswith(f"{payload}: other ground")
    chrome.execute_script("document.querySelectorAll('.changes button').forEach(each => each.click())")
    assert chrome.execute_script("return window.__x") is None
    assert browser.console(chrome) == []


def test_what_changed_is_said_in_the_language_of_the_page(
    chrome: Chrome, tmp_path: Path, pair: tuple[FakeAnalysis, Changes]
) -> None:
    lines = shown(chrome, tmp_path, *pair, language="ar")
    assert "اتسع" in lines[0]
    assert chrome.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert "زاد" in chrome.find_element("id", "headline").text
