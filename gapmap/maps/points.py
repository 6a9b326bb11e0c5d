"""Many incidents in few bytes: what points.js reads.

In: the table of incidents. Out: a description for JSON, the packed columns in base64, and, where asked for, the notes in
base64, a line a thousand. Method: positions on a grid of 2**20 cells a side in Web Mercator, sorted along Morton's
curve, so that neighbours stand together and differences are small; every column by planes of bytes, then zlib.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from gapmap import sorting, tables

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_BITS = 20
_NOTES_IN_CHUNK = 1_000  # a click unpacks one chunk
_CODE_BYTES = 5  # of a Morton code of twice 20 bits


def pack(table: gpd.GeoDataFrame, stretch_ids: pd.Index) -> tuple[dict[str, Any], str, NDArray[np.int64]]:
    """Pack incidents.

    Parameters
    ----------
    table : GeoDataFrame
        Incidents, points in any CRS.
    stretch_ids : Index
        Stretches in the order in which the page lists them.

    Returns
    -------
    dict
        What `points.js` must know to read the text; ready for JSON.
    str
        The columns: zlib in base64.
    ndarray
        Row numbers of the table in the order in which the points stand.
    """
    at = shapely.get_coordinates(table.geometry.to_numpy())
    to_degrees = pyproj.Transformer.from_crs(table.crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(at[:, 0], at[:, 1])
    x = (np.asarray(lon) + 180) / 360
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    west, north = (float(each.min()) if len(table) else 0.0 for each in (x, y))
    size = max(float(np.ptp(x)), float(np.ptp(y)), 1e-6) * (1 + 1e-9) if len(table) else 1.0
    cells = 2**_BITS
    codes = _spread(((x - west) / size * cells).astype("int64").clip(0, cells - 1)) | (
        _spread(((y - north) / size * cells).astype("int64").clip(0, cells - 1)) << 1
    )
    order = sorting.argsort(codes)
    columns, lists = _columns(table, stretch_ids)
    steps = np.diff(codes[order], prepend=0)
    parts = [_planes(steps, _CODE_BYTES)]
    layout = []
    for name, values in columns.items():
        width = _width(values)
        layout.append([name, width])
        parts.append(_planes(values[order], width))
    meta = {"count": len(table), "x": west, "y": north, "size": size, "columns": layout, **lists}
    return meta, _base64(b"".join(parts)), order


def pack_notes(notes: pd.Series) -> str:
    """Pack the notes of incidents.

    Parameters
    ----------
    notes : Series
        Texts, in the order of the points.

    Returns
    -------
    str
        A line for each thousand notes: a JSON list in zlib in base64.
    """
    texts = notes.tolist()
    chunks = (texts[start : start + _NOTES_IN_CHUNK] for start in range(0, len(texts), _NOTES_IN_CHUNK))
    return "\n".join(_base64(json.dumps(chunk, ensure_ascii=False).encode()) for chunk in chunks)


def _columns(rows: gpd.GeoDataFrame, stretch_ids: pd.Index) -> tuple[dict[str, NDArray[np.int64]], dict[str, Any]]:
    """Return the columns as whole numbers, 0 for what is not known, and the lists that they point into."""
    first, last = rows["date_from"], rows["date_to"]
    base = first.min()
    day = _days(first, base)
    duration = np.where((day > 0) & last.notna().to_numpy(), _days(last, base) - day, 0).clip(0)
    best = rows["deaths_best"].to_numpy(dtype="float64")
    known = np.nan_to_num(best)
    kind, kinds = _listed(rows["kind"])
    precision, precisions = _listed(rows["location_precision"])
    ground, grounds = _listed(rows["ground"])
    columns = {
        "day": day,
        "days": duration,
        "kind": kind,
        "best": _one_more(best),
        "low": _one_more(np.maximum(known - rows["deaths_low"].to_numpy(dtype="float64"), 0)),
        "high": _one_more(np.maximum(rows["deaths_high"].to_numpy(dtype="float64") - known, 0)),
        "civilian": _one_more(rows["civilians"].to_numpy(dtype="float64")),
        "precision": precision,
        "radius": _one_more(rows["location_radius_m"].to_numpy(dtype="float64")),
        "ground": ground,
        "stretch": stretch_ids.get_indexer(rows["stretch_id"]) + 1,
    }
    return columns, {
        "first_day": tables.iso_day(base),
        "kinds": kinds,
        "precisions": precisions,
        "grounds": grounds,
    }


def _days(dates: pd.Series, base: pd.Timestamp) -> NDArray[np.int64]:
    if pd.isna(base):
        return np.zeros(len(dates), dtype="int64")
    return _one_more((dates - base).dt.days.to_numpy(dtype="float64"))


def _one_more(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return whole numbers plus one, 0 for NaN."""
    return np.where(np.isnan(values), 0, np.rint(np.nan_to_num(values)) + 1).astype("int64")


def _listed(texts: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    codes, names = pd.factorize(texts, sort=True)
    return codes.astype("int64"), [str(name) for name in names]


def _width(values: NDArray[np.int64]) -> int:
    """Return the bytes that hold the largest value: 0, 1, 2 or 4."""
    most = int(values.max(initial=0))
    return next(width for width in (0, 1, 2, 4) if most < 256**width)


def _planes(values: NDArray[np.int64], width: int) -> bytes:
    return b"".join(((values >> (8 * plane)) & 255).astype("uint8").tobytes() for plane in range(width))


def _spread(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put a zero after every bit."""
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        values = (values | (values << shift)) & mask
    return values


def _base64(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()
