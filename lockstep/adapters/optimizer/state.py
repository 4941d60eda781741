"""Finds an optimizer's state under the names people give it, by the shapes it has to have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lockstep.subjects.families.optim import entries_of

FIRST = ("exp_avg", "m", "ms", "mu", "moments1", "mean", "means", "first_moment", "moment1", "momentums", "s")
SECOND = (
    "exp_avg_sq",
    "v",
    "vs",
    "nu",
    "moments2",
    "var",
    "vars",
    "second_moment",
    "moment2",
    "velocity",
    "velocities",
    "cache",
    "r",
    "s",
)
SQUARES = (
    "square_avg",
    "v",
    "vs",
    "s",
    "cache",
    "nu",
    "r",
    "eg2",
    "avg_sq_grad",
    "grad_squared",
    "sq",
    "h",
    "ms",
    "mean_square",
    "var",
    "rms",
    "velocity",
    "velocities",
)
SUM = (
    "sum",
    "cache",
    "g",
    "h",
    "accumulator",
    "accumulators",
    "moment",
    "acc",
    "v",
    "s",
    "grad_squared",
    "sum_sq",
    "sum_of_squares",
    "r",
)
BUFFER = (
    "momentum_buffer",
    "velocity",
    "velocities",
    "v",
    "vs",
    "buf",
    "bufs",
    "momentum_buffers",
    "m",
    "mom",
    "moments",
    "trace",
    "momentums",
    "update",
)
NAMES = {
    "exp_avg": FIRST,
    "exp_avg_sq": SECOND,
    "max_exp_avg_sq": ("max_exp_avg_sq", "v_max", "vmax", "v_hat_max"),
    "square_avg": SQUARES,
    "grad_avg": ("grad_avg", "mg", "g_avg", "mean_grad", "eg"),
    "momentum_buffer": BUFFER,
    "sum": SUM,
}


def names_of(subject: str, there: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """PyTorch's key of each entry of a subject's state to the names it goes by; counts are none of them.

    A key that several subjects have goes by the same names in each; one that nobody else has, by its own. Where the
    names that are there are v and s, as in courses, the first moment is v.
    """
    known = {key: NAMES.get(key, (key,)) for key, entry in entries_of(subject).items() if entry.kind != "count"}
    plain = {name.strip("_").lower() for name in there}
    moments = {"v", "s"} <= plain and not plain & set(FIRST[:-1]) and {"exp_avg", "exp_avg_sq"} <= known.keys()
    return known | {"exp_avg": ("v",), "exp_avg_sq": ("s",)} if moments else known


def find_state(
    subject: str, holder: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[str, Any]]:
    """PyTorch's key to (their name, name of tensor to array), where one array for each tensor is found.

    Arguments:
        subject: whose state.
        holder: their names to what they hold: arrays by tensor, by position, or one array.
        shapes: tensor name to shape of the parameter.
    """
    plain = {name.strip("_").lower(): name for name in holder}
    by_key: dict[str, tuple[str, Any]] = {}
    declared = entries_of(subject)
    for key, others in names_of(subject, plain).items():
        wanted = {tensor: declared[key].shape(shape) for tensor, shape in shapes.items()}
        for other in others:
            name = plain.get(other)
            arrays = by_tensor(holder[name], wanted) if name is not None else None
            if arrays and name is not None:
                by_key[key] = name, arrays
                del plain[other]
                break
    return by_key


def by_tensor(value: Any, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray] | None:
    """Arrays of these shapes for some or all of the tensors, or None where this is no such thing."""
    if isinstance(value, Mapping):
        own = {name: next((key for key in (name, f"d{name}") if key in value), None) for name in shapes}
        arrays = {name: value[key] for name, key in own.items() if key is not None}
    elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) == len(shapes):
        arrays = dict(zip(shapes, value, strict=True))
    elif len(shapes) == 1:
        arrays = {next(iter(shapes)): value}
    else:
        return None
    kept = {name: as_array(array) for name, array in arrays.items()}
    good = {name: a for name, a in kept.items() if a is not None and a.shape == shapes[name] and a.dtype.kind == "f"}
    return good if good and len(good) == len(arrays) else None


def as_array(value: Any) -> np.ndarray | None:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.floating) or hasattr(value, "__array__"):
        return np.asarray(value)
    return None
