"""Cases of penalty.l1."""

from lockstep.cases.penalty import weights

CASES = weights("L1")

BAD = []
