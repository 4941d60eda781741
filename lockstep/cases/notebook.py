"""What the notebook's study makes of a subject, as its own cases declare it, and what was chosen for it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

STEPS, LATER = 100, 3000  # on Rosenbrock: where the notebook stops, and where it would have got to
ITERATIONS, SAMPLES = 2000, 40
LARGE = 400  # samples, ten times as many as the notebook has
RATES = (0.1, 0.3, 1.0, 3.0, 10.0)
WIDE, DEEP = (64, 32), (32,) * 8  # hidden layers
ADAM_STEPS, TUNING_STEPS, TUNING_LR = 150, 50, 0.01
REGULAR = {"none": {}, "l2": {"l2": 0.1}, "l1": {"l1": 0.1}, "dropout": {"dropout": 0.3}}
LARGE_ONES = ("none", "l2", "dropout")
BRIEFLY = {"judge_every": 1000, "drift_every": 1000}  # judged at the first step, compared at the last


class Shown(NamedTuple):
    """What a subject is in the notebook.

    chapter, place: where it stands, and after which others. runs: name to the arguments of `lockstep.run` but the
    subject. then: name of a run to the path of the optimizer that goes on where it stopped.
    """

    chapter: str
    place: int = 0
    runs: Mapping[str, Mapping[str, Any]] = {}
    then: Mapping[str, str] = {}


def descent(name: str, place: int, later: bool = True) -> Shown:
    """An optimizer on Rosenbrock; `later` as well, where the notebook says of it where it would get to."""
    own = {"case": "the notebook's run", "dtype": "float64"}
    runs = {f"optim/{name}": {"steps": STEPS, **own}}
    return Shown("optimizers", place, runs | ({f"later/{name}": {"steps": LATER, **own, **BRIEFLY}} if later else {}))
