"""Cases of layers.batchnorm."""

from typing import Any

import numpy as np

from lockstep.cases.layers import BadCall, LayerCase
from lockstep.cases.notebook import Shown


def batchnorm(desc: str, shape: tuple[int, ...] = (13, 7), layer: str | None = None, **settings) -> LayerCase:
    layer = layer or ("BatchNorm2d" if len(shape) == 4 else "BatchNorm1d")
    return LayerCase(desc, layer=layer, shape=shape, num_features=shape[1], **settings)


IMAGE = (4, 3, 5, 5)
SEQUENCE = (3, 5, 17)

VARIANTS: dict[str, dict[str, Any]] = {
    "in training": {},
    "in evaluation": {"evaluate_from": 1},
    "training, then evaluation": {"steps": 6, "evaluate_from": 4},
    "not affine": {"affine": False},
    "not affine, in evaluation": {"affine": False, "evaluate_from": 1},
    "cumulative average": {"momentum": None, "steps": 6},
    "momentum a third": {"momentum": 1 / 3},
    "momentum 0": {"momentum": 0.0},
    "momentum 1": {"momentum": 1.0},
    "without running statistics": {"track_running_stats": False},
    "without running statistics, in evaluation": {"track_running_stats": False, "evaluate_from": 1},
    "neither affine nor running statistics": {"affine": False, "track_running_stats": False},
    "eps": {"eps": 1e-3},
    "eps beside a variance as small": {"eps": 1e-6, "kind": "tiny"},
    "large offset": {"kind": "large offset"},
    "large offset, in evaluation": {"kind": "large offset", "evaluate_from": 1},
    "constant": {"kind": "constant"},
    "many sizes": {"kind": "many sizes"},
}

CASES = [
    batchnorm("features"),
    batchnorm("the start PyTorch makes", fresh=True),
    *(
        batchnorm(f"{name}, {words}", shape, **settings)
        for name, shape in (("features", (64, 32)), ("sequences", SEQUENCE), ("images", IMAGE))
        for words, settings in VARIANTS.items()
    ),
    batchnorm("the notebook's worked example", (4, 2), kind="the notebook's example", fresh=True),
    batchnorm("a batch of 2", (2, 3)),
    batchnorm("a batch of 2, cumulative average, then evaluation", (2, 3), momentum=None, steps=6, evaluate_from=5),
    batchnorm("a batch of 3", (3, 16)),
    batchnorm("a batch of 1 in evaluation", (1, 7), evaluate_from=1),
    batchnorm("one feature", (13, 1)),
    batchnorm("channels on both sides of the vector width", (9, 61)),
    batchnorm("sequences of length 1", (6, 4, 1)),
    batchnorm("one sequence", (1, 5, 9)),
    batchnorm("images of one pixel", (6, 4, 1, 1)),
    batchnorm("one image", (1, 3, 7, 5)),
    batchnorm("larger images", (8, 16, 9, 7), steps=2),
    batchnorm("by the general class, features", (7, 5), layer="BatchNorm"),
    batchnorm("by the general class, images", (2, 3, 4, 5), layer="BatchNorm"),
]

# What a foreign implementation is put through besides.
EXTREMES = [
    *(
        batchnorm(f"{words}, {name}", shape, kind=kind)
        for name, shape in (("features", (13, 7)), ("images", IMAGE))
        for words, kind in (("zeros", "zeros"), ("denormal", "denormal"))
    ),
    # in float32 no digit of the variance is left beside such a mean
    *(
        batchnorm(f"a huge mean, {name}", shape, kind="huge offset", dtypes=("float64",))
        for name, shape in (("features", (13, 7)), ("images", IMAGE))
    ),
]

ONE_VALUE = "Expected more than 1 value per channel when training, got input size torch.Size({})"

BAD = [
    BadCall(
        "one value a channel",
        (ValueError, ONE_VALUE.format([1, 3])),
        layer="BatchNorm1d",
        inputs=((1, 3),),
        num_features=3,
    ),
    BadCall(
        "one value a channel, in images",
        (ValueError, ONE_VALUE.format([1, 3, 1, 1])),
        layer="BatchNorm2d",
        inputs=((1, 3, 1, 1),),
        num_features=3,
    ),
    BadCall(
        "one value a channel in evaluation, without running statistics",
        (ValueError, ONE_VALUE.format([1, 3])),
        layer="BatchNorm1d",
        inputs=((1, 3),),
        training=False,
        num_features=3,
        track_running_stats=False,
    ),
    BadCall(
        "images into BatchNorm1d",
        (ValueError, "expected 2D or 3D input (got 4D input)"),
        layer="BatchNorm1d",
        inputs=((2, 3, 4, 4),),
        num_features=3,
    ),
    BadCall(
        "features into BatchNorm2d",
        (ValueError, "expected 4D input (got 2D input)"),
        layer="BatchNorm2d",
        inputs=((2, 3),),
        num_features=3,
    ),
    BadCall(
        "other channels",
        (RuntimeError, "running_mean should contain 4 elements not 3"),
        layer="BatchNorm1d",
        inputs=((5, 4),),
        num_features=3,
    ),
    BadCall(
        "other channels, without running statistics",
        (RuntimeError, "weight should contain 4 elements not 3"),
        layer="BatchNorm1d",
        inputs=((5, 4),),
        num_features=3,
        track_running_stats=False,
    ),
]

SIZES = (2, 3, 4, 8, 16, 32, 64, 128, 256)


def batch_sizes(sides, generators, seed: int):
    """The running variance after one training step on the first n of one row of numbers.

    With momentum 1 it is what the batch alone puts there.
    """
    settings = {"num_features": 1, "momentum": 1.0}
    x = np.random.default_rng(seed).standard_normal((max(SIZES), 1)).astype(np.float32)
    kept = {side: [] for side in sides}
    for size in SIZES:
        for side, module in sides.items():
            layer = module.BatchNorm1d(**settings)
            layer.train()
            layer.forward(x[:size])
            kept[side].append(np.array(layer.buffers["running_var"][0]))
    sizes = np.array(SIZES)
    arrays = {f"batch/{side}": np.array(values) for side, values in kept.items()}
    return settings, arrays | {
        "batch/size": sizes,
        "batch/biased": np.array([x[:size].astype(np.float64).var() for size in SIZES]),
        "batch/ratio": sizes / (sizes - 1),
    }


# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = [
    "features, in training",
    "features, training, then evaluation",
    "features, large offset",
    "images, in training",
    "images, cumulative average",
    "the notebook's worked example",
]
PANEL = "normalising"  # of the report's laboratory
WALKED = {"the notebook's worked example": 2}
CLIMBED = {"features, in training": None, "images, in training": None}
CURVES = {"batch sizes": batch_sizes}
NOTEBOOK = Shown(
    "batchnorm", runs={"batchnorm": {"case": "the notebook's worked example", "dtype": "float64", "steps": 1}}
)
