"""The briefing: an edition on A4 pages, as HTML or PDF.

In: an edition, and the stretches that get a sheet. Out: one HTML text without scripts, and the file it is saved to. Method:
what a page shows is read from the edition's tables and nothing else, so that it can hold no more than the edition; every
text goes through a template that escapes it; PDF is made from that same HTML.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import jinja2

from gapmap.editions import require_edition
from gapmap.errors import InputError
from gapmap.maps.languages import catalogue
from gapmap.maps.page import check_page, own_asset
from gapmap.report.public import public
from gapmap.report.whole import whole
from gapmap.storage import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gapmap.editions import Edition

# Invisible marks that turn the text after them around: in a name, they would write the figures beside it backwards.
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), 0x2066, 0x2067])


def build_report(made: Edition, *, language: str = "en", stretches: Sequence[str] = ()) -> str:
    """Write the briefing of an edition.

    Parameters
    ----------
    made : Edition
        From `gapmap.editions.edition`. The public one gives the grid and its counts, and no sheets.
    language : str
        "en", "ar" (Arabic), "ckb" (Kurdish, Sorani) or "kmr" (Kurdish, Badini).
    stretches : sequence of str
        Ids of those that get a sheet; the five of the largest mean width unless given.

    Returns
    -------
    str
        HTML that loads and runs nothing.

    Raises
    ------
    InputError
        If it is no edition, or if there is no such language or stretch.
    AssetError
        If the finished page holds anything that could load or run.

    Notes
    -----
    The proposed hand-over point of a stretch is the middle of one of its measuring lines: of those whose middle lies in
    the stretch, the one where both declared covers are equally near, to 100 m; of several, the shortest; then the first
    along the middle line. It rests on declared cover alone, so that every edition with sheets proposes the same point.
    Each stretch is looked at alone: where the gap is narrow at the seam of two, their points lie close together. A sheet
    says so where the point of another sheet is within 1 km.
    """
    require_edition(made)
    content = (public if made.name == "public" else whole)(made, language=language, stretches=stretches)
    drawn = [content["overview"], *(each["map"] for each in content["sheets"])]
    drawn += [each["chart"] for each in content["sheets"] if each["chart"]]
    foot = " · ".join(text for text in (content["mark"], content["notice"]) if text).translate(_TURNING)
    style = own_asset("report.css").replace('"{foot}"', _css_text(foot))
    style += "".join(
        f"#{each.name}{{height:{each.height_mm:g}mm;width:{each.width_mm:g}mm}}{each.rules()}" for each in drawn
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = _template().render(**content, words=catalogue(language), style=style, policy=policy).translate(_TURNING)
    check_page(page, [])
    return page


def save(page: str, path: str | Path) -> Path:
    """Write a briefing to a file.

    Parameters
    ----------
    page : str
        From `build_report`.
    path : str or Path
        Its ending says what it becomes: .html or .pdf. Replaced only once it is complete.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        See `require_writer`; or if the file is in use, as in a reader of PDF on Windows.
    """
    path = Path(path)
    require_writer(path)
    data = _pdf(page) if path.suffix.lower() == ".pdf" else page.encode()
    write_file(path, data)
    return path


def require_writer(path: Path) -> None:
    """Refuse a file that could not be written here, before any work.

    Parameters
    ----------
    path : Path
        Of the briefing.

    Raises
    ------
    InputError
        If it ends in neither .html nor .pdf, or if what makes PDF is not installed.
    """
    ending = path.suffix.lower()
    if ending not in (".html", ".pdf"):
        raise InputError(f"{path.name} ends in neither .html nor .pdf", hint="--out report.html or --out report.pdf")
    if ending == ".html":
        return
    way_out = "or write --out report.html and print it from a browser"
    if find_spec("weasyprint") is None:
        raise InputError("PDF needs weasyprint", hint=f'pip install "gapmap[report]", {way_out}')
    try:
        import weasyprint  # noqa: F401
    except OSError as error:  # it is there, and what it draws letters with is not
        raise InputError(
            "PDF needs the library Pango, which is not on this machine",
            hint=f"on Debian and Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0; on Windows: install MSYS2, then in it"
            f" pacman -S mingw-w64-x86_64-pango; {way_out}",
        ) from error


def _pdf(page: str) -> bytes:
    import weasyprint

    def refuse(url: str, *_: object, **__: object) -> NoReturn:
        raise ValueError(f"a briefing loads nothing, and it asks for {url[:80]}")

    return weasyprint.HTML(string=page, url_fetcher=refuse).write_pdf()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(own_asset("report.html"))


def _css_text(text: str) -> str:
    """Return a text as CSS holds it, each letter by its number: none can end it."""
    return '"' + "".join(f"\\{ord(letter):06x}" for letter in text) + '"'
