"""What the steps add and what the problem multiplies are told apart, and the null gradient is a class of its own."""

import json

import numpy as np
import pytest

from lockstep.cases import Case
from lockstep.explanation.growth import ADDED, ILL, MULTIPLIED, growth, ill_conditioned
from lockstep.numerics import probe
from lockstep.subjects.registry import find, subjects

# SGD multiplies and adds in one order only, so on a CPU whose kernels fuse nothing both sides are the same to the bit.
where_sgd_differs = pytest.mark.skipif(
    probe.findings().contraction["add"] != "fused", reason="no kernel fuses here, so SGD has nothing to take apart"
)
OPTIMIZERS = [
    pytest.param(subject.path, marks=[where_sgd_differs] if subject.path == "optim.sgd" else [])
    for subject in subjects()
    if subject.family.name == "optim"
]


@where_sgd_differs
def test_a_contracting_problem_only_adds():
    """SGD on a quadratic shrinks a difference at each step."""
    found = growth("optim.sgd", case=Case("contracts", problem="quadratic", lr=0.3, steps=40))
    assert found.drift.any()
    assert found.made_by in (None, ADDED)
    assert found.classes[MULTIPLIED] == 0
    assert found.amplification[-1] < 1


@where_sgd_differs
def test_an_expanding_problem_multiplies():
    """Uphill on a quadratic every difference grows by 1 + lr at the least, and so does every parameter."""
    found = growth("optim.sgd", case=Case("expands", problem="quadratic", lr=0.3, maximize=True, steps=40))
    assert found.made_by == MULTIPLIED
    assert found.classes[MULTIPLIED] > found.classes[ADDED]
    assert found.amplification[-1] > 1.3**40 / 2
    assert found.drift[-1] > found.defect.sum()
    assert found.drift[-1] > found.alone[-1] > 0
    assert not any(found.ill_conditioned.values())


@pytest.mark.parametrize("subject", OPTIMIZERS)
def test_a_stream_of_gradients_multiplies_nothing(subject):
    """Nothing comes back to the parameters but themselves, rounded, and a state that carries what differs."""
    steps = 20 if getattr(find(subject).ours(), "CLOSURE", False) else 200  # each of them is as many as it likes
    found = growth(subject, case=Case("stream", steps=steps), path="single")
    assert found.differing or subject == "optim.rprop"  # whose steps take the sign of a gradient alone
    assert found.classes[MULTIPLIED] == 0
    assert found.made_by == (ADDED if found.differing else None)
    assert found.alone.tobytes() == found.drift.tobytes()


def test_a_step_without_gradient_is_one_on_pytorchs_gradients_too():
    found = growth("optim.adam", case=Case("none", none_at=3, weight_decay=0.1, steps=100), path="single")
    assert found.differing
    assert found.classes[MULTIPLIED] == 0


def test_a_bias_before_batchnorm_is_ill_conditioned():
    """The experiment that ships: its gradient is 0 but for rounding, which Adam makes as large as any other."""
    found = growth("models.mlp", case="digits, Adam, a bias before BatchNorm", steps=12)
    sizes = {"linear1.bias": 64, "linear2.bias": 32}
    for name, size in sizes.items():
        assert found.ill_conditioned[name] > 0.9 * size
    assert found.made_by == ILL
    assert found.worst is not None
    assert found.worst[0] in sizes
    others = sum(count for name, count in found.ill_conditioned.items() if name not in sizes)
    assert others < sum(sizes.values()) < found.elements - others


def test_without_that_bias_it_is_not():
    found = growth("models.mlp", steps=12)
    assert found.made_by != ILL


def test_ways_that_end_anywhere_are_told_from_those_that_part_a_little():
    """Over many steps the way of a null gradient is a walk at random, as long as the walks are far apart."""
    rng = np.random.default_rng(0)
    walks, gone = rng.standard_normal((4, 1000)), rng.choice([-5.0, 5.0], 1000)
    ways = [{"null": walk, "gone": gone + walk / 100, "still": np.zeros(3)} for walk in walks]
    lost = [np.array([np.inf, np.nan, np.nan, -np.inf]), *[np.array([np.inf, np.nan, 1.0, np.inf])] * 3]
    assert ill_conditioned([{"lost": way} for way in lost])["lost"].tolist() == [False, False, True, True]
    found = {name: flags.mean() for name, flags in ill_conditioned(ways).items()}
    assert found["null"] > 0.95
    assert (found["gone"], found["still"]) == (0, 0)


def test_in_plain_data():
    found = growth("optim.adam", steps=5)
    assert json.loads(json.dumps(found.to_json()))["elements"] == found.elements
    assert len(found.drift) == len(found.amplification) == 5
    assert np.isfinite(found.amplification).all()
    assert found.label in str(found)


def test_what_has_no_moving_parameters_is_refused():
    with pytest.raises(ValueError, match="no parameters that move"):
        growth("layers.activation")
