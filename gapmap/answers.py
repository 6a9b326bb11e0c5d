"""Answers, given as they are asked for: on the screen, or as a file that other programs open.

In: a card or rows, and the form: table, csv, json, geojson, gpkg. Out: text on standard output or a file, what to know about
the answer on standard error. Method: a file is finished beside its place and then put there; the notice of a result
goes along in every form, and in a file the mark of its edition, as in an export.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from gapmap import formats, storage, tables
from gapmap.editions import mark_of
from gapmap.errors import InputError, unknown
from gapmap.printing import file_size, plain, print_answer, print_card, print_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd

    from gapmap.compare import Changes
    from gapmap.questions import Answer, Card

FORMS = ("table", "csv", "json", "geojson", "gpkg")
SHOWN = 50  # rows of a table on the screen, unless told
_FILES = FORMS[1:]


@dataclass(frozen=True)
class Target:
    """Where an answer goes.

    Parameters
    ----------
    form : str
        One of ``FORMS``.
    path : Path or None
        The file; None for standard output.
    """

    form: str
    path: Path | None


def plan(form: str | None, path: Path | None, *, overwrite: bool, keep: Sequence[Path]) -> Target:
    """Choose the form of an answer, and refuse what cannot be written, before any work.

    Parameters
    ----------
    form : str or None
        One of ``FORMS``; None for the one that the file's name says, or a table.
    path : Path or None
        The file; None for standard output.
    overwrite : bool
        Replace the file that is there.
    keep : sequence of Path
        Files that are read and must stay.

    Returns
    -------
    Target
        Form and file.

    Raises
    ------
    InputError
        If there is no such form, if form and name differ, if the file is there or is one to keep, or if its folder is
        not, or cannot be written to.
    """
    if form is not None and form not in FORMS:
        raise InputError(unknown("format", form, FORMS))
    if path is None:
        if form == "gpkg":
            raise InputError("a GeoPackage is a file", hint="name it: --output answer.gpkg")
        return Target(form or "table", None)
    named = path.suffix.lower().removeprefix(".")
    form = form or named
    if form not in _FILES or named != form:
        raise InputError(
            f"{path.name}: the name does not say the format",
            hint=f"end it in .{', .'.join(_FILES)}, as --format has it",
        )
    if any(each.exists() and path.exists() and path.samefile(each) for each in keep):
        raise InputError(f"{path} is what the answer is made from", hint="name another file")
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already", hint="name another file, or replace it with --overwrite")
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: its folder is not there", hint="name a file in a folder that is")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", hint="name a file in another folder") from error
    return Target(form, path)


def give_rows(answer: Answer, target: Target) -> None:
    """Give the rows that a question found.

    Parameters
    ----------
    answer : Answer
        The rows and what to know about them.
    target : Target
        Form and file.

    Raises
    ------
    InputError
        If the file is in use, or cannot be written.
    """
    if target.form == "table":
        print_answer(answer)
        return
    about = {
        "table": answer.table,
        "matched": answer.matched,
        "notes": list(answer.notes),
        "notice": answer.notice,
        "edition": answer.mark,
    }
    whole = {**about, "rows": formats.to_records(answer.rows)}
    _give(answer.rows, target, layer=answer.table, edition=answer.edition, about=about, whole=whole)


def give_card(card: Card, target: Target) -> None:
    """Give what is known about a point.

    Parameters
    ----------
    card : Card
        The point or place.
    target : Target
        Form and file.

    Raises
    ------
    InputError
        If the file is in use, or cannot be written.
    """
    if target.form == "table":
        print_card(card)
        return
    about = {"notes": list(card.notes), "notice": card.notice, "edition": card.mark}
    _give(card.to_table(), target, layer="point", edition=card.edition, about=about, whole=card.to_dict())


def give_changes(
    changes: Changes, target: Target, *, quiet: bool, asked: Sequence[str], files: Mapping[str, str]
) -> None:
    """Give what changed between two results, or would change.

    Parameters
    ----------
    changes : Changes
        What was found. As JSON all its figures; as another file a row for each corridor.
    target : Target
        Form and file.
    quiet : bool
        Print no table, and nothing of a file that was written.
    asked : sequence of str
        The changes of a what-if.
    files : mapping of str to str
        What else was written.

    Raises
    ------
    InputError
        If the file is in use, or cannot be written.
    """
    figures = {"asked": list(asked), **changes.figures(), "files": dict(files)}
    if target.form != "table":
        edition, mark = mark_of(changes.runs)
        about = {"table": "changes", "notes": list(asked), "notice": figures["notice"], "edition": mark}
        _give(changes.corridors, target, layer="changes", edition=edition, about=about, whole=figures, quiet=quiet)
    elif not quiet:
        print_changes(figures)


def _give(
    table: gpd.GeoDataFrame,
    target: Target,
    *,
    layer: str,
    edition: str,
    about: dict[str, Any],
    whole: dict[str, Any],
    quiet: bool = False,
) -> None:
    marked = tables.marked(table, {**about, "edition": edition})
    if target.form == "gpkg":
        _write(target, lambda draft: _write_gpkg(marked, draft, layer, about))
    else:
        if target.form == "csv":
            text = formats.to_csv(marked)
        elif target.form == "json":
            text = f"{json.dumps(whole, indent=2)}\n"
        else:
            text = f"{formats.to_geojson(marked, **about)}\n"
        if target.path is None:
            # To another program or into a file it goes as UTF-8, whatever the console writes.
            typer.echo(text if sys.stdout.isatty() else text.encode(), nl=False)
        else:
            # A spreadsheet takes a CSV for UTF-8 only if it begins so.
            encoding = "utf-8-sig" if target.form == "csv" else "utf-8"
            _write(target, lambda draft: draft.write_text(text, encoding=encoding, newline="\n"))
    if quiet:
        return
    if target.path is not None:
        typer.echo(f"Wrote {plain(target.path)} ({file_size(target.path)}, {len(table)} row{'s' * (len(table) != 1)})")
        typer.echo(f"{plain(about['edition'])} What may leave is made by gapmap export.")
    for note in about["notes"]:
        typer.echo(f"Note: {plain(note)}.", err=True)


def _write(target: Target, write: Callable[[Path], object]) -> None:
    """Finish a file beside its place, then put it there."""
    assert target.path is not None  # noqa: S101 - planned so
    with storage.drafts_beside(target.path.parent, target=target.path) as folder:
        draft = folder / target.path.name
        write(draft)
        storage.replace_all({draft: target.path})


def _write_gpkg(table: gpd.GeoDataFrame, path: Path, layer: str, about: dict[str, Any]) -> None:
    rows = table if table.index.name is None else table.reset_index()
    options = {"IDENTIFIER": layer, "DESCRIPTION": ". ".join([about["notice"], *about["notes"], about["edition"]])}
    kind = "Unknown" if table.empty or table.geom_type.nunique() > 1 else table.geom_type.iloc[0]
    storage.write_layer(rows, path, layer=layer, geometry_type=kind, options=options)
