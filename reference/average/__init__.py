"""Averages of weights along a training run: one file an average."""
