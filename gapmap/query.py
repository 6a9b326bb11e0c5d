"""``gapmap query``: a question on the command line.

In: the words after ``query``. Out: the answer, on the screen or in a file. Method: argparse, unlike the other commands:
building typer's parameters takes as long as an answer.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gapmap.errors import InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = "Ask a saved result: a point, a place, or a table with filters."
_ONE = ("at", "place")
_TABLES = ("stretches", "corridors", "places", "incidents", "transects")  # as in questions, which is slow to import
_MORE = """Conditions add up. Boundaries count: 10 km is "at least 10 km", the first and the last day are in, and so is what
touches an area. Of stretches and corridors, --since, --until and --kind keep those with such an incident."""
_EXAMPLES = """examples:
  gapmap query out at 36.34, 43.13
  gapmap query out place Makhmour
  gapmap query out stretches --min-width 10km --sort -width_max_m --limit 5
  gapmap query out incidents --within "15km-of Makhmour" --output near.csv"""


def ask(words: Sequence[str]) -> None:
    """Answer a question.

    Parameters
    ----------
    words : sequence of str
        What stands after ``gapmap query``.

    Raises
    ------
    InputError
        If the question cannot be understood or answered.
    SystemExit
        With 0 after help, 2 on wrong use.
    """
    parser = _parser()
    valued = {name for each in parser._actions if each.nargs is None for name in each.option_strings}  # noqa: SLF001
    given, rest = parser.parse_known_intermixed_args(_joined(words, valued))
    if rest:
        options = sorted(name for each in parser._actions for name in each.option_strings)  # noqa: SLF001
        raise InputError("wrong use of query", problems=[unknown("option", word, options) for word in rest])
    one = given.what in _ONE
    if not one and given.what not in _TABLES:
        raise InputError(unknown("question", given.what, [*_ONE, *_TABLES]))
    filters = {name: value for name, value in vars(given).items() if name in _FILTERS and value not in (None, [])}
    _refuse(given, filters)
    collects = gc.isenabled()
    gc.disable()  # an answer is short, and looking for garbage while importing takes a tenth of its time
    try:
        _answer(given, filters)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough; what is left is flushed into nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        if collects:
            gc.enable()


def _answer(given: argparse.Namespace, filters: dict[str, Any]) -> None:
    import gapmap
    from gapmap import answers, questions

    result = given.result / "gaps.gpkg" if given.result.is_dir() else given.result
    area = questions.area_file(given.in_area) if given.in_area else None
    keep = [result, *([area[0]] if area else [])]
    target = answers.plan(given.format, given.output, overwrite=given.overwrite, keep=keep)
    analysis = gapmap.open(result)
    if given.what in _ONE:
        question = questions.at if given.what == "at" else questions.place
        radii_m = [questions.length_of("--radius", each) for each in given.radius] or questions.RADII_M
        answers.give_card(question(analysis, " ".join(given.words), radii_m=radii_m), target)
    else:
        if target.form == "table":
            filters = {"limit": answers.SHOWN, **filters}
        answers.give_rows(questions.select(analysis, given.what, **filters), target)


def _refuse(given: argparse.Namespace, filters: dict[str, Any]) -> None:
    """Refuse filters on one thing, and a point or a name for a table."""
    example = 'at "36.34, 43.13"' if given.what == "at" else "place NAME"
    if given.what in _ONE and filters:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in filters)
        raise InputError(f"{given.what} takes no {options}", hint=f"gapmap query RESULT {example}")
    if given.what in _ONE and not "".join(given.words).strip():
        raise InputError(f"{given.what}: nothing to look for", hint=f"gapmap query RESULT {example}")
    if given.what not in _ONE and (given.words or given.radius):
        raise InputError(
            f"{given.what} takes no {' '.join(given.words) or '--radius'}",
            hint='narrow down with --within "15km-of NAME"',
        )


def _joined(words: Sequence[str], valued: set[str]) -> list[str]:
    """Join options with their values: argparse would take a value such as -width_max_m for an option."""
    out: list[str] = []
    for word in words:
        if out and out[-1] in valued and out[-1].startswith("--"):
            out[-1] += f"={word}"
        else:
            out.append(word)
    return out


class _Once(argparse.Action):
    """Refuses an option with two values: the last would be taken, and the first forgotten in silence."""

    def __call__(
        self,
        _: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        before = getattr(namespace, self.dest)
        if option_string is not None and before is not None:
            raise InputError(f"{self.option_strings[-1]} is given twice: {before} and {values}", hint="give it once")
        setattr(namespace, self.dest, values)


_FILTERS = (
    "min_width",
    "force",
    "within",
    "in_area",
    "since",
    "until",
    "kind",
    "min_population",
    "sort",
    "limit",
    "columns",
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "gapmap query",
        description=f"{ABOUT}\n\n{_MORE}",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # South of the equator a latitude begins with a sign: by itself argparse knows -36.2 for a number, but not "-36.2,".
    parser._negative_number_matcher = re.compile(r"-[\d.]")  # noqa: SLF001
    parser.register("action", None, _Once)  # where no other is named
    add = parser.add_argument
    add("result", metavar="RESULT", type=Path, help="a .gpkg that gapmap saved, or its folder")
    add("what", metavar="WHAT", help=f"{', '.join([*_ONE, *_TABLES])}")
    add(
        "words",
        metavar="POINT | NAME",
        nargs="*",
        default=[],
        help="with at and place: coordinates, MGRS, or the name of a place",
    )
    add("--radius", metavar="LENGTH", action="append", default=[], help="with at and place: count incidents within")
    add("--min-width", metavar="LENGTH", help="at least so wide, 10km; stretches and corridors at their widest")
    add("--force", metavar="NAME", action="append", help="with that force on one side; twice: between the two")
    add("--within", metavar="LENGTH-of POINT", help='not farther from it: "15km-of Makhmour"')
    add(
        "--in-area",
        metavar="FILE[:LAYER] | NAME",
        help="in these polygons, or in a boundary of the result; touching is in",
    )
    add("--since", metavar="DAY", help="incidents of that day or later: 2021-06-01")
    add("--until", metavar="DAY", help="incidents of that day or earlier")
    add("--kind", metavar="KIND", action="append", help="incidents of that kind; twice: of either")
    add("--min-population", metavar="PEOPLE", type=float, help="at least so many people, where that is known")
    add("--sort", metavar="COLUMNS", action="append", help="parted by commas; -width_max_m has the largest first")
    add("--limit", metavar="ROWS", type=int, help="at most so many rows; a table shows 50 unless told")
    add("--columns", metavar="COLUMNS", action="append", help="those to give after the id, parted by commas")
    add("--format", metavar="FORMAT", help="table, csv, json, geojson or gpkg; that of the file unless told")
    add("-o", "--output", metavar="FILE", type=Path, help="write to this file")
    add("--overwrite", action="store_true", help="replace the file")
    return parser
