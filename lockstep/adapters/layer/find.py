"""Finds parameters and running statistics by what they are: what changing them does to the output."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.adapters.layer.names import Place

Role = tuple[str, ...]  # what a change does to the output in training and in evaluation: "nothing", "shift" or "scale"
Runs = Callable[[Any, bool], np.ndarray]  # a layer, whether it trains, to its output for one input


def role_of(layer: Any, at: Callable[[Any], Place], runs: Runs, modes: tuple[bool, ...]) -> Role:
    """What a change of the array at a place of `layer` does to its output, in each mode."""
    return tuple(effect(layer, at, runs, training) for training in modes)


def effect(layer: Any, at: Callable[[Any], Place], runs: Runs, training: bool) -> str:
    """Nothing, a shift that is one for the whole batch, or a change that depends on the input."""
    before = runs(copy.deepcopy(layer), training)
    changed = copy.deepcopy(layer)
    place = at(changed)
    value = np.asarray(place.get())
    place.put(value + np.linspace(0.25, 0.5, value.size, dtype=value.dtype).reshape(value.shape))
    apart = runs(changed, training) - before
    if not np.any(apart):
        return "nothing"
    spread = np.max(np.abs(apart - apart[:1]))  # a hint is all that comes of it
    return "shift" if spread <= np.sqrt(np.finfo(apart.dtype).eps) * np.max(np.abs(apart)) else "scale"


def held(layer: Any, path: tuple[str, ...]) -> Place:
    """The place at a path of attributes or keys."""
    holder = layer
    for name in path[:-1]:
        holder = holder[name] if isinstance(holder, Mapping) else getattr(holder, name)
    return Place(holder, path[-1])


def arrays_in(layer: Any) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """The arrays of floats that an object holds, itself or in dicts, by their paths."""
    for name, value in vars(layer).items() if hasattr(layer, "__dict__") else ():
        inside = value.items() if isinstance(value, dict) else ()
        for path, array in (((name,), value), *(((name, key), one) for key, one in inside if isinstance(key, str))):
            if isinstance(array, np.ndarray) and array.dtype.kind == "f":
                yield path, array


def fits(array: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether it may stand for an array of that shape: with axes of one more, or turned."""
    plain = tuple(size for size in array.shape if size > 1)
    wanted = tuple(size for size in shape if size > 1)
    return array.size > 0 and plain in (wanted, wanted[::-1])


def by_role(
    layer: Any, wanted: Mapping[str, tuple[tuple[int, ...], Role]], taken: set[tuple[str, ...]], runs: Runs, modes
) -> dict[str, list[tuple[str, ...]]]:
    """The paths of the arrays that have the shape and the role of each of these; perhaps several, perhaps none."""
    shapes = [shape for shape, _ in wanted.values()]
    free = [path for path, array in arrays_in(layer) if path not in taken and any(fits(array, one) for one in shapes)]
    roles: dict[tuple[str, ...], Role] = {}
    for path in free:
        try:
            roles[path] = role_of(layer, lambda made, path=path: held(made, path), runs, modes)
        except Exception:  # whatever their code makes of a changed array: it is not what is looked for
            continue
    size = {path: array for path, array in arrays_in(layer) if path in roles}
    return {
        key: [path for path, role in roles.items() if role == wanted_role and fits(size[path], shape)]
        for key, (shape, wanted_role) in wanted.items()
    }
