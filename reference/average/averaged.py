"""What the averages share: a copy of a model's parameters, and how often it was brought up to date."""

from typing import Any

import numpy as np

from reference.gradients.transformation import Transformation

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


class Averaged(Transformation):
    """Keeps an average of named parameters; the first update copies them.

    Buffers, which are known by PyTorch's names of BatchNorm's, are copied at every update unless `use_buffers`.

    Attributes:
        made: "averaged", name to array, and "n_averaged", how many updates there were.
    """

    GIVEN = "param"
    TENSORS = ("averaged",)
    NUMBERS = ("n_averaged",)
    CARRIED = {"averaged": 0.0, "n_averaged": 0.0}
    CHOICES = ("copied",)

    def __init__(self, use_buffers=False, **hyperparameters):
        super().__init__(**hyperparameters)
        self.use_buffers = use_buffers

    def start(self, arrays) -> dict[str, Any]:
        """The model as it is."""
        return {"averaged": {name: array.copy() for name, array in arrays.items()}, "n_averaged": 0.0}

    def numbers(self, arrays):
        kept = [not self.use_buffers and name.rpartition(".")[2] in BUFFERS for name in arrays]
        return {**self.hyperparameters, "copied": np.repeat(kept, [array.size for array in arrays.values()])}


def update_bn(batches, forward, buffers, layers):
    """The running statistics of an averaged model, anew: the mean over `batches` of what each makes of them.

    Arguments:
        batches: what the model is given, one after the other.
        forward: takes a batch through the model in training, whose BatchNorm layers are `layers`.
        buffers: name to array, brought up to date in place by the layers.
        layers: BatchNorm layers; while this runs their momentum is None, which averages.

    Source: torch.optim.swa_utils.update_bn 2.13.
    """
    momenta = [layer.momentum for layer in layers]
    for name, array in buffers.items():
        array[...] = 1 if name.endswith("running_var") else 0
    try:
        for layer in layers:
            layer.momentum = None
        for batch in batches:
            forward(batch)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
