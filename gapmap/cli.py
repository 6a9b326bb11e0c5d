"""The command line: demo, init, check, run, map, query, compare, whatif, export, report.

In: arguments. Out: files where told, figures on standard output, errors on standard error, exit code 0 (done), 1
(failed) or 2 (wrong use or wrong input). Method: thin commands over the library; whatever is slow to import (the geo
stack, rich) is imported inside them, so that ``--help`` answers at once.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import io
import json
import logging
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

import gapmap
from gapmap.errors import GapmapError, InputError, MissingFileError, ResultError, unknown
from gapmap.query import ABOUT, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from distributed import Client

    from gapmap.inputs import Inputs
    from gapmap.scenario import ForceInput, Scenario
    from gapmap.whatif import WhatIf

app = typer.Typer(
    name="gapmap",
    help="Find, measure and map the ground that lies uncovered between two or more forces.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help without rich takes half the time
)


class _Command(TyperCommand):
    """Refuses an option with two values: the last would be taken, and the first forgotten in silence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's, or the one in typer
        words = args[: args.index("--")] if "--" in args else args
        given = [word.partition("=") if word.startswith("--") else (word, "", "") for word in words]
        problems = []
        for param in self.get_params(ctx):
            if getattr(param, "multiple", True) or getattr(param, "is_flag", False):
                continue
            here = [place for place, (name, _, _) in enumerate(given) if name in param.opts]
            values = [given[place][2] if given[place][1] else (*words, "")[place + 1] for place in here]
            if len(values) > 1:
                problems.append(f"{param.opts[0]} is given {len(values)} times: {' and '.join(values)}")
        if problems:
            raise InputError("the command cannot be understood", problems=problems, hint="give it once")
        return super().parse_args(ctx, args)


_command = functools.partial(app.command, cls=_Command)

# What tells the files that gapmap wrote.
_SCENARIO_MARK = "# Written by gapmap: the scenario that made the result beside it. The next run replaces it."
_PAGE = (".html", ".htm")
_STOPPED = 130  # the exit code after Ctrl-C
_MAP_MARK = 'id="gapmap-facts"'

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Form = Annotated[
    str | None,
    typer.Option(
        "--format", help="table, csv, json, geojson or gpkg: a row for each corridor, with what became of it."
    ),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that gapmap did not make.")]
Notes = Annotated[
    bool, typer.Option("--notes", help="Put the incidents' notes and ids into the map: they leave with it.")
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``gapmap``; those of the process unless given.

    Returns
    -------
    int
        The exit code of a command that ended with an error: 1 failed, 2 wrong input, 130 stopped. With GAPMAP_TRACEBACK=1
        in the environment, a fault of gapmap shows where it happened.

    Raises
    ------
    SystemExit
        With 0 where all went well, 2 on wrong use.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that cannot show a name shows "?", and goes on
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["query"]:
            ask(words[1:])  # without the time that typer takes
        else:
            app(args=words)
    except InputError as error:
        return _fail(f"gapmap: {error}", 2)
    except (GapmapError, OSError) as error:
        return _fail(*_told(error))
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != _STOPPED:  # typer makes that of Ctrl-C, and says nothing
            raise
        return _fail("Aborted.", _STOPPED)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets a sentence
        if os.environ.get("GAPMAP_TRACEBACK") == "1":
            traceback.print_exc()
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"gapmap failed: {what}; this is a fault of gapmap; please report it with the input", 1)
    return 0


def _told(error: GapmapError | OSError) -> tuple[str, int]:
    """Return what is said of a failure, and the exit code: a name that no file can have is wrong input, whatever it names."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"gapmap: {error.filename}: the name is too long\n  -> give a shorter one", 2
    return f"gapmap: {error}", 1


def _fail(text: str, code: int) -> int:
    from gapmap.printing import plain

    sys.stderr.write(f"{plain(text)}\n")
    return code


@app.callback(invoke_without_command=True)
def _gapmap(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"gapmap {gapmap.__version__}")
        raise typer.Exit


@_command(short_help="Run the shipped, illustrative scenario.")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the result.")] = Path("out/demo"),
    notes: Annotated[bool, typer.Option(help="Put the incidents' notes into the map; here they are synthetic.")] = True,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run the shipped scenario: real boundaries, illustrative zones, synthetic incidents."""
    from gapmap.scenario import read_scenario

    path = demo_scenario()
    _run(read_scenario(path), out, [path], notes=notes, overwrite=overwrite, quiet=quiet, as_json=as_json)


@_command(short_help="Make a folder with an example scenario to fill in.")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    quiet: Quiet = False,
) -> None:
    """Make a folder with a commented scenario that runs, example data, and a spreadsheet to fill in by hand."""
    from gapmap.starter import write_example

    written = write_example(folder)
    if not quiet:
        names = "\n".join(f"  {path.name}" for path in written)
        scenario = folder / "scenario.toml"
        typer.echo(f"Made {folder} with:\n{names}\n")
        named = f'"{scenario}"' if " " in str(scenario) else str(scenario)
        typer.echo(f"Next:\n  gapmap check {named}\n  gapmap run {named} --out out")


@_command(short_help="Find the corridors of a scenario, or between files of zones.")
def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCENARIO | ZONES...",
            help='A scenario (.toml), or a file of zones a force; or one with a column "force".',
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the result.")] = Path("out"),
    reach: Annotated[
        str | None, typer.Option(help='With files of zones: how far a force covers, "5 km"; 5000 is metres.')
    ] = None,
    max_width: Annotated[str | None, typer.Option(help='With files of zones: the limit; "20 km" unless told.')] = None,
    date: Annotated[
        str | None, typer.Option(help="With files of zones: the day whose zones count, 2021-06-01.")
    ] = None,
    incidents: Annotated[Path | None, typer.Option(help="With files of zones: a table of incidents.")] = None,
    places: Annotated[Path | None, typer.Option(help="With files of zones: a table of settlements.")] = None,
    workers: Annotated[int | None, typer.Option(help="Work in so many processes; needs gapmap[dask].")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Work on a Dask cluster, tcp://host:port; needs gapmap[dask].")
    ] = None,
    notes: Notes = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Find the corridors, and write gaps.gpkg (every table), map.html and the scenario that was used.

    A force is named after its file of zones; a file that names several in a column "force" holds those, and a KML alone one in each of its folders. An earlier result is replaced once the new one is complete.
    """
    from gapmap.tiling import connect

    scenario = _scenario_given(inputs, reach=reach, max_width=max_width, date=date, incidents=incidents, places=places)
    with connect(workers=workers, scheduler=scheduler) as client:
        # That a scheduler is lost is said once, by our own error.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        _run(scenario, out, inputs, notes=notes, overwrite=overwrite, quiet=quiet, as_json=as_json, client=client)


@_command(short_help="Read everything a scenario names and say what is wrong; compute nothing.")
def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCENARIO | ZONES...",
            help='A scenario (.toml), or a file of zones a force; or one with a column "force".',
        ),
    ],
    draw: Annotated[
        bool, typer.Option("--map", help="Draw what was read beside it: scenario.toml gives scenario.check.html.")
    ] = False,
    reach: Annotated[
        str | None, typer.Option(help='With files of zones: how far a force covers, "5 km"; 5000 is metres.')
    ] = None,
    date: Annotated[str | None, typer.Option(help="With files of zones: the day whose zones count.")] = None,
    incidents: Annotated[Path | None, typer.Option(help="With files of zones: a table of incidents.")] = None,
    places: Annotated[Path | None, typer.Option(help="With files of zones: a table of settlements.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Read everything that a scenario names, or some files, and compute nothing.

    Says how each file was understood, what was set aside and why, what is wrong, and what somebody should look at.
    """
    from gapmap.inputs import read_inputs
    from gapmap.printing import print_check, show_progress
    from gapmap.reach import resolve
    from gapmap.summary import contents, count_reasons

    scenario = _scenario_given(paths, reach=reach, date=date, incidents=incidents, places=places)
    with show_progress(quiet=quiet or as_json) as step:
        step("read the files", 0, 1)
        read = read_inputs(scenario)
    zones, errors, aside, inputs = read.zones, list(read.errors), read.set_aside, read.inputs
    if len(zones):
        try:  # what a run would ask first: zones that count on the day, and a reach for each
            zones = resolve(zones, on=scenario.date)
        except InputError as error:
            errors = errors or [error]  # after others it may come of what could not be read
        else:
            aside = [*aside, *zones.attrs["set_aside"]]
            inputs = [
                _recounted(each, int((zones["file"] == number).sum())) if each["role"] == "zones" else each
                for number, each in enumerate(inputs)  # the files of zones come first
            ]
    page = paths[0].with_suffix(".check.html")
    if draw:
        _require_free([page], overwrite=False)
        _require_writable(page.parent)
    figures = {
        "title": scenario.title,
        "inputs": inputs,
        "contents": contents(zones, read.incidents, read.places),
        "set_aside": count_reasons(aside),
        "problems": [str(error) for error in errors],
        "files": {"map": page.as_posix()} if draw and not errors else {},
    }
    if draw and not errors:
        _draw_inputs(scenario, dataclasses.replace(read, zones=zones, inputs=inputs), page)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    elif not quiet:
        print_check(figures)
        if draw and errors:
            stale = f"; {page.as_posix()} is of an earlier check" if page.exists() else ""
            typer.echo(f"Not drawn while something is wrong{stale}.")
    if errors:
        dataclasses.replace(read, errors=tuple(errors)).require_all()


@_command("map", short_help="Draw the map of a saved result again.")
def map_(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A .gpkg that gapmap saved, or its folder.")],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; map.html, or map-EDITION.html, beside the result unless told.")
    ] = None,
    language: Annotated[str, typer.Option(help="en, ar (Arabic), ckb (Sorani) or kmr (Badini).")] = "en",
    edition: Annotated[str, typer.Option(help="What may leave: full, partner or public.")] = "full",
    force: Annotated[str | None, typer.Option(help="Whose partner edition it is.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw it as a picture too; needs Chromium.")] = None,
    notes: Notes = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw the map of a saved result again."""
    import webbrowser

    from gapmap import maps
    from gapmap.maps.picture import take_picture
    from gapmap.printing import file_size, show_progress

    result = _result_file(result)
    target = result.with_name(_map_name(edition, force)) if out is None else out
    targets = [target] if png is None else [target, png]
    _require_suffix(target, _PAGE)
    if png is not None:
        _require_suffix(png, (".png",))
    _require_free(targets, overwrite=overwrite)
    for each in targets:
        _require_writable(each.parent)
    analysis = gapmap.open(result)
    with show_progress(quiet=quiet) as step:
        step("draw the map", 0, 1)
        drawn = maps.build_map(analysis, edition=edition, force=force, language=language, include_notes=notes)
        maps.save(drawn, target)
    written = [target]
    if png is not None:
        written.append(take_picture(target, png))
    if not quiet:
        for path in written:
            typer.echo(f"Wrote {path} ({file_size(path)})")
    if open_it:
        webbrowser.open(target.resolve().as_uri())


@_command(short_help="Compare two results: what opened, closed, widened, narrowed.")
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A .gpkg that gapmap saved, or its folder.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Another.")],
    draw: Annotated[Path | None, typer.Option("--map", help="Draw both on one map: an HTML file.")] = None,
    form: Form = None,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Compare two results: corridors opened, closed, split, merged, widened, narrowed or moved, and places that changed.

    Corridors between the same forces are the same where their ground overlaps.
    """
    from gapmap import answers
    from gapmap.printing import show_progress

    _require_map(draw, overwrite=overwrite)
    results = [_result_file(path) for path in (before, after)]
    target = answers.plan(_form(form, as_json=as_json), output, overwrite=overwrite, keep=results)
    one, two = (gapmap.open(path) for path in results)
    with show_progress(quiet=quiet or target.form != "table") as step:
        step("compare", 0, 2)
        changes = gapmap.find_changes(one, two)
        if draw is not None:
            from gapmap import maps

            step("draw the map", 1, 2)
            maps.save(maps.build_map(two, changes=changes), draw)
    answers.give_changes(changes, target, quiet=quiet, asked=[], files={} if draw is None else {"map": draw.as_posix()})


@_command(short_help="Say what would change with other zones, or another reach.")
def whatif(
    scenario: Annotated[
        Path,
        typer.Argument(metavar="SCENARIO", help="A scenario (.toml), or the folder of a result with the one it used."),
    ],
    add: Annotated[
        list[str] | None,
        typer.Option(
            help='A zone: "post FORCE POINT REACH", such as "post north 36.34, 43.13 5km" or "post north Gwer 5km".'
        ),
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="ZONE", help="A zone's id, or its name.")] = None,
    reach: Annotated[
        list[str] | None,
        typer.Option(metavar="FORCE=LENGTH", help="north=8km, or north.post=8km for posts alone; 8000 is metres."),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(metavar="RESULT", help="The scenario's saved result: halves the work. One beside it is found."),
    ] = None,
    draw: Annotated[Path | None, typer.Option("--map", help="Draw both on one map: an HTML file.")] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the changed scenario into a new folder, to be run.")
    ] = None,
    form: Form = None,
    output: Output = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Say what would change if a force held other zones or reached farther: the scenario against itself with the change.

    Each option can be given several times. Zones with a reach of their own in their file keep it.
    """
    from gapmap import answers
    from gapmap.printing import show_progress

    _require_map(draw, overwrite=overwrite)
    scenario = scenario.parent if scenario.name == "gaps.gpkg" else scenario
    scenario = scenario / "scenario.toml" if scenario.is_dir() else scenario
    beside = scenario.with_name("gaps.gpkg")
    target = answers.plan(_form(form, as_json=as_json), output, overwrite=overwrite, keep=[scenario, beside])
    reaches = _reaches(reach or [])

    def ask(result: Path | None) -> WhatIf:
        saved = None if result is None else gapmap.open(result)
        return gapmap.what_if(scenario, add=add or [], remove=remove or [], reach=reaches, base=saved)

    with show_progress(quiet=quiet or target.form != "table") as step:
        step("compare", 0, 2)
        if base is not None:
            found = ask(_result_file(base))
        else:
            try:  # the figures are the same with a base and without
                found = ask(beside if beside.exists() else None)
            except ResultError:
                found = ask(None)
        files = {} if save is None else {"scenario": (save / found.save(save).name).as_posix()}
        if draw is not None:
            from gapmap import maps

            step("run the changed scenario", 1, 2)
            with tempfile.TemporaryDirectory() as folder:
                changed = gapmap.run(found.save(folder))
            said = "What if: " + "; ".join(found.asked)
            maps.save(maps.build_map(changed, changes=found.changes, headline=said), draw)
            files["map"] = draw.as_posix()
    answers.give_changes(found.changes, target, quiet=quiet, asked=found.asked, files=files)


def _form(form: str | None, *, as_json: bool) -> str | None:
    if as_json and form not in {None, "json"}:
        raise InputError(f"--json and --format {form} do not go together", hint="leave one of them out")
    return "json" if as_json else form


def _reaches(texts: Sequence[str]) -> dict[str, str | float]:
    """Part "north=8km" into force and length."""
    reaches: dict[str, str | float] = {}
    problems = []
    for text in texts:
        force, _, length = (each.strip() for each in text.partition("="))
        if not (force and length):
            problems.append(f"--reach {text!r} is not FORCE=LENGTH")
        elif force in reaches:
            problems.append(f"--reach {force} is given twice: {reaches[force]} and {length}")
        else:
            reaches[force] = length
    if problems:
        raise InputError(
            "the command cannot be understood", problems=problems, hint="--reach north=8km, or --reach north.post=8km"
        )
    return reaches


def _result_file(path: Path) -> Path:
    return path / "gaps.gpkg" if path.is_dir() else path


def _map_name(edition: str, force: str | None) -> str:
    """Return a name that says which edition a map is, so that none is mistaken for the full one or put in its place."""
    from gapmap.tables import is_force_name

    words = [word for word in (edition, force) if word is not None]
    named = edition != "full" and all(map(is_force_name, words))  # what is wrong with others is said when it is drawn
    return f"{'-'.join(['map', *words])}.html" if named else "map.html"


def _require_map(path: Path | None, *, overwrite: bool) -> None:
    """Refuse a place for a map where one cannot be written."""
    if path is not None:
        _require_suffix(path, _PAGE)
        _require_free([path], overwrite=overwrite)
        _require_writable(path.parent)


@app.command(
    short_help=ABOUT, add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def query(context: typer.Context) -> None:
    """Ask a saved result; its own parser says how."""
    ask(context.args)


@_command("export", short_help="Write a saved result as files for other programs, or to PostGIS.")
def export_(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A .gpkg that gapmap saved, or its folder.")],
    edition: Annotated[str, typer.Option(help="What may leave: full, partner or public.")],
    file_format: Annotated[
        str, typer.Option("--format", help="gpkg, geojson, kml, kmz, csv, parquet or postgis.", show_default=False)
    ],
    force: Annotated[str | None, typer.Option(help="Whose partner edition it is.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; beside the result unless told.")] = None,
    to: Annotated[
        str | None, typer.Option(help='With postgis: "service=NAME" or "host=... dbname=... user=..."; no password.')
    ] = None,
    schema: Annotated[str, typer.Option(help="With postgis: the schema.")] = "gapmap",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export of this edition.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write one edition of a saved result. There is no default: say what may leave.

    full: everything. partner: the zones of one force, of the others only their declared cover. public: a coarse grid, no
    outlines and no positions. Passwords for PostGIS belong into pgpass or a service file, never into a command.
    """
    from gapmap.editions import edition as make_edition
    from gapmap.export import FORMATS, export
    from gapmap.postgis import write_postgis
    from gapmap.printing import file_size, plain, show_progress

    result = _result_file(result)
    if file_format not in {*FORMATS, "postgis"}:
        raise InputError(unknown("format", file_format, [*FORMATS, "postgis"]))
    if (file_format == "postgis") != (to is not None):
        raise InputError("--to and --format postgis go together", hint='--format postgis --to "service=NAME"')
    folder = result.with_name("export") if out is None else out
    if to is None:
        _require_writable(folder)
    with show_progress(quiet=quiet or as_json) as step:
        step("make the edition", 0, 2)
        made = make_edition(gapmap.open(result), edition, force=force)
        step("write", 1, 2)
        figures: dict[str, Any] = {"edition": made.mark, "recipe": made.recipe}
        if to is None:
            written = export(made, folder, file_format=file_format, overwrite=overwrite)
            figures["files"] = [path.as_posix() for path in written]
        else:
            written = []
            figures |= {"schema": schema, "run_id": write_postgis(made, to, schema=schema)}
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    elif not quiet:
        typer.echo(plain(f"{made.mark}\n\n{made.recipe}\n"))
        for path in written:
            typer.echo(f"Wrote {plain(path)} ({file_size(path)})")
        if to is not None:
            typer.echo(plain(f"Wrote run {figures['run_id']} to schema {schema}"))


@_command(short_help="Write the briefing of a saved result: A4 pages as HTML or PDF.")
def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A .gpkg that gapmap saved, or its folder.")],
    edition: Annotated[str, typer.Option(help="What may leave: full, partner or public.")],
    force: Annotated[str | None, typer.Option(help="Whose partner edition it is.")] = None,
    language: Annotated[str, typer.Option(help="en, ar (Arabic), ckb (Sorani) or kmr (Badini).")] = "en",
    stretch: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A stretch that gets a sheet; the five widest unless told.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .html or .pdf (needs gapmap[report]) file; report-EDITION.html unless told.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of that name.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write the briefing of one edition of a saved result. There is no default: say what may leave.

    The situation in five lines, a map, a table of stretches, a sheet for each chosen stretch with a proposed hand-over
    point, method and limits, rows set aside, where the data came from. The public edition has the grid alone.
    """
    from gapmap.editions import edition as make_edition
    from gapmap.printing import file_size, plain, show_progress
    from gapmap.report import build_report, require_writer, save

    result = _result_file(result)
    if out is not None:
        require_writer(out)
    with show_progress(quiet=quiet) as step:
        step("make the edition", 0, 2)
        made = make_edition(gapmap.open(result), edition, force=force)
        target = result.with_name(f"report-{made.stem}.html") if out is None else out
        if target.exists() and not overwrite:
            raise InputError(f"{target} is there already", hint="name another with --out, or --overwrite")
        _require_writable(target.parent)
        page = build_report(made, language=language, stretches=stretch or [])
        step("write", 1, 2)
        save(page, target)
    if not quiet:
        typer.echo(plain(f"{made.mark}\n\nWrote {target} ({file_size(target)})"))


def demo_scenario() -> Path:
    """Return the shipped scenario, from the installed package or from a checkout.

    Returns
    -------
    Path
        Of the TOML file.

    Raises
    ------
    MissingFileError
        If the data were not installed with the package.
    """
    package = Path(__file__).parent
    for data in (package / "data", package.parent / "data"):
        scenario = data / "nineveh" / "scenario.toml"
        if scenario.exists():
            return scenario
    raise MissingFileError("the demo's data are not here", hint="install gapmap from its wheel, or run in a checkout")


def _scenario_given(
    paths: Sequence[Path],
    *,
    reach: str | None,
    date: str | None,
    incidents: Path | None,
    places: Path | None,
    max_width: str | None = None,
) -> Scenario:
    """Read the scenario, or make one of files of zones and the options that go with them."""
    from gapmap.scenario import read_scenario

    if [path.suffix.lower() for path in paths] != [".toml"]:
        return _scenario_of_files(
            paths, reach=reach, max_width=max_width, date=date, incidents=incidents, places=places
        )
    options = {"reach": reach, "max-width": max_width, "date": date, "incidents": incidents, "places": places}
    if given := [f"--{name}" for name, value in options.items() if value is not None]:
        raise InputError(f"{', '.join(given)}: for files of zones only", hint=f"write it into {paths[0].name}")
    return read_scenario(paths[0])


def _scenario_of_files(
    files: Sequence[Path],
    *,
    reach: str | None,
    max_width: str | None,
    date: str | None,
    incidents: Path | None,
    places: Path | None,
) -> Scenario:
    """Make a scenario of files and options; gather what is wrong with the options."""
    import datetime as dt

    from gapmap.scenario import (
        MAX_WIDTH_M,
        IncidentsInput,
        PlacesInput,
        Scenario,
        check_max_width,
        check_reach,
    )
    from gapmap.units import parse_length

    problems = []
    lengths_m: dict[str, float | None] = {}
    for name, text, allowed in (("reach", reach, check_reach), ("max-width", max_width, check_max_width)):
        try:
            lengths_m[name] = None if text is None else allowed(parse_length(text))
        except InputError as error:
            problems.append(f"--{name}: {error.message}")
    day = None
    if date is not None:
        try:
            day = dt.date.fromisoformat(date)
        except ValueError:
            problems.append(f"--date: {date!r} is not an ISO date such as 2021-06-01")
    if folders := [path for path in files if path.is_dir()]:
        problems += [f"{path} is a folder, not a file of zones" for path in folders]
        inside = [path / "scenario.toml" for path in folders if (path / "scenario.toml").is_file()]
        hint = f"a scenario is in it: {inside[0]}" if inside else ""
        raise InputError("the command cannot be understood", problems=problems, hint=hint)
    problems += [f"{path}: a scenario stands alone" for path in files if path.suffix.lower() == ".toml"]
    forces = _forces_of_files(files, lengths_m.get("reach"), problems)
    if problems:
        raise InputError("the command cannot be understood", problems=problems)
    max_width_m = lengths_m["max-width"]
    return Scenario(
        title=" and ".join(sorted(force.label for force in forces)),
        forces=tuple(sorted(forces, key=lambda force: force.name)),
        folder=Path.cwd(),
        date=day,
        max_width_m=MAX_WIDTH_M if max_width_m is None else max_width_m,
        incidents=None if incidents is None else IncidentsInput(file=incidents.resolve()),
        places=None if places is None else PlacesInput(file=places.resolve()),
    )


def _forces_of_files(files: Sequence[Path], reach_m: float | None, problems: list[str]) -> list[ForceInput]:
    """Take each file for a force named after it, or for those that its column "force" names; note two of one name.

    A KML alone is taken for a force in each folder: one force has no gap to another.
    """
    from gapmap.readers import forces_by_folder, forces_in
    from gapmap.readers.sheets import fold
    from gapmap.scenario import ForceInput
    from gapmap.tables import ZONE_KINDS, is_force_name

    forces: dict[str, ForceInput] = {}
    for path in files:
        listed = _if_read(forces_in, path)
        folders = [] if listed or len(files) > 1 else _if_read(forces_by_folder, path)
        for said in listed or folders or [""]:
            label = said or path.stem
            name = "".join(c if is_force_name(c) else "_" for c in label)
            same = forces.get(name.casefold())
            if same and (not said or fold(same.only.get("force", "")) != fold(said) or path.resolve() in same.zones):
                both = f"{same.label!r} of {same.zones[0].name} and {label!r} of {path.name}"
                problems.append(f"two forces have one name, {same.name}: {both}")
            forces[name.casefold()] = ForceInput(
                name=name,
                label=label,
                zones=(*(same.zones if same else ()), path.resolve()),
                reach_m={} if reach_m is None else dict.fromkeys(ZONE_KINDS, reach_m),
                only={"force": said} if listed else {},
                layer=said if folders else None,
            )
    return list(forces.values())


def _if_read(forces: Callable[[Path], list[str]], path: Path) -> list[str]:
    try:
        return forces(path)
    except InputError:  # said when it is read, with all else that is wrong
        return []


def _run(
    scenario: Scenario,
    out: Path,
    given: Sequence[Path],
    *,
    notes: bool,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    client: Client | None = None,
) -> None:
    """Compute, write the three files of a result, all or none of them, and print the figures."""
    from gapmap import maps
    from gapmap.printing import print_summary, show_progress
    from gapmap.storage import drafts_beside, replace_all
    from gapmap.summary import summary

    # The tables last: see replace_all.
    targets = {"map": out / "map.html", "scenario": out / "scenario.toml", "tables": out / "gaps.gpkg"}
    # A scenario that was read where the one that was used would go says all that it would, and with its comments.
    as_it_was = any(_same_file(path, targets["scenario"]) for path in given)
    new = {name: path for name, path in targets.items() if name != "scenario" or not as_it_was}
    _require_no_input(new.values(), scenario)
    _require_free(new.values(), overwrite=overwrite)
    _require_writable(out)
    with show_progress(quiet=quiet or as_json) as step:
        analysis = gapmap.run(scenario, client=client, progress=step)
        step("draw the map", 0, 2)
        page = maps.build_map(analysis, include_notes=notes)
        step("save", 1, 2)
        figures = {
            **summary(analysis),
            "files": {name: targets[name].as_posix() for name in ("tables", "map", "scenario")},
            "scenario_as_it_was": as_it_was,
        }
        with drafts_beside(out) as folder:
            drafts = {folder / path.name: path for path in new.values()}
            analysis.save(folder / targets["tables"].name)
            maps.save(page, folder / targets["map"].name)
            if not as_it_was:
                text = f"{_SCENARIO_MARK}\n{scenario.to_toml(out.resolve())}"
                (folder / targets["scenario"].name).write_text(text, encoding="utf-8", newline="\n")
            replace_all(drafts)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    elif not quiet:
        print_summary(figures)


def _recounted(record: dict[str, Any], used: int) -> dict[str, Any]:
    return {**record, "used": used, "set_aside": record["rows"] - used}


def _draw_inputs(scenario: Scenario, read: Inputs, path: Path) -> None:
    """Draw the zones and the cover that they would give, incidents and places; no corridors."""
    import folium
    import pandas as pd

    from gapmap import maps, tables
    from gapmap.crs import working_crs
    from gapmap.reach import cover

    crs = working_crs([read.zones], kind=scenario.crs)
    run = {
        "title": f"{scenario.title}: what was read",
        "notice": ". ".join(text for text in (scenario.notice, "Only read: no corridors computed yet") if text),
        "date": scenario.date,
        "max_width_m": scenario.max_width_m,
        "parameters": json.dumps(scenario.parameters(), ensure_ascii=False),
        "crs": crs.to_wkt(),
        "inputs": json.dumps(read.inputs, ensure_ascii=False),
        "versions": json.dumps({"gapmap": gapmap.__version__}),
    }
    given = {
        "zones": read.zones.to_crs(crs),
        "cover": cover(read.zones, on=scenario.date, crs=crs),
        "incidents": read.incidents.to_crs(crs),
        "places": read.places.to_crs(crs),
        "boundaries": read.boundaries.to_crs(crs),
        "run": pd.DataFrame([run], index=["run"]),
    }
    content = {name: tables.conform(table, name) for name, table in given.items()}
    page = maps.build_map(_Tables(content, crs), headline="What was read. Nothing was computed.")
    labels = {force.name: force.label for force in scenario.forces}
    for force, held in read.zones.groupby("force", sort=True):
        kinds = ", ".join(f"{count} {kind}" for kind, count in held["kind"].value_counts().sort_index().items())
        folium.GeoJson(
            json.loads(held.geometry.to_json()),
            name=f"\u2068{labels[force]}\u2069: as read ({kinds})",
            marker=folium.CircleMarker(radius=4),
            style_function=lambda _: {"color": "#222", "weight": 1.5, "fillOpacity": 0},
        ).add_to(page)
    maps.save(page, path)


@dataclasses.dataclass(frozen=True)
class _Tables:
    """Hands out tables as an analysis does, empty ones where nothing was computed."""

    content: Mapping[str, Any]
    crs: Any

    def table(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame
        from gapmap import tables

        return self.content[name] if name in self.content else tables.empty(name, self.crs)


def _made_by_gapmap(path: Path) -> bool:
    """Whether gapmap wrote that file, so that a new one may replace it."""
    if not path.is_file():
        return False
    if path.suffix.lower() == ".gpkg":
        try:
            gapmap.open(path)
        except ResultError:
            return False
        return True
    mark = _SCENARIO_MARK if path.suffix.lower() == ".toml" else _MAP_MARK
    return mark.encode() in path.read_bytes()


def _same_file(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _require_no_input(paths: Iterable[Path], scenario: Scenario) -> None:
    """Refuse to write onto what is read, whatever the options."""
    layers = [each.file for each in (scenario.area_of_interest, scenario.excluded) if each]
    points = [each.file for each in (scenario.incidents, scenario.places) if each]
    backgrounds = [scenario.terrain.dem] if scenario.terrain else []
    backgrounds += [scenario.base.boundaries] if scenario.base else []
    zones = [path for force in scenario.forces for path in force.zones]
    read = [*zones, *layers, *points, *backgrounds]
    clashes = [str(path) for path in paths if any(_same_file(path, each) for each in read)]
    if clashes:
        raise InputError(
            "the result would replace what it is made of", problems=clashes, hint="name another folder with --out"
        )


def _require_suffix(path: Path, allowed: Sequence[str]) -> None:
    if path.suffix.lower() not in allowed:
        raise InputError(
            f"{path}: not a name that ends in {' or '.join(allowed)}",
            hint="a map is an HTML file, --png its picture; gapmap report makes a PDF",
        )


def _require_writable(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to, before any work; leave nothing behind."""
    try:
        there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written to: {error.strerror}", hint="name another place with --out"
        ) from error


def _require_free(paths: Iterable[Path], *, overwrite: bool) -> None:
    taken = [path for path in paths if path.exists() and not _made_by_gapmap(path)]
    if taken and not overwrite:
        raise InputError(
            "there are files already that gapmap did not make",
            problems=[str(path) for path in taken],
            hint="move them away, name another place with --out, or replace them with --overwrite",
        )
