"""What others write, in their conventions: several causes at once are all named, and no faithful one is accused."""

import pytest

import lockstep
from lockstep.causes import causes
from lockstep.checking.driving import trials
from lockstep.checking.naming import own_defaults
from lockstep.numerics.verdict import Verdict
from lockstep.text import ENGLISH
from parity_tests.support import strangers
from parity_tests.support.families import AGREES
from parity_tests.support.strangers import TRUTH

pytestmark = pytest.mark.slow

# Scenarios in which none of these shows anything that another scenario does not; test_check.py has them all.
LEFT_OUT = {
    "gradients of many sizes",
    "gradients shrink",
    "zero gradients from step 4 on",
    "odd sizes",
    "a scalar",
    "sixty steps",
    "betas",
    "eps beside gradients as small",
    "maximize",
}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    of = trials.trials
    monkeypatch.setattr(
        "lockstep.checking.optimizers.trials", lambda s: [one for one in of(s) if one.name not in LEFT_OUT]
    )


def checked(stranger):
    return lockstep.check(stranger, like=TRUTH[stranger][0], dtypes=("float64",))


def named(found):
    return {f"{one['id']} ({one['variant']})" if one["variant"] else one["id"] for one in found.causes}


@pytest.mark.parametrize("stranger", TRUTH, ids=lambda stranger: stranger.__name__)
def test_what_is_true_of_it_is_said_and_nothing_else(stranger):
    _, truth = TRUTH[stranger]
    found = checked(stranger)
    assert found.verdict in (AGREES if truth == set() else {Verdict.DIFFERENT}), str(found)
    assert named(found) == truth, str(found)
    assert found.exit_status == (0 if truth == set() else 1)
    assert found.broken is None


def test_a_default_that_lies_in_the_code_is_found():
    found = checked(strangers.momentum_of_config)
    fixes = {cause["id"]: cause["fix"] for cause in found.to_json()["causes"]}
    assert fixes["momentum-value"] == "pass momentum=0.0, PyTorch's default: its own is 0.9"


def test_what_only_looks_like_state_is_said():
    found = checked(strangers.AdamOfOtherNames)
    assert (
        "what it keeps as m is not PyTorch's exp_avg, and no parameter depends on that: it is not compared"
        in (found.to_json()["notes"])
    )


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (0.9, None),
        (0.99, "pass momentum=0.9, which is PyTorch's default 0.1 by that meaning: its own is 0.99"),
        (0.1, "pass momentum=0.9, which is PyTorch's default 0.1 by that meaning: its own is 0.1"),
    ],
)
def test_a_default_counts_in_the_meaning_that_it_has(own, said):
    complement = next(cause for cause in causes("layers.batchnorm") if cause.id == "momentum-complement")
    found = own_defaults({"momentum": own}, {"momentum": 0.1}, 0.0, (complement,))
    assert [ENGLISH.say(cause["fix"]) for cause in found] == ([said] if said else [])
