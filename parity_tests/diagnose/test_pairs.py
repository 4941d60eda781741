"""Pairs of causes that are tried a row each are those that are found one after the other, and the other way round."""

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

from lockstep.causes import causes
from lockstep.diagnose.by_line import pairs
from lockstep.diagnose.by_line.lines import Quick
from lockstep.diagnose.by_line.mutation import mutants
from parity_tests.support.reference_recordings import recordings

pytestmark = pytest.mark.slow


class Planted(NamedTuple):
    """Two causes of a subject, and the line that neither explains alone. hidden: whether its state cannot be seen."""

    subject: str
    two: tuple[str, str]
    line: str
    hidden: bool = False


ADAM = Planted("optim.adam", ("eps-inside-sqrt", "bias-correction-multiplied"), "param")
EVERY = {
    "an optimizer": ADAM,
    "an optimizer whose state is not seen": ADAM._replace(hidden=True),
    "the way back of a layer": Planted(
        "layers.batchnorm", ("gamma-missing-on-the-way-back", "backward-term-twice (of the variance)"), "dx"
    ),
}


def found(planted: Planted) -> set[tuple[str, str]]:
    """The pairs that make of it what the two causes make of it."""
    known = {cause.name: cause for cause in causes(planted.subject) if cause.edits_lines and not cause.behaviour}
    recording = recordings(planted.subject, [known[name] for name in planted.two], "float64")[0]
    if planted.hidden:
        steps = [dataclasses.replace(step, state={}) for step in recording.steps]
        recording = dataclasses.replace(recording, steps=steps)
    script, trail = Quick([recording]).of(recording) or pytest.fail("it has no lines")
    every = mutants(script, trail, planted.subject, recording.layer)
    variants = [*known.values(), *(slip for slip in every if slip.kind in ("sign", "left-out"))]
    first_off = len(trail.calls) - 1 if planted.hidden else 0
    with np.errstate(all="ignore"):
        looked = pairs.Pairs(script, trail, planted.line, (), variants, first_off)
        return {(variants[a].name, variants[b].name) for a, b in looked.near()}


def one_by_one(self, first, seconds):
    return set(), list(seconds)


@pytest.mark.parametrize("name", EVERY)
def test_in_rows_as_one_by_one(monkeypatch, name):
    in_rows = found(EVERY[name])
    assert set(EVERY[name].two) in map(set, in_rows)
    monkeypatch.setattr(pairs.Pairs, "in_rows", one_by_one)
    assert found(EVERY[name]) == in_rows


@pytest.mark.parametrize(
    "spoilt",
    [lambda numbers, codes: 0 * RIGHT(numbers, codes), lambda numbers, codes: RIGHT(numbers, codes)[::-1]],
    ids=["nothing in the rows", "the rows of others"],
)
def test_wrong_rows_are_noticed(monkeypatch, spoilt):
    right = found(ADAM)
    monkeypatch.setattr(pairs, "in_rows", spoilt)
    assert found(ADAM) != right


RIGHT = pairs.in_rows
