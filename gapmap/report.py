"""The briefing: an edition on A4 pages, as HTML or PDF.

In: an edition, and the stretches that get a sheet. Out: one HTML text without scripts, and the file it is saved to. Method:
what a page shows is read from the edition's tables and nothing else, so that it can hold no more than the edition; every
text goes through a template that escapes it; PDF is made from that same HTML.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import geopandas as gpd
import jinja2
import mgrs
import numpy as np
import shapely
from markupsafe import Markup

from gapmap import tables
from gapmap.crs import WGS84, bearings, working_crs
from gapmap.drawing import Picture, rgb
from gapmap.editions import GAP_CLASSES_KM2, WINDOW_KM2
from gapmap.errors import InputError
from gapmap.maps.grid import grid_facts
from gapmap.maps.languages import catalogue, phrase, phrase_html
from gapmap.maps.layers import facts, places_said
from gapmap.maps.page import check_page, own_asset
from gapmap.overlay import nearest_zones
from gapmap.styles import FORCE_COLOURS, WIDTH_CLASSES, WIDTH_COLOURS
from gapmap.summary import TOP, count_reasons, rank, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from gapmap.editions import Edition

NEAR_M = 10_000.0  # places so far from a stretch are on its sheet
EQUAL_M = 100.0  # ways that differ by less are equally long
CLOSE_M = 1_000.0  # two hand-over points as near as this may be one
_ROWS, _PLACES, _YEARS, _ZONES = 100, 6, 10, 12  # the most of each that is listed
_WIDE_MM, _HIGH_MM, _SHEET_MM, _CHART_MM = 180.0, 150.0, 74.0, 21.0
_MGRS_FIGURES = 4  # of easting and northing: squares of 10 m
_LINE, _GREY = "#000", "#777"
# Invisible marks that turn the text after them around: in a name, they would write the figures beside it backwards.
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), 0x2066, 0x2067])


def build_report(made: Edition, *, language: str = "en", stretches: Sequence[str] = ()) -> str:
    """Write the briefing of an edition.

    Parameters
    ----------
    made : Edition
        From `gapmap.editions.edition`. The public one gives the grid and its counts, and no sheets.
    language : str
        "en", "ar" (Arabic), "ckb" (Kurdish, Sorani) or "kmr" (Kurdish, Badini).
    stretches : sequence of str
        Ids of those that get a sheet; the five of the largest mean width unless given.

    Returns
    -------
    str
        HTML that loads and runs nothing.

    Raises
    ------
    InputError
        If there is no such language or stretch.
    AssetError
        If the finished page holds anything that could load or run.

    Notes
    -----
    The proposed hand-over point of a stretch is the middle of one of its measuring lines: of those whose middle lies in
    the stretch, the one where both declared covers are equally near, to 100 m; of several, the shortest; then the first
    along the middle line. It rests on declared cover alone, so that every edition with sheets proposes the same point.
    Each stretch is looked at alone: where the gap is narrow at the seam of two, their points lie close together. A sheet
    says so where the point of another sheet is within 1 km.
    """
    writer = _Public(made, language) if made.name == "public" else _Whole(made, language)
    content = writer.content(stretches)
    drawn = [content["overview"], *(each["map"] for each in content["sheets"])]
    drawn += [each["chart"] for each in content["sheets"] if each["chart"]]
    foot = " · ".join(text for text in (content["mark"], content["notice"]) if text).translate(_TURNING)
    style = own_asset("report.css").replace('"{foot}"', _css_text(foot))
    style += "".join(
        f"#{each.name}{{height:{each.height_mm:g}mm;width:{each.width_mm:g}mm}}{each.rules()}" for each in drawn
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = _template().render(**content, words=writer.words, style=style, policy=policy).translate(_TURNING)
    check_page(page, [])
    return page


def save(page: str, path: str | Path) -> Path:
    """Write a briefing to a file.

    Parameters
    ----------
    page : str
        From `build_report`.
    path : str or Path
        Its ending says what it becomes: .html or .pdf. Replaced only once it is complete.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        See `require_writer`.
    """
    path = Path(path)
    require_writer(path)
    data = _pdf(page) if path.suffix.lower() == ".pdf" else page.encode()
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def require_writer(path: Path) -> None:
    """Refuse a file that could not be written here, before any work.

    Parameters
    ----------
    path : Path
        Of the briefing.

    Raises
    ------
    InputError
        If it ends in neither .html nor .pdf, or if what makes PDF is not installed.
    """
    ending = path.suffix.lower()
    if ending not in (".html", ".pdf"):
        raise InputError(f"{path.name} ends in neither .html nor .pdf", hint="--out report.html or --out report.pdf")
    if ending == ".html":
        return
    way_out = "or write --out report.html and print it from a browser"
    if find_spec("weasyprint") is None:
        raise InputError("PDF needs weasyprint", hint=f'pip install "gapmap[report]", {way_out}')
    try:
        import weasyprint  # noqa: F401
    except OSError as error:  # it is there, and what it draws letters with is not
        raise InputError(
            "PDF needs the library Pango, which is not on this machine",
            hint=f"on Debian and Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0; on Windows: install MSYS2, then in it"
            f" pacman -S mingw-w64-x86_64-pango; {way_out}",
        ) from error


def _pdf(page: str) -> bytes:
    import weasyprint

    def refuse(url: str, *_: object, **__: object) -> NoReturn:
        raise ValueError(f"a briefing loads nothing, and it asks for {url[:80]}")

    return weasyprint.HTML(string=page, url_fetcher=refuse).write_pdf()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(own_asset("report.html"))


def _css_text(text: str) -> str:
    """Return a text as CSS holds it, each letter by its number: none can end it."""
    return '"' + "".join(f"\\{ord(letter):06x}" for letter in text) + '"'


@dataclass(frozen=True)
class _Cells:
    """A table: so many columns of text, then columns of figures; what to say of rows left out."""

    heads: list[str]
    rows: list[list[str]]
    texts: int
    kind: str = ""
    more: str = ""


class _Writer:
    """What both kinds of briefing say: the frame, and how figures are written."""

    def __init__(self, made: Edition, language: str) -> None:
        self.made = made
        self.words = catalogue(language)
        self.mark = phrase(self.words[f"edition_{made.name}"], {"force": made.force_label})

    def km(self, metres: float | None, decimals: int = 1) -> str:
        return self.unit("km", None if metres is None else metres / 1000, decimals)

    def unit(self, unit: str, value: float | None, decimals: int = 0) -> str:
        if value is None:
            return "-"
        return phrase(self.words[unit], {"n": f"{value:,.{decimals}f}"})

    def said(self, key: str, **values: str) -> Markup:
        apart = {name: self.apart(text) for name, text in values.items()}
        return Markup(phrase_html(self.words[key], apart))  # noqa: S704 - phrase_html escapes both

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

    def picture(self, name: str, bounds: Sequence[float], height_mm: float) -> Picture:
        return Picture(name, bounds, width_mm=_WIDE_MM, height_mm=height_mm)

    def finish(self, picture: Picture, notice: str) -> Picture:
        picture.north(self.words["north"])
        picture.scale_bar(self.words["km"])
        if notice:
            picture.note(notice, "across", 0, picture.height_mm * 0.8)
        return picture

    def swatch(self, name: str) -> Picture:
        return Picture(name, (0, 0, 9, 4), width_mm=9, height_mm=4)

    def apart(self, text: str) -> str:
        """Keep a value in its own order among words that run to the left; what makes PDF heeds no markup for it."""
        return f"\u2068{text}\u2069" if self.words["_direction"] == "rtl" else text

    def more(self, shown: int, of: int) -> str:
        return phrase(self.words["report_more"], {"n": f"{of - shown:,}"}) if of > shown else ""


class _Whole(_Writer):
    """The briefing of a full or partner edition."""

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
        self.with_rows = tables.shares_points(made.table("run"))
        self.summary = summary(made)

    def name(self, record: Mapping[str, Any]) -> str:
        """Return the name of a stretch in the words of the page."""
        return str(record.get("label") or record["name"] or record["id"])

    def content(self, stretches: Sequence[str]) -> dict[str, Any]:
        if wrong := [each for each in stretches if each not in self.numbers]:
            near = {each: ", ".join(difflib.get_close_matches(each, self.numbers)) for each in wrong}
            problems = [f"{each!r}" + (f"; did you mean {near[each]}?" if near[each] else "") for each in wrong]
            raise InputError("no such stretch", problems=problems, hint="their ids: gapmap query RESULT stretches")
        chosen = list(dict.fromkeys(stretches)) or [str(key) for key in self.ranked[:TOP]]
        overs = {each: over for each in chosen if (over := self.over(each))}
        return {
            **self.frame(self.run),
            "under": self.under(),
            "lines": self.lines(),
            "overview": self.overview(chosen),
            "legend": self.legend("legend"),
            "table_title": self.words["list_title"],
            "table": self.table(),
            "sheets": [self.sheet(each, overs) for each in chosen],
            "method": self.method(),
            "aside": self.aside(),
            "inputs": self.inputs(),
            "remarks": [(each["name"], text) for each in self.run["inputs"] for text in each["remarks"]],
        }

    def under(self) -> Markup:
        forces = ", ".join(self.labels.values())
        if self.run["date"]:
            return self.said("report_under_dated", forces=forces, date=self.run["date"])
        return self.said("report_under", forces=forces)

    def between(self, record: Mapping[str, Any]) -> dict[str, str]:
        return {side: self.labels.get(record[f"force_{side}"], record[f"force_{side}"]) for side in "ab"}

    # ---- Page one

    def lines(self) -> list[tuple[str, Markup]]:
        words = self.words
        joint = Markup("{}").format(words["head_joint"])
        corridors, places = self.made.table("corridors"), self.made.table("places")
        limit = self.unit("km", self.limit_m / 1000, 1 if self.limit_m % 1000 else 0)
        if corridors.empty:
            gap = self.said("head_corridors_none", limit=limit)
        else:
            gap = self.said(
                "head_corridors_one" if len(corridors) == 1 else "head_corridors",
                n=str(len(corridors)),
                length=self.unit("km", corridors["length_km"].sum()),
                widest=self.km(corridors["width_max_m"].max()),
            )
            gap += joint + self.said("report_area", area=self.unit("km2", self.summary["area_km2"]))
        lines = [(words["report_gap"], gap)]
        if len(self.ranked):
            first = self.records[str(self.ranked[0])]
            widths = {"mean": self.km(first["width_mean_m"]), "widest": self.km(first["width_max_m"])}
            lines.append((words["width_max_m"], self.said("report_widest", name=self.name(first), **widths)))
        ground = self.made.table("ground")
        beyond = float(ground.loc[ground["kind"] == "beyond", "area_km2"].sum())
        if beyond:
            values = {"area": self.unit("km2", beyond), "limit": limit}
            length = f"{self.summary['beyond_km']:,.0f}"
            wider = (
                self.said("head_beyond", **values)
                if length == "0"
                else self.said("head_beyond_seam", length=phrase(words["km"], {"n": length}), **values)
            )
        else:
            wider = self.said("report_beyond_none", limit=limit)
        lines.append((words["report_wider"], wider))
        lines.append((words["places"], self.said("report_places", **places_said(places, words))))
        lines.append((words["incidents"], self.incident_line()))
        return lines

    def incident_line(self) -> Markup:
        incidents = self.made.table("incidents")
        read = [each for each in self.run["inputs"] if each["role"] == "incidents"]
        count = len(incidents) if self.with_rows else sum(each["used"] or 0 for each in read)
        if not count:
            return self.said("no_incidents")
        values = {"inside": f"{self.stretches['incidents_count'].sum():,}", "all": f"{count:,}"}
        first = incidents["date_from"].min()
        if first == first:  # noqa: PLR0124 - NaT: no incident carries a date, or the rows are not here
            said = self.said("head_incidents_since", year=str(first.year), **values)
        else:
            said = self.said("head_incidents", **values)
        if not self.with_rows:  # it takes the positions to tell
            return said
        certain = f"{self.summary['incidents_inside_certain']:,}"
        return said + Markup("{}").format(self.words["head_joint"]) + self.said("report_certain", n=certain)

    def colour_of(self, width_m: float) -> str:
        edges = np.array(WIDTH_CLASSES[1:-1]) * self.limit_m
        return rgb(WIDTH_COLOURS[int(np.searchsorted(edges, width_m, side="right"))])

    def hatch(self, picture: Picture, number: int) -> str:
        return picture.hatching(number, FORCE_COLOURS[number % len(FORCE_COLOURS)])

    def ground_below(self, picture: Picture) -> None:
        cover, ground = self.made.table("cover"), self.made.table("ground")
        picture.draw(ground.geometry[ground["kind"] == "excluded"], fill="#ddd")
        picture.draw(ground.geometry[ground["kind"] == "beyond"], fill=picture.dots(), line=_GREY, thick=0.15)
        for number, shape in enumerate(cover.geometry):
            picture.draw([shape], fill=self.hatch(picture, number), line="#333", thick=0.25)

    def borders(self, picture: Picture) -> None:
        outlines = self.made.table("boundaries").geometry
        picture.draw(
            np.where(shapely.get_dimensions(outlines) > 1, shapely.boundary(outlines), outlines),
            line="#444",
            thick=0.2,
            dash="2.5 0.8 0.5 0.8",
        )

    def overview(self, chosen: Sequence[str]) -> Picture:
        cover = self.made.table("cover")
        shown = gpd.GeoSeries([*cover.geometry, *self.stretches.geometry], crs=self.stretches.crs)
        picture = self.picture("overview", shown.total_bounds if len(shown) else (0, 0, 1e5, 1e5), _HIGH_MM)
        self.ground_below(picture)
        self.fill_stretches(picture, self.stretches)
        self.borders(picture)
        for key in chosen:
            self.number(picture, key)
        self.name_places(picture, most=25)
        return self.finish(picture, self.run["notice"])

    def number(self, picture: Picture, key: str) -> None:
        # On the middle line, as a point inside a bent stretch can lie at its rim.
        lines = self.transects(key)
        point = (
            _middles(lines).iloc[len(lines) // 2] if len(lines) else self.stretches.geometry[key].representative_point()
        )
        picture.name_point(point, str(self.numbers[key]), kind="number", always=True)

    def fill_stretches(self, picture: Picture, table: gpd.GeoDataFrame) -> None:
        """Fill stretches by their mean width; those of one class are one path."""
        paints = np.array([self.colour_of(width_m) for width_m in table["width_mean_m"]])
        for paint, shapes in table.geometry.groupby(paints):
            picture.draw(shapes, fill=paint, line=_LINE, thick=0.25)

    def name_places(self, picture: Picture, *, most: int) -> None:
        """Write the names of the largest places that are in the picture, those in stretches first."""
        table = self.made.table("places")
        labels = dict(zip(table.index, (each["label"] for each in self.facts["places"]), strict=True))
        west, south, east, north = picture.bounds
        seen = table[shapely.intersects(shapely.box(west, south, east, north), table.geometry.to_numpy())]
        order = np.lexsort((-seen["population"].fillna(0), seen["stretch_id"] == ""))
        for key in seen.index[order][:most]:
            before = len(picture.labels)
            picture.name_point(table.geometry[key], labels[key])
            if len(picture.labels) > before:
                picture.mark([table.geometry[key]], "dot", size=0.6)

    def legend(self, name: str, *, sheet: bool = False) -> list[tuple[Picture, str]]:
        """Return swatches and what they stand for."""
        words = self.words
        entries: list[tuple[Picture, str]] = []

        def swatch(fill: str | None = None) -> Picture:
            picture = self.swatch(f"{name}-{len(entries)}")
            if fill:
                picture.draw([shapely.box(0, 0, 9, 4)], fill=fill, line=_LINE)
            return picture

        for number, label in enumerate(self.labels.values()):
            picture = swatch()
            picture.draw([shapely.box(0, 0, 9, 4)], fill=self.hatch(picture, number), line=_LINE)
            entries.append((picture, phrase(words["cover_of"], {"force": label})))
        if sheet:
            marks = [("cross", words["report_over"], 0.9)]
            marks += [("ring", words["incidents"], 0.6)] if len(self.made.table("incidents")) else []
            marks += [("square", words["report_posts"], 0.8)] if len(self.made.table("zones")) else []
            for shape, text, size in marks:
                picture = swatch()
                picture.mark([shapely.Point(4.5, 2)], shape, size=size)
                entries.append((picture, text))
            return entries
        for (low, high), colour in zip(pairwise(WIDTH_CLASSES), WIDTH_COLOURS, strict=True):
            edges = {"from": f"{low * self.limit_m / 1000:g}", "to": f"{high * self.limit_m / 1000:g}"}
            figures = {"n": phrase(words["from_to"], edges)}
            entries.append(
                (swatch(rgb(colour)), phrase(words["report_mean_of"], {"width": phrase(words["km"], figures)}))
            )
        if (self.made.table("ground")["kind"] == "beyond").any():
            picture = swatch()
            picture.draw([shapely.box(0, 0, 9, 4)], fill=picture.dots(), line=_LINE)
            limit = self.unit("km", self.limit_m / 1000, 1 if self.limit_m % 1000 else 0)
            entries.append((picture, phrase(words["beyond"], {"limit": limit})))
        return entries

    # ---- The table

    def table(self) -> _Cells:
        words = self.words
        heads = [words["report_number"], words["stretch"], words["report_between"]]
        heads += [
            phrase(words["report_in_km"], {"what": words[key]}) for key in ("width_mean_m", "width_max_m", "length_km")
        ]
        heads += [words["report_area_km2"], words["incidents"], words["places"]]
        rows = []
        for number, key in enumerate(self.ranked[:_ROWS], 1):
            each = self.records[str(key)]
            figures = (
                _figure(each["width_mean_m"], 1000),
                _figure(each["width_max_m"], 1000),
                _figure(each["length_km"]),
                _figure(each["area_km2"]),
            )
            pair = self.said("between_forces", **self.between(each))
            rows.append(
                [str(number), self.name(each), pair, *figures, f"{each['incidents_count']:,}", f"{each['places']:,}"]
            )
        return _Cells(heads, rows, 3, "stretches", self.more(len(rows), len(self.ranked)))

    # ---- A sheet

    def transects(self, key: str) -> gpd.GeoDataFrame:
        table = self.made.table("transects")
        return table[table["stretch_id"] == key].sort_values("along_m", kind="stable")

    def over(self, key: str) -> HandOver | None:
        forces = (self.records[key][f"force_{side}"] for side in "ab")
        covers = (self.made.table("cover").geometry[force] for force in forces)
        return hand_over(self.transects(key), self.stretches.geometry[key], *covers)

    def sheet(self, key: str, overs: Mapping[str, HandOver]) -> dict[str, Any]:
        words, each, lines = self.words, self.records[key], self.transects(key)
        over = overs.get(key)
        figures = [
            (words["width_mean_m"], self.km(each["width_mean_m"])),
            (words["width_min_m"], self.km(each["width_min_m"])),
            (words["width_max_m"], self.km(each["width_max_m"])),
            (words["length_km"], self.unit("km", each["length_km"], 1)),
            (words["area_km2"], self.unit("km2", each["area_km2"], 1)),
            (words["incidents_count"], f"{each['incidents_count']:,}"),
            (words["incidents_certain"], f"{each['incidents_certain']:,}"),
        ]
        near = self.near(key)
        number = self.numbers[key]
        return {
            "id": key,
            "number": number,
            "name": self.name(each),
            "between": self.said("between_forces", **self.between(each)),
            "near_limit": bool(each["near_limit"]),
            "map": self.small_map(key, lines, over, name=f"map{number}"),
            "legend": self.legend(f"legend{number}", sheet=True),
            "figures": figures,
            "chart": self.chart(key, lines, over, name=f"chart{number}"),
            "over": None
            if over is None
            else self.proposal(each, over, {name: overs[name] for name in overs if name != key}),
            "facing": [self.facing(each, side) for side in "ab"],
            "years": self.years(key),
            "said": self.said_of_incidents(each),
            "near_title": phrase(words["report_near"], {"near": self.km(NEAR_M, 0)}),
            "places": self.places(each, near),
        }

    def small_map(self, key: str, lines: gpd.GeoDataFrame, over: HandOver | None, *, name: str) -> Picture:
        shape = self.stretches.geometry[key]
        zones = self.made.table("zones")
        facing = {each for side in "ab" for each in str(self.stretches[f"facing_{side}"][key]).split("; ")}
        posts = zones.geometry[zones.index.isin(facing) & (zones["kind"] == "post")]  # routes and areas may be long
        west, south, east, north = shapely.total_bounds([shape, *posts])
        room = 0.08 * max(east - west, north - south)
        picture = self.picture(name, (west - room, south - room, east + room, north + room), _SHEET_MM)
        self.ground_below(picture)
        picture.draw(self.stretches.geometry[self.stretches.index != key], fill="#fff", line=_LINE, thick=0.25)
        self.fill_stretches(picture, self.stretches.loc[[key]])
        picture.draw(lines.geometry, line=_LINE, thick=0.12)
        picture.draw(self.made.table("centrelines").geometry, line=_LINE, thick=0.4, dash="1.6 0.9")
        self.borders(picture)
        self.zones(picture)
        picture.mark(self.made.table("incidents").geometry, "ring", size=0.6)
        if len(lines) > 1:
            ends = shapely.get_coordinates(_middles(lines).iloc[[0, -1]].to_numpy())
            # A little outside, so that the letters cover no mark.
            out = 3.5 * picture.metres_per_mm * (ends[0] - ends[1]) / max(np.hypot(*(ends[0] - ends[1])), 1e-9)
            for letter, at in zip("AB", (ends[0] + out, ends[1] - out), strict=True):
                picture.name_point(shapely.Point(at), letter, kind="end", always=True)
        if over is not None:
            picture.mark([over.point], "cross", size=1.2)
        self.name_places(picture, most=12)
        return self.finish(picture, self.run["notice"])

    def zones(self, picture: Picture) -> None:
        zones = self.made.table("zones")
        dimensions = shapely.get_dimensions(zones.geometry.to_numpy())
        picture.draw(zones.geometry[dimensions == 1], line=_LINE, thick=0.6)
        picture.mark(shapely.get_parts(zones.geometry[dimensions == 0].to_numpy()), "square", size=0.8)

    def chart(self, key: str, lines: gpd.GeoDataFrame, over: HandOver | None, *, name: str) -> Picture | None:
        """Return the width along the middle line, on the scale of the limit, so that sheets can be compared."""
        if len(lines) < 2:  # noqa: PLR2004 - a line needs two ends
            return None
        left, right, top, bottom = 12.0, _WIDE_MM - 6, _CHART_MM - 2, 5.0
        start, end = (float(self.stretches[column][key]) for column in ("from_m", "to_m"))
        picture = Picture(name, (0, 0, _WIDE_MM, _CHART_MM), width_mm=_WIDE_MM, height_mm=_CHART_MM)

        def at(along_m: Any, width_m: Any) -> Any:  # noqa: ANN401 - figures or arrays of them
            x = left + (along_m - start) / (end - start) * (right - left)
            return np.column_stack([x, bottom + np.minimum(width_m / self.limit_m, 1) * (top - bottom)])

        curve = at(lines["along_m"].to_numpy(), lines["width_m"].to_numpy())
        picture.draw([shapely.Polygon([(curve[0][0], bottom), *curve, (curve[-1][0], bottom)])], fill="#ccc")
        picture.draw([shapely.LineString(curve)], line=_LINE, thick=0.5)
        mean = at(np.array([start, end]), np.array([self.records[key]["width_mean_m"]] * 2))
        picture.draw([shapely.LineString(mean)], line=_LINE, thick=0.2, dash="1.5 1")
        picture.draw([shapely.LineString([(left, top), (left, bottom), (right, bottom)])], line=_LINE)
        if over is not None:
            picture.mark([shapely.Point(at(np.array([over.along_m]), np.array([over.width_m]))[0])], "cross", size=0.9)
        for share in (0, 0.5, 1):
            y = _CHART_MM - bottom - share * (top - bottom)
            picture.note(self.km(share * self.limit_m, 0), "tick", 0.5, y)
        picture.note("A 0", "tick", left, _CHART_MM - 2.4)
        picture.note(f"{self.km(end - start)} B", "tick", right - 12, _CHART_MM - 2.4)
        return picture

    def proposal(self, each: Mapping[str, Any], over: HandOver, others: Mapping[str, HandOver]) -> dict[str, Any]:
        point = gpd.GeoSeries([over.point], crs=self.stretches.crs)
        lon, lat = shapely.get_coordinates(point.to_crs(WGS84))[0]
        zones = self.made.table("zones")
        near = []
        for side, way_m in zip("ab", over.ways_m, strict=True):
            force = each[f"force_{side}"]
            values = {"force": self.labels.get(force, force), "way": self.km(way_m)}
            held = zones[zones["force"] == force]
            if held.empty:
                near.append(self.said("report_over_cover", **values))
                continue
            zone = nearest_zones(point, held)["zone_id"].iloc[0]
            bearing = bearings(over.point, held.geometry.loc[[zone]])[0]
            way = "" if np.isnan(bearing) else f" ({round(bearing) % 360}°)"
            near.append(self.said("report_over_zone", zone=f"{held['name'][zone] or zone}{way}", **values))
        for key, other in others.items():
            way_m = over.point.distance(other.point)
            if way_m <= CLOSE_M:
                near.append(self.said("report_over_close", way=self.km(way_m), name=self.name(self.records[key])))
        return {
            "mgrs": mgrs_words(lat, lon),
            "at": self.apart(f"{lat:.4f}, {lon:.4f}"),
            "width": self.said("width_here", width=self.km(over.width_m)),
            "near": near,
        }

    def facing(self, each: Mapping[str, Any], side: str) -> tuple[str, str]:
        """Return a force, and its zones along the stretch."""
        names = [name for name in str(each[f"facing_{side}"]).split("; ") if name]
        more = self.more(_ZONES, len(names))
        listed = ", ".join(names[:_ZONES]) + (f" ({more})" if more else "")
        return self.between(each)[side], listed or self.words["report_facing_none"]

    def years(self, key: str) -> _Cells | None:
        """Return the incidents of a stretch by the year of their first day; every year that the result holds is a column."""
        incidents = self.made.table("incidents")
        if incidents.empty:
            return None
        years = incidents["date_from"].dt.year.dropna().astype(int)
        counts = Counter(years[incidents["stretch_id"] == key])
        columns = list(range(years.min(), years.max() + 1)) if len(years) else []
        heads, row = [str(year) for year in columns[-_YEARS:]], [str(counts[year]) for year in columns[-_YEARS:]]
        if early := columns[:-_YEARS]:
            heads.insert(0, phrase(self.words["report_until"], {"year": str(early[-1])}))
            row.insert(0, str(sum(counts[year] for year in early)))
        undated = int((incidents["date_from"].isna() & (incidents["stretch_id"] == key)).sum())
        if undated:
            heads.append(self.words["not_known"])
            row.append(str(undated))
        return _Cells([*heads, self.words["report_all"]], [[*row, str(sum(counts.values()) + undated)]], 0, "years")

    def said_of_incidents(self, each: Mapping[str, Any]) -> Markup:
        said = [] if self.with_rows else [self.said("counts_only")]
        if each["deaths_best"] is not None:
            said.append(self.said("report_deaths", n=f"{each['deaths_best']:,.0f}"))
        if each["last_incident"]:
            said.append(self.said("report_last", date=each["last_incident"]))
        return Markup(" ").join(said)

    def near(self, key: str) -> pd.Series:
        """Return the ways from the stretch to the places near it, by place, those inside first."""
        places = self.made.table("places")
        ways = places.distance(self.stretches.geometry[key]).where(places["stretch_id"] != key, 0.0)
        return ways[ways <= NEAR_M].sort_values(kind="stable")

    def places(self, each: Mapping[str, Any], near: pd.Series) -> _Cells:
        words, between = self.words, self.between(each)
        heads = [words["col_name"], words["report_where"], words["people"]]
        heads += [phrase(words["to_force"], {"force": between[side]}) for side in "ab"]
        records = {record["id"]: record for record in self.facts["places"]}
        rows = []
        for key, way_m in near.head(_PLACES).items():
            place = records[str(key)]
            inside = place["stretch_id"] == each["id"]
            where = (
                phrase(words["width_here"], {"width": self.km(place["width_here_m"])})
                if inside
                else phrase(words["report_away"], {"way": self.km(way_m)})
            )
            people = words["not_known"] if place["population"] is None else f"{place['population']:,.0f}"
            ways = [self.km(place.get(f"distance_{each[f'force_{side}']}_m")) for side in "ab"]
            rows.append([place["label"], where, people, *ways])
        return _Cells(heads, rows, 2, "places", self.more(len(rows), len(near)))

    # ---- The last pages

    def method(self) -> list[Markup]:
        limit = self.unit("km", self.limit_m / 1000, 1 if self.limit_m % 1000 else 0)
        said = [self.said("assume_declared"), self.said("assume_spans", limit=limit), self.said("report_stretch_rule")]
        said += [self.said(f"assume_{what}") for what in ("day", "counts", "borders")]
        return [*said, self.said("report_over_rule"), self.said("report_over_limits")]

    def aside(self) -> _Cells:
        counted = count_reasons(self.made.table("set_aside").to_dict("records"))
        rows = [[each["source"], each["reason"], f"{each['rows']:,}"] for each in counted[:_ROWS]]
        heads = [self.words["report_file"], self.words["report_reason"], self.words["report_rows"]]
        return _Cells(heads, rows, 2, "aside", self.more(len(rows), len(counted)))

    def inputs(self) -> _Cells:
        heads = [self.words[key] for key in ("report_file", "report_role")]
        heads += ["SHA-256", *(self.words[key] for key in ("report_rows", "rows_used", "set_aside", "repaired"))]
        rows = [
            [*(str(each[key] or "") for key in ("name", "role")), _halves(str(each["sha256"] or ""))]
            + [str(each[key] or 0) for key in ("rows", "used", "set_aside", "repaired")]
            for each in self.run["inputs"]
        ]
        return _Cells(heads, rows, 3, "made inputs")


class _Public(_Writer):
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
            "inputs": _Cells([], [], 0),
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
            return self.finish(self.picture("overview", (0, 0, 1e5, 1e5), _HIGH_MM), self.run["notice"])
        cells = self.grid.to_crs(working_crs([self.grid]))
        picture = self.picture("overview", cells.total_bounds, _HIGH_MM)
        for number, low in enumerate(GAP_CLASSES_KM2):
            paint = rgb(WIDTH_COLOURS[1 + 2 * number])
            picture.draw(cells.geometry[cells["gap_from_km2"] == low], fill=paint, line=_LINE, thick=0.15)
        for cell, count in self.counts.groupby("cell_id")["incidents"].sum().items():
            picture.name_point(cells.geometry[cell].centroid, str(count), kind="number", always=True)
        return self.finish(picture, self.run["notice"])

    def legend(self) -> list[tuple[Picture, str]]:
        entries: list[tuple[Picture, str]] = []
        for number, low in enumerate(GAP_CLASSES_KM2):
            picture = self.swatch(f"legend-{number}")
            picture.draw([shapely.box(0, 0, 9, 4)], fill=rgb(WIDTH_COLOURS[1 + 2 * number]), line=_LINE)
            entries.append((picture, self.class_words(low)))
        if len(self.counts):
            picture = self.swatch("legend-n")
            picture.mark([shapely.Point(4.5, 2)], "ring", size=1.6)
            entries.append((picture, self.words["incidents_plain"]))
        return entries

    def table(self) -> _Cells:
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
        return _Cells(heads, rows, 4, "cells", self.more(len(rows), len(self.grid)))


@dataclass(frozen=True)
class HandOver:
    """Where two forces could meet: see `build_report`.

    Attributes
    ----------
    transect_id : str
        The measuring line.
    point : shapely.Point
        Its middle, in the CRS of the tables.
    along_m, width_m : float
        Of the line.
    ways_m : tuple of float
        From the point to the declared cover of force_a and of force_b.
    """

    transect_id: str
    point: shapely.Point
    along_m: float
    width_m: float
    ways_m: tuple[float, float]


def hand_over(
    transects: gpd.GeoDataFrame, stretch: shapely.Geometry, cover_a: shapely.Geometry, cover_b: shapely.Geometry
) -> HandOver | None:
    """Choose the point of a stretch at which both forces are equally near.

    Parameters
    ----------
    transects : GeoDataFrame
        Those of the stretch, in metres.
    stretch, cover_a, cover_b : shapely.Geometry
        Polygons in the same CRS.

    Returns
    -------
    HandOver or None
        None where no measuring line has its middle in the stretch.
    """
    middles = _middles(transects).to_numpy()
    inside = shapely.dwithin(middles, stretch, 1.0)
    if not inside.any():
        return None
    ways = np.column_stack([shapely.distance(middles, cover) for cover in (cover_a, cover_b)])
    unequal = np.floor(np.abs(ways[:, 0] - ways[:, 1]) / EQUAL_M)
    order = np.lexsort((transects["along_m"], transects["width_m"], unequal, ~inside))
    row = order[0]
    return HandOver(
        transect_id=str(transects.index[row]),
        point=middles[row],
        along_m=float(transects["along_m"].iloc[row]),
        width_m=float(transects["width_m"].iloc[row]),
        ways_m=(float(ways[row, 0]), float(ways[row, 1])),
    )


def mgrs_words(lat: float, lon: float) -> str:
    """Write a position as a square of 10 m, in groups that can be read out.

    Parameters
    ----------
    lat, lon : float
        Degrees, WGS 84.

    Returns
    -------
    str
        "" near the poles, where there is none.

    Examples
    --------
    >>> mgrs_words(36.34, 43.13)
    '38S LF 3217 2328'
    """
    lowest, highest = -80, 84
    if not lowest <= lat <= highest:
        return ""
    text = mgrs.MGRS().toMGRS(lat, lon, MGRSPrecision=_MGRS_FIGURES)
    zone, north = text[: -2 * _MGRS_FIGURES - 2], text[-_MGRS_FIGURES:]
    return f"{zone} {text[len(zone) : len(zone) + 2]} {text[-2 * _MGRS_FIGURES : -_MGRS_FIGURES]} {north}"


def _middles(transects: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return the middle between the two ends of each line; a border may have cut the line itself into several."""
    ends = [shapely.get_coordinates(line)[[0, -1]].mean(axis=0) for line in transects.geometry]
    return gpd.GeoSeries(shapely.points(np.reshape(ends, (-1, 2))), transects.index, crs=transects.crs)


def _halves(digest: str) -> str:
    middle = len(digest) // 2
    return f"{digest[:middle]} {digest[middle:]}".strip()


def _figure(value: float | None, scale: float = 1.0) -> str:
    return "-" if value is None else f"{value / scale:,.1f}"
