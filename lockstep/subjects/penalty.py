"""Penalties as sides: layers whose input is a weight."""

from lockstep.subjects.layers import pair

__all__ = ["pair"]
