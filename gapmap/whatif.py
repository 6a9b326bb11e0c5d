"""What would change if a force held more, or less, or reached farther.

In: a scenario, and changes as people write them ("post federal 38SLE716599 5km"). Out: what they do, by the one rule of
`compare`, and the changed scenario, ready to run. Method: what a run does, twice, but for what a comparison does not need.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

import gapmap
from gapmap import storage, tables
from gapmap.analysis import Analysis, Grown, grow
from gapmap.compare import Changes, find_changes, flatten
from gapmap.corridors import find_corridors
from gapmap.crs import WGS84
from gapmap.errors import CrsError, InputError, ResultError, unknown
from gapmap.inputs import Inputs, read_inputs
from gapmap.overlay import name_corridors
from gapmap.questions import find_point
from gapmap.reach import doubt_short
from gapmap.readers import join_zones
from gapmap.scenario import ForceInput, Scenario, check_reach, read_scenario
from gapmap.units import format_length, parse_length
from gapmap.widths import width_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORMS = (
    '"post FORCE POINT [REACH]"; a route or an area has " to " between its points; the reach with its unit, such as 5km'
)
_CORNERS = {"post": 1, "route": 2, "area": 3}  # at least
# A number and a unit at the end; a letter of the compass belongs to the point before it.
_LAST_LENGTH = re.compile(r"(?:^|\s)([+-]?\d[\d.,\u066b\u066c]*\s*(?!(?i:[NSEW])$)[^\W\d]+)$")
_FAR_M = 200_000.0  # farther from every zone, a point was mistyped or its two numbers are swapped
_LISTED = 5  # zones named in a message


@dataclass(frozen=True)
class WhatIf:
    """An answer of :func:`what_if`.

    Attributes
    ----------
    asked : tuple of str
        The changes, as understood.
    changes : Changes
        What they do.
    scenario : Scenario
        With the reach that was asked for; its files are those of the scenario as it is.
    zones : GeoDataFrame
        After the change, in EPSG:4326, those that do not count on the day too.
    edited : frozenset of str
        The forces that hold other zones than before.
    """

    asked: tuple[str, ...]
    changes: Changes
    scenario: Scenario
    zones: gpd.GeoDataFrame
    edited: frozenset[str]

    def save(self, folder: str | Path) -> Path:
        """Write the changed scenario, so that it can be run: scenario.toml, and a file of zones for each force edited.

        A list of several forces that holds one of these is written anew for all.

        Parameters
        ----------
        folder : str or Path
            New or empty.

        Returns
        -------
        Path
            The scenario. It names all other files where they lie.

        Raises
        ------
        InputError
            If there is something in the folder, or if it cannot be written.
        """
        folder = Path(folder).resolve()
        # A list of several forces is left by all that take rows of it: those of one that went alone would be nobody's.
        left = {path for force in self.scenario.forces if force.name in self.edited for path in force.zones}
        alone = self.edited | {force.name for force in self.scenario.forces if force.only and left & {*force.zones}}
        forces = tuple(
            # The new file has gapmap's own columns: nothing of how the old one was written holds for it.
            # Windows keeps some names for itself, whatever the ending: CON, AUX, NUL.
            ForceInput(
                name=force.name,
                label=force.label,
                zones=(folder / f"zones-{force.name}.gpkg",),
                reach_m=force.reach_m,
            )
            if force.name in alone
            else force
            for force in self.scenario.forces
        )
        title = f"{self.scenario.title}: what if"
        scenario = dataclasses.replace(self.scenario, title=title, forces=forces, folder=folder)
        path = folder / "scenario.toml"
        # A zone's name may hold line breaks: what follows one would be read as part of the scenario.
        said = "".join(f"# {_one_line(text)}\n" for text in ("What if:", *self.asked))
        with storage.new_folder(folder) as drafts:
            for force in forces:
                if force.name in alone:
                    self._write_zones(force, drafts / force.zones[0].name)
            text = f"{said}\n{scenario.to_toml()}"
            (drafts / path.name).write_text(text, encoding="utf-8", newline="\n")
        return path

    def _write_zones(self, force: ForceInput, path: Path) -> None:
        held = self.zones[self.zones["force"] == force.name]
        # A reach that is the scenario's stays the scenario's.
        own = held["reach_m"].mask(held["reach_m"] == held["kind"].map(dict(force.reach_m)))
        columns = ["name", "kind", "reach_m", "valid_from", "valid_to", "geometry"]
        rows = held.assign(reach_m=own)[columns]
        kinds = set(rows.geom_type)
        storage.write_layer(rows, path, layer="zones", geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def what_if(
    scenario: str | Path | Scenario,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    reach: Mapping[str, str | float] | None = None,
    base: Analysis | None = None,
) -> WhatIf:
    """Say what would change with other zones, or another reach.

    Parameters
    ----------
    scenario : str, Path or Scenario
        As it is.
    add : iterable of str
        Zones: "post FORCE POINT [REACH]", "route FORCE POINT to POINT ... [REACH]", "area ..." likewise. Points as people
        write them, or names of places (:func:`gapmap.questions.find_point`); the reach with its unit; without it, the
        scenario's for that kind.
    remove : iterable of str
        Zones: the ``zone_id`` in the scenario as it is, or the name where only one zone has it.
    reach : mapping of str to length, optional
        By force, or by force and kind ("north.post"): "8 km", or metres. It takes the place of the scenario's; zones
        whose file gives them a reach keep that.
    base : Analysis, optional
        The result of the scenario as it is, where there is one: half of the work is then done.

    Returns
    -------
    WhatIf
        The changes, and the scenario with them. The figures are those of two full runs in one working CRS compared.

    Raises
    ------
    InputError
        If the scenario or a file of it cannot be used; if nothing is asked for; and, all at once, for an unknown force,
        kind or zone (with the nearest right one), points and lengths that cannot be read, points far from every zone, a
        zone that does not count on the scenario's date.
    ResultError
        If `base` is not the result of the scenario as it is now.
    EngineError
        If the geometry engine fails.

    Notes
    -----
    Covers, corridors and their names are made as :func:`gapmap.run` makes them, in the working CRS of the scenario as it is
    where that holds over the change too; of the ground, only what lies beyond the limit; no incidents, no relief. Zones are
    numbered anew after the change, so that a ``zone_id`` may mean another one.
    """
    if not isinstance(scenario, Scenario):
        scenario = read_scenario(scenario)
    slim = dataclasses.replace(scenario, incidents=None, terrain=None, base=None)
    problems = [
        f"{name} is one text, not a list of them"
        for name, given in (("add", add), ("remove", remove))
        if isinstance(given, str)
    ]
    if problems:
        raise InputError("the change cannot be understood", problems=problems, hint='add=["post FORCE POINT REACH"]')
    wanted = _with_reach(slim, dict(reach or {}), problems)
    read = read_inputs(slim).require_all()
    if base is not None:
        tables.require_result("base", base)
        _check_base(base, slim, read)
    grown = grow(slim, read) if base is None else Grown(base.table("zones"), [], base.table("cover"), None)
    held = Analysis({"run": _run_row(wanted, read.places.crs, "[]"), "places": _near(read.places, grown.cover)})
    added, notes = _additions(list(add), wanted, grown, held, problems)
    gone = _removed(list(remove), read.zones, grown.zones.index, problems)
    if problems:
        raise InputError("the change cannot be understood", problems=problems)
    changed = read if wanted == slim else read_inputs(wanted).require_all()
    row = ["file", "source_row"]
    kept = ~pd.MultiIndex.from_frame(changed.zones[row]).isin(pd.MultiIndex.from_frame(gone[row]))
    zones = join_zones([changed.zones[kept], *([added] if len(added) else [])])
    after = dataclasses.replace(changed, zones=zones)
    asked = [
        *(f"added: {_described(zone)}{_doubt([zone.reach_m])}" for zone in added.itertuples()),
        *dict.fromkeys(notes),
        *(f"taken away: {zone.Index} {zone.name}, {_described(zone)}" for zone in gone.itertuples()),
    ]
    if empty := sorted(set(gone["force"]) - set(zones["force"])):
        raise InputError(f"no zone would be left of: {', '.join(empty)}", hint="leave the force one zone at least")
    try:  # another plane would shift ground everywhere, by up to a thousandth: far more than a post far away does
        after_grown = grow(wanted, after, crs=grown.cover.crs)
    except CrsError:
        after_grown = grow(wanted, after)
    asked += _reach_words(slim, wanted, after_grown.zones)
    if not asked:
        raise InputError(
            "nothing is to change", hint='--add "post FORCE POINT REACH", --remove ZONE, --reach FORCE=8km'
        )
    before = base or _side(scenario, read, grown, inputs="[]")
    # The files are those of the scenario as it is, so that of the questions only a reach differs.
    inputs = before.table("run")["inputs"].iloc[0]
    scenario = dataclasses.replace(scenario, forces=wanted.forces)
    changes = find_changes(before, _side(scenario, after, after_grown, inputs=inputs))
    return WhatIf(tuple(asked), changes, scenario, zones, frozenset([*added["force"], *gone["force"]]))


def _check_base(base: Analysis, scenario: Scenario, read: Inputs) -> None:
    """Refuse a result that was not made from what is compared now; incidents, relief and words may differ."""
    run = base.table("run").iloc[0]
    passed_over = {"title", "notice", "incidents", "terrain", "base"}
    asked, answered = (
        dict(flatten({key: value for key, value in each.items() if key not in passed_over}))
        for each in (scenario.parameters(), json.loads(run["parameters"]))
    )
    problems = [
        f"{key}: {answered.get(key, 'none')} in the result, {asked.get(key, 'none')} in the scenario"
        for key in {**asked, **answered}
        if asked.get(key) != answered.get(key)
    ]
    held = {(each["role"], each["name"]): each["sha256"] for each in json.loads(run["inputs"])}
    problems += [
        f"{each['name']} ({each['role']}): its content has changed"
        for each in read.inputs
        if held.get((each["role"], each["name"])) != each["sha256"]
    ]
    if json.loads(run["versions"])["gapmap"] != gapmap.__version__:
        problems.append("made by another version of gapmap")
    if problems:
        raise ResultError(
            "the base is not the result of this scenario as it is now",
            problems=problems,
            hint="run the scenario again, or ask without a base",
        )


@dataclass(frozen=True)
class _Tables:
    """Hands out tables as an analysis does."""

    content: Mapping[str, Any]

    def table(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame
        return self.content[name]


def _side(scenario: Scenario, read: Inputs, grown: Grown, *, inputs: str) -> _Tables:
    """Compute the tables that a comparison reads."""
    crs, limit_m = grown.cover.crs, scenario.max_width_m
    found = find_corridors(
        grown.cover,
        max_width_m=limit_m,
        stretch_length_m=scenario.stretch_length_m,
        area_of_interest=grown.area,
        excluded=read.excluded,
    )
    wide = find_corridors(grown.cover, max_width_m=2 * limit_m).corridors
    beyond = (
        wide.assign(kind="beyond", forces=wide["force_a"] + " + " + wide["force_b"]).dissolve("forces").reset_index()
    )
    if grown.area is not None:
        beyond.geometry = beyond.intersection(grown.area.union_all())
    if read.excluded is not None:
        beyond.geometry = beyond.difference(read.excluded.to_crs(crs).union_all())
    places = read.places.to_crs(crs)
    places["width_here_m"] = width_here(found.facets, places.geometry)
    content = {
        "run": _run_row(scenario, crs, inputs),
        "cover": grown.cover,
        "corridors": name_corridors(found.corridors, found.transects, places),
        "facets": found.facets,
        "ground": beyond,
        "places": places,
    }
    return _Tables(content)


def _run_row(scenario: Scenario, crs: pyproj.CRS, inputs: str) -> pd.DataFrame:
    run = {
        "title": scenario.title,
        "notice": scenario.notice,
        "date": scenario.date,
        "max_width_m": scenario.max_width_m,
        "parameters": json.dumps(scenario.parameters(), ensure_ascii=False),
        "inputs": inputs,
        "crs": crs.to_wkt(),
    }
    return tables.conform(pd.DataFrame([run], index=["run"]), "run")


def _near(places: gpd.GeoDataFrame, cover: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the places where a zone could be added, as they are: a list may hold a whole country's."""
    to_degrees = pyproj.Transformer.from_crs(cover.crs, places.crs, always_xy=True)
    west, south, east, north = cover.total_bounds
    around = to_degrees.transform_bounds(west - _FAR_M, south - _FAR_M, east + _FAR_M, north + _FAR_M)
    return places[places.intersects(shapely.box(*around))]


def _with_reach(scenario: Scenario, reach: dict[str, str | float], problems: list[str]) -> Scenario:
    """Return the scenario with another reach for some forces; what is wrong goes to the problems."""
    reaches = {force.name: dict(force.reach_m) for force in scenario.forces}
    for key in sorted(reach):  # "north" before "north.post"
        name, _, kind = key.partition(".")
        try:
            _check_word("force", name, reaches)
            kinds = [_check_word("kind", kind, tables.ZONE_KINDS)] if kind else tables.ZONE_KINDS
            metres = check_reach(parse_length(reach[key]))
        except InputError as error:
            problems.append(f"reach of {key}: {error.message}")
        else:
            reaches[name].update(dict.fromkeys(kinds, metres))
    forces = tuple(dataclasses.replace(force, reach_m=reaches[force.name]) for force in scenario.forces)
    return dataclasses.replace(scenario, forces=forces)


def _additions(
    texts: list[str], scenario: Scenario, grown: Grown, held: Analysis, problems: list[str]
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the zones to add, and what their points were taken for; what is wrong goes to the problems."""
    rows, notes = [], []
    problems += [f"add {text!r}: asked for twice" for text in dict.fromkeys(texts) if texts.count(text) > 1]
    for number, text in enumerate(texts, start=1):
        try:
            row, said = _addition(text, scenario, held)
            _check_near(row["geometry"], grown.cover)
            rows.append({**row, "name": f"added {number}", "source": "what if", "source_row": number, "file": -1})
            notes += said
        except InputError as error:
            hint = f"; {error.hint}" if error.problems else ""
            problems += [f"add {text!r}: {error.message}{hint}", *(f"  {line}" for line in error.problems)]
    columns = [*tables.COLUMNS["zones"], "file", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=WGS84)
    return tables.conform(frame, "zones"), notes


def _addition(text: str, scenario: Scenario, held: Analysis) -> tuple[dict[str, Any], list[str]]:
    """Read one zone: kind, force, reach_m and geometry in degrees; and what its points were taken for."""
    kind, name, where = (*text.split(maxsplit=2), "", "", "")[:3]
    if not where:
        raise InputError(f"is not {_FORMS}")
    kind = _check_word("kind", kind.lower(), _CORNERS)
    forces = {force.name: force for force in scenario.forces}
    _check_word("force", name, forces)
    last = _LAST_LENGTH.search(where)
    reach_m = check_reach(parse_length(last[1])) if last else forces[name].reach_m.get(kind)
    if reach_m is None:
        raise InputError(f"has no reach, and the scenario has none for a {kind} of {name}; {_FORMS}")
    if reach_m == 0 and kind != "area":
        raise InputError("has the reach 0, which covers nothing")
    words = re.split(r"\s+to\s+", where[: last.start()] if last else where)
    found = [find_point(held, each) for each in words if each]
    points = [point for point, _ in found]
    if len(points) < _CORNERS[kind] or (kind == "post" and len(points) > 1):
        raise InputError(f"has {len(points)} points; {_FORMS}")
    shape = points[0] if kind == "post" else {"route": shapely.LineString, "area": shapely.Polygon}[kind](points)
    if not shape.is_valid:
        raise InputError(f"is no {kind}: {shapely.is_valid_reason(shape)}")
    row = {"force": name, "kind": kind, "reach_m": reach_m, "geometry": shape}
    return row, [note for _, said in found for note in said]


def _check_word(what: str, word: str, allowed: Iterable[str]) -> str:
    if word not in allowed:
        raise InputError(unknown(what, word, allowed))
    return word


def _check_near(shape: Any, cover: gpd.GeoDataFrame) -> None:  # noqa: ANN401 - shapely geometries
    away_m = cover.distance(gpd.GeoSeries([shape], crs=WGS84).to_crs(cover.crs).iloc[0]).min()
    if not away_m <= _FAR_M:
        raise InputError(f"lies {away_m / 1000:.0f} km from all that is covered; latitude comes first")


def _removed(words: list[str], zones: gpd.GeoDataFrame, counting: pd.Index, problems: list[str]) -> gpd.GeoDataFrame:
    """Return the zones to take away; what is wrong goes to the problems."""
    found: list[str] = []
    for word in words:
        ids = [word] if word in zones.index else zones.index[zones["name"] == word].tolist()
        if not ids:
            known = sorted({*zones.index, *zones["name"]} - {""})
            near = [each for each in known if word.casefold() in each.casefold()]
            near = near or difflib.get_close_matches(word, known, n=1)
            guess = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"remove {word!r}: no zone has this id or name{guess}")
        elif len(ids) > 1:
            more = ", ..." if len(ids) > _LISTED else ""
            problems.append(f"remove {word!r}: {len(ids)} zones have this name: {', '.join(ids[:_LISTED])}{more}")
        elif ids[0] not in counting:
            problems.append(f"remove {word!r}: does not count on the scenario's date, so that nothing would change")
        elif ids[0] in found:
            problems.append(f"remove {word!r}: asked for twice ({ids[0]})")
        found += ids
    return zones.loc[list(dict.fromkeys(found))]


def _described(zone: Any) -> str:  # noqa: ANN401 - a row as pandas names it
    point = zone.geometry.representative_point()
    where = f"{point.y:.5f}, {point.x:.5f}"
    return f"{zone.kind} of {zone.force} at {where}, reach {format_length(zone.reach_m)}"


def _reach_words(before: Scenario, after: Scenario, zones: gpd.GeoDataFrame) -> list[str]:
    """Say which reach changes, and how many zones have one of their own."""
    lines = []
    for old, new in zip(before.forces, after.forces, strict=True):
        other = {kind: metres for kind, metres in new.reach_m.items() if old.reach_m.get(kind) != metres}
        if other:
            mine = zones[(zones["force"] == new.name) & zones["kind"].isin(list(other))]
            own = int((mine["reach_m"] != mine["kind"].map(other)).sum())
            said = ", ".join(f"{kind} {format_length(metres)}" for kind, metres in other.items())
            keep = f"{own} of {len(mine)} such zones keep a reach of their own"
            lines.append(f"reach of {new.name}: {said} ({keep}){_doubt(other.values())}")
    return lines


def _doubt(reaches_m: Iterable[float]) -> str:
    said = doubt_short(reaches_m)
    return f"; {said}" if said else ""
