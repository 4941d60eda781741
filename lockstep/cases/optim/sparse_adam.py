"""Cases of optim.sparse_adam."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES, situations

SPARSE = "rows"  # how the gradients of every trial are laid out

TRAINED = None  # the network has no sparse gradient
TRIED = {"quadratic": (100, {"lr": 0.1}), "Rosenbrock": (100, {"lr": 0.01})}

CASES = [
    Case("defaults", sparse="rows"),
    Case("lr", lr=0.1, sparse="rows"),
    Case("maximize", maximize=True, sparse="rows"),
    Case("betas", betas=(0.8, 0.95), sparse="rows"),
    Case("betas that forget at once", betas=(0.0, 0.0), sparse="rows"),
    Case("betas given as integers", betas=(0, 0), sparse="rows"),
    Case("eps", eps=1e-3, sparse="rows"),
    Case("eps beside gradients as small", eps=1e-6, problem="many sizes", sparse="rows"),
    Case("elements", sparse="elements"),
    Case("elements, tensors of every size", sparse="elements", shapes=SIZES),
    Case("rows twice, in another order", sparse="repeated"),
    Case("rows twice, tensors of every size", sparse="repeated", shapes=SIZES),
    Case("no entry from step 4 on", sparse="rows", zero_from=4),
    Case(
        "everything at once",
        lr=0.02,
        betas=(0.7, 0.9),
        eps=1e-4,
        maximize=True,
        sparse="repeated",
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    *(
        case
        for case in situations(sparse="rows")
        if "weight_decay" not in case.hyperparameters and case.hyperparameters.get("lr") != 0
        if 0.0 not in case.lr_at.values()
    ),
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is 0", (ValueError, "Invalid learning rate: 0.0"), lr=0.0),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("eps is 0", (ValueError, "Invalid epsilon value: 0.0"), eps=0.0),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-08"), eps=-1e-8),
    Bad("β₁ is 1", (ValueError, "Invalid beta parameter at index 0: 1.0"), betas=(1.0, 0.999)),
    Bad("negative β₂", (ValueError, "Invalid beta parameter at index 1: -0.1"), betas=(0.9, -0.1)),
    Bad(
        "eps and β₁ are wrong, eps comes first",
        (ValueError, "Invalid epsilon value: -1.0"),
        eps=-1.0,
        betas=(2.0, 0.999),
    ),
    Bad(
        "a misspelt name",
        (TypeError, "SparseAdam.__init__() got an unexpected keyword argument 'weight_decay'"),
        weight_decay=0.1,
    ),
]
