"""What the terminal shows.

In: figures as ``summary`` gives them. Out: tables on standard output that fit 80 columns, and the progress on standard error.
Method: rich, without its markup: a name in a file is shown as text and cannot steer the terminal.
"""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gapmap.questions import Answer, Card

_REASONS_SHOWN = 10
# What took all corridors away, by the name of its input.
_TAKEN = {"excluded": "is excluded", "area of interest": "lies outside the area of interest"}
# What ground was before it became corridor, and what it is where it no longer is.
_OTHER_GROUND = {
    "covered": "covered",
    "corridor": "another corridor",
    "beyond": "wider than the limit",
    "other": "open, or inside one force",
}
# What a question shows of each table unless columns are named: heading, column, and how: "km" metres as kilometres, "0.0"
# with one decimal, "" as it is.
_GAP: tuple[tuple[str, str, str], ...] = (
    ("name", "name", ""),
    ("distance km", "distance_m", "km"),
    ("widest km", "width_max_m", "km"),
    ("mean km", "width_mean_m", "km"),
    ("long km", "length_km", "0.0"),
    ("incidents", "incidents_count", ""),
    ("matching", "incidents_matching", ""),
    ("places", "places", ""),
)
_VIEWS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "stretches": (("id", "stretch_id", ""), *_GAP),
    "corridors": (("id", "corridor_id", ""), *_GAP),
    "transects": (
        ("id", "transect_id", ""),
        ("distance km", "distance_m", "km"),
        ("along km", "along_m", "km"),
        ("width km", "width_m", "km"),
        ("from zone", "facing_a", ""),
        ("to zone", "facing_b", ""),
    ),
    "places": (
        ("id", "place_id", ""),
        ("name", "name", ""),
        ("distance km", "distance_m", "km"),
        ("population", "population", ""),
        ("ground", "ground", ""),
        ("stretch", "stretch_id", ""),
        ("width here km", "width_here_m", "km"),
    ),
    "incidents": (
        ("id", "incident_id", ""),
        ("distance km", "distance_m", "km"),
        ("from", "date_from", ""),
        ("kind", "kind", ""),
        ("deaths", "deaths_best", ""),
        ("within km", "location_radius_m", "km"),
        ("ground", "ground", ""),
        ("stretch", "stretch_id", ""),
    ),
}


def print_summary(figures: dict[str, Any]) -> None:
    """Print what a run found.

    Parameters
    ----------
    figures : dict
        From ``gapmap.summary.summary``, and ``files``: what was written.
    """
    console = _console()
    console.print()
    console.print(plain(figures["title"]), style="bold")
    if figures["notice"]:
        console.print(plain(figures["notice"]), style="yellow")
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
    wider = f"between two forces, {_number(figures['beyond_km'])} km of middle line"
    facts.add_row(f"Wider than {limit}", f"{_number(ground.get('beyond', 0))} km2", wider)
    facts.add_row("Gaps inside one force", f"{_number(ground.get('interior', 0))} km2", "between its own zones")
    facts.add_row(
        "Incidents inside",
        str(figures["incidents_inside"]),
        f"of {figures['incidents']}: a plain count of positions, {figures['incidents_inside_certain']} certain",
    )
    facts.add_row("Places inside", str(figures["places_inside"]), f"of {figures['places']}: a plain count")
    _print_block(console, "", facts)
    if figures["taken_by"]:
        where = " or ".join(_TAKEN[name] for name in figures["taken_by"])
        console.print(f"No corridor is left: all that lies between the forces {where}.\n")
    elif figures["nearest_km"] is not None:
        apart = (
            f"{_number(figures['nearest_km'], 1)} km apart"
            if figures["nearest_km"]
            else "side by side, or over each other"
        )
        console.print(f"No corridor: where two forces come nearest, their cover lies {apart}.\n")
    if figures["incidents_outside_area"]:
        lie = f"{figures['incidents_outside_area']} of {figures['incidents']} incidents"
        console.print(f"{lie} lie outside the area of interest.", style="dim")
    if figures["incidents_over"]:
        console.print(f"{figures['incidents_over']}\n", style="dim")

    if figures["corridors"]:
        widths = _table(["Width here"], ["km of middle line", "km2"])
        for each in figures["widths"]:
            label = f"{each['from_km']:g} to {each['to_km']:g} km"
            widths.add_row(label, _number(each["length_km"], 1), _number(each["area_km2"], 1))
        _print_block(console, "", widths)
        _print_block(console, "Widest stretches by mean width, in km", _stretch_table(figures["widest"]))
        _print_block(console, "Longest stretches, in km", _stretch_table(figures["longest"]))
        console.print("mean: each square kilometre counts alike; widest: in one spot.\n", style="dim")
    _print_inputs(console, figures["inputs"], figures["set_aside"])
    console.print("Written", style="bold")
    for name, path in figures["files"].items():
        if name == "scenario" and figures["scenario_as_it_was"]:
            console.print(f"  scenario: {plain(path)}, as it was", soft_wrap=True)
        else:
            console.print(f"  {plain(path)} ({file_size(Path(path))})", soft_wrap=True)


def print_check(figures: dict[str, Any]) -> None:
    """Print what a check read; what is wrong goes to standard error by itself.

    Parameters
    ----------
    figures : dict
        Title, inputs, contents, set_aside, problems, files.
    """
    console = _console()
    console.print()
    console.print(plain(figures["title"]), style="bold")
    console.print("Read and checked; nothing was computed.\n", style="dim")
    _print_inputs(console, figures["inputs"], figures["set_aside"])
    if told := [each for each in figures["inputs"] if each.get("read_as")]:
        console.print("Understood as", style="bold")
        for each in told:
            console.print(f"  {plain(each['name'])}: {plain(each['read_as'])}")
        console.print()
    contents = _table(["In use"], ["rows"])
    for heading in ("of which", "from", "to"):
        contents.add_column(heading)
    for each in figures["contents"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in each["kinds"].items())
        contents.add_row(plain(each["what"]), str(each["rows"]), kinds, each["first"], each["last"])
    if figures["contents"]:
        _print_block(console, "", contents)
    for path in figures["files"].values():
        console.print(f"Drawn: {plain(path)}", soft_wrap=True)
    if not figures["problems"]:
        console.print("Nothing is wrong.", style="bold")


def print_answer(answer: Answer) -> None:
    """Print the rows that a question found.

    Parameters
    ----------
    answer : questions.Answer
        The rows and what to know about them. Columns that were asked for are shown as they are called, else the usual ones
        in kilometres.
    """
    from gapmap.formats import to_records

    console = _console()
    if answer.notice:
        console.print(plain(answer.notice), style="yellow")
    records = to_records(answer.rows)
    if records:
        names = list(records[0])
        view = [(name, name, "") for name in names]
        if not answer.chosen:
            view = [each for each in _VIEWS[answer.table] if each[1] in names]
        figures = {name for name in names if any(isinstance(record[name], int | float) for record in records)}
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
        for heading, name, _ in view:
            table.add_column(heading, justify="right" if name in figures else "left", no_wrap=name in figures)
        for record in records:
            table.add_row(*(_shown(record[name], how) for _, name, how in view))
        console.print(table)
    count = f"Matching {answer.table}: {answer.matched}"
    if len(records) < answer.matched:
        count += f", {len(records)} of them shown (more with --limit)"
    console.print(f"{count}.", style="dim")
    _print_notes(console, answer.notes)


def print_card(card: Card) -> None:
    """Print what is known about a point.

    Parameters
    ----------
    card : questions.Card
        The point or place.
    """
    console = _console()
    if card.notice:
        console.print(plain(card.notice), style="yellow")
    here, place = card.here, card.place
    console.print(plain(place["name"]) if place else "Point", style="bold")
    facts = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    facts.add_row("At", f"{here.lat:.5f}, {here.lon:.5f}")
    if place:
        people = place["population"]
        facts.add_row("Id", plain(place["place_id"]))
        facts.add_row("Also called", plain(", ".join(place["names"])) or "-")
        facts.add_row("Population", "not known" if people is None else _number(people))
    facts.add_row("Ground", plain(_ground_words(card)))
    if here.stretch_id:
        facts.add_row("Width here", f"{_shown(here.width_here_m, 'km')} km")
        facts.add_row("Stretch", plain(f"{here.stretch_id} {here.stretch}"))
        facts.add_row("Corridor", plain(f"{here.corridor_id} {here.corridor}"))
    _print_block(console, "", facts)

    zones = _table(["Nearest zone of", "", ""], ["km to its cover", "direction"])
    for zone in here.nearest:
        way = "inside" if zone.distance_m == 0 else _shown(zone.distance_m, "km")
        zones.add_row(plain(zone.force), zone.zone_id, plain(zone.name), way, _direction(zone.bearing_deg))
    _print_block(console, "", zones)
    radii = [name.removeprefix("within_").replace("_", " ") for name in card.incidents.columns]
    years = _table(["Incidents within"], radii)
    for year, counts in card.incidents.iterrows():
        years.add_row(str(year), *(str(count) for count in counts))
    years.add_row("in all", *(str(count) for count in card.incidents.sum()))
    _print_block(console, "", years)
    places = _table(["Nearest places", ""], ["km", "direction"])
    for key, row in card.places.iterrows():
        places.add_row(plain(row["name"]), str(key), _shown(row["distance_m"], "km"), _direction(row["bearing_deg"]))
    if card.places.empty:
        console.print("Nearest places: the result holds none.")
    else:
        _print_block(console, "", places)
    console.print("Incidents: a plain count of coded positions, by the year of their first day.", style="dim")
    _print_notes(console, card.notes)


def _ground_words(card: Card) -> str:
    """Say in words what kind of ground it is."""
    from gapmap.units import format_length

    forces, limit = " and ".join(card.here.forces), format_length(card.max_width_m)
    return {
        "covered": f"covered by {forces}",
        "overlap": f"covered by {forces}",
        "corridor": f"in the gap between {forces}",
        "beyond": f"between {forces}, where the gap is wider than the limit of {limit}",
        "interior": f"not covered, between zones of {forces}",
        "excluded": "left out of the analysis",
        "open": "not covered, and not between two forces",
    }.get(card.here.ground, "outside the area of interest")


def _direction(bearing_deg: float) -> str:
    from gapmap.overlay import compass

    return "here" if math.isnan(bearing_deg) else f"{compass(bearing_deg)} ({round(bearing_deg) % 360}°)"


def _shown(value: Any, how: str = "") -> str:  # noqa: ANN401 - what a table holds
    if value in (None, "") or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return plain(value)
    if how:
        return _number(value / 1000 if how == "km" else value, 1)
    return f"{value:.10g}"


def _print_notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(f"Note: {plain(note)}.")


def print_changes(figures: dict[str, Any]) -> None:
    """Print what changed between two results, or would change.

    Parameters
    ----------
    figures : dict
        From ``Changes.figures``; ``asked``: the changes of a what-if, "" for none; and ``files``: what was written.
    """
    console = _console()
    before, after = figures["before"], figures["after"]
    if figures["notice"]:
        console.print(plain(figures["notice"]), style="yellow")
    console.print()
    console.print(plain(_titled(before, after, what_if=bool(figures["asked"]))), style="bold")
    for line in figures["asked"]:
        console.print(f"  {plain(line)}")
    console.print()
    if figures["differences"] and not figures["asked"]:
        table = _table(["The questions differ in", "before", "now"])
        for each in figures["differences"]:
            table.add_row(*(plain(each[column]) for column in ("what", "before", "after")))
        _print_block(console, "", table)

    _print_block(console, "", _change_facts(figures))
    changed = [each for each in figures["corridors"] if each["state"] != "unchanged"]
    if changed:
        _print_block(console, "", _changed_table(changed))
        console.print("Opened to moved are told by ground; gained and lost in km2.\n", style="dim")
    if figures["places"]:
        table = _table(["Place", "was", "is now"])
        for each in figures["places"]:
            table.add_row(plain(each["name"]), *(plain(_place_state(each, side)) for side in ("before", "after")))
        _print_block(console, "", table)
    else:
        of = figures["places_compared"]
        said = f"No place of {of} changed its state." if of else "No places to compare: none lies in both."
        console.print(f"{said}\n", style="dim")
    _print_written(console, figures["files"])


def _titled(before: dict[str, Any], after: dict[str, Any], *, what_if: bool) -> str:
    if what_if:
        return f"What if: {before['title']}"
    titles = [each["title"] + (f" ({each['date']})" if each["date"] else "") for each in (before, after)]
    return " against ".join(dict.fromkeys(titles))


def _change_facts(figures: dict[str, Any]) -> Table:
    before, after = figures["before"], figures["after"]
    facts = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    facts.add_column(no_wrap=True)
    facts.add_column(justify="right", no_wrap=True)
    facts.add_column()
    facts.add_row("Corridors", f"{before['corridors']} to {after['corridors']}", _states(figures["states"]))
    gained, lost = (f"{_number(figures[f'{change}_km2'], 1)} {change}" for change in ("gained", "lost"))
    area = f"{_number(before['area_km2'], 1)} to {_number(after['area_km2'], 1)} km2"
    facts.add_row("Corridor ground", area, f"{gained}, {lost}")
    for change, words in (("gained_from_km2", "gained that was"), ("lost_to_km2", "lost that is now")):
        for kind, area_km2 in figures[change].items():
            if round(area_km2, 1):
                facts.add_row("", f"{_number(area_km2, 1)} km2", f"{words} {_OTHER_GROUND[kind]}", style="dim")
    gained, lost = (f"{_number(figures[f'{change}_km'], 1)} {change}" for change in ("gained", "lost"))
    length = f"{_number(before['length_km'], 1)} to {_number(after['length_km'], 1)} km"
    facts.add_row("Middle line", length, f"{gained}, {lost} from side to side")
    for force, each in figures["cover_km2"].items():
        if each["before"] != each["after"]:
            cover = f"{_number(each['before'], 1)} to {_number(each['after'], 1)} km2"
            facts.add_row("Declared cover", cover, plain(force))
    return facts


def _states(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _changed_table(changed: list[dict[str, Any]]) -> Table:
    columns = [("area", "km2", 1.0), ("width_mean", "m", 1e3), ("length", "km", 1.0)]
    table = _table(["", "Corridor"], ["gained", "lost", "km2", "now", "mean", "now", "long", "now"])
    table.padding = (0, 1, 0, 0)
    for each in changed:
        figures = [
            "-" if each[f"{name}_{side}_{unit}"] is None else _number(each[f"{name}_{side}_{unit}"] / scale, 1)
            for name, unit, scale in columns
            for side in ("before", "after")
        ]
        moved = [_number(each[f"{change}_km2"], 1) for change in ("gained", "lost")]
        table.add_row(each["state"], plain(each["name"]), *moved, *figures)
    return table


def _place_state(place: dict[str, Any], side: str) -> str:
    forces = place[f"forces_{side}"].replace(" + ", " and ")
    width_m = place[f"width_{side}_m"]
    wide = "" if width_m is None else f", {width_m / 1000:.1f} km wide"
    return {
        "covered": f"covered by {forces}",
        "corridor": f"in a corridor between {forces}{wide}",
        "beyond": f"wider than the limit, between {forces}",
        "other": "open, or inside one force",
    }[place[f"kind_{side}"]]


def _print_written(console: Console, files: dict[str, str]) -> None:
    for name, path in files.items():
        console.print(f"Written: {name}, {plain(path)} ({file_size(Path(path))})", soft_wrap=True)


def _stretch_table(ranked: list[dict[str, Any]]) -> Table:
    table = _table(["", "Stretch"], ["mean", "widest", "long", "incidents", "places"])
    for each in ranked:
        table.add_row(
            each["stretch_id"],
            plain(each["name"]),
            f"{each['width_mean_km']:.1f}",
            f"{each['width_max_km']:.1f}",
            f"{each['length_km']:.1f}",
            str(each["incidents"]),
            str(each["places"]),
        )
    return table


def _print_inputs(console: Console, inputs: list[dict[str, Any]], set_aside: list[dict[str, Any]]) -> None:
    if not inputs:
        return
    table = _table(["Read", "as"], ["rows", "used", "set aside", "repaired"])
    for each in inputs:
        counts = [str(each[column]) for column in ("rows", "used", "set_aside", "repaired")]
        whose = f" of {each['force']}" if each.get("force") else ""
        table.add_row(plain(each["name"]), plain(each["role"] + whose), *counts)
    _print_block(console, "", table)
    if set_aside:
        console.print("Set aside", style="bold")
        for each in set_aside[:_REASONS_SHOWN]:
            rows = f"{each['rows']} row{'s' * (each['rows'] != 1)}"
            console.print(f"  {plain(each['source'])}: {rows}: {plain(each['reason'])}")
        if len(set_aside) > _REASONS_SHOWN:
            console.print(f"  and {len(set_aside) - _REASONS_SHOWN} more kinds, in table set_aside")
        console.print()
    remarks = [f"{each['name']}: {remark}" for each in inputs for remark in each.get("remarks", [])]
    if remarks:
        console.print("Worth a look", style="bold")
        for remark in dict.fromkeys(remarks):  # two inputs may be one file
            console.print(f"  {plain(remark)}")
        console.print()


def _print_block(console: Console, title: str, table: Table) -> None:
    if title:
        console.print(title, style="bold")
    console.print(Padding.indent(table, 2 if title else 0))
    console.print()


def _table(texts: Sequence[str] = (), figures: Sequence[str] = ()) -> Table:
    """Return a table without frames: columns of text, then columns of figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for heading in texts:
        table.add_column(heading)
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _console() -> Console:
    # In a notebook, too, what a command says goes to standard output.
    return Console(highlight=False, markup=False, emoji=False, force_jupyter=False)


@contextlib.contextmanager
def show_progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show the step at work on standard error, where somebody is there to see it.

    Parameters
    ----------
    quiet : bool
        Show nothing.

    Yields
    ------
    callable
        To be called with what is being done, the steps done and the steps in all.
    """
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn("line"), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("start", total=None)

        def step(text: str, done: int, total: int) -> None:
            progress.update(task, description=text, completed=done, total=total)

        yield step


def plain(text: object) -> str:
    """Return text without control characters: a name in a file must not steer the terminal."""
    # Kurdish and Persian write with joiners, which steer nothing.
    return "".join(c if c.isprintable() or c in "\n\u200c\u200d" else "?" for c in str(text))


def _number(value: float, decimals: int = 0) -> str:
    return f"{value:,.{decimals}f}".replace(",", " ")


def file_size(path: Path) -> str:
    """Return the size of a file in words."""
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 1):.0f} kB"  # noqa: PLR2004 - a million
