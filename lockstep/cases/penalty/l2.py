"""Cases of penalty.l2."""

from lockstep.cases.notebook import Shown
from lockstep.cases.penalty import weights

CASES = weights("L2")

BAD = []

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["the notebook's λ and 40 samples", "many weights"]
NOTEBOOK = Shown("regularisation", 0)
