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

    def model(self) -> AveragedModel:
        """PyTorch's, as far as the average is."""
        model = AveragedModel(module_of(self.made["averaged"]), **self.settings)
        model.n_averaged.fill_(int(self.made["n_averaged"]))
        return model

    def state_dict(self) -> dict[str, Any]:
        """AveragedModel's own, as arrays, with the names that the parameters have here."""
        own = self.model().state_dict()
        names = {f"module.{name}": f"module.{name.replace('.', '_')}" for name in self.made["averaged"]}
        return {name: np.array(array(own[names.get(name, name)])) for name in ("n_averaged", *names)}

    def load_state_dict(self, state_dict) -> None:
        """Go on from a state that `state_dict` gave here or in NumPy, by AveragedModel's own `load_state_dict`."""
        prefix, model = "module.", self.model()
        names = {name: name.removeprefix(prefix).replace(".", "_") for name in state_dict if name.startswith(prefix)}
        own = {prefix + names[name] if name in names else name: tensor(value) for name, value in state_dict.items()}
        model.load_state_dict(own)
        self.take(model, self.made["averaged"])

    def step(self, arrays) -> dict[str, np.ndarray]:
        """Bring the average up to date with these parameters: name to array."""
        model = self.model()
        model.update_parameters(module_of(arrays))
        self.take(model, arrays)
        return self.made["averaged"]

    def take(self, model: AveragedModel, arrays) -> None:
        """Hold what the model has of these names."""
        named = dict(model.module.named_parameters()) | dict(model.module.named_buffers())
        self.made = {
            "averaged": {name: array(named[name.replace(".", "_")]) for name in arrays},
            "n_averaged": np.float64(model.n_averaged.item()),
        }


def module_of(arrays) -> torch.nn.Module:
    """A module with these parameters and buffers."""
    module = torch.nn.Module()
    for name, value in arrays.items():
        if name.rpartition(".")[2] in BUFFERS:
            module.register_buffer(name.replace(".", "_"), tensor(value))
        else:
            module.register_parameter(name.replace(".", "_"), torch.nn.Parameter(tensor(value)))
    return module
