"""How much a search may try. Steps of the formula are counted, so that it ends at the same place on every machine."""

import contextlib
from collections.abc import Generator

BOUNDED = 40  # what a step on numbers that carry their error costs, beside a call line by line
PLAIN = 8  # the same of a step on plain numbers


class Exhausted(Exception):
    """A search has tried as much as it may."""


class Effort:
    """What a search may still spend."""

    def __init__(self, left: int):
        self.left = left
        self.cut = False


RUNNING: list[Effort] = []


@contextlib.contextmanager
def limited(effort: Effort) -> Generator[None]:
    """Count what is spent within, and end it quietly where there is nothing left."""
    RUNNING.append(effort)
    try:
        yield
    except Exhausted:
        effort.cut = True
    finally:
        RUNNING.pop()


def spend(amount: int) -> None:
    """Count so much.

    Raises:
        Exhausted: where a search has spent what it may.
    """
    if RUNNING:
        RUNNING[-1].left -= amount
        if RUNNING[-1].left < 0:
            raise Exhausted
