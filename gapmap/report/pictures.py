"""The pictures of a briefing: the whole seam, a stretch with its surroundings, its widths along the middle line.

In: what is known of a full or partner edition. Out: pictures with their labels, and the legend. Method: layers from below, in
patterns and greys that hold in black and white.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from gapmap.drawing import Picture, rgb
from gapmap.maps.languages import phrase
from gapmap.report.handover import middles
from gapmap.styles import FORCE_COLOURS, WIDTH_CLASSES, WIDTH_COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gapmap.report.handover import HandOver
    from gapmap.report.wording import Known

HIGH_MM = 150.0
LINE = "#000"
_WIDE_MM, _SHEET_MM, _CHART_MM = 180.0, 74.0, 21.0
_GREY = "#777"


def frame(name: str, bounds: Sequence[float], height_mm: float) -> Picture:
    """Return an empty picture as wide as a page.

    Parameters
    ----------
    name : str
        Different for each picture of a page.
    bounds : sequence of float
        West, south, east, north in metres.
    height_mm : float
        Of the picture.

    Returns
    -------
    Picture
        To be drawn on.
    """
    return Picture(name, bounds, width_mm=_WIDE_MM, height_mm=height_mm)


def finish(picture: Picture, words: Mapping[str, str], notice: str) -> Picture:
    """Draw what every map has: north, a scale, and the notice across it.

    Parameters
    ----------
    picture : Picture
        The map.
    words : mapping of str to str
        The catalogue of the briefing.
    notice : str
        "" for none.

    Returns
    -------
    Picture
        The same.
    """
    picture.north(words["north"])
    picture.scale_bar(words["km"])
    if notice:
        picture.note(notice, "across", 0, picture.height_mm * 0.8)
    return picture


def swatch(name: str, fill: str = "") -> Picture:
    """Return a picture for an entry of a legend.

    Parameters
    ----------
    name : str
        Different for each picture of a page.
    fill : str, optional
        A box of that paint; "" for none.

    Returns
    -------
    Picture
        9 by 4 mm.
    """
    picture = Picture(name, (0, 0, 9, 4), width_mm=9, height_mm=4)
    if fill:
        picture.draw([shapely.box(0, 0, 9, 4)], fill=fill, line=LINE)
    return picture


class Pictures:
    """The pictures of a full or partner edition.

    Parameters
    ----------
    known : Known
        What they show.
    """

    def __init__(self, known: Known) -> None:
        self.known = known

    def overview(self, chosen: Sequence[str]) -> Picture:
        """Draw the whole seam, with the numbers of the stretches that were chosen."""
        cover = self.known.made.table("cover")
        shown = gpd.GeoSeries([*cover.geometry, *self.known.stretches.geometry], crs=self.known.stretches.crs)
        picture = frame("overview", shown.total_bounds if len(shown) else (0, 0, 1e5, 1e5), HIGH_MM)
        self._ground_below(picture)
        self._fill_stretches(picture, self.known.stretches)
        self._borders(picture)
        for key in chosen:
            self._number(picture, key)
        self._name_places(picture, most=25)
        return finish(picture, self.known.words, self.known.run["notice"])

    def small_map(self, key: str, lines: gpd.GeoDataFrame, over: HandOver | None, *, name: str) -> Picture:
        """Draw a stretch with what lies around it."""
        shape = self.known.stretches.geometry[key]
        zones = self.known.made.table("zones")
        facing = {each for side in "ab" for each in str(self.known.stretches[f"facing_{side}"][key]).split("; ")}
        posts = zones.geometry[zones.index.isin(facing) & (zones["kind"] == "post")]  # routes and areas may be long
        west, south, east, north = shapely.total_bounds([shape, *posts])
        room = 0.08 * max(east - west, north - south)
        picture = frame(name, (west - room, south - room, east + room, north + room), _SHEET_MM)
        self._ground_below(picture)
        picture.draw(
            self.known.stretches.geometry[self.known.stretches.index != key], fill="#fff", line=LINE, thick=0.25
        )
        self._fill_stretches(picture, self.known.stretches.loc[[key]])
        picture.draw(lines.geometry, line=LINE, thick=0.12)
        picture.draw(self.known.made.table("centrelines").geometry, line=LINE, thick=0.4, dash="1.6 0.9")
        self._borders(picture)
        self._zones(picture)
        picture.mark(self.known.made.table("incidents").geometry, "ring", size=0.6)
        if len(lines) > 1:
            ends = shapely.get_coordinates(middles(lines).iloc[[0, -1]].to_numpy())
            # A little outside, so that the letters cover no mark.
            out = 3.5 * picture.metres_per_mm * (ends[0] - ends[1]) / max(np.hypot(*(ends[0] - ends[1])), 1e-9)
            for letter, at in zip("AB", (ends[0] + out, ends[1] - out), strict=True):
                picture.name_point(shapely.Point(at), letter, kind="end", always=True)
        if over is not None:
            picture.mark([over.point], "cross", size=1.2)
        self._name_places(picture, most=12)
        return finish(picture, self.known.words, self.known.run["notice"])

    def chart(self, key: str, over: HandOver | None, *, name: str) -> Picture | None:
        """Return the width along the middle line, on the scale of the limit, so that sheets can be compared."""
        lines = self.known.widths[self.known.widths["stretch_id"] == key]
        if len(lines) < 2:  # noqa: PLR2004 - a line needs two ends
            return None
        left, right, top, bottom = 12.0, _WIDE_MM - 6, _CHART_MM - 2, 5.0
        start, end = (float(lines["along_m"].iloc[row]) for row in (0, -1))
        picture = Picture(name, (0, 0, _WIDE_MM, _CHART_MM), width_mm=_WIDE_MM, height_mm=_CHART_MM)

        def at(along_m: Any, width_m: Any) -> Any:  # noqa: ANN401 - figures or arrays of them
            x = left + (along_m - start) / (end - start) * (right - left)
            return np.column_stack([x, bottom + np.minimum(width_m / self.known.limit_m, 1) * (top - bottom)])

        curve = at(lines["along_m"].to_numpy(), lines["width_m"].to_numpy())
        picture.draw([shapely.Polygon([(curve[0][0], bottom), *curve, (curve[-1][0], bottom)])], fill="#ccc")
        picture.draw([shapely.LineString(curve)], line=LINE, thick=0.5)
        mean = at(np.array([start, end]), np.array([self.known.records[key]["width_mean_m"]] * 2))
        picture.draw([shapely.LineString(mean)], line=LINE, thick=0.2, dash="1.5 1")
        picture.draw([shapely.LineString([(left, top), (left, bottom), (right, bottom)])], line=LINE)
        if over is not None:
            picture.mark([shapely.Point(at(np.array([over.along_m]), np.array([over.width_m]))[0])], "cross", size=0.9)
        for share in (0, 0.5, 1):
            y = _CHART_MM - bottom - share * (top - bottom)
            picture.note(self.known.km(share * self.known.limit_m, 0), "tick", 0.5, y)
        picture.note("A 0", "tick", left, _CHART_MM - 2.4)
        picture.note(f"{self.known.km(end - start)} B", "tick", right - 12, _CHART_MM - 2.4)
        return picture

    def legend(self, name: str, *, sheet: bool = False) -> list[tuple[Picture, str]]:
        """Return swatches and what they stand for."""
        words = self.known.words
        entries: list[tuple[Picture, str]] = []

        def entry(fill: str = "") -> Picture:
            return swatch(f"{name}-{len(entries)}", fill)

        for number, label in enumerate(self.known.labels.values()):
            picture = entry()
            picture.draw([shapely.box(0, 0, 9, 4)], fill=self._hatch(picture, number), line=LINE)
            entries.append((picture, self.known.said("cover_of", force=label)))
        if sheet:
            marks = [("cross", words["report_over"], 0.9)]
            marks += [("ring", words["incidents"], 0.6)] if len(self.known.made.table("incidents")) else []
            marks += [("square", words["report_posts"], 0.8)] if len(self.known.made.table("zones")) else []
            for shape, text, size in marks:
                picture = entry()
                picture.mark([shapely.Point(4.5, 2)], shape, size=size)
                entries.append((picture, text))
            return entries
        for (low, high), colour in zip(pairwise(WIDTH_CLASSES), WIDTH_COLOURS, strict=True):
            edges = {"from": f"{low * self.known.limit_m / 1000:g}", "to": f"{high * self.known.limit_m / 1000:g}"}
            figures = {"n": phrase(words["from_to"], edges)}
            entries.append(
                (entry(rgb(colour)), phrase(words["report_mean_of"], {"width": phrase(words["km"], figures)}))
            )
        if (self.known.made.table("ground")["kind"] == "beyond").any():
            picture = entry()
            picture.draw([shapely.box(0, 0, 9, 4)], fill=picture.dots(), line=LINE)
            limit = self.known.unit("km", self.known.limit_m / 1000, 1 if self.known.limit_m % 1000 else 0)
            entries.append((picture, phrase(words["beyond"], {"limit": limit})))
        return entries

    def _colour_of(self, width_m: float) -> str:
        edges = np.array(WIDTH_CLASSES[1:-1]) * self.known.limit_m
        return rgb(WIDTH_COLOURS[int(np.searchsorted(edges, width_m, side="right"))])

    def _hatch(self, picture: Picture, number: int) -> str:
        return picture.hatching(number, FORCE_COLOURS[number % len(FORCE_COLOURS)])

    def _ground_below(self, picture: Picture) -> None:
        cover, ground = self.known.made.table("cover"), self.known.made.table("ground")
        picture.draw(ground.geometry[ground["kind"] == "excluded"], fill="#ddd")
        picture.draw(ground.geometry[ground["kind"] == "beyond"], fill=picture.dots(), line=_GREY, thick=0.15)
        for number, shape in enumerate(cover.geometry):
            picture.draw([shape], fill=self._hatch(picture, number), line="#333", thick=0.25)

    def _borders(self, picture: Picture) -> None:
        outlines = self.known.made.table("boundaries").geometry
        picture.draw(
            np.where(shapely.get_dimensions(outlines) > 1, shapely.boundary(outlines), outlines),
            line="#444",
            thick=0.2,
            dash="2.5 0.8 0.5 0.8",
        )

    def _number(self, picture: Picture, key: str) -> None:
        # On the middle line, as a point inside a bent stretch can lie at its rim.
        lines = self.known.transects(key)
        point = (
            middles(lines).iloc[len(lines) // 2]
            if len(lines)
            else self.known.stretches.geometry[key].representative_point()
        )
        picture.name_point(point, str(self.known.numbers[key]), kind="number", always=True)

    def _fill_stretches(self, picture: Picture, table: gpd.GeoDataFrame) -> None:
        """Fill stretches by their mean width; those of one class are one path."""
        paints = np.array([self._colour_of(width_m) for width_m in table["width_mean_m"]])
        for paint, shapes in table.geometry.groupby(paints):
            picture.draw(shapes, fill=paint, line=LINE, thick=0.25)

    def _name_places(self, picture: Picture, *, most: int) -> None:
        """Write the names of the largest places that are in the picture, those in stretches first."""
        table = self.known.made.table("places")
        labels = dict(zip(table.index, (each["label"] for each in self.known.facts["places"]), strict=True))
        west, south, east, north = picture.bounds
        seen = table[shapely.intersects(shapely.box(west, south, east, north), table.geometry.to_numpy())]
        order = np.lexsort((-seen["population"].fillna(0), seen["stretch_id"] == ""))
        for key in seen.index[order][:most]:
            before = len(picture.labels)
            picture.name_point(table.geometry[key], labels[key])
            if len(picture.labels) > before:
                picture.mark([table.geometry[key]], "dot", size=0.6)

    def _zones(self, picture: Picture) -> None:
        zones = self.known.made.table("zones")
        dimensions = shapely.get_dimensions(zones.geometry.to_numpy())
        picture.draw(zones.geometry[dimensions == 1], line=LINE, thick=0.6)
        picture.mark(shapely.get_parts(zones.geometry[dimensions == 0].to_numpy()), "square", size=0.8)
