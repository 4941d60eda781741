"""Penalties as sides: layers whose input is a weight."""

from lockstep.sides.layers import pair

__all__ = ["pair"]
