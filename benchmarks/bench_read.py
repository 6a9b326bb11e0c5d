"""Reading incidents against pandas.read_csv of the same file: CPU time and peak memory.

In: nothing; rows are made up, in the layouts of ACLED, UCDP GED and a plain table, by date as logs and exports are. Out: a table on standard output, and gapmap's
figures as ratios. Method: each reading in a process of its own, in turns, the best of several.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from gapmap.readers import read_incidents

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


def _measure(reader: str, path: Path, storage: str) -> tuple[float, float]:
    pd.set_option("mode.string_storage", storage)
    started = time.process_time()
    if reader == "pandas":
        pd.read_csv(path)
    else:
        read_incidents(path)
    return time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _apart(reader: str, path: Path, storage: str) -> tuple[float, float]:
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, reader, path, storage).result()


def main() -> int:
    """Print the table; 1 if a reading of a delivered layout takes more than twice as long as pandas.read_csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    # Where pyarrow is installed, an extra, pandas (since 3.1) reads a file in threads and keeps its text there without
    # making a single Python string: that is three times as fast, and no yardstick for a reading that looks at every cell.
    parser.add_argument("--storage", choices=["python", "pyarrow"], default="python")
    asked = parser.parse_args()
    made = _made_up(asked.rows)
    print(f"{asked.rows:,} rows, best of {asked.rounds}, seconds of CPU; MB at the peak")
    print(f"{'layout':8}{'file MB':>9}{'read_csv':>10}{'gapmap':>8}{'ratio':>7}{'MB':>8}{'MB':>8}")
    slow = False
    with tempfile.TemporaryDirectory() as folder:
        for name, layout in {"ACLED": _acled, "UCDP": _ucdp, "plain": _plain}.items():
            path = Path(folder) / f"{name}.csv"
            layout(made).to_csv(path, index=False)
            rounds = [
                (_apart("pandas", path, asked.storage), _apart("gapmap", path, asked.storage))
                for _ in range(asked.rounds)
            ]
            base, ours = (min(each[place][0] for each in rounds) for place in (0, 1))
            base_mb, ours_mb = (max(each[place][1] for each in rounds) for place in (0, 1))
            size = path.stat().st_size / 1e6
            print(f"{name:8}{size:9.0f}{base:10.2f}{ours:8.2f}{ours / base:7.2f}{base_mb:8.0f}{ours_mb:8.0f}")
            slow |= name != "plain" and ours > 2 * base
            path.unlink()
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
