"""Cases of the optimizers; `situations` are those that every one of them has to stand."""

from collections.abc import Mapping

from lockstep.cases import DTYPES, Case

# On both sides of the vector widths, whose bodies and tails PyTorch's fused kernels round differently.
SIZES = {
    "scalar": (),
    "empty": (0,),
    "one": (1,),
    "seven": (7,),
    "prime": (61,),
    "square": (8, 8),
    "image": (2, 3, 4, 5),
    "thousand": (1000,),
}


FASTER = ({"params": ("weight",), "lr": 0.05}, {"params": ("*",)})
NO_DECAY = ({"params": ("bias",), "weight_decay": 0.0}, {"params": ("*",)})


def situations(
    sizes: Mapping[str, tuple[int, ...]] = SIZES, resumed_in: tuple[str, ...] = DTYPES, **hyperparameters
) -> list[Case]:
    """What may befall any optimizer, under these hyperparameters.

    Arguments:
        sizes: of what it takes.
        resumed_in: the formats in which PyTorch's `load_state_dict` leaves what was saved as it is.
    """
    stopped = {"resumed": 4, "lr_at": {3: 0.02}, "groups": FASTER, "dtypes": resumed_in, **hyperparameters}
    return [
        Case("tensors of every size", shapes=sizes, **hyperparameters),
        Case("one tensor", shapes={"weight": (64,)}, **hyperparameters),
        Case("a step without gradient", none_at=3, **hyperparameters),
        Case("a step without gradient, with weight decay", none_at=3, **{**hyperparameters, "weight_decay": 0.1}),
        Case("no gradient for any tensor at every third step", problem="missing every third", **hyperparameters),
        Case("a tensor frozen, then thawed", frozen=(3, 6), **hyperparameters),
        Case("zero gradients from step 4 on", zero_from=4, **hyperparameters),
        Case("zero gradients, weight decay alone", problem="zero", **{**hyperparameters, "weight_decay": 0.1}),
        Case("zero gradients from the start", problem="zero", still=True, **hyperparameters),
        Case("lr is 0", still=True, **{**hyperparameters, "lr": 0.0}),
        Case("lr changes between steps", lr_at={4: 0.05, 8: 1e-4, 10: 0.0}, **hyperparameters),
        Case("groups of their own", groups=FASTER, **hyperparameters),
        Case("weight decay that leaves biases out", groups=NO_DECAY, **{**hyperparameters, "weight_decay": 0.1}),
        Case("resumed", **stopped),
        Case("resumed by the other side", crossed=True, **stopped),
        Case("gradients near eps", problem="near eps", **hyperparameters),
        Case("gradients of many sizes", problem="many sizes", **hyperparameters),
        Case("gradients shrink", problem="shrinking", **hyperparameters),
        Case("gradients grow", problem="growing", **hyperparameters),
        Case("sparse gradients", problem="sparse", **hyperparameters),
        Case("gradients with a large offset", problem="large offset", **hyperparameters),
        Case("quadratic", problem="quadratic", **hyperparameters),
        Case("ill-conditioned quadratic", problem="ill-conditioned quadratic", **{"lr": 1e-5, **hyperparameters}),
        Case("Rosenbrock", problem="rosenbrock", **{"lr": 1e-4, **hyperparameters}),
    ]


# What a report shows of an optimizer, as lockstep/experiments/selection.py takes it; of those that it has.
RUNS = [
    ("defaults", "float32", "single"),
    ("defaults", "float64", "single"),
    ("defaults", "float32", "fused"),
    ("defaults", "float32", "foreach"),
    ("tensors of every size", "float32", "fused"),
    ("weight decay", "float32", "single"),
    ("a step without gradient, with weight decay", "float32", "single"),
    ("lr changes between steps", "float32", "single"),
    ("gradients near eps", "float32", "single"),
    ("gradients near eps", "float64", "single"),
    ("sparse gradients", "float32", "single"),
    ("quadratic", "float32", "single"),
    ("ill-conditioned quadratic", "float32", "single"),
    ("the notebook's run", "float32", "single"),
    ("the notebook's run", "float64", "single"),
    ("amsgrad, gradients shrink", "float32", "single"),
    ("nesterov", "float32", "single"),
    ("dampening", "float32", "single"),
    ("momentum", "float32", "single"),
    ("centered", "float32", "single"),
    ("centered, gradients with a large offset", "float32", "single"),
    ("lr decay", "float32", "single"),
    ("initial accumulator", "float32", "single"),
    ("everything at once", "float32", "single"),
]
LONGER = {"defaults": 40, "the notebook's run": 100, "Rosenbrock": 100}
WALKED = {"Rosenbrock": 12}
CLIMBED = {"defaults": 200}
GROWN = {"quadratic": 200}  # its gradient comes back to the parameters, and the sides part on it
# What its laboratory begins with: case to steps, and what is another number there than in the case.
TRIED = {"the notebook's run": (300, {}), "Rosenbrock": (100, {"lr": 0.01}), "quadratic": (100, {"lr": 0.1})}
