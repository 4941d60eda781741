"""What the tests of every subject do: run its whole table, and hold every refusal against PyTorch's."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

import lockstep
from lockstep.cases import Bad, Case
from lockstep.engine.run import Run
from lockstep.engine.stepping import run_pair
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked, find
from lockstep.subjects.side import Pair, Side
from lockstep.subjects.subject import Subject

SAME = {Verdict.IDENTICAL, Verdict.ROUNDING}
AGREES = SAME | {Verdict.PARTIAL}  # of what somebody else wrote: not all of it may be in sight


class SubjectTests:
    """The tests of the subject at `path`; a mutant stands in as `ours`.

    ill_conditioned: the cases that amplify rounding without end, and why.
    steps: of a run; the case's own number if None.
    every_path: whether a case runs on each of PyTorch's paths in the parity run, and not on the first alone.
    """

    path: ClassVar[str]
    ours: ClassVar[Any] = None
    ill_conditioned: ClassVar[Mapping[str, str]] = {}
    steps: ClassVar[int | None] = None
    every_path: ClassVar[bool] = True

    @property
    def subject(self) -> Subject:
        return find(self.path)

    def pytest_generate_tests(self, metafunc):
        """A test that takes a case, a dtype and PyTorch's path or paths runs on all there are; likewise arguments."""
        if "torch_paths" in metafunc.fixturenames:
            metafunc.parametrize(("case", "dtype", "torch_paths"), [*all_runs(self.subject, self.every_path)])
        elif "case" in metafunc.fixturenames:
            runs = [(*run.values, run.marks) for run in all_runs(self.subject, self.every_path)]
            single = [
                pytest.param(case, dtype, path, marks=marks) for case, dtype, paths, marks in runs for path in paths
            ]
            metafunc.parametrize(("case", "dtype", "torch_path"), single)
        elif "torch_path" in metafunc.fixturenames:
            metafunc.parametrize("torch_path", self.subject.theirs().paths)
        if "bad" in metafunc.fixturenames:
            metafunc.parametrize("bad", self.subject.cases.BAD, ids=lambda bad: bad.desc)

    def expected(self, case: Case) -> set[Verdict]:
        """What a faithful side may come out as."""
        if getattr(case, "differs", ""):
            return {Verdict.DIFFERENT}
        return {Verdict.ILL_CONDITIONED} if case.desc in self.ill_conditioned else SAME

    def steps_of(self, case: Case) -> int | None:
        return self.steps

    def run(self, case: Case, dtype: str, torch_path: str | None) -> Run:
        if self.ours is None:
            return lockstep.run(self.path, case=case, dtype=dtype, path=torch_path, steps=self.steps_of(case))
        return run_of(self.subject, case, dtype, self.pair(case, dtype, torch_path), self.steps_of(case))

    def pair(self, case: Case, dtype: str, torch_path: str | None = None, ours: Any = None) -> Pair:
        return asked(self.subject, case, dtype, torch_path).pair(ours or self.ours)

    def test_case(self, case, dtype, torch_paths):
        """On each path; one that makes the very numbers of an earlier one is judged with it."""
        judged: set[str] = set()
        for path in torch_paths:
            made = self.steps_made(case, dtype, path, self.steps_of(case)) if len(torch_paths) > 1 else ""
            if made not in judged:
                run = self.run(case, dtype, path)
                assert run.verdict in self.expected(case), str(run)
                judged.add(made)

    def steps_made(self, case: Case, dtype: str, torch_path: str | None, steps: int | None = None) -> str:
        """A digest of all that PyTorch's side makes of a case on a path, stage by stage; as a run steps it."""
        request = asked(self.subject, case, dtype, torch_path, steps=steps)
        side, told = request.pair(self.ours).theirs(), hashlib.sha256()
        for step in range(1, request.steps + 1):
            for stage in side.stages:
                side.advance(stage, step)
                for quantity, name, read in side.read().each():
                    array = np.asarray(read)
                    told.update(f"{stage} {quantity} {name} {array.dtype} {array.shape}\n".encode())
                    told.update(array.tobytes())
        return told.hexdigest()

    def test_every_exception_is_a_case(self):
        assert set(self.ill_conditioned) <= {case.desc for case in self.subject.cases.CASES}


def all_runs(subject: Subject, every_path: bool = True) -> Iterator[Any]:
    """Every case of the table with every dtype and PyTorch's paths; what a parity run leaves out is by itself."""
    for case in subject.cases.CASES:
        paths = case.paths or getattr(counterpart_of(subject, case), "paths", (None,))
        groups = [(paths, ())] if every_path else [(paths[:1], ()), (paths[1:], (pytest.mark.slow,))]
        for dtype in case.dtypes:
            for some, marks in groups:
                if some:
                    yield pytest.param(
                        case, dtype, some, id="-".join(filter(None, (dtype, *some, case.desc))), marks=marks
                    )


def counterpart_of(subject: Subject, case: Case) -> Any:
    """The class of PyTorch's side that a case runs."""
    optimizer = getattr(case, "optimizer", None)
    return find(optimizer).theirs() if optimizer else subject.theirs(case)


def run_of(subject: Subject, case: Case, dtype: str, pair: Pair, steps: int | None = None) -> Run:
    """A finished run of sides that were put together by hand."""
    request = asked(subject, case, dtype, pair.path, steps=steps)
    return Run(request, run_pair(pair, request.steps))


def swapped(pair: Pair) -> Pair:
    """The sides in each other's place: PyTorch's is resynchronised to NumPy's."""
    return pair._replace(ours=pair.theirs, theirs=pair.ours)


def mirrored(straight: Run, other: Run) -> None:
    """A run and that of the swapped sides: one difference, seen from either end.

    The free runs are the same two, so every figure of the drift is the same at every step. The first
    defect starts from the same numbers on both sides; later ones start where another side has got to.
    """
    assert straight.outcome.broken is None, str(straight)
    assert other.outcome.broken is None, str(other)
    figures = {name: name for name in ("differing", "elements", "absolute", "relative", "ulp", "scaled_ulp", "index")}
    judged = figures | {name: name for name in ("used", "undecided", "band")}
    judged |= {"nearer_ours": "nearer_theirs", "nearer_theirs": "nearer_ours"}
    for mode, twins, steps in (("drift", figures, slice(None)), ("defect", judged, slice(0, 1))):
        quantities = getattr(straight.outcome, mode).columns.keys()
        assert quantities == getattr(other.outcome, mode).columns.keys()
        for quantity in quantities:
            for figure, twin in twins.items():
                there, back = straight.series(mode, quantity, figure), other.series(mode, quantity, twin)
                assert np.array_equal(there[steps], back[steps], equal_nan=True), (mode, quantity, figure)
    assert straight.verdict == other.verdict


def agree(first: dict[str, Any], second: dict[str, Any]) -> None:
    """The same names, and under each the same dtype, shape and bits."""
    assert first.keys() == second.keys()
    for quantity, named in first.items():
        assert named.keys() == second[quantity].keys(), quantity
    for quantity, name, array in Snapshot(first).each():
        one, other = np.asarray(array), np.asarray(second[quantity][name])
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), (quantity, name)


def refusal(call) -> tuple[type[Exception], str]:
    """The type and the text of what `call` raises, without what Python 3.13 supposes to have been meant."""
    try:
        call()
    except Exception as error:
        text = error.args[0] if isinstance(error, KeyError) else str(error)
        return type(error), text.partition(". Did you mean")[0]
    raise AssertionError("nothing was refused")


def refused_as(bad: Bad, ours, theirs) -> None:
    """Both sides refuse, and as the table says."""
    kind, text = refusal(theirs)
    said = kind, re.sub(r"^(add)?mm: ", "", text)  # PyTorch 2.15 puts the kernel before it
    assert said == bad.error, "PyTorch itself says something else"
    assert refusal(ours) == bad.error


def advanced(side: Side, steps: int) -> Side:
    """The side after its first `steps` steps."""
    for step in range(1, steps + 1):
        for stage in side.stages:
            side.advance(stage, step)
    return side
