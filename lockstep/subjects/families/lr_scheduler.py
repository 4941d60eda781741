"""Learning-rate schedules as sides: an epoch, then the learning rates of every group."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from lockstep.cases.lr_scheduler import Values
from lockstep.errors import NoSuchName
from lockstep.numerics.bounded import Bounded, Undecided, widest
from lockstep.numerics.shapes import Array
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.families.driven.schedules import names_of, recorded_by
from lockstep.subjects.handed import handed_over
from lockstep.subjects.registry import find
from lockstep.subjects.side import RESUME, Bounds, Pair, watched
from lockstep.subjects.subject import Family, Request, Subject
from lockstep.text import message


class ScheduleSide:
    """A schedule of either side, whose groups are its tensors. It is made in the first step, which is epoch 0.

    Arguments:
        make: makes it.
        case: a `Schedule`.
    """

    stages = ("epoch",)
    moving = frozenset({"last_epoch"})  # a learning rate may rest for a whole run

    def __init__(self, make: Callable[[], Any], case: Any) -> None:
        self.make, self.case = make, case
        self.schedule: Any = None
        self.prepared: list[Callable[[Any], Any]] = []  # what makes its formula another one

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        if stage == RESUME:
            return quantity not in ("momentum", "metrics")  # a momentum is no state: the next epoch makes it
        return quantity not in ("base_lr", "metrics")

    def read(self) -> Snapshot:
        case, schedule = self.case, self.schedule
        if schedule is None:
            before = {"base_lr": named(case.initial_lrs or case.lrs), "lr": named(case.lrs)}
            count = {"last_epoch": {"last_epoch": np.array(case.last_epoch, np.float64)}}
            return Snapshot({**count, **before, **case.metric(-1)})
        momenta = {"momentum": named(schedule.momenta)} if schedule.momenta else {}
        shared = {name: {name: np.array(value, np.float64)} for name, value in schedule.shared.items()}
        return Snapshot(
            {
                "last_epoch": {"last_epoch": np.array(schedule.last_epoch, np.float64)},
                "base_lr": named(schedule.base_lrs),
                "lr": named(schedule.lrs),
                **momenta,
                **shared,
                **case.metric(schedule.last_epoch),
            }
        )

    def write(self, quantities: Snapshot) -> None:
        if self.schedule is None:
            return  # it starts from what its case says
        self.schedule.load_state_dict(
            {
                **self.schedule.state_dict(),
                "last_epoch": int(quantities["last_epoch"]["last_epoch"]),
                "base_lrs": numbers(quantities["base_lr"]),
                "_last_lr": numbers(quantities["lr"]),
                **{name: type(kept)(quantities[name][name]) for name, kept in self.schedule.shared.items()},
            }
        )

    def saved(self) -> dict[str, Any]:
        """What it takes to go on elsewhere."""
        return self.schedule.state_dict()

    def resume(self, saved: Mapping[str, Any]) -> None:
        """Go on from what either side has saved."""
        self.schedule = self.make()
        self.schedule.load_state_dict(saved)

    def rewrite(self, order: str, ops: Any) -> None:
        self.change(lambda schedule: schedule.ORDERS[order])

    def watch(self, note: Callable[..., Any]) -> None:
        self.change(lambda schedule: watched(schedule.formula, note))

    def change(self, change: Callable[[Any], Any]) -> None:
        self.prepared.append(change)
        if self.schedule is not None:
            self.schedule.formula = change(self.schedule)

    def only(self, tensor: str) -> None:
        """An epoch is one for all groups."""

    def traces(self) -> dict[str, float]:
        return {f"lr {name}": float(lr) for name, lr in named(self.schedule.lrs).items()}

    def advance(self, stage: str, step: int) -> None:
        if self.schedule is None:
            self.schedule = self.make()
            for change in self.prepared:
                self.schedule.formula = change(self.schedule)
            return
        self.schedule.step(*(float(one["metrics"]) for one in self.case.metric(self.schedule.last_epoch).values()))


def named(lrs: Iterable[float]) -> dict[str, np.ndarray]:
    """A learning rate a group, under PyTorch's positions."""
    return {str(group): np.array(lr, np.float64) for group, lr in enumerate(lrs)}


class EpochCount(int):
    """A whole number that is one as long as it is counted with, and carries its error as soon as it is divided."""

    def bounded(self) -> Bounded:
        return Bounded(np.asarray(int(self), np.float64), np.float64)

    def __add__(self, other: Any) -> Any:
        return EpochCount(int(self) + int(other)) if isinstance(other, int) else self.bounded() + other

    def __sub__(self, other: Any) -> Any:
        return EpochCount(int(self) - int(other)) if isinstance(other, int) else self.bounded() - other

    def __mul__(self, other: Any) -> Any:
        return EpochCount(int(self) * int(other)) if isinstance(other, int) else self.bounded() * other

    def __truediv__(self, other: Any) -> Any:
        return self.bounded() / (other.bounded() if isinstance(other, EpochCount) else other)

    def __rsub__(self, other: Any) -> Any:
        return EpochCount(int(other) - int(self)) if isinstance(other, int) else other - self.bounded()

    __radd__, __rmul__ = __add__, __mul__


class ScheduleArbiter:
    """What a formula makes of an epoch, on error-carrying numbers.

    The closed form, and room for whoever gets there epoch by epoch, rounding in each what the closed form rounds once;
    and where PyTorch goes by a recursion, what that rounds from the first epoch on.

    Arguments:
        kind: the class of the reference, or one with causes in it.
        like: the class of the reference.
        hyperparameters: of the case.
        groups: how many.
        bounded: whether numbers carry their error; else there is no room for anybody, and it is much faster.
    """

    def __init__(
        self, kind: Any, like: Any, hyperparameters: Mapping[str, Any], groups: int, bounded: bool = True
    ) -> None:
        self.bounded = bounded
        self.schedule = kind([1.0] * groups, **hyperparameters)
        self.paper, self.planted = kind.ORDERS["paper"], kind is not like
        recursion = kind.ORDERS.get("pytorch", like.ORDERS["pytorch"])
        self.recursion = None if recursion is like.ORDERS["paper"] or like.SHARED else recursion

    def __call__(self, stage: str, step: int, before: Snapshot) -> Bounds:
        schedule, epoch = self.schedule, int(before["last_epoch"]["last_epoch"]) + 1
        schedule.last_epoch = epoch
        schedule.lrs, schedule.base_lrs = (numbers(before[name]) for name in ("lr", "base_lr"))
        count = {"last_epoch": {"last_epoch": plain(epoch)}}
        if schedule.SHARED:
            seen = {name: float(before[name][name]) for name in schedule.SHARED if name in before}
            schedule.shared, schedule.metrics = schedule.shared | seen, float(before["metrics"]["metrics"])
            if epoch == 0:  # it has been made, and no metric has been seen
                kept = {name: {name: plain(value)} for name, value in schedule.shared.items()}
                return count | kept | {"lr": {name: plain(rate) for name, rate in before["lr"].items()}}
        made = [self.made(group, epoch) for group in range(len(schedule.lrs))]
        bounds = {line: {str(group): rates[line] for group, rates in enumerate(made)} for line in schedule.MADE}
        if schedule.SHARED:
            lines = self.paper(**schedule.arguments(0))
            schedule.shared = {name: getattr(lines, name) for name in schedule.SHARED}
            bounds |= {name: {name: plain(value)} for name, value in schedule.shared.items()}
        return count | bounds

    def made(self, group: int, epoch: int) -> dict[str, Bounded]:
        """Each line of the formula that a group goes by, with room for all who are right."""
        arguments = self.schedule.arguments(group)
        if not self.bounded:
            lines = self.paper(**{name: as_ieee(value) for name, value in arguments.items()})
            return {line: plain(getattr(lines, line)) for line in self.schedule.MADE}
        exact = self.schedule.EXACT
        lines = self.paper(
            **errant({name: value for name, value in arguments.items() if name not in exact}),
            **{name: value for name, value in arguments.items() if name in exact},
        )
        walked = self.walk(group, arguments, epoch) if self.recursion else None
        return {line: self.room(line, getattr(lines, line), walked, epoch) for line in self.schedule.MADE}

    def room(self, line: str, exact: Any, walked: Any, epoch: int) -> Bounded:
        exact = exact if isinstance(exact, Bounded) else plain(exact)
        closed = exact.like(exact.value, exact.error * (1 + max(epoch, 0)), exact.sure)
        if walked is None:
            return closed
        other = getattr(walked, line)
        if not self.planted:
            return widest([closed, other])
        with np.errstate(all="ignore"):
            share = np.where(other.value == 0, 0, other.error / np.abs(other.value))
        return exact.like(exact.value, closed.error + share * np.abs(exact.value), exact.sure)

    def walk(self, group: int, arguments: Mapping[str, Any], epoch: int) -> Any:
        """The lines of the recursion at an epoch, from the first on; None as soon as nothing is known of them."""
        assert self.recursion
        lines = walked(self.recursion, told_apart(arguments))
        while len(lines) <= epoch:
            before = lines[-1].lr if lines else errant({"lr": arguments["base_lr"]})["lr"]
            now = errant({**arguments, "last_epoch": len(lines)}) | {"lr": before}
            try:
                lines.append(self.recursion(**now))
            except Undecided:
                return None
        known = lines[epoch] if epoch >= 0 else None
        return known if known and np.isfinite(known.lr.error) else None


@functools.lru_cache(1024)
def walked(recursion: Any, arguments: tuple[Any, ...]) -> list[Any]:
    """The lines of a recursion so far, an epoch each, which every hypothesis about a schedule has in common."""
    del recursion, arguments
    return []


def told_apart(arguments: Mapping[str, Any]) -> tuple[Any, ...]:
    """A group's arguments but for the epoch and what it has come to; 1 and 1.0 are two."""
    fixed = sorted((name, value) for name, value in arguments.items() if name not in ("lr", "last_epoch"))
    return tuple((name, type(value), hashable(value)) for name, value in fixed)


def hashable(value: Any) -> Any:
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def errant(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A formula's arguments as numbers that carry their error."""
    return {name: carrying(value) for name, value in arguments.items()}


def as_ieee(value: Any) -> Any:
    """A number whose division by 0 is what IEEE says it is."""
    return np.float64(value) if isinstance(value, float) else value


def carrying(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return EpochCount(value) if isinstance(value, int) else Bounded(np.asarray(value), np.float64)


def plain(number: Any) -> Bounded:
    """A number that is exact."""
    return Bounded(np.asarray(number, np.float64), np.float64)


def numbers(quantity: Mapping[str, Array]) -> list[float]:
    return [float(number) for number in quantity.values()]


def unread(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters as they were before they were written down: a function is read as its numbers."""
    return {name: function_of(value) for name, value in hyperparameters.items()}


def function_of(value: Any) -> Any:
    if isinstance(value, Mapping) and "numbers" in value:
        return Values(tuple(cast("Mapping[str, Any]", value)["numbers"]))
    return tuple(map(function_of, cast("tuple[Any, ...]", value))) if isinstance(value, tuple) else cast(Any, value)


def pair(request: Request, ours: type | None = None) -> Pair:
    """Both sides of a schedule's case, beside PyTorch's recursion if no path is asked for."""
    subject, case = request.subject, request.case
    reference, counterpart = subject.ours(), subject.theirs()
    path = counterpart.paths[0] if request.path is None else request.path
    if path not in counterpart.paths:
        raise NoSuchName(message("error.no-path", subject=subject.path, path=path))
    later = {} if case.last_epoch == -1 else {"last_epoch": case.last_epoch, "initial_lrs": case.initial_lrs}
    settings = {**later, **case.hyperparameters}
    with handed_over():
        made = reference(case.lrs, **settings)
        counterpart(case.lrs, **settings)
    return Pair(
        ours=lambda: ScheduleSide(lambda: (ours or reference)(case.lrs, **settings), case),
        theirs=lambda: ScheduleSide(lambda: counterpart(case.lrs, path=path, **settings), case),
        exact=ScheduleArbiter(reference, reference, case.hyperparameters, len(case.lrs)),
        lines={line: line for line in (*made.MADE, *made.SHARED)},
        order=("last_epoch", "base_lr", *subject.reference.EQUATIONS),
        equations=subject.reference.EQUATIONS,
        path=path,
        still=case.still,
        written_like=path if path in reference.ORDERS else "pytorch",
    )


class Schedules(Family):
    """A number a group that changes with the epochs."""

    place = 2
    unit = "magnitude"
    watched = ("lr",)
    symbols = {
        "base_lr": r"\eta_0",
        "last_epoch": "t",
        "step_size": "s",
        "gamma": r"\gamma",
        "milestones": "m",
        "factor": "c",
        "start_factor": "c_0",
        "end_factor": "c_1",
        "total_iters": "T",
        "T_max": "T",
        "T_0": "T_0",
        "T_mult": "m",
        "eta_min": r"\eta_{\min}",
        "power": "p",
        "lr_lambda": r"\lambda",
        "max_lr": r"\eta_{\max}",
        "step_size_up": "s_u",
        "step_size_down": "s_d",
        "base_momentum": r"\mu_0",
        "max_momentum": r"\mu_{\max}",
        "div_factor": "d",
        "final_div_factor": "d_f",
        "total_steps": "T",
        "patience": "P",
        "threshold": r"\tau",
        "cooldown": "C",
        "min_lr": r"\eta_{\min}",
        "eps": r"\epsilon",
    }

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        return pair(request, ours)

    def accepts(self, kind: Any, recording: Any) -> None:
        kind(numbers(recording.steps[0].before["base_lr"]), **unread(recording.hyperparameters))

    def replayed(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Bounds]]:
        """What a formula makes of every step of a recording."""
        return self.epochs(kind, recording, hyperparameters, bounded=True)

    def predicted(
        self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]
    ) -> Iterator[tuple[int, dict[str, dict[str, Any]]]]:
        """The same in floating-point arithmetic."""
        for epoch, rates in self.epochs(kind, recording, hyperparameters, bounded=False):
            yield epoch, {line: {name: rate.value for name, rate in of.items()} for line, of in rates.items()}

    def epochs(
        self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any], bounded: bool
    ) -> Iterator[tuple[int, Bounds]]:
        like, groups = find(recording.subject).ours(), len(recording.steps[0].before["base_lr"])
        arbiter = ScheduleArbiter(kind, like, unread(hyperparameters), groups, bounded)
        for step in recording.steps:
            epoch = int(step.before["last_epoch"]["last_epoch"]) + 1
            try:
                yield epoch, arbiter("epoch", epoch, step.before)
            except Undecided:  # nothing is known of it
                unknown = Bounded(np.asarray(np.nan), np.float64, error=np.inf)
                yield epoch, {"lr": dict.fromkeys(step.before["lr"], unknown)}

    def names_of(self, target: Any, subject: Subject) -> dict[str, str]:
        return names_of(target, subject)

    def restarted(self, whole: list[Any], rest: list[Any]) -> bool:
        rates = [[[*map(float, step.after["lr"].values())] for step in steps] for steps in (whole, rest)]
        return any(rates[1] == rates[0][shift : shift + len(rest)] for shift in (0, 1))

    def recorded_by(
        self, target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        """The state before the first epoch and after each, of somebody's own schedule."""
        return recorded_by(target, subject, case, hyperparameters)


FAMILY = Schedules()
