"""Cases of optim.adagrad."""

from lockstep.cases import Bad, Case
from lockstep.cases.notebook import descent
from lockstep.cases.optim import SIZES, situations

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("weight decay", weight_decay=0.1),
    Case("maximize", maximize=True),
    Case("maximize with weight decay", maximize=True, weight_decay=0.1),
    Case("lr decay", lr=0.1, lr_decay=0.5),
    Case("lr decay with weight decay", lr=0.1, lr_decay=0.5, weight_decay=0.1),
    Case("lr decay, a step without gradient", lr=0.1, lr_decay=0.5, none_at=3),
    # With 0.33 the fused kernel's contracted 1 + (t-1)·lr_decay differs from the plain one at steps 6, 11 and 12.
    Case("lr decay, lr changes", lr_decay=0.33, lr_at={4: 0.05, 8: 1e-3}),
    Case("initial accumulator", initial_accumulator_value=0.1),
    Case("initial accumulator, gradients near eps", initial_accumulator_value=1e-14, problem="near eps"),
    Case("initial accumulator, tensors of every size", initial_accumulator_value=0.1, shapes=SIZES),
    Case("eps", eps=1e-3),
    Case("eps is 0", eps=0.0),
    Case("eps beside gradients as small", eps=1e-8, problem="near eps"),
    Case(
        "everything at once",
        lr=0.05,
        lr_decay=0.33,
        weight_decay=0.2,
        initial_accumulator_value=0.3,
        eps=1e-4,
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.1},
    ),
    Case("a tensor thawed late", frozen=(1, 3)),
    Case("the notebook's run", problem="rosenbrock", lr=0.01, steps=100, paths=("single",)),
    # The fused path takes no sparse gradient (torch 2.13).
    Case("sparse rows", sparse="rows", paths=("single", "foreach")),
    Case("sparse rows, lr decay", sparse="rows", lr=0.1, lr_decay=0.5, paths=("single", "foreach")),
    Case("sparse elements, maximize", sparse="elements", maximize=True, paths=("single", "foreach")),
    Case("sparse rows twice", sparse="repeated", shapes=SIZES, paths=("single", "foreach")),
    *situations(),
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("negative lr decay", (ValueError, "Invalid lr_decay value: -0.5"), lr_decay=-0.5),
    Bad("negative weight decay", (ValueError, "Invalid weight_decay value: -1"), weight_decay=-1),
    Bad(
        "negative initial accumulator",
        (ValueError, "Invalid initial_accumulator_value value: -0.1"),
        initial_accumulator_value=-0.1,
    ),
    Bad("negative eps", (ValueError, "Invalid epsilon value: -1e-10"), eps=-1e-10),
    Bad(
        "eps and lr decay are wrong, lr decay comes first",
        (ValueError, "Invalid lr_decay value: -1.0"),
        eps=-1.0,
        lr_decay=-1.0,
    ),
    Bad(
        "a misspelt name", (TypeError, "Adagrad.__init__() got an unexpected keyword argument 'epsilon'"), epsilon=1e-8
    ),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
WALKED = {"the notebook's run": 12}

TRAINED = ("Adagrad", {"lr": 0.05})
NOTEBOOK = descent("adagrad", 3, later=False)
