"""Cases of optim.adam."""

from lockstep.cases import Bad, Case
from lockstep.cases.notebook import descent
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("decoupled weight decay", weight_decay=0.1, decoupled_weight_decay=True),
    # For these two the fused kernel's contracted 1 - lr·weight_decay is another float64 than the plain one.
    Case("decoupled decay whose product with lr rounds", lr=0.126, weight_decay=0.3, decoupled_weight_decay=True),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("amsgrad", amsgrad=True),
    Case("amsgrad, gradients shrink", amsgrad=True, problem="shrinking"),
    Case("amsgrad, gradients near eps", amsgrad=True, problem="near eps"),
    Case("amsgrad with weight decay", amsgrad=True, weight_decay=0.1),
    Case("amsgrad with decoupled weight decay", amsgrad=True, weight_decay=0.1, decoupled_weight_decay=True),
    Case("betas", betas=(0.8, 0.95)),
    Case("betas that forget at once", betas=(0.0, 0.0)),
    Case("betas on the edge of lerp's two forms", betas=(0.5, 0.5)),
    Case("betas given as a list", betas=[0.9, 0.999]),
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
        amsgrad=True,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    Case("amsgrad, resumed by the other side", amsgrad=True, resumed=4, crossed=True),
    Case("the notebook's run", problem="rosenbrock", lr=0.01, steps=100, paths=("single",)),
    *situations(),
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-08"), eps=-1e-8),
    Bad("eps is NaN", (ValueError, "Invalid epsilon value: nan"), eps=float("nan")),
    Bad("β₁ is 1", (ValueError, "Invalid beta parameter at index 0: 1.0"), betas=(1.0, 0.999)),
    Bad("negative β₁", (ValueError, "Invalid beta parameter at index 0: -0.1"), betas=(-0.1, 0.999)),
    Bad("β₂ is 1", (ValueError, "Invalid beta parameter at index 1: 1.0"), betas=(0.9, 1.0)),
    Bad("β₂ is NaN", (ValueError, "Invalid beta parameter at index 1: nan"), betas=(0.9, float("nan"))),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad("weight decay is NaN", (ValueError, "Invalid weight_decay value: nan"), weight_decay=float("nan")),
    Bad("β₁ is an integer", (ValueError, "betas must be either both floats or both Tensors"), betas=(0, 0.999)),
    Bad("lr and eps are wrong, lr comes first", (ValueError, "Invalid learning rate: -1.0"), lr=-1.0, eps=-1.0),
    Bad(
        "eps and betas are wrong, eps comes first",
        (ValueError, "Invalid epsilon value: -1.0"),
        eps=-1.0,
        betas=(2.0, 2.0),
    ),
    Bad(
        "betas and weight decay are wrong, betas come first",
        (ValueError, "Invalid beta parameter at index 0: 2.0"),
        betas=(2.0, 2.0),
        weight_decay=-1.0,
    ),
    Bad(
        "weight decay is wrong and β₁ an integer, weight decay comes first",
        (ValueError, "Invalid weight_decay value: -1.0"),
        betas=(0, 0.999),
        weight_decay=-1.0,
    ),
    Bad(
        "a misspelt name",
        (TypeError, "Adam.__init__() got an unexpected keyword argument 'learning_rate'"),
        learning_rate=0.1,
    ),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
LEAD = ("float64", "eps-inside-sqrt")  # where a report begins: a bug seen beside rounding at once
WALKED = {"the notebook's run": 12}
GROWN = {"the notebook's run": 200, "defaults": 200}  # to a stream of gradients nothing comes back

TRAINED = ("Adam", {"lr": 3e-3})
NOTEBOOK = descent("adam", 2)
