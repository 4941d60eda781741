"""What the counterparts share: torch.optim.swa_utils.AveragedModel of a module that has the arrays."""

from typing import Any, ClassVar

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from torch_impl.tensors import array, tensor

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


class Averaged:
    """An AveragedModel.

    Arguments:
        path: "single" (`avg_fn`) or "foreach" (`multi_avg_fn`).
        use_buffers: average buffers as well.

    Raises:
        ValueError: for a path that there is not, and what PyTorch refuses.
    """

    paths: ClassVar[tuple[str, ...]] = ("single", "foreach")
    counterpart: ClassVar[Any]

    def __init__(self, *, path: str = "single", use_buffers: bool = False, **hyperparameters):
        if path not in self.paths:
            raise ValueError(f"{type(self).__name__} has no path {path!r}; it has {', '.join(self.paths)}")
        key, make = {"single": ("avg_fn", self.single), "foreach": ("multi_avg_fn", self.foreach)}[path]
        self.settings = {key: make(**hyperparameters), "use_buffers": use_buffers}
        self.made: dict[str, Any] = {}

    def single(self, **hyperparameters) -> Any:
        """The function of one tensor."""
        raise NotImplementedError

    def foreach(self, **hyperparameters) -> Any:
        """The function of lists of tensors."""
        raise NotImplementedError

    def step(self, arrays) -> dict[str, np.ndarray]:
        """Bring the average up to date with these parameters: name to array."""
        model = AveragedModel(module_of(self.made["averaged"]), **self.settings)
        model.n_averaged.fill_(int(self.made["n_averaged"]))
        model.update_parameters(module_of(arrays))
        named = dict(model.module.named_parameters()) | dict(model.module.named_buffers())
        self.made = {
            "averaged": {name: array(named[name.replace(".", "_")]) for name in arrays},
            "n_averaged": np.float64(model.n_averaged.item()),
        }
        return self.made["averaged"]


def module_of(arrays) -> torch.nn.Module:
    """A module with these parameters and buffers."""
    module = torch.nn.Module()
    for name, value in arrays.items():
        if name.rpartition(".")[2] in BUFFERS:
            module.register_buffer(name.replace(".", "_"), tensor(value))
        else:
            module.register_parameter(name.replace(".", "_"), torch.nn.Parameter(tensor(value)))
    return module
