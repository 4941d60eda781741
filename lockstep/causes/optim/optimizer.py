"""Causes that any optimizer can have, stated once."""

from lockstep.cases import Case
from lockstep.causes.behaviour import missing_is_zero, steps_first_twice
from lockstep.causes.cause import Cause, First, Scenario


def situations(**hyperparameters) -> list[Scenario]:
    """The scenarios of every optimizer, under these hyperparameters."""

    def scenario(desc: str, **changed) -> Scenario:
        return Scenario(Case(desc, steps=6, **{**hyperparameters, **changed}))

    return [
        scenario("normal gradients", lr=0.1),
        scenario("gradients near eps", problem="near eps"),
        scenario("gradients of many sizes", problem="many sizes"),
        scenario("sparse gradients", problem="sparse"),
        scenario("gradients shrink", problem="shrinking"),
        scenario("weight decay", lr=0.1, weight_decay=0.1),
        scenario("a step without gradient", lr=0.1, weight_decay=0.1, none_at=3),
        scenario("lr changes", lr=0.1, lr_at={4: 0.01}),
    ]


def none_gradient_decays(line: str) -> Cause:
    """`line`: what moves first where the gradient is missing."""
    return Cause(
        id="none-gradient-decays",
        behaviour=missing_is_zero,
        formula=r"g_t = 0 \quad \text{where there is none}",
        seen="chainer/chainer#1913, pytorch/pytorch#83769",
        shows="a step without gradient",
        first=First(3, line),
    )


def tied_updated_twice(line: str) -> Cause:
    return Cause(
        id="tied-updated-twice",
        behaviour=steps_first_twice,
        formula=r"\theta_t = \text{step}(\text{step}(\theta_{t-1}))",
        seen="tinygrad, pytorch/torchrec#1298",
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
        **{"shows": "normal gradients", "first": First(1, line), **where},
    )


def lr_factor(factor: float, *, seen: str = "") -> Cause:
    return Cause(
        id="lr-value",
        variant=f"{factor:g} lr",
        arguments={"lr": "factor * lr"},
        free={"factor": factor},
        formula=rf"\theta_t = \theta_{{t-1}} - {factor:g}\,\alpha\,u_t",
        seen=seen,
        shows="normal gradients",
        first=First(1, "param"),
    )


def ascends(line: str) -> Cause:
    """`line`: the last one, with the update added instead of taken off."""
    return Cause(
        id="ascends",
        lines={"param": line},
        formula=r"\theta_t = \theta_{t-1} + \alpha\,u_t",
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
        shows="weight decay",
        first=First(1, line),
    )


def l2_twice(line: str) -> Cause:
    return Cause(
        id="l2-twice",
        lines={"d": "g + 2 * weight_decay * param if weight_decay else g"},
        formula=r"d_t = g_t + 2\lambda\,\theta_{t-1}",
        seen="Keras l2, keras-team/keras#4712",
        shows="weight decay",
        first=First(1, line),
    )


def l2_divided_by_batch(line: str) -> Cause:
    return Cause(
        id="l2-divided-by-batch",
        lines={"d": "g + weight_decay / m * param if weight_decay else g"},
        free={"m": 32},
        formula=r"d_t = g_t + \frac{\lambda}{m}\,\theta_{t-1}",
        shows="weight decay",
        first=First(1, line),
    )


def decay_beside(line: str) -> list[Cause]:
    """The other weight decays of an optimizer that adds λθ to the gradient; `line` shows it first."""
    taken_off = "was - lr * weight_decay * param if weight_decay else was"
    return [
        Cause(
            id="decoupled-for-l2",
            lines={"d": "g", "param": taken_off},
            formula=r"d_t = g_t, \quad \theta_t \leftarrow \theta_t - \alpha\lambda\,\theta_{t-1}",
            seen="Keras; borgwang/tinynn",
            words="with-lr",
            shows="weight decay",
            first=First(1, line),
        ),
        l2_and_decoupled({"param": taken_off}),
        decay_without_parameter({"d": "g + weight_decay if weight_decay else g"}, line),
    ]


def l2_and_decoupled(lines: dict[str, str], line: str = "param") -> Cause:
    return Cause(
        id="l2-and-decoupled",
        lines=lines,
        formula=r"d_t = g_t + \lambda\,\theta_{t-1}, \quad \theta_t \leftarrow \theta_t - \alpha\lambda\,\theta_{t-1}",
        seen="priyammaz/MyTorch",
        shows="weight decay",
        first=First(1, line),
    )


def decay_without_parameter(lines: dict[str, str], line: str) -> Cause:
    return Cause(
        id="decay-without-parameter",
        lines=lines,
        formula=r"\lambda \text{ in the place of } \lambda\,\theta_{t-1}",
        seen="jettify/pytorch-optimizer#454",
        shows="weight decay",
        first=First(1, line),
    )


def clipped_inside(line: str) -> Cause:
    """Each element of the gradient is clipped first; `line` shows it first."""
    return Cause(
        id="gradient-clipped",
        variant="1",
        lines={"g": "np.clip(was, -bound, bound)"},
        free={"bound": 1.0},
        formula=r"g_t \leftarrow \min(\max(g_t, -c),\, c)",
        seen="joennlae/tensorli",
        shows="normal gradients",
        first=First(1, line),
    )


def starts_at_first_square(**where) -> Cause:
    return Cause(
        id="accumulator-starts-at-first-square",
        lines={"v": "d**2 if step == 1 else was"},
        formula=r"v_1 = d_1^2",
        seen="fastai/course22p2",
        **{"shows": "normal gradients", "first": First(1, "v"), **where},
    )


def state_low_precision(*lines: str) -> Cause:
    """State held in float32 whatever the parameters are: these lines become it."""
    return Cause(
        id="state-low-precision",
        lines=dict.fromkeys(lines, "single(was)"),
        formula=", ".join(rf"\operatorname{{fl}}_{{32}}({line}_t)" for line in lines),
        seen="bitsandbytes, needle (10-414)",
        shows="normal gradients",
        first=First(1, lines[0]),
        dtypes=("float64",),
    )
