"""Dicts in which parameters are called W1, b1, W2, … and their gradients dW1, db1, …, as courses call them."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lockstep.adapters.adapter import Adapter, NotTaken
from lockstep.adapters.code import Words
from lockstep.adapters.optimizer.filling import filled, seen, without_copies
from lockstep.text import message

PAIRS = (("W", "b"), ("w", "b"), ("weights", "biases"), ("weights", "bias"), ("weight", "bias"))
SLOPES = ("d{0}", "grad_{0}", "{0}_grad", "grad{0}", "d_{0}", "{0}")


class Keys(NamedTuple):
    """How parameters and gradients are called.

    pair: of a weight and its bias. slope: of the gradient of each. first: the number of the first pair, None where
    there is no number. capacity: how many pairs the code knows by name; None where it goes through all there are.
    """

    pair: tuple[str, str]
    slope: str
    first: int | None = 1
    capacity: int | None = None

    def names(self, count: int) -> list[str]:
        """Of so many parameters."""
        numbers = range(self.first, self.first + count // 2) if self.first is not None else [""]
        return [f"{part}{number}" for number in numbers for part in self.pair]

    def words(self) -> str:
        """As it is printed."""
        first = self.names(2)
        return ", ".join([*first, *(self.slope.format(name) for name in first)])


def keys_of(words: Words) -> Iterator[Keys]:
    """The ways of calling them that code of these words may expect."""
    plain = {text: re.fullmatch(r"(.*?)(\d*)", text) for text in words.texts if text.replace("_", "").isalnum()}
    parts = {match[1] for match in plain.values() if match}
    numbers = [int(match[2]) for match in plain.values() if match and match[1] and match[2]]
    if not parts & (
        {"d", "grad_", "_grad", "d_"} | {form.format(name) for pair in PAIRS for name in pair for form in SLOPES}
    ):
        return
    known = [pair for pair in PAIRS if any(form.format(pair[0]) in parts for form in SLOPES)] or list(PAIRS[:1])
    for pair in known:
        hits = [form for form in SLOPES if form != "{0}" and form.format(pair[0]) in parts]
        for slope in hits or ["d{0}", "{0}"]:
            if numbers:
                yield Keys(pair, slope, min(numbers), max(numbers) - min(numbers) + 1)
                continue
            yield Keys(pair, slope)
            yield Keys(pair, slope, first=0)
            yield Keys(pair, slope, first=None, capacity=1)


class Numbered(Adapter):
    """Around adapters that are handed dicts: one for all parameters, or one for as many as the code knows by name.

    Arguments:
        make: such an adapter. keys: how parameters and gradients are called.
    """

    def __init__(self, make: Callable[[], Adapter], keys: Keys):
        self.make, self.keys = make, keys
        self.words = message("shape.numbered", shape=make().words, keys=keys.words())

    def start(self, params, **hyperparameters):
        whole = filled(params, 2 * (self.keys.capacity or 1))
        size = 2 * self.keys.capacity if self.keys.capacity else len(whole)
        names = [*whole]
        self.groups: list[tuple[Adapter, dict[str, str]]] = []
        for place in range(0, len(names), size):
            group = dict(zip(names[place : place + size], self.keys.names(size), strict=True))
            inner = self.make()
            inner.start({own: whole[name] for name, own in group.items()}, **hyperparameters)
            self.groups.append((inner, group))

    def step(self, grads):
        if any(grad is None for grad in grads.values()):
            raise NotTaken(message("reason.numbered-gradients"))
        whole = filled(grads, 2 * (self.keys.capacity or 1))
        for inner, group in self.groups:
            inner.step({self.keys.slope.format(own): whole[name] for name, own in group.items()})

    def read(self):
        whole = {}
        for inner, group in self.groups:
            held = inner.read()
            whole |= {name: held[own] for name, own in group.items()}
        return seen(whole)

    def state(self):
        by_key: dict = {}
        self.names = {}
        for inner, group in self.groups:
            for key, arrays in inner.state().items():
                by_key.setdefault(key, {}).update({name: arrays[own] for name, own in group.items() if own in arrays})
            self.names |= getattr(inner, "names", {})
        return without_copies(by_key)

    def set(self, name, value):
        for inner, _ in self.groups:
            inner.set(name, value)
