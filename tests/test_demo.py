"""The shipped demo, as computed, saved and opened again, held against the Earth and against plain geometry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from gapmap.editions import edition
from gapmap.export import export
from gapmap.widths import width_here

if TYPE_CHECKING:
    from gapmap.analysis import Analysis


SCENARIO = Path(__file__).parents[1] / "data/nineveh/scenario.toml"


def test_transects_are_as_long_on_the_earth_as_they_say(demo: Analysis) -> None:
    transects = demo.table("transects")
    ends = shapely.get_coordinates(transects.to_crs(4326).geometry.to_numpy()).reshape(-1, 4)
    metres = pyproj.Geod(ellps="WGS84").inv(*ends.T)[2]
    assert len(transects) > 400
    assert metres == pytest.approx(transects["width_m"].to_numpy(), rel=1e-3)


def test_transects_run_between_the_covers_of_their_forces_and_through_no_other(demo: Analysis) -> None:
    transects, corridors = demo.table("transects"), demo.table("corridors")
    cover = demo.table("cover").geometry
    inner = shapely.union_all(shapely.buffer(cover.to_numpy(), -10))
    for side in "ab":
        force = corridors.loc[transects["corridor_id"], f"force_{side}"]
        end = shapely.get_point(transects.geometry.to_numpy(), 0 if side == "a" else -1)
        assert shapely.distance(end, cover.loc[force].to_numpy()).max() < 1
    assert shapely.length(shapely.intersection(transects.geometry.to_numpy(), inner)).max() == 0


def test_no_place_in_a_corridor_is_farther_from_a_cover_than_its_width(demo: Analysis) -> None:
    # A span through a point ends on both covers, so neither is farther than the span is long, and the two distances
    # together are no shorter than the narrowest way between the covers there.
    facets, corridors = demo.table("facets"), demo.table("corridors")
    dots = facets.geometry.representative_point()
    width = width_here(facets, dots).to_numpy()
    cover = demo.table("cover").geometry
    pair = corridors.loc[facets["corridor_id"]]
    a, b = (shapely.distance(dots.to_numpy(), cover.loc[pair[f"force_{side}"]].to_numpy()) for side in "ab")
    assert (np.maximum(a, b) <= width * 1.01 + 15).all()
    assert (a > 0).any()
    assert not shapely.intersects(dots.to_numpy(), shapely.buffer(cover.union_all(), -5)).any()


def test_the_ground_sums_to_the_area_of_interest(demo: Analysis) -> None:
    ground = demo.table("ground")
    area = gpd.read_file(SCENARIO.with_name("area.geojson")).to_crs(ground.crs)
    assert ground["area_km2"].sum() * 1e6 == pytest.approx(area.area.sum(), rel=1e-9)
    assert (ground["area_km2"] > 1e-6).all()
    assert set(ground["kind"]) == {"covered", "overlap", "corridor", "beyond", "interior", "open"}
    inside = ground[ground["kind"] == "corridor"]["area_km2"].sum()
    assert demo.table("corridors")["area_km2"].sum() == pytest.approx(inside, rel=1e-6)


def test_no_width_passes_the_limit_and_middle_lines_do_not_wobble(demo: Analysis) -> None:
    for name in ("corridors", "stretches"):
        assert demo.table(name)["width_max_m"].max() <= 20_000
    assert demo.table("transects")["width_m"].max() <= 20_000
    lines = demo.table("centrelines").geometry.to_numpy()
    assert shapely.length(shapely.simplify(lines, 50)) == pytest.approx(shapely.length(lines), rel=0.01)


def test_lengths_add_up(demo: Analysis) -> None:
    corridors, stretches = demo.table("corridors"), demo.table("stretches")
    by_corridor = stretches.groupby("corridor_id")["length_km"].sum()
    assert by_corridor.to_numpy() == pytest.approx(corridors["length_km"].to_numpy(), rel=1e-3)
    assert demo.table("centrelines")["length_km"].to_numpy() == pytest.approx(corridors["length_km"].to_numpy())
    # A stretch is about 10 km long, and no piece of a middle line leaves its own corridor by more than a facet.
    assert stretches["length_km"].max() < 15
    for corridor_id, line in demo.table("centrelines").geometry.items():
        assert shapely.covers(corridors.geometry[corridor_id].buffer(1_500), line)


@pytest.mark.parametrize(
    ("name", "force"), [("full", None), ("partner", "federal"), ("partner", "regional"), ("public", None)]
)
def test_every_edition_can_be_written_with_shapes_that_are_valid(
    demo: Analysis, name: str, force: str | None, tmp_path: Path
) -> None:
    for path in export(edition(demo, name, force=force), tmp_path, file_format="geojson"):
        assert gpd.read_file(path).is_valid.all(), path.name
