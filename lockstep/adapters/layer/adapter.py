"""What a check drives of a layer: parameters in, one pass there and back."""

from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


class Made(NamedTuple):
    """What one pass made and can be seen. `mask`: the one that was used, where it could not be handed over."""

    output: Any
    grad_input: Any = None
    grads: dict[str, Any] = {}
    buffers: dict[str, Any] = {}
    upstream: np.ndarray | None = None


class LayerAdapter:
    """A layer at work. Subclass it, and hand the subclass to `lockstep check`.

    `start` names the hyperparameters it takes, under PyTorch's names.
    """

    words = "an adapter of your own"
    takes_mask = False

    def start(self, params: Arrays, buffers: Arrays, **hyperparameters: Any) -> None:
        """Begin afresh with these parameters and buffers."""
        raise NotImplementedError

    def run(self, training: bool, inputs: tuple[np.ndarray, ...], upstream: np.ndarray) -> Made:
        """One pass there and, where there is one, back."""
        raise NotImplementedError


def arrays(named: dict[str, Any]) -> Arrays:
    """Copies as arrays, without what is None."""
    return {name: np.array(value) for name, value in named.items() if value is not None}
