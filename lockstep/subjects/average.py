"""Averages of weights as sides: the parameters after a step, then their average."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.errors import TheirCode
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.gradients import Gradients, stream_of
from lockstep.subjects.subject import Subject
from lockstep.text import message

DECAYS = ("decay", "beta", "alpha", "momentum", "ema_decay", "rate")
UPDATES = ("update", "update_parameters", "step", "__call__")
KEPT = ("averaged", "shadow", "ema", "average", "avg", "params", "shadow_params")


class Averages(Gradients):
    """What is kept of the parameters along a run."""

    place = 3.5
    symbols = {"decay": r"\beta"}

    def names_of(self, target: Any, subject: Subject) -> dict[str, str]:
        given = inspect.signature(target).parameters
        own = next((name for name in DECAYS if name in given), None)
        return {"decay": own} if own else {}

    def recorded_by(
        self, target: Any, subject: Subject, case, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        """The parameters and their average, by somebody's own class, which is made of parameters and told of others."""
        stated = subject.ours()(**case.hyperparameters)
        names = self.names_of(target, subject)
        told = {names[name]: value for name, value in hyperparameters.items() if name in names}
        stream = stream_of(case, dtype, 0)
        average = target(stream(0), **told)
        update = next((getattr(average, name) for name in UPDATES if hasattr(average, name)), None)
        kept = next((name for name in KEPT if hasattr(average, name)), None)
        if update is None or kept is None:
            raise TheirCode(message("recognise.no-average", updates=", ".join(UPDATES), kept=", ".join(KEPT)))
        nothing = {name: np.zeros_like(array) for name, array in stream(0).items()}
        start = stated.start(stream(0))["averaged"]
        yield Snapshot({"param": nothing, "averaged": start, "n_averaged": {"n_averaged": np.array(0.0)}})
        for step in range(1, case.steps + 1):
            update(given := stream(step))
            seen = {name: np.array(getattr(average, kept)[name]) for name in given}
            yield Snapshot({"param": given, "averaged": seen, "n_averaged": {"n_averaged": np.array(float(step))}})


FAMILY = Averages()
