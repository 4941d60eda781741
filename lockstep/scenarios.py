"""What an implementation is put through, so that a latent cause has nowhere to hide; each with its reason."""

import inspect
from typing import Any, NamedTuple

from lockstep.cases import Case
from lockstep.causes.cause import Scenario
from lockstep.causes.tables import scenarios as of_causes
from lockstep.subject import Subject, own_class

SIZES = {"one": (1,), "seven": (7,), "prime": (61,), "image": (2, 3, 4, 5)}


class Trial(NamedTuple):
    """A scenario, and what an implementation must take for it to be tried.

    needs: hyperparameters that have to be settable, or the trial says nothing. flag: a hyperparameter whose
    effect the trial is there for; it is run without it, too. mishap: "missing gradient", "lr change", "scalar" or
    "tied", which an implementation may be unable to take. defaults: nothing but lr is passed.
    """

    scenario: Scenario
    needs: tuple[str, ...] = ()
    flag: str = ""
    mishap: str = ""
    defaults: bool = False

    @property
    def name(self) -> str:
        return self.scenario.name

    @property
    def case(self) -> Any:
        return self.scenario.case


def trial(
    desc: str, why: str, *, needs: tuple[str, ...] = (), flag: str = "", mishap: str = "", **settings: Any
) -> Trial:
    chosen: dict[str, Any] = {"steps": 8, **settings}
    return Trial(Scenario(Case(desc, **chosen), why), needs or ((flag,) if flag else ()), flag, mishap)


DEFAULTS = Trial(
    Scenario(Case("its own defaults", steps=6), "what is not passed has another default than PyTorch's"), defaults=True
)


def plain() -> list[Trial]:
    """What any optimizer is put through, with nothing but lr changed."""
    return [
        trial("normal gradients", "what is wrong from the first step on, at any size", lr=0.1),
        trial("gradients near eps", "where eps stands, and how large it is", problem="near eps"),
        trial(
            "gradients of many sizes",
            "parameters small against lr, so that no ulp of theirs hides an update",
            problem="many sizes",
        ),
        trial("sparse gradients", "exact zeros: 0/0, and state that moves by itself", problem="sparse"),
        trial("gradients shrink", "a maximum that is kept, or is not", problem="shrinking"),
        trial("zero gradients from step 4 on", "what moves on by itself: momentum, the counter", zero_from=4, lr=0.1),
        trial("odd sizes", "one number, lengths that no vector divides", shapes=SIZES, steps=4, lr=0.1),
        trial("a scalar", "an array without axes", mishap="scalar", shapes={"scalar": ()}, steps=4, lr=0.1),
        trial(
            "sixty steps",
            "powers of β saturate, and what starts late has started",
            steps=60,
            shapes={"weight": (3, 5)},
            lr=0.1,
        ),
        trial(
            "lr changes",
            "a constant lr hides whether momentum carries it",
            mishap="lr change",
            lr=0.1,
            lr_at={4: 0.01, 6: 0.2},
        ),
        trial(
            "a step without gradient", "a tensor that is skipped must not move", mishap="missing gradient", none_at=3
        ),
        trial(
            "tied parameters", "one array under two names", mishap="tied", shapes={"weight": (13, 7)}, steps=2, lr=0.1
        ),
    ]


DECAY = [
    trial("weight decay", "decay 0 hides every mistake in it", flag="weight_decay", lr=0.1, weight_decay=0.1),
    trial(
        "weight decay, a step without gradient",
        "a tensor that is skipped must not decay",
        needs=("weight_decay",),
        mishap="missing gradient",
        lr=0.1,
        weight_decay=0.1,
        none_at=3,
    ),
    trial(
        "weight decay, lr changes",
        "a decay that takes lr with it, or does not",
        needs=("weight_decay",),
        mishap="lr change",
        lr=0.1,
        weight_decay=0.1,
        lr_at={4: 0.01},
    ),
]
MAXIMIZE = trial("maximize", "a sign", flag="maximize", maximize=True, lr=0.1)
AMSGRAD = [
    trial(
        "amsgrad, gradients shrink",
        "while v grows, its maximum is v",
        flag="amsgrad",
        problem="shrinking",
        amsgrad=True,
    ),
    trial("amsgrad, sparse gradients", "v falls where nothing comes", flag="amsgrad", problem="sparse", amsgrad=True),
]
BETAS = trial("betas", "a decay rate that is not the one given", flag="betas", betas=(0.8, 0.95), lr=0.1)
EPS = [
    trial("eps", "an eps that is not the one given", flag="eps", problem="many sizes", eps=1e-4),
    trial("eps beside gradients as small", "an eps of 1e-6", needs=("eps",), problem="near eps", eps=1e-6),
]
MOMENTUM: dict[str, Any] = {"momentum": 0.9, "lr": 0.1}

OWN = {
    "optim.adam": [BETAS, *EPS, *DECAY, *AMSGRAD, MAXIMIZE],
    "optim.adamw": [BETAS, *EPS, *DECAY, *AMSGRAD, MAXIMIZE],
    "optim.adagrad": [
        *EPS,
        *DECAY,
        trial("lr decay", "lr/(1 + (t-1)η): 1 at the first step", flag="lr_decay", lr_decay=0.5, lr=0.1),
        trial(
            "initial accumulator",
            "a sum that starts elsewhere",
            flag="initial_accumulator_value",
            initial_accumulator_value=0.1,
            lr=0.1,
        ),
        MAXIMIZE,
    ],
    "optim.rmsprop": [
        trial("alpha", "a decay rate that is not the one given", flag="alpha", alpha=0.9, lr=0.1),
        *EPS,
        *DECAY,
        trial("momentum", "a buffer of updates, not of gradients", flag="momentum", **MOMENTUM),
        trial(
            "momentum, lr changes",
            "a constant lr hides whether momentum carries it",
            needs=("momentum",),
            mishap="lr change",
            lr_at={4: 0.01, 6: 0.2},
            **MOMENTUM,
        ),
        trial("centered", "a variance, not a mean square", flag="centered", centered=True, lr=0.1),
        trial(
            "centered, gradients near eps", "eps under the root", needs=("centered",), problem="near eps", centered=True
        ),
        MAXIMIZE,
    ],
    "optim.sgd": [
        trial("momentum", "what the buffer is made of", flag="momentum", **MOMENTUM),
        trial(
            "momentum, lr changes",
            "a constant lr hides whether momentum carries it",
            needs=("momentum",),
            mishap="lr change",
            lr_at={4: 0.01, 6: 0.2},
            **MOMENTUM,
        ),
        *DECAY,
        trial(
            "momentum, weight decay",
            "decay inside the buffer",
            needs=("momentum", "weight_decay"),
            weight_decay=0.1,
            **MOMENTUM,
        ),
        trial(
            "momentum, a step without gradient",
            "a buffer that must stay as it is",
            needs=("momentum",),
            mishap="missing gradient",
            none_at=3,
            **MOMENTUM,
        ),
        trial(
            "dampening",
            "the first step, which is not dampened",
            flag="dampening",
            needs=("momentum", "dampening"),
            dampening=0.5,
            **MOMENTUM,
        ),
        trial(
            "nesterov",
            "which gradient the buffer is looked ahead by",
            flag="nesterov",
            needs=("momentum", "nesterov"),
            nesterov=True,
            **MOMENTUM,
        ),
        trial(
            "nesterov, lr changes",
            "the forms of Nesterov's momentum agree while lr is constant",
            needs=("momentum", "nesterov"),
            mishap="lr change",
            nesterov=True,
            lr_at={4: 0.01},
            **MOMENTUM,
        ),
        MAXIMIZE,
    ],
}


def trials(subject: Subject) -> list[Trial]:
    """The designed set of a subject, the plainest first.

    For an optimizer without a set of its own: what any is put through, and each of its options by itself.
    """
    if subject.family != "optim":
        return [Trial(scenario) for scenario in layer_scenarios(subject)]
    return [*plain(), *(OWN.get(subject.path) or options(subject)), DEFAULTS]


def options(subject: Subject) -> list[Trial]:
    """A trial for each of the options that many optimizers have."""
    known = inspect.signature(own_class(subject.reference)).parameters
    return [one for one in (BETAS, *EPS, *DECAY, *AMSGRAD, MAXIMIZE) if all(name in known for name in one.needs)]


def layer_scenarios(subject: Subject) -> list[Scenario]:
    """Those of the catalogue, or the subject's cases where it has none."""
    found = of_causes(subject)
    return found or [Scenario(case, case.desc) for case in subject.cases.CASES[:8]]
