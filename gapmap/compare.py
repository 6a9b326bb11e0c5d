"""Two analyses held against each other: which corridors opened, closed, widened, narrowed, split, merged, moved.

In: two analyses. Out: a table of corridors with what became of each, the ground gained and lost, the places whose state
changed. Method: corridors of the same two forces are the same where their ground overlaps, in one working CRS for both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gapmap.crs import WGS84, require_metric, working_crs
from gapmap.editions import mark_of
from gapmap.errors import CrsError, InputError
from gapmap.formats import DECIMALS
from gapmap.tables import require_result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Shapes = NDArray[np.object_]

STATES = ("opened", "closed", "split", "merged", "widened", "narrowed", "moved", "unchanged")
# What ground can have been, or have become, where it is not that corridor.
KINDS = ("covered", "corridor", "beyond", "other")
SAME_SHARE = 0.1  # of the smaller of two corridors: with as much ground in common they are one
CRUMB_SHARE = 0.01  # of the ground on its side: a smaller piece does not make a split or a merger
MOVED_SHARE = 0.5  # of the larger of gain and loss: the smaller is as much, so it moved
UNCHANGED_SHARE = 1e-3  # of the ground: what sampling and another working CRS can do
UNCHANGED_M2 = 10_000.0
_SLIVER_M2 = 1.0  # what overlay leaves along edges
_NOISE_M = 1e-4  # corridors whose vertices differ by no more are equal: far from a change they differ by rounding
_ACROSS_EVERY_M = 100.0  # along the middle line, what is left of a corridor is looked at so often
_TOUCH_SHARE = 0.01  # of a measuring line: less corridor on it is none
_SAME_PLACE_M = 10.0
_WORDS = ("title", "notice")  # keys of a scenario that change no figure
_COLUMNS = (
    *("state", "force_a", "force_b", "name", "before", "after"),
    *("area_before_km2", "area_after_km2", "length_before_km", "length_after_km"),
    *("width_mean_before_m", "width_mean_after_m", "width_max_before_m", "width_max_after_m"),
    *("gained_km2", "lost_km2", "gained_km", "lost_km", "geometry"),
)


class Source(Protocol):
    """An analysis, or anything else that hands out its tables."""

    def table(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame
        """Return a table of `gapmap.tables.COLUMNS`."""


@dataclass(frozen=True)
class Changes:
    """What :func:`find_changes` found, geometry in the working CRS that both have, or else one chosen for both.

    Attributes
    ----------
    corridors : GeoDataFrame of Polygon or MultiPolygon
        A row for each group of corridors that are the same, those that changed most first, ``change_id`` in the index:
        ``state`` (one of ``STATES``), ``force_a``, ``force_b``, ``name``, ``before`` and ``after`` (corridor ids, "; "
        between), and before and after ``area_km2``, ``length_km``, ``width_mean_m``, ``width_max_m``; ``gained_km2``,
        ``lost_km2``, ``gained_km``, ``lost_km``. The geometry is the ground of both.
    ground : GeoDataFrame of Polygon or MultiPolygon
        The ground gained and lost: ``change_id``, ``change`` (gained, lost), ``kind`` (one of ``KINDS``: what it was
        before where it is gained, what it is now where it is lost), ``area_km2``.
    places : GeoDataFrame of Point
        The places whose state changed, ``place_id`` in the index: ``name``, ``population``, and before and after
        ``kind``, ``forces`` (those that cover it, or between which it lies), ``corridor_id``, ``corridor``, ``width_m``.
    cover : DataFrame
        ``before_km2`` and ``after_km2`` by force.
    runs : DataFrame
        The runs: rows before and after, columns as in table ``run``.
    places_compared : int
        How many places are in both.
    """

    corridors: gpd.GeoDataFrame
    ground: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    cover: pd.DataFrame
    runs: pd.DataFrame
    places_compared: int

    def figures(self) -> dict[str, Any]:
        """Return all figures.

        Returns
        -------
        dict
            Plain values that JSON can hold; units in the names.

        Raises
        ------
        ValueError
            If the parameters or inputs in a row of table ``run`` are not JSON.
        """
        changed = self.corridors
        parts = self.ground.groupby(["change", "kind"])["area_km2"].sum()
        by_kind = {
            change: {kind: round(float(parts.get((change, kind), 0)), DECIMALS) for kind in KINDS}
            for change in ("gained", "lost")
        }
        return {
            "notice": "; ".join(dict.fromkeys(notice for notice in self.runs["notice"] if notice)),
            "edition": mark_of(self.runs)[1],
            "before": self._side("before"),
            "after": self._side("after"),
            "differences": differences(self.runs),
            "states": {state: int((changed["state"] == state).sum()) for state in STATES},
            **{
                f"{change}_{unit}": round(float(changed[f"{change}_{unit}"].sum()), DECIMALS)
                for change in ("gained", "lost")
                for unit in ("km2", "km")
            },
            "gained_from_km2": by_kind["gained"],
            "lost_to_km2": by_kind["lost"],
            "cover_km2": {
                str(force): {side: round(float(row[f"{side}_km2"]), DECIMALS) for side in ("before", "after")}
                for force, row in self.cover.iterrows()
            },
            "corridors": _records(changed),
            "places_compared": self.places_compared,
            "places": _records(self.places),
        }

    def _side(self, side: str) -> dict[str, Any]:
        run, changed = self.runs.loc[side], self.corridors
        return {
            "title": run["title"],
            "date": None if pd.isna(run["date"]) else f"{run['date']:%Y-%m-%d}",
            "max_width_km": run["max_width_m"] / 1000,
            "corridors": int((changed[side].str.count("; ") + (changed[side] != "")).sum()),
            "length_km": round(float(changed[f"length_{side}_km"].sum()), 1),
            "area_km2": round(float(changed[f"area_{side}_km2"].sum()), 1),
        }


def find_changes(before: Source, after: Source) -> Changes:
    """Compare two analyses.

    Parameters
    ----------
    before, after : Analysis
        Computed or opened, or any object whose ``table(name)`` returns the tables of `gapmap.tables`; read are run,
        cover, corridors, facets, ground (of kind beyond) and places.

    Returns
    -------
    Changes
        Corridors, ground, places and cover.

    Raises
    ------
    InputError
        If one is no analysis, or the two have no ground in common.
    CrsError
        If no working CRS is true to metres over both: they share little, and reach far apart.

    Notes
    -----
    The one rule, by overlap of ground. Two corridors are the same if they lie between the same two forces and have at
    least a tenth of the smaller in common; so groups form, of any number before and after. A group is *opened* if it has
    none before, *closed* if it has none after, *split* if it has more after, *merged* if it has fewer; pieces with less
    than a hundredth of the ground on their side do not count in this. Where it has as many as before, it is *unchanged*
    if the ground gained and the ground lost are each below a thousandth of it, or below a hectare; *moved* if the smaller
    of the two is at least half the larger; else *widened* if it gained more, *narrowed* if it lost more. So the two
    last words speak of ground; whether it is width or length that changed is in their columns.

    Turned round, gained and lost, opened and closed, split and merged, widened and narrowed change places. Gained less
    lost ground is the difference of the areas. Kilometres of middle line are lost where the corridor is gone from
    side to side, and gained where there was none: measuring lines of either corridor, every 100 m of its middle line, of
    which at most a hundredth lies on the other. The middle line may become longer or shorter without.

    A place is covered if it lies in a cover, else in a corridor, else beyond the limit, else on other ground (inside one
    force, open, left out, outside the area of interest). Places are compared where both analyses hold them: same id,
    at most 10 m apart.
    """
    require_result("before", before)
    require_result("after", after)
    crs = _common_crs(before, after)
    old, new = _Side.of(before, crs), _Side.of(after, crs)
    rows, parts = [], []
    for was, now in _groups(old, new):
        row, gained, lost = _change(old, new, was, now)
        rows.append(row)
        parts.append({"gained": _told_apart(gained, old), "lost": _told_apart(lost, new)})
    table = gpd.GeoDataFrame(rows, columns=_COLUMNS, geometry="geometry", crs=crs)
    changed = (table["gained_km2"] + table["lost_km2"]).round(6)
    area = table[["area_before_km2", "area_after_km2"]].max(axis=1).round(6)
    order = np.lexsort((table["after"], table["before"], -area, -changed))
    table = table.iloc[order]
    table.index = pd.Index([f"K{number:02d}" for number in range(1, len(table) + 1)], name="change_id", dtype="str")
    ground = [
        {"change_id": change_id, "change": change, "kind": kind, "area_km2": shape.area / 1e6, "geometry": shape}
        for change_id, number in zip(table.index, order, strict=True)
        for change, by_kind in parts[number].items()
        for kind, shape in by_kind.items()
    ]
    columns = ["change_id", "change", "kind", "area_km2", "geometry"]
    places, compared = _places(old, new)
    return Changes(
        corridors=table,
        ground=gpd.GeoDataFrame(ground, columns=columns, geometry="geometry", crs=crs),
        places=places,
        cover=pd.DataFrame({"before_km2": old.cover["area_km2"], "after_km2": new.cover["area_km2"]}).fillna(0.0),
        runs=pd.concat([before.table("run").iloc[[0]], after.table("run").iloc[[0]]]).set_axis(["before", "after"]),
        places_compared=compared,
    )


def differences(runs: pd.DataFrame) -> list[dict[str, str]]:
    """Say in what the questions differ that two results answer.

    Parameters
    ----------
    runs : DataFrame
        Two rows of table ``run``.

    Returns
    -------
    list of dict
        ``what``, ``before`` and ``after``, as text: every key of the scenario that differs ("forces.north.reach"), and
        every file whose content does.
    """
    before, after = (
        {
            **dict(flatten(json.loads(parameters))),
            **{f"content of {each['name']} ({each['role']})": each["sha256"][:8] for each in json.loads(inputs)},
        }
        for parameters, inputs in zip(runs["parameters"], runs["inputs"], strict=True)
    )
    keys = [key for key in {**before, **after} if key not in _WORDS and before.get(key) != after.get(key)]
    return [{"what": key, "before": before.get(key, "none"), "after": after.get(key, "none")} for key in keys]


def flatten(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values of nested tables under their full keys, as text.

    Parameters
    ----------
    tree : mapping
        Parameters of a scenario.
    above : str, optional
        What stands before each key.

    Yields
    ------
    tuple of str
        Key and value.

    Examples
    --------
    >>> list(flatten({"date": "2021-06-01", "forces": {"north": {"reach": "5 km"}}}))
    [('date', '2021-06-01'), ('forces.north.reach', '5 km')]
    """
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)


def _common_crs(before: Source, after: Source) -> pyproj.CRS:
    """Return the plane to measure in, whichever comes first; refuse results of two regions, with where they lie."""
    sides = (before, after)
    covers = [side.table("cover") for side in sides]
    # In degrees: the working CRS of one result may know nothing of where the other lies.
    areas = [shapely.box(*cover.to_crs(WGS84).total_bounds) for cover in covers]
    lines = []
    for side, result, area in zip(("before", "after"), sides, areas, strict=True):
        west, south, east, north = area.bounds
        title = result.table("run")["title"].iloc[0]
        lines.append(f"{side}, {title!r}: latitude {south:.2f} to {north:.2f}, longitude {west:.2f} to {east:.2f}")
    if not shapely.intersects(*areas):
        ends = shapely.get_coordinates(shapely.shortest_line(*areas))
        away_km = pyproj.Geod(ellps="WGS84").line_length(*ends.T) / 1000
        raise InputError(
            f"the two results are of regions some {away_km:.0f} km apart, so that there is nothing to compare"
            if away_km >= 1
            else "the two results are of regions that lie side by side, so that there is nothing to compare",
            problems=lines,
            hint="compare results of one region",
        )
    own, other = (pyproj.CRS.from_wkt(side.table("run")["crs"].iloc[0]) for side in sides)
    crs = own if own == other else working_crs(covers)
    try:
        return require_metric(*(cover.to_crs(crs) for cover in covers))
    except CrsError as error:
        share = shapely.intersection(*areas).area / min(area.area for area in areas)
        raise CrsError(
            "no plane is true to 0.1 % over both results: they share "
            f"{share:.0%} of the smaller one's region, and one reaches far beyond the other",
            problems=lines,
            hint="compare results of one region: run one of them without the zones that lie far from the other",
        ) from error


@dataclass(frozen=True)
class _Side:
    """What is compared of an analysis, in the common CRS."""

    corridors: gpd.GeoDataFrame
    facets: gpd.GeoDataFrame
    cover: gpd.GeoDataFrame
    beyond: gpd.GeoDataFrame
    places: gpd.GeoDataFrame

    @classmethod
    def of(cls, source: Source, crs: pyproj.CRS) -> _Side:
        ground = source.table("ground")
        return cls(
            corridors=source.table("corridors").to_crs(crs),
            facets=_reprojected(source.table("facets"), crs),
            cover=source.table("cover").to_crs(crs),
            beyond=ground[ground["kind"] == "beyond"].to_crs(crs),
            places=source.table("places").to_crs(crs),
        )

    def claims(self) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
        """Yield what tells kinds of ground apart, in the order in which they are told apart."""
        yield "covered", self.cover
        yield "corridor", self.corridors
        yield "beyond", self.beyond


def _groups(old: _Side, new: _Side) -> Iterator[tuple[Ints, Ints]]:
    """Yield the rows before and after of corridors that are the same."""
    was, now = (side.corridors.geometry.to_numpy() for side in (old, new))
    of = [list(zip(side.corridors["force_a"], side.corridors["force_b"], strict=True)) for side in (old, new)]
    i, j = shapely.STRtree(now).query(was, predicate="intersects")
    between = np.array([of[0][a] == of[1][b] for a, b in zip(i, j, strict=True)], dtype=bool)
    i, j = i[between], j[between]
    smaller = np.minimum(shapely.area(was[i]), shapely.area(now[j]))
    same = shapely.equals_exact(was[i], now[j], _NOISE_M)
    other = ~same
    same[other] = shapely.area(shapely.intersection(was[i[other]], now[j[other]])) >= SAME_SHARE * smaller[other]
    size = len(was) + len(now)
    links = coo_array((same[same], (i[same], j[same] + len(was))), shape=(size, size))
    number, group = connected_components(links, directed=False)
    for each in range(number):
        rows = np.flatnonzero(group == each)
        yield rows[rows < len(was)], rows[rows >= len(was)] - len(was)


def _change(old: _Side, new: _Side, was: Ints, now: Ints) -> tuple[dict[str, object], Any, Any]:
    """Return a row of the table for a group, and the ground gained and lost."""
    before, after = old.corridors.iloc[was], new.corridors.iloc[now]
    ground_before, ground_after = _united(before.geometry.to_numpy()), _united(after.geometry.to_numpy())
    gained, lost = _difference(ground_after, ground_before), _difference(ground_before, ground_after)
    shown = before if len(before) else after
    named = shown.loc[shown["area_km2"].idxmax()]
    row = {
        "state": _state(before["area_km2"].to_numpy(), after["area_km2"].to_numpy(), gained.area, lost.area),
        **{column: named[column] for column in ("force_a", "force_b", "name")},
        "before": "; ".join(before.index),
        "after": "; ".join(after.index),
        **{f"{name}_before_{unit}": value for (name, unit), value in _measures(before).items()},
        **{f"{name}_after_{unit}": value for (name, unit), value in _measures(after).items()},
        "gained_km2": gained.area / 1e6,
        "lost_km2": lost.area / 1e6,
        "gained_km": _lone_km(after, new.facets, gained, ground_before),
        "lost_km": _lone_km(before, old.facets, lost, ground_after),
        "geometry": ground_before if gained.is_empty else shapely.union(ground_before, gained),
    }
    return row, gained, lost


def _state(before_km2: Floats, after_km2: Floats, gained_m2: float, lost_m2: float) -> str:
    """Return what became of a group: the one rule of :func:`find_changes`."""
    if not len(before_km2) or not len(after_km2):
        return "closed" if len(before_km2) else "opened"
    pieces_before, pieces_after = (
        np.count_nonzero(areas >= CRUMB_SHARE * areas.sum()) for areas in (before_km2, after_km2)
    )
    if pieces_before != pieces_after:
        return "split" if pieces_after > pieces_before else "merged"
    smaller, larger = sorted((gained_m2, lost_m2))
    ground_m2 = 1e6 * max(before_km2.sum(), after_km2.sum())
    if larger < max(UNCHANGED_SHARE * ground_m2, UNCHANGED_M2):
        return "unchanged"
    if smaller >= MOVED_SHARE * larger:
        return "moved"
    return "widened" if gained_m2 > lost_m2 else "narrowed"


def _measures(corridors: gpd.GeoDataFrame) -> dict[tuple[str, str], float]:
    """Return area, length and widths of some corridors taken together; widths are NaN where there are none."""
    area = corridors["area_km2"]
    return {
        ("area", "km2"): float(area.sum()),
        ("length", "km"): float(corridors["length_km"].sum()),
        ("width_mean", "m"): float((corridors["width_mean_m"] * area).sum() / area.sum()) if len(area) else np.nan,
        ("width_max", "m"): float(corridors["width_max_m"].max()),
    }


def _lone_km(corridors: gpd.GeoDataFrame, facets: gpd.GeoDataFrame, lone: Any, ground: Any) -> float:  # noqa: ANN401 - shapely
    """Return the length of those corridors that is gone from side to side.

    Parameters
    ----------
    corridors : GeoDataFrame
        Some of one analysis.
    facets : GeoDataFrame
        Of that analysis.
    lone, ground : Polygon or MultiPolygon
        The part of the corridors that is not on some other ground, and that ground.
    """
    if lone.is_empty:
        return 0.0
    if ground.is_empty:
        return float(corridors["length_km"].sum())
    mine = facets[facets["corridor_id"].isin(corridors.index)]
    # Each facet stands for a part of its corridor's middle line: as long as its area over its width.
    owner = mine["corridor_id"]
    along_km = pd.Series(mine.area.to_numpy() / (mine["width_start_m"] + mine["width_end_m"]).to_numpy(), owner)
    along_km *= corridors["length_km"].reindex(owner) / along_km.groupby(level=0).sum().reindex(owner)
    near = mine.intersects(lone).to_numpy()
    mine, along = mine[near], along_km.to_numpy()[near]
    # Measuring lines between the two that end the facet.
    count = np.maximum(np.ceil(along * 1000 / _ACROSS_EVERY_M), 1).astype(np.int64)
    row = np.repeat(np.arange(len(mine)), count)
    share = (np.arange(len(row)) - (np.cumsum(count) - count)[row] + 0.5) / count[row]
    start, end = (
        np.stack([mine[[f"{end}_{side}_x", f"{end}_{side}_y"]] for side in "ab"], 1) for end in ("start", "end")
    )
    lines = shapely.linestrings(start[row] + share[:, None, None] * (end - start)[row])
    gone = shapely.length(shapely.intersection(lines, ground)) <= _TOUCH_SHARE * shapely.length(lines)
    return float((along / count)[row][gone].sum())


def _reprojected(facets: gpd.GeoDataFrame, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Return facets in another CRS, the ends of their spans too."""
    out = facets.to_crs(crs)
    if facets.crs != crs:
        transform = pyproj.Transformer.from_crs(facets.crs, crs, always_xy=True).transform
        for end in ("start_a", "start_b", "end_a", "end_b"):
            out[f"{end}_x"], out[f"{end}_y"] = transform(facets[f"{end}_x"], facets[f"{end}_y"])
    return out


def _told_apart(ground: Any, side: _Side) -> dict[str, Any]:  # noqa: ANN401 - shapely geometries
    """Part ground by what it is in an analysis."""
    found = {}
    for kind, claim in side.claims():
        if ground.is_empty:
            break
        near = claim.geometry.to_numpy()[claim.intersects(ground)]
        part = _polygons(shapely.intersection(ground, shapely.union_all(near)), least_m2=_SLIVER_M2)
        if not part.is_empty:
            found[kind] = part
            ground = _polygons(shapely.difference(ground, part))
    return found if ground.is_empty else {**found, "other": ground}


def _places(old: _Side, new: _Side) -> tuple[gpd.GeoDataFrame, int]:
    """Return the places whose state changed, and how many were compared."""
    both = old.places.index.intersection(new.places.index, sort=False)
    before, after = old.places.loc[both], new.places.loc[both]
    near = before.distance(after, align=False) <= _SAME_PLACE_M
    before, after = before[near], after[near]
    states = {"before": _states(before, old), "after": _states(after, new)}
    changed = (states["before"][["kind", "forces"]] != states["after"][["kind", "forces"]]).any(axis=1)
    columns = {
        f"{column}_{side}": state[column]
        for column in ("kind", "forces", "corridor_id", "corridor")
        for side, state in states.items()
    }
    widths = {"width_before_m": before["width_here_m"], "width_after_m": after["width_here_m"]}
    table = gpd.GeoDataFrame(
        {"name": before["name"], "population": before["population"], **columns, **widths},
        geometry=before.geometry,
        crs=before.crs,
    )
    return table[changed], len(before)


def _states(places: gpd.GeoDataFrame, side: _Side) -> pd.DataFrame:
    """Return for each place the kind of ground it lies on, the forces there, and its corridor."""
    spots = places.geometry
    state = pd.DataFrame({"kind": "other", "forces": "", "corridor_id": "", "corridor": ""}, index=places.index)
    for kind, claim in reversed(list(side.claims())):
        place, row = claim.sindex.query(spots.to_numpy(), predicate="intersects")
        hit = pd.Series(row, index=places.index[place]).groupby(level=0).agg(sorted)
        first = claim.iloc[[rows[0] for rows in hit]]
        state.loc[hit.index, ["kind", "forces", "corridor_id", "corridor"]] = ""
        state.loc[hit.index, "kind"] = kind
        if kind == "covered":
            state.loc[hit.index, "forces"] = [" + ".join(claim.index[rows]) for rows in hit]
        elif kind == "beyond":
            # Before an edge that several forces hold, ground between several pairs may come as one row or as a row each.
            among = [set(" + ".join(claim["forces"].iloc[rows]).split(" + ")) for rows in hit]
            state.loc[hit.index, "forces"] = [" + ".join(sorted(forces)) for forces in among]
        else:
            state.loc[hit.index, "forces"] = (first["force_a"] + " + " + first["force_b"]).to_numpy()
            state.loc[hit.index, "corridor_id"] = first.index.to_numpy()
            state.loc[hit.index, "corridor"] = first["name"].to_numpy()
    return state


def _united(shapes: Shapes) -> Any:  # noqa: ANN401 - shapely geometries
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)


def _difference(one: Any, other: Any) -> Any:  # noqa: ANN401 - shapely geometries
    """Return the ground in one that is not in the other; nothing at all where the two are equal."""
    return (
        shapely.MultiPolygon()
        if shapely.equals_exact(one, other, _NOISE_M)
        else _polygons(shapely.difference(one, other))
    )


def _polygons(shape: Any, *, least_m2: float = 0) -> Any:  # noqa: ANN401 - shapely geometries
    """Drop points and lines that overlay leaves where parts merely touch, and parts smaller than told."""
    parts = shapely.get_parts(shape)
    parts = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) >= least_m2)]  # noqa: PLR2004 - polygons
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _records(table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON objects, the id first, missing values null."""
    rows = pd.DataFrame(table.drop(columns="geometry")).reset_index()
    return json.loads(rows.to_json(orient="records", double_precision=DECIMALS))
