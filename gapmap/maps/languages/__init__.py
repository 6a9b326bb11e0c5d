"""The words of the page, one catalogue a language.

In: the name of a language. Out: its words. Method: one JSON file a language, every key of the English one in each.
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from gapmap.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "ar", "ckb", "kmr")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the words of a language.

    Parameters
    ----------
    language : str
        en (English), ar (Arabic), ckb (Kurdish, Sorani) or kmr (Kurdish, Badini).

    Returns
    -------
    mapping of str to str
        Keys with ``_`` tell of the catalogue itself.

    Raises
    ------
    InputError
        If there is no such language.

    Examples
    --------
    >>> catalogue("ar")["_direction"]
    'rtl'
    """
    if language not in LANGUAGES:
        raise InputError(f"there is no map in {language!r}", hint=f"languages: {', '.join(LANGUAGES)}")
    return json.loads((resources.files(__name__) / f"{language}.json").read_text(encoding="utf-8"))


def phrase(template: str, values: Mapping[str, str]) -> str:
    """Put values into a sentence.

    Parameters
    ----------
    template : str
        With the names of values in braces.
    values : mapping of str to str
        The values.

    Returns
    -------
    str
        Text; what a value holds is never looked at again.

    Examples
    --------
    >>> phrase("{n} of {m}", {"n": "{m}", "m": "2"})
    '{m} of 2'
    """
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], template)


def phrase_html(template: str, values: Mapping[str, str]) -> str:
    """Put values into a sentence as markup, each apart from the words around it, for languages of both directions.

    Parameters
    ----------
    template : str
        With the names of values in braces.
    values : mapping of str to str
        The values.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> phrase_html("up to {n}", {"n": "<5 km"})
    'up to <bdi>&lt;5 km</bdi>'
    """
    return phrase(
        html.escape(template, quote=False), {key: f"<bdi>{html.escape(value)}</bdi>" for key, value in values.items()}
    )
