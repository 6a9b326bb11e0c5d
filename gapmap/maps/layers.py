"""From the tables of an analysis to what the page holds.

In: an analysis. Out: plain data for blocks of the page: figures and texts as they are in the tables, outlines for drawing
in whole 1e-5 degrees, facets in whole decimetres of the working CRS for the width at a point. Only what the page shows
is in it: no zones, no sources of incidents, no positions of incidents where the scenario shares counts alone.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyproj
import shapely

from gapmap import sorting, tables
from gapmap.errors import CrsError
from gapmap.maps.languages import phrase
from gapmap.names import fold
from gapmap.summary import beyond_km, rank
from gapmap.widths import widths_along

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from gapmap.compare import Changes

# Parts of the maximum width at which a class begins: 0, 2, 5, 10 and 15 km of 20.
_CLASS_EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
_DRAWING_TOLERANCE_M = 20.0  # a pixel at the zoom where a whole stretch fills the screen
_DEGREE = 1e5  # outlines in steps of about a metre
_METRE = 10  # facets in decimetres
_KINDS = ("overlap", "beyond", "interior", "excluded")
_SUMMARY_ROWS = 50
_SAME_AREA = 1e-6
_ARABIC = re.compile("[\u0600-\u06ff]")
_LATIN = re.compile("[A-Za-z\u00c0-\u02af]")
_BY_LETTER = re.compile("[A-Z]{3}|[a-z '`\u02b9-\u02bf-]+")
_KURDISH = re.compile("[\u06d5\u06ce\u06c6\u0695\u06b5\u06a4\u06a9\u06af\u067e\u0686\u0698]")


# The wordings of names that `gapmap.overlay.name_stretches` gives where it has no two places to name.
_NEAR = re.compile(r"near (.+?)(?:, (\d+) km ([NESW]{1,2}))?")
_OWN = re.compile(r"(stretch|corridor) (C[\d.]+)")
_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


class MapSource(Protocol):
    """What a map is made from: an analysis, or anything else that hands out its tables."""

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of `gapmap.tables.COLUMNS`."""


def facts(
    source: MapSource, *, words: Mapping[str, str], points: Mapping[str, Any] | None, headline: str, mark: str
) -> dict[str, Any]:
    """Return figures and texts of the page.

    Parameters
    ----------
    source : MapSource
        The analysis.
    words : mapping of str to str
        The catalogue of the page's language.
    points : mapping, optional
        What the page must know to read the packed incidents; None where there are none to show.
    headline : str
        The line under the title.
    mark : str
        The edition, in the language of the page.

    Returns
    -------
    dict
        Ready for JSON: run, forces, classes, crs, bounds, corridors, stretches, points, places, relief.

    Raises
    ------
    CrsError
        If the working CRS is neither a Lambert azimuthal equal-area nor a transverse Mercator.
    """
    run = source.table("run").iloc[0]
    parameters = json.loads(run["parameters"] or "{}")
    names = _zone_names(source.table("zones"))
    corridors, stretches = (_named(source.table(name), names) for name in ("corridors", "stretches"))
    say = speaker(source, words)
    places = _named(source.table("places"), names)
    cover = source.table("cover")
    labels = parameters.get("forces") or {}
    forces = [{"key": key, "label": str(_force(labels, key).get("label") or key)} for key in cover.index]
    called = {each["key"]: each["label"] for each in forces}
    limit = float(run["max_width_m"])
    # What is remarked of incidents names some by their ids, which are on a map only where its notes are.
    without_ids = points is not None and not points["notes"]
    crs = pyproj.CRS.from_wkt(run["crs"])
    return {
        "run": {
            "title": run["title"] or "gapmap",
            "notice": run["notice"],
            "edition": mark,
            "date": tables.iso_day(run["date"]),
            "headline": headline,
            "max_width_m": limit,
            "crs": _crs_words(crs),
            "computed": not source.table("ground").empty,
            "reach": _reach(labels, forces, words),
            "inputs": [
                {key: item.get(key) for key in ("role", "name", "sha256", "rows", "used", "set_aside", "repaired")}
                | {"force": called.get(str(item.get("force")), "")}
                | {"remarks": [] if item.get("role") == "incidents" and without_ids else item.get("remarks") or []}
                for item in json.loads(run["inputs"] or "[]")
            ],
            "versions": json.loads(run["versions"] or "{}"),
            "created": run["created"],
            "attributions": _attributions(source, run),
        },
        "forces": forces,
        "classes": [[a * limit, b * limit] for a, b in pairwise(_CLASS_EDGES)],
        "crs": crs_parameters(crs),
        "bounds": _bounds(cover),
        "corridors": _spoken(_records(corridors), say),
        "stretches": _spoken(_records(stretches), say),
        "points": points,
        "incidents_shared": shares_points(source),
        "places": _places(places, words["_html"]),
        "relief": [
            {
                "image": f"data:{row.media_type};base64,{row.image}",
                "bounds": [[row.south, row.west], [row.north, row.east]],
            }
            for row in source.table("relief").itertuples()
        ],
    }


def changed_facts(changes: Changes, say: Callable[[str], str]) -> dict[str, Any]:
    """Return what the page says about the changes against another result.

    Parameters
    ----------
    changes : Changes
        From :func:`gapmap.find_changes`.
    say : callable
        From :func:`speaker`.

    Returns
    -------
    dict
        Ready for JSON: the corridors that changed, each with the bounds of what changed; how many did not; the places.
    """
    rows = changes.corridors[changes.corridors["state"] != "unchanged"]
    parts = changes.ground[changes.ground["change_id"].isin(rows.index)]
    bounds = parts.geometry.to_crs(4326).bounds.groupby(parts["change_id"])
    low, high = bounds.min(), bounds.max()
    columns = ["state", "name", "area_before_km2", "area_after_km2", "gained_km2", "lost_km2"]
    corridors = [
        {
            **record,
            "bounds": [
                low.loc[record["id"], ["miny", "minx"]].tolist(),
                high.loc[record["id"], ["maxy", "maxx"]].tolist(),
            ],
        }
        for record in _records(rows[columns])
    ]
    places = changes.places[["name", "kind_before", "kind_after", "geometry"]]
    return {
        "corridors": _spoken(corridors, say),
        "unchanged": len(changes.corridors) - len(rows),
        "places": _spoken(_with_position(_records(places), places), say),
    }


def speaker(source: MapSource, words: Mapping[str, str]) -> Callable[[str], str]:
    """Return what says names of places, stretches and corridors in the words of a page.

    Parameters
    ----------
    source : MapSource
        The analysis.
    words : mapping of str to str
        The catalogue of the page's language.

    Returns
    -------
    callable
        From a name in a table to the name as readers of the language say it. Words of its own it finds only in what
        gapmap worded, around places that the analysis holds; any other name comes back as it is. Places written in
        letters of the other direction stand isolated (U+2068).
    """
    table, language = source.table("places"), words["_html"]
    # Letters of the other direction would take the figures beside them along.
    rtl = words["_direction"] == "rtl"
    foreign, start = (_LATIN, "\u200f") if rtl else (_ARABIC, "\u200e")
    spelt = {
        name: _in_language([name, *json.loads(names or "[]")], language)
        for name, names in zip(table["name"], table["names"], strict=True)
    }
    ways = dict(zip(_COMPASS, (way.replace("-", " ") for way in words["compass"].split(" ")), strict=True))

    def around(key: str, **names: str) -> str:
        apart = {each: f"\u2068{text}\u2069" if foreign.search(text) else text for each, text in names.items()}
        return phrase(words[key], apart) if apart == names else start + phrase(words[key], apart)

    def say(name: str) -> str:
        if name in spelt:
            return spelt[name]
        if again := re.fullmatch(r"(.+)( \(\d+\))", name):
            return say(again[1]) + again[2]
        if own := _OWN.fullmatch(name):
            return phrase(words[f"name_{own[1]}"], {"id": own[2]})
        near = _NEAR.fullmatch(name)
        if near and near[1] in spelt and near[3] is None:
            return around("name_near", place=spelt[near[1]])
        if near and near[1] in spelt and near[3] in ways:
            distance = phrase(words["km"], {"n": near[2]})
            return around("name_away", place=spelt[near[1]], distance=distance, direction=ways[near[3]])
        for middle in re.finditer(" to ", name):
            first, last = name[: middle.start()], name[middle.end() :]
            if first in spelt and last in spelt:
                return around("from_to", **{"from": spelt[first], "to": spelt[last]})
        return name

    return say


def changed_shapes(changes: Changes) -> dict[str, Any]:
    """Return outlines of changed corridors as they were, and of the ground gained and lost.

    Parameters
    ----------
    changes : Changes
        From :func:`gapmap.find_changes`.

    Returns
    -------
    dict
        Ready for JSON, as those of :func:`shapes`.
    """
    crs, ground = changes.ground.crs, changes.ground
    rows = changes.corridors[~changes.corridors["state"].isin(["unchanged", "opened"])]
    gained, lost = (ground[ground["change"] == change] for change in ("gained", "lost"))
    new = gained.dissolve("change_id").geometry.reindex(rows.index)
    before = rows.geometry.where(new.isna(), rows.difference(new, align=False))
    return {
        "before": _rings(before, crs),
        "gained": _rings(gained.geometry, crs),
        "lost": _rings(lost.geometry, crs),
    }


def shares_points(source: MapSource) -> bool:
    """Tell whether positions of incidents may be in the page, or counts alone.

    Parameters
    ----------
    source : MapSource
        The analysis.

    Returns
    -------
    bool
        What the scenario says; True where it says nothing.
    """
    return tables.shares_points(source.table("run"))


def find_headline(
    source: MapSource, words: Mapping[str, str], *, made: MapSource | None = None
) -> list[tuple[str, dict[str, str]]]:
    """Return what the result says in one sentence.

    Parameters
    ----------
    source : MapSource
        The analysis.
    words : mapping of str to str
        The catalogue of the page's language.
    made : MapSource, optional
        The edition of it that the page shows: rows that were not used are counted in the files that it names.

    Returns
    -------
    list of tuple
        Parts of the sentence in order, each a template and its values.
    """
    run = source.table("run").iloc[0]
    corridors, incidents, ground = source.table("corridors"), source.table("incidents"), source.table("ground")

    def km(value: str) -> str:
        return phrase(words["km"], {"n": value})

    limit = km(f"{float(run['max_width_m']) / 1000:g}")
    if corridors.empty:
        parts = [(words["head_corridors_none"], {"limit": limit})]
    else:
        key = "head_corridors_one" if len(corridors) == 1 else "head_corridors"
        length = km(f"{corridors['length_km'].sum():,.0f}")
        widest = km(f"{corridors['width_max_m'].max() / 1000:.1f}")
        parts = [(words[key], {"n": str(len(corridors)), "length": length, "widest": widest})]
    beyond = float(ground.loc[ground["kind"] == "beyond", "area_km2"].sum())
    if beyond:
        said = {"area": phrase(words["km2"], {"n": f"{beyond:,.0f}"}), "limit": limit}
        seam = f"{beyond_km(source):,.0f}"
        parts.append(
            (words["head_beyond"], said) if seam == "0" else (words["head_beyond_seam"], {**said, "length": km(seam)})
        )
    if len(incidents) and len(corridors):
        inside = {"inside": f"{(incidents['stretch_id'] != '').sum():,}", "all": f"{len(incidents):,}"}
        first = incidents["date_from"].min()
        if first != first:  # noqa: PLR0124 -- NaT: no incident carries a date
            parts.append((words["head_incidents"], inside))
        else:
            parts.append((words["head_incidents_since"], {**inside, "year": str(first.year)}))
    places = source.table("places")
    if len(places) and len(corridors):
        parts += places_said(places, words)
    stretches = source.table("stretches")
    if len(stretches):
        # The widest span lies at the limit in many; the mean ranks as in the summary.
        widest = rank(stretches)[0]
        name = speaker(source, words)(stretches["name"][widest]) or str(widest)
        parts.append((words["head_widest"], {"name": name}))
    inputs = json.loads((made or source).table("run").iloc[0]["inputs"] or "[]")
    if aside := sum(max(0, item.get("set_aside") or 0) for item in inputs):
        parts.append((words["head_aside_one" if aside == 1 else "head_aside"], {"n": f"{aside:,}"}))
    joined = [part for each in parts for part in (each, (words["head_joint"], {}))]
    return [*joined[:-1], (words["head_end"], {})]


def places_said(places: gpd.GeoDataFrame, words: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return how many places lie in corridors and, where any do, how many people are known in them.

    Parameters
    ----------
    places : GeoDataFrame
        All places.
    words : mapping of str to str
        The catalogue of the language.

    Returns
    -------
    list of tuple
        Parts of a sentence, each a template and its values.
    """
    inside = places[places["stretch_id"] != ""]
    said = [(words["head_places"], {"inside": f"{len(inside):,}", "all": f"{len(places):,}"})]
    if len(inside):
        known = inside["population"].sum(min_count=1)
        people = words["not_known"] if np.isnan(known) else f"{known:,.0f}"
        said.append((words["head_people"], {"people": people}))
    return said


def changes_headline(changes: Changes, words: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return in one sentence what changed.

    Parameters
    ----------
    changes : Changes
        From :func:`gapmap.find_changes`.
    words : mapping of str to str
        The catalogue of the page's language.

    Returns
    -------
    list of tuple
        Parts of the sentence in order, each a template and its values.
    """
    columns = {"before": "area_before_km2", "after": "area_after_km2", "gained": "gained_km2", "lost": "lost_km2"}
    sums = {name: f"{changes.corridors[column].sum():,.1f}" for name, column in columns.items()}
    return [
        (words["head_changes"], {name: phrase(words["km2"], {"n": text}) for name, text in sums.items()}),
        (words["head_end"], {}),
    ]


def written_day(day: str, words: Mapping[str, str]) -> str:
    """Return a day in words, as the page's script writes it.

    Parameters
    ----------
    day : str
        As YYYY-MM-DD.
    words : mapping of str to str
        The catalogue of the page's language.

    Returns
    -------
    str
        For instance "1 June 2021".
    """
    year, month, number = (int(part) for part in day.split("-"))
    return f"{number} {words['months'].split(' ')[month - 1].replace('-', ' ')} {year}"


def summary_rows(source: MapSource, words: Mapping[str, str]) -> tuple[list[str], list[list[str]]]:
    """Return the corridors in figures, for browsers that run no scripts.

    Parameters
    ----------
    source : MapSource
        The analysis.
    words : mapping of str to str
        The catalogue of the page's language.

    Returns
    -------
    list of str
        Headings.
    list of list of str
        Rows, the widest on average first as everywhere, at most 50.
    """
    heads = [words[key] for key in ("col_name", "width_mean_m", "width_max_m", "length_km", "incidents_count")]
    corridors = source.table("corridors")
    widest = corridors.loc[rank(corridors)[:_SUMMARY_ROWS]]
    km, say = words["km"], speaker(source, words)
    return heads, [
        [
            say(row["name"]) or str(index),
            *(phrase(km, {"n": f"{row[key] / 1000:.1f}"}) for key in ("width_mean_m", "width_max_m")),
            phrase(km, {"n": f"{row['length_km']:.1f}"}),
            str(row["incidents_count"]),
        ]
        for index, row in widest.iterrows()
    ]


def shapes(source: MapSource) -> dict[str, Any]:
    """Return outlines for drawing and facets for the width at a point.

    Parameters
    ----------
    source : MapSource
        The analysis.

    Returns
    -------
    dict
        Ready for JSON. Outlines are lists of rings or lines, each flat: first longitude and latitude, then differences.
    """
    facets, ground = source.table("facets"), source.table("ground")
    limit = float(source.table("run").iloc[0]["max_width_m"])
    boundaries, transects, stretches = source.table("boundaries"), source.table("transects"), source.table("stretches")
    covers = source.table("cover")
    bands = _bands(facets, limit, stretches.index)
    return {
        "cover": [_rings([shape], covers.crs) for shape in covers.geometry],
        "ground": {kind: _rings(ground.geometry[ground["kind"] == kind], ground.crs) for kind in _KINDS},
        "bands": [
            [stretch, number, rings]
            for (stretch, number, _), rings in zip(
                bands, rings_of_each([band for _, _, band in bands], facets.crs, tolerance_m=5), strict=True
            )
        ],
        "stretches": rings_of_each(stretches.geometry, stretches.crs, tolerance_m=5),
        "centrelines": _lines(source.table("centrelines").geometry, facets.crs),
        "transects": {
            "lines": [[line] for line in _lines(transects.geometry, transects.crs, tolerance_m=0)],
            "corridor": source.table("corridors").index.get_indexer(transects["corridor_id"]).tolist(),
            "width_m": transects["width_m"].round(1).tolist(),
        },
        "widths": _widths(widths_along(stretches, source.table("centrelines"), transects, facets), stretches.index),
        "boundaries": [
            {"layer": layer, "rows": len(rows), "lines": _lines([_outlines(rows.geometry.to_numpy())], boundaries.crs)}
            for layer, rows in boundaries.groupby("layer", sort=True)
        ],
        "facets": _facets(facets, stretches.index),
    }


def crs_parameters(crs: pyproj.CRS) -> dict[str, Any]:
    """Return what the page needs to project a longitude and latitude.

    Parameters
    ----------
    crs : pyproj.CRS
        The working CRS.

    Returns
    -------
    dict
        Kind ("laea" or "tmerc"), a and f of the ellipsoid, lat0 and lon0 in degrees, k0, x0 and y0 in metres.

    Raises
    ------
    CrsError
        If the CRS is neither a Lambert azimuthal equal-area nor a transverse Mercator.

    Examples
    --------
    >>> import pyproj
    >>> crs_parameters(pyproj.CRS.from_epsg(32638))["lon0"]
    45.0
    """
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    method = operation.method_name if operation else ""
    kind = {"Lambert Azimuthal Equal Area": "laea", "Transverse Mercator": "tmerc"}.get(method)
    if operation is None or ellipsoid is None or kind is None:
        raise CrsError(f"the map cannot measure in {crs.name} ({method})", hint='use crs = "laea" or crs = "utm"')
    values = {parameter.name: parameter.value for parameter in operation.params}
    return {
        "kind": kind,
        "a": ellipsoid.semi_major_metre,
        "f": 1 / ellipsoid.inverse_flattening,
        "lat0": values["Latitude of natural origin"],
        "lon0": values["Longitude of natural origin"],
        "k0": values.get("Scale factor at natural origin", 1.0),
        "x0": values["False easting"],
        "y0": values["False northing"],
    }


def _force(labels: object, key: str) -> Mapping[str, Any]:
    found = labels.get(key) if isinstance(labels, dict) else None
    return found if isinstance(found, dict) else {}


def _zone_names(zones: pd.DataFrame) -> dict[str, str]:
    return {str(zone): name or str(zone) for zone, name in zones["name"].items()}


def _named(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Write zones by name where the overlay wrote their ids, one or several with "; " between."""
    columns = [column for column in table.columns if column.startswith(("facing_", "nearest_zone_"))]
    spoken = {
        column: ["; ".join(names.get(zone, zone) for zone in str(cell).split("; ")) for cell in table[column]]
        for column in columns
    }
    return table.assign(**spoken)


def _attributions(source: MapSource, run: pd.Series) -> list[str]:
    said = [*source.table("boundaries")["attribution"], *source.table("relief")["attribution"]]
    said += [str(item.get("attribution") or "") for item in json.loads(run["inputs"] or "[]")]
    return sorted({f"{text.rstrip('.')}." for text in said if text})


def _crs_words(crs: pyproj.CRS) -> str:
    values = crs_parameters(crs)
    if values["kind"] == "tmerc":
        return crs.name
    return f"Lambert azimuthal equal-area, {values['lat0']:g} N {values['lon0']:g} E, WGS 84"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON objects: id, then every column that is no geometry; missing values null."""
    columns = [column for column in table.columns if column != "geometry"]
    values = {column: [_plain(value) for value in table[column]] for column in columns}
    return [
        {"id": str(index), **{column: values[column][row] for column in columns}}
        for row, index in enumerate(table.index)
    ]


def _spoken(rows: list[dict[str, Any]], say: Callable[[str], str]) -> list[dict[str, Any]]:
    """Add the name in the words of the page where it is another."""
    for row in rows:
        if (label := say(row["name"])) != row["name"]:
            row["label"] = label
    return rows


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    if value is None or value != value:  # noqa: PLR0124 -- NaN and NaT alone differ from themselves
        return None
    if hasattr(value, "isoformat"):
        return tables.iso_day(value)
    if isinstance(value, np.generic):
        value = value.item()
    return round(value, 4) if isinstance(value, float) else value


def _places(table: gpd.GeoDataFrame, language: str) -> list[dict[str, Any]]:
    rows = _with_position(_records(table), table)
    for row in rows:
        names = [row["name"], *json.loads(row["names"] or "[]")]
        row["label"] = _in_language(names, language)
        row["names"] = _other_spellings(names, row["label"], language)
    return rows


def _in_language(names: Sequence[str], language: str) -> str:
    """Return the first spelling that readers of a language use; the name itself for English and where none is held.

    Arabic and Kurdish share a script: letters that only Kurdish writes tell them apart. Gazetteers hold spellings half in
    Latin letters: those are nobody's.
    """
    if language == "en":
        return names[0]
    arabic = [name for name in names if name and _ARABIC.search(name) and not _LATIN.search(name)]
    own = [name for name in arabic if bool(_KURDISH.search(name)) == (language != "ar")]
    return next(iter([*own, *arabic, names[0]]))


def _other_spellings(names: Sequence[str], label: str, language: str) -> list[str]:
    """Return the spellings beside the label, those of the reader's language first, each once.

    Spellings that differ in marks and blanks alone are one: the search of the page takes them for the same. Last come what
    gazetteers made letter by letter ("aldwr"), codes ("EBL") and mixtures of scripts.
    """

    def place(name: str) -> int:
        arabic, latin = bool(_ARABIC.search(name)), bool(_LATIN.search(name))
        if (arabic and latin) or _BY_LETTER.fullmatch(name):
            return 4
        if not arabic:
            return (0 if language == "en" else 2) if latin else 3
        return 1 if language == "en" or bool(_KURDISH.search(name)) == (language == "ar") else 0

    once: dict[str, str] = {}
    for name in [label, *sorted(filter(None, names), key=place)]:
        once.setdefault(fold(name) or name, name)
    return list(once.values())[1:]


def _bounds(cover: gpd.GeoDataFrame) -> list[list[float]]:
    west, south, east, north = cover.to_crs(4326).total_bounds if len(cover) else (-180, -60, 180, 60)
    return [[float(south), float(west)], [float(north), float(east)]]


def _reach(labels: object, forces: Sequence[Mapping[str, str]], words: Mapping[str, str]) -> list[dict[str, str]]:
    """Return how far each force covers around its zones, as the scenario gives it."""
    out = []
    for force in forces:
        reach = _force(labels, force["key"]).get("reach")
        if isinstance(reach, dict):
            given = {kind: str(reach.get(kind, "-")) for kind in ("post", "route", "area")}
            reach = phrase(words["reach_kinds"], given)
        if reach:
            out.append({"label": force["label"], "text": str(reach)})
    return out


def _with_position(rows: list[dict[str, Any]], table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    points = table.geometry.to_crs(4326)
    for row, lon, lat in zip(rows, points.x, points.y, strict=True):
        row["lon"], row["lat"] = round(lon, 5), round(lat, 5)
    return rows


def _bands(facets: gpd.GeoDataFrame, limit_m: float, stretch_ids: pd.Index) -> list[tuple[int, int, shapely.Geometry]]:
    """Return the ground of each class of width in each stretch: facets joined, so that no hairlines show between them."""
    middle = (facets["width_start_m"] + facets["width_end_m"]) / 2
    edges = np.array(_CLASS_EDGES) * limit_m
    number = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, len(edges) - 2)
    stretch = stretch_ids.get_indexer(facets["stretch_id"])
    key = stretch * len(edges) + number
    order = sorting.argsort(key)
    starts = np.flatnonzero(np.diff(key[order], prepend=-(len(edges) ** 2)))
    # Corners a hair apart are the same corner.
    geometry = shapely.set_precision(facets.geometry.to_numpy(), 0.01, mode="pointwise")
    return [
        (int(stretch[rows[0]]), int(number[rows[0]]), _joined(geometry[rows]))
        for rows in np.split(order, starts[1:])
        if len(rows)
    ]


def _joined(facets: NDArray[np.object_]) -> shapely.Geometry:
    """Return the union of facets that lie side by side.

    Where they share their corners, as they mostly do, edges are matched, which is many times faster; else they are noded
    on a grid, which closes what rounding opens between neighbours.
    """
    try:
        joined = shapely.coverage_union_all(facets)
    except shapely.GEOSException:
        joined = None
    area = shapely.area(facets).sum()
    if joined is not None and joined.is_valid and abs(joined.area - area) <= _SAME_AREA * area:
        return joined
    return shapely.union_all(facets, grid_size=0.1)


def _rings(
    shapes: Iterable[shapely.Geometry], crs: pyproj.CRS, *, tolerance_m: float = _DRAWING_TOLERANCE_M
) -> list[Any]:
    """Return polygons, each a list of rings."""
    return [polygon for polygons in rings_of_each(shapes, crs, tolerance_m=tolerance_m) for polygon in polygons]


def rings_of_each(shapes: Iterable[shapely.Geometry], crs: pyproj.CRS, *, tolerance_m: float) -> list[list[Any]]:
    """Return for each shape its polygons, each a list of rings.

    Parameters
    ----------
    shapes : iterable of shapely.Geometry
        In ``crs``; what is no polygon is left out.
    crs : pyproj.CRS
        Of the shapes.
    tolerance_m : float
        How far outlines may be simplified.

    Returns
    -------
    list of list
        Ready for JSON; see `shapes`.
    """
    shapes = np.asarray(list(shapes), dtype=object)
    simple, within = shapely.get_parts(shapely.simplify(shapes, tolerance_m), return_index=True)
    parts, inner = shapely.get_parts(simple, return_index=True)
    kept = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    owner = within[inner[kept]]
    # Outer rings turn one way and holes the other, so that the page may fill many polygons as one path.
    rings, polygon = shapely.get_rings(shapely.orient_polygons(parts[kept]), return_index=True)
    polygons: list[list[Any]] = [[] for _ in owner]
    for number, flat in zip(polygon, _flat(rings, crs), strict=True):
        polygons[number].append(flat)
    found: list[list[Any]] = [[] for _ in shapes]
    for number, each in zip(owner, polygons, strict=True):
        found[number].append(each)
    return found


def _lines(
    shapes: Iterable[shapely.Geometry], crs: pyproj.CRS, *, tolerance_m: float = _DRAWING_TOLERANCE_M
) -> list[Any]:
    simple = shapely.simplify(np.asarray(list(shapes), dtype=object), tolerance_m)
    return _flat(shapely.get_parts(shapely.get_parts(simple)), crs)


def _outlines(shapes: NDArray[np.object_]) -> shapely.Geometry:
    """Return polygons as their edges, lines as they are; each once: drawn for both neighbours, dashes would close to a line."""
    lines = np.where(shapely.get_dimensions(shapes) > 1, shapely.boundary(shapes), shapes)
    return shapely.line_merge(shapely.union_all(lines))


def _flat(lines: NDArray[np.object_], crs: pyproj.CRS) -> list[list[int]]:
    """Return lines, each flat: first longitude and latitude in whole 1e-5 degrees, then differences."""
    at, owner = shapely.get_coordinates(lines, return_index=True)
    if not len(at):
        return [[] for _ in lines]
    whole = np.rint(np.column_stack(_to_degrees(crs).transform(*at.T)) * _DEGREE).astype("int64")
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    steps = np.diff(whole, axis=0, prepend=0)
    steps[starts] = whole[starts]
    return [part.ravel().tolist() for part in np.split(steps, starts[1:])]


@cache
def _to_degrees(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, 4326, always_xy=True)


def _facets(facets: gpd.GeoDataFrame, stretch_ids: pd.Index) -> dict[str, Any]:
    """Return facets as columns, in decimetres, outlines relative to their first corner.

    Spans mostly run from corner to corner of the outline: ``ends`` has which, and -1 where ``loose`` has the next end.
    """
    rows, parts = _exploded(facets.geometry.to_numpy())
    at, owner = shapely.get_coordinates(shapely.get_exterior_ring(parts), return_index=True)
    last = np.diff(owner, append=-1) != 0  # the corner that closes the ring
    whole, owner = np.rint(at[~last] * _METRE).astype("int64"), owner[~last]
    starts = np.diff(owner, prepend=-1) != 0
    first = whole[starts]
    chosen = facets.iloc[rows]
    names = [f"{end}_{side}_{axis}" for end in ("start", "end") for side in "ab" for axis in "xy"]
    spans = np.rint(chosen[names].to_numpy(dtype="float64") * _METRE).astype("int64").reshape(-1, 4, 2)
    count = np.bincount(owner, minlength=len(parts))
    begin = np.cumsum(count) - count
    ends = np.full(spans.shape[:2], -1)
    for k in range(int(count.max(initial=0))):  # tens of corners
        some = np.flatnonzero(count > k)
        met = (spans[some] == whole[begin[some] + k][:, None]).all(axis=2)
        ends[some] = np.where(met & (ends[some] < 0), k, ends[some])
    return {
        "count": count.tolist(),
        "first": np.diff(first, axis=0, prepend=np.zeros((1, 2), dtype="int64")).ravel().tolist(),
        "corners": np.diff(whole, axis=0, prepend=0)[~starts].ravel().tolist(),
        "ends": ends.ravel().tolist(),
        "loose": (spans - first[:, None])[ends < 0].ravel().tolist(),
        "width_start": np.rint(chosen["width_start_m"].to_numpy() * _METRE).astype("int64").tolist(),
        "width_end": np.rint(chosen["width_end_m"].to_numpy() * _METRE).astype("int64").tolist(),
        "stretch": stretch_ids.get_indexer(chosen["stretch_id"]).tolist(),
    }


def _widths(along: pd.DataFrame, stretch_ids: pd.Index) -> list[list[list[float]]]:
    """Return for each stretch the places along the middle line and the widths there."""
    stretch = stretch_ids.get_indexer(along["stretch_id"])
    figures = along[["along_m", "width_m"]].round(1).to_numpy()
    starts = np.searchsorted(stretch, np.arange(1, len(stretch_ids)))
    return [part.T.tolist() for part in np.split(figures, starts)] if len(stretch_ids) else []


def _exploded(polygons: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    parts, rows = shapely.get_parts(polygons, return_index=True)
    kept = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    return rows[kept], parts[kept]
