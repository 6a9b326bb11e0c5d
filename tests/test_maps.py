from __future__ import annotations

import base64
import html as html_text
import json
import re
import zlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from branca.element import Element
from folium.plugins import MarkerCluster

from gapmap import tables
from gapmap.editions import edition as make_edition
from gapmap.errors import AssetError, CrsError, InputError
from gapmap.maps import build_map, page, save
from gapmap.maps.languages import LANGUAGES, catalogue, phrase
from gapmap.maps.layers import _bands, crs_parameters, speaker
from gapmap.maps.points import pack
from gapmap.names import fold
from gapmap.summary import rank, summary
from tests.fake_analysis import LAEA, UTM, FakeAnalysis, fake_analysis, without_zones
from tests.hostile import PAYLOADS, TEXT_FIELDS, hostile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class _Elements(HTMLParser):
    """Tags in order, with attributes; the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag == "script"
        if self._open:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's interface
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.scripts[-1] += data


def _html(analysis: FakeAnalysis, **options: Any) -> str:  # noqa: ANN401 - the options of build_map
    return build_map(analysis, **options).get_root().render()


def _facts(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="gapmap-facts">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def _shapes(html: str) -> dict[str, Any]:
    found = re.search(r'id="gapmap-shapes">(.*?)</script>', html)
    assert found
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


def _square(**properties: object) -> dict[str, Any]:
    ring = [[43, 36], [43.1, 36], [43.1, 36.1], [43, 36]]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": "1",
                "properties": properties,
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        ],
    }


# ---- The page as a whole


def test_map_is_a_folium_map_and_one_file(tmp_path: Path) -> None:
    drawn = build_map(fake_analysis())
    assert isinstance(drawn, folium.Map)
    path = save(drawn, tmp_path / "map.html")
    drawn.save(tmp_path / "by_folium.html")
    assert path.read_bytes() == (tmp_path / "by_folium.html").read_bytes()
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []


def test_a_map_that_another_program_holds_is_said_to_be_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.html"
    path.write_text("before", encoding="utf-8")

    def held(*_: object) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr("gapmap.storage.os.replace", held)
    with pytest.raises(InputError, match=r"map\.html is in use") as caught:
        save(build_map(fake_analysis()), path)
    assert "close it in the other program" in caught.value.hint
    assert [each.name for each in tmp_path.iterdir()] == ["map.html"]
    assert path.read_text(encoding="utf-8") == "before"


def test_same_analysis_same_bytes() -> None:
    assert _html(fake_analysis()) == _html(fake_analysis())


def test_page_has_title_language_and_landmarks() -> None:
    html = _html(fake_analysis())
    tags = [tag for tag, _ in _Elements(html).tags]
    assert {"main", "header", "footer", "aside", "h1", "noscript"} <= set(tags)
    assert '<html lang="en" dir="ltr">' in html
    assert "<title>The seam, illustrative</title>" in html
    assert "user-scalable" not in html


def test_policy_is_first_in_head_and_names_exactly_the_running_scripts() -> None:
    found = _Elements(_html(fake_analysis()))
    after_head = found.tags[[tag for tag, _ in found.tags].index("head") + 1]
    assert after_head[0] == "meta"
    assert after_head[1]["http-equiv"] == "Content-Security-Policy"
    policy = after_head[1]["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    running = [
        page.Script(text).source_hash()
        for text, (_, attrs) in zip(found.scripts, [each for each in found.tags if each[0] == "script"], strict=True)
        if "type" not in attrs
    ]
    assert re.findall(r"'sha256-[^']+'", policy) == running


def test_nothing_is_loaded_from_anywhere() -> None:
    html = _html(fake_analysis())
    for tag, attrs in _Elements(html).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "srcset"):
            assert name not in attrs, (tag, attrs)
    css = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert set(re.findall(r"url\((?!data:)([^)]*)\)", css)) <= {"#default#VML"}
    assert "@import" not in css
    assert "sourceMappingURL" not in html


def test_base_page_is_small() -> None:
    empty = FakeAnalysis({"run": fake_analysis().table("run")})
    for language in LANGUAGES:
        text = _html(empty, language=language)
        assert len(text.encode()) <= 300_000
        assert not re.search("(^|  )// ", text, re.MULTILINE)


def test_analysis_without_anything_makes_a_map() -> None:
    facts = _facts(_html(FakeAnalysis({"run": fake_analysis().table("run")})))
    assert facts["run"]["headline"] == "No corridor up to 20 km wide; 2 input rows were not used."
    assert facts["stretches"] == facts["places"] == []
    assert facts["points"] is None


# ---- What the page holds


def test_headline_counts_by_hand() -> None:
    assert _facts(_html(fake_analysis()))["run"]["headline"] == (
        "1 corridor, 120 km long, up to 20.0 km wide; 252 km² of ground between the forces is wider than the limit of"
        " 20 km; 4 of 5 incidents since 2018 lie in them (plain count); 2 of 3 places lie in corridors; people in them: 4,000;"
        " widest on average: Makhmour to Dibis; 2 input rows were not used."
    )
    unknown = fake_analysis().with_values("places", population=np.nan)
    assert "; people in them: not known; widest" in _facts(_html(unknown))["run"]["headline"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_headline_leaves_people_out_where_no_place_lies_in_a_corridor(language: str) -> None:
    outside, words = fake_analysis().with_values("places", stretch_id=""), catalogue(language)
    said = _facts(_html(outside, language=language))["run"]["headline"]
    assert phrase(words["head_places"], {"inside": "0", "all": "3"}) + words["head_joint"] in said
    assert words["not_known"] not in said


def test_headline_names_the_stretch_that_the_summary_ranks_first() -> None:
    analysis = fake_analysis()
    stretches = analysis.table("stretches").assign(width_max_m=20_000.0)  # at the limit, as many are
    analysis = analysis.with_table("stretches", stretches)
    first = stretches["name"].loc[stretches["width_mean_m"].idxmax()]
    assert first != stretches["name"].iloc[0]
    assert _facts(_html(analysis))["run"]["headline"].count(f"; widest on average: {first};") == 1
    assert summary(analysis)["widest"][0]["name"] == first


def test_headline_says_how_much_of_the_seam_is_wider_than_the_limit() -> None:
    # Two forces 25 km apart along 40 km.
    analysis = fake_analysis()
    north, south = shapely.box(-20_000, 12_500, 20_000, 20_000), shapely.box(-20_000, -20_000, 20_000, -12_500)
    beyond = analysis.table("ground")["kind"] == "beyond"
    between = shapely.box(-20_000, -12_500, 20_000, 12_500)
    ground = analysis.table("ground")[beyond].set_geometry([between], crs=LAEA).assign(area_km2=1_000.0)
    cover = analysis.table("cover").set_geometry([north, south], crs=LAEA)
    analysis = analysis.with_table("ground", ground).with_table("cover", cover)
    seam = "40 km of middle line and 1,000 km² between the forces are wider than the limit of 20 km"
    assert f"; {seam}; " in _facts(_html(analysis))["run"]["headline"]


def test_headline_counts_the_rows_not_used_in_the_files_that_the_edition_names() -> None:
    def said(analysis: FakeAnalysis, **options: str) -> str:
        return _facts(_html(analysis, **options))["run"]["headline"]

    def of(**counts: int) -> FakeAnalysis:
        inputs = [{"role": "zones", "name": f"{name}.csv", "rows": 99, "set_aside": n} for name, n in counts.items()]
        forces = {name: {"zones": f"{name}.csv"} for name in counts}
        parameters = json.dumps({"forces": forces})
        return without_zones(fake_analysis()).with_values("run", inputs=json.dumps(inputs), parameters=parameters)

    assert said(of(federal=1_200, regional=34)).endswith("; 1,234 input rows were not used.")
    assert said(of(federal=1, regional=0)).endswith("; 1 input row was not used.")
    assert "not used" not in said(of(federal=0, regional=0))
    partner = said(of(federal=1, regional=34), edition="partner", force="federal")
    assert partner.endswith("; 1 input row was not used.")
    assert "not used" not in said(of(federal=3, regional=34), edition="public")
    for language in LANGUAGES:
        assert phrase(catalogue(language)["head_aside"], {"n": "7"}) in said(
            of(federal=3, regional=4), language=language
        )


def test_figures_are_those_of_the_tables() -> None:
    analysis = fake_analysis()
    facts = _facts(_html(analysis))
    table = analysis.table("stretches")
    assert [row["id"] for row in facts["stretches"]] == table.index.tolist()
    for row in facts["stretches"]:
        for column in ("width_min_m", "width_mean_m", "width_max_m", "length_km", "area_km2"):
            assert row[column] == pytest.approx(table.loc[row["id"], column], abs=1e-4)
    assert facts["classes"] == [[0, 2000], [2000, 5000], [5000, 10000], [10000, 15000], [15000, 20000]]
    assert [force["label"] for force in facts["forces"]] == ["Federal forces", "Regional forces"]
    assert facts["run"]["attributions"] == ["Made with Natural Earth."]


def _points(html: str) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Read the packed incidents back: description, columns (x and y in degrees among them), notes."""
    meta = _facts(html)["points"]
    found = re.search(r'id="gapmap-points">(.*?)</script>', html)
    assert found
    data = np.frombuffer(zlib.decompress(base64.b64decode(found[1])), dtype="uint8").astype("int64")
    count, at = meta["count"], 0

    def column(width: int) -> NDArray[np.int64]:
        nonlocal at
        planes = data[at : at + count * width].reshape(width, count)
        at += count * width
        return (planes << (8 * np.arange(width)[:, None])).sum(axis=0)

    codes = column(5).cumsum()
    cells = [sum(((codes >> (2 * bit + axis)) & 1) << bit for bit in range(20)) for axis in (0, 1)]
    x, y = (meta[axis] + (cell + 0.5) * meta["size"] / 2**20 for axis, cell in zip("xy", cells, strict=True))
    columns = {
        "lon": x * 360 - 180,
        "lat": np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y)))),
        **{name: column(width) for name, width in meta["columns"]},
    }
    assert at == len(data)
    notes = re.search(r'id="gapmap-notes">(.*?)</script>', html, re.DOTALL)
    chunks = notes[1].split("\n") if notes else []
    return meta, columns, [note for chunk in chunks for note in json.loads(zlib.decompress(base64.b64decode(chunk)))]


def test_incidents_come_back_as_they_were() -> None:
    analysis = fake_analysis()
    table = analysis.table("incidents")
    meta, found, notes = _points(_html(analysis, include_notes=True))
    degrees = table.geometry.to_crs(4326)
    # Which row each point came from, by position.
    rows = [
        int(np.hypot(degrees.x - lon, degrees.y - lat).to_numpy().argmin())
        for lon, lat in zip(found["lon"], found["lat"], strict=True)
    ]
    assert sorted(rows) == list(range(len(table)))
    away = pyproj.Geod(ellps="WGS84").inv(found["lon"], found["lat"], degrees.x.iloc[rows], degrees.y.iloc[rows])[2]
    assert max(away) < 0.7
    came = table.iloc[rows]
    days = (came["date_from"] - np.datetime64(meta["first_day"])).dt.days
    assert (found["day"] - 1 == days).all()
    assert (found["days"] == (came["date_to"] - came["date_from"]).dt.days).all()
    assert [meta["kinds"][kind] for kind in found["kind"]] == came["kind"].tolist()
    assert [meta["precisions"][each] for each in found["precision"]] == came["location_precision"].tolist()
    assert (found["radius"] - 1 == came["location_radius_m"]).all()
    assert (np.where(found["best"] == 0, np.nan, found["best"] - 1) == came["deaths_best"]).sum() == 4
    assert found["stretch"].tolist() == (analysis.table("stretches").index.get_indexer(came["stretch_id"]) + 1).tolist()
    assert notes == came["note"].tolist()


def test_points_without_dates_kinds_or_deaths_are_kept() -> None:
    bare = fake_analysis().with_values(
        "incidents", date_from=np.datetime64("NaT"), date_to=np.datetime64("NaT"), kind="", deaths_best=np.nan
    )
    html = _html(bare)
    meta, found, _ = _points(html)
    assert meta["first_day"] is None
    assert meta["count"] == 5
    assert not found["day"].any()
    assert not found["best"].any()
    assert "4 of 5 incidents lie in them" in _facts(html)["run"]["headline"]


def test_ids_of_incidents_are_in_the_page_with_their_notes_in_the_order_of_the_points() -> None:
    analysis = fake_analysis()
    table = analysis.table("incidents")
    html = _html(analysis, include_notes=True)
    found = re.search(r'id="gapmap-ids">(.*?)</script>', html)
    assert found
    ids = json.loads(zlib.decompress(base64.b64decode(found[1])))
    degrees = table.geometry.to_crs(4326)
    _, columns, _ = _points(html)
    assert columns["lon"] == pytest.approx(degrees.x.loc[ids], abs=1e-5)
    for edition, force, held in (("partner", "federal", True), ("public", None, False)):
        html = _html(without_zones(analysis), edition=edition, force=force, include_notes=True)
        assert ('id="gapmap-ids"' in html) is held
    counts = analysis.with_values("run", parameters=json.dumps({"incidents": {"share": "counts"}}))
    assert 'id="gapmap-ids"' not in _html(counts, include_notes=True)
    assert 'id="gapmap-ids"' not in _html(analysis)


def test_million_incidents_take_at_most_ten_bytes_each() -> None:
    count = 200_000  # the share of a point falls as their number grows
    random = np.random.default_rng(5)
    at = random.integers(0, 60, count)
    x, y = (centre[at] + random.normal(0, 20_000, count) for centre in random.uniform(-2e5, 2e5, (2, 60)))
    day = np.datetime64("2014-01-01") + random.integers(0, 3_650, count).astype("timedelta64[D]")
    table = tables.conform(
        gpd.GeoDataFrame(
            {
                "date_from": day,
                "date_to": day,
                "kind": random.choice(["attack", "IED", "shooting", "other"], count),
                "deaths_best": random.poisson(0.7, count),
                "civilians": random.integers(0, 2, count),
                "location_precision": random.choice(["exact", "near", "area"], count),
                "ground": "corridor",
            },
            geometry=gpd.points_from_xy(x, y),
            crs=LAEA,
        ),
        "incidents",
    )
    _, packed, _ = pack(table, pd.Index([]))
    assert len(packed) / count < 10


def test_sources_and_rows_of_incidents_stay_behind() -> None:
    html = _html(fake_analysis(), include_notes=True)
    assert {"source", "source_row"}.isdisjoint(_points(html)[1])
    assert "synthetic.csv" not in html


def test_notes_are_in_the_file_only_where_asked_for() -> None:
    html = _html(fake_analysis())
    assert _facts(html)["points"]["notes"] is False
    assert 'id="gapmap-notes"' not in html
    assert "first" in _points(_html(fake_analysis(), include_notes=True))[2]


def test_incidents_shared_as_counts_leave_no_position_and_no_note() -> None:
    parameters = json.dumps({"incidents": {"share": "counts"}})
    html = _html(fake_analysis().with_values("run", parameters=parameters), include_notes=True)
    facts = _facts(html)
    assert facts["points"] is None
    assert not facts["incidents_shared"]
    assert 'id="gapmap-points"' not in html
    assert 'id="gapmap-notes"' not in html
    assert "4 of 5 incidents" in facts["run"]["headline"]


def test_edition_and_language_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InputError, match="unknown edition 'open'"):
        build_map(fake_analysis(), edition="open")
    with pytest.raises(InputError, match="no map in 'fr'"):
        build_map(fake_analysis(), language="fr")


def test_noscript_holds_the_corridors_in_figures() -> None:
    found = re.search(r"<noscript>(.*?)</noscript>", _html(fake_analysis()), re.DOTALL)
    assert found
    cells = re.findall(r"<td><bdi>(.*?)</bdi></td>", found[1])
    assert cells == ["Gwer to Prde", "9.8 km", "20.0 km", "120.0 km", "4"]
    assert "<p>Zones that count on <bdi>1 June 2021</bdi></p>" in found[1]
    assert "are listed" not in found[1]  # all of them are


def _noscript(analysis: FakeAnalysis, language: str = "en") -> str:
    found = re.search(r"<noscript>(.*?)</noscript>", _html(analysis, language=language), re.DOTALL)
    assert found
    return found[1]


def test_noscript_lists_the_widest_on_average_and_says_how_many_there_are() -> None:
    analysis = fake_analysis()
    corridors = analysis.table("corridors")
    some = pd.concat([corridors] * 60).set_axis([f"C{n:02d}" for n in range(60)])
    some = some.assign(name=some.index, width_max_m=20_000.0, width_mean_m=[9_000.0 + 7 * n % 60 for n in range(60)])
    text = _noscript(analysis.with_table("corridors", some))
    assert re.findall(r"<td><bdi>(C\d+)</bdi></td>", text) == rank(some)[:50].tolist()
    assert "Of <bdi>60</bdi> corridors, the <bdi>50</bdi> widest on average are listed." in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_noscript_without_corridors_or_dates_promises_no_figures(language: str) -> None:
    bare = fake_analysis().with_values("run", date=pd.NaT)
    text = _noscript(bare.with_table("corridors", bare.table("corridors").iloc[:0]), language)
    words = catalogue(language)
    assert words["noscript"] in text
    assert words["noscript_rows"] not in text
    assert "<table>" not in text
    assert words["zones_of_day"].split("{")[0] not in text


# ---- Languages


def _script_texts() -> str:
    return page.own_asset("gapmap.js") + page.own_asset("page.html")


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_has_every_word_and_every_value(language: str) -> None:
    english, words = catalogue("en"), catalogue(language)
    assert set(words) == set(english)
    for key, text in words.items():
        assert sorted(re.findall(r"\{(\w+)\}", text)) == sorted(re.findall(r"\{(\w+)\}", english[key])), key
        assert text or english[key] == "", key
    assert len(words["months"].split(" ")) == 12
    if language != "en":
        same = [key for key in words if words[key] == english[key] and re.search("[a-z]{3}", words[key])]
        assert same == []
        assert words["_checked"] == "no"
        assert words["unchecked"]


def test_catalogue_has_the_words_that_the_page_asks_for() -> None:
    asked = set(
        re.findall(r'\b(?:t|rich|small|plain)\("(\w+)"|words\.(\w+)|data-word(?:-label)?="(\w+)"', _script_texts())
    )
    keys = {key for each in asked for key in each if key} - {"rtl"}
    assert len(keys) > 100
    assert keys <= set(catalogue("en"))


def test_place_names_stand_in_the_reader_s_language_where_held() -> None:
    names = json.dumps(["Gwer", "الكوير", "گوێر"], ensure_ascii=False)
    analysis = fake_analysis().with_values("places", names=names)
    for language, expected in (("en", "Gwer"), ("ar", "الكوير"), ("ckb", "گوێر"), ("kmr", "گوێر")):
        assert _facts(_html(analysis, language=language))["places"][0]["label"] == expected


def test_spellings_half_in_another_script_are_passed_over() -> None:
    """GeoNames has names transliterated letter by letter, with what the writer did not know left as it was."""
    names = json.dumps(["mwsڵ", "الموصل", "موسڵ"], ensure_ascii=False)
    analysis = fake_analysis().with_values("places", name="Mosul", names=names)
    for language, expected in (("en", "Mosul"), ("ar", "الموصل"), ("ckb", "موسڵ"), ("kmr", "موسڵ")):
        assert _facts(_html(analysis, language=language))["places"][0]["label"] == expected


def test_other_spellings_begin_with_those_of_the_reader_and_none_stands_twice() -> None:
    held = [
        "EBL",
        "arbyl",
        "Arbīl",
        "Arbil",
        "Hewlêr",
        "hewler",
        "هەwlێr",
        "Эрбиль",
        "أربيل",
        "اربيل",
        "هەولێر",
        "Erbil'",
        "",
    ]
    analysis = fake_analysis().with_values("places", name="Erbil", names=json.dumps(held, ensure_ascii=False))
    shown = {
        "en": ["Arbīl", "Hewlêr", "أربيل", "هەولێر", "Эрбиль", "EBL", "arbyl", "هەwlێr"],
        "ar": ["هەولێر", "Erbil", "Arbīl", "Hewlêr", "Эрбиль", "EBL", "arbyl", "هەwlێr"],
        "ckb": ["أربيل", "Erbil", "Arbīl", "Hewlêr", "Эрбиль", "EBL", "arbyl", "هەwlێr"],
    }
    for language, expected in shown.items():
        row = _facts(_html(analysis, language=language))["places"][0]
        assert row["names"] == expected
        # The search finds by letters alone: what is left out was found by what stands there already.
        assert {fold(each) for each in held} <= {fold(each) for each in [*row["names"], row["label"], row["name"], ""]}


def test_names_made_of_words_are_said_in_the_reader_s_language() -> None:
    names = [json.dumps(["Makhmour", "مخمور"], ensure_ascii=False), json.dumps(["Gwer", "الكوير"], ensure_ascii=False)]
    places = fake_analysis().table("places").iloc[[0, 1]].assign(name=["Makhmour", "Gwer"], names=names)
    analysis = fake_analysis().with_table("places", places)
    said = {
        "Gwer to Makhmour": "الكوير إلى مخمور",
        "Gwer to Makhmour (2)": "الكوير إلى مخمور (2)",
        "near Gwer": "قرب الكوير",
        "near Gwer, 14 km NW": "قرب الكوير، 14 كم شمال غرب",
        "stretch C01.02": "المقطع C01.02",
        "corridor C01": "الممر C01",
        "Gwer": "الكوير",
    }
    arabic = speaker(analysis, catalogue("ar"))
    assert {name: arabic(name) for name in said} == said
    for own in ("Gwer to nowhere", "near nowhere, 3 km N", "near Gwer, 3 km X", "Ridge to ridge", "{place}", ""):
        assert arabic(own) == own
    assert [speaker(analysis, catalogue("en"))(name) for name in said] == list(said)


def test_places_in_letters_of_the_other_direction_stand_isolated() -> None:
    places = fake_analysis().table("places").iloc[[0, 1]].assign(name=["Makhmour", "كوير"], names="[]")
    analysis = fake_analysis().with_table("places", places)
    arabic, english = (speaker(analysis, catalogue(language)) for language in ("ar", "en"))
    assert arabic("near Makhmour, 5 km SW") == "\u200fقرب \u2068Makhmour\u2069، 5 كم جنوب غرب"
    assert arabic("Makhmour to كوير") == "\u200f\u2068Makhmour\u2069 إلى كوير"
    assert arabic("Makhmour") == "Makhmour"
    assert english("near كوير, 5 km SW") == "\u200enear \u2068كوير\u2069, 5 km SW"
    assert english("near Makhmour, 5 km SW") == "near Makhmour, 5 km SW"


def test_page_holds_the_name_of_the_table_and_the_name_in_its_words() -> None:
    analysis = fake_analysis().with_values("stretches", name="near Gwer, 14 km N")
    analysis = analysis.with_values("places", name="Gwer", names=json.dumps(["الكوير"], ensure_ascii=False))
    for language, label in (("en", None), ("ar", "قرب الكوير، 14 كم شمالاً")):
        text = _html(analysis, language=language)
        row = _facts(text)["stretches"][0]
        assert (row["name"], row.get("label")) == ("near Gwer, 14 km N", label)
        assert (label or row["name"]) in _facts(text)["run"]["headline"]


def test_rule_of_the_public_grid_is_said_in_every_language() -> None:
    made = make_edition(fake_analysis(), "public")
    values = {"low": "135", "high": "450", "island": "400"}
    assert made.recipe.startswith(phrase(catalogue("en")["grid_recipe"], values))
    for language in LANGUAGES:
        text = _html(fake_analysis(), edition="public", language=language)
        told = _facts(text)["grid"]["recipe"]
        assert (told == made.recipe) is (language == "en")
        assert f"<p>{html_text.escape(told)}</p>" in text  # where scripts are switched off


def test_facets_come_back_within_a_decimetre() -> None:
    analysis = fake_analysis()
    facets, packed = analysis.table("facets"), _shapes(_html(analysis))["facets"]
    assert len(packed["count"]) == len(facets)
    first = np.array(packed["first"]).reshape(-1, 2).cumsum(axis=0)
    corners, loose = iter(packed["corners"]), iter(packed["loose"])
    ends: list[Any] = []
    for row, (x, y) in enumerate(first):
        ring = [(x, y)]
        for _ in range(packed["count"][row] - 1):
            ring.append((ring[-1][0] + next(corners), ring[-1][1] + next(corners)))
        at = packed["ends"][4 * row : 4 * row + 4]
        ends.append([value for k in at for value in (ring[k] if k >= 0 else (x + next(loose), y + next(loose)))])
    assert list(loose) == []
    assert (np.array(packed["ends"]) >= 0).mean() > 0.5
    names = [f"{end}_{side}_{axis}" for end in ("start", "end") for side in "ab" for axis in "xy"]
    assert np.abs(np.array(ends) / 10 - facets[names].to_numpy()).max() <= 0.1
    assert np.abs(np.array(packed["width_start"]) / 10 - facets["width_start_m"]).max() <= 0.05


def test_an_edge_of_two_neighbours_is_drawn_once() -> None:
    left, right = shapely.box(0, 0, 10_000, 10_000), shapely.box(10_000, 0, 30_000, 10_000)
    rows = tables.conform(
        gpd.GeoDataFrame({"layer": "adm1", "name": ["a", "b"]}, geometry=[left, right], crs=LAEA), "boundaries"
    )
    drawn = _shapes(_html(fake_analysis().with_table("boundaries", rows)))["boundaries"]
    assert [(each["layer"], each["rows"]) for each in drawn] == [("adm1", 2)]
    lines = [np.array(flat).reshape(-1, 2).cumsum(axis=0) / 1e5 for flat in drawn[0]["lines"]]
    length = sum(pyproj.Geod(ellps="WGS84").line_length(*line.T) for line in lines)
    assert length == pytest.approx(2 * 30_000 + 3 * 10_000, rel=1e-3)


def test_bands_cover_the_corridor_once() -> None:
    analysis = fake_analysis()
    stretches = analysis.table("stretches")
    bands = _bands(analysis.table("facets"), 20_000, stretches.index)
    for number, area in enumerate(stretches.area):
        assert sum(band.area for stretch, _, band in bands if stretch == number) == pytest.approx(area, rel=1e-4)
    assert {width for _, width, _ in bands} == {0, 1, 2, 3, 4}
    assert all(not band.is_empty for _, _, band in bands)


def test_crs_of_another_kind_is_refused() -> None:
    with pytest.raises(CrsError, match="cannot measure"):
        crs_parameters(pyproj.CRS.from_epsg(3857))
    assert crs_parameters(UTM)["k0"] == 0.9996


# ---- Hostile text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_in_every_field_is_kept_as_text(payload: str) -> None:
    html = _html(hostile(payload), include_notes=True)
    facts = _facts(html)
    assert facts["run"]["title"] == payload
    assert facts["run"]["notice"] == payload
    assert set(_points(html)[2]) == {payload}
    assert facts["points"]["kinds"] == [payload]
    assert facts["stretches"][0]["name"] == payload
    assert facts["places"][0]["label"] == payload
    assert facts["places"][0]["names"] == ["x"]  # the other spelling is the name itself
    assert facts["forces"][0]["label"] == payload
    assert facts["run"]["inputs"][0]["name"] == payload
    assert facts["run"]["inputs"][0]["remarks"] == [payload]
    assert len(_Elements(html).scripts) == 12  # seven of data, Leaflet, the map, three of gapmap


def test_what_is_remarked_of_incidents_names_ids_and_needs_the_notes() -> None:
    said = [{"role": role, "name": "a.csv", "remarks": [f"of {role}"]} for role in ("zones", "incidents")]
    analysis = fake_analysis().with_values("run", inputs=json.dumps(said))
    for notes, expected in ((True, [["of zones"], ["of incidents"]]), (False, [["of zones"], []])):
        inputs = _facts(_html(analysis, include_notes=notes))["run"]["inputs"]
        assert [each["remarks"] for each in inputs] == expected


def test_one_file_of_two_forces_stands_with_each() -> None:
    analysis = fake_analysis()
    forces = analysis.table("cover").index.tolist()
    said = [{"role": "zones", "name": "all.csv", "force": force} for force in (*forces, ["odd"])]
    found = _facts(_html(analysis.with_values("run", inputs=json.dumps(said))))
    labels = [each["label"] for each in found["forces"]]
    assert [each["force"] for each in found["run"]["inputs"]] == [*labels, ""]


def test_hostile_fixture_leaves_no_text_column_out() -> None:
    analysis = hostile("X")
    for name, columns in TEXT_FIELDS.items():
        named = {column for column, dtype in tables.COLUMNS[name].items() if dtype == tables.TEXT}
        assert named <= set(columns) | KEYS, name
        assert (analysis.table(name)[list(columns)] == "X").to_numpy().all(), name


# Joined on, or not text of a user's file.
KEYS = {
    "corridor_id",
    "stretch_id",
    "force_a",
    "force_b",
    "parameters",
    "crs",
    "inputs",
    "versions",
    "created",
    "names",
    "layer",
    "edition",
}


# ---- Structure


def _scripts() -> list[page.Script]:
    return [page.data_script("d", {"a": 1}), page.Script("let a = 1;")]


def _minimal(
    scripts: list[page.Script], *, extra: str = "", head: str = '<meta http-equiv="Content-Security-Policy">'
) -> str:
    return f"<html><head>{head}</head><body>{extra}{''.join(each.tag() for each in scripts)}</body></html>"


def test_structure_accepts_what_was_emitted() -> None:
    page.check_page(_minimal(_scripts()), _scripts())


@pytest.mark.parametrize(
    "extra",
    [
        "<script>alert(1)</script>",
        '<script src="https://example.org/x.js"></script>',
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        '<img src="//example.org/x.png">',
        '<link rel="stylesheet" href="x.css">',
        '<iframe srcdoc="x"></iframe>',
        '<base href="/x">',
        '<meta http-equiv="refresh" content="0">',
        '<form action="https://example.org"></form>',
        '<svg><a xlink:href="https://example.org">x</a></svg>',
    ],
)
def test_structure_refuses_what_was_smuggled_in(extra: str) -> None:
    with pytest.raises(AssetError):
        page.check_page(_minimal(_scripts(), extra=extra), _scripts())


def test_structure_refuses_missing_moved_and_altered_scripts() -> None:
    for found in (_scripts()[:1], _scripts()[::-1], [_scripts()[0], page.Script("let a = 2;")]):
        with pytest.raises(AssetError, match="scripts found"):
            page.check_page(_minimal(found), _scripts())


def test_structure_wants_the_policy_first() -> None:
    with pytest.raises(AssetError, match="first thing"):
        page.check_page(
            _minimal(_scripts(), head='<meta charset="utf-8"><meta http-equiv="Content-Security-Policy">'), _scripts()
        )


@pytest.mark.parametrize("text", ["</script>", "</SCRIPT >", "<!--<script>", "x<Script"])
def test_script_that_would_end_early_is_refused(text: str) -> None:
    with pytest.raises(AssetError, match="end it early"):
        page.Script(text).tag()


def test_script_smuggled_into_the_figure_is_refused() -> None:
    drawn = build_map(fake_analysis())
    root: Any = drawn.get_root()
    root.html.add_child(Element("<script>alert(1)</script>"))
    with pytest.raises(AssetError, match="own cannot be added"):
        drawn.get_root().render()


# ---- Assets


def test_vendored_files_are_those_of_the_manifest() -> None:
    assert b"Leaflet 1.9.4" in page.vendored("leaflet.js")
    assert b"Redistribution" in page.vendored("leaflet.LICENSE")


def test_asset_without_a_vendored_copy_raises() -> None:
    with pytest.raises(AssetError, match=r"no vendored copy of jquery\.js"):
        page.vendored("jquery.js")


def test_altered_vendored_file_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vendor").mkdir()
    manifest = {"leaflet.js": {"sha256": "0" * 64}}
    (tmp_path / "vendor" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "vendor" / "leaflet.js").write_bytes(b"changed")
    monkeypatch.setattr(page, "_ASSETS", tmp_path)
    page.vendored.cache_clear()
    try:
        with pytest.raises(AssetError, match="not the file"):
            page.vendored("leaflet.js")
    finally:
        page.vendored.cache_clear()


def test_own_assets_lose_blanks_and_comments_but_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        '/* Head. */\nconst a = " = x => y ";  // why\n// more\nif (a === "b" && c) {\n  d();\n}\ne = /"/;\nf = 1;\n'
    )
    (tmp_path / "a.js").write_text(script, encoding="utf-8")
    style = (
        '/* Head. */\n.a::after { content: "; {x} , "; }\n@media print {\n  b, c { margin: 1px 2px; } /* why */\n}\n'
    )
    (tmp_path / "a.css").write_text(style, encoding="utf-8")
    monkeypatch.setattr(page, "_ASSETS", tmp_path)
    page.own_asset.cache_clear()
    try:
        assert page.own_asset("a.js") == 'const a=" = x => y ";if (a==="b"&&c) {d();}\ne=/"/;f=1;'
        assert page.own_asset("a.css") == '.a::after{content:"; {x} , "}@media print{b,c{margin:1px 2px}}'
    finally:
        page.own_asset.cache_clear()


def test_plugin_with_assets_of_its_own_raises() -> None:
    drawn = build_map(fake_analysis())
    cluster: Any = MarkerCluster
    cluster([[36, 43]]).add_to(drawn)
    with pytest.raises(AssetError, match="MarkerCluster cannot be made safe"):
        drawn.get_root().render()


def test_subclass_of_a_safe_layer_is_refused() -> None:
    class Linked(folium.GeoJson):
        """May do anything when it is rendered."""

    drawn = build_map(fake_analysis())
    Linked(_square()).add_to(drawn)
    with pytest.raises(AssetError, match="Linked cannot be made safe"):
        drawn.get_root().render()


def test_link_without_a_vendored_copy_raises() -> None:
    drawn = build_map(fake_analysis())
    drawn.add_js_link("x", "https://example.org/x.js")
    with pytest.raises(AssetError, match=r"asks for https://example\.org/x\.js \(x\)"):
        drawn.get_root().render()
    assert "example.org" not in _html(fake_analysis())


# ---- Folium layers of a user's own


def test_safe_folium_layers_can_be_added() -> None:
    drawn = build_map(fake_analysis())
    folium.GeoJson(_square(note="{{7*7}}</script>${7*7}"), name="<b>mine</b>").add_to(drawn)
    folium.Marker([36.2, 43.3], title="`${alert(1)}`").add_to(drawn)
    html = drawn.get_root().render()
    assert "{{7*7}}" in html
    assert html == drawn.get_root().render()
    assert "\\u003cb\\u003emine\\u003c/b\\u003e" in html


@pytest.mark.parametrize(
    "layer",
    [
        folium.Marker([36, 43], popup="text"),
        folium.Marker([36, 43], tooltip="text"),
        folium.Marker([36, 43], icon=folium.Icon()),
        folium.Marker([36, 43], icon=folium.DivIcon(html="<b>x</b>")),
        folium.LayerControl(),
        folium.TileLayer("https://example.org/{z}/{x}/{y}.png", attr="x"),
        folium.GeoJson(_square(), on_each_feature=folium.JsCode("() => 1")),
        folium.GeoJson(_square(), marker=folium.Marker(icon=folium.DivIcon(html="x"))),
    ],
)
def test_unsafe_folium_layers_are_refused_by_name(layer: Element) -> None:
    drawn = build_map(fake_analysis())
    layer.add_to(drawn)
    with pytest.raises(AssetError, match="cannot be made safe"):
        drawn.get_root().render()


def test_property_name_cannot_become_script() -> None:
    data = _square()
    data["features"] = [{**data["features"][0], "properties": {"a);alert(1)//": n}} for n in (1, 2)]
    for feature in data["features"]:
        del feature["id"]
    drawn = build_map(fake_analysis())
    folium.GeoJson(data, style_function=lambda _: {"color": "#000"}).add_to(drawn)
    with pytest.raises(AssetError, match="into the script"):
        drawn.get_root().render()


def test_template_marks_in_an_added_layer_are_refused() -> None:
    drawn = build_map(fake_analysis())
    folium.GeoJson(_square(note="{% x")).add_to(drawn)
    with pytest.raises(AssetError, match="template marks"):
        drawn.get_root().render()
