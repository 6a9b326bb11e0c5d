from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
from shapely import Point

from gapmap import tables

UTM = pyproj.CRS.from_epsg(32638)


@pytest.mark.parametrize("name", tables.COLUMNS)
def test_an_empty_table_has_all_columns_and_types(name: str) -> None:
    table = tables.empty(name, UTM)
    assert len(table) == 0
    assert table.index.name == tables.INDEX[name]
    for column, dtype in tables.COLUMNS[name].items():
        assert table[column].dtype == dtype, column
    assert isinstance(table, gpd.GeoDataFrame) == (name not in tables.PLAIN)
    if name not in tables.PLAIN:
        assert table.crs == UTM


@pytest.mark.parametrize("name", tables.COLUMNS)
def test_conform_of_an_empty_table_changes_nothing(name: str) -> None:
    table = tables.empty(name, UTM)
    pd.testing.assert_frame_equal(pd.DataFrame(tables.conform(table, name)), pd.DataFrame(table))


def test_conform_orders_fills_and_keeps_the_rest() -> None:
    given = gpd.GeoDataFrame({"extra": [1], "name": [None], "force": ["a"]}, geometry=[Point(0, 0)], crs=32638)
    out = tables.conform(given, "zones")
    assert list(out.columns) == [*tables.COLUMNS["zones"], "extra", "geometry"]
    row = out.iloc[0]
    assert (row["name"], row["kind"], row["source_row"], row["extra"]) == ("", "", 0, 1)
    assert pd.isna(row["reach_m"])
    assert pd.isna(row["valid_from"])
    assert list(given.columns) == ["extra", "name", "force", "geometry"]  # the caller's table is untouched


def test_what_is_written_into_one_table_does_not_show_in_the_other() -> None:
    def columns(table: gpd.GeoDataFrame) -> list[object]:
        return [table["name"].to_list(), table["reach_m"].to_list(), table.geometry.to_wkb().to_list()]

    def given() -> gpd.GeoDataFrame:
        known = {"name": ["a", "b"], "reach_m": [1.0, 2.0]}
        return gpd.GeoDataFrame(known, geometry=[Point(0, 0), Point(1, 1)], crs=32638, index=["x", "y"])

    def write(way: int, table: gpd.GeoDataFrame) -> None:
        if way == 0:
            table.loc["x", ["name", "reach_m"]] = ["z", 9.0]
        elif way == 1:
            table.loc["x", "geometry"] = Point(9, 9)
        elif way == 2:
            table.geometry.array[0] = Point(9, 9)
        else:
            table.geometry.to_numpy()[0] = Point(9, 9)

    before = columns(given())
    for way in range(4):
        for one, other in ((0, 1), (1, 0)):
            table = given()
            both = table, tables.conform(table, "zones")
            write(way, both[one])
            assert columns(both[one]) != before, way
            assert columns(both[other]) == before, way


def test_conform_takes_dates_as_text() -> None:
    given = gpd.GeoDataFrame({"valid_from": ["2021-06-01"]}, geometry=[Point(0, 0)], crs=32638)
    assert tables.conform(given, "zones")["valid_from"].iloc[0] == pd.Timestamp("2021-06-01")


@pytest.mark.parametrize("name", ["federal", "north-west", "Q_3", "قوات", "हिन्दी", "二"])
def test_names_that_can_name_a_force(name: str) -> None:
    assert tables.is_force_name(name)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a.b", "<b>", "a\n", "a'", "a/b"])
def test_names_that_cannot(name: str) -> None:
    assert not tables.is_force_name(name)
