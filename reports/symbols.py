"""The symbols of a formula, and the names in code that mean the same: what lights up together on a page."""

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from lockstep.subjects.registry import families
from reports.formula import Shape, shape_of


class Symbol(NamedTuple):
    """name: in code. latex: in the formula. state: under which key PyTorch keeps it, or nothing."""

    name: str
    latex: str
    state: str = ""


class Symbols:
    """The symbols of a subject, in the order of its formula."""

    def __init__(self, symbols: list[Symbol]):
        self.symbols = symbols

    @functools.cached_property
    def names(self) -> set[str]:
        return {symbol.name for symbol in self.symbols}

    @functools.cached_property
    def of_formula(self) -> dict[Shape, str]:
        """The shape of a piece of a formula to the symbol it is."""
        names: dict[Shape, str] = {}
        for symbol in self.symbols:
            for latex in {symbol.latex, before(symbol.latex) if symbol.name == "param" else symbol.latex}:
                names.setdefault(shape_of(latex), symbol.name)
        return names

    def of_name(self, name: str) -> str | None:
        """The symbol that a name in code stands for."""
        return name if name in self.names else None

    def used(self, texts: list[str]) -> list[Symbol]:
        """Those that some code names."""
        words = set(re.findall(r"\w+", " ".join(texts)))
        return [symbol for symbol in self.symbols if symbol.name in words]


def before(latex: str) -> str:
    """A symbol of the step before: m_{t-1} of m_t."""
    return re.sub(r"_t\b", "_{t-1}", latex)


def symbols(family: str, equations: Mapping[str, str], state: Mapping[str, str], stage: str = "") -> Symbols:
    """The symbols of a subject.

    Arguments:
        family: of the subject. stage: of its step, where it is that stage's formula.
        equations: line to LaTeX, in formula order; what stands left of a line's first = is its symbol.
        state: PyTorch's key to the line that becomes it.
    """
    known = families()
    hyperparameters = known[family].symbols_at(stage) if family in known else {}
    keys = {line: key for key, line in state.items()}
    lines = [Symbol(name, left(latex), keys.get(name, "")) for name, latex in equations.items()]
    states = [Symbol(key, before(left(equations[line]))) for key, line in state.items() if line in equations]
    numbers = [Symbol(name, latex) for name, latex in hyperparameters.items()]
    taken = {symbol.latex for symbol in lines}
    return Symbols([*lines, *states, *(one for one in numbers if one.latex not in taken and one.name not in equations)])


def left(latex: str) -> str:
    """What an equation is about."""
    return re.split(r"=|\\leftarrow|\\sim", latex, maxsplit=1)[0].strip()
