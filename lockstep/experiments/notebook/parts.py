"""The runs that the notebook's record is put together from: each by itself, with what the notebook shows of it."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.cases.layers import LayerCase
from lockstep.cases.notebook import ADAM_STEPS, TUNING_LR, TUNING_STEPS
from lockstep.engine.run import Run, run
from lockstep.numerics.shapes import Outputs
from lockstep.records.kinds.run import RunRecord
from lockstep.subjects.registry import find

SIDES = ("ours", "theirs")


def part(arguments: tuple[str, Mapping[str, Any], str]) -> RunRecord:
    """The record of a run, with what the notebook shows of its trained sides.

    Arguments:
        arguments: its name in the notebook's plan, the arguments of `lockstep.run`, and the path of the optimizer that
            goes on where the run stopped, or nothing.
    """
    name, settings, after = arguments
    return kept(name, run(**settings), after)


def kept(name: str, ran: Run, after: str = "") -> RunRecord:
    """What is kept of a run: its record, and as `nb/…` what the notebook shows of it."""
    arrays = {**ran.record.arrays, **dict(shown(name, ran, after))}
    return dataclasses.replace(ran.record, arrays=arrays)


def shown(name: str, ran: Run, after: str) -> Iterator[tuple[str, np.ndarray]]:
    """What the notebook shows of a run, on both sides: losses on the way, weights, what is read right, outputs."""
    for side in SIDES:
        made: Any = ran.outcome.sides[side]
        path = ran.outcome.traces.get(f"path/{side}")
        if isinstance(ran.request.case, LayerCase):
            yield f"nb/output/{side}", made.read()["output"]["output"].T.copy()
        elif path is not None:
            places = path if name.startswith("optim/") else path[-1:]
            yield f"nb/loss/{side}", np.array([float(made.value({"theta": place})) for place in places])
        elif made.data.t.ndim == 2:
            yield f"nb/W1/{side}", made.model.params["linear1.weight"].copy()
            yield from ((f"nb/{what}/{side}", values) for what, values in losses(made)._asdict().items())
        else:
            yield f"nb/right/{side}", right(made)
            if after:
                yield f"nb/tuned/{side}", right(tuned(made, side, after))


class Losses(NamedTuple):
    """Of a trained network in evaluation, without penalty, sample by sample: what it learnt from, and fresh ones."""

    seen: np.ndarray
    fresh: np.ndarray


def losses(side: Any) -> Losses:
    data, predict = side.data, side.model.predict
    return Losses(*(cross_entropy(predict(x), t) for x, t in ((data.x, data.t), (data.x_test, data.t_test))))


def right(side: Any) -> np.ndarray:
    """1 for every held-back digit that a trained side reads, else 0."""
    return (side.model.predict(side.data.x_test).argmax(axis=1) == side.data.t_test).astype(np.float64)


def cross_entropy(p: Outputs, t: Outputs) -> np.ndarray:
    """Of each sample, as the notebook has it: clipped at 1e-10."""
    p = np.clip(p, 1e-10, 1 - 1e-10)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).reshape(-1)


def tuned(trained: Any, side: str, after: str) -> Any:
    """A side after another optimizer has gone on from where its own stopped, with the same stream of batches."""
    optimizer = find(after)
    if side == "ours":
        trained.optimizer = optimizer.ours()(trained.model.params, lr=TUNING_LR)
    else:
        trained.optimizer = optimizer.theirs()(trained.model.tensors, lr=TUNING_LR)
    for step in range(ADAM_STEPS + 1, ADAM_STEPS + TUNING_STEPS + 1):
        for stage in trained.stages:
            trained.advance(stage, step)
    return trained
