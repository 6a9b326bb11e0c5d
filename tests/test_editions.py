"""What may leave the room, and attacks on it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import gapmap
from gapmap import tables
from gapmap.editions import GRID_CRS, Edition, cell_box, check, edition
from gapmap.errors import EditionError, InputError, ResultError
from gapmap.readers.files import checksum
from tests.circles import Scene, fitted, hits, scene, through_pairs
from tests.fake_analysis import FakeAnalysis, fake_analysis
from tests.sentinels import INCIDENT_FILE, KIND, NORTH, NORTH_FILE, NOTE, SOUTH, SOUTH_FILE, sentinel_result

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gapmap import Analysis

GRID = [("partner", "north"), ("partner", "south"), ("public", None)]


def everything(made: Edition) -> str:
    """Return all that an edition holds, as text."""
    parts = [made.mark, made.recipe]
    for name, table in made.tables.items():
        parts += [name, pd.DataFrame(table).reset_index().to_csv()]
    return "\n".join(parts)


# ---- What each edition holds


def test_the_full_edition_is_the_analysis(result: Analysis) -> None:
    made = edition(result, "full")
    for name in tables.COLUMNS:
        if name != "run":
            assert made.table(name).equals(result.table(name)), name
    assert made.table("run")["edition"].tolist() == ["full"]
    assert (made.name, made.force, made.stem) == ("full", "", "full")


def test_a_partner_edition_holds_own_zones_and_all_cover(result: Analysis) -> None:
    made = edition(result, "partner", force="north")
    assert made.stem == "partner-north"
    zones = result.table("zones")
    assert made.table("zones").equals(zones[zones["force"] == "north"])
    for name in ("cover", "ground", "facets", "centrelines"):
        assert made.table(name).equals(result.table(name)), name
    assert "Northern force" in made.mark
    assert "Not to be passed on" in made.mark


@pytest.mark.parametrize(("force", "own", "foreign"), [("north", "a", "b"), ("south", "b", "a")])
def test_a_partner_edition_says_what_faces_it_and_not_what_it_faces(
    result: Analysis, force: str, own: str, foreign: str
) -> None:
    made = edition(result, "partner", force=force)
    for name in ("corridors", "stretches", "transects"):
        table, whole = made.table(name), result.table(name)
        assert len(table) == len(whole) > 0
        assert table[f"facing_{own}"].equals(whole[f"facing_{own}"])
        assert (whole[f"facing_{foreign}"] != "").any()
        assert (table[f"facing_{foreign}"] == "").all()
    other = {"north": "south", "south": "north"}[force]
    assert f"nearest_zone_{force}" in made.table("places")
    assert f"nearest_zone_{other}" not in made.table("places")
    assert f"distance_{other}_m" in made.table("places")  # to its declared cover


def test_a_partner_edition_names_own_files_and_reach_alone(result: Analysis) -> None:
    made = edition(result, "partner", force="south")
    run = made.table("run").iloc[0]
    assert SOUTH_FILE in run["inputs"]
    assert NORTH_FILE not in run["inputs"] + run["parameters"]
    assert "4.321 km" in run["parameters"]
    assert "4.321 km" not in edition(result, "partner", force="north").table("run").iloc[0]["parameters"]
    assert "Northern force" in run["parameters"]
    sources = set(made.table("set_aside")["source"])
    assert sources == {SOUTH_FILE, INCIDENT_FILE}


def test_what_somebody_wrote_beside_a_result_stays(result: Analysis) -> None:
    """As a column that was added in QGIS, to any table."""
    whole = {name: result.table(name).assign(remarks="seen at hill 402") for name in tables.COLUMNS}
    analysis = FakeAnalysis(whole, result.crs)
    for name, force in GRID:
        assert "hill 402" not in everything(edition(analysis, name, force=force))
    assert "hill 402" in everything(edition(analysis, "full"))


def test_a_list_of_several_forces_says_nothing_of_the_others(tmp_path: Path) -> None:
    """Neither how many they are nor how they are called, also not by the row numbers; one of them is set aside."""
    rows = [f"{NORTH[0]} {k},{43 + k * 0.08:.2f},36.25,North,\n" for k in range(5)]
    rows += [f"{SOUTH[0]} {k},{43 + k * 0.08:.2f},36.0,South,\n" for k in range(7)]
    rows += [f"{NORTH[1]},43,36.25,North,2020-01-01\n", f"{SOUTH[1]},43,36.9,Xqthird,\n"]
    (tmp_path / "all.csv").write_text("name,lon,lat,force,valid_to\n" + "".join(rows), encoding="utf-8")
    forces = (
        f'[forces.{each}]\nzones = "all.csv"\nreach = "5 km"\nonly = {{ force = "{each}" }}'
        for each in ("north", "south")
    )
    (tmp_path / "s.toml").write_text("\n".join(("date = 2021-06-01", *forces)), encoding="utf-8")
    analysis = gapmap.run(tmp_path / "s.toml")
    assert analysis.set_aside["source_row"].tolist() == [13, 14]
    for force, count, others in (("north", 5, SOUTH), ("south", 7, NORTH)):
        made = edition(analysis, "partner", force=force)
        assert len(made.table("zones")) == count
        assert made.table("zones")["source_row"].tolist() == [0] * count
        text = everything(made)
        assert [
            word for word in (*others, "Xqthird", '"rows": 14', checksum(tmp_path / "all.csv")) if word in text
        ] == []
        assert "all.csv" in text
        zones = analysis.table("zones")
        told = replace(made, tables={**made.tables, "zones": zones[zones["force"] == force]})
        with pytest.raises(EditionError, match="zones: row numbers in files of other forces"):
            check(told, analysis)
        told = _with(made, "run", made.table("run").assign(inputs=analysis.table("run")["inputs"]))
        with pytest.raises(EditionError, match="run: checksums of files of other forces"):
            check(told, analysis)
    assert "Xq" not in everything(edition(analysis, "public"))


@pytest.mark.parametrize("force", ["north", "south"])
def test_rows_set_aside_are_numbered_without_those_that_stay(result: Analysis, force: str) -> None:
    """Else the gaps count the others' rows; the whole result has one of each force and one of the incidents."""
    assert result.table("set_aside").index.tolist() == ["S00001", "S00002", "S00003"]
    aside = edition(result, "partner", force=force).table("set_aside")
    assert aside.index.tolist() == ["S00001", "S00002"]
    assert aside.index.name == result.table("set_aside").index.name


def test_a_file_name_that_two_forces_use_says_nothing_of_whose_rows_were_set_aside() -> None:
    run = '{"forces": {"a": {"zones": "zones.csv"}, "b": {"zones": ["zones.csv", "more.csv"]}}}'
    inputs = '[{"role": "zones", "name": "zones.csv", "rows": 1}, {"role": "zones", "name": "zones.csv", "rows": 2}]'
    aside = tables.conform(pd.DataFrame({"source": ["zones.csv"], "reason": ["x"]}, index=["S1"]), "set_aside")
    analysis = fake_analysis().with_values("run", parameters=run, inputs=inputs).with_table("set_aside", aside)
    analysis = analysis.with_table("cover", analysis.table("cover").set_axis(["a", "b"]).rename_axis("force"))
    made = edition(analysis, "partner", force="b")
    assert made.table("set_aside").empty
    assert [each["rows"] for each in json.loads(made.table("run").iloc[0]["inputs"])] == [2]


def test_the_public_edition_holds_a_grid_and_nothing_else(result: Analysis) -> None:
    made = edition(result, "public")
    assert sorted(made.tables) == ["grid", "grid_incidents", "run"]
    run = made.table("run").iloc[0]
    assert (run["parameters"], run["inputs"], run["edition"]) == ("{}", "[]", "public")
    assert run["title"] == "The seam"
    assert made.table("zones").empty
    assert made.table("cover").empty


def test_public_figures_are_those_of_a_plain_computation(result: Analysis) -> None:
    """Box by box, in the working CRS, which is of equal area."""
    made = edition(result, "public")
    ground = result.table("ground")
    gap = ground[ground["kind"].isin(["corridor", "beyond"])].union_all()
    to_metres = pyproj.Transformer.from_crs(GRID_CRS, result.crs, always_xy=True)
    seen = 0
    for column in range(405, 425):
        for row in range(425, 445):
            cell = f"E{column:04d}N{row:04d}"
            x, y = np.array([column - 1, column + 2]) * 1e4, np.array([row - 1, row + 2]) * 1e4
            window = shapely.transform(
                shapely.segmentize(shapely.box(x[0], y[0], x[1], y[1]), 1_000),
                lambda xy: np.column_stack(to_metres.transform(*xy.T)),
            )
            km2 = gap.intersection(window).area / 1e6
            if min(abs(km2 - edge) for edge in (135, 450)) < 0.5:
                continue
            low = 450.0 if km2 >= 450 else 135.0 if km2 >= 135 else None
            assert (made.table("grid")["gap_from_km2"].get(cell)) == low, cell
            seen += low is not None
    assert seen == len(made.table("grid")) > 10


def test_cells_are_boxes_of_a_hundred_square_kilometres_wherever_they_lie() -> None:
    geod = pyproj.Geod(ellps="WGS84")
    for cell in ("E0416N0435", "W0100S0300", "E0000N0000", "E1000N0600"):
        box = cell_box(cell)
        area, _ = geod.geometry_area_perimeter(shapely.segmentize(box, 0.001))
        assert abs(abs(area) / 1e6 - 100) < 0.01, cell
        assert box.equals(shapely.box(*box.bounds))
    with pytest.raises(ValueError, match="names no cell"):
        cell_box("38SLE71")


def test_incidents_leave_by_cell_and_whole_year_from_three_on(result: Analysis) -> None:
    """Twelve in 2019, seven in 2020: published. Two elsewhere in 2020: withheld. 2021 has not ended."""
    found = edition(result, "public").table("grid_incidents")
    assert sorted(zip(found["year"], found["incidents"], strict=True)) == [(2019, 12), (2020, 7)]
    spot = shapely.Point(43.25, 36.12)
    assert all(shape.contains(spot) for shape in found.geometry)


@pytest.mark.parametrize(
    ("settings", "years"),
    [
        ({"date": "2021-03-31"}, [2019]),  # 2020 ended 89 days before
        ({"date": "2021-04-01"}, [2019, 2020]),  # 90 days
        ({"since": "2019-01-02"}, [2020]),  # 2019 is not whole
        ({"since": "2018-06-01"}, [2019, 2020]),
        ({"date": "2022-05-01"}, [2019, 2020, 2021]),
    ],
)
def test_only_whole_years_leave_that_ended_long_enough_ago(
    settings: dict[str, str], years: list[int], tmp_path: Path
) -> None:
    found = edition(sentinel_result(tmp_path, **settings), "public").table("grid_incidents")
    assert sorted(found["year"]) == years


def test_without_a_date_no_incident_is_public() -> None:
    analysis = fake_analysis().with_values("run", date=pd.NaT)
    made = edition(analysis, "public")
    assert len(made.table("grid")) > 0
    assert made.table("grid_incidents").empty
    assert "no date" in made.recipe


def test_an_empty_result_gives_empty_editions() -> None:
    whole = fake_analysis()
    bare = FakeAnalysis({name: whole.table(name) for name in ("run", "cover")}, whole.crs)
    assert edition(bare, "public").table("grid").empty
    assert edition(bare, "partner", force="federal").table("zones").empty


def test_an_edition_is_asked_for_by_name(result: Analysis) -> None:
    with pytest.raises(InputError, match=r"unknown edition 'open'.*full, partner, public"):
        edition(result, "open")
    with pytest.raises(InputError, match="made for one force"):
        edition(result, "partner")
    with pytest.raises(InputError, match="unknown force 'nroth'; did you mean 'north'"):
        edition(result, "partner", force="nroth")
    with pytest.raises(InputError, match="the same for all"):
        edition(result, "public", force="north")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "a\x00b", "a b", ""])
def test_a_force_with_an_impossible_name_is_refused(name: str) -> None:
    analysis = fake_analysis()
    cover = analysis.table("cover").set_axis([name, "regional"]).rename_axis("force")
    with pytest.raises(ResultError, match="has a force called"):
        edition(analysis.with_table("cover", cover), "partner", force=name)


def test_an_edition_cannot_be_widened_again(result: Analysis) -> None:
    partner = edition(result, "partner", force="north")
    again = edition(partner, "partner", force="north")
    assert everything(again) == everything(partner)
    assert everything(edition(partner, "public")) == everything(edition(result, "public"))
    for name, force in (("full", None), ("partner", "south")):
        with pytest.raises(InputError, match="is itself a partner north edition") as caught:
            edition(partner, name, force=force)
        assert caught.value.hint == "--edition partner --force north, --edition public, or name the result it is from"


# ---- Attacks


@pytest.mark.parametrize(("name", "force"), GRID)
def test_words_of_withheld_zones_are_nowhere(result: Analysis, name: str, force: str | None) -> None:
    text = everything(edition(result, name, force=force)).casefold()
    own = {"north": NORTH, "south": SOUTH}.get(force or "", ())
    for word in (*NORTH, *SOUTH, NORTH_FILE, SOUTH_FILE):
        mine = word in own or (force or "-") in word.casefold()
        assert (word.casefold() in text) == mine, word
    assert NOTE.casefold() not in text
    foreign = {"north": "south-0", "south": "north-0"}.get(force or "")
    for zone in [foreign] if foreign else ["north-0", "south-0"]:
        assert zone not in text
    assert NOTE.casefold() in everything(edition(result, "full")).casefold()


@pytest.mark.parametrize(("name", "force"), [("full", None), *GRID])
def test_rows_shared_as_counts_are_in_no_edition(counts: Analysis, name: str, force: str | None) -> None:
    made = edition(counts, name, force=force)
    text = everything(made)
    for row in ("Q001", "Q999", NOTE, KIND, "2019-13-45", "2021-06-11", "2020-02-11"):
        assert row not in text, row
    assert INCIDENT_FILE not in set(made.table("set_aside")["source"])
    for table in (made.table("corridors"), made.table("stretches")):
        for column in ("deaths_best", "last_incident", "location_radius_median_m"):
            assert table[column].isna().all()
    if name != "public":
        assert made.table("corridors")["incidents_count"].sum() == 30
    else:
        assert made.table("grid_incidents")["incidents"].tolist() == [12, 7]


def test_withheld_counts_cannot_be_had_by_taking_editions_from_each_other(tmp_path: Path) -> None:
    """Over days, first days, covers and limits: a cell and year has one figure wherever it is published, and no sums are."""
    published: dict[str, set[int]] = {}
    made = []
    for number, settings in enumerate(
        [
            {},
            {"date": "2021-04-02"},
            {"date": "2022-04-01"},
            {"since": "2019-03-01"},
            {"since": "2018-01-01"},
            {"date": "2021-05-31"},
            {"max_width": "12 km"},
            {"max_width": "30 km"},
            # Borders through the cell that holds all of them, and on either side of the two that are withheld.
            {"area": "42.8 43.2501"},
            {"area": "43.2501 43.45005"},
            {"area": "43.45005 43.8"},
        ]
    ):
        found = sentinel_result(tmp_path / str(number), **settings)
        made.append(edition(found, "public"))
        counts = made[-1].table("grid_incidents")
        for key, count in counts["incidents"].items():
            published.setdefault(key, set()).add(count)
    assert all(len(counts) == 1 for counts in published.values())
    assert min(min(counts) for counts in published.values()) >= 3
    # The one withheld cell and year, of 2 incidents, and all sums it could be taken from.
    for each in made:
        figures = {int(value) for value in each.table("grid_incidents")["incidents"]}
        assert figures <= {12, 7, 9}
        assert not {"incidents_count", "incidents"} & set(each.table("run"))


def test_the_grid_lies_the_same_whatever_the_scenario(tmp_path: Path) -> None:
    one = edition(sentinel_result(tmp_path / "one"), "public").table("grid")
    shapes = {shape.wkt for shape in one.geometry}
    two = edition(fake_analysis(), "public").table("grid")
    for cell, shape in [*one.geometry.items(), *two.geometry.items()]:
        assert shape.equals(cell_box(str(cell)))
    assert len(shapes) == len(one)


def _analysis(each: Scene) -> FakeAnalysis:
    whole = {"ground": each.ground, "cover": tables.conform(each.cover, "cover"), "run": fake_analysis().table("run")}
    return FakeAnalysis(whole, each.cover.crs)


def _published(each: Scene, seed: int, *, own: bool) -> tuple[Any, ...]:
    """Return the scene's points in the grid's CRS, and what an attacker would fit to: classes, or each cell's own tenths."""
    grid = edition(_analysis(each), "public").table("grid")
    at = np.array([[int(cell[1:5]), int(cell[6:])] for cell in grid.index])
    first = at.min(axis=0) - 3
    number = np.zeros(at.max(axis=0) + 4 - first, dtype=int)
    number[tuple((at - first).T)] = np.where(grid["gap_from_km2"] == 135, 1, 2)
    edges: list[float] = [135 / 900, 450 / 900]
    if own:
        gap = each.ground[each.ground["kind"].isin(["corridor", "beyond"])].to_crs(GRID_CRS).union_all()
        corners = np.indices(number.shape).reshape(2, -1).T + first
        boxes = shapely.box(*(corners * 1e4).T, *((corners + 1) * 1e4).T)
        edges = [k / 10 for k in range(1, 10)]
        number = np.searchsorted(edges, shapely.area(shapely.intersection(boxes, gap)) / 1e8).reshape(number.shape)

    def around(share: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(share, 1)
        columns, rows = share.shape
        return np.asarray(sum(padded[i : i + columns, j : j + rows] for i in range(3) for j in range(3))) / 9

    to_grid = pyproj.Transformer.from_crs(each.cover.crs, GRID_CRS, always_xy=True)
    points = {
        name: np.column_stack(to_grid.transform(*getattr(each, name).T)) for name in ("line", "lone", "between", "gap")
    }
    posts = len(each.line) + len(each.lone)
    guesses = fitted(number, first * 1e4, (lambda share: share) if own else around, edges, count=posts, seed=seed)
    return points, guesses


def test_circles_fitted_to_the_public_grid_find_posts_no_better_than_chance() -> None:
    rates = []
    for seed in range(10):
        points, guesses = _published(scene(seed), seed, own=False)
        rates.append([hits(guesses, points[name]).mean() for name in ("line", "between", "lone", "gap")])
    line, between, lone, gap = np.array(rates).T
    for found, chance in ((line, between), (lone, gap)):
        better = found - chance
        assert better.mean() <= 2 * better.std(ddof=1) / np.sqrt(len(better))


def test_lone_posts_hardly_show_in_the_public_grid() -> None:
    """With and without three posts that stand alone between the lines, at most one cell in twenty differs."""
    for seed in range(4):
        with_posts, without = (
            edition(_analysis(scene(seed, lone_posts=lone)), "public").table("grid")["gap_from_km2"]
            for lone in (True, False)
        )
        both = pd.concat([with_posts, without], axis=1).fillna(0.0)
        assert len(both) > 40
        assert (both.iloc[:, 0] != both.iloc[:, 1]).sum() <= len(both) / 20


def test_the_attack_has_teeth() -> None:
    """Each cell's own gap in tenths, which is not published, gives lone posts away; outlines give all posts away."""
    lone: list[bool] = []
    anywhere: list[bool] = []
    for seed in range(4):
        points, guesses = _published(scene(seed), seed, own=True)
        lone += hits(guesses, points["lone"]).tolist()
        anywhere += hits(guesses, points["gap"]).tolist()
    assert np.mean(lone) > 1.5 * np.mean(anywhere)
    each = scene(0)
    vertices = shapely.get_coordinates(each.cover.geometry.to_numpy()[:1])[::8]
    guesses = through_pairs(vertices, 200)
    north = each.line[: len(each.line) // 2]
    assert (np.hypot(*(guesses[:, None] - north[None]).transpose(2, 0, 1)).min(axis=0) < 500).mean() > 0.9


def test_circles_through_corners_of_cells_find_no_posts() -> None:
    each = scene(3)
    grid = edition(_analysis(each), "public").table("grid").to_crs(each.cover.crs)
    vertices = shapely.get_coordinates(grid.geometry.to_numpy())
    posts = np.vstack([each.line, each.lone])
    guesses = through_pairs(vertices, len(posts))
    random = np.random.default_rng(5)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    chance = [hits(random.uniform(low, high, (len(posts), 2)), posts).mean() for _ in range(200)]
    # Nine cells lie in a circle wherever it is, so that the corners vote for no place more than another.
    assert hits(guesses, posts).mean() <= np.quantile(chance, 0.95)


# ---- The check


def _with(made: Edition, name: str, table: pd.DataFrame) -> Edition:
    return replace(made, tables={**made.tables, name: table})


def _tampered_partner(made: Edition, result: Analysis) -> dict[str, Edition]:
    places, stretches, incidents = made.table("places"), made.table("stretches"), made.table("incidents")
    run = made.table("run")
    return {
        "zones: rows of other forces": _with(made, "zones", result.table("zones")),
        "facing_b names zones": _with(made, "stretches", result.table("stretches")),
        "nearest_zone_south names zones": _with(made, "places", places.assign(nearest_zone_south="south-001")),
        "ground: remarks, a column": _with(made, "ground", made.table("ground").assign(remarks="seen at hill 402")),
        "incidents: notes": _with(made, "incidents", incidents.assign(note="near the post")),
        "run: parameters of south": _with(made, "run", result.table("run")),
        "set_aside: rows of other forces' files": _with(made, "set_aside", result.table("set_aside")),
        "run: title names 'Xqsouthpost 3'": _with(
            made, "run", run.assign(title="Around xqsouthpost 3".replace("x", "X"))
        ),
        "stretches: name names 'south-001'": _with(made, "stretches", stretches.assign(name="at south-001, east")),
    }


def test_a_partner_edition_that_says_too_much_is_refused(result: Analysis) -> None:
    made = edition(result, "partner", force="north")
    check(made, result)
    for problem, tampered in _tampered_partner(made, result).items():
        with pytest.raises(EditionError) as error:
            check(tampered, result)
        assert any(problem in each for each in error.value.problems), problem


def test_a_public_edition_that_says_too_much_is_refused(result: Analysis) -> None:
    made = edition(result, "public")
    grid, counts, run = made.table("grid"), made.table("grid_incidents"), made.table("run")
    moved = grid.set_geometry(grid.geometry.translate(0.001))
    few = counts.assign(incidents=[2, 12])
    young = counts.assign(year=[2021, 2019])
    elsewhere = counts.assign(cell_id="E0001N0001").set_geometry([cell_box("E0001N0001")] * 2)
    for problem, tampered in {
        "a shape that is no cell": _with(made, "grid", moved),
        "figures that are no class": _with(made, "grid", grid.assign(gap_from_km2=137.2)),
        "columns gap_from_km2, gap_to_km2, geometry, force": _with(made, "grid", grid.assign(force="north")),
        "counts under 3": _with(made, "grid_incidents", few),
        "of years too young": _with(made, "grid_incidents", young),
        "cells that are not shown": _with(made, "grid_incidents", elsewhere),
        "tables: ": _with(made, "cover", result.table("cover")),
        "parameters, inputs or working CRS": _with(made, "run", run.assign(crs=result.table("run")["crs"].to_numpy())),
        "run: title names": _with(made, "run", run.assign(title="Xqnorthroute and more")),
        "run: notice names 'north-002'": _with(made, "run", run.assign(notice="as north-002")),
    }.items():
        with pytest.raises(EditionError) as error:
            check(tampered, result)
        assert any(problem in each for each in error.value.problems), problem


def test_a_full_edition_with_rows_shared_as_counts_is_refused(counts: Analysis) -> None:
    made = edition(counts, "full")
    for problem, name in {
        "incidents: rows": "incidents",
        "set_aside: rows of incidents.csv": "set_aside",
        "stretches: last_incident shows single incidents": "stretches",
    }.items():
        with pytest.raises(EditionError) as error:
            check(_with(made, name, counts.table(name)), counts)
        assert any(problem in each for each in error.value.problems), problem


def test_a_title_that_names_a_zone_stops_the_edition(tmp_path: Path) -> None:
    named = sentinel_result(tmp_path, title="Xqsouthpost 2 and its neighbours")
    with pytest.raises(EditionError, match="not written"):
        edition(named, "partner", force="north")
    with pytest.raises(EditionError, match="run: title names 'Xqsouthpost 2'"):
        edition(named, "public")
    assert edition(named, "partner", force="south").force == "south"


@pytest.mark.parametrize(
    "written",
    [
        "XQSOUTHPOST 3",
        "xqsouthpost_3",
        "Xqsouthpost-3",
        "Xqsouthpost  3",
        "Xqso\u0301uthpost 3",
        "Xqsouth\u200cpost 3",
        "Xqs\uff4futhpost 3",
    ],
)
def test_a_name_is_found_however_it_is_written(result: Analysis, written: str) -> None:
    made = edition(result, "public")
    titled = _with(made, "run", made.table("run").assign(title=f"around_{written}, and east of it"))
    with pytest.raises(EditionError, match="run: title names 'Xqsouthpost 3'") as caught:
        check(titled, result)
    assert "write it without" in caught.value.hint
    check(_with(made, "run", made.table("run").assign(title="around Xqsouthpost 33")), result)


@pytest.mark.parametrize(
    ("name", "title", "caught"),
    [
        ("تل كيف", "خط تل‌کێف", True),  # Kurdish letters, and a joiner that parts no words
        ("قرية ٣", "عند قريه 3", True),
        ("إمام غربي", "بين امام غربى ومخمور", True),
        ("مخمور", "الكوير ومَخمُـور", True),  # "and", written into one with it; vowel signs; drawn out
        ("مخمور", "مخمورة", False),  # another word
        ("Tall 'Âfar", "Tallafar and east of it", True),
        ("Ali", "quality of the line", False),  # a part of a word
        ("كر", "كر", False),  # too short to be sought
    ],
)
def test_a_name_is_found_in_another_spelling(result: Analysis, name: str, title: str, caught: bool) -> None:
    zones = result.table("zones")
    held = {each: result.table(each) for each in tables.COLUMNS}
    held["zones"] = zones.assign(name=zones["name"].where(zones["force"] == "north", name))
    held["run"] = held["run"].assign(title=title)
    analysis = FakeAnalysis(held, result.crs)
    for asked in ("public", "partner"):
        force = "north" if asked == "partner" else None
        if caught:
            with pytest.raises(EditionError, match=f"run: title names {name!r}"):
                edition(analysis, asked, force=force)
        else:
            assert edition(analysis, asked, force=force).name == asked


def test_the_kind_of_an_incident_names_no_zone(result: Analysis) -> None:
    made = edition(result, "partner", force="north")
    told = made.table("incidents").assign(kind="attack on Xqsouthpost 3")
    where = rf"{INCIDENT_FILE}, row 1 and {len(told) - 1} more"
    with pytest.raises(EditionError, match=f"incidents: kind names 'Xqsouthpost 3', a zone .*: {where}\n"):
        check(_with(made, "incidents", told), result)
    told["kind"] = told["kind"].where(told["source_row"] == 3, KIND)
    with pytest.raises(EditionError, match=f"withheld: {INCIDENT_FILE}, row 3\n"):
        check(_with(made, "incidents", told), result)


def test_neither_its_id_nor_what_is_said_of_its_day(result: Analysis) -> None:
    made = edition(result, "partner", force="north")
    told = made.table("incidents")
    row = told["source_row"].iloc[1]
    named = told.rename(index={told.index[1]: "xqsouthpost3-77"})
    with pytest.raises(EditionError, match=f"incidents: id names 'Xqsouthpost 3', .*: {INCIDENT_FILE}, row {row}\n"):
        check(_with(made, "incidents", named), result)
    # A log may number its incidents by force, as gapmap numbers zones.
    check(_with(made, "incidents", told.rename(index={told.index[1]: "south-001"})), result)
    with pytest.raises(EditionError, match="incidents: date_precision names 'Xqsouthpost 3'"):
        check(_with(made, "incidents", told.assign(date_precision="the day Xqsouthpost 3 fell")), result)


def test_a_zone_called_by_a_word_that_gapmap_writes_stops_no_edition(result: Analysis) -> None:
    """As zones are that somebody drew and gave no name, or a number."""
    words = [
        "Area",
        "post",
        "East",
        "Open",
        "Unknown",
        "Corridor",
        "Incidents",
        "file",
        "001",
        "5 km",
        "near",
        "Points",
    ]
    zones = result.table("zones")
    named = zones.assign(name=[*words, *zones["name"].tolist()[len(words) :]])
    assert set(named["force"][: len(words)]) == {"north", "south"}
    analysis = FakeAnalysis({**{name: result.table(name) for name in tables.COLUMNS}, "zones": named}, result.crs)
    assert edition(analysis, "public").name == "public"
    for force in ("north", "south"):
        assert edition(analysis, "partner", force=force).force == force


def test_names_that_everybody_knows_are_no_secret(result: Analysis) -> None:
    """A post called after the village it stands in does not keep the village's name off the map."""
    zones = result.table("zones")
    named = zones.assign(name=["Gwer", "north", "7", "Northern force", *zones["name"].tolist()[4:]])
    analysis = FakeAnalysis({**{name: result.table(name) for name in tables.COLUMNS}, "zones": named}, result.crs)
    made = edition(analysis, "partner", force="south")
    assert "Gwer" in made.table("places")["name"].tolist()


def test_an_edition_is_not_drawn_across_the_180th_meridian() -> None:
    analysis = fake_analysis()
    ground = gpd.GeoDataFrame(
        {"kind": "corridor", "forces": "", "area_km2": 1.0},
        index=["G1", "G2"],
        geometry=[shapely.box(179.9, 0, 179.99, 0.1), shapely.box(-179.99, 0, -179.9, 0.1)],
        crs=4326,
    ).to_crs(3395)
    with pytest.raises(InputError, match="180th meridian"):
        edition(analysis.with_table("ground", ground), "public")
