"""An edition as files that other programs open.

In: an edition. Out: a GeoPackage with QGIS styles, GeoJSON, KML or KMZ, CSV or GeoParquet, each marked as that edition.
Method: written in a folder beside the target and moved there together or not at all; all but the GeoPackage are in
longitude and latitude and leave out what only gapmap reads.
"""

from __future__ import annotations

import html
import re
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import mgrs
import numpy as np
import pandas as pd
import shapely

from gapmap import formats, storage, styles, tables
from gapmap.crs import WGS84
from gapmap.editions import GAP_CLASSES_KM2, PUBLIC_COLUMNS, require_edition
from gapmap.errors import InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gapmap.editions import Edition

# Their coordinates are metres of the working CRS, or a picture: for gapmap, and kept in the GeoPackage alone.
_OWN = frozenset({"facets", "relief"})
# What a field app shows; ground and facets would fill it.
_KML_TABLES = (
    "cover",
    "corridors",
    "stretches",
    "centrelines",
    "transects",
    "zones",
    "incidents",
    "places",
    "grid",
    "grid_incidents",
)
_KML_MOST = 50_000  # placemarks that programs on a phone or a laptop still open
_KML_TOLERANCE_M = 5.0
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold: the same edition gives the same bytes


def export(made: Edition, folder: str | Path, *, file_format: str, overwrite: bool = False) -> list[Path]:
    """Write an edition to files.

    Parameters
    ----------
    made : Edition
        From `gapmap.editions.edition`.
    folder : str or Path
        Where the files go; made if it is not there.
    file_format : {"gpkg", "geojson", "kml", "kmz", "csv", "parquet"}
        GeoPackage, KML and KMZ are one file, named after the edition. The others are one file a table.
    overwrite : bool
        Replace files of these names; those of tables that the edition no longer holds are deleted.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        If it is no edition, if there is no such format, if files of these names are there, if there are too many rows for KML, if GeoParquet
        is asked for without pyarrow, or if the folder cannot be written.

    Notes
    -----
    The GeoPackage of a full or partner edition is a result that `gapmap.open` opens, in the working CRS. All other files
    are in EPSG:4326. In KML, outlines are simplified to 5 m.
    """
    require_edition(made)
    if file_format not in FORMATS:
        raise InputError(unknown("format", file_format, FORMATS))
    folder = Path(folder)
    with storage.drafts_beside(folder) as beside:
        FORMATS[file_format](made, beside)
        if not list(beside.iterdir()):
            raise InputError(f"the {made.name} edition holds no rows that {file_format} could show")
        drafts = {draft: folder / draft.name for draft in sorted(beside.iterdir())}
        # Of an earlier export of this edition: what it no longer holds must not lie beside what it does.
        names = {folder / f"{made.stem}-{name}.{file_format}" for name in (*tables.COLUMNS, *PUBLIC_COLUMNS)}
        stale = sorted(path for path in names - {*drafts.values()} if path.is_file())
        taken = [path.name for path in (*drafts.values(), *stale) if path.exists()]
        if taken and not overwrite:
            raise InputError(
                f"{folder} holds files of these names already", problems=taken, hint="name another, or --overwrite"
            )
        # The largest at the end: see replace_all.
        drafts = dict(sorted(drafts.items(), key=lambda item: item[0].stat().st_size))
        storage.replace_all(drafts)
        for path in stale:
            path.unlink()
    return sorted(drafts.values())


def exchange_tables(made: Edition) -> Iterator[tuple[str, Any]]:
    """Yield the tables of an edition that other programs can use.

    Parameters
    ----------
    made : Edition
        The edition.

    Yields
    ------
    str
        The table's name.
    DataFrame or GeoDataFrame
        Its rows, those with geometry in EPSG:4326 to a centimetre, with the edition and the run's notice in every row.
        Tables without rows are left out: there is nothing in them to mark.
    """
    for name, table in _marked_tables(made):
        yield name, _in_degrees(table) if "geometry" in table else table


def _marked_tables(made: Edition) -> Iterator[tuple[str, Any]]:
    run = made.table("run").iloc[0]
    for name, table in made.tables.items():
        if name not in _OWN and not table.empty:
            yield name, tables.marked(table, run)


def _in_degrees(table: Any) -> Any:  # noqa: ANN401 - a GeoDataFrame
    return table.set_geometry(gpd.GeoSeries(formats.in_degrees(table.geometry), table.index, crs=WGS84))


def _write_gpkg(made: Edition, folder: Path) -> None:
    run = made.table("run").iloc[0]
    looks = styles.qml(made.table("cover").index.tolist(), max_width_m=run["max_width_m"])
    if made.name == "public":
        looks = styles.grid_qml(GAP_CLASSES_KM2)
    storage.write_layers(made.tables, folder / f"gapmap-{made.stem}.gpkg", looks=looks, mark=made.mark)


def _write_geojson(made: Edition, folder: Path) -> None:
    members = _members(made)
    for name, table in _marked_tables(made):  # to_geojson turns them into degrees itself
        if "geometry" in table:
            text = formats.to_geojson(table, **members)
            (folder / f"{made.stem}-{name}.geojson").write_text(text, encoding="utf-8", newline="\n")


def _members(made: Edition) -> dict[str, object]:
    run = formats.to_records(made.table("run"))[0]
    return {
        "edition": made.mark,
        "recipe": made.recipe,
        "run": {key: run[key] for key in ("title", "notice", "date", "max_width_m", "versions", "created")},
    }


def _write_csv(made: Edition, folder: Path) -> None:
    for name, table in exchange_tables(made):
        plain = table
        if "geometry" in table:
            shapes = shapely.transform(table.geometry.to_numpy(), lambda xy: xy.round(7))
            texts = {"mgrs": _mgrs(shapes), "wkt": shapely.to_wkt(shapes, rounding_precision=7).astype(object)}
            plain = pd.DataFrame(table.drop(columns="geometry")).assign(**texts)
        # The mark at its start tells spreadsheets that it is UTF-8.
        (folder / f"{made.stem}-{name}.csv").write_text(formats.to_csv(plain), encoding="utf-8-sig", newline="\n")


def _mgrs(shapes: Any) -> list[str]:  # noqa: ANN401 - an array of geometries
    """Return the square of 1 m of each point, of a point inside of other shapes; "" near the poles, where there is none."""
    points = shapely.get_coordinates(shapely.point_on_surface(shapes))
    grid = mgrs.MGRS()
    lowest, highest = -80, 84
    return [grid.toMGRS(lat, lon) if lowest <= lat <= highest else "" for lon, lat in points]


def _write_parquet(made: Edition, folder: Path) -> None:
    if find_spec("pyarrow") is None:
        raise InputError("GeoParquet needs pyarrow", hint='pip install "gapmap[parquet]"')
    for name, table in exchange_tables(made):
        table.to_parquet(folder / f"{made.stem}-{name}.parquet")


def _write_kml(made: Edition, folder: Path) -> None:
    (folder / f"gapmap-{made.stem}.kml").write_bytes(_kml(made))


def _write_kmz(made: Edition, folder: Path) -> None:
    with zipfile.ZipFile(folder / f"gapmap-{made.stem}.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("doc.kml", _ZIP_DAY), _kml(made), zipfile.ZIP_DEFLATED)


def _kml(made: Edition) -> bytes:
    content = {name: table for name, table in made.tables.items() if name in _KML_TABLES}
    count = sum(map(len, content.values()))
    if count > _KML_MOST:
        raise InputError(
            f"{count} placemarks are more than programs open in KML (at most {_KML_MOST})", hint="take gpkg or csv"
        )
    run = made.table("run").iloc[0]
    root = ET.Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = ET.SubElement(root, "Document")
    ET.SubElement(document, "name").text = _xml(f"{run['title']}: {made.mark}")
    lines = [made.mark, run["notice"], made.recipe]
    ET.SubElement(document, "description").text = _xml("<br>".join(html.escape(line) for line in lines if line))
    for key, (line, fill) in _looks(made):
        _style(document, key, line, fill)
    for name, table in content.items():
        folder = ET.SubElement(document, "Folder")
        ET.SubElement(folder, "name").text = _xml(name)
        shapes = table.geometry
        if name not in {"grid", "grid_incidents"} and len(table):
            shapes = shapes.simplify(_KML_TOLERANCE_M)
        degrees = formats.in_degrees(shapes)
        for record, shape in zip(formats.to_records(tables.marked(table, run)), degrees, strict=True):
            folder.append(_placemark(record, shape, _look(name, record, made)))
    ET.indent(root, " ")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n"


def _looks(made: Edition) -> Iterator[tuple[str, tuple[styles.Colour, int]]]:
    """Yield styles: a name, a colour and how strongly areas are filled, of 255."""
    for number, force in enumerate(made.table("cover").index):
        yield f"force-{force}", (styles.FORCE_COLOURS[number % len(styles.FORCE_COLOURS)], 60)
    for number, colour in enumerate(styles.WIDTH_COLOURS):
        yield f"width-{number}", (colour, 170)
    yield "plain", ((40, 40, 40), 0)


def _look(name: str, record: Mapping[str, Any], made: Edition) -> str:
    """Return the style of a placemark: forces by colour, widths and the grid light to dark."""
    if name in {"cover", "zones"}:
        return f"force-{record['force']}"
    if name in {"corridors", "stretches"}:
        share = (record["width_mean_m"] or 0) / made.table("run")["max_width_m"].iloc[0]
        number = int(np.searchsorted(styles.WIDTH_CLASSES, share, side="right")) - 1
        return f"width-{min(number, len(styles.WIDTH_COLOURS) - 1)}"
    if name == "grid":
        return "width-1" if record["gap_from_km2"] == GAP_CLASSES_KM2[0] else "width-3"
    return "plain"


def _style(document: ET.Element, key: str, colour: styles.Colour, fill: int) -> None:
    red, green, blue = colour
    kml_colour = f"{blue:02x}{green:02x}{red:02x}"  # KML counts from the back
    style = ET.SubElement(document, "Style", id=_identifier(key))
    line = ET.SubElement(style, "LineStyle")
    ET.SubElement(line, "color").text = f"ff{kml_colour}"
    ET.SubElement(line, "width").text = "1.5"
    area = ET.SubElement(style, "PolyStyle")
    ET.SubElement(area, "color").text = f"{fill:02x}{kml_colour}"
    ET.SubElement(area, "fill").text = str(int(fill > 0))


def _placemark(record: Mapping[str, Any], shape: Any, look: str) -> ET.Element:  # noqa: ANN401 - a geometry
    placemark = ET.Element("Placemark")
    identifier = next(iter(record.values()))
    ET.SubElement(placemark, "name").text = _xml(record.get("name") or identifier)
    known = {key: value for key, value in record.items() if value not in (None, "")}
    # Programs show a description as a page: what stands in it must be text there too.
    lines = [f"<b>{html.escape(key)}</b>: {html.escape(str(value))}" for key, value in known.items()]
    ET.SubElement(placemark, "description").text = _xml("<br>".join(lines))
    ET.SubElement(placemark, "styleUrl").text = f"#{_identifier(look)}"
    extended = ET.SubElement(placemark, "ExtendedData")
    for key, value in known.items():
        ET.SubElement(ET.SubElement(extended, "Data", name=_xml(key)), "value").text = _xml(value)
    _geometry(placemark, shape)
    return placemark


def _geometry(parent: ET.Element, shape: Any) -> None:  # noqa: ANN401 - a geometry
    if shape is None or shape.is_empty:
        return
    if hasattr(shape, "geoms"):
        parts = ET.SubElement(parent, "MultiGeometry")
        for part in shape.geoms:
            _geometry(parts, part)
        return
    node = ET.SubElement(parent, shape.geom_type)
    if shape.geom_type != "Polygon":
        _coordinates(node, shape)
        return
    turned = shapely.orient_polygons(shape)
    for place, ring in [
        ("outerBoundaryIs", turned.exterior),
        *(("innerBoundaryIs", hole) for hole in turned.interiors),
    ]:
        _coordinates(ET.SubElement(ET.SubElement(node, place), "LinearRing"), ring)


def _coordinates(node: ET.Element, line: Any) -> None:  # noqa: ANN401 - a geometry
    at = shapely.get_coordinates(line)
    ET.SubElement(node, "coordinates").text = " ".join(f"{lon:.6f},{lat:.6f}" for lon, lat in at)


def _identifier(key: str) -> str:
    """Return an XML name for a style, whatever the force is called."""
    return "s" + key.encode().hex()


def _xml(value: object) -> str:
    """Return text that XML can hold."""
    return _NOT_XML.sub("?", str(value))


FORMATS: Mapping[str, Callable[[Edition, Path], None]] = {
    "gpkg": _write_gpkg,
    "geojson": _write_geojson,
    "kml": _write_kml,
    "kmz": _write_kmz,
    "csv": _write_csv,
    "parquet": _write_parquet,
}
