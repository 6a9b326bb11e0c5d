"""gapmap: the ground that lies uncovered between forces, found, measured and mapped."""
