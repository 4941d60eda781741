"""Causes planted alone and two together, and what the diagnosis makes of them: the table that a slow test prints.

python -m parity_tests.support.pairs [SUBJECT …], on all cores, or the workers of the scheduler LOCKSTEP_SCHEDULER; what
is finished is kept in build/pairs.kept, and not done again.
"""

import collections
import itertools
import os
import pathlib
import sys

from lockstep.causes import Cause, causes
from lockstep.causes.planting import may_join, plant
from lockstep.diagnose.diagnosis import Diagnosis, diagnose
from lockstep.diagnose.replay import replay
from lockstep.numerics.environment import environment
from lockstep.numerics.verdict import Verdict
from lockstep.tasks.cluster import workers_of
from lockstep.tasks.kept import Kept
from lockstep.tasks.task import Files, Task
from lockstep.tasks.workers import Alone, Workers
from parity_tests.support import reference_recordings
from parity_tests.support.reference_recordings import recordings

KEPT = pathlib.Path("build/pairs.kept")

# Two numbers that multiply the same λ are one number: no run can tell which of them is whose.
FACTORS = {"l2-twice", "l2-divided-by-batch", "weight-decay-value", "penalty-averaged"}

SUBJECTS = (
    "optim.sgd",
    "optim.adagrad",
    "optim.rmsprop",
    "optim.adam",
    "optim.adamw",
    "penalty.l1",
    "penalty.l2",
    "layers.dropout",
    "layers.batchnorm",
)

# Of a mask that is given only the scale shows, and both make it 1/p: who drew the mask by which share is not seen.
ONE_SCALE = {"keep-for-drop", "scale-of-the-dropped"}

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


def alone(path: str, dtype: str, say) -> collections.Counter:
    """Plant every cause by itself, in the dtypes in which it can show; what is not named right is said."""
    counts: collections.Counter = collections.Counter()
    for cause in (cause for cause in causes(path) if dtype in cause.dtypes):
        found = diagnose(recordings(path, [cause], dtype))
        named = [one.name for one in found.causes]
        word = RIGHT if named == [cause.name] else WRONG if named else UNNAMED
        if cause.id in ONE_SCALE and [cause.name] in [[one.name for one in other.causes] for other in found.equivalent]:
            word = RIGHT  # as "or", beside the other of the two
        counts[word] += 1
        if word != RIGHT:
            say(f"  {word}: {cause} gives {' + '.join(one.name for one in found.causes) or 'nothing'}")
    return counts


def outcome(path: str, dtype: str, names: tuple[str, str], *_: object) -> Files:
    """How the diagnosis of a pair does, and what it names, for whoever hands out the work."""
    by_name = {cause.name: cause for cause in causes(path)}
    word, named = tried(path, dtype, (by_name[names[0]], by_name[names[1]]))
    told = {"word": word, "named": " + ".join(cause.name for cause in named.causes), "machine": environment().cpu or ""}
    return {name: text.encode() for name, text in told.items()}


def planned(path: str, dtype: str) -> list[Task]:
    """A task a pair of a subject; the functions say which sources it runs through, and what of the tests it reads."""
    names = [(one.name, other.name) for one, other in pairs(path, dtype)]
    through = (diagnose, replay, plant)
    reads = tuple(pathlib.Path(str(module.__file__)) for module in (sys.modules[__name__], reference_recordings))
    return [
        Task(f"{path}, {dtype}: {' + '.join(pair)}", outcome, (path, dtype, pair, through), reads) for pair in names
    ]


def together(path: str, dtype: str, say, workers: Workers | Alone | None = None) -> collections.Counter:
    """Try every pair of a subject; each that is not right is said."""
    counts: collections.Counter = collections.Counter()
    tasks = planned(path, dtype)
    made = dict((workers or Alone()).run(tasks))
    for task in tasks:
        word, named = (made[task][name].decode() for name in ("word", "named"))
        counts[word] += 1
        if word != RIGHT:
            say(f"  {word}: {task.name} gives {named or 'nothing'}")
    return counts


def shown(counts: collections.Counter) -> int:
    """Pairs of which both causes show."""
    return counts.total() - counts[HIDDEN] - counts[SIMPLER]


HEAD = f"{'':20}{'':9}{'alone':>12}{'pairs':>7}{'both show':>11}{'right':>7}{'of those':>10}{'unnamed':>9}{'wrong':>7}"


def row(path: str, dtype: str, single: collections.Counter, double: collections.Counter) -> str:
    """A row of the table."""
    both, named = shown(double), f"{single[RIGHT]} of {single.total()}"
    share = f"{double[RIGHT] / both:.1%}" if both else "-"
    cells = f"{path:20}{dtype:9}{named:>12}{double.total():7}{both:11}{double[RIGHT]:7}{share:>10}"
    return f"{cells}{double[UNNAMED] + double[EITHER]:9}{double[WRONG]:7}"


def table(paths, say=print, workers: Workers | Alone | None = None) -> tuple[collections.Counter, collections.Counter]:
    """Try everything in both dtypes; the rows at the end, and the counts of all causes alone and of all pairs."""
    rows, single, double = [HEAD], collections.Counter(), collections.Counter()
    for dtype in ("float64", "float32"):
        for path in paths:
            one, two = alone(path, dtype, say), together(path, dtype, say, workers)
            rows.append(row(path, dtype, one, two))
            say(rows[-1])
            single, double = single + one, double + two
    rows.append(row("all", "", single, double))
    say("\n".join(rows))
    return single, double


if __name__ == "__main__":
    with workers_of(os.environ.get("LOCKSTEP_SCHEDULER"), None, Kept(KEPT)) as shared:
        table(sys.argv[1:] or SUBJECTS, lambda text: print(text, flush=True), shared)
