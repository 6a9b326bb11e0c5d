"""The page around the map: raw text only, checked before it is written.

In: a folium map and blocks of data. Out: one HTML text that loads nothing from anywhere. Method: finished text is never
given to a template again, data stand in blocks that the browser does not run, a content security policy names the
scripts by hash, and the finished page is parsed and compared with what was meant to be in it.
"""

from __future__ import annotations

import base64
import hashlib
import html as html_text
import json
import re
import zlib
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING

import folium
import folium.map
from branca.element import CssLink, Element, Figure, JavascriptLink
from folium.elements import ElementAddToElement
from folium.template import Template
from jinja2 import TemplateSyntaxError

from gapmap.errors import AssetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ASSETS = resources.files("gapmap.maps") / "assets"
# Folium writes these through JSON. Everything else it has is refused by name: its popups, tooltips and icons put text
# into scripts and markup unescaped.
_SAFE = (
    folium.FeatureGroup,
    folium.GeoJson,
    folium.Marker,
    folium.CircleMarker,
    folium.Circle,
    folium.PolyLine,
    folium.Polygon,
    folium.Rectangle,
    folium.FitBounds,
    ElementAddToElement,
)
# Where scripts are switched off: the empty map and its tools make room for the figures.
_NO_SCRIPT_STYLE = "#main,#side,#bar,#provenance{display:none}body,noscript{display:block}"
_IDENTIFIER = re.compile(r"feature\.(id|properties\.[A-Za-z_][A-Za-z0-9_]*)")
_BREAKS_SCRIPT = re.compile(r"</script|<script|<!--", re.IGNORECASE)
_SCHEME = re.compile(r"^\s*([a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)
_LOADING_ATTRIBUTES = frozenset(
    {"src", "href", "srcset", "data", "action", "formaction", "poster", "background", "xlink:href"}
)
_FOREIGN_TAGS = frozenset({"iframe", "object", "embed", "base", "link", "form", "frame", "applet", "portal"})


@dataclass(frozen=True)
class Script:
    """One script element of the page.

    Parameters
    ----------
    text : str
        What stands between the tags.
    kind : str
        The ``type`` attribute; "" for a script that runs.
    name : str
        The ``id`` attribute; "" for none.
    """

    text: str
    kind: str = ""
    name: str = ""

    def tag(self) -> str:
        """Return the element as text.

        Returns
        -------
        str
            The element.

        Raises
        ------
        AssetError
            If the text could end its element or hide its end.
        """
        if _BREAKS_SCRIPT.search(self.text):
            raise AssetError(f"the script {self.name or 'of the map'} holds text that would end it early")
        kind = f' type="{self.kind}"' if self.kind else ""
        name = f' id="{self.name}"' if self.name else ""
        return f"<script{kind}{name}>{self.text}</script>"

    def source_hash(self) -> str:
        """Return the hash by which the content security policy lets the script run.

        Returns
        -------
        str
            For instance ``'sha256-...'``, quotes included.
        """
        return f"'sha256-{base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()}'"


@dataclass(frozen=True)
class PageTexts:
    """What stands in the page before any script has run.

    Parameters
    ----------
    language, direction : str
        Attributes of the page: a language tag, and ltr or rtl.
    headline, noscript : str
        Finished markup: the sentence under the title, and what is shown where scripts are switched off.
    """

    language: str
    direction: str
    headline: str
    noscript: str


def data_script(name: str, data: object) -> Script:
    r"""Put data into a script element that the browser does not run, as readable JSON.

    Parameters
    ----------
    name : str
        The element's id.
    data : object
        Anything JSON can hold; no NaN.

    Returns
    -------
    Script
        Of type application/json, without ``<``, ``>`` and ``&``.

    Examples
    --------
    >>> data_script("d", {"note": "</script>"}).text
    '{"note":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Script(text, "application/json", name)


def packed_script(name: str, data: object) -> Script:
    """Put data into a script element that the browser does not run, as JSON in zlib in base64.

    Parameters
    ----------
    name : str
        The element's id.
    data : object
        Anything JSON can hold; no NaN.

    Returns
    -------
    Script
        Of type application/x-gapmap.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Script(base64.b64encode(zlib.compress(text.encode(), 6)).decode(), "application/x-gapmap", name)


@cache
def vendored(name: str) -> bytes:
    """Return a vendored file after comparing it with the manifest.

    Parameters
    ----------
    name : str
        Its path below ``assets/vendor``.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    AssetError
        If gapmap ships no such file, or the file is not the one in the manifest.
    """
    folder = _ASSETS / "vendor"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if name not in manifest:
        raise AssetError(f"no vendored copy of {name}; there are {', '.join(manifest)}")
    data = folder.joinpath(*name.split("/")).read_bytes()
    if hashlib.sha256(data).hexdigest() != manifest[name]["sha256"]:
        raise AssetError(f"the vendored copy of {name} is not the file the manifest names")
    return data


@cache
def own_asset(name: str) -> str:
    r"""Return a script, style or markup of gapmap's own.

    Parameters
    ----------
    name : str
        File name below ``assets``.

    Returns
    -------
    str
        Its text with ``\n`` line ends, so that hashes agree on every system; without the comment at its head; of
        scripts and styles without comments and the blanks that only people need.
    """
    text = (_ASSETS / name).read_text(encoding="utf-8").replace("\r\n", "\n")
    text = re.sub("^[ ]+", "", text, flags=re.MULTILINE)
    text = re.sub(r"\A/\*.*?\*/\n", "", text, flags=re.DOTALL)
    if name.endswith(".css"):
        return _short_style(text)
    if name.endswith(".js"):
        text = re.sub("^//.*\n|  // .*$", "", text, flags=re.MULTILINE)
        # Line ends only where what stands there parts statements as well; blanks around signs that stand in no string.
        text = re.sub(r"([{;,(])\n+|\n+(?=})", r"\1", text)
        return re.sub(
            r'("(?:[^"\\\n]|\\.)*")| (=>|[=!]==|&&|\|\||[-+*/<>]?=) ', lambda found: found[1] or found[2], text
        )
    return text


def _short_style(text: str) -> str:
    """Return a style sheet without comments, line ends and blanks where they part nothing."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r'("[^"]*")|\s*([{};,])\s*', lambda found: found[1] or found[2], text)
    return re.sub(r"([a-z]): +", r"\1:", text).replace(";}", "}")


def leaflet_scripts(*, markers: bool) -> list[Script]:
    """Return Leaflet, and the line that gives it its marker pictures as data.

    Parameters
    ----------
    markers : bool
        Whether the map has markers of Leaflet's own.

    Returns
    -------
    list of Script
        In the order in which they must run.
    """
    leaflet = vendored("leaflet.js").decode()
    # A source map would be a request as soon as somebody opens the developer tools.
    scripts = [Script(re.sub(r"\n//# sourceMappingURL=\S*\s*$", "\n", leaflet))]
    if markers:
        icons = {
            option: _data_uri(f"images/{file}")
            for option, file in (
                ("iconUrl", "marker-icon.png"),
                ("iconRetinaUrl", "marker-icon-2x.png"),
                ("shadowUrl", "marker-shadow.png"),
            )
        }
        # Leaflet finds its pictures by the path of its style sheet, which a single file does not have.
        scripts.append(Script(f'L.Icon.Default.imagePath="";L.Icon.Default.mergeOptions({json.dumps(icons)});'))
    return scripts


def leaflet_style() -> str:
    """Return Leaflet's style sheet without its pictures, which belong to a control that gapmap has its own of, and comments.

    Returns
    -------
    str
        CSS.
    """
    return _short_style(re.sub(r"url\(images/[^)]+\)", "none", vendored("leaflet.css").decode()))


def _data_uri(name: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(vendored(name)).decode()}"


class _Texts(Element):
    """Take the place of a figure's header, html or script, and keep finished text as text."""

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self._parent = figure

    def texts(self) -> list[str]:
        """Return the text of each child as it was given, never run as a template."""
        out = []
        for name, child in self._children.items():
            if isinstance(child, JavascriptLink | CssLink):
                raise AssetError(f"the map asks for {child.url} ({name}), of which gapmap ships no copy")
            if child._template_str is None:  # noqa: SLF001 -- branca offers no other way to the text
                raise AssetError(f"{type(child).__name__} cannot be written into the page as text")
            out.append(child._template_str)  # noqa: SLF001
        return out


class PageFigure(Figure):
    """The root of a gapmap page; takes the place of branca's figure.

    Parameters
    ----------
    title : str
        Title of the page.
    blocks : sequence of Script
        Data for ``gapmap.js``, see `data_script` and `packed_script`.
    texts : PageTexts
        What stands in the page before any script has run.
    """

    def __init__(self, *, title: str, blocks: Sequence[Script], texts: PageTexts) -> None:
        super().__init__(height="720px")
        self.title = title
        self.blocks = tuple(blocks)
        self.texts = texts

    def render(self, **kwargs: object) -> str:
        """Return the finished page.

        Parameters
        ----------
        **kwargs : object
            Handed to the map's elements by folium.

        Returns
        -------
        str
            HTML.

        Raises
        ------
        AssetError
            If an element was added that gapmap cannot make safe, if the page asks for a file that gapmap does not ship,
            or if the finished page does not hold exactly the scripts that were put into it.
        """
        _refuse_foreign(self._children.values())
        for place in (self.header, self.html, self.script):
            if not isinstance(place, _Texts) and list(place._children) not in ([], ["meta_http"]):  # noqa: SLF001
                raise AssetError("markup and scripts of one's own cannot be added to a gapmap page")
        self.header, self.html, self.script = _Texts(self), _Texts(self), _Texts(self)
        try:
            for child in self._children.values():
                child.render(**kwargs)
        except TemplateSyntaxError as error:
            raise AssetError(
                f"text in an added layer holds template marks that folium cannot carry: {error}"
            ) from error
        if self.header.texts():
            raise AssetError("an added layer brings page headers of its own")
        added = [
            {"variable": layer.get_name(), "title": layer.layer_name, "shown": layer.show}
            for layer in _descendants(self._children.values())
            if isinstance(layer, folium.map.Layer) and layer.control and isinstance(layer._parent, GapPage)  # noqa: SLF001
        ]
        blocks = [*self.blocks, data_script("gapmap-added", added)]
        return self._page("".join(self.html.texts()), Script("\n".join(self.script.texts())), blocks)

    def _page(self, map_html: str, map_script: Script, blocks: Sequence[Script]) -> str:
        own = [Script(own_asset(name)) for name in ("geodesy.js", "points.js", "gapmap.js")]
        markers = any(
            isinstance(each, folium.Marker | folium.GeoJson) for each in _descendants(self._children.values())
        )
        scripts = [*blocks, *leaflet_scripts(markers=markers), map_script, *own]
        policy = "; ".join(
            (
                "default-src 'none'",
                "script-src " + " ".join(script.source_hash() for script in scripts if not script.kind),
                "style-src 'unsafe-inline'",
                "img-src data: blob:",
                "font-src data:",
                "base-uri 'none'",
                "form-action 'none'",
            )
        )
        # Split, not replaced one after the other: no text put in is searched for the next mark.
        parts = re.split(r"<!--(html|policy|title|style|headline|noscript|map|scripts)-->", own_asset("page.html"))
        fill = {
            "policy": f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            "title": html_text.escape(self.title or ""),
            "style": leaflet_style() + own_asset("gapmap.css"),
            "html": f'<html lang="{self.texts.language}" dir="{self.texts.direction}">',
            "headline": self.texts.headline,
            "noscript": f"<noscript><style>{_NO_SCRIPT_STYLE}</style>{self.texts.noscript}</noscript>",
            "map": map_html,
            "scripts": "\n".join(script.tag() for script in scripts),
        }
        page = "".join(fill[part] if index % 2 else part for index, part in enumerate(parts))
        check_page(page, scripts)
        return page


def check_page(page: str, scripts: Sequence[Script]) -> None:
    """Parse a page and compare it with what was meant to be in it.

    Parameters
    ----------
    page : str
        HTML.
    scripts : sequence of Script
        Every script element, in order.

    Raises
    ------
    AssetError
        If a script is missing, added, moved or altered, if the policy is not the first thing in the head, if a tag or
        attribute could load or run something.
    """
    parser = _PageParser()
    parser.feed(page)
    parser.close()
    problems = list(parser.problems)
    found = [(kind, "".join(text)) for kind, text in parser.scripts]
    if found != [(script.kind, script.text) for script in scripts]:
        problems.append(f"{len(found)} scripts found, {len(scripts)} put in, or their text differs")
    if parser.first_in_head != "content-security-policy":
        problems.append("the content security policy is not the first thing in the head")
    if problems:
        raise AssetError("the page is not what was put together: " + "; ".join(problems))


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[str, list[str]]] = []
        self.problems: list[str] = []
        self.first_in_head: str | None = None
        self._in_script = False
        self._after_head = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if self._after_head and self.first_in_head is None:
            self.first_in_head = values.get("http-equiv", "").lower() if tag == "meta" else tag
        elif tag == "meta" and "http-equiv" in values:
            self.problems.append("a second http-equiv")
        self._after_head = self._after_head or tag == "head"
        if tag == "script":
            self.scripts.append((values.get("type", ""), []))
            self._in_script = True
        if tag in _FOREIGN_TAGS:
            self.problems.append(f"a <{tag}>")
        for name, value in values.items():
            if name.startswith("on"):
                self.problems.append(f"the attribute {name} on <{tag}>")
            if name in _LOADING_ATTRIBUTES and (tag == "script" or _SCHEME.match(value)):
                self.problems.append(f"{name}={value[:60]!r} on <{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1][1].append(data)


def _refuse_foreign(elements: Iterable[Element]) -> None:
    for element in _descendants(elements):
        kind = type(element)
        if isinstance(element, GapPage):
            continue
        if kind not in _SAFE:
            names = ", ".join(sorted(safe.__name__ for safe in _SAFE if safe is not ElementAddToElement))
            raise AssetError(
                f"{kind.__module__}.{kind.__name__} cannot be made safe in a gapmap page, where text of a data file must"
                f" never run; these can be added: {names}"
            )
        if isinstance(element, folium.GeoJson):
            _refuse_scripted(element)


def _refuse_scripted(layer: folium.GeoJson) -> None:
    """Refuse the ways in which a folium.GeoJson takes scripts, files or property names into the generated script."""
    if not layer.embed:
        raise AssetError("folium.GeoJson(embed=False) loads its data from elsewhere; embed them")
    if layer.on_each_feature is not None or getattr(layer.marker, "icon", None) is not None:
        raise AssetError("folium.GeoJson with a script or an icon of its own cannot be made safe in a gapmap page")
    identifier = getattr(layer, "feature_identifier", "feature.id")
    if not _IDENTIFIER.fullmatch(identifier):
        raise AssetError(f"folium.GeoJson would write {identifier!r} into the script; give the features an id")


def _descendants(elements: Iterable[Element]) -> Iterator[Element]:
    for element in elements:
        yield element
        yield from _descendants(element._children.values())  # noqa: SLF001 -- branca has no other way down


class GapPage(folium.Map):
    """A folium map that draws itself as a gapmap page.

    Folium layers can be added where they can be made safe; see `gapmap.maps.build_map`.
    """

    # Folium's own template forbids zooming the page and brings a script to the head.
    _template = Template(
        """
        {% macro html(this, kwargs) %}<div id="{{ this.get_name() }}" dir="ltr"></div>{% endmacro %}
        {% macro script(this, kwargs) %}
var {{ this.get_name() }} = L.map("{{ this.get_name() }}", {{ this.options|tojavascript }}).setView({{ this.location|tojson }}, {{ this.options.zoom }});
        {% endmacro %}
        """
    )

    def __init__(self, *, location: Sequence[float], title: str, blocks: Sequence[Script], texts: PageTexts) -> None:
        super().__init__(
            location=location,
            tiles=None,
            zoom_start=7,
            prefer_canvas=True,
            attribution_control=False,
            zoom_snap=0.25,
            zoom_delta=0.5,
        )
        # Folium would load eleven files from elsewhere; and what one map is told to load is not for all maps.
        self.default_js, self.default_css = [], []
        # As arguments, folium drops zooms where there are no tiles. The page's script follows the size of the map itself.
        self.options |= {"min_zoom": 4, "max_zoom": 18, "track_resize": False}
        self._id = "gapmap"  # one map a page; a random name would make two builds of one result differ
        PageFigure(title=title, blocks=blocks, texts=texts).add_child(self)
