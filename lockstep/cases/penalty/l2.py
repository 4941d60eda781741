"""Cases of penalty.l2."""

from lockstep.cases.penalty import weights

CASES = weights("L2")

BAD = []
