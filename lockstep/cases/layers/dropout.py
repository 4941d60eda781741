"""Cases of layers.dropout."""

from contextlib import nullcontext

import numpy as np

from lockstep.cases.layers import BadCall, LayerCase
from lockstep.cases.notebook import Shown

RATES = (0.0, 0.1, 0.3, 0.5, 0.9, 1.0)

CASES = [
    LayerCase("p = 0.5", layer="Dropout", masked=True),
    *(LayerCase(f"p = {p}, shared masks", layer="Dropout", masked=True, p=p) for p in RATES),
    *(LayerCase(f"p = {p}, evaluation", layer="Dropout", masked=True, p=p, evaluate_from=1) for p in RATES),
    LayerCase("training, then evaluation", layer="Dropout", masked=True, p=0.3, steps=6, evaluate_from=4),
    LayerCase("a third, which no binary number is", layer="Dropout", masked=True, p=1 / 3, shape=(61, 67)),
    LayerCase("an image", layer="Dropout", masked=True, p=0.2, shape=(2, 3, 5, 5)),
    LayerCase("one number", layer="Dropout", masked=True, shape=(1,), steps=20),
    LayerCase("nothing", layer="Dropout", masked=True, shape=(0, 3), still=True),
    LayerCase("large offset", layer="Dropout", masked=True, p=0.3, kind="large offset"),
    LayerCase("many sizes", layer="Dropout", masked=True, p=0.7, kind="many sizes"),
    LayerCase("zeros among the inputs", layer="Dropout", masked=True, p=0.3, kind="zeros among them"),
]

# What a foreign implementation is put through besides.
EXTREMES = [
    LayerCase("a batch of 1", layer="Dropout", masked=True, p=0.3, shape=(1, 61)),
    LayerCase("huge", layer="Dropout", masked=True, p=0.3, kind="huge"),
]

# What a layer draws by itself is counted: many calls, in the shapes in which a mask may be shared.
DRAWS = [
    *(LayerCase(f"draws, p = {p}", layer="Dropout", masked=True, p=p, shape=(32, 32), steps=64) for p in RATES),
    LayerCase("draws, images", layer="Dropout", masked=True, shape=(4, 6, 8, 8), steps=64),
]

BAD = [
    BadCall(
        f"p is {p}",
        (ValueError, f"dropout probability has to be between 0 and 1, but got {p}"),
        layer="Dropout",
        p=p,
    )
    for p in (-0.1, 1.1)
]

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
UNITS = (64, 64)
SHOWN, CORNER = 0.3, 24  # the notebook's rate; of its mask so many rows and columns are kept to be seen


def keep_rates(sides, generators, seed: int):
    """The share of the units that a training dropout keeps, each side with a generator of its own from one seed."""
    masks = {side: [mask(module.Dropout, p, generators[side](seed)) for p in SHARES] for side, module in sides.items()}
    arrays = {f"keep/{side}": np.array([kept.mean() for kept in masks[side]]) for side in sides}
    place = SHARES.index(SHOWN)
    arrays |= {f"keep/mask/{side}": masks[side][place][:CORNER, :CORNER].astype(np.uint8) for side in sides}
    same = [np.array_equal(ours, theirs) for ours, theirs in zip(*masks.values(), strict=True)]
    settings = {"units": UNITS, "p": SHOWN}
    return settings, arrays | {"keep/p": np.array(SHARES), "keep/equal": np.array(same, np.uint8)}


def mask(layer, p: float, generator) -> np.ndarray:
    """Which units a layer keeps; PyTorch's draws from the global generator, in whose place this one is put."""
    as_default = getattr(generator, "as_default", None)
    made = layer(p) if as_default else layer(p, generator=generator)
    with as_default() if as_default else nullcontext():
        made.train()
        made.forward(np.ones(UNITS, np.float32))
    return np.asarray(made.mask, np.float64)


# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["p = 0.3, shared masks", "training, then evaluation"]
PANEL = "dropping"  # of the report's laboratory
WALKED = {"p = 0.3, shared masks": 2}
CLIMBED = {}  # the paper's order is PyTorch's, to the bit
CURVES = {"keep rate": keep_rates}
NOTEBOOK = Shown("regularisation", 2)
