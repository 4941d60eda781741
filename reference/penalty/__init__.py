"""Penalty."""
