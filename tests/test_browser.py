"""The page in headless Chromium, opened from disk with the network off."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import numpy as np
import pyproj
import pytest
from pypdf import PdfReader
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from gapmap.maps import build_map, save
from gapmap.widths import width_here
from tests import browser
from tests.fake_analysis import LAEA, UTM, FakeAnalysis, fake_analysis, without_zones
from tests.hostile import PAYLOADS, hostile, hostile_ids, hostile_zones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from branca.element import Element
    from numpy.typing import NDArray
    from selenium.webdriver import Chrome

    from gapmap.analysis import Analysis
    from gapmap.maps import MapSource


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def page(chrome: Chrome, tmp_path: Path) -> Chrome:
    """The hand-made analysis on the screen."""
    return _open(chrome, tmp_path, fake_analysis())


def _open(chrome: Chrome, folder: Path, analysis: MapSource, **layers: Element) -> Chrome:
    drawn = build_map(analysis, include_notes=True)
    for layer in layers.values():
        layer.add_to(drawn)
    path = save(drawn, folder / "map.html")
    browser.resize(chrome, (1280, 800))
    browser.console(chrome)
    browser.requests(chrome)
    browser.open_page(chrome, path)
    return chrome


def _details(chrome: Chrome) -> dict[str, tuple[str, str]]:
    """Return the figures of the selected thing, text and value by key; not those of the whole corridor."""
    found = chrome.execute_script(
        "return [...document.querySelectorAll('#details [data-key]')].filter(e => !e.closest('[data-corridor]'))"
        ".map(e => [e.dataset.key, e.textContent, e.dataset.value || ''])"
    )
    return {key: (text, value) for key, text, value in found}


def _click(chrome: Chrome, lat: float, lon: float) -> None:
    x, y = chrome.execute_script(
        "const p = gapmap.pixel(...arguments), r = document.getElementById('stage').getBoundingClientRect();"
        "return [p[0] + r.left, p[1] + r.top]",
        lat,
        lon,
    )
    actions = ActionChains(chrome)
    pointer: Any = actions.w3c_actions.pointer_action
    pointer.move_to_location(round(x), round(y))
    pointer.click()
    actions.perform()
    browser.settle(chrome)


def _pixels(chrome: Chrome) -> str:
    """Return all that the canvases of the map show, and how many pictures and paths there are."""
    # Leaflet repaints the part that changed; at its edge the smoothing differs by a shade, so repaint it all.
    chrome.execute_script("map_gapmap.fire('viewreset')")
    browser.settle(chrome)
    return chrome.execute_script(
        "return [...document.querySelectorAll('#map_gapmap canvas')].map(c => c.toDataURL()).join()"
        " + [...document.querySelectorAll('#map_gapmap img, #map_gapmap path')].length"
    )


def _random_points(analysis: FakeAnalysis, count: int) -> gpd.GeoSeries:
    west, south, east, north = analysis.table("facets").total_bounds
    random = np.random.default_rng(7)
    x, y = random.uniform(west, east, count), random.uniform(south, north, count)
    return gpd.GeoSeries(gpd.points_from_xy(x, y), crs=analysis.crs)


def _widths(chrome: Chrome, degrees: gpd.GeoSeries) -> NDArray[np.float64]:
    found = chrome.execute_script(
        "return arguments[0].map(([lat, lon]) => { const h = gapmap.widthAt(lat, lon); return h && h.width_m })",
        np.column_stack([degrees.y, degrees.x]).tolist(),
    )
    return np.array([np.nan if width is None else width for width in found])


def test_row_1_opens_without_a_complaint_and_without_a_request(page: Chrome) -> None:
    assert browser.console(page) == []
    asked = browser.requests(page)
    assert len(asked) == 1, asked
    assert asked[0].startswith("file:///")


def test_page_blocks_what_it_was_not_given(page: Chrome) -> None:
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.__x = 1'; document.body.append(s);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.__x = 2\">');"
    )
    browser.settle(page)
    assert page.execute_script("return window.__x === undefined")
    sent = page.execute_async_script(
        "fetch('https://example.org').then(() => arguments[0]('sent'), () => arguments[0]('blocked'))"
    )
    assert sent == "blocked"


@pytest.mark.parametrize("crs", [LAEA, UTM], ids=["laea", "utm"])
def test_projection_agrees_with_proj_to_a_centimetre(chrome: Chrome, tmp_path: Path, crs: pyproj.CRS) -> None:
    _open(chrome, tmp_path, fake_analysis(crs))
    random = np.random.default_rng(3)
    lon, lat = random.uniform(41, 47, 500), random.uniform(33, 38, 500)
    found = chrome.execute_script(
        "return arguments[0].map(([lat, lon]) => gapmap.project(lat, lon))", np.column_stack([lat, lon]).tolist()
    )
    expected = np.column_stack(pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat))
    assert np.abs(np.array(found) - expected).max() < 0.01


@pytest.mark.parametrize("crs", [LAEA, UTM], ids=["laea", "utm"])
def test_width_here_equals_python_at_a_thousand_points(chrome: Chrome, tmp_path: Path, crs: pyproj.CRS) -> None:
    analysis = fake_analysis(crs)
    _open(chrome, tmp_path, analysis)
    points = _random_points(analysis, 1_000)
    expected = width_here(analysis.table("facets"), points).to_numpy()
    found = _widths(chrome, points.to_crs(4326))
    assert np.isfinite(expected).sum() > 300
    assert (np.isnan(found) == np.isnan(expected)).all()
    assert np.nanmax(np.abs(found - expected)) < 1


def test_row_15_every_layer_can_be_switched(page: Chrome) -> None:
    layers = page.execute_script("return gapmap.layers()")
    assert {"cover:federal", "cover:regional", "corridors", "beyond", "interior", "overlap", "excluded"} <= {
        layer["id"] for layer in layers
    }
    assert {"centrelines", "transects", "boundaries", "places", "incidents"} <= {layer["id"] for layer in layers}
    for layer in layers:
        box = page.find_element("css selector", f"input[data-layer='{layer['id']}']")
        before = _pixels(page)
        box.click()
        browser.settle(page)
        assert page.execute_script("return gapmap.state().layers[arguments[0]]", layer["id"]) is not layer["shown"]
        assert _pixels(page) != before, layer["id"]
        box.click()
        browser.settle(page)
        assert _pixels(page) == before, layer["id"]


def test_row_4_click_in_a_corridor_shows_the_figures_of_the_table(page: Chrome) -> None:
    analysis = fake_analysis()
    row = analysis.table("stretches").loc["C01.02"]
    spot = gpd.GeoSeries(gpd.points_from_xy([-32_000], [4_000]), crs=analysis.crs)
    degrees = spot.to_crs(4326).iloc[0]
    _click(page, degrees.y, degrees.x)
    assert page.execute_script("return gapmap.state().selected") == "C01.02"
    assert page.find_element("css selector", "#details h2").text == row["name"]
    found = _details(page)
    for column in ("width_min_m", "width_mean_m", "width_max_m", "length_km", "area_km2", "incidents_count"):
        assert float(found[column][1]) == pytest.approx(row[column], abs=1e-3), column
    assert found["width_mean_m"][0] == f"{row['width_mean_m'] / 1000:.2f} km"
    assert found["area_km2"][0] == f"{row['area_km2']:.1f} km²"
    assert found["facing_a"][0] == row["facing_a"]
    here = float(width_here(analysis.table("facets"), spot).iloc[0])
    assert float(found["width_here_m"][1]) == pytest.approx(here, abs=60)  # a pixel is a few hundred metres here
    assert "plain count" in page.find_element("id", "details").text
    assert "Method" in page.find_element("id", "details").text
    corridor = page.execute_script("return document.querySelector('[data-corridor] [data-key=area_km2]').dataset.value")
    assert float(corridor) == pytest.approx(analysis.table("corridors").loc["C01", "area_km2"], abs=1e-3)


def test_click_outside_says_so(page: Chrome) -> None:
    _click(page, 36.38, 43.1)
    assert _details(page)["width_here_m"][0] == "Width here: outside every corridor"


def test_click_on_an_incident_and_a_place_shows_them(page: Chrome) -> None:
    analysis = fake_analysis()
    for name, expected in (("incidents", ("note", "first")), ("places", ("names", "Guwair"))):
        spot = analysis.table(name).geometry.to_crs(4326).iloc[0]
        _click(page, spot.y, spot.x)
        assert _details(page)[expected[0]][0] == expected[1]
    assert _details(page)["distance_federal_m"][1] == "5000"


def test_keyboard_selects_a_stretch_and_escape_gives_focus_back(page: Chrome) -> None:
    page.find_element("id", "tab-list").click()
    for _ in range(12):
        ActionChains(page).send_keys(Keys.TAB).perform()
        if page.execute_script("return document.activeElement.closest('tbody tr') !== null"):
            break
    ActionChains(page).send_keys(Keys.ENTER).perform()
    browser.settle(page)
    assert page.execute_script("return gapmap.state().selected") == "C01.01"
    assert page.execute_script("return document.querySelector('tr[data-id=\"C01.01\"]').ariaSelected") == "true"
    assert page.execute_script("return gapmap.state().zoom") > 8.5
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert page.execute_script("return gapmap.state().selected") is None
    assert not page.find_element("id", "details").is_displayed()
    assert page.execute_script("return document.activeElement.closest('tr').dataset.id") == "C01.01"


def test_notice_lies_across_the_map_and_catches_no_click(page: Chrome) -> None:
    notice = page.find_element("id", "notice")
    assert fake_analysis().table("run")["notice"].iloc[0] in (notice.get_attribute("textContent") or "")
    assert notice.value_of_css_property("pointer-events") == "none"
    assert notice.size["width"] == page.find_element("id", "map_gapmap").size["width"]


def test_row_11_scale_bar_is_true(page: Chrome) -> None:
    bar = page.find_element("css selector", ".leaflet-control-scale-line")
    assert bar.text.endswith(" km")
    a, b = page.execute_script(
        "const s = gapmap.state(); return [gapmap.pixel(s.centre[0], s.centre[1]), gapmap.pixel(s.centre[0], s.centre[1] + 0.1)]"
    )
    centre = page.execute_script("return gapmap.state().centre[0]")
    metres = pyproj.Geod(ellps="WGS84").inv(43.3, centre, 43.4, centre)[2]
    shown = bar.size["width"] / (b[0] - a[0]) * metres / 1000
    assert shown == pytest.approx(float(bar.text.split()[0]), rel=0.02)


@pytest.mark.parametrize("size", [(1280, 800), (412, 915)])
def test_nothing_is_wider_than_the_screen(page: Chrome, size: tuple[int, int]) -> None:
    browser.resize(page, size)
    browser.settle(page)
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    cut = page.execute_script(
        "return [...document.querySelectorAll('h1, h2:not(.panel > h2), p, dt, dd, td, label, footer')]"
        ".filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
    )
    assert cut == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_row_2_hostile_text_is_shown_as_written_and_nothing_runs(chrome: Chrome, tmp_path: Path, payload: str) -> None:
    analysis = hostile(payload)
    _open(chrome, tmp_path, analysis)

    def shown(selector: str) -> str:
        return chrome.execute_script("return document.querySelector(arguments[0]).textContent", selector)

    assert shown("#title") == payload
    assert chrome.title.split() == payload.split()
    assert shown("#notice span") == payload
    assert payload in shown("#provenance")
    assert payload in shown("#made")
    reaches = chrome.execute_script(
        "return [...document.querySelectorAll('#made [data-key=reach]')].map(e => e.textContent)"
    )
    assert reaches == [payload, f"post {payload}, route {payload}, area {payload}"]
    assert payload in shown("#layers")
    assert shown("#list td button") == payload
    chrome.execute_script("gapmap.select('C01.01')")
    assert shown("#details h2") == payload
    assert _details(chrome)["facing_a"][0] == payload
    chrome.execute_script("document.getElementById('tab-list').click()")
    for name, key in (("incidents", "note"), ("incidents", "kind"), ("places", "names")):
        chrome.execute_script("gapmap.select('C01.01')")
        spot = analysis.table(name).geometry.to_crs(4326).iloc[0]
        _click(chrome, spot.y, spot.x)
        browser.settle(chrome)
        assert payload in _details(chrome)[key][0] or name == "places", key
    assert shown("#details h2") == payload
    assert chrome.execute_script("return window.__x === undefined")
    assert browser.console(chrome) == []


@pytest.mark.parametrize(
    ("edition", "language"),
    [("full", "ar"), ("full", "ckb"), ("full", "kmr"), ("partner", "en"), ("public", "en"), ("public", "ckb")],
)
def test_row_2_hostile_text_is_inert_in_every_edition_and_language(
    chrome: Chrome, tmp_path: Path, edition: str, language: str
) -> None:
    for payload in PAYLOADS[2:4] + PAYLOADS[9:]:
        force = "federal" if edition == "partner" else None
        analysis = without_zones(hostile(payload)) if force else hostile(payload)
        drawn = build_map(analysis, edition=edition, force=force, language=language, headline=payload)
        browser.console(chrome)
        browser.open_page(chrome, save(drawn, tmp_path / "map.html"))
        for element in ("title", "headline"):
            shown = chrome.execute_script("return document.getElementById(arguments[0]).textContent", element)
            assert re.sub("[\u2066-\u2069]", "", shown) == payload, element
        _use(chrome)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_row_2_hostile_names_of_zones_are_text_in_a_partner_edition(
    chrome: Chrome, tmp_path: Path, payload: str
) -> None:
    analysis = hostile_zones(payload)
    path = save(build_map(analysis, edition="partner", force="federal", include_notes=True), tmp_path / "map.html")
    assert "Hidden-Hill" not in path.read_text(encoding="utf-8")  # facts are not packed
    browser.resize(chrome, (1280, 800))
    browser.console(chrome)
    browser.open_page(chrome, path)
    assert chrome.execute_script("return gapmap.select('C01.02')")
    found = _details(chrome)
    assert found["facing_a"][0] == f"{payload}; {payload}; {payload}"
    assert "facing_b" not in found
    spot = analysis.table("places").geometry.to_crs(4326).iloc[0]
    _click(chrome, spot.y, spot.x)
    found = _details(chrome)
    assert found["distance_federal_m"][0] == f"5.00 km · {payload}; {payload}"
    assert found["distance_regional_m"][0] == "3.00 km"
    assert "Hidden-Hill" not in chrome.execute_script("return document.documentElement.textContent")
    _use(chrome)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_row_2_hostile_ids_are_text(chrome: Chrome, tmp_path: Path, payload: str) -> None:
    _open(chrome, tmp_path, hostile_ids(payload))
    assert chrome.execute_script("return gapmap.select(arguments[0])", f"{payload}1")
    assert chrome.execute_script("return document.querySelector('#details h2').textContent") == f"{payload}1"
    assert f"{payload}0" in chrome.execute_script("return document.querySelector('#details').textContent")
    features = json.loads(chrome.execute_script("return gapmap.exported('incidents_geojson')"))["features"]
    assert {each["properties"]["incident_id"] for each in features} == {f"{payload}{n}" for n in range(5)}
    _use(chrome)


def _use(chrome: Chrome) -> None:
    """Touch everything in the page, then see that nothing ran and nothing was said."""
    chrome.execute_script(
        "document.querySelectorAll('[role=tab], #layers input, #filter input, #scroller th button').forEach(e => e.click());"
        "document.querySelectorAll('#scroller td button').forEach(e => e.click());"
        "for (const what of ['stretches_csv', 'stretches_geojson']) gapmap.exported(what); gapmap.picture(); gapmap.hash();"
        "document.getElementById('goto-text').value = document.getElementById('title').textContent;"
        "document.getElementById('goto-go').click();"
    )
    ActionChains(chrome, duration=10).move_to_element(chrome.find_element("id", "stage")).click().perform()
    browser.settle(chrome)
    assert chrome.execute_script("return window.__x === undefined")
    assert browser.console(chrome) == []


@pytest.mark.parametrize("edition", ["full", "public"])
def test_figures_and_marks_are_seen_where_scripts_are_switched_off(
    chrome: Chrome, tmp_path: Path, edition: str
) -> None:
    path = save(build_map(fake_analysis(), edition=edition), tmp_path / "map.html")
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chrome.get(path.resolve().as_uri())
        pdf = chrome.execute_cdp_cmd("Page.printToPDF", {})  # what is hidden or lies under something is not asked here
        text = " ".join(PdfReader(io.BytesIO(base64.b64decode(pdf["data"]))).pages[0].extract_text().split())
        shown = {
            name: chrome.find_element("css selector", name).is_displayed() for name in ("noscript p", "#main", "#bar")
        }
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert shown == {"noscript p": True, "#main": False, "#bar": False}
    wanted = (
        ["the map cannot be drawn", "Gwer to Prde", "20.0 km", "1 June 2021"]
        if edition == "full"
        else ["around its middle"]
    )
    for part in (*wanted, f"{edition.capitalize()} edition", "Illustrative: zones drawn by rule"):
        assert part in text, part


def test_added_folium_layers_show_in_the_list_as_text(chrome: Chrome, tmp_path: Path) -> None:
    ring = {"type": "Polygon", "coordinates": [[[43, 36], [43.4, 36], [43.4, 36.4], [43, 36]]]}
    feature = {"type": "Feature", "id": "1", "properties": {"a": "{{7*7}}</script>"}, "geometry": ring}
    layer: Any = folium.GeoJson(
        feature, name="<img src=x onerror='window.__x=1'>", style_function=lambda _: {"color": "#f0f"}
    )
    _open(chrome, tmp_path, fake_analysis(), layer=layer, marker=folium.Marker([36.3, 43.3], title="mine"))
    assert "<img src=x" in chrome.execute_script("return document.getElementById('layers').textContent")
    box = chrome.find_element("css selector", f"input[data-layer='added:{layer.get_name()}']")
    before = _pixels(chrome)
    box.click()
    browser.settle(chrome)
    assert _pixels(chrome) != before
    assert chrome.execute_script("return document.querySelector('img.leaflet-marker-icon').naturalWidth") == 25
    assert chrome.execute_script("return window.__x === undefined")
    assert browser.console(chrome) == []
    assert len(browser.requests(chrome)) == 1


def test_map_without_corridors_opens(chrome: Chrome, tmp_path: Path) -> None:
    _open(chrome, tmp_path, FakeAnalysis({"run": fake_analysis().table("run")}))
    assert "No corridor" in chrome.find_element("id", "headline").text
    chrome.find_element("id", "tab-list").click()
    assert "fewer" in chrome.find_element("id", "list").text
    assert browser.console(chrome) == []


# ---- The demo, saved and opened again


def test_demo_opens_quietly_and_is_small(chrome: Chrome, tmp_path: Path, demo: Analysis) -> None:
    _open(chrome, tmp_path, demo)
    assert browser.console(chrome) == []
    assert len(browser.requests(chrome)) == 1
    assert (tmp_path / "map.html").stat().st_size < 3_000_000
    assert chrome.execute_script("return gapmap.listed()") == demo.table("stretches").index.tolist()
    assert "Places: GeoNames, CC BY 4.0." in chrome.find_element("id", "provenance").text


def test_demo_width_is_the_same_in_result_and_page_at_a_thousand_points(
    chrome: Chrome, tmp_path: Path, demo: Analysis
) -> None:
    facets = demo.table("facets")
    random = np.random.default_rng(11)
    boxes = facets.geometry.bounds.to_numpy()[random.integers(0, len(facets), 1_000)]
    x, y = (random.uniform(boxes[:, low], boxes[:, low + 2]) for low in (0, 1))
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=facets.crs)
    in_memory = width_here(facets, points).to_numpy()
    degrees = points.to_crs(4326)
    asked = np.array([demo.at(point).width_here_m for point in degrees])
    _open(chrome, tmp_path, demo)
    shown = _widths(chrome, degrees)
    assert np.isfinite(shown).sum() > 500
    for other in (in_memory, asked):
        assert (np.isnan(shown) == np.isnan(other)).all()
        assert np.nanmax(np.abs(shown - other)) < 1


def test_demo_width_at_places_is_the_same_in_result_and_page(chrome: Chrome, tmp_path: Path, demo: Analysis) -> None:
    places = demo.table("places")
    _open(chrome, tmp_path, demo)
    shown = _widths(chrome, places.geometry.to_crs(4326))
    assert np.isfinite(shown).any()
    np.testing.assert_allclose(shown, places["width_here_m"].to_numpy(), atol=1)
