"""Cases of optim.nadam."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("decoupled weight decay", weight_decay=0.1, decoupled_weight_decay=True),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("maximize with decoupled weight decay", maximize=True, weight_decay=0.1, decoupled_weight_decay=True),
    Case("momentum decay", momentum_decay=0.1),
    Case("momentum decay, a step without gradient", momentum_decay=0.1, none_at=3),
    Case("momentum decay is 0", momentum_decay=0.0),
    Case("momentum at once what it rises to", momentum_decay=50.0),
    Case("momentum decay with weight decay", momentum_decay=0.1, weight_decay=0.1),
    Case("betas", betas=(0.8, 0.95)),
    Case("betas that forget at once", betas=(0.0, 0.0)),
    Case("betas on the edge of lerp's two forms", betas=(0.5, 0.5)),
    Case("betas given as integers", betas=(0, 0)),
    Case("eps", eps=1e-3),
    Case("eps is 0", eps=0.0),
    Case("eps beside gradients as small", eps=1e-6, problem="many sizes"),
    Case("weight decay, gradients near eps", weight_decay=0.1, problem="near eps"),
    Case(
        "everything at once",
        lr=0.02,
        betas=(0.7, 0.9),
        eps=1e-4,
        weight_decay=0.2,
        momentum_decay=0.03,
        decoupled_weight_decay=True,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    *situations(resumed_in=("float32",)),  # its numbers are float32; PyTorch makes float64 of them
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-08"), eps=-1e-8),
    Bad("β₁ is 1", (ValueError, "Invalid beta parameter at index 0: 1.0"), betas=(1.0, 0.999)),
    Bad("negative β₂", (ValueError, "Invalid beta parameter at index 1: -0.1"), betas=(0.9, -0.1)),
    Bad("β₂ is NaN", (ValueError, "Invalid beta parameter at index 1: nan"), betas=(0.9, float("nan"))),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad("negative momentum decay", (ValueError, "Invalid momentum_decay value: -0.004"), momentum_decay=-0.004),
    Bad("momentum decay is NaN", (ValueError, "Invalid momentum_decay value: nan"), momentum_decay=float("nan")),
    Bad(
        "weight decay and momentum decay are wrong, weight decay comes first",
        (ValueError, "Invalid weight_decay value: -1.0"),
        weight_decay=-1.0,
        momentum_decay=-1.0,
    ),
    Bad(
        "a misspelt name",
        (TypeError, "NAdam.__init__() got an unexpected keyword argument 'schedule_decay'"),
        schedule_decay=0.004,
    ),
]

TRAINED = ("NAdam", {"lr": 3e-3})
