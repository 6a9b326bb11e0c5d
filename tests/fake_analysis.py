"""A small analysis made by hand: a band between two forces, cut into facets, with every table of the map filled.

The band follows y = 0 of the working CRS from x = -60 to 60 km; its width runs smoothly between 0 and 20 km, so every
class of width occurs. What is true of it can be worked out by hand: the width at x is ``width(x)``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LAEA = pyproj.CRS.from_proj4("+proj=laea +lat_0=36.2 +lon_0=43.3 +datum=WGS84 +units=m +no_defs")
UTM = pyproj.CRS.from_epsg(32638)
LIMIT_M = 20_000.0
STRETCH_M = 20_000.0
STEP_M = 500.0


def width(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10_000 - 9_990 * np.cos(x / 12_000)


@dataclass(frozen=True)
class FakeAnalysis:
    """Hands out tables as an analysis does."""

    parts: dict[str, pd.DataFrame] = field(default_factory=dict)
    crs: pyproj.CRS = LAEA

    def table(self, name: str) -> pd.DataFrame:
        return self.parts[name] if name in self.parts else tables.empty(name, self.crs)

    def with_table(self, name: str, table: pd.DataFrame) -> FakeAnalysis:
        return replace(self, parts={**self.parts, name: table})

    def with_values(self, name: str, /, **values: object) -> FakeAnalysis:
        return self.with_table(name, self.table(name).assign(**values))


def fake_analysis(crs: pyproj.CRS = LAEA) -> FakeAnalysis:
    """Return the analysis, with tables of its own: what one test does to them no other sees."""
    return FakeAnalysis({name: table.copy() for name, table in _tables(crs).items()}, crs)


@cache  # hundreds of tests ask for it
def _tables(crs: pyproj.CRS) -> dict[str, pd.DataFrame]:
    east, north = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(43.3, 36.2)
    x = np.arange(-60_000, 60_000 + STEP_M, STEP_M)
    half = width(x) / 2
    top, bottom = np.column_stack([x + east, half + north]), np.column_stack([x + east, -half + north])
    names = [
        "Gwer to Makhmour",
        "Makhmour to Dibis",
        "Dibis to Altun Kupri",
        "Altun Kupri to Prde",
        "East of Prde",
        "End",
    ]
    number = np.minimum((x[:-1] - x[0]) // STRETCH_M, len(names) - 1).astype(int)
    ids = [f"C01.{n + 1:02d}" for n in range(len(names))]

    def gdf(kind: str, shapes: Iterable[object], index: list[str], /, **columns: object) -> gpd.GeoDataFrame:
        table = gpd.GeoDataFrame(columns, index=index, geometry=list(shapes), crs=crs)
        return tables.conform(table, kind)

    quads = [shapely.Polygon([top[i], top[i + 1], bottom[i + 1], bottom[i]]) for i in range(len(x) - 1)]
    facets = gdf(
        "facets",
        quads,
        [f"F{i:05d}" for i in range(len(quads))],
        corridor_id="C01",
        stretch_id=[ids[n] for n in number],
        width_start_m=width(x[:-1]),
        width_end_m=width(x[1:]),
        start_a_x=top[:-1, 0],
        start_a_y=top[:-1, 1],
        start_b_x=bottom[:-1, 0],
        start_b_y=bottom[:-1, 1],
        end_a_x=top[1:, 0],
        end_a_y=top[1:, 1],
        end_b_x=bottom[1:, 0],
        end_b_y=bottom[1:, 1],
    )
    shapes = [shapely.union_all(facets.geometry[facets["stretch_id"] == each].to_numpy()) for each in ids]
    measured = {
        "force_a": "federal",
        "force_b": "regional",
        "width_min_m": [float(width(x[:-1][number == n]).min()) for n in range(len(ids))],
        "width_mean_m": [float(width(x[:-1][number == n]).mean()) for n in range(len(ids))],
        "width_max_m": [float(width(x[:-1][number == n]).max()) for n in range(len(ids))],
        "length_km": STRETCH_M / 1000,
        "area_km2": [shape.area / 1e6 for shape in shapes],
        "facing_a": "post 1; route 7",
        "facing_b": "post 4",
    }
    stretches = gdf(
        "stretches",
        shapes,
        ids,
        corridor_id="C01",
        name=names,
        from_m=[n * STRETCH_M for n in range(len(ids))],
        to_m=[(n + 1) * STRETCH_M for n in range(len(ids))],
        incidents_count=[3, 0, 1, 0, 0, 0],
        incidents_certain=[2, 0, 1, 0, 0, 0],
        location_radius_median_m=[500.0] + [np.nan] * 5,
        last_incident=[pd.Timestamp("2021-03-04")] + [pd.NaT] * 5,
        places=[1, 1, 0, 0, 0, 0],
        population=[4_000.0] + [np.nan] * 5,
        **measured,
    )
    corridors = gdf(
        "corridors",
        [shapely.union_all(shapes)],
        ["C01"],
        name="Gwer to Prde",
        force_a="federal",
        force_b="regional",
        width_min_m=10.0,
        width_mean_m=9_800.0,
        width_max_m=19_990.0,
        length_km=120.0,
        area_km2=sum(shape.area for shape in shapes) / 1e6,
        incidents_count=4,
        incidents_certain=3,
        places=2,
    )
    strip = shapely.box(x[0], -30_000, x[-1], 30_000)
    strip = shapely.transform(strip, lambda xy: xy + np.array([east, north]))
    band = shapely.union_all(shapes)
    upper = shapely.transform(
        shapely.box(-60_000, 0, 60_000, 30_000), lambda xy: xy + np.array([east, north])
    ).difference(band)
    lower = strip.difference(band).difference(upper)
    cover = gdf("cover", [upper, lower], ["federal", "regional"], area_km2=[upper.area / 1e6, lower.area / 1e6])

    def box(a: float, b: float, c: float, d: float) -> shapely.Polygon:
        return shapely.box(a + east, b + north, c + east, d + north)

    ground = gdf(
        "ground",
        [
            band,
            box(61_000, -9_000, 75_000, 9_000),
            box(-30_000, 20_000, -24_000, 26_000),
            box(20e3, 15e3, 26e3, 18e3),
            box(-9e3, -29e3, -2e3, -22e3),
        ],
        ["corridor", "beyond", "interior", "overlap", "excluded"],
        kind=["corridor", "beyond", "interior", "overlap", "excluded"],
        forces=["federal + regional", "federal + regional", "federal", "federal + regional", ""],
        area_km2=[band.area / 1e6, 252.0, 36.0, 18.0, 49.0],
    )
    at = np.linspace(-59_000, 59_000, 60)
    transects = gdf(
        "transects",
        [
            shapely.LineString([(a + east, w + north), (a + east, -w + north)])
            for a, w in zip(at, width(at) / 2, strict=True)
        ],
        [f"T{i:03d}" for i in range(len(at))],
        corridor_id="C01",
        stretch_id=[ids[int(a + 60_000) // int(STRETCH_M)] for a in at],
        along_m=at + 60_000,
        width_m=width(at),
    )
    centrelines = gdf(
        "centrelines", [shapely.LineString([(x[0] + east, north), (x[-1] + east, north)])], ["C01"], length_km=120.0
    )
    spots = [(-50_000, 1_000), (-45_000, -1_000), (-42_000, 0), (-10_000, 500), (0, 25_000)]
    incidents = gdf(
        "incidents",
        [shapely.Point(a + east, b + north) for a, b in spots],
        [f"I{i}" for i in range(len(spots))],
        source="synthetic.csv",
        date_from=pd.to_datetime(["2021-03-04", "2020-01-01", "2019-05-06", "2018-07-08", "2018-07-09"]),
        date_to=pd.to_datetime(["2021-03-05", "2020-01-01", "2019-05-06", "2018-07-08", "2018-07-09"]),
        kind=["attack", "IED", "attack", "IED", "attack"],
        deaths_best=[1.0, np.nan, 0.0, 2.0, 0.0],
        location_precision=["near", "exact", "near", "area", "exact"],
        location_radius_m=[2_000.0, 100.0, 2_000.0, 5_000.0, 100.0],
        note=["first", "", "", "", ""],
        ground=["corridor"] * 4 + ["covered"],
        stretch_id=["C01.01", "C01.01", "C01.01", "C01.03", ""],
        source_row=range(1, 6),
    )
    places = gdf(
        "places",
        [shapely.Point(a + east, b + north) for a, b in [(-52_000, -2_000), (-25_000, 1_500), (30_000, 22_000)]],
        ["P1", "P2", "P3"],
        name=["Gwer", "مخمور", "Altun Kupri"],
        names=['["Gwer", "Guwair"]', '["Makhmour", "مخمور"]', "[]"],
        population=[4_000.0, np.nan, 150_000.0],
        ground=["corridor", "corridor", "covered"],
        stretch_id=["C01.01", "C01.02", ""],
        width_here_m=[8_000.0, 9_000.0, np.nan],
        nearest_zone_federal=["post 1", "post 2", "route 7"],
        distance_federal_m=[5_000.0, 4_000.0, 0.0],
        nearest_zone_regional=["post 4", "post 4", "post 5"],
        distance_regional_m=[3_000.0, 4_500.0, 20_000.0],
    )
    boundaries = gdf(
        "boundaries",
        [box(-80e3, -50e3, 80e3, 50e3), box(-80e3, -50e3, 0, 50e3)],
        ["B1", "B2"],
        layer=["adm0", "adm1"],
        name=["Country", "Province"],
        attribution="Made with Natural Earth.",
    )
    run = tables.conform(
        pd.DataFrame(
            {
                "title": "The seam, illustrative",
                "notice": "Illustrative: zones drawn by rule, incidents synthetic",
                "date": pd.Timestamp("2021-06-01"),
                "max_width_m": LIMIT_M,
                "parameters": json.dumps(
                    {"forces": {"federal": {"label": "Federal forces"}, "regional": {"label": "Regional forces"}}}
                ),
                "crs": crs.to_wkt(),
                "inputs": json.dumps(
                    [
                        {
                            "role": "zones",
                            "name": "federal.geojson",
                            "sha256": "ab" * 32,
                            "rows": 63,
                            "used": 61,
                            "set_aside": 2,
                            "repaired": 0,
                        }
                    ]
                ),
                "versions": json.dumps({"gapmap": "0.1.0", "python": "3.11"}),
                "created": "2021-06-01T00:00:00Z",
            },
            index=["run"],
        ),
        "run",
    )
    return {
        "cover": cover,
        "corridors": corridors,
        "stretches": stretches,
        "transects": transects,
        "centrelines": centrelines,
        "facets": facets,
        "ground": ground,
        "incidents": incidents,
        "places": places,
        "boundaries": boundaries,
        "run": run,
    }


def without_zones(analysis: FakeAnalysis) -> FakeAnalysis:
    """Return the analysis with no zone named anywhere, as a partner edition may be made of it."""
    for name in ("corridors", "stretches"):
        analysis = analysis.with_values(name, facing_a="", facing_b="")
    nearest = [column for column in analysis.table("places").columns if column.startswith("nearest_zone_")]
    return analysis.with_values("places", **dict.fromkeys(nearest, ""))
