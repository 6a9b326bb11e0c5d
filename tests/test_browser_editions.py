"""The editions of the map in a real browser: marked, quiet, and holding no more than they may."""

from __future__ import annotations

import base64
import re
import zlib
from typing import TYPE_CHECKING

import pytest

from gapmap.editions import edition
from gapmap.maps import build_map, save
from tests import browser
from tests.sentinels import KIND, NORTH, NORTH_FILE, NOTE, SOUTH, SOUTH_FILE, sentinel_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from gapmap import Analysis

EDITIONS = [("full", None), ("partner", "north"), ("public", None)]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def unpacked(page: str) -> str:
    """Return a page with its packed blocks opened."""
    blocks = re.findall(r'type="application/x-gapmap"[^>]*>([^<]*)<', page)
    return page + "".join(
        zlib.decompress(base64.b64decode(line)).decode("latin-1") for each in blocks for line in each.split("\n")
    )


def written(analysis: Analysis, folder: Path, name: str, force: str | None, language: str = "en") -> Path:
    drawn = build_map(analysis, edition=name, force=force, language=language, include_notes=True)
    return save(drawn, folder / "map.html")


@pytest.mark.parametrize(("name", "force"), EDITIONS[1:])
def test_withheld_words_are_in_no_byte_of_the_page(
    result: Analysis, name: str, force: str | None, tmp_path: Path
) -> None:
    text = unpacked(written(result, tmp_path, name, force).read_text(encoding="utf-8")).casefold()
    words = [*SOUTH, SOUTH_FILE, NOTE, "south-0", *([] if force else [*NORTH, NORTH_FILE, "north-0", KIND])]
    for word in words:
        assert word.casefold() not in text, word
    assert "4.321" not in text


@pytest.mark.parametrize(("name", "force"), EDITIONS)
def test_rows_shared_as_counts_are_in_no_byte_of_the_page(name: str, force: str | None, tmp_path: Path) -> None:
    counts = sentinel_result(tmp_path / "counts", share="counts")
    text = unpacked(written(counts, tmp_path, name, force).read_text(encoding="utf-8"))
    for row in ("Q001", "Q999", NOTE, KIND, "2021-06-11", "2020-02-11"):
        assert row not in text, row


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(("name", "force"), EDITIONS)
def test_every_page_says_which_edition_it_is(
    chrome: Chrome, result: Analysis, name: str, force: str | None, language: str, tmp_path: Path
) -> None:
    browser.resize(chrome, (1280, 800))
    browser.console(chrome)
    browser.requests(chrome)
    browser.open_page(chrome, written(result, tmp_path, name, force, language))
    mark = chrome.execute_script("return document.getElementById('edition').textContent")
    if language == "en":
        assert mark.startswith(f"{name.capitalize()} edition")
    assert ("Northern force" in mark) == (force is not None)
    assert mark in chrome.execute_script("return document.getElementById('provenance').textContent")
    assert browser.console(chrome) == []
    assert len(browser.requests(chrome)) == 1


def test_the_public_map_shows_only_the_grid(chrome: Chrome, result: Analysis, tmp_path: Path) -> None:
    browser.open_page(chrome, written(result, tmp_path, "public", None))
    shown = {each["id"] for each in chrome.execute_script("return gapmap.layers()")}
    assert shown == {"graticule", "grid:0", "grid:1"}
    tabs = chrome.execute_script("return [...document.querySelectorAll('[role=tab]')].map(each => each.id)")
    assert tabs == ["tab-legend", "tab-made"]
    assert browser.axe_findings(chrome) == []


def test_a_cell_says_its_class_and_its_counts(chrome: Chrome, result: Analysis, tmp_path: Path) -> None:
    browser.open_page(chrome, written(result, tmp_path, "public", None))
    counts = edition(result, "public").table("grid_incidents")
    x, y = chrome.execute_script("return gapmap.pixel(36.12, 43.25)")
    chrome.execute_script(
        "const map = document.getElementById('map_gapmap'), box = map.getBoundingClientRect();"
        "const at = {clientX: box.left + arguments[0], clientY: box.top + arguments[1], bubbles: true, view: window};"
        "for (const name of ['mousedown', 'mouseup', 'click']) map.dispatchEvent(new MouseEvent(name, at));",
        x,
        y,
    )
    browser.settle(chrome)
    said = chrome.execute_script("return document.getElementById('details').textContent")
    assert counts["cell_id"].iloc[0] in said
    assert "of gap in the 30 by 30 km" in said
    for year, count in zip(counts["year"], counts["incidents"], strict=True):
        value = chrome.execute_script(
            "return document.querySelector(`[data-key=incidents_${arguments[0]}]`).dataset.value", int(year)
        )
        assert value == str(count)
