"""What the briefing of the public edition says: the grid, and nothing but the grid.

In: the edition. Out: all that the template of the pages asks for. Method: what a briefing holds besides is there, and empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from markupsafe import Markup

from gapmap.crs import working_crs
from gapmap.drawing import Picture, rgb
from gapmap.editions import GAP_CLASSES_KM2, WINDOW_KM2
from gapmap.errors import InputError
from gapmap.maps.grid import grid_facts
from gapmap.maps.languages import phrase
from gapmap.report.pictures import HIGH_MM, LINE, finish, frame, swatch
from gapmap.report.wording import Cells, Writer
from gapmap.styles import WIDTH_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gapmap.editions import Edition

_ROWS = 100  # the most cells that are listed


def public(made: Edition, *, language: str, stretches: Sequence[str]) -> dict[str, Any]:
    """Return what the briefing of the public edition says.

    Parameters
    ----------
    made : Edition
        The edition.
    language : str
        Of the briefing.
    stretches : sequence of str
        None: it holds none.

    Returns
    -------
    dict
        By name in ``report.html``.

    Raises
    ------
    InputError
        If there is no such language, or a stretch is asked for.
    """
    return _Public(made, language).content(stretches)


class _Public(Writer):
    """The briefing of the public edition: the grid, and nothing but the grid."""

    def __init__(self, made: Edition, language: str) -> None:
        super().__init__(made, language)
        self.grid, self.counts = made.table("grid"), made.table("grid_incidents")
        self.run = grid_facts(made, headline="", mark=self.mark)["run"]

    def content(self, stretches: Sequence[str]) -> dict[str, Any]:
        if stretches:
            raise InputError(
                "the public edition holds no stretches, so there are no sheets", hint="leave out --stretch"
            )
        date = self.run["date"]
        return {
            **self.frame(self.run),
            "under": self.said("report_under_public", date=date) if date else "",
            "lines": self.lines(),
            "overview": self.overview(),
            "legend": self.legend(),
            "table_title": self.words["report_cells"],
            "table": self.table(),
            "sheets": [],
            "method": [self.said("grid_withheld"), self.said("assume_declared"), self.said("assume_counts")],
            "aside": None,
            "inputs": Cells([], [], 0),
            "remarks": [],
        }

    def class_words(self, low: float) -> str:
        number = GAP_CLASSES_KM2.index(low)
        last = number + 1 == len(GAP_CLASSES_KM2)
        high = WINDOW_KM2 if last else GAP_CLASSES_KM2[number + 1]
        values = {"from": f"{low:g}"} if last else {"from": f"{low:g}", "to": f"{high:g}"}
        return phrase(self.words["grid_class_last" if last else "grid_class"], values)

    def lines(self) -> list[tuple[str, Markup]]:
        words = self.words
        lines = [(words["report_gap"], self.said("head_grid", n=f"{len(self.grid):,}"))]
        for low in GAP_CLASSES_KM2:
            count = int((self.grid["gap_from_km2"] == low).sum())
            lines.append(("", Markup("{}: {}").format(f"{count:,}", self.class_words(low))))
        if len(self.counts):
            first, last = str(self.counts["year"].min()), str(self.counts["year"].max())
            years = first if first == last else phrase(words["from_to"], {"from": first, "to": last})
            cells = f"{self.counts['cell_id'].nunique():,}"
            told = self.said("report_grid_incidents", n=f"{self.counts['incidents'].sum():,}", cells=cells, years=years)
        else:
            told = self.said("no_incidents")
        return [*lines, (words["incidents"], told), ("", self.said("grid_withheld"))]

    def overview(self) -> Picture:
        if self.grid.empty:
            return finish(frame("overview", (0, 0, 1e5, 1e5), HIGH_MM), self.words, self.run["notice"])
        cells = self.grid.to_crs(working_crs([self.grid]))
        picture = frame("overview", cells.total_bounds, HIGH_MM)
        for number, low in enumerate(GAP_CLASSES_KM2):
            paint = rgb(WIDTH_COLOURS[1 + 2 * number])
            picture.draw(cells.geometry[cells["gap_from_km2"] == low], fill=paint, line=LINE, thick=0.15)
        for cell, count in self.counts.groupby("cell_id")["incidents"].sum().items():
            picture.name_point(cells.geometry[cell].centroid, str(count), kind="number", always=True)
        return finish(picture, self.words, self.run["notice"])

    def legend(self) -> list[tuple[Picture, str]]:
        entries: list[tuple[Picture, str]] = []
        for number, low in enumerate(GAP_CLASSES_KM2):
            picture = swatch(f"legend-{number}", rgb(WIDTH_COLOURS[1 + 2 * number]))
            entries.append((picture, self.class_words(low)))
        if len(self.counts):
            picture = swatch("legend-n")
            picture.mark([shapely.Point(4.5, 2)], "ring", size=1.6)
            entries.append((picture, self.words["incidents_plain"]))
        return entries

    def table(self) -> Cells:
        words = self.words
        told = self.counts.assign(
            text=[f"{year}: {n}" for year, n in zip(self.counts["year"], self.counts["incidents"], strict=True)]
        )
        texts = told.groupby("cell_id")["text"].agg("; ".join)
        # Cells with counts first, then those of the higher class.
        order = np.lexsort((self.grid.index, -self.grid["gap_from_km2"], ~self.grid.index.isin(texts.index)))
        rows = []
        for cell in self.grid.index[order][:_ROWS]:
            west, south, east, north = self.grid.geometry[cell].bounds
            middle = self.apart(f"{(south + north) / 2:.3f}, {(west + east) / 2:.3f}")
            low, high = (f"{self.grid[column][cell]:g}" for column in ("gap_from_km2", "gap_to_km2"))
            gap = self.said("from_to", **{"from": low, "to": high})
            rows.append([str(cell), middle, gap, texts.get(cell, "-")])
        heads = [words["report_cell"], words["report_middle"], words["report_grid_gap"], words["incidents_plain"]]
        return Cells(heads, rows, 4, "cells", self.more(len(rows), len(self.grid)))
