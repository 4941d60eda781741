"""Causes of the models."""
