"""Days and numbers from the cells of a table.

In: a column as text. Out: days or numbers, and which cells hold something else. Method: each distinct text once; only what has
one meaning is read, so that 1.2.2020 needs somebody who says that the day comes first.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gapmap.tables import DAY, TEXT
from gapmap.units import decimal_point, western

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

DAY_FIRST_MARKS = "./-"
_YEARS = (1900, 2100)  # outside of these it is another calendar, or a slip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS_A_YEAR = 12
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}")
_NAMED = re.compile(rf"(?P<day>\d{{1,2}})[ -](?P<month>[A-Za-z]{{3,9}})[ -](?P<year>\d{{4}}){_TIME}")
_DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_TIME}")
_LAST_DAY = re.compile(rf"(?:9999[-/.]12[-/.]31|31[-/. ](?:12|dec|december)[-/. ]9999){_TIME}", re.IGNORECASE)
_POINTED = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_DECIMALS = re.compile(r"\d+\.\d*")
_SERIAL = re.compile(r"[1-7]\d{4}(?:\.\d+)?")  # 1927 to 2119, in days since 1900
_MONTH_NAMES = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Coded:
    """An array of few different values, of which rows are taken and sorted before it is made.

    Parameters
    ----------
    values : ndarray or ExtensionArray
        The different ones.
    codes : ndarray of int
        For each row the place of its value.
    """

    values: Any
    codes: np.ndarray

    def take(self, places: np.ndarray) -> Coded:
        """Return some rows.

        Parameters
        ----------
        places : ndarray of int
            From 0.

        Returns
        -------
        Coded
            As many as there are places.
        """
        if self.codes.strides == (0,):  # of a column that is blank all the way
            return Coded(self.values, np.broadcast_to(self.codes[:1], len(places)))
        return Coded(self.values, self.codes.take(places))

    def array(self) -> Any:  # noqa: ANN401 - an array of the values' type
        """Return the value of each row.

        Returns
        -------
        ndarray or ExtensionArray
            Of the type of the values.

        Examples
        --------
        >>> Coded(np.array(["a", "b"]), np.array([1, 0, 1])).take(np.array([0, 1])).array().tolist()
        ['b', 'a']
        """
        return self.values.take(self.codes)


class Distinct:
    """A column of which each distinct cell is looked at once.

    Parameters
    ----------
    cells : Series
        Text, or whatever pandas took it for; NaN for nothing.
    """

    def __init__(self, cells: pd.Series) -> None:
        codes, distinct = pd.factorize(cells, use_na_sentinel=False)
        # A byte or two where eight came: they are kept to the end, and room that is new costs more than what is done in it.
        self._codes = codes.astype(np.min_scalar_type(len(distinct)))
        self._texts = [cell_text(cell) for cell in distinct.tolist()]

    @classmethod
    def blank(cls, rows: int) -> Distinct:
        """Return a column that a file does not have.

        Parameters
        ----------
        rows : int
            How many rows the file has.

        Returns
        -------
        Distinct
            "" in every row.
        """
        column = cls(pd.Series([""]))
        column._codes = np.broadcast_to(np.int64(0), rows)  # takes no room
        return column

    def each(self, read: Callable[[str], object], dtype: type | str) -> Any:  # noqa: ANN401 - an array of that type
        """Return what a function makes of every cell.

        Parameters
        ----------
        read : callable
            Called once for each distinct text.
        dtype : type or str
            Of the array; "str" for text as in tables.

        Returns
        -------
        ndarray or ExtensionArray
            As long as the column.

        Examples
        --------
        >>> Distinct(pd.Series(["a", "bc", "a"])).each(str.upper, "str").tolist()
        ['A', 'BC', 'A']
        """
        return self.coded(read, dtype).array()

    def coded(self, read: Callable[[str], object], dtype: type | str) -> Coded:
        """Return the same, not yet made.

        Parameters
        ----------
        read : callable
            Called once for each distinct text.
        dtype : type or str
            As for :meth:`each`.

        Returns
        -------
        Coded
            As long as the column.
        """
        found = [read(text) for text in self._texts]
        return Coded(pd.array(found, dtype=dtype) if dtype == TEXT else np.array(found, dtype=dtype), self._codes)

    @property
    def texts(self) -> Sequence[str]:
        """The distinct cells as text."""
        return self._texts

    def days(self, day_first: str = "") -> Coded:
        """Read dates.

        Parameters
        ----------
        day_first : str, optional
            As for :func:`parse_days`.

        Returns
        -------
        Coded
            The days; NaT for none, and for a text that is no date.
        """
        return self.coded(lambda text: _day(text, day_first), DAY)

    def where(self, is_so: Callable[[str], bool] | np.ndarray, say: Callable[[str], str] = str) -> dict[int, str]:
        """Return the rows of whose cell something is so.

        Parameters
        ----------
        is_so : callable or ndarray of bool
            Called once for each distinct text; or the answers, as the values of a :class:`Coded` have them.
        say : callable, optional
            Called once for each distinct text of which it is so; without it, the text is said.

        Returns
        -------
        dict of int to str
            Row, from 1, to what is said of its text.

        Examples
        --------
        >>> Distinct(pd.Series(["a", "bc", "a"])).where(lambda text: text == "a", "not {!r}".format)
        {1: "not 'a'", 3: "not 'a'"}
        """
        found = is_so if isinstance(is_so, np.ndarray) else np.array([is_so(text) for text in self._texts], dtype=bool)
        if not found.any():
            return {}
        said = {code: say(self._texts[code]) for code in np.flatnonzero(found).tolist()}
        places = np.flatnonzero(found[self._codes])
        return dict(zip((places + 1).tolist(), map(said.__getitem__, self._codes[places].tolist()), strict=True))


def cell_text(cell: object) -> str:
    """Return a cell as text.

    Parameters
    ----------
    cell : object
        What a reader gave: text, a number, a date, nothing.

    Returns
    -------
    str
        Without blanks around it; a number as it was typed, a date as ISO, "" for nothing.
    """
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float | np.floating):
        if np.isnan(cell):
            return ""
        return str(int(cell)) if float(cell).is_integer() else repr(float(cell))
    if isinstance(cell, list | np.ndarray):
        return str(list(cell))
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return ""
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def parse_days(cells: pd.Series, *, day_first: str = "") -> tuple[pd.Series, pd.Series]:
    """Read dates.

    Parameters
    ----------
    cells : Series
        ``2021-06-01`` or ``2021/6/1``, ``1 June 2021`` or ``01-Jun-2021``, with or without a time of day, which is passed
        over; digits of any script; "" for none.
    day_first : str, optional
        The marks with which ``1/6/2021`` counts as the first of June: ``DAY_FIRST_MARKS``, or some of them. Without any, such
        a date is none.

    Returns
    -------
    tuple of Series
        The days (NaT for none), and whether a text is there that is no date from 1900 to 2100.
    """
    distinct = Distinct(cells)
    days = pd.Series(distinct.days(day_first).array(), index=cells.index)
    return days, pd.Series(distinct.each(bool, bool), cells.index) & days.isna()


def is_numeric_day(text: str) -> bool:
    """Tell whether a text has the form of a date whose day or month may come first.

    Parameters
    ----------
    text : str
        As for :func:`parse_days`.

    Returns
    -------
    bool
        True for "1/6/2021", whatever its numbers.
    """
    return _DAY_FIRST.fullmatch(western(text).strip()) is not None


def no_day(field: str, text: str, *, day_first: bool = False) -> str:
    """Say that a text is no date, and what to do where the day may come first.

    Parameters
    ----------
    field : str
        What the date is.
    text : str
        As written.
    day_first : bool, optional
        Whether the day was said to come first.

    Returns
    -------
    str
        For the list of problems.
    """
    plain = western(text).strip()
    named = _NAMED.fullmatch(plain)
    in_english = named is not None and named["month"].lower() in (*_MONTHS, *_MONTH_NAMES)
    if in_english or _YEAR_FIRST.fullmatch(plain) or (day_first and _DAY_FIRST.fullmatch(plain)):
        return f"{field} {text!r} is no day of the calendar from {_YEARS[0]} to {_YEARS[1]}"
    said = f"{field} {text!r} is not an ISO date such as 2021-06-01"
    if _SERIAL.fullmatch(plain):
        return f"{said}; a spreadsheet counts days so: give its cells the format of a date, then save it again"
    if day_first:
        return f"{field} {text!r} is neither an ISO date nor one such as 1/6/2021, the day first and the year in full"
    return f'{said}; if the day comes first, say dates = "day-first"' if is_numeric_day(text) else said


def is_endless(text: str) -> bool:
    """Tell whether a text is a day of the year 9999: databases write it for no end.

    Parameters
    ----------
    text : str
        As for :func:`parse_days`.

    Returns
    -------
    bool
        False for another year, which may be a slip of the pen.

    Examples
    --------
    >>> is_endless("9999-12-31"), is_endless("31/12/9999"), is_endless("2201-06-01"), is_endless("9999")
    (True, True, False, False)
    """
    return _LAST_DAY.fullmatch(western(text).strip()) is not None


def doubt_turned(column: str, texts: Iterable[str]) -> list[str]:
    """Doubt dates of which a spreadsheet seems to have taken some days for months, and left the others as text.

    Where it reads the month first, 3/2/2021 becomes a date, the second of March, and 25/2/2021 stays as it was typed.

    Parameters
    ----------
    column : str
        Its name.
    texts : iterable of str
        Its cells.

    Returns
    -------
    list of str
        A remark where both styles are there, no day is above 12 in the one, and all are in the other; else none.

    Examples
    --------
    >>> doubt_turned("date", ["2021-03-02", "25/2/2021"])[0][:58]
    "days and months may be turned in column 'date': no day is "
    >>> doubt_turned("date", ["2021-03-02", "25/2/2021", "3/2/2021"])
    []
    """
    plain = [western(text).strip() for text in texts]
    dates, typed = (
        [int(found["day"]) for text in plain if (found := form.fullmatch(text))] for form in (_YEAR_FIRST, _DAY_FIRST)
    )
    if not dates or not typed or max(dates) > _MONTHS_A_YEAR or min(typed) <= _MONTHS_A_YEAR:
        return []
    said = (
        f"days and months may be turned in column {column!r}: no day is above 12 in its dates, and all are in those that "
        "stayed text, as where a spreadsheet reads the month first; see a few against their source"
    )
    return [said]


def parse_numbers(cells: pd.Series, *, coordinates: bool = False) -> tuple[pd.Series, pd.Series]:
    """Read numbers.

    Parameters
    ----------
    cells : Series
        Numbers as they are; or text: digits of any script, decimal point or comma, "" or NaN for none.
    coordinates : bool, optional
        Of which a comma is always the decimal mark; else "1,500" is no number, since it may be either.

    Returns
    -------
    tuple of Series
        The numbers (NaN for none), and whether something is there that is no finite number.
    """
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        numbers = cells.astype(float)
        bad = pd.Series(np.isinf(numbers.to_numpy()), index=cells.index)
        return (numbers.where(~bad) if bad.any() else numbers), bad
    texts = pd.Series([cell_text(cell) for cell in cells.tolist()], index=cells.index, dtype=object)
    given = texts != ""
    numbers = pd.to_numeric(texts.where(given, None), errors="coerce").astype(float)
    odd = given & numbers.isna()
    if odd.any():
        plain = texts[odd].map(lambda text: decimal_point(text, coordinate=coordinates))
        numbers[odd] = pd.to_numeric(plain, errors="coerce")
    numbers = numbers.where(np.isfinite(numbers))
    return numbers, given & numbers.isna()


def may_be_thousands(texts: pd.Series) -> pd.Series:
    """Find numbers of people that a point makes doubtful: "1.000" is one with three decimals, or a thousand.

    Parameters
    ----------
    texts : Series
        A column as written.

    Returns
    -------
    Series
        Whether a text is such a number; nowhere where another one shows that points part decimals here, as "2.0" does.

    Examples
    --------
    >>> may_be_thousands(pd.Series(["1.000", "12"])).tolist(), may_be_thousands(pd.Series(["1.000", "0.000"])).tolist()
    ([True, False], [False, False])
    """
    plain = texts.map(lambda text: western(text).strip())
    found = plain.map(lambda text: _POINTED.fullmatch(text) is not None).astype(bool)
    shown = plain[~found].map(lambda text: _DECIMALS.fullmatch(text) is not None)
    return found & (not shown.any())


def _day(text: str, day_first: str) -> np.datetime64:
    plain = western(text).strip()
    match = _YEAR_FIRST.fullmatch(plain) or _NAMED.fullmatch(plain) or _DAY_FIRST.fullmatch(plain)
    if match is None or (match.re is _DAY_FIRST and match["mark"] not in day_first):
        return np.datetime64("NaT")
    month = match["month"].lower()
    if match.re is _NAMED:
        if month not in _MONTH_NAMES and month not in _MONTHS:
            return np.datetime64("NaT")
        month = str(_MONTHS.index(month[:3]) + 1)
    try:
        day = dt.date(int(match["year"]), int(month), int(match["day"]))
    except ValueError:
        return np.datetime64("NaT")
    return np.datetime64(day if _YEARS[0] <= day.year <= _YEARS[1] else "NaT")
