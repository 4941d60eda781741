"""Cases of training loops."""

from collections.abc import Mapping
from typing import Any

from lockstep.cases import DTYPES, SHAPES
from lockstep.cases.gradients import Gradients

SAMPLES = 4  # of a micro-batch, where nothing else is said


class Loop(Gradients):
    """One way to run a training loop, whose gradients are those of a stream, whatever the parameters.

    Arguments:
        desc, problem, steps, shapes, dtypes, paths, hyperparameters: as of `Gradients`; scale_of: its `scale`.
        samples: how many samples each micro-batch of a step has; as many in each if None.
    """

    def __init__(
        self,
        desc: str,
        *,
        problem: Any = "normal",
        steps: int = 6,
        shapes: Mapping[str, tuple[int, ...]] = SHAPES,
        scale_of: float = 1.0,
        samples: tuple[int, ...] | None = None,
        dtypes: tuple[str, ...] = DTYPES,
        paths: tuple[str, ...] | None = None,
        **hyperparameters: Any,
    ):
        super().__init__(desc, problem=problem, steps=steps, shapes=shapes, dtypes=dtypes, paths=paths)
        count = hyperparameters.get("accumulation", 1)
        del vars(self)["scale"]  # the loop has one of its own
        vars(self).update(scale_of=scale_of, samples=samples or (SAMPLES,) * count, hyperparameters=hyperparameters)

    scale_of: float
    samples: tuple[int, ...]

    def replaced(self, **changes: Any) -> "Loop":
        """The same case with some of it exchanged; hyperparameters are added to its own."""
        own = ("problem", "steps", "shapes", "scale_of", "samples", "dtypes", "paths")
        settings = {name: getattr(self, name) for name in own}
        count = changes.get("accumulation", self.hyperparameters.get("accumulation", 1))
        if count != len(self.samples):
            settings["samples"] = None
        return Loop(changes.pop("desc", self.desc), **{**settings, **self.hyperparameters, **changes})
