"""Somebody else's schedule, clipping, average, loop or closure, driven as its family drives its own."""
