"""Pictures for paper: outlines as SVG, texts beside it.

In: shapes in metres. Out: SVG without text, and labels with their places in millimetres. Method: outlines are cut to the
picture and thinned to what paper shows; texts are markup above the SVG, since what makes PDF joins Arabic letters only
there. Areas differ by hatching or lightness, never by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

_THINNED_MM = 0.1
_ANGLES = (45, -45, 0, 90, 22)  # of the hatching of the first, second, ... force
_LETTER_MM, _LINE_MM = 1.6, 3.6  # what a label takes up, for keeping labels apart


@dataclass(frozen=True)
class Label:
    """A text on a picture.

    Attributes
    ----------
    text : str
        As it is; whoever writes it into markup escapes it.
    kind : str
        How it looks: its class in the style sheet.
    side : {"left", "right"}
        The edge of the picture from which ``x_mm`` is measured, towards which the text does not grow.
    x_mm, y_mm : float
        From that edge, and from the top.
    """

    text: str
    kind: str
    side: str
    x_mm: float
    y_mm: float


class Picture:
    """A picture that is put together layer by layer, from below.

    Parameters
    ----------
    name : str
        Different for each picture of a page: ids in the SVG begin with it.
    bounds : sequence of float
        West, south, east, north in metres: what must be seen. More is shown where the picture is wider or higher.
    width_mm, height_mm : float
        Of the picture.

    Examples
    --------
    >>> picture = Picture("map", (0, 0, 1000, 1000), width_mm=200, height_mm=100)
    >>> picture.bounds, picture.metres_per_mm
    ((-500.0, 0.0, 1500.0, 1000.0), 10.0)
    """

    def __init__(self, name: str, bounds: Sequence[float], *, width_mm: float, height_mm: float) -> None:
        west, south, east, north = bounds
        self.name, self.width_mm, self.height_mm = name, width_mm, height_mm
        self.metres_per_mm = max((east - west) / width_mm, (north - south) / height_mm, 1e-9)
        across, up = width_mm * self.metres_per_mm, height_mm * self.metres_per_mm
        west, south = (west + east - across) / 2, (south + north - up) / 2
        self.bounds = (west, south, west + across, south + up)
        self.labels: list[Label] = []
        self._taken: list[shapely.Geometry] = []
        size = {"width": f"{width_mm:g}mm", "height": f"{height_mm:g}mm", "viewBox": f"0 0 {width_mm:g} {height_mm:g}"}
        self._svg = ET.Element("svg", {**size, "aria-hidden": "true"})
        self._defs = ET.SubElement(self._svg, "defs")

    @property
    def svg(self) -> str:
        """The SVG element, without text."""
        return ET.tostring(self._svg, encoding="unicode")

    def hatching(self, number: int, colour: tuple[int, int, int]) -> str:
        """Return a paint of lines on nothing.

        Parameters
        ----------
        number : int
            Which of the hatchings; each runs another way.
        colour : tuple of int
            Red, green, blue.

        Returns
        -------
        str
            For ``fill``.
        """
        angle = _ANGLES[number % len(_ANGLES)]
        pattern = self._pattern(f"hatch{number}", 1.7, patternTransform=f"rotate({angle})")
        ET.SubElement(pattern, "path", {"d": "M0 0V1.7", "stroke": rgb(colour), "stroke-width": "0.7"})
        return f"url(#{self.name}-hatch{number})"

    def dots(self) -> str:
        """Return a paint of dots on nothing.

        Returns
        -------
        str
            For ``fill``.
        """
        pattern = self._pattern("dots", 1.6)
        ET.SubElement(pattern, "circle", {"cx": "0.8", "cy": "0.8", "r": "0.32", "fill": "#222"})
        return f"url(#{self.name}-dots)"

    def _pattern(self, name: str, size: float, **more: str) -> ET.Element:
        attributes = {"id": f"{self.name}-{name}", "width": f"{size}", "height": f"{size}"}
        return ET.SubElement(self._defs, "pattern", {**attributes, "patternUnits": "userSpaceOnUse", **more})

    def draw(
        self,
        shapes: ArrayLike,
        *,
        fill: str = "none",
        line: str = "none",
        thick: float = 0.2,
        dash: str = "",
    ) -> None:
        """Draw areas and lines.

        Parameters
        ----------
        shapes : array_like of shapely.Geometry
            Polygons and lines, in metres.
        fill, line : str
            Paints.
        thick : float
            Of the line, in millimetres.
        dash : str
            Lengths of dashes and blanks in millimetres.
        """
        west, south, east, north = self.bounds
        room = thick * self.metres_per_mm  # edges made by cutting lie outside the picture
        cut = shapely.clip_by_rect(
            np.asarray(shapes, dtype=object), west - room, south - room, east + room, north + room
        )
        # Cut edges first, then thinned: what is far outside costs nothing.
        parts = shapely.get_parts(shapely.simplify(cut, _THINNED_MM * self.metres_per_mm))
        path = "".join(self._path(part) for part in parts if not part.is_empty)
        if path:
            more = {"stroke-dasharray": dash} if dash else {}
            ET.SubElement(
                self._svg,
                "path",
                {"d": path, "fill": fill, "fill-rule": "evenodd", "stroke": line, "stroke-width": f"{thick:g}", **more},
            )

    def _path(self, part: shapely.Geometry) -> str:
        if part.geom_type == "Polygon":
            return "".join(
                f"{self._path(shapely.LineString(ring.coords[:-1]))}Z" for ring in (part.exterior, *part.interiors)
            )
        if part.geom_type not in ("LineString", "LinearRing"):
            return ""
        return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in (self._at(*xy) for xy in part.coords))

    def mark(self, points: ArrayLike, shape: str, *, size: float = 1.0) -> None:
        """Draw points.

        Parameters
        ----------
        points : array_like of shapely.Point
            In metres; those outside the picture are left out, and of those within half a millimetre of each other only
            one is drawn.
        shape : {"ring", "square", "dot", "cross"}
            A small circle, a filled square, a filled circle, or a circle with a cross.
        size : float
            Half its width, in millimetres.
        """
        at = np.column_stack(self._at(*shapely.get_coordinates(np.asarray(points, dtype=object)).T))
        at = at[((at > 0) & (at < (self.width_mm, self.height_mm))).all(axis=1)]
        first = np.sort(np.unique(np.rint(at * 2), axis=0, return_index=True)[1])
        for x, y in at[first]:
            ink = {"stroke": "#000", "stroke-width": "0.3"}
            if shape == "square":
                box = {
                    "x": f"{x - size:.2f}",
                    "y": f"{y - size:.2f}",
                    "width": f"{2 * size:g}",
                    "height": f"{2 * size:g}",
                }
                ET.SubElement(self._svg, "rect", {**box, "fill": "#000", "stroke": "#fff", "stroke-width": "0.25"})
                continue
            fill = "#000" if shape == "dot" else "#fff"
            ET.SubElement(
                self._svg, "circle", {"cx": f"{x:.2f}", "cy": f"{y:.2f}", "r": f"{size:g}", "fill": fill, **ink}
            )
            if shape == "cross":
                arms = f"M{x - 2 * size:.2f} {y:.2f}H{x + 2 * size:.2f}M{x:.2f} {y - 2 * size:.2f}V{y + 2 * size:.2f}"
                ET.SubElement(self._svg, "path", {"d": arms, **ink})

    def name_point(self, point: shapely.Point, text: str, *, kind: str = "place", always: bool = False) -> None:
        """Write a text beside a point, to that side where there is room.

        Parameters
        ----------
        point : shapely.Point
            In metres; nothing is written for one outside the picture.
        text : str
            What to write.
        kind : str
            Its class; "number" stands on the point itself.
        always : bool
            Write it even where it covers another; else it is left out.
        """
        if not self._seen(point):
            return
        x, y = self._at(point.x, point.y)
        length = _LETTER_MM * len(text) + 1
        side = "right" if x + length > self.width_mm and kind != "number" else "left"
        box = shapely.box(
            x - length if side == "right" else x,
            y - _LINE_MM / 2,
            x if side == "right" else x + length,
            y + _LINE_MM / 2,
        )
        if kind == "number":
            box = shapely.box(x - _LINE_MM, y - _LINE_MM, x + _LINE_MM, y + _LINE_MM)
        if not always and any(box.intersects(each) for each in self._taken):
            return
        self._taken.append(box)
        self.labels.append(Label(text, kind, side, self.width_mm - x if side == "right" else x, y))

    def note(self, text: str, kind: str, x_mm: float, y_mm: float) -> None:
        """Write a text at a place of the picture.

        Parameters
        ----------
        text : str
            What to write.
        kind : str
            Its class.
        x_mm, y_mm : float
            From the left and the top.
        """
        self.labels.append(Label(text, kind, "left", x_mm, y_mm))

    def scale_bar(self, unit: str) -> None:
        """Draw a scale bar of 1, 2 or 5 times a power of ten kilometres at the lower left.

        Parameters
        ----------
        unit : str
            How kilometres are written, with ``{n}`` for the figure.
        """
        most_km = self.metres_per_mm * self.width_mm / 4 / 1000
        power = 10.0 ** np.floor(np.log10(most_km))
        length_km = power * max(step for step in (1, 2, 5) if step * power <= most_km)
        end = 4 + length_km * 1000 / self.metres_per_mm
        y = self.height_mm - 4
        box = {
            "x": "2",
            "y": f"{y - 6:g}",
            "width": f"{end + 1:.2f}",
            "height": "8",
            "fill": "#fff",
            "fill-opacity": "0.85",
        }
        ET.SubElement(self._svg, "rect", box)
        bar = {
            "d": f"M4 {y - 1.5:g}V{y:g}H{end:.2f}V{y - 1.5:g}",
            "fill": "none",
            "stroke": "#000",
            "stroke-width": "0.4",
        }
        ET.SubElement(self._svg, "path", bar)
        self.note(unit.replace("{n}", f"{length_km:g}"), "scale", 4.5, y - 3.2)

    def north(self, text: str) -> None:
        """Draw an arrow that points north at the upper left.

        Parameters
        ----------
        text : str
            The letter for north.
        """
        box = {"x": "2", "y": "2", "width": "7", "height": "13", "fill": "#fff", "fill-opacity": "0.85"}
        ET.SubElement(self._svg, "rect", box)
        ET.SubElement(self._svg, "path", {"d": "M5.5 3L7.3 8.5L5.5 7.4L3.7 8.5Z", "fill": "#000"})
        self.note(text, "north", 5.5, 11.5)

    def rules(self) -> str:
        """Return the places of the labels as style rules, one for each id ``<name>-<number>``.

        Returns
        -------
        str
            CSS.
        """
        return "".join(
            f"#{self.name}-{number}{{{each.side}:{each.x_mm:.2f}mm;top:{each.y_mm:.2f}mm}}"
            for number, each in enumerate(self.labels)
        )

    def _at(self, x: Any, y: Any) -> tuple[Any, Any]:  # noqa: ANN401 - figures or arrays of them
        return (x - self.bounds[0]) / self.metres_per_mm, (self.bounds[3] - y) / self.metres_per_mm

    def _seen(self, point: shapely.Point) -> bool:
        west, south, east, north = self.bounds
        return not point.is_empty and west < point.x < east and south < point.y < north


def rgb(colour: tuple[int, int, int]) -> str:
    """Write a colour for SVG.

    Parameters
    ----------
    colour : tuple of int
        Red, green, blue.

    Returns
    -------
    str
        Such as "#0072b2".

    Examples
    --------
    >>> rgb((0, 114, 178))
    '#0072b2'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)
