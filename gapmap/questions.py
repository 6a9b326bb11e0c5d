"""The planner's questions, asked of a result.

In: an analysis, computed or saved, and what is asked: a point, a place, or a table with filters. Out: a card, or rows.
Method: of a saved result only what may match is read, through its spatial index and by SQL; one rule then decides, the
same as for a result in memory. Boundaries belong to what is asked for, and lengths are compared to the millimetre.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gapmap import names, tables
from gapmap.analysis import Analysis, Here
from gapmap.crs import WGS84, bearings, placed
from gapmap.editions import mark_of
from gapmap.errors import InputError, LayerError, unknown
from gapmap.formats import to_records
from gapmap.points import mgrs_side_m, parse_point
from gapmap.units import format_length, parse_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Box = tuple[float, float, float, float]

TABLES = ("stretches", "corridors", "places", "incidents", "transects")
RADII_M = (5_000.0, 10_000.0, 20_000.0)
PLACES_SHOWN = 3
MATCHING = "incidents_matching"

_FINE_M = 1_000.0  # the side of a square whose middle stands for a point without a word
_MM = 3  # decimals of a metre to which lengths are compared
_AREA = 2  # dimension
_BOUNDARIES_SHOWN = 40  # in one message: a country's provinces, of which nobody can guess the spelling
_LOOK_M = (60_000.0, 240_000.0)  # how far to look for the nearest places before reading them all
# What is read around a point, to say what lies there.
_AT = {
    "ground": ("kind", "forces"),
    "stretches": ("corridor_id", "name", "force_a", "force_b"),
    "facets": tuple(name for name in tables.COLUMNS["facets"] if name.startswith(("width_", "start_", "end_"))),
}
# The width that counts against the least width asked for: the widest spot of a stretch or corridor.
_WIDTH = {
    "stretches": "width_max_m",
    "corridors": "width_max_m",
    "transects": "width_m",
    "places": "width_here_m",
}
_FITS: Mapping[str, Sequence[str]] = {
    "min_width": tuple(_WIDTH),
    "since": ("incidents", "stretches", "corridors"),
    "until": ("incidents", "stretches", "corridors"),
    "kind": ("incidents", "stretches", "corridors"),
    "min_population": ("places", "stretches", "corridors"),
}
# With one incident in a stretch these are that incident's own values.
_OF_SINGLE_ROWS = ("location_radius_median_m", "deaths_best", "last_incident")
_WITHIN = re.compile(r"(?P<length>.*?)\s*-?\s*\bof\b\s+(?P<point>.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """The rows that were asked for.

    Parameters
    ----------
    table : str
        The table they are from.
    rows : GeoDataFrame
        In the working CRS, the id in the index; columns as in the table, ``lat`` and ``lon`` for points, ``distance_m``
        where a distance was asked for, ``incidents_matching`` where incidents were asked for by date or kind.
    chosen : bool
        Columns were asked for by name.
    matched : int
        Rows that match, of which ``rows`` may be the first.
    notes : tuple of str
        What to know about the answer: what a name was taken for, what was left out, what would have matched.
    notice : str
        The notice of the result, "" for none.
    edition, mark : str
        What marks a file of it: see `gapmap.editions.mark_of`.
    """

    table: str
    rows: gpd.GeoDataFrame
    chosen: bool
    matched: int
    notes: tuple[str, ...]
    notice: str
    edition: str
    mark: str


@dataclass(frozen=True)
class Card:
    """What is known about a point.

    Parameters
    ----------
    here : Here
        Ground, corridor, stretch, width, and the nearest zone of each force.
    place : dict or None
        The place that was asked for: ``place_id``, ``name``, ``names`` (list), ``population`` (None: unknown).
    incidents : DataFrame
        Coded positions by the year of their first day (in the index) within each radius, the edge included; years
        without any between the first and the last are there.
    places : GeoDataFrame
        The nearest places, at most three: ``name``, ``population``, ``distance_m``, ``bearing_deg`` (from the point).
    max_width_m : float
        The limit of the result.
    notes : tuple of str
        What to know about the answer.
    notice : str
        The notice of the result, "" for none.
    edition, mark : str
        What marks a file of it: see `gapmap.editions.mark_of`.
    """

    here: Here
    place: Mapping[str, Any] | None
    incidents: pd.DataFrame
    places: gpd.GeoDataFrame
    max_width_m: float
    notes: tuple[str, ...]
    notice: str
    edition: str
    mark: str

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain values that JSON can hold.

        Returns
        -------
        dict
            Units in the names; None for what is not known.
        """
        here = asdict(self.here)
        nearest = pd.DataFrame(here.pop("nearest"), columns=["force", "zone_id", "name", "distance_m", "bearing_deg"])
        [plain] = to_records(pd.DataFrame([here]))
        by_year = self.incidents.rename_axis("year").reset_index()
        return {
            "place": None if self.place is None else dict(self.place),
            **plain,
            "nearest_zones": to_records(nearest),
            "incidents_total": {name: int(count) for name, count in self.incidents.sum().items()},
            "incidents_by_year": to_records(by_year),
            "nearest_places": to_records(self.places),
            "notes": list(self.notes),
            "notice": self.notice,
            "edition": self.mark,
        }

    def to_table(self) -> gpd.GeoDataFrame:
        """Return the card as a table of one row, for CSV, GeoJSON and GeoPackage; incidents without their years.

        Returns
        -------
        GeoDataFrame
            A Point in EPSG:4326.
        """
        here = self.here
        row: dict[str, Any] = {"place_id": "", "place": ""}
        if self.place is not None:
            row = {"place_id": self.place["place_id"], "place": self.place["name"]}
        row |= {"lat": here.lat, "lon": here.lon, "ground": here.ground, "forces": " + ".join(here.forces)}
        row |= {name: getattr(here, name) for name in ("corridor_id", "corridor", "stretch_id", "stretch")}
        row["width_here_m"] = here.width_here_m
        for zone in here.nearest:
            row[f"nearest_zone_{zone.force}"] = zone.zone_id
            row[f"distance_{zone.force}_m"] = zone.distance_m
            row[f"bearing_{zone.force}_deg"] = zone.bearing_deg
        row |= {f"incidents_{name}": int(count) for name, count in self.incidents.sum().items()}
        row["nearest_places"] = "; ".join(self.places["name"])
        return gpd.GeoDataFrame([row], geometry=[shapely.Point(here.lon, here.lat)], crs=WGS84)


def at(analysis: Analysis, point: shapely.Point | str, *, radii_m: Sequence[float] = RADII_M) -> Card:
    """Say what is known about a point.

    Parameters
    ----------
    analysis : Analysis
        Computed, or opened from a file.
    point : shapely.Point or str
        Longitude and latitude in degrees; or text: latitude and longitude as people write it, MGRS, or the name of a
        place of the result.
    radii_m : sequence of float
        Distances in metres within which incidents are counted.

    Returns
    -------
    Card
        What lies there, who stands nearest, what happened around, which places are near.

    Raises
    ------
    InputError
        If there is no analysis, if it is neither a point nor just one place of the result, or lies too far away from it.
    """
    tables.require_result("analysis", analysis)
    lonlat, spot, notes = _spot(analysis, point)
    card = _card(analysis, spot, radii_m, notes, place=None)
    return replace(card, here=replace(card.here, lon=lonlat.x, lat=lonlat.y))


def place(analysis: Analysis, name: str, *, radii_m: Sequence[float] = RADII_M) -> Card:
    """Say what is known about a place.

    Parameters
    ----------
    analysis : Analysis
        Computed, or opened from a file.
    name : str
        In any spelling that the result holds, in any script (:func:`gapmap.names.find`), or the place_id.
    radii_m : sequence of float
        Distances in metres within which incidents are counted.

    Returns
    -------
    Card
        As from :func:`at`, with the place.

    Raises
    ------
    InputError
        If no place, or more than one, may be meant: the candidates are in it.
    """
    tables.require_result("analysis", analysis)
    key, notes = _find_place(analysis, name)
    row = _place_row(analysis, key)
    known = {
        "place_id": key,
        "name": row["name"],
        "names": names.variants(row["name"], row["names"])[1:],
        "population": None if pd.isna(row["population"]) else float(row["population"]),
    }
    return _card(analysis, row.geometry, radii_m, notes, place=known)


def find_point(analysis: Analysis, text: str) -> tuple[shapely.Point, list[str]]:
    """Find the point that a text means, as :func:`at` does.

    Parameters
    ----------
    analysis : Analysis
        Computed, or opened from a file; tables run and places are read.
    text : str
        Latitude and longitude as people write it, MGRS, or the name of a place.

    Returns
    -------
    shapely.Point
        Longitude and latitude in degrees.
    list of str
        What to know about it: what a name was taken for, how coarse a reference is.

    Raises
    ------
    InputError
        If it is neither a point nor just one place: the candidates are in it.
    """
    found, notes = _found(analysis, text)
    # Of a place that was degrees before: PROJ is a millimetre off there and back.
    lonlat = found.iloc[0] if found.crs == WGS84 else shapely.set_precision(found.to_crs(WGS84).iloc[0], 1e-7)
    return lonlat, notes


def select(
    analysis: Analysis,
    table: str,
    *,
    min_width: str | float | None = None,
    force: str | Sequence[str] = (),
    within: str | None = None,
    in_area: str | Path | gpd.GeoDataFrame | None = None,
    since: str | dt.date | None = None,
    until: str | dt.date | None = None,
    kind: str | Sequence[str] = (),
    min_population: float | None = None,
    sort: str | Sequence[str] = (),
    limit: int | None = None,
    columns: str | Sequence[str] = (),
) -> Answer:
    """Return the rows of a table that meet every filter.

    Parameters
    ----------
    analysis : Analysis
        Computed, or opened from a file.
    table : str
        One of ``TABLES``.
    min_width : str or float, optional
        "10 km", or metres. At least so wide: stretches and corridors at their widest, transects, places the corridor
        they lie in.
    force : str or sequence of str
        With that force on one side; two forces: between the two. Places and incidents count by the stretch they lie in.
    within : str, optional
        "15km of Makhmour": a length and a point or place. Not farther from it, the nearest part counts.
    in_area : str, Path or GeoDataFrame, optional
        A file of polygons ("FILE:LAYER" where it has several layers), the name (or boundary_id) of a boundary in the
        result, or polygons. In it, at least in part; its edge belongs to it.
    since, until : str or datetime.date, optional
        Incidents of that day or later, or earlier; one that lasted counts if one of its days does. Of stretches and
        corridors those with such an incident.
    kind : str or sequence of str
        Incidents of one of these kinds. Of stretches and corridors those with such an incident.
    min_population : float, optional
        At least so many people are known to live there.
    sort : str or sequence of str
        Columns to sort by, parted by commas; "-width_max_m" has the largest first. What is not known comes last. Without
        it the order is the table's, or by distance where `within` is given.
    limit : int, optional
        At most so many rows.
    columns : str or sequence of str
        The columns beside the id, parted by commas; all but the incidents' notes unless told.

    Returns
    -------
    Answer
        The rows, and what to know about them. Without rows the notes say what would have matched.

    Raises
    ------
    InputError
        If it is no analysis; if there is no such table, force, place, boundary or column; if a filter does not fit the table; if rows of
        incidents are asked of a result that shares them as counts.
    """
    tables.require_result("analysis", analysis)
    given = {
        "min_width": min_width is not None,
        "since": since is not None,
        "until": until is not None,
        "kind": bool(kind),
        "min_population": min_population is not None,
    }
    run = analysis.table("run")
    _refuse(table, [name for name, asked in given.items() if asked], limit, shared=tables.shares_points(run))
    notes: list[str] = []
    filters: list[_Filter] = []
    if min_width is not None:
        filters.append(_wide(_WIDTH[table], length_of("--min-width", min_width)))
    if forces := _each(force, "force"):
        filters.append(_facing(analysis, table, forces))
    spot = None
    if within is not None:
        spot, near, said = _near(analysis, within)
        notes += said
        filters.append(near)
    if in_area is not None:
        inside, said = _inside(analysis, in_area)
        notes += said
        filters.append(inside)
    if min_population is not None:
        filters.append(_peopled(min_population))
    happened = _happened(_day(since, "since"), _day(until, "until"), _each(kind, "kind"))
    counts = None
    if happened and table == "incidents":
        filters += happened
    elif happened:
        happened.append(_IN_CORRIDOR)
        counts = _count(analysis, table, happened)
        filters.append(_with_incidents(counts, happened))

    rows = _matching(analysis, table, filters)
    if not tables.shares_points(run):
        rows = rows.drop(columns=[name for name in _OF_SINGLE_ROWS if name in rows])
    if rows.empty:
        reason = ("incidents", happened) if counts is not None and counts.empty else (table, filters)
        notes += _would_match(analysis, *reason)
    notes += _unpeopled(analysis, table, filters)
    rows = _measured(rows, table, spot, counts)
    rows = _sorted(rows, _listed(sort, "sort") or (["distance_m"] if spot is not None else []))
    chosen = _chosen(rows if limit is None else rows.head(limit), table, _listed(columns, "columns"))
    return Answer(table, chosen, bool(columns), len(rows), tuple(notes), str(run["notice"].iloc[0]), *mark_of(run))


@dataclass(frozen=True)
class _Filter:
    """One condition: the rule for a row, and what lets a file leave rows unread that cannot meet it.

    ``columns`` are those that the rule looks at; none: the geometry. ``closest`` is called with :func:`_met` for the rows
    that meet the other filters, and says how near they come.
    """

    text: str
    holds: Callable[[Any], Any]
    columns: tuple[str, ...] = ()
    hint: str = ""
    box: Box | None = None
    closest: Callable[[Callable[..., Any]], str] = field(default=lambda _: "")


def _refuse(table: str, asked: Sequence[str], limit: int | None, *, shared: bool) -> None:
    """Refuse what cannot be answered."""
    if table not in TABLES:
        raise InputError(unknown("table", table, TABLES))
    if table == "incidents" and not shared:
        raise InputError(
            "this result shares incidents as counts only: their rows and positions do not leave it",
            hint="ask for stretches or corridors with --since, --until or --kind, or at a point: these count them",
        )
    problems = [
        f"--{name.replace('_', '-')} is for {', '.join(_FITS[name])}" for name in asked if table not in _FITS[name]
    ]
    if problems:
        raise InputError(f"{table} cannot be filtered so", problems=problems, hint="leave it out, or ask another table")
    if limit is not None and limit < 1:
        raise InputError(f"a limit of {limit} shows nothing", hint="give 1 or more, or leave it out")


def _matching(analysis: Analysis, table: str, filters: Sequence[_Filter], *, bare: bool = False) -> Any:  # noqa: ANN401
    """Return the rows that meet the filters; ``bare``: with the filters' columns alone, if no filter needs geometry."""
    hint = " AND ".join(f"({each.hint})" for each in filters if each.hint) or None
    if bare and all(each.columns for each in filters):
        rows = analysis.columns(
            table, list(dict.fromkeys(name for each in filters for name in each.columns)), hint=hint
        )
    else:
        rows = analysis.part(table, box=_overlap([each.box for each in filters if each.box]), hint=hint)
    for each in filters:
        rows = rows[np.asarray(each.holds(rows), dtype=bool)]
    return rows


def _overlap(boxes: Sequence[Box]) -> Box | None:
    if not boxes:
        return None
    edges = np.array(boxes)
    west, south = edges[:, :2].max(axis=0)
    east, north = edges[:, 2:].min(axis=0)
    return (west, south, east, north) if west <= east and south <= north else boxes[0]


def _would_match(analysis: Analysis, table: str, filters: Sequence[_Filter]) -> list[str]:
    """Say which filter keeps all rows out, and how near the rows that meet the others come to it."""
    notes = []
    if filters and not len(_matching(analysis, table, [], bare=True)):
        return [f"the result has no {table}"]
    for each in filters:
        others = [other for other in filters if other is not each]
        count = len(_matching(analysis, table, others, bare=True))
        if count:
            closest = each.closest(partial(_met, analysis, table, others))
            notes.append(f"without {each.text}, {count} {table} would match{'; ' if closest else ''}{closest}")
    for each in filters if not notes and len(filters) > 1 else ():
        count = len(_matching(analysis, table, [each], bare=True))
        closest = "" if count else each.closest(partial(_met, analysis, table, []))
        notes.append(f"{each.text} alone: {count} {table} match{'; ' if closest else ''}{closest}")
    return notes or [f"the result has no {table}"]


def _met(
    analysis: Analysis, table: str, filters: Sequence[_Filter], columns: Sequence[str], box: Box | None = None
) -> Any:  # noqa: ANN401 - a GeoDataFrame
    """Return the rows that meet the filters, with the columns, or where there are none with their geometry in a box."""
    everything = _Filter("", lambda rows: np.ones(len(rows), dtype=bool), tuple(columns), box=box)
    return _matching(analysis, table, [*filters, everything], bare=True)


def _wide(column: str, least_m: float) -> _Filter:
    def closest(met: Callable[..., Any]) -> str:
        widest = met([column])[column].max()
        return "none lies in a corridor" if pd.isna(widest) else f"the widest measures {widest / 1000:.3f} km"

    return _Filter(
        f"--min-width {format_length(least_m)}",
        lambda rows: rows[column].round(_MM) >= least_m,
        (column,),
        f"{column} >= {least_m - 0.001!r}",
        closest=closest,
    )


def _facing(analysis: Analysis, table: str, forces: Sequence[str]) -> _Filter:
    known = analysis.columns("cover", ["area_km2"]).index.tolist()
    wrong = [force for force in forces if force not in known]
    if wrong:
        raise InputError("no such force", problems=[unknown("force", force, known) for force in wrong])
    text = " ".join(f"--force {force}" for force in forces)
    sides = ("force_a", "force_b")

    def between(rows: pd.DataFrame) -> Any:  # noqa: ANN401 - an array
        return np.logical_and.reduce([(rows[list(sides)] == force).any(axis=1).to_numpy() for force in forces])

    if table in ("stretches", "corridors"):
        hint = " AND ".join(f"{_literal(force)} IN (force_a, force_b)" for force in forces)
        return _Filter(text, between, sides, hint)
    pairs = analysis.columns("stretches", sides)
    stretches = pairs.index[between(pairs)]
    return _Filter(text, lambda rows: rows["stretch_id"].isin(stretches), ("stretch_id",), "stretch_id <> ''")


def length_of(option: str, value: str | float) -> float:
    """Return a length in metres.

    Parameters
    ----------
    option : str
        Whose value it is: an error names it.
    value : str or float
        As for `parse_length`.

    Returns
    -------
    float
        Metres.

    Raises
    ------
    InputError
        If it is not a length.
    """
    try:
        return parse_length(value)
    except InputError as error:
        raise InputError(f"{option}: {error.message}", hint=error.hint) from error


def _near(analysis: Analysis, text: str) -> tuple[shapely.Point, _Filter, list[str]]:
    match = _WITHIN.fullmatch(text.strip())
    if match is None:
        raise InputError(f"--within {text!r} does not say how near to what", hint='write it so: "15km-of Makhmour"')
    reach_m = length_of("--within", match["length"])
    _, spot, notes = _spot(analysis, match["point"])

    def closest(met: Callable[..., Any]) -> str:
        for far_m in (4 * reach_m + 1_000, 64 * reach_m + 16_000, None):
            nearest_m = met([], None if far_m is None else _around(spot, far_m)).geometry.distance(spot).min()
            if far_m is None or nearest_m <= far_m:
                break
        return f"the nearest is {nearest_m / 1000:.3f} km away"

    near = _Filter(
        f"--within {format_length(reach_m)} of {match['point']}",
        lambda rows: rows.geometry.distance(spot).round(_MM) <= reach_m,
        box=_around(spot, reach_m),
        closest=closest,
    )
    return spot, near, notes


def _inside(analysis: Analysis, area: str | Path | gpd.GeoDataFrame) -> tuple[_Filter, list[str]]:
    notes: list[str] = []
    if isinstance(area, gpd.GeoDataFrame):
        polygons, label = area.geometry, "the area"
    elif file := area_file(area):
        # Imported here: reading files takes longer than most answers.
        from gapmap.readers import read_polygons

        path, layer = file
        try:
            polygons, label = read_polygons(path, role="areas", layer=layer).geometry, path.name
        except LayerError as error:
            hint = f"name one after a colon: {path}:LAYER ({', '.join(error.layers)})"
            raise InputError(error.message, hint=hint) from error
    else:
        polygons, label, notes = _boundary(analysis, str(area))
    if polygons.crs is None:
        raise InputError("the area has no CRS", hint="set it: table.set_crs(...)")
    shape = shapely.union_all(polygons.to_crs(analysis.crs).to_numpy())
    if shape.is_empty or shapely.get_dimensions(shape) != _AREA or not np.isfinite(shape.bounds).all():
        raise InputError(f"{label} is no area here", hint="it must be polygons in the region of the result")
    shapely.prepare(shape)
    inside = _Filter(
        f"--in-area {label}", lambda rows: shapely.intersects(shape, rows.geometry.to_numpy()), box=shape.bounds
    )
    return inside, notes


def area_file(area: str | Path) -> tuple[Path, str | None] | None:
    """Part a file of areas from the layer in it that is named after a colon.

    Parameters
    ----------
    area : str or Path
        As :func:`select` takes it: a Path is a file, a text may also be a name.

    Returns
    -------
    tuple of Path and str, or None
        File and layer, None for the one that is there; None where the text is no file.

    Examples
    --------
    >>> area_file("Nineveh"), area_file(f"{__file__}:adm1") == (Path(__file__), "adm1")
    (None, True)
    """
    file, _, layer = str(area).rpartition(":")
    if not Path(area).is_file() and Path(file).is_file():
        return Path(file), layer
    return (Path(area), None) if isinstance(area, Path) or Path(area).is_file() else None


def _boundary(analysis: Analysis, name: str) -> tuple[gpd.GeoSeries, str, list[str]]:
    """Find a boundary of the result by its name, in any spelling that is held."""
    known = analysis.columns("boundaries", ["layer", "name", "name_ar"])
    known = known[known["name"] != ""]
    held = {str(key): [each for each in (row["name"], row["name_ar"]) if each] for key, row in known.iterrows()}
    found = names.find(name, held)
    if found.match is None:
        lines = [f"{each.key}  {each.name} ({known['layer'][each.key]})" for each in found.candidates]
        if lines:
            raise InputError(f"{name!r} may be one of these boundaries", problems=lines, hint="give its id")
        held_names = sorted(set(known["name"]))
        some = ", ".join(held_names[:_BOUNDARIES_SHOWN]) or "none"
        raise InputError(
            f"{name!r} is neither a file nor a boundary of this result",
            hint=f"boundaries in it: {some}{' ...' if len(held_names) > _BOUNDARIES_SHOWN else ''}",
        )
    shape = analysis.part("boundaries", columns=[], hint=f"boundary_id = {_literal(found.match.key)}").geometry
    return shape.loc[[found.match.key]], found.match.name, _taken(name, found.match)


def _happened(since: dt.date | None, until: dt.date | None, kinds: Sequence[str]) -> list[_Filter]:
    if since and until and until < since:
        raise InputError(f"--until {until} is before --since {since}", hint="turn the two round")
    filters = []
    if since:
        first = pd.Timestamp(since)
        filters.append(
            _Filter(
                f"--since {since}",
                lambda rows: rows["date_to"].fillna(rows["date_from"]) >= first,
                ("date_from", "date_to"),
                f"date_to IS NULL OR date_to >= {_literal(since.isoformat())}",
                closest=lambda met: f"the last is of {met(['date_to'])['date_to'].max():%Y-%m-%d}",
            )
        )
    if until:
        last = pd.Timestamp(until)
        filters.append(
            _Filter(
                f"--until {until}",
                lambda rows: rows["date_from"] <= last,
                ("date_from",),
                f"date_from <= {_literal(f'{until.isoformat()}T99')}",
                closest=lambda met: f"the first is of {met(['date_from'])['date_from'].min():%Y-%m-%d}",
            )
        )
    if kinds:
        small = [kind.casefold() for kind in kinds]
        ascii_alone = all(kind.isascii() for kind in small)  # SQLite knows no other small letters
        filters.append(
            _Filter(
                " ".join(f"--kind {kind}" for kind in kinds),
                lambda rows: rows["kind"].str.casefold().isin(small),
                ("kind",),
                f"lower(kind) IN ({', '.join(map(_literal, small))})" if ascii_alone else "",
                closest=lambda met: f"their kinds: {', '.join(sorted(set(met(['kind'])['kind'])))}",
            )
        )
    return filters


def _count(analysis: Analysis, table: str, happened: Sequence[_Filter]) -> pd.Series:
    """Count the incidents that meet the filters by stretch or corridor."""
    counts = _matching(analysis, "incidents", happened, bare=True)["stretch_id"].value_counts()
    if table == "stretches":
        return counts
    return counts.groupby(analysis.columns("stretches", ["corridor_id"])["corridor_id"].reindex(counts.index)).sum()


def _with_incidents(counts: pd.Series, happened: Sequence[_Filter]) -> _Filter:
    """Keep the rows that have counted incidents; their ids come with any column."""
    text = " ".join(each.text for each in happened)
    return _Filter(text, lambda rows: rows.index.isin(counts.index), ("name",))


def _peopled(least: float) -> _Filter:
    if not 0 <= least < np.inf:
        raise InputError(f"--min-population {least:.15g} is not a number of zero or more")

    def closest(met: Callable[..., Any]) -> str:
        most = met(["population"])["population"].max()
        return "of none the population is known" if pd.isna(most) else f"the largest has {most:.0f}"

    return _Filter(
        f"--min-population {least:.15g}",
        lambda rows: rows["population"] >= least,
        ("population",),
        f"population >= {float(least)!r}",
        closest=closest,
    )


_IN_CORRIDOR = _Filter(
    "the rule that they lie in a corridor", lambda rows: rows["stretch_id"] != "", ("stretch_id",), "stretch_id <> ''"
)


def _unpeopled(analysis: Analysis, table: str, filters: Sequence[_Filter]) -> list[str]:
    """Say how many rows are left out because nobody knows how many people live there."""
    others = [each for each in filters if each.columns != ("population",)]
    if len(others) == len(filters):
        return []
    blank = _Filter("", lambda rows: rows["population"].isna(), ("population",), "population IS NULL")
    count = len(_matching(analysis, table, [*others, blank], bare=True))
    return [f"{count} {table} are left out, for how many people live there is not known"] if count else []


def _measured(rows: Any, table: str, spot: shapely.Point | None, counts: pd.Series | None) -> Any:  # noqa: ANN401
    """Add what was asked for beyond the table's own columns."""
    if table in ("places", "incidents"):
        degrees = rows.geometry.to_crs(WGS84)
        rows = rows.assign(lat=degrees.y.round(6), lon=degrees.x.round(6))
    if spot is not None:
        rows = rows.assign(distance_m=rows.geometry.distance(spot).round(_MM))
    if counts is not None:
        rows = rows.assign(**{MATCHING: counts.reindex(rows.index).fillna(0).astype(tables.COUNT)})
    return rows


def _spot(analysis: Analysis, point: shapely.Point | str) -> tuple[shapely.Point, shapely.Point, list[str]]:
    """Return a point in degrees and in metres, and what it was taken for."""
    notes: list[str] = []
    if isinstance(point, str):
        found, notes = _found(analysis, point)
        if found.crs == analysis.crs:
            return found.to_crs(WGS84).iloc[0], found.iloc[0], notes
        point = found.iloc[0]
    spot = placed(point, analysis.crs)
    return point, spot, notes


def _found(analysis: Analysis, text: str) -> tuple[gpd.GeoSeries, list[str]]:
    """Return the one point that a text gives, in degrees, or in metres where it is a place, and what it was taken for."""
    lonlat = _coordinates(analysis, text)
    if lonlat is None:
        key, notes = _find_place(analysis, text)
        return gpd.GeoSeries([_place_row(analysis, key).geometry], crs=analysis.crs), notes
    notes = []
    if (coarse_m := mgrs_side_m(text)) > _FINE_M:
        notes = [f"the reference names a square of {format_length(coarse_m)}; this is its middle"]
    return gpd.GeoSeries([lonlat], crs=WGS84), notes


def _coordinates(analysis: Analysis, text: str) -> shapely.Point | None:
    """Return the point that a text gives by coordinates, None where it can only be a name."""
    if not any(letter.isdecimal() for letter in text):
        return None
    parameters = json.loads(analysis.table("run")["parameters"].iloc[0] or "{}")
    try:
        return parse_point(text, mgrs_zones=parameters.get("mgrs_zone") or ())
    except InputError as error:
        found = names.find(text, _held(analysis))
        if found.match is None and not found.candidates:
            raise InputError(f"{error}; nor is it the name of a place that is known here") from None
        return None


def _held(analysis: Analysis) -> dict[str, list[str]]:
    known = analysis.columns("places", ["name", "names"])
    return {
        str(key): names.variants(name, spellings)
        for key, name, spellings in zip(known.index, known["name"], known["names"], strict=True)
    }


def _find_place(analysis: Analysis, name: str) -> tuple[str, list[str]]:
    held = _held(analysis)
    found = names.find(name, held)
    if found.match is not None:
        return found.match.key, _taken(name, found.match)
    if not held:
        raise InputError("no places are known here", hint='give the point itself: "36.34, 43.13"')
    if not found.candidates:
        raise InputError(
            f"{name!r} is none of the {len(held)} places that are known here",
            hint='try another spelling, or give the point itself: "36.34, 43.13"',
        )
    lines = []
    for each in found.candidates:
        row = _place_row(analysis, each.key)
        spot = gpd.GeoSeries([row.geometry], crs=analysis.crs).to_crs(WGS84).iloc[0]
        spelling = f" ({each.spelling})" if each.spelling != each.name else ""
        lines.append(f"{each.key}  {each.name}{spelling}, {spot.y:.4f}, {spot.x:.4f}")
    raise InputError(f"{name!r} may be one of these places", problems=lines, hint="give its id, the first word")


def _taken(asked: str, match: names.Match) -> list[str]:
    """Say what a name was taken for, where it is not one of the spellings held."""
    if match.how == "equal":
        return []
    spelling = f", also {match.spelling}" if match.spelling != match.name else ""
    return [f"{asked!r} is taken for {match.name}{spelling} ({match.key})"]


def _place_row(analysis: Analysis, key: str) -> pd.Series:
    columns = ["name", "names", "population"]
    return analysis.part("places", columns=columns, hint=f"place_id = {_literal(key)}").loc[key]


def _card(
    analysis: Analysis,
    spot: shapely.Point,
    radii_m: Sequence[float],
    notes: Sequence[str],
    *,
    place: Mapping[str, Any] | None,
) -> Card:
    run = analysis.table("run")
    edition, mark = mark_of(run)
    box = (spot.x, spot.y, spot.x, spot.y)
    near = {name: analysis.part(name, columns=columns, box=box) for name, columns in _AT.items()}
    near |= {"zones": analysis.part("zones", columns=["force", "name", "reach_m"]), "run": run}
    near |= {"corridors": analysis.columns("corridors", ["name"])}
    return Card(
        here=Analysis(near).at_metres(spot),
        place=place,
        incidents=_by_year(analysis, spot, radii_m),
        places=_nearest_places(analysis, spot, but="" if place is None else place["place_id"]),
        max_width_m=float(run["max_width_m"].iloc[0]),
        notes=tuple(notes),
        notice=str(run["notice"].iloc[0]),
        edition=edition,
        mark=mark,
    )


def _by_year(analysis: Analysis, spot: shapely.Point, radii_m: Sequence[float]) -> pd.DataFrame:
    if not radii_m or not all(0 < radius < np.inf for radius in radii_m):
        raise InputError("a radius must be more than 0", hint='for example "5 km"')
    rows = analysis.part("incidents", columns=["date_from"], box=_around(spot, max(radii_m)))
    distance = rows.geometry.distance(spot).round(_MM)
    year = rows["date_from"].dt.year
    inside = year[distance <= max(radii_m)]
    years = range(int(inside.min()), int(inside.max()) + 1) if len(inside) else range(0)
    counts = {
        f"within_{radius / 1000:g}_km": year[distance <= radius].value_counts().reindex(years, fill_value=0)
        for radius in sorted(set(radii_m))
    }
    return pd.DataFrame(counts, index=pd.Index(years, name="year", dtype=tables.COUNT), dtype=tables.COUNT)


def _nearest_places(analysis: Analysis, spot: shapely.Point, *, but: str) -> gpd.GeoDataFrame:
    for reach_m in (*_LOOK_M, None):
        box = None if reach_m is None else _around(spot, reach_m)
        rows = analysis.part("places", columns=["name", "population"], box=box)
        rows = rows[rows.index != but]
        rows = rows.assign(distance_m=rows.geometry.distance(spot).round(_MM))
        rows = rows.iloc[np.lexsort((rows.index.to_numpy(dtype=object), rows["distance_m"]))].head(PLACES_SHOWN)
        if reach_m is None or (len(rows) == PLACES_SHOWN and rows["distance_m"].max() <= reach_m):
            break
    rows = rows.assign(bearing_deg=bearings(spot, rows.geometry))
    return rows[["name", "population", "distance_m", "bearing_deg", "geometry"]]


def _around(spot: shapely.Point, reach_m: float) -> Box:
    far = reach_m + 1.0  # distances count when rounded
    return (spot.x - far, spot.y - far, spot.x + far, spot.y + far)


def _sorted(rows: Any, by: Sequence[str]) -> Any:  # noqa: ANN401 - a GeoDataFrame
    if not by:
        return rows
    columns = [name.removeprefix("-") for name in by]
    _require_columns(rows, columns)
    bare = pd.DataFrame(rows.drop(columns="geometry")).reset_index()
    order = bare.sort_values(columns, ascending=[not name.startswith("-") for name in by], kind="stable")
    return rows.iloc[order.index]


def _chosen(rows: Any, table: str, columns: Sequence[str]) -> Any:  # noqa: ANN401 - a GeoDataFrame
    if not columns:
        # Notes are somebody's words: they leave where they are asked for by name.
        return rows[[*(name for name in rows.columns if name not in ("geometry", "note")), "geometry"]]
    _require_columns(rows, columns)
    index = tables.INDEX[table]
    chosen = rows[[name for name in dict.fromkeys(columns) if name != index]]
    return rows[[*chosen.columns, "geometry"]]


def _require_columns(rows: Any, columns: Iterable[str]) -> None:  # noqa: ANN401 - a GeoDataFrame
    known = [rows.index.name, *(name for name in rows.columns if name != "geometry")]
    wrong = [name for name in columns if name not in known]
    if wrong:
        raise InputError("no such column", problems=[unknown("column", name, known) for name in wrong])


def _each(words: str | Sequence[str], name: str) -> list[str]:
    """Return one word or several as a list. An empty one is refused: without it, more would match than was asked for."""
    found = [words] if isinstance(words, str) else list(words)
    if not all(word.strip() for word in found):
        raise InputError(f"--{name} is empty", hint="name what it is for, or leave it out")
    return found


def _listed(words: str | Sequence[str], name: str) -> list[str]:
    """Return words that stand apart or in one text, parted by commas."""
    return [word.strip() for text in _each(words, name) for word in text.split(",") if word.strip()]


def _day(value: str | dt.date | None, name: str) -> dt.date | None:
    if not isinstance(value, str):
        return value
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise InputError(f"--{name} {value!r} is not a day", hint="write it as 2021-06-01") from None


def _literal(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"
