"""Files in, checked tables out."""

from gapmap.readers.boundaries import attribution, read_boundaries
from gapmap.readers.incidents import read_incidents
from gapmap.readers.places import read_places
from gapmap.readers.polygons import read_polygons
from gapmap.readers.zones import forces_by_folder, forces_in, join_zones, read_zones, suspect_swaps

__all__ = [
    "attribution",
    "forces_by_folder",
    "forces_in",
    "join_zones",
    "read_boundaries",
    "read_incidents",
    "read_places",
    "read_polygons",
    "read_zones",
    "suspect_swaps",
]
