"""Two causes planted together, and what the diagnosis makes of them: the table that a slow test prints.

python -m parity_tests.pairs optim.sgd float64
"""

import collections
import itertools
import sys

from lockstep.causes import Cause, causes
from lockstep.diagnosis import Diagnosis, diagnose
from lockstep.replay import replay
from lockstep.searching import may_join
from lockstep.verdict import Verdict
from parity_tests.recorded import recordings

# Two numbers that multiply the same λ are one number: no run can tell which of them is whose.
FACTORS = {"l2-twice", "l2-divided-by-batch", "weight-decay-value", "penalty-averaged"}

RIGHT, EITHER, UNNAMED, WRONG = "right", "among equivalents", "not named", "wrong"
HIDDEN = "one hides the other"  # what is named is one of them, and the whole of it
SIMPLER = "one cause is both"  # what is named is a single other cause, and the same formula


def pairs(path: str, dtype: str) -> list[tuple[Cause, Cause]]:
    """All pairs of independent causes of different ids that can be planted together, one variant of each."""
    shown = [cause for cause in causes(path) if dtype in cause.dtypes and cause.verdict is Verdict.DIFFERENT]
    first = {cause.id: cause for cause in reversed(shown)}
    found = itertools.combinations(reversed(first.values()), 2)
    return [pair for pair in found if may_join(pair) and not {cause.id for cause in pair} <= FACTORS]


def tried(path: str, dtype: str, pair: tuple[Cause, Cause]) -> tuple[str, Diagnosis]:
    """How the diagnosis does, as one of the words above, and what it says."""
    found = diagnose(recordings(path, list(pair), dtype))
    wanted = sorted(cause.id for cause in pair)
    named = sorted(cause.id for cause in found.causes)
    if named == wanted:
        return RIGHT, found
    if any(sorted(cause.id for cause in other.causes) == wanted for other in found.equivalent):
        return EITHER, found
    if not named:
        return UNNAMED, found
    if len(named) > 1 or not the_same(path, dtype, pair, found):
        return WRONG, found
    return HIDDEN if named[0] in wanted else SIMPLER, found


def the_same(path: str, dtype: str, pair: tuple[Cause, Cause], found: Diagnosis) -> bool:
    """Whether what is named explains the pair on numbers that it has not been named for."""
    return all(replay(one, found.causes).explains for one in recordings(path, list(pair), dtype, seed=1))


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
