"""Questions: every answer equals a plain computation over whole tables, from memory and from a file."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import gapmap
from gapmap import cli, questions, storage, tables
from gapmap.analysis import Analysis
from gapmap.errors import InputError
from gapmap.overlay import locate
from gapmap.widths import width_here
from tests.fake_analysis import LAEA, fake_analysis

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ["attack", "IED", "shooting"]
SPOT = shapely.Point(-45_000, 2_000)


def points(number: int, seed: int) -> tuple[np.random.Generator, Any]:
    random = np.random.default_rng(seed)
    return random, shapely.points(random.uniform([-62_000, -28_000], [62_000, 28_000], (number, 2)).round(1))


def scene(*, share: str = "points") -> Analysis:
    """The band of the map's tests with two zones, 600 incidents and 80 places strewn over it."""
    base = fake_analysis()
    random, spots = points(600, 1)
    days = pd.Timestamp("2018-01-01") + pd.to_timedelta(random.integers(0, 1_400, 600), "D")
    incidents = gpd.GeoDataFrame(
        {
            "date_from": days,
            "date_to": days + pd.to_timedelta(random.integers(0, 5, 600), "D"),
            "kind": random.choice(KINDS, 600),
            "deaths_best": random.integers(0, 4, 600).astype(float),
            "location_radius_m": 1_000.0,
            "note": "somebody's words",
        },
        index=[f"I{n:03d}" for n in range(600)],
        geometry=spots,
        crs=LAEA,
    )
    random, spots = points(80, 2)
    places = gpd.GeoDataFrame(
        {
            "name": [f"Village {n:02d}" for n in range(78)] + ["Makhmur", "=cmd|'/c calc'!A1"],
            "names": ["[]"] * 78 + ['["مخمور"]', "[]"],
            "population": np.where(random.random(80) < 0.3, np.nan, random.integers(100, 90_000, 80).astype(float)),
        },
        index=[f"P{n:03d}" for n in range(80)],
        geometry=[*spots[:78], SPOT, shapely.Point(0, 25_000)],
        crs=LAEA,
    )
    zones = gpd.GeoDataFrame(
        {"force": ["federal", "regional"], "name": ["Post 1", "Post 2"], "kind": "post", "reach_m": [3_000.0, 4_000.0]},
        index=["federal-001", "regional-001"],
        geometry=[shapely.Point(-45_000, 20_000), shapely.Point(-30_000, -20_000)],
        crs=LAEA,
    )
    ground, stretches = base.table("ground"), base.table("stretches")
    located = locate(places, ground=ground, stretches=stretches)
    located["width_here_m"] = width_here(base.table("facets"), located.geometry)
    run = base.table("run").assign(
        versions=json.dumps({"gapmap": "0.1.0", "format": storage.FORMAT}),
        parameters=json.dumps({"incidents": {"share": share}}),
    )
    content = {
        **{name: base.table(name) for name in tables.COLUMNS},
        "incidents": locate(incidents, ground=ground, stretches=stretches),
        "places": located,
        "zones": zones,
        "run": run,
    }
    return Analysis({name: storage.settle(table, name) for name, table in content.items()})


@pytest.fixture(scope="module")
def memory() -> Analysis:
    return scene()


@pytest.fixture(scope="module")
def file(memory: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return memory.save(tmp_path_factory.mktemp("result") / "gaps.gpkg")


@pytest.fixture(params=["memory", "file"])
def result(request: pytest.FixtureRequest, memory: Analysis, file: Path) -> Analysis:
    """The same result, computed, and opened anew so that nothing of it is read yet."""
    return memory if request.param == "memory" else gapmap.open(file)


def degrees(x: float, y: float) -> shapely.Point:
    return gpd.GeoSeries([shapely.Point(x, y)], crs=LAEA).to_crs(4326).iloc[0]


def text(point: shapely.Point) -> str:
    return f"{point.y:.9f}, {point.x:.9f}"


def ids(answer: questions.Answer) -> list[str]:
    return list(answer.rows.index)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("stretches", "width_max_m"),
        ("corridors", "width_max_m"),
        ("transects", "width_m"),
        ("places", "width_here_m"),
    ],
)
@pytest.mark.parametrize("least", [0, 5_000, 12_345.678, 20_000])
def test_min_width(result: Analysis, memory: Analysis, table: str, column: str, least: float) -> None:
    whole = memory.table(table)
    assert ids(questions.select(result, table, min_width=least)) == list(whole.index[whole[column].round(3) >= least])


def test_the_least_width_itself_is_in(result: Analysis, memory: Analysis) -> None:
    whole = memory.stretches
    for key, width in whole["width_max_m"].items():
        assert key in ids(questions.select(result, "stretches", min_width=round(width, 3)))
        assert key not in ids(questions.select(result, "stretches", min_width=round(width, 3) + 0.001))


def test_force(result: Analysis, memory: Analysis) -> None:
    facing = memory.stretches.query("force_a == 'federal' or force_b == 'federal'").index
    assert ids(questions.select(result, "stretches", force="federal")) == list(facing)
    assert ids(questions.select(result, "stretches", force=["federal", "regional"])) == list(facing)
    for table in ("places", "incidents", "transects"):
        whole = memory.table(table)
        assert ids(questions.select(result, table, force="regional")) == list(
            whole.index[whole["stretch_id"].isin(facing)]
        )
    with pytest.raises(InputError, match=r"unknown force 'federl'; did you mean 'federal'\?"):
        questions.select(result, "stretches", force="federl")


@pytest.mark.parametrize("table", questions.TABLES)
@pytest.mark.parametrize("reach_m", [0, 1, 8_000, 15_000, 500_000])
def test_within(result: Analysis, memory: Analysis, table: str, reach_m: float) -> None:
    whole = memory.table(table)
    distance = whole.distance(SPOT).round(3)
    expected = whole.assign(distance_m=distance)[distance <= reach_m].sort_values("distance_m", kind="stable")
    answer = questions.select(result, table, within=f"{reach_m} m-of Makhmur")
    assert ids(answer) == list(expected.index)
    np.testing.assert_array_equal(answer.rows["distance_m"], expected["distance_m"])


@pytest.mark.parametrize("of", ["15km-of {}", "15 km of {}", "15000 of {}", "15km  OF  {}", " 15 km -of {} "])
def test_within_as_people_write_it(result: Analysis, of: str) -> None:
    expected = ids(questions.select(result, "incidents", within="15km-of Makhmur"))
    assert len(expected) > 20
    for place in ("مخمور", "makhmur", "P078", text(degrees(SPOT.x, SPOT.y))):
        assert ids(questions.select(result, "incidents", within=of.format(place))) == expected


def test_a_distance_that_is_just_reached_is_in(result: Analysis, memory: Analysis) -> None:
    nearest = memory.incidents.distance(SPOT).round(3).nsmallest(5)
    for n, reach_m in enumerate(nearest, start=1):
        assert len(questions.select(result, "incidents", within=f"{reach_m} m of Makhmur").rows) == n
        assert len(questions.select(result, "incidents", within=f"{reach_m - 0.001} m of Makhmur").rows) == n - 1


@pytest.mark.parametrize("table", questions.TABLES)
def test_in_area(result: Analysis, memory: Analysis, table: str, tmp_path: Path) -> None:
    whole = memory.table(table)
    province = memory.boundaries.geometry["B2"]
    inside = whole.index[whole.intersects(province)]
    assert len(inside) > 0
    for name in ("Province", "province", "B2"):
        assert ids(questions.select(result, table, in_area=name)) == list(inside)
    shape = shapely.Polygon([(-50_000, -9_000), (-19_000, 3_000), (-41_000, 12_000)])
    drawn = gpd.GeoDataFrame({"name": ["drawn"]}, geometry=[shape], crs=LAEA)
    drawn.to_crs(4326).to_file(tmp_path / "area.geojson", COORDINATE_PRECISION=10)
    inside = whole.index[whole.intersects(shape)]
    assert ids(questions.select(result, table, in_area=drawn)) == list(inside)
    assert ids(questions.select(result, table, in_area=tmp_path / "area.geojson")) == list(inside)
    assert ids(questions.select(result, table, in_area=str(tmp_path / "area.geojson"))) == list(inside)


def test_of_a_file_of_several_layers_one_is_named_after_a_colon(
    result: Analysis, memory: Analysis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "areas_of.gpkg"
    for layer, west in (("near", -50_000), ("far", 900_000)):
        drawn = gpd.GeoDataFrame(geometry=[shapely.box(west, -9_000, west + 31_000, 12_000)], crs=LAEA)
        drawn.to_file(path, layer=layer)
    whole = memory.stretches
    inside = whole.index[whole.intersects(shapely.box(-50_000, -9_000, -19_000, 12_000))]
    assert len(inside) > 0
    assert ids(questions.select(result, "stretches", in_area=f"{path}:near")) == list(inside)
    assert ids(questions.select(result, "stretches", in_area=f"{path}:far")) == []
    for area in (str(path), path, f"{path}:middle"):
        with pytest.raises(InputError) as caught:
            questions.select(result, "stretches", in_area=area)
        assert caught.value.hint == f"name one after a colon: {path}:LAYER (near, far)"
    # An answer never takes the place of the file that was asked about.
    result.save(tmp_path / "gaps.gpkg")
    words = ["query", tmp_path, "stretches", "--in-area", f"{path}:near", "--output", path, "--overwrite"]
    assert cli.main([str(word) for word in words]) == 2
    assert "areas_of.gpkg" in capsys.readouterr().err
    assert gpd.list_layers(path)["name"].tolist() == ["near", "far"]


def test_what_touches_an_area_is_in_it(result: Analysis, memory: Analysis) -> None:
    # The province ends at x = 0, where a stretch of 20 km begins, and the country's edge runs nowhere near.
    at_edge = memory.stretches.cx[-1:1, :].index
    assert len(at_edge) == 2
    assert set(at_edge) <= set(ids(questions.select(result, "stretches", in_area="Province")))


@pytest.mark.parametrize(("since", "until"), [("2019-01-01", None), (None, "2019-06-30"), ("2019-05-01", "2019-05-31")])
def test_since_and_until(result: Analysis, memory: Analysis, since: str | None, until: str | None) -> None:
    whole = memory.incidents
    met = pd.Series(True, whole.index)
    if since:
        met &= whole["date_to"] >= since
    if until:
        met &= whole["date_from"] <= until
    assert ids(questions.select(result, "incidents", since=since, until=until)) == list(whole.index[met])
    # Of stretches and corridors: those with such an incident, and how many.
    counts = whole[met & (whole["stretch_id"] != "")]["stretch_id"].value_counts()
    answer = questions.select(result, "stretches", since=since, until=until)
    assert ids(answer) == [key for key in memory.stretches.index if key in counts.index]
    assert answer.rows["incidents_matching"].to_dict() == counts.to_dict()
    corridors = questions.select(result, "corridors", since=since, until=until)
    assert corridors.rows["incidents_matching"].to_dict() == ({"C01": counts.sum()} if len(counts) else {})


def test_the_first_and_the_last_day_are_in(result: Analysis, memory: Analysis) -> None:
    one = memory.incidents.loc["I007"]
    for since, until, found in (
        (one["date_to"], None, True),
        (one["date_to"] + pd.Timedelta(days=1), None, False),
        (None, one["date_from"], True),
        (None, one["date_from"] - pd.Timedelta(days=1), False),
        (one["date_to"], one["date_to"], True),
    ):
        days: dict[str, Any] = {"since": since and since.date(), "until": until and until.date()}
        assert ("I007" in ids(questions.select(result, "incidents", **days))) is found


def test_kind(result: Analysis, memory: Analysis) -> None:
    whole = memory.incidents
    for asked, kinds in (("IED", ["IED"]), ("ied", ["IED"]), (["IED", "attack"], ["IED", "attack"])):
        found = ids(questions.select(result, "incidents", kind=asked))
        assert found == list(whole.index[whole["kind"].isin(kinds)])
    assert questions.select(result, "incidents", kind="IED, attack").matched == 0  # a kind may have a comma in its name
    inside = whole[(whole["kind"] == "IED") & (whole["stretch_id"] != "")]
    stretches = questions.select(result, "stretches", kind="IED")
    assert stretches.rows["incidents_matching"].to_dict() == inside["stretch_id"].value_counts().to_dict()


def test_min_population(result: Analysis, memory: Analysis) -> None:
    whole = memory.places
    least = whole["population"].median()
    answer = questions.select(result, "places", min_population=least)
    assert ids(answer) == list(whole.index[whole["population"] >= least])
    unknown = int(whole["population"].isna().sum())
    assert answer.notes == (f"{unknown} places are left out, for how many people live there is not known",)
    assert questions.select(result, "places", min_population=0).matched == len(whole) - unknown
    for least in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="not a number of zero or more"):
            questions.select(result, "places", min_population=least)


def test_filters_compose(result: Analysis, memory: Analysis) -> None:
    whole = memory.incidents
    met = (
        (whole["kind"] == "IED")
        & (whole["date_to"] >= "2019-01-01")
        & (whole["date_from"] <= "2020-12-31")
        & (whole.distance(SPOT) <= 30_000)
        & whole.intersects(memory.boundaries.geometry["B2"])
        & whole["stretch_id"].isin(memory.stretches.index)
    )
    answer = questions.select(
        result,
        "incidents",
        kind="IED",
        since="2019-01-01",
        until=dt.date(2020, 12, 31),
        within="30km-of Makhmur",
        in_area="Province",
        force="federal",
        sort="-date_from,kind",
    )
    assert ids(answer) == list(whole[met].sort_values("date_from", ascending=False, kind="stable").index)
    assert answer.matched > 3


def test_sort_limit_and_columns(result: Analysis, memory: Analysis) -> None:
    whole = memory.places
    by_size = whole.sort_values(["population", "name"], ascending=[False, True], kind="stable", na_position="last")
    answer = questions.select(result, "places", sort=["-population", "name"], limit=7, columns="population, name,lat")
    assert ids(answer) == list(by_size.index[:7])
    assert answer.matched == 80
    assert list(answer.rows.columns) == ["population", "name", "lat", "geometry"]
    assert answer.rows["lat"].tolist() == by_size.to_crs(4326).geometry.y.round(6).tolist()[:7]
    last = questions.select(result, "places", sort="population").rows["population"]
    assert last.isna().tolist() == sorted(last.isna())  # what is not known comes last
    by_id = questions.select(result, "places", sort="-place_id", columns="place_id")
    assert ids(by_id) == sorted(whole.index, reverse=True)
    for wrong in ({"sort": "widht_here_m"}, {"columns": ["widht_here_m"]}):
        with pytest.raises(InputError, match=r"unknown column 'widht_here_m'; did you mean 'width_here_m'\?"):
            questions.select(result, "places", **wrong)
    for limit in (0, -3):
        with pytest.raises(InputError, match="shows nothing"):
            questions.select(result, "places", limit=limit)


def test_rows_are_those_of_the_table(result: Analysis, memory: Analysis) -> None:
    for table in questions.TABLES:
        answer = questions.select(result, table)
        whole = memory.table(table)
        shared = [column for column in whole.columns if column != "note"]
        assert [column for column in answer.rows.columns if column not in ("lat", "lon")] == shared
        pd.testing.assert_frame_equal(pd.DataFrame(answer.rows[shared]), pd.DataFrame(whole[shared]))
        assert answer.rows.crs == LAEA
        assert answer.notice == memory.run["notice"].iloc[0]


def test_notes_leave_only_where_asked_for(result: Analysis) -> None:
    assert "note" not in questions.select(result, "incidents").rows
    assert questions.select(result, "incidents", columns="note").rows["note"].unique().tolist() == ["somebody's words"]


def test_an_empty_answer_says_what_would_have_matched(result: Analysis, memory: Analysis) -> None:
    def notes(table: str, **filters: Any) -> list[str]:  # noqa: ANN401
        answer = questions.select(result, table, **filters)
        assert answer.rows.empty
        assert answer.matched == 0
        assert list(answer.rows.columns) == list(questions.select(result, table, **{**filters, "limit": None}).rows)
        return list(answer.notes)

    widest = memory.stretches["width_max_m"].max() / 1000
    assert notes("stretches", min_width="30 km") == [
        f"without --min-width 30 km, 6 stretches would match; the widest measures {widest:.3f} km"
    ]
    last = memory.incidents["date_to"].max()
    assert notes("incidents", since="2030-01-01") == [
        f"without --since 2030-01-01, 600 incidents would match; the last is of {last:%Y-%m-%d}"
    ]
    assert notes("incidents", kind="arson") == [
        "without --kind arson, 600 incidents would match; their kinds: IED, attack, shooting"
    ]
    nearest = memory.places.distance(shapely.Point(61_000, 30_000)).min() / 1000
    where = text(degrees(61_000, 30_000))
    assert notes("places", within=f"1m of {where}") == [
        f"without --within 1 m of {where}, 80 places would match; the nearest is {nearest:.3f} km away"
    ]
    assert notes("places", min_population=1e9)[0] == (
        "without --min-population 1000000000, 80 places would match; "
        f"the largest has {memory.places['population'].max():.0f}"
    )
    inside = memory.incidents[memory.incidents["stretch_id"] != ""]
    assert notes("stretches", until="1999-01-01")[0] == (
        f"without --until 1999-01-01, {len(inside)} incidents would match; "
        f"the first is of {inside['date_from'].min():%Y-%m-%d}"
    )
    assert notes("stretches", min_width="30 km", since="2018-01-01", force="regional") == [
        f"without --min-width 30 km, 6 stretches would match; the widest measures {widest:.3f} km"
    ]
    assert notes("incidents", kind="arson", since="2030-01-01") == [
        "--since 2030-01-01 alone: 0 incidents match; the last is of " + f"{last:%Y-%m-%d}",
        "--kind arson alone: 0 incidents match; their kinds: IED, attack, shooting",
    ]


def test_a_table_without_rows_says_so() -> None:
    base = scene()
    content = {name: base.table(name) for name in tables.COLUMNS}
    for table in questions.TABLES:
        bare = Analysis({**content, table: content[table].iloc[:0]})
        assert questions.select(bare, table).notes == (f"the result has no {table}",)
        assert questions.select(bare, table, within="1km of 36, 43").notes == (f"the result has no {table}",)
        # Of two conditions each was said to keep all out, and the nearest to be nan km away.
        both = questions.select(bare, table, within="1km of 36, 43", force="federal")
        assert both.notes == (f"the result has no {table}",)


def test_filters_that_do_not_fit_are_refused(result: Analysis) -> None:
    with pytest.raises(InputError, match="incidents cannot be filtered so") as caught:
        questions.select(result, "incidents", min_width="5 km", min_population=3)
    assert caught.value.problems == (
        "--min-width is for stretches, corridors, transects, places",
        "--min-population is for places, stretches, corridors",
    )
    with pytest.raises(InputError, match=r"unknown table 'strecthes'; did you mean 'stretches'\?"):
        questions.select(result, "strecthes")
    for wrong, said in (
        ({"since": "01/02/2021"}, "not a day"),
        ({"since": "2021-02-30"}, "not a day"),
        ({"since": "2021-02-03", "until": "2021-02-02"}, "is before"),
        ({"within": "Makhmur"}, "does not say how near"),
        ({"within": "5 miles of Makhmur"}, "unit 'miles'"),
        ({"within": "5km of Nowhere"}, "none of the 80 places"),
        ({"within": "5km of 136, 43"}, "latitude 136"),
        ({"in_area": "Atlantis"}, "neither a file nor a boundary"),
        ({"in_area": "missing.geojson"}, "missing.geojson"),
    ):
        with pytest.raises(InputError, match=said):
            questions.select(result, "incidents", **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is not a length"):
        questions.select(result, "stretches", min_width="wide")
    for option in ("force", "kind", "sort", "columns"):  # as from a script whose variable is not set
        with pytest.raises(InputError, match=f"--{option} is empty"):
            questions.select(result, "stretches", **{option: [""]})  # type: ignore[arg-type]
        with pytest.raises(InputError, match=f"--{option} is empty"):
            questions.select(result, "stretches", **{option: ""})  # type: ignore[arg-type]


def test_a_boundary_that_nobody_could_spell_is_found_in_the_message() -> None:
    whole = scene()
    content = {name: whole.table(name) for name in tables.COLUMNS}
    first = content["boundaries"].iloc[[0] * 20]
    names = [f"Province {number:02d}" for number in range(20)]
    content["boundaries"] = first.assign(name=names).set_axis([f"X{number:02d}" for number in range(20)])
    result = Analysis({name: storage.settle(table, name) for name, table in content.items()})
    with pytest.raises(InputError) as caught:
        questions.select(result, "places", in_area="Atlantis")
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize("evil", ["x' OR '1'='1", "'; DROP TABLE incidents; --", 'a"b', "a\0b", "%", "x')) --"])
def test_no_text_is_taken_for_sql(result: Analysis, evil: str) -> None:
    assert questions.select(result, "incidents", kind=evil).matched == 0
    with pytest.raises(InputError):
        questions.place(result, evil)
    with pytest.raises(InputError):
        questions.select(result, "incidents", in_area=evil)
    assert questions.select(result, "incidents").matched == 600


def test_counts_give_no_rows(tmp_path: Path) -> None:
    memory = scene(share="counts")
    for result in (memory, gapmap.open(memory.save(tmp_path / "gaps.gpkg"))):
        with pytest.raises(InputError, match="shares incidents as counts only"):
            questions.select(result, "incidents", limit=1)
        rows = questions.select(result, "stretches", kind="IED").rows
        assert rows["incidents_matching"].sum() > 0
        assert not {"last_incident", "deaths_best", "location_radius_median_m"} & set(rows)
        with pytest.raises(InputError, match="unknown column 'last_incident'"):
            questions.select(result, "stretches", columns="last_incident")
        assert questions.at(result, degrees(0, 0)).incidents["within_20_km"].sum() > 0


def test_at(result: Analysis, memory: Analysis) -> None:
    for x, y in ((-45_000, 2_000), (20, 20), (30_000, 22_000), (-27_000, 23_000), (68_000, 0), (200_000, 0)):
        point = degrees(x, y)
        card = questions.at(result, point, radii_m=(2_000, 30_000, 9_500))
        assert repr(card.here) == repr(memory.at(point))  # NaN differs from NaN, but is written the same
        spot = gpd.GeoSeries([point], crs=4326).to_crs(LAEA).iloc[0]
        distance = memory.incidents.distance(spot).round(3)
        assert list(card.incidents.columns) == ["within_2_km", "within_9.5_km", "within_30_km"]
        for reach_m, name in ((2_000, "within_2_km"), (9_500, "within_9.5_km"), (30_000, "within_30_km")):
            years = memory.incidents["date_from"][distance <= reach_m].dt.year.value_counts()
            assert card.incidents[name][card.incidents[name] > 0].to_dict() == years.to_dict()
        assert (
            list(card.incidents.index) == list(range(*card.incidents.index[[0, -1]] + [0, 1]))
            if len(card.incidents)
            else (distance > 30_000).all()
        )
        away = memory.places.distance(spot).round(3).nsmallest(3)
        assert list(card.places.index) == list(away.index)
        assert card.places["distance_m"].tolist() == away.tolist()
        geod = pyproj.Geod(ellps="WGS84")
        there = memory.places.loc[away.index].to_crs(4326).geometry
        towards = [geod.inv(point.x, point.y, each.x, each.y)[0] % 360 for each in there]
        apart = (away > 1).to_numpy()  # on the spot there is no direction
        assert card.places["bearing_deg"][apart].tolist() == pytest.approx(np.array(towards)[apart], abs=1e-3)


def test_at_by_text_name_and_place(result: Analysis, memory: Analysis) -> None:
    card = questions.place(result, "مخمور")
    by_name = questions.at(result, "Makhmur")
    row = memory.places.loc["P078"]
    assert card.place == {"place_id": "P078", "name": "Makhmur", "names": ["مخمور"], "population": pytest.approx(row["population"], nan_ok=True)} or np.isnan(row["population"])  # fmt: skip
    assert card.here == by_name.here or card.here.stretch_id == by_name.here.stretch_id
    assert (card.here.ground, card.here.stretch_id) == (row["ground"], row["stretch_id"])
    assert card.here.width_here_m == pytest.approx(row["width_here_m"], abs=1e-9)
    assert "P078" not in card.places.index
    assert by_name.places.index[0] == "P078"
    assert by_name.places["distance_m"].iloc[0] == 0
    near = questions.at(result, text(degrees(SPOT.x, SPOT.y)))
    assert near.here.width_here_m == pytest.approx(card.here.width_here_m, abs=0.01)
    assert card.incidents.equals(near.incidents)
    taken = questions.place(result, "Makhmour")
    assert taken.notes == ("'Makhmour' is taken for Makhmur (P078)",)


def test_a_place_that_is_not_sure_is_asked_for(result: Analysis) -> None:
    with pytest.raises(InputError, match="'Village' may be one of these places") as caught:
        questions.place(result, "Village")
    assert len(caught.value.problems) == 8
    assert caught.value.problems[0].startswith("P000  Village 00, 36.")
    for nowhere in ("Atlantis", "", "   "):
        with pytest.raises(InputError, match="none of the 80 places"):
            questions.place(result, nowhere)
    base = scene()
    content = {name: base.table(name) for name in tables.COLUMNS}
    with pytest.raises(InputError, match="no places are known here"):
        questions.place(Analysis({**content, "places": content["places"].iloc[:0]}), "Atlantis")
    with pytest.raises(InputError, match="is not a point"):
        questions.at(result, "12 34 56 78 90")
    with pytest.raises(InputError, match="is not a point"):
        questions.at(result, shapely.Point())


@pytest.mark.parametrize("far", ["-36.2, -136.7", "43.3, 36.2", "-30, 20"])
def test_a_point_too_far_away_is_refused(result: Analysis, far: str) -> None:
    with pytest.raises(InputError, match="too far from this result") as caught:
        questions.at(result, far)
    assert "swapped" in caught.value.hint
    assert questions.at(result, "38.5, 43.3").here.ground == ""  # outside, but measured


def test_mgrs_is_read_in_the_zone_of_the_scenario_and_a_coarse_square_is_said() -> None:
    base = scene()
    with pytest.raises(InputError, match="without its zone"):
        questions.at(base, "LF017 082")
    run = base.table("run").assign(parameters=json.dumps({"mgrs_zone": ["38S"]}))
    zoned = Analysis({name: run if name == "run" else base.table(name) for name in tables.COLUMNS})
    short, whole = questions.at(zoned, "LF 017 082"), questions.at(zoned, "38SLF017082")
    assert (short.here.lat, short.here.lon) == (whole.here.lat, whole.here.lon)
    assert whole.notes == ()
    assert questions.at(zoned, "LF 0 0").notes == ("the reference names a square of 10 km; this is its middle",)


def test_a_radius_is_more_than_nothing(result: Analysis) -> None:
    for radii in ((0,), (-5,), (), (float("inf"),)):
        with pytest.raises(InputError, match="a radius must be more than 0"):
            questions.at(result, degrees(0, 0), radii_m=radii)


def test_a_card_is_plain_values_and_a_row(result: Analysis, memory: Analysis) -> None:
    card = questions.place(result, "Makhmur")
    plain = json.loads(json.dumps(card.to_dict(), allow_nan=False))
    assert plain["place"]["name"] == "Makhmur"
    assert plain["width_here_m"] == pytest.approx(memory.places.loc["P078", "width_here_m"], abs=1e-6)
    assert plain["incidents_total"] == card.incidents.sum().to_dict()
    assert [each["year"] for each in plain["incidents_by_year"]] == list(card.incidents.index)
    assert [each["place_id"] for each in plain["nearest_places"]] == list(card.places.index)
    assert [each["zone_id"] for each in plain["nearest_zones"]] == ["federal-001", "regional-001"]
    row = card.to_table().iloc[0]
    assert (row["place_id"], row["nearest_zone_federal"]) == ("P078", "federal-001")
    assert row["distance_federal_m"] == pytest.approx(15_000, abs=0.01)
    assert row["incidents_within_10_km"] == card.incidents["within_10_km"].sum()
    outside = questions.at(result, "38.5, 43.3").to_dict()
    assert outside["width_here_m"] is None
    assert outside["incidents_by_year"] == []
