"""Learning-rate schedules as sides: an epoch, then the learning rates of every group."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lockstep.errors import NoSuchName, TheirCode
from lockstep.numerics import formats
from lockstep.numerics.bounded import Bounded
from lockstep.subjects.handed import handed_over
from lockstep.subjects.side import Bounds, Pair, Quantities, watched
from lockstep.subjects.subject import Family, Request, Subject
from lockstep.text import message


class ScheduleSide:
    """A schedule of either side, whose groups are its tensors.

    Arguments:
        make: makes it; once more where the case is resumed.
        case: a `Schedule`.
    """

    stages = ("epoch",)
    moving = frozenset({"last_epoch"})  # a learning rate may rest for a whole run

    def __init__(self, make: Callable[[], Any], case):
        self.make, self.case = make, case
        self.schedule = make()
        self.formula: Callable[..., Any] | None = None  # in the place of its own

    def produces(self, stage: str, quantity: str, tensor: str) -> bool:
        return quantity != "base_lr"

    def read(self) -> Quantities:
        schedule = self.schedule
        return {
            "last_epoch": {"last_epoch": np.array(schedule.last_epoch, np.float64)},
            "base_lr": named(schedule.base_lrs),
            "lr": named(schedule.lrs),
        }

    def write(self, quantities: Quantities) -> None:
        self.schedule.load_state_dict(
            {
                "last_epoch": int(quantities["last_epoch"]["last_epoch"]),
                "base_lrs": [float(lr) for lr in quantities["base_lr"].values()],
                "_last_lr": [float(lr) for lr in quantities["lr"].values()],
            }
        )

    def rewrite(self, order: str, ops: Any) -> None:
        self.formula = self.schedule.formula = self.schedule.ORDERS[order]

    def watch(self, note: Callable[..., Any]) -> None:
        self.formula = self.schedule.formula = watched(self.schedule.formula, note)

    def only(self, tensor: str) -> None:
        """An epoch is one for all groups."""

    def traces(self) -> dict[str, float]:
        return {f"lr {name}": float(lr) for name, lr in named(self.schedule.lrs).items()}

    def advance(self, stage: str, step: int) -> None:
        if step == self.case.resumed:
            state = self.schedule.state_dict()
            self.schedule = self.make()
            self.schedule.load_state_dict(state)
            self.schedule.formula = self.formula or getattr(self.schedule, "formula", None)
        self.schedule.step()


def named(lrs) -> dict[str, np.ndarray]:
    """A learning rate a group, under PyTorch's positions."""
    return {str(group): np.array(lr, np.float64) for group, lr in enumerate(lrs)}


class Arbiter:
    """The closed form on error-carrying numbers, and room for a recursion, which rounds at most once an epoch."""

    def __init__(self, kind, hyperparameters: Mapping[str, Any]):
        self.formula = kind.ORDERS["paper"]
        self.hyperparameters = {name: weak(value) for name, value in hyperparameters.items()}

    def __call__(self, stage: str, step: int, before: Quantities) -> Bounds:
        epoch = int(before["last_epoch"]["last_epoch"]) + 1
        rates = {
            name: self.rate(before["lr"][name], base, epoch, before["base_lr"])
            for name, base in before["base_lr"].items()
        }
        count = np.array(epoch, np.float64)
        return {"last_epoch": {"last_epoch": Bounded(count, count.dtype)}, "lr": rates}

    def rate(self, lr, base_lr, epoch: int, like) -> Bounded:
        numbers = (Bounded(np.asarray(number), np.float64) for number in (lr, base_lr))
        exact = self.formula(*numbers, last_epoch=epoch, **self.hyperparameters).lr
        exact = exact if isinstance(exact, Bounded) else Bounded(np.asarray(exact), np.float64)
        double = formats.of(np.float64)
        room = max(epoch, 0) * double.unit * np.abs(exact.value) + double.smallest_subnormal
        return exact.like(exact.value, exact.error + room, exact.sure)


def weak(value: Any) -> Any:
    return Bounded.scalar(value) if isinstance(value, float) and value else value


def pair(request: Request, ours: type | None = None) -> Pair:
    """Both sides of a schedule's case, beside PyTorch's recursion if no path is asked for."""
    subject, case = request.subject, request.case
    reference, counterpart = subject.ours(), subject.theirs()
    path = counterpart.paths[0] if request.path is None else request.path
    if path not in counterpart.paths:
        raise NoSuchName(message("error.no-path", subject=subject.path, path=path))
    settings = {"last_epoch": case.last_epoch, "initial_lrs": case.initial_lrs, **case.hyperparameters}
    with handed_over():
        reference(case.lrs, **settings)
        counterpart(case.lrs, **settings)
    return Pair(
        ours=lambda: ScheduleSide(lambda: (ours or reference)(case.lrs, **settings), case),
        theirs=lambda: ScheduleSide(lambda: counterpart(case.lrs, path=path, **settings), case),
        exact=Arbiter(reference, reference(case.lrs, **settings).hyperparameters),
        lines={"lr": "lr"},
        order=("last_epoch", "base_lr", *subject.reference.EQUATIONS),
        equations=subject.reference.EQUATIONS,
        path=path,
        still=case.still,
        written_like=path if path in reference.ORDERS else "pytorch",
    )


# what somebody's own schedule may call things
EPOCH = ("epoch", "step", "t", "count", "iteration", "it", "n", "i")
RATE = (
    "lrs",
    "base_lr",
    "initial_lr",
    "lr",
    "lr0",
    "init_lr",
    "learning_rate",
    "init_value",
    "eta0",
    "initial_learning_rate",
)
OTHERS = {
    "step_size": ("step_size", "decay_steps", "transition_steps", "decay_every", "every", "period", "drop_every"),
    "gamma": ("gamma", "decay_rate", "decay", "factor", "drop", "drop_rate", "alpha"),
}


class Held:
    """The least of an optimizer that a schedule is given: groups with a learning rate."""

    def __init__(self, lrs):
        self.param_groups = [{"lr": lr, "params": []} for lr in lrs]

    def step(self) -> None:
        """A schedule may want to see it called."""


class Schedules(Family):
    """A number a group that changes with the epochs."""

    place = 2
    unit = "magnitude"
    made_of = ([1.0],)
    symbols = {"base_lr": r"\eta_0", "last_epoch": "t", "step_size": "s", "gamma": r"\gamma"}

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        return pair(request, ours)

    def replayed(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Bounds]]:
        """What a formula makes of every step of a recording."""
        arbiter = Arbiter(kind, hyperparameters)
        for step in recording.steps:
            epoch = int(step.before["last_epoch"]["last_epoch"]) + 1
            yield epoch, arbiter("epoch", epoch, step.before)

    def names_of(self, target: Any) -> dict[str, str]:
        given = inspect.signature(target).parameters
        return {name: own for name, known in OTHERS.items() for own in known if own in given}

    def recorded_by(
        self, target: Any, subject: Subject, case, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Quantities]:
        """The state before the first epoch and after each, of somebody's own schedule."""
        if case.resumed is not None or case.last_epoch != -1:
            raise TheirCode(message("note.not-resumed"))
        given = inspect.signature(target).parameters
        names = self.names_of(target)
        told = {names[name]: value for name, value in hyperparameters.items() if name in names}
        rate = next((name for name in RATE if name in given), None)
        epoch = next((name for name in EPOCH if name in given), None)
        first = named(case.lrs)
        if not inspect.isclass(target) and epoch is not None:

            def rates(count: int) -> dict[str, np.ndarray]:
                return named(target(**{epoch: count, **told, **({rate: lr} if rate else {})}) for lr in case.lrs)
        else:
            held = Held(case.lrs)
            made: Any = target
            schedule = made(held if rate is None else list(case.lrs), **told)

            def rates(count: int) -> dict[str, np.ndarray]:
                if count:
                    held.step()
                    schedule.step()
                return named(getattr(schedule, "lrs", None) or [group["lr"] for group in held.param_groups])

        yield {"last_epoch": {"last_epoch": np.array(-1.0)}, "base_lr": first, "lr": first}
        for count in range(case.steps + 1):
            yield {"last_epoch": {"last_epoch": np.array(float(count))}, "base_lr": first, "lr": rates(count)}


FAMILY = Schedules()
