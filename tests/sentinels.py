"""A result whose zones carry words that stand nowhere else, to be sought in what leaves the room."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

import gapmap

if TYPE_CHECKING:
    from pathlib import Path

    from gapmap import Analysis

NORTH = ("Xqnorthpost", "Xqnorthroute")
SOUTH = ("Xqsouthpost", "Xqsouthroute")
NOTE = "Xqnoteword"
NORTH_FILE, SOUTH_FILE, INCIDENT_FILE = "xqnorthfile.geojson", "xqsouthfile.geojson", "incidents.csv"
KIND = "Xqkindword"


def _zones(path: Path, lat: float, words: tuple[str, str]) -> None:
    post, route = words
    rows: list[tuple[str, dict[str, Any], str]] = [
        (f"{post} {k}", {"type": "Point", "coordinates": [43 + k * 0.08, lat]}, "post") for k in range(8)
    ]
    line = {"type": "LineString", "coordinates": [[43, lat], [43.56, lat]]}
    rows.append((route, line, "route"))
    # Not valid on the day: set aside.
    rows.append((f"{post} old", {"type": "Point", "coordinates": [43, lat]}, "post"))
    features = [
        {
            "type": "Feature",
            "properties": {"name": name, "kind": kind, "valid_to": "2020-01-01" if name.endswith("old") else None},
            "geometry": shape,
        }
        for name, shape, kind in rows
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def sentinel_result(folder: Path, *, share: str = "points", title: str = "The seam", **settings: str) -> Analysis:
    """Run a small scenario: two lines of posts 0.25 degrees apart, incidents between them, one of them in the year 2021."""
    folder.mkdir(parents=True, exist_ok=True)
    _zones(folder / NORTH_FILE, 36.25, NORTH)
    _zones(folder / SOUTH_FILE, 36.0, SOUTH)
    rows = ["id,date,lat,lon,kind,deaths,precision,note"]
    # Twelve in 2019, seven and two elsewhere in 2020, nine in 2021; all in the middle of the gap.
    spots = [(2019, 43.25, 12), (2020, 43.25, 7), (2020, 43.45, 2), (2021, 43.25, 9)]
    number = 0
    for year, lon, count in spots:
        for k in range(count):
            number += 1
            rows.append(
                f"Q{number:03d},{year}-0{1 + k % 6}-11,36.12,{lon + k * 1e-4:.4f},{KIND},{k},exact,{NOTE} {number}"
            )
    rows.append(f"Q999,2019-13-45,36.12,43.25,{KIND},1,exact,{NOTE} bad")
    (folder / INCIDENT_FILE).write_text("\n".join(rows), encoding="utf-8")
    (folder / "places.csv").write_text("name,lat,lon\nGwer,36.12,43.2\nMakhmour,36.1,43.4\n", encoding="utf-8")
    given = {"date": "2021-06-01", "since": "2019-01-01", "max_width": "20 km", "area": "", **settings}
    if given["area"]:  # as west and east
        west, east = map(float, given["area"].split())
        area = gpd.GeoSeries([shapely.box(west, 35.8, east, 36.5)], crs=4326)
        (folder / "area.geojson").write_text(area.to_json(), encoding="utf-8")
        given["area"] = 'area_of_interest = { file = "area.geojson" }'
    text = f"""
title = {json.dumps(title)}
notice = "Made for a test"
date = {given["date"]}
max_width = "{given["max_width"]}"
{given["area"]}
[forces.north]
label = "Northern force"
zones = "{NORTH_FILE}"
reach = {{ post = "5 km", route = "1 km", area = "0 km" }}
[forces.south]
label = "Southern force"
zones = "{SOUTH_FILE}"
reach = {{ post = "4.321 km", route = "1 km", area = "0 km" }}
[incidents]
file = "{INCIDENT_FILE}"
since = {given["since"]}
share = "{share}"
[places]
file = "places.csv"
"""
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    return gapmap.run(folder / "scenario.toml")
