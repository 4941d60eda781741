"""Cases of what happens to gradients between the backward pass and the optimizer."""

from collections.abc import Mapping
from typing import Any

from lockstep.cases import DTYPES, SHAPES, Case


class Gradients(Case):
    """One way to run a transformation of gradients, a stream of which comes in.

    Arguments:
        desc: in plain words; its name everywhere.
        problem: the stream, a name of reference.functions.PROBLEMS.
        shapes: tensor name to shape.
        scale: what every gradient is multiplied by, a power of two.
        none_at, zero_from, steps, resumed, crossed, still, dtypes, paths, hyperparameters: as in `Case`.
    """

    def __init__(
        self,
        desc: str,
        *,
        problem: Any = "normal",
        steps: int = 3,
        shapes: Mapping[str, tuple[int, ...]] = SHAPES,
        scale: float = 1.0,
        none_at: int | None = None,
        zero_from: int | None = None,
        resumed: int | None = None,
        crossed: bool = False,
        still: bool = False,
        dtypes: tuple[str, ...] = DTYPES,
        paths: tuple[str, ...] | None = None,
        **hyperparameters: Any,
    ):
        super().__init__(
            desc, problem=problem, steps=steps, shapes=shapes, none_at=none_at, zero_from=zero_from, resumed=resumed,
            crossed=crossed, still=still, dtypes=dtypes, paths=paths, **hyperparameters,
        )  # fmt: skip
        vars(self).update(scale=scale)

    scale: float

    def replaced(self, **changes: Any) -> "Gradients":
        """The same case with some of it exchanged; hyperparameters are added to its own."""
        own = (
            "problem", "steps", "shapes", "scale", "none_at", "zero_from", "resumed", "crossed", "still", "dtypes",
            "paths",
        )  # fmt: skip
        settings = {name: getattr(self, name) for name in own}
        return type(self)(changes.pop("desc", self.desc), **{**settings, **self.hyperparameters, **changes})
