"""What the averages share: a copy of a model's parameters, and how often it was brought up to date."""

from collections.abc import Iterator
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

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on elsewhere, as copies, under the names that PyTorch's AveragedModel has."""
        averaged = {f"module.{name}": np.array(array) for name, array in self.made["averaged"].items()}
        return {"n_averaged": np.array(self.made["n_averaged"], np.int64), **averaged}

    def load_state_dict(self, state_dict) -> None:
        """Go on from a state that `state_dict` gave here or in PyTorch, with copies of it.

        Raises:
            RuntimeError: for what is missing, superfluous or of another shape, in PyTorch's words, before anything is
                changed; and for another dtype, which PyTorch makes its own of.
        """
        own = self.state_dict()
        if faults := list(mismatches(own, state_dict)):
            raise RuntimeError("Error(s) in loading state_dict for AveragedModel:\n\t" + "\n\t".join(faults))
        averaged = {name: np.array(state_dict[f"module.{name}"]) for name in self.made["averaged"]}
        self.made |= {"averaged": averaged, "n_averaged": float(state_dict["n_averaged"])}

    def numbers(self, arrays):
        kept = [not self.use_buffers and name.rpartition(".")[2] in BUFFERS for name in arrays]
        return {**self.hyperparameters, "copied": np.repeat(kept, [array.size for array in arrays.values()])}


def mismatches(own, given) -> Iterator[str]:
    """What keeps a state from being one like the own, as torch.nn.Module says it."""
    for kind, names in (("Unexpected", given.keys() - own.keys()), ("Missing", own.keys() - given.keys())):
        if names:
            listed = ", ".join(f'"{name}"' for name in (*given, *own) if name in names)
            yield f"{kind} key(s) in state_dict: {listed}. "
    for name, array in own.items():
        other = np.asarray(given.get(name, array))
        if other.shape != array.shape:
            theirs, ours = (f"torch.Size({list(shape)})" for shape in (other.shape, array.shape))
            copying = f"copying a param with shape {theirs} from checkpoint, the shape in current model is {ours}."
            yield f"size mismatch for {name}: {copying}"
        elif other.dtype != array.dtype:
            yield f"dtype mismatch for {name}: {other.dtype} in the checkpoint, {array.dtype} in the current model."


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
