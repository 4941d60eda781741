"""Which argument of somebody's function is the parameter, which the gradient, the state, the count of steps."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lockstep.adapters.names import Names, match, named, required
from lockstep.adapters.optimizer.state import names_of
from lockstep.text import Message, message

GRADS = {"g", "gs", "dw", "dp", "dx", "dtheta", "dparams", "d_params", "derivative", "param_grad", "dparam"}
PARAMS = {"params", "parameters", "param", "weights", "w", "p", "x", "theta", "variables", "variable", "var", "values"}
STEPS = {
    "t",
    "step",
    "i",
    "iteration",
    "iter",
    "epoch",
    "timestep",
    "time_step",
    "count",
    "k",
    "it",
    "step_num",
    "n_iter",
}
LABELS = {"param_name", "name", "key", "layer_name", "pname", "param_key", "param_id"}
LOSSES = {"cur_loss", "loss", "loss_value"}
STATES = {"state", "config", "cache", "opt_state", "memory", "optim_state", "optimizer_state", "states"}


class Roles(NamedTuple):
    """Names of arguments by what they mean; None or empty where there is none.

    arrays: PyTorch's key of a state entry to the argument that takes it. order: of all arguments.
    """

    params: str
    grads: str
    step: str | None
    label: str | None
    loss: str | None
    state: str | None
    arrays: dict[str, str]
    hyperparameters: Names
    order: tuple[str, ...]


def roles_of(function: Callable[..., Any], subject: str, wanted: Iterable[str]) -> Roles | Message:
    """The roles of a function's arguments, or what it needs that is none of them."""
    arguments = list(named(function))
    picked: dict[str, str | None] = {}
    for role, test in (("grads", is_grads), ("step", STEPS), ("label", LABELS), ("loss", LOSSES), ("state", STATES)):
        hits = [name for name in arguments if (test(name) if callable(test) else name.lower() in test)]
        picked[role] = hits[0] if hits else None
    left = [name for name in arguments if name not in picked.values()]
    if not left or picked["grads"] is None:
        return message("recognise.no-roles")
    params = params_of(left, picked["grads"], wanted)
    left.remove(params)
    untold = [name for name, one in named(function).items() if one.default is None and name not in match(left, wanted)]
    needed = [name for name in (*required(function), *untold) if name in left]
    arrays: dict[str, str] = {}
    for key, others in names_of(subject, needed).items():
        hit = next((name for name in needed if name.lower() in others and name not in arrays.values()), None)
        if hit:
            arrays[key] = hit
    left = [name for name in left if name not in arrays.values()]
    hyperparameters = match(left, wanted)
    used = {part for own in hyperparameters.values() for part in (own if isinstance(own, tuple) else (own,))}
    unknown = [name for name in required(function) if name in left and name not in used]
    if unknown:
        return message("recognise.unknown-argument", names=", ".join(map(repr, unknown)))
    grads = picked["grads"]
    return Roles(
        params,
        grads,
        picked["step"],
        picked["label"],
        picked["loss"],
        picked["state"],
        arrays,
        hyperparameters,
        tuple(arguments),
    )


def params_of(arguments: list[str], grads: str, wanted: Iterable[str]) -> str:
    """Which argument takes the parameters: by its name, by that of the gradient, else the first that is no other."""
    known = [name for name in arguments if name.lower() in PARAMS]
    by_gradient = [name for name in arguments if name in {grads[1:], grads.replace("grad", "").strip("_")}]
    settings = match(arguments, wanted).values()
    others = [
        name for name in arguments if not any(name in ((own,) if isinstance(own, str) else own) for own in settings)
    ]
    return [*known, *by_gradient, *others, *arguments][0]


def is_grads(name: str) -> bool:
    name = name.lower()
    return name in GRADS or name.startswith("grad") or name.endswith(("_grad", "_grads", "_gradients"))
