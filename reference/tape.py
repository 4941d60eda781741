"""A formula read once and replayed on block after block, in memory that is used again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Operation(NamedTuple):
    """A NumPy function of what is in some places, and the place of its result."""

    function: Callable[..., Any]
    inputs: list[int]
    output: int


def select(condition, yes, no, out) -> None:
    """numpy.where into memory that may be that of one of its arguments; a condition is noted as 1 or 0."""
    out[...] = np.where(condition, yes, no)


class Line(NDArrayOperatorsMixin):
    """Stands for an array while a formula is read, and notes what is done with it."""

    def __init__(self, tape: "Tape", place: int):
        self.tape, self.place = tape, place

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return NotImplemented if method != "__call__" or options else self.tape.note(ufunc, inputs)

    def __array_function__(self, function, types, inputs, options):
        if function is np.where and len(inputs) == 3 and not options:
            return self.tape.note(select, inputs)
        return NotImplemented  # what is no elementwise function looks into its arguments, and there is nothing yet

    def __pow__(self, exponent):
        square = isinstance(exponent, float | int) and exponent == 2  # as an array's own operator has it
        return self.tape.note(np.square, [self]) if square else self.tape.note(np.power, [self, exponent])


class Tape:
    """The operations of a formula on one-dimensional arrays, each of them NumPy's, in the formula's order.

    Replayed, they round as they do in the formula. Only where they write differs: into a few buffers,
    each used again as soon as nothing reads it any more, and a result straight into the array that
    takes it, once nothing reads that either. What the formula makes of numbers alone is in `lines`.

    Arguments:
        formula: straight-line operators and NumPy functions of arrays; returns a NamedTuple of lines.
        names: its arguments that are arrays.
        constants: its other arguments.
        taken: name of an array to the line it takes; the formula need not read that array.
        length, dtype: of a block.

    Raises:
        TypeError: for a formula that does more with arrays than call NumPy's elementwise functions.
    """

    def __init__(
        self,
        formula: Callable[..., Any],
        names: Sequence[str],
        constants: Mapping[str, Any],
        taken: Mapping[str, str],
        length: int,
        dtype,
    ):
        self.arrays = [*names, *(name for name in taken if name not in names)]
        self.length = length
        self.memory: list[Any] = [None] * len(self.arrays)  # by place: the arrays', then a number or a buffer each
        self.noted: list[Operation] = []
        self.lines = formula(**{name: Line(self, place) for place, name in enumerate(names)}, **constants)
        results = {self.arrays.index(name): getattr(self.lines, line).place for name, line in taken.items()}
        self.operations = self.planned(results)
        for place in {operation.output for operation in self.operations}.difference(range(len(self.arrays))):
            self.memory[place] = np.empty(length, dtype)

    def place(self, value=None) -> int:
        self.memory.append(value)
        return len(self.memory) - 1

    def note(self, function: Callable[..., Any], inputs) -> Line:
        if function is np.multiply and any(type(x) in (float, int) and x == 1 for x in inputs):
            return next(x for x in inputs if isinstance(x, Line))  # not a bit changes
        places = [x.place if isinstance(x, Line) else self.place(x) for x in inputs]
        self.noted.append(Operation(function, places, self.place()))
        return Line(self, self.noted[-1].output)

    def planned(self, taken: dict[int, int]) -> list[Operation]:
        """The noted operations, each with its result in the array that takes it or in a place free by then."""
        results = {operation.output for operation in self.noted}
        last = {place: index for index, operation in enumerate(self.noted) for place in operation.inputs}
        last |= dict.fromkeys(taken.values(), len(self.noted))
        place_of = list(range(len(self.memory)))  # where what was noted for a place is to be found
        free: list[int] = []
        operations = []
        for index, (function, inputs, output) in enumerate(self.noted):
            sources = [place_of[place] for place in inputs]
            free += [place_of[place] for place in results.intersection(inputs) if last[place] == index]
            takers = [array for array, place in taken.items() if place == output and last.get(array, -1) <= index]
            place_of[output] = takers[0] if takers else free.pop() if free else output
            operations.append(Operation(function, sources, place_of[output]))
        copies = {array: place for array, place in taken.items() if place_of[place] != array}
        # What an input is copied to before anything is overwritten; nothing may read that array then.
        early = [array for array, place in copies.items() if place not in results and array not in last]
        late = [array for array in copies if array not in early]
        before, after = ([Operation(np.positive, [place_of[taken[a]]], a) for a in group] for group in (early, late))
        return [*before, *operations, *after]

    def replay(self, block: Mapping[str, Annotated[np.ndarray, "n"]]) -> None:
        """Each array of `block`, by name, takes its line."""
        arrays = [block[name] for name in self.arrays]
        memory = self.memory[len(arrays) :]
        if len(arrays[0]) < self.length:
            memory = [x[: len(arrays[0])] if isinstance(x, np.ndarray) else x for x in memory]
        memory = [*arrays, *memory]
        for function, inputs, output in self.operations:
            function(*[memory[place] for place in inputs], out=memory[output])
