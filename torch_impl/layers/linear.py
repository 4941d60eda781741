"""torch.nn.Linear, the counterpart of reference/layers/linear.py."""

import torch

from torch_impl.layers.layer import Layer


class Linear(Layer):
    """torch.nn.Linear, fed from NumPy; arguments as there."""

    counterpart = torch.nn.Linear
