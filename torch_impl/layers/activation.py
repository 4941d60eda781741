"""torch.nn.ReLU, Sigmoid and Tanh, the counterparts of reference/layers/activation.py."""

import torch

from torch_impl.layers.layer import Layer


class ReLU(Layer):
    """torch.nn.ReLU, fed from NumPy."""

    counterpart = torch.nn.ReLU


class Sigmoid(Layer):
    """torch.nn.Sigmoid, fed from NumPy."""

    counterpart = torch.nn.Sigmoid


class Tanh(Layer):
    """torch.nn.Tanh, fed from NumPy."""

    counterpart = torch.nn.Tanh
