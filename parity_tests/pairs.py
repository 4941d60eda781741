"""Two causes planted together, and what the diagnosis makes of them: the table that a slow test prints.

python -m parity_tests.pairs optim.sgd float64
"""

import collections
import itertools
import sys

from lockstep.causes import Cause, causes
from lockstep.diagnosis import Diagnosis, diagnose, may_join
from lockstep.verdict import Verdict
from parity_tests.recorded import recordings

# Two numbers that multiply the same λ are one number: no run can tell which of them is whose.
FACTORS = {"l2-twice", "l2-divided-by-batch", "weight-decay-value", "penalty-averaged"}

RIGHT, EITHER, HIDDEN, UNNAMED, WRONG = "right", "among equivalents", "one hides the other", "not named", "wrong"


def pairs(path: str, dtype: str) -> list[tuple[Cause, Cause]]:
    """All pairs of independent causes of different ids that can be planted together, one variant of each."""
    shown = [cause for cause in causes(path) if dtype in cause.dtypes and cause.verdict is Verdict.DIFFERENT]
    first = {cause.id: cause for cause in reversed(shown)}
    found = itertools.combinations(reversed(first.values()), 2)
    return [pair for pair in found if may_join(pair) and not {cause.id for cause in pair} <= FACTORS]


def outcome(planted: tuple[Cause, ...], found: Diagnosis) -> str:
    """How the diagnosis did: one of the words above."""
    wanted = sorted(cause.id for cause in planted)
    named = sorted(cause.id for cause in found.causes)
    if named == wanted:
        return RIGHT
    if any(sorted(cause.id for cause in other.causes) == wanted for other in found.equivalent):
        return EITHER
    if len(named) == 1 and named[0] in wanted:
        return HIDDEN  # the other changes nothing beside it, to the last rounding
    return WRONG if named else UNNAMED


def tried(path: str, dtype: str, pair: tuple[Cause, Cause]) -> tuple[str, Diagnosis]:
    found = diagnose(recordings(path, list(pair), dtype))
    return outcome(pair, found), found


def table(path: str, dtype: str, say=print) -> collections.Counter:
    """Try every pair of a subject; each that is not right is said, and the counts at the end."""
    counts: collections.Counter = collections.Counter()
    for pair in pairs(path, dtype):
        word, found = tried(path, dtype, pair)
        counts[word] += 1
        if word != RIGHT:
            named = " + ".join(cause.name for cause in found.causes) or "nothing"
            say(f"  {word}: {pair[0]} + {pair[1]} gives {named}")
    say(f"{path}, {dtype}: {counts.total()} pairs, " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    return counts


if __name__ == "__main__":
    table(sys.argv[1], sys.argv[2], lambda text: print(text, flush=True))
