"""Causes that any optimizer can have, stated once."""

from lockstep.cases import Case
from lockstep.causes.behaviour import missing_is_zero, steps_first_twice
from lockstep.causes.cause import Cause, First, Scenario


def situations(**hyperparameters) -> list[Scenario]:
    """The scenarios of every optimizer, under these hyperparameters."""

    def scenario(desc: str, why: str, **changed) -> Scenario:
        return Scenario(Case(desc, steps=6, **{**hyperparameters, **changed}), why)

    return [
        scenario("normal gradients", "what is wrong from the first step on, at any size", lr=0.1),
        scenario("gradients near eps", "where eps stands, and how large it is", problem="near eps"),
        scenario(
            "gradients of many sizes",
            "parameters small against lr, so that no ulp of theirs hides an update",
            problem="many sizes",
        ),
        scenario("sparse gradients", "exact zeros: 0/0, and state that moves by itself", problem="sparse"),
        scenario("gradients shrink", "a maximum that is kept, or is not", problem="shrinking"),
        scenario("weight decay", "decay 0 hides every mistake in it", lr=0.1, weight_decay=0.1),
        scenario(
            "a step without gradient",
            "a tensor that is skipped must not move, decay or count",
            lr=0.1,
            weight_decay=0.1,
            none_at=3,
        ),
        scenario("lr changes", "a constant lr hides whether momentum carries it", lr=0.1, lr_at={4: 0.01}),
    ]


def none_gradient_decays(line: str) -> Cause:
    """`line`: what moves first where the gradient is missing."""
    return Cause(
        id="none-gradient-decays",
        behaviour=missing_is_zero,
        formula=r"g_t = 0 \quad \text{where there is none}",
        seen="chainer/chainer#1913, pytorch/pytorch#83769",
        first_shows="at the first step with a missing gradient",
        fix="skip a parameter without a gradient: no update, no decay, no state, no count",
        shows="a step without gradient",
        first=First(3, line),
    )


def tied_updated_twice(line: str) -> Cause:
    return Cause(
        id="tied-updated-twice",
        behaviour=steps_first_twice,
        formula=r"\theta_t = \text{step}(\text{step}(\theta_{t-1}))",
        seen="tinygrad, pytorch/torchrec#1298",
        first_shows="at step 1, with a parameter under two names",
        fix="step each array once, whatever it is called: collect parameters by identity",
        shows="normal gradients",
        first=First(1, line),
    )


def low_precision(name: str, expression: str, line: str, **where) -> Cause:
    """A hyperparameter held in float32; `expression` rounds it, `line` shows it first in float64."""
    return Cause(
        id="hyperparameter-low-precision",
        variant=name,
        arguments={name: expression},
        formula=r"\operatorname{fl}_{32}(" + SYMBOLS[name] + ")",
        seen="Keras, Paddle",
        first_shows="at step 1: 3e-7 of an update, of one sign",
        fix=f"keep {name} in double; round it only where it meets the array",
        **{"shows": "normal gradients", "first": First(1, line), "dtypes": ("float64",), **where},
    )


SYMBOLS = {
    "lr": r"\alpha",
    "betas": r"\beta_2",
    "alpha": r"\rho",
    "momentum": r"\mu",
    "eps": r"\epsilon",
    "weight_decay": r"\lambda",
}


def other_value(name: str, value: float, line: str, *, seen: str = "", **where) -> Cause:
    """Another value of a hyperparameter than the one that was asked for."""
    return Cause(
        id=f"{name.replace('_', '-')}-value",
        variant=f"{value:g}",
        arguments={name: name},
        free={name: value},
        formula=rf"{SYMBOLS[name]} = {value:g}",
        seen=seen,
        fix=f"set {name}; frameworks differ in its default",
        **{"shows": "normal gradients", "first": First(1, line), "first_shows": "at step 1", **where},
    )


def lr_factor(factor: float, *, seen: str = "") -> Cause:
    return Cause(
        id="lr-value",
        variant=f"{factor:g} lr",
        arguments={"lr": "factor * lr"},
        free={"factor": factor},
        formula=rf"\theta_t = \theta_{{t-1}} - {factor:g}\,\alpha\,u_t",
        seen=seen,
        first_shows="at step 1, by that factor",
        fix="use the lr that was given",
        shows="normal gradients",
        first=First(1, "param"),
    )


def decay_factor(factor: float, line: str, *, seen: str = "") -> Cause:
    return Cause(
        id="weight-decay-value",
        variant=f"{factor:g} λ",
        arguments={"weight_decay": "factor * weight_decay"},
        free={"factor": factor},
        formula=rf"{factor:g}\,\lambda\,\theta_{{t-1}}",
        seen=seen,
        first_shows="at step 1, λ ≠ 0",
        fix="use the weight_decay that was given",
        shows="weight decay",
        first=First(1, line),
    )


def l2_twice(line: str) -> Cause:
    return Cause(
        id="l2-twice",
        lines={"d": "g + 2 * weight_decay * param if weight_decay else g"},
        formula=r"d_t = g_t + 2\lambda\,\theta_{t-1}",
        seen="Keras l2, keras-team/keras#4712",
        first_shows="at step 1, λ ≠ 0",
        fix="the gradient of ½λ‖θ‖² is λθ",
        note="Keras' l2(λ/2) is weight_decay=λ",
        shows="weight decay",
        first=First(1, line),
    )


def l2_divided_by_batch(line: str) -> Cause:
    return Cause(
        id="l2-divided-by-batch",
        lines={"d": "g + weight_decay / m * param if weight_decay else g"},
        free={"m": 32},
        formula=r"d_t = g_t + \frac{\lambda}{m}\,\theta_{t-1}",
        seen="the notebook",
        first_shows="at step 1, λ ≠ 0",
        fix="weight_decay is added to the gradient of the mean loss as it is",
        note="the notebook's λ is weight_decay·m, with m the number of samples",
        shows="weight decay",
        first=First(1, line),
    )
