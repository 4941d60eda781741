"""Cases of optim.asgd."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("lambd", lambd=0.1, lr=0.5),
    Case("lambd is 0", lambd=0.0),
    Case("alpha", alpha=0.5, lambd=0.1, lr=0.5),
    Case("alpha is 1", alpha=1.0, lambd=0.1, lr=0.5),
    Case("averaged from the start", t0=0.0),
    Case("averaged from step 5 on", t0=5.0, lr=0.1),
    Case("averaged with weight decay", t0=3.0, weight_decay=0.1, lr=0.1),
    Case("averaged, a step without gradient", t0=2.0, none_at=4, lr=0.1),
    Case("averaged, tensors of every size", t0=2.0, lr=0.1, shapes=SIZES),
    Case(
        "everything at once",
        lr=0.05,
        lambd=0.03,
        alpha=0.6,
        t0=4.0,
        weight_decay=0.2,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.1},
    ),
    Case("a tensor thawed after lr has changed", frozen=(1, 5), lr_at={4: 0.05}),
    *situations(resumed_in=("float32",)),  # its numbers are float32; PyTorch makes float64 of them
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad("a misspelt name", (TypeError, "ASGD.__init__() got an unexpected keyword argument 'lam'"), lam=0.1),
]

TRIED = {"Rosenbrock": (100, {"lr": 0.001}), "quadratic": (100, {"lr": 0.1})}
TRAINED = ("ASGD", {"lr": 0.1})
