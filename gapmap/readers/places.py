"""Settlements, from any accepted file.

In: a file of named points. Out: table ``places`` in EPSG:4326. Method: columns by a mapping or by their usual names; rows
without a name or position are set aside.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from gapmap.crs import WGS84
from gapmap.errors import InputError
from gapmap.readers import files, positions, values
from gapmap.tables import conform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FIELDS: Mapping[str, Sequence[str]] = {
    "name": ("name", "name_en", "asciiname"),
    "names": ("names", "alternatenames", "alt_names", "variants"),
    "population": ("population", "pop"),
    **positions.COLUMNS,
}


def read_places(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    crs: object = None,
    layer: str | None = None,
    encoding: str | None = None,
    mgrs_zones: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    r"""Read settlements.

    Parameters
    ----------
    path : str or Path
        Any format that zones are read from. Of lines and polygons a point inside is taken.
    columns : mapping of str to str, optional
        Field to column name in the file. Fields: name, names (variants: a JSON list, or parted by commas, semicolons or
        bars), population (0, blank, no number or "1.200", which may be either of two: unknown), lat, lon, position, mgrs, wkt.
    crs : object, optional
        Anything pyproj understands, for a file that does not say.
    layer : str, optional
        Layer or sheet, where there are several and none is called "places".
    encoding : str, optional
        Of a CSV that is neither UTF-8 nor begins with a byte-order mark, or a shapefile without a .cpg.
    mgrs_zones : sequence of str, optional
        Grid zones such as "38S" for MGRS references without one.

    Returns
    -------
    GeoDataFrame
        Table ``places`` in EPSG:4326, points, sorted by name and position, with what the overlay adds still empty; and
        ``source_row``.
        ``names`` is a JSON list without the name itself. ``attrs["set_aside"]`` and ``attrs["input"]`` as for zones.

    Raises
    ------
    MissingFileError
        If there is no such file.
    CrsError
        If a vector file has no CRS and none is given.
    InputError
        If the file cannot be read, has no column for name or position, or `columns` names what does not exist.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "towns.csv"
    >>> _ = path.write_text("name,names,population,lat,lon\nGwer,Quwayr|Guwer,9000,36.04,43.48\n", encoding="utf-8")
    >>> read_places(path)[["name", "names", "population"]]
              name                names  population
    place_id
    P00001    Gwer  ["Quwayr", "Guwer"]      9000.0
    """
    rows = files.read_rows(path, role="places", layer=layer, may_be_empty=True, encoding=encoding)
    names = files.field_names(rows, FIELDS, columns or {})
    if rows.column(names["name"]) is None:
        raise InputError(
            f"{rows.path.name}: no name column among {', '.join(rows.header) or 'none'}",
            hint='say which it is: columns = { name = "town" }',
        )
    geometry, aside = positions.locate(
        rows, crs=crs, columns={field: names[field] for field in positions.COLUMNS}, mgrs_zones=mgrs_zones
    )
    name, variants = rows.texts(names["name"]), rows.texts(names["names"])
    for row in name.index[name == ""]:
        aside[row] = "no name" if rows.columns.loc[row].any() or geometry[row] is not None else "blank row"
    population_text = rows.texts(names["population"])
    population, bad = values.parse_numbers(population_text)
    bad |= (population < 0) | values.may_be_thousands(population_text)
    unread = name.index[bad]
    points = gpd.GeoSeries(shapely.point_on_surface(geometry.to_numpy()), index=geometry.index, crs=WGS84)
    places = gpd.GeoDataFrame(
        {
            "name": name,
            "names": [_variants(text, main) for text, main in zip(variants, name, strict=True)],
            "population": population.where((population > 0) & ~bad),
            "source_row": name.index,
        },
        geometry=points,
    ).drop(index=list(aside))
    key = pd.DataFrame({"name": places["name"], "x": places.geometry.x, "y": places.geometry.y})
    # Of those that are there twice the one with the most people counts, with the variants of all.
    ranked = key.loc[places.sort_values(["population", "names"], ascending=[False, True], kind="stable").index]
    same = ranked[ranked.duplicated(keep=False)]  # few, or none
    for rows_of_one in same.groupby(list(same.columns)).groups.values():
        first, *others = rows_of_one
        told = places["population"][first]
        variants_of_all = dict.fromkeys(each for row in rows_of_one for each in json.loads(places["names"][row]))
        places.loc[first, "names"] = json.dumps([*variants_of_all], ensure_ascii=False)
        for row in others:
            other = places["population"][row]
            but = f", but for its population of {other:.0f}" if other < told else ""
            aside[row] = f"the same as row {first}{but}"
    places = places.loc[[row for row in key.sort_values(["name", "x", "y"], kind="stable").index if row not in aside]]
    places.index = pd.Index([f"P{number:05d}" for number in range(1, len(places) + 1)], dtype=object)
    out = conform(places, "places")
    out.attrs["input"] = files.describe(
        rows.path,
        role="places",
        rows=len(name),
        used=len(out),
        aside=len(aside),
        read_as=rows.read_as,
        unread=rows.unread,
        remarks=[*rows.remarks, *_remarks(population_text[unread.difference(list(aside))])],
    )
    out.attrs["set_aside"] = files.set_aside(rows.path, aside)
    return out


def _remarks(unread: pd.Series) -> list[str]:
    """Say which places stay without the population that they were given: a village is worth more than its figure."""
    if unread.empty:
        return []
    # "1,200" may be either of two numbers, and "1.200" too.
    said = f"population {unread.iloc[0]!r} is not a number of zero or more, taken for not known (write 1200 for 1,200)"
    return [f"{files.list_rows(list(unread.index))}: {said}"]


def _variants(text: str, name: str) -> str:
    """Return name variants as a JSON list, each once, in their order, without the name itself."""
    try:
        found = json.loads(text) if text.startswith("[") else re.split(r"[,;|،]", text)
    except ValueError:
        found = re.split(r"[,;|،]", text.strip("[]"))
    names = [str(item).strip() for item in found]
    return json.dumps([item for item in dict.fromkeys(names) if item and item != name], ensure_ascii=False)
