"""Cases of optim.rmsprop."""

from lockstep.cases import Bad, Case
from lockstep.cases.notebook import descent
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=1e-3),
    Case("weight decay", weight_decay=0.1),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("alpha", alpha=0.9),
    Case("alpha is 0", alpha=0.0),
    Case("eps", eps=1e-3),
    Case("momentum", momentum=0.9),
    Case("momentum with weight decay", momentum=0.1, weight_decay=0.1),
    Case("momentum, lr changes", momentum=0.9, lr_at={4: 0.05, 8: 1e-4}),
    Case("momentum, a step without gradient", momentum=0.9, none_at=3),
    Case("momentum, zero gradients from step 4 on", momentum=0.9, zero_from=4),
    Case("centered", centered=True),
    Case("centered with weight decay", centered=True, weight_decay=0.1),
    Case("centered, gradients near eps", centered=True, problem="near eps"),
    Case("centered, gradients with a large offset", centered=True, problem="large offset"),
    Case("centered, lerp's other form", centered=True, alpha=0.4),
    Case("centered with momentum", centered=True, momentum=0.1, weight_decay=0.1),
    Case(
        "everything at once",
        lr=0.02,
        alpha=0.9,
        eps=1e-4,
        weight_decay=0.2,
        momentum=0.8,
        centered=True,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    Case("a tensor thawed late", momentum=0.9, centered=True, frozen=(1, 3)),
    Case("the notebook's run", problem="rosenbrock", lr=0.01, alpha=0.9, steps=100, paths=("single",)),
    Case("momentum and centered, resumed by the other side", momentum=0.9, centered=True, resumed=4, crossed=True),
    *situations(),
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-08"), eps=-1e-8),
    Bad("negative momentum", (ValueError, "Invalid momentum value: -1.0"), momentum=-1.0),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad("negative alpha", (ValueError, "Invalid alpha value: -0.9"), alpha=-0.9),
    Bad(
        "alpha and momentum are wrong, momentum comes first",
        (ValueError, "Invalid momentum value: -1.0"),
        alpha=-1.0,
        momentum=-1.0,
    ),
    Bad("a misspelt name", (TypeError, "RMSprop.__init__() got an unexpected keyword argument 'beta'"), beta=0.9),
]

TRAINED = ("RMSprop", {"lr": 1e-3})
NOTEBOOK = descent("rmsprop", 1)
