"""Optimizers, each in its own file, each with the paper's order and PyTorch's."""
