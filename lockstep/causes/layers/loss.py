"""Causes of layers.loss."""

import numpy as np

from lockstep.cases.layers import LayerCase
from lockstep.cases.layers.loss import CLIPPED, REDUCTIONS
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

CLASSES = "CrossEntropyLoss, 10 classes, mean"
LOGITS = "BCEWithLogitsLoss, soft targets, mean"
EXTREME = "CrossEntropyLoss, extreme logits"
SATURATED = "BCELoss, probabilities of 0 and 1 in float64"

SCENARIOS = [
    *(
        Scenario(
            LayerCase(
                f"BCEWithLogitsLoss, {target} targets, {reduction}",
                layer="BCEWithLogitsLoss",
                kind="logits",
                target=target,
                reduction=reduction,
            ),
            "a loss",
        )
        for target in ("soft", "hard")
        for reduction in REDUCTIONS
    ),
    *(
        Scenario(
            LayerCase(
                f"BCEWithLogitsLoss, extreme logits, {reduction}",
                layer="BCEWithLogitsLoss",
                kind="extreme logits",
                target="hard",
                reduction=reduction,
            ),
            "extreme inputs",
        )
        for reduction in REDUCTIONS
    ),
    *(
        Scenario(
            LayerCase(
                f"CrossEntropyLoss, 10 classes, {reduction}",
                layer="CrossEntropyLoss",
                kind="logits",
                target="classes",
                shape=(33, 10),
                reduction=reduction,
            ),
            "a loss",
        )
        for reduction in REDUCTIONS
    ),
    Scenario(
        LayerCase(
            EXTREME, layer="CrossEntropyLoss", kind="extreme logits", target="classes", shape=(33, 10), saturated=True
        ),
        "extreme inputs",
    ),
    *(
        Scenario(
            LayerCase(
                f"BCELoss, {target} targets, {reduction}",
                layer="BCELoss",
                kind="probabilities",
                target=target,
                reduction=reduction,
            ),
            "a loss",
        )
        for target in ("soft", "hard")
        for reduction in REDUCTIONS
    ),
    Scenario(
        LayerCase(
            SATURATED,
            layer="BCELoss",
            kind="saturated probabilities",
            target="hard",
            dtypes=("float64",),  # in float32 the notebook's clip makes 1 - p anything
            differs=CLIPPED,
        ),
        "extreme inputs",
    ),
]


def per_class(id: str, formula: str, seen: str = "", reduction: str = "mean", **edits) -> list[Cause]:  # noqa: A002
    """The same of the loss of logits and of that of classes."""
    return [
        Cause(
            id=id,
            variant=layer,
            layer=layer,
            formula=formula,
            seen=seen,
            shows=shows.replace("mean", reduction),
            first=First(1, "loss" if "lines" in edits else "dz"),
            **edits,
        )
        for layer, shows in (("CrossEntropyLoss", CLASSES), ("BCEWithLogitsLoss", LOGITS))
    ]


# above a half 1 - p is exact, which log1p says: a bound of log(1 - p) has to know it
LOG_OF_REST = "np.where(p > 0.5, np.log1p(-np.where(p < 1, p, 0)), np.log(np.where(p < 1, 1 - p, 1)))"
PYTORCH_LOGS = (
    "-(t * np.where(p > 0, np.maximum(np.log(np.where(p > 0, p, 1)), -lowest), -lowest)"
    f" + (1 - t) * np.where(p < 1, np.maximum({LOG_OF_REST}, -lowest), -lowest))"
)
PYTORCH_SLOPE = "dlosses * (p - t) / np.maximum(p * (1 - p), floor)"
HELD = float(np.float32(1e-12))  # PyTorch's floor of p(1 - p)


def of_probabilities(id: str, variant: str, formula: str, free: dict[str, float], **edits) -> Cause:  # noqa: A002
    """A way to keep the logarithms of BCELoss finite that is not PyTorch's."""
    told = {"shows": SATURATED, "first": First(1, "loss"), **edits}
    return Cause(id=id, variant=variant, words="bce", layer="BCELoss", formula=formula, free=free, **told)


UNSHIFTED = "0 * z.max(axis=1, keepdims=True)"
CLIPPED_PROBABILITY = r"\hat p = \min(\max(p, c),\, 1 - c)"
OF_PROBABILITIES = [
    of_probabilities(
        "slope-floor",
        "1e-12",
        r"s = \max(p\,(1 - p),\, c)",
        {"floor": 1e-12},
        lines={"losses": PYTORCH_LOGS.replace("lowest", "100")},
        backward={"dp": PYTORCH_SLOPE},
        first=First(1, "dp"),
    ),
    of_probabilities(
        "logarithm-floor",
        "-50",
        r"\log p \ge -c",
        {"lowest": 50.0},
        lines={"losses": PYTORCH_LOGS},
        backward={"dp": PYTORCH_SLOPE.replace("floor", repr(HELD))},
    ),
    of_probabilities(
        "logarithm-of-zero",
        "the slope has a floor, 1e-12",
        r"\log 0 = -\infty",
        {"floor_alone": 1e-12},
        lines={"losses": "-(np.where(t > 0, t * np.log(p), 0) + np.where(t < 1, (1 - t) * np.log(1 - p), 0))"},
        backward={"dp": PYTORCH_SLOPE.replace("floor", "floor_alone")},
    ),
    of_probabilities(
        "logarithm-of-zero",
        "the slope is PyTorch's",
        r"\log 0 = -\infty",
        {},
        lines={"losses": "-(t * np.log(p) + (1 - t) * np.log(1 - p))"},
        backward={"dp": PYTORCH_SLOPE.replace("floor", repr(HELD))},
    ),
    of_probabilities(
        "logarithm-of-zero",
        "",
        r"\log 0 = -\infty",
        {},
        lines={"losses": "-(t * np.log(p) + (1 - t) * np.log(1 - p))", "p_hat": "p + 0", "q_hat": "1 - p"},
    ),
    of_probabilities(
        "probabilities-clipped",
        "1e-15",
        CLIPPED_PROBABILITY,
        {"low": 1e-15},
        lines={"p_hat": "np.clip(p, low, 1 - low)", "q_hat": "1 - p_hat"},
        seen="vedant-maheshwari/custom_nn, JBratvold/TrafficController",
    ),
    of_probabilities(
        "probabilities-clipped",
        "by torch.clamp, 1e-07",
        CLIPPED_PROBABILITY,
        {"low_inside": 1e-7},
        lines={"p_hat": "np.clip(p, low_inside, 1 - low_inside)", "q_hat": "1 - p_hat"},
        backward={"dp": "np.where((p >= low_inside) & (p <= 1 - low_inside), was, 0)"},
    ),
    of_probabilities(
        "probabilities-clipped",
        "in the loss alone, 1e-07",
        CLIPPED_PROBABILITY,
        {"low_there": 1e-7},
        lines={"p_hat": "np.clip(p, low_there, 1 - low_there)", "q_hat": "1 - p_hat"},
        backward={"dp": PYTORCH_SLOPE.replace("floor", repr(HELD))},
    ),
    of_probabilities(
        "probabilities-clipped",
        "each logarithm's, 1e-12",
        r"\hat p = \max(p, c), \quad \hat q = \max(1 - p, c)",
        {"low_of_each": 1e-12},
        lines={"p_hat": "np.maximum(p, low_of_each)", "q_hat": "np.maximum(1 - p, low_of_each)"},
    ),
    of_probabilities(
        "added-before-logarithm",
        "to probabilities, 1e-08",
        r"\log (p + c), \quad \log (1 - p + c)",
        {"added": 1e-8},
        lines={"p_hat": "p + added", "q_hat": "1 - p + added"},
    ),
    of_probabilities(
        "slope-missing",
        "",
        r"\partial p_i = \partial l_i\,(p_i - t_i)",
        {},
        lines={"losses": PYTORCH_LOGS.replace("lowest", "100")},
        backward={"dp": "dlosses * (p - t)"},
        seen="MBELSABAH/activation-gradient-flow",
        shows="BCELoss, hard targets, mean",
        first=First(1, "dp"),
    ),
    of_probabilities(
        "slope-missing",
        "clipped, 1e-08",
        r"\partial p_i = \partial l_i\,(p_i - t_i)",
        {"low": 1e-8},
        lines={"p_hat": "np.clip(p, low, 1 - low)", "q_hat": "1 - p_hat"},
        backward={"dp": "dlosses * (p - t)"},
        seen="MBELSABAH/activation-gradient-flow",
        shows="BCELoss, hard targets, mean",
        first=First(1, "dp"),
    ),
]

CAUSES = table(
    "layers.loss",
    SCENARIOS,
    [
        *OF_PROBABILITIES,
        Cause(
            id="probabilities-clipped",
            variant="1e-07",
            layer="CrossEntropyLoss",
            lines={"log_p": "np.log(np.clip(e / total, low, 1 - low))"},
            backward={"p": "np.clip(was, low, 1 - low)"},
            free={"low": 1e-7},
            formula=r"\log p_{ik} = \log \min(\max(e_{ik} / Z_i, c),\, 1 - c)",
            seen="nnfs",
            shows=EXTREME,
        ),
        Cause(
            id="probabilities-clipped",
            variant="forward alone, 1e-07",
            words="forward",
            layer="CrossEntropyLoss",
            lines={"log_p": "np.log(np.clip(e / total, low_there, 1 - low_there))"},
            free={"low_there": 1e-7},
            formula=r"\log p_{ik} = \log \min(\max(e_{ik} / Z_i, c),\, 1 - c)",
            seen="nnfs",
            shows=EXTREME,
        ),
        Cause(
            id="added-before-logarithm",
            variant="1e-09",
            layer="CrossEntropyLoss",
            lines={"log_p": "np.log(e / total + added)"},
            free={"added": 1e-9},
            formula=r"\log p_{ik} = \log (e_{ik} / Z_i + c)",
            seen="msmrexe",
            shows=EXTREME,
        ),
        *(
            Cause(
                id="label-smoothing-on",
                variant=variant,
                layer="CrossEntropyLoss",
                lines={"losses": f"(1 - {share}) * was - {share} * ({others}) / {count}"},
                backward={
                    "dz": "dlosses.reshape(-1, 1) * "
                    f"(p - np.where({chosen}, {there}, {share} / {count}).astype(p.dtype))"
                },
                free={share: 0.1},
                formula=r"l_i = -\sum_k q_{ik} \log p_{ik}",
                seen=seen,
                shows=CLASSES,
            )
            for chosen in ["np.arange(z.shape[1]) == t[:, None]"]
            for variant, share, others, there, count, seen in (
                (
                    "0.1 over all",
                    "smoothing",
                    "log_p.sum(axis=1)",
                    "1 - smoothing + smoothing / z.shape[1]",
                    "z.shape[1]",
                    "",
                ),
                (
                    "0.1 over the others",
                    "smoothing_of_others",
                    "log_p.sum(axis=1) + was",
                    "1 - smoothing_of_others",
                    "max(z.shape[1] - 1, 1)",
                    "eladhoffer/utils.pytorch#4",
                ),
            )
        ),
        Cause(
            id="maximum-not-subtracted",
            layer="CrossEntropyLoss",
            lines={"z_max": UNSHIFTED},
            formula=r"s_{ik} = z_{ik}",
            seen="numenta/nupic-legacy#3818, deeplearning4j/deeplearning4j#6039",
            shows=EXTREME,
        ),
        *(
            Cause(
                id=id,
                variant=variant,
                words=words,
                layer="CrossEntropyLoss",
                lines=lines,
                backward=backward,
                formula=formula,
                shows=EXTREME,
            )
            for id, variant, words, lines, backward, formula in (  # noqa: A001
                (
                    "maximum-not-subtracted",
                    "the way back by the logarithm",
                    "",
                    {"z_max": UNSHIFTED},
                    {"p": "np.exp(lines.log_p)"},
                    r"s_{ik} = z_{ik}",
                ),
                (
                    "maximum-not-subtracted",
                    "the logarithm of a quotient",
                    "",
                    {"z_max": UNSHIFTED, "log_p": "np.log(e / total)"},
                    {},
                    r"\log p_{ik} = \log (e_{ik} / Z_i), \quad s_{ik} = z_{ik}",
                ),
                (
                    "logarithm-of-zero",
                    "of softmax",
                    "softmax",
                    {"log_p": "np.log(e / total)"},
                    {},
                    r"\log p_{ik} = \log (e_{ik} / Z_i)",
                ),
            )
        ),
        *per_class(
            "gradient-not-averaged",
            r"\partial l_i = \partial L",
            seen="crysx_nn#7",
            backward={"dlosses": "dloss"},
        ),
        *per_class(
            "summed-for-averaged",
            r"L = \sum_i l_i",
            lines={"loss": "losses if reduction == 'none' else losses.sum()"},
            backward={"dlosses": "dloss"},
        ),
        *per_class(
            "averaged-over-all-numbers",
            r"L = \tfrac{1}{n k} \sum_i l_i",
            lines={"loss": "losses.sum() / z.size if reduction == 'mean' else was"},
            backward={"dlosses": "dloss / z.size if reduction == 'mean' else dloss"},
        )[:1],
        *per_class(
            "averaged-over-rows",
            r"L = \tfrac1n \sum_i l_i",
            lines={"loss": "losses.sum() / z.shape[0] if reduction == 'mean' else was"},
            backward={"dlosses": "dloss / z.shape[0] if reduction == 'mean' else dloss"},
        )[1:],
        *per_class(
            "averaged-whatever-the-reduction",
            r"\partial l_i = \tfrac1n\,\partial L",
            seen="aprender#2182",
            reduction="sum",
            backward={"dlosses": "dloss / z.shape[0]"},
        )[:1],
        *per_class(
            "averaged-whatever-the-reduction",
            r"\partial l_i = \tfrac1n\,\partial L",
            seen="aprender#2182",
            reduction="sum",
            backward={"dlosses": "dloss / z.size"},
        )[1:],
    ],
    line="loss",
)
