"""Incidents as ACLED and UCDP deliver them, with their faults. Every row is made up."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gapmap.errors import InputError
from gapmap.readers import read_incidents
from gapmap.readers.layouts import ACLED, UCDP, headless, nearly, recognise
from gapmap.tables import COLUMNS
from tests.test_readers_zones import write, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ACLED_NEW = (  # noqa: SIM905
    "event_id_cnty,event_date,year,time_precision,disorder_type,event_type,sub_event_type,actor1,assoc_actor_1,inter1,"
    "actor2,assoc_actor_2,inter2,interaction,civilian_targeting,iso,region,country,admin1,admin2,admin3,location,latitude,"
    "longitude,geo_precision,source,source_scale,notes,fatalities,tags,timestamp"
).split(",")
# As before March 2023: other columns, other places.
ACLED_OLD = (  # noqa: SIM905
    "data_id,iso,event_id_cnty,event_id_no_cnty,event_date,year,time_precision,event_type,sub_event_type,actor1,"
    "assoc_actor_1,inter1,actor2,assoc_actor_2,inter2,interaction,region,country,admin1,admin2,admin3,location,latitude,"
    "longitude,geo_precision,source,source_scale,notes,fatalities,timestamp,iso3"
).split(",")
ACLED_ROW = {
    "event_id_cnty": "SYN1",
    "event_date": "2023-01-31",
    "year": "2023",
    "time_precision": "1",
    "event_type": "Battles",
    "location": "Made-up",
    "latitude": "36.0400",
    "longitude": "43.4800",
    "geo_precision": "1",
    "notes": 'Invented, with a comma, "quotes"\nand a line break.',
    "fatalities": "2",
    "timestamp": "1700000000",
}
GED = (  # noqa: SIM905
    "id,relid,year,active_year,code_status,type_of_violence,conflict_dset_id,conflict_new_id,conflict_name,dyad_dset_id,"
    "dyad_new_id,dyad_name,side_a_dset_id,side_a_new_id,side_a,side_b_dset_id,side_b_new_id,side_b,number_of_sources,"
    "source_article,source_office,source_date,source_headline,source_original,where_prec,where_coordinates,"
    "where_description,adm_1,adm_2,latitude,longitude,geom_wkt,priogrid_gid,country,country_id,region,event_clarity,"
    "date_prec,date_start,date_end,deaths_a,deaths_b,deaths_civilians,deaths_unknown,best,high,low,gwnoa,gwnob"
).split(",")
GED_ROW = {
    "id": "900001",
    "relid": "SYN-2024-1-1",
    "year": "2024",
    "type_of_violence": "1",
    "where_prec": "1",
    "where_description": "Invented village",
    "latitude": "36.04",
    "longitude": "43.48",
    "geom_wkt": "POINT (43.48 36.04)",
    "event_clarity": "1",
    "date_prec": "1",
    "date_start": "2024-01-30 00:00:00.000",
    "date_end": "2024-02-02 00:00:00.000",
    "best": "3",
    "high": "7",
    "low": "2",
}


def write_rows(path: Path, header: Sequence[str], *rows: Mapping[str, str], head: bool = True, mark: str = "") -> Path:
    out = io.StringIO()
    writer = csv.writer(out)
    if head:
        writer.writerow(header)
    for row in rows:
        folded = {name.lower(): value for name, value in row.items()}
        writer.writerow([folded.get(name.lower(), "") for name in header])
    return write(path, mark + out.getvalue())


def acled(path: Path, *rows: Mapping[str, str]) -> gpd.GeoDataFrame:
    return read_incidents(write_rows(path, ACLED_NEW, *({**ACLED_ROW, **row} for row in rows)))


def ged(path: Path, *rows: Mapping[str, str]) -> gpd.GeoDataFrame:
    return read_incidents(write_rows(path, GED, *({**GED_ROW, **row} for row in rows)))


def reasons(table: gpd.GeoDataFrame) -> list[tuple[int, str]]:
    return [(record["source_row"], record["reason"]) for record in table.attrs["set_aside"]]


@pytest.mark.parametrize("header", [ACLED_NEW, ACLED_OLD, [name.upper() for name in ACLED_OLD], ACLED_NEW[::-1]])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("date", ["2023-01-31", "31 January 2023", "31-01-2023"])
def test_acled_of_all_years_gives_the_same(tmp_path: Path, header: Sequence[str], mark: str, date: str) -> None:
    found = read_incidents(write_rows(tmp_path / "a.csv", header, {**ACLED_ROW, "event_date": date}, mark=mark))
    assert list(found.columns) == [*COLUMNS["incidents"], "geometry"]
    assert found.dtypes[list(COLUMNS["incidents"])].astype(str).to_dict() == dict(COLUMNS["incidents"])
    row = found.loc["SYN1"]
    assert row["date_from"] == row["date_to"] == pd.Timestamp("2023-01-31")
    assert (row["kind"], row["deaths_best"], row["date_precision"]) == ("Battles", 2, "day")
    assert np.isnan(row["deaths_low"])
    assert row["note"] == ACLED_ROW["notes"]
    assert (row["location_precision"], row["location_radius_m"], row["coded_to"]) == ("near", 5_000, "place")
    assert (row.geometry.x, row.geometry.y) == (43.48, 36.04)
    assert found.attrs["input"]["read_as"].startswith("ACLED; UTF-8")
    assert found.attrs["input"]["attribution"] == "Incidents: ACLED, acleddata.com."
    assert any("terms" in remark for remark in found.attrs["input"]["remarks"])


@pytest.mark.parametrize(
    ("geo", "time", "word", "radius_m", "coded", "day"),
    [
        ("1", "3", "near", 5_000, "place", "month"),
        ("2", "1", "area", 15_000, "place", "day"),
        ("1.0", "2.0", "near", 5_000, "place", "week"),
    ],
)
def test_the_two_precisions_are_not_swapped(
    tmp_path: Path, geo: str, time: str, word: str, radius_m: float, coded: str, day: str
) -> None:
    row = acled(tmp_path / "a.csv", {"geo_precision": geo, "time_precision": time}).iloc[0]
    assert (row["location_precision"], row["location_radius_m"], row["coded_to"]) == (word, radius_m, coded)
    assert row["date_precision"] == day


def test_a_region_is_set_aside_and_a_month_is_not(tmp_path: Path) -> None:
    # With the codes swapped it would be the other row that goes.
    found = acled(
        tmp_path / "a.csv",
        {"geo_precision": "3", "time_precision": "1"},
        {"event_id_cnty": "SYN2", "geo_precision": "1", "time_precision": "3"},
    )
    assert found.index.tolist() == ["SYN2"]
    assert reasons(found) == [(1, 'geo_precision 3 is too coarse to place it; to use it: radius = { 3 = "50 km" }')]
    path = tmp_path / "a.csv"
    kept = read_incidents(path, radius_m={"1": 2_000.0, "3": 50_000.0})
    assert kept["location_radius_m"].sort_index().tolist() == [50_000, 2_000]
    assert kept["coded_to"].sort_index().tolist() == ["centroid", "place"]
    assert kept["location_precision"].sort_index().tolist() == ["area", "near"]
    assert read_incidents(path, radius_m={"3": None, "1": 700.0})["location_precision"].tolist() == ["exact"]
    with pytest.raises(InputError, match="ACLED has no such precision\n  radius: unknown precision '4'"):
        read_incidents(path, radius_m={"4": 1.0})


def test_all_imprecise_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 2 incidents can be used\n  row 1: geo_precision 3 is too coarse"):
        acled(tmp_path / "a.csv", {"geo_precision": "3"}, {"event_id_cnty": "SYN2", "geo_precision": "3"})


def test_a_row_for_each_actor_is_one_incident(tmp_path: Path) -> None:
    found = acled(
        tmp_path / "a.csv", {"actor1": "A"}, {"event_id_cnty": "SYN2", "event_date": "2023-03-05"}, {"actor1": "B"}
    )
    assert found.index.tolist() == ["SYN1", "SYN2"]
    assert reasons(found) == [(3, "the id 'SYN1' is in row 1 already")]


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("civilian_targeting", "Civilian targeting", 1.0),
        ("civilian_targeting", "", 0.0),
        ("event_type", "Violence against civilians", 1.0),
        ("event_type", "Battles", np.nan),
    ],
)
def test_whether_civilians_were_the_target(tmp_path: Path, column: str, text: str, expected: float) -> None:
    header = ACLED_NEW if column == "civilian_targeting" else ACLED_OLD
    found = read_incidents(write_rows(tmp_path / "a.csv", header, {**ACLED_ROW, column: text}))
    assert found["civilians"].iloc[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("mixed", ["01/02/2023", "01-02-2023"])
def test_dates_that_a_spreadsheet_turned_are_refused(tmp_path: Path, mixed: str) -> None:
    rows = [{}, {"event_id_cnty": "SYN2", "event_date": mixed}]
    with pytest.raises(InputError, match="dates in two styles") as caught:
        acled(tmp_path / "a.csv", *rows)
    assert caught.value.problems == ("row 1: '2023-01-31'", f"row 2: '{mixed}'")
    declared = read_incidents(tmp_path / "a.csv", day_first=True)
    assert declared.loc["SYN2", "date_from"] == pd.Timestamp("2023-02-01")


def test_dates_with_slashes_alone_must_be_declared(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of 1 incidents can be used\n  row 1: date '1/2/2023' .*dates = "):
        acled(tmp_path / "a.csv", {"event_date": "1/2/2023"})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"geo_precision": ""}, "geo_precision '' is not one of 1, 2, 3"),
        ({"geo_precision": "9"}, "geo_precision '9' is not one of 1, 2, 3"),
        ({"latitude": ""}, "one of longitude and latitude is missing"),
        ({"latitude": "", "longitude": ""}, "no position"),
        ({"latitude": "0", "longitude": "0.0"}, "longitude 0 and latitude 0, which stand for no position"),
        ({"latitude": "north"}, "'north' is not a coordinate"),
        ({"latitude": "136.1"}, "latitude 136.1 is outside -90..90 (are the columns swapped?)"),
        ({"fatalities": "some"}, "deaths 'some' is not a number of zero or more"),
        ({"fatalities": "-3"}, "deaths '-3' is not a number of zero or more"),
        ({"event_date": ""}, "no date"),
        ({"event_date": "0203-01-31"}, "date '0203-01-31' is no day of the calendar from 1900 to 2100"),
        ({"event_date": "31 Janvier 2023"}, "date '31 Janvier 2023' is not an ISO date"),
        ({"event_date": "31 February 2023"}, "date '31 February 2023' is no day of the calendar"),
    ],
)
def test_faults_of_a_row(tmp_path: Path, row: Mapping[str, str], reason: str) -> None:
    found = acled(tmp_path / "a.csv", {}, {"event_id_cnty": "SYN2", **row})
    assert found.index.tolist() == ["SYN1"]
    ((number, said),) = reasons(found)
    assert number == 2
    assert said.startswith(reason)


def test_coordinates_in_other_writing_are_read(tmp_path: Path) -> None:
    found = acled(
        tmp_path / "a.csv",
        {},
        {"event_id_cnty": "SYN2", "latitude": "36,04", "longitude": "٤٣٫٤٨"},
        {"event_id_cnty": "SYN3", "latitude": "36°02'24\"N", "longitude": "43°28'48\"E"},
    )
    assert found.geometry.geom_equals(found.geometry.iloc[0]).all()


def test_a_mapping_goes_before_the_layout(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.csv", ACLED_NEW, {**ACLED_ROW, "sub_event_type": "Armed clash"})
    assert read_incidents(path, columns={"kind": "sub_event_type"})["kind"].tolist() == ["Armed clash"]
    with pytest.raises(InputError, match="unknown column 'sub_type'; did you mean 'sub_event_type'"):
        read_incidents(path, columns={"kind": "sub_type"})


@pytest.mark.parametrize("header", [GED, GED[::-1], [name for name in GED if "dset" not in name]])
@pytest.mark.parametrize("form", ["{} 00:00:00.000", "{}", "{}T00:00:00"])
def test_ucdp_of_several_releases(tmp_path: Path, header: Sequence[str], form: str) -> None:
    dates = {"date_start": form.format("2024-01-30"), "date_end": form.format("2024-02-02")}
    found = read_incidents(write_rows(tmp_path / "a.csv", header, {**GED_ROW, **dates}))
    row = found.loc["900001"]
    # The span goes over the end of a month: both days are kept.
    assert (row["date_from"], row["date_to"]) == (pd.Timestamp("2024-01-30"), pd.Timestamp("2024-02-02"))
    assert (row["deaths_best"], row["deaths_low"], row["deaths_high"]) == (3, 2, 7)
    assert (row["kind"], row["civilians"], row["note"]) == ("state-based", 0, "Invented village")
    assert (row["location_precision"], row["location_radius_m"], row["coded_to"]) == ("near", 5_000, "place")
    assert found.attrs["input"]["attribution"] == "Incidents: UCDP GED, ucdp.uu.se."


def test_ucdp_dates_with_slashes_begin_with_the_year(tmp_path: Path) -> None:
    found = ged(tmp_path / "a.csv", {"date_start": "2024/1/30", "date_end": "2024/02/02"})
    assert (found["date_to"] - found["date_from"]).dt.days.tolist() == [3]


@pytest.mark.parametrize(
    ("where", "when", "radius_m", "day"),
    [("1", "5", 5_000, "year"), ("2", "1", 25_000, "day"), ("1", "4", 5_000, "month"), ("2", "3", 25_000, "week")],
)
def test_the_two_precisions_of_ucdp(tmp_path: Path, where: str, when: str, radius_m: float, day: str) -> None:
    row = ged(tmp_path / "a.csv", {"where_prec": where, "date_prec": when}).iloc[0]
    assert (row["location_radius_m"], row["date_precision"]) == (radius_m, day)


def test_middles_of_districts_are_set_aside_or_flagged(tmp_path: Path) -> None:
    rows = [{"id": str(code), "where_prec": str(code)} for code in range(1, 8)]
    found = ged(tmp_path / "a.csv", *rows)
    assert found.index.tolist() == ["1", "2"]
    assert [row for row, _ in reasons(found)] == [3, 4, 5, 6, 7]
    kept = read_incidents(tmp_path / "a.csv", radius_m={"3": 30_000.0, "4": 80_000.0, "5": 80_000.0})
    assert kept["coded_to"].sort_index().tolist() == ["place", "place", "centroid", "centroid", ""]


@pytest.mark.parametrize(
    ("code", "kind", "civilians"), [("1", "state-based", 0), ("2", "non-state", 0), ("3", "one-sided", 1)]
)
def test_kinds_of_ucdp(tmp_path: Path, code: str, kind: str, civilians: float) -> None:
    row = ged(tmp_path / "a.csv", {"type_of_violence": code}).iloc[0]
    assert (row["kind"], row["civilians"]) == (kind, civilians)


def test_a_candidate_file_without_a_header(tmp_path: Path) -> None:
    rows = [GED_ROW, {**GED_ROW, "id": "900002", "date_start": "2024-03-01", "date_end": "2024-03-01"}]
    headed = read_incidents(write_rows(tmp_path / "a.csv", GED, *rows))
    bare = read_incidents(write_rows(tmp_path / "b.csv", GED, *rows, head=False))
    assert bare.attrs["input"]["read_as"].endswith("no header, columns by their place")
    assert bare["source_row"].tolist() == [1, 2]
    for table in (headed, bare):
        table.attrs = {}
    pd.testing.assert_frame_equal(bare.assign(source=""), headed.assign(source=""))
    sheet = write_xlsx(tmp_path / "c.xlsx", [[row.get(name, "") for name in GED] for row in rows])
    assert read_incidents(sheet).index.tolist() == ["900001", "900002"]


def test_another_file_without_a_header_is_refused(tmp_path: Path) -> None:
    row = {**GED_ROW, "where_prec": "first"}
    with pytest.raises(InputError, match="no date column among 900001"):
        read_incidents(write_rows(tmp_path / "a.csv", GED, row, head=False))


@pytest.mark.parametrize("header", [ACLED_NEW, GED])
def test_an_export_without_rows(tmp_path: Path, header: Sequence[str]) -> None:
    found = read_incidents(write_rows(tmp_path / "a.csv", header))
    assert len(found) == 0
    assert list(found.columns) == [*COLUMNS["incidents"], "geometry"]
    assert found.dtypes[list(COLUMNS["incidents"])].astype(str).to_dict() == dict(COLUMNS["incidents"])


def test_since_and_until_take_spans_that_reach_in(tmp_path: Path) -> None:
    found = ged(tmp_path / "a.csv", {})
    assert len(found) == 1
    assert len(read_incidents(tmp_path / "a.csv", since=dt.date(2024, 2, 2))) == 1
    assert len(read_incidents(tmp_path / "a.csv", since=dt.date(2024, 2, 3))) == 0
    assert len(read_incidents(tmp_path / "a.csv", until=dt.date(2024, 1, 30))) == 1
    assert len(read_incidents(tmp_path / "a.csv", until=dt.date(2024, 1, 29))) == 0


def test_layouts_from_a_geopackage(tmp_path: Path) -> None:
    table = pd.DataFrame([{**ACLED_ROW, "geo_precision": 2, "time_precision": 1, "fatalities": 4}])
    points = gpd.points_from_xy([43.48], [36.04])
    gpd.GeoDataFrame(table, geometry=points, crs=4326).to_file(tmp_path / "a.gpkg")
    row = read_incidents(tmp_path / "a.gpkg").loc["SYN1"]
    assert (row["location_radius_m"], row["deaths_best"], row["date_precision"]) == (15_000, 4, "day")


def test_layouts_are_known_by_their_columns() -> None:
    assert recognise(ACLED_OLD) is ACLED
    assert recognise([name.title() for name in GED]) is UCDP
    assert recognise(["event_date", "lat", "lon"]).name == "plain table"
    assert headless(GED) is None
    assert headless([""] * 49) is None
    assert headless([GED_ROW.get(name, "") for name in GED]) == tuple(GED)


def test_an_export_that_somebody_has_cut(tmp_path: Path) -> None:
    # The middle of a province is no village, whichever columns went.
    region = {"event_id_cnty": "SYN2", "geo_precision": "3"}
    rows = [{**ACLED_ROW, **each} for each in ({}, region)]

    def read(*gone: str) -> gpd.GeoDataFrame:
        table = pd.DataFrame(rows).drop(columns=list(gone))
        table.to_csv(tmp_path / "a.csv", index=False)
        return read_incidents(tmp_path / "a.csv")

    cut = read("time_precision")
    assert (cut.index.tolist(), cut.attrs["input"]["attribution"]) == (["SYN1"], ACLED.attribution)
    assert cut.attrs["input"]["read_as"].startswith("ACLED; ")
    plain = read("event_id_cnty")
    assert len(plain) == 2
    assert plain.attrs["input"]["remarks"][0] == (
        "'geo_precision' is a column of ACLED, but without 'event_id_cnty' this is read as a plain table: its codes are not "
        "heard, and what stands for a whole region counts as a spot; get all its columns"
    )
    assert "'geo_precision'" in plain.attrs["input"]["read_as"].partition("columns not used: ")[2]
    assert "is a column of" not in " ".join(read("event_id_cnty", "geo_precision").attrs["input"]["remarks"])
    assert recognise([name for name in GED if name not in ("date_end", "date_prec")]) is UCDP
    assert nearly([name for name in GED if name != "where_prec"])[0].startswith(
        "'date_start' is a column of UCDP GED, but without 'where_prec' "
    )


def test_radii_are_set_by_code_for_all_layouts() -> None:
    assert set(ACLED.radius_m) == {"1", "2", "3"}
    assert set(UCDP.radius_m) == set("1234567")
    for layout in (ACLED, UCDP):
        assert set(layout.coded_to) <= set(layout.radius_m)
