"""The figures that a planner asks for first, on an analysis made by hand."""

from __future__ import annotations

import json

import pytest

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


def test_rankings_are_by_the_figure_and_then_by_id() -> None:
    figures = summary(fake_analysis())
    widest = [each["width_max_km"] for each in figures["widest"]]
    assert len(widest) == 5
    assert widest == sorted(widest, reverse=True)
    assert [each["stretch_id"] for each in figures["longest"]] == [f"C01.0{n}" for n in range(1, 6)]
