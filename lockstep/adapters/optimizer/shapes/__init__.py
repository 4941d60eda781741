"""One module a shape that an optimizer may have, and how one of it is driven."""
