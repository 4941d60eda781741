"""Records what the reference does, right or with causes planted, in the scenarios of the catalogue."""

import inspect
from typing import Any

import numpy as np

from lockstep.causes import Cause, Scenario, plant, scenarios
from lockstep.recordings.recording import Pass, Recording, Step
from lockstep.subjects.families.layers import drawing
from lockstep.subjects.registry import asked, find
from lockstep.subjects.subject import Subject


def recordings(
    path: str, planted: list[Cause], dtype: str, only: list[Scenario] | None = None, seed: int = 0
) -> list[Recording]:
    """One of each scenario of the catalogue, with these causes in the reference."""
    subject = find(path)
    with np.errstate(all="ignore"):  # a wrong formula may divide by zero
        return [record(subject, planted, scenario, dtype, seed) for scenario in only or scenarios(path)]


def record(subject: Subject, planted: list[Cause], scenario: Scenario, dtype: str, seed: int = 0) -> Recording:
    case: Any = scenario.case
    base = subject.ours(case)
    pair = asked(subject, case, dtype, seed=seed).pair(plant(subject, planted, base))
    side: Any = pair.ours()
    steps = (passes if hasattr(case, "layer") else updates)(side, case)
    return Recording(
        subject=subject.path,
        layer=getattr(case, "layer", ""),
        scenario=scenario.name,
        why=scenario.why,
        dtype=dtype,
        hyperparameters=defaults(base) | case.hyperparameters,
        given=tuple(case.hyperparameters),
        steps=steps,
    )


def defaults(kind) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    known = {one.name: one.default for one in parameters if one.default is not one.empty}
    return {name: value for name, value in known.items() if name not in ("generator", "dtype")}


def updates(side, case) -> list[Step]:
    steps = []
    for number in range(1, case.steps + 1):
        before = {name: array.copy() for name, array in side.optimizer.params.items()}
        for stage in side.stages:
            side.advance(stage, number)
        state: dict[str, dict[str, np.ndarray]] = {}
        for name, entries in side.optimizer.state.items():
            for key, array in entries.items():
                if array is not None and key != "step":
                    state.setdefault(key, {})[name] = np.array(array)
        after = {name: array.copy() for name, array in side.optimizer.params.items()}
        grads = {name: None if grad is None else grad.copy() for name, grad in side.grads.items()}
        steps.append(Step(dict(side.optimizer.hyperparameters), grads, before, after, state))
    return steps


def passes(side, case) -> list[Pass]:
    steps, layer = [], side.layer
    for number in range(1, case.steps + 1):
        before = {name: np.array(array) for name, array in layer.buffers.items()}
        side.advance("pass", number)
        rng = drawing(side.seed, number)
        inputs = case.inputs(rng, number, side.dtype)
        steps.append(
            Pass(
                training=case.training(number),
                inputs=inputs,
                upstream=case.upstream(rng, side.output.shape, side.dtype),
                output=side.output,
                grad_input=side.grad_input,
                params={name: array.copy() for name, array in layer.params.items()},
                grads=dict(layer.grads),
                buffers_before=before,
                buffers={name: np.array(array) for name, array in layer.buffers.items()},
            )
        )
    return steps
