"""How the layers of a saved result look in QGIS.

In: the forces and the maximum width. Out: one QML text a layer. Method: QGIS 3 renderers written with ElementTree, so
that a force may be called anything. The colours hold for colour-blind readers and rank by lightness in greyscale.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Colour = tuple[int, int, int]

# After Okabe and Ito, without red and green: no force is the friend. A scenario with more forces starts again.
FORCE_COLOURS: Sequence[Colour] = ((0, 114, 178), (230, 159, 0), (204, 121, 167), (86, 180, 233), (148, 119, 66))
# The widths at which a class begins, as shares of the limit: 0, 2, 5, 10 and 15 km of 20.
WIDTH_CLASSES: Sequence[float] = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
# Narrow to wide, light to dark (ColorBrewer YlOrRd).
WIDTH_COLOURS: Sequence[Colour] = ((255, 255, 178), (254, 204, 92), (253, 141, 60), (240, 59, 32), (189, 0, 38))
_GROUND: Sequence[tuple[str, str, Colour]] = (
    ("covered", "declared cover", (198, 206, 214)),
    ("overlap", "overlap", (140, 150, 160)),
    ("corridor", "corridor", (240, 59, 32)),
    ("beyond", "wider than the limit", (128, 60, 120)),
    ("interior", "gap inside one force", (244, 200, 150)),
    ("excluded", "left out", (170, 200, 230)),
    ("open", "other ground", (245, 245, 240)),
)
_INK: Colour = (40, 40, 40)
_SHAPES: Mapping[str, str] = {"Point": "posts", "Line": "routes", "Polygon": "areas"}  # as they are drawn


def qml(forces: Sequence[str], *, max_width_m: float) -> Mapping[str, str]:
    """Write the styles of a result's layers.

    Parameters
    ----------
    forces : sequence of str
        In alphabetical order; each takes the next colour.
    max_width_m : float
        The widest a corridor can be, in metres; widths are shown in classes up to it (``WIDTH_CLASSES``).

    Returns
    -------
    mapping of str to str
        QML by table name.

    Examples
    --------
    >>> sorted(qml(["federal", "regional"], max_width_m=20_000))  # doctest: +NORMALIZE_WHITESPACE
    ['boundaries', 'centrelines', 'corridors', 'cover', 'facets', 'ground', 'incidents', 'places', 'stretches',
     'transects', 'zones']
    """
    colours = [FORCE_COLOURS[i % len(FORCE_COLOURS)] for i in range(len(forces))]
    by_force = list(zip(forces, forces, colours, strict=True))
    return {
        "cover": _categorised("force", [(v, text, _fill(c, 0.35, c)) for v, text, c in by_force]),
        "corridors": _by_width("width_mean_m", max_width_m, _area),
        "stretches": _by_width("width_mean_m", max_width_m, lambda c: _fill(c, 0.7, _INK), label="name"),
        "facets": _by_width("(width_start_m + width_end_m) / 2", max_width_m, _area),
        "transects": _by_width("width_m", max_width_m, lambda c: _line(tuple(v * 3 // 4 for v in c), 0.4)),
        "centrelines": _single(_line(_INK, 0.5, "dash")),
        "ground": _categorised("kind", [(v, text, _fill(c, 0.6, None)) for v, text, c in _GROUND]),
        "incidents": _categorised(
            "location_precision",
            [
                ("exact", "position exact", _marker("circle", _INK, 2.4)),
                ("near", "position near", _marker("circle", (120, 120, 120), 2.0)),
                ("area", "position somewhere in the area", _marker("circle", None, 2.0)),
            ],
        ),
        "places": _single(_marker("square", (255, 255, 255), 1.6), label="name"),
        "zones": _by_geometry(by_force),
        "boundaries": _single(_outline((120, 120, 120))),
    }


def grid_qml(edges_km2: Sequence[float]) -> Mapping[str, str]:
    """Write the styles of the public grid.

    Parameters
    ----------
    edges_km2 : sequence of float
        Where the classes of gap begin.

    Returns
    -------
    mapping of str to str
        QML by table name: the grid with a fill for each class, light to dark; its incidents, of which a cell has a row for
        each year, as outlines.

    Examples
    --------
    >>> grid_qml([135, 450])["grid"].count("<range ")
    2
    """
    ends = [*edges_km2[1:], None]
    classes = [
        (edge, edge, f"{edge:g} km2 and more" if end is None else f"{edge:g} to {end:g} km2")
        for edge, end in zip(edges_km2, ends, strict=True)
    ]
    fills = [_fill(colour, 0.7, _INK) for colour in WIDTH_COLOURS[1::2]]
    return {"grid": _graded("gap_from_km2", classes, fills), "grid_incidents": _single(_outline(_INK))}


Symbol = tuple[str, str, Mapping[str, str]]  # type of symbol, class of its layer, properties


def _fill(colour: Colour, opacity: float, edge: Colour | None) -> Symbol:
    outline = {"outline_style": "no"} if edge is None else {"outline_color": _rgba(edge), "outline_width": "0.3"}
    return "fill", "SimpleFill", {"color": _rgba(colour, opacity), "style": "solid", **outline}


def _outline(colour: Colour) -> Symbol:
    return "fill", "SimpleFill", {"style": "no", "outline_color": _rgba(colour), "outline_width": "0.2"}


def _area(colour: Colour) -> Symbol:
    return _fill(colour, 0.8, None)


def _line(colour: tuple[int, ...], width_mm: float, style: str = "solid") -> Symbol:
    return "line", "SimpleLine", {"line_color": _rgba(colour), "line_width": f"{width_mm:g}", "line_style": style}


def _marker(shape: str, colour: Colour | None, size_mm: float) -> Symbol:
    fill = "0,0,0,0" if colour is None else _rgba(colour)
    return (
        "marker",
        "SimpleMarker",
        {"name": shape, "color": fill, "outline_color": _rgba(_INK), "size": f"{size_mm:g}"},
    )


def _rgba(colour: tuple[int, ...], opacity: float = 1) -> str:
    return ",".join(str(value) for value in (*colour, round(255 * opacity)))


def _single(symbol: Symbol, *, label: str = "") -> str:
    renderer = ET.Element("renderer-v2", type="singleSymbol", enableorderby="0", forceraster="0")
    return _document(renderer, [symbol], label=label)


def _categorised(column: str, categories: Sequence[tuple[str, str, Symbol]]) -> str:
    renderer = ET.Element("renderer-v2", type="categorizedSymbol", attr=column, enableorderby="0", forceraster="0")
    parent = ET.SubElement(renderer, "categories")
    for i, (value, label, _) in enumerate(categories):
        ET.SubElement(parent, "category", symbol=str(i), value=value, label=label, render="true", type="string")
    return _document(renderer, [symbol for _, _, symbol in categories])


def _by_width(expression: str, max_width_m: float, symbol: Callable[[Colour], Symbol], *, label: str = "") -> str:
    edges = [share * max_width_m for share in WIDTH_CLASSES]
    classes = [(lower, upper, f"{lower / 1000:g} to {upper / 1000:g} km") for lower, upper in pairwise(edges)]
    return _graded(expression, classes, [symbol(colour) for colour in WIDTH_COLOURS], label=label)


def _graded(
    expression: str, classes: Sequence[tuple[float, float, str]], symbols: Sequence[Symbol], *, label: str = ""
) -> str:
    renderer = ET.Element(
        "renderer-v2", type="graduatedSymbol", attr=expression, graduatedMethod="GraduatedColor", enableorderby="0"
    )
    parent = ET.SubElement(renderer, "ranges")
    for i, (lower, upper, text) in enumerate(classes):
        ET.SubElement(
            parent, "range", symbol=str(i), lower=f"{lower:.3f}", upper=f"{upper:.3f}", label=text, render="true"
        )
    return _document(renderer, symbols, label=label)


def _by_geometry(by_force: Sequence[tuple[str, str, Colour]]) -> str:
    """Rules, since a post, a route and an area need symbols of three types in one layer."""
    renderer = ET.Element("renderer-v2", type="RuleRenderer", enableorderby="0", forceraster="0")
    parent = ET.SubElement(renderer, "rules", key="all")
    symbols: list[Symbol] = []
    for force, label, colour in by_force:
        quoted = force.replace("'", "''")
        shapes = {
            "Point": _marker("circle", colour, 2.6),
            "Line": _line(colour, 0.7),
            "Polygon": _fill(colour, 0.3, colour),
        }
        for shape, symbol in shapes.items():
            ET.SubElement(
                parent,
                "rule",
                key=f"rule{len(symbols)}",
                symbol=str(len(symbols)),
                label=f"{label}: {_SHAPES[shape]}",
                # $geometry, since QGIS before 3.28 knows no @geometry and would draw nothing.
                filter=f"\"force\" = '{quoted}' AND geometry_type($geometry) = '{shape}'",
            )
            symbols.append(symbol)
    return _document(renderer, symbols)


def _document(renderer: ET.Element, symbols: Sequence[Symbol], *, label: str = "") -> str:
    parent = ET.SubElement(renderer, "symbols")
    for i, (kind, layer_class, properties) in enumerate(symbols):
        symbol = ET.SubElement(parent, "symbol", type=kind, name=str(i), alpha="1", clip_to_extent="1", force_rhr="0")
        layer = ET.SubElement(symbol, "layer", {"class": layer_class, "enabled": "1", "locked": "0", "pass": "0"})
        options = ET.SubElement(layer, "Option", type="Map")
        for name, value in properties.items():
            ET.SubElement(options, "Option", name=name, type="QString", value=value)
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology|Labeling", labelsEnabled=str(int(bool(label))))
    root.append(renderer)
    if label:
        root.append(_labels(label))
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")


def _labels(column: str) -> ET.Element:
    """Write a column's text beside what it names, on a white rim that reads on any colour."""
    labeling = ET.Element("labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    style = ET.SubElement(
        settings,
        "text-style",
        fieldName=column,
        isExpression="0",
        fontSize="8",
        fontSizeUnit="Point",
        textColor=_rgba(_INK),
    )
    ET.SubElement(
        style, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM", bufferColor=_rgba((255, 255, 255))
    )
    ET.SubElement(settings, "placement", placement="0", dist="1", distUnits="MM")
    return labeling
