"""What the optimizers share: named tensors, state under PyTorch's keys, and a walk in cache-sized blocks."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

# Bytes of a stretch. The dozen intermediates of one stay in a core's second-level cache, so the
# readable formula reads and writes main memory no more often than a fused kernel does.
BLOCK = 80 * 1024

# Bytes the C library may keep for the intermediates of the next block instead of giving them back to
# the system: glibc keeps twice the largest piece that has been freed so far (M_TRIM_THRESHOLD).
KEPT = 4 * 1024 * 1024


class Optimizer:
    """Steps named arrays in place with a formula that knows nothing of names.

    A subclass states `ORDERS` (its formula in each order of operations) and `STATE` (which line of
    the formula becomes which entry of the state, under PyTorch's key).

    Arguments:
        params: name to array, pairs of the two, or arrays alone (then named "0", "1", …); float32 or
            float64, any shape; updated in place.
        hyperparameters: under PyTorch's names; each is an attribute and may be changed between steps.

    Raises:
        TypeError: for a parameter that is no floating-point array.
        ValueError: for an empty collection, as PyTorch ("optimizer got an empty parameter list"), for
            an array that cannot be written to, and for one array under two names.
    """

    ORDERS: ClassVar[Mapping[str, Callable[..., Any]]]
    STATE: ClassVar[Mapping[str, str]]

    def __init__(self, params, **hyperparameters):
        self.params = parameters(params)
        self.state: dict[str, dict[str, Any]] = {name: {} for name in self.params}
        self.hyperparameter_names = tuple(hyperparameters)
        vars(self).update(hyperparameters)
        self.formula = self.ORDERS["paper"]

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What the formula is given; NumPy scalars as Python's, which leave a float32 array float32."""
        values = {name: getattr(self, name) for name in self.hyperparameter_names}
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}

    def set(self, name: str, value) -> None:
        """Change a hyperparameter between steps; unlike an assignment, refuses a misspelt one."""
        if name not in self.hyperparameter_names:
            raise TypeError(f"no hyperparameter {name!r}; there are {', '.join(self.hyperparameter_names)}")
        setattr(self, name, value)

    def entries(self) -> list[str]:
        """The keys of `STATE` that the present hyperparameters put to use."""
        return list(self.STATE)

    def new_state(self, param) -> dict[str, Any]:
        """The state before the first step; None where the first step itself creates the entry."""
        return {"step": np.zeros((), np.float32), **{key: np.zeros_like(param) for key in self.entries()}}

    def step(self, grads) -> None:
        """One update of every tensor whose gradient is given; None skips it, state included.

        Arguments:
            grads: as `params`: name to array of the parameter's shape and dtype, or None.

        Raises:
            KeyError: for a gradient without a parameter. A parameter without an entry is skipped.
            TypeError: for a gradient that is no floating-point array.
            ValueError: for another shape or dtype. All of them before anything is changed.
        """
        for name, grad in self.checked(named(grads)).items():
            if grad is not None:
                self.step_one(name, grad)

    def step_one(self, name: str, grad) -> None:
        param, entries = self.params[name], self.entries()
        state = self.state[name]
        if any(key not in state for key in entries):
            state = self.new_state(param) | state
        if "step" in state:
            state = state | {"step": np.asarray(state["step"] + np.float32(1))}
        known = [key for key in entries if state[key] is not None]
        fresh = {key: np.empty_like(param) for key in entries if state[key] is None}
        state = state | fresh
        lines_kept = ["param", *(self.STATE[key] for key in (*known, *fresh))]
        constants = self.constants(state)
        for grad_block, *held in blocks(grad, param, *(state[key] for key in (*known, *fresh))):
            lines = self.formula(held[0], grad_block, **dict(zip(known, held[1:], strict=False)), **constants)
            for array, line in zip(held, lines_kept, strict=True):
                array[...] = getattr(lines, line)
            del lines  # the next block's intermediates take its place in the cache
        self.state[name].update(state)

    def evaluate(self, param, grad, state, **replaced):
        """Every line of the formula for one step, in memory of its own; nothing is updated.

        `state` already carries the count of this step. `replaced` hyperparameters stand in for the
        optimizer's own. The arguments may be arrays of any precision or error-carrying numbers.
        """
        held = {key: state[key] for key in self.entries() if key in state}
        return self.formula(param, grad, **held, **(self.constants(state) | replaced))

    def constants(self, state) -> dict[str, Any]:
        """What the formula is given beside arrays: the count of steps and the hyperparameters."""
        count = {"step": float(state["step"])} if "step" in state else {}
        return count | self.hyperparameters

    def load_state(self, state) -> None:
        """Take over copies of the entries of `state`: tensor name, or PyTorch's position, to entries.

        A tensor without an entry, or with an empty one, has taken no step yet. What is not in `state`
        at all stays as it is.

        Raises:
            KeyError: for an unknown tensor, an unknown entry or a missing one.
            ValueError: for an entry of another shape or dtype. All of them before anything is changed.
        """
        loaded = {}
        for key, entries in state.items():
            name = list(self.params)[key] if isinstance(key, int) and key < len(self.params) else key
            if name not in self.params:
                raise KeyError(f"state for unknown parameter {name!r}; there are {list(self.params)}")
            loaded[name] = self.checked_state(name, entries)
        self.state.update(loaded)

    def checked_state(self, name: str, entries) -> dict[str, Any]:
        param = self.params[name]
        expected = self.new_state(param[:0] if param.ndim else param)
        unknown = [key for key in entries if key not in expected and key not in self.STATE]
        missing = [key for key in expected if entries and key not in entries]
        if unknown or missing:
            raise KeyError(f"state of {name!r} has {list(entries)}, it takes {list(expected)}")
        copies = {}
        for key, value in entries.items():
            shape, dtype = ((), np.dtype(np.float32)) if key == "step" else (param.shape, param.dtype)
            array = np.array(value, dtype if key == "step" else None)
            if value is not None and (array.shape != shape or array.dtype != dtype):
                raise ValueError(
                    f"state {key!r} of {name!r} is {array.dtype}{list(array.shape)}, not {dtype}{list(shape)}"
                )
            copies[key] = None if value is None else array
        return copies

    def checked(self, grads):
        for name, grad in grads.items():
            if name not in self.params:
                raise KeyError(f"gradient for unknown parameter {name!r}; there are {list(self.params)}")
            if grad is None:
                continue
            check_array(name, grad)
            param = self.params[name]
            if grad.shape != param.shape or grad.dtype != param.dtype:
                raise ValueError(
                    f"gradient of {name!r} is {grad.dtype}{list(grad.shape)}, "
                    f"the parameter is {param.dtype}{list(param.shape)}"
                )
        return grads


def named(tensors: Any) -> dict[str, Any]:
    """`tensors` by name; a list or a single array gets PyTorch's positions as names."""
    if isinstance(tensors, Mapping):
        return dict(tensors)
    listed: list[Any] = [tensors] if isinstance(tensors, np.ndarray) else list(tensors)
    if listed and all(isinstance(tensor, tuple) for tensor in listed):
        return dict(listed)
    return {str(position): tensor for position, tensor in enumerate(listed)}


def parameters(tensors) -> dict[str, np.ndarray]:
    """`tensors` by name, each fit to be stepped in place."""
    params = named(tensors)
    if not params:
        raise ValueError("optimizer got an empty parameter list")
    places = {}
    for name, param in params.items():
        check_array(name, param)
        if not param.flags.writeable:
            raise ValueError(f"{name!r} is read-only, and a step writes to it")
        place = (param.__array_interface__["data"][0], param.shape, param.strides)
        if param.size and place in places:
            raise ValueError(f"{name!r} is the same array as {places[place]!r}; give a tied parameter once")
        places[place] = name
    return params


def check_array(name: str, array) -> None:
    if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.floating):
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"{name!r} must be a floating-point NumPy array, not {kind}")


def blocks(*arrays):
    """The arrays side by side, a cache-sized stretch at a time, sharing their memory."""
    if all(array.flags.c_contiguous for array in arrays):
        arrays = [array.reshape(-1) for array in arrays]
    rows = max(1, BLOCK * len(arrays[0]) // max(1, arrays[0].nbytes))
    if rows < len(arrays[0]):
        np.empty(KEPT, np.uint8)
    for start in range(0, len(arrays[0]), rows):
        yield [array[start : start + rows] for array in arrays]


def check_hyperparameter(valid: bool, message: str) -> None:
    """Refuse a hyperparameter with PyTorch's wording."""
    if not valid:
        raise ValueError(message)


def check_numbers(**hyperparameters) -> None:
    """Refuse a hyperparameter that is no number, before it is compared with one."""
    for name, value in hyperparameters.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
            raise TypeError(f"{name} must be a number, not {value!r}")
