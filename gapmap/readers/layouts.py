"""The layouts in which incidents are delivered: ACLED, UCDP GED, and a plain table.

In: the names of a file's columns, or the first row of a file without names. Out: which column is what, and what its codes mean.
Method: a layout is known by columns that no other has, by name and never by place; one record a layout.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gapmap.readers import positions
from gapmap.readers.sheets import fold

# The radius by precision code is a guess, on the wide side: what is published says "within 25 km" at best. None: set aside.
Radii = Mapping[str, float | None]
_FIELDS: tuple[str, ...] = (
    "id",
    "date",
    "date_to",
    "kind",
    "deaths",
    "deaths_low",
    "deaths_high",
    "civilians",
    "precision",
)
_FIELDS += ("radius_km", "note", "date_precision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a kind of file says what happened.

    Attributes
    ----------
    name : str
        As people call it.
    known_by : frozenset of str
        Columns that tell it from others, folded.
    fields : mapping of str to tuple of str
        Field to the names of its column, folded, the preferred one first.
    radius_m : mapping of str to float or None
        Metres within which a position holds, by precision as the file writes it; None where such a position is too coarse to
        be used.
    coded_to : mapping of str to str
        By precision: what the position is that of, "place" or "centroid"; "" where nobody knows.
    days : mapping of str to str
        By date precision: "day", "week", "month", "year".
    kinds : mapping of str to str
        Kinds that the file has as codes.
    civilians : mapping of str to float
        By the text of the column: 1 civilians were the target, 0 not.
    day_first_marks : str
        Of the dates in figures that this layout writes with the day first.
    attribution : str
        To be shown with what is made from it.
    remarks : tuple of str
        What somebody who uses it should know.
    """

    name: str
    known_by: frozenset[str]
    fields: Mapping[str, Sequence[str]]
    radius_m: Radii
    coded_to: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    civilians: Mapping[str, float]
    day_first_marks: str = ""
    attribution: str = ""
    remarks: tuple[str, ...] = ()


def _fields(**names: Sequence[str]) -> Mapping[str, Sequence[str]]:
    return {each: names.get(each, ()) for each in (*_FIELDS, *positions.COLUMNS)}


PLAIN = Layout(
    name="plain table",
    known_by=frozenset(),
    fields=_fields(
        id=("id", "incident_id", "event_id"),
        date=("date", "date_from", "event_date"),
        date_to=("date_to", "date_end"),
        kind=("kind", "event_type", "type"),
        deaths=("deaths", "deaths_best", "fatalities", "killed"),
        deaths_low=("deaths_low",),
        deaths_high=("deaths_high",),
        civilians=("civilians",),
        precision=("precision", "location_precision"),
        radius_km=("radius_km", "location_radius_km"),
        note=("note", "notes"),
        **positions.COLUMNS,
    ),
    radius_m={"exact": 1_000.0, "near": 5_000.0, "area": 15_000.0},
    civilians={"1": 1.0, "yes": 1.0, "y": 1.0, "true": 1.0, "0": 0.0, "no": 0.0, "n": 0.0, "false": 0.0},
)
# One layout for all years: names in capitals until 2017 or so, without civilian_targeting until March 2023.
ACLED = Layout(
    name="ACLED",
    known_by=frozenset({"event_id_cnty", "event_date", "geo_precision", "event_type"}),
    fields=_fields(
        id=("event_id_cnty",),
        date=("event_date",),
        kind=("event_type",),
        deaths=("fatalities",),
        civilians=("civilian_targeting", "event_type"),
        precision=("geo_precision",),
        date_precision=("time_precision",),
        note=("notes",),
        lon=("longitude",),
        lat=("latitude",),
    ),
    # 1 a named town; 2 near it, or part of a region, and coded to the town; 3 a region, coded to its capital or middle.
    radius_m={"1": 5_000.0, "2": 15_000.0, "3": None},
    coded_to={"1": "place", "2": "place", "3": "centroid"},
    days={"1": "day", "2": "week", "3": "month"},
    # Of both columns that may say it: the blank is civilian_targeting's.
    civilians={"civilian targeting": 1.0, "violence against civilians": 1.0, "": 0.0},
    day_first_marks="-",
    attribution="Incidents: ACLED, acleddata.com.",
    remarks=('ACLED\'s terms do not let its rows be passed on: share = "counts" keeps positions in this result',),
)
UCDP = Layout(
    name="UCDP GED",
    known_by=frozenset({"type_of_violence", "where_prec", "date_start"}),
    fields=_fields(
        id=("id",),
        date=("date_start",),
        date_to=("date_end",),
        kind=("type_of_violence",),
        deaths=("best", "best_est"),
        deaths_low=("low", "low_est"),
        deaths_high=("high", "high_est"),
        civilians=("type_of_violence",),
        precision=("where_prec",),
        date_precision=("date_prec",),
        note=("where_description",),
        lon=("longitude",),
        lat=("latitude",),
    ),
    # 1 exact; 2 around a place; 3 district, 4 province, 6 country: their middles; 5 between places, or vague; 7 sea or air.
    radius_m={"1": 5_000.0, "2": 25_000.0, "3": None, "4": None, "5": None, "6": None, "7": None},
    coded_to={"1": "place", "2": "place", "3": "centroid", "4": "centroid", "6": "centroid"},
    days={"1": "day", "2": "week", "3": "week", "4": "month", "5": "year"},
    kinds={"1": "state-based", "2": "non-state", "3": "one-sided"},
    civilians={"1": 0.0, "2": 0.0, "3": 1.0},
    attribution="Incidents: UCDP GED, ucdp.uu.se.",
)
LAYOUTS = (ACLED, UCDP)
# The columns of a UCDP GED file since release 20; a Candidate file may come without them.
_GED_HEADER = tuple(
    "id relid year active_year code_status type_of_violence conflict_dset_id conflict_new_id conflict_name dyad_dset_id"  # noqa: SIM905
    " dyad_new_id dyad_name side_a_dset_id side_a_new_id side_a side_b_dset_id side_b_new_id side_b number_of_sources"
    " source_article source_office source_date source_headline source_original where_prec where_coordinates"
    " where_description adm_1 adm_2 latitude longitude geom_wkt priogrid_gid country country_id region event_clarity"
    " date_prec date_start date_end deaths_a deaths_b deaths_civilians deaths_unknown best high low gwnoa gwnob".split()
)


def recognise(header: Collection[str]) -> Layout:
    """Return the layout of a file.

    Parameters
    ----------
    header : collection of str
        The names of its columns, as the file spells them.

    Returns
    -------
    Layout
        The plain one where no other fits.

    Examples
    --------
    >>> recognise(["EVENT_ID_CNTY", "EVENT_DATE", "GEO_PRECISION", "EVENT_TYPE"]).name
    'ACLED'
    """
    names = {fold(name) for name in header}
    return next((layout for layout in LAYOUTS if layout.known_by <= names), PLAIN)


def nearly(header: Collection[str]) -> list[str]:
    """Say of a plain table that it looks like one of another layout that somebody has cut.

    Parameters
    ----------
    header : collection of str
        The names of its columns.

    Returns
    -------
    list of str
        A remark, or none.

    Examples
    --------
    >>> nearly(["date", "lat", "lon", "geo_precision"])[0][:64]
    "'geo_precision' is a column of ACLED, but without 'event_date', "
    """
    names = {fold(name) for name in header}
    usual = {name for each in PLAIN.fields.values() for name in each}
    for layout in LAYOUTS:
        theirs, gone = sorted(layout.known_by & names - usual), sorted(layout.known_by - names)
        if theirs and gone:
            lacking = ", ".join(map(repr, gone))
            said = (
                f"{theirs[0]!r} is a column of {layout.name}, but without {lacking} this is read as a plain table: its codes "
                "are not heard, and what stands for a whole region counts as a spot; get all its columns"
            )
            return [said]
    return []


def headless(first: Sequence[str]) -> Sequence[str] | None:
    """Return the columns of a UCDP GED file whose first row is data already.

    Parameters
    ----------
    first : sequence of str
        The first row.

    Returns
    -------
    sequence of str or None
        None where that row names the columns, or is none of GED's.

    Examples
    --------
    >>> headless(["name", "lat", "lon"]) is None
    True
    """
    if not len(_GED_HEADER) - 2 <= len(first) <= len(_GED_HEADER):  # a sheet ends with the last column that is filled
        return None
    cells = dict(zip(_GED_HEADER, first, strict=False))
    forms = {
        "year": r"(19|20)\d\d",
        "type_of_violence": r"[123]",
        "where_prec": r"[1-7]",
        "latitude": r"-?\d+(\.\d+)?",
        "longitude": r"-?\d+(\.\d+)?",
        "date_prec": r"[1-5]",
        "date_start": r"(19|20)\d\d[-/]\d+[-/]\d+.*",
    }
    is_ged = all(re.fullmatch(form, cells[name]) for name, form in forms.items())
    return _GED_HEADER[: len(first)] if is_ged else None
