"""Causes of the optimizers."""
