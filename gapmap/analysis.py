"""From a scenario to its tables, saved, opened and asked.

In: a scenario, or a result saved before. Out: an :class:`Analysis`, which hands out tables, writes itself to one
GeoPackage and says what lies at a point. Method: read, cover, corridors, overlay, each in its own room; this one puts
them in order and keeps the record of what went in.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

import gapmap
from gapmap import storage, tables
from gapmap.crs import WGS84, bearings, placed, working_crs
from gapmap.errors import InputError
from gapmap.formats import in_degrees
from gapmap.overlay import locate, nearest_zones, overlay
from gapmap.points import parse_point
from gapmap.reach import cover, resolve
from gapmap.widths import width_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from distributed import Client

    from gapmap.inputs import Inputs
    from gapmap.scenario import Scenario

Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all
_STEPS = 6
# Points further from cover and area of interest than this are set aside: they name no stretch (30 km), and lengths in the
# working CRS would not hold for them.
_REGION_MARGIN_M = 50_000.0
_REGION_DEGREES, _REGION_M = 90.0, 5_000_000.0  # larger boxes are none of a region


@dataclass(frozen=True)
class NearestZone:
    """The zone of a force whose cover is nearest to a point.

    Parameters
    ----------
    force : str
        The force's name in the scenario.
    zone_id, name : str
        The zone.
    distance_m : float
        To the edge of its cover, on the ground; 0 inside.
    bearing_deg : float
        Towards the nearest point of the zone itself, clockwise from true north; NaN on the zone.
    """

    force: str
    zone_id: str
    name: str
    distance_m: float
    bearing_deg: float


@dataclass(frozen=True)
class Here:
    """What an analysis knows about a point.

    Parameters
    ----------
    lon, lat : float
        The point, in degrees.
    ground : str
        The kind of ground (``tables.GROUND_KINDS``), "" outside the area of interest.
    forces : tuple of str
        The forces that cover the ground, or between which it lies.
    corridor_id, corridor, stretch_id, stretch : str
        Ids and names, "" outside every corridor.
    width_here_m : float
        Width of the corridor at the point, NaN outside every corridor.
    nearest : tuple of NearestZone
        One a force, in alphabetical order.
    """

    lon: float
    lat: float
    ground: str
    forces: tuple[str, ...]
    corridor_id: str
    corridor: str
    stretch_id: str
    stretch: str
    width_here_m: float
    nearest: tuple[NearestZone, ...]


class Analysis:
    """The tables of one run, each also an attribute: ``analysis.corridors``, ``analysis.stretches`` ...

    Made by :func:`run` and :func:`open`. Geometry is in the working CRS, ``analysis.crs``.

    Parameters
    ----------
    source : mapping of str to DataFrame, or storage.ResultFile
        The tables, or the file they are read from when asked for.
    """

    def __init__(self, source: Mapping[str, pd.DataFrame] | storage.ResultFile) -> None:
        self._file = source if isinstance(source, storage.ResultFile) else None
        self._tables: dict[str, pd.DataFrame] = {} if isinstance(source, storage.ResultFile) else dict(source)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame, or a DataFrame for the plain tables
        if name not in tables.COLUMNS:
            raise AttributeError(f"an Analysis has no {name!r}; its tables are {', '.join(tables.COLUMNS)}")
        return self.table(name)

    def __dir__(self) -> Iterable[str]:
        return sorted({*super().__dir__(), *tables.COLUMNS})

    def __repr__(self) -> str:
        run = self._whole("run").iloc[0]
        day = "" if pd.isna(run["date"]) else f", {run['date']:%Y-%m-%d}"
        return f"<Analysis {run['title']!r}{day}: {len(self._whole('corridors'))} corridors>"

    def _repr_html_(self) -> str:
        """Show the map in a notebook."""
        return gapmap.build_map(self)._repr_html_()

    @cached_property
    def crs(self) -> pyproj.CRS:
        """The working CRS: every geometry of the analysis is in it."""
        return pyproj.CRS.from_wkt(self._whole("run")["crs"].iloc[0])

    def table(self, name: str, bbox: tuple[float, float, float, float] | None = None) -> Any:  # noqa: ANN401
        """Return a table, or the part of it in a box.

        Parameters
        ----------
        name : str
            One of ``tables.COLUMNS``.
        bbox : tuple of float, optional
            West, south, east, north in degrees. A box of a region is taken in the working CRS, so it may reach a little beyond.

        Returns
        -------
        GeoDataFrame or DataFrame
            A copy: changing it changes nothing in the analysis. With a box, the rows that meet it, in the same order;
            tables without geometry come whole.

        Raises
        ------
        InputError
            If there is no such table, or the box is not one.
        """
        if name not in tables.COLUMNS:
            raise InputError(f"there is no table {name!r}", hint=f"tables: {', '.join(tables.COLUMNS)}")
        if bbox is None or name in tables.PLAIN:
            return self._whole(name).copy()
        west, south, east, north = bbox if len(bbox) == 4 else [np.nan] * 4  # noqa: PLR2004 - sides
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - degrees
            raise InputError(f"{bbox} is not a box", hint="west, south, east, north in degrees")
        to_metres = pyproj.Transformer.from_crs(WGS84, self.crs, always_xy=True)
        metres = to_metres.transform_bounds(west, south, east, north)
        if east - west <= _REGION_DEGREES and max(np.subtract(metres[2:], metres[:2])) <= _REGION_M:
            return self.part(name, box=metres)
        # Of half the globe the edges are no box in metres.
        rows = self._whole(name)
        return rows[
            shapely.intersects(in_degrees(rows.geometry, rounded=False), shapely.box(west, south, east, north))
        ].copy()

    def part(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        box: tuple[float, float, float, float] | None = None,
        hint: str | None = None,
    ) -> Any:  # noqa: ANN401 - a GeoDataFrame
        """Return some rows and columns of a table; of a saved result only these are read.

        Parameters
        ----------
        name : str
            One of ``tables.COLUMNS``, with geometry.
        columns : sequence of str, optional
            Columns beside the geometry; all unless told.
        box : tuple of float, optional
            West, south, east, north in metres of the working CRS: rows that meet it.
        hint : str, optional
            A condition in SQL that the wanted rows meet: a saved result then leaves the others unread, while a table in
            memory comes with them. The caller tells them apart.

        Returns
        -------
        GeoDataFrame
            A copy, in the order of the table.

        Raises
        ------
        KeyError
            If there is no such table.
        """
        if name in self._tables or (columns is None and box is None and hint is None):
            rows = self._whole(name)
            found = slice(None) if box is None else rows.sindex.query(shapely.box(*box), "intersects", sort=True)
            rows = rows.iloc[found]
            return rows.copy() if columns is None else rows[[*columns, "geometry"]].copy()
        assert self._file is not None  # noqa: S101 - without a file every table is there
        if columns is None:
            rows = self._file.read(name, box, hint=hint)
        else:
            rows = self._file.read_columns(name, columns, box, hint=hint, shapes=True)
        # The file finds envelopes, which are all that a point has.
        return rows if box is None else rows[shapely.intersects(rows.geometry.to_numpy(), shapely.box(*box))]

    def columns(self, name: str, columns: Sequence[str], *, hint: str | None = None) -> pd.DataFrame:
        """Return some columns of a table, without its geometry; of a saved result only these are read.

        Parameters
        ----------
        name : str
            One of ``tables.COLUMNS``.
        columns : sequence of str
            Of that table.
        hint : str, optional
            As for :meth:`part`.

        Returns
        -------
        DataFrame
            A copy, in the order of the table.

        Raises
        ------
        KeyError
            If there is no such table.
        """
        if name in self._tables:
            return pd.DataFrame(self._tables[name])[list(columns)].copy()
        assert self._file is not None  # noqa: S101 - without a file every table is there
        return self._file.read_columns(name, columns, hint=hint)

    def at(self, point: shapely.Point | str) -> Here:
        """Say what lies at a point.

        Parameters
        ----------
        point : shapely.Point or str
            Longitude and latitude in degrees; or text as people write it, latitude first
            (:func:`gapmap.points.parse_point`).

        Returns
        -------
        Here
            Ground, corridor, stretch, width and the nearest zones.

        Raises
        ------
        InputError
            If it is no point, or lies too far from the result for this to be measured.
        """
        spot = parse_point(point) if isinstance(point, str) else point
        metric = placed(spot, self.crs)
        return replace(self.at_metres(metric), lon=spot.x, lat=spot.y)

    def at_metres(self, spot: shapely.Point) -> Here:
        """Say what lies at a point of the working CRS, such as a place of the result; see :meth:`at`.

        Parameters
        ----------
        spot : shapely.Point
            In metres of the working CRS.

        Returns
        -------
        Here
            Ground, corridor, stretch, width and the nearest zones.

        Raises
        ------
        InputError
            If a zone has no reach.
        """
        here = gpd.GeoDataFrame(geometry=[spot], index=["here"], crs=self.crs)
        lonlat = here.geometry.to_crs(WGS84).iloc[0]
        ground, stretches, facets, zones = (self._whole(name) for name in ("ground", "stretches", "facets", "zones"))
        found = locate(here, ground=ground, stretches=stretches).iloc[0]
        # The index finds the facet, so that asking a thousand times does not index all facets a thousand times.
        near = facets.iloc[facets.sindex.query(here.geometry.iloc[0], predicate="intersects", sort=True)]
        stretch = stretches.loc[found["stretch_id"]] if found["stretch_id"] else None
        if stretch is None:
            parts = ground.iloc[ground.sindex.query(here.geometry.iloc[0], predicate="intersects", sort=True)]
            of_kind = parts.loc[(parts["kind"] == found["ground"]) & (parts["forces"] != ""), "forces"]
            forces = of_kind.iloc[0].split(" + ") if len(of_kind) else []
        else:  # on the edge of one, the ground beside it may be that of others
            forces = [stretch["force_a"], stretch["force_b"]]
        nearest = []
        for force, held in zones.groupby("force", sort=True):
            zone = nearest_zones(here.geometry, held).iloc[0]
            zone_id = zone["zone_id"]
            towards = bearings(here.geometry.iloc[0], held.geometry.loc[[zone_id]])[0]
            nearest.append(
                NearestZone(force, zone_id, held["name"][zone_id], float(zone["distance_m"]), float(towards))
            )
        corridor_id = "" if stretch is None else stretch["corridor_id"]
        return Here(
            lon=lonlat.x,
            lat=lonlat.y,
            ground=found["ground"],
            forces=tuple(forces),
            corridor_id=corridor_id,
            corridor=self._whole("corridors")["name"][corridor_id] if corridor_id else "",
            stretch_id=found["stretch_id"],
            stretch="" if stretch is None else stretch["name"],
            width_here_m=np.nan if stretch is None else float(width_here(near, here.geometry).iloc[0]),
            nearest=tuple(nearest),
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write all tables to one GeoPackage.

        Parameters
        ----------
        path : str or Path
            Ends in .gpkg. A result that gapmap saved there before is replaced once the new one is complete.
        overwrite : bool
            Also replace a file that gapmap did not write.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the name does not end in .gpkg, if a file of another kind is there, or if it is in use.
        """
        storage.write({name: self._whole(name) for name in tables.COLUMNS}, Path(path), overwrite=overwrite)
        return Path(path)

    def _whole(self, name: str) -> pd.DataFrame:
        if name not in self._tables:
            assert self._file is not None  # noqa: S101 - without a file every table is there
            self._tables[name] = self._file.read(name)
        return self._tables[name]


def run(
    scenario: str | Path | Scenario,
    *,
    tiles: float | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Compute everything that a scenario asks for.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A scenario file, or a scenario read or built before.
    tiles : float, optional
        Side of square tiles in metres: find the corridors tile by tile; see :func:`gapmap.find_corridors`.
    client : distributed.Client, optional
        Find them on the workers of a Dask cluster. The answer is the same.
    progress : callable, optional
        Called with what is being done, the steps done and the steps in all.

    Returns
    -------
    Analysis
        All tables, in the working CRS. The same input gives the same tables row for row; only ``run.created`` differs.

    Raises
    ------
    InputError
        If the scenario or a file cannot be used, if zones carry dates and the scenario has none, or if the area of
        interest misses all zones. Subclasses say more: MissingFileError, CrsError, ScenarioError.
    EngineError
        If the geometry engine fails.
    ClusterError
        If the workers of the cluster or its scheduler are lost.
    """
    # Imported here, so that a saved result answers without waiting for the engine and the readers.
    from gapmap.corridors import find_corridors
    from gapmap.inputs import read_inputs
    from gapmap.scenario import Scenario, read_scenario

    if not isinstance(scenario, Scenario):
        scenario = read_scenario(scenario)
    say = _say_nothing if progress is None else progress

    say("read the files", 0, _STEPS)
    read = read_inputs(scenario).require_all()
    stage = ("find the corridors", 2)

    def say_tile(done: int, of: int) -> None:
        say(f"{stage[0]}: tile {done} of {of}", stage[1], _STEPS)

    say("grow the zones to cover", 1, _STEPS)
    grown = grow(scenario, read)
    crs, zones, covers = grown.cover.crs, grown.zones, grown.cover
    say(*stage, _STEPS)
    found = find_corridors(
        covers,
        max_width_m=scenario.max_width_m,
        stretch_length_m=scenario.stretch_length_m,
        area_of_interest=grown.area,
        excluded=read.excluded,
        tiles=tiles,
        client=client,
        progress=say_tile,
    )
    stage = ("part the ground", 3)
    say(*stage, _STEPS)
    ground = found.ground
    say("lay zones, incidents and places over", 4, _STEPS)
    region = _region([covers, ground])
    incidents, far_incidents = _near(read.incidents, region)
    places, far_places = _near(read.places, region)
    held = zones.drop(columns="file").to_crs(crs)
    laid = overlay(
        found,
        zones=held,
        incidents=incidents.to_crs(crs),
        places=places.drop(columns="source_row", errors="ignore").to_crs(crs),
    )
    say("shade the relief", 5, _STEPS)
    relief = tables.empty("relief")
    if scenario.terrain:
        from gapmap.terrain import hillshade

        relief = hillshade(scenario.terrain.dem, ground.to_crs(WGS84).total_bounds)
        remarks = relief.attrs.pop("remarks")
        read.inputs[-1]["remarks"].extend(remarks)  # the terrain comes last

    aside = [*read.set_aside, *grown.set_aside, *far_incidents, *far_places]
    content = {
        "zones": held,
        "cover": covers,
        "corridors": laid.corridors,
        "stretches": laid.stretches,
        "transects": laid.transects,
        "centrelines": found.centrelines,
        "facets": found.facets,
        "ground": ground,
        "incidents": laid.incidents,
        "places": laid.places,
        "set_aside": _set_aside(aside),
        "run": _run_row(scenario, crs, _recount(read.inputs, zones, incidents, places)),
        "boundaries": read.boundaries.to_crs(crs),
        "relief": relief,
    }
    say("done", _STEPS, _STEPS)
    return Analysis({name: storage.settle(table, name) for name, table in content.items()})


@dataclass(frozen=True)
class Grown:
    """Zones that count, grown to cover: what corridors are found from.

    Parameters
    ----------
    zones : GeoDataFrame
        Those that count on the scenario's date, each with its reach, in EPSG:4326.
    set_aside : list of dict
        The others.
    cover : GeoDataFrame
        A row a force, in the working CRS.
    area : GeoDataFrame or None
        The area of interest, in the working CRS.
    """

    zones: gpd.GeoDataFrame
    set_aside: list[dict[str, Any]]
    cover: gpd.GeoDataFrame
    area: gpd.GeoDataFrame | None


def grow(scenario: Scenario, read: Inputs, *, crs: pyproj.CRS | None = None) -> Grown:
    """Grow the zones of a scenario to cover.

    Parameters
    ----------
    scenario : Scenario
        Its date and kind of working CRS count.
    read : Inputs
        What its files gave.
    crs : pyproj.CRS, optional
        The working CRS; chosen from the zones unless given.

    Returns
    -------
    Grown
        Zones, cover and area of interest.

    Raises
    ------
    CrsError
        If lengths in the working CRS are off by more than 0.1 % over the zones.
    InputError
        If zones carry dates and the scenario has none, if a zone has no reach or a force no zone that counts, or if the
        area of interest misses all zones.
    """
    # Through WKT, so that the CRS is the same to the letter as the one that the run table keeps.
    crs = pyproj.CRS.from_wkt((crs or working_crs([read.zones], kind=scenario.crs)).to_wkt())
    zones = resolve(read.zones, on=scenario.date)
    outdated = zones.attrs["set_aside"]
    zones.attrs = {}  # pandas copies attrs deeply at every step
    covers = cover(zones, on=scenario.date, crs=crs)
    return Grown(zones, outdated, covers, _area(read.area, covers, scenario.max_width_m))


def open(path: str | Path) -> Analysis:  # noqa: A001 - always called as gapmap.open
    """Open a saved result; its tables are read when asked for.

    Parameters
    ----------
    path : str or Path
        A GeoPackage that :meth:`Analysis.save` wrote.

    Returns
    -------
    Analysis
        Equal to the one that was saved, table by table.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ResultError
        If gapmap did not write it, or a newer gapmap did.
    """
    return Analysis(storage.ResultFile(Path(path)))


def _say_nothing(_step: str, _done: int, _total: int) -> None:
    """Take the place of a progress bar."""


def _area(area: gpd.GeoDataFrame | None, covers: gpd.GeoDataFrame, width_m: float) -> gpd.GeoDataFrame | None:
    """Return the area of interest in the CRS of the cover, and refuse one that no cover comes near."""
    if area is None:
        return None
    metric = area.to_crs(covers.crs)
    # Beyond the far side of the globe there are no coordinates; such a polygon misses too.
    finite = np.isfinite(metric.geometry.bounds.to_numpy()).all()
    if not finite or not (metric.distance(covers.union_all()) <= width_m).any():
        raise InputError(
            f"{area.attrs['input']['name']}: the area of interest misses all zones",
            hint="check that its longitude and latitude are not swapped",
        )
    return metric


def _region(metric: Iterable[gpd.GeoDataFrame]) -> tuple[float, float, float, float]:
    """Return the box around some tables, grown by a margin, in degrees."""
    bounds = np.array([table.total_bounds for table in metric])
    west, south = bounds[:, :2].min(axis=0) - _REGION_MARGIN_M
    east, north = bounds[:, 2:].max(axis=0) + _REGION_MARGIN_M
    to_degrees = pyproj.Transformer.from_crs(next(iter(metric)).crs, WGS84, always_xy=True)
    return to_degrees.transform_bounds(west, south, east, north)


def _near(
    points: gpd.GeoDataFrame, region: tuple[float, float, float, float]
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Part points into those in the region, and records of those set aside."""
    west, south, east, north = region
    source = points.attrs["input"]["name"] if len(points) else ""
    points = points.copy()
    points.attrs = {}  # pandas copies attrs deeply at every step, and the rows set aside can be many
    x, y = points.geometry.x, points.geometry.y
    # A box across the antimeridian has its west edge east of its east edge.
    across = x.between(west, east) if west <= east else (x >= west) | (x <= east)
    inside = across & y.between(south, north)
    far = points.loc[~inside, "source_row"].tolist() if len(points) else []
    reason = f"more than {_REGION_MARGIN_M / 1000:g} km outside the box around cover and area of interest"
    return points[inside], [{"source": source, "source_row": row, "reason": reason} for row in far]


def _recount(
    inputs: Sequence[dict[str, Any]], zones: gpd.GeoDataFrame, incidents: gpd.GeoDataFrame, places: gpd.GeoDataFrame
) -> list[dict[str, Any]]:
    """Return the inputs with the rows that were used in the end: of the day, and of the region."""
    used = {"incidents": len(incidents), "places": len(places)}
    out = []
    for number, each in enumerate(inputs):  # the files of zones come first, in the order of their numbers
        count = (
            int((zones["file"] == number).sum()) if each["role"] == "zones" else used.get(each["role"], each["used"])
        )
        out.append({**each, "used": count, "set_aside": each["rows"] - count})
    return out


def _set_aside(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    if not records:
        return tables.empty("set_aside")
    table = pd.DataFrame(records).sort_values(["source", "source_row", "reason"], kind="stable")
    table.index = pd.Index([f"S{number:05d}" for number in range(1, len(table) + 1)])
    return table


def _run_row(scenario: Scenario, crs: pyproj.CRS, inputs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    versions = {
        "gapmap": gapmap.__version__,
        "python": platform.python_version(),
        "geopandas": version("geopandas"),
        "shapely": version("shapely"),
        "geos": shapely.geos_version_string,
        "proj": pyproj.proj_version_str,
        "pythoncdt": version("pythoncdt"),
        "format": storage.FORMAT,
    }
    row = {
        "title": scenario.title,
        "notice": scenario.notice,
        "date": pd.NaT if scenario.date is None else pd.Timestamp(scenario.date),
        "max_width_m": scenario.max_width_m,
        "parameters": json.dumps(scenario.parameters(), ensure_ascii=False),
        "crs": crs.to_wkt(),
        "inputs": json.dumps(inputs, ensure_ascii=False),
        "versions": json.dumps(versions),
        "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return pd.DataFrame([row], index=["run"])
