"""Parameters that come out wider than they went in: rounded back, said, and the line of their code that widens."""

import inspect
import pathlib
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from lockstep.adapters.adapter import Adapter
from lockstep.adapters.optimizer.recognise import Recognised
from lockstep.numerics.shapes import Array


def rounded_back(adapter: Adapter, like: Mapping[str, Array]) -> dict[str, str]:
    """Put parameters that became wider back into the format that they had, where they are handed over again.

    Returns:
        "param" to the dtype that they came out in; nothing where none did.
    """
    held = getattr(adapter, "params", None)
    if not isinstance(held, dict):
        return {}
    params = cast("dict[str, Any]", held)
    arrays = {name: np.asarray(kept) for name, kept in params.items() if is_numpys(kept)}
    wider = {name: array for name, array in arrays.items() if widens(array, like[name])}
    params |= {name: array.astype(like[name].dtype) for name, array in wider.items()}
    return {"param": next(iter(wider.values())).dtype.name} if wider else {}


def is_numpys(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.floating)


def widens(array: Array, given: Array) -> bool:
    """Whether it holds floats of more bits than what was given."""
    return array.dtype.kind == given.dtype.kind == "f" and array.dtype.itemsize > given.dtype.itemsize


class WatchedArray(np.ndarray):
    """An array that remembers the first line by which arrays of its dtype became wider."""

    lines: list[str]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **others: Any) -> Any:
        into = {"out": tuple(map(plain, out))} if out else {}
        made: Any = getattr(ufunc, method)(*map(plain, inputs), **into, **others)
        if out:
            return out[0]
        floats: np.ndarray = np.asarray(made)
        if not isinstance(made, np.ndarray) or floats.dtype.kind != "f":
            return cast(Any, made)
        if widens(floats, self):
            frame = inspect.stack(0)[1]
            self.lines.append(f"{pathlib.Path(frame.filename).name}:{frame.lineno}")
        return watched(floats, self.lines)


def plain(array: Any) -> Any:
    return array.view(np.ndarray) if isinstance(array, WatchedArray) else array


def watched(array: Array, lines: list[str]) -> WatchedArray:
    """The array as one that writes into these lines."""
    view = array.view(WatchedArray)
    view.lines = lines
    return view


def line_of(found: Recognised, told: Mapping[str, Any]) -> str:
    """Where in its code float64 comes from float32, as file:line; nothing where that cannot be seen."""
    lines: list[str] = []
    start = np.linspace(1, 2, 6, dtype=np.float32)
    adapter = found.make()
    try:
        adapter.start({"weight": watched(start.copy(), lines)}, **told)
        adapter.step({"weight": watched(start.copy(), lines)})
    except Exception:  # it takes no such array; what it does was judged without
        return ""
    return lines[0] if lines else ""
