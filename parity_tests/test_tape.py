"""A replayed formula gives the bits of the formula itself, whatever the order in which it reads and writes."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from reference.tape import Tape

LENGTH = 48
NAMES = ("x", "y", "z")


class Lines(NamedTuple):
    first: Any
    second: Any
    third: Any


def formula_of(seed):
    """A straight-line formula of three arrays, drawn at random: any line may read any earlier one."""
    draws = np.random.default_rng(seed)
    kinds = draws.integers(11, size=12).tolist()
    steps = [(kind, *draws.integers(0, 2**31, 2).tolist(), float(draws.normal())) for kind in kinds]
    results = [int(result) for result in draws.integers(0, 2**31, 3)]

    def formula(x, y, z, *, scale):
        lines = [x, y, z]
        for kind, left, right, number in steps:
            a, b = lines[left % len(lines)], lines[right % len(lines)]
            made = (
                lambda a, b, c: a + b,
                lambda a, b, c: a - b,
                lambda a, b, c: a * b,
                lambda a, b, c: a / (abs(b) + 1),
                lambda a, b, c: c * a,
                lambda a, b, c: scale * a - b,
                lambda a, b, c: np.sqrt(abs(a)),
                lambda a, b, c: np.maximum(a, b),
                lambda a, b, c: -(a**2) * 1.0,
                lambda a, b, c: np.where(a > b, a, c),
                lambda a, b, c: np.where(a * b < 0, 0, np.where(a > 0, b, a)),
            )[kind](a, b, number)
            lines.append(made)
        return Lines(*(lines[3 + result % (len(lines) - 3)] for result in results))

    return formula


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(100))
def test_a_replay_gives_the_formulas_bits(seed, dtype):
    formula = formula_of(seed)
    draws = np.random.default_rng(seed)
    arrays = {name: draws.standard_normal(3 * LENGTH + 5).astype(dtype) for name in NAMES}
    with np.errstate(all="ignore"):
        wanted = formula(**arrays, scale=0.3)
        tape = Tape(formula, NAMES, {"scale": 0.3}, {"y": "first", "x": "second", "new": "third"}, LENGTH, dtype)
        given = {name: array.copy() for name, array in arrays.items()} | {"new": np.empty_like(arrays["x"])}
        for start in range(0, 3 * LENGTH + 5, LENGTH):
            tape.replay({name: array[start : start + LENGTH] for name, array in given.items()})
    assert given["y"].tobytes() == wanted.first.tobytes()
    assert given["x"].tobytes() == wanted.second.tobytes()
    assert given["new"].tobytes() == wanted.third.tobytes()
    assert given["z"].tobytes() == arrays["z"].tobytes()


def test_an_input_is_copied_before_it_can_be_overwritten():
    def formula(x, y):
        return Lines(first=y, second=x - 0.5 * y, third=None)

    tape = Tape(formula, ("x", "y"), {}, {"new": "first", "x": "second"}, 4, "float64")
    x, new = np.arange(4.0), np.empty(4)
    tape.replay({"x": x, "y": x, "new": new})
    assert new.tolist() == [0, 1, 2, 3]
    assert x.tolist() == [0, 0.5, 1, 1.5]


def test_a_formula_that_does_more_than_call_elementwise_functions_is_refused():
    with pytest.raises(TypeError):
        Tape(lambda x: Lines(np.cumsum(x), None, None), ("x",), {}, {"x": "first"}, 4, "float64")
