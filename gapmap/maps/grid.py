"""The page of the public edition: the grid, and nothing but the grid.

In: a public edition. Out: figures and outlines of its cells for blocks of the page, in the form that `gapmap.js` reads
from any map. Method: what a map holds besides is there, and empty.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyproj

from gapmap import tables
from gapmap.editions import DELAY_DAYS, GAP_CLASSES_KM2, ISLAND_KM2
from gapmap.maps.languages import phrase
from gapmap.maps.layers import crs_parameters, rings_of_each, shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gapmap.editions import Edition


def grid_facts(made: Edition, *, headline: str, mark: str) -> dict[str, Any]:
    """Return figures and texts of the page.

    Parameters
    ----------
    made : Edition
        The public edition.
    headline : str
        The line under the title.
    mark : str
        The edition, in the language of the page.

    Returns
    -------
    dict
        Ready for JSON: what `gapmap.maps.layers.facts` returns, and ``grid``.
    """
    run = made.table("run").iloc[0]
    grid, counts = made.table("grid"), made.table("grid_incidents")
    cells: list[dict[str, Any]] = []
    for cell, low, shape in zip(grid.index, grid["gap_from_km2"], grid.geometry, strict=True):
        own = counts[counts["cell_id"] == cell].sort_values("year")
        years = [[int(year), int(count)] for year, count in zip(own["year"], own["incidents"], strict=True)]
        cells.append({"id": cell, "gap": GAP_CLASSES_KM2.index(low), "box": list(shape.bounds), "incidents": years})
    west, south, east, north = grid.total_bounds if cells else (-180.0, -60.0, 180.0, 60.0)
    # The page measures around the middle of what is published; the working CRS would tell the middle of the zones.
    middle = pyproj.CRS.from_proj4(
        f"+proj=laea +lat_0={(south + north) / 2:.1f} +lon_0={(west + east) / 2:.1f} +datum=WGS84 +units=m +no_defs"
    )
    return {
        "run": {
            "title": run["title"] or "gapmap",
            "notice": run["notice"],
            "edition": mark,
            "date": tables.iso_day(run["date"]),
            "headline": headline,
            "max_width_m": float(run["max_width_m"]),
            "crs": "",
            "reach": [],
            "inputs": [],
            "versions": json.loads(run["versions"] or "{}"),
            "created": run["created"],
            "attributions": [],
        },
        "grid": {
            "classes": [[low, high] for low, high in zip(GAP_CLASSES_KM2, [*GAP_CLASSES_KM2[1:], None], strict=True)],
            "cells": cells,
            "recipe": made.recipe,
        },
        "crs": crs_parameters(middle),
        "bounds": [[float(south), float(west)], [float(north), float(east)]],
        "incidents_shared": True,
        "points": None,
        **{name: [] for name in ("forces", "classes", "corridors", "stretches", "places", "relief")},
    }


def grid_shapes(made: Edition) -> dict[str, Any]:
    """Return the outlines of the cells of each class.

    Parameters
    ----------
    made : Edition
        The public edition.

    Returns
    -------
    dict
        Ready for JSON: what `gapmap.maps.layers.shapes` returns, and ``grid``.
    """
    grid = made.table("grid")
    by_class = [grid.geometry[grid["gap_from_km2"] == low] for low in GAP_CLASSES_KM2]
    drawn = [
        [polygon for cell in rings_of_each(cells, grid.crs, tolerance_m=0) for polygon in cell] for cells in by_class
    ]
    return {**shapes(made), "grid": drawn}


def grid_recipe(made: Edition, words: Mapping[str, str]) -> str:
    """Return by which rule the grid was made.

    Parameters
    ----------
    made : Edition
        The public edition.
    words : mapping of str to str
        The catalogue of the page's language.

    Returns
    -------
    str
        In English what the edition itself says, in other languages the same rule.
    """
    if words["_html"] == "en":
        return made.recipe
    low, high = (f"{edge:g}" for edge in GAP_CLASSES_KM2)
    rule = phrase(words["grid_recipe"], {"low": low, "high": high, "island": f"{ISLAND_KM2:g}"})
    return " ".join([rule, words["grid_withheld"], phrase(words["grid_delay"], {"days": str(DELAY_DAYS)})])


def grid_headline(made: Edition, words: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return what the grid says in one sentence.

    Parameters
    ----------
    made : Edition
        The public edition.
    words : mapping of str to str
        The catalogue of the page's language.

    Returns
    -------
    list of tuple
        Parts of the sentence in order, each a template and its values.
    """
    return [(words["head_grid"], {"n": str(len(made.table("grid")))}), (words["head_end"], {})]
