"""Finds parameters and running statistics by what they are: what changing them does to the output."""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.adapters.adapter import CannotCheck
from lockstep.adapters.layer.adapter import LayerAdapter
from lockstep.adapters.layer.layout import PYTORCHS, Layout
from lockstep.adapters.layer.names import Place
from lockstep.adapters.making import Maker
from lockstep.numerics.shapes import Array, Inputs
from lockstep.text import Message, message

Role = tuple[str, ...]  # what a change does to the output in training and in evaluation: "nothing", "shift" or "scale"
Runs = Callable[[Any, bool], np.ndarray]  # a layer, whether it trains, to its output for one input


class FoundLayer(LayerAdapter):
    """Somebody's layer, whose parameters and statistics are found by their names, or by what they do.

    Arguments:
        maker: makes the instance. layout: what of its layout is not PyTorch's. roles: what changing a parameter or a
            buffer does to PyTorch's output. paths: PyTorch's name, or that and ".grad", to the attributes and keys that
            hold it, as far as that is known.
    """

    shape: Message

    def __init__(
        self,
        maker: Maker,
        layout: Layout = PYTORCHS,
        roles: Mapping[str, Role] | None = None,
        paths: Mapping[str, tuple[str, ...]] | None = None,
    ):
        self.maker, self.layout, self.roles = maker, layout, dict(roles or {})
        self.paths: dict[str, tuple[str, ...]] = dict(paths or {})
        self.words = layout.described(self.shape)


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


def fits(array: Array, shape: tuple[int, ...]) -> bool:
    """Whether it may stand for an array of that shape: with axes of one more, or turned."""
    plain = tuple(size for size in array.shape if size > 1)
    wanted = tuple(size for size in shape if size > 1)
    return array.size > 0 and plain in (wanted, wanted[::-1])


def by_role(
    layer: Any,
    free: Mapping[tuple[str, ...], Array],
    at: Callable[[Any, tuple[str, ...]], Any],
    wanted: Mapping[str, tuple[tuple[int, ...], Role]],
    runs: Runs,
    modes: tuple[bool, ...],
) -> dict[str, list[tuple[str, ...]]]:
    """The paths of the free arrays that have the shape and the role of each of these; perhaps several, perhaps none."""
    shapes = [shape for shape, _ in wanted.values()]
    roles: dict[tuple[str, ...], Role] = {}
    for path in (path for path, array in free.items() if any(fits(array, one) for one in shapes)):
        try:
            roles[path] = role_of(layer, lambda made, path=path: at(made, path), runs, modes)
        except Exception:  # whatever their code makes of a changed array: it is not what is looked for
            continue
    return {
        key: [path for path, role in roles.items() if role == wanted_role and fits(free[path], shape)]
        for key, (shape, wanted_role) in wanted.items()
    }


def only_one(found: Mapping[str, list[tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """The path of each that was found.

    Raises:
        CannotCheck: where several arrays may be one, or one several.
    """
    claimed = Counter(path for paths in found.values() for path in paths)
    unsure = {key: paths for key, paths in found.items() if len(paths) > 1 or any(claimed[path] > 1 for path in paths)}
    if unsure:
        asked = ",".join(f"{key}={'|'.join('.'.join(path) for path in paths)}" for key, paths in unsure.items())
        raise CannotCheck(message("recognise.several", keys=", ".join(unsure), asked=asked))
    return {key: paths[0] for key, paths in found.items() if paths}


def plain_like(x: Inputs) -> np.ndarray:
    """An input of that shape that hides no role: what is far out does."""
    return np.random.default_rng(0).standard_normal(x.shape).astype(x.dtype)
