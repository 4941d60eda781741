"""Adding a format is one entry in the table: the engine is given one that it has never seen, and follows."""

import numpy as np
import pytest

import lockstep
from lockstep.engine.stepping import run_pair
from lockstep.errors import BadValue
from lockstep.numerics.formats import FORMATS, Format
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked
from reference.arithmetic import PLAIN

# Of 8 bits, of which PyTorch's kernels compute nothing: both sides are ours, in two orders.
NEVER_SEEN = Format("float8_e5m2", wider="float64", cpp="c10::Float8_e5m2")


@pytest.fixture
def table():
    """The table of formats to change; afterwards it is what it was, in its order."""
    before = dict(FORMATS)
    yield FORMATS
    FORMATS.clear()
    FORMATS.update(before)


def our_own(dtype: str, scale: float = 1.0):
    """SGD with momentum beside itself in PyTorch's order, its first step larger by a factor."""
    both = asked("optim.sgd", "momentum", dtype, hyperparameters={"lr": 0.25}).pair()

    def theirs():
        side = both.ours()
        side.rewrite("pytorch", PLAIN)
        side.optimizer.set("lr", 0.25 * scale)
        return side

    return both._replace(theirs=theirs)


def test_a_format_that_was_never_seen(table):
    with pytest.raises(BadValue, match="not 'float8_e5m2'"):
        our_own(NEVER_SEEN.name)
    table[NEVER_SEEN.name] = NEVER_SEEN
    outcome = run_pair(our_own(NEVER_SEEN.name), 6)
    assert outcome.verdict is Verdict.ROUNDING, outcome.broken
    finding = outcome.evidence
    assert finding is not None
    assert finding.dtype == NEVER_SEEN.name
    assert (len(finding.ours_bits), NEVER_SEEN.from_bits(finding.ours_bits)) == (4, finding.ours)
    assert 0 < outcome.used <= 1
    for quantities in (side.read() for side in outcome.sides.values()):
        assert {array.dtype for array in quantities["param"].values()} == {NEVER_SEEN.dtype}


def test_another_formula_shows_in_it(table):
    table[NEVER_SEEN.name] = NEVER_SEEN
    assert run_pair(our_own(NEVER_SEEN.name, scale=8), 6).verdict is Verdict.DIFFERENT


def test_a_format_that_is_taken_away_is_refused(table):
    entry = table.pop("bfloat16")
    with pytest.raises(BadValue, match="must be one of 'float64', 'float32', 'float16', not 'bfloat16'"):
        lockstep.run("optim.sgd", dtype="bfloat16")
    table["bfloat16"] = Format(entry.name, entry.wider, entry.cpp)
    assert lockstep.run("optim.sgd", dtype="bfloat16").verdict.passes


def test_a_run_in_every_format():
    """The same case in each: none farther from the exact way than a hundred of its units."""
    exact = lockstep.run("optim.sgd", case="momentum", dtype="float64").outcome.sides["ours"].read()["param"]
    for name, held in FORMATS.items():
        run = lockstep.run("optim.sgd", case="momentum", dtype=name)
        assert run.verdict.passes
        for key, array in run.outcome.sides["ours"].read()["param"].items():
            assert array.dtype == held.dtype
            apart = np.max(np.abs(array.astype(float) - exact[key])) / np.max(np.abs(exact[key]))
            assert apart <= 12 * 8 * held.unit, "twelve steps of at most eight roundings"
