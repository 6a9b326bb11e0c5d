"""What the briefing of a full or partner edition says.

In: the edition, and the stretches that get a sheet. Out: all that the template of the pages asks for. Method: five lines, the
table, the sheets and the last pages, each read from the edition's tables and nothing else.
"""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup

from gapmap.crs import WGS84, bearings
from gapmap.errors import InputError
from gapmap.maps.languages import phrase
from gapmap.maps.layers import places_said
from gapmap.overlay import nearest_zones
from gapmap.report.handover import hand_over, mgrs_words
from gapmap.report.pictures import Pictures
from gapmap.report.wording import Cells, Known
from gapmap.summary import TOP, count_reasons, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from gapmap.editions import Edition
    from gapmap.report.handover import HandOver

NEAR_M = 10_000.0  # places so far from a stretch are on its sheet
CLOSE_M = 1_000.0  # two hand-over points as near as this may be one
_ROWS, _PLACES, _YEARS, _ZONES = 100, 6, 10, 12  # the most of each that is listed


def whole(made: Edition, *, language: str, stretches: Sequence[str]) -> dict[str, Any]:
    """Return what the briefing of a full or partner edition says.

    Parameters
    ----------
    made : Edition
        The edition.
    language : str
        Of the briefing.
    stretches : sequence of str
        Ids of those that get a sheet; none for the widest.

    Returns
    -------
    dict
        By name in ``report.html``.

    Raises
    ------
    InputError
        If there is no such language or stretch.
    """
    return _Whole(made, language).content(stretches)


class _Whole(Known):
    """The briefing of a full or partner edition."""

    def __init__(self, made: Edition, language: str) -> None:
        super().__init__(made, language)
        self.pictures = Pictures(self)
        self.summary = summary(made)

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
            "overview": self.pictures.overview(chosen),
            "legend": self.pictures.legend("legend"),
            "table_title": self.words["list_title"],
            "table": self.table(),
            "sheets": [self.sheet(each, overs) for each in chosen],
            "method": self.method(),
            "aside": self.aside(),
            "inputs": self.inputs(),
            "remarks": [(self.file(each["name"]), text) for each in self.run["inputs"] for text in each["remarks"]],
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
        lines.append((words["places"], joint.join(self.told(*each) for each in places_said(places, words))))
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

    def table(self) -> Cells:
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
        return Cells(heads, rows, 3, "stretches", self.more(len(rows), len(self.ranked)))

    # ---- A sheet

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
            "map": self.pictures.small_map(key, lines, over, name=f"map{number}"),
            "legend": self.pictures.legend(f"legend{number}", sheet=True),
            "figures": figures,
            "chart": self.pictures.chart(key, over, name=f"chart{number}"),
            "over": None
            if over is None
            else self.proposal(each, over, {name: overs[name] for name in overs if name != key}),
            "facing": [self.facing(each, side) for side in "ab"],
            "years": self.years(key),
            "said": self.said_of_incidents(each),
            "near_title": phrase(words["report_near"], {"near": self.km(NEAR_M, 0)}),
            "places": self.places(each, near),
        }

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

    def years(self, key: str) -> Cells | None:
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
        return Cells([*heads, self.words["report_all"]], [[*row, str(sum(counts.values()) + undated)]], 0, "years")

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

    def places(self, each: Mapping[str, Any], near: pd.Series) -> Cells:
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
        return Cells(heads, rows, 2, "places", self.more(len(rows), len(near)))

    # ---- The last pages

    def method(self) -> list[Markup]:
        limit = self.unit("km", self.limit_m / 1000, 1 if self.limit_m % 1000 else 0)
        said = [self.said("assume_declared"), self.said("assume_spans", limit=limit), self.said("report_stretch_rule")]
        said += [self.said(f"assume_{what}") for what in ("day", "counts", "borders")]
        return [*said, self.said("report_over_rule"), self.said("report_over_limits")]

    def aside(self) -> Cells:
        counted = count_reasons(self.made.table("set_aside").to_dict("records"))
        rows = [[self.file(each["source"]), each["reason"], f"{each['rows']:,}"] for each in counted[:_ROWS]]
        heads = [self.words["report_file"], self.words["report_reason"], self.words["report_rows"]]
        return Cells(heads, rows, 2, "aside", self.more(len(rows), len(counted)))

    def inputs(self) -> Cells:
        heads = [self.words[key] for key in ("report_file", "report_role")]
        heads += ["SHA-256", *(self.words[key] for key in ("report_rows", "rows_used", "set_aside", "repaired"))]
        rows = [
            [
                self.file(each["name"] or ""),
                ": ".join(filter(None, (each["role"], each["force"]))),
                _halves(str(each["sha256"] or "")),
            ]
            + [str(each[key] or 0) for key in ("rows", "used", "set_aside", "repaired")]
            for each in self.run["inputs"]
        ]
        return Cells(heads, rows, 3, "made inputs")


def _halves(digest: str) -> str:
    middle = len(digest) // 2
    return f"{digest[:middle]} {digest[middle:]}".strip()


def _figure(value: float | None, scale: float = 1.0) -> str:
    return "-" if value is None else f"{value / scale:,.1f}"
