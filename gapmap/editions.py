"""What may leave the room: the tables of an analysis as one edition holds them.

In: an analysis, and the name of an edition. Out: an :class:`Edition`, its tables and the line that marks every file and
page made from it. Method: *partner* takes out what gives the other forces' zones away; *public* is built anew on a fixed
grid, of figures too coarse to find a zone by; what was built is then held against the rules it was built by.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap import tables
from gapmap.crs import WGS84
from gapmap.errors import EditionError, InputError, ResultError, unknown
from gapmap.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


NAMES = ("full", "partner", "public")
# The public grid: EPSG:6933, cylindrical and of equal area, in squares counted from its origin. It is the same for every
# scenario, and its cells are boxes in longitude and latitude.
GRID_CRS = 6933
CELL_M = 10_000.0
# A cell shows the gap in the nine cells around its middle (900 km2), in these classes, the first not listed at all.
# In its own 100 km2, a lone post shows as a dent that can be found to within its reach.
GAP_CLASSES_KM2 = (135.0, 450.0)
WINDOW_KM2 = 900.0
GAP_KINDS = ("corridor", "beyond")  # what lies between two forces; a gap inside one force is its own affair
# Cover that stands alone in the gap, and is smaller, counts as gap: else a lone post is the dent in it.
ISLAND_KM2 = 400.0
WITHHELD_BELOW = 3  # incidents in a cell and year
DELAY_DAYS = 90  # after a year has ended, before its counts leave
_HALF_WORLD_M = 17_367_530.0

PUBLIC_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "grid": ("gap_from_km2", "gap_to_km2", "geometry"),  # at least, and less than; of 900 km2
    "grid_incidents": ("cell_id", "year", "incidents", "geometry"),  # cells and years with 3 or more
}
# What a count of incidents must not bring with it: with one incident in a stretch, these are that row's own values.
_OF_SINGLE_ROWS = ("deaths", "last_incident", "location_radius")
_OF_FILES = ("role", "name", "sha256", "rows", "used", "set_aside", "repaired", "attribution")
_SHORTEST_NAME = 3  # letters and digits; shorter names would be found in anything
_FIGURES = re.compile(r"\d*(k?m)?\d*")
_PREFIXES = "وفبكل"


class Source(Protocol):
    """What an edition is made from: an analysis, or anything else that hands out its tables."""

    def table(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame, or a DataFrame for the plain tables
        """Return a table of `gapmap.tables.COLUMNS`."""


@dataclass(frozen=True)
class Edition:
    """The tables that may leave, and nothing else. Made by :func:`edition`.

    Attributes
    ----------
    name : {"full", "partner", "public"}
        Of the edition.
    force : str
        The force whose edition a partner edition is; "" for the others.
    mark : str
        One line that stands in every file and on every page.
    recipe : str
        What was left out, and by which rule.
    tables : mapping of str to DataFrame
        Full and partner: those of ``gapmap.tables.COLUMNS``, in the working CRS. Public: ``run``, ``grid`` and
        ``grid_incidents``, in EPSG:4326.
    force_label : str
        How the force of a partner edition is called on pages; "" for the others.
    """

    name: str
    force: str
    mark: str
    recipe: str
    tables: Mapping[str, Any]
    force_label: str = ""

    def table(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame, or a DataFrame for the plain tables
        """Return a table; one that the edition does not hold is empty.

        Parameters
        ----------
        name : str
            A key of ``tables``, or of ``gapmap.tables.COLUMNS``.

        Returns
        -------
        GeoDataFrame or DataFrame
            The rows that may leave.
        """
        return self.tables[name] if name in self.tables else tables.empty(name, WGS84)

    @property
    def stem(self) -> str:
        """How files of this edition are named: "full", "partner-federal", "public"."""
        return f"{self.name}-{self.force}" if self.force else self.name


def edition(analysis: Source, name: str, *, force: str | None = None) -> Edition:
    """Return what may leave of an analysis.

    Parameters
    ----------
    analysis : Analysis
        Computed or opened, or any object whose ``table(name)`` returns the tables of `gapmap.tables`.
    name : {"full", "partner", "public"}
        *full*: everything. *partner*: the zones of ``force``; of the other forces their declared cover, and nothing else
        that gives their zones away. *public*: no outlines, a fixed grid with the gap in classes and incidents by year.
    force : str, optional
        The force whose edition a partner edition is; for no other.

    Returns
    -------
    Edition
        Checked: see :func:`check`. In every edition, incidents that the scenario shares as counts are counts: no
        positions, no rows, nothing that a single row would show.

    Raises
    ------
    InputError
        If it is no analysis, if there is no such edition or force, or if the result is itself an edition that holds less.
    ResultError
        If a force in the result has a name that no force can have.
    EditionError
        If what was put together does not pass its own check.

    Notes
    -----
    A declared cover drawn as circles shows where its posts are: their centres can be computed from the outline, in a
    partner edition as from any map of it. A force that does not want that declares its cover as areas with reach 0. The
    middle of the working CRS is that of all zones of the files, those of other days too, to a whole degree (to a tenth
    where they span more than six); with ``crs = "utm"`` in the scenario it says nothing.

    The public grid shows of each cell how much uncovered ground between forces lies in the 30 by 30 km around its middle,
    as one of two classes, and no cell below the first; cover of less than 400 km2 that stands alone in that ground is
    taken for part of it. Incidents are counted in the cells shown, whatever ground they lie
    on, in whole calendar years that ended 90 days or more before the scenario's date; fewer than 3 are withheld, and no
    sum is published from which they could be computed. Two public editions of different days show where ground changed,
    to some 30 km.
    """
    tables.require_result("analysis", analysis)
    if name not in NAMES:
        raise InputError(unknown("edition", name, NAMES))
    forces = [str(each) for each in analysis.table("cover").index]
    if wrong := [each for each in forces if not tables.is_force_name(each)]:
        raise ResultError(f"the result has a force called {wrong[0]!r}", hint="run the scenario again")
    if name == "partner" and force not in forces:
        if force is not None:
            raise InputError(unknown("force", force, forces))
        raise InputError("a partner edition is made for one force", hint=f"forces: {', '.join(forces)}")
    if name != "partner" and force is not None:
        raise InputError(f"a force was named, but the {name} edition is the same for all")
    held = _text(analysis.table("run").iloc[0].get("edition"))
    whose = force or ""
    if held not in ("", "full", f"partner {whose}") and not (name == "public" and held.startswith("partner ")):
        _, _, of = held.partition(" ")
        raise InputError(
            f"this result is itself a {held} edition: it does not hold what the {name} edition would",
            hint=f"{f'--edition partner --force {of}, --edition public, or ' if of else ''}name the result it is from",
        )
    made = {"full": _full, "partner": _partner, "public": _public}[name](analysis, whose)
    check(made, analysis)
    return made


def require_edition(made: object) -> None:
    """Refuse what is no edition: a whole analysis never leaves by mistake.

    Parameters
    ----------
    made : object
        What is to be written.

    Raises
    ------
    InputError
        If it was not made by :func:`edition`.
    """
    if not isinstance(made, Edition):
        raise InputError(
            f"what leaves is an edition, not of type {type(made).__name__}",
            hint='edition(gapmap.open(path), "full"), with edition from gapmap.editions',
        )


def mark_of(runs: pd.DataFrame) -> tuple[str, str]:
    """Return what marks a file that tells what one result tells, or two.

    Parameters
    ----------
    runs : DataFrame
        Table ``run`` of each, a result or an edition that was opened as one.

    Returns
    -------
    tuple of str
        The edition, for every row, and the line for the file: those of the editions where they are the same; else of the
        full one, as a result is that nobody has taken anything out of.
    """
    held = {_text(each) for each in runs["edition"]}
    name, _, force = held.pop().partition(" ") if len(held) == 1 else ("full", "", "")
    if name == "partner":
        label = _label(json.loads(runs["parameters"].iloc[0]), force)
        return (
            f"partner {force}",
            f"Partner edition for {label}: of the other forces only declared cover. Not to be passed on.",
        )
    return "full", "Full edition: holds every zone. Not to be passed on."


def check(made: Edition, analysis: Source) -> None:
    """Hold an edition against its rules; they are applied here by other means than those that built it.

    Parameters
    ----------
    made : Edition
        What is to leave.
    analysis : Analysis
        What it was made from.

    Raises
    ------
    EditionError
        If a table, a column, a row, a name or a shape is in it that must not leave. All are named at once.
    """
    problems = (
        [] if made.name == "public" or tables.shares_points(analysis.table("run")) else _rows_of_counts(made, analysis)
    )
    if made.name == "partner":
        problems += _foreign_zones(made, analysis)
    if made.name == "public":
        problems += _finer_than_the_grid(made, analysis)
    if made.name != "full":
        problems += _names_in_texts(made, analysis)
    if problems:
        raise EditionError(
            f"the {made.name} edition is not written: it would hold what must not leave",
            problems=problems,
            hint="where a text names a zone, write it without: in the scenario, or in the file that it is from",
        )


# ---- Full


def _full(source: Source, _force: str) -> Edition:
    found = {name: source.table(name) for name in tables.COLUMNS}
    said = "Full edition: everything that was computed."
    if not tables.shares_points(source.table("run")):
        found = _counts_only(found, source)
        said += " Incidents are shared as counts: neither positions nor rows are in it."
    found["run"] = found["run"].assign(edition="full")
    return Edition("full", "", mark_of(found["run"])[1], said, found)


def _counts_only(found: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Take out the rows of incidents, those set aside too, and what a single row would show."""
    out = dict(found)
    out["incidents"] = out["incidents"].iloc[:0]
    aside = out["set_aside"]
    out["set_aside"] = aside[~aside["source"].isin(_files(source, "incidents"))]
    inputs = [_counted(each) if each.get("role") == "incidents" else each for each in _inputs(source)]
    out["run"] = out["run"].assign(inputs=json.dumps(inputs, ensure_ascii=False))
    for name in ("corridors", "stretches"):
        table = out[name]
        single = [column for column in table.columns if column.startswith(_OF_SINGLE_ROWS)]
        out[name] = table.assign(**{column: table[column].where(np.zeros(len(table), dtype=bool)) for column in single})
    return out


# ---- Partner


def _partner(source: Source, force: str) -> Edition:
    found = {}
    for name, table in _full(source, "").tables.items():
        known = _known(name, force, source)
        found[name] = table[[column for column in table.columns if column in known]]
    label = _label(_parameters(source), force)
    out = {name: found[name] for name in ("cover", "centrelines", "facets", "ground", "boundaries", "relief")}
    own = found["zones"][found["zones"]["force"] == force]
    # In a list of several forces, row 121 tells that there are a hundred others or so.
    out["zones"] = own.assign(source_row=own["source_row"].mask(own["source"].isin(_foreign_files(source, force)), 0))
    for name in ("corridors", "stretches"):
        out[name] = _own_facing(found[name], found[name], force)
    sides = out["stretches"] if len(out["stretches"]) else out["corridors"]
    key = "stretch_id" if len(out["stretches"]) else "corridor_id"
    transects = found["transects"]
    out["transects"] = _own_facing(transects, sides.reindex(transects[key]).set_axis(transects.index), force)
    out["places"] = found["places"]
    # A note may say which post was attacked.
    out["incidents"] = found["incidents"].assign(note="")
    aside = found["set_aside"]
    aside = aside[~aside["source"].isin(_foreign_files(source, force))]
    # Numbered anew: a gap in the numbers would say how many rows of the others were set aside.
    out["set_aside"] = aside.set_axis(pd.Index([f"S{k:05d}" for k in range(1, len(aside) + 1)], name=aside.index.name))
    out["run"] = _partner_run(found["run"], source, force)
    mark = mark_of(out["run"])[1]
    recipe = (
        f"Partner edition for {label}: holds the zones of {label}; of the other forces declared cover, without their"
        " zones, files and reach, and without notes of incidents."
    )
    return Edition("partner", force, mark, recipe, {name: out[name] for name in tables.COLUMNS}, label)


def _known(name: str, force: str, source: Source) -> set[str]:
    """Return the columns that are known to be harmless: whatever else somebody adds has to be thought about first."""
    known = {*tables.COLUMNS[name], "geometry"}
    if name == "places":
        known |= {f"nearest_zone_{force}", *(f"distance_{each}_m" for each in source.table("cover").index)}
    return known


def _own_facing(table: Any, sides: pd.DataFrame, force: str) -> Any:  # noqa: ANN401 - a GeoDataFrame
    """Blank the zones of the other forces where a table says which zones it faces."""
    kept = {
        f"facing_{side}": table[f"facing_{side}"].where((sides[f"force_{side}"] == force).to_numpy(), "")
        for side in "ab"
    }
    return table.assign(**kept)


def _partner_run(run: pd.DataFrame, source: Source, force: str) -> pd.DataFrame:
    parameters = _parameters(source)
    forces = {
        key: value if key == force else {"label": _label(parameters, key)}
        for key, value in parameters.get("forces", {}).items()
    }
    of_zones = iter(_zone_files(parameters))
    # Who knows most of a list finds the rest by trying, as long as its checksum tells him when he has it.
    shared = _foreign_files(source, force)
    inputs = [
        _counted(each) | ({"sha256": ""} if each.get("name") in shared else {})
        for each in _inputs(source)
        if each.get("role") != "zones" or next(of_zones, ("", ""))[0] == force
    ]
    return run.assign(
        parameters=json.dumps({**parameters, "forces": forces}, ensure_ascii=False),
        inputs=json.dumps(inputs, ensure_ascii=False),
        edition=f"partner {force}",
    )


def _counted(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's name and counts; what was remarked of its rows stays."""
    return {key: value for key, value in record.items() if key in _OF_FILES}


def _zone_files(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return force and name of each file of zones, in the order in which the run table lists them."""
    out = []
    for force, given in sorted(parameters.get("forces", {}).items()):
        files = given.get("zones", [])
        out += [(force, name) for name in ([files] if isinstance(files, str) else files)]
    return out


def _foreign_files(source: Source, force: str) -> set[str]:
    """Return the names of the other forces' files of zones; a name that two forces use is foreign."""
    return {name for each, name in _zone_files(_parameters(source)) if each != force}


# ---- Public


def _public(source: Source, _force: str) -> Edition:
    grid = _grid(_gap(source))
    counts, told = _count_by_cell(source, grid)
    run = source.table("run")
    little = {"parameters": "{}", "inputs": "[]", "crs": WGS84.to_wkt(), "edition": "public"}
    kept = tables.conform(
        run[["title", "notice", "date", "max_width_m", "versions", "created"]].assign(**little), "run"
    )
    low, high = GAP_CLASSES_KM2
    recipe = (
        "Public edition: no outlines. Cells of 100 km2 on a fixed grid (10 km squares of EPSG:6933 from its origin). A cell"
        " tells how much uncovered ground between forces, in corridors and wider than the limit, lies in the 30 by 30 km"
        f" (900 km2) around its middle: {low:g} to {high:g} km2, or {high:g} km2 and more; cells with less are not listed."
        f" Cover of less than {ISLAND_KM2:g} km2 that stands alone in it counts as gap. {told}"
    )
    mark = "Public edition: a coarse grid, no outlines and no positions."
    return Edition("public", "", mark, recipe, {"run": kept, "grid": grid, "grid_incidents": counts})


def _gap(source: Source) -> gpd.GeoSeries:
    """Return the ground between forces, with the small islands of cover that stand in it and the ground they cut off."""
    ground, cover = source.table("ground"), source.table("cover")
    gap = ground.geometry[ground["kind"].isin(GAP_KINDS)]
    covered = gpd.GeoSeries(shapely.get_parts(shapely.union_all(cover.geometry.to_numpy())), crs=cover.crs)
    islands = _beside(covered[covered.area < ISLAND_KM2 * 1e6], gap)
    # Between an island and its own force the ground is no corridor; it would be one without the island.
    cut_off = _beside(ground.geometry[ground["kind"] == "interior"].explode(), islands)
    return gpd.GeoSeries([*gap, *islands, *cut_off], crs=ground.crs)


def _beside(parts: gpd.GeoSeries, others: gpd.GeoSeries) -> gpd.GeoSeries:
    return parts[parts.dwithin(shapely.union_all(others.to_numpy()), 1.0)]


def _grid(gap: gpd.GeoSeries) -> gpd.GeoDataFrame:
    shapes = shapely.make_valid(gap.segmentize(1_000).to_crs(GRID_CRS).to_numpy())
    shapes = shapely.get_parts(shapes[~shapely.is_empty(shapes)])
    shapes = shapes[shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON]
    if not len(shapes):
        return _grid_table([], [], [])
    west, south, east, north = shapely.total_bounds(shapes)
    if east - west > _HALF_WORLD_M:
        raise InputError("the public edition cannot be drawn across the 180th meridian")
    # One cell more on each side: a window reaches over its cell.
    first = np.floor(np.array([west, south]) / CELL_M).astype(int) - 1
    columns, rows = np.floor(np.array([east, north]) / CELL_M).astype(int) + 2 - first
    at = np.indices((columns, rows)).reshape(2, -1).T + first
    boxes = shapely.box(*(at * CELL_M).T, *((at + 1) * CELL_M).T)
    cell, part = shapely.STRtree(shapes).query(boxes)
    inside = shapely.area(shapely.intersection(boxes[cell], shapes[part])) / 1e6
    km2 = np.bincount(cell, inside, minlength=len(boxes)).reshape(columns, rows)
    padded = np.pad(km2, 1)
    around = sum(padded[i : i + columns, j : j + rows] for i in range(3) for j in range(3))
    edges = (*GAP_CLASSES_KM2, WINDOW_KM2)
    number = np.searchsorted(GAP_CLASSES_KM2, np.asarray(around).ravel(), side="right")
    shown = number > 0
    return _grid_table(
        [_cell_id(*each) for each in at[shown]],
        [edges[each - 1] for each in number[shown]],
        [edges[each] for each in number[shown]],
    )


def _grid_table(cells: list[str], low: list[float], high: list[float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"gap_from_km2": np.array(low, dtype=float), "gap_to_km2": np.array(high, dtype=float)},
        index=pd.Index(cells, dtype=tables.TEXT, name="cell_id"),
        geometry=gpd.GeoSeries([cell_box(each) for each in cells], index=cells, crs=WGS84),
        crs=WGS84,
    ).rename_axis("cell_id")


def _cell_id(column: int, row: int) -> str:
    return f"{'W' if column < 0 else 'E'}{abs(column):04d}{'S' if row < 0 else 'N'}{abs(row):04d}"


def cell_box(cell_id: str) -> shapely.Polygon:
    """Return the outline of a cell of the public grid.

    Parameters
    ----------
    cell_id : str
        Such as "E0416N0435": the cell from 416 to 417 times 10 km east and 435 to 436 times 10 km north of the origin of
        EPSG:6933.

    Returns
    -------
    shapely.Polygon
        A box in degrees, to the sixth decimal.

    Raises
    ------
    ValueError
        If the text names no cell.

    Examples
    --------
    >>> cell_box("E0416N0435").bounds
    (43.114938, 36.454552, 43.21858, 36.551607)
    """
    found = re.fullmatch(r"([EW])(\d{4})([NS])(\d{4})", cell_id)
    if not found:
        raise ValueError(f"{cell_id!r} names no cell")
    column, row = (int(found[k + 1]) * (-1 if found[k] in "WS" else 1) for k in (1, 3))
    x, y = np.array([column, column + 1]) * CELL_M, np.array([row, row + 1]) * CELL_M
    lon, lat = pyproj.Transformer.from_crs(GRID_CRS, WGS84, always_xy=True).transform(x, y)
    return shapely.box(*(round(float(each), 6) for each in (lon[0], lat[0], lon[1], lat[1])))


def _count_by_cell(source: Source, grid: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, str]:
    """Count incidents by cell shown and whole year; say what was done."""
    incidents, years = source.table("incidents"), _years(source)
    if incidents.empty or years is None:
        told = "It holds no incidents."
        if len(incidents):
            told += " The scenario has no date from which the delay could be counted."
        return _count_table(grid, []), told
    first, last = years
    at = shapely.get_coordinates(incidents.to_crs(GRID_CRS).geometry.to_numpy())
    cells = [_cell_id(*each) for each in np.floor(at / CELL_M).astype(int)]
    year = incidents["date_from"].dt.year
    found = pd.DataFrame({"cell_id": cells, "year": year.to_numpy()})
    found = found[found["cell_id"].isin(grid.index) & found["year"].between(first, last)]
    counts = found.astype({"year": "int64"}).groupby(["cell_id", "year"]).size()
    rows = [(cell, when, count) for (cell, when), count in counts.items() if count >= WITHHELD_BELOW]
    told = (
        "Incidents: plain counts of coded positions in the cell itself by calendar year; fewer than"
        f" {WITHHELD_BELOW} are withheld; only years that ended {DELAY_DAYS} days or more before the scenario's date."
    )
    return _count_table(grid, rows), told


def _count_table(grid: gpd.GeoDataFrame, rows: list[tuple[str, int, int]]) -> gpd.GeoDataFrame:
    index = pd.Index([f"{cell}-{year}" for cell, year, _ in rows], dtype=tables.TEXT, name="count_id")
    columns = {
        "cell_id": pd.Series([cell for cell, _, _ in rows], index=index, dtype=tables.TEXT),
        "year": pd.Series([year for _, year, _ in rows], index=index, dtype=tables.COUNT),
        "incidents": pd.Series([count for _, _, count in rows], index=index, dtype=tables.COUNT),
    }
    shapes = gpd.GeoSeries([grid.geometry[cell] for cell, _, _ in rows], index=index, crs=WGS84)
    return gpd.GeoDataFrame(columns, index=index, geometry=shapes, crs=WGS84)


def _years(source: Source) -> tuple[int, int] | None:
    """Return the first and last year that may leave: whole ones only, so that no two editions cut a year differently."""
    day = source.table("run")["date"].iloc[0]
    if pd.isna(day):
        return None
    given = _parameters(source).get("incidents") or {}
    since, until = (pd.Timestamp(given[key]) if given.get(key) else None for key in ("since", "until"))
    latest = day - pd.Timedelta(days=DELAY_DAYS)
    if until is not None:
        latest = min(latest, until + pd.Timedelta(days=1))
    earliest = pd.Timestamp(1, 1, 1) if since is None else since
    first = earliest.year if (earliest.month, earliest.day) == (1, 1) else earliest.year + 1
    return first, latest.year - 1  # the first of January that comes next must lie at or before `latest`


# ---- The check


def _rows_of_counts(made: Edition, analysis: Source) -> list[str]:
    problems = []
    if len(made.table("incidents")):
        problems.append("incidents: rows, though the scenario shares counts")
    aside = set(made.table("set_aside")["source"]) & set(_files(analysis, "incidents"))
    problems += [f"set_aside: rows of {each}, though the scenario shares counts" for each in sorted(aside)]
    problems += [
        f"run: remarks on rows of {each.get('name')}"
        for each in _inputs(made)
        if each.get("role") == "incidents" and set(each) - set(_OF_FILES)
    ]
    for name in ("corridors", "stretches"):
        table = made.table(name)
        problems += [
            f"{name}: {column} shows single incidents"
            for column in table.columns
            if column.startswith(_OF_SINGLE_ROWS) and table[column].notna().any()
        ]
    return problems


def _foreign_zones(made: Edition, analysis: Source) -> list[str]:
    problems = []
    zones = made.table("zones")
    if set(zones["force"]) - {made.force}:
        problems.append("zones: rows of other forces")
    secret = _foreign_files(analysis, made.force)
    if zones["source_row"][zones["source"].isin(secret)].any():
        problems.append("zones: row numbers in files of other forces")
    if any(each.get("sha256") and each.get("name") in secret for each in _inputs(made)):
        problems.append("run: checksums of files of other forces")
    own = {*zones.index, ""}
    for name, table in made.tables.items():
        unknown_columns = sorted(set(table.columns) - _known(name, made.force, analysis))
        problems += [f"{name}: {column}, a column that gapmap does not know" for column in unknown_columns]
        for column in table.columns:
            if column.startswith(("facing_", "nearest_zone_")):
                cells = {each for cell in table[column].dropna().unique() for each in str(cell).split("; ")}
                if cells - own:
                    problems.append(f"{name}: {column} names zones of other forces")
    if (made.table("incidents")["note"] != "").any():
        problems.append("incidents: notes")
    forces = _parameters(made).get("forces", {})
    problems += [f"run: parameters of {key}" for key in forces if key != made.force and set(forces[key]) - {"label"}]
    problems += ["run: remarks on rows"] * any(set(each) - set(_OF_FILES) for each in _inputs(made))
    if set(made.table("set_aside")["source"]) & secret:
        problems.append("set_aside: rows of other forces' files")
    return problems


def _finer_than_the_grid(made: Edition, analysis: Source) -> list[str]:
    problems = []
    if set(made.tables) != {"run", *PUBLIC_COLUMNS}:
        problems.append(f"tables: {', '.join(made.tables)}")
    classes = {*zip((*GAP_CLASSES_KM2,), (*GAP_CLASSES_KM2[1:], WINDOW_KM2), strict=True)}
    grid, counts = made.table("grid"), made.table("grid_incidents")
    for name, table, cells in (("grid", grid, grid.index), ("grid_incidents", counts, counts["cell_id"])):
        if tuple(table.columns) != PUBLIC_COLUMNS[name]:
            problems.append(f"{name}: columns {', '.join(table.columns)}")
        if table.attrs or not all(
            shape.equals_exact(cell_box(cell)) for shape, cell in zip(table.geometry, cells, strict=True)
        ):
            problems.append(f"{name}: a shape that is no cell of the grid")
    if {*zip(grid["gap_from_km2"], grid["gap_to_km2"], strict=True)} - classes:
        problems.append("grid: figures that are no class")
    first, last = _years(analysis) or (0, -1)
    if (counts["incidents"] < WITHHELD_BELOW).any() or not counts["year"].between(first, last).all():
        problems.append(f"grid_incidents: counts under {WITHHELD_BELOW}, or of years too young")
    if not counts["cell_id"].isin(grid.index).all():
        problems.append("grid_incidents: cells that are not shown")
    run = made.table("run").iloc[0]
    if (run["parameters"], run["inputs"], run["crs"]) != ("{}", "[]", WGS84.to_wkt()):
        problems.append("run: parameters, inputs or working CRS")
    return problems


def _names_in_texts(made: Edition, analysis: Source) -> list[str]:
    """Look for the withheld zones in titles, names and whatever else is text, by id, name and file.

    Names that are known without them (forces, settlements, boundaries, own zones) give nothing away, nor do words that
    gapmap itself writes and figures: they would be found in anything.
    """
    zones, places = analysis.table("zones"), analysis.table("places")
    secret = zones[zones["force"] != made.force]
    own = zones[zones["force"] == made.force]
    parameters = _parameters(analysis)
    known = {*own["name"], *places["name"], *analysis.table("boundaries")["name"], *analysis.table("cover").index}
    known |= {str(each) for names in places["names"] if names for each in json.loads(names)}
    known |= {_label(parameters, force) for force in analysis.table("cover").index}
    known = {"".join(_words(each)) for each in known} | _own_words(analysis)
    own_files = {name for force, name in _zone_files(parameters) if force == made.force}
    sought: dict[str, str] = {}
    for word in sorted({*secret.index, *secret["name"], *(_foreign_files(analysis, made.force) - own_files)}):
        run = "".join(_words(word))
        if run not in known and not _FIGURES.fullmatch(run) and len(run) >= _SHORTEST_NAME:
            sought.setdefault(run, word)
    longest = max(map(len, sought), default=0)
    # Of the id of an incident the ids that gapmap gives say nothing: a log may number the incidents of a force as well.
    counted = {"".join(_words(each)) for each in secret.index} - {"".join(_words(each)) for each in secret["name"]}
    problems = []
    for name, table in made.tables.items():
        if name in {"places", "boundaries", "zones"}:  # texts of files that say nothing of zones, or own
            continue
        columns: dict[str, Any] = {column: table[column] for column in table.columns.difference(["geometry"])}
        if name == "incidents":  # all that somebody else has written; notes are out already
            columns = {"id": table.index, **{column: columns[column] for column in ("kind", "date_precision")}}
        for column, cells in columns.items():
            found: dict[str, set[str]] = {}
            wanted = sought.keys() - counted if column == "id" else sought.keys()
            for text in cells.unique():
                for run in wanted & set(_runs(_words(text), longest)) if isinstance(text, str) else ():
                    found.setdefault(sought[run], set()).add(text)
            problems += [
                f"{name}: {column} names {each!r}, a zone or file that is withheld"
                + _where(table[cells.isin(found[each])])
                for each in sorted(found)
            ]
    return problems


def _where(rows: Any) -> str:  # noqa: ANN401 - a DataFrame
    """Say from which row of a file some rows are, where they are from one."""
    if "source_row" not in rows:
        return ""
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f": {rows['source'].iloc[0]}, row {rows['source_row'].iloc[0]}{more}"


def _words(text: str) -> list[str]:
    """Return the words of a text, each with its letters written one way."""
    whole = unicodedata.normalize("NFKC", text)
    if whole.isascii():  # nearly all, and fold would give the same
        return re.findall(r"[a-z0-9]+", whole.lower())
    # Marks part no words.
    plain = "".join(each for each in whole if unicodedata.category(each) not in ("Mn", "Cf"))
    return list(filter(None, map(fold, re.findall(r"[^\W_]+", plain))))


def _runs(words: Sequence[str], longest: int) -> Iterator[str]:
    """Yield neighbouring words without what parts them, for a name is written in one word, in two, or with a hyphen."""
    for start, first in enumerate(words):
        # Arabic writes "and", "in", "for" into one with the word that follows.
        for begin in {first, first[1:] if first[0] in _PREFIXES else first}:
            run = begin
            yield run
            for word in words[start + 1 :]:
                run += word
                if len(run) > longest:
                    break
                yield run


def _own_words(source: Source) -> set[str]:
    """Return the words that gapmap itself writes: what is called so is not named by them."""
    run = source.table("run").iloc[0]
    # What stands in quotes is somebody's own.
    reasons = (re.sub(r"[\"'].*[\"']", " ", text) for text in source.table("set_aside")["reason"].unique())
    keys: set[str] = set()

    def note(each: dict[str, Any]) -> dict[str, Any]:
        keys.update(each)
        return each

    for column in ("parameters", "inputs"):
        json.loads(_text(run.get(column)) or "[]", object_hook=note)
    written = (*NAMES, *tables.ZONE_KINDS, *tables.GROUND_KINDS, "near points counts laea utm incidents places zones")
    texts = (*written, *keys, *reasons, WGS84.to_wkt(), _text(run.get("crs")), _text(run.get("versions")))
    return {word for text in texts for word in _words(text)}


# ---- What the run table says


def _parameters(source: Source) -> dict[str, Any]:
    return json.loads(_text(source.table("run")["parameters"].iloc[0]) or "{}")


def _inputs(source: Source) -> list[dict[str, Any]]:
    return json.loads(_text(source.table("run")["inputs"].iloc[0]) or "[]")


def _files(source: Source, role: str) -> list[str]:
    return [str(each.get("name")) for each in _inputs(source) if each.get("role") == role]


def _label(parameters: Mapping[str, Any], force: str) -> str:
    return str((parameters.get("forces", {}).get(force) or {}).get("label") or force)


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    return value if isinstance(value, str) else ""
