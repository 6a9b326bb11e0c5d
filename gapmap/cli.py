"""The command line: demo, init, check, run, map.

In: arguments. Out: files where told, figures on standard output, errors on standard error, exit code 0 (done), 1
(failed) or 2 (wrong use or wrong input). Method: thin commands over the library; whatever is slow to import (the geo
stack, rich) is imported inside them, so that ``--help`` answers at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import gapmap
from gapmap.errors import GapmapError, InputError, MissingFileError, ResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from gapmap.inputs import Inputs
    from gapmap.maps import MapSource
    from gapmap.scenario import Scenario

app = typer.Typer(
    name="gapmap",
    help="Find, measure and map the ground that lies uncovered between two or more forces.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help without rich takes half the time
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that gapmap did not make.")]

# The classes of width, as shares of the limit: 0-2, 2-5, 5-10, 10-15, 15-20 km at a limit of 20 km.
WIDTH_CLASSES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
TOP = 5  # stretches in a ranking
REASONS_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``gapmap``; those of the process unless given.

    Returns
    -------
    int
        The exit code of a command that ended with an error: 1 failed, 2 wrong input.

    Raises
    ------
    SystemExit
        With 0 where all went well, 2 on wrong use.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that cannot show a name shows "?", and goes on
    try:
        app(args=None if arguments is None else list(arguments))
    except InputError as error:
        return _fail(error, 2)
    except (GapmapError, OSError) as error:
        return _fail(error, 1)
    return 0


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"gapmap: {_plain(error)}\n")
    return code


@app.callback(invoke_without_command=True)
def _gapmap(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"gapmap {gapmap.__version__}")
        raise typer.Exit


@app.command(short_help="Run the shipped, illustrative scenario.")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the result.")] = Path("out/demo"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run the shipped scenario: real boundaries, illustrative zones, synthetic incidents."""
    from gapmap.scenario import read_scenario

    _run(read_scenario(demo_scenario()), out, overwrite=overwrite, quiet=quiet, as_json=as_json)


@app.command(short_help="Make a folder with an example scenario to fill in.")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    quiet: Quiet = False,
) -> None:
    """Make a folder with a commented scenario that runs, example data, and a spreadsheet to fill in by hand."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not an empty folder", hint="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for template in sorted((Path(__file__).parent / "init_files").iterdir()):
        (folder / template.name).write_bytes(template.read_bytes())
    _write_spreadsheet(folder / "zones.xlsx")
    if not quiet:
        typer.echo(f"Made {folder} with:")
        for path in sorted(folder.iterdir()):
            typer.echo(f"  {path.name}")
        typer.echo(
            f"\nNext:\n  gapmap check {folder / 'scenario.toml'}\n  gapmap run {folder / 'scenario.toml'} --out out"
        )


@app.command(short_help="Find the corridors of a scenario, or between files of zones.")
def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="SCENARIO | ZONES...", help="A scenario (.toml), or a file of zones a force."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the result.")] = Path("out"),
    reach: Annotated[str | None, typer.Option(help='With files of zones: how far a force covers, "5 km".')] = None,
    max_width: Annotated[str | None, typer.Option(help='With files of zones: the limit; "20 km" unless told.')] = None,
    date: Annotated[
        str | None, typer.Option(help="With files of zones: the day whose zones count, 2021-06-01.")
    ] = None,
    incidents: Annotated[Path | None, typer.Option(help="With files of zones: a table of incidents.")] = None,
    places: Annotated[Path | None, typer.Option(help="With files of zones: a table of settlements.")] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Find the corridors, and write gaps.gpkg (every table), map.html and the scenario that was used.

    A force is named after its file of zones. An earlier result is replaced once the new one is complete.
    """
    from gapmap.scenario import read_scenario

    options = {"reach": reach, "max-width": max_width, "date": date, "incidents": incidents, "places": places}
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if [path.suffix.lower() for path in inputs] != [".toml"]:
        scenario = _scenario_of_files(
            inputs, reach=reach, max_width=max_width, date=date, incidents=incidents, places=places
        )
    elif given:
        raise InputError(f"{', '.join(given)}: for files of zones only", hint=f"write it into {inputs[0].name}")
    else:
        scenario = read_scenario(inputs[0])
    _run(scenario, out, overwrite=overwrite, quiet=quiet, as_json=as_json)


@app.command(short_help="Read everything a scenario names and say what is wrong; compute nothing.")
def check(
    path: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario (.toml).")],
    draw: Annotated[bool, typer.Option("--map", help="Draw what was read: SCENARIO.check.html beside it.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Read everything that a scenario names, say what was used, what was set aside and what is wrong; compute nothing."""
    from gapmap.inputs import read_inputs
    from gapmap.reach import resolve
    from gapmap.scenario import read_scenario

    scenario = read_scenario(path)
    with _progress(quiet=quiet or as_json) as step:
        step("read the files", 0, 1)
        read = read_inputs(scenario)
    zones, errors, aside, inputs = read.zones, list(read.errors), read.set_aside, read.inputs
    if not errors:
        try:  # what a run would ask first: zones that count on the day, and a reach for each
            zones = resolve(zones, on=scenario.date)
        except InputError as error:
            errors.append(error)
        else:
            aside = [*aside, *zones.attrs["set_aside"]]
            inputs = [
                _recounted(each, int((zones["file"] == number).sum())) if each["role"] == "zones" else each
                for number, each in enumerate(inputs)  # the files of zones come first
            ]
    page = path.with_suffix(".check.html")
    figures = {
        "title": scenario.title,
        "inputs": inputs,
        "contents": _contents(zones, read.incidents, read.places),
        "set_aside": _by_reason(aside),
        "problems": [_plain(error) for error in errors],
        "files": {"map": page.as_posix()} if draw and not errors else {},
    }
    if draw and not errors:
        _draw_inputs(scenario, read, page)
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=2))
    elif not quiet:
        _print_check(figures)
    if errors:
        dataclasses.replace(read, errors=tuple(errors)).require_all()


@app.command("map", short_help="Draw the map of a saved result again.")
def map_(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A .gpkg that gapmap saved, or its folder.")],
    out: Annotated[Path | None, typer.Option(help="The HTML file; map.html beside the result unless told.")] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw the map of a saved result again."""
    from gapmap import maps

    result = result / "gaps.gpkg" if result.is_dir() else result
    target = result.with_name("map.html") if out is None else out
    if out is not None:
        _require_free([target], overwrite=overwrite)
    with _progress(quiet=quiet) as step:
        step("draw the map", 0, 1)
        maps.save(maps.build_map(gapmap.open(result)), target)
    if not quiet:
        typer.echo(f"Wrote {target} ({_size(target)})")


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


SHEET_ROWS = (
    ("name", "kind", "lon", "lat", "wkt", "mgrs", "reach_m", "valid_from", "valid_to"),
    ("Post N1", "post", -30.45, 30.2, None, None, None, None, None),
    ("Post N2", "post", -30.33, 30.24, None, None, 6000, None, None),
    ("Post N3", "post", None, None, None, "25RGP6375845230", None, "2024-01-01", None),
    ("Route N4", "route", None, None, "LINESTRING (-30.2 30.23, -30.11 30.25, -30.02 30.2)", None, None, None, None),
    ("Post N5", "post", -29.93, 30.25, None, None, None, None, None),
)
SHEET_HELP = (
    ("One row a zone. Take out the example's rows, fill in your own, keep the names of the columns.", ""),
    ("name", "what you call it; may stay empty"),
    ("kind", "post, route or area"),
    ("lon, lat", "a post's longitude and latitude in decimal degrees (WGS 84), such as 43.13 and 36.34"),
    ("wkt", 'or any shape as text: "LINESTRING (43.1 36.3, 43.2 36.4)", longitude first'),
    (
        "mgrs",
        "or a post's MGRS reference, such as 38SLE7165259923; give each row its position in one of the three ways",
    ),
    ("reach_m", "how far the force covers around this zone, in metres; empty: the reach that the scenario states"),
    ("valid_from", "the first day on which the zone counts, as 2024-01-31; empty: always"),
    ("valid_to", "the first day on which it counts no more; empty: without end"),
    ("", ""),
    ("A force has a file of its own: copy this one for the next force, and name it in the scenario.", ""),
    ("gapmap check scenario.toml says what was read and what is wrong, by row.", ""),
)


def _write_spreadsheet(path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    zones = book.worksheets[0]
    zones.title = "zones"
    for row in SHEET_ROWS:
        zones.append(row)
    for number, heading in enumerate(SHEET_ROWS[0], start=1):
        zones.cell(1, number).font = Font(bold=True)
        zones.column_dimensions[get_column_letter(number)].width = 50 if heading == "wkt" else 16
    zones.freeze_panes = "A2"
    kinds = DataValidation(type="list", formula1='"post,route,area"', allow_blank=True)
    kinds.add("B2:B1000")
    zones.add_data_validation(kinds)
    explained = book.create_sheet("how to")
    for line in SHEET_HELP:
        explained.append(line)
    explained.column_dimensions["A"].width = 14
    book.save(path)


def _scenario_of_files(
    files: Sequence[Path],
    *,
    reach: str | None,
    max_width: str | None,
    date: str | None,
    incidents: Path | None,
    places: Path | None,
) -> Scenario:
    """Take each file for a force named after it; gather what is wrong with the options."""
    import datetime as dt

    from gapmap.scenario import MAX_WIDTH_M, ForceInput, IncidentsInput, PlacesInput, Scenario
    from gapmap.tables import ZONE_KINDS, is_force_name
    from gapmap.units import parse_length

    problems = []
    lengths_m: dict[str, float | None] = {}
    for name, text in (("reach", reach), ("max-width", max_width)):
        try:
            lengths_m[name] = None if text is None else parse_length(text)
        except InputError as error:
            problems.append(f"--{name}: {error.message}")
    day = None
    if date is not None:
        try:
            day = dt.date.fromisoformat(date)
        except ValueError:
            problems.append(f"--date: {date!r} is not an ISO date such as 2021-06-01")
    names = ["".join(c if is_force_name(c) else "_" for c in path.stem) for path in files]
    problems += [f"{path}: a scenario stands alone" for path in files if path.suffix.lower() == ".toml"]
    if len({name.casefold() for name in names}) < len(names):
        problems.append(f"two files name the same force: {', '.join(path.name for path in files)}")
    if problems:
        raise InputError("the command cannot be understood", problems=problems)
    reach_m = lengths_m["reach"]
    forces = [
        ForceInput(
            name=name,
            label=path.stem,
            zones=(path.resolve(),),
            reach_m={} if reach_m is None else dict.fromkeys(ZONE_KINDS, reach_m),
        )
        for name, path in zip(names, files, strict=True)
    ]
    return Scenario(
        title=" and ".join(sorted(path.stem for path in files)),
        forces=tuple(sorted(forces, key=lambda force: force.name)),
        folder=Path.cwd(),
        date=day,
        max_width_m=lengths_m["max-width"] or MAX_WIDTH_M,
        incidents=None if incidents is None else IncidentsInput(file=incidents.resolve()),
        places=None if places is None else PlacesInput(file=places.resolve()),
    )


def _run(scenario: Scenario, out: Path, *, overwrite: bool, quiet: bool, as_json: bool) -> None:
    from gapmap import maps

    targets = {"tables": out / "gaps.gpkg", "map": out / "map.html", "scenario": out / "scenario.toml"}
    if not _is_result(targets["tables"]):
        _require_free(targets.values(), overwrite=overwrite)
    with _progress(quiet=quiet or as_json) as step:
        analysis = gapmap.run(scenario, progress=step)
        step("draw the map", 0, 2)
        page = maps.build_map(analysis)
        step("save", 1, 2)
        out.mkdir(parents=True, exist_ok=True)
        analysis.save(targets["tables"], overwrite=overwrite)
        maps.save(page, targets["map"])
        targets["scenario"].write_text(scenario.to_toml(out.resolve()), encoding="utf-8", newline="\n")
    figures = {**summary(analysis), "files": {name: path.as_posix() for name, path in targets.items()}}
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=2))
    elif not quiet:
        _print_summary(figures)


def summary(analysis: MapSource) -> dict[str, Any]:
    """Return the figures that a planner asks for first.

    Parameters
    ----------
    analysis : Analysis
        Computed or opened, or any object whose ``table(name)`` returns the tables of `gapmap.tables`.

    Returns
    -------
    dict
        Plain values that JSON can hold; units in the names. Counts of incidents and places are plain counts of coded
        positions.

    Raises
    ------
    GapmapError
        If a table cannot be read.
    """
    run = analysis.table("run").iloc[0]
    corridors, stretches = analysis.table("corridors"), analysis.table("stretches")
    incidents, places = analysis.table("incidents"), analysis.table("places")
    ground, set_aside = analysis.table("ground"), analysis.table("set_aside")
    return {
        "title": run["title"],
        "notice": run["notice"],
        "date": _day(run["date"]),
        "max_width_km": run["max_width_m"] / 1000,
        "corridors": len(corridors),
        "pairs": len(corridors.groupby(["force_a", "force_b"])),
        "length_km": round(float(corridors["length_km"].sum()), 1),
        "area_km2": round(float(corridors["area_km2"].sum()), 1),
        "beyond_km": _beyond_km(analysis, run["max_width_m"]),
        "ground_km2": {
            kind: round(float(area), 1) for kind, area in ground.groupby("kind", sort=True)["area_km2"].sum().items()
        },
        "widths": _width_classes(analysis, run["max_width_m"] / 1000),
        "incidents": len(incidents),
        "incidents_inside": int(corridors["incidents_count"].sum()),
        "incidents_inside_certain": int(corridors["incidents_certain"].sum()),
        "places": len(places),
        "places_inside": int(corridors["places"].sum()),
        "widest": _ranking(stretches, "width_max_m"),
        "longest": _ranking(stretches, "length_km"),
        "inputs": json.loads(run["inputs"]),
        "set_aside": _by_reason(set_aside.to_dict("records")),
    }


def _beyond_km(analysis: MapSource, limit_m: float) -> float:
    """Return the length of the middle line at twice the limit over the ground that is wider than the limit."""
    ground, cover = analysis.table("ground"), analysis.table("cover")
    beyond = ground[ground["kind"] == "beyond"]
    if beyond.empty:
        return 0.0
    wide = gapmap.find_corridors(cover, max_width_m=2 * limit_m).centrelines
    return round(float(wide.intersection(beyond.union_all()).length.sum()) / 1000, 1)


def _by_reason(rows: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    counts = Counter((str(row["source"]), str(row["reason"])) for row in rows)
    return [{"source": source, "reason": reason, "rows": counts[source, reason]} for source, reason in sorted(counts)]


def _recounted(record: dict[str, Any], used: int) -> dict[str, Any]:
    return {**record, "used": used, "set_aside": record["rows"] - used}


def _contents(zones: Any, incidents: Any, places: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - GeoDataFrames
    """Say what the tables hold: zones by force and kind, incidents and places, each with its first and last day."""
    contents = []
    for force, held in zones.groupby("force", sort=True):
        kinds = held["kind"].value_counts().sort_index()
        days = [*held["valid_from"].dropna(), *held["valid_to"].dropna()]
        contents.append(
            {
                "what": f"zones of {force}",
                "rows": len(held),
                "kinds": {str(kind): int(count) for kind, count in kinds.items()},
                "first": _day(min(days)) if days else None,
                "last": _day(max(days)) if days else None,
            }
        )
    if len(incidents):
        kinds = incidents["location_precision"].value_counts().sort_index()
        contents.append(
            {
                "what": "incidents",
                "rows": len(incidents),
                "kinds": {str(kind): int(count) for kind, count in kinds.items()},
                "first": _day(incidents["date_from"].min()),
                "last": _day(incidents["date_to"].max()),
            }
        )
    if len(places):
        known = int(places["population"].notna().sum())
        kinds = {"with population": known, "without": len(places) - known}
        contents.append({"what": "places", "rows": len(places), "kinds": kinds, "first": None, "last": None})
    return contents


def _draw_inputs(scenario: Scenario, read: Inputs, path: Path) -> None:
    """Draw the cover that the zones would give, incidents and places; no corridors."""
    import pandas as pd

    from gapmap import maps, tables
    from gapmap.crs import working_crs
    from gapmap.reach import cover

    crs = working_crs([read.zones], kind=scenario.crs)
    run = {
        "title": f"{scenario.title}: what was read",
        "notice": "Only read: no corridors are computed yet",
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
    maps.save(maps.build_map(_Tables(content, crs)), path)


@dataclasses.dataclass(frozen=True)
class _Tables:
    """Hands out tables as an analysis does, empty ones where nothing was computed."""

    content: Mapping[str, Any]
    crs: Any

    def table(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame
        from gapmap import tables

        return self.content[name] if name in self.content else tables.empty(name, self.crs)


def _width_classes(analysis: MapSource, limit_km: float) -> list[dict[str, float]]:
    """Share out middle line (by its measuring lines) and ground (by its facets) to the classes of width."""
    import numpy as np
    import pandas as pd

    corridors, transects = analysis.table("corridors"), analysis.table("transects")
    # Each measuring line stands for an equal part of its corridor; one too short to have any counts at its mean width.
    lines = transects.groupby("corridor_id").size().reindex(corridors.index, fill_value=0)
    parts = (corridors["length_km"] / lines.where(lines > 0)).reindex(transects["corridor_id"]).to_numpy()
    bare = corridors[lines == 0]
    width_m = np.concatenate([transects["width_m"].to_numpy(), bare["width_mean_m"].to_numpy()])
    length_km = np.concatenate([parts, bare["length_km"].to_numpy()])

    facets = analysis.table("facets")
    facet_width_m = (facets["width_start_m"] + facets["width_end_m"]).to_numpy() / 2
    edges = np.array(WIDTH_CLASSES) * limit_km * 1000
    count = len(edges) - 1

    def by_class(widths: Any, amounts: Any) -> pd.Series:  # noqa: ANN401 - numpy arrays
        # A width on the edge counts in the wider class, the limit itself in the last.
        classes = np.clip(np.searchsorted(edges, widths, side="right") - 1, 0, count - 1)
        return pd.Series(amounts).groupby(classes).sum().reindex(range(count), fill_value=0.0)

    lengths, areas = by_class(width_m, length_km), by_class(facet_width_m, facets.area.to_numpy() / 1e6)
    return [
        {
            "from_km": float(edges[i]) / 1000,
            "to_km": float(edges[i + 1]) / 1000,
            "length_km": round(float(lengths[i]), 1),
            "area_km2": round(float(areas[i]), 1),
        }
        for i in range(count)
    ]


def _ranking(stretches: Any, column: str) -> list[dict[str, Any]]:  # noqa: ANN401 - a GeoDataFrame
    top = stretches.sort_values(column, ascending=False, kind="stable").head(TOP)
    return [
        {
            "stretch_id": str(stretch_id),
            "name": row["name"],
            "force_a": row["force_a"],
            "force_b": row["force_b"],
            "width_max_km": round(row["width_max_m"] / 1000, 2),
            "width_mean_km": round(row["width_mean_m"] / 1000, 2),
            "length_km": round(row["length_km"], 2),
            "incidents": int(row["incidents_count"]),
            "places": int(row["places"]),
        }
        for stretch_id, row in top.iterrows()
    ]


def _print_summary(figures: dict[str, Any]) -> None:
    from rich.table import Table

    console = _console()
    console.print()
    console.print(_plain(figures["title"]), style="bold")
    if figures["notice"]:
        console.print(_plain(figures["notice"]), style="yellow")
    limit = f"{figures['max_width_km']:g} km"
    ground = figures["ground_km2"]
    day = f", zones of {figures['date']}" if figures["date"] else ""
    console.print(f"No measuring line longer than {limit}{day}.\n", style="dim")

    facts = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    facts.add_column(no_wrap=True)
    facts.add_column(justify="right", no_wrap=True)
    facts.add_column(style="dim")
    pairs = figures["pairs"]
    facts.add_row("Corridors", str(figures["corridors"]), f"between {pairs} pair{'s' * (pairs != 1)} of forces")
    facts.add_row("Length", f"{_number(figures['length_km'])} km", "of middle line")
    facts.add_row("Area", f"{_number(figures['area_km2'])} km2", "of corridor")
    facts.add_row(
        "Wider than the limit", f"{_number(ground.get('beyond', 0))} km2", f"between two forces, over {limit}"
    )
    facts.add_row("Gaps inside one force", f"{_number(ground.get('interior', 0))} km2", "between its own zones")
    facts.add_row(
        "Incidents inside",
        str(figures["incidents_inside"]),
        f"of {figures['incidents']}: a plain count of positions, {figures['incidents_inside_certain']} certain",
    )
    facts.add_row("Places inside", str(figures["places_inside"]), f"of {figures['places']}: a plain count")
    _print_block(console, "", facts)

    widths = _table(["Width here"], ["km of middle line", "km2"])
    for each in figures["widths"]:
        label = f"{each['from_km']:g} to {each['to_km']:g} km"
        widths.add_row(label, _number(each["length_km"], 1), _number(each["area_km2"], 1))
    _print_block(console, "", widths)

    if figures["corridors"]:
        _print_block(console, "Widest stretches, in km", _stretch_table(figures["widest"]))
        _print_block(console, "Longest stretches, in km", _stretch_table(figures["longest"]))
    _print_inputs(console, figures["inputs"], figures["set_aside"])
    console.print("Written", style="bold")
    for path in figures["files"].values():
        console.print(f"  {_plain(path)} ({_size(Path(path))})", soft_wrap=True)


def _print_check(figures: dict[str, Any]) -> None:
    console = _console()
    console.print()
    console.print(_plain(figures["title"]), style="bold")
    console.print("Read and checked; nothing was computed.\n", style="dim")
    _print_inputs(console, figures["inputs"], figures["set_aside"])
    contents = _table(["In use"], ["rows"])
    for heading in ("of which", "from", "to"):
        contents.add_column(heading)
    for each in figures["contents"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in each["kinds"].items())
        contents.add_row(_plain(each["what"]), str(each["rows"]), kinds, each["first"], each["last"])
    _print_block(console, "", contents)
    for path in figures["files"].values():
        console.print(f"Drawn: {_plain(path)}", soft_wrap=True)
    if not figures["problems"]:
        console.print("Nothing is wrong.", style="bold")


def _stretch_table(ranked: list[dict[str, Any]]) -> Table:
    table = _table(["", "Stretch"], ["widest", "mean", "long", "incidents", "places"])
    for each in ranked:
        table.add_row(
            each["stretch_id"],
            _plain(each["name"]),
            f"{each['width_max_km']:.1f}",
            f"{each['width_mean_km']:.1f}",
            f"{each['length_km']:.1f}",
            str(each["incidents"]),
            str(each["places"]),
        )
    return table


def _print_inputs(console: Console, inputs: list[dict[str, Any]], set_aside: list[dict[str, Any]]) -> None:
    table = _table(["Read", "as"], ["rows", "used", "set aside", "repaired"])
    for each in inputs:
        counts = [str(each[column]) for column in ("rows", "used", "set_aside", "repaired")]
        table.add_row(_plain(each["name"]), _plain(each["role"]), *counts)
    _print_block(console, "", table)
    if set_aside:
        console.print("Set aside", style="bold")
        for each in set_aside[:REASONS_SHOWN]:
            rows = f"{each['rows']} row{'s' * (each['rows'] != 1)}"
            console.print(f"  {_plain(each['source'])}: {rows}: {_plain(each['reason'])}")
        if len(set_aside) > REASONS_SHOWN:
            console.print(f"  and {len(set_aside) - REASONS_SHOWN} more kinds, in table set_aside")
        console.print()


def _print_block(console: Console, title: str, table: Table) -> None:
    from rich.padding import Padding

    if title:
        console.print(title, style="bold")
    console.print(Padding.indent(table, 2 if title else 0))
    console.print()


def _table(texts: Sequence[str] = (), figures: Sequence[str] = ()) -> Table:
    """Return a table without frames: columns of text, then columns of figures."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for heading in texts:
        table.add_column(heading)
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show the step at work on standard error, where somebody is there to see it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn("line"), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("start", total=None)

        def step(text: str, done: int, total: int) -> None:
            progress.update(task, description=text, completed=done, total=total)

        yield step


def _plain(text: object) -> str:
    """Return text without control characters: a name in a file must not steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in str(text))


def _number(value: float, decimals: int = 0) -> str:
    return f"{value:,.{decimals}f}".replace(",", " ")


def _day(value: Any) -> str | None:  # noqa: ANN401 - Timestamp or NaT
    text = str(value)[:10]
    return None if text == "NaT" else text


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"  # noqa: PLR2004 - a million


def _is_result(path: Path) -> bool:
    """Whether an earlier result of gapmap lies there, which a new one may replace."""
    if not path.exists():
        return False
    try:
        gapmap.open(path)
    except ResultError:
        return False
    return True


def _require_free(paths: Iterable[Path], *, overwrite: bool) -> None:
    taken = [path for path in paths if path.exists()]
    if taken and not overwrite:
        raise InputError(
            "there are files already that gapmap did not make",
            problems=[str(path) for path in taken],
            hint="name another place with --out, or replace them with --overwrite",
        )
