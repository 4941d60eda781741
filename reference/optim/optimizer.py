"""What the optimizers share: named tensors, state under PyTorch's keys, and a walk in cache-sized blocks."""

import copy
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, ClassVar

import numpy as np

from reference.arithmetic import is_float, is_narrow, narrowed, widened
from reference.sparse import Sparse, stored
from reference.state import Count, Entry
from reference.tape import Tape

# Bytes of each array in a block. A handful of them stay in a core's second-level cache, so the
# readable formula reads and writes main memory no more often than a fused kernel does.
BLOCK = 192 * 1024


class Optimizer:
    """Steps named arrays in place with a formula that knows nothing of names.

    A subclass states `ORDERS` (its formula in each order of operations) and `STATE` (each entry of its
    state under PyTorch's key, as reference/state.py declares it; in PyTorch's order). One whose formula takes
    a tensor as a whole says so (`ELEMENTWISE`), and what becomes of a sparse gradient (`SPARSE`): "entries", that they
    alone are stepped; "alone", that they are and that there are no others; "whole", that it is as good as a dense one;
    or nothing, that it is refused (`REFUSED`).

    Arguments:
        params: name to array, pairs of the two, or arrays alone (then named "0", "1", …); float32,
            float64 or of 16 bits, any shape; updated in place. Or a list of groups, as PyTorch's: dicts of "params",
            any of these, and of the hyperparameters that are the group's own.
        hyperparameters: under PyTorch's names, of all groups that have none of their own. Each is an attribute, that of
            the first group; assigned between steps, it is that of every group.

    Attributes:
        param_groups: dicts as PyTorch's, "params" to the names of the group's tensors; may be changed between steps.
        defaults: the hyperparameters of a group that has none of its own.

    PyTorch steps a tensor that is in a group twice, and warns; here it is refused. It does not check what a group says
    of its own, and neither is it checked here.

    Raises:
        TypeError: for a parameter that is no floating-point array, or wider than float64.
        ValueError: for an empty collection, as PyTorch ("optimizer got an empty parameter list"), for
            an array that cannot be written to, for one array under two names, and for one in two groups.
    """

    ORDERS: ClassVar[Mapping[str, Callable[..., Any]]]
    STATE: ClassVar[Mapping[str, Entry]]
    ELEMENTWISE: ClassVar[bool] = True
    SPARSE: ClassVar[str] = ""
    REFUSED: ClassVar[str] = "{} does not support sparse gradients"

    def __init__(self, params, **hyperparameters):
        self.defaults = hyperparameters
        self.params: dict[str, np.ndarray] = {}
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[str, dict[str, Any]] = {}
        groups = groups_of(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups:
            self.add_param_group(group)
        self.formula = self.ORDERS["paper"]

    def __getattr__(self, name: str) -> Any:
        groups = vars(self).get("param_groups")
        if groups and name in groups[0]:
            return groups[0][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value) -> None:
        if name in vars(self).get("defaults", ()):
            for group in self.param_groups:
                group[name] = value
        else:
            super().__setattr__(name, value)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Step more tensors from now on: "params", as they are given at first, with hyperparameters of their own.

        Raises:
            TypeError, ValueError: as at first, in PyTorch's words where it has some; before anything is changed.
        """
        if not isinstance(param_group, Mapping):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        if isinstance(param_group["params"], set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs. Please use a list instead."
            )
        added = named(param_group["params"], start=len(self.params))
        self.check_parameters(added)
        own = {name: value for name, value in param_group.items() if name != "params"}
        self.params |= added
        self.param_groups.append({"params": [*added], **self.defaults, **own})
        self.state |= {name: {} for name in added}

    def check_parameters(self, params: Mapping[str, Annotated[np.ndarray, "*shape"]]) -> None:
        """Refuse what cannot be stepped in place, and what is stepped already."""
        stepped, places = {place_of(param) for param in self.params.values() if param.size}, {}
        for name, param in params.items():
            check_array(name, param)
            if not param.flags.writeable:
                raise ValueError(f"{name!r} is read-only, and a step writes to it")
            place = place_of(param)
            if param.size and place in places:
                raise ValueError(f"{name!r} is the same array as {places[place]!r}; give a tied parameter once")
            if place in stepped:
                raise ValueError("some parameters appear in more than one parameter group")
            if name in self.params:
                raise ValueError(f"{name!r} is the name of a parameter of another group")
            places[place] = name

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What the formula is given; NumPy scalars as Python's, which leave a float32 array float32."""
        return {name: python_number(self.param_groups[0][name]) for name in self.defaults}

    def set(self, name: str, value) -> None:
        """Change a hyperparameter of every group between steps; unlike an assignment, refuses a misspelt one."""
        if name not in self.defaults:
            raise TypeError(f"no hyperparameter {name!r}; there are {', '.join(self.defaults)}")
        setattr(self, name, value)

    def of(self, name: str) -> "Optimizer":
        """The optimizer as it is for a tensor: with the hyperparameters of its group."""
        return self.with_group(next(group for group in self.param_groups if name in group["params"]))

    def with_group(self, group: dict[str, Any]) -> "Optimizer":
        """The optimizer with the hyperparameters of a group; tensors and state are the same."""
        if self.param_groups == [group]:
            return self
        alike = copy.copy(self)
        vars(alike)["param_groups"] = [group]
        return alike

    def entries(self, param) -> dict[str, Entry]:
        """The entries of `STATE` that the present hyperparameters put to use for a parameter."""
        return {key: entry for key, entry in self.STATE.items() if entry.used(param, self)}

    def new_state(self, param) -> dict[str, Any]:
        """The state before the first step; None where the first step itself creates the entry."""
        return {key: entry.new(param, self) for key, entry in self.entries(param).items()}

    def begun(self, param, state) -> dict[str, Any]:
        """The state as a step finds it: there, and with its steps counted."""
        entries = self.entries(param)
        if any(key not in state for key in entries):
            state = self.new_state(param) | state
        return state | {key: entry.raised(state[key]) for key, entry in entries.items() if isinstance(entry, Count)}

    def step(self, grads) -> None:
        """One update of every tensor whose gradient is given; None skips it, state included.

        Arguments:
            grads: name to array of the parameter's shape and dtype, or to `Sparse`, or None; or a list in the order
                of the parameters.

        Raises:
            KeyError: for a gradient without a parameter. A parameter without an entry is skipped.
            TypeError: for a gradient that is no such array.
            RuntimeError: for a sparse one, or one that is not, where PyTorch has no step for it.
            ValueError: for another shape or dtype. All of them before anything is changed.
        """
        for name, grad in self.checked(named(grads, [*self.params])).items():
            if grad is not None:
                self.step_one(name, grad.dense() if isinstance(grad, Sparse) and self.SPARSE == "whole" else grad)

    def no_gradient(self, name: str) -> Any:
        """A gradient of zeros for a tensor; of one that takes no others, sparse and without an entry."""
        zeros = np.zeros_like(self.params[name])
        return stored(zeros) if self.SPARSE == "alone" else zeros

    @staticmethod
    def kept(grad) -> np.ndarray:
        """Where a gradient has entries; of a whole array, or of numbers in its place, the rows that are not 0."""
        if isinstance(grad, Sparse):
            return grad.kept()
        value = getattr(grad, "value", grad)
        return np.broadcast_to((value != 0).any(axis=tuple(range(1, value.ndim)), keepdims=True), value.shape)

    def step_one(self, name: str, grad) -> None:
        param, own = self.params[name], self.of(name)
        entries, state = own.entries(param), own.begun(param, self.state[name])
        held = [key for key, entry in entries.items() if entry.kind == "array"]
        known = ["param", "grad", *(key for key in held if state[key] is not None)]
        state = state | {
            key: np.empty_like(param, shape=entries[key].shape(param.shape)) for key in held if state[key] is None
        }
        arrays = {"param": param, "grad": grad, **{key: state[key] for key in held}}
        work_out = own.work_out_entries if isinstance(grad, Sparse) else own.work_out
        lines = work_out(arrays, known, own.constants(state))
        numbers = {key: getattr(lines, entry.line) for key, entry in entries.items() if entry.kind == "number"}
        state |= {key: np.asarray(number, entries[key].dtype(param.dtype)) for key, number in numbers.items()}
        self.state[name].update(state)

    def work_out_entries(self, arrays, known, constants) -> Any:
        """The same of what a sparse gradient has entries for."""
        grad = arrays["grad"].coalesced()
        wholes = {key: np.atleast_1d(array) for key, array in arrays.items() if key != "grad"}
        entries = {key: whole[grad.places] for key, whole in wholes.items()}
        lines = self.work_out(entries | {"grad": grad.values}, known, constants)
        for key, whole in wholes.items():
            whole[grad.places] = entries[key]
        return lines

    def work_out(self, arrays, known, constants) -> Any:
        """The formula of the `known` arrays; its lines replace parameter and state. One block's are returned."""
        # A gradient may be the parameter itself, so the parameter is written last.
        taken = {key: self.STATE[key].line for key in arrays if key in self.STATE} | {"param": "param"}
        dtype = arrays["param"].dtype
        length = BLOCK // dtype.itemsize
        stretches = blocks(arrays, length) if self.ELEMENTWISE else [arrays]
        if len(stretches) > 1 and self.formula is self.ORDERS["paper"] and not is_narrow(arrays["param"]):
            tape = Tape(self.formula, known, constants, taken, length, dtype)
            for block in stretches:
                tape.replay(block)
            return tape.lines
        lines = None
        for block in stretches:
            given = {name: block[name] for name in known}
            if self.formula is self.ORDERS["paper"]:  # in an order of kernels, each of them rounds
                given = {name: widened(array) for name, array in given.items()}
            if self.formula is self.ORDERS["paper"] and not self.ELEMENTWISE:  # what is added up, in one order
                given = {name: np.asarray(array, order="C") for name, array in given.items()}
            lines = self.formula(**given, **constants)
            for name, line in taken.items():
                block[name][...] = narrowed(getattr(lines, line), block[name])
        return lines

    def evaluate(self, param, grad, state, **replaced):
        """Every line of the formula for one step, in memory of its own; nothing is updated.

        `state` already carries the count of this step. `replaced` hyperparameters stand in for the
        optimizer's own. The arguments may be arrays of any precision or error-carrying numbers.
        """
        held = {key: state[key] for key, entry in self.entries(param).items() if key in state and entry.kind == "array"}
        return self.formula(param, grad, **held, **(self.constants(state) | replaced))

    def constants(self, state) -> dict[str, Any]:
        """What the formula is given beside arrays: numbers of the state, counts as Python floats, hyperparameters."""
        kinds = {key: self.STATE[key].kind for key in state if key in self.STATE}
        counts = {key: float(state[key]) for key, kind in kinds.items() if kind == "count"}
        return {key: state[key] for key, kind in kinds.items() if kind == "number"} | counts | self.hyperparameters

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
            loaded[name] = self.of(name).checked_state(name, entries)
        self.state.update(loaded)

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on elsewhere, as copies, in PyTorch's layout; the tensors themselves are not in it.

        "state": the place of a tensor to its entries; one that has taken no step has none. "param_groups": dicts of
        "params", the places, and of all else that the group holds.
        """
        listed = list(chain.from_iterable(group["params"] for group in self.param_groups))
        places = {name: place for place, name in enumerate(listed)}
        state = {
            places[name]: {key: self.STATE[key].handed(entry) for key, entry in self.state[name].items()}
            for name in listed
            if self.state[name]
        }
        groups = [group | {"params": [places[name] for name in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": copy.deepcopy(groups)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave here or in PyTorch, with copies of it.

        Tensors are told apart by their place alone, group by group, as in PyTorch. What else a group holds is kept.

        Raises:
            ValueError: for another number of groups or of tensors in one, in PyTorch's words, and for an entry of
                another shape or dtype, which PyTorch takes and makes the parameter's dtype of.
            KeyError: for a hyperparameter or an entry that is missing, and for an entry or a tensor that there is not.
                All of them before anything is changed.
        """
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(
            len(given["params"]) != len(group["params"]) for given, group in zip(saved, self.param_groups, strict=True)
        ):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        groups, loaded, left = [], {}, dict(state_dict["state"])
        for number, (given, group) in enumerate(zip(saved, self.param_groups, strict=True)):
            if missing := [name for name in self.defaults if name not in given]:
                raise KeyError(f"param_groups[{number}] has no {missing[0]!r}; there are {', '.join(given)}")
            groups.append({**copy.deepcopy(dict(given)), "params": group["params"]})
            for place, name in zip(given["params"], group["params"], strict=True):
                whole, entries = place in left, left.pop(place, {})
                loaded[name] = self.with_group(groups[-1]).checked_state(name, entries, whole)
        if left:
            raise KeyError(f"state for unknown parameter {next(iter(left))!r}; there are {len(self.params)}")
        self.param_groups, self.state = groups, loaded

    def like(self, name: str) -> np.ndarray:
        """What the entries of a tensor's state are like."""
        return self.params[name]

    def checked_state(self, name: str, entries, whole: bool = False) -> dict[str, Any]:
        """Copies of a tensor's entries; `whole` where a step has been taken, which leaves every entry there."""
        param = self.like(name)
        expected = self.entries(param)
        unknown = [key for key in entries if key not in self.STATE]
        started = [key for key, entry in expected.items() if whole or entry.start is not None]
        missing = [key for key in started if entries.get(key) is None]
        if (entries or whole) and (unknown or missing):
            raise KeyError(f"state of {name!r} has {list(entries)}, it takes {list(expected)}")
        copies: dict[str, Any] = {}
        for key, value in entries.items():
            declared, array = self.STATE[key], None if value is None else np.asarray(value).copy()
            if array is not None and isinstance(declared, Count):
                array = array.astype(declared.dtype(param.dtype))
            if array is not None and (fault := declared.fault(param, array)):
                raise ValueError(f"state {key!r} of {name!r} is {fault}")
            copies[key] = array
        return copies

    def checked(self, grads):
        for name, grad in grads.items():
            if name not in self.params:
                raise KeyError(f"gradient for unknown parameter {name!r}; there are {list(self.params)}")
            if grad is None:
                continue
            check_array(name, grad.values if isinstance(grad, Sparse) else grad)
            self.of(name).check_layout(grad)
            param = self.params[name]
            if grad.shape != param.shape or grad.dtype != param.dtype:
                raise ValueError(
                    f"gradient of {name!r} is {grad.dtype}{list(grad.shape)}, "
                    f"the parameter is {param.dtype}{list(param.shape)}"
                )
        return grads

    def check_layout(self, grad) -> None:
        """Refuse a gradient that PyTorch has no step for, in its words."""
        if isinstance(grad, Sparse) and not self.SPARSE:
            raise RuntimeError(self.REFUSED.format(type(self).__name__))
        if not isinstance(grad, Sparse) and self.SPARSE == "alone":
            raise RuntimeError(f"{type(self).__name__} does not support dense gradients, please consider Adam instead")


def groups_of(params: Any) -> list[Mapping[str, Any]]:
    """The groups that are given, or the one of all that is given."""
    if isinstance(params, list | tuple) and params and isinstance(params[0], Mapping):
        return list(params)
    params = named(params)
    return [{"params": params}] if params else []


def named(tensors: Any, names: Sequence[str] = (), start: int = 0) -> dict[str, Any]:
    """`tensors` by name; where they have none, by `names`, and past those by PyTorch's positions, from `start` on."""
    if isinstance(tensors, Mapping):
        return dict(tensors)
    listed: list[Any] = [tensors] if isinstance(tensors, np.ndarray | Sparse) else list(tensors)
    if listed and all(isinstance(tensor, tuple) for tensor in listed):
        return dict(listed)
    positions = map(str, range(start + len(names), start + len(listed)))
    return dict(zip([*names, *positions], listed, strict=False))


def place_of(param: Annotated[np.ndarray, "*shape"]) -> tuple[Any, ...]:
    """Where an array lies in memory, and how."""
    return param.__array_interface__["data"][0], param.shape, param.strides


def python_number(value) -> Any:
    if isinstance(value, tuple | list):
        return tuple(python_number(part) for part in value)
    return value.item() if isinstance(value, np.generic) else value


def check_array(name: str, array) -> None:
    if not isinstance(array, np.ndarray) or not is_float(array) or array.dtype.itemsize > np.dtype(float).itemsize:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"{name!r} must be a NumPy array of float32, float64, float16 or bfloat16, not {kind}")


def blocks(arrays: Mapping[str, Annotated[np.ndarray, "*shape"]], length: int) -> list[Mapping[str, np.ndarray]]:
    """Stretches of the arrays, side by side, sharing their memory; all of them where they are not dense alike."""
    size = arrays["param"].size
    if size > length and all(array.flags.c_contiguous for array in arrays.values()):
        flat = {name: array.reshape(-1) for name, array in arrays.items()}
    elif size > length and all(array.flags.f_contiguous for array in arrays.values()):
        flat = {name: array.T.reshape(-1) for name, array in arrays.items()}
    else:
        return [arrays]
    starts = range(0, size, length)
    return [{name: array[start : start + length] for name, array in flat.items()} for start in starts]


def check_hyperparameter(valid: bool, message: str) -> None:
    """Refuse a hyperparameter with PyTorch's wording."""
    if not valid:
        raise ValueError(message)


def check_numbers(**hyperparameters) -> None:
    """Refuse a hyperparameter that is no number, before it is compared with one."""
    for name, value in hyperparameters.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
            raise TypeError(f"{name} must be a number, not {value!r}")
