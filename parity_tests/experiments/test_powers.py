"""Which of Python's powers are not correctly rounded, so that a page has to be told of them."""

import math
import random

import mpmath
import pytest

from lockstep.experiments import powers
from lockstep.experiments.powers import correctly_rounded, misrounded, with_powers
from lockstep.subjects.registry import find


@pytest.mark.parametrize("whole", [True, False])
def test_a_power_is_rounded_once(whole):
    draws = random.Random(0)
    with mpmath.workprec(400):
        for _ in range(300):
            x, y = draws.uniform(0.01, 3), float(draws.randint(-40, 500)) if whole else draws.uniform(-40, 40)
            assert correctly_rounded(x, y) == float(mpmath.power(mpmath.mpf(x), mpmath.mpf(y))), (x, y)


def test_what_the_c_library_rounds_otherwise_is_found(monkeypatch):
    adam = find("optim.adam").ours()
    assert all(value == x**y for x, y, value in misrounded(adam, {}, 30))

    def otherwise(x, y):
        return math.nextafter(x**y, 2) if (x, y) == (0.999, 7.0) else x**y

    monkeypatch.setattr(powers, "correctly_rounded", otherwise)
    assert misrounded(adam, {}, 30) == [(0.999, 7.0, 0.999**7.0)]
    assert misrounded(adam, {}, 6) == []


def test_every_power_of_a_formula_is_asked_for():
    asked = []
    formula = with_powers(find("optim.adamax").ours().ORDERS["pytorch"], lambda x, y: asked.append((x, y)) or x**y)
    formula(1.0, 2.0, 0.0, 0.0, step=3.0, lr=0.1, betas=(0.9, 0.99), eps=0.0, weight_decay=0.0, maximize=False)
    assert asked == [(0.9, 3.0)]
