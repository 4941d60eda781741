"""The counterpart of reference/random.py: the same draws from PyTorch, NumPy arrays in and out."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.utils.data import DataLoader


class Generator:
    """A torch.Generator on the CPU with the interface of reference.random.Generator.

    What draws from PyTorch's global generator (modules, DataLoader) is run with this one's state in its
    place; the global one is left as it was.
    """

    def __init__(self, seed: int = 67280421310721):
        self.generator = torch.Generator()
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> "Generator":
        self.generator.manual_seed(seed)
        return self

    def initial_seed(self) -> int:
        return self.generator.initial_seed()

    def get_state(self) -> np.ndarray:
        return self.generator.get_state().numpy()

    def set_state(self, state) -> "Generator":
        self.generator.set_state(torch.tensor(np.frombuffer(bytes(state), np.uint8)))
        return self

    @contextmanager
    def as_default(self) -> Iterator[None]:
        """This generator's state in the place of the global one's."""
        before = torch.get_rng_state()
        torch.set_rng_state(self.generator.get_state())
        try:
            yield
        finally:
            self.generator.set_state(torch.get_rng_state())
            torch.set_rng_state(before)

    def rand(self, *size, dtype=np.float32) -> np.ndarray:
        return torch.rand(*size, dtype=torch_dtype(dtype), generator=self.generator).numpy()

    def uniform_(self, array, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        torch.from_numpy(array).uniform_(low, high, generator=self.generator)
        return array

    def bernoulli(self, p, shape=None, dtype=None) -> np.ndarray:
        if not isinstance(p, np.ndarray):
            return self.bernoulli_(np.empty(() if shape is None else shape, dtype or np.float32), p)
        return self.bernoulli_(np.empty_like(p, dtype or p.dtype), p)

    def bernoulli_(self, array, p: float | np.ndarray = 0.5) -> np.ndarray:
        tensor = torch.from_numpy(array)
        if isinstance(p, np.ndarray):
            tensor.bernoulli_(torch.from_numpy(p), generator=self.generator)
        else:
            tensor.bernoulli_(p, generator=self.generator)
        return array

    def dropout_mask(self, p: float, shape, dtype=np.float32) -> np.ndarray:
        """The mask of F.dropout, seen by what becomes of ones."""
        ones = torch.ones(shape, dtype=torch.float32)
        with self.as_default():
            kept = torch.nn.functional.dropout(ones, p) != 0
        return kept.numpy().astype(dtype)

    def randint(self, low: int, high: int | None = None, size=(), dtype=np.int64) -> np.ndarray:
        low, high = (0, low) if high is None else (low, high)
        return torch.randint(low, high, size, dtype=torch_dtype(dtype), generator=self.generator).numpy()

    def random_(self, array, low: int | None = None, high: int | None = None) -> np.ndarray:
        bounds = [bound for bound in (low, high) if bound is not None]
        torch.from_numpy(array).random_(*bounds, generator=self.generator)
        return array

    def randperm(self, n: int, dtype=np.int64) -> np.ndarray:
        return torch.randperm(n, dtype=torch_dtype(dtype), generator=self.generator).numpy()

    def randn(self, *size, dtype=np.float32) -> np.ndarray:
        return torch.randn(*size, dtype=torch_dtype(dtype), generator=self.generator).numpy()

    def normal_(self, array, mean: float = 0.0, std: float = 1.0) -> np.ndarray:
        torch.from_numpy(array).normal_(mean, std, generator=self.generator)
        return array

    def linear(self, in_features: int, out_features: int, bias: bool = True, dtype=np.float32):
        """Weight and bias of a new nn.Linear."""
        with self.as_default():
            module = torch.nn.Linear(in_features, out_features, bias=bias, dtype=torch_dtype(dtype))
        return module.weight.detach().numpy(), module.bias.detach().numpy() if bias else None

    def batches(
        self, n: int, batch_size: int = 1, shuffle: bool = True, drop_last: bool = False, generator=None
    ) -> Iterator[np.ndarray]:
        """The indices of each batch of one epoch of a DataLoader; the whole epoch is drawn at the call."""
        with self.as_default():
            loader = DataLoader(
                range(n),  # pyright: ignore[reportArgumentType]
                batch_size=batch_size,
                shuffle=shuffle,
                drop_last=drop_last,
                generator=generator and generator.generator,
            )
            epoch = [batch.numpy() for batch in loader]
        return iter(epoch)


def torch_dtype(dtype) -> torch.dtype:
    return torch.from_numpy(np.empty(0, dtype)).dtype
