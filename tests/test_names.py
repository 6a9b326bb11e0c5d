"""Place names: every spelling that is held finds its place, here and on the page; what is not sure is not decided."""

from __future__ import annotations

import json
import unicodedata
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gapmap import names, tables
from gapmap.maps import build_map, save
from gapmap.readers import read_places
from tests import browser
from tests.fake_analysis import LAEA, fake_analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BOUNDARIES = Path(__file__).parent.parent / "data" / "boundaries" / "iraq.gpkg"

HELD = {
    "P1": ["Makhmur", "Mexmûr", "مخمور", "مەخموور"],
    "P2": ["Tal Afar", "Tall ‘Afar", "Telafer", "تل عفر"],
    "P3": ["Tel Kaif", "تلكيف"],
    "P4": ["Azadi", "ئازادی"],
    "P5": ["Sinjar", "Şengal", "شنگال"],
    "P6": ["Qayyarah", "القيارة"],
    "P7": ["Hajar", "حجر"],
    "P8": ["Hajar", "حجرة"],
    "P9": ["Süleymaniyyə", "سلێمانی"],
}


@pytest.fixture(scope="module")
def shipped() -> dict[str, list[str]]:
    """The settlements of the demo, with their spellings in a dozen scripts."""
    places = read_places(BOUNDARIES, layer="settlements")
    return {str(key): names.variants(row["name"], row["names"]) for key, row in places.iterrows()}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("makhmur", "P1"),
        ("MEXMUR", "P1"),
        (" Mexmûr ", "P1"),
        ("مَخْمُور", "P1"),  # with vowel signs
        ("مخـــمور", "P1"),  # drawn out
        ("tal-afar", "P2"),
        ("Tal'Afar", "P2"),
        ("TALLAFAR", "P2"),
        ("تلعفر", "P2"),
        ("تل‌عفر", "P2"),  # a joiner that shows nothing
        ("تلکیف", "P3"),  # Persian kaf and ye
        ("آزادی", "P4"),
        ("ئازادي", "P4"),
        ("Sengal", "P5"),
        ("shengal", "P5"),
        ("شنگال", "P5"),
        ("القياره", "P6"),
        ("Suleymaniyye", "P9"),
        ("سليماني", "P9"),
        ("P3", "P3"),
    ],
)
def test_any_spelling_finds_its_place(text: str, key: str) -> None:
    found = names.find(text, HELD)
    assert found.match is not None
    assert found.match.key == key
    assert found.candidates == ()


def test_a_name_of_two_places_is_for_the_user_to_decide() -> None:
    found = names.find("hajar", HELD)
    assert found.match is None
    assert [each.key for each in found.candidates] == ["P7", "P8"]


def test_part_of_a_name_stands_for_it_where_only_one_has_it() -> None:
    part = names.find("Qayy", HELD).match
    assert part is not None
    assert (part.key, part.how) == ("P6", "begins")
    inside = names.find("ngal", HELD).match
    assert inside is not None
    assert (inside.key, inside.spelling, inside.how) == ("P5", "Şengal", "contains")
    assert names.find("Qa", HELD).match is None  # too little to go by
    assert [each.key for each in names.find("Qa", HELD).candidates] == ["P6"]
    assert [each.key for each in names.find("Tel", HELD).candidates] == ["P2", "P3"]


def test_another_spelling_of_the_same_sounds_is_the_same_place() -> None:
    for text in ("Makhmour", "Makhmūur"):
        match = names.find(text, HELD).match
        assert match is not None
        assert (match.key, match.how) == ("P1", "sounds")


def test_a_place_that_is_not_held_is_not_taken_for_another() -> None:
    # Gwer and Qayyarah have the same consonants and are 50 km apart.
    for text in ("القوير", "Quwayr", "Qowair"):
        assert names.find(text, HELD).match is None
    assert names.find("Qowair", {"P6": HELD["P6"]}).match is None
    for nothing in ("", " ", "'", "؟؟", "12", "Baghdad"):
        assert names.find(nothing, HELD) == names.Found(None, ())
    assert names.find("Mosul", {}) == names.Found(None, ())


def test_what_is_likely_comes_first() -> None:
    found = names.find("Sindjaar", HELD)
    assert found.match is None
    assert found.candidates[0].key == "P5"
    many = {f"P{n}": [f"Camp {n}"] for n in range(50)}
    assert len(names.find("camp", many).candidates) == names.SHOWN


def test_every_spelling_of_the_demo_finds_its_place(shipped: Mapping[str, list[str]]) -> None:
    owners: dict[str, set[str]] = {}
    for key, spellings in shipped.items():
        for spelling in spellings:
            owners.setdefault(names.fold(spelling), set()).add(key)
    assert sum(map(len, shipped.values())) > 1_000
    for key, spelling in [(key, spelling) for key, spellings in shipped.items() for spelling in spellings[:12]]:
        found = names.find(spelling, shipped)
        if owners[names.fold(spelling)] == {key}:
            assert found.match is not None
            assert found.match.key == key
        else:
            assert found.match is None
            assert key in [each.key for each in found.candidates]


@given(st.text(max_size=20))
def test_a_fold_is_letters_and_digits_and_stays_as_it_is(text: str) -> None:
    folded = names.fold(text)
    assert all(unicodedata.category(letter)[0] in "LN" for letter in folded)
    assert names.fold(folded) == folded
    assert names.fold(f"-{text.replace(' ', '')}‘") == names.fold(text.replace(" ", ""))


def test_the_page_finds_the_same_places(shipped: Mapping[str, list[str]], tmp_path: Path) -> None:
    """Every spelling, and what people make of it, on the page and here."""
    spots = [shapely.Point(100.0 * n, 0) for n in range(len(shipped))]
    rows = {
        "name": [each[0] for each in shipped.values()],
        "names": [json.dumps(each[1:]) for each in shipped.values()],
    }
    table = gpd.GeoDataFrame(rows, index=list(shipped), geometry=spots, crs=LAEA)
    analysis = fake_analysis().with_table("places", tables.conform(table, "places")).with_values("stretches", name="-")
    path = save(build_map(analysis), tmp_path / "map.html")
    twists: list[Callable[[str], str]] = [str, str.upper, lambda text: text.replace(" ", "-"), lambda text: f" {text}’"]
    some = [spelling for spellings in shipped.values() for spelling in spellings[:12]]
    texts = [twist(text) for twist, text in product(twists, some)] + [each for held in HELD.values() for each in held]
    heard = ["Makhmour", "Makhmoor", "Khanakin", "Touz Khurmatou", "Qayara", "Sindjaar", "Quwayr", "Baghdadi", "zzzz"]
    with browser.chromium(tmp_path / "profile") as chrome:
        browser.open_page(chrome, path)
        pages = chrome.execute_script("return arguments[0].map(text => gapmap.search(text))", texts)
        offered = chrome.execute_script("return arguments[0].map(text => gapmap.search(text))", heard)
        opened = []
        for text in heard:
            chrome.execute_script(
                "document.querySelector('#details .close')?.click(); document.getElementById('goto-text').value = arguments[0];"
                " document.getElementById('goto-go').click()",
                text,
            )
            opened.append(chrome.execute_script("return document.querySelector('#details h2')?.textContent"))
    for text, page, name in zip(heard, offered, opened, strict=True):
        found = names.find(text, shipped)
        wanted = [found.match] if found.match else list(found.candidates)
        assert [key for key in page if key in shipped][: len(wanted)] == [each.key for each in wanted], text
        assert (name is not None) == (found.match is not None), text
    assert all(offered[:5])
    for text, page in zip(texts, pages, strict=True):
        match = names.find(text, shipped).match
        if match is not None and match.how == "equal":
            assert page[0] == match.key, text
    assert sum(bool(page) for page in pages) > 0.9 * len(texts)
