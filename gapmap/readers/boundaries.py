"""Boundaries for the background of the map.

In: a file of polygons or lines, in one layer or several. Out: table ``boundaries`` in EPSG:4326. Method: as for polygons; a
layer's own description says where it is from.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from gapmap.errors import InputError
from gapmap.readers import files
from gapmap.readers.positions import locate
from gapmap.readers.repair import repair
from gapmap.tables import conform

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_boundaries(path: str | Path, *, layers: Sequence[str] = ()) -> gpd.GeoDataFrame:
    """Read boundaries.

    Parameters
    ----------
    path : str or Path
        A vector file, usually a GeoPackage.
    layers : sequence of str, optional
        The layers to show; without it, all layers of polygons or lines.

    Returns
    -------
    GeoDataFrame
        Table ``boundaries`` in EPSG:4326, sorted by layer and name. ``attribution`` is the first sentence of the layer's
        description. ``attrs["input"]`` holds the counts.

    Raises
    ------
    MissingFileError
        If there is no such file.
    CrsError
        If the file has no CRS.
    InputError
        If the file cannot be read, a layer is not there, or there are neither polygons nor lines; for every row without
        a usable geometry, all at once.
    """
    parts = []
    read = []
    repaired = 0
    for layer in layers or _drawn_layers(path):
        rows = files.read_rows(path, role="boundaries", layer=layer)
        read.append(rows)
        geometry, problems = locate(rows)
        geometry, mended = repair(geometry, problems)
        repaired += len(mended)
        files.refuse(rows.path, problems, rows=len(geometry), role="boundaries")
        columns = {
            "layer": layer,
            "name": rows.texts(["name_en", "name"]),
            "name_ar": rows.texts(["name_ar"]),
            "attribution": attribution(rows.path, layer),
        }
        parts.append(gpd.GeoDataFrame(columns, geometry=geometry))
    table = pd.concat(parts, ignore_index=True)
    table = table.assign(wkb=shapely.to_wkb(table.geometry.to_numpy())).sort_values(["layer", "name", "wkb"])
    table.index = pd.Index([f"B{number:03d}" for number in range(1, len(table) + 1)])
    out = conform(table.drop(columns="wkb"), "boundaries")
    out.attrs["input"] = files.describe(
        rows.path,
        role="boundaries",
        rows=len(out),
        used=len(out),
        repaired=repaired,
        unread=files.left_by_all([each.unread for each in read]),
        remarks=[remark for each in read for remark in each.remarks],
    )
    return out


def attribution(path: str | Path, layer: str | None) -> str:
    """Return where a layer says it is from: the first sentence of its description.

    Parameters
    ----------
    path : str or Path
        A vector file.
    layer : str or None
        The layer; None for the one that a file of one layer has.

    Returns
    -------
    str
        "" where it says nothing.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if Path(path).suffix.lower() != ".gpkg":  # of the formats that are read, only this one keeps descriptions
        return ""
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    if layer is None and len(layers) > 1:
        return ""
    metadata = pyogrio.read_info(path, layer=layer or layers[0])["layer_metadata"] or {}
    return re.split(r"(?<=\.)\s", metadata.get("DESCRIPTION", ""), maxsplit=1)[0]


def _drawn_layers(path: str | Path) -> list[str]:
    files.require_safe(Path(path))
    try:
        found = [str(name) for name, kind in pyogrio.list_layers(path) if kind and "Point" not in kind]
    except pyogrio.errors.DataSourceError as error:
        files.read_rows(path, role="boundaries")  # says what is wrong with the file
        raise InputError(
            f"{path}: its layers cannot be listed", hint="name those to draw, or export it again as GeoPackage"
        ) from error
    if not found:
        raise InputError(f"{path}: neither polygons nor lines in it", hint="name a file of boundaries")
    return found
