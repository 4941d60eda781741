"""Cases of optim.adadelta."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("rho", rho=0.95),
    Case("rho is 0", rho=0.0),
    Case("rho is 1", rho=1.0),
    Case("rho with weight decay", rho=0.5, weight_decay=0.1),
    Case("eps", eps=1e-3),
    Case("eps is small", eps=1e-12),
    Case("eps beside squares as small", eps=1e-12, problem="many sizes"),
    Case("weight decay, gradients near eps", weight_decay=0.1, problem="near eps"),
    Case(
        "everything at once",
        lr=0.5,
        rho=0.7,
        eps=1e-4,
        weight_decay=0.2,
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
    Bad("negative rho", (ValueError, "Invalid rho value: -0.1"), rho=-0.1),
    Bad("rho is above 1", (ValueError, "Invalid rho value: 1.1"), rho=1.1),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-06"), eps=-1e-6),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad("rho and eps are wrong, rho comes first", (ValueError, "Invalid rho value: 2.0"), rho=2.0, eps=-1.0),
    Bad("a misspelt name", (TypeError, "Adadelta.__init__() got an unexpected keyword argument 'decay'"), decay=0.9),
]

TRIED = {"Rosenbrock": (100, {"lr": 1.0}), "quadratic": (100, {"lr": 1.0})}
TRAINED = ("Adadelta", {"lr": 1.0})
