"""Comparing: scenes drawn by hand in which every state, km2 and km is known, then what must hold for any two."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gapmap import tables
from gapmap.compare import KINDS, STATES, Changes, find_changes
from gapmap.crs import require_metric, working_crs
from gapmap.errors import CrsError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

CRS = pyproj.CRS.from_proj4("+proj=laea +lat_0=36 +lon_0=43 +datum=WGS84 +units=m +no_defs")
BESIDE = pyproj.CRS.from_proj4("+proj=laea +lat_0=36.1 +lon_0=43.2 +datum=WGS84 +units=m +no_defs")
KM = 1000.0


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Return a box in kilometres."""
    return shapely.box(west * KM, south * KM, east * KM, north * KM)


@dataclass(frozen=True)
class Scene:
    """Corridors along x, as boxes in kilometres, and what lies around them."""

    corridors: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    pair: tuple[str, str] = ("alpha", "bravo")
    cover: Mapping[str, Any] = field(
        default_factory=lambda: {"alpha": box(-1, 19, 41, 20), "bravo": box(-1, -20, 41, -19)}
    )
    beyond: Any = None
    beyond_forces: tuple[str, ...] = ("alpha + bravo",)
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    run: Mapping[str, object] = field(default_factory=dict)
    crs: pyproj.CRS = CRS

    def table(self, name: str) -> Any:  # noqa: ANN401 - a GeoDataFrame
        made = getattr(self, f"_{name}")()
        if name == "run":
            return tables.conform(made, name)
        return tables.conform(made.set_crs(CRS), name).to_crs(self.crs)

    def _run(self) -> pd.DataFrame:
        row = {
            "title": "by hand",
            "max_width_m": 20_000.0,
            "parameters": "{}",
            "inputs": "[]",
            "crs": self.crs.to_wkt(),
        }
        return pd.DataFrame([{**row, **self.run}], index=["run"])

    def _corridors(self) -> gpd.GeoDataFrame:
        sides = np.array(list(self.corridors.values()), dtype=float).reshape(-1, 4)
        length, width = sides[:, 2] - sides[:, 0], sides[:, 3] - sides[:, 1]
        columns = {
            "name": [f"corridor {each}" for each in self.corridors],
            "force_a": self.pair[0],
            "force_b": self.pair[1],
            **dict.fromkeys(("width_min_m", "width_mean_m", "width_max_m"), width * KM),
            "length_km": length,
            "area_km2": length * width,
        }
        shapes = [box(*each) for each in sides]
        return gpd.GeoDataFrame(
            columns, index=list(self.corridors), geometry=gpd.GeoSeries(shapes, list(self.corridors))
        )

    def _facets(self) -> gpd.GeoDataFrame:
        # Two facets a corridor: where its width does not change they may be long.
        rows = [
            (corridor, west * KM + (east - west) * KM / 2 * half, (east - west) * KM / 2, south * KM, north * KM)
            for corridor, (west, south, east, north) in self.corridors.items()
            for half in (0, 1)
        ]
        frame = pd.DataFrame(rows, columns=["corridor_id", "x", "long", "south", "north"])
        frame = frame.astype(dict.fromkeys(("x", "long", "south", "north"), float))
        columns = {
            **{
                f"{end}_{side}_y": frame[way]
                for end in ("start", "end")
                for side, way in (("a", "north"), ("b", "south"))
            },
            **{f"start_{side}_x": frame["x"] for side in "ab"},
            **{f"end_{side}_x": frame["x"] + frame["long"] for side in "ab"},
            **{f"width_{end}_m": frame["north"] - frame["south"] for end in ("start", "end")},
        }
        shapes = shapely.box(frame["x"], frame["south"], frame["x"] + frame["long"], frame["north"])
        facets = gpd.GeoDataFrame({"corridor_id": frame["corridor_id"], **columns}, geometry=shapes)
        return facets.set_axis([f"F{n}" for n in range(len(facets))])

    def _cover(self) -> gpd.GeoDataFrame:
        shapes = gpd.GeoSeries(list(self.cover.values()), index=list(self.cover))
        return gpd.GeoDataFrame({"area_km2": shapes.area / 1e6}, geometry=shapes)

    def _ground(self) -> gpd.GeoDataFrame:
        forces = [] if self.beyond is None else list(self.beyond_forces)
        frame = gpd.GeoDataFrame({"kind": "beyond", "forces": forces}, geometry=[self.beyond] * len(forces))
        return frame.set_axis([f"G{n}" for n in range(len(frame))])

    def _places(self) -> gpd.GeoDataFrame:
        shapes = gpd.GeoSeries([shapely.Point(x * KM, y * KM) for x, y in self.places.values()], list(self.places))
        return gpd.GeoDataFrame({"name": list(self.places), "width_here_m": 1.0}, geometry=shapes, index=shapes.index)


def one(changes: Changes) -> pd.Series:
    """Return the row of the one group that there is."""
    assert len(changes.corridors) == 1
    return changes.corridors.iloc[0]


WHOLE = {"C01": (0, 0, 40, 4)}
HALVES = {"C01": (0, 0, 18, 4), "C02": (22, 0, 40, 4)}

# Before, after, state; km2 gained and lost, km gained and lost, each worked out by hand.
BY_HAND: dict[str, tuple[Any, ...]] = {
    "as it was": (WHOLE, WHOLE, "unchanged", 0, 0, 0, 0),
    "opened": ({}, WHOLE, "opened", 160, 0, 40, 0),
    "closed": (WHOLE, {}, "closed", 0, 160, 0, 40),
    "wider": (WHOLE, {"C01": (0, 0, 40, 6)}, "widened", 80, 0, 0, 0),
    "longer": (WHOLE, {"C01": (0, 0, 45, 4)}, "widened", 20, 0, 5, 0),
    "narrower": (WHOLE, {"C01": (0, 1, 40, 4)}, "narrowed", 0, 40, 0, 0),
    "shorter": (WHOLE, {"C01": (10, 0, 40, 4)}, "narrowed", 0, 40, 0, 10),
    "split": (WHOLE, HALVES, "split", 0, 16, 0, 4),
    "merged": (HALVES, WHOLE, "merged", 16, 0, 4, 0),
    "sideways": (WHOLE, {"C01": (0, 1, 40, 5)}, "moved", 40, 40, 0, 0),
    "sideways, and much wider": (WHOLE, {"C01": (0, 1, 40, 9)}, "widened", 200, 40, 0, 0),
    "lengthways": (WHOLE, {"C01": (10, 0, 50, 4)}, "moved", 40, 40, 10, 10),
    "gain at just half the loss": (WHOLE, {"C01": (4, 0, 42, 4)}, "moved", 8, 16, 2, 4),
    "gain below half the loss": (WHOLE, {"C01": (5, 0, 42, 4)}, "narrowed", 8, 20, 2, 5),
    "a thousandth": (WHOLE, {"C01": (0.039, 0, 40, 4)}, "unchanged", 0, 0.156, 0, 0),
    "more than a thousandth": (WHOLE, {"C01": (0.041, 0, 40, 4)}, "narrowed", 0, 0.164, 0, 0),
    "a hectare of a small one": ({"C01": (0, 0, 1, 1)}, {"C01": (0, 0.009, 1, 1)}, "unchanged", 0, 0.009, 0, 0),
    "a crumb makes no split": (WHOLE, {"C01": (0, 0, 36, 4), "C02": (39.7, 0, 40, 4)}, "narrowed", 0, 14.8, 0, 3.7),
    "a fourteenth does": (WHOLE, {"C01": (0, 0, 36, 4), "C02": (37, 0, 40, 4)}, "split", 0, 4, 0, 1),
    "two and two": (HALVES, {"C01": (0, 0, 30, 4), "C02": (31, 0, 40, 4)}, "widened", 16, 4, 4, 1),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_each_state_is_the_one_worked_out_by_hand(case: str) -> None:
    before, after, state, *expected = BY_HAND[case]
    row = one(find_changes(Scene(before), Scene(after)))
    assert row["state"] == state
    assert row[["gained_km2", "lost_km2"]].tolist() == pytest.approx(expected[:2], abs=1e-6)
    # What is left is looked at every 100 m.
    assert row[["gained_km", "lost_km"]].tolist() == pytest.approx(expected[2:], abs=0.11)
    assert row["before"] == "; ".join(before)
    assert row["after"] == "; ".join(after)


def test_a_tenth_of_the_smaller_makes_two_corridors_one() -> None:
    def shifted(by: float) -> list[str]:
        return sorted(find_changes(Scene(WHOLE), Scene({"C01": (by, 0, by + 10, 4)})).corridors["state"])

    assert shifted(38.9) == ["narrowed"]
    assert shifted(39.1) == ["closed", "opened"]


def test_the_same_ground_between_other_forces_is_another_corridor() -> None:
    changes = find_changes(Scene(WHOLE), Scene(WHOLE, pair=("alpha", "charlie")))
    states = changes.corridors.set_index("force_b")["state"]
    assert states.to_dict() == {"bravo": "closed", "charlie": "opened"}
    parts = changes.ground.set_index(["change", "kind"])["area_km2"]
    assert parts.to_dict() == pytest.approx({("lost", "corridor"): 160, ("gained", "corridor"): 160})


def test_ground_lost_and_gained_is_told_apart() -> None:
    # A post covers 0 to 10 km, 30 to 34 km become too wide, 34 to 40 km lie between nobody any more; 2 km are new.
    post = {"alpha": box(-1, -1, 10, 20), "bravo": box(-1, -20, 41, -19)}
    after = Scene({"C01": (10, 0, 30, 4), "C02": (40, 0, 42, 4)}, cover=post, beyond=box(30, 0, 34, 4))
    changes = find_changes(Scene(WHOLE), after)
    parts = changes.ground.groupby(["change", "kind"])["area_km2"].sum()
    assert parts.to_dict() == pytest.approx(
        {("lost", "covered"): 40, ("lost", "beyond"): 16, ("lost", "other"): 24, ("gained", "other"): 8}
    )
    figures = changes.figures()
    assert figures["lost_to_km2"] == pytest.approx({"covered": 40, "corridor": 0, "beyond": 16, "other": 24})
    assert figures["cover_km2"]["alpha"] == pytest.approx({"before": 42, "after": 11 * 21})
    assert figures["states"] == {**dict.fromkeys(STATES, 0), "narrowed": 1, "opened": 1}
    assert [figures[side]["corridors"] for side in ("before", "after")] == [1, 2]
    assert json.loads(json.dumps(figures)) == figures


def test_places_say_how_their_state_changed() -> None:
    spots = {"held": (5, 19.5), "post": (5, 2), "taken": (20, 2), "wide": (32, 2), "new": (41, 2), "open": (60, 0)}
    before = Scene({"C01": (0, 0, 36, 4)}, places=spots)
    both = {"alpha": box(-1, -1, 10, 20), "bravo": box(-1, 1, 10, 3)}
    after = Scene({"C09": (18, 0, 30, 4), "C10": (40, 0, 42, 4)}, cover=both, beyond=box(30, 0, 34, 4), places=spots)
    found = find_changes(before, after)
    states = found.places[["kind_before", "forces_before", "kind_after", "forces_after", "corridor_id_after"]]
    assert states.T.to_dict("list") == {
        "post": ["corridor", "alpha + bravo", "covered", "alpha + bravo", ""],
        "wide": ["corridor", "alpha + bravo", "beyond", "alpha + bravo", ""],
        "new": ["other", "", "corridor", "alpha + bravo", "C10"],
    }
    assert found.places_compared == 6
    one_more = Scene(WHOLE, places={**spots, "held": (6, 19.5), "elsewhere": (1, 1)})
    assert find_changes(before, one_more).places_compared == 5


def test_ground_between_several_pairs_is_the_same_in_one_row_and_in_several() -> None:
    # A run tells it as one row, a what-if as a row for each pair.
    part, spots = {"C01": (0, 0, 10, 4)}, {"wide": (32, 2)}
    for forces in (("alpha + bravo + carol",), ("alpha + bravo", "alpha + carol")):
        before = Scene(part, places=spots, beyond=box(30, 0, 34, 4), beyond_forces=forces)
        (row,) = find_changes(before, Scene(part, places=spots)).places.itertuples()
        assert (row.kind_before, row.forces_before, row.kind_after) == ("beyond", "alpha + bravo + carol", "other")


def test_another_working_crs_changes_nothing() -> None:
    scene = {"C01": (0, 0, 40, 4), "C02": (60, 10, 64, 13)}
    changes = find_changes(Scene(scene), Scene(scene, crs=BESIDE))
    assert set(changes.corridors["state"]) == {"unchanged"}
    assert changes.corridors["gained_km2"].max() < 1e-3
    turned = find_changes(Scene(scene, crs=BESIDE), Scene(scene))
    assert changes.corridors.crs == turned.corridors.crs


def test_a_result_that_reaches_far_beyond_the_other_is_compared_either_way_round() -> None:
    # The plane of the small one is off by more than 0.1 % over the large one, that of the large one is true over both.
    middle = gpd.GeoSeries([box(-1, -20, 1_000, 20)], crs=CRS)
    small = Scene(WHOLE, places={"town": (39, 2)})
    large = Scene({"C01": (0, 0, 38, 4)}, cover={"alpha": box(-1, -20, 1_000, 20)}, crs=working_crs([middle]))
    with pytest.raises(CrsError, match="off by"):
        require_metric(large.table("cover").to_crs(CRS))
    there, back = find_changes(small, large), find_changes(large, small)
    assert there.corridors.crs == back.corridors.crs
    assert one(there)["state"] == "narrowed"
    assert one(back)["state"] == "widened"
    assert one(there)["lost_km2"] == pytest.approx(2 * 4, rel=1e-3)
    assert one(there)["lost_km2"] == one(back)["gained_km2"]
    assert one(there)["lost_km"] == pytest.approx(one(back)["gained_km"])


def test_without_corridors_there_is_nothing_to_say() -> None:
    changes = find_changes(Scene(), Scene())
    assert changes.corridors.empty
    assert changes.ground.empty
    assert changes.corridors.crs == CRS
    assert changes.figures()["gained_km2"] == 0


def test_results_of_different_regions_are_refused() -> None:
    # The cover before reaches from -1 to 41 km.
    near = {"alpha": box(100, 0, 110, 10)}
    with pytest.raises(InputError, match="of regions some 59 km apart") as apart:
        find_changes(Scene(WHOLE), Scene(cover=near, run={"title": "the other"}))
    assert apart.value.problems == (
        "before, 'by hand': latitude 35.82 to 36.18, longitude 42.99 to 43.46",
        "after, 'the other': latitude 35.99 to 36.09, longitude 44.11 to 44.22",
    )
    with pytest.raises(InputError, match="of regions that lie side by side"):
        find_changes(Scene(WHOLE), Scene(cover={"alpha": box(41.2, 0, 60, 10)}))
    with pytest.raises(InputError, match="km apart"):  # though the plane of the one is not true there
        find_changes(Scene(WHOLE), Scene(cover={"alpha": box(3_000, 0, 3_010, 10)}))
    with pytest.raises(CrsError, match=r"no plane is true to 0\.1 % over both") as far:
        find_changes(Scene(WHOLE), Scene(cover={"alpha": box(-1, -20, 1_200, 20)}))
    assert "share 100% of the smaller one's region" in str(far.value)


def test_the_order_is_by_what_changed_most() -> None:
    before = {"C01": (0, 0, 10, 4), "C02": (20, 0, 30, 4), "C03": (40, 0, 90, 4)}
    after = {"C01": (0, 0, 10, 5), "C02": (20, 0, 30, 8), "C03": (40, 0, 90, 4)}
    table = find_changes(Scene(before), Scene(after)).corridors
    assert table["before"].tolist() == ["C02", "C01", "C03"]
    assert table.index.tolist() == ["K01", "K02", "K03"]


def test_what_the_questions_differ_in_is_said() -> None:
    def run(date: str, reach: str, content: str) -> dict[str, object]:
        parameters = {"title": date, "date": date, "forces": {"alpha": {"reach": reach, "label": "A"}}}
        inputs = [{"role": "zones", "name": "a.csv", "sha256": content * 64}]
        return {"parameters": json.dumps(parameters), "inputs": json.dumps(inputs)}

    one, two = Scene(run=run("2021-06-01", "5 km", "a")), Scene(run=run("2022-06-01", "8 km", "b"))
    assert find_changes(one, two).figures()["differences"] == [
        {"what": "date", "before": "2021-06-01", "after": "2022-06-01"},
        {"what": "forces.alpha.reach", "before": "5 km", "after": "8 km"},
        {"what": "content of a.csv (zones)", "before": "aaaaaaaa", "after": "bbbbbbbb"},
    ]
    assert find_changes(one, one).figures()["differences"] == []


# Up to three corridors in places of their own along x, in whole kilometres.
CORRIDORS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 12), st.integers(0, 3), st.integers(1, 4)), max_size=3
).map(
    lambda each: {
        f"C{n:02d}": (n * 20 + west, south, n * 20 + west + length, south + width)
        for n, (west, length, south, width) in enumerate(each, start=1)
    }
)
WIDE = {"alpha": box(-1, 2, 200, 3), "bravo": box(-1, -20, 200, -19)}
TURNED = {"opened": "closed", "split": "merged", "widened": "narrowed", "moved": "moved", "unchanged": "unchanged"}
TURNED |= {there: here for here, there in TURNED.items()}


@settings(max_examples=20, deadline=None)
@given(CORRIDORS)
def test_nothing_changed_against_itself(corridors: dict[str, Any]) -> None:
    changes = find_changes(Scene(corridors), Scene(corridors))
    assert changes.corridors["state"].tolist() == ["unchanged"] * len(corridors)
    assert (changes.corridors[["gained_km2", "lost_km2", "gained_km", "lost_km"]] == 0).all(axis=None)
    assert changes.ground.empty


@settings(max_examples=25, deadline=None)
@given(CORRIDORS, CORRIDORS)
def test_turned_round_everything_is_mirrored_and_areas_balance(first: dict[str, Any], second: dict[str, Any]) -> None:
    one, two = Scene(first), Scene(second, cover=WIDE)
    there, back = find_changes(one, two), find_changes(two, one)
    mirrored = [
        (TURNED[row.state], row.after, row.before, row.lost_km2, row.gained_km2, row.lost_km, row.gained_km)
        for row in there.corridors.itertuples()
    ]
    found = [
        (row.state, row.before, row.after, row.gained_km2, row.lost_km2, row.gained_km, row.lost_km)
        for row in back.corridors.itertuples()
    ]
    for one_way, other_way in zip(sorted(mirrored), sorted(found), strict=True):
        assert one_way[:3] == other_way[:3]
        assert one_way[3:] == pytest.approx(other_way[3:], abs=1e-6)
    table = there.corridors
    balance = table["gained_km2"] - table["lost_km2"]
    assert balance.to_numpy() == pytest.approx(
        (table["area_after_km2"] - table["area_before_km2"]).to_numpy(), abs=1e-6
    )
    for side, corridors in (("before", first), ("after", second)):
        ids = [each for cell in table[side] for each in cell.split("; ") if each]
        assert sorted(ids) == sorted(corridors)
    parts = there.ground.groupby("change")["area_km2"].sum()
    for change in ("gained", "lost"):
        assert parts.get(change, 0) == pytest.approx(table[f"{change}_km2"].sum(), abs=1e-5)
    assert set(there.ground["kind"]) <= set(KINDS)
