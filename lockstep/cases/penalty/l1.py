"""Cases of penalty.l1."""

from lockstep.cases.notebook import Shown
from lockstep.cases.penalty import weights

CASES = weights("L1")

BAD = []

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["the notebook's λ and 40 samples", "zeros among the weights"]
NOTEBOOK = Shown("regularisation", 1)
