"""Tables as text and files that other programs open: CSV, records for JSON, GeoJSON.

In: a table, its id in the index. Out: text, or plain values. Method: what people wrote goes out as text and never as
a formula; coordinates to the centimetre, other figures to six decimals, days without a time.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from numpy.typing import NDArray

DECIMALS = 6  # of figures in files; who shows one rounds it, once
_TURN = 360.0
_DEGREE_DECIMALS = 7  # a centimetre
# A spreadsheet runs a cell that begins so, some also behind blanks.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    Parameters
    ----------
    text : str
        As written in somebody's file.

    Returns
    -------
    str
        With an apostrophe before it where a spreadsheet might run it, else as it was.

    Examples
    --------
    >>> harmless("=cmd|'/c calc'!A1"), harmless("Gwer"), harmless(" @SUM(A1)")
    ("'=cmd|'/c calc'!A1", 'Gwer', "' @SUM(A1)")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        The id in the index; its geometry is left out.

    Returns
    -------
    list of dict
        What JSON can hold: the id first, days as ISO text, None for what is not known.

    Examples
    --------
    >>> table = pd.DataFrame({"width_m": [1.5, None]}, index=pd.Index(["a", "b"], name="id"))
    >>> to_records(table)
    [{'id': 'a', 'width_m': 1.5}, {'id': 'b', 'width_m': None}]
    """
    plain = pd.DataFrame(table.drop(columns=_geometry(table)))
    if table.index.name is not None and table.index.name not in plain:
        plain = plain.reset_index()
    columns = {str(name): [_value(each) for each in plain[name].tolist()] for name in plain.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV.

    Parameters
    ----------
    table : DataFrame or GeoDataFrame
        As for :func:`to_records`.

    Returns
    -------
    str
        A line of names, then a line a row; an empty cell for what is not known. Texts that a spreadsheet might run are
        made :func:`harmless`.
    """
    names = [table.index.name, *table.columns.drop(_geometry(table))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(list(dict.fromkeys(harmless(str(name)) for name in names if name is not None)))
    for record in to_records(table):
        writer.writerow([_cell(value) for value in record.values()])
    return out.getvalue()


def in_degrees(shapes: GeoSeries, *, rounded: bool = True) -> NDArray[np.object_]:
    """Return shapes in longitude and latitude, polygons valid there too.

    Parameters
    ----------
    shapes : GeoSeries
        Of any type, in any CRS.
    rounded : bool
        Polygons to a centimetre; of them, what is thinner than that goes. Without it they may cross themselves.

    Returns
    -------
    numpy.ndarray of shapely.Geometry
        In EPSG:4326. What crosses the 180th meridian is parted there, as RFC 7946 (3.1.9) asks.
    """
    degrees = shapes.to_crs(4326).to_numpy().copy()
    torn = _turn(degrees) if shapes.crs.is_projected else []
    if rounded:
        areas = shapely.get_dimensions(degrees) > 1
        # A straight line in metres is bent in degrees, and a corner close to it may come to lie on its other side; no grid is
        # laid over what crosses itself.
        crossed = areas & ~shapely.is_valid(degrees)
        degrees[crossed] = shapely.make_valid(degrees[crossed], method="structure", keep_collapsed=False)
        degrees[areas] = shapely.set_precision(degrees[areas], 10.0**-_DEGREE_DECIMALS)
    for row in torn:  # few, or none
        degrees[row] = _parted(shapely.make_valid(degrees[row], method="structure", keep_collapsed=False))
    return degrees


def _turn(degrees: NDArray[np.object_]) -> list[int]:
    """Let what crosses the 180th meridian go on beyond 180 degrees, part by part; return which shapes do.

    From one vertex to the next it is the short way; and what is no narrower so, as all around a pole, is left as it is.
    """
    parts, shape_of = shapely.get_parts(degrees, return_index=True)
    at, part_of = shapely.get_coordinates(parts, return_index=True)
    if not len(at):
        return []
    beyond = np.where(at[:, 0] < 0, at[:, 0] + _TURN, at[:, 0])
    torn = np.zeros(len(parts), dtype=bool)
    torn[part_of[1:][(np.abs(np.diff(at[:, 0])) > _TURN / 2) & (part_of[1:] == part_of[:-1])]] = True
    starts = np.flatnonzero(np.diff(part_of, prepend=-1))
    filled = part_of[starts]
    torn[filled] &= np.maximum.reduceat(beyond, starts) - np.minimum.reduceat(beyond, starts) < _TURN / 2
    if not torn.any():
        return []
    at[:, 0] = np.where(torn[part_of], beyond, at[:, 0])
    shapely.set_coordinates(degrees, at)
    return np.unique(shape_of[torn]).tolist()


def _parted(shape: shapely.Geometry) -> shapely.Geometry:
    """Part a shape that goes on beyond 180 degrees there, and put what lies beyond where a map of the globe has it."""
    half = _TURN / 2
    halves = shapely.intersection(shape, [shapely.box(-half, -90, half, 90), shapely.box(half, -90, half + _TURN, 90)])
    halves[1] = shapely.transform(halves[1], lambda at: at - (_TURN, 0.0))
    parts = shapely.get_parts(halves)
    # Where it only touches the meridian, a point or a line is left of it on the other side.
    least = 0 if shape.geom_type == "GeometryCollection" else shapely.get_dimensions(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) >= least])


def to_geojson(table: GeoDataFrame, /, **members: object) -> str:
    """Return a table as GeoJSON (RFC 7946).

    Parameters
    ----------
    table : GeoDataFrame
        In any CRS; the id in the index.
    **members : object
        Further members of the collection, such as a notice.

    Returns
    -------
    str
        A FeatureCollection in longitude and latitude, rings by the right-hand rule, ASCII.
    """
    rounded = shapely.transform(in_degrees(table.geometry), lambda xy: np.round(xy, _DEGREE_DECIMALS))
    turned = shapely.orient_polygons(rounded, exterior_cw=False)
    shapes = [None if shape is None else json.loads(shape) for shape in shapely.to_geojson(turned)]
    features = [
        {"type": "Feature", "geometry": shape, "properties": record}
        for shape, record in zip(shapes, to_records(table), strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", **members, "features": features})


def _geometry(table: pd.DataFrame) -> list[str]:
    return [str(name) for name, dtype in table.dtypes.items() if str(dtype) == "geometry"]


def _value(value: Any) -> Any:  # noqa: ANN401 - whatever a table holds
    if value is None or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, float):
        return round(value, DECIMALS)
    return value.date().isoformat() if isinstance(value, pd.Timestamp) else value


def _cell(value: Any) -> object:  # noqa: ANN401 - whatever a table holds
    if isinstance(value, bool):
        return str(value).lower()
    # A lone carriage return would end the row in some programs, and the next cell could begin with anything.
    return harmless(value.replace("\r\n", "\n").replace("\r", "\n")) if isinstance(value, str) else value
