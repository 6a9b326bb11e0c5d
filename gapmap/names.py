"""Place names: the same name in another spelling.

In: a text somebody typed, and the names that are held. Out: the one that is meant, or the candidates where that is not
sure. Method: names are compared by their letters alone, without marks, blanks and the letters that Arabic, Persian
and Kurdish write differently; then by their consonants in Latin letters; then by likeness (rapidfuzz).
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from anyascii import anyascii

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHOWN = 8  # candidates, as on the map page
_LIKE = 75.0  # per cent of likeness from which a name is a candidate
_NEAR = 50.0  # the same where it has the same consonants
_SURE = 90.0  # the same consonants and so much likeness: the same name
_HEARD = 1_000  # spellings, the likest, whose consonants are compared
_PART = 3  # letters that a part of a name must have to stand for it

# The same letters stand in `fold` of maps/assets/gapmap.js; a browser test holds the two together.
_SAME = {
    **dict.fromkeys("ٱ", "ا"),
    **dict.fromkeys("ىیېےێ", "ي"),
    **dict.fromkeys("کڪ", "ك"),
    **dict.fromkeys("ةەھہ", "ه"),
    **dict.fromkeys("ۆۇۋ", "و"),
    "ڕ": "ر",
    "ڵ": "ل",
    "ء": "",
    "ı": "i",
    "ə": "e",
    "ł": "l",
    "đ": "d",
    "ø": "o",
    "ß": "ss",
    "ς": "σ",
}
# Kurdish begins a word that starts with a vowel by a hamza on its seat; Arabic writes the vowel alone.
_SEAT = re.compile(r"(^|[\W\d_])ئ")
# Letters that Latin spellings of one Arabic or Kurdish name differ in, longest first.
_SOUNDS = (
    ("kh", "h"), ("gh", "k"), ("sh", "s"), ("ch", "j"), ("dh", "d"), ("th", "t"), ("dj", "j"), ("ph", "f"),
    ("x", "h"), ("q", "k"), ("g", "k"), ("c", "j"), ("p", "b"), ("v", "w"),
)  # fmt: skip
_VOWELS = re.compile(r"[aeiouyw]|[^a-z0-9]")
_TWICE = re.compile(r"(.)\1+")


class _Folded(dict[int, str]):
    """What becomes of each letter, worked out when it is first met: a country has a million letters in its names."""

    def __missing__(self, code: int) -> str:
        self[code] = "".join(map(_plain, unicodedata.normalize("NFKD", chr(code)).lower()))
        return self[code]


def _plain(letter: str) -> str:
    letter = _SAME.get(letter, letter)
    kinds = {unicodedata.category(each) for each in letter}
    if kinds == {"Nd"}:
        return str(unicodedata.digit(letter))
    return letter if kinds and all(kind[0] in "LN" and kind != "Lm" for kind in kinds) else ""


_FOLDED = _Folded()


@dataclass(frozen=True)
class Match:
    """A name that was found.

    Parameters
    ----------
    key : str
        The id under which it was held.
    name : str
        The first of its names.
    spelling : str
        The spelling of it that the text is nearest to.
    how : str
        ``equal``, ``begins``, ``contains``, ``sounds`` or ``similar``.
    """

    key: str
    name: str
    spelling: str
    how: str


@dataclass(frozen=True)
class Found:
    """What a text may name.

    Parameters
    ----------
    match : Match or None
        What is meant, where that is sure.
    candidates : tuple of Match
        Where it is not, what may be meant, the likeliest first; at most ``SHOWN``.
    """

    match: Match | None
    candidates: tuple[Match, ...]


def fold(text: str) -> str:
    """Return the letters and digits of a name, written one way.

    Parameters
    ----------
    text : str
        In any script.

    Returns
    -------
    str
        Small letters without marks, blanks, hyphens and apostrophes; one letter for those that Arabic, Persian and
        Kurdish write differently; digits as 0 to 9. "" where nothing is left.

    Examples
    --------
    >>> fold("Tall ‘Afar"), fold("Ţall-Afar"), fold("تلّ عفر") == fold("تل‌عفر")
    ('tallafar', 'tallafar', True)
    """
    whole = unicodedata.normalize("NFKC", text)
    return (_SEAT.sub(r"\1", whole) if "ئ" in whole else whole).translate(_FOLDED)


def sound(text: str) -> str:
    """Return the consonants of a name in Latin letters, those that spellings differ in as one.

    Parameters
    ----------
    text : str
        In any script.

    Returns
    -------
    str
        "" where the name has no consonants.

    Examples
    --------
    >>> sound("Makhmour"), sound("Mexmûr"), sound("مخمور")
    ('mhmr', 'mhmr', 'mhmr')
    """
    latin = _latin(fold(text))
    for letters, one in _SOUNDS:
        latin = latin.replace(letters, one)
    key = _TWICE.sub(r"\1", _VOWELS.sub("", latin))
    return key.removesuffix("h")  # the ending that Arabic writes and few pronounce


def variants(name: str, names: str) -> list[str]:
    """Return all spellings of a place.

    Parameters
    ----------
    name, names : str
        As in table ``places``: ``names`` is a JSON list, or "".

    Returns
    -------
    list of str
        The name first.

    Examples
    --------
    >>> variants("Gwer", '["Quwayr", "Guwer"]')
    ['Gwer', 'Quwayr', 'Guwer']
    """
    return [name, *(str(each) for each in json.loads(names or "[]"))]


def find(text: str, held: Mapping[str, Sequence[str]]) -> Found:
    """Find what a text names.

    Parameters
    ----------
    text : str
        As somebody typed it; also one of the ids.
    held : mapping of str to sequence of str
        The spellings of each id, the name first.

    Returns
    -------
    Found
        Sure where the text is an id; where just one id has that spelling; where none has and just one has a spelling
        with the text (three letters or more) in it; or where none has and just one has the same consonants and is 90 %
        alike. Everything else is a list of candidates, by likeness.

    Examples
    --------
    >>> held = {"P1": ["Makhmur", "مخمور"], "P2": ["Tel Kaif"], "P3": ["Tal Afar", "Telafer"]}
    >>> find("tall-afar", held).match.key, find("Makhmour", held).match.key
    ('P3', 'P1')
    >>> [each.name for each in find("Tel", held).candidates]
    ['Tel Kaif', 'Tal Afar']
    """
    if (key := text.strip()) in held:
        return Found(Match(key, held[key][0], held[key][0], "equal"), ())
    wanted = fold(text)
    if not wanted:
        return Found(None, ())
    spellings = [(key, spelling, fold(spelling)) for key, names in held.items() for spelling in names]
    plain = _by_letters(wanted, spellings, held)
    equal = [match for match in plain if match.how == "equal"]
    for some in (equal, plain):
        if len(some) == 1 and (some is equal or len(wanted) >= _PART):
            return Found(some[0], ())
    if equal:
        return Found(None, tuple(plain[:SHOWN]))
    near, alike = _by_sound(text, spellings, held)
    same = [match for match in near if match.how == "sounds" and alike[match.key] >= _SURE]
    if len(same) == 1 and not plain:
        return Found(same[0], ())
    return Found(None, tuple(_first_of_each([*plain, *near])[:SHOWN]))


def _by_letters(
    wanted: str, spellings: Iterable[tuple[str, str, str]], held: Mapping[str, Sequence[str]]
) -> list[Match]:
    """Return the ids with a spelling that is, begins with or contains the text, one match each, the best first."""
    ranks = ("equal", "begins", "contains")
    found: list[tuple[int, str, str]] = []
    for key, spelling, folded in spellings:
        if wanted in folded:
            rank = 0 if folded == wanted else 1 if folded.startswith(wanted) else 2
            found.append((rank, key, spelling))
    found.sort(key=lambda each: each[0])
    return _first_of_each(Match(key, held[key][0], spelling, ranks[rank]) for rank, key, spelling in found)


def _by_sound(
    text: str, spellings: Sequence[tuple[str, str, str]], held: Mapping[str, Sequence[str]]
) -> tuple[list[Match], dict[str, float]]:
    """Return the ids that sound or look like the text, the likeliest first, and the likeness of each."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - most names are found by their letters

    folded = [_latin(each[2]) for each in spellings]
    wanted_sound = sound(text)
    scores = process.cdist([_latin(fold(text))], folded, scorer=fuzz.ratio)[0] if folded else np.empty(0)
    found = []
    for row in np.argsort(-scores, kind="stable")[:_HEARD]:
        key, spelling, _ = spellings[row]
        same = bool(wanted_sound) and scores[row] >= _NEAR and sound(spelling) == wanted_sound
        if same or scores[row] >= _LIKE:
            found.append((not same, -float(scores[row]), key, spelling))
    found.sort()
    matches = [
        Match(key, held[key][0], spelling, "similar" if other else "sounds") for other, _, key, spelling in found
    ]
    alike: dict[str, float] = {}
    for _, score, key, _ in found:
        alike[key] = max(alike.get(key, 0.0), -score)
    return _first_of_each(matches), alike


def _first_of_each(matches: Iterable[Match]) -> list[Match]:
    first: dict[str, Match] = {}
    for match in matches:
        first.setdefault(match.key, match)
    return list(first.values())


def _latin(folded: str) -> str:
    if folded.isascii():
        return folded
    return anyascii(folded).lower()
