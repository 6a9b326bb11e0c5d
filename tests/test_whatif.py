"""What if: changes as text, answers as geometry says, and the same figures as two full runs compared."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
import shapely

import gapmap
from gapmap import cli, tables, whatif
from gapmap.analysis import Analysis
from gapmap.compare import STATES
from gapmap.errors import InputError
from gapmap.scenario import read_scenario
from gapmap.starter import write_example
from gapmap.whatif import WhatIf, what_if

if TYPE_CHECKING:
    from collections.abc import Sequence

DEMO = Path(__file__).parents[1] / "data/nineveh/scenario.toml"
CRS = "+proj=laea +lat_0=36 +lon_0=43 +datum=WGS84"


def write_zones(path: Path, names: Sequence[str], shapes: Sequence[Any], **columns: object) -> None:
    zones = gpd.GeoDataFrame({"name": names, **columns}, geometry=list(shapes), crs=CRS)
    zones.to_crs(4326).to_file(path, driver="GPKG", layer="zones")


@pytest.fixture
def strip(tmp_path: Path) -> Path:
    """Two walls 40 km long and 8 km apart, with a town in the middle of the ground between them."""
    write_zones(tmp_path / "north.gpkg", ["wall"], [shapely.box(-20e3, 4e3, 20e3, 9e3)])
    write_zones(tmp_path / "south.gpkg", ["wall"], [shapely.box(-20e3, -9e3, 20e3, -4e3)])
    (tmp_path / "places.csv").write_text("name,lat,lon\nTown,36,43\n", encoding="utf-8")
    path = tmp_path / "strip.toml"
    path.write_text(
        '[forces.north]\nzones = "north.gpkg"\nreach = { area = "0 km", post = "2 km" }\n'
        '[forces.south]\nzones = "south.gpkg"\nreach = { area = "0 km" }\n[places]\nfile = "places.csv"\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of ``gapmap init`` with an area of interest, ground left out, and its result."""
    folder = tmp_path_factory.mktemp("example")
    write_example(folder / "seam")
    for name, box in (("area", (-30.6, 29.9, -29.8, 30.3)), ("water", (-30.2, 30.05, -30.15, 30.15))):
        frame = gpd.GeoDataFrame(geometry=[shapely.box(*box)], crs=4326)
        frame.to_file(folder / "seam" / f"{name}.geojson", driver="GeoJSON")
    path = folder / "seam/scenario.toml"
    text = path.read_text(encoding="utf-8")
    more = 'area_of_interest = { file = "area.geojson" }\nexcluded = { file = "water.geojson" }\n'
    path.write_text(text.replace("[forces.north]", f"{more}[forces.north]", 1), encoding="utf-8")
    gapmap.run(path).save(folder / "gaps.gpkg")
    return folder


def corner(x: float, y: float) -> str:
    """Return a point of the strip's plane as latitude and longitude in text."""
    spot = gpd.GeoSeries([shapely.Point(x, y)], crs=CRS).to_crs(4326).iloc[0]
    return f"{spot.y:.6f}, {spot.x:.6f}"


def test_a_block_across_a_strip_splits_it(strip: Path) -> None:
    corners = " to ".join(corner(*xy) for xy in ((-2e3, -5e3), (2e3, -5e3), (2e3, 5e3), (-2e3, 5e3)))
    found = what_if(strip, add=[f"area north {corners} 0km"])
    figures = found.changes.figures()
    assert figures["states"]["split"] == 1
    assert figures["lost_to_km2"]["covered"] == pytest.approx(32, rel=2e-3)
    # In the corners between the block and its own force's wall lies ground inside one force.
    inside = figures["lost_to_km2"]["other"]
    assert 0 < inside < 4 * 8
    assert figures["lost_km2"] == pytest.approx(32 + inside, rel=2e-3)
    assert figures["gained_km2"] == pytest.approx(0, abs=0.01)
    assert figures["lost_km"] == pytest.approx(4, abs=0.3)
    assert figures["cover_km2"]["north"]["after"] == pytest.approx(200 + 4 * 9, rel=2e-3)
    (town,) = figures["places"]
    assert (town["kind_before"], town["forces_before"]) == ("corridor", "north + south")
    assert town["width_before_m"] == pytest.approx(8_000, rel=1e-3)
    assert (town["kind_after"], town["forces_after"], town["width_after_m"]) == ("covered", "north", None)


def test_a_post_takes_its_circle_and_narrows_what_is_left(strip: Path) -> None:
    found = what_if(strip, add=[f"post north {corner(0, 0)}"])  # its reach is the scenario's, 2 km
    figures = found.changes.figures()
    assert figures["states"]["narrowed"] == 1
    assert figures["lost_to_km2"]["covered"] == pytest.approx(4 * 3.1416, rel=5e-3)
    # Between the post and its own force lies nobody's gap any more; its spans of 8 km and less say how much at least.
    assert figures["lost_to_km2"]["other"] > 1
    assert figures["lost_km"] == 0
    assert found.asked == ("added: post of north at 36.00000, 43.00000, reach 2 km",)


def test_ground_that_becomes_wider_than_the_limit_is_not_called_better(strip: Path) -> None:
    text = strip.read_text(encoding="utf-8")
    strip.write_text(f'max_width = "6 km"\n{text}', encoding="utf-8")
    wall = " to ".join(corner(*xy) for xy in ((-20e3, 0), (20e3, 0), (20e3, 4.5e3), (-20e3, 4.5e3)))
    closer = what_if(strip, add=[f"area north {wall} 0km"])
    assert closer.changes.figures()["states"]["opened"] == 1
    assert closer.changes.figures()["gained_from_km2"]["beyond"] == pytest.approx(160, rel=5e-3)
    saved = closer.save(strip.parent / "closer")
    back = what_if(saved, remove=["added 1"]).changes.figures()
    assert back["states"]["closed"] == 1
    assert back["lost_to_km2"]["beyond"] == pytest.approx(160, rel=5e-3)
    assert back["lost_km"] == pytest.approx(40, rel=5e-3)
    assert [place["kind_after"] for place in back["places"]] == ["beyond"]


CHANGES: dict[str, dict[str, Any]] = {
    "a post": {"add": ["post north 30.10, -30.25 3km"]},
    "a route and a zone less": {"add": ["route south 30.05, -30.3 to 30.06, -30.1"], "remove": ["north-003"]},
    "all at once": {"add": ["post south 30N 30.4W 6km"], "remove": ["Post N2"], "reach": {"north.post": "4 km"}},
}


@pytest.mark.parametrize("case", CHANGES)
def test_the_answer_is_that_of_two_full_runs_saved_and_compared(case: str, example: Path, tmp_path: Path) -> None:
    found = what_if(example / "seam/scenario.toml", **CHANGES[case])
    gapmap.run(found.save(tmp_path / "changed")).save(tmp_path / "after.gpkg")
    full = gapmap.find_changes(gapmap.open(example / "gaps.gpkg"), gapmap.open(tmp_path / "after.gpkg"))
    answer, expected = found.changes.figures(), full.figures()
    assert any(answer["states"][state] for state in ("narrowed", "widened", "moved", "split", "opened", "closed"))
    for figures in (answer, expected):
        figures["after"].pop("title")
        figures.pop("differences")
    assert answer == expected
    # A result there is gives the same answer.
    base = gapmap.open(example / "gaps.gpkg")
    again = what_if(example / "seam/scenario.toml", **CHANGES[case], base=base).changes.figures()
    again["after"].pop("title")
    differences = again.pop("differences")
    assert again == answer
    assert {each["what"] for each in differences} <= {
        f"forces.north.reach{kind}" for kind in ("", ".post", ".route", ".area")
    }
    assert ("reach" in CHANGES[case]) == bool(differences)


def test_a_post_far_from_all_corridors_changes_none_of_them(example: Path) -> None:
    """It moves the middle of the zones, and with it the plane that a run of its own would choose."""
    found = what_if(example / "seam/scenario.toml", add=["post north 30.2, -31.4 3km"])
    assert found.changes.figures()["states"] == {**dict.fromkeys(STATES, 0), "unchanged": 1}
    assert found.changes.corridors[["gained_km2", "lost_km2"]].to_numpy().tolist() == [[0, 0]]


def test_where_the_plane_does_not_reach_the_change_another_is_taken(strip: Path) -> None:
    """From the middle of a region 1 000 km across, lengths are true to 0.1 % for 570 km."""
    for force, y in (("north", 4e3), ("south", -9e3)):
        ends = [shapely.box(x, y, x + 20e3, y + 5e3) for x in (-500e3, 480e3)]
        write_zones(strip.parent / f"{force}.gpkg", ["west", "east"], ends)
    found = what_if(strip, add=[f"post north {corner(605e3, 6e3)} 2km"])
    cover = found.changes.figures()["cover_km2"]["north"]
    assert cover["after"] - cover["before"] == pytest.approx(12.6, abs=0.5)


def test_the_answer_for_the_demo_is_that_of_two_full_runs(tmp_path: Path) -> None:
    found = what_if(DEMO, add=["post federal 38SLE7503256784 5km"])
    full = gapmap.find_changes(gapmap.run(DEMO), gapmap.run(found.save(tmp_path / "changed")))
    answer, expected = found.changes.figures(), full.figures()
    assert answer["states"]["narrowed"] == 1
    for key in set(answer) - {"after", "differences"}:
        assert answer[key] == expected[key], key


def problems(**options: Any) -> list[str]:  # noqa: ANN401 - those of what_if
    with pytest.raises(InputError) as caught:
        what_if(DEMO, **options)
    assert caught.value.message == "the change cannot be understood"
    return list(caught.value.problems)


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = problems(
        add=["post fedral 36, 43 5km", "post federal 36.99 5km"],
        remove=["fedral-012", "Post F-020"],
        reach={"federal": "8 miles", "locl": "3 km", "local.outpost": "3 km"},
    )
    assert len(said) == 7
    assert (
        said[0]
        == "reach of federal: '8 miles' has the unit 'miles'; accepted: \"5 km\", \"500 m\" or a plain number of metres"
    )
    assert (
        said[1] == "reach of local.outpost: unknown kind 'outpost'; did you mean 'post'? (allowed: area, post, route)"
    )
    assert said[2].startswith("reach of locl: unknown force 'locl'; did you mean 'local'?")
    assert said[3].startswith("add 'post fedral 36, 43 5km': unknown force 'fedral'; did you mean 'federal'?")
    assert said[4].startswith("add 'post federal 36.99 5km': '36.99' is not a point")
    assert said[5] == "remove 'fedral-012': no zone has this id or name; did you mean 'federal-012'?"
    assert said[6].startswith(
        "remove 'Post F-020': no zone has this id or name; did you mean 'Post F-020 (illustrative)'?"
    )


def test_one_text_is_no_list_of_changes() -> None:
    """It would be taken letter by letter."""
    assert problems(add="post federal 36.0, 43.0 5km") == ["add is one text, not a list of them"]
    assert problems(remove="federal-012") == ["remove is one text, not a list of them"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", 'is not "post FORCE POINT'),
        ("post federal", 'is not "post FORCE POINT'),
        ("tower federal 36, 43 5km", "unknown kind 'tower'"),
        ("post federal 36.0, 43.0 5 miles", "has the unit 'miles'"),
        ("post federal 36.0, 43.0 300km", "is outside 0 m to 200 km"),
        ("post federal 36.0, 43.0 -5km", "is not a length of zero or more"),
        ("post federal 36.0, 43.0 0km", "has the reach 0"),
        ("post federal 43.0, 36.0 5km", "km from all that is covered; latitude comes first"),
        ("post federal 36.0, 43.0 to 36.1, 43.1 5km", "has 2 points"),
        ("route federal 36.0, 43.0 5km", "has 1 points"),
        ("area federal 36,43 to 36.1,43.1 to 36,43.1 to 36.1,43", "is no area: Self-intersection"),
    ],
)
def test_a_zone_that_cannot_be_added_is_refused(text: str, what: str) -> None:
    (said,) = problems(add=[text])
    assert said.startswith(f"add {text!r}: ")
    assert what in said


@pytest.mark.parametrize(
    ("point", "lat", "lon"),
    [
        ("36.34, 43.13", 36.34, 43.13),
        ("36.34N 43.13E", 36.34, 43.13),
        ("36.34 43.13", 36.34, 43.13),
        ("36\u00b020'24\"N 43\u00b07'48\"E", 36.34, 43.13),
        ("38SLE7165259923", 35.775004, 43.580005),
        ("38S LE 71652 59923", 35.775004, 43.580005),
    ],
)
@pytest.mark.parametrize("reach", [" 5km", " 5,0 km", " \u0665 km", " 5000 m", ""])
def test_points_and_lengths_are_read_as_everywhere(point: str, lat: float, lon: float, reach: str) -> None:
    scenario = read_scenario(DEMO)
    run = whatif._run_row(scenario, pyproj.CRS(CRS), "[]")
    held = Analysis({"run": run, "places": tables.empty("places", pyproj.CRS(CRS))})
    added, _ = whatif._addition(f"post federal {point}{reach}", scenario, held)
    assert (added["geometry"].y, added["geometry"].x) == pytest.approx((lat, lon))
    assert added["reach_m"] == 5_000  # also the scenario's for a post


def test_a_place_is_a_point_by_any_spelling_held(strip: Path) -> None:
    (strip.parent / "places.csv").write_text(
        "name,lat,lon\nMakhmur,36,43\nTel Kaif,36.01,43\nTel Afar,36,43.01\nYonder,46,43\nZab,36.00123456789,43\n",
        encoding="utf-8",
    )
    named = what_if(strip, add=["post north Makhmour 1.5km", "route south Tel Kaif to tel-afar 1km"])
    given = what_if(strip, add=["post north 36, 43 1.5km", "route south 36.01, 43 to 36, 43.01 1km"])
    assert named.changes.figures() == given.changes.figures()
    assert [each for each in named.asked if each not in given.asked] == ["'Makhmour' is taken for Makhmur (P00001)"]
    # As its list has it, not there and back through a plane.
    zones = what_if(strip, add=["post north Zab 1km"]).zones
    assert zones.geometry[zones["source"] == "what if"].tolist() == [shapely.Point(43, 36.00123456789)]
    with pytest.raises(InputError) as caught:
        what_if(strip, add=["post north Tel 1km", "post north Atlantis", "post north 5km"])
    assert caught.value.problems[:3] == (
        "add 'post north Tel 1km': 'Tel' may be one of these places; give its id, the first word",
        "  P00002  Tel Afar, 36.0000, 43.0100",
        "  P00003  Tel Kaif, 36.0100, 43.0000",
    )
    assert (
        caught.value.problems[3] == "add 'post north Atlantis': 'Atlantis' is none of the 4 places that are known here"
    )
    assert caught.value.problems[4].startswith("add 'post north 5km': has 0 points")


def test_a_reach_that_nobody_gave_is_asked_for(strip: Path) -> None:
    with pytest.raises(InputError, match="has no reach, and the scenario has none for a post of south"):
        what_if(strip, add=["post south 36, 43"])


def test_zones_that_do_not_count_or_share_a_name_are_not_taken_away(tmp_path: Path, strip: Path) -> None:
    walls = [shapely.box(-20e3, 4e3, 0, 9e3), shapely.box(0, 4e3, 20e3, 9e3), shapely.box(0, 9e3, 9e3, 10e3)]
    dates = ["2020-01-01", "2020-01-01", "2022-01-01"]
    write_zones(tmp_path / "north.gpkg", ["wall", "wall", "later"], walls, valid_from=dates)
    strip.write_text(f"date = 2021-06-01\n{strip.read_text(encoding='utf-8')}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        what_if(strip, remove=["later", "wall"])
    assert caught.value.problems == (
        "remove 'later': does not count on the scenario's date, so that nothing would change",
        "remove 'wall': 3 zones have this name: north-002, north-003, south-001",
    )
    with pytest.raises(InputError) as caught:
        what_if(strip, remove=["north-002", "north-002"], add=["post north 36, 43 5km", "post north 36, 43 5km"])
    assert caught.value.problems == (
        "add 'post north 36, 43 5km': asked for twice",
        "remove 'north-002': asked for twice (north-002)",
    )
    gone = what_if(strip, remove=["north-002"])
    assert gone.changes.figures()["cover_km2"]["north"]["after"] == pytest.approx(100, rel=1e-3)
    # The zone of another day stays in the file.
    gone.save(tmp_path / "gone")
    kept = gapmap.read_zones(tmp_path / "gone/zones-north.gpkg", force="north")
    assert kept["name"].tolist() == ["later", "wall"]
    assert kept["valid_from"].dt.year.tolist() == [2022, 2020]


def test_a_name_of_several_lines_writes_nothing_into_the_scenario(tmp_path: Path, strip: Path) -> None:
    walls = [shapely.box(-20e3, 4e3, 0, 9e3), shapely.box(0, 4e3, 20e3, 9e3)]
    write_zones(tmp_path / "north.gpkg", ["wall", 'gone\n[forces.third]\nzones = "third.csv"\n\x01#'], walls)
    saved = what_if(strip, remove=["north-001"]).save(tmp_path / "gone")
    assert [force.name for force in read_scenario(saved).forces] == ["north", "south"]
    assert '# taken away: north-001 gone [forces.third] zones = "third.csv" #' in saved.read_text(encoding="utf-8")


def test_nothing_and_too_much_are_refused(strip: Path) -> None:
    with pytest.raises(InputError, match="nothing is to change"):
        what_if(strip)
    with pytest.raises(InputError, match="nothing is to change"):
        what_if(strip, reach={"north.post": 2_000})
    with pytest.raises(InputError, match="no zone would be left of: north"):
        what_if(strip, remove=["north-001"])


def test_a_reach_of_a_few_metres_is_doubted(strip: Path) -> None:
    asked = what_if(strip, reach={"north.post": "8"}, add=[f"post south {corner(20_000, 20_000)} 3 m"]).asked
    assert asked[0].endswith('reach 3 m; write "3 km" if kilometres were meant')
    assert asked[1].startswith("reach of north: post 8 m (")
    assert asked[1].endswith('; write "8 km" if kilometres were meant')


def test_zones_with_a_reach_of_their_own_keep_it_and_that_is_said(example: Path) -> None:
    found = what_if(example / "seam/scenario.toml", reach={"south": "6.5 km", "south.area": "1 km"})
    assert found.asked == (
        "reach of south: post 6.5 km, route 6.5 km, area 1 km (1 of 5 such zones keep a reach of their own)",
    )
    reaches = found.zones[found.zones["force"] == "south"].set_index("name")["reach_m"]
    assert reaches[["Post S1", "Route S3", "Post S4", "Area S5"]].tolist() == [6_500, 6_500, 6_000, 1_000]


def test_what_is_saved_holds_the_change_and_nothing_else(example: Path, tmp_path: Path) -> None:
    found = what_if(example / "seam/scenario.toml", add=["post north 30.10, -30.25 3km", "post north 30.12, -30.2"])
    path = found.save(tmp_path / "changed")
    assert sorted(each.name for each in path.parent.iterdir()) == ["scenario.toml", "zones-north.gpkg"]
    assert path.read_text(encoding="utf-8").startswith("# What if:\n# added: post of north at 30.10000, -30.25000")
    assert read_scenario(path).incidents is not None
    with closing(sqlite3.connect(path.parent / "zones-north.gpkg")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (10300,)  # as a result: GeoPackage 1.3
    own = gpd.read_file(path.parent / "zones-north.gpkg").set_index("name")["reach_m"]
    assert own["added 1"] == 3_000
    assert own[["added 2", "Post N1"]].isna().all()  # the scenario's, also when that is changed later
    with pytest.raises(InputError, match="not an empty folder"):
        found.save(tmp_path / "changed")


def test_a_file_with_columns_of_its_own_and_grids_without_their_zone(strip: Path) -> None:
    (strip.parent / "north.csv").write_text("call,east,north_\nA,43,36.05\nB,43.1,36.05\n", encoding="utf-8")
    text = strip.read_text(encoding="utf-8").replace("north.gpkg", "north.csv")
    columns = 'columns = { name = "call", lon = "east", lat = "north_" }'
    strip.write_text(
        f'mgrs_zone = "38S"\n{text}'.replace("[forces.south]", f"{columns}\n[forces.south]"), encoding="utf-8"
    )
    found = what_if(strip, add=["post north LE 20000 86000 3km"], remove=["B"])
    saved = found.save(strip.parent / "new")
    held = gapmap.run(saved).zones
    assert held.loc[held["force"] == "north", "name"].tolist() == ["A", "added 1"]


def test_the_result_itself_names_its_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("init", tmp_path / "seam", "-q") == 0
    assert call("run", tmp_path / "seam" / "scenario.toml", "--out", tmp_path / "out", "-q") == 0
    asked = ["--reach", "north=6km", "--json"]
    assert call("whatif", tmp_path / "out", *asked) == 0
    by_folder = capsys.readouterr().out
    assert call("whatif", tmp_path / "out" / "gaps.gpkg", *asked) == 0
    assert capsys.readouterr().out == by_folder


def test_a_base_that_answers_another_question_is_refused(example: Path, tmp_path: Path) -> None:
    base = gapmap.open(example / "gaps.gpkg")
    other = shutil.copytree(example / "seam", tmp_path / "seam")
    scenario = (other / "scenario.toml").read_text(encoding="utf-8")
    lines = [line for line in scenario.splitlines() if not line.startswith(("area_of_interest", "excluded"))]
    (other / "scenario.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        what_if(other / "scenario.toml", add=["post north 30.10, -30.25 3km"], base=base)
    assert caught.value.problems == (
        "area_of_interest.file: area.geojson in the result, none in the scenario",
        "excluded.file: water.geojson in the result, none in the scenario",
    )
    (other / "scenario.toml").write_text(scenario, encoding="utf-8")
    south = other / "south.geojson"
    south.write_text(south.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"south.geojson \(zones\): its content has changed"):
        what_if(other / "scenario.toml", add=["post north 30.10, -30.25 3km"], base=base)


def call(*words: object) -> int:
    try:
        return cli.main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)


def test_the_command_says_what_would_change(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--add", "post north 30.10, -30.22 3km", "--remove", "north-003", "--reach", "south.post=7km"]
    scenario, base = example / "seam/scenario.toml", ["--base", example / "gaps.gpkg"]
    assert call("whatif", scenario, *asked, *base, "--save", tmp_path / "new", "--map", tmp_path / "both.html") == 0
    text = capsys.readouterr().out
    for said in (
        "Illustrative",
        "What if: Example",
        "added: post of north",
        "taken away: north-003",
        "Corridor ground",
        "Midway",
    ):
        assert said in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("Written")) <= 80
    assert "questions differ" not in text
    assert (tmp_path / "both.html").stat().st_size > 100_000
    assert (tmp_path / "new/scenario.toml").exists()
    assert call("whatif", scenario, *asked, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert len(figures["asked"]) == 3
    assert "Illustrative" in figures["notice"]  # with a base and without
    assert figures["files"] == {}
    # The folder of a result holds the scenario that made it; a result that is not that scenario's is passed over.
    folder = shutil.copytree(example / "seam", tmp_path / "out")
    assert call("whatif", folder, *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out) == figures
    shutil.copy(example / "gaps.gpkg", folder / "gaps.gpkg")
    assert call("whatif", folder, *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["corridors"] == figures["corridors"]
    text = (folder / "scenario.toml").read_text(encoding="utf-8")
    (folder / "scenario.toml").write_text(text.replace('max_width = "20 km"', 'max_width = "12 km"'), encoding="utf-8")
    assert call("whatif", folder, *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["before"]["max_width_km"] == 12
    assert call("whatif", folder, *asked, "--base", folder) == 2
    assert "max_width: 20 km in the result, 12 km in the scenario" in capsys.readouterr().err
    assert call("whatif", scenario, "--reach", "south") == 2
    assert "--reach 'south' is not FORCE=LENGTH" in capsys.readouterr().err
    assert call("whatif", scenario, "--reach", "south=8km", "--reach", "south = 9km") == 2
    assert "--reach south is given twice: 8km and 9km" in capsys.readouterr().err
    mine = tmp_path / "mine.html"
    mine.write_text("mine", encoding="utf-8")
    assert call("whatif", scenario, *asked, "--map", mine) == 2
    assert "did not make" in capsys.readouterr().err


def test_the_command_compares_two_results(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = what_if(example / "seam/scenario.toml", reach={"south": "3 km"})
    gapmap.run(found.save(tmp_path / "new")).save(tmp_path / "out/gaps.gpkg")
    assert call("compare", example / "gaps.gpkg", tmp_path / "out", "--map", tmp_path / "both.html") == 0
    text = capsys.readouterr().out
    assert "forces.south.reach" in text
    assert "both.html" in text
    assert call("compare", example / "gaps.gpkg", tmp_path / "out", "--json", "--format", "csv") == 2
    assert "--json and --format csv do not go together" in capsys.readouterr().err
    assert call("compare", example / "gaps.gpkg", tmp_path / "out", "--quiet", "-o", tmp_path / "q.csv") == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "q.csv").exists()
    assert call("compare", example / "gaps.gpkg", tmp_path / "out", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["lost_to_km2"]["beyond"] >= 0
    assert all(each["what"].startswith("forces.south.reach") for each in figures["differences"])
    assert call("compare", example / "gaps.gpkg", tmp_path / "nothing") == 2


def test_nothing_in_a_text_is_taken_for_more_than_text(example: Path) -> None:
    scenario = example / "seam/scenario.toml"
    for text in (
        "post north {{7*7}} 5km",
        "post north '; DROP TABLE zones;-- 5km",
        "post north ../../x 5km",
        "\x1b[2J",
    ):
        with pytest.raises(InputError) as caught:
            what_if(scenario, add=[text], remove=[text])
        assert len(caught.value.problems) == 2
    assert isinstance(what_if(scenario, add=["post north 30.10, -30.25 3km"]), WhatIf)


def test_a_list_of_several_forces_is_asked_and_saved_whole(strip: Path, tmp_path: Path) -> None:
    """What a force that goes into a file of its own leaves in the list would be nobody's."""
    folder = strip.parent
    sides = {side: gpd.read_file(folder / f"{side}.gpkg").assign(side=side) for side in ("north", "south")}
    sides["third"] = sides["south"].assign(side="third", geometry=sides["south"].translate(0, -0.3))
    pd.concat(sides.values()).to_file(folder / "all.geojson", driver="GeoJSON")
    text = f'title = "strip"\n{strip.read_text(encoding="utf-8")}'
    for side in ("north", "south"):
        text = text.replace(f'"{side}.gpkg"', f'"all.geojson"\nonly = {{ side = "{side}" }}')
    listed = strip.with_name("listed.toml")
    listed.write_text(text, encoding="utf-8")
    asked = ["post north 36.02, 43 1km"]
    found = what_if(listed, add=asked)
    assert found.changes.figures() == what_if(strip, add=asked).changes.figures()
    assert what_if(listed, add=asked, base=gapmap.run(listed)).changes.figures() == found.changes.figures()
    saved = found.save(tmp_path / "new")
    assert [(force.zones[0].name, dict(force.only)) for force in read_scenario(saved).forces] == [
        ("zones-north.gpkg", {}),
        ("zones-south.gpkg", {}),
    ]
    assert gapmap.run(saved).set_aside.empty
