"""What the counterparts share: arrays in, PyTorch's function on the gradients of parameters, arrays out."""

from typing import Any, ClassVar

import numpy as np
import torch

from torch_impl.tensors import array, tensor

PATHS = {"single": False, "foreach": True}


class Transformation:
    """A function of torch.nn.utils on gradients.

    Arguments:
        path: "single" or "foreach": which of PyTorch's implementations runs.
        hyperparameters: handed to the function as they are.

    Raises:
        ValueError: for a path that there is not.
    """

    paths: ClassVar[tuple[str, ...]] = ("single", "foreach")
    TENSORS: ClassVar[tuple[str, ...]] = ("clipped",)
    NUMBERS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, path: str = "single", **hyperparameters):
        if path not in self.paths:
            raise ValueError(f"{type(self).__name__} has no path {path!r}; it has {', '.join(self.paths)}")
        self.foreach, self.hyperparameters = PATHS[path], hyperparameters
        self.made: dict[str, Any] = {}

    def run(self, parameters: list[torch.Tensor]) -> Any:
        """PyTorch's own function; a tensor that it returns is the number made."""
        raise NotImplementedError

    def step(self, arrays) -> dict[str, np.ndarray]:
        """What becomes of the gradients: name to array."""
        grads = {name: tensor(given) for name, given in arrays.items()}
        parameters = [torch.zeros_like(grad) for grad in grads.values()]
        for parameter, grad in zip(parameters, grads.values(), strict=True):
            parameter.grad = grad  # which is changed in place
        number = self.run(parameters)
        self.made = {key: {name: array(grad) for name, grad in grads.items()} for key in self.TENSORS}
        self.made |= {key: array(number)[()] for key in self.NUMBERS}
        return self.made[self.TENSORS[0]]
