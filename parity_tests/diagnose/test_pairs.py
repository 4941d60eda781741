"""Pairs of causes that are tried a row each are those that are found one after the other, and the other way round."""

import dataclasses

import numpy as np
import pytest

from lockstep.causes import causes
from lockstep.diagnose.by_line import pairs
from lockstep.diagnose.by_line.lines import Quick, Script
from lockstep.diagnose.by_line.mutation import mutants
from parity_tests.support.reference_recordings import recordings

PLANTED = ("eps-inside-sqrt", "bias-correction-multiplied")


def found(hidden: bool) -> set[tuple[str, str]]:
    """The pairs that make of Adam what two causes in one line after the other make of it."""
    of_adam = {cause.name: cause for cause in causes("optim.adam") if cause.edits_lines and not cause.behaviour}
    recording = recordings("optim.adam", [of_adam[name] for name in PLANTED], "float64")[0]
    if hidden:
        steps = [dataclasses.replace(step, state={}) for step in recording.steps]
        recording = dataclasses.replace(recording, steps=steps)
    script, trail = Quick([recording]).of(recording) or pytest.fail("it has no lines")
    slips = [slip for slip in mutants(script, trail, "optim.adam", "") if slip.kind in ("sign", "left-out", "twice")]
    variants = [*of_adam.values(), *slips]
    with np.errstate(all="ignore"):
        looked = pairs.Pairs(script, trail, "param", (), variants, first_off=len(trail.calls) - 1 if hidden else 0)
        return {(variants[a].name, variants[b].name) for a, b in looked.near()}


@pytest.mark.parametrize("hidden", [False, True])
def test_in_rows_as_one_by_one(monkeypatch, hidden):
    in_rows = found(hidden)
    assert set(PLANTED) in map(set, in_rows)
    tried = []
    monkeypatch.setattr(Script, "takes_each_by_itself", lambda *_: tried.append(1))
    assert found(hidden) == in_rows
    assert tried


@pytest.mark.parametrize(
    "spoilt",
    [lambda self, numbers, codes: 0 * RIGHT(self, numbers, codes), lambda *told: RIGHT(*told)[::-1]],
    ids=["nothing in the rows", "the rows of others"],
)
def test_wrong_rows_are_noticed(monkeypatch, spoilt):
    right = found(hidden=False)
    monkeypatch.setattr(pairs.Pairs, "rows", spoilt)
    assert found(hidden=False) != right


RIGHT = pairs.Pairs.rows
