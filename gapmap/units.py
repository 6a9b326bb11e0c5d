"""Lengths from text.

In: "5 km", "500 m" or a plain number of metres. Out: metres. Method: one pattern; any other unit is refused by name,
since a reach read in the wrong unit moves every corridor.
"""

from __future__ import annotations

import math
import re

from gapmap.errors import InputError

_LENGTH = re.compile(r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>[^\d\s.]*)", re.IGNORECASE)
_METRES = {"": 1.0, "m": 1.0, "km": 1000.0}
_ACCEPTED = 'accepted: "5 km", "500 m" or a plain number of metres'


def parse_length(value: str | float) -> float:
    """Read a length.

    Parameters
    ----------
    value : str or float
        Kilometres or metres as text with the unit (``"5 km"``, ``"500 m"``), or a plain number of metres.

    Returns
    -------
    float
        Metres, finite, zero or more.

    Raises
    ------
    InputError
        For another unit, a negative or infinite length, or text that is not a length.

    Examples
    --------
    >>> parse_length("5 km"), parse_length("500m"), parse_length(250)
    (5000.0, 500.0, 250.0)
    """
    match = None if isinstance(value, bool) else _LENGTH.fullmatch(str(value).strip())
    if match is None:
        raise InputError(f"{value!r} is not a length; {_ACCEPTED}")
    unit = match["unit"].lower()
    if unit not in _METRES:
        raise InputError(f"{value!r} has the unit {match['unit']!r}; {_ACCEPTED}")
    metres = float(match["number"]) * _METRES[unit]
    if not 0 <= metres < math.inf:
        raise InputError(f"{value!r} is not a length of zero or more; {_ACCEPTED}")
    return metres


def format_length(metres: float) -> str:
    """Write a length so that :func:`parse_length` reads the same number back.

    Parameters
    ----------
    metres : float
        Zero or more.

    Returns
    -------
    str
        In kilometres from 1 km on, else in metres.

    Examples
    --------
    >>> format_length(5000.0), format_length(20.5), format_length(0)
    ('5 km', '20.5 m', '0 m')
    """
    km = f"{metres / 1000:.15g} km"
    if metres >= _METRES["km"] and parse_length(km) == metres:
        return km
    return f"{int(metres)} m" if metres == int(metres) else f"{float(metres)!r} m"
