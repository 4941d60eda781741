"""What a check drives of a layer: parameters in, one pass there and back."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.numerics.shapes import Arrays, Inputs, Outputs
from lockstep.recordings.recording import Pass
from lockstep.text import Message, message


class Made(NamedTuple):
    """What one pass made and can be seen. `mask`: the one that was used, where it could not be handed over."""

    output: Any
    grad_input: Any = None
    grads: dict[str, Any] = {}
    buffers: dict[str, Any] = {}
    upstream: np.ndarray | None = None


class LayerAdapter:
    """A layer at work. Subclass it, and hand the subclass to `lockstep check`.

    `start` names the hyperparameters it takes, under PyTorch's names. After it, or after the first run, `fresh` holds
    the parameters and buffers that the layer began with by itself, before any was set; `unset` names those that
    could not be set, `called` says what it calls the others, and `paths` where those are that have no usual name.
    """

    words: Message | str = message("shape.own-adapter")
    takes_mask = False
    fresh: Mapping[str, np.ndarray | None] = {}
    unset: tuple[str, ...] = ()
    called: Mapping[str, str] = {}
    paths: Mapping[str, tuple[str, ...]] = {}

    def again(self, layout: Any, paths: Mapping[str, tuple[str, ...]]) -> Any:
        """What makes one like it in another layout, where it knows more; None where it knows no layouts."""

    def keeps(self, keys: Iterable[str], last: Pass) -> list[str]:
        """Which of these parameters it has, uses and differentiates though PyTorch has none, after its last pass."""
        return []

    def fitted(self, key: str, value: Any) -> np.ndarray:
        """An array of its own in the shape of PyTorch's parameter or buffer `key`."""
        return np.asarray(value)

    def arrays(self) -> dict[tuple[str, ...], np.ndarray]:
        """Whatever may be a gradient that was not found by its name, by its path."""
        return {}

    def start(self, params: Arrays, buffers: Arrays, **hyperparameters: Any) -> None:
        """Begin afresh with these parameters and buffers."""
        raise NotImplementedError

    def run(self, training: bool, inputs: tuple[Inputs, ...], upstream: Outputs) -> Made:
        """One pass there and, where there is one, back."""
        raise NotImplementedError


def arrays(named: dict[str, Any]) -> Arrays:
    """Copies as arrays, without what is None."""
    return {name: np.array(value) for name, value in named.items() if value is not None}
