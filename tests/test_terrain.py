from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio

from gapmap.errors import InputError, MissingFileError
from gapmap.terrain import hillshade

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray


def _write_dem(path: Path, heights: NDArray[np.float64], *, crs: str | None = "EPSG:4326") -> Path:
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
        transform=rasterio.Affine(1 / columns, 0, 43, 0, -1 / rows, 37),
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
