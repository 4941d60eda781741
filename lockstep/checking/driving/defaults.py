"""The defaults that an implementation does not show: a value is its default if telling it changes nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lockstep.adapters.adapter import NotTaken
from lockstep.checking.driving.steps import Raised
from lockstep.engine.guard import Broken

# What is tried after PyTorch's own: the values that other frameworks, courses and papers start from.
COMMON: dict[str, tuple[Any, ...]] = {
    "betas": ((0.9, 0.99), (0.9, 0.98), (0.9, 0.95), (0.5, 0.999), (0.95, 0.999)),
    "eps": (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-10, 1e-12, 0.0),
    "weight_decay": (0.0, 0.01, 1e-4, 1e-3, 4e-3, 5e-4, 0.1),
    "momentum": (0.9, 0.5, 0.8, 0.95, 0.99, 0.1, 0.01),
    "alpha": (0.9, 0.95, 0.99, 0.999),
    "dampening": (0.0, 0.1, 0.5, 0.9),
    "initial_accumulator_value": (0.0, 0.1, 1.0),
    "lr_decay": (0.0, 1e-6, 1e-4, 0.01),
    "p": (0.5, 0.2, 0.1, 0.25, 0.3, 0.8),
}
FLAGS = (False, True)


def hidden_defaults(
    names: Iterable[str],
    standard: Mapping[str, Any],
    run: Callable[[dict[str, Any]], Any],
    same: Callable[[Any], bool],
) -> dict[str, Any]:
    """PyTorch's name to the value that the implementation starts from, where one of those tried is it.

    Arguments:
        names: hyperparameters that it takes and was not told. standard: PyTorch's defaults.
        run: what the implementation does when it is told these. same: whether that is what it did untold, to the bit.
    """
    hidden: dict[str, Any] = {}
    for name in names:
        others = FLAGS if isinstance(standard[name], bool) else COMMON.get(name, ())
        for value in (standard[name], *others):
            try:
                alike = same(run({name: value}))
            except (NotTaken, Raised, Broken, TypeError, ValueError):
                continue
            if alike:
                hidden[name] = value
                break
    return hidden
