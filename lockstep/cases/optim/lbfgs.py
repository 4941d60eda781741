"""Cases of optim.lbfgs: what its step asks its closure for hangs on the function, so that most run on one."""

from typing import Any

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES as ANY

TRAINED = None  # the network's step is told one gradient

SIZES = {name: shape for name, shape in ANY.items() if 0 not in shape}
WOLFE: dict[str, Any] = {"line_search_fn": "strong_wolfe"}
# One direction a step: what a step rounds is what one direction does. The search may try as often as it likes.
ONE: dict[str, Any] = {"max_iter": 1, "steps": 8}
SEARCH: dict[str, Any] = {**ONE, **WOLFE, "max_eval": 25}

FUNCTIONS = ("quadratic", "rosenbrock", "ill-conditioned quadratic", "himmelblau", "beale")


def on(problem: str, desc: str, **settings: Any) -> Case:
    """A case on a function."""
    return Case(desc, problem=problem, **{"steps": 3, **settings})


CASES = [
    on("quadratic", "one direction a step", **ONE),
    on("quadratic", "defaults"),
    on("quadratic", "strong Wolfe", **WOLFE),
    *(on(name, f"one direction a step, {name}", **ONE, lr=0.1) for name in FUNCTIONS[1:]),
    on("himmelblau", "one direction a step of its full length, himmelblau", **ONE),
    *(on(name, f"strong Wolfe, one direction a step, {name}", **SEARCH) for name in FUNCTIONS),
    on("rosenbrock", "Rosenbrock", **WOLFE),
    on("himmelblau", "Himmelblau", **WOLFE),
    on("beale", "two pairs are kept", history_size=2, lr=0.1, **ONE),
    on("rosenbrock", "strong Wolfe, one pair is kept", history_size=1, **SEARCH),
    on("quadratic", "lr", lr=0.3, **ONE),
    on("beale", "strong Wolfe from a small lr", **{**SEARCH, "lr": 0.01}),
    on("rosenbrock", "strong Wolfe from a large lr", **{**SEARCH, "lr": 100.0}),
    on("rosenbrock", "strong Wolfe, few points", **{**SEARCH, "max_eval": 3}),
    on("quadratic", "strong Wolfe, no point but the first", max_iter=1, **WOLFE),
    on("rosenbrock", "three directions a step", max_iter=3, lr=0.1),
    on("quadratic", "two points a step", max_eval=2),
    on("quadratic", "a gradient that is small enough", tolerance_grad=0.5),
    on("quadratic", "a gradient that is small enough from the start", tolerance_grad=1e3, still=True),
    on("quadratic", "a change that is small enough", tolerance_change=0.1),
    on("quadratic", "lr is 0", lr=0.0, still=True),
    on("quadratic", "lr changes between steps", lr_at={2: 0.5, 4: 0.1}, **{**ONE, "lr": 0.2}),
    on("quadratic", "everything at once", lr=0.5, max_iter=3, max_eval=9, tolerance_grad=1e-3,
       tolerance_change=1e-4, history_size=2, **WOLFE),
    # A stream of gradients is the slope of linear functions: between two of them the curvature has any sign.
    Case("tensors of every size", shapes=SIZES, **{**ONE, "lr": 0.1}),
    Case("a step without gradient", none_at=3, **{**ONE, "lr": 0.1}),
    Case("a tensor frozen, then thawed", frozen=(3, 6), **{**ONE, "lr": 0.1}),
    Case("zero gradients from step 4 on", zero_from=4, **{**ONE, "lr": 0.1}),
    Case("zero gradients from the start", problem="zero", still=True, **ONE),
    Case("gradients of many sizes", problem="many sizes", **{**ONE, "lr": 0.1}),
    Case("another linear function at each step", problem="large offset", shapes={"weight": (5, 4)},
         **{**ONE, "lr": 0.1}),
    Case("a linear function, strong Wolfe", **{**SEARCH, "max_eval": 4}),
    Case("sparse gradients, rows", sparse="rows", **{**ONE, "lr": 0.1}),
]  # fmt: skip

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("a misspelt name", (TypeError, "LBFGS.__init__() got an unexpected keyword argument 'line_search'"),
        line_search="strong_wolfe"),
]  # fmt: skip

# What somebody's own is put through: where rounding decides which way a step goes, nobody can be told much.
EITHER, DOUBLE = ("float64", "float32"), ("float64",)
CHECKED = {
    "defaults": EITHER,
    "one direction a step": EITHER,
    **{f"one direction a step, {name}": EITHER for name in FUNCTIONS[1:]},
    "one direction a step of its full length, himmelblau": EITHER,
    "two pairs are kept": EITHER,
    "another linear function at each step": EITHER,
    "lr": EITHER,
    "three directions a step": EITHER,
    "two points a step": EITHER,
    "a gradient that is small enough": EITHER,
    "a change that is small enough": EITHER,
    "zero gradients from step 4 on": EITHER,
    "gradients of many sizes": EITHER,
    "a step without gradient": DOUBLE,
    "strong Wolfe, one direction a step, quadratic": EITHER,
    "strong Wolfe, one direction a step, beale": EITHER,
    "strong Wolfe, no point but the first": EITHER,
    "strong Wolfe": DOUBLE,
    "strong Wolfe, one direction a step, rosenbrock": DOUBLE,
    "strong Wolfe, one direction a step, ill-conditioned quadratic": DOUBLE,
    "strong Wolfe, one pair is kept": DOUBLE,
    "strong Wolfe from a small lr": DOUBLE,
    "strong Wolfe from a large lr": DOUBLE,
    "strong Wolfe, few points": DOUBLE,
    "everything at once": DOUBLE,
}

# A walk goes through one direction a step, line by line.
RUNS = [
    ("one direction a step", "float32", "single"),
    ("one direction a step", "float64", "single"),
    ("strong Wolfe", "float32", "single"),
    ("strong Wolfe", "float64", "single"),
    ("two pairs are kept", "float32", "single"),
    ("Rosenbrock", "float32", "single"),
]
WALKED = {"one direction a step": 6}
CLIMBED = {"one direction a step": 8}
GROWN: dict[str, int] = {}
TRIED = None  # its formula has histories, which no page works out
