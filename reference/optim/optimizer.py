"""What the optimizers share: named tensors, lazily made state, and a walk in cache-sized blocks."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

# Ten intermediates of 16 384 float32 numbers fit a core's second-level cache, so the readable
# formula reads and writes main memory no more often than a fused kernel does.
BLOCK = 16_384


class Optimizer:
    """Steps named arrays in place with a formula that knows nothing of names.

    A subclass states `ORDERS` (its formula in each order of operations), `STATE` (which line of the
    formula becomes which entry of the state, under PyTorch's key) and `new_state`.

    Arguments:
        params: name to array (or list of arrays, then named "0", "1", …), float32 or float64, any
            shape; updated in place.
        hyperparameters: under PyTorch's names; each is an attribute and may be changed between steps.

    Raises:
        TypeError: for a parameter that is no floating-point array.
        ValueError: for an empty collection, as PyTorch ("optimizer got an empty parameter list").
    """

    ORDERS: ClassVar[Mapping[str, Callable[..., Any]]]
    STATE: ClassVar[Mapping[str, str]]

    def __init__(self, params, **hyperparameters):
        self.params = named(params)
        self.state: dict[str, dict[str, Any]] = {name: {} for name in self.params}
        self.hyperparameter_names = tuple(hyperparameters)
        for name, value in hyperparameters.items():
            setattr(self, name, value)
        self.formula = self.ORDERS["paper"]

    @property
    def hyperparameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.hyperparameter_names}

    def new_state(self, param) -> dict[str, Any]:
        """The state before the first step; None where the first step itself creates the entry."""
        raise NotImplementedError

    def step(self, grads) -> None:
        """One update of every tensor whose gradient is given; None skips it, state included.

        Arguments:
            grads: as `params`: name to array of the parameter's shape and dtype, or None.

        Raises:
            KeyError: for a gradient without a parameter. A parameter without an entry is skipped.
            ValueError: for another shape or dtype, before anything is changed.
        """
        grads = self.checked(named(grads, may_be_none=True))
        for name, grad in grads.items():
            if grad is not None:
                self.step_one(name, grad)

    def step_one(self, name: str, grad) -> None:
        param, state = self.params[name], self.state[name]
        if not state:
            state.update(self.new_state(param))
        if "step" in state:
            state["step"] = state["step"] + np.float32(1)
        old = {key: state[key] for key in self.STATE if key in state}
        new = {key: np.empty_like(param) if array is None else array for key, array in old.items()}
        for block in blocks(param):
            entries = {key: None if array is None else window(array, block) for key, array in old.items()}
            lines = self.evaluate(window(param, block), window(grad, block), {**state, **entries})
            window(param, block)[...] = lines.param
            for key, array in new.items():
                window(array, block)[...] = getattr(lines, self.STATE[key])
        state.update(new)

    def evaluate(self, param, grad, state, **replaced):
        """Every line of the formula for one step, in memory of its own; nothing is updated.

        `state` already carries the count of this step. `replaced` hyperparameters stand in for the
        optimizer's own. The arguments may be arrays of any precision or error-carrying numbers.
        """
        state = {key: float(value) if key == "step" else value for key, value in state.items()}
        return self.formula(param, grad, **state, **(self.hyperparameters | replaced))

    def load_state(self, state) -> None:
        """Take over copies of the entries of `state`: tensor name, or PyTorch's position, to entries.

        Raises:
            KeyError: for an unknown tensor or entry.
            ValueError: for an entry of another shape, before anything is changed.
        """
        loaded = {}
        for key, entries in state.items():
            name = list(self.params)[key] if isinstance(key, int) else key
            if name not in self.params:
                raise KeyError(f"state for unknown parameter {name!r}; there are {list(self.params)}")
            expected = self.new_state(self.params[name])
            unknown = [entry for entry in entries if entry not in expected]
            if unknown:
                raise KeyError(f"unknown state {unknown} of {name!r}; there are {list(expected)}")
            for entry, value in entries.items():
                shape = () if entry == "step" else self.params[name].shape
                if value is not None and np.shape(value) != shape:
                    raise ValueError(f"state {entry!r} of {name!r} has shape {np.shape(value)}, not {shape}")
            loaded[name] = {entry: None if value is None else np.array(value) for entry, value in entries.items()}
        self.state.update(loaded)

    def checked(self, grads):
        for name, grad in grads.items():
            if name not in self.params:
                raise KeyError(f"gradient for unknown parameter {name!r}; there are {list(self.params)}")
            param = self.params[name]
            if grad is not None and (grad.shape != param.shape or grad.dtype != param.dtype):
                raise ValueError(
                    f"gradient of {name!r} is {grad.dtype}{list(grad.shape)}, "
                    f"the parameter is {param.dtype}{list(param.shape)}"
                )
        return grads


def named(tensors, *, may_be_none: bool = False) -> dict[str, Any]:
    """`tensors` by name; a list or a single array gets PyTorch's positions as names."""
    if isinstance(tensors, np.ndarray):
        tensors = [tensors]
    if not isinstance(tensors, Mapping):
        tensors = {str(position): tensor for position, tensor in enumerate(tensors)}
    if not tensors and not may_be_none:
        raise ValueError("optimizer got an empty parameter list")
    for name, tensor in tensors.items():
        if tensor is None and may_be_none:
            continue
        if not isinstance(tensor, np.ndarray) or not np.issubdtype(tensor.dtype, np.floating):
            kind = tensor.dtype if isinstance(tensor, np.ndarray) else type(tensor).__name__
            raise TypeError(f"{name!r} must be a floating-point NumPy array, not {kind}")
    return dict(tensors)


def blocks(param):
    """Stretches of `param` that fit the cache; a non-contiguous array is one stretch."""
    if not param.flags.c_contiguous or param.size <= BLOCK:
        return [...]
    return [slice(start, start + BLOCK) for start in range(0, param.size, BLOCK)]


def window(array, block):
    """The stretch `block` of `array`, sharing its memory."""
    return array if block is ... else array.reshape(-1)[block]


def check_hyperparameter(valid: bool, message: str) -> None:
    """Refuse a hyperparameter with PyTorch's wording."""
    if not valid:
        raise ValueError(message)


def check_numbers(**hyperparameters) -> None:
    """Refuse a hyperparameter that is no number, before it is compared with one."""
    for name, value in hyperparameters.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
            raise TypeError(f"{name} must be a number, not {value!r}")
