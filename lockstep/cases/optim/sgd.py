"""Cases of optim.sgd."""

from lockstep.cases import Bad, Case
from lockstep.cases.notebook import descent
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("momentum", momentum=0.9),
    Case("momentum 1", momentum=1.0),
    Case("momentum with weight decay", momentum=0.9, weight_decay=0.1),
    Case("dampening", momentum=0.9, dampening=0.5),
    Case("dampening 1", momentum=0.9, dampening=1.0),
    Case("negative dampening", momentum=0.9, dampening=-0.5),
    Case("dampening without momentum", dampening=0.5),
    Case("nesterov", momentum=0.9, nesterov=True),
    Case("nesterov with weight decay", momentum=0.9, nesterov=True, weight_decay=0.1),
    Case("nesterov, lr changes", momentum=0.9, nesterov=True, lr_at={4: 0.05, 8: 1e-4}),
    Case("nesterov, a step without gradient", momentum=0.9, nesterov=True, none_at=3),
    Case(
        "everything at once",
        lr=0.02,
        momentum=0.8,
        dampening=0.3,
        weight_decay=0.2,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    # The fused path has no buffer to give a tensor whose first gradient comes after another's (torch 2.13).
    Case("a tensor thawed late", momentum=0.9, dampening=0.5, frozen=(1, 3), paths=("single", "foreach")),
    Case("no momentum, a step without gradient", none_at=3, weight_decay=0.1),
    Case("no momentum, tensors of every size", shapes=SIZES, weight_decay=0.1),
    Case("the notebook's run", problem="rosenbrock", lr=0.001, steps=100, paths=("single",)),
    # The fused path takes no sparse gradient (torch 2.13).
    Case("sparse rows", sparse="rows", paths=("single", "foreach")),
    Case("sparse rows, momentum", sparse="rows", momentum=0.9, paths=("single", "foreach")),
    Case("sparse rows, nesterov", sparse="rows", momentum=0.9, nesterov=True, paths=("single", "foreach")),
    Case("sparse elements, maximize", sparse="elements", maximize=True, paths=("single", "foreach")),
    Case("sparse rows, dampening", sparse="rows", momentum=0.9, dampening=0.5, paths=("single", "foreach")),
    Case("momentum, resumed by the other side", momentum=0.9, resumed=4, crossed=True),
    *situations(momentum=0.9),
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("negative momentum", (ValueError, "Invalid momentum value: -0.5"), momentum=-0.5),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad(
        "nesterov without momentum",
        (ValueError, "Nesterov momentum requires a momentum and zero dampening"),
        nesterov=True,
    ),
    Bad(
        "nesterov with dampening",
        (ValueError, "Nesterov momentum requires a momentum and zero dampening"),
        nesterov=True,
        momentum=0.9,
        dampening=0.1,
    ),
    Bad(
        "nesterov with a dampening of NaN",
        (ValueError, "Nesterov momentum requires a momentum and zero dampening"),
        nesterov=True,
        momentum=0.9,
        dampening=float("nan"),
    ),
    Bad(
        "momentum and weight decay are wrong, momentum comes first",
        (ValueError, "Invalid momentum value: -1.0"),
        momentum=-1.0,
        weight_decay=-1.0,
        nesterov=True,
    ),
    Bad("a misspelt name", (TypeError, "SGD.__init__() got an unexpected keyword argument 'mu'"), mu=0.9),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
WALKED = {"the notebook's run": 12}
TRIED = {"the notebook's run": (300, {}), "quadratic": (100, {"lr": 0.1})}
CLIMBED = {"momentum": 200}
GROWN = {"the notebook's run": 200}

TRAINED = ("SGD with momentum", {"lr": 0.05, "momentum": 0.9})
NOTEBOOK = descent("sgd", 0)
