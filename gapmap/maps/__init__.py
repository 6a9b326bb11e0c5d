"""The map: one HTML file that loads nothing.

In: an analysis. Out: a folium map, and the file it is saved to. Method: figures and outlines go into blocks that the
browser does not run; one fixed script draws them; Leaflet is inside; see `gapmap.maps.page` for what guards the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gapmap.maps.layers import MapSource, facts, shapes
from gapmap.maps.page import GapPage, data_script, packed_script

if TYPE_CHECKING:
    import folium

__all__ = ["MapSource", "build_map", "save"]


def build_map(analysis: MapSource, *, include_notes: bool = True, headline: str | None = None) -> folium.Map:
    """Draw an analysis as a map.

    Parameters
    ----------
    analysis : Analysis
        Any object whose ``table(name)`` returns the tables of `gapmap.tables`.
    include_notes : bool
        Whether the notes of incidents go into the file. All that is in it leaves with it.
    headline : str, optional
        The line under the title, instead of the one that counts corridors.

    Returns
    -------
    folium.Map
        Folium layers can be added where they can be made safe: FeatureGroup, GeoJson, Marker, Circle, CircleMarker,
        PolyLine, Polygon, Rectangle, FitBounds. Its ``save`` writes the finished page; so does `save`.

    Raises
    ------
    CrsError
        If the working CRS is neither a Lambert azimuthal equal-area nor a transverse Mercator.

    Notes
    -----
    Whatever was added is looked at when the page is written: `AssetError` names what cannot be made safe.
    """
    figures = facts(analysis, include_notes=include_notes)
    run = figures["run"]
    run["headline"] = run["headline"] if headline is None else headline
    cover = analysis.table("cover")
    west, south, east, north = cover.to_crs(4326).total_bounds if len(cover) else (-180, -60, 180, 60)
    figures["bounds"] = [[float(south), float(west)], [float(north), float(east)]]
    return GapPage(
        location=[float(south + north) / 2, float(west + east) / 2],
        title=run["title"],
        blocks=[data_script("gapmap-facts", figures), packed_script("gapmap-shapes", shapes(analysis))],
        noscript=run["headline"],
    )


def save(page: folium.Map, path: str | Path) -> Path:
    """Write a map to one HTML file.

    Parameters
    ----------
    page : folium.Map
        From `build_map`.
    path : str or Path
        The file; replaced only once the page is finished and checked.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    AssetError
        If the page would load or run anything that gapmap did not put into it.
    """
    path = Path(path)
    text = page.get_root().render()
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
