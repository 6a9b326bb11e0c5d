from __future__ import annotations

import datetime as dt
import gc
import sys
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

from gapmap.errors import InputError, MissingFileError
from gapmap.readers import read_incidents
from gapmap.tables import COLUMNS
from tests.test_readers_zones import write_xlsx

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "id,date,date_to,lat,lon,kind,deaths,deaths_low,deaths_high,civilians,precision,radius_km,note\n"
GOOD = "A-1,2020-03-01,2020-03-02,36,43,attack,2,1,3,yes,exact,,as {{7*7}} <b>written</b>\n"
HOSTILE = "as {{7*7}} <b>written</b>"


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_a_full_row(tmp_path: Path) -> None:
    found = read_incidents(write(tmp_path / "a.csv", HEADER + GOOD))
    assert list(found.columns) == [*COLUMNS["incidents"], "geometry"]
    row = found.loc["A-1"]
    assert (row["date_from"], row["date_to"]) == (pd.Timestamp("2020-03-01"), pd.Timestamp("2020-03-02"))
    assert (row["deaths_best"], row["deaths_low"], row["deaths_high"], row["civilians"]) == (2, 1, 3, 1)
    assert (row["location_precision"], row["location_radius_m"]) == ("exact", 1_000)
    assert (row["kind"], row["note"], row["source"], row["source_row"]) == ("attack", HOSTILE, "a.csv", 1)
    assert (row["ground"], row["stretch_id"]) == ("", "")
    assert row.geometry.equals(Point(43, 36))
    assert found.crs == 4326


@pytest.mark.parametrize(
    ("precision", "radius", "word", "metres"),
    [
        ("exact", "", "exact", 1_000),
        ("NEAR", "", "near", 5_000),
        ("area", "", "area", 15_000),
        ("", "", "near", 5_000),
        ("area", "2.5", "area", 2_500),
    ],
)
def test_radius_by_precision_unless_the_row_says(
    tmp_path: Path, precision: str, radius: str, word: str, metres: float
) -> None:
    path = write(tmp_path / "a.csv", f"date,lat,lon,precision,radius_km\n2020-01-01,36,43,{precision},{radius}\n")
    row = read_incidents(path).iloc[0]
    assert (row["location_precision"], row["location_radius_m"]) == (word, metres)
    if not radius:
        own = read_incidents(path, radius_m={word: 77.0}).iloc[0]
        assert own["location_radius_m"] == 77


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("B,,,36,43,,,,,,,,", "no date"),
        ("B,1/2/2020,,36,43,,,,,,,,", "date '1/2/2020' is not an ISO date"),
        ("B,2020-03-01,x,36,43,,,,,,,,", "date_to 'x' is not an ISO date"),
        ("B,2020-03-02,2020-03-01,36,43,,,,,,,,", "dates reversed: date_to 2020-03-01 is before the first day"),
        ("B,2020-03-01,,,,,,,,,,,", "no position"),
        ("B,2020-03-01,,36,,,,,,,,,", "one of longitude and latitude is missing"),
        ("B,2020-03-01,,nan,43,,,,,,,,", "'nan' is not a coordinate"),
        ("B,2020-03-01,,136,43,,,,,,,,", "latitude 136 is outside"),
        ("B,2020-03-01,,36,43,,many,,,,,,", "deaths 'many' is not a number"),
        ("B,2020-03-01,,36,43,,-1,,,,,,", "deaths '-1' is not a number of zero or more"),
        ("B,2020-03-01,,36,43,,,,,perhaps,,,", "civilians 'perhaps'"),
        ("B,2020-03-01,,36,43,,,,,,vague,,", "precision 'vague' is not one of exact, near, area"),
        ("B,2020-03-01,,36,43,,,,,,,wide,", "radius_km 'wide' is not within"),
        ("B,2020-03-01,,36,43,,,,,,,-2,", "radius_km '-2' is not within"),
        ("A-1,2020-03-01,,36,43,,,,,,,,", "the id 'A-1' is in row 1 already"),
        (",,,,,,,,,,,,", "blank row"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    found = read_incidents(write(tmp_path / "a.csv", f"{HEADER}{GOOD}{row}\n"))
    assert found.index.tolist() == ["A-1"]
    (record,) = found.attrs["set_aside"]
    assert (record["source"], record["source_row"]) == ("a.csv", 2)
    assert record["reason"].startswith(reason)
    assert {key: found.attrs["input"][key] for key in ("rows", "used", "set_aside")} == {
        "rows": 2,
        "used": 1,
        "set_aside": 1,
    }


def test_since_and_until_count_both_days(tmp_path: Path) -> None:
    rows = (
        "".join(f"{n},2020-03-0{n},,36,43,,,,,,,,\n" for n in range(1, 6))
        + "long,2020-02-01,2020-04-01,36,43,,,,,,,,\n"
    )
    found = read_incidents(
        write(tmp_path / "a.csv", HEADER + rows), since=dt.date(2020, 3, 2), until=dt.date(2020, 3, 4)
    )
    assert sorted(found.index) == ["2", "3", "4", "long"]
    assert [record["reason"] for record in found.attrs["set_aside"]] == [
        "before the first day asked for",
        "after the last day asked for",
    ]
    none = read_incidents(tmp_path / "a.csv", since=dt.date(2030, 1, 1))
    assert len(none) == 0
    assert len(none.attrs["set_aside"]) == 6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"since": "1/6/2020"}, "since is '1/6/2020', not a day"),
        ({"until": 2020}, "until is 2020, not a day"),
        ({"since": dt.date(2021, 1, 1), "until": dt.date(2020, 1, 1)}, "2021-01-01 is after until 2020-01-01"),
        ({"radius_m": {"exact": "5 km"}}, r"radius of exact: '5 km' is not within 0\.\.500000 m"),
        ({"radius_m": {"exact": -1, "near": None}}, "radius of exact: -1 is not within"),
    ],
)
def test_days_and_radii_that_are_none(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    """A text would be read month first, in silence."""
    with pytest.raises(InputError, match=words):
        read_incidents(write(tmp_path / "a.csv", HEADER + GOOD), **options)


def test_a_mapping_by_field_or_by_its_other_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "When,North,East,What,Ref\n2020-03-01,36,43,x,R9\n")
    found = read_incidents(
        path, columns={"date": "when", "lat": "North", "lon": "East", "kind": "What", "incident_id": "Ref"}
    )
    assert found.index.tolist() == ["R9"]
    assert found["kind"].tolist() == ["x"]
    with pytest.raises(InputError) as caught:
        read_incidents(path, columns={"dat": "When", "lat": "Nroth"})
    assert "unknown field 'dat'; did you mean 'date'?" in str(caught.value)
    assert "lat: unknown column 'Nroth'" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("when,lat,lon\n2020-01-01,36,43\n", r"no date column among when, lat, lon\n  -> say which it is: columns = "),
        ("date,north\n2020-01-01,36\n", "no position column among date, north"),
        ("date,lat,lon\nx,36,43\ny,36,43\n", r"none of 2 incidents can be used\n  row 1: date 'x'"),
        ("", "the file is empty"),
    ],
)
def test_a_file_in_which_nothing_is_understood(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_incidents(write(tmp_path / "a.csv", text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_incidents(tmp_path / "none.csv")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".gpkg", ".geojson"])
def test_no_incidents_is_fine(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        write(path, "date,lat,lon\n")
    elif suffix == ".xlsx":
        book = openpyxl.Workbook()
        assert book.active is not None
        book["Sheet"].append(["date", "lat", "lon"])
        book.save(path)
    else:
        gpd.GeoDataFrame({"date": []}, geometry=[], crs=4326).to_file(path)
    if suffix == ".geojson":  # holds no columns once it holds no features
        with pytest.raises(InputError, match="no date column"):
            read_incidents(path)
        return
    found = read_incidents(path)
    assert len(found) == 0
    assert list(found.columns) == [*COLUMNS["incidents"], "geometry"]


def test_vector_files_hold_points(tmp_path: Path) -> None:
    table = gpd.GeoDataFrame(
        {"date": ["2020-01-01", "2020-01-02"]}, geometry=[Point(43, 36), LineString([(43, 36), (44, 36)])], crs=4326
    ).to_crs(32638)
    table.to_file(tmp_path / "a.gpkg")
    found = read_incidents(tmp_path / "a.gpkg")
    assert found.geometry.iloc[0].distance(Point(43, 36)) < 1e-9
    assert found.attrs["set_aside"][0]["reason"] == "the geometry is not a point"


@given(order=st.permutations(range(5)))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ids_do_not_depend_on_row_order(tmp_path: Path, order: list[int]) -> None:
    rows = [f"2020-01-0{1 + n // 2},36,43.{n},{n}\n" for n in range(5)]
    straight = read_incidents(write(tmp_path / "a.csv", "date,lat,lon,note\n" + "".join(rows)))
    mixed = read_incidents(write(tmp_path / "a.csv", "date,lat,lon,note\n" + "".join(rows[n] for n in order)))
    assert straight.index.tolist() == [f"I0000{n}" for n in range(1, 6)]
    pd.testing.assert_frame_equal(
        pd.DataFrame(mixed.drop(columns="source_row")), pd.DataFrame(straight.drop(columns="source_row"))
    )


def test_a_given_id_never_meets_a_numbered_one(tmp_path: Path) -> None:
    found = read_incidents(write(tmp_path / "a.csv", "id,date,lat,lon\nI00001,2020-01-02,36,43\n,2020-01-01,36,43\n"))
    assert found.index.is_unique
    assert len(found) == 2


def test_ten_thousand_rows_take_seconds(tmp_path: Path) -> None:
    days = pd.Timestamp("2018-01-01") + pd.to_timedelta(np.arange(10_000) % 1000, unit="D")
    pd.DataFrame({"date": days.strftime("%Y-%m-%d"), "lat": 36.0, "lon": 43.0}).to_csv(tmp_path / "a.csv", index=False)
    assert len(read_incidents(tmp_path / "a.csv")) == 10_000


def test_where_pandas_keeps_its_text_changes_nothing(tmp_path: Path) -> None:
    # Python's text and Arrow's are read in two ways; and of a file so large pandas takes parts of a column for numbers.
    rows = [
        f"{n},2020-01-{n % 28 + 1:02},{36 + n % 100 / 100},43.5,0{n % 2},{'exact' if n % 3 else ''},{n % 5}\n"
        for n in range(200_000)
    ]
    rows += [
        " 007 ,1 May 2020,36.5,43.5,attack,NEAR,1.0\n",
        'B,2020-05-01,"36,5",43.5,True,vague,2\n',
        "C,1/5/2020,36.5,43.5,,,x\n",
        "D,,36.5,43.5,,,\n",
        "7,2020-05-01,36.5,43.5,قتل,area,\n",
    ]
    path = write(tmp_path / "a.csv", "id,date,lat,lon,kind,precision,deaths\n" + "".join(rows))
    with pd.option_context("mode.string_storage", "python"):
        plain = read_incidents(path)
    with pd.option_context("mode.string_storage", "pyarrow"):
        arrow = read_incidents(path)
    assert plain.attrs == arrow.attrs
    assert [record["reason"].split(" is ")[0] for record in plain.attrs["set_aside"]] == [
        "precision 'vague'",
        "date '1/5/2020'",
        "no date",
        "the id '7'",
    ]
    assert plain.loc["007", "kind"] == "attack"
    assert set(plain["kind"]) == {"00", "01", "attack"}
    tables = (pd.DataFrame(each.drop(columns="geometry")).reset_index().astype(object) for each in (plain, arrow))
    pd.testing.assert_frame_equal(*tables, check_column_type=False)
    assert plain.geometry.to_numpy().tolist() == arrow.geometry.to_numpy().tolist()


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
@pytest.mark.parametrize(
    "kinds", [["01", "02"], ["1.10", "1.2"], ["true", "true"], ["1e3", ""], ["", ""], ["007", "raid"]]
)
def test_kinds_are_told_as_they_are_written(tmp_path: Path, kinds: list[str], storage: str) -> None:
    rows = "".join(f"2021-02-{day:02d},36,43,{kind},{kind}\n" for day, kind in enumerate(kinds, start=1))
    path = write(tmp_path / "a.csv", f"date,lat,lon,kind,what\n{rows}")
    with pd.option_context("mode.string_storage", storage):
        assert read_incidents(path)["kind"].tolist() == kinds
        assert read_incidents(path, columns={"kind": "what"})["kind"].tolist() == kinds


def test_arrow_and_the_collector_are_left_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow")

    def state() -> tuple[bool, str]:
        return gc.isenabled(), pyarrow.default_memory_pool().backend_name

    meanwhile = []

    def checksum(_: Path) -> str:
        meanwhile.append(state())
        return "0"

    monkeypatch.setattr("gapmap.readers.files.checksum", checksum)
    before = state()
    found = read_incidents(write(tmp_path / "a.csv", HEADER + GOOD))
    assert (state(), meanwhile) == (before, [(False, "system")])
    with pytest.raises(InputError, match="none of 1 incidents"):
        read_incidents(write(tmp_path / "b.csv", HEADER + GOOD.replace("2020", "1066")))
    assert state() == before
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as where it is not installed
    with pd.option_context("mode.string_storage", "python"):
        assert read_incidents(tmp_path / "a.csv").index.tolist() == found.index.tolist()


def test_dates_that_a_spreadsheet_may_have_turned(tmp_path: Path) -> None:
    # Typed as 3/2, 4/2, 25/2 and 28/2: the first two became dates of March and April where the month is read first.
    def remarks(*cells: object) -> list[str]:
        rows: list[list[object]] = [["date", "lat", "lon"]]
        rows += [[cell, 36 + place, 43] for place, cell in enumerate(cells)]
        path = write_xlsx(tmp_path / "a.xlsx", rows)
        return read_incidents(path, day_first=True).attrs["input"]["remarks"]

    march, april = dt.date(2021, 3, 2), dt.datetime(2021, 4, 2)  # noqa: DTZ001 - a date cell has no zone
    (said,) = remarks(march, april, "25/2/2021", "28/2/2021")
    assert said.startswith("days and months may be turned in column 'date': no day is above 12 in its dates")
    assert remarks(march, dt.date(2021, 3, 13), "25/2/2021") == []
    assert remarks(march, "25/2/2021", "5/2/2021") == []
    assert remarks("5/2/2021", "25/2/2021") == []


@pytest.mark.parametrize("order", [1, -1])
def test_kinds_that_differ_in_capitals_are_one(tmp_path: Path, order: int) -> None:
    kinds = ["attack", "Attack", "IED", "attack", "ied", "Car  bomb", "car bomb", "", "raid"][::order]
    rows = "".join(f"2021-02-{day:02d},36,43,{kind}\n" for day, kind in enumerate(kinds, start=1))
    found = read_incidents(write(tmp_path / "a.csv", f"date,lat,lon,kind\n{rows}"))
    one = {"Attack": "attack", "ied": "IED", "car bomb": "Car  bomb"}
    assert found["kind"].tolist() == [one.get(kind, kind) for kind in kinds]
    assert (
        "kind 'Attack' of 1 row is taken for 'attack'; kind 'car bomb' of 1 row is taken for 'Car  bomb'; "
        "kind 'ied' of 1 row is taken for 'IED'"
    ) in found.attrs["input"]["remarks"]


def test_deaths_in_thousands_and_none_are_numbers(tmp_path: Path) -> None:
    said = {
        "1,000": 1_000,
        "1 000": 1_000,
        "2,345,678": 2_345_678,
        "١،٠٠٠": 1_000,
        "None": 0,
        "nil.": 0,
        "no": 0,
        "لا يوجد": 0,
        "7": 7,
    }
    rows = "".join(f'2021-02-{day:02d},36,43,"{text}"\n' for day, text in enumerate(said, start=1))
    more = '2021-03-01,36,43,"1,00"\n2021-03-02,36,43,"0,000"\n2021-03-03,36,43,"-1,000"\n'
    found = read_incidents(write(tmp_path / "a.csv", f"date,lat,lon,deaths\n{rows}{more}"))
    assert found["deaths_best"].tolist() == [*said.values(), 1, 0]  # as before: a decimal comma
    assert [each["source_row"] for each in found.attrs["set_aside"]] == [12]
    assert found.attrs["input"]["remarks"][0].startswith("11 incidents at 1 position")


def test_counts_of_dead_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    rows = ["9,1,5", "3,7,", "3,,", "3,1,4", ",5,4", "2,2,2"]
    lines = [f"2021-0{month}-03,3{month},43,{row}" for month, row in enumerate(rows, start=1)]
    path = write(tmp_path / "a.csv", "date,lat,lon,deaths,deaths_low,deaths_high\n" + "\n".join(lines) + "\n")
    found = read_incidents(path)
    assert found["deaths_best"].tolist()[:4] == [9, 3, 3, 3]
    told = "deaths of 3 incidents are not in order, low, best, high (rows 1, 2, 5): used as written"
    assert found.attrs["input"]["remarks"] == [told]
    later = read_incidents(path, since=dt.date(2021, 3, 1))
    assert later.attrs["input"]["remarks"] == [
        "deaths of one incident are not in order, low, best, high (row 5): used as written"
    ]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_point_in_deaths_may_part_thousands(tmp_path: Path, suffix: str) -> None:
    def deaths(*texts: str) -> tuple[list[float], list[str]]:
        rows = [["date", "lat", "lon", "deaths"]]
        rows += [["2021-02-03", f"35.{place}", "43", text] for place, text in enumerate(texts)]
        if suffix == ".csv":
            path = write(tmp_path / "a.csv", "".join(",".join(row) + "\n" for row in rows))
        else:
            path = write_xlsx(tmp_path / "a.xlsx", rows)
        table = read_incidents(path)
        found = table.sort_values("source_row")
        return found["deaths_best"].fillna(-1).tolist(), table.attrs["input"]["remarks"]

    said = "used, without a number; write 1000 or 1 for 1.000, which may be either"
    assert deaths("1.000", "3", "") == (
        [-1, 3, -1],
        [f"deaths not known of one incident ('1.000'; row 1): {said}"],
    )
    assert deaths("١.٠٠٠", "2.345", "?", "12") == (
        [-1, -1, -1, 12],
        [f"deaths not known of 3 incidents ('2.345', '?', '١.٠٠٠'; rows 1, 2, 3): {said}"],
    )
    for shown in ("0.000", "2.0", "2.50", "1000.000", "4."):  # other cells show that points part decimals
        assert deaths("1.000", shown) == ([1, float(shown)], [])


def test_an_incident_whose_deaths_are_not_known_is_one(tmp_path: Path) -> None:
    said = ["?", "Unknown", "n/a", "N.A.", "-", "\u2014", "nk", "غير معروف", "", "3"]
    rows = "".join(f"2021-02-03,35.{place},43,{text}\n" for place, text in enumerate([*said, "Mosul", "5x"]))
    path = write(tmp_path / "a.csv", f"date,lat,lon,deaths\n{rows},36,43,?\n")
    found = read_incidents(path)
    assert found["deaths_best"].notna().sum() == 1
    assert len(found) == len(said)
    assert [each["reason"] for each in found.attrs["set_aside"]] == [
        "deaths 'Mosul' is not a number of zero or more",
        "deaths '5x' is not a number of zero or more",
        "no date",
    ]
    texts = "'-', '?', 'N.A.', 'Unknown', 'n/a', 'nk', 'غير معروف', '\u2014'"
    remark = f"deaths not known of 8 incidents ({texts}; rows 1, 2, 3, 4, 5 and 3 more): used, without a number"
    assert remark in found.attrs["input"]["remarks"]
    about = ["5+", "2-3", "~10", "<5", "2?", "2021-06-01", "+964", "-1"]
    rows = "".join(f"2021-02-03,35.{place},43,{text}\n" for place, text in enumerate(about))
    found = read_incidents(write(tmp_path / "c.csv", f"date,lat,lon,deaths\n{rows}"))
    assert (len(found), found["deaths_best"].notna().sum()) == (6, 1)  # +964 is a number
    assert [each["source_row"] for each in found.attrs["set_aside"]] == [6, 8]
    one = read_incidents(write(tmp_path / "b.csv", "date,lat,lon,deaths,deaths_low\n2021-02-03,36,43,?,?\n"))
    assert one.attrs["input"]["remarks"] == ["deaths not known of one incident ('?'; row 1): used, without a number"]


@pytest.mark.parametrize("deaths", ["true", "1.0e3x", "TRUE"])
def test_deaths_are_told_as_they_are_written(tmp_path: Path, deaths: str) -> None:
    path = write(tmp_path / "a.csv", f"date,lat,lon,deaths\n2021-02-03,35.9,43.5,1\n2021-02-04,35.9,43.5,{deaths}\n")
    assert read_incidents(path).attrs["set_aside"][0]["reason"] == f"deaths {deaths!r} is not a number of zero or more"
    alone = write(tmp_path / "b.csv", f"date,lat,lon,deaths\n2021-02-04,35.9,43.5,{deaths}\n")
    with pytest.raises(InputError, match=f"deaths '{deaths}'"):
        read_incidents(alone)  # of a column of nothing else, pandas would make truths


def test_texts_that_a_short_row_lacks_are_blank(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "date,lat,lon,kind,id,note\n2021-02-03,35.9,43.5,x,A,said\n2021-02-04,35.9,43.5\n")
    found = read_incidents(path)
    assert found["note"].tolist() == ["said", ""]
    assert found.index.tolist() == ["A", "I00001"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bomb,0,exact,0,a", "bomb,3,exact,0,a"),
        ("bomb,0,exact,0,a", "bomb,,exact,0,a"),
        ("bomb,0,exact,0,a", "bomb,0,near,0,a"),
        ("bomb,0,exact,0,a", "bomb,0,exact,1,a"),
        ("bomb,0,exact,0,a", "bomb,0,exact,0,b"),
    ],
)
def test_incidents_without_an_id_get_the_same_in_any_order(tmp_path: Path, one: str, other: str) -> None:
    def read(*rows: str) -> pd.DataFrame:
        text = "".join(f"2020-01-01,36,43,{row}\n" for row in rows)
        head = "date,lat,lon,kind,deaths,precision,civilians,note"
        return pd.DataFrame(read_incidents(write(tmp_path / "log.csv", f"{head}\n{text}"))).drop(columns="source_row")

    pd.testing.assert_frame_equal(read(one, other), read(other, one))


def test_a_date_among_the_dead_is_no_number_of_them(tmp_path: Path) -> None:
    text = "date,lat,lon,deaths\n2020-01-01,36,43,20200101\n2020-01-02,36,43,4294967296\n2020-01-03,36,43,10000000\n"
    found = read_incidents(write(tmp_path / "log.csv", text))
    assert found["deaths_best"].tolist() == [10_000_000]
    assert [each["reason"] for each in found.attrs["set_aside"]] == [
        "deaths '20200101' is above 10,000,000: is it another number?",
        "deaths '4294967296' is above 10,000,000: is it another number?",
    ]
