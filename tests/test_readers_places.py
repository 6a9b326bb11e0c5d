from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from gapmap.errors import CrsError, InputError
from gapmap.readers import read_places
from gapmap.tables import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "variants", ['"[""Quwayr"", ""Gwer"", ""الكوير""]"', "Quwayr|الكوير", "Quwayr;الكوير;Quwayr", '"Quwayr, الكوير"']
)
def test_variants_in_any_way_they_are_written(tmp_path: Path, variants: str) -> None:
    places = read_places(
        write(tmp_path / "a.csv", f"name,alternatenames,pop,lat,lon\nGwer,{variants},9000,36.04,43.48\n")
    )
    assert list(places.columns) == [*COLUMNS["places"], "source_row", "geometry"]
    row = places.loc["P00001"]
    assert json.loads(row["names"]) == ["Quwayr", "الكوير"]
    assert (row["name"], row["population"]) == ("Gwer", 9000)
    assert row.geometry.equals(Point(43.48, 36.04))


def test_rows_without_name_or_position_and_repeats_are_set_aside(tmp_path: Path) -> None:
    text = "name,population,lat,lon\nA,0,36,43\n,5,36,43\nB,5,,\nA,,36,43\nC,many,36,43\n,,,\nA,7,36.5,43\n"
    places = read_places(write(tmp_path / "a.csv", text))
    assert places["name"].tolist() == ["A", "A", "C"]
    assert places["population"].isna().tolist() == [True, False, True]
    assert [(record["source_row"], record["reason"]) for record in places.attrs["set_aside"]] == [
        (2, "no name"),
        (3, "no position"),
        (4, "the same as row 1"),
        (6, "blank row"),
    ]
    assert {key: places.attrs["input"][key] for key in ("rows", "used", "set_aside")} == {
        "rows": 7,
        "used": 3,
        "set_aside": 4,
    }


def test_a_place_stays_without_a_population_that_is_no_number(tmp_path: Path) -> None:
    text = (
        'name,population,lat,lon\nA,ca. 500,36,43\nB,"1,200",36,43.1\nC,-5,36,43.2\nD,"1 200",36,43.3\n,many,36,43.4\n'
    )
    places = read_places(write(tmp_path / "a.csv", text))
    assert places["name"].tolist() == ["A", "B", "C", "D"]
    assert places["population"].fillna(-1).tolist() == [-1, -1, -1, 1200]
    (remark,) = places.attrs["input"]["remarks"]
    assert remark.startswith("rows 1, 2, 3: population 'ca. 500' is not a number of zero or more, taken for not known")
    assert [record["source_row"] for record in places.attrs["set_aside"]] == [5]
    text = "name,population,lat,lon\nA,12.000,36,43\nB,950,36,43.1\n"  # twelve thousand, where points part thousands
    places = read_places(write(tmp_path / "c.csv", text))
    assert places["population"].fillna(-1).tolist() == [-1, 950]
    assert places.attrs["input"]["remarks"][0].startswith("row 1: population '12.000' is not a number")
    places = read_places(write(tmp_path / "d.csv", text.replace("950", "950.0")))
    assert (places["population"].tolist(), places.attrs["input"]["remarks"]) == ([12, 950], [])
    whole = read_places(write(tmp_path / "b.csv", "name,population,lat,lon\nA,500,36,43\n"))
    assert whole.attrs["input"]["remarks"] == []


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_of_a_place_that_is_there_twice_the_larger_population_counts(tmp_path: Path, order: list[int]) -> None:
    rows = ["A,1200,36,43\n", "A,,36,43\n", "A,1300,36,43\n"]
    places = read_places(write(tmp_path / "a.csv", "name,population,lat,lon\n" + "".join(rows[each] for each in order)))
    assert places["population"].tolist() == [1300]
    kept = order.index(2) + 1
    reasons = {each["source_row"]: each["reason"] for each in places.attrs["set_aside"]}
    assert reasons == {
        order.index(0) + 1: f"the same as row {kept}, but for its population of 1200",
        order.index(1) + 1: f"the same as row {kept}",
    }


def test_row_order_changes_nothing(tmp_path: Path) -> None:
    rows = ["B,36,43\n", "A,36,43\n", "A,36.5,43\n"]
    one = read_places(write(tmp_path / "a.csv", "name,lat,lon\n" + "".join(rows)))
    two = read_places(write(tmp_path / "b.csv", "name,lat,lon\n" + "".join(rows[::-1])))
    pd.testing.assert_frame_equal(*(pd.DataFrame(table.drop(columns="source_row")) for table in (one, two)))


def test_layers_polygons_and_a_mapping(tmp_path: Path) -> None:
    town = gpd.GeoDataFrame({"town": ["Gwer"]}, geometry=[box(43, 36, 43.2, 36.2)], crs=4326).to_crs(32638)
    town.to_file(tmp_path / "a.gpkg", layer="towns")
    town.to_file(tmp_path / "a.gpkg", layer="others")
    places = read_places(tmp_path / "a.gpkg", layer="towns", columns={"name": "town"})
    assert places.geometry.iloc[0].within(box(43, 36, 43.2, 36.2))
    with pytest.raises(InputError, match="no name column among town"):
        read_places(tmp_path / "a.gpkg", layer="towns")
    with pytest.raises(InputError, match="unknown field 'nam'; did you mean 'name'"):
        read_places(tmp_path / "a.gpkg", layer="towns", columns={"nam": "town"})


def test_a_file_without_crs_and_one_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    gpd.GeoDataFrame({"name": ["Gwer"]}, geometry=[Point(43, 36)], crs=4326).to_file(path)
    (tmp_path / "a.prj").unlink()
    with pytest.raises(CrsError, match="no CRS"):
        read_places(path)
    assert len(read_places(path, crs=4326)) == 1
    assert len(read_places(write(tmp_path / "a.csv", "name,lat,lon\n"))) == 0


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_of_a_place_that_is_there_twice_all_variants_are_kept(tmp_path: Path, order: list[int]) -> None:
    rows = ["Gwer,Quwayr,100,36,43", "Gwer,Guwer,100,36,43", "Gwer,Kuwayr|Quwayr,,36,43"]
    text = "\n".join(rows[place] for place in order)
    places = read_places(write(tmp_path / "a.csv", f"name,names,population,lat,lon\n{text}\n"))
    assert places["population"].tolist() == [100]
    assert json.loads(places["names"].iloc[0]) == ["Guwer", "Quwayr", "Kuwayr"]
    assert len(places.attrs["set_aside"]) == 2
