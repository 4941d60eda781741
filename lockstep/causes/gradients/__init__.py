"""Gradients on their way."""
