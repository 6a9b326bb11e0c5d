"""What zones cover.

In: zones with a reach, in any CRS. Out: one (multi)polygon a force, in the working CRS. Method: every segment of a zone is
buffered alone, all are united and put on a 0.01 m grid, so that the outline is nowhere short by 0.1 % of the reach (GEOS
simplifies a line before it buffers it whole, by up to 1 %).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap.crs import require_metric, working_crs
from gapmap.errors import CrsError, InputError, unknown
from gapmap.tables import ZONE_KINDS, conform, require_day, require_shapes

if TYPE_CHECKING:
    import datetime as dt

BUFFER_ERROR_MAX = 1e-3
GRID_M = 0.01
# A chord of a circle of radius r with q segments a quarter falls short of it by r * (1 - cos(pi / (4 q))).
QUAD_SEGS = math.ceil(math.pi / (4 * math.acos(1 - BUFFER_ERROR_MAX)))
SHORT_M = 50.0  # nobody's post reaches less: a plain 8 was meant as kilometres, and is metres
_AREA = 2  # dimension
_CONVEX = 1e-9  # by how much of its area a convex polygon may differ from its hull
_SHOWN = 20

Reach = float | Mapping[str, float | Mapping[str, float]]


def cover(
    zones: gpd.GeoDataFrame | Iterable[gpd.GeoDataFrame],
    *,
    reach_m: Reach | None = None,
    on: dt.date | None = None,
    crs: pyproj.CRS | Literal["laea", "utm"] | None = None,
) -> gpd.GeoDataFrame:
    """Unite each force's zones, grown by their reach.

    Parameters
    ----------
    zones : GeoDataFrame or iterable of GeoDataFrame
        Table ``zones``, any CRS (the same in all).
    reach_m : float or mapping, optional
        Metres for zones that have none of their own: one for all, or by kind (post, route, area), or by force, or by
        force and then kind.
    on : datetime.date, optional
        The day: zones count with ``valid_from <= on < valid_to``. Required where a zone carries dates.
    crs : pyproj.CRS or {"laea", "utm"}, optional
        The working CRS, projected, in metres. Without it a local equal-area one is chosen from all zones given.

    Returns
    -------
    GeoDataFrame
        A row a force in alphabetical order, ``force`` in the index, ``area_km2`` and a valid Polygon or MultiPolygon in
        the working CRS. ``attrs["set_aside"]`` holds the zones that do not count on the day, as records.

    Raises
    ------
    CrsError
        If a CRS is missing, two differ, `crs` is none of those, or lengths in the working CRS are off by more than 0.1 %
        over the zones.
    InputError
        If there are no zones, or what is given is no table of geopandas; a zone has no geometry, an empty one, or a
        coordinate that is no finite number; a zone carries dates and `on` is not given; a force has no zone that counts
        on the day; a zone has no reach; a post or route has the reach 0; a reach is negative, infinite or no number;
        `reach_m` names an unknown force or kind; `on` is no date.

    Notes
    -----
    Round caps and joins. The outline falls short of the true distance by less than 0.1 % of the reach, never beyond it by
    more than the grid, 0.01 m. Lines are straight in the working CRS between their vertices. Row order changes nothing.

    Examples
    --------
    >>> from shapely import Point
    >>> posts = gpd.GeoDataFrame({"force": ["b", "a"], "kind": "post"}, geometry=[Point(43, 36), Point(44, 35)], crs=4326)
    >>> cover(posts, reach_m=1_000)["area_km2"].round(2)
    force
    a    3.14
    b    3.14
    Name: area_km2, dtype: float64
    """
    table = _one_table(zones)
    target = crs if isinstance(crs, pyproj.CRS) else working_crs([table], kind=crs or "laea")
    counts = _valid_on(table, on)
    metric = table[counts].to_crs(target)
    require_metric(metric)
    reaches = _reaches(metric, reach_m)
    unions = {
        force: _union(metric.geometry[rows].to_numpy(), reaches[rows].to_numpy())
        for force, rows in sorted(metric.groupby("force").groups.items())
    }
    geometry = gpd.GeoSeries(list(unions.values()), index=pd.Index(list(unions)), crs=target)
    out = conform(gpd.GeoDataFrame({"area_km2": geometry.area / 1e6}, geometry=geometry), "cover")
    out.attrs["set_aside"] = _left_out(table[~counts], on)
    return out


def resolve(zones: gpd.GeoDataFrame, *, reach_m: Reach | None = None, on: dt.date | None = None) -> gpd.GeoDataFrame:
    """Return the zones that count on a day, each with its reach.

    Parameters
    ----------
    zones : GeoDataFrame
        Table ``zones``, any CRS.
    reach_m : float or mapping, optional
        Metres for zones that have none of their own, as in :func:`cover`.
    on : datetime.date, optional
        The day. Required where a zone carries dates.

    Returns
    -------
    GeoDataFrame
        Those rows with their index, ``reach_m`` filled. ``attrs["set_aside"]`` holds the others, as records.

    Raises
    ------
    InputError
        As :func:`cover`, for the zones, their dates and their reach.
    """
    table = _one_table(zones).set_axis(zones.index)
    counts = _valid_on(table, on)
    held = table[counts]
    out = conform(held.assign(reach_m=_reaches(held, reach_m)), "zones")
    out.attrs["set_aside"] = _left_out(table[~counts], on)
    return out


def doubt_short(reaches_m: Iterable[float]) -> str:
    """Ask whether kilometres were meant, where a reach is so short that it hardly can be meant in metres.

    Parameters
    ----------
    reaches_m : iterable of float
        Metres. 0 is no doubt: an area may be all that is covered.

    Returns
    -------
    str
        For the end of a sentence, about the longest of the short ones; "" where none is below 50 m.

    Examples
    --------
    >>> doubt_short([8.0, 5_000.0])
    'write "8 km" if kilometres were meant'
    """
    longest = max((each for each in reaches_m if 0 < each < SHORT_M), default=0.0)
    return f'write "{longest:g} km" if kilometres were meant' if longest else ""


def _left_out(zones: gpd.GeoDataFrame, on: dt.date | None) -> list[dict[str, object]]:
    return [
        {"source": str(source), "source_row": int(row), "reason": f"not valid on {on}"}
        for source, row in zones[["source", "source_row"]].itertuples(index=False)
    ]


def _one_table(zones: gpd.GeoDataFrame | Iterable[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    several = isinstance(zones, Iterable) and not isinstance(zones, str | pd.DataFrame)
    given: list[gpd.GeoDataFrame] = list(zones) if several else [zones]
    for table in given:
        require_shapes("zones", table)
    if len({table.crs for table in given}) > 1:
        raise CrsError("two CRS among the zones", hint="bring them to one: other.to_crs(zones.crs)")
    if not sum(len(table) for table in given):
        raise InputError("no zones, so nothing is covered")
    if missing := [name for name in ("force", "kind") if any(name not in table for table in given)]:
        raise InputError(f"the zones have no column {missing[0]!r}", hint="gapmap.read_zones gives the columns")
    # Ids repeat where tables were read one by one; inside, rows go by number. Geometries may be called otherwise in each.
    bare = [pd.DataFrame(table).drop(columns=table.active_geometry_name) for table in given]
    shapes = pd.concat([table.geometry for table in given], ignore_index=True)
    joined = gpd.GeoDataFrame(pd.concat(bare, ignore_index=True), geometry=shapes, crs=given[0].crs)
    joined.attrs = dict(given[0].attrs) if len(given) == 1 else {}
    _require_places(joined)
    return conform(joined, "zones").reset_index(drop=True)


def _require_places(zones: gpd.GeoDataFrame) -> None:
    """Refuse zones that lie nowhere: their force would cover less, in silence."""
    shapes = zones.geometry.to_numpy()
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    faults = {
        "no geometry": shapely.is_missing(shapes),
        "an empty geometry": shapely.is_empty(shapes),
        "a coordinate that is not a finite number": np.isin(
            np.arange(len(shapes)), owner[~np.isfinite(xy).all(axis=1)]
        ),
    }
    if any(rows.any() for rows in faults.values()):
        lines = [
            f"{zones['force'].iloc[row]}, zone {row + 1} of {len(zones)}: {fault}"
            for fault, rows in faults.items()
            for row in np.flatnonzero(rows)
        ]
        hint = "mend them, or leave them out: they cover nothing"
        raise InputError("zones that lie nowhere", problems=_first(lines), hint=hint)


def _first(lines: list[str]) -> list[str]:
    """Return some of the lines, and how many more there are."""
    more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]


def _valid_on(zones: gpd.GeoDataFrame, on: dt.date | None) -> pd.Series:
    start, end = zones["valid_from"], zones["valid_to"]
    dated = start.notna() | end.notna()
    if on is None:
        if dated.any():
            raise InputError(
                f"{_counted(zones, dated)} carry dates, and no day is given",
                hint="say for which day: date = 2021-06-01 in the scenario, --date 2021-06-01, or on=date(2021, 6, 1)",
            )
        return ~dated
    require_day("on", on)
    day = pd.Timestamp(on).normalize()
    counts = (start.isna() | (start <= day)) & (end.isna() | (day < end))
    if without := sorted(set(zones["force"]) - set(zones["force"][counts])):
        problems = [
            f"{force}: {(zones['force'] == force).sum()} zones, valid from {_span(zones[zones['force'] == force])}"
            for force in without
        ]
        raise InputError(f"no zone is valid on {day:%Y-%m-%d} for: {', '.join(without)}", problems=problems)
    return counts


def _counted(zones: gpd.GeoDataFrame, chosen: pd.Series) -> str:
    """Count some zones among all of their files, which are named first where the zones come from any."""
    files = set(zones["source"][chosen])
    names = ", ".join(sorted(files - {""}))
    return f"{names}{': ' if names else ''}{chosen.sum()} of {zones['source'].isin(files).sum()} zones"


def _span(zones: gpd.GeoDataFrame) -> str:
    first, last = zones["valid_from"].min(skipna=False), zones["valid_to"].max(skipna=False)
    return " to ".join("(open)" if pd.isna(day) else f"{day:%Y-%m-%d}" for day in (first, last))


def _reaches(zones: gpd.GeoDataFrame, reach_m: Reach | None) -> pd.Series:
    reaches = zones["reach_m"].copy()
    if isinstance(reach_m, Mapping):
        _check_names(reach_m, set(zones["force"]))
        for (force, kind), rows in zones.groupby(["force", "kind"]).groups.items():
            found = reach_m.get(kind, reach_m.get(force, np.nan))
            reach = found.get(kind, np.nan) if isinstance(found, Mapping) else found
            reaches[rows] = reaches[rows].fillna(_metres(reach))
    elif reach_m is not None:
        reaches = reaches.fillna(_metres(reach_m))
    flat = shapely.get_dimensions(zones.geometry.to_numpy()) < _AREA
    faults = {
        "no reach": reaches.isna().to_numpy(),
        "a reach below 0 or without end": ((reaches < 0) | np.isinf(reaches)).to_numpy(),
        "the reach 0, which covers nothing": flat & (reaches == 0).to_numpy(),
    }
    bad = np.logical_or.reduce([*faults.values()])
    if bad.any():
        # By place, for an index may hold a label twice.
        told = zones[["force", "source_row", "kind"]][bad].assign(place=np.flatnonzero(bad))
        told = told.sort_values(["force", "source_row"], kind="stable")
        lines = [
            f"{force}, row {row} ({kind}): {fault}"
            for force, row, kind, place in told.itertuples(index=False)
            for fault, rows in faults.items()
            if rows[place]
        ]
        raise InputError(
            f"{_counted(zones, pd.Series(bad, zones.index))} have no usable reach",
            problems=_first(lines),
            hint='reach = "5 km" under the force in the scenario, --reach "5 km", or a column reach_m in the file; '
            "areas may have 0",
        )
    return reaches


def _metres(reach: object) -> float:
    if not isinstance(reach, Real):
        raise InputError(f"reach_m holds {reach!r}, which is no number", hint="metres: reach_m=5_000 for 5 km")
    return float(reach)


def _check_names(reach_m: Mapping[str, object], forces: set[str]) -> None:
    known = forces | set(ZONE_KINDS)
    problems = [unknown("force or kind", name, known) for name in reach_m if name not in known]
    for value in reach_m.values():
        if isinstance(value, Mapping):
            problems += [unknown("kind", kind, ZONE_KINDS) for kind in value if kind not in ZONE_KINDS]
    if problems:
        raise InputError("reach_m names what is not there", problems=problems)


def _union(geometry: np.ndarray, reaches: np.ndarray) -> shapely.Geometry:
    """Unite zones grown by their reaches."""
    # In the order of their bytes, for rounding makes a union depend on the order of its parts.
    order = np.argsort(shapely.to_wkb(shapely.normalize(geometry)), kind="stable")
    geometry, reaches = geometry[order], reaches[order]
    areas = shapely.get_dimensions(geometry) == _AREA
    # GEOS simplifies away shallow notches only: points and convex polygons it buffers truly, and far faster whole.
    convex = areas & (shapely.area(shapely.convex_hull(geometry)) <= shapely.area(geometry) * (1 + _CONVEX))
    whole = (convex & (reaches > 0)) | (shapely.get_dimensions(geometry) == 0)
    split = ~whole & (reaches > 0)
    segments, owner = _segments(np.where(areas, shapely.boundary(geometry), geometry)[split])
    parts = [
        geometry[areas & ~whole],
        shapely.buffer(geometry[whole], reaches[whole], quad_segs=QUAD_SEGS),
        shapely.buffer(segments, reaches[split][owner], quad_segs=QUAD_SEGS),
    ]
    # United first and put on the grid after: ten times faster than uniting on the grid, and valid all the same.
    union = shapely.set_precision(shapely.union_all(np.concatenate(parts)), GRID_M)
    # The coordinates stay rounded, but the geometry forgets its grid: later work chooses its own.
    return shapely.normalize(shapely.set_precision(union, 0))


def _segments(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the straight pieces of lines, and the line each is from."""
    singles, owner = shapely.get_parts(lines, return_index=True)
    coordinates, single = shapely.get_coordinates(singles, return_index=True)
    joined = single[1:] == single[:-1]
    pairs = np.stack([coordinates[:-1][joined], coordinates[1:][joined]], axis=1)
    return shapely.linestrings(pairs), owner[single[:-1][joined]]
