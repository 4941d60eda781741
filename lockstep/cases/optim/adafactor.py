"""Cases of optim.adafactor."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES as ANY
from lockstep.cases.optim import situations

# PyTorch divides by the root of the number of elements, and that of an empty tensor is 0.
SIZES = {name: shape for name, shape in ANY.items() if 0 not in shape} | {"row": (1, 7), "column": (7, 1)}

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("lr above every ρ", lr=2.0),
    Case("lr above ρ from step 4 on", lr=0.5),
    Case("weight decay", weight_decay=0.1),
    Case("weight decay without lr", weight_decay=0.1, lr=0.0, still=True),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("beta2 decay", beta2_decay=-0.3),
    Case("beta2 decay is 0", beta2_decay=0.0),
    Case("beta2 decay on the edge of lerp's two forms", beta2_decay=-0.5, steps=6),
    Case("d", d=3.0),
    Case("d, gradients grow", d=1.5, problem="growing"),
    Case("eps", eps=(1e-3, 1e-2)),
    Case("eps₁ of the paper", eps=(1e-30, 1e-3)),
    Case("eps₁ of the paper, gradients near eps", eps=(1e-30, 1e-3), problem="near eps"),
    Case("eps is 0", eps=(0.0, 0.0)),
    Case("eps₁ beside gradients as small", eps=(1e-6, 1e-3), problem="near eps"),
    Case("eps₂ above the size of every tensor", eps=(None, 10.0), lr=1e-3),
    Case("vectors and numbers", shapes={"bias": (61,), "scale": ()}),
    Case("matrices of matrices", shapes={"image": (2, 3, 4, 5), "stack": (3, 13, 7)}),
    Case("one row, one column", shapes={"row": (1, 61), "column": (61, 1)}),
    Case("a long matrix", shapes={"weight": (40, 130)}, steps=6),
    Case(
        "everything at once",
        lr=0.05,
        beta2_decay=-0.6,
        eps=(1e-4, 1e-2),
        d=1.2,
        weight_decay=0.2,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.1},
    ),
    *situations(SIZES),
]

BAD = [
    Bad("negative lr", (ValueError, "Learning rate should be >= 0 but is: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Learning rate should be >= 0 but is: nan"), lr=float("nan")),
    Bad("positive beta2 decay", (ValueError, "beta2_decay should be <= 0 but is: 0.8"), beta2_decay=0.8),
    Bad("negative eps₁", (ValueError, "epsilon1 should be >= 0 but is: -1e-30"), eps=(-1e-30, 1e-3)),
    Bad("negative eps₂", (ValueError, "epsilon2 should be >= 0 but is: -0.001"), eps=(None, -1e-3)),
    Bad("d below 1", (ValueError, "Clipping threshold d should be >= 1 but is: 0.5"), d=0.5),
    Bad("d is NaN", (ValueError, "Clipping threshold d should be >= 1 but is: nan"), d=float("nan")),
    Bad("negative weight decay", (ValueError, "weight_decay should be >= 0 but is: -1"), weight_decay=-1),
    Bad(
        "eps₁ and d are wrong, eps₁ comes first",
        (ValueError, "epsilon1 should be >= 0 but is: -1.0"),
        eps=(-1.0, 1e-3),
        d=0.0,
    ),
    Bad(
        "a misspelt name",
        (TypeError, "Adafactor.__init__() got an unexpected keyword argument 'clip_threshold'"),
        clip_threshold=1.0,
    ),
]

TRAINED = ("Adafactor", {"lr": 1e-2})
TRIED = {"Rosenbrock": (100, {"lr": 0.01})}  # of one point: an RMS is of all there are
LAID_OUT = (2, 1)  # the two numbers of its laboratory, so that rows and columns are kept
