"""The hand-over point of a stretch against the rule worked out plainly, and positions that are read out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from gapmap.report.handover import HandOver, hand_over, mgrs_words

if TYPE_CHECKING:
    from gapmap import Analysis
    from gapmap.editions import Source


def chosen(analysis: Source, key: str) -> HandOver:
    transects, row = analysis.table("transects"), analysis.table("stretches").loc[key]
    cover = analysis.table("cover").geometry
    found = hand_over(
        transects[transects["stretch_id"] == key], row.geometry, cover[row["force_a"]], cover[row["force_b"]]
    )
    assert found is not None
    return found


def test_the_hand_over_point_is_the_best_of_all_by_the_rule(result: Analysis) -> None:
    cover = result.table("cover").geometry
    for key, row in result.table("stretches").iterrows():
        lines = result.table("transects")
        ranked = []
        for name, line in lines[lines["stretch_id"] == key].iterrows():
            ends = list(line.geometry.coords)
            point = shapely.Point((ends[0][0] + ends[-1][0]) / 2, (ends[0][1] + ends[-1][1]) / 2)
            a, b = (point.distance(cover[row[f"force_{side}"]]) for side in "ab")
            if point.distance(row.geometry) <= 1:
                ranked.append((int(abs(a - b) / 100), line["width_m"], line["along_m"], name))
        assert chosen(result, key).transect_id == min(ranked)[-1]


def lines_at(*rows: tuple[float, float, float]) -> gpd.GeoDataFrame:
    """Upright lines: east, lower end, upper end."""
    shapes = [shapely.LineString([(x, low), (x, high)]) for x, low, high in rows]
    columns = {"along_m": [row[0] for row in rows], "width_m": [row[2] - row[1] for row in rows]}
    return gpd.GeoDataFrame(columns, geometry=shapes, index=[f"T{k}" for k in range(len(rows))], crs=32638)


def test_equally_near_comes_before_short_and_the_middle_must_lie_in_the_stretch() -> None:
    below, above, stretch = (
        shapely.box(0, -900, 9000, 0),
        shapely.box(0, 8000, 9000, 9000),
        shapely.box(0, 0, 6000, 8000),
    )
    # The first is short and lies nearer to one; the last is best and lies outside.
    lines = lines_at((1000, 0, 5000), (2000, 0, 8000), (3000, 100, 7960), (7000, 1000, 7000))
    found = hand_over(lines, stretch, below, above)
    assert found is not None
    assert (found.transect_id, found.width_m) == ("T2", 7860)
    assert list(found.ways_m) == [4030, 3970]
    assert hand_over(lines[-1:], stretch, below, above) is None
    assert hand_over(lines[:0], stretch, below, above) is None


def test_near_the_poles_there_is_no_square() -> None:
    assert mgrs_words(89, 0) == ""
    assert mgrs_words(-5.5, 3.3).startswith("31M ")
