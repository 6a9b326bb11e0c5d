"""The figures that a planner asks for first, on an analysis made by hand."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import shapely

from gapmap.summary import summary
from tests.fake_analysis import fake_analysis


def test_summary_shares_out_all_length_and_area_to_the_classes() -> None:
    figures = summary(fake_analysis())
    assert [(c["from_km"], c["to_km"]) for c in figures["widths"]] == [(0, 2), (2, 5), (5, 10), (10, 15), (15, 20)]
    assert sum(c["length_km"] for c in figures["widths"]) == pytest.approx(figures["length_km"], abs=0.3)
    facets = fake_analysis().table("facets")
    assert sum(c["area_km2"] for c in figures["widths"]) == pytest.approx(facets.area.sum() / 1e6, abs=0.3)
    assert json.loads(json.dumps(figures)) == figures


def test_classes_follow_the_limit_and_edges_count_upwards() -> None:
    fake = fake_analysis().with_values("run", max_width_m=40_000.0)
    assert [c["to_km"] for c in summary(fake)["widths"]] == [4, 10, 20, 30, 40]
    at_edge = fake_analysis().with_values("transects", width_m=2_000.0)
    lengths = [c["length_km"] for c in summary(at_edge)["widths"]]
    assert lengths == [0, pytest.approx(120), 0, 0, 0]
    at_limit = fake_analysis().with_values("transects", width_m=20_000.0)
    assert summary(at_limit)["widths"][-1]["length_km"] == pytest.approx(120)


def test_a_corridor_too_short_for_a_measuring_line_counts_at_its_mean_width() -> None:
    fake = fake_analysis()
    fake = fake.with_table("transects", fake.table("transects").iloc[:0]).with_values("corridors", width_mean_m=7_000.0)
    assert [c["length_km"] for c in summary(fake)["widths"]] == [0, 0, pytest.approx(120), 0, 0]


def test_rankings_are_by_mean_width_and_by_length() -> None:
    means = {"C01.01": 3e3, "C01.02": 9e3, "C01.03": 9e3, "C01.04": 5e3, "C01.05": 2e3, "C01.06": 7e3}
    fake = fake_analysis().with_values("stretches", width_mean_m=list(means.values()))
    by_mean = ["C01.02", "C01.03", "C01.06", "C01.04", "C01.01"]  # the same mean: by id
    figures = summary(fake.with_values("stretches", length_km=[20.01, 20.04, 20.0, 20.03, 20.02, 20.0]))
    assert [each["stretch_id"] for each in figures["widest"]] == by_mean
    assert [each["stretch_id"] for each in figures["longest"]] == by_mean  # all shown as 20.0 km long
    figures = summary(fake.with_values("stretches", length_km=[20.0, 20, 20, 20, 21, 20]))
    assert [each["stretch_id"] for each in figures["longest"]] == ["C01.05", *by_mean[:4]]


def test_an_incident_on_the_seam_of_two_corridors_is_certain() -> None:
    def square(x: float) -> shapely.Polygon:
        return shapely.box(x, 0, x + 10_000, 10_000)

    fake = fake_analysis()
    one = fake.table("corridors").iloc[[0]]
    two = pd.concat([one, one.set_axis(["C02"])]).set_geometry([square(0), square(10_000)], crs=one.crs)
    # A circle across the seam, one that reaches the outer edge, one that passes it, one outside every corridor.
    spots = [(10_000, 5_000, 2_000), (5_000, 5_000, 5_000), (5_000, 9_000, 2_000), (30_000, 0, 0)]
    incidents = fake.table("incidents").iloc[:4].assign(location_radius_m=[float(radius) for *_, radius in spots])
    incidents = incidents.set_geometry([shapely.Point(x, y) for x, y, _ in spots], crs=one.crs)
    incidents["stretch_id"] = ["C01.01", "C01.01", "C01.01", ""]
    incidents["ground"] = ["corridor", "corridor", "corridor", ""]
    figures = summary(fake.with_table("corridors", two).with_table("incidents", incidents))
    assert figures["incidents_inside"] == 3
    assert figures["incidents_inside_certain"] == 2
    assert figures["incidents_outside_area"] == 1


def test_ground_between_several_pairs_counts_once() -> None:
    fake = fake_analysis()
    corridors = fake.table("corridors")
    twice = pd.concat([corridors, corridors.set_axis(["C99"])])  # the same ground, for another pair
    assert summary(fake.with_table("corridors", twice))["area_km2"] == summary(fake)["area_km2"]
    assert summary(fake)["area_km2"] == pytest.approx(corridors.area.sum() / 1e6, abs=0.06)


def test_it_says_over_which_gap_the_incidents_lie() -> None:
    dated = fake_analysis().with_values("run", date=pd.Timestamp("2021-06-01"))
    assert "are laid over the gap of 2021-06-01, whatever their own day" in summary(dated)["incidents_over"]
    undated = fake_analysis().with_values("run", date=pd.NaT)
    assert "the one gap of zones without dates" in summary(undated)["incidents_over"]
    none = dated.with_table("incidents", dated.table("incidents").iloc[:0])
    assert summary(none)["incidents_over"] == ""
