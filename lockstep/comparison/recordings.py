"""Two recordings beside each other: where they part, and whether by rounding."""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lockstep.comparison.checkpoints import TwoCheckpoints, compare_checkpoints
from lockstep.diagnose.replay import observe
from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.difference import compare
from lockstep.numerics.shapes import Array
from lockstep.numerics.verdict import Finding, Judgement, Verdict, differing, judge, worst
from lockstep.recordings.recording import (
    MANIFEST,
    BadRecording,
    Recording,
    State,
    Step,
    file_name,
    read_manifest,
)
from lockstep.records.schema import plain
from lockstep.text import Message, message


class Compared(NamedTuple):
    """One recording beside another of the same scenario.

    verdict: identical, rounding, ill-conditioned or different, of each step from where its own side was.
    first: of the first tensor that differs, whatever the reason, the number furthest apart; None where none does: ours
    is the one recording's, theirs the other's. evidence: the first number at which a side, "one" or "other", leaves
    PyTorch's formula. drift: the largest difference a step of
    the parameters, or of a layer's output.
    """

    label: str
    verdict: Verdict
    first: Finding | None
    evidence: Finding | None
    side: str | None
    drift: list[float]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return plain(self._asdict())


def compared(one: Recording, other: Recording) -> Compared:
    """Where two recordings part, step by step.

    Both sides are held against the exact step from where each of them was, so that what one step rounds is not
    charged to the next: two sides that follow one formula differ by rounding however far they have drifted.

    Arguments:
        one, other: of one subject, scenario, dtype and start.

    Raises:
        BadRecording: where they are not of one subject, or were not fed the same.
    """
    check_alike(one, other)
    first: Finding | None = None
    drift: list[float] = []
    for number, (left, right) in enumerate(zip(one.steps, other.steps, strict=True), 1):
        pairs = list(made(left, right))
        for quantity, name, a, b in pairs:
            if first is None and a.tobytes() != b.tobytes():
                first = furthest(number, quantity, name, a, b)
        drift.append(max((compare(a, b).absolute for q, _, a, b in pairs if q in ("param", "output")), default=0.0))
    if first is None:
        return Compared(one.label, Verdict.IDENTICAL, None, None, None, drift)
    verdict, evidence, side = judged(one, other)
    return Compared(one.label, verdict, first, evidence, side, drift)


def first_apart(
    one: pathlib.Path, other: pathlib.Path, on_bytes: Callable[[int], Any] = lambda count: None
) -> tuple[int, TwoCheckpoints] | None:
    """The first step of two recordings' folders in which a tensor differs, and that tensor; None where none does.

    A stretch at a time: recordings of any size, which nobody judges.

    Arguments:
        on_bytes: called with how many bytes of both have been looked at since it was called last.

    Raises:
        BadRecording: for what is no recording, of another subject, with other hyperparameters, or longer or shorter.
    """
    left, right = (read_manifest(folder / MANIFEST) for folder in (one, other))
    for name in ("subject", "layer"):
        if left.get(name) != right.get(name):
            raise BadRecording(message("recording.differs", name=name, one=left.get(name), other=right.get(name)))
    if left["steps"] != right["steps"]:
        raise BadRecording(message("recording.other-count", one=left["steps"], other=right["steps"]))
    settings = [(data["hyperparameters"], data.get("schedule", {})) for data in (left, right)]
    if settings[0] != settings[1]:
        names = sorted(name for name in left["hyperparameters"] | right["hyperparameters"]
                       if left["hyperparameters"].get(name) != right["hyperparameters"].get(name))  # fmt: skip
        raise BadRecording(message("recording.other-hyperparameters", names=", ".join(names or ["schedule"])))
    begun = any((folder / file_name(0)).exists() for folder in (one, other))  # where they did not start afresh
    for number in range(0 if begun else 1, left["steps"] + 1):
        both = compare_checkpoints(one / file_name(number), other / file_name(number), first=True, on_bytes=on_bytes)
        if both.apart or both.missing or both.added or both.renamed:
            return number, both
    return None


def check_alike(one: Recording, other: Recording) -> None:
    """Refuse recordings that cannot be compared.

    Raises:
        BadRecording: naming what differs.
    """
    for name in ("subject", "layer", "dtype"):
        if getattr(one, name) != getattr(other, name):
            values = {"one": getattr(one, name), "other": getattr(other, name)}
            raise BadRecording(message("recording.differs", name=name, **values))
    if len(one.steps) != len(other.steps):
        raise BadRecording(message("recording.other-count", one=len(one.steps), other=len(other.steps)))
    if one.hyperparameters != other.hyperparameters:
        names = [n for n in one.hyperparameters if one.hyperparameters[n] != other.hyperparameters.get(n)]
        names = names or sorted(other.hyperparameters.keys() - one.hyperparameters.keys())
        raise BadRecording(message("recording.other-hyperparameters", names=", ".join(names)))
    for number, (left, right) in enumerate(zip(one.steps, other.steps, strict=True), 1):
        for what, a, b in fed(left, right, number == 1):
            if (a is None) != (b is None) or (a is not None and (a.shape != b.shape or a.tobytes() != b.tobytes())):
                raise BadRecording(message("recording.fed", what=what, step=number))


def fed(left: Any, right: Any, first: bool) -> Iterator[tuple[Message, Any, Any]]:
    """What both sides were given: gradients and the start, or inputs and the gradient from above."""
    if isinstance(left, Step):
        names = dict.fromkeys((*left.before, *right.before))
        for name in names:
            yield message("recording.gradient-of", name=name), left.grads.get(name), right.grads.get(name)
            if first:
                yield message("recording.start-of", name=name), left.before.get(name), right.before.get(name)
        return
    if isinstance(left, State):
        for quantity, name, array in left.before.each() if first else ():
            yield message("recording.start-of", name=name), array, right.before.get(quantity, {}).get(name)
        return
    for place, (a, b) in enumerate(zip(left.inputs, right.inputs, strict=False)):
        yield message("recording.input", place=place), a, b
    yield message("recording.upstream"), left.upstream, right.upstream


def made(left: Any, right: Any) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """What both sides made and both show."""
    if isinstance(left, Step):
        for name, array in left.after.items():
            yield "param", name, array, right.after[name]
        for key, named in left.state.items():
            for name, array in named.items():
                if name in right.state.get(key, {}):
                    yield key, name, array, right.state[key][name]
        return
    if isinstance(left, State):
        for quantity, name, array in left.after.each():
            if name in right.after.get(quantity, {}):
                yield quantity, name, array, right.after[quantity][name]
        return
    yield "output", "output", left.output, right.output
    if left.grad_input is not None and right.grad_input is not None:
        yield "grad_input", "input", left.grad_input, right.grad_input
    for quantity, a, b in (("grad", left.grads, right.grads), ("buffer", left.buffers, right.buffers)):
        for name in a:
            if name in b and formats.is_format(a[name].dtype):
                yield quantity, name, a[name], b[name]


def furthest(step: int, quantity: str, tensor: str, a: Array, b: Array) -> Finding:
    """The number of a tensor that is furthest apart."""
    place, count = compare(a, b).index or 0, differing(a, b).size
    return Finding.at(place, a, b, step=step, line=quantity, quantity=quantity, tensor=tensor, differing=count)


def judged(one: Recording, other: Recording) -> tuple[Verdict, Finding | None, str | None]:
    """Each side against the exact step from where it was, and what that says of the two."""
    verdicts: list[Verdict] = []
    evidence: Finding | None = None
    side: str | None = None
    with np.errstate(all="ignore"):
        for left, right in zip(*(observe(recording, (), {}, bounded=True) for recording in (one, other)), strict=False):
            for name, seen in (("one", left), ("other", right)):
                exact: Bounded = seen.predicted[""]
                if seen.found.tobytes() == exact.value.astype(seen.found.dtype).tobytes():
                    continue
                nearest = exact.value.astype(seen.found.dtype).reshape(seen.found.shape)
                judgement: Judgement = judge(
                    seen.step, seen.quantity, seen.tensor, seen.line, seen.found, nearest, exact
                )
                verdicts.append(judgement.verdict)
                if judgement.verdict is Verdict.DIFFERENT and evidence is None:
                    evidence, side = judgement.finding, name
    return worst([Verdict.ROUNDING, *verdicts]), evidence, side
