"""Days and numbers from the cells of a table.

In: a column as text. Out: days or numbers, and which cells hold something else. Method: each distinct text once; only what has
one meaning is read, so that 1.2.2020 needs somebody who says that the day comes first.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gapmap.units import decimal_point, western

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_FIRST_MARKS = "./-"
_YEARS = (1900, 2100)  # outside of these it is another calendar, or a slip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}")
_NAMED = re.compile(rf"(?P<day>\d{{1,2}})[ -](?P<month>[A-Za-z]{{3,9}})[ -](?P<year>\d{{4}}){_TIME}")
_DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_TIME}")
_MONTH_NAMES = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


class Distinct:
    """A column of text of which each distinct cell is looked at once.

    Parameters
    ----------
    texts : Series
        Text.
    """

    def __init__(self, texts: pd.Series) -> None:
        self._codes, self._texts = pd.factorize(texts.to_numpy(dtype=object))

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
        column._codes = np.zeros(rows, dtype=np.int8)
        return column

    def each(self, read: Callable[[str], object], dtype: type | str = object) -> np.ndarray:
        """Return what a function makes of every cell.

        Parameters
        ----------
        read : callable
            Called once for each distinct text.
        dtype : type or str, optional
            Of the array.

        Returns
        -------
        ndarray
            As long as the column.

        Examples
        --------
        >>> Distinct(pd.Series(["a", "b", "a"])).each(str.upper).tolist()
        ['A', 'B', 'A']
        """
        found: np.ndarray = np.empty(len(self._texts), dtype=dtype)
        found[:] = [read(text) for text in self._texts]
        return found[self._codes]


def parse_days(texts: pd.Series, *, day_first: str = "") -> tuple[pd.Series, pd.Series]:
    """Read dates.

    Parameters
    ----------
    texts : Series
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
    distinct = Distinct(texts)
    days = pd.Series(distinct.each(lambda text: _day(text, day_first), "datetime64[ms]"), index=texts.index)
    return days, pd.Series(distinct.each(bool, bool), texts.index) & days.isna()


def is_numeric_day(texts: pd.Series) -> pd.Series:
    """Tell which texts have the form of a date whose day or month may come first.

    Parameters
    ----------
    texts : Series
        As for :func:`parse_days`.

    Returns
    -------
    Series
        True for "1/6/2021", whatever its numbers.
    """
    found = Distinct(texts).each(lambda text: _DAY_FIRST.fullmatch(western(text).strip()) is not None, bool)
    return pd.Series(found, index=texts.index)


def no_day(field: str, text: str) -> str:
    """Say that a text is no date, and what to do where the day may come first.

    Parameters
    ----------
    field : str
        What the date is.
    text : str
        As written.

    Returns
    -------
    str
        For the list of problems.
    """
    said = f"{field} {text!r} is not an ISO date such as 2021-06-01"
    return f'{said}; if the day comes first, say dates = "day-first"' if is_numeric_day(pd.Series([text]))[0] else said


def parse_numbers(texts: pd.Series, *, coordinates: bool = False) -> tuple[pd.Series, pd.Series]:
    """Read numbers.

    Parameters
    ----------
    texts : Series
        Numbers as they are; or text: digits of any script, decimal point or comma, "" for none.
    coordinates : bool, optional
        Of which a comma is always the decimal mark; else "1,500" is no number, since it may be either.

    Returns
    -------
    tuple of Series
        The numbers (NaN for none), and whether something is there that is no finite number.
    """
    if pd.api.types.is_numeric_dtype(texts.dtype):
        numbers = texts.astype(float)
        finite = np.isfinite(numbers)
        return numbers.where(finite), numbers.notna() & ~finite
    given = texts != ""
    numbers = pd.to_numeric(texts.where(given, None), errors="coerce").astype(float)
    odd = given & numbers.isna()
    if odd.any():
        plain = texts[odd].map(lambda text: decimal_point(text, coordinate=coordinates))
        numbers[odd] = pd.to_numeric(plain, errors="coerce")
    numbers = numbers.where(np.isfinite(numbers))
    return numbers, given & numbers.isna()


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
