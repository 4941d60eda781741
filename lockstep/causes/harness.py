"""What can be wrong with the comparison itself. Each fault is put into a pair of sides, whose subject is right.

A verdict about a subject is worth nothing where one of these is the case, so they are looked for first.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lockstep.cases import DTYPES, Case
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.side import Pair, Side
from lockstep.text import Message, first_known


class Fault(NamedTuple):
    """One way for a comparison to be worthless.

    id, variant, words: as of a `Cause`. case: what brings it out; with the case `without` instead, or with the same
    case and no fault, the comparison is sound. subject: whose case it is; any optimizer's if empty. spoil: puts the
    fault into a pair.
    verdict: the engine's, whose message names the id where it is `broken`.
    """

    id: str
    case: Case
    spoil: Callable[[Pair], Pair]
    subject: str = ""
    seen: str = ""
    variant: str = ""
    words: str = ""
    verdict: Verdict = Verdict.BROKEN
    without: Case | None = None
    dtypes: tuple[str, ...] = DTYPES

    @property
    def name(self) -> str:
        return f"{self.id} ({self.variant})" if self.variant else self.id

    @property
    def what(self) -> Message:
        """What happens."""
        return self.said("what")

    @property
    def fix(self) -> Message:
        """What to change."""
        return self.said("fix")

    def said(self, part: str) -> Message:
        """Its message of that part, of its words before that of its id."""
        text = first_known([f"cause.{self.id}.{self.words}.{part}", f"cause.{self.id}.{part}"])
        assert text
        return text


def changed(make: Callable[[], Side], change: Callable[[Any], None]) -> Callable[[], Side]:
    """Makes a side as `make` does, and changes it before anything is done with it."""

    def changing():
        side = make()
        change(side)
        return side

    return changing


def shares_memory(pair: Pair) -> Pair:
    """Our optimizer steps the arrays of theirs, as after `torch.from_numpy`."""
    made: list[Any] = []
    theirs = changed(pair.theirs, made.append)
    return pair._replace(
        theirs=theirs, ours=changed(pair.ours, lambda ours: ours.optimizer.params.update(made[-1].optimizer.params))
    )


def moves_nothing(pair: Pair) -> Pair:
    """Both optimizers step copies that nobody looks at."""

    def copy_first(side):
        step = side.optimizer.step

        def stepping(grads):
            seen = {name: array.copy() for name, array in side.optimizer.params.items()}
            step(grads)
            for name, array in seen.items():
                side.optimizer.params[name][...] = array

        side.optimizer.step = stepping

    return pair._replace(ours=changed(pair.ours, copy_first), theirs=changed(pair.theirs, copy_first))


def promotes(pair: Pair) -> Pair:
    """A NumPy float64 scalar meets our parameters, and what comes out is bound to their name."""

    def promoting(side):
        step = side.optimizer.step

        def stepping(grads):
            step(grads)
            for name, array in side.optimizer.params.items():
                side.optimizer.params[name] = array * np.float64(1)

        side.optimizer.step = stepping

    return pair._replace(ours=changed(pair.ours, promoting))


def transposes(pair: Pair) -> Pair:
    """Our weights lie as [in, out] beside PyTorch's [out, in]."""

    def transposing(side):
        params = side.optimizer.params
        params.update({name: np.ascontiguousarray(array.T) for name, array in params.items()})

    return pair._replace(ours=changed(pair.ours, transposing))


PLAIN = Case("normal gradients", steps=2)


FAULTS = [  # any optimizer's; the causes of a subject may declare others, under the same name
    Fault(
        id="shared-memory",
        seen="pytorch/pytorch#97586",
        case=PLAIN,
        spoil=shares_memory,
    ),
    Fault(
        id="nothing-moved",
        seen="ahrefs/ocannl#523",
        case=PLAIN,
        spoil=moves_nothing,
    ),
    Fault(
        id="dtype-promoted",
        seen="numpy/numpy#25098",
        case=PLAIN,
        spoil=promotes,
        dtypes=("float32",),
    ),
    Fault(
        id="layout-transposed",
        variant="by its shape",
        seen="tracel-ai/burn#614",
        case=PLAIN,
        spoil=transposes,
    ),
    Fault(
        id="layout-transposed",
        variant="of a square weight",
        words="square",
        seen="tracel-ai/burn#614",
        case=Case("a square weight", shapes={"weight": (8, 8), "bias": (8,)}, steps=2),
        spoil=transposes,
    ),
]
