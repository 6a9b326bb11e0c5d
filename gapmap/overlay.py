"""What lies in a stretch, and who stands on either side of it.

In: the tables of the corridors, and zones, incidents and places in the same metric CRS. Out: new tables with the overlay
columns filled. Method: spatial indexes find the pairs; plain counts of coded positions, and beside them the counts
that hold whatever the uncertainty of the positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gapmap import tables
from gapmap.crs import require_metric
from gapmap.errors import InputError
from gapmap.widths import width_here

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMING_DISTANCE_M = 30_000.0  # a place further off than this says nothing about where a stretch ends
_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
_DECIMALS = 3  # distances are compared to the millimetre, so that ties do not hang on rounding noise


class CorridorTables(Protocol):
    """The tables the overlay lays over: :class:`gapmap.Corridors`, or anything that has them."""

    @property
    def corridors(self) -> gpd.GeoDataFrame:
        """Corridors, corridor_id in the index."""

    @property
    def stretches(self) -> gpd.GeoDataFrame:
        """Stretches, stretch_id in the index."""

    @property
    def transects(self) -> gpd.GeoDataFrame:
        """Transects, each from the cover of force_a to that of force_b."""

    @property
    def facets(self) -> gpd.GeoDataFrame:
        """Facets."""

    @property
    def ground(self) -> gpd.GeoDataFrame:
        """The area of interest by kind of ground."""


@dataclass(frozen=True)
class Overlay:
    """The tables that the overlay fills: new ones, in the working CRS.

    Parameters
    ----------
    corridors, stretches : GeoDataFrame
        With names, facing zones, incidents and places.
    transects : GeoDataFrame
        With ``facing_a`` and ``facing_b``.
    incidents, places : GeoDataFrame
        With the ground they lie on and their stretch; places also with the width there and each force's nearest zone.
    """

    corridors: gpd.GeoDataFrame
    stretches: gpd.GeoDataFrame
    transects: gpd.GeoDataFrame
    incidents: gpd.GeoDataFrame
    places: gpd.GeoDataFrame


def overlay(
    found: CorridorTables, *, zones: gpd.GeoDataFrame, incidents: gpd.GeoDataFrame, places: gpd.GeoDataFrame
) -> Overlay:
    """Lay zones, incidents and places over corridors.

    Parameters
    ----------
    found : Corridors
        What :func:`gapmap.find_corridors` returned, or any object with these tables.
    zones : GeoDataFrame
        The zones that made the cover, with ``force`` and ``reach_m`` filled; zone_id in the index.
    incidents, places : GeoDataFrame
        Points; columns as in ``tables.COLUMNS``, ids in the index. May be empty.

    Returns
    -------
    Overlay
        Corridors, stretches, transects, incidents and places with their overlay columns, in the order they came in.

    Raises
    ------
    CrsError
        If the tables differ in CRS, or it is not true to metres.
    InputError
        If a zone has no reach.
    """
    require_metric(found.stretches, zones, incidents, places)
    stretches, corridors = found.stretches, found.corridors
    transects = face(found.transects, corridors, zones)
    incidents = locate(incidents, ground=found.ground, stretches=stretches)
    places = locate(places, ground=found.ground, stretches=stretches)
    places["width_here_m"] = width_here(found.facets, places.geometry)
    for force, held in zones.groupby("force", sort=True):
        nearest = nearest_zones(places.geometry, held)
        places[f"nearest_zone_{force}"] = nearest["zone_id"]
        places[f"distance_{force}_m"] = nearest["distance_m"]
    named = name_stretches(stretches, transects, places)
    stretches = tally(_facing_lists(named, transects, "stretch_id"), incidents, places, by="stretch_id")
    named = name_corridors(corridors, transects, places)
    corridor_of = found.stretches["corridor_id"]
    corridors = tally(
        _facing_lists(named, transects, "corridor_id"),
        *(table.assign(corridor_id=_lookup(table["stretch_id"], corridor_of)) for table in (incidents, places)),
        by="corridor_id",
    )
    return Overlay(corridors, stretches, transects, incidents, places)


def nearest_zones(points: gpd.GeoSeries, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find for each point the zone whose cover is nearest.

    Parameters
    ----------
    points : GeoSeries
        Points in a metric CRS.
    zones : GeoDataFrame
        Zones in the same CRS, zone_id in the index, ``reach_m`` filled.

    Returns
    -------
    DataFrame
        With the index of ``points``: ``zone_id`` ("" where there are no zones) and ``distance_m``, the way in metres to
        the edge of that zone's cover, 0 inside it, NaN where there are no zones.

    Raises
    ------
    InputError
        If a zone has no reach.

    Notes
    -----
    Where several covers are equally near (a point inside two of them), the zone itself that is nearer counts, then
    the lower zone_id. Distances are to the true circle around a zone, not to its polygon.

    Examples
    --------
    >>> from shapely import Point
    >>> zones = gpd.GeoDataFrame(
    ...     {"reach_m": [1_000.0, 5_000.0]}, index=["near", "far"], geometry=[Point(3_000, 0), Point(-6_000, 0)]
    ... )
    >>> nearest_zones(gpd.GeoSeries([Point(0, 0)]), zones)
      zone_id  distance_m
    0     far      1000.0
    """
    reach = zones["reach_m"].to_numpy(dtype=float)
    if not np.isfinite(reach).all():
        missing = zones.index[~np.isfinite(reach)]
        raise InputError(f"{len(missing)} zones have no reach, the first is {missing[0]}", hint="give reach_m")
    zone_id = np.full(len(points), "", dtype=object)
    distance = np.full(len(points), np.nan)
    if len(points) and len(zones):
        shapes, spots = zones.geometry.to_numpy(), points.to_numpy()
        tree = zones.sindex
        # The zone nearest without reach bounds the answer; every better zone lies within that bound and the largest reach.
        spot_i, zone_i = tree.nearest(spots, return_all=False)
        bound = np.zeros(len(spots))
        bound[spot_i] = np.maximum(shapely.distance(spots[spot_i], shapes[zone_i]) - reach[zone_i], 0)
        spot_i, zone_i = tree.query(spots, predicate="dwithin", distance=bound + reach.max() + 1e-6)
        way = shapely.distance(spots[spot_i], shapes[zone_i])
        to_cover = np.maximum(way - reach[zone_i], 0).round(_DECIMALS)
        order = np.lexsort((_ranks(zones.index)[zone_i], way.round(_DECIMALS), to_cover, spot_i))
        first = order[np.unique(spot_i[order], return_index=True)[1]]
        zone_id[spot_i[first]] = zones.index.to_numpy()[zone_i[first]]
        distance[spot_i[first]] = to_cover[first]
    return pd.DataFrame({"zone_id": pd.Series(zone_id, points.index, dtype=tables.TEXT), "distance_m": distance})


def face(transects: gpd.GeoDataFrame, corridors: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Fill in which zone of either force each transect ends at.

    Parameters
    ----------
    transects : GeoDataFrame
        Lines from the cover of force_a to that of force_b, with ``corridor_id``.
    corridors : GeoDataFrame
        With ``force_a`` and ``force_b``.
    zones : GeoDataFrame
        With ``force`` and ``reach_m``.

    Returns
    -------
    GeoDataFrame
        The transects with ``facing_a`` and ``facing_b``: the zone_id whose cover is nearest to that end.

    Raises
    ------
    InputError
        If a zone has no reach.
    """
    out = transects.copy()
    for side, end in (("a", 0), ("b", -1)):
        part = shapely.get_geometry(transects.geometry.to_numpy(), end)  # the border can cut a transect in two
        ends = gpd.GeoSeries(shapely.get_point(part, end), transects.index, crs=transects.crs)
        forces = _lookup(transects["corridor_id"], corridors[f"force_{side}"])
        facing = pd.Series("", transects.index, dtype=tables.TEXT)
        for force, held in zones.groupby("force"):
            mine = forces == force
            facing[mine] = nearest_zones(ends[mine], held)["zone_id"]
        out[f"facing_{side}"] = facing
    return out


def locate(points: gpd.GeoDataFrame, *, ground: gpd.GeoDataFrame, stretches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Fill in the kind of ground that points lie on, and their stretch.

    Parameters
    ----------
    points : GeoDataFrame
        Points in the CRS of the other two.
    ground : GeoDataFrame
        Parts of the area of interest, with ``kind``.
    stretches : GeoDataFrame
        Parts of corridors.

    Returns
    -------
    GeoDataFrame
        The points with ``ground`` ("" outside the area of interest) and ``stretch_id`` ("" outside every corridor).
        A point on an edge counts once: for the corridor if it touches one, else for the lowest id.

    Raises
    ------
    CrsError
        If the tables differ in CRS, or it is not true to metres.
    """
    require_metric(points, ground, stretches)
    out = points.copy()
    out["stretch_id"] = _containing(points.geometry, stretches)
    kind = _lookup(_containing(points.geometry, ground), ground["kind"])
    out["ground"] = kind.mask(out["stretch_id"] != "", "corridor")
    return out


def tally(
    areas: gpd.GeoDataFrame,
    incidents: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    *,
    by: Literal["corridor_id", "stretch_id"],
) -> gpd.GeoDataFrame:
    """Count incidents and places by area.

    Parameters
    ----------
    areas : GeoDataFrame
        Corridors or stretches, ids in the index.
    incidents, places : GeoDataFrame
        Points with the area's id in column ``by``, "" for none.
    by : {"corridor_id", "stretch_id"}
        The column.

    Returns
    -------
    GeoDataFrame
        The areas with ``incidents_count`` (coded positions inside), ``incidents_certain`` (those whose whole circle of
        uncertainty lies inside), ``location_radius_median_m``, ``deaths_best`` and ``population`` (sums of what is
        known, NaN where nothing is), ``last_incident`` and ``places``.
    """
    out = areas.copy()
    inside = incidents[incidents[by].isin(areas.index)]
    edge = shapely.boundary(areas.geometry.loc[inside[by]].to_numpy())
    certain = shapely.distance(edge, inside.geometry.to_numpy()) >= inside["location_radius_m"].to_numpy(dtype=float)
    groups = inside.groupby(by)
    last = inside["date_to"].fillna(inside["date_from"])
    settled = places[places[by].isin(areas.index)].groupby(by)
    filled = {
        "incidents_count": groups.size(),
        "incidents_certain": inside[certain].groupby(by).size(),
        "location_radius_median_m": groups["location_radius_m"].median(),
        "deaths_best": groups["deaths_best"].sum(min_count=1),
        "last_incident": last.groupby(inside[by]).max(),
        "places": settled.size(),
        "population": settled["population"].sum(min_count=1),
    }
    for column, values in filled.items():
        dtype = tables.COLUMNS["stretches"][column]
        values = values.reindex(areas.index)  # noqa: PLW2901 - the same column, on the caller's index
        out[column] = (values.fillna(0) if dtype == tables.COUNT else values).astype(dtype)
    return out


def name_stretches(
    stretches: gpd.GeoDataFrame, transects: gpd.GeoDataFrame, places: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Name stretches after the places nearest to their two ends.

    Parameters
    ----------
    stretches : GeoDataFrame
        With ``corridor_id``, ``from_m`` and ``to_m``.
    transects : GeoDataFrame
        With ``corridor_id`` and ``along_m``; an end is the middle of the transect nearest to it along the seam.
    places : GeoDataFrame
        Points with ``name``.

    Returns
    -------
    GeoDataFrame
        The stretches with ``name``: "Gwer to Makhmour"; "near Makhmour, 14 km NW" (the middle, seen from the place)
        where both ends lie nearest to one place or only one end has a place within 30 km; "stretch C01.02" where neither
        has. No two are the same.
    """
    along = (stretches["from_m"], (stretches["from_m"] + stretches["to_m"]) / 2, stretches["to_m"])
    spots = [_middles_at(stretches["corridor_id"], at_m, transects) for at_m in along]
    return stretches.assign(name=_names(stretches, spots, places, fallback="stretch"))


def name_corridors(
    corridors: gpd.GeoDataFrame, transects: gpd.GeoDataFrame, places: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Name corridors after the places nearest to their two ends.

    Parameters
    ----------
    corridors : GeoDataFrame
        With corridor_id in the index.
    transects : GeoDataFrame
        With ``corridor_id`` and ``along_m``.
    places : GeoDataFrame
        Points with ``name``.

    Returns
    -------
    GeoDataFrame
        The corridors with ``name``, by the rule of :func:`name_stretches`.
    """
    seam = transects.groupby("corridor_id")["along_m"]
    along = [at_m.reindex(corridors.index).fillna(0.0) for at_m in (seam.min(), seam.mean(), seam.max())]
    spots = [_middles_at(corridors.index.to_series(), at_m, transects) for at_m in along]
    return corridors.assign(name=_names(corridors, spots, places, fallback="corridor"))


def _facing_lists(areas: gpd.GeoDataFrame, transects: gpd.GeoDataFrame, by: str) -> gpd.GeoDataFrame:
    """Fill in the zones that the transects of each area meet, in order along the seam."""
    out = areas.copy()
    along = transects.sort_values(["corridor_id", "along_m"], kind="stable")
    for side in ("facing_a", "facing_b"):
        met = along.loc[along[side] != "", [by, side]].drop_duplicates()
        lists = met.groupby(by)[side].agg("; ".join)
        out[side] = lists.reindex(areas.index).fillna("").astype(tables.TEXT)
    return out


def _containing(points: gpd.GeoSeries, areas: gpd.GeoDataFrame) -> pd.Series:
    """Return the id of the area that each point lies in or on, the lowest of several, "" for none."""
    # Points in the tree, areas as the query: shapely prepares the query's side, and a cover can have 100 000 vertices.
    area_i, point_i = points.sindex.query(areas.geometry.to_numpy(), predicate="intersects")
    best = np.full(len(points), len(areas))
    np.minimum.at(best, point_i, _ranks(areas.index)[area_i])
    ids = np.append(np.sort(areas.index.to_numpy(dtype=object)), "")
    return pd.Series(ids[best], points.index, dtype=tables.TEXT)


def _middles_at(corridor_id: pd.Series, at_m: pd.Series, transects: gpd.GeoDataFrame) -> np.ndarray:
    """Return the middle of the transect nearest to each spot along a seam, None where a corridor has none."""
    spots = pd.DataFrame({"corridor_id": corridor_id.array, "at": at_m.array, "row": range(len(at_m))})
    spots = spots.astype({"corridor_id": tables.TEXT, "at": tables.REAL})
    spans = pd.DataFrame(transects[["corridor_id", "along_m"]]).assign(
        middle=shapely.line_interpolate_point(transects.geometry.to_numpy(), 0.5, normalized=True)
    )
    met = pd.merge_asof(
        spots.sort_values("at"),
        spans.sort_values(["along_m", "corridor_id"]),
        left_on="at",
        right_on="along_m",
        by="corridor_id",
        direction="nearest",
    )
    return met.sort_values("row")["middle"].to_numpy(dtype=object, na_value=None)


def _nearest_places(points: np.ndarray, places: gpd.GeoDataFrame) -> np.ndarray:
    """Return the row number of the place nearest to each point within NAMING_DISTANCE_M, -1 for none; ties by id."""
    found = np.full(len(points), -1)
    known = np.flatnonzero(~shapely.is_missing(points))
    if len(known) and len(places):
        spot_i, place_i = places.sindex.nearest(points[known], return_all=True, max_distance=NAMING_DISTANCE_M)
        order = np.lexsort((_ranks(places.index)[place_i], spot_i))
        first = order[np.unique(spot_i[order], return_index=True)[1]]
        found[known[spot_i[first]]] = place_i[first]
    return found


def _names(
    areas: gpd.GeoDataFrame,
    spots: Sequence[np.ndarray],
    places: gpd.GeoDataFrame,
    *,
    fallback: str,
) -> pd.Series:
    """Name areas after the places nearest to their start, middle and end, and tell equal names apart."""
    named = places[places["name"] != ""]
    start, _, end = (_nearest_places(spot, named) for spot in spots)
    text = named["name"].tolist()
    raw = {}
    for row, area in enumerate(areas.index):  # tens of areas, each with its own wording
        first, last = start[row], end[row]
        if first < 0 and last < 0:
            raw[area] = f"{fallback} {area}"
        elif first >= 0 and last >= 0 and text[first] != text[last]:
            raw[area] = f"{text[first]} to {text[last]}"
        else:
            place = max(first, last) if first < 0 or last < 0 else first
            raw[area] = _beside(text[place], named.geometry.iloc[place], spots[1][row])
    names = pd.Series(raw, dtype=tables.TEXT).sort_index()
    count = names.groupby(names).cumcount() + 1
    return names.where(count == 1, names + " (" + count.astype(tables.TEXT) + ")").reindex(areas.index)


def _beside(name: str, place: shapely.Point, spot: shapely.Point) -> str:
    """Say where a spot lies as seen from a place: "near Makhmour, 14 km NW"."""
    east, north = spot.x - place.x, spot.y - place.y
    km = round(float(np.hypot(east, north)) / 1000)
    if km == 0:
        return f"near {name}"
    return f"near {name}, {km} km {compass(float(np.degrees(np.arctan2(east, north))))}"


def compass(bearing_deg: float) -> str:
    """Return a direction in the words of a compass.

    Parameters
    ----------
    bearing_deg : float
        Degrees clockwise from north.

    Returns
    -------
    str
        One of eight: N, NE, E, SE, S, SW, W, NW.

    Examples
    --------
    >>> compass(80), compass(-45), compass(359)
    ('E', 'NW', 'N')
    """
    return _COMPASS[round(bearing_deg / 45) % 8]


def _lookup(keys: pd.Series, values: pd.Series) -> pd.Series:
    """Return ``values`` at ``keys``, "" where there is none, on the index of ``keys``."""
    found = values.astype(object).reindex(keys.array)  # map would make numbers of no keys at all
    return found.where(found.notna(), "").astype(tables.TEXT).set_axis(keys.index).rename(keys.name)


def _ranks(index: pd.Index) -> np.ndarray:
    """Return the place of each id in sorted order."""
    return np.argsort(np.argsort(index.to_numpy(dtype=object), kind="stable"), kind="stable")
