from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapmap.errors import MissingFileError, ScenarioError
from gapmap.scenario import ForceInput, IncidentsInput, LayerInput, PlacesInput, Scenario, read_scenario

DEMO = Path(__file__).parent.parent / "data" / "nineveh" / "scenario.toml"
FORCE = '[forces.north]\nzones = "north.kml"\nreach = "5 km"\n'


def read(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(path)


def problems(folder: Path, text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        read(folder, text)
    return str(caught.value)


def test_the_least_scenario_has_the_defaults(tmp_path: Path) -> None:
    scenario = read(tmp_path, FORCE)
    assert scenario.title == "scenario"
    assert (scenario.max_width_m, scenario.stretch_length_m, scenario.crs) == (20_000, 10_000, "laea")
    assert scenario.date is None
    force = scenario.forces[0]
    assert (force.name, force.label, force.zones) == ("north", "north", (tmp_path.resolve() / "north.kml",))
    assert force.reach_m == {"post": 5000, "route": 5000, "area": 5000}


def test_everything_is_read(tmp_path: Path) -> None:
    scenario = read(
        tmp_path,
        """
title = "T"
notice = "N"
date = 2021-06-01
max_width = 15000
stretch_length = "8 km"
crs = "utm"
area_of_interest = { file = "a.gpkg", layer = "one" }
[forces.south]
label = "South"
zones = ["s1.csv", "sub/s2.xlsx"]
crs = "EPSG:32638"
[forces.north]
zones = "n.gpkg"
layer = "posts"
reach = { post = "5 km", area = 0 }
[incidents]
file = "i.csv"
since = 2019-01-01
until = "2021-12-31"
share = "counts"
columns = { date = "when" }
radius = { near = "3 km" }
[places]
file = "p.csv"
[excluded]
file = "../water.gpkg"
[terrain]
dem = "dem.tif"
[base]
boundaries = "b.gpkg"
layers = ["lines"]
""",
    )
    here = tmp_path.resolve()
    assert [force.name for force in scenario.forces] == ["north", "south"]
    north, south = scenario.forces
    assert north.reach_m == {"post": 5000, "area": 0}
    assert south.zones == (here / "s1.csv", here / "sub" / "s2.xlsx")
    assert (south.crs, north.layer, south.label) == ("EPSG:32638", "posts", "South")
    assert (scenario.date, scenario.crs, scenario.max_width_m) == (dt.date(2021, 6, 1), "utm", 15_000)
    assert scenario.area_of_interest == LayerInput(file=here / "a.gpkg", layer="one")
    assert scenario.incidents is not None
    assert scenario.incidents.until == dt.date(2021, 12, 31)
    assert scenario.incidents.radius_m == {"exact": 1000, "near": 3000, "area": 15000}
    assert scenario.excluded == LayerInput(file=here.parent / "water.gpkg")
    assert scenario.base is not None
    assert scenario.base.layers == ("lines",)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        """
max_witdh = 3
stretch_length = "10 miles"
date = "2021-13-01"
crs = "utn"
[forces."a b"]
zone = "x"
reach = { pots = "5 km", post = "5 mi", area = -1 }
[forces.other]
zones = []
[incidents]
since = 2021-01-02
until = 2021-01-01
file = 3
columns = ["when"]
[places]
file = ""
[base]
boundaries = "b"
layers = "x"
""",
    )
    for words in (
        "unknown key 'max_witdh'; did you mean 'max_width'?",
        "stretch_length: '10 miles' has the unit 'miles'",
        "date: '2021-13-01' is not an ISO date",
        "crs: unknown value 'utn'; did you mean 'utm'?",
        "forces.a b: a force's name has letters, digits",
        "forces.a b: unknown key 'zone'; did you mean 'zones'?",
        "forces.a b.zones: missing",
        "forces.a b.reach: unknown key 'pots'; did you mean 'post'?",
        "forces.a b.reach.post: '5 mi' has the unit 'mi'",
        "forces.a b.reach.area: -1 is not a length of zero or more",
        "forces.other.zones: [] is not a file name",
        "incidents.since: dates reversed",
        "incidents.file: 3 is not text",
        "incidents.columns: not a table",
        "places.file: '' is not text",
        "base.layers: 'x' is not a list",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('title = "no force"', "forces: none is given"),
        ("[forces]", "forces: none is given"),
        ("forces = 3", "forces: 3 is not a table"),
        ("[forces]\nnorth = 3", "forces.north: 3 is not a table"),
        ('[forces.A]\nzones = "a"\n[forces.a]\nzones = "b"', "differ in capitals only"),
        (f'max_width = "0 km"\n{FORCE}', "max_width: 0 m is outside 100 m to 500 km"),
        (f'max_width = "1 m"\n{FORCE}', "max_width: 1 m is outside 100 m to 500 km"),
        (f'max_width = "600 km"\n{FORCE}', "max_width: 600 km is outside 100 m to 500 km"),
        *(
            (f'stretch_length = "{text}"\n{FORCE}', f"stretch_length: {said} is outside 500 m to 200 km")
            for text, said in {
                "0 m": "0 m",
                "0.001 m": "0.001 m",
                "1e-300 m": "1e-300 m",
                "0.4 km": "400 m",
                "201 km": "201 km",
            }.items()
        ),
        (f"max_width = 1{'0' * 5000}\n{FORCE}", "scenario.toml: not TOML: an integer of more than 64 bits"),
        (f"title = 0x{'f' * 5000}\n{FORCE}", "scenario.toml: not TOML: an integer of more than 64 bits"),
        (f"a = [[1, {{ b = -{2**63 + 1} }}]]\n{FORCE}", "scenario.toml: not TOML: an integer of more than 64 bits"),
        (f"a = {'[' * 20_000}{']' * 20_000}\n{FORCE}", "scenario.toml: brackets in brackets without end"),
        (FORCE.replace('zones = "', 'zones = "~nosuch/'), "names a user that this computer does not know"),
        (f"max_width = true\n{FORCE}", "True is not a length"),
        (f"max_width = nan\n{FORCE}", "nan is not a length"),
        (f"max_width = []\n{FORCE}", "not a length"),
        (f"date = 2021-06-01T10:00:00\n{FORCE}", "date: 2021-06-01 10:00:00 is not an ISO date"),
        (
            FORCE.replace('zones = "', 'zones = "data\\north'),
            "is no file name; in a path write / where Windows has \\",
        ),
        (
            FORCE.replace('zones = "', 'zones = "C:\\posts'),
            "-> in a path write / where Windows has \\",
        ),
        (
            FORCE.replace('zones = "', 'zones = "C:\\Users'),
            "-> in a path write / where Windows has \\",
        ),
        (f'title = "open\n{FORCE}', '-> text goes in quotes: reach = "5 km"'),
        (f"{FORCE}[incidents]\nfile = 'x'\nradius = '5 km'", "not a table of lengths"),
        (f"{FORCE}[incidents]\nfile = 'x'\nshare = 'all'", "unknown value 'all'"),
        ("max_width = 20 km", "not TOML"),
        ("title = 'a'\ntitle = 'b'", "not TOML"),
    ],
)
def test_faults(tmp_path: Path, text: str, words: str) -> None:
    assert words in problems(tmp_path, text)


def test_a_missing_file_and_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        read_scenario(tmp_path / "none.toml")
    with pytest.raises(MissingFileError, match="a folder, not a scenario"):
        read_scenario(tmp_path)
    path = tmp_path / "latin.toml"
    path.write_bytes('title = "é"'.encode("latin-1"))
    with pytest.raises(ScenarioError, match="not UTF-8"):
        read_scenario(path)


def test_a_force_that_has_a_file_twice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    text = '[forces.north]\nzones = ["a.csv", "b.csv", {}]\n[forces.south]\nzones = "a.csv"'
    double = "forces.north.zones: {}: its zones would count double"
    assert double.format("'a.csv' is given twice") in problems(tmp_path, text.format('"a.csv"'))
    assert "'b' is given twice" in problems(tmp_path, '[forces.north]\nzones = ["b", "b"]')
    for again in ("./a.csv", "sub/../a.csv", (tmp_path / "a.csv").as_posix()):
        assert double.format(f"{again!r} is 'a.csv' again") in problems(tmp_path, text.format(f'"{again}"'))
    try:
        (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    except OSError:  # Windows lets few people make one
        return
    assert double.format("'link.csv' is 'a.csv' again") in problems(tmp_path, text.format('"link.csv"'))
    assert len(read(tmp_path, text.format('"c.csv"')).forces[0].zones) == 3  # and two forces may have one list


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FORCE.replace("\n", "\r\n").encode())
    assert read_scenario(path).forces[0].name == "north"


def test_the_demo_comes_back_the_same_also_from_another_folder(tmp_path: Path) -> None:
    scenario = read_scenario(DEMO)
    assert len(scenario.forces) >= 2
    again = read(tmp_path, scenario.to_toml(tmp_path.resolve()))
    assert replace(again, folder=scenario.folder) == scenario


def test_parameters_are_json_without_folders() -> None:
    text = json.dumps(read_scenario(DEMO).parameters())
    assert "federal.geojson" in text
    assert str(DEMO.parent) not in text
    assert ".." not in text


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(
    title=TEXT,
    notice=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    label=TEXT,
    reach=st.dictionaries(st.sampled_from(["post", "route", "area"]), st.floats(0, 2e5), max_size=3),
    width=st.floats(100, 5e5),
    columns=st.dictionaries(TEXT, TEXT, max_size=3),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    title: str,
    notice: str,
    label: str,
    reach: dict[str, float],
    width: float,
    columns: dict[str, str],
) -> None:
    folder = tmp_path_factory.mktemp("trip").resolve()
    scenario = Scenario(
        title=title,
        notice=notice,
        folder=folder,
        date=dt.date(2020, 2, 29),
        max_width_m=width,
        forces=(ForceInput(name="قوات", label=label, zones=(folder / "a b.kml", folder / "c.csv"), reach_m=reach),),
        incidents=IncidentsInput(file=folder / "i.csv", columns=columns),
        places=PlacesInput(file=folder / "p.csv", layer=label),
    )
    assert read(folder, scenario.to_toml()) == scenario


FIELD = """
mgrs_zone = "38s"
[forces.north]
zones = "north.csv"
reach = "5 km"
columns = { name = "الاسم" }
kinds = { "نقطة" = "post" }
encoding = "windows-1256"
dates = "day-first"
[incidents]
file = "i.csv"
radius = { near = "4 km", 1 = "2 km", 3 = "set aside" }
dates = "day-first"
encoding = "utf-16-le"
[places]
file = "p.csv"
encoding = "windows-1256"
"""


def test_how_files_are_written(tmp_path: Path) -> None:
    scenario = read(tmp_path, FIELD)
    force, incidents = scenario.forces[0], scenario.incidents
    assert scenario.mgrs_zones == ("38S",)
    assert (force.columns, force.kinds, force.encoding, force.day_first) == (
        {"name": "الاسم"},
        {"نقطة": "post"},
        "windows-1256",
        True,
    )
    assert incidents is not None
    assert incidents.radius_m == {"exact": 1_000, "near": 4_000, "area": 15_000, "1": 2_000, "3": None}
    assert (incidents.encoding, incidents.day_first) == ("utf-16-le", True)
    assert scenario.places is not None
    assert scenario.places.encoding == "windows-1256"
    assert read(tmp_path, scenario.to_toml()) == scenario
    assert read(tmp_path, FIELD.replace('"38s"', '["37S", "38S"]')).mgrs_zones == ("37S", "38S")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'mgrs_zone = "38"\n{FORCE}', "mgrs_zone: '38' is not a grid zone"),
        (f"mgrs_zone = 38\n{FORCE}", "mgrs_zone: 38 is not a list of texts"),
        (f'{FORCE}kinds = {{ a = "pots" }}', "forces.north.kinds.a: unknown kind 'pots'"),
        (f'{FORCE}dates = "month-first"', "forces.north.dates: unknown value 'month-first'"),
        (f'{FORCE}columns = ["a"]', "forces.north.columns: not a table"),
        (f'{FORCE}[incidents]\nfile = "i"\nradius = {{ 8 = "1 km" }}', "incidents.radius: unknown key '8'"),
        (f'{FORCE}[incidents]\nfile = "i"\nradius = {{ 1 = "aside" }}', "incidents.radius.1: 'aside' is not a length"),
        (
            f'{FORCE}[incidents]\nfile = "i"\nradius = {{ vague = "set aside" }}',
            "incidents.radius: unknown key 'vague'",
        ),
    ],
)
def test_faults_in_how_files_are_written(tmp_path: Path, text: str, words: str) -> None:
    assert words in problems(tmp_path, text)


def test_a_force_takes_the_rows_of_a_list_that_say_so(tmp_path: Path) -> None:
    text = '[forces.north]\nzones = "all.xlsx"\nonly = { "ال قوة" = "North side" }\nreach = "5 km"'
    scenario = read(tmp_path, text)
    assert scenario.forces[0].only == {"ال قوة": "North side"}
    again = tmp_path / "again.toml"
    again.write_text(scenario.to_toml(), encoding="utf-8")
    assert read_scenario(again).forces == scenario.forces
    for wrong in ('"North"', "{ force = 1 }", '{ force = "" }', '{ force = "a", side = "b" }', "{}"):
        told = problems(tmp_path, f'[forces.north]\nzones = "all.xlsx"\nonly = {wrong}')
        assert "is not a column and what it says of the force, such as" in told
