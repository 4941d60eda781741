"""Somebody's own schedule, driven epoch by epoch: a function, a class, a generator, or what makes one of them."""

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from lockstep.errors import TheirCode
from lockstep.numerics.snapshot import Snapshot
from lockstep.subjects.saving import NO_WAY, goes_on
from lockstep.subjects.subject import Subject
from lockstep.text import message

Rates = Callable[[int], list[Any]]  # of every group at an epoch; asked for in order, from 0 on
GIVEN = ("lrs", "last_epoch", "initial_lrs")  # of a case, and no hyperparameters

# what somebody's own schedule may call things
EPOCH = (
    *(
        "epoch",
        "step",
        "t",
        "count",
        "iteration",
        "it",
        "n",
        "i",
        "step_num",
        "current_step",
        "cur_step",
        "global_step",
    ),
    *("epoch_num", "current_epoch", "iter_num", "x"),
)
RATE = (
    *(
        "lrs",
        "base_lr",
        "initial_lr",
        "lr",
        "lr0",
        "init_lr",
        "learning_rate",
        "init_value",
        "eta0",
        "max_lr",
        "lr_max",
    ),
    *("initial_learning_rate", "eta_max", "peak_lr", "base_value", "start_lr", "warmup_target", "peak_value"),
)
OTHERS = {
    "step_size": ("decay_steps", "transition_steps", "decay_every", "every", "period", "drop_every", "epochs_drop"),
    "gamma": ("decay_rate", "decay", "factor", "drop", "drop_rate", "alpha", "lr_decay"),
    "milestones": ("boundaries", "steps", "epochs", "decay_epochs"),
    "factor": ("warmup_factor", "start_factor", "scale"),
    "start_factor": ("warmup_factor", "init_factor", "start"),
    "end_factor": ("final_factor", "end"),
    "total_iters": (
        *("warmup_steps", "warmup_iters", "warmup_epochs", "warmup", "max_iter", "max_iters", "total_steps", "total"),
        *("transition_steps", "decay_steps", "max_steps", "T", "num_steps", "steps", "max_epochs"),
    ),
    "power": ("p", "exponent", "poly_power"),
    "T_max": (
        *("total_steps", "decay_steps", "max_steps", "total", "T", "max_iters", "epochs", "num_steps", "steps"),
        *("total_epochs", "n_epochs", "max_epochs", "lr_decay_iters"),
    ),
    "eta_min": ("min_lr", "lr_min", "final_lr", "end_value", "end_lr", "lr_end", "eta_end"),
    "T_0": ("first_cycle_steps", "first_decay_steps", "cycle", "period", "cycle_length", "T0", "t_initial"),
    "T_mult": ("cycle_mult", "t_mul", "mult", "T_mul", "m_mul"),
    "max_lr": ("lr_max", "peak_lr", "eta_max", "max_learning_rate", "maximal_learning_rate"),
    "base_lr": ("min_lr", "lr_min", "initial_learning_rate", "lower"),
    "step_size_up": ("step_size", "stepsize", "half_cycle"),
    "total_steps": ("num_steps", "total", "steps", "max_steps", "transition_steps", "T"),
    "pct_start": ("warmup_pct", "warmup_fraction", "warmup_ratio"),
    "patience": ("wait", "n_bad"),
    "threshold": ("min_delta", "epsilon", "tol", "delta"),
    "min_lr": ("lr_min", "floor"),
    "lr_lambda": ("factor", "function", "fn", "func", "lambda_fn", "lr_fn"),
}


class Held:
    """The least of an optimizer that a schedule is given: groups with a learning rate."""

    def __init__(self, lrs: list[float]) -> None:
        self.given = lrs
        self.param_groups: list[dict[str, Any]] = [
            {"lr": lr, "initial_lr": lr, "momentum": 0.0, "params": []} for lr in lrs
        ]
        self.made: Any = None  # of it
        self.lr = self.learning_rate = lrs[0]
        self.defaults: dict[str, Any] = {"lr": lrs[0], "momentum": 0.0}

    def step(self) -> None:
        """A schedule may want to see it called."""

    def momenta(self) -> list[float]:
        """Those that a schedule shows, or has set."""
        groups = [group["momentum"] for group in self.param_groups]
        return getattr(self.made, "momenta", None) or (groups if any(groups) else [])

    def rates(self) -> list[float]:
        """Those of the groups, or the one that was set on the optimizer itself."""
        groups = [group["lr"] for group in self.param_groups]
        own = [value for value in (self.lr, self.learning_rate) if value != self.defaults["lr"]]
        return own[:1] if own and len(groups) == 1 and groups == [self.defaults["lr"]] else groups


def names_of(target: Any, subject: Subject) -> dict[str, str]:
    """PyTorch's hyperparameters that it takes, each to its own name for it; no name stands for two."""
    given = inspect.signature(target).parameters
    own = [name for name in inspect.signature(subject.ours()).parameters if name not in GIVEN]
    names = {name: name for name in own if name in given}
    for name in own:
        free = [other for other in OTHERS.get(name, ()) if other in given and other not in names.values()]
        if name not in names and free:
            names[name] = free[0]
    return names


def recorded_by(target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any]) -> Iterator[Snapshot]:
    """The state before the first epoch and after each, of somebody's own schedule.

    Raises:
        TheirCode: where it cannot be driven.
    """
    if case.last_epoch != -1:
        raise TheirCode(message("note.not-resumed"))
    names = names_of(target, subject)
    told = {names[name]: value for name, value in hyperparameters.items() if name in names}
    held = Held(list(case.lrs))
    rates = driven(target, held, told, case.metrics)
    first = rates_of(case.lrs)
    start = {"last_epoch": {"last_epoch": np.array(-1.0)}, "base_lr": first, "lr": first}
    yield Snapshot(start) | case.metric(-1)
    for count in range(case.steps):
        if count + 1 == case.resumed:
            held, rates = gone_on(target, held, told, case.metrics)
        lr = rates_of(rates(count))
        if lr.keys() != first.keys():
            raise TheirCode(message("note.groups", made=len(lr), given=len(first)))
        yield (
            Snapshot({"last_epoch": {"last_epoch": np.array(float(count))}, "base_lr": first, "lr": lr})
            | ({"momentum": rates_of(held.momenta())} if held.momenta() else {})
            | case.metric(count)
        )


def gone_on(target: Any, held: Held, told: Mapping[str, Any], metrics: tuple[float, ...]) -> tuple[Held, Rates]:
    """The schedule made anew, which goes on from what it has saved, as its optimizer does.

    Raises:
        TheirCode: where there is no way to.
    """
    after = Held(list(held.given))
    rates = driven(target, after, told, metrics)
    for group, before in zip(after.param_groups, held.param_groups, strict=True):
        group.update(before)
    after.lr, after.learning_rate = held.lr, held.learning_rate
    if not goes_on(held.made, after.made):
        raise TheirCode(NO_WAY)
    return after, rates


def rates_of(lrs: Any) -> dict[str, np.ndarray]:
    return {str(group): np.array(lr, np.float64) for group, lr in enumerate(lrs)}


def driven(target: Any, held: Held, told: Mapping[str, Any], metrics: tuple[float, ...] = ()) -> Rates:
    """The learning rates that somebody's own makes, however it is written."""
    given, lrs = inspect.signature(target).parameters, held.given
    rate = next((name for name in RATE if name in given and name not in told), None)
    epoch = next((name for name in EPOCH if name in given and name not in told), None)
    settings = [{**told, **({rate: lr} if rate else {})} for lr in lrs]
    if not inspect.isclass(target) and epoch is not None:
        return scaled(lambda count: [target(**{epoch: count, **own}) for own in settings], lrs, rate)
    if inspect.isgeneratorfunction(target):
        running = [target(**own) for own in settings]
        return scaled(lambda count: [next(one) for one in running], lrs, rate)
    return of_maker(target, held, told, rate, metrics)


def of_maker(target: Callable[..., Any], held: Held, told: Mapping[str, Any], rate: str | None, metrics: Any) -> Rates:
    """What a class or a factory makes, of an optimizer, of all rates, or of each by itself."""
    lrs = held.given
    if rate == "lrs":
        return of_object(target(lrs, **told), held, metrics)
    if rate is None or takes_optimizer(inspect.signature(target).parameters, rate, told):
        own = {rate: lrs[0]} if rate else {}
        return of_object(target(held, **told, **own), held, metrics)
    made = [of_object(target(**told, **{rate: lr}), Held([lr]), metrics) for lr in lrs]
    return lambda count: [one(count)[0] for one in made]


def takes_optimizer(given: Mapping[str, Any], rate: str, told: Mapping[str, Any]) -> bool:
    """Whether its first argument is an optimizer, and no learning rate."""
    first = next(iter(given))
    return first not in (rate, *told) and given[first].default is inspect.Parameter.empty


def scaled(values: Rates, lrs: list[float], rate: str | None) -> Rates:
    """Of whatever is told no learning rate, what it makes is a factor of it, as LambdaLR takes it."""
    return values if rate else lambda count: [lr * value for lr, value in zip(lrs, values(count), strict=True)]


def of_object(made: Any, held: Held, metrics: tuple[float, ...]) -> Rates:
    """What was made: a function of the epoch, a generator, or an object that is stepped."""
    if isinstance(made, types.GeneratorType):
        return lambda count: [next(cast("Iterator[Any]", made))]
    if not hasattr(made, "step") and callable(made):
        return lambda count: [made(count)]

    held.made = made

    def stepped(count: int) -> list[Any]:
        answer = None
        if count:
            held.step()
            answer = made.step(*metrics[count - 1 : count])
        return shown(made, held, answer)

    return stepped


def shown(made: Any, held: Held, answer: Any) -> list[Any]:
    """The learning rates where an object shows them: its own, its optimizer's, or what its step answered."""
    if getattr(made, "lrs", None):
        return made.lrs
    if held.rates() != [held.defaults["lr"]] * len(held.param_groups):
        return held.rates()
    for name in ("get_last_lr", "get_lr"):
        if callable(getattr(made, name, None)):
            return listed(getattr(made, name)())
    for name in ("lr", "current_lr", "learning_rate"):
        if isinstance(getattr(made, name, None), float):
            return [getattr(made, name)]
    return held.rates() if answer is None else listed(answer)


def listed(answer: Any) -> list[Any]:
    return list(cast("Iterable[Any]", answer)) if isinstance(answer, list | tuple | np.ndarray) else [answer]
