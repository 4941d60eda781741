"""Names that layers give to parameters, gradients, running statistics and modes."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lockstep.engine.guard import Broken
from lockstep.numerics.shapes import Array
from lockstep.text import message

PARAMS = {
    "weight": ("weight", "gamma", "scale", "scaler", "w", "weights", "g", "kernel"),
    "bias": ("bias", "beta", "shift", "intercept", "b", "biases", "offset"),
}
BUFFERS = {
    "running_mean": ("running_mean", "moving_mean", "running_mu", "mean_running", "avg_mean", "rm", "mu_running"),
    "running_var": ("running_var", "moving_var", "moving_variance", "running_variance", "var_running", "avg_var", "rv"),
    "num_batches_tracked": ("num_batches_tracked",),
}
HOLDERS = ("params", "parameters", "weights", "state", "buffers", "grads", "gradients", "grad")
GRADS = ("{0}_grad", "grad_{0}", "d{0}", "d_{0}", "{0}.grad", "{0}_gradient")
HELD = ("data", "value", "values", "array")  # by an object that is a parameter
TRAINING = ("training", "is_training", "train", "train_mode", "train_flg", "is_train", "trainable", "mode")
MASKS = ("mask", "r", "keep_mask", "dropout_mask")
TARGETS = ("target", "targets", "t", "y", "y_true", "labels", "label", "truth", "true", "gold", "y_target")
OUTPUTS = ("output", "outputs", "out", "y", "z", "a", "result")  # where forward leaves it, if it returns nothing
GRAD_INPUTS = ("dinputs", "dinput", "dx", "grad_input", "input_grad", "dinputs_", "delta")


def target_of(arguments: list[str]) -> str | None:
    """Which argument of a loss takes the target: the one of that name, of two such names the second."""
    hits = [name for name in arguments[:2] if name.strip("_").lower() in TARGETS]
    if hits:
        return hits[-1]
    return next((name for name in arguments[2:] if name.strip("_").lower() in TARGETS), None)


class Place:
    """Where an array is kept: an attribute, or an entry of a dict or a list."""

    def __init__(self, holder: Any, name: Any):
        self.holder, self.name = holder, name

    def get(self) -> Any:
        return self.holder[self.name] if isinstance(self.holder, dict | list) else getattr(self.holder, self.name)

    def put(self, value: Any) -> None:
        if isinstance(self.holder, dict | list):
            self.holder[self.name] = value
        else:
            setattr(self.holder, self.name, value)


def places(owner: Any, others: Mapping[str, Iterable[str]]) -> dict[str, Place]:
    """PyTorch's name to where `owner` keeps what is meant by it."""
    holders = [vars(owner)] if hasattr(owner, "__dict__") else []
    holders += [held for name in HOLDERS for held in [getattr(owner, name, None)] if isinstance(held, dict)]
    by_key: dict[str, Place] = {}
    for key, names in others.items():
        for name in names:
            hit = next((h for h in holders if spelt(h, name) is not None), None)
            if hit is not None:
                own = spelt(hit, name)
                assert own is not None
                by_key[key] = inside(Place(owner if hit is holders[0] else hit, own))
                break
    return by_key


def inside(place: Place) -> Place:
    """Where the array is: at a place, or in the object there that holds it beside its gradient."""
    value = place.get()
    name = next((one for one in HELD if isinstance(getattr(value, one, None), np.ndarray)), None)
    return Place(value, name) if name else place


def spelt(holder: Mapping[str, Any], name: str) -> str | None:
    return next((own for own in holder if isinstance(own, str) and own.strip("_").lower() == name), None)


def gradient_names(key: str, called: Iterable[str] = ()) -> list[str]:
    """What the gradient of a parameter may be called, which itself has these names besides the usual ones."""
    return [form.format(name) for name in (*called, *PARAMS.get(key, (key,))) for form in GRADS]


def like(value: Any, array: Array) -> np.ndarray:
    """`array` in the shape of what it replaces: (d,) as (1, d) or (d, 1).

    Raises:
        Broken: for a matrix that lies the other way round.
    """
    shape = tuple(np.shape(value))
    if array.ndim == 2 and shape == array.shape[::-1] != array.shape:
        raise Broken("layout-transposed", message("broken.weight-shape", yours=str(shape), wanted=str(array.shape)))
    return array.reshape(shape) if np.size(value) == array.size else array
