"""Everything that a scenario names, read.

In: a scenario. Out: one record with all tables in EPSG:4326, and what is wrong with the files. Method: each file by its
reader; a file that cannot be used does not keep the others from being read, so that all that is wrong is said at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from gapmap import tables
from gapmap.crs import SCALE_ERROR_MAX, WGS84, scale_error, working_crs
from gapmap.errors import InputError
from gapmap.readers import (
    attribution,
    join_zones,
    read_boundaries,
    read_incidents,
    read_places,
    read_polygons,
    read_zones,
    suspect_swaps,
)
from gapmap.readers.files import KML, describe, from_here, left_by_all, list_names, list_rows, refuse, set_aside
from gapmap.readers.sheets import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gapmap.scenario import ForceInput, Scenario

_HALF_TURN = 180.0
_ACROSS = (
    "the zones lie on both sides of the 180th meridian: the map page shows the two apart, and there is no public edition; tables, "
    "answers and other exports are right"
)
_LAYERS = {".kml": "folder", ".kmz": "folder", ".xlsx": "sheet"}  # what a layer is called, by ending
_FARTHEST = 3  # zones named when a region is too large


@dataclass(frozen=True)
class Inputs:
    """What the files of a scenario gave, in EPSG:4326.

    Attributes
    ----------
    zones, incidents, places, boundaries : GeoDataFrame
        Without rows where the scenario names no file. ``zones.file`` is the place of a zone's file in ``inputs``.
    area, excluded : GeoDataFrame or None
        Polygons.
    inputs : list of dict
        A record for each file that was read, those of zones first: role, name, checksum and counts.
    set_aside : list of dict
        The rows that are not used: source, source_row, reason.
    errors : tuple of InputError
        One for each file that cannot be used, and for files that do not go together.
    """

    zones: gpd.GeoDataFrame
    incidents: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    area: gpd.GeoDataFrame | None
    excluded: gpd.GeoDataFrame | None
    inputs: list[dict[str, Any]]
    set_aside: list[dict[str, Any]]
    errors: tuple[InputError, ...]

    def require_all(self) -> Inputs:
        """Return these inputs if every file can be used.

        Returns
        -------
        Inputs
            The same.

        Raises
        ------
        InputError
            The error of the one file that cannot be used, or one error that holds all of them.
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            lines = [line for error in self.errors for line in str(error).splitlines()]
            raise InputError(f"{len(self.errors)} inputs cannot be used", problems=lines)
        return self


def read_inputs(scenario: Scenario) -> Inputs:
    """Read every file that a scenario names.

    Parameters
    ----------
    scenario : Scenario
        From `read_scenario`, or built.

    Returns
    -------
    Inputs
        The tables, and the errors: nothing that is wrong with a file is raised here.
    """
    errors: list[InputError] = []

    def attempt(read: Callable[..., Any], *args: object, **options: object) -> Any:  # noqa: ANN401 - a GeoDataFrame
        try:
            return read(*args, **options)
        except InputError as error:
            if str(error) not in map(str, errors):  # two forces may name one file
                errors.append(error)
            return None

    zone_files, all_read = _read_zones(scenario, attempt)
    incidents = area = excluded = boundaries = terrain = None
    if scenario.incidents:
        asked = scenario.incidents
        incidents = attempt(
            read_incidents,
            asked.file,
            columns=asked.columns,
            since=asked.since,
            until=asked.until,
            radius_m=asked.radius_m,
            layer=asked.layer,
            encoding=asked.encoding,
            day_first=asked.day_first,
            mgrs_zones=scenario.mgrs_zones,
        )
    places = attempt(_places, scenario)
    if scenario.area_of_interest:
        named = scenario.area_of_interest
        area = attempt(read_polygons, named.file, role="area of interest", layer=named.layer)
    if scenario.excluded:
        excluded = attempt(read_polygons, scenario.excluded.file, role="excluded", layer=scenario.excluded.layer)
    if scenario.base:
        boundaries = attempt(read_boundaries, scenario.base.boundaries, layers=scenario.base.layers)
    if scenario.terrain:
        terrain = attempt(_terrain, scenario.terrain.dem)
    faults = len(errors)
    attempt(suspect_swaps, [table for table in (*zone_files, incidents, places) if table is not None])
    beyond_m = scenario.max_width_m
    comparable = len(errors) == faults and all_read

    # The file of each zone is remembered by number: two forces may each have a zones.csv.
    zones = attempt(join_zones, [table.assign(file=number) for number, table in enumerate(zone_files)])
    comparisons = (
        (_one_region, zone_files, scenario.crs, beyond_m),
        (_meet, area, beyond_m),
        (_meet, excluded, beyond_m),
    )
    for compare, *others in comparisons if comparable else ():
        attempt(compare, zones, *others)
    _remark_on_forces(zone_files, zones, complete=all_read)
    optional = [table for table in (incidents, places, area, excluded, boundaries) if table is not None]
    read = [*zone_files, *optional]
    _remark_on_layers([table.attrs["input"] for table in read], complete=not errors)
    return Inputs(
        zones=tables.empty("zones", WGS84) if zones is None else zones,
        incidents=tables.empty("incidents", WGS84) if incidents is None else incidents,
        places=tables.empty("places", WGS84) if places is None else places,
        boundaries=tables.empty("boundaries", WGS84) if boundaries is None else boundaries,
        area=area,
        excluded=excluded,
        inputs=[*(table.attrs["input"] for table in read), *([terrain] if terrain else [])],
        set_aside=[record for table in read for record in table.attrs.get("set_aside", [])],
        errors=tuple(errors),
    )


def _read_zones(scenario: Scenario, attempt: Callable[..., Any]) -> tuple[list[gpd.GeoDataFrame], bool]:
    """Return what the files of zones gave, force by force, and whether all could be used."""
    asked = [(force, path) for force in scenario.forces for path in force.zones]
    found = [
        attempt(
            read_zones,
            path,
            force=force.name,
            only=force.only,
            reach_m=force.reach_m,
            crs=force.crs,
            layer=force.layer,
            columns=force.columns,
            kinds=force.kinds,
            encoding=force.encoding,
            day_first=force.day_first,
            mgrs_zones=scenario.mgrs_zones,
        )
        for force, path in asked
    ]
    for (force, _), table in zip(asked, found, strict=True):
        if table is not None:
            table.attrs["input"]["force"] = force.name
    if (folders := _folders_of_one(asked)) and found[0] is not None:
        said = f"its folders {list_names(folders)} are taken for forces; are they not those of one?"
        found[0].attrs["input"]["remarks"].append(said)
    if any(table is None for table in found):  # what no force takes may be that one's
        return [table for table in found if table is not None], False
    for path, column, mine in _lists(asked, found):
        attempt(_set_nobodys_aside, path, column, mine)
    return found, True


def _folders_of_one(asked: Sequence[tuple[ForceInput, Path]]) -> list[str]:
    """Return the folders that are forces, where a single KML holds all zones."""
    one = len(asked) > 1 and len({path for _, path in asked}) == 1 and asked[0][1].suffix.lower() in KML
    return [force.layer for force, _ in asked if one and force.layer]


def _lists(
    asked: Sequence[tuple[ForceInput, Path]], files: Sequence[gpd.GeoDataFrame]
) -> list[tuple[Path, str, list[gpd.GeoDataFrame]]]:
    """Return the lists of several forces: file, the column that tells them apart, what each force took of it."""
    found: dict[tuple[Path, str | None, str], list[gpd.GeoDataFrame]] = {}
    for (force, path), table in zip(asked, files, strict=True):
        for column in force.only:
            found.setdefault((path, force.layer, fold(column)), []).append(table)
    return [(path, column, mine) for (path, _, column), mine in found.items()]


def _set_nobodys_aside(path: Path, column: str, mine: Sequence[gpd.GeoDataFrame]) -> None:
    """Set the rows of a list aside that no force takes; they count with the first that takes some.

    Raises
    ------
    InputError
        For rows that do not say whose they are.
    """
    others = [table.attrs.pop("others") for table in mine]
    left = {row: said for row, said in others[0].items() if all(row in each for each in others)}
    record = mine[0].attrs["input"]
    unsaid = {row: f"column {column!r} is blank: whose is it?" for row, said in left.items() if said == ""}
    refuse(
        path,
        unsaid,
        rows=record["rows"] + len(others[0]),
        role="zones",
        hint="say it in every row; take notes and totals out of the list",
    )
    reasons = {
        row: "blank row" if said is None else f"no force of the scenario is {said!r} in column {column!r}"
        for row, said in left.items()
    }
    record["rows"] += len(left)
    record["set_aside"] += len(left)
    mine[0].attrs["set_aside"] += set_aside(path, reasons)
    said = {fold(text): text for each in others for text in each.values() if text}
    for one, other in combinations(sorted(said, key=len), 2):
        if _lacks_a_letter(one, other):
            record["remarks"].append(f"column {column!r} says {said[one]!r} and {said[other]!r}: is one misspelt?")
    if nobodys := {row: said for row, said in left.items() if said}:
        names = list_names(list(dict.fromkeys(nobodys.values())))
        record["remarks"].append(
            f"{list_rows(list(nobodys))}: set aside, since no force of the scenario is {names} in column {column!r}"
        )


def _lacks_a_letter(short: str, long: str) -> bool:
    """Whether one word is the other without one of its letters; II and III are two, and so are numbers."""
    places = (
        k for k, letter in enumerate(long) if letter.isalpha() and letter not in {long[k - 1 : k], long[k + 1 : k + 2]}
    )
    return len(long) == len(short) + 1 and any(long[:k] + long[k + 1 :] == short for k in places)


def _remark_on_forces(files: Sequence[gpd.GeoDataFrame], zones: gpd.GeoDataFrame | None, *, complete: bool) -> None:
    """Say in the records of the files why there is no gap between forces: one force alone, or one file given twice."""
    if zones is None:
        return
    held = {
        str(force): frozenset(shapely.to_wkb(shapely.normalize(mine.geometry.to_numpy())))
        for force, mine in zones.groupby("force", sort=True)
    }
    said = {}
    for place, (force, shapes) in enumerate(held.items()):
        if same := [other for other in list(held)[:place] if held[other] == shapes]:
            said[force] = f"{force} holds exactly the zones of {same[0]}: is one file given for both?"
    if len(held) == 1 and complete:  # else the other force may be in what could not be read
        (force,) = held
        said[force] = (
            f"{force} is the only force, and a gap lies between two; where one file holds both, a scenario gives each its "
            "folder, layer or sheet with layer = ..., or its rows with only = ..."
        )
    west, _, east, _ = zones.total_bounds if len(zones) else (0.0,) * 4
    if east - west > _HALF_TURN:  # of what lies in one region
        said.setdefault(next(iter(held)), _ACROSS)
    for table in files:
        table.attrs["input"]["remarks"] += [said[force] for force in table["force"].unique() if force in said]


def _remark_on_layers(records: Sequence[dict[str, Any]], *, complete: bool) -> None:
    """Say which layers of a file were not read; one input may have read what another left."""
    if not complete:  # a layer may be asked for by what could not be read
        return
    of_file: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        of_file.setdefault((record["name"], record["sha256"]), []).append(record)
    for (name, _), mine in of_file.items():
        if left := left_by_all([record["unread"] for record in mine]):
            what = _LAYERS.get(Path(name).suffix.lower(), "layer") + "s" * (len(left) > 1)
            mine[0]["remarks"].append(
                f"not read: {what} {list_names(left)}; an input takes one, and layer = ... in a scenario says which"
            )


def _places(scenario: Scenario) -> gpd.GeoDataFrame | None:
    if (asked := scenario.places) is None:
        return None
    places = read_places(
        asked.file, columns=asked.columns, layer=asked.layer, encoding=asked.encoding, mgrs_zones=scenario.mgrs_zones
    )
    places.attrs["input"]["attribution"] = attribution(asked.file, asked.layer)
    return places


def _one_region(
    zones: gpd.GeoDataFrame, files: Sequence[gpd.GeoDataFrame], kind: Literal["laea", "utm"], beyond_m: float
) -> None:
    """Refuse zones too far apart, or a limit too large, for one plane true to metres; name zones that lie far out."""
    crs = working_crs([zones], kind=kind)
    west, south, east, north = zones.to_crs(crs).total_bounds
    grown = np.array([west - beyond_m, south - beyond_m, east + beyond_m, north + beyond_m])
    if scale_error(crs, grown) <= SCALE_ERROR_MAX:
        return
    middles = zones.geometry.representative_point()
    x, y = middles.x.to_numpy(), middles.y.to_numpy()
    lon, lat = np.full(len(x), np.median(x)), np.full(len(y), np.median(y))
    _, _, far_m = pyproj.Geod(ellps="WGS84").inv(lon, lat, x, y)
    hint = "check these positions; a region over about 1 100 km must be split into several scenarios"
    if far_m.max() < beyond_m:
        raise InputError(
            f"max_width of {beyond_m / 1000:g} km: no plane is true to 0.1 % over the zones and such a way around them",
            hint="lower max_width",
        )
    swapped = np.hypot(y - lon, x - lat) < np.hypot(x - lon, y - lat) / 2
    farthest = [row for row in np.argsort(-far_m, kind="stable")[:_FARTHEST] if far_m[row] > far_m.max() / 2]
    raise InputError(
        "the zones lie too far apart: no plane is true to 0.1 % over all of them",
        problems=[
            f"{files[zones['file'].iloc[row]].attrs['input']['name']}: {zones['name'].iloc[row] or zones.index[row]} lies"
            f" {far_m[row] / 1000:.0f} km from the middle of all zones, at {y[row]:.3f}, {x[row]:.3f}"
            + ("; are its longitude and latitude swapped?" if swapped[row] else "")
            for row in farthest
        ],
        hint=hint,
    )


def _meet(zones: gpd.GeoDataFrame, polygons: gpd.GeoDataFrame | None, beyond_m: float) -> None:
    """Refuse polygons that lie away from what the zones cover and a margin around it, as they are or when mirrored."""
    if polygons is None or zones["reach_m"].isna().any():  # a zone without reach is refused later, by its row
        return
    crs = working_crs([zones])
    # Buffers of GEOS fall short of the circle, by less than this.
    reaches = 1.02 * (zones["reach_m"] + beyond_m)
    neighbourhood = zones.to_crs(crs).buffer(reaches).union_all()
    record = polygons.attrs["input"]
    shapes = polygons.geometry
    mirrored = gpd.GeoSeries(shapely.transform(shapes.to_numpy(), lambda xy: xy[:, ::-1]), shapes.index, shapes.crs)
    near, mirrored_near = (_finite(each.to_crs(crs)).intersects(neighbourhood) for each in (shapes, mirrored))
    if not near.any():
        what = "the area of interest" if record["role"] == "area of interest" else "the ground that is left out"
        swapped = (
            "its longitude and latitude are swapped: turn them" if mirrored_near.any() else "check its coordinates"
        )
        raise InputError(f"{record['name']}: {what} misses all zones", hint=swapped)
    problems = dict.fromkeys(
        shapes.index[~near & mirrored_near], "far from all zones, and near them with longitude and latitude swapped"
    )
    refuse(Path(record["name"]), problems, rows=len(polygons), role=record["role"])


def _finite(metric: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return the shapes that have coordinates; beyond the far side of the globe there are none."""
    return metric.where(np.isfinite(metric.bounds.to_numpy()).all(axis=1), None)


def _terrain(path: Path) -> dict[str, Any]:
    from gapmap.terrain import check_heights  # noqa: PLC0415 - rasterio is slow to import, and few scenarios name heights

    check_heights(from_here(path))
    return describe(path, role="terrain", rows=1, used=1)
