"""Files in, checked tables out."""

from gapmap.readers.zones import join_zones, read_zones, suspect_swaps

__all__ = ["join_zones", "read_zones", "suspect_swaps"]
