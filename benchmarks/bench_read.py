"""Reading incidents against a plain pandas.read_csv(path) of the same file: time by the clock, CPU time and peak memory.

In: nothing; rows are made up, in the layouts of ACLED, UCDP GED and a plain table, by date as logs and exports are. Out: a table on standard output, and gapmap's
figures as ratios. Method: each reading in a process of its own, in turns, the best of several; with pyarrow, an extra, and as if it were not installed.

The two do not do the same work. With pyarrow, pandas (since 3.1) reads a file in threads and leaves text in Arrow without looking at it; on two cores that is half
the time by the clock. It does so only of a path and of all columns. gapmap has pandas read only the columns it needs, in one thread, and then looks at every cell of them: it takes the file's checksum, sees that it is UTF-8, that no row is too long and no id there twice, reads
dates and codes, sorts, makes a million points, and looks for stacks and for incidents told twice.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

_AT_MOST = 2
# As a user would call them; without pyarrow, the import fails as where it is not installed.
_READING = """
import sys, time
reader, path, arrow = sys.argv[1:]
if arrow == "without":
    sys.modules["pyarrow"] = None
import pandas
from gapmap.readers import read_incidents
read = {"pandas": pandas.read_csv, "gapmap": read_incidents}[reader]
clock, cpu = time.perf_counter(), time.process_time()
table = read(path)
clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
with open("/proc/self/status") as status:  # getrusage would tell the peak of the process that started this one
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(clock, cpu, peak / 1e3)
"""
_NOTES = np.array(
    [
        'Armed men attacked a village at night; two houses were burnt, and "three" people fled to the next one.',
        "A roadside bomb went off near a patrol on the road between two towns, no casualties were reported.",
    ],
    dtype=object,
)


def _made_up(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    towns = rng.uniform((41.0, 34.0), (46.0, 37.5), (5_000, 2)).round(4)
    town = rng.integers(0, len(towns), rows)
    number = np.arange(rows).astype(str).astype(object)
    return {
        "id": "SYN" + number,
        "day": (np.datetime64("2015-01-01") + np.sort(rng.integers(0, 3_650, rows))).astype("datetime64[D]"),
        "lon": towns[town, 0],
        "lat": towns[town, 1],
        "town": "Town " + town.astype(str).astype(object),
        "code": rng.choice(["1", "1", "1", "2", "3"], rows),
        "when": rng.choice(["1", "1", "1", "2", "3"], rows),
        "type": rng.integers(1, 4, rows),
        "dead": rng.poisson(1, rows),
        "note": "SYN" + number + ": " + _NOTES[rng.integers(0, 2, rows)],
    }


def _acled(made: dict[str, np.ndarray]) -> pd.DataFrame:
    kinds = np.array(["Battles", "Explosions/Remote violence", "Violence against civilians"])[made["type"] - 1]
    return pd.DataFrame(
        {
            "event_id_cnty": made["id"],
            "event_date": pd.Series(made["day"]).dt.strftime("%d %B %Y"),
            "year": pd.Series(made["day"]).dt.year,
            "time_precision": made["when"],
            "disorder_type": "Political violence",
            "event_type": kinds,
            "sub_event_type": "Armed clash",
            "actor1": "Group (made up)",
            "assoc_actor_1": "",
            "inter1": 2,
            "actor2": "Civilians (made up)",
            "assoc_actor_2": "",
            "inter2": 7,
            "interaction": 27,
            "civilian_targeting": np.where(made["type"] == 3, "Civilian targeting", ""),  # noqa: PLR2004
            "iso": 999,
            "region": "Nowhere",
            "country": "Nowhere",
            "admin1": "North",
            "admin2": "East",
            "admin3": "",
            "location": made["town"],
            "latitude": made["lat"],
            "longitude": made["lon"],
            "geo_precision": made["code"],
            "source": "Made up",
            "source_scale": "National",
            "notes": made["note"],
            "fatalities": made["dead"],
            "tags": "",
            "timestamp": 1_700_000_000,
        }
    )


def _ucdp(made: dict[str, np.ndarray]) -> pd.DataFrame:
    day = pd.Series(made["day"]).dt.strftime("%Y-%m-%d 00:00:00.000")
    texts = ("conflict_name", "dyad_name", "side_a", "side_b", "source_article", "source_office", "source_headline")
    return pd.DataFrame(
        {
            "id": np.arange(len(day)),
            "relid": made["id"],
            "year": pd.Series(made["day"]).dt.year,
            "active_year": 1,
            "code_status": "Clear",
            "type_of_violence": made["type"],
            **dict.fromkeys(texts, "Made up, and of some length"),
            **dict.fromkeys(("conflict_new_id", "dyad_new_id", "side_a_new_id", "side_b_new_id"), 1234),
            "number_of_sources": 1,
            "source_original": made["note"],
            "where_prec": made["code"],
            "where_coordinates": made["town"],
            "where_description": made["town"],
            "adm_1": "North",
            "adm_2": "East",
            "latitude": made["lat"],
            "longitude": made["lon"],
            "geom_wkt": "POINT (43.0 36.0)",
            "priogrid_gid": 180_000,
            "country": "Nowhere",
            "country_id": 999,
            "region": "Nowhere",
            "event_clarity": 1,
            "date_prec": made["when"],
            "date_start": day,
            "date_end": day,
            **dict.fromkeys(("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown"), 0),
            "best": made["dead"],
            "high": made["dead"] + 2,
            "low": made["dead"],
            "gwnoa": 999,
            "gwnob": "",
        }
    )


def _plain(made: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": made["id"],
            "date": made["day"],
            "lat": made["lat"],
            "lon": made["lon"],
            "kind": np.array(["attack", "mine", "abduction"])[made["type"] - 1],
            "deaths": made["dead"],
            "civilians": (made["type"] == 3).astype(int),  # noqa: PLR2004
            "precision": np.array(["exact", "near", "area"])[made["when"].astype(int) - 1],
            "note": made["note"],
        }
    )


def _measure(reader: str, path: Path, arrow: str) -> tuple[float, float, float]:
    """Return seconds on the clock, seconds of CPU, and MB at the peak, of a reading in a Python of its own."""
    done = subprocess.run(  # noqa: S603 - Python itself
        [sys.executable, "-c", _READING, reader, str(path), arrow], check=True, capture_output=True, text=True
    )
    clock, cpu, peak = map(float, done.stdout.split())
    return clock, cpu, peak


def main() -> None:
    """Print the table, and mark where a reading takes more than twice as long as pandas.read_csv, by the clock or of CPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    made = _made_up(asked.rows)
    print(f"{asked.rows:,} rows, best of {asked.rounds}: seconds by the clock and of CPU; MB at the peak")
    print(f"{'':8}{'file':>6}{'':10}{'read_csv':^22}{'gapmap':^22}{'ratio':^14}")
    print(f"{'layout':8}{'MB':>6}  {'pyarrow':8}" + f"{'clock':>8}{'CPU':>7}{'MB':>7}" * 2 + f"{'clock':>8}{'CPU':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name, layout in {"ACLED": _acled, "UCDP": _ucdp, "plain": _plain}.items():
            path = Path(folder) / f"{name}.csv"
            layout(made).to_csv(path, index=False)
            for arrow in ("with", "without"):
                rounds = [
                    (_measure("pandas", path, arrow), _measure("gapmap", path, arrow)) for _ in range(asked.rounds)
                ]
                base, ours = (
                    [
                        *(min(each[place][of] for each in rounds) for of in (0, 1)),
                        max(each[place][2] for each in rounds),
                    ]
                    for place in (0, 1)
                )
                ratios = [ours[of] / base[of] for of in (0, 1)]
                cells = "".join(f"{clock:8.2f}{cpu:7.2f}{peak:7.0f}" for clock, cpu, peak in (base, ours))
                size = path.stat().st_size / 1e6
                print(
                    f"{name:8}{size:6.0f}  {arrow:8}{cells}{ratios[0]:8.2f}{ratios[1]:6.2f}"
                    + ("  over 2" if max(ratios) > _AT_MOST else ""),
                    flush=True,
                )
            path.unlink()


if __name__ == "__main__":
    main()
