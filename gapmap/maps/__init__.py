"""The map: one HTML file that loads nothing.

In: an analysis. Out: a folium map, and the file it is saved to. Method: figures and outlines go into blocks that the
browser does not run; one fixed script draws them; Leaflet is inside; see `gapmap.maps.page` for what guards the page.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from gapmap.editions import edition as make_edition
from gapmap.errors import InputError
from gapmap.maps.grid import grid_facts, grid_headline, grid_recipe, grid_shapes
from gapmap.maps.languages import catalogue, phrase, phrase_html
from gapmap.maps.layers import (
    MapSource,
    changed_facts,
    changed_shapes,
    changes_headline,
    facts,
    find_headline,
    shapes,
    speaker,
    summary_rows,
    written_day,
)
from gapmap.maps.page import GapPage, PageTexts, Script, data_script, packed_script
from gapmap.maps.points import pack, pack_notes
from gapmap.storage import write_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    import folium

    from gapmap.compare import Changes

__all__ = ["MapSource", "build_map", "save"]

_NOT_SPOKEN = (
    "_",
    "head_",
    "name_",
    "compass",
    "edition_",
    "reach_kinds",
    "grid_recipe",
    "grid_delay",
    "noscript",
    "report_",
)  # words of the catalogue that the page's script has no use for


def build_map(
    analysis: MapSource,
    *,
    edition: str = "full",
    force: str | None = None,
    language: str = "en",
    include_notes: bool = False,
    headline: str | None = None,
    changes: Changes | None = None,
) -> folium.Map:
    """Draw an analysis as a map.

    Parameters
    ----------
    analysis : Analysis
        Any object whose ``table(name)`` returns the tables of `gapmap.tables`.
    edition : str
        What may leave the room: "full", "partner" or "public"; see `gapmap.editions.edition`. Shapes of zones and sources
        of incidents are in none of them; names of zones stand with the stretches that they face, in a partner edition its
        own. The public one shows the grid alone.
    force : str, optional
        The force whose partner edition it is.
    language : str
        Of the page: "en", "ar" (Arabic), "ckb" (Kurdish, Sorani) or "kmr" (Kurdish, Badini).
    include_notes : bool
        Whether the notes and ids of incidents go into the file. All that is in it leaves with it.
    headline : str, optional
        The line under the title, instead of the one that counts corridors.
    changes : Changes, optional
        From :func:`gapmap.find_changes`, with this analysis as the second: the map also shows corridors as they were, the
        ground gained and lost, and a list of what changed.

    Returns
    -------
    folium.Map
        Folium layers can be added where they can be made safe: FeatureGroup, GeoJson, Marker, Circle, CircleMarker,
        PolyLine, Polygon, Rectangle, FitBounds. Its ``save`` writes the finished page; so does `save`.

    Raises
    ------
    InputError
        If it is no analysis, if there is no such edition, force or language, or if changes are none or are to be drawn in another edition than the full.
    EditionError
        If the edition does not pass its own check.
    CrsError
        If the working CRS is neither a Lambert azimuthal equal-area nor a transverse Mercator.

    Notes
    -----
    Whatever was added is looked at when the page is written: `AssetError` names what cannot be made safe. Where the
    scenario shares incidents as counts, neither positions nor notes are in the page, whatever is asked for.
    """
    words = catalogue(language)
    made = make_edition(analysis, edition, force=force)
    if changes is not None and not hasattr(changes, "runs"):
        raise InputError("changes are not those of a comparison", hint="changes=gapmap.find_changes(before, after)")
    if changes is not None and edition != "full":
        raise InputError("changes are drawn in the full edition only")
    incidents = made.table("incidents")
    points, packed = None, []
    if len(incidents):
        points, columns, order = pack(incidents, made.table("stretches").index)
        packed.append(Script(columns, "application/x-gapmap", "gapmap-points"))
        points["notes"] = bool(include_notes)
        if include_notes:
            packed.append(packed_script("gapmap-ids", incidents.index[order].astype(str).tolist()))
            packed.append(Script(pack_notes(incidents["note"].iloc[order]), "application/x-gapmap", "gapmap-notes"))
    line = [] if headline is None else [("{text}", {"text": headline})]
    if changes is not None:
        line += (
            [(words["head_joint"], {}), *changes_headline(changes, words)] if line else changes_headline(changes, words)
        )
    public = edition == "public"
    # Of incidents it says how many, and of stretches a name: that may leave though the rows may not.
    line = line or (grid_headline(made, words) if public else find_headline(analysis, words, made=made))
    recipe = grid_recipe(made, words) if public else ""
    said = "".join(phrase(*part) for part in line)
    mark = phrase(words[f"edition_{edition}"], {"force": made.force_label})
    if public:
        figures, drawn = grid_facts(made, headline=said, mark=mark), grid_shapes(made)
        figures["grid"]["recipe"] = recipe
    else:
        figures = facts(made, words=words, points=points, headline=said, mark=mark)
        drawn = shapes(made)
    if changes is not None:
        figures["changes"], drawn["changes"] = changed_facts(changes, speaker(analysis, words)), changed_shapes(changes)
    (south, west), (north, east) = figures["bounds"]
    silent = (*_NOT_SPOKEN, *(() if public else ("grid_",)), *(() if changes else ("change", "state_")))
    spoken = {key: text for key, text in words.items() if not key.startswith(silent)}
    return GapPage(
        location=[(south + north) / 2, (west + east) / 2],
        title=figures["run"]["title"],
        blocks=[
            data_script("gapmap-words", {**spoken, "rtl": words["_direction"] == "rtl"}),
            data_script("gapmap-facts", figures),
            packed_script("gapmap-shapes", drawn),
            *packed,
        ],
        texts=PageTexts(
            language=words["_html"],
            direction=words["_direction"],
            headline="".join(phrase_html(*part) for part in line),
            noscript=_marks(mark, figures["run"]["notice"], words["unchecked"], words["noscript"])
            + _zones_of(figures["run"]["date"], words)
            + (f"<p>{html.escape(recipe)}</p>" if public else _summary(made, words)),
        ),
    )


def _marks(*texts: str) -> str:
    """Return what every page is marked with, where no script writes it."""
    return "".join(f"<p><strong>{html.escape(text)}</strong></p>" for text in texts if text)


def _zones_of(day: str | None, words: Mapping[str, str]) -> str:
    """Return for which day the zones count, "" where they have no dates."""
    return f"<p>{phrase_html(words['zones_of_day'], {'date': written_day(day, words)})}</p>" if day else ""


def _summary(analysis: MapSource, words: Mapping[str, str]) -> str:
    """Return the corridors as a table of markup; that there is none says the headline."""
    heads, rows = summary_rows(analysis, words)
    if not rows:
        return ""
    count = len(analysis.table("corridors"))
    more = phrase_html(words["noscript_more"], {"n": str(len(rows)), "all": str(count)}) if count > len(rows) else ""
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td><bdi>{html.escape(cell)}</bdi></td>" for cell in row) + "</tr>" for row in rows
    )
    said = f"<p>{html.escape(words['noscript_rows'])}</p>"
    return f"{said}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" + (
        f"<p>{more}</p>" if more else ""
    )


def save(page: folium.Map, path: str | Path) -> Path:
    """Write a map to one HTML file.

    Parameters
    ----------
    page : folium.Map
        From `build_map`.
    path : str or Path
        The file; replaced only once the page is finished and checked.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    AssetError
        If the page would load or run anything that gapmap did not put into it.
    InputError
        If the file is in use.
    """
    path = Path(path)
    write_file(path, page.get_root().render().encode())
    return path
