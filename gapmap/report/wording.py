"""How a briefing puts things: figures with their units, sentences of the catalogue, the frame of its pages.

In: an edition and a language. Out: texts and markup, every value in them escaped. Method: the facts that the map shows, in
the words of the map's catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gapmap import tables
from gapmap.maps.languages import catalogue, phrase, phrase_html
from gapmap.maps.layers import facts
from gapmap.summary import rank
from gapmap.widths import widths_along

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from gapmap.editions import Edition


@dataclass(frozen=True)
class Cells:
    """A table: so many columns of text, then columns of figures; what to say of rows left out."""

    heads: list[str]
    rows: list[list[str]]
    texts: int
    kind: str = ""
    more: str = ""


class Writer:
    """What both kinds of briefing say: the frame, and how figures are written.

    Parameters
    ----------
    made : Edition
        What the briefing may hold.
    language : str
        Of the briefing.
    """

    def __init__(self, made: Edition, language: str) -> None:
        self.made = made
        self.words = catalogue(language)
        self.mark = phrase(self.words[f"edition_{made.name}"], {"force": made.force_label})

    def km(self, metres: float | None, decimals: int = 1) -> str:
        """Write metres as kilometres."""
        return self.unit("km", None if metres is None else metres / 1000, decimals)

    def unit(self, unit: str, value: float | None, decimals: int = 0) -> str:
        """Write a figure with its unit, "-" for one that is not known."""
        if value is None:
            return "-"
        return phrase(self.words[unit], {"n": f"{value:,.{decimals}f}"})

    def said(self, key: str, **values: str) -> Markup:
        """Say a sentence of the catalogue with values in it, all escaped."""
        return self.told(self.words[key], values)

    def told(self, template: str, values: Mapping[str, str]) -> Markup:
        """Say a sentence with values in it, all escaped."""
        apart = {name: self.apart(text) for name, text in values.items()}
        return Markup(phrase_html(template, apart))  # noqa: S704 - phrase_html escapes both

    def frame(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the first and the last pages say of the run."""
        versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items() if name != "format")
        made = [
            (self.words["edition"], self.made.recipe),
            (self.words["report_versions"], versions),
            (self.words["created"], run["created"]),
            (self.words["crs"], run["crs"]),
            *((each["label"], each["text"]) for each in run["reach"]),
            *((self.words["report_source"], text) for text in run["attributions"]),
        ]
        return {
            "title": run["title"],
            "mark": self.mark,
            "notice": run["notice"],
            "made": [(name, text) for name, text in made if text],
        }

    def apart(self, text: str) -> str:
        """Keep a value in its own order among words that run to the left; what makes PDF heeds no markup for it."""
        return f"\u2068{text}\u2069" if self.words["_direction"] == "rtl" else text

    @staticmethod
    def file(name: str) -> Markup:
        """Write the name of a file as a file system shows it: from the left, whatever letters it begins with."""
        return Markup('<bdi dir="ltr">{}</bdi>').format(name)

    def more(self, shown: int, of: int) -> str:
        """Say how many rows are not shown, "" where all are."""
        return phrase(self.words["report_more"], {"n": f"{of - shown:,}"}) if of > shown else ""


class Known(Writer):
    """What the pages of a full or partner edition are written and drawn from.

    Parameters
    ----------
    made : Edition
        Full or partner.
    language : str
        Of the briefing.
    """

    def __init__(self, made: Edition, language: str) -> None:
        super().__init__(made, language)
        self.facts = facts(made, words=self.words, points=None, headline="", mark=self.mark)
        self.run = self.facts["run"]
        self.limit_m = float(self.run["max_width_m"])
        self.labels = {each["key"]: each["label"] for each in self.facts["forces"]}
        self.stretches = made.table("stretches")
        self.ranked = rank(self.stretches)
        self.records = {each["id"]: each for each in self.facts["stretches"]}
        self.numbers = {str(key): number for number, key in enumerate(self.ranked, 1)}
        self.widths = widths_along(
            self.stretches, *(made.table(name) for name in ("centrelines", "transects", "facets"))
        )
        self.with_rows = tables.shares_points(made.table("run"))

    def name(self, record: Mapping[str, Any]) -> str:
        """Return the name of a stretch in the words of the page."""
        return str(record.get("label") or record["name"] or record["id"])

    def transects(self, key: str) -> gpd.GeoDataFrame:
        """Return the measuring lines of a stretch in their order along it."""
        table = self.made.table("transects")
        return table[table["stretch_id"] == key].sort_values("along_m", kind="stable")
