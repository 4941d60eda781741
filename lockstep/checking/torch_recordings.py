"""Recordings of PyTorch's own optimizers and layers, scenario by scenario."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

from lockstep.adapters.layer.ours import OurLayer
from lockstep.adapters.making import Everything
from lockstep.adapters.names import Names
from lockstep.adapters.optimizer.shapes.tensor_step import Ours
from lockstep.checking.driving.passes import Found, standard_of
from lockstep.checking.driving.passes import drive as drive_layer
from lockstep.checking.driving.steps import drive
from lockstep.checking.driving.trials import Trial, trials
from lockstep.checking.optimizers import check_settings
from lockstep.checking.states import of_pytorch as of_states
from lockstep.errors import NoSuchName
from lockstep.numerics import formats
from lockstep.recordings.recording import Recording
from lockstep.subjects.families.optim import defaults_of
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject
from lockstep.text import message


def of_pytorch(
    path: str,
    hyperparameters: Mapping[str, Any] | None = None,
    *,
    dtype: str = "float64",
    implementation: str | None = None,
    seed: int = 0,
    only: str | None = None,
) -> list[Recording]:
    """What PyTorch does in each scenario of a subject.

    Arguments:
        path: of the subject, "optim.adam".
        hyperparameters: under PyTorch's names, in all scenarios.
        dtype: the name of a format, "float32" for one.
        implementation: "single", "foreach" or "fused"; the subject's first if None.
        seed: of the random numbers.
        only: the name of one scenario.

    Raises:
        ValueError, TypeError: for a subject, a dtype, a scenario or hyperparameters that there are not.
    """
    formats.named(dtype)
    subject = find(path)
    # what is far out is not finite in PyTorch either, and no recording
    known = [trial for trial in trials(subject) if trial.mishap != "tied" and not trial.defaults and not trial.extreme]
    wanted = [trial for trial in known if only is None or trial.name == only]
    if not wanted:
        there = "; ".join(trial.name for trial in known)
        raise NoSuchName(message("error.no-scenario", name=only, known=there))
    make = {"steps": of_optimizer, "passes": of_layer, "states": of_states}[subject.family.recorded]
    settings = dict(hyperparameters or {})
    tried = [trial for trial in wanted if dtype in trial.case.dtypes]
    return [make(subject, trial, settings, dtype, implementation, seed) for trial in tried]


def of_optimizer(
    subject: Subject, trial: Trial, settings: Mapping[str, Any], dtype: str, implementation: str | None, seed: int
) -> Recording:
    standard = defaults_of(subject)
    check_settings(subject, settings, standard)
    hyperparameters = standard | trial.case.hyperparameters | settings
    kind = subject.theirs()
    chosen = functools.partial(kind, path=implementation) if implementation else kind
    adapter = Ours(Everything(chosen), subject.path)  # type: ignore[arg-type]
    steps = drive(adapter, subject, trial, dtype, seed, hyperparameters, hyperparameters)
    return Recording(
        subject=subject.path,
        scenario=trial.name,
        why=trial.scenario.why,
        dtype=dtype,
        hyperparameters=hyperparameters,
        given=tuple(hyperparameters),
        steps=steps,
        source=f"torch.optim.{kind.__name__}" + (f", {implementation}" if implementation else ""),
    )


def of_layer(
    subject: Subject, trial: Trial, settings: Mapping[str, Any], dtype: str, implementation: str | None, seed: int
) -> Recording:
    if implementation is not None:
        raise NoSuchName(message("error.no-path", subject=subject.path, path=implementation))
    kind = subject.theirs(trial.case)
    names: Names = {name: name for name in standard_of(subject, trial)}
    make = functools.partial(OurLayer, Everything(kind, holds=False))  # type: ignore[arg-type]
    recording = drive_layer(Found(make, names, {}), subject, trial, settings, dtype, seed).recording
    return dataclasses.replace(recording, source=f"{kind.__name__} of PyTorch")
