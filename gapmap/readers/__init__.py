"""Files in, checked tables out."""

from gapmap.readers.incidents import read_incidents
from gapmap.readers.places import read_places
from gapmap.readers.zones import join_zones, read_zones, suspect_swaps

__all__ = ["join_zones", "read_incidents", "read_places", "read_zones", "suspect_swaps"]
