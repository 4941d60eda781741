"""Cases of loop.training: each piece by itself, and all of them together."""

from typing import Any

from lockstep.cases.loop import Loop

SMALL = {"weight": (4, 3), "bias": (3,)}
ALL: dict[str, Any] = {
    "momentum": 0.9,
    "accumulation": 4,
    "scale": 1024.0,
    "max_norm": 0.125,
    "gamma": 0.5,
    "decay": 0.9,
}

# One for each piece, which the causes are told apart by as well.
PIECES = [
    Loop("a plain loop", shapes=SMALL, base_lr=0.1),
    Loop("gradients that are too long", shapes=SMALL, base_lr=0.1, max_norm=0.125),
    Loop("gradients that are short enough", shapes=SMALL, base_lr=0.1, max_norm=100.0),
    Loop("gradients hardly too long", shapes=SMALL, base_lr=1024.0, max_norm=2.0**-13, scale_of=2.0**-10),
    Loop("several decays", shapes={"weight": (3,)}, base_lr=0.1, step_size=4, gamma=0.3, steps=20),
    Loop("several batches a step", shapes=SMALL, base_lr=0.1, accumulation=4, steps=4),
    Loop("unequal batches", shapes=SMALL, base_lr=0.1, accumulation=3, samples=(4, 4, 1), steps=4),
    Loop("a scaled loss", shapes=SMALL, base_lr=0.1, scale=1024.0, max_norm=0.125, steps=4),
    Loop("a scaled loss, nothing clipped", shapes=SMALL, base_lr=0.1, scale=1024.0, steps=4),
    Loop("an average of parameters", shapes=SMALL, base_lr=0.1, decay=0.9),
    Loop("with momentum, several decays", shapes=SMALL, base_lr=0.1, momentum=0.9, gamma=0.3),
    Loop("several batches a step, too long", shapes=SMALL, base_lr=0.1, accumulation=3, max_norm=0.125, steps=4),
]

CASES = [
    *PIECES,
    Loop("with momentum", base_lr=0.1, momentum=0.9),
    Loop("everything at once", base_lr=0.1, steps=8, **ALL),
]

BAD = []

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["a plain loop", "everything at once"]
WALKED = {"everything at once": 3}
CLIMBED = {"everything at once": None}
