"""What a side holds at one moment."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.numerics.shapes import Array


class Snapshot(dict[str, dict[str, np.ndarray]]):
    """Quantity ("param", "exp_avg", "output", …) to tensor ("weight", …) to array; seen from either of the two."""

    def copy(self) -> "Snapshot":
        """The same in memory of its own."""
        return Snapshot({key: {name: np.array(array) for name, array in named.items()} for key, named in self.items()})

    def __or__(self, other: Mapping[str, dict[str, Array]]) -> "Snapshot":  # type: ignore[override]
        return Snapshot({**self, **other})

    def each(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """(quantity, tensor, array), one after the other."""
        for quantity, named in self.items():
            for name, array in named.items():
                yield quantity, name, array

    def picked(self, wanted: Callable[[str, str], bool]) -> "Snapshot":
        """Those of which `wanted`, asked with quantity and tensor, is true."""
        picked = Snapshot()
        for quantity, name, array in self.each():
            if wanted(quantity, name):
                picked.setdefault(quantity, {})[name] = array
        return picked

    def add_tensors(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Add the entries of an optimizer's state: tensor to key to value, None where there is none."""
        for name, entries in state.items():
            for key, value in entries.items():
                if value is not None:
                    self.setdefault(key, {})[name] = np.asarray(value)

    def by_tensor(self) -> dict[str, dict[str, np.ndarray]]:
        """Tensor to quantity to array, as an optimizer holds its state."""
        tensors: dict[str, dict[str, np.ndarray]] = {}
        for quantity, name, array in self.each():
            tensors.setdefault(name, {})[quantity] = array
        return tensors
