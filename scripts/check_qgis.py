"""Load saved results into QGIS and hold it to the styles stored in them.

In: GeoPackages, and where to put a picture. Out: what is wrong, and exit code 1. Method: QGIS itself, headless, through
the bindings of the system's Python, which knows no gapmap (Debian: python3-qgis); run by ``make test-qgis``.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["OGR_SQLITE_JOURNAL"] = "DELETE"  # looking at a file leaves none beside it

try:
    from qgis.core import (
        Qgis,
        QgsApplication,
        QgsExpressionContext,
        QgsExpressionContextUtils,
        QgsMapRendererSequentialJob,
        QgsMapSettings,
        QgsRenderContext,
        QgsVectorLayer,
    )
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor
except ImportError:
    sys.exit("QGIS is not here. Debian and Ubuntu: apt-get install --no-install-recommends python3-qgis")

# From the bottom up, as somebody would lay them; facets would hide the corridors.
PICTURE = ("boundaries", "ground", "cover", "stretches", "centrelines", "transects", "zones", "incidents", "places")
LABELLED = {"places", "stretches"}
# How a renderer of each kind names its classes in the file.
CLASSES = {
    "categorizedSymbol": "category",
    "graduatedSymbol": "range",
    "RuleRenderer": "rule",
    "singleSymbol": "symbol",
}


def main() -> int:
    """Check the files named on the command line.

    Returns
    -------
    int
        0 if every style loads and draws every row, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--picture", type=Path, required=True, help="a PNG of gaps.gpkg")
    given = parser.parse_args()
    application = QgsApplication([], False)  # no window
    application.initQgis()
    print(f"QGIS {Qgis.QGIS_VERSION}")
    problems = [f"{path.name}: {line}" for path in given.results for line in check(path)]
    problems += draw(next(path for path in given.results if path.name == "gaps.gpkg"), given.picture)
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


def check(path: Path) -> list[str]:
    """Return what is wrong with the styles of a file."""
    with closing(sqlite3.connect(path)) as database:
        stored = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault"))
        layers = [name for (name,) in database.execute("SELECT table_name FROM gpkg_geometry_columns")]
    problems = [f"{name}: has no style" for name in layers if name not in stored]
    problems += [f"{name}: a style of no layer" for name in stored if name not in layers]
    for name in sorted(set(layers) & set(stored)):
        layer = open_layer(path, name)
        written = ET.fromstring(stored[name])  # noqa: S314 - our own file
        problems += [f"{name}: {line}" for line in differences(layer, written)]
        drawn, rows = count_drawn(layer)
        if drawn < rows:
            problems.append(f"{name}: {rows - drawn} of {rows} rows are not drawn")
        renderer = layer.renderer()
        print(
            f"{path.name}: {name}: {renderer.type()}, {len(renderer.legendSymbolItems())} classes, {drawn} rows drawn"
        )
    return problems


def open_layer(path: Path, name: str) -> Any:  # noqa: ANN401 - QGIS has no types
    """Open a layer as somebody does who drags the file in: its default style comes with it."""
    layer = QgsVectorLayer(f"{path}|layername={name}", name, "ogr")
    if not layer.isValid():
        raise SystemExit(f"{path.name}: QGIS cannot open {name}")
    return layer


def differences(layer: Any, written: ET.Element) -> list[str]:  # noqa: ANN401
    """Return where what QGIS understood is not what the style says."""
    problems = []
    parent = written.find("renderer-v2")
    kind = "" if parent is None else parent.get("type", "")
    renderer = layer.renderer()
    if renderer.type() != kind:
        return [f"is drawn as {renderer.type()}, not {kind}"]
    items = renderer.legendSymbolItems()
    classes = list(written.iter(CLASSES[kind]))
    if [item.label() for item in items] != [each.get("label", "") for each in classes]:
        problems.append("its classes have other labels")
    colours = [
        tuple(int(part) for part in option.get("value", "").split(","))
        for symbol in written.iter("symbol")
        for option in symbol.iter("Option")
        if option.get("name") in ("color", "line_color")
    ]
    # An outline alone has no colour of its own.
    if colours and [item.symbol().color().getRgb() for item in items] != colours:
        problems.append("its classes have other colours")
    if layer.labelsEnabled() != (layer.name() in LABELLED):
        problems.append(f"labels are {'on' if layer.labelsEnabled() else 'off'}")
    elif layer.labelsEnabled() and layer.labeling().settings().fieldName not in layer.fields().names():
        problems.append("its labels are of no column")
    return problems


def count_drawn(layer: Any) -> tuple[int, int]:  # noqa: ANN401
    """Return how many rows the style draws, and how many there are."""
    context = QgsRenderContext()
    scope = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    renderer = layer.renderer().clone()
    context.setExpressionContext(scope)
    renderer.startRender(context, layer.fields())
    drawn = rows = 0
    for feature in layer.getFeatures():
        scope.setFeature(feature)
        context.setExpressionContext(scope)
        drawn += renderer.willRenderFeature(feature, context)
        rows += 1
    renderer.stopRender(context)
    return drawn, rows


def draw(path: Path, picture: Path) -> list[str]:
    """Draw the layers of a result one upon the other; return what is wrong with the picture."""
    layers = {name: open_layer(path, name) for name in PICTURE}
    settings = QgsMapSettings()
    settings.setLayers(list(layers.values())[::-1])  # the first is on top
    settings.setDestinationCrs(layers["ground"].crs())
    settings.setExtent(layers["ground"].extent())
    settings.setOutputSize(QSize(1600, 1200))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    if not image.save(str(picture)):
        return [f"{picture} cannot be written"]
    print(f"Wrote {picture}")
    problems = [f"{error.layerID}: {error.message}" for error in job.errors()]
    labelled = {label.layerID for label in job.takeLabelingResults().allLabels()}
    problems += [f"{name}: no label in the picture" for name in sorted(LABELLED) if layers[name].id() not in labelled]
    seen = {image.pixelColor(x, y).rgb() for x in range(0, 1600, 4) for y in range(0, 1200, 4)}
    if len(seen) < 50:  # noqa: PLR2004 - a blank sheet has one colour
        problems.append(f"the picture has {len(seen)} colours: it is as good as empty")
    return problems


if __name__ == "__main__":
    sys.exit(main())
