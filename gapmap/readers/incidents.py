"""What happened, from a plain table, ACLED or UCDP GED.

In: a CSV, XLSX, GeoPackage or GeoJSON with a row an incident. Out: table ``incidents`` in EPSG:4326. Method: the layout known by
its columns, columns by a mapping or by their usual names, whole columns at a time. Unlike a zone, an incident that cannot be
used is set aside with its reason: one lost among hundreds moves no outline, and field data are never whole.
"""

from __future__ import annotations

import contextlib
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from numbers import Real
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas.array import from_shapely

from gapmap import sorting, threads
from gapmap.crs import WGS84
from gapmap.errors import InputError, unknown
from gapmap.readers import doubts, files, positions, values
from gapmap.readers.layouts import LAYOUTS, PLAIN, Layout, Radii, headless, nearly, recognise
from gapmap.readers.sheets import fold
from gapmap.readers.values import Coded, Distinct
from gapmap.tables import COLUMNS, INDEX, REAL, TEXT, require_day
from gapmap.units import western

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

FIELDS = PLAIN.fields
RADIUS_M = PLAIN.radius_m
_DEATHS = {"deaths": "deaths_best", "deaths_low": "deaths_low", "deaths_high": "deaths_high"}
_DEATHS_MAX = 10_000_000  # in one incident: what is above is a date, or the number of something else
_AS_WRITTEN = ("id", "note", *_DEATHS)  # of deaths pandas would take 1.000 for 1
_CODED = ("date", "date_to", "date_precision", "kind", "civilians", "precision")
_RADIUS_MAX_M = 500_000.0
_CELLS = 1 << 21  # each way over the globe, about 10 m; three such numbers and a day go into one of 64 bits
_TURNS = (("x", 360.0), ("y", 180.0))
_WORDS = (("exact", 1_000.0), ("near", 5_000.0))  # up to these metres; beyond them "area"
_SHOWN = 5
_NOT_KNOWN = frozenset(
    {"?", "??", "-", "--", "\u2013", "\u2014", "n/a", "n.a", "na", "nk", "unk", "unknown", "not known", "غير معروف"}
)
_NOBODY = frozenset({"none", "nil", "no", "zero", "لا يوجد"})
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+")
_ABOUT = r"[~<>]?\s*\d{1,3}\s*(?:[+?]|-\s*\d{1,3})?"  # "5+", "2-3": a count, though no number; a date is longer
_BEFORE, _AFTER = "before the first day asked for", "after the last day asked for"
_BY_CHOICE = frozenset({_BEFORE, _AFTER, "blank row"})


@contextlib.contextmanager
def _small_pages() -> Iterator[None]:
    """Keep Arrow from asking for huge pages: of a hundred MB of notes, sorted, the kernel's clearing them took a fifth of the time.

    What was allocated meanwhile is given back where it came from.
    """
    if (arrow := sys.modules.get("pyarrow")) is None:
        yield
        return
    usual = arrow.default_memory_pool()
    arrow.set_memory_pool(arrow.system_memory_pool())
    try:
        yield
    finally:
        arrow.set_memory_pool(usual)


@threads.uncollected()
@_small_pages()
def read_incidents(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    radius_m: Radii = RADIUS_M,
    crs: object = None,
    layer: str | None = None,
    encoding: str | None = None,
    day_first: bool = False,
    mgrs_zones: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    r"""Read incidents from a plain table, ACLED or UCDP GED.

    ACLED of all years and UCDP GED, its Candidate files without a header too, are known by their columns; see Notes.

    Parameters
    ----------
    path : str or Path
        CSV, XLSX, GeoPackage, GeoJSON, or another vector file of points.
    columns : mapping of str to str, optional
        Field to column name in the file, for columns with other than the usual names. Fields: id, date, date_to, kind,
        deaths, deaths_low, deaths_high, civilians (1 or 0, yes or no), precision (exact, near, area; the codes of ACLED and
        UCDP), radius_km, date_precision, note, lat, lon, position, mgrs, wkt.
    since, until : datetime.date, optional
        Incidents that lie wholly before or after are set aside. Both days count.
    radius_m : mapping of str to float or None, optional
        Metres within which the position holds, by precision, where the row gives no radius; None sets such rows aside. Of a
        plain table: exact 1 km, near 5 km, area 15 km, no precision "near", or what the digits of an MGRS reference say.
        Of ACLED's geo_precision: 1 5 km, 2 15 km, 3 set aside. Of UCDP's where_prec: 1 5 km, 2 25 km, 3 to 7 set aside.
    crs : object, optional
        Anything pyproj understands, for a file that does not say.
    layer : str, optional
        Layer or sheet, where there are several and none is called "incidents".
    encoding : str, optional
        Of a CSV that is neither UTF-8 nor begins with a byte-order mark, or a shapefile without a .cpg: "windows-1256".
    day_first : bool, optional
        Whether 1/6/2021 is the first of June. Without it such a date is none.
    mgrs_zones : sequence of str, optional
        Grid zones such as "38S" for MGRS references without one.

    Returns
    -------
    GeoDataFrame
        Table ``incidents`` in EPSG:4326, points, sorted by date, position and id; ``ground`` and ``stretch_id`` still empty.
        The id is the file's where it has one, else a number that does not depend on row order. ``stacked`` counts the
        incidents at a position; ``duplicate_of`` names an earlier incident of the same kind, at most a day and about a
        kilometre away: nothing is left out for it. ``attrs["set_aside"]`` holds the rows not used, as records: no or
        unreadable date or position, out of range, too coarse, outside `since` and `until`, a repeated id, an unknown
        precision, a number that is none; but deaths of "?", "unknown" and the like are just not known, and remarked on,
        "none" is 0 and "1,000" a thousand; "1.000" is not known, unless other cells show that points part decimals. ``attrs["input"]`` holds the counts, the layout and remarks.

    Raises
    ------
    MissingFileError
        If there is no such file.
    CrsError
        If a vector file has no CRS and none is given.
    InputError
        If the file cannot be read, has no column for date or position, `columns` names a field or a column that does
        not exist, `radius_m` a code that the layout does not have or what is no radius, `since` or `until` is no date,
        dates of ACLED are written in two ways that disagree on which of day and month comes first, or no row at all can be
        understood. A CSV or XLSX with a header and no rows is fine: no incidents.

    Notes
    -----
    Notes are kept as they are written. Reversed dates are set aside, not turned. The radii of ACLED and UCDP are guesses on
    the wide side; studies that hold events coded from the press against military records find most within 50 km only.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
    >>> _ = path.write_text("when,lat,lon,kind\n2021-02-03,35.9,43.5,attack\n2021-02-04,,,attack\n", encoding="utf-8")
    >>> found = read_incidents(path, columns={"date": "when"})
    >>> found[["date_from", "kind", "location_precision", "location_radius_m"]]
                 date_from    kind location_precision  location_radius_m
    incident_id
    I00001      2021-02-03  attack               near             5000.0
    >>> found.attrs["set_aside"]
    [{'source': 'log.csv', 'source_row': 2, 'reason': 'no position'}]
    """
    wanted, as_written, coded = _wanted(columns or {})
    rows = files.read_rows(
        path,
        role="incidents",
        layer=layer,
        may_be_empty=True,
        encoding=encoding,
        wanted=wanted,
        as_written=as_written,
        coded=coded,
        headless=headless,
    )
    _check_days(since, until)
    sha256 = _beside(files.checksum, rows.path)
    layout = recognise(rows.header)
    names = files.field_names(rows, layout.fields, columns or {})
    if rows.column(names["date"]) is None:
        raise InputError(
            f"{rows.path.name}: no date column among {', '.join(rows.header) or 'none'}",
            hint='say which it is: columns = { date = "when" }',
        )
    where = {field: names[field] for field in positions.COLUMNS}
    lon, lat, aside = positions.locate_points(rows, crs=crs, columns=where, mgrs_zones=mgrs_zones)
    _set_blanks_aside(rows, np.isnan(lon) & np.isnan(lat), aside)
    unsaid: dict[int, str] = {}
    told: list[str] = []
    content = {
        "x": lon,
        "y": lat,
        **_content(rows, names, layout, aside, unsaid, told, day_first=day_first),
        **_precision(rows, names, layout, radius_m, aside),
    }
    _outside(content, since, until, aside)
    total = len(rows.columns.index)
    plain = layout is PLAIN
    said = (layout.name, rows.read_as, files.unused(rows, names.values()) if plain else "")
    rows = replace(rows, columns=rows.columns[[]])  # all that is needed is in content: its room is needed now
    if total and len(aside) == total and all(reason not in _BY_CHOICE for reason in aside.values()):
        lines = [f"row {row}: {aside[row]}" for row in sorted(aside)[:_SHOWN]]
        raise InputError(
            f"{rows.path.name}: none of {total} incidents can be used",
            problems=lines,
            hint="check that the columns are the right ones: columns = { date = ..., lat = ..., lon = ... }",
        )
    used = np.ones(total, dtype=bool)
    used[[row - 1 for row in aside]] = False
    aside |= _repeats(content["id"], used)
    told += _turned_counts(content, used)
    found = _sorted(content, used)
    points = _beside(shapely.points, found["x"], found["y"])
    cut = nearly(rows.header) if plain else []
    remarks = [*rows.remarks, *layout.remarks, *cut, *told, *_without_deaths(unsaid, aside), *_doubts(found)]
    everywhere = Distinct.blank(len(found["id"]))
    found["source"] = everywhere.each(lambda _: rows.path.name, TEXT)
    found["ground"] = everywhere.each(str, TEXT)  # filled by the overlay, as is the next
    found["stretch_id"] = found["ground"].copy()
    # Each is of its type already: conform would look at all cells again, and setting a geometry copies the table.
    columns = {
        column: pd.array(_array(found[column]), dtype=dtype, copy=False)
        for column, dtype in COLUMNS["incidents"].items()
    }
    columns["geometry"] = from_shapely(points.result(), crs=WGS84)
    out = gpd.GeoDataFrame(columns, index=pd.Index(found["id"], dtype=TEXT, name=INDEX["incidents"]), copy=False)
    out.attrs["input"] = {
        **files.describe(
            rows.path,
            role="incidents",
            rows=total,
            used=len(out),
            aside=len(aside),
            sha256=sha256.result(),
            read_as="; ".join(filter(None, said)),
            unread=rows.unread,
            remarks=remarks,
        ),
        "attribution": layout.attribution,
    }
    out.attrs["set_aside"] = files.set_aside(rows.path, aside)
    return out


def _beside(task: Callable[..., Any], *what: object) -> Future[Any]:
    """Do what needs nothing of what follows beside it: either lets go of Python for much of its time."""
    thread = ThreadPoolExecutor(max_workers=1)
    done = thread.submit(task, *what)
    thread.shutdown(wait=False)
    return done


def _wanted(columns: Mapping[str, str]) -> tuple[Collection[str], Collection[str], Collection[str]]:
    """Return the folded names of the columns that any layout or the mapping may need; of those to be kept as written; of codes."""
    layouts = (PLAIN, *LAYOUTS)

    def called(fields: Collection[str], layouts: Collection[Layout] = layouts) -> set[str]:
        mapped = {fold(columns[field]) for field in fields if field in columns}
        return mapped | {name for layout in layouts for field in fields for name in layout.fields[field]}

    known = {name for layout in layouts for name in layout.known_by}
    written = called(_AS_WRITTEN)
    # A plain table's kinds are words, even 01 and 1.10; of other layouts they are codes, of which a spreadsheet makes 1.0.
    kinds = called(["kind"], [PLAIN])
    return (
        known | called(PLAIN.fields) | {fold(column) for column in columns.values()},
        written | kinds,
        called(_CODED) - written,
    )


def _set_blanks_aside(rows: files.Rows, nowhere: np.ndarray, aside: dict[int, str]) -> None:
    if nowhere.any():
        cells = rows.columns[nowhere]
        blank = (cells.isna() | (cells == "")).all(axis=1)
        aside.update(dict.fromkeys(blank.index[blank].tolist(), "blank row"))


def _content(
    rows: files.Rows,
    names: Mapping[str, Sequence[str]],
    layout: Layout,
    aside: dict[int, str],
    unsaid: dict[int, str],
    told: list[str],
    *,
    day_first: bool,
) -> dict[str, Any]:
    """Return when it happened, what, and to whom: arrays of the types of the table; note deaths not known, and tell of doubts."""
    kinds = rows.distinct(names["kind"]).coded(lambda text: layout.kinds.get(text, text), TEXT)
    content = {
        "source_row": rows.columns.index.to_numpy(),
        "id": _bare(_text(rows, names["id"])).array,
        "note": _text(rows, names["note"]).array,
        "kind": _one_spelling(kinds, told),
        **_days(rows, names, layout, aside, told, day_first=day_first),
        "date_precision": rows.distinct(names["date_precision"]).coded(lambda text: layout.days.get(text, text), TEXT),
    }
    for field, column in _DEATHS.items():
        cells = rows.distinct(names[field])
        written = cells.coded(str, object)
        texts = pd.Series(written.values)
        deaths, bad = values.parse_numbers(texts)
        deaths[bad] = texts[bad].map(_count).astype(float)
        either = values.may_be_thousands(texts)
        wrong = (bad & deaths.isna()) | (deaths < 0)
        untold = texts.str.strip(" .").str.casefold().isin(_NOT_KNOWN) | texts.str.fullmatch(_ABOUT)
        unsaid |= cells.where((either | (wrong & untold)).to_numpy())
        _add(aside, cells.where((wrong & ~untold).to_numpy(), f"{field} {{!r}} is not a number of zero or more".format))
        many = (deaths > _DEATHS_MAX).to_numpy()
        _add(aside, cells.where(many, f"{field} {{!r}} is above {_DEATHS_MAX:,}: is it another number?".format))
        content[column] = Coded(deaths.mask(either).to_numpy(), written.codes)
    targets = rows.distinct(names["civilians"])
    content["civilians"] = targets.coded(lambda text: layout.civilians.get(text.lower(), np.nan), REAL)
    if layout is PLAIN:
        odd = targets.where(
            lambda text: text != "" and text.lower() not in layout.civilians,
            "civilians {!r} is not 1, 0, yes or no".format,
        )
        _add(aside, odd)
    return content


def _turned_counts(content: Mapping[str, Any], used: np.ndarray) -> list[str]:
    """Tell of counts of dead that contradict each other; which is wrong nobody here knows."""
    best, low, high = (content[column] for column in _DEATHS.values())
    if np.isnan(low.values).all() and np.isnan(high.values).all():
        return []
    least, middle, most = low.array(), best.array(), high.array()
    odd = content["source_row"][((least > middle) | (middle > most) | (least > most)) & used].tolist()
    if not odd:
        return []
    return [f"deaths of {_some(odd)} are not in order, low, best, high ({files.list_rows(odd)}): used as written"]


def _some(rows: Sequence[int]) -> str:
    return "one incident" if len(rows) == 1 else f"{len(rows)} incidents"


def _count(text: str) -> float:
    """Return a number of people as a log has it beside plain figures: nobody has two and a half dead, so 1,000 is a thousand."""
    plain = western(text).strip(" .").casefold()
    if plain in _NOBODY:
        return 0.0
    return float(plain.replace(",", "")) if _THOUSANDS.fullmatch(plain) else np.nan


def _one_spelling(kinds: Coded, told: list[str]) -> Coded:
    """Take kinds that differ in capitals and blanks alone for one, as most rows spell it; and tell so."""
    table = pd.Series(kinds.values).to_frame("text")
    table["rows"] = np.bincount(kinds.codes, minlength=len(table))
    folded = table["text"].map(lambda text: " ".join(text.casefold().split()))
    if folded.is_unique:
        return kinds
    best = table.sort_values(["rows", "text"], ascending=[False, True]).groupby(folded)["text"].first()
    table["best"] = folded.map(best)
    other = table[table["text"] != table["best"]].sort_values("text")
    taken = [
        f"kind {text!r} of {rows} row{'s' * (rows > 1)} is taken for {best!r}" for text, rows, best in other.to_numpy()
    ]
    told.append("; ".join(taken))
    return Coded(pd.array(table["best"], dtype=TEXT), kinds.codes)


def _days(
    rows: files.Rows,
    names: Mapping[str, Sequence[str]],
    layout: Layout,
    aside: dict[int, str],
    told: list[str],
    *,
    day_first: bool,
) -> dict[str, Any]:
    """Return when it happened, and the first day as a number."""
    dates = rows.distinct(names["date"])
    told += values.doubt_turned(rows.column(names["date"]) or "", dates.texts)
    if layout.day_first_marks and not day_first:
        _require_one_style(rows, dates)
    marks = values.DAY_FIRST_MARKS if day_first else layout.day_first_marks
    first = dates.days(marks)

    def no_day(text: str) -> str:
        return values.no_day("date", text, day_first=day_first) if text else "no date"

    _add(aside, dates.where(np.isnat(first.values), no_day))
    last: Any = first
    if rows.column(names["date_to"]) is not None:
        ends = rows.distinct(names["date_to"])
        last = ends.days(marks)
        given = np.array([text != "" for text in ends.texts], dtype=bool)
        wrong = ends.where(
            np.isnat(last.values) & given, lambda text: values.no_day("date_to", text, day_first=day_first)
        )
        _add(aside, wrong)
        start, end = first.array(), last.array()
        _note(
            aside,
            rows.cells(names["date_to"]),
            end < start,
            "dates reversed: date_to {} is before the first day".format,
        )
        if np.isnat(last.values).any():
            last = np.where(np.isnat(end), start, end)
    numbers = np.asarray(first.values).astype("datetime64[D]").astype(np.int64)
    return {"day": Coded(numbers, first.codes), "date_from": first, "date_to": last}


def _text(rows: files.Rows, names: Sequence[str]) -> pd.Series:
    """Return a column as it is written, "" for nothing; not a distinct text at a time, since nearly all differ."""
    if rows.column(names) is None:
        return pd.Series("", index=rows.columns.index, dtype=TEXT)
    cells = rows.cells(names).astype(TEXT)
    return cells.fillna("") if cells.hasnans else cells


def _in_arrow(texts: Any) -> bool:  # noqa: ANN401 - an array of text, or a column of it
    return bool(texts.dtype.storage == "pyarrow")


def _bare(texts: pd.Series) -> pd.Series:
    """Cut the blanks around texts. Hardly an id has one anywhere, and of all of Python's in a row that is soon seen."""
    if _in_arrow(texts):
        return texts.str.strip()
    joined = "".join(texts.tolist())
    return texts if joined.split(maxsplit=1) == [joined] else texts.str.strip()


def _precision(
    rows: files.Rows, names: Mapping[str, Sequence[str]], layout: Layout, radius_m: Radii, aside: dict[int, str]
) -> dict[str, Any]:
    """Return how well each position is known, on one scale."""
    radii = {word: radius_m.get(word, radius) for word, radius in layout.radius_m.items()}
    if other := [word for word in radius_m if word not in radii and word not in PLAIN.radius_m]:
        raise InputError(
            f"{rows.path.name}: {layout.name} has no such precision",
            problems=[f"radius: {unknown('precision', word, radii)}" for word in other],
        )
    given_m: Mapping[str, object] = radius_m  # whatever somebody wrote
    wrong = [
        f"radius of {word}: {metres!r} is not within 0..{_RADIUS_MAX_M:g} m"
        for word, metres in given_m.items()
        if metres is not None and not (isinstance(metres, Real) and 0 <= float(metres) <= _RADIUS_MAX_M)
    ]
    if wrong:
        raise InputError(f"{rows.path.name}: radii that are none", problems=wrong)
    given = rows.distinct(names["precision"])
    field = "precision" if layout is PLAIN else names["precision"][0]
    fallback = "near" if layout is PLAIN else ""  # a plain table may say nothing about it

    def radius(text: str) -> float:
        return radii.get(text.lower() or fallback) or np.nan

    def unknown_code(text: str) -> str:
        return f"{field} {text!r} is not one of {', '.join(radii)}"

    def too_coarse(text: str) -> str:
        return f'{field} {text} is too coarse to place it; to use it: radius = {{ {text} = "50 km" }}'

    _add(aside, given.where(lambda text: (text.lower() or fallback) not in radii, unknown_code))
    _add(aside, given.where(lambda text: radii.get(text.lower(), 0.0) is None, too_coarse))
    metres: Any = given.coded(radius, REAL)
    words = given.coded(lambda text: (text.lower() or fallback) if layout is PLAIN else _word(radius(text)), TEXT)
    if any(rows.column(names[field]) is not None for field in ("mgrs", "position")):
        digits = positions.mgrs_radii_m(rows, {field: names[field] for field in positions.COLUMNS}).to_numpy()
        # Where a row says nothing, the digits of its MGRS reference do; and they are heard where they promise less.
        alone = given.each(lambda text: text == "", bool) & ~np.isnan(digits)
        metres = np.where(alone, digits, np.fmax(metres.array(), digits))
        words = pd.array(np.where(alone, [_word(each) for each in digits], words.array()), dtype=TEXT)
    if rows.column(names["radius_km"]) is not None:
        cells = rows.cells(names["radius_km"])
        km, bad = values.parse_numbers(cells)
        _note(aside, cells, bad | (km < 0) | (km * 1e3 > _RADIUS_MAX_M), "radius_km {!r} is not within 0..500".format)
        stated = (km * 1e3).to_numpy()
        metres = np.where(np.isnan(stated), _array(metres), stated)
    return {
        "location_precision": words,
        "location_radius_m": metres,
        "coded_to": given.coded(lambda text: layout.coded_to.get(text, ""), TEXT),
    }


def _word(radius_m: float) -> str:
    return next((word for word, metres in _WORDS if radius_m <= metres), "area")


def _add(aside: dict[int, str], found: Mapping[int, str]) -> None:
    """Set rows aside; where one is already, its first reason stands."""
    if found:
        aside.update({**found, **aside})


def _note(aside: dict[int, str], cells: pd.Series, bad: pd.Series | np.ndarray, reason: Callable[[str], str]) -> None:
    if bad.any():
        found = cells[bad]
        for row, cell in zip(found.index.tolist(), found.tolist(), strict=True):
            if row not in aside:
                aside[row] = reason(values.cell_text(cell))


def _require_one_style(rows: files.Rows, dates: Distinct) -> None:
    """Refuse dates of which some name the day first and others the year: a spreadsheet turned some of them, nobody knows how."""
    figures = dates.where(values.is_numeric_day)
    others = dates.where(lambda text: text != "" and not values.is_numeric_day(text)) if figures else {}
    if figures and others:
        raise InputError(
            f"{rows.path.name}: dates in two styles, of which one may have day and month the other way round",
            problems=[f"row {row}: {text!r}" for row, text in sorted((min(figures.items()), min(others.items())))],
            hint='get the file again from its source; or, if the day comes first in all of these, say dates = "day-first"',
        )


def _check_days(since: dt.date | None, until: dt.date | None) -> None:
    """Refuse texts, which could be read month first, and days the wrong way round."""
    for name, day in (("since", since), ("until", until)):
        if day is not None:
            require_day(name, day)
    if since and until and pd.Timestamp(since) > pd.Timestamp(until):
        raise InputError(f"dates reversed: {since} is after until {until}")


def _outside(content: Mapping[str, Any], since: dt.date | None, until: dt.date | None, aside: dict[int, str]) -> None:
    if since:
        for row in content["source_row"][_array(content["date_to"]) < np.datetime64(since)].tolist():
            aside.setdefault(row, _BEFORE)
    if until:
        for row in content["source_row"][_array(content["date_from"]) > np.datetime64(until)].tolist():
            aside.setdefault(row, _AFTER)


def _repeats(ids: Any, used: np.ndarray) -> dict[int, str]:  # noqa: ANN401 - an array of text
    """Take the rows out of use whose id an earlier row has: a file with a row for each actor tells an incident twice."""
    given = pd.Series(ids) if used.all() else pd.Series(ids)[used]
    if _in_arrow(given):
        alone = given.is_unique
    else:  # hashes are sorted faster than texts are put into a table; two alike are looked at more closely
        hashes = np.fromiter(map(hash, given.tolist()), np.int64, len(given))
        in_order = hashes.take(sorting.argsort(hashes))
        alone = (in_order[1:] != in_order[:-1]).all()
    if alone:
        return {}
    again = given[given.duplicated(keep=False) & (given != "")]
    first: dict[str, int] = {}
    found = {
        place + 1: f"the id {name!r} is in row {first[name] + 1} already"
        for place, name in zip(again.index.tolist(), again.tolist(), strict=True)
        if first.setdefault(name, place) != place
    }
    used[[row - 1 for row in found]] = False
    return found


def _sorted(content: dict[str, Any], used: np.ndarray) -> dict[str, Any]:
    """Return the rows in use, sorted by date, position and all else, and each with an id."""
    unnamed = (content["id"] == "").any()
    rows = np.flatnonzero(used)
    # One number for day and place sorts all but those few that share both; text is slow to sort.
    key = content["day"].take(rows).array()
    for axis, turn in _TURNS:
        cells = content[axis].take(rows)
        cells /= turn
        cells += 0.5
        cells *= _CELLS
        key *= 2 * _CELLS
        key += cells.astype(np.int64)
    order = sorting.argsort(key)
    key = key[order]
    same = np.flatnonzero(np.diff(key) == 0)
    if len(same):
        tied = np.union1d(same, same + 1)
        places = order[tied]
        by = ["x", "y", "date_to", "id"]
        if unnamed:  # else no id is there twice
            by += [
                "kind",
                "note",
                *(name for name in sorted(content) if name not in {*by, "day", "source_row"}),
                "source_row",
            ]
        cells = [key[tied], *(_ranked(_array(content[name].take(rows[places]))) for name in by)]
        order[tied] = places[np.lexsort(cells[::-1])]
    out = _taken(content, rows[order])
    if unnamed:
        taken = set(out["id"])
        numbers = (name for number in count(1) if (name := f"I{number:05d}") not in taken)
        out["id"] = pd.array([given or next(numbers) for given in out["id"]], dtype=TEXT)
    return out


def _ranked(cells: Any) -> np.ndarray:  # noqa: ANN401 - an array of text, or of numbers or days, which are their own rank
    if not isinstance(cells, pd.api.extensions.ExtensionArray):
        return np.asarray(cells)
    return pd.factorize(cells, sort=True)[0]


def _taken(content: dict[str, Any], places: np.ndarray) -> dict[str, Any]:
    """Return some rows of all columns, which are let go one by one; codes that several share are looked up once."""
    codes = {id(cells.codes): cells for cells in content.values() if isinstance(cells, Coded)}
    taken = {key: cells.take(places).codes for key, cells in codes.items()}
    return {
        name: Coded(cells.values, taken[id(cells.codes)]) if isinstance(cells, Coded) else cells.take(places)
        for name, cells in ((name, content.pop(name)) for name in list(content))
    }


def _array(cells: Any) -> Any:  # noqa: ANN401 - whatever array it stands for
    return cells.array() if isinstance(cells, Coded) else cells


def _without_deaths(unsaid: Mapping[int, str], aside: Collection[int]) -> list[str]:
    """Say how many incidents are used without their deaths: an attack is one, whoever has counted."""
    rows = [row for row in unsaid if row not in aside]
    if not rows:
        return []
    texts = files.list_names(sorted({unsaid[row] for row in rows}))
    points = any("." in unsaid[row] and western(unsaid[row]).replace(".", "").isdecimal() for row in rows)
    advice = "; write 1000 or 1 for 1.000, which may be either" if points else ""
    return [f"deaths not known of {_some(rows)} ({texts}; {files.list_rows(rows)}): used, without a number{advice}"]


def _doubts(found: dict[str, Any]) -> list[str]:
    """Fill in what is doubtful about each incident, and say it in sentences."""
    lon, lat, ids = found["x"], found["y"], found["id"]
    stacked = doubts.count_at_position(lon, lat)
    kinds = Coded(pd.factorize(found["kind"].values)[0], found["kind"].codes).array()
    first = doubts.first_telling(found["day"].array(), kinds, lon, lat)
    again = np.flatnonzero(first != np.arange(len(first)))
    earlier = ids.take(first[again])
    telling = np.zeros(len(ids), dtype=np.int64)
    telling[again] = np.arange(1, len(again) + 1)
    found["stacked"] = stacked
    found["duplicate_of"] = pd.array(["", *earlier], dtype=TEXT).take(telling)
    remarks = []
    heaps = np.flatnonzero(stacked >= doubts.STACK)
    if len(heaps):
        top = heaps[stacked[heaps].argmax()]
        spots = round((1 / stacked[heaps]).sum())
        remarks.append(
            f"{len(heaps)} incidents at {spots} position{'s' * (spots > 1)} that {doubts.STACK} or more share, up to "
            f"{stacked[top]} at {lat[top]:.4f}, {lon[top]:.4f}: coded to the middle of a town or district?"
        )
    if len(again):
        pairs = ", ".join(
            f"{ids[row]} and {other}" for row, other in zip(again[:_SHOWN], earlier[:_SHOWN], strict=True)
        )
        more = f" and {len(again) - _SHOWN} more" if len(again) > _SHOWN else ""
        remarks.append(
            f"{len(again)} may be told twice, being of one kind, at most a day and about a kilometre from an earlier one; "
            f"all are used: {pairs}{more}"
        )
    return remarks
