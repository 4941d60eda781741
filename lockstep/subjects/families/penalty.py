"""Penalties as sides: layers whose input is a weight."""

from lockstep.subjects.families.layers import Layers


class Penalties(Layers):
    """A number of a weight, and its slope."""

    place = 4
    symbols = {"lam": r"\lambda", "m": "m"}


FAMILY = Penalties()
