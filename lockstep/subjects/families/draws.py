"""What a training run draws: its first parameters, and every step's batch and masks."""

import functools
import importlib
from typing import Any

import numpy as np

from lockstep.text import message

NOTEBOOK_SEED = 42
SHARED = message("note.shared-masks")


class Draws:
    """The batches of one run, epoch by epoch, from a generator that has PyTorch's `randperm`."""

    def __init__(self, generator: Any, n: int, batch_size: int | None):
        self.generator, self.n, self.size = generator, n, batch_size
        self.order: np.ndarray = np.arange(n)

    def batch(self, step: int) -> np.ndarray:
        """The samples of step `step`; a new order begins every epoch, its incomplete last batch is dropped."""
        if self.size is None:
            return np.arange(self.n)
        place = (step - 1) % (self.n // self.size)
        if place == 0:
            self.order = self.generator.randperm(self.n)
        return self.order[place * self.size : (place + 1) * self.size]


class Notebook:
    """NumPy's legacy generator as the notebook uses it: one stream for weights and masks, samples as columns."""

    def __init__(self, seed: int):
        self.random = np.random.RandomState(seed % 2**32)

    def linear(
        self, in_features: int, out_features: int, bias: bool, dtype: Any
    ) -> tuple[np.ndarray, np.ndarray | None]:
        weight = (self.random.randn(out_features, in_features) * 0.1).astype(dtype)
        return weight, np.zeros(out_features, dtype) if bias else None

    def dropout_mask(self, p: float, shape: tuple[int, int], dtype: Any) -> np.ndarray:
        n, width = shape
        return np.ascontiguousarray((self.random.rand(width, n) > p).T).astype(dtype)

    def get_state(self) -> Any:
        return self.random.get_state()

    def set_state(self, state: Any) -> None:
        self.random.set_state(state)

    def randperm(self, n: int) -> np.ndarray:
        return self.random.permutation(n)


def generators(draws: str, side: str, seed: int) -> tuple[Any, Any]:
    """What draws the first parameters of a side ("reference" or "torch_impl"), and what draws all the rest.

    Both sides draw the same numbers. With "pytorch" each has a generator of its own kind, which is thereby
    compared as well; "notebook" is the notebook's one stream.
    """
    if draws == "notebook":
        stream = Notebook(NOTEBOOK_SEED + seed)
        return stream, stream
    rest = side if same_masks() else "torch_impl"
    first, later = (importlib.import_module(f"{tree}.random").Generator for tree in ("reference", rest))
    return first(seed), later(seed + 1)


@functools.cache
def same_masks() -> bool:
    """Whether PyTorch's dropout takes its masks from the generator that the reference has; on some CPUs it is MKL's."""
    ours, theirs = (
        importlib.import_module(f"{tree}.random").Generator(1).dropout_mask(0.3, (64, 16))
        for tree in ("reference", "torch_impl")
    )
    return np.array_equal(ours, theirs)
