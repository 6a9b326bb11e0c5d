"""Draw ``data/nineveh``: the illustrative zones and synthetic incidents of the demo scenario.

In: the rules below, one seed, the outline of Iraq and its places. Out: two GeoJSON files, a GeoPackage, an area of
interest and a CSV. Method: fronts set back from an invented seam by a smoothly varying distance; no report is used.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely
from scipy.interpolate import CubicSpline, PchipInterpolator

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPOSITORY = Path(__file__).resolve().parents[1]
BOUNDARIES = REPOSITORY / "data" / "boundaries" / "iraq.gpkg"
SEED = 20210601
NOTICE = "Illustrative: zones drawn by rule, incidents synthetic"
BUILD_DATE = "2026-11-22T00:00:00.000Z"  # written into the GeoPackage in place of the clock
DATE = date(2021, 6, 1)  # of the scenario
PLANE = pyproj.CRS.from_proj4("+proj=laea +lat_0=35.6 +lon_0=43.8 +datum=WGS84 +units=m +no_defs")

# The invented seam: round figures, joined by a cubic spline. Left of it (north and east) stands "regional".
SEAM = (
    (42.25, 36.85),
    (42.60, 36.60),
    (43.00, 36.60),
    (43.40, 36.45),
    (43.65, 36.15),
    (43.60, 35.85),
    (43.85, 35.60),
    (44.20, 35.65),
    (44.55, 35.50),
    (44.60, 35.15),
    (44.85, 34.90),
    (44.95, 34.60),
    (45.35, 34.40),
)

# (km along the seam, km between the two fronts there); below 0 the covers overlap, over 20 the gap is beyond the limit.
GAP = (
    (0, 7),
    (20, 12),
    (40, 16),
    (52, 24),
    (64, 30),
    (76, 31),
    (86, 24),
    (96, 15),
    (108, 10),
    (120, 5),
    (128, -4),
    (136, -4),
    (146, 6),
    (162, 12),
    (172, 5),
    (177, -3),
    (182, -3),
    (190, 7),
    (202, 14),
    (215, 16),
    (230, 9),
    (239, -3),
    (244, -3),
    (252, 9),
    (265, 27),
    (277, 30),
    (290, 29),
    (300, 17),
    (312, 7),
    (325, 5),
    (335, 9),
    (348, 17),
    (358, 26),
    (370, 30),
    (380, 25),
    (390, 13),
    (399, 6),
    (406, -4),
    (412, -4),
    (422, 6),
    (435, 12),
    (450, 9),
    (463, 5),
)
LOCAL_KM = (260.0, 300.0)  # where the third force stands, in the middle of the gap

SPACING_M = 6_500.0  # between neighbouring zones of a front
REACH_M = {"post": 5_000.0, "route": 2_000.0, "area": 0.0}  # as in scenario.toml
OWN_REACH_SHARE = 0.15  # of the zones of a front; the others have the reach of their kind
KINDS = ("post", "route", "area")
KIND_SHARES = (0.62, 0.22, 0.16)

# Isolated posts ahead of their own front: (force, km along the seam, km to the left of it, reach in m).
FORWARD = (
    ("federal", 70, -3.0, 3_000.0),
    ("federal", 100, -1.0, 3_000.0),
    ("federal", 434, -2.0, 3_000.0),
    ("regional", 30, 2.0, 3_000.0),
    ("regional", 220, 1.5, 3_000.0),
    ("regional", 368, 4.0, 3_000.0),
)
# Posts in the gap that do not count on the scenario's date: (valid from, valid to); the day of valid_to is out already.
PASSED = (
    ("2017-10-20", "2018-04-01"),
    ("2017-11-01", "2018-09-15"),
    ("2017-10-16", "2019-02-01"),
    ("2018-03-10", "2019-11-01"),
    ("2018-06-01", "2020-04-01"),
    ("2019-01-15", "2020-12-01"),
    ("2019-05-01", "2021-06-01"),
    (None, "2021-01-01"),
    ("2021-07-01", None),
    ("2021-09-15", "2021-12-31"),
)
REAR_KM = (35, 110, 175, 250, 330, 400, 445)  # second line, behind the front

INCIDENTS = 640
FIRST_DAY, LAST_DAY = date(2017, 10, 16), date(2021, 12, 31)
CLEAR_OF_PLACES_M = 2_000.0
# kind -> (share, how often civilians are the target, mean deaths)
INCIDENT_KINDS = {
    "attack": (0.26, 0.4, 0.9),
    "IED": (0.28, 0.3, 0.5),
    "shooting": (0.18, 0.5, 0.6),
    "kidnapping": (0.08, 0.9, 0.0),
    "arson of crops": (0.12, 1.0, 0.0),
    "other": (0.08, 0.3, 0.1),
}
PRECISION = {"exact": (0.45, 1), "near": (0.35, 5), "area": (0.20, 15)}  # share, radius in km


@dataclass(frozen=True)
class Curve:
    """A line in the plane with its own lengths, so that points can be set along it and beside it."""

    xy: NDArray[np.float64]
    along: NDArray[np.float64]

    @classmethod
    def through(cls, xy: NDArray[np.float64]) -> Curve:
        """Make a curve from dense points."""
        steps = np.hypot(*np.diff(xy, axis=0).T)
        return cls(xy, np.concatenate([[0.0], np.cumsum(steps)]))

    def beside(self, along: NDArray[np.float64] | float, left: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the points at some lengths along, so many metres to the left (right where negative)."""
        at = self._at(np.asarray(along))
        direction = self._at(np.asarray(along) + 500.0) - self._at(np.asarray(along) - 500.0)
        normal = (
            np.stack([-direction[..., 1], direction[..., 0]], axis=-1)
            / np.hypot(direction[..., 0], direction[..., 1])[..., None]
        )
        return np.asarray(at + normal * np.asarray(left)[..., None])

    def around(self, along: float, half: float, count: int) -> NDArray[np.float64]:
        """Return even lengths from so far before to so far after a place, within the line."""
        return np.linspace(max(along - half, 0.0), min(along + half, self.along[-1]), count)

    def _at(self, along: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([np.interp(along, self.along, self.xy[:, axis]) for axis in (0, 1)], axis=-1)


def main() -> None:
    """Draw everything and say how much."""
    parser = argparse.ArgumentParser(description="Draw the illustrative demo data afresh.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "data" / "nineveh", help="folder to write into")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    seam = _seam()
    zones = {"federal": _force(rng, seam, "federal", -1), "regional": _force(rng, seam, "regional", +1)}
    zones["local"] = _local(rng, seam)
    iraq = gpd.read_file(BOUNDARIES, layer="adm0").to_crs(PLANE).geometry[0]
    for force, table in zones.items():
        outside = table[~table.within(iraq)]
        if len(outside):
            raise SystemExit(f"{force}: zones outside Iraq: {', '.join(outside['name'])}")
        counts = table["kind"].value_counts()
        counted = sum(_counts_on(row, DATE) for _, row in table.iterrows())
        print(
            f"{force}: {len(table)} zones ({', '.join(f'{counts[kind]} {kind}s' for kind in KINDS)}), {counted} on {DATE}"
        )
    _write_geojson(zones["federal"], options.out / "federal.geojson")
    _write_geojson(zones["regional"], options.out / "regional.geojson")
    _write_geopackage(zones["local"], options.out / "local.gpkg")
    area = shapely.LineString(seam.xy).simplify(500).buffer(30_000, cap_style="flat")
    _write_geojson(
        gpd.GeoDataFrame({"name": ["Within 30 km of the invented seam"]}, geometry=[area], crs=PLANE),
        options.out / "area.geojson",
    )
    incidents = _incidents(rng, seam, iraq)
    incidents.to_csv(options.out / "incidents.csv", index=False, lineterminator="\n", encoding="utf-8")
    print(f"incidents: {len(incidents)}, seam {seam.along[-1] / 1e3:.0f} km")


def _seam() -> Curve:
    lon, lat = np.array(SEAM).T
    xy = np.column_stack(pyproj.Transformer.from_crs(4326, PLANE, always_xy=True).transform(lon, lat))
    knots = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    return Curve.through(CubicSpline(knots, xy)(np.linspace(0, knots[-1], 4_001)))


def _front(seam: Curve, side: int) -> Curve:
    """Return the line that a force's cover reaches on its side of the seam: left +1, right -1."""
    km, gap_km = np.array(GAP, dtype=float).T
    gap = PchipInterpolator(km, gap_km)(seam.along / 1e3) * 1e3
    # How much of the gap lies on the left swings slowly, so that the middle of the gap is not the seam itself.
    left_share = 0.5 + 0.12 * np.sin(seam.along / 31_000)
    offset = gap * (left_share if side > 0 else 1 - left_share)
    return Curve.through(seam.beside(seam.along, side * offset))


def _force(rng: np.random.Generator, seam: Curve, force: str, side: int) -> gpd.GeoDataFrame:
    front = _front(seam, side)
    slots = np.arange(SPACING_M / 2, front.along[-1], SPACING_M)
    slots = slots + rng.uniform(-400, 400, len(slots))
    kinds = rng.choice(KINDS, len(slots), p=KIND_SHARES)
    rows = [_zone(rng, front, slot, side, kind) for slot, kind in zip(slots, kinds, strict=True)]
    # Some of the front carries dates that include the scenario's: they change the picture of other years only.
    for row in rows[4::7]:
        row["valid_from"] = FIRST_DAY + timedelta(days=int(rng.integers(0, 900)))
    for row in rows[6::11]:
        row["valid_to"] = DATE + timedelta(days=int(rng.integers(60, 210)))
    rows += [
        _row("post", shapely.Point(seam.beside(km * 1e3, left_km * 1e3)), reach_m=reach_m)
        for owner, km, left_km, reach_m in FORWARD
        if owner == force
    ]
    # The passed posts stand 2 km ahead of the front, where a gap was open on the scenario's date.
    passed = np.linspace(0.03, 0.97, len(PASSED)) * front.along[-1] + side * 3_000
    for (valid_from, valid_to), slot in zip(PASSED, passed, strict=True):
        row = _row("post", shapely.Point(front.beside(slot, -side * 2_000.0)))
        row["valid_from"] = date.fromisoformat(valid_from) if valid_from else None
        row["valid_to"] = date.fromisoformat(valid_to) if valid_to else None
        rows.append(row)
    for km in REAR_KM:
        depth = side * rng.uniform(13_000, 17_000)
        rows.append(_row("post", shapely.Point(front.beside(km / 463 * front.along[-1], depth))))
    return _table(rows, force)


def _zone(rng: np.random.Generator, front: Curve, slot: float, side: int, kind: str) -> dict[str, object]:
    """Draw a zone whose cover reaches just up to the front at a place along it."""
    own = rng.random() < OWN_REACH_SHARE
    if kind == "post":
        reach = float(rng.choice([4_000, 6_000, 6_500, 8_000])) if own else REACH_M[kind]
        shape = shapely.Point(front.beside(slot, side * reach))
    elif kind == "route":
        reach = 3_000.0 if own else REACH_M[kind]
        steps = front.around(slot, 0.75 * SPACING_M, 9)
        shape = shapely.LineString(front.beside(steps, side * (reach + rng.uniform(0, 400, 9))))
    else:
        reach = float(rng.choice([500, 1_000])) if own else REACH_M[kind]
        near = front.around(slot, 0.75 * SPACING_M, 7)
        far = front.around(slot, 0.7 * SPACING_M, 6)[::-1]
        edge = front.beside(near, side * (reach + rng.uniform(0, 300, 7)))
        back = front.beside(far, side * (reach + rng.uniform(4_000, 6_000, 6)))
        # Where the front bends, its offsets may cross; the hull never does.
        shape = shapely.MultiPoint(np.concatenate([edge, back])).convex_hull
    return _row(kind, shape, reach_m=reach if own else None)


def _local(rng: np.random.Generator, seam: Curve) -> gpd.GeoDataFrame:
    """Draw the third force: posts and one route and one area along the middle of a wide gap."""
    start, end = (km * 1e3 for km in LOCAL_KM)
    slots = np.linspace(start + 3_000, end - 3_000, 7)
    rows = []
    for number, slot in enumerate(slots):
        left = rng.uniform(-600, 600)
        if number == 2:  # noqa: PLR2004 - the third place in the row holds the route
            steps = seam.around(slot, 5_000, 9)
            rows.append(_row("route", shapely.LineString(seam.beside(steps, left + rng.uniform(-300, 300, 9)))))
        elif number == 4:  # noqa: PLR2004 - and the fifth the area
            near, far = seam.around(slot, 4_500, 6), seam.around(slot, 4_000, 5)[::-1]
            ring = np.concatenate([seam.beside(near, left - 2_500), seam.beside(far, left + 2_500)])
            rows.append(_row("area", shapely.Polygon(ring), reach_m=500.0))
        else:
            rows.append(_row("post", shapely.Point(seam.beside(slot, left)), reach_m=4_000.0))
    rows[0]["valid_from"] = date(2018, 2, 1)
    passed = _row("post", shapely.Point(seam.beside(end + 6_000, 0.0)), reach_m=3_000.0)
    passed["valid_to"] = date(2020, 10, 1)
    return _table([*rows, passed], "local")


def _row(kind: str, shape: shapely.Geometry, *, reach_m: float | None = None) -> dict[str, object]:
    return {"kind": kind, "reach_m": reach_m, "valid_from": None, "valid_to": None, "geometry": shape}


def _table(rows: list[dict[str, object]], force: str) -> gpd.GeoDataFrame:
    letter = force[0].upper()
    names = [f"{str(row['kind']).title()} {letter}-{number:03d} (illustrative)" for number, row in enumerate(rows, 1)]
    table = gpd.GeoDataFrame(rows, geometry="geometry", crs=PLANE)
    table.insert(0, "name", names)
    return table.assign(notice=NOTICE)


def _counts_on(row: pd.Series, day: date) -> bool:
    return not (row["valid_from"] and row["valid_from"] > day) and not (row["valid_to"] and row["valid_to"] <= day)


def _write_geojson(table: gpd.GeoDataFrame, path: Path) -> None:
    """Write a line a feature, coordinates to 5 decimals (1 m), so that a change can be read in a diff."""
    shapes = shapely.set_precision(table.to_crs(4326).geometry.to_numpy(), 1e-5)
    features = []
    for (_, row), shape in zip(table.drop(columns="geometry").iterrows(), shapes, strict=True):
        properties = {key: None if pd.isna(value) else value for key, value in row.items()} | {"notice": NOTICE}
        feature = {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}
        features.append(json.dumps(_rounded(feature), default=str))
    head = f'{{"type": "FeatureCollection", "notice": {json.dumps(NOTICE)}, "features": [\n'
    path.write_text(head + ",\n".join(features) + "\n]}\n", encoding="utf-8", newline="\n")


def _rounded(value: object) -> object:
    """Round every number in a nest to 5 decimals: the grid of set_precision leaves tails such as 42.300000000000004."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _write_geopackage(table: gpd.GeoDataFrame, path: Path) -> None:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": BUILD_DATE})
    out = table.assign(**{column: pd.to_datetime(table[column]) for column in ("valid_from", "valid_to")}).to_crs(4326)
    out["geometry"] = shapely.set_precision(out.geometry.to_numpy(), 1e-5)
    path.unlink(missing_ok=True)
    out.to_file(path, layer="zones", driver="GPKG", engine="pyogrio", DESCRIPTION=NOTICE)


def _incidents(rng: np.random.Generator, seam: Curve, iraq: shapely.Geometry) -> pd.DataFrame:
    """Scatter incidents: most near the seam, some in clusters, the rest anywhere around; none at a place."""
    places = gpd.read_file(BOUNDARIES, layer="settlements").to_crs(PLANE).geometry
    shapely.prepare(iraq)
    near_places = places.buffer(CLEAR_OF_PLACES_M).union_all()
    length = seam.along[-1]
    clusters = rng.uniform(20_000, length - 20_000, 7)
    points: list[NDArray[np.float64]] = []
    while len(points) < INCIDENTS:
        draw = rng.random()
        if draw < 0.40:  # noqa: PLR2004 - along the seam
            along, left = rng.uniform(0, length), rng.normal(0, 6_000)
        elif draw < 0.65:  # noqa: PLR2004 - in a cluster on it
            along, left = rng.normal(rng.choice(clusters), 5_000), rng.normal(0, 4_000)
        elif draw < 0.85:  # noqa: PLR2004 - in the covers on both sides
            along, left = rng.uniform(0, length), rng.normal(0, 20_000)
        else:  # far off
            along, left = rng.uniform(0, length), rng.uniform(-70_000, 70_000)
        point = seam.beside(float(np.clip(along, 0, length)), left)
        if iraq.contains(shapely.Point(point)) and not near_places.contains(shapely.Point(point)):
            points.append(point)
    lon, lat = pyproj.Transformer.from_crs(PLANE, 4326, always_xy=True).transform(*np.array(points).T)
    days = np.sort(rng.integers(0, (LAST_DAY - FIRST_DAY).days + 1, INCIDENTS))
    kinds = rng.choice(list(INCIDENT_KINDS), INCIDENTS, p=[share for share, _, _ in INCIDENT_KINDS.values()])
    precision = rng.choice(list(PRECISION), INCIDENTS, p=[share for share, _ in PRECISION.values()])
    numbers = range(1, INCIDENTS + 1)
    return pd.DataFrame(
        {
            "id": [f"S-{number:04d}" for number in numbers],
            "date": [(FIRST_DAY + timedelta(days=int(day))).isoformat() for day in days],
            "lat": lat.round(4),
            "lon": lon.round(4),
            "kind": kinds,
            "deaths": rng.poisson([INCIDENT_KINDS[kind][2] for kind in kinds]),
            "civilians": (rng.random(INCIDENTS) < [INCIDENT_KINDS[kind][1] for kind in kinds]).astype(int),
            "precision": precision,
            "radius_km": [PRECISION[each][1] for each in precision],
            "note": [f"Synthetic incident {number:04d}" for number in numbers],
            "notice": "Illustrative: synthetic",
        }
    )


if __name__ == "__main__":
    main()
