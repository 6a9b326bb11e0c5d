from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapmap.readers.values import DAY_FIRST_MARKS, Distinct, no_day, parse_days, parse_numbers


def days(texts: list[str], day_first: str = "") -> list[str | None]:
    found, bad = parse_days(pd.Series(texts, dtype=object), day_first=day_first)
    return [
        "bad" if wrong else None if pd.isna(day) else f"{day:%Y-%m-%d}" for day, wrong in zip(found, bad, strict=True)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2021-06-01",
        "2021/6/1",
        "2021.06.01",
        "2021-06-01 00:00:00.000",
        "2021-06-01T13:45:00Z",
        "1 June 2021",
        "01-Jun-2021",
        "1 JUN 2021",
        "٢٠٢١-٠٦-٠١",
        "\u200f2021-06-01",
    ],
)
def test_one_day_in_many_writings(text: str) -> None:
    assert days([text]) == ["2021-06-01"]


@pytest.mark.parametrize("text", ["1/6/2021", "01.06.2021", "1-6-2021", "١/٦/٢٠٢١", "01/06/2021 12:30"])
def test_the_day_comes_first_only_when_told(text: str) -> None:
    assert days([text]) == ["bad"]
    assert days([text], DAY_FIRST_MARKS) == ["2021-06-01"]
    assert 'dates = "day-first"' in no_day("date", text)
    assert "the year in full" in no_day("date", "1/6/21", day_first=True)


@pytest.mark.parametrize(
    "text",
    [
        "1/6/21",
        "6/2021",
        "2021",
        "2021-13-01",
        "2021-02-30",
        "1442-10-15",
        "15/10/1442",
        "1 Juin 2021",
        "44348",
        "x",
        "1.6/2021",
    ],
)
def test_what_is_no_day(text: str) -> None:
    assert days([text], DAY_FIRST_MARKS) == ["bad"]


def test_marks_and_nothing() -> None:
    assert days(["", "1-6-2021", "1/6/2021"], "-") == [None, "2021-06-01", "bad"]
    assert days([]) == []
    assert "day-first" not in no_day("date", "soon")
    for text in ("44348", "44348.604", "٤٤٣٤٨"):
        assert all("a spreadsheet counts days so" in no_day("date", text, day_first=first) for first in (False, True))
    assert "spreadsheet" not in no_day("date", "20210601")


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)))
def test_any_day_comes_back(day: dt.date) -> None:
    forms = [day.isoformat(), f"{day.day}/{day.month}/{day.year}", f"{day.day} {day:%B} {day.year}"]
    assert days(forms, DAY_FIRST_MARKS) == [day.isoformat()] * 3


def numbers(cells: list[object], **options: bool) -> list[object]:
    found, bad = parse_numbers(pd.Series(cells), **options)
    return ["bad" if wrong else None if np.isnan(number) else number for number, wrong in zip(found, bad, strict=True)]


def test_numbers() -> None:
    texts: list[object] = ["1", "1.5", "1,5", "٣", "12 500", "1,500", "", "inf", "nan", "x", "1e3", "-2"]
    assert numbers(texts) == [1, 1.5, 1.5, 3, 12_500, "bad", None, "bad", "bad", "bad", 1_000, -2]
    assert numbers(["1,500", "43,125"], coordinates=True) == [1.5, 43.125]
    assert numbers([1.0, np.nan, np.inf]) == [1, None, "bad"]
    assert numbers([True, False]) == ["bad", "bad"]
    assert numbers([]) == []


def test_each_distinct_text_is_read_once() -> None:
    seen: list[str] = []

    def read(text: str) -> int:
        seen.append(text)
        return len(text)

    column = Distinct(pd.Series(["a", "b", "a", ""]))
    assert column.each(read, int).tolist() == [1, 1, 1, 0]
    assert seen == ["a", "b", ""]
    assert column.where(lambda text: text == "a") == {1: "a", 3: "a"}
    assert column.where(lambda text: text == "c") == {}
    mixed = Distinct(pd.Series([1.0, np.nan, 2.5, "x "], dtype=object))
    assert mixed.each(str, "str").tolist() == ["1", "", "2.5", "x"]
    assert Distinct.blank(3).each(lambda text: text == "", bool).all()
