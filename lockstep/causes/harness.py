"""What can be wrong with the comparison itself. Each fault is put into a pair of sides, whose subject is right.

A verdict about a subject is worth nothing where one of these is the case, so they are looked for first.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lockstep.cases import DTYPES, Case
from lockstep.cases.models import Training
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.side import Pair, Side
from lockstep.text import Message, first_known


class Fault(NamedTuple):
    """One way for a comparison to be worthless.

    id, variant, words: as of a `Cause`. subject, case: what brings it out; with the case `without` instead, or
    with the same case and no fault, the comparison is sound. spoil: puts the fault into a pair.
    verdict: the engine's, whose message names the id where it is `broken`.
    """

    id: str
    subject: str
    case: Case
    spoil: Callable[[Pair], Pair]
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


def as_it_is(pair: Pair) -> Pair:
    """Nothing is wrong with either side: it is the problem that has no answer."""
    return pair


PLAIN = Case("normal gradients", steps=2)


def network(desc: str, **settings) -> Training:
    return Training(
        desc,
        optimizer="optim.adam",
        data="two clusters",
        network={"hidden": (20,), "loss": "probabilities", **settings},
        batch_size=None,
        steps=2,
        lr=0.01,
    )


FAULTS = [
    Fault(
        id="shared-memory",
        seen="pytorch/pytorch#97586",
        subject="optim.adam",
        case=PLAIN,
        spoil=shares_memory,
    ),
    Fault(
        id="nothing-moved",
        seen="ahrefs/ocannl#523",
        subject="optim.adam",
        case=PLAIN,
        spoil=moves_nothing,
    ),
    Fault(
        id="dtype-promoted",
        seen="numpy/numpy#25098",
        subject="optim.adam",
        case=PLAIN,
        spoil=promotes,
        dtypes=("float32",),
    ),
    Fault(
        id="layout-transposed",
        variant="by its shape",
        seen="tracel-ai/burn#614",
        subject="optim.adam",
        case=PLAIN,
        spoil=transposes,
    ),
    Fault(
        id="layout-transposed",
        variant="of a square weight",
        words="square",
        seen="tracel-ai/burn#614",
        subject="optim.adam",
        case=Case("a square weight", shapes={"weight": (8, 8), "bias": (8,)}, steps=2),
        spoil=transposes,
    ),
    Fault(
        id="null-gradient",
        seen="xopt-org/Xopt#450, marin-community/marin#4755",
        subject="models.mlp",
        case=network("a bias before BatchNorm, Adam", batchnorm=True),
        without=network("no BatchNorm, Adam"),
        spoil=as_it_is,
        verdict=Verdict.ILL_CONDITIONED,
    ),
]
