"""The algorithms from scratch, in NumPy alone: one formula, one file."""
