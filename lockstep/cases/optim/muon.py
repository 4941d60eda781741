"""Cases of optim.muon."""

from typing import Any

from lockstep.cases import Bad, Case
from lockstep.cases.optim import situations

TRAINED = None  # the network has biases, which are no matrices
WALKED = {"defaults": 6}
TRIED = None  # a library adds up products of bfloat16 in an order of its own, which no page can follow

# Small: of more numbers one is always so near the middle of two of bfloat16's that rounding decides which, and what the
# iteration makes of that has no bound. PyTorch divides the rows by the columns, so that neither is 0.
SHAPES = {"weight": (3, 2), "wide": (2, 4)}
SIZES = {"one": (1, 1), "row": (1, 3), "column": (3, 1), "square": (2, 2), "tall": (4, 2)}
LARGE = {"weight": (13, 7), "wide": (24, 96), "tall": (130, 40)}


OF_VECTORS = ("rosenbrock",)  # a quadratic function is one of many points at once: of a matrix


def matrices(desc: str, **settings: Any) -> Case:
    """A case of matrices."""
    return Case(desc, **{"shapes": SHAPES, **settings})


CASES = [
    matrices("defaults"),
    matrices("lr", lr=0.1),
    matrices("no weight decay", weight_decay=0.0),
    matrices("momentum", momentum=0.5),
    matrices("momentum is 0", momentum=0.0),
    matrices("momentum 1", momentum=1.0, still=True, weight_decay=0.0),
    matrices("no nesterov", nesterov=False),
    matrices("coefficients that leave 1 where it is", ns_coefficients=(1.875, -1.25, 0.375)),
    matrices("one iteration", ns_steps=1),
    matrices("no iteration", ns_steps=0),
    matrices("eps above every norm", eps=100.0),
    matrices("eps near every norm, gradients near eps", eps=1e-7, problem="near eps"),
    matrices("adjusted as original", adjust_lr_fn="original", shapes=SIZES),
    matrices("adjusted to AdamW", adjust_lr_fn="match_rms_adamw", shapes=SIZES),
    matrices("large matrices", shapes=LARGE, steps=4),
    matrices(
        "everything at once",
        lr=0.02,
        weight_decay=0.2,
        momentum=0.8,
        nesterov=False,
        ns_coefficients=(3.0, -3.2, 1.2),
        eps=1e-3,
        ns_steps=3,
        adjust_lr_fn="match_rms_adamw",
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    *(
        case if case.shapes == SIZES else case.replaced(shapes=SHAPES)
        for case in situations(SIZES)
        if case.problem not in OF_VECTORS
        and case.desc not in ("one tensor", "zero gradients from the start", "weight decay that leaves biases out")
    ),
    matrices("zero gradients from the start", problem="zero", weight_decay=0.0, still=True),
]

BAD = [
    Bad("negative lr", (ValueError, "Learning rate should be >= 0 but is: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Learning rate should be >= 0 but is: nan"), lr=float("nan")),
    Bad("negative momentum", (ValueError, "momentum should be >= 0 but is: -0.5"), momentum=-0.5),
    Bad("negative weight decay", (ValueError, "weight decay should be >= 0 but is: -1"), weight_decay=-1),
    Bad(
        "an adjustment that there is not",
        (ValueError, "Adjust learning rate function rms is not supported"),
        adjust_lr_fn="rms",
    ),
    Bad(
        "momentum and weight decay are wrong, momentum comes first",
        (ValueError, "momentum should be >= 0 but is: -1.0"),
        momentum=-1.0,
        weight_decay=-1.0,
    ),
    Bad("a misspelt name", (TypeError, "Muon.__init__() got an unexpected keyword argument 'mu'"), mu=0.9),
]
