"""Averages of weights as sides: the parameters after a step, then their average."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.numerics import formats
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.families.driven.averages import driven
from lockstep.subjects.families.gradients import GradientFamily, stream_of
from lockstep.subjects.side import Bounds
from lockstep.subjects.subject import Subject

DECAYS = ("decay", "beta", "alpha", "momentum", "ema_decay", "rate", "mu", "tau")


class Averages(GradientFamily):
    """What is kept of the parameters along a run."""

    place = 3.5
    watched = ("averaged",)
    symbols = {"decay": r"\beta"}

    def replayed(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Bounds]]:
        """With room for any order in which two numbers can be averaged.

        Three roundings, each of at most what both add up to: a difference that cancels is no larger.
        """
        made = super().replayed(kind, recording, hyperparameters)
        for (count, bounds), step in zip(made, recording.steps, strict=True):
            wider = {}
            for name, exact in bounds["averaged"].items():
                sizes = np.abs(step.after["param"][name]) + np.abs(step.before["averaged"][name])
                room = 3 * formats.of(sizes.dtype).unit * sizes.astype(np.longdouble)
                error = np.where(exact.error > 0, np.maximum(exact.error, room), exact.error)
                wider[name] = exact.like(exact.value, error, exact.sure)
            yield count, bounds | {"averaged": wider}

    def names_of(self, target: Any, subject: Subject) -> dict[str, str]:
        given = inspect.signature(target).parameters
        own = next((name for name in DECAYS if name in given), None)
        return ({"decay": own} if own else {}) | ({"use_buffers": "use_buffers"} if "use_buffers" in given else {})

    def recorded_by(
        self, target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        """The parameters and their average, by somebody's own class, which is made of parameters and told of others."""
        stated = subject.ours()(**case.hyperparameters)
        names = self.names_of(target, subject)
        told = {names[name]: value for name, value in hyperparameters.items() if name in names}
        stream = stream_of(case, dtype, 0)
        buffered = "use_buffers" not in names and bool(np.any(stated.numbers(stream(0))["copied"]))
        average = driven(target, told, stream(0), buffered)
        nothing = {name: np.zeros_like(array) for name, array in stream(0).items()}
        start = stated.start(stream(0))["averaged"]
        yield Snapshot({"param": nothing, "averaged": start, "n_averaged": {"n_averaged": np.array(0.0)}})
        for step in range(1, case.steps + 1):
            seen = average(given := stream(step))
            yield Snapshot({"param": given, "averaged": seen, "n_averaged": {"n_averaged": np.array(float(step))}})


FAMILY = Averages()
