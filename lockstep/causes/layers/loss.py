"""Causes of layers.loss."""

from lockstep.cases.layers import LayerCase
from lockstep.cases.layers.loss import REDUCTIONS
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

CLASSES = "CrossEntropyLoss, 10 classes, mean"
LOGITS = "BCEWithLogitsLoss, soft targets, mean"
EXTREME = "CrossEntropyLoss, extreme logits"

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


CAUSES = table(
    "layers.loss",
    SCENARIOS,
    [
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
            first=First(1, "loss"),
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
            first=First(1, "loss"),
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
            first=First(1, "loss"),
        ),
        Cause(
            id="maximum-not-subtracted",
            layer="CrossEntropyLoss",
            lines={"z_max": "0 * z.max(axis=1, keepdims=True)"},
            formula=r"s_{ik} = z_{ik}",
            seen="numenta/nupic-legacy#3818, deeplearning4j/deeplearning4j#6039",
            shows=EXTREME,
            first=First(1, "loss"),
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
)
