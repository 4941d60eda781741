"""Causes of the penalties."""
