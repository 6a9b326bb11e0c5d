"""Overlay: a scene with known answers, and a plain geopandas computation beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from pandas.testing import assert_frame_equal
from shapely import LineString, Point, box

from gapmap import overlay as room
from gapmap import tables
from gapmap.errors import CrsError, InputError

CRS = pyproj.CRS.from_wkt(
    pyproj.CRS.from_proj4("+proj=laea +lat_0=36 +lon_0=43 +datum=WGS84 +units=m +no_defs").to_wkt()
)


@dataclass(frozen=True)
class Scene:
    corridors: gpd.GeoDataFrame
    stretches: gpd.GeoDataFrame
    transects: gpd.GeoDataFrame
    facets: gpd.GeoDataFrame
    ground: gpd.GeoDataFrame


def table(name: str, rows: dict[str, dict[str, Any]]) -> gpd.GeoDataFrame:
    if not rows:
        return tables.empty(name, CRS)
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return tables.conform(gpd.GeoDataFrame(frame, geometry="geometry", crs=CRS), name)


def scene() -> Scene:
    """A corridor 10 km wide and 30 km long that runs south, alpha on its west side, bravo on its east."""
    pair = {"force_a": "alpha", "force_b": "bravo"}
    tops = {"C01.01": 30_000, "C01.02": 20_000, "C01.03": 10_000}
    return Scene(
        corridors=table("corridors", {"C01": {**pair, "geometry": box(0, 0, 10_000, 30_000)}}),
        stretches=table(
            "stretches",
            {
                key: {
                    "corridor_id": "C01",
                    **pair,
                    "from_m": 30_000 - top,
                    "to_m": 40_000 - top,
                    "geometry": box(0, top - 10_000, 10_000, top),
                }
                for key, top in tops.items()
            },
        ),
        transects=table(
            "transects",
            {
                f"C01.{along // 10_000 + 1:02d}.{along // 1_000 % 10 + 1:03d}": {
                    "corridor_id": "C01",
                    "stretch_id": f"C01.{along // 10_000 + 1:02d}",
                    "along_m": along,
                    "width_m": 10_000,
                    "geometry": LineString([(0, 30_000 - along), (10_000, 30_000 - along)]),
                }
                for along in range(0, 30_000, 1_000)
            },
        ),
        facets=table(
            "facets",
            {
                f"F{key}": {
                    "corridor_id": "C01",
                    "stretch_id": key,
                    "width_start_m": 10_000,
                    "width_end_m": 10_000,
                    "start_a_x": 0,
                    "start_a_y": top,
                    "start_b_x": 10_000,
                    "start_b_y": top,
                    "end_a_x": 0,
                    "end_a_y": top - 10_000,
                    "end_b_x": 10_000,
                    "end_b_y": top - 10_000,
                    "geometry": box(0, top - 10_000, 10_000, top),
                }
                for key, top in tops.items()
            },
        ),
        ground=table(
            "ground",
            {
                "G1": {"kind": "covered", "forces": "alpha", "geometry": box(-10_000, 0, 0, 30_000)},
                "G2": {"kind": "covered", "forces": "bravo", "geometry": box(10_000, 0, 20_000, 30_000)},
                "G3": {"kind": "corridor", "forces": "alpha + bravo", "geometry": box(0, 0, 10_000, 30_000)},
            },
        ),
    )


def zones() -> gpd.GeoDataFrame:
    return table(
        "zones",
        {
            "alpha-001": {"force": "alpha", "reach_m": 5_000, "geometry": Point(-5_000, 25_000)},
            "alpha-002": {"force": "alpha", "reach_m": 0, "geometry": box(-10_000, 0, 0, 20_000)},
            "bravo-001": {
                "force": "bravo",
                "reach_m": 2_000,
                "geometry": LineString([(12_000, 0), (12_000, 30_000)]),
            },
        },
    )


def places() -> gpd.GeoDataFrame:
    spots = {
        "P1": ("Rabia", 5_000, 29_000, 400.0),
        "P2": ("Gwer", 4_000, 19_000, np.nan),
        "P3": ("Makhmour", 5_000, 500, 900.0),
        "P4": ("Hatra", -30_000, 10_000, 7.0),
        "P5": ("", 5_000, 10, 60.0),
    }
    return table(
        "places",
        {
            key: {"name": name, "population": people, "geometry": Point(x, y)}
            for key, (name, x, y, people) in spots.items()
        },
    )


def incidents() -> gpd.GeoDataFrame:
    rows = {
        "I1": (5_000, 25_000, 1_000, "2020-01-05", 3),  # certain in stretch and corridor
        "I2": (5_000, 20_500, 1_000, "2020-03-01", np.nan),  # certain in the corridor, not in the stretch
        "I3": (500, 25_000, 1_000, "2019-01-01", 2),  # reaches into alpha's cover
        "I4": (5_000, 20_000, 0, "2018-01-01", 1),  # on the edge of two stretches
        "I5": (0, 5_000, 0, "2021-01-01", np.nan),  # on the edge of the corridor
        "I6": (-5_000, 5_000, 100, "2021-01-01", 9),  # in alpha's cover
        "I7": (90_000, 5_000, 100, "2021-01-01", 9),  # outside the area of interest
        "I8": (5_000, 15_000, np.nan, "2017-05-05", np.nan),  # nobody says how precise
    }
    return table(
        "incidents",
        {
            key: {"date_from": day, "location_radius_m": radius, "deaths_best": dead, "geometry": Point(x, y)}
            for key, (x, y, radius, day, dead) in rows.items()
        },
    )


@pytest.fixture(scope="module")
def laid() -> room.Overlay:
    return room.overlay(scene(), zones=zones(), incidents=incidents(), places=places())


def test_transects_face_the_nearest_cover(laid: room.Overlay) -> None:
    # At 22 km from the south the post's cover is 831 m off and the area 2 000 m; at 21 km it is 1 403 m and 1 000 m.
    north = laid.transects[laid.transects["along_m"] <= 8_000]
    south = laid.transects[laid.transects["along_m"] >= 9_000]
    assert set(north["facing_a"]) == {"alpha-001"}
    assert set(south["facing_a"]) == {"alpha-002"}
    assert set(laid.transects["facing_b"]) == {"bravo-001"}


def test_facing_lists_follow_the_seam(laid: room.Overlay) -> None:
    assert laid.stretches["facing_a"].tolist() == ["alpha-001; alpha-002", "alpha-002", "alpha-002"]
    assert laid.corridors["facing_a"].tolist() == ["alpha-001; alpha-002"]
    assert laid.corridors["facing_b"].tolist() == ["bravo-001"]


def test_points_lie_where_they_were_put(laid: room.Overlay) -> None:
    assert laid.incidents["stretch_id"].tolist() == ["C01.01", "C01.01", "C01.01", "C01.01", "C01.03", "", "", "C01.02"]
    assert laid.incidents["ground"].tolist() == [*["corridor"] * 5, "covered", "", "corridor"]
    assert laid.places["ground"].tolist() == ["corridor", "corridor", "corridor", "", "corridor"]


def test_counts(laid: room.Overlay) -> None:
    stretches = laid.stretches
    assert stretches["incidents_count"].tolist() == [4, 1, 1]
    assert stretches["incidents_certain"].tolist() == [2, 0, 1]
    assert stretches["deaths_best"].tolist()[0] == 6
    assert stretches["deaths_best"].isna().tolist() == [False, True, True]
    assert stretches["location_radius_median_m"].tolist()[0] == 1_000
    assert stretches["last_incident"].tolist() == list(pd.to_datetime(["2020-03-01", "2017-05-05", "2021-01-01"]))
    assert stretches["places"].tolist() == [1, 1, 2]
    assert stretches["population"].tolist()[::2] == [400, 960]
    assert np.isnan(stretches["population"].tolist()[1])
    corridor = laid.corridors.iloc[0]
    assert (corridor["incidents_count"], corridor["incidents_certain"]) == (6, 4)
    assert (corridor["places"], corridor["population"], corridor["deaths_best"]) == (4, 1_360, 6)


def test_counts_equal_a_plain_spatial_join(laid: room.Overlay) -> None:
    rng = np.random.default_rng(7)
    spots = gpd.points_from_xy(rng.uniform(-12_000, 22_000, 500), rng.uniform(-2_000, 32_000, 500))
    many = table(
        "incidents",
        {f"I{i:03d}": {"location_radius_m": 50.0 * (i % 40), "geometry": spot} for i, spot in enumerate(spots)},
    )
    found = scene()
    got = room.overlay(found, zones=zones(), incidents=many, places=places()).stretches
    joined = gpd.sjoin(many, found.stretches[["geometry"]], predicate="within")
    circles = gpd.sjoin(
        many.set_geometry(many.buffer(many["location_radius_m"] + 1e-6, quad_segs=64)),
        found.stretches[["geometry"]],
        predicate="within",
    )
    assert len(joined) > 100
    assert got["incidents_count"].tolist() == joined.groupby("stretch_id_right").size().tolist()
    assert got["incidents_certain"].tolist() == circles.groupby("stretch_id_right").size().tolist()
    assert laid.stretches["width_max_m"].equals(got["width_max_m"])


def test_nearest_zones_equal_brute_force() -> None:
    rng = np.random.default_rng(11)
    spots = gpd.GeoSeries(gpd.points_from_xy(*rng.uniform(0, 50_000, (2, 300))), crs=CRS)
    posts = gpd.GeoDataFrame(
        {"reach_m": rng.choice([0.0, 500.0, 3_000.0, 8_000.0], 80)},
        index=[f"z{i:02d}" for i in range(80)],
        geometry=gpd.points_from_xy(*rng.uniform(0, 50_000, (2, 80))),
        crs=CRS,
    )
    got = room.nearest_zones(spots, posts)
    way = np.column_stack([posts.distance(spot) for spot in spots])
    to_cover = np.maximum(way - posts["reach_m"].to_numpy()[:, None], 0)
    for i in range(len(spots)):
        best = min(zip(to_cover[:, i].round(3), way[:, i].round(3), posts.index, strict=True))
        assert (got["zone_id"].iloc[i], got["distance_m"].iloc[i]) == (best[2], best[0])
    assert (got["distance_m"] == 0).any()
    assert (got["distance_m"] > 0).any()


def test_nearest_zones_of_nothing() -> None:
    spots = gpd.GeoSeries([Point(0, 0)], crs=CRS)
    got = room.nearest_zones(spots, zones().iloc[:0])
    assert got["zone_id"].tolist() == [""]
    assert got["distance_m"].isna().all()
    assert room.nearest_zones(spots.iloc[:0], zones()).empty


def test_equal_zones_go_by_their_id() -> None:
    twins = table("zones", {key: {"reach_m": 10, "geometry": Point(100, 0)} for key in ("b", "c", "a")})
    assert room.nearest_zones(gpd.GeoSeries([Point(0, 0), Point(99, 0)], crs=CRS), twins)["zone_id"].tolist() == [
        "a",
        "a",
    ]


def test_a_zone_without_reach_is_refused() -> None:
    blank = zones().assign(reach_m=np.nan)
    with pytest.raises(InputError, match="3 zones have no reach"):
        room.nearest_zones(gpd.GeoSeries([Point(0, 0)], crs=CRS), blank)


def test_places_know_width_and_neighbours(laid: room.Overlay) -> None:
    got = laid.places
    assert got["width_here_m"].tolist()[:3] == [10_000] * 3
    assert np.isnan(got["width_here_m"]["P4"])
    assert got["nearest_zone_alpha"].tolist() == ["alpha-001", "alpha-002", "alpha-002", "alpha-002", "alpha-002"]
    assert got["distance_alpha_m"]["P1"] == pytest.approx(np.hypot(10_000, 4_000) - 5_000, abs=1e-3)
    assert got["distance_alpha_m"]["P4"] == pytest.approx(20_000, abs=1e-3)
    assert got["distance_bravo_m"]["P1"] == pytest.approx(5_000, abs=1e-3)


def test_names_come_from_the_ends(laid: room.Overlay) -> None:
    assert laid.stretches["name"].tolist() == [
        "Rabia to Gwer",
        "near Gwer, 4 km S",
        "Gwer to Makhmour",
    ]  # at 10 km Gwer is 445 m nearer
    assert laid.corridors["name"].tolist() == ["Rabia to Makhmour"]


def test_names_without_places_and_twice_the_same() -> None:
    found = scene()
    none = room.name_stretches(found.stretches, found.transects, places().iloc[:0])
    assert none["name"].tolist() == ["stretch C01.01", "stretch C01.02", "stretch C01.03"]
    one = room.name_stretches(found.stretches.iloc[::-1], found.transects, places().loc[["P2"]])
    assert one["name"].to_dict() == {
        "C01.01": "near Gwer, 6 km N",
        "C01.02": "near Gwer, 4 km S",
        "C01.03": "near Gwer, 14 km S",
    }
    both = found.stretches.set_axis(["S2", "S1", "S0"]).assign(from_m=0.0, to_m=10_000.0)
    assert room.name_stretches(both, found.transects, places())["name"].to_dict() == {
        "S0": "Rabia to Gwer",
        "S1": "Rabia to Gwer (2)",
        "S2": "Rabia to Gwer (3)",
    }
    far = places().loc[["P1"]].set_geometry([Point(5_000, 65_000)], crs=CRS)
    assert room.name_stretches(found.stretches, found.transects, far)["name"].tolist() == none["name"].tolist()


def test_row_order_changes_nothing(laid: room.Overlay) -> None:
    found = scene()
    shuffled = Scene(**{name: getattr(found, name).sample(frac=1, random_state=3) for name in vars(found)})
    again = room.overlay(
        shuffled, zones=zones().iloc[::-1], incidents=incidents().iloc[::-1], places=places().iloc[::-1]
    )
    for name, expected in vars(laid).items():
        assert_geodataframe_equal(getattr(again, name).sort_index(), expected)


def test_input_stays_as_it_was() -> None:
    found, held, hurt, settled = scene(), zones(), incidents(), places()
    before = [each.copy(deep=True) for each in (*vars(found).values(), held, hurt, settled)]
    room.overlay(found, zones=held, incidents=hurt, places=settled)
    for was, now in zip(before, (*vars(found).values(), held, hurt, settled), strict=True):
        assert_geodataframe_equal(was, now)


def test_nothing_at_all() -> None:
    nothing = Scene(**{name: tables.empty(name, CRS) for name in vars(scene())})
    got = room.overlay(
        nothing, zones=zones(), incidents=tables.empty("incidents", CRS), places=tables.empty("places", CRS)
    )
    for name, made in vars(got).items():
        assert made.empty
        assert_frame_equal(
            made[list(tables.COLUMNS[name])].iloc[:0], pd.DataFrame(tables.empty(name)).drop(columns="geometry")
        )
    assert {"nearest_zone_alpha", "distance_bravo_m"} <= set(got.places)


def test_the_gate_is_kept() -> None:
    with pytest.raises(CrsError):
        room.overlay(scene(), zones=zones().to_crs(4326), incidents=incidents(), places=places())


def test_certain_needs_the_whole_circle() -> None:
    area = table("stretches", {"S": {"geometry": shapely.box(0, 0, 2_000, 2_000)}})
    rows = {
        f"I{r}": {"location_radius_m": r, "stretch_id": "S", "geometry": Point(1_000, 1_000)}
        for r in (999, 1_000, 1_001)
    }
    got = room.tally(area, table("incidents", rows), tables.empty("places", CRS), by="stretch_id")
    assert (got["incidents_count"].iloc[0], got["incidents_certain"].iloc[0]) == (3, 2)
