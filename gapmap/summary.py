"""The figures that a planner asks for first.

In: the tables of an analysis, or of what was read. Out: plain values with units in their names, ready for JSON. Method: sums over
tables; each measuring line stands for its part of the middle line, each facet for its area.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gapmap import tables
from gapmap.corridors import find_corridors
from gapmap.formats import DECIMALS
from gapmap.styles import WIDTH_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gapmap.maps import MapSource

TOP = 5  # stretches in a ranking
_SPECK_M2 = 1.0  # what overlay leaves along edges


def summary(analysis: MapSource) -> dict[str, Any]:
    """Return the figures that a planner asks for first.

    Parameters
    ----------
    analysis : Analysis
        Computed or opened, or any object whose ``table(name)`` returns the tables of `gapmap.tables`.

    Returns
    -------
    dict
        Plain values that JSON can hold; units in the names. Counts of incidents and places are plain counts of coded
        positions.

    Raises
    ------
    GapmapError
        If a table cannot be read.
    """
    run = analysis.table("run").iloc[0]
    corridors, stretches = analysis.table("corridors"), analysis.table("stretches")
    incidents, places = analysis.table("incidents"), analysis.table("places")
    ground, set_aside = analysis.table("ground"), analysis.table("set_aside")
    return {
        "title": run["title"],
        "notice": run["notice"],
        "date": tables.iso_day(run["date"]),
        "max_width_km": run["max_width_m"] / 1000,
        "corridors": len(corridors),
        "pairs": len(corridors.groupby(["force_a", "force_b"])),
        "nearest_km": _apart_km(analysis.table("cover")) if corridors.empty else None,
        "taken_by": _taken_by(analysis) if corridors.empty else [],
        "length_km": round(float(corridors["length_km"].sum()), DECIMALS),
        "area_km2": corridor_km2(ground),
        "beyond_km": beyond_km(analysis),
        "ground_km2": {
            kind: round(float(area), DECIMALS)
            for kind, area in ground.groupby("kind", sort=True)["area_km2"].sum().items()
        },
        "widths": _width_classes(analysis, run["max_width_m"] / 1000),
        "incidents": len(incidents),
        "incidents_inside": int((incidents["stretch_id"] != "").sum()),
        "incidents_inside_certain": _certain(incidents, corridors),
        "incidents_outside_area": int((incidents["ground"] == "").sum()),
        "incidents_over": _incidents_over(incidents, tables.iso_day(run["date"])),
        "places": len(places),
        "places_inside": int((places["stretch_id"] != "").sum()),
        # Extremes lie in one spot, often at the limit; the mean says more of a stretch. The stretches of a corridor are
        # about equally long, so that length alone hardly ranks them.
        "widest": _ranking(stretches, ["width_mean_m"]),
        "longest": _ranking(stretches, ["length_km", "width_mean_m"]),
        "inputs": json.loads(run["inputs"]),
        "set_aside": count_reasons(set_aside.to_dict("records")),
    }


def _apart_km(cover: Any) -> float | None:  # noqa: ANN401 - a GeoDataFrame
    """Return how near the covers of two forces come to each other: without a corridor somebody asks why. None for one force."""
    pairs = combinations(cover.geometry, 2)
    return min((round(float(one.distance(other)) / 1000, 1) for one, other in pairs), default=None)


def _taken_by(analysis: MapSource) -> list[str]:
    """Say what took the corridors that the cover alone would give: excluded ground, the area of interest, both or neither."""
    ground, limit_m = analysis.table("ground"), float(analysis.table("run")["max_width_m"].iloc[0])
    taken = find_corridors(analysis.table("cover"), max_width_m=limit_m).corridors.union_all()
    parts = {
        "excluded": taken.intersection(ground[ground["kind"] == "excluded"].union_all()),
        "area of interest": taken.difference(ground.union_all()),
    }
    return [name for name, part in parts.items() if part.area > _SPECK_M2]


def _certain(incidents: Any, corridors: Any) -> int:  # noqa: ANN401 - GeoDataFrames
    """Count the incidents whose whole circle of uncertainty lies in corridors, in however many."""
    inside = incidents[incidents["stretch_id"] != ""]
    edge = shapely.boundary(corridors.union_all())
    shapely.prepare(edge)
    radius_m = inside["location_radius_m"].to_numpy(dtype=float)
    return int((shapely.distance(edge, inside.geometry.to_numpy()) >= radius_m).sum())


def _incidents_over(incidents: Any, day: str | None) -> str:  # noqa: ANN401 - a GeoDataFrame
    """Say over which gap the incidents are laid, "" where there are none."""
    if incidents.empty:
        return ""
    gap = f"the gap of {day}" if day else "the one gap of zones without dates"
    first, last = tables.iso_day(incidents["date_from"].min()), tables.iso_day(incidents["date_to"].max())
    span = f", {first} to {last}," if first and last else ""
    return f"All incidents{span} are laid over {gap}, whatever their own day."


def corridor_km2(ground: pd.DataFrame) -> float:
    """Return how much ground is corridor.

    Parameters
    ----------
    ground : DataFrame
        Table ``ground``.

    Returns
    -------
    float
        Square kilometres. Ground between several pairs of forces counts once, unlike in a sum over corridors.
    """
    return round(float(ground.loc[ground["kind"] == "corridor", "area_km2"].sum()), DECIMALS)


def rank(stretches: pd.DataFrame, columns: Sequence[str] = ("width_mean_m",)) -> pd.Index:
    """Return stretches from the first to the last by some of their measures, the largest first.

    Parameters
    ----------
    stretches : DataFrame
        Table ``stretches``, or another with its columns.
    columns : sequence of str
        Of the measures; a later one decides where an earlier one is the same.

    Returns
    -------
    Index
        Their ids. What is printed the same ranks the same, the id decides last: lengths are rounded as they are shown.
    """
    keys = stretches[list(columns)].round({"length_km": 1, "width_mean_m": 0})
    return keys.sort_values(list(columns), ascending=False, kind="stable").index


def beyond_km(analysis: MapSource) -> float:
    """Return how long the seam is where it is wider than the limit.

    Parameters
    ----------
    analysis : Analysis
        Computed or opened, or any object that hands out its tables.

    Returns
    -------
    float
        Kilometres of the middle line at twice the limit over the ground that is wider than the limit.

    Raises
    ------
    GapmapError
        If a table cannot be read.
    """
    ground, cover = analysis.table("ground"), analysis.table("cover")
    limit_m = float(analysis.table("run")["max_width_m"].iloc[0])
    beyond = ground[ground["kind"] == "beyond"]
    if beyond.empty:
        return 0.0
    wide = find_corridors(cover, max_width_m=2 * limit_m).centrelines
    return round(float(wide.intersection(beyond.union_all()).length.sum()) / 1000, DECIMALS)


def count_reasons(rows: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Count the rows that were set aside by file and reason.

    Parameters
    ----------
    rows : iterable of mapping
        Records of table ``set_aside``.

    Returns
    -------
    list of dict
        Source, reason, rows; in alphabetical order.
    """
    counts = Counter((str(row["source"]), str(row["reason"])) for row in rows)
    return [{"source": source, "reason": reason, "rows": counts[source, reason]} for source, reason in sorted(counts)]


def contents(zones: Any, incidents: Any, places: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - GeoDataFrames
    """Say what some tables hold: zones by force and kind, incidents by precision, places; with first and last day.

    Parameters
    ----------
    zones, incidents, places : GeoDataFrame
        Those tables; they may be empty.

    Returns
    -------
    list of dict
        What, rows, kinds, first, last.
    """
    found: list[dict[str, Any]] = []
    for force, held in zones.groupby("force", sort=True):
        kinds = held["kind"].value_counts().sort_index()
        days = [*held["valid_from"].dropna(), *held["valid_to"].dropna()]
        found.append(
            {
                "what": f"zones of {force}",
                "rows": len(held),
                "kinds": {str(kind): int(count) for kind, count in kinds.items()},
                "first": tables.iso_day(min(days)) if days else None,
                "last": tables.iso_day(max(days)) if days else None,
            }
        )
    if len(incidents):
        kinds = incidents["location_precision"].value_counts().sort_index()
        found.append(
            {
                "what": "incidents",
                "rows": len(incidents),
                "kinds": {str(kind): int(count) for kind, count in kinds.items()},
                "first": tables.iso_day(incidents["date_from"].min()),
                "last": tables.iso_day(incidents["date_to"].max()),
            }
        )
    if len(places):
        known = int(places["population"].notna().sum())
        kinds = {"with population": known, "without": len(places) - known}
        found.append({"what": "places", "rows": len(places), "kinds": kinds, "first": None, "last": None})
    return found


def _width_classes(analysis: MapSource, limit_km: float) -> list[dict[str, float]]:
    """Share out middle line (by its measuring lines) and ground (by its facets) to the classes of width."""
    corridors, transects = analysis.table("corridors"), analysis.table("transects")
    # Each measuring line stands for an equal part of its corridor; one too short to have any counts at its mean width.
    lines = transects.groupby("corridor_id").size().reindex(corridors.index, fill_value=0)
    parts = (corridors["length_km"] / lines.where(lines > 0)).reindex(transects["corridor_id"]).to_numpy()
    bare = corridors[lines == 0]
    width_m = np.concatenate([transects["width_m"].to_numpy(), bare["width_mean_m"].to_numpy()])
    length_km = np.concatenate([parts, bare["length_km"].to_numpy()])

    facets = analysis.table("facets")
    facet_width_m = (facets["width_start_m"] + facets["width_end_m"]).to_numpy() / 2
    edges = np.array(WIDTH_CLASSES) * limit_km * 1000
    count = len(edges) - 1

    def by_class(widths: Any, amounts: Any) -> pd.Series:  # noqa: ANN401 - numpy arrays
        # A width on the edge counts in the wider class, the limit itself in the last.
        classes = np.clip(np.searchsorted(edges, widths, side="right") - 1, 0, count - 1)
        return pd.Series(amounts).groupby(classes).sum().reindex(range(count), fill_value=0.0)

    lengths, areas = by_class(width_m, length_km), by_class(facet_width_m, facets.area.to_numpy() / 1e6)
    return [
        {
            "from_km": float(edges[i]) / 1000,
            "to_km": float(edges[i + 1]) / 1000,
            "length_km": round(float(lengths[i]), 1),
            "area_km2": round(float(areas[i]), 1),
        }
        for i in range(count)
    ]


def _ranking(stretches: Any, columns: list[str]) -> list[dict[str, Any]]:  # noqa: ANN401 - a GeoDataFrame
    top = stretches.loc[rank(stretches, columns)[:TOP]]
    return [
        {
            "stretch_id": str(stretch_id),
            "name": row["name"],
            "force_a": row["force_a"],
            "force_b": row["force_b"],
            "width_max_km": round(row["width_max_m"] / 1000, DECIMALS),
            "width_mean_km": round(row["width_mean_m"] / 1000, DECIMALS),
            "length_km": round(row["length_km"], DECIMALS),
            "incidents": int(row["incidents_count"]),
            "places": int(row["places"]),
        }
        for stretch_id, row in top.iterrows()
    ]
