"""Numbers and lengths from text, as people write them.

In: "5 km", "500 m" or a plain number of metres; digits of any script, a decimal point or comma. Out: metres; text with a point.
Method: one pattern; any other unit is refused by name, since a reach read in the wrong unit moves every corridor.
"""

from __future__ import annotations

import math
import re

from gapmap.errors import InputError

_LENGTH = re.compile(r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>[^\d\s.]*)", re.IGNORECASE)
_METRES = {"": 1.0, "m": 1.0, "km": 1000.0, "م": 1.0, "كم": 1000.0, "کم": 1000.0}
# Digits of Arabic, and of Persian and Kurdish, their decimal and thousands marks; marks of direction that come along when text
# is copied from a page written from right to left.
_WESTERN = str.maketrans(
    {
        **{chr(0x0660 + digit): str(digit) for digit in range(10)},
        **{chr(0x06F0 + digit): str(digit) for digit in range(10)},
        "\u066b": ".",
        "\u066c": None,
        "\u060c": ",",
        "\u061b": ";",
        "\u2212": "-",
        "\u00a0": " ",
        "\u202f": " ",
        **dict.fromkeys("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"),
    }
)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_ACCEPTED = 'accepted: "5 km", "500 m" or a plain number of metres'


def western(text: str) -> str:
    """Write digits and marks of other scripts as those of English, and leave out marks of direction.

    Parameters
    ----------
    text : str
        As written.

    Returns
    -------
    str
        The same, with ``0`` to ``9``, ``.`` for the decimal mark, ``,`` and ``;``.

    Examples
    --------
    >>> western("٣٦٫٣٤")
    '36.34'
    """
    return text.translate(_WESTERN)


def decimal_point(text: str, *, coordinate: bool = False) -> str:
    """Write a number with a decimal point.

    Parameters
    ----------
    text : str
        A number in digits of any script, with a decimal point or comma, thousands parted by blanks or not at all.
    coordinate : bool, optional
        A coordinate has no thousands, so "43,125" is 43.125. In any other number it may be either, and stays as it is.

    Returns
    -------
    str
        For ``float``; text that is no such number comes back much as it was.

    Examples
    --------
    >>> decimal_point("12,5"), decimal_point("12 500"), decimal_point("12,500"), decimal_point("43,125", coordinate=True)
    ('12.5', '12500', '12,500', '43.125')
    """
    plain = western(text).strip()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(" ", "")
    if plain.count(",") == 1 and "." not in plain and (coordinate or not _EITHER.fullmatch(plain)):
        return plain.replace(",", ".")
    return plain


def parse_length(value: str | float) -> float:
    """Read a length.

    Parameters
    ----------
    value : str or float
        Kilometres or metres as text with the unit (``"5 km"``, ``"500 m"``, ``"5 كم"``), or a plain number of metres; with
        digits of any script, a decimal point or comma.

    Returns
    -------
    float
        Metres, finite, zero or more.

    Raises
    ------
    InputError
        For another unit, a negative or infinite length, text that is not a length, or "1,500 m", which may be either.

    Examples
    --------
    >>> parse_length("5 km"), parse_length("500m"), parse_length(250)
    (5000.0, 500.0, 250.0)
    """
    text = western(str(value)).strip()
    figure = text.rstrip("".join(_METRES) + "KM ")
    text = decimal_point(figure) + text[len(figure) :]
    match = None if isinstance(value, bool) else _LENGTH.fullmatch(text)
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
