"""Plain polygons: an area of interest, ground that is left out.

In: any vector file, or a CSV or XLSX with WKT. Out: polygons in EPSG:4326. Method: as for zones; a closed line
is a polygon, anything else is a fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from gapmap.readers import files
from gapmap.readers.positions import locate
from gapmap.readers.repair import close_lines, repair

if TYPE_CHECKING:
    from pathlib import Path

_AREA = 2  # dimension


def read_polygons(
    path: str | Path, *, role: str = "polygons", crs: object = None, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Read polygons.

    Parameters
    ----------
    path : str or Path
        Any format that zones are read from.
    role : str, optional
        What they are for, as the run table and messages say it: "area of interest", "excluded".
    crs : object, optional
        Anything pyproj understands, for a file that does not say.
    layer : str, optional
        Layer, where there are several and none is called as `role`.

    Returns
    -------
    GeoDataFrame
        ``name`` and valid (Multi)Polygons in EPSG:4326, in the order of the file. ``attrs["input"]`` holds the counts.

    Raises
    ------
    MissingFileError
        If there is no such file.
    CrsError
        If the file has no CRS and none is given.
    InputError
        If the file cannot be read or has no rows; for every row that is no polygon or cannot be repaired, all at once.
    """
    rows = files.read_rows(path, role=role, layer=layer)
    geometry, problems = locate(rows, crs=crs)
    geometry, _ = close_lines(geometry, pd.Series(True, index=geometry.index), problems)
    geometry, repaired = repair(geometry, problems)
    other = (shapely.get_dimensions(geometry.to_numpy()) != _AREA) & geometry.notna()
    for row in geometry.index[other]:
        problems.setdefault(row, f"a {geometry[row].geom_type}, not a polygon")
    files.refuse(rows.path, problems, rows=len(geometry), role=role)
    out = gpd.GeoDataFrame({"name": rows.texts(["name"])}, geometry=geometry)
    out.attrs["input"] = files.describe(
        rows.path,
        role=role,
        rows=len(out),
        used=len(out),
        repaired=len(repaired),
        read_as=rows.read_as,
        unread=rows.unread,
        remarks=rows.remarks,
    )
    return out
