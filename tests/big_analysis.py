"""A large analysis made by rule, for the tests and benchmarks of the map: bands between two forces, many incidents."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gapmap import tables
from tests.fake_analysis import LAEA, FakeAnalysis, fake_analysis

_PER_BAND = 50
_FACETS = 59  # a stretch has 120 corners
_STRETCH_M = 10_000.0


def big_analysis(stretches: int, incidents: int, places: int = 0) -> FakeAnalysis:
    number = np.arange(stretches)
    band, part = number // _PER_BAND, number % _PER_BAND
    step = _STRETCH_M / _FACETS
    across = 45_000 if stretches <= 1_000 else 7_500
    top = 10_000 if stretches <= 1_000 else 3_000

    def edge(x: np.ndarray, row: np.ndarray, side: int) -> np.ndarray:
        half = (top - 0.999 * top * np.cos(x / 12_000 + row)) / 2 * (2 if stretches <= 1_000 else 1) / 2
        return np.stack([x - 250_000, row * across + side * half - band.max() * across / 2], axis=-1)

    start = part[:, None] * _STRETCH_M + np.arange(_FACETS)[None, :] * step
    row = np.broadcast_to(band[:, None], start.shape)
    a0, a1 = edge(start, row, 1), edge(start + step, row, 1)
    b0, b1 = edge(start, row, -1), edge(start + step, row, -1)
    ids = [f"C{b + 1:03d}.{p + 1:02d}" for b, p in zip(band, part, strict=True)]
    corridor = [f"C{b + 1:03d}" for b in band]
    quads = shapely.polygons(np.stack([a0, a1, b1, b0], axis=2).reshape(-1, 4, 2))
    width0, width1 = (a0 - b0)[..., 1], (a1 - b1)[..., 1]
    flat = {
        f"{end}_{side}_{axis}": values.reshape(-1, 2)[:, k]
        for end, side, values in (("start", "a", a0), ("start", "b", b0), ("end", "a", a1), ("end", "b", b1))
        for k, axis in enumerate("xy")
    }
    facets = gpd.GeoDataFrame(
        {
            "corridor_id": np.repeat(corridor, _FACETS),
            "stretch_id": np.repeat(ids, _FACETS),
            "width_start_m": width0.ravel(),
            "width_end_m": width1.ravel(),
            **flat,
        },
        geometry=quads,
        crs=LAEA,
        index=[f"F{n}" for n in range(len(quads))],
    )
    rings = np.concatenate([a0, a1[:, -1:], b1[:, -1:], b0[:, ::-1]], axis=1)
    measures = {
        "force_a": "federal",
        "force_b": "regional",
        "width_min_m": width0.min(axis=1),
        "width_mean_m": width0.mean(axis=1),
        "width_max_m": width0.max(axis=1),
        "length_km": _STRETCH_M / 1000,
        "area_km2": 50.0,
    }
    table = gpd.GeoDataFrame(
        {
            "corridor_id": corridor,
            "name": [f"Stretch {n:04d}" for n in number],
            "from_m": part * _STRETCH_M,
            **measures,
        },
        geometry=shapely.polygons(rings),
        crs=LAEA,
        index=ids,
    )
    table["to_m"] = table["from_m"] + _STRETCH_M
    whole = table.dissolve("corridor_id", aggfunc={"force_a": "first", "force_b": "first", "width_max_m": "max"})
    random = np.random.default_rng(1)
    west, south, east, north = table.total_bounds
    nests = random.uniform([west, south], [east, north], (60, 2))
    at = nests[random.integers(0, 60, incidents)] + random.normal(0, 15_000, (incidents, 2))
    day = np.datetime64("2012-01-01") + random.integers(0, 3_650, incidents).astype("timedelta64[D]")
    happened = gpd.GeoDataFrame(
        {
            "date_from": day,
            "date_to": day,
            "kind": random.choice(["attack", "IED", "shooting", "other"], incidents),
            "deaths_best": random.poisson(0.7, incidents).astype(float),
            "civilians": random.integers(0, 2, incidents).astype(float),
            "location_precision": random.choice(["exact", "near", "area"], incidents),
            "note": "",
            "ground": "open",
        },
        geometry=gpd.points_from_xy(at[:, 0], at[:, 1]),
        crs=LAEA,
        index=pd.RangeIndex(incidents).astype(str),
    )
    home = random.uniform([west, south], [east, north], (places, 2))
    settled = gpd.GeoDataFrame(
        {"name": [f"Place {n}" for n in range(places)], "names": "[]", "population": random.uniform(0, 1e5, places)},
        geometry=gpd.points_from_xy(home[:, 0], home[:, 1]),
        crs=LAEA,
        index=[f"P{n}" for n in range(places)],
    )
    region = shapely.box(west, south, east, north)
    cover = gpd.GeoDataFrame({"area_km2": 1.0}, geometry=[region, region], crs=LAEA, index=["federal", "regional"])
    made = {"facets": facets, "stretches": table, "corridors": whole, "incidents": happened, "places": settled}
    parts = {name: tables.conform(each, name) for name, each in {**made, "cover": cover}.items()}
    return FakeAnalysis({**parts, "run": fake_analysis().table("run").assign(notice="")})
