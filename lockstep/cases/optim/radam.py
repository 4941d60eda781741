"""Cases of optim.radam."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES, situations

# ρ passes 5 at step 6 with β₂ = 0.999, with 0.95 and with 0.9; with 0.5 never.
CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("decoupled weight decay", weight_decay=0.1, decoupled_weight_decay=True),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("maximize with decoupled weight decay", maximize=True, weight_decay=0.1, decoupled_weight_decay=True),
    Case("betas", betas=(0.8, 0.95)),
    Case("betas of which the variance is never known", betas=(0.9, 0.5)),
    Case("betas that forget at once", betas=(0.0, 0.0)),
    Case("betas on the edge of lerp's two forms", betas=(0.5, 0.9)),
    Case("eps", eps=1e-3),
    Case("eps is 0", eps=0.0),
    Case("eps beside gradients as small", eps=1e-6, problem="many sizes"),
    Case("weight decay, gradients near eps", weight_decay=0.1, problem="near eps"),
    Case("a step without gradient where the variance gets known", none_at=6),
    Case(
        "everything at once",
        lr=0.02,
        betas=(0.7, 0.9),
        eps=1e-4,
        weight_decay=0.2,
        decoupled_weight_decay=True,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    *situations(),
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-08"), eps=-1e-8),
    Bad("β₁ is 1", (ValueError, "Invalid beta parameter at index 0: 1.0"), betas=(1.0, 0.999)),
    Bad("β₂ is 1", (ValueError, "Invalid beta parameter at index 1: 1.0"), betas=(0.9, 1.0)),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad("a misspelt name", (TypeError, "RAdam.__init__() got an unexpected keyword argument 'beta'"), beta=0.9),
]

TRIED = {"Rosenbrock": (100, {"lr": 1e-4}), "quadratic": (100, {"lr": 0.1})}
TRAINED = ("RAdam", {"lr": 3e-3})
