"""The briefing: figures held against plain computations, hostile texts, words that must not leave, and the PDF."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pypdf
import pyproj
import pytest
import shapely

import gapmap.report
from gapmap import Analysis, tables
from gapmap.cli import main
from gapmap.editions import edition
from gapmap.errors import InputError
from gapmap.maps.languages import LANGUAGES, catalogue
from gapmap.maps.page import own_asset
from gapmap.points import parse_point
from gapmap.report import build_report, require_writer, save
from gapmap.report.handover import mgrs_words
from gapmap.styles import WIDTH_COLOURS
from tests import browser
from tests.fake_analysis import LAEA, UTM, FakeAnalysis, fake_analysis, width
from tests.hostile import PAYLOADS, hostile
from tests.sentinels import INCIDENT_FILE, KIND, NORTH, NORTH_FILE, NOTE, SOUTH, SOUTH_FILE
from tests.test_report_handover import chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gapmap.editions import Source


class Page(HTMLParser):
    """Take a briefing apart: tables by class, sections, text, tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.sections: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._skip = self._cell = False
        self.feed(text)
        self.close()
        self.text = " ".join(self.sections)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._skip = self._skip or tag in ("style", "title")
        if tag == "section":
            self.sections.append("")
        elif tag == "table":
            self.tables.append((dict(attrs).get("class") or "", []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "title"):
            self._skip = False
        elif tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._skip or not self.sections:
            return
        self.sections[-1] += data
        if self._cell:
            self.tables[-1][1][-1][-1] += data

    def table(self, kind: str) -> list[list[str]]:
        """Return the first table of a class, headings first."""
        return next(rows for found, rows in self.tables if found == kind)

    def sheets(self) -> list[str]:
        """Return the sections between the table of stretches and the last pages."""
        return self.sections[2:-1]


@pytest.fixture(scope="module")
def fake() -> FakeAnalysis:
    return fake_analysis()


def full(analysis: Source, *, language: str = "en", stretches: Sequence[str] = ()) -> Page:
    return Page(build_report(edition(analysis, "full"), language=language, stretches=stretches))


def pdf_text(page: str, folder: Path) -> list[str]:
    """Return the text of each page."""
    path = save(page, folder / "report.pdf")
    return [each.extract_text() for each in pypdf.PdfReader(path).pages]


@pytest.fixture
def _pango() -> None:
    """Skip where PDF cannot be made: conftest makes a skip a failure where all must run."""
    try:
        require_writer(Path("report.pdf"))
    except InputError as error:
        pytest.skip(str(error))


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


# ---- Figures


def test_five_lines_say_the_situation(fake: FakeAnalysis) -> None:
    lines = dict(full(fake).table("lines"))
    corridors, stretches, places, incidents = (
        fake.table(name) for name in ("corridors", "stretches", "places", "incidents")
    )
    assert len(lines) == 5
    area = corridors["area_km2"].sum()
    widest = corridors["width_max_m"].max() / 1000
    assert lines["Gap between the forces"] == (
        f"1 corridor, 120 km long, up to {widest:.1f} km wide; {area:,.0f} km² of ground that no force covers"
    )
    row = stretches.iloc[stretches["width_mean_m"].round().to_numpy().argmax()]
    assert lines["Widest"] == (
        f"{row['name']}: {row['width_mean_m'] / 1000:.1f} km wide on average, {row['width_max_m'] / 1000:.1f} km at most"
    )
    assert "252 km² of ground between the forces" in lines["Wider than the limit"]
    people = places.loc[places["stretch_id"] != "", "population"].sum()
    assert lines["Places"] == f"2 of 3 places lie in corridors; people in them: {people:,.0f}"
    outside = full(fake.with_values("places", stretch_id="")).table("lines")
    assert dict(outside)["Places"] == "0 of 3 places lie in corridors"
    inside = incidents[incidents["stretch_id"] != ""]
    edge = corridors.geometry.iloc[0].boundary
    surely = sum(
        edge.distance(point) >= radius
        for point, radius in zip(inside.geometry, inside["location_radius_m"], strict=True)
    )
    assert lines["Incidents"] == (
        f"{len(inside)} of {len(incidents)} incidents since 2018 lie in them (plain count); {surely} of these surely inside"
    )


def test_the_table_is_the_table_of_stretches_widest_first(result: Analysis) -> None:
    stretches = result.table("stretches")
    order = sorted(stretches.index, key=lambda key: (-round(stretches["width_mean_m"][key]), key))
    labels = {"north": "Northern force", "south": "Southern force"}
    expected = []
    for number, key in enumerate(order, 1):
        row = stretches.loc[key]
        pair = f"{labels[row['force_a']]} and {labels[row['force_b']]}"
        widths = [f"{row[column] / 1000:.1f}" for column in ("width_mean_m", "width_max_m")]
        sizes = [f"{row[column]:,.1f}" for column in ("length_km", "area_km2")]
        expected.append(
            [str(number), row["name"], pair, *widths, *sizes, str(row["incidents_count"]), str(row["places"])]
        )
    assert full(result).table("stretches")[1:] == expected


def test_a_long_table_ends_and_says_how_much_is_left(fake: FakeAnalysis) -> None:
    stretches = fake.table("stretches")
    many = pd.concat([stretches.rename(index=lambda key, n=n: f"{key}-{n:02d}") for n in range(20)])
    page = full(fake.with_table("stretches", many))
    assert len(page.table("stretches")) == 1 + 100
    assert "20 more are not listed here" in page.text


def test_sheets_are_for_the_five_widest_or_for_those_asked_for(fake: FakeAnalysis) -> None:
    stretches = fake.table("stretches").sort_values("width_mean_m", ascending=False, kind="stable")
    page = full(fake)
    assert len(page.sheets()) == 5
    for number, (text, (key, row)) in enumerate(zip(page.sheets(), stretches.head(5).iterrows(), strict=True), 1):
        assert f"{number}. {row['name']}" in text
        assert str(key) in text
    last = str(stretches.index[-1])
    (asked,) = full(fake, stretches=[last, last]).sheets()
    assert f"6. {stretches['name'].iloc[-1]}" in asked


def test_a_stretch_that_is_not_there_is_refused_with_the_nearest(fake: FakeAnalysis) -> None:
    with pytest.raises(InputError, match=r"(?s)C01\.9.*did you mean C01\.0"):
        full(fake, stretches=["C01.9"])


def test_a_sheet_has_the_measures_of_its_stretch(result: Analysis) -> None:
    key = str(result.table("stretches").index[0])
    row = result.table("stretches").loc[key]
    heads, values = full(result, stretches=[key]).table("figures")
    found = dict(zip(heads, values, strict=True))
    for head, column in (("Mean width", "width_mean_m"), ("Narrowest", "width_min_m"), ("Widest", "width_max_m")):
        assert found[head] == f"{row[column] / 1000:,.1f} km"
    assert found["Length"] == f"{row['length_km']:,.1f} km"
    assert found["Area"] == f"{row['area_km2']:,.1f} km²"
    assert found["Incidents (plain count)"] == str(row["incidents_count"])
    assert found["of these surely inside"] == str(row["incidents_certain"])


def test_incidents_by_year_are_counted_by_their_first_day(result: Analysis) -> None:
    incidents = result.table("incidents")
    for key in result.table("stretches").index:
        own = incidents[incidents["stretch_id"] == key]
        years = [str(sum(own["date_from"].dt.year == year)) for year in (2019, 2020, 2021)]
        heads, row = full(result, stretches=[key]).table("years")
        assert heads == ["2019", "2020", "2021", "In all"]
        assert row == [*years, str(len(own))]


def test_early_years_are_one_column_and_incidents_without_a_day_another(fake: FakeAnalysis) -> None:
    days = pd.to_datetime(["2001-03-04", "2010-01-01", None, "2021-07-08", "2021-07-09"])
    heads, row = full(fake.with_values("incidents", date_from=days), stretches=["C01.01"]).table("years")
    assert heads == ["to 2011", *(str(year) for year in range(2012, 2022)), "not known", "In all"]
    assert row == ["2", *["0"] * 10, "1", "3"]


def test_places_in_a_stretch_and_near_it_with_the_ways_to_both_covers(fake: FakeAnalysis) -> None:
    heads, *rows = full(fake, stretches=["C01.01"]).table("places")
    assert heads == ["Name", "Where", "People", "To Federal forces", "To Regional forces"]
    assert rows[0] == ["Gwer", "Width here: 8.0 km", "4,000", "5.0 km", "3.0 km"]
    shape = fake.table("stretches").geometry["C01.01"]
    near = {
        row["name"]: shape.distance(row.geometry)
        for key, row in fake.table("places").iterrows()
        if shape.distance(row.geometry) <= 10_000
    }
    assert [row[0] for row in rows] == sorted(near, key=lambda name: near[name])


def test_zones_are_named_and_the_way_to_the_nearest_is_that_to_its_cover(result: Analysis) -> None:
    key = str(result.table("stretches").index[0])
    (text,) = full(result, stretches=[key]).sheets()
    zones, cover = result.table("zones"), result.table("cover")
    over = chosen(result, key)
    for force, label in (("north", "Northern force"), ("south", "Southern force")):
        way = f"{over.point.distance(cover.geometry[force]) / 1000:.1f} km"
        ways = {
            row["name"]: max(row.geometry.distance(over.point) - row["reach_m"], 0)
            for _, row in zones[zones["force"] == force].iterrows()
        }
        nearest = min(ways, key=lambda name: ways[name])
        assert re.search(rf"{label}: {way} to its declared cover; nearest zone: {nearest} \(\d+°\)", text)


def test_rows_set_aside_and_inputs_are_listed(result: Analysis) -> None:
    page = full(result)
    aside = result.table("set_aside")
    expected = [[*key, str(len(rows))] for key, rows in aside.groupby(["source", "reason"])]
    assert len(expected) == 3
    assert page.table("aside")[1:] == expected
    inputs = json.loads(result.table("run")["inputs"].iloc[0])
    roles = [row[1] for row in page.table("made inputs")[1:]]
    assert roles[:3] == ["zones: Northern force", "zones: Southern force", "incidents"]
    found = [[row[0], row[2].replace(" ", ""), *row[3:6]] for row in page.table("made inputs")[1:]]
    assert found == [
        [each["name"], each["sha256"], *(str(each[name]) for name in ("rows", "used", "set_aside"))] for each in inputs
    ]


def test_remarks_on_the_inputs_are_listed_in_the_full_edition_alone(result: Analysis) -> None:
    run = result.table("run")
    inputs = json.loads(run["inputs"].iloc[0])
    for each in inputs:
        each["remarks"] = [f"worth a word {each['role']}"]
    content = {name: result.table(name) for name in tables.COLUMNS}
    remarked = Analysis({**content, "run": run.assign(inputs=json.dumps(inputs))})
    for each in inputs:
        each["remarks"] = []
    bare = Analysis({**content, "run": run.assign(inputs=json.dumps(inputs))})
    last = full(remarked).sections[-1]
    assert last.index("Worth a look") < last.index(f"{inputs[0]['name']}: worth a word zones")
    assert last.count("worth a word") == len(inputs) > 3
    assert "Worth a look" not in full(bare).sections[-1]
    for name, force in (("partner", "north"), ("public", None)):
        assert "worth a word" not in build_report(edition(remarked, name, force=force))


def test_stretches_are_painted_by_the_class_of_their_mean_width(fake: FakeAnalysis) -> None:
    limit_m, stretches = 20_000, fake.table("stretches")
    shares = [0.1, 0.25, 0.5, 0.75]  # where the second to the last class begin

    def colour(width_m: float) -> str:
        return "#{:02x}{:02x}{:02x}".format(*WIDTH_COLOURS[sum(width_m >= share * limit_m for share in shares)])

    expected = {key: colour(width_m) for key, width_m in stretches["width_mean_m"].items()}
    assert len(set(expected.values())) > 1
    text = build_report(edition(fake, "full"), stretches=list(stretches.index))
    overview, *sheets = re.findall(r'<div class="picture " .*?</svg>', text)
    assert set(re.findall('fill="(#[0-9a-f]{6})"', overview)) == set(expected.values())
    for key, drawn in zip(stretches.index, sheets, strict=True):
        assert set(re.findall('fill="(#[0-9a-f]{6})"', drawn)) == {expected[key]}


def test_every_paint_is_one_that_is_there(result: Analysis) -> None:
    for name in ("full", "public"):
        text = build_report(edition(result, name))
        paints = set(re.findall('(?:fill|stroke)="([^"]*)"', text))
        ids = set(re.findall(r'<pattern id="([^"]+)"', text))
        assert len(re.findall("<pattern", text)) == len(ids)
        for paint in paints:
            assert re.fullmatch("none|#[0-9a-f]{3}|#[0-9a-f]{6}", paint) or paint[5:-1] in ids, paint


# ---- The hand-over point


def test_points_close_together_are_told(result: Analysis) -> None:
    one, two = "C01.02", "C01.01"
    analysis = fake_analysis().with_values("transects", stretch_id=one)
    stretches, lines = analysis.table("stretches"), analysis.table("transects")
    same = lines[lines["stretch_id"] == one]
    again = same.set_axis([f"again {name}" for name in same.index]).assign(stretch_id=two)
    moved = stretches.copy()
    moved.loc[two, "geometry"] = stretches.geometry[one]
    close = analysis.with_table("stretches", moved)
    close = close.with_table("transects", pd.concat([lines[lines["stretch_id"] != two], again]))
    sheets = full(close, stretches=[one, two]).sheets()
    for sheet, other in zip(sheets, (two, one), strict=True):
        said = f"0.0 km from the point proposed for {moved['name'][other]}: one point may serve both."
        assert sheet.count(said) == 1
    assert "may serve both" not in full(close, stretches=[one]).sheets()[0]
    for sheet in full(result, stretches=["C01.03", "C01.04"]).sheets():  # the nearest two of the demo: 2 km apart
        assert "km to its declared cover" in sheet
        assert "may serve both" not in sheet


@pytest.mark.parametrize("crs", [LAEA, UTM])
def test_between_two_mirrored_covers_it_is_the_narrowest_line(crs: pyproj.CRS) -> None:
    analysis = fake_analysis(crs).with_values("transects", stretch_id="C01.02")
    east, north = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(43.3, 36.2)
    x = min((x for x in np.linspace(-59_000, 59_000, 60) if -40_001 <= x <= -19_999), key=lambda x: width(np.array(x)))
    lon, lat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x + east, north)
    (sheet,) = full(analysis, stretches=["C01.02"]).sheets()
    assert f"{lat:.4f}, {lon:.4f}" in sheet
    ways = [shape.distance(shapely.Point(x + east, north)) for shape in analysis.table("cover").geometry]
    assert ways[0] == pytest.approx(ways[1])
    assert sheet.count(f"forces: {ways[0] / 1000:.1f} km to its declared cover") == 2


def test_the_chart_shows_the_widths_on_the_scale_of_the_limit(result: Analysis) -> None:
    key = str(result.table("stretches").index[0])
    text = build_report(edition(result, "full"), stretches=[key])
    chart = re.findall(r'id="chart1" .*?</svg>', text)[0]
    curve = re.findall(r'd="M([^"Z]*)" fill="none"[^>]* stroke-width="0.5"', chart)[0]
    x, y = np.array([each.split() for each in curve.split("L")], dtype=float).T
    ticks = {
        name: float(re.findall(rf"#chart1-{number}{{left:[^;]*;top:([\d.]+)mm", text)[0])
        for number, name in enumerate(("zero", "half", "limit"))
    }
    assert ticks["zero"] - ticks["half"] == pytest.approx(ticks["half"] - ticks["limit"])
    lines = result.table("transects").query("stretch_id == @key").sort_values("along_m")
    spans = result.table("facets").query("stretch_id == @key")
    start, end = (result.table("stretches")[column][key] for column in ("from_m", "to_m"))
    at = np.array([start, *lines["along_m"], end])
    there = np.array([spans["width_start_m"].iloc[0], *lines["width_m"], spans["width_end_m"].iloc[-1]])
    along_m = start + (x - 12) / (174 - 12) * (end - start)  # the axis runs from 12 mm to 174 mm
    width_m = (ticks["zero"] - y) / (ticks["zero"] - ticks["limit"]) * 20_000
    assert np.interp(along_m, at, there) == pytest.approx(width_m, abs=20)
    assert [along_m[0], along_m[-1]] == pytest.approx([start, end], abs=10)


def test_both_partners_and_the_full_edition_propose_the_same_point(result: Analysis) -> None:
    pages = [
        Page(build_report(edition(result, name, force=force)))
        for name, force in (("full", None), ("partner", "north"), ("partner", "south"))
    ]
    found = [re.findall(r"\d\d[A-Z] [A-Z]{2} \d{4} \d{4}", page.text) for page in pages]
    assert len(found[0]) == len(pages[0].sheets()) > 0
    assert found[0] == found[1] == found[2]
    assert "equally near" in pages[0].sheets()[0]


def test_the_position_is_written_in_both_ways(result: Analysis) -> None:
    key = str(result.table("stretches").index[0])
    point = gpd.GeoSeries([chosen(result, key).point], crs=result.crs).to_crs(4326)[0]
    (text,) = full(result, stretches=[key]).sheets()
    assert f"{point.y:.4f}, {point.x:.4f}" in text
    square = re.findall(r"\d\d[A-Z] [A-Z]{2} \d{4} \d{4}", text)[0]
    assert square == mgrs_words(point.y, point.x)
    middle = gpd.GeoSeries([parse_point(square)], crs=4326).to_crs(result.crs)[0]
    assert middle.distance(chosen(result, key).point) <= 7.2  # half the diagonal of 10 m


# ---- Texts that try to run


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stands_as_text(payload: str) -> None:
    plain, attacked = full(fake_analysis()), full(hostile(payload))
    assert attacked.tags <= plain.tags
    assert attacked.attributes <= plain.attributes
    # In title, notice, strip, table, sheets; as it was written, but for marks that turn the text after them around.
    assert attacked.text.count(payload.replace("\u202e", "")) > 10
    assert not set(attacked.text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067")


@pytest.mark.usefixtures("_pango")
def test_a_name_cannot_turn_the_figures_after_it_around(tmp_path: Path) -> None:
    plain, attacked = (
        pdf_text(build_report(edition(each, "full"), stretches=["C01.02"]), tmp_path)
        for each in (hostile("Gwer"), hostile("Gwer\u202e"))
    )
    assert plain == attacked


def test_style_and_policy_hold_no_text_of_the_data() -> None:
    payload = "\"}</style><script>x</script>@import url('http://x.test/');"
    text = build_report(edition(hostile(payload), "full"))
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(style) == 1
    assert "x.test" not in style[0]
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'content="{policy.replace(chr(39), "&#39;")}"' in text


def test_nothing_runs_loads_or_links(result: Analysis) -> None:
    page = full(result)
    assert not page.tags & {"script", "img", "a", "link", "iframe", "object", "image", "use", "foreignobject"}
    assert not page.attributes & {"src", "href", "xlink:href", "style", "srcset"}


# ---- What must not leave


@pytest.mark.usefixtures("_pango")
@pytest.mark.parametrize(("name", "force"), [("partner", "north"), ("public", None)])
def test_withheld_words_are_on_no_page(result: Analysis, name: str, force: str | None, tmp_path: Path) -> None:
    page = build_report(edition(result, name, force=force))
    printed = save(page, tmp_path / "report.pdf")
    reader = pypdf.PdfReader(printed)
    texts = [page, *(each.extract_text() for each in reader.pages), str(reader.metadata)]
    words = [*SOUTH, SOUTH_FILE, NOTE, "4.321", *([] if force else [*NORTH, NORTH_FILE, INCIDENT_FILE, KIND])]
    for word in words:
        assert not any(word.casefold() in text.casefold() for text in texts), word
    if force:
        assert any(NORTH[0] in text for text in texts[1:])
        assert "Southern force: its zones are not in this edition" in Page(page).text


def test_a_partners_maps_show_its_own_zones_alone(result: Analysis) -> None:
    pages = {
        force: build_report(edition(result, name, force=force))
        for name, force in (("full", None), ("partner", "north"), ("partner", "south"))
    }
    # One square a sheet is that of the legend.
    squares = {force: text.count('<rect x="') - len(Page(text).sheets()) for force, text in pages.items()}
    marks = {force: re.findall(r'<rect x="[^"]*" y="([^"]*)" width="1.6"', text) for force, text in pages.items()}
    assert squares[None] > max(squares["north"], squares["south"])
    # North of the gap is the upper half of a map of 74 mm; the legend's lie at 1.2 mm.
    assert {float(y) > 37 for y in marks["north"]} == {False}
    assert {float(y) > 37 for y in marks["south"] if float(y) != 1.2} == {True}


def test_the_public_briefing_is_the_grid(result: Analysis) -> None:
    made = edition(result, "public")
    page = Page(build_report(made))
    grid, counted = made.table("grid"), made.table("grid_incidents")
    lines = page.table("lines")
    assert lines[0][1].startswith(f"{len(grid)} cells of 100 km²")
    for low, words, (label, told) in zip((135, 450), ("135 to 450 km²", "450 km² and more"), lines[1:3], strict=True):
        assert (label, told) == ("", f"{sum(grid['gap_from_km2'] == low)}: {words} of gap in the 30 by 30 km around")
    assert lines[3][1].startswith(f"{counted['incidents'].sum()} in {counted['cell_id'].nunique()} cells, 2019")
    rows = page.table("cells")[1:]
    assert sorted(row[0] for row in rows) == sorted(grid.index)
    for cell, _, gap, years in rows:
        own = counted[counted["cell_id"] == cell]
        assert gap == f"{grid['gap_from_km2'][cell]:g} to {grid['gap_to_km2'][cell]:g}"
        assert years == ("; ".join(f"{y}: {n}" for y, n in zip(own["year"], own["incidents"], strict=True)) or "-")
    assert page.sheets() == []
    with pytest.raises(InputError, match="no stretches"):
        build_report(made, stretches=["C01.01"])


def test_incidents_shared_as_counts_are_counts_and_nothing_else(result: Analysis, counts: Analysis) -> None:
    stretches = counts.table("stretches")
    page = build_report(edition(counts, "full"))
    whole = Page(page)
    inside = stretches["incidents_count"].sum()
    assert dict(whole.table("lines"))["Incidents"] == f"{inside} of 30 incidents lie in them (plain count)"
    assert "shared as counts only" in whole.sheets()[0]
    assert "years" not in [kind for kind, _ in whole.tables]
    for word in (KIND, NOTE, "2019-13-45", "Q999", "Last incident:", "Deaths in them"):
        assert word not in page, word
    rings = 'r="0.6"'
    assert rings in build_report(edition(result, "full"))
    assert rings not in page.replace('r="0.6" fill="#000"', "")  # which are places


# ---- Languages


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_whole_briefing(result: Analysis, language: str) -> None:
    words, english = catalogue(language), catalogue("en")
    text = build_report(edition(result, "full"), language=language)
    assert f'<html lang="{words["_html"]}" dir="{words["_direction"]}">' in text
    page = Page(text)
    assert words["unchecked"] in page.text
    assert len(page.sheets()) == len(full(result).sheets())
    if language != "en":
        fixed = [
            each for key, each in english.items() if key.startswith("report_") and re.fullmatch("[A-Z][^{}]{5,}", each)
        ]
        assert len(fixed) > 15
        assert [each for each in fixed if each in page.text] == []
        names = [str(name) for name in result.table("stretches")["name"]]
        assert any(re.search(r", \d+ km [NSEW]+| to ", name) for name in names)
        assert [name for name in names if re.search(r", \d+ km [NSEW]+$| to ", name) and name in page.text] == []


def test_an_unknown_language_is_refused(result: Analysis) -> None:
    with pytest.raises(InputError, match="no map in 'fr'"):
        full(result, language="fr")


def test_the_words_of_the_briefing_are_the_words_it_asks_for() -> None:
    rooms = Path(gapmap.report.__file__).parent.glob("*.py")
    asked = "".join(room.read_text(encoding="utf-8") for room in rooms) + own_asset("report.html")
    words = {key for key in catalogue("en") if key.startswith("report_")}
    assert words == {key for key in words if re.search(rf"\b{key}\b", asked)}
    assert set(re.findall(r"words\.(\w+)", own_asset("report.html"))) <= set(catalogue("en"))


# ---- Odd results


def test_a_result_without_corridors_says_so(fake: FakeAnalysis) -> None:
    nothing = fake
    for name in ("corridors", "stretches", "transects", "centrelines", "facets", "incidents", "places", "boundaries"):
        nothing = nothing.with_table(name, tables.empty(name, fake.crs))
    ground = fake.table("ground")
    page = full(nothing.with_table("ground", ground[ground["kind"].isin(["overlap"])]))
    lines = dict(page.table("lines"))
    assert lines["Gap between the forces"] == "No corridor up to 20 km wide"
    assert lines["Wider than the limit"] == "No ground between the forces is wider than the limit of 20 km"
    assert lines["Incidents"] == "This result holds no incidents."
    assert page.sheets() == []
    bare_cover = nothing.with_table("ground", ground[:0]).with_table("cover", fake.table("cover")[:0])
    assert full(bare_cover).sheets() == []


# ---- PDF


@pytest.mark.usefixtures("_pango")
def test_the_pdf_says_what_the_page_says_and_marks_every_page(
    result: Analysis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = build_report(edition(result, "full"))
    with caplog.at_level(logging.WARNING):
        pages = pdf_text(text, tmp_path)
    assert [record.getMessage() for record in caplog.records] == []  # nothing it does not understand
    page, printed = Page(text), bare("".join(pages))
    assert len(pages) == len(page.sections)  # a sheet is one page
    for each in pages:
        assert bare("Full edition: not to be passed on · Made for a test") in bare(each)
    for kind, rows in page.tables:
        for row in rows:
            for cell in row:
                assert bare(cell) in printed, (kind, cell)
    for sheet in page.sheets():
        square = re.findall(r"\d\d[A-Z] [A-Z]{2} \d{4} \d{4}", sheet)[0]
        assert bare(square) in printed


@pytest.mark.usefixtures("_pango")
def test_same_result_same_bytes_but_for_the_time_it_was_computed(fake: FakeAnalysis, tmp_path: Path) -> None:
    one, two = (build_report(edition(fake, "full"), stretches=["C01.02"]) for _ in range(2))
    assert one == two
    first, second = (save(one, tmp_path / f"{name}.pdf").read_bytes() for name in "ab")
    assert first == second
    new = fake.with_values("run", created="2022-02-02T00:00:00Z")
    later = build_report(edition(new, "full"), stretches=["C01.02"])
    assert later.replace("2022-02-02T00:00:00Z", "2021-06-01T00:00:00Z") == one


def test_a_briefing_that_another_program_shows_is_said_to_be_in_use(
    fake: FakeAnalysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Windows does with a PDF in its reader."""
    path = tmp_path / "report.html"
    path.write_text("before", encoding="utf-8")

    def held(*_: object) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr("gapmap.storage.os.replace", held)
    with pytest.raises(InputError, match=r"report\.html is in use") as caught:
        save(build_report(edition(fake, "full")), path)
    assert "close it in the other program" in caught.value.hint
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == "before"


def test_what_is_missing_for_pdf_is_said_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"neither \.html nor \.pdf"):
        require_writer(tmp_path / "report.docx")
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    with pytest.raises(InputError, match=r"(?s)Pango.*apt-get install libpango-1\.0-0 libpangoft2-1\.0-0.*print it"):
        require_writer(tmp_path / "report.pdf")
    monkeypatch.setattr("gapmap.report.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"(?s)weasyprint.*gapmap\[report\]"):
        require_writer(tmp_path / "report.pdf")
    require_writer(tmp_path / "report.HTML")


# ---- The command


@pytest.fixture(scope="module")
def saved(result: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return result.save(tmp_path_factory.mktemp("saved") / "gaps.gpkg")


def run(*words: object) -> int:
    """Return the exit code, whichever way the command ends."""
    try:
        return main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)


def test_the_command_writes_the_edition_it_was_told(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "briefing.html"
    assert run("report", saved, "--edition", "partner", "--force", "north", "--language", "ar", "--out", out) == 0
    assert "Partner edition for Northern force" in capsys.readouterr().out
    assert 'dir="rtl"' in out.read_text(encoding="utf-8")
    assert run("report", saved, "--edition", "public", "--quiet") == 0
    assert saved.with_name("report-public.html").exists()


def test_the_command_has_no_default_edition_and_replaces_nothing_unasked(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", saved) == 2
    out = tmp_path / "briefing.html"
    out.write_text("mine", encoding="utf-8")
    assert run("report", saved, "--edition", "full", "--out", out) == 2
    assert "is there already" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "mine"
    assert run("report", saved, "--edition", "full", "--stretch", "C01.01", "--out", out, "--overwrite") == 0
    assert "mine" not in out.read_text(encoding="utf-8")[:200]
    assert run("report", saved, "--edition", "full", "--stretch", "C77", "--out", out, "--overwrite") == 2
    assert run("report", saved, "--edition", "full", "--out", tmp_path / "briefing.docx") == 2


# ---- A browser


def test_a_browser_shows_it_as_it_is_meant_and_finds_no_fault(result: Analysis, tmp_path: Path) -> None:
    path = save(build_report(edition(result, "full"), language="ar"), tmp_path / "report.html")
    with browser.chromium(tmp_path / "profile") as chrome:
        chrome.get(path.as_uri())
        browser.settle(chrome)
        # The style sheet has passed the policy, places of labels too.
        assert (
            chrome.execute_script("return getComputedStyle(document.querySelector('.picture')).position") == "relative"
        )
        outside = chrome.execute_script(
            "return [...document.querySelectorAll('.label.place')].filter(each => {const a = each.getBoundingClientRect(),"
            " b = each.parentNode.getBoundingClientRect(); return a.left < b.left || a.right > b.right}).length"
        )
        assert outside == 0
        assert browser.console(chrome) == []
        assert browser.requests(chrome) == [path.as_uri()]
        chrome.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        chrome.refresh()
        assert browser.axe_findings(chrome) == []
        sheet = chrome.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    pages = [each.extract_text() for each in pypdf.PdfReader(io.BytesIO(base64.b64decode(sheet))).pages]
    assert all("Made for a test" in text for text in pages)
