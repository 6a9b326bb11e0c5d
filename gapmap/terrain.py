"""Shaded relief for the background of the map.

In: a raster of heights and a box. Out: a small grey picture in the map's own projection (EPSG:3857), with its corners in
degrees. Method: the heights are warped first and shaded second, since a picture in degrees stretched over a Mercator map
is kilometres off; light from the north-west, 45 degrees high; flat ground is left light so that colours above stay true.
"""

from __future__ import annotations

import base64
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import rasterio
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.io import DatasetReader, MemoryFile
from rasterio.warp import reproject

from gapmap import tables
from gapmap.errors import InputError, MissingFileError, no_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

# Formats that hold their heights themselves: others (VRT, WMS) are orders to open further files or ask a server.
FORMATS = (
    "GTiff",
    "AAIGrid",
    "DTED",
    "EHdr",
    "ENVI",
    "GPKG",
    "HFA",
    "JP2OpenJPEG",
    "netCDF",
    "SRTMHGT",
    "USGSDEM",
    "XYZ",
)
_MERCATOR = "EPSG:3857"
_LIGHT = (-1 / 2, 1 / 2, np.sqrt(1 / 2))  # towards the sun: east, north, up
_EXAGGERATION = 3.0  # plains would show nothing at 1
_FLAT, _DARKEST = 238, 70  # grey levels; the page's ground has the first
_FADE = 0.05  # of the longer side
_MARGIN = 0.25  # of the box, on each side: a screen shows more than was asked for


def open_heights(path: str | Path) -> DatasetReader:
    """Open a raster file for reading.

    Parameters
    ----------
    path : str or Path
        In one of :data:`FORMATS`, whatever it is called.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If none of the formats fits, the raster has no CRS, or does not say where it lies.
    """
    path = Path(path)
    if why := no_file(path):
        raise MissingFileError(f"{path}: {why}", hint="check [terrain] dem in the scenario")
    try:
        with rasterio.Env(), warnings.catch_warnings():  # rasterio.open takes one format alone
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)  # it is refused below
            source = DatasetReader(path, driver=list(FORMATS))
    except rasterio.errors.RasterioIOError as error:
        raise InputError(
            f"{path.name}: cannot be read as a raster of heights",
            hint="[terrain] dem in the scenario names it; a GeoTIFF is best: gdal_translate turns others into one",
        ) from error
    if source.crs is None:
        source.close()
        raise InputError(f"{path.name}: the raster has no CRS", hint="export it as GeoTIFF with its CRS")
    if source.transform.is_identity:
        source.close()
        raise InputError(
            f"{path.name}: the raster does not say where it lies", hint="export it as GeoTIFF with its place and CRS"
        )
    return source


def check_heights(path: str | Path) -> None:
    """Refuse a raster that no relief can be made of, without reading all of it.

    Parameters
    ----------
    path : str or Path
        As for :func:`open_heights`.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it cannot be opened, or its first or last cell cannot be read: a file that is cut short lacks its end.
    """
    with open_heights(path) as source, _cut_short(Path(path)):
        for row, column in ((0, 0), (source.height - 1, source.width - 1)):
            source.read(1, window=((row, row + 1), (column, column + 1)))


@contextmanager
def _cut_short(path: Path) -> Iterator[None]:
    """Say of heights that cannot be read that they are the file's fault."""
    try:
        yield
    except (rasterio.errors.RasterioIOError, rasterio.errors.WarpOperationError) as error:
        raise InputError(
            f"{path.name}: not all of its heights can be read: it is damaged or cut short",
            hint="get it again, or take [terrain] out of the scenario",
        ) from error


def hillshade(
    dem: str | Path, bounds: Sequence[float], *, pixels_max: int = 1600, attribution: str = ""
) -> pd.DataFrame:
    """Shade a raster of heights for the map.

    Parameters
    ----------
    dem : str or Path
        A raster file of heights in metres, any CRS, in one of :data:`FORMATS`.
    bounds : sequence of float
        West, south, east, north in degrees: what the map is about; the picture shows a quarter more. Ground outside the
        raster stays clear.
    pixels_max : int
        Longer side of the picture; it is never finer than half a cell of the raster.
    attribution : str
        Where the heights come from, as their licence wants it said; without it, what the raster's tag SOURCE says.

    Returns
    -------
    DataFrame
        The table "relief" (`gapmap.tables.COLUMNS`) of one row. ``attrs["remarks"]`` says why the picture shows nothing, where
        it does not.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If the file is no raster, is cut short, does not say where it lies, or lies outside the box.
    """
    with open_heights(dem) as source:
        attribution = attribution or source.tags().get("SOURCE", "")
        to_map = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
        west, south, east, north = bounds
        wide, high = _MARGIN * (east - west), _MARGIN * (north - south)
        grown = (west - wide, south - high, east + wide, north + high)
        # Of rows that run from south to north rasterio has the bottom above the top.
        (left, right), (bottom, top) = (sorted(sides) for sides in (source.bounds[::2], source.bounds[1::2]))
        here = _overlap(grown, rasterio.warp.transform_bounds(source.crs, "EPSG:4326", left, bottom, right, top))
        if here is None:
            raise InputError(f"{dem}: the raster lies outside the region of the map")
        west, south, east, north = to_map.transform_bounds(*here)
        size = max(east - west, north - south) / _pixels(source, here, pixels_max)
        columns, rows = max(2, round((east - west) / size)), max(2, round((north - south) / size))
        heights = np.full((rows, columns), np.nan, dtype="float32")
        with _cut_short(Path(dem)):
            reproject(
                rasterio.band(source, 1),
                heights,
                dst_transform=Affine((east - west) / columns, 0, west, 0, (south - north) / rows, north),
                dst_crs=_MERCATOR,
                dst_nodata=np.nan,
                resampling=Resampling.cubic,
            )
    to_degrees = pyproj.Transformer.from_crs(3857, 4326, always_xy=True)
    (left, right), (bottom, top) = to_degrees.transform([west, east], [south, north])
    latitude = np.radians(to_degrees.transform(np.zeros(rows), north - (np.arange(rows) + 0.5) * size)[1])
    cell_m = size * np.cos(latitude)[:, np.newaxis]  # a Mercator metre is longer than one on the ground
    picture = _shade(heights, cell_m)
    row = {
        "image": base64.b64encode(_webp(picture)).decode(),
        "media_type": "image/webp",
        "west": left,
        "south": bottom,
        "east": right,
        "north": top,
        "attribution": attribution,
    }
    table = tables.conform(pd.DataFrame([row], index=["relief"]), "relief")
    table.attrs["remarks"] = [] if picture[1].any() else [_why_clear(heights)]
    return table


def _why_clear(heights: NDArray[np.float32]) -> str:
    if not np.isfinite(heights).any() or min(heights.shape) > 2:  # noqa: PLR2004 - pixels, which are all at an edge
        return "no relief is drawn: the raster has no heights over the region of the map"
    return "no relief is drawn: the cells of the raster are too large for the region of the map"


def _shade(heights: NDArray[np.float32], cell_m: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return grey and opacity, shape (2, rows, columns)."""
    known = np.isfinite(heights)
    filled = np.where(known, heights, np.nanmean(heights) if known.any() else 0.0)
    down, right = np.gradient(filled)
    east, north = _EXAGGERATION * right / cell_m, -_EXAGGERATION * down / cell_m
    cosine = (-east * _LIGHT[0] - north * _LIGHT[1] + _LIGHT[2]) / np.sqrt(1 + east**2 + north**2)
    # Slopes towards the light run up to white, slopes away from it down to _DARKEST.
    flat = _LIGHT[2]
    up = _FLAT + (255 - _FLAT) * (cosine - flat) / (1 - flat)
    dark = _FLAT - (_FLAT - _DARKEST) * (flat - cosine) / flat
    grey = np.clip(np.where(cosine > flat, up, dark), _DARKEST, 255)
    return np.stack([grey.astype("uint8"), np.where(known, 255 * _fade(*grey.shape), 0).astype("uint8")])


def _fade(rows: int, columns: int) -> NDArray[np.float64]:
    """Return 1 within and less towards the edges, so that the picture does not end in a line."""
    down, across = (np.minimum(np.arange(size), np.arange(size)[::-1]) for size in (rows, columns))
    return np.clip(np.minimum(down[:, np.newaxis], across) / (_FADE * max(rows, columns)), 0, 1)


def _webp(picture: NDArray[np.uint8]) -> bytes:
    grey, opacity = picture
    rows, columns = grey.shape
    # The transform is not kept; rasterio warns where there is none.
    profile = {"height": rows, "width": columns, "transform": Affine(1, 0, 0, 0, -1, rows)}
    with MemoryFile() as memory:
        with memory.open(driver="WEBP", count=4, dtype="uint8", QUALITY=60, **profile) as target:
            target.write(np.stack([grey, grey, grey, opacity]))
        return memory.read()


def _pixels(source: DatasetReader, here: Sequence[float], pixels_max: int) -> int:
    """Return the pixels of the longer side: two a cell of the raster, at most ``pixels_max``."""
    west, south, east, north = rasterio.warp.transform_bounds("EPSG:4326", source.crs, *here)
    across, down = map(abs, source.res)
    cells = max((east - west) / across, (north - south) / down)
    return max(2, min(pixels_max, round(2 * cells)))


def _overlap(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, float, float] | None:
    west, south = max(first[0], second[0]), max(first[1], second[1])
    east, north = min(first[2], second[2]), min(first[3], second[3])
    return (west, south, east, north) if west < east and south < north else None
