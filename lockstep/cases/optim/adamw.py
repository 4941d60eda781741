"""Cases of optim.adamw."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import RUNS as OF_ANY
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("weight decay, gradients near eps", weight_decay=0.1, problem="near eps"),
    Case("weight decay that turns the parameter around", lr=0.5, weight_decay=3.0),
    # For these two the fused kernel's contracted 1 - lr·weight_decay is another float64 than the plain one.
    Case("weight decay whose product with lr rounds", lr=0.126, weight_decay=0.3),
    Case("no weight decay", weight_decay=0.0),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("amsgrad", amsgrad=True),
    Case("amsgrad, gradients shrink", amsgrad=True, problem="shrinking"),
    Case("amsgrad with weight decay", amsgrad=True, weight_decay=0.1),
    Case("betas", betas=(0.8, 0.95)),
    Case("eps", eps=1e-3),
    Case("lr change with weight decay", weight_decay=0.1, lr_at={4: 0.05, 8: 0.0}),
    Case(
        "everything at once",
        lr=0.02,
        betas=(0.7, 0.9),
        eps=1e-4,
        weight_decay=0.2,
        amsgrad=True,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    *situations(),
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-08"), eps=-1e-8),
    Bad("β₁ is 1", (ValueError, "Invalid beta parameter at index 0: 1.0"), betas=(1.0, 0.999)),
    Bad("β₂ is 1", (ValueError, "Invalid beta parameter at index 1: 1.0"), betas=(0.9, 1.0)),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad("betas are integers", (ValueError, "betas must be either both floats or both Tensors"), betas=(0, 0)),
    Bad(
        "decoupling, which AdamW always does",
        (TypeError, "AdamW.__init__() got an unexpected keyword argument 'decoupled_weight_decay'"),
        decoupled_weight_decay=False,
    ),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = [*OF_ANY, "Rosenbrock"]
GROWN = {"Rosenbrock": 200}

TRAINED = ("AdamW", {"lr": 3e-3})
