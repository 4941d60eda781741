"""Cases of layers.loss."""

import numpy as np

from lockstep.cases.layers import BadCall, LayerCase

REDUCTIONS = ("mean", "sum", "none")
CHOICES = {"reduction": ("sum", "none")}  # what a loss that cannot be told may have decided instead
CLIPPED = "clipped"  # the message `page.known.clipped`

CASES = [
    *(
        LayerCase(f"{layer}, {target} targets, {reduction}", layer=layer, kind=kind, target=target, reduction=reduction)
        for layer, kind in (("BCELoss", "probabilities"), ("BCEWithLogitsLoss", "logits"))
        for target in ("soft", "hard")
        for reduction in REDUCTIONS
    ),
    *(
        LayerCase(f"{layer}, {words}", layer=layer, kind=kind, target="hard", shape=shape)
        for layer, kind in (("BCELoss", "probabilities"), ("BCEWithLogitsLoss", "logits"))
        for words, shape in (
            ("one number", (1,)),
            ("one column", (40, 1)),
            ("a vector and a tail", (61,)),
            ("many", (61, 67)),
        )
    ),
    LayerCase(
        "BCELoss, probabilities of 0 and 1",
        layer="BCELoss",
        kind="saturated probabilities",
        target="hard",
        differs=CLIPPED,
    ),
    *(
        LayerCase(
            f"BCEWithLogitsLoss, extreme logits, {target} targets, {reduction}",
            layer="BCEWithLogitsLoss",
            kind="extreme logits",
            target=target,
            reduction=reduction,
        )
        for target in ("soft", "hard")
        for reduction in REDUCTIONS
    ),
    *(
        LayerCase(
            f"CrossEntropyLoss, {classes} classes, {reduction}",
            layer="CrossEntropyLoss",
            kind="logits",
            target="classes",
            shape=(33, classes),
            reduction=reduction,
        )
        for classes in (1, 2, 3, 10, 16, 17, 33, 100)
        for reduction in REDUCTIONS
    ),
    *(
        LayerCase(
            f"CrossEntropyLoss, {words}",
            layer="CrossEntropyLoss",
            kind=kind,
            target="classes",
            shape=(33, 10),
            saturated=True,
        )
        for words, kind in (("extreme logits", "extreme logits"), ("logits of many sizes", "many sizes"))
    ),
    *(
        LayerCase(f"CrossEntropyLoss, {words}", layer="CrossEntropyLoss", kind=kind, target="classes", shape=shape)
        for words, kind, shape in (
            ("one sample", "logits", (1, 10)),
            ("many samples", "logits", (1000, 10)),
            ("large offset", "large offset", (33, 10)),
            ("tiny logits", "tiny", (33, 10)),
            ("equal logits", "constant", (33, 10)),
        )
    ),
]

# What a foreign implementation is put through besides.
EXTREMES = [
    *(
        LayerCase(f"CrossEntropyLoss, {words}", layer="CrossEntropyLoss", kind=kind, target="classes", shape=(33, 10))
        for words, kind in (("logits of ±1000", "far from 0"), ("zeros", "zeros"), ("denormal logits", "denormal"))
    ),
    *(
        LayerCase(f"BCEWithLogitsLoss, {words}, {target} targets", layer="BCEWithLogitsLoss", kind=kind, target=target)
        for words, kind in (("logits of ±1000", "far from 0"), ("zeros", "zeros"), ("denormal logits", "denormal"))
        for target in ("soft", "hard")
    ),
    LayerCase(
        "BCELoss, probabilities of 0 and 1, soft targets",
        layer="BCELoss",
        kind="saturated probabilities",
        target="soft",
        differs=CLIPPED,
    ),
]

PAIR = (np.full((3, 2), 0.5, np.float32), np.ones((2, 3), np.float32))
SIZES = (
    "Using a target size (torch.Size([2, 3])) that is different to the input size (torch.Size([3, 2])) is deprecated. "
    "Please ensure they have the same size."
)

BAD = [
    BadCall("BCELoss, another shape", (ValueError, SIZES), layer="BCELoss", inputs=PAIR),
    BadCall(
        "BCELoss, a probability above 1",
        (RuntimeError, "all elements of input should be between 0 and 1"),
        layer="BCELoss",
        inputs=(np.array([0.5, 1.5], np.float32), np.ones(2, np.float32)),
    ),
    BadCall(
        "BCELoss, a negative probability",
        (RuntimeError, "all elements of input should be between 0 and 1"),
        layer="BCELoss",
        inputs=(np.array([0.5, -0.1], np.float32), np.ones(2, np.float32)),
    ),
    BadCall(
        "BCELoss, a probability that is no number",
        (RuntimeError, "all elements of input should be between 0 and 1"),
        layer="BCELoss",
        inputs=(np.array([0.5, np.nan], np.float32), np.ones(2, np.float32)),
    ),
    BadCall(
        "BCEWithLogitsLoss, another shape",
        (ValueError, "Target size (torch.Size([2, 3])) must be the same as input size (torch.Size([3, 2]))"),
        layer="BCEWithLogitsLoss",
        inputs=PAIR,
    ),
    BadCall(
        "CrossEntropyLoss, another batch",
        (ValueError, "Expected input batch_size (3) to match target batch_size (2)."),
        layer="CrossEntropyLoss",
        inputs=((3, 4), np.array([0, 1])),
    ),
    BadCall(
        "CrossEntropyLoss, a class too high",
        (IndexError, "Target 4 is out of bounds."),
        layer="CrossEntropyLoss",
        inputs=((3, 4), np.array([0, 4, 1])),
    ),
    BadCall(
        "CrossEntropyLoss, a negative class",
        (IndexError, "Target -1 is out of bounds."),
        layer="CrossEntropyLoss",
        inputs=((3, 4), np.array([0, -1, 1])),
    ),
    *(
        BadCall(
            f"{layer}, an unknown reduction",
            (ValueError, "average is not a valid value for reduction"),
            layer=layer,
            inputs=(np.full((3, 2), 0.5, np.float32), target),
            reduction="average",
        )
        for layer, target in (
            ("BCELoss", np.ones((3, 2), np.float32)),
            ("BCEWithLogitsLoss", np.ones((3, 2), np.float32)),
            ("CrossEntropyLoss", np.array([0, 1, 1])),
        )
    ),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = [
    "BCELoss, soft targets, mean",
    "BCELoss, probabilities of 0 and 1",
    "BCEWithLogitsLoss, extreme logits, soft targets, mean",
    "CrossEntropyLoss, 10 classes, mean",
    "CrossEntropyLoss, large offset",
]
WALKED = dict.fromkeys(
    (
        "BCELoss, soft targets, mean",
        "BCEWithLogitsLoss, soft targets, mean",
        "CrossEntropyLoss, 10 classes, mean",
    ),
    2,
)
CLIMBED = dict.fromkeys(WALKED)
