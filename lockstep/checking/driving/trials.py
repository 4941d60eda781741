"""What an implementation is put through, so that a latent cause has nowhere to hide."""

import dataclasses
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.cases import Case
from lockstep.causes.cause import Scenario
from lockstep.causes.saved import RESUMED
from lockstep.causes.tables import scenarios as of_causes
from lockstep.errors import NoSuchName
from lockstep.subjects.subject import Subject
from lockstep.text import message

SIZES = {"one": (1,), "seven": (7,), "twin": (7,), "prime": (61,), "cube": (3, 2, 5), "image": (2, 3, 4, 5)}
MANY = {f"tensor {number}": (3,) for number in range(24)} | {"large": (71, 73)}


RESUMING: dict[str, dict[str, Any]] = {
    "stopped and gone on with": {},
    "stopped and gone on with, lr changed before": {"lr_at": {3: 0.02}},
}


class Trial(NamedTuple):
    """A scenario, and what an implementation must take for it to be tried.

    needs: hyperparameters that have to be settable, or the trial says nothing. flag: a hyperparameter whose
    effect the trial is there for; it is run without it, too. mishap: "missing gradient", "lr change", "scalar",
    "empty", "strided", "reused", "resumed" or "tied", which an implementation may be unable to take. defaults: nothing
    but lr is passed. extreme: it is far out, or large, and no search is made on it. once: the first dtype tells all
    there is.
    """

    scenario: Scenario
    needs: tuple[str, ...] = ()
    flag: str = ""
    mishap: str = ""
    defaults: bool = False
    extreme: bool = False
    once: bool = False

    @property
    def name(self) -> str:
        return self.scenario.name

    @property
    def case(self) -> Any:
        return self.scenario.case


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a check is asked for.

    settings: hyperparameters under PyTorch's names, in all scenarios. dtypes: the first decides how the target is
    driven. only: the name of one scenario; all if None. seed: of the random numbers. on_scenario: called before each
    with its name, its number and how many there are.
    """

    settings: Mapping[str, Any]
    dtypes: tuple[str, ...]
    only: str | None = None
    seed: int = 0
    on_scenario: Callable[[str, int, int], Any] | None = None

    def of(self, known: list[Trial]) -> list[Trial]:
        """Those of a subject's trials that are asked for.

        Raises:
            NoSuchName: where there is none of that name.
        """
        tried = [trial for trial in known if self.only is None or trial.name == self.only]
        if not tried:
            there = "; ".join(trial.name for trial in known)
            raise NoSuchName(message("error.no-scenario", name=self.only, known=there))
        return tried

    def measured(self, own: Mapping[str, Any]) -> "Wanted":
        """The same, of an implementation that goes by values it has no name for; what is asked for comes first."""
        return dataclasses.replace(self, settings={**own, **self.settings})

    def each(self, tried: list[Trial]) -> Iterator[tuple[str, Trial]]:
        """One trial in one dtype after the other."""
        pairs = [
            (dtype, trial)
            for dtype in self.dtypes
            for trial in tried
            if dtype in trial.case.dtypes and not (trial.once and dtype != self.dtypes[0])
        ]
        for place, (dtype, trial) in enumerate(pairs):
            if self.on_scenario:
                self.on_scenario(f"{trial.name}, {dtype}", place, len(pairs))
            yield dtype, trial


def trial(desc: str, *, needs: tuple[str, ...] = (), flag: str = "", mishap: str = "", **settings: Any) -> Trial:
    chosen: dict[str, Any] = {"steps": 8, **settings}
    return Trial(Scenario(Case(desc, **chosen)), needs or ((flag,) if flag else ()), flag, mishap)


def extreme(desc: str, *, needs: tuple[str, ...] = (), mishap: str = "", steps: int = 4, **settings: Any) -> Trial:
    return trial(desc, needs=needs, mishap=mishap, steps=steps, **settings)._replace(extreme=True)


OWN_DEFAULTS = "its own defaults"
DEFAULTS = Trial(Scenario(Case(OWN_DEFAULTS, steps=6)), defaults=True)


def plain() -> list[Trial]:
    """What any optimizer is put through, with nothing but lr changed."""
    return [
        trial("normal gradients", lr=0.1),
        trial("gradients near eps", problem="near eps"),
        trial("gradients of many sizes", problem="many sizes"),
        trial("sparse gradients", problem="sparse"),
        trial("gradients shrink", problem="shrinking"),
        trial("zero gradients from step 4 on", zero_from=4, lr=0.1),
        trial("odd sizes", shapes=SIZES, steps=4, lr=0.1),
        trial("a scalar", mishap="scalar", shapes={"scalar": ()}, steps=4, lr=0.1),
        trial("sixty steps", steps=60, shapes={"weight": (3, 5)}, lr=0.1),
        trial("lr changes", mishap="lr change", lr=0.1, lr_at={4: 0.01, 6: 0.2}),
        trial("a step without gradient", mishap="missing gradient", none_at=3),
        *(
            trial(desc, mishap="resumed", shapes=dict.fromkeys("dbca", (3, 4)), resumed=RESUMED, lr=0.1, **changed)
            for desc, changed in RESUMING.items()
        ),
        extreme("gradients huge and tiny", problem="huge and tiny", lr=10.0),
        extreme("infinite gradients and NaN", problem="not finite at step 4", lr=0.1),
        extreme("many tensors, many elements", shapes=MANY, steps=3, lr=1e-7),
        extreme("an empty tensor", mishap="empty", shapes={"weight": (2, 3), "empty": (0,)}, steps=2, lr=0.1),
        extreme("arrays that are not contiguous", mishap="strided", lr=0.1),
        extreme("gradients in the same arrays again", mishap="reused", lr=0.1),
        extreme("three hundred steps", steps=300, shapes={"weight": (2,)}, lr=0.01)._replace(once=True),
        trial("tied parameters", mishap="tied", shapes={"weight": (13, 7)}, steps=2, lr=0.1),
    ]


DECAY = [
    trial("weight decay", flag="weight_decay", lr=0.1, weight_decay=0.1),
    trial(
        "weight decay, a step without gradient",
        needs=("weight_decay",),
        mishap="missing gradient",
        lr=0.1,
        weight_decay=0.1,
        none_at=3,
    ),
    trial(
        "weight decay, lr changes",
        needs=("weight_decay",),
        mishap="lr change",
        lr=0.1,
        weight_decay=0.1,
        lr_at={4: 0.01},
    ),
    extreme("a little weight decay, odd sizes", needs=("weight_decay",), shapes=SIZES, weight_decay=1e-4, lr=0.1),
    extreme(
        "weight decay of a scalar",
        needs=("weight_decay",),
        mishap="scalar",
        shapes={"scalar": ()},
        weight_decay=0.1,
        lr=0.1,
    ),
]
BETAS = [
    trial("betas", flag="betas", betas=(0.8, 0.95), lr=0.1),
    extreme("betas of 0 and nearly 1", needs=("betas",), betas=(0.0, 0.99999), lr=0.1),
]
EPS = [
    trial("eps", flag="eps", problem="many sizes", eps=1e-4),
    trial("eps beside gradients as small", needs=("eps",), problem="near eps", eps=1e-6),
    extreme("eps is 0", needs=("eps",), eps=0.0, lr=0.1),
]


def with_momentum(desc: str, *options: str, **settings: Any) -> Trial:
    chosen: dict[str, Any] = {"momentum": 0.9, "lr": 0.1, **settings}
    return trial(desc, needs=("momentum", *options), **chosen)


MOMENTUM = [
    with_momentum("momentum", flag="momentum"),
    with_momentum("momentum, lr changes", mishap="lr change", lr_at={4: 0.01, 6: 0.2}),
    with_momentum("momentum, weight decay", "weight_decay", weight_decay=0.1),
    with_momentum("momentum, a step without gradient", mishap="missing gradient", none_at=3),
    with_momentum("momentum, gradients in the same arrays again", mishap="reused")._replace(extreme=True),
    with_momentum("dampening", "dampening", flag="dampening", dampening=0.5),
    with_momentum("nesterov", "nesterov", flag="nesterov", nesterov=True),
    with_momentum("nesterov, lr changes", "nesterov", mishap="lr change", nesterov=True, lr_at={4: 0.01}),
]
OPTIONS = [
    *BETAS,
    trial("alpha", flag="alpha", alpha=0.9, lr=0.1),
    *EPS,
    *DECAY,
    *MOMENTUM,
    trial("lr decay", flag="lr_decay", lr_decay=0.5, lr=0.1),
    trial("initial accumulator", flag="initial_accumulator_value", initial_accumulator_value=0.1, lr=0.1),
    trial("centered", flag="centered", centered=True, lr=0.1),
    trial("centered, gradients near eps", needs=("centered",), problem="near eps", centered=True),
    trial("amsgrad, gradients shrink", flag="amsgrad", problem="shrinking", amsgrad=True),
    trial("amsgrad, sparse gradients", flag="amsgrad", problem="sparse", amsgrad=True),
    trial("maximize", flag="maximize", maximize=True, lr=0.1),
]


def trials(subject: Subject, layer: str = "") -> list[Trial]:
    """The designed set of a subject, or of one of its classes, the plainest first.

    For an optimizer: what any is put through, and each of its options by itself.
    """
    if subject.family.recorded != "steps":
        return layer_trials(subject, layer)
    own = options(subject)
    every = (*plain(), *own, *two_at_once(own, subject), DEFAULTS)
    return [one for one in (fitted(one, subject) for one in every) if not refused(one, subject)]


def fitted(trial: Trial, subject: Subject) -> Trial:
    """The trial with a case as the subject can take it."""
    case = subject.family.settled(subject, trial.case)
    return trial._replace(scenario=trial.scenario._replace(case=case))


def refused(one: Trial, subject: Subject) -> bool:
    """Whether PyTorch refuses what a trial sets."""
    try:
        subject.ours()({name: np.zeros(shape) for name, shape in one.case.shapes.items()}, **one.case.hyperparameters)
    except ValueError:
        return True
    return False


def options(subject: Subject) -> list[Trial]:
    """A trial for each of the options that many optimizers have, and the first case that sets one of the others."""
    known = {name: parameter.default for name, parameter in inspect.signature(subject.ours()).parameters.items()}
    many = [option for option in OPTIONS if takes(known, option)]
    tried = {"lr", *(name for option in many for name in option.needs)}
    for case in subject.cases.CASES:
        new = [name for name in case.hyperparameters if name not in tried]
        if len(new) == 1:
            tried.update(new)
            many.append(Trial(Scenario(case.replaced(steps=8)), tuple(case.hyperparameters), new[0]))
    return many


def two_at_once(own: list[Trial], subject: Subject) -> list[Trial]:
    """A trial for every two options that are off unless they are asked for: one may be done where the other is not."""
    known = {name: one.default for name, one in inspect.signature(subject.ours()).parameters.items()}
    first = {one.flag: one for one in reversed(own) if one.flag and (one in DECAY or not known[one.flag])}
    together: list[Trial] = []
    for one, other in itertools.combinations(reversed(first.values()), 2):
        case = one.case.replaced(desc=f"{one.name}, {other.name}", steps=4, **other.case.hyperparameters)
        needs = tuple(dict.fromkeys((*one.needs, *other.needs)))
        if not any(set(needs) == set(trial.needs) for trial in own):
            together.append(Trial(Scenario(case, "two options at once"), needs))
    return together


def takes(known: Mapping[str, Any], one: Trial) -> bool:
    """Whether an optimizer of these defaults has what a trial sets: a number where it sets one, a pair for a pair."""
    values = {name: one.case.hyperparameters[name] for name in one.needs}
    return all(name in known and isinstance(known[name], tuple) == isinstance(values[name], tuple) for name in values)


def layer_trials(subject: Subject, layer: str = "") -> list[Trial]:
    """Those of the catalogue, then every case of the class there is something to compare in; and its own defaults.

    Of a subject that says which (`CHECKED`, with formats), those alone.

    Arguments:
        layer: the class; all of the subject's if it is left out, and of one that others specialise theirs, too.
    """
    known = {scenario.case.desc: scenario for scenario in of_causes(subject)}
    cases = [*subject.cases.CASES, *getattr(subject.cases, "EXTREMES", ())]
    known = known | {case.desc: Scenario(case) for case in cases if case.desc not in known}
    chosen: Mapping[str, tuple[str, ...]] | None = getattr(subject.cases, "CHECKED", None)
    if chosen is not None:
        known = {
            desc: known[desc]._replace(case=known[desc].case.replaced(dtypes=dtypes)) for desc, dtypes in chosen.items()
        }
    of_class: list[Trial] = [
        Trial(scenario)
        for scenario in known.values()
        if (not layer or vars(scenario.case)["layer"].startswith(layer)) and not scenario.case.still
    ]
    first = of_class[0].case.replaced(desc=OWN_DEFAULTS)
    return [*of_class, Trial(Scenario(first), defaults=True)]
