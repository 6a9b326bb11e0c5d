"""``gapmap query`` beside a bare import of geopandas, on the demo and on a result of 100 000 stretches.

In: nothing, or the name of a file to keep the large result in. Out: processor time of whole commands as ratios to that of
``python -c "import geopandas"``. Method: the large result is made by rule (250 bands of 400 stretches, a million
incidents, 20 000 places with three spellings), saved as any other; command and import take turns, minima count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import gapmap
from gapmap import storage, tables
from gapmap.analysis import Analysis
from gapmap.cli import demo_scenario
from gapmap.crs import working_crs

BANDS, IN_BAND = 250, 400
LENGTH_M, APART_M = 1_750.0, 2_800.0
FACETS = 10  # a stretch
INCIDENTS, PLACES, ZONES = 1_000_000, 20_000, 5_000
ROUNDS = 5
QUESTIONS = {
    "at a point in a gap": ["at", "{gap}"],
    "at a point in cover": ["at", "{cover}"],
    "place, as it is spelt": ["place", "Tal 01234"],
    "place, by another spelling": ["place", "Taal-01234"],
    "incidents within 15 km": ["incidents", "--within", "15km-of {gap}", "--limit", "20"],
    "stretches within 15 km, by width": ["stretches", "--within", "15km-of {gap}", "--sort", "-width_max_m"],
    "stretches in an area": ["stretches", "--in-area", "District", "--min-width", "1km"],
    "stretches of 100 000 by width": ["stretches", "--min-width", "1.9km", "--limit", "20"],
    "incidents of a million by day": ["incidents", "--since", "2021-12-25", "--limit", "20"],
}


def large() -> Analysis:
    """Return a result of 100 000 stretches in a square of 700 km."""
    crs = working_crs([gpd.GeoSeries([shapely.Point(43.3, 36.2)], crs=4326)])
    random = np.random.default_rng(1)
    half_m = BANDS * APART_M / 2
    band, part = (each.ravel() for each in np.indices((BANDS, IN_BAND)))
    x0, y0 = part * LENGTH_M - half_m, (band + 0.5) * APART_M - half_m

    def width(x: Any) -> Any:  # noqa: ANN401 - arrays
        return 1_000 + 900 * np.sin(x / 7_000 + (y0 / 1_000)[:, None])

    x = x0[:, None] + np.arange(FACETS + 1) * (LENGTH_M / FACETS)
    wide = width(x)
    top, bottom = np.stack([x, y0[:, None] + wide / 2], axis=-1), np.stack([x, y0[:, None] - wide / 2], axis=-1)
    stretch_id = np.array([f"C{b + 1:03d}.{p + 1:03d}" for b, p in zip(band, part, strict=True)])
    corridor_id = np.array([f"C{b + 1:03d}" for b in band])
    forces = {"force_a": "federal", "force_b": "regional"}

    def table(kind: str, shapes: Any, index: Any, /, **columns: object) -> gpd.GeoDataFrame:  # noqa: ANN401 - arrays
        return tables.conform(gpd.GeoDataFrame(columns, index=index, geometry=shapes, crs=crs), kind)

    def middle(points: Any, step: slice) -> Any:  # noqa: ANN401 - arrays
        return points[:, step].reshape(-1, 2)

    first, second = slice(None, -1), slice(1, None)
    quads = np.stack([middle(each, step) for each, step in ((top, first), (top, second), (bottom, second), (bottom, first))], axis=1)  # fmt: skip
    spans = {
        f"{end}_{side}_{axis}": middle(points, step)[:, k]
        for end, step in (("start", first), ("end", second))
        for side, points in (("a", top), ("b", bottom))
        for k, axis in enumerate("xy")
    }
    shapes = shapely.polygons(np.concatenate([top, bottom[:, ::-1]], axis=1))
    measures = {
        "width_min_m": wide.min(axis=1),
        "width_mean_m": wide.mean(axis=1),
        "width_max_m": wide.max(axis=1),
        "length_km": LENGTH_M / 1_000,
        "area_km2": shapely.area(shapes) / 1e6,
    }
    stretches = table(
        "stretches", shapes, stretch_id, corridor_id=corridor_id, name=[f"Stretch {each}" for each in stretch_id],
        from_m=part * LENGTH_M, to_m=(part + 1) * LENGTH_M, **forces, **measures,
    )  # fmt: skip
    by_band = shapely.multipolygons(shapes, indices=band)
    corridors = table(
        "corridors", by_band, [f"C{b + 1:03d}" for b in range(BANDS)], name=[f"Band {b + 1}" for b in range(BANDS)],
        width_max_m=1_900.0, length_km=IN_BAND * LENGTH_M / 1_000, **forces,
    )  # fmt: skip
    north = shapely.box(-half_m, -half_m, half_m, half_m)
    gaps = shapely.multipolygons(shapes)
    ground = table(
        "ground", [gaps, north.difference(shapely.union_all(by_band))], ["G01", "G02"], kind=["corridor", "covered"],
        forces=["federal + regional", "federal"], area_km2=1.0,
    )  # fmt: skip

    def strewn(count: int) -> Any:  # noqa: ANN401 - an array
        return shapely.points(random.uniform(-half_m, half_m, (count, 2)))

    days = np.datetime64("2012-01-01") + random.integers(0, 3_652, INCIDENTS).astype("timedelta64[D]")
    near = random.integers(0, len(stretch_id), INCIDENTS)
    incidents = table(
        "incidents", strewn(INCIDENTS), pd.RangeIndex(INCIDENTS).astype(str), date_from=days, date_to=days,
        kind=random.choice(["attack", "IED", "shooting"], INCIDENTS), deaths_best=1.0, location_precision="near",
        location_radius_m=5_000.0, ground="corridor", stretch_id=stretch_id[near], source="made by rule",
    )  # fmt: skip
    places = table(
        "places", strewn(PLACES), [f"P{n:05d}" for n in range(PLACES)], name=[f"Tal {n:05d}" for n in range(PLACES)],
        names=[json.dumps([f"Tell {n:05d}", f"تل {n:05d}"]) for n in range(PLACES)],
        population=random.uniform(0, 1e5, PLACES),
    )  # fmt: skip
    zones = table(
        "zones", strewn(ZONES), [f"zone-{n:04d}" for n in range(ZONES)], force=["federal", "regional"] * (ZONES // 2),
        name="post", kind="post", reach_m=500.0,
    )  # fmt: skip
    district = shapely.box(-20_000, -20_000, 20_000, 20_000)
    run = {
        "title": "Made by rule", "max_width_m": 2_000.0, "parameters": "{}", "crs": crs.to_wkt(), "inputs": "[]",
        "versions": json.dumps({"format": storage.FORMAT, "gapmap": gapmap.__version__}),
        "created": "2021-06-01T00:00:00.000Z",
    }  # fmt: skip
    content = {
        **{name: tables.empty(name, crs) for name in tables.COLUMNS},
        "stretches": stretches,
        "corridors": corridors,
        "facets": table("facets", shapely.polygons(quads), pd.RangeIndex(len(quads)).astype(str),
            corridor_id=np.repeat(corridor_id, FACETS), stretch_id=np.repeat(stretch_id, FACETS),
            width_start_m=wide[:, first].ravel(), width_end_m=wide[:, second].ravel(), **spans),
        "ground": ground,
        "incidents": incidents,
        "places": places,
        "zones": zones,
        "cover": table("cover", [north, north], ["federal", "regional"], area_km2=1.0),
        "boundaries": table("boundaries", [district], ["B1"], layer="adm2", name="District"),
        "run": tables.conform(pd.DataFrame([run], index=["run"]), "run"),
    }  # fmt: skip
    return Analysis({name: storage.settle(each, name) for name, each in content.items()})


def seconds(command: list[str]) -> float:
    """Return the processor's time of a command; the package is compiled, as when it is installed."""
    compiled = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, env=compiled)  # noqa: S603 - our own command
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(name: str, result: Path, questions: dict[str, list[str]]) -> None:
    """Print the ratio of each question."""
    command = [sys.executable, "-c", "import sys; from gapmap.cli import main; sys.exit(main(sys.argv[1:]))", "query"]
    print(f"{name} ({result.stat().st_size / 1e6:.0f} MB)")
    for what, words in questions.items():
        asked = [*command, str(result), *words]
        seconds(asked)
        rounds = [(seconds(asked), seconds([sys.executable, "-c", "import geopandas"])) for _ in range(ROUNDS)]
        ours, base = (min(each) for each in zip(*rounds, strict=True))
        print(f"  {what:36}{ours / base:6.2f} x import geopandas")


def main() -> None:
    """Make both results and ask them."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "large.gpkg"
        if not kept.exists():
            large().save(kept)
        demo = gapmap.run(demo_scenario()).save(Path(folder) / "demo.gpkg")
        measure(
            "The demo",
            demo,
            {
                "at a point": ["at", "35.77, 43.58"],
                "place": ["place", "Makhmour"],
                "stretches by width": ["stretches", "--min-width", "10km"],
                "incidents within 15 km": ["incidents", "--within", "15km-of Makhmour"],
            },
        )
        result = gapmap.open(kept)
        spots = gpd.GeoSeries(shapely.points([[100, APART_M / 2], [100, 0]]), crs=result.crs).to_crs(4326)
        where = dict(zip(("gap", "cover"), (f"{spot.y:.6f}, {spot.x:.6f}" for spot in spots), strict=True))
        asked = {what: [word.format(**where) for word in words] for what, words in QUESTIONS.items()}
        measure("100 000 stretches, a million incidents", kept, asked)


if __name__ == "__main__":
    main()
