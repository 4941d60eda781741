"""Causes that any optimizer can have, stated once."""

from lockstep.cases import Case
from lockstep.causes.behaviour import (
    keeps_one_state,
    keeps_state_by_shape,
    missing_is_zero,
    skips_zero_entries,
    skips_zero_gradients,
    steps_first_twice,
)
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


def seldom(**hyperparameters) -> list[Scenario]:
    """What brings out who skips a gradient, turns a decay around, or mixes up tensors of one shape."""
    settings = {"lr": 0.1, "steps": 6, **hyperparameters}
    zero = Case("weight decay, zero gradients from step 4 on", weight_decay=0.1, zero_from=4, **settings)
    ascent = Case("weight decay, maximize", weight_decay=0.1, maximize=True, **settings)
    twins = Case("odd sizes", shapes={"seven": (7,), "twin": (7,), "one": (1,)}, **settings)
    return [
        Scenario(zero, "zero gradients from step 4 on"),
        Scenario(ascent, "weight decay"),
        Scenario(twins),
    ]


def anyones(line: str, entries: First | None, count: str = "step") -> list[Cause]:
    """What people do to any optimizer.

    Arguments:
        line: what shows a wrong gradient first.
        entries: where it shows first that entries without a gradient are left alone; None where it does not.
        count: its counter, or "".
    """
    each, together = "np.sqrt((was * was).sum())", "norm_of_all"
    return [
        *(
            Cause(
                id="gradient-norm-clipped",
                rare=True,
                variant=variant,
                lines={"g": f"was / np.maximum(1, ({norm}) / {bound})"},
                free={bound: 1.0},
                formula=r"g_t \leftarrow g_t \min(1,\, c / \lVert g_t \rVert)",
                seen="joelouismarino/sequential_flows" if bound == "bound_of_all" else "",
                first=First(1, line),
            )
            for variant, bound, norm in (
                ("each tensor's", "bound_of_each", f"{each} + 1e-6"),
                ("each tensor's, nothing added", "bound_of_each_alone", each),
                ("of all", "bound_of_all", f"{together} + 1e-6"),
                ("of all, nothing added", "bound_of_all_alone", together),
            )
        ),
        *(
            Cause(
                id="lr-decays-inside",
                rare=True,
                variant=variant,
                arguments={"lr": text},
                free={rate: 0.99},
                formula=r"\alpha_t = \alpha\,c^{t-1}",
                seen=seen,
                first=First(step),
            )
            for variant, rate, text, seen, step in (
                ("from the second step on", "rate", "lr * rate**(updates - 1)", "", 2),
                ("from the first step on", "rate_at_once", "lr * rate_at_once**updates", "Pyro ClippedAdam", 1),
            )
        ),
        Cause(
            id="lr-decays-inside",
            rare=True,
            variant="by a fraction",
            arguments={"lr": "lr / (1 + decay * (updates - 1))"},
            free={"decay": 1e-2},
            formula=r"\alpha_t = \alpha / (1 + c\,(t - 1))",
            seen="Keras",
            first=First(2),
        ),
        Cause(
            id="lr-warms-up-inside",
            rare=True,
            arguments={"lr": "lr * np.minimum(1, updates / warm)"},
            free={"warm": 10.0},
            formula=r"\alpha_t = \alpha \min(1,\, t / n)",
        ),
        Cause(
            id="lr-decays-inside",
            rare=True,
            variant="by the root",
            arguments={"lr": "lr / np.sqrt(updates)"},
            formula=r"\alpha_t = \alpha / \sqrt t",
            first=First(2),
        ),
        Cause(
            id="zero-gradient-skipped",
            rare=True,
            variant="of a tensor",
            behaviour=skips_zero_gradients,
            formula=r"\theta_t = \theta_{t-1} \quad \text{where } g_t = 0",
            shows="weight decay, zero gradients from step 4 on",
            first=First(4, count or line),
        ),
        *(
            [
                Cause(
                    id="zero-gradient-skipped",
                    rare=True,
                    variant="entry by entry",
                    behaviour=skips_zero_entries,
                    formula=r"\theta_t = \theta_{t-1} \quad \text{where } g_t = 0",
                    seen="allenai/OLMo#636",
                    shows="sparse gradients",
                    first=entries,
                )
            ]
            if entries
            else []
        ),
    ]


def resets(*state: str) -> list[Cause]:
    """State that begins anew every so many updates; its first entry shows it first."""
    begun = {name: f"{name} * ((updates - 1) % every != 0)" for name in state}
    return [
        Cause(
            id="state-reset",
            rare=True,
            variant=variant,
            arguments=begun | counted,
            free={"every": 4},
            formula=r"m_t = v_t = 0 \quad \text{every so many steps}",
            first=First(5, "m"),
        )
        for variant, counted in (("every 4, counter too", {"step": "(step - 1) % every + 1"}), ("every 4", {}))
    ]


def shared_state(line: str, count: str = "step") -> list[Cause]:
    """State that is not each tensor's own; `line` shows it first, or the counter where there is one."""
    return [
        Cause(
            id="state-shared",
            rare=True,
            variant="by shape",
            behaviour=keeps_state_by_shape,
            formula=r"\text{one state for all tensors of a shape}",
            seen="HomebrewML/HeavyBall#11",
            shows="odd sizes",
            first=First(1, count or line),
        ),
        Cause(
            id="state-shared",
            rare=True,
            variant="the last tensor's",
            behaviour=keeps_one_state,
            formula=r"\text{one state, begun anew at another shape}",
            first=First(2, line),
        ),
    ]


def other_decays(name: str, plain: str, line: str) -> list[Cause]:
    """Decays of something else, or of some tensors alone.

    Arguments:
        name: the line that decays. plain: what it is without. line: what shows it first.
    """
    return [
        Cause(
            id="l1-for-l2",
            rare=True,
            everywhere={
                f"{rate}weight_decay * param": f"{rate}weight_decay * np.sign(param)" for rate in ("", "lr * ")
            },
            formula=r"\lambda\,\operatorname{sign} \theta_{t-1}",
            seen="PaddlePaddle L1Decay",
            shows="weight decay",
            first=First(1, line),
        ),
        *(
            Cause(
                id="decay-of-matrices-alone",
                rare=True,
                variant=variant,
                lines={name: f"was if param.ndim {which} else {plain}"},
                formula=r"\lambda = 0 \quad \text{for a vector}",
                seen=seen,
                shows="weight decay",
                first=First(1, line),
            )
            for variant, which, seen in (
                ("not vectors", "!= 1", "facebookresearch/multimodal, speechbrain"),
                ("nor scalars", "> 1", "wenjtop/image_classification"),
            )
        ),
    ]


def decay_ascends(line: str) -> Cause:
    return Cause(
        id="decay-of-the-other-sign",
        rare=True,
        lines={"d": "-grad - weight_decay * param if maximize and weight_decay else was"},
        formula=r"d_t = -(\nabla f_t + \lambda\,\theta_{t-1}) \quad \text{with maximize}",
        seen="pytorch/pytorch#149476",
        shows="weight decay, maximize",
        first=First(1, line),
    )


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
    )


def ascends(line: str) -> Cause:
    """`line`: the last one, with the update added instead of taken off."""
    return Cause(
        id="ascends",
        lines={"param": line},
        formula=r"\theta_t = \theta_{t-1} + \alpha\,u_t",
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
    """State held in float32, whatever the parameters are: these lines become it."""
    return Cause(
        id="state-low-precision",
        lines=dict.fromkeys(lines, "single(was)"),
        formula=", ".join(rf"\operatorname{{fl}}_{{32}}({line}_t)" for line in lines),
        seen="bitsandbytes, needle (10-414)",
        first=First(1, lines[0]),
        dtypes=("float64",),
    )
