"""Text that tries to run, and an analysis in which every field of a user's file holds it."""

from __future__ import annotations

import json

import geopandas as gpd

from gapmap import tables
from tests.fake_analysis import FakeAnalysis, fake_analysis

PAYLOADS = (
    "{{7*7}}",
    "${7*7}",
    "<img src=x onerror=\"window.__x='img'\">",
    "</script><script>window.__x='script'</script>",
    "`+(window.__x='tick')+`",
    "\\`;window.__x='slash';//",
    "{% x %} {# y #}",
    "<!--<script>",
    "';window.__x='quote';//\"",
    "<svg/onload=window.__x='svg'>",
    "قرية {{7*7}} \u202e\u2028 &amp; <b>",
)

# Every text column a user's file can fill.
TEXT_FIELDS = {
    "corridors": ("name", "facing_a", "facing_b"),
    "stretches": ("name", "facing_a", "facing_b"),
    "incidents": (
        *("source", "kind", "date_precision", "location_precision"),
        *("note", "duplicate_of", "coded_to", "ground"),
    ),
    "places": ("name", "ground", "nearest_zone_federal", "nearest_zone_regional"),
    "boundaries": ("name", "name_ar", "attribution", "layer"),
    "run": ("title", "notice"),
}


def hostile(payload: str) -> FakeAnalysis:
    analysis = fake_analysis()
    for name, columns in TEXT_FIELDS.items():
        analysis = analysis.with_values(name, **dict.fromkeys(columns, payload))
    analysis = analysis.with_values("places", names=json.dumps([payload, "x"]))
    # A reach is written by gapmap with its unit; a result from elsewhere may say anything there.
    kinds = dict.fromkeys(("post", "route", "area"), payload)
    forces = {"federal": {"label": payload, "reach": payload}, "regional": {"label": payload, "reach": kinds}}
    return analysis.with_values(
        "run",
        parameters=json.dumps({"forces": forces}),
        inputs=json.dumps(
            [
                {
                    "role": payload,
                    "name": payload,
                    "sha256": payload,
                    "rows": 1,
                    "used": 1,
                    "attribution": payload,
                    "remarks": [payload],
                }
            ]
        ),
        versions=json.dumps({"gapmap": payload}),
    )


def hostile_zones(payload: str) -> FakeAnalysis:
    """Return an analysis whose zones have the text for a name, those of the other force with a word of their own in it."""
    analysis = fake_analysis()
    zones = tables.conform(
        gpd.GeoDataFrame(
            {
                "force": ["federal", "federal", "regional"],
                "name": [payload, f"{payload}; {payload}", f"{payload} Hidden-Hill"],
                "kind": "post",
                "reach_m": 5_000.0,
            },
            index=["F1", "F2", "R1"],
            geometry=gpd.points_from_xy([-40_000, -20_000, -30_000], [9_000, 12_000, -11_000]),
            crs=analysis.crs,
        ),
        "zones",
    )
    analysis = analysis.with_table("zones", zones)
    for name in ("corridors", "stretches", "transects"):
        analysis = analysis.with_values(name, facing_a="F1; F2", facing_b="R1")
    return analysis.with_values("places", nearest_zone_federal="F2", nearest_zone_regional="R1")


def hostile_ids(payload: str) -> FakeAnalysis:
    """Return an analysis in which ids hold the text: gapmap's own, but a result from elsewhere may say anything there."""
    analysis = fake_analysis()
    for name, column in (
        ("corridors", "corridor_id"),
        ("stretches", "stretch_id"),
        ("places", "place_id"),
        ("incidents", "incident_id"),
    ):
        ids = {key: f"{payload}{n}" for n, key in enumerate(analysis.table(name).index)}
        analysis = analysis.with_table(name, analysis.table(name).rename(index=ids))
        for other in ("stretches", "transects", "centrelines", "facets", "incidents", "places"):
            if column in (table := analysis.table(other)).columns:
                analysis = analysis.with_values(other, **{column: table[column].replace(ids)})
    return analysis.with_values("stretches", name="").with_values("corridors", name="")
