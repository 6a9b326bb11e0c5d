from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio

import gapmap
from gapmap import cli
from gapmap.errors import InputError, MissingFileError
from gapmap.terrain import check_heights, hillshade

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray


def _write_dem(
    path: Path,
    heights: NDArray[np.float64],
    *,
    crs: str | None = "EPSG:4326",
    transform: rasterio.Affine | None = None,
    **options: Any,  # noqa: ANN401 - of the driver
) -> Path:
    rows, columns = heights.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=rows,
        width=columns,
        count=1,
        dtype="float32",
        crs=crs,
        transform=transform or rasterio.Affine(1 / columns, 0, 43, 0, -1 / rows, 37),
        **options,
    ) as target:
        target.write(heights.astype("float32"), 1)
    return path


def _picture(table: pd.DataFrame) -> NDArray[np.uint8]:
    with rasterio.MemoryFile(base64.b64decode(table["image"].iloc[0])) as memory, memory.open() as source:
        return source.read()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_relief_has_the_proportions_of_the_map(tmp_path: Path) -> None:
    dem = _write_dem(tmp_path / "dem.tif", np.zeros((200, 200)))
    table = hillshade(dem, (43.2, 36.4, 43.6, 36.8), attribution="Elevation: test.")
    row = table.iloc[0]
    assert [row["west"], row["south"], row["east"], row["north"]] == pytest.approx([43.1, 36.3, 43.7, 36.9], abs=1e-6)
    picture = _picture(table)
    # Mercator: a degree of latitude is longer than one of longitude by 1 / cos(latitude).
    assert picture.shape[1] / picture.shape[2] == pytest.approx(1 / np.cos(np.radians(36.6)), rel=0.01)
    assert np.abs(picture[0].astype(int) - 238)[20:-20, 20:-20].max() <= 2  # flat ground is light and even
    assert picture[3, 0].max() == 0  # clear at the edge
    assert picture[3, picture.shape[1] // 2, picture.shape[2] // 2] == 255


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_light_comes_from_the_north_west(tmp_path: Path) -> None:
    y, x = np.mgrid[1:-1:200j, -1:1:200j]
    dem = _write_dem(tmp_path / "dem.tif", 8_000 * np.exp(-(x**2 + y**2) * 8))
    picture = _picture(hillshade(dem, (43, 36, 44, 37)))[0].astype(float)
    rows, columns = picture.shape
    north_west = picture[rows // 4 : rows // 2, columns // 4 : columns // 2].mean()
    south_east = picture[rows // 2 : 3 * rows // 4, columns // 2 : 3 * columns // 4].mean()
    assert north_west > 238 > south_east


def test_relief_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        hillshade(tmp_path / "none.tif", (43, 36, 44, 37))
    (tmp_path / "text.tif").write_text("no raster", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        hillshade(tmp_path / "text.tif", (43, 36, 44, 37))
    dem = _write_dem(tmp_path / "dem.tif", np.zeros((9, 9)))
    # An order to read another raster, whatever it is called; it could name a server.
    order = f"""<VRTDataset rasterXSize="9" rasterYSize="9"><SRS>EPSG:4326</SRS>
        <GeoTransform>43, 0.111, 0, 37, 0, -0.111</GeoTransform><VRTRasterBand dataType="Float32" band="1">
        <SimpleSource><SourceFilename>{dem}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""
    (tmp_path / "order.tif").write_text(order, encoding="utf-8")
    with rasterio.open(tmp_path / "order.tif") as source:
        assert source.read(1).shape == (9, 9)
    with pytest.raises(InputError, match=r"cannot be read[^>]*> .*a GeoTIFF is best"):
        hillshade(tmp_path / "order.tif", (43, 36, 44, 37))
    with pytest.raises(InputError, match="outside the region"):
        hillshade(dem, (10, 10, 11, 11))
    with pytest.raises(InputError, match="no CRS"):
        hillshade(_write_dem(tmp_path / "nocrs.tif", np.zeros((9, 9)), crs=None), (43, 36, 44, 37))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_rows_from_south_to_north_give_the_same_picture(tmp_path: Path) -> None:
    heights = np.random.default_rng(1).uniform(0, 900, (60, 60))
    north = hillshade(_write_dem(tmp_path / "north.tif", heights), (43.2, 36.4, 43.6, 36.8))
    transform = rasterio.Affine(1 / 60, 0, 43, 0, 1 / 60, 36)
    south = hillshade(_write_dem(tmp_path / "south.tif", heights[::-1], transform=transform), (43.2, 36.4, 43.6, 36.8))
    columns = ["west", "south", "east", "north"]
    assert south[columns].to_numpy().ravel().tolist() == pytest.approx(north[columns].to_numpy().ravel().tolist())
    assert _picture(south).shape == _picture(north).shape
    assert np.abs(_picture(south).astype(int) - _picture(north)).max() <= 3  # WEBP is not exact


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_without_a_place_does_not_lie_at_zero_degrees(tmp_path: Path) -> None:
    dem = _write_dem(tmp_path / "dem.tif", np.zeros((60, 60)), transform=rasterio.Affine.identity())
    with pytest.raises(InputError, match=r"^dem\.tif: the raster does not say where it lies"):
        hillshade(dem, (43.2, 36.4, 43.6, 36.8))


SCENARIO = """[forces.north]
zones = "north.csv"
[forces.south]
zones = "south.csv"
[terrain]
dem = "dem.tif"
"""


def _write_scenario(folder: Path) -> Path:
    (folder / "north.csv").write_text("name,lon,lat,reach\nN,43.4,36.6,5 km\n", encoding="utf-8")
    (folder / "south.csv").write_text("name,lon,lat,reach\nS,43.4,36.4,5 km\n", encoding="utf-8")
    path = folder / "scenario.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def test_a_raster_cut_short_is_said_by_check_and_by_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dem = _write_dem(tmp_path / "dem.tif", np.random.default_rng(1).uniform(0, 900, (60, 60)))
    data = dem.read_bytes()
    scenario = _write_scenario(tmp_path)
    check_heights(dem)
    for end in (5_000, len(data) - 9):
        dem.write_bytes(data[:end])
        for words in (["check", str(scenario)], ["run", str(scenario), "--out", str(tmp_path / "out")]):
            assert cli.main(words) == 2
            told = capsys.readouterr().err
            assert told.startswith("gapmap: dem.tif: not all of its heights can be read: it is damaged or cut short\n")
        assert not (tmp_path / "out").exists()


def test_a_raster_damaged_in_its_middle_is_said(tmp_path: Path) -> None:
    heights = np.random.default_rng(1).uniform(0, 900, (64, 64))
    options: dict[str, Any] = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}
    dem = _write_dem(tmp_path / "dem.tif", heights, **options)
    data = bytearray(dem.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 900] = bytes(900)
    dem.write_bytes(data)
    check_heights(dem)  # both ends are there
    with pytest.raises(InputError, match=r"^dem\.tif: not all of its heights can be read"):
        hillshade(dem, (43.2, 36.4, 43.6, 36.8))


@pytest.mark.parametrize(
    ("heights", "transform", "why"),
    [
        (np.ones((18, 36)), rasterio.Affine(10, 0, -180, 0, -10, 90), "the cells of the raster are too large for"),
        (np.full((60, 60), -9.0), None, "the raster has no heights over"),
        (np.full((18, 36), -9.0), rasterio.Affine(10, 0, -180, 0, -10, 90), "the raster has no heights over"),
        (np.ones((60, 60)), None, ""),
    ],
)
def test_a_relief_that_shows_nothing_is_remarked_on(
    heights: NDArray[np.float64], transform: rasterio.Affine | None, why: str, tmp_path: Path
) -> None:
    _write_dem(tmp_path / "dem.tif", heights, transform=transform, nodata=-9)
    ran = gapmap.run(_write_scenario(tmp_path))
    (said,) = (each["remarks"] for each in json.loads(ran.run["inputs"].iloc[0]) if each["role"] == "terrain")
    assert said == ([f"no relief is drawn: {why} the region of the map"] if why else [])
