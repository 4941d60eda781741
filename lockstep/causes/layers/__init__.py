"""Causes of the layers."""
