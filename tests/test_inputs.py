"""What a scenario names is read as a whole: one faulty file hides no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from gapmap.analysis import grow
from gapmap.errors import InputError, MissingFileError
from gapmap.inputs import read_inputs
from gapmap.readers import read_zones
from gapmap.scenario import ForceInput, LayerInput, Scenario, read_scenario

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
[forces.north]
zones = ["a/zones.csv", "b/zones.csv"]
reach = "5 km"
[forces.south]
zones = "south.csv"
reach = "5 km"
[incidents]
file = "incidents.csv"
[places]
file = "places.csv"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    content = {
        "scenario.toml": TEXT,
        "a/zones.csv": "name,lon,lat\nA1,10.0,20.3\nA2,10.1,20.3\nA2,10.1,20.3\n",
        "b/zones.csv": "name,lon,lat\nB1,10.2,20.3\n",
        "south.csv": "name,lon,lat\nS1,10.1,20.1\n",
        "incidents.csv": "date,lon,lat\n2021-01-01,10.1,20.2\n2021-13-01,10.1,20.2\n",
        "places.csv": "name,lon,lat\nHere,10.1,20.2\n",
    }
    for name, text in content.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_scenario(tmp_path / "scenario.toml")


def test_every_file_is_read_and_counted(scenario: Scenario) -> None:
    read = read_inputs(scenario).require_all()
    assert [(each["role"], each["name"], each["rows"], each["used"]) for each in read.inputs] == [
        ("zones", "zones.csv", 3, 2),
        ("zones", "zones.csv", 1, 1),
        ("zones", "south.csv", 1, 1),
        ("incidents", "incidents.csv", 2, 1),
        ("places", "places.csv", 1, 1),
    ]
    assert read.zones.groupby(["name"])["file"].first().to_dict() == {"A1": 0, "A2": 0, "B1": 1, "S1": 2}
    assert sorted((row["source"], row["source_row"]) for row in read.set_aside) == [
        ("incidents.csv", 2),
        ("zones.csv", 3),
    ]
    assert read.area is None
    assert read.boundaries.empty


def test_what_is_not_named_is_an_empty_table(scenario: Scenario) -> None:
    read = read_inputs(replace(scenario, incidents=None, places=None)).require_all()
    assert read.incidents.empty
    assert read.places.empty
    assert [each["role"] for each in read.inputs] == ["zones", "zones", "zones"]


def test_one_fault_is_raised_as_it_is(scenario: Scenario) -> None:
    (scenario.folder / "south.csv").unlink()
    read = read_inputs(scenario)
    assert len(read.incidents) == 1
    assert read.zones["force"].unique().tolist() == ["north"]
    with pytest.raises(MissingFileError, match=r"south\.csv"):
        read.require_all()


def test_all_faults_are_in_one_error(scenario: Scenario) -> None:
    (scenario.folder / "a" / "zones.csv").write_text("name,lon,lat\nA1,358.2,20\nA2,,\n", encoding="utf-8")
    (scenario.folder / "places.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="2 inputs cannot be used") as caught:
        read_inputs(scenario).require_all()
    text = str(caught.value)
    assert "zones.csv: 2 of 2 zones cannot be used" in text
    assert "row 1: " in text
    assert "places.csv: the file is empty" in text


def test_a_missing_terrain_file_is_said(scenario: Scenario) -> None:
    text = TEXT + '[terrain]\ndem = "dem.tif"\n'
    (scenario.folder / "scenario.toml").write_text(text, encoding="utf-8")
    read = read_inputs(read_scenario(scenario.folder / "scenario.toml"))
    with pytest.raises(MissingFileError, match=r"dem\.tif"):
        read.require_all()


SQUARE = '{{"type": "Feature", "properties": {{}}, "geometry": {{"type": "Polygon", "coordinates": [{}]}}}}'


def square(lon: float, lat: float) -> str:
    ring = [[lon, lat], [lon + 0.05, lat], [lon + 0.05, lat + 0.05], [lon, lat]]
    return SQUARE.format(ring)


@pytest.mark.parametrize(
    ("lon", "lat", "words"),
    [
        (10.1, 20.27, ""),
        (0.0, 0.0, "misses all zones"),
        (-170.0, -20.0, "misses all zones"),  # the far side of the globe
        (20.27, 10.1, "longitude and latitude are swapped"),
    ],
)
@pytest.mark.parametrize("key", ["excluded", "area_of_interest"])
def test_ground_that_is_nowhere_near_is_refused(
    scenario: Scenario, key: str, lon: float, lat: float, words: str
) -> None:
    (scenario.folder / "ground.geojson").write_text(square(lon, lat), encoding="utf-8")
    (scenario.folder / "scenario.toml").write_text(f'{TEXT}[{key}]\nfile = "ground.geojson"\n', encoding="utf-8")
    errors = read_inputs(read_scenario(scenario.folder / "scenario.toml")).errors
    assert len(errors) == bool(words)
    assert all(words in str(error) and "ground.geojson" in str(error) for error in errors)


def test_a_terrain_that_is_no_raster_is_said(scenario: Scenario) -> None:
    text = TEXT + '[terrain]\ndem = "places.csv"\n'
    (scenario.folder / "scenario.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"^places\.csv: cannot be read as a raster"):
        read_inputs(read_scenario(scenario.folder / "scenario.toml")).require_all()


def test_a_zone_on_another_continent_is_named(scenario: Scenario) -> None:
    far = scenario.forces[0].zones[1]
    far.write_text("name,lon,lat\nB1,40.2,20.3\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"(?s)too far apart.*zones\.csv: B1 lies 31\d\d km from .* at 20\.300, 40\.200"
    ):
        read_inputs(scenario).require_all()


def test_an_area_of_interest_may_lie_wholly_in_a_gap(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "area.geojson"
    gpd.GeoSeries([shapely.box(10.09, 20.19, 10.11, 20.21)], crs=4326).to_file(path)
    asked = replace(scenario, area_of_interest=LayerInput(file=path))
    grown = grow(asked, read_inputs(asked).require_all())
    assert grown.area is not None
    assert not grown.area.intersects(grown.cover.union_all()).any()


def test_a_zone_with_swapped_coordinates_is_named(scenario: Scenario) -> None:
    swapped = scenario.forces[0].zones[1]
    swapped.write_text("name,lon,lat\nB1,20.3,10.2\nB2,10.2,20.3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"zones\.csv: 1 of 2 rows .*\n  row 1: far from .* latitude swapped\?$"):
        read_inputs(scenario).require_all()
    swapped.write_text("name,lon,lat\nB1,27,10.2\nB2,10.2,20.3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)too far apart.*zones\.csv: B1 lies .* longitude and latitude swapped\?"):
        read_inputs(scenario).require_all()


def test_a_limit_too_large_for_one_plane_is_named(scenario: Scenario) -> None:
    with pytest.raises(InputError, match=r"(?s)max_width of 900 km: no plane.*lower max_width"):
        read_inputs(replace(scenario, max_width_m=900_000)).require_all()


def test_one_force_alone_and_one_file_given_twice_are_remarked_on(scenario: Scenario, tmp_path: Path) -> None:
    def remarks(*forces: ForceInput) -> list[str]:
        return [said for each in read_inputs(replace(scenario, forces=forces)).inputs for said in each["remarks"]]

    one = ForceInput(name="north", label="North", zones=(tmp_path / "one.csv",), reach_m={"post": 5_000.0})
    other = replace(one, name="south", zones=(tmp_path / "other.csv",))
    one.zones[0].write_text("name,lon,lat\nA,10.1,20.1\nB,10.2,20.2\n", encoding="utf-8")
    other.zones[0].write_text("name,lon,lat\nX,10.2,20.2\nY,10.1,20.1\n", encoding="utf-8")  # in another order
    (alone,) = remarks(one)
    assert alone.startswith("north is the only force")
    assert remarks(one, other) == ["south holds exactly the zones of north: is one file given for both?"]
    other.zones[0].write_text("name,lon,lat\nX,10.2,20.2\n", encoding="utf-8")
    assert remarks(one, other) == []
    # Nobody knows of a force alone while another's file cannot be read.
    other.zones[0].write_text("name,lon,lat\nX,10.2,\n", encoding="utf-8")
    assert remarks(one, other) == []


def test_layers_that_no_input_reads_are_remarked_on(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "field.gpkg"
    for lat, layer in ((20.0, "north"), (20.2, "south"), (20.1, "routes")):
        table = gpd.GeoDataFrame({"name": ["A"]}, geometry=[shapely.Point(10, lat)], crs=4326)
        table.to_file(path, layer=layer)
    table[:0].to_file(path, layer="empty")
    pyogrio.write_dataframe(pd.DataFrame({"style": ["red"]}), path, layer="layer_styles")  # as QGIS does

    def said(*forces: ForceInput) -> list[list[str]]:
        return [each["remarks"] for each in read_inputs(replace(scenario, forces=forces)).inputs]

    north, south = (
        ForceInput(name=name, label=name, zones=(path,), layer=name, reach_m={"post": 5e3})
        for name in ("north", "south")
    )
    # What one force leaves the other reads: but for the routes, and those are named once.
    assert said(north, south)[:2] == [
        ["not read: layer 'routes'; an input takes one, and layer = ... in a scenario says which"],
        [],
    ]
    assert said(north)[0][-1].startswith("not read: layers 'south', 'routes'; ")
    # While something is wrong, nobody knows what else would have been read.
    assert said(north, replace(south, layer="nowhere"))[0] == []


def test_a_layer_beside_what_qgis_stores_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "styled.gpkg"
    gpd.GeoDataFrame({"name": ["A"]}, geometry=[shapely.Point(10, 20)], crs=4326).to_file(path, layer="posts")
    pyogrio.write_dataframe(pd.DataFrame({"style": ["red"]}), path, layer="layer_styles")
    zones = read_zones(path, force="north")
    assert (zones["name"].tolist(), zones.attrs["input"]["read_as"]) == (["A"], "layer 'posts'")


def test_a_missing_file_is_named_as_seen_from_here(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = scenario.forces[0].zones[0]
    gone.unlink()
    monkeypatch.chdir(scenario.folder.parent)
    (error,) = read_inputs(scenario).errors
    assert str(error).startswith(f"{gone.relative_to(scenario.folder.parent)}: no such file")
    monkeypatch.chdir("/")
    assert "no such file" in str(read_inputs(scenario).errors[0])


# ---- One list of several forces


def several(folder: Path, rows: str, *, north: str = "North") -> Scenario:
    (folder / "all.csv").write_text(f"name,lon,lat,force\n{rows}", encoding="utf-8")
    (folder / "s.toml").write_text(
        f'[forces.north]\nzones = "all.csv"\nonly = {{ force = "{north}" }}\nreach = "5 km"\n'
        '[forces.south]\nzones = "all.csv"\nonly = { Force = "SOUTH" }\nreach = "3 km"\n',
        encoding="utf-8",
    )
    return read_scenario(folder / "s.toml")


def test_one_list_gives_several_forces_and_what_is_nobodys_is_set_aside(tmp_path: Path) -> None:
    rows = "N,10.0,20.3,North\nS,10.0,20.0,South\nT,10.0,20.9,Third\n,,,\nM,10.1,20.3,Nroth\nS2,10.1,20,south \n"
    read = read_inputs(several(tmp_path, rows)).require_all()
    assert read.zones[["force", "name", "reach_m"]].to_numpy().tolist() == [
        ["north", "N", 5_000],
        ["south", "S", 3_000],
        ["south", "S2", 3_000],
    ]
    assert {each["source_row"]: each["reason"] for each in read.set_aside} == {
        3: "no force of the scenario is 'Third' in column 'force'",
        4: "blank row",
        5: "no force of the scenario is 'Nroth' in column 'force'",
    }
    counts = [(each["force"], each["rows"], each["used"], each["set_aside"]) for each in read.inputs]
    assert counts == [("north", 4, 1, 3), ("south", 2, 2, 0)]
    assert sum(rows for _, rows, _, _ in counts) == 6
    assert len({each["sha256"] for each in read.inputs}) == 1
    told = "rows 3, 5: set aside, since no force of the scenario is 'Third', 'Nroth' in column 'force'"
    assert [each["remarks"] for each in read.inputs] == [[told], []]


def test_a_region_across_the_180th_meridian_is_remarked_on(tmp_path: Path) -> None:
    for force, lat in (("north", -15.9), ("south", -16.1)):
        rows = "".join(f"{lon},{lat}\n" for lon in (179.9, -179.9))
        (tmp_path / f"{force}.csv").write_text(f"lon,lat\n{rows}", encoding="utf-8")
    forces = "".join(f'[forces.{name}]\nzones = "{name}.csv"\nreach = "5 km"\n' for name in ("north", "south"))
    (tmp_path / "scenario.toml").write_text(forces, encoding="utf-8")
    found = read_inputs(read_scenario(tmp_path / "scenario.toml"))
    first, second = (each["remarks"] for each in found.inputs)
    assert first[-1].startswith("the zones lie on both sides of the 180th meridian")
    assert second == []


def test_a_row_that_does_not_say_whose_it_is_is_refused(tmp_path: Path) -> None:
    """Left out, it could open a gap that is not there."""
    rows = "N,10.0,20.3,North\nS,10.0,20.0,South\nX,10.1,20.0,\n"
    with pytest.raises(
        InputError, match=r"all.csv: 1 of 3 zones cannot be used .*\n  row 3: column 'force' is blank: [^>]*-> say it"
    ):
        read_inputs(several(tmp_path, rows)).require_all()


def test_what_is_wrong_with_the_list_is_said_once(tmp_path: Path) -> None:
    scenario = several(tmp_path, "N,10.0,20.3,North\nS,10.0,20.0,South\n", north="Nort")
    with pytest.raises(InputError, match=r"^all.csv: column 'force': unknown value 'Nort'; did you mean 'North'"):
        read_inputs(scenario).require_all()
    (tmp_path / "all.csv").unlink()
    with pytest.raises(MissingFileError, match=r"all\.csv: no such file"):
        read_inputs(scenario).require_all()


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("Southern", "Southrn", True),
        ("North", " NORTH", False),
        ("II Corps", "III Corps", False),
        ("Brigade 1", "Brigade 12", False),
        ("East", "West", False),
    ],
)
def test_a_force_that_may_be_another_misspelt_is_remarked_on(tmp_path: Path, one: str, other: str, told: bool) -> None:
    """Taken for a force of its own, it would have gaps to all others."""
    (tmp_path / "all.csv").write_text(
        f"name,lon,lat,force\nA,10,20.3,{one}\nB,10,20,{other}\nC,10,20.6,Third\n", encoding="utf-8"
    )
    forces = tuple(
        ForceInput(name=f"f{k}", label="", zones=(tmp_path / "all.csv",), only={"force": said})
        for k, said in enumerate(dict.fromkeys((one, other.strip() if told else one, "Third")))
    )
    read = read_inputs(Scenario(title="", forces=forces, folder=tmp_path))
    said = [text for each in read.inputs for text in each["remarks"] if "misspelt" in text]
    assert said == [f"column 'force' says {other!r} and {one!r}: is one misspelt?"] * told
