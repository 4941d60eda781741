"""The record of an experiment: what several runs together say."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from lockstep.numerics.verdict import Verdict
from lockstep.records.record import Record, check_contour
from lockstep.records.schema import Positive, Words, demand

Holds = Literal[True, False, "partly"]
BATCH = ("size", "ours", "theirs", "biased", "ratio")
KEEP = ("p", "ours", "theirs", "equal")
MASKS = ("keep/mask/ours", "keep/mask/theirs")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim that was put to the test.

    Attributes:
        claim, original: in words, and the sentence as it stands in its source.
        holds, theirs: whether it does, of our run and of PyTorch's; null where nothing tested it.
        found, why: what was measured, and what makes it so, or not so.
    """

    claim: Words
    original: str = ""
    holds: Holds | None
    found: Words
    why: Words
    theirs: Holds | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrintedNumber:
    """A number as it was printed, beside ours and PyTorch's in as many digits.

    Attributes:
        name: what it is. notebook, ours, theirs: as printed there, and by either side.
        equal: whether ours reads the same. chapter: where it stands.
    """

    name: Words
    notebook: str
    ours: str
    theirs: str
    equal: bool
    chapter: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chapter:
    """A part that an experiment is told in.

    Attributes:
        name: of the chapter. figures: its pictures.
        printed, runs: how the names of its printed numbers and of its runs begin.
        subjects: what it is about. claims: whether conclusions are drawn there.
        code: Python that makes its runs again.
    """

    name: str
    figures: tuple[str, ...]
    printed: tuple[str, ...] = ()
    runs: str | None = None
    subjects: tuple[str, ...] = ()
    claims: bool = False
    code: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunEntry:
    """A run that an experiment rests on.

    Attributes:
        subject, case, dtype, steps: what was run. verdict, used: what came of it.
    """

    subject: str
    case: str
    dtype: str
    steps: Positive
    verdict: Verdict
    used: float


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ExperimentRecord(Record, kind="experiment"):
    """What several runs together say.

    The archive holds `nb/optim/NAME/SIDE/path` and `loss`, `nb/regular/NAME/SIDE/losses` and `W1`,
    `nb/batchnorm/before` and `SIDE`, `trace/contour/…`, and `digits/NAME/SIDE/loss` and `accuracy`. "layers.batchnorm
    batch sizes" has `batch/size` and, of a batch of each, `batch/SIDE` (the running variance it leaves with momentum
    1), `batch/biased` (its own, in double) and `batch/ratio` (n/(n-1)); "layers.dropout keep rate" has `keep/p` and of
    each `keep/SIDE` (the share of the units kept) and `keep/equal` (whether the masks are the same, 1 or 0), and a
    corner of two masks, `keep/mask/SIDE`.

    Attributes:
        title: a line.
        settings: what it was run with.
        figures: names of pictures to draw; none for all there are arrays for.
        claims, printed: what was put to the test, and what was printed.
        chapters: the parts it is told in, if any.
        optimum: x and y, of the function that the paths are on.
        runs: that it rests on.
    """

    title: Words
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    figures: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    printed: tuple[PrintedNumber, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    optimum: tuple[float, float] | None = None
    runs: tuple[RunEntry, ...] = ()

    def __post_init__(self):
        super().__post_init__()
        check_contour(self.arrays)
        for family, names in (("batch", BATCH), ("keep", KEEP)):
            if any(name.startswith(f"{family}/") for name in self.arrays):
                self.check_curve([f"{family}/{name}" for name in names])
        if any(name.startswith("keep/") for name in self.arrays):
            shapes = {self.arrays[name].shape for name in MASKS if name in self.arrays}
            demand(len(shapes) == 1 and len(next(iter(shapes))) == 2, "keep/mask has no two masks of one shape")
            odd = [name for name in (*MASKS, "keep/equal") if not np.isin(self.arrays.get(name, 2), (0, 1)).all()]
            demand(not odd, f"other entries than 0 and 1 in {', '.join(odd)}")

    def check_curve(self, names: list[str]) -> None:
        """Refuse a curve that is not whole: arrays that are missing, of several lengths, or no numbers."""
        missing = [name for name in names if name not in self.arrays]
        demand(not missing, f"without the arrays {', '.join(missing)}")
        lengths, first = {self.arrays[name].shape for name in names}, self.arrays[names[0]]
        alike = len(lengths) == 1 and first.ndim == 1 and first.size > 0
        demand(alike, f"array {names[0]!r} and its like are no rows of one length")
        odd = [name for name in names if not np.isfinite(self.arrays[name]).all()]
        demand(not odd, f"what is no number in {', '.join(odd)}")
