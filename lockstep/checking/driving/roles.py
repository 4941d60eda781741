"""What changing a parameter or a buffer of PyTorch's layer does to its output: by that, others' are recognised."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from lockstep.adapters.layer.find import Role, role_of
from lockstep.adapters.layer.names import Place
from lockstep.checking.driving.trials import Trial
from lockstep.subjects.families.layers import drawing
from lockstep.subjects.subject import Subject


def roles_of(subject: Subject, trial: Trial, seed: int) -> tuple[dict[str, Role], dict[str, tuple[int, ...]]]:
    """PyTorch's names to their roles and to their shapes; the roles on inputs that hide none."""
    case, dtype = trial.case.replaced(kind="normal"), "float64"
    layer: Any = subject.ours(case)(**case.hyperparameters)
    state = getattr(layer, "state", {})
    if not state:
        return {}, {}
    layer.load_state(case.start(drawing(seed, 0), state, dtype))
    (x,) = case.inputs(drawing(seed, 1), 1, dtype)

    def runs(one: Any, training: bool) -> np.ndarray:
        return one.train(training).forward(x)

    def at(name: str) -> Callable[[Any], Place]:
        def place(made: Any) -> Place:
            return Place(made.params if name in made.params else made.buffers, name)

        return place

    floats = [name for name, value in layer.state.items() if np.asarray(value).dtype.kind == "f"]
    shapes = {name: np.shape(layer.state[name]) for name in floats}
    try:
        return {name: role_of(copy.deepcopy(layer), at(name), runs, (True, False)) for name in floats}, shapes
    except ValueError:  # a batch of one, which PyTorch refuses in training: it tells no roles
        return {}, shapes
