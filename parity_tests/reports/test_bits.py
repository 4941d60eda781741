"""Every formula of the pages gives in a browser the very bits that NumPy gives, all of them compared."""

import functools
import math
import os
import random
import re
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from lockstep.causes.source import text_of
from lockstep.experiments.laboratories import laboratories
from lockstep.experiments.powers import correctly_rounded
from lockstep.subjects.registry import find, subjects
from lockstep.subjects.subject import Subject
from parity_tests.reports import bits
from parity_tests.reports.bits import Apart, Handed, Run, digest, evaluated, planted, runs
from parity_tests.reports.browser import Reader, found, lacking, launched
from reference.fma import fma
from reference.functions import FUNCTIONS
from reference.random import Generator
from reports.translation import Untranslatable, script, translated

pytestmark = pytest.mark.slow


def is_stated_here(run: Run) -> bool:
    """AdamW's formula is Adam's, whose cases reach every branch of it."""
    return run.stating.__module__ == run.subject.reference.__name__


def refusal(subject: Subject) -> str:
    """Why a formula of a subject cannot run in a page; empty where all of them do."""
    return next(filter(None, map(bits.refused, {run.formula: run for run in runs(subject)}.values())), "")


OF_FORMULAS = [subject for subject in subjects() if subject.family.name in ("optim", "penalty")]
STEPPED = [subject for subject in OF_FORMULAS if not refusal(subject)]
LAYERS = [find("layers.batchnorm"), find("layers.dropout")]
OTHERS = [
    one for one in subjects() if one not in (*OF_FORMULAS, *LAYERS) and hasattr(one.ours(one.cases.CASES[0]), "ORDERS")
]
NO_STANDARD = re.compile(r"\bF\.(exp|log|log1p|tanh)\(")  # rounds these in a browser


@functools.cache
def refusals(subject: Subject) -> dict[str, str]:
    """Each formula of a subject, and what of it cannot run in a page, or has no bits of its own there."""
    made = {}
    for run in {run.formula: run for run in runs(subject, by_call=True)}.values():
        try:
            unrounded = NO_STANDARD.search(bits.formula(run))
            made[run.formula] = f"no standard rounds {unrounded[1]}" if unrounded else ""
        except Untranslatable as error:
            made[run.formula] = str(error)
    return made


def by_call(subject: Subject, longest: int | None = None) -> list[Run]:
    """The runs of those formulas of a subject that a page works out to the bit."""
    why = refusals(subject)
    return [run for run in runs(subject, longest, by_call=True) if not why[run.formula]]


def of_a_notebook(own: Iterable[Run]) -> list[Run]:
    """Those of a batch of about the notebook's size, or of none."""
    return [run for run in own if math.prod(getattr(run.case, "shape", ())) <= NOTEBOOK]


STATING = [one for one in (*STEPPED, *LAYERS) if is_stated_here(next(runs(one)))]
AT_ONCE = 100  # runs that are handed over together
LONGEST = 200
NOTEBOOK = 512  # numbers: a batch of about the notebook's size

SWAPPED = {
    "plus": "minus", "minus": "plus", "times": "plus", "over": "times", "negative": "abs", "power": "times",
    "maximum": "minimum", "minimum": "maximum", "sqrt": "abs", "sign": "abs", "abs": "negative",
    "less": "greater", "greater": "less", "ops.add": "ops.mul", "ops.mul": "ops.div", "ops.div": "ops.mul",
    "ops.addcmul": "ops.addcdiv", "ops.addcdiv": "ops.addcmul", "ops.lerp": "ops.addcmul", "ops.sqrt": "abs",
    "ops.fma": "ops.addcmul", "ops.pow": "ops.mul", "ops.sum_of_products": "ops.addcmul",
}  # fmt: skip
OPERATOR = re.compile(r"\bF\.((?:ops\.)?\w+)\(")


class Machine:
    """A page in which formulas run, beside NumPy."""

    def __init__(self, reader: Reader):
        self.page = reader.page

    def fingerprints(self, own: list[Run]) -> Iterator[tuple[Run, list, list]]:
        """Each run with NumPy's fingerprint and the page's."""
        for start in range(0, len(own), AT_ONCE):
            batch, handed = own[start : start + AT_ONCE], Handed()
            data = [handed.run(run) for run in batch]
            self.page.evaluate("streams => laboratory.take(streams)", handed.streams)
            made = self.page.evaluate("runs => laboratory.fingerprints(runs)", data)
            yield from zip(batch, [digest(evaluated(run)) for run in batch], made, strict=True)

    def caught(self, names: list[str], own: list[Run]) -> list[bool]:
        """Whether some run is another one with each of these formulas."""
        handed = Handed()
        data = [[handed.run(run), digest(evaluated(run))] for run in own]
        self.page.evaluate("streams => laboratory.take(streams)", handed.streams)
        return self.page.evaluate("([names, runs]) => laboratory.caught(names, runs)", [names, data])

    def apart(self, run: Run) -> Apart | None:
        """Where a run has its first number that is not NumPy's."""
        made = self.page.evaluate("run => laboratory.whole(run)", Handed().run(run))
        for part, (theirs, ours) in enumerate(zip(made, evaluated(run), strict=True)):
            differing = np.flatnonzero(np.frombuffer(ours, np.uint8) != np.array(theirs, np.uint8))
            if differing.size:
                return Apart(run, part, int(differing[0]))
        return None


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    path = found()
    wrong, why = lacking(path, os.environ)
    if not path:
        pytest.fail(why) if wrong else pytest.skip(why)
    file = tmp_path_factory.mktemp("bits") / "bits.html"
    file.write_text(bits.page(formulas()), "utf-8")
    with launched(path) as browser:
        reader = Reader(browser.new_context(offline=True).new_page(), file)
        assert not reader.complaints
        yield Machine(reader)


def formulas() -> dict[str, str]:
    """Every formula that is tried here, each of its mutants, and the functions that runs are on."""
    known = {run.formula: run for subject in (*STEPPED, *LAYERS) for run in (*runs(subject), *planted(subject))}
    known |= {run.formula: run for subject in OTHERS for run in by_call(subject)}
    made = {name: bits.formula(run) for name, run in known.items()}
    stated = [run for run in known.values() if not run.cause and is_stated_here(run)]
    mutated = {name: text for run in stated for name, text in mutants(run)}
    functions = {
        f"{name} {order}": script(translated(text_of(function)))
        for name, problem in FUNCTIONS.items()
        for order, function in problem.ORDERS.items()
    }
    return made | mutated | functions


def mutants(run: Run) -> Iterator[tuple[str, str]]:
    """The formula of a run with one operator changed, for each of them, under a name of its own."""
    text = bits.formula(run)
    for match in OPERATOR.finditer(text):
        if match[1] in SWAPPED:
            changed = text[: match.start(1)] + SWAPPED[match[1]] + text[match.end(1) :]
            yield f"{run.formula} with {SWAPPED[match[1]]} at {match.start(1)}", changed


def check(machine: Machine, own: list[Run]) -> None:
    compared = 0
    wrong = []
    for run, ours, theirs in machine.fingerprints(own):
        compared += ours[1]
        if theirs != ours:
            wrong.append((run, theirs))
    places = [machine.apart(run) if theirs[1] else f"{run.label}: {theirs[0]}" for run, theirs in wrong[:5]]
    assert not wrong, f"{len(wrong)} of {len(own)} runs: " + "; ".join(map(str, places))
    assert compared, "nothing was compared"


def test_what_cannot_run_in_a_page_is_not_offered_there():
    """A matrix product, for one, a library adds up in an order of its own; what is refused says what it is."""
    assert len(STEPPED) >= len(OF_FORMULAS) / 2
    for subject in OF_FORMULAS:
        if why := refusal(subject):
            assert why.startswith("no translation of ")
            assert not laboratories(subject), f"{subject.path}: {why}"


@pytest.mark.parametrize("subject", STEPPED, ids=lambda one: one.path)
def test_every_formula_on_every_case_has_numpys_bits(machine, subject):
    check(machine, list(runs(subject)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("subject", STEPPED, ids=lambda one: one.path)
def test_every_formula_has_numpys_bits_for_two_hundred_steps(machine, subject):
    check(machine, list(runs(subject, LONGEST)))


@pytest.mark.parametrize("subject", LAYERS, ids=lambda one: one.path)
def test_every_intermediate_of_a_layer_has_numpys_bits(machine, subject):
    check(machine, of_a_notebook(runs(subject)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("subject", LAYERS, ids=lambda one: one.path)
def test_every_intermediate_of_a_larger_batch_has_numpys_bits(machine, subject):
    check(machine, [run for run in runs(subject) if math.prod(run.case.shape) > NOTEBOOK])


@pytest.mark.parametrize("subject", OTHERS, ids=lambda one: one.path)
def test_every_other_formula_that_runs_in_a_page_has_numpys_bits(machine, subject):
    """Schedules, averages, clippings and layers; what of theirs does not run there says why."""
    if own := of_a_notebook(by_call(subject)):
        check(machine, own)
    for name, why in refusals(subject).items():
        assert not why or why.startswith(("no translation of ", "no standard rounds ")), name


@pytest.mark.exhaustive
@pytest.mark.parametrize("subject", [one for one in OTHERS if by_call(one)], ids=lambda one: one.path)
def test_every_other_formula_has_numpys_bits_for_two_hundred_steps(machine, subject):
    check(machine, by_call(subject, LONGEST))


@pytest.mark.parametrize("subject", [one for one in STEPPED if one.causes], ids=lambda one: one.path)
def test_every_cause_has_numpys_bits_where_it_shows(machine, subject):
    check(machine, list(planted(subject)))


@pytest.mark.parametrize("subject", [*STATING, *filter(by_call, OTHERS)], ids=lambda one: one.path)
def test_a_translation_with_one_operator_changed_is_caught(machine, subject):
    by_formula: dict[str, list[Run]] = {}
    for run in filter(is_stated_here, of_a_notebook(by_call(subject)) if subject in OTHERS else runs(subject)):
        by_formula.setdefault(run.formula, []).append(run)
    for own in by_formula.values():
        names = [name for name, _ in mutants(own[0])]
        assert names
        itself, *caught = machine.caught(
            [own[0].formula, *names], [run for run in own if run.rounding == own[0].rounding]
        )
        assert not itself
        assert [name for name, told in zip(names, caught, strict=True) if not told] == []


# What they stand on

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 3.0, np.inf, -np.inf, np.nan)


def operands(dtype: type) -> list[np.ndarray]:
    """Three arrays: of any bits, of usual numbers, of such as nearly cancel, of small ones, of a format's ends."""
    rng, info = np.random.default_rng(0), np.finfo(dtype)
    whole = np.uint32 if dtype == np.float32 else np.uint64
    ends = np.array(
        [*SPECIAL, info.tiny, -info.tiny, info.smallest_subnormal, info.max, -info.max, 1 + info.eps], dtype
    )
    anything = rng.integers(0, np.iinfo(whole).max, (3, 4000), dtype=whole, endpoint=True).view(dtype)
    usual = rng.standard_normal((3, 4000)).astype(dtype)
    a, b = usual[:2] * dtype(2.0 ** (info.minexp // 2))
    with np.errstate(all="ignore"):
        cancelling = np.stack([usual[0], usual[1], -(usual[0] * usual[1])])
        small = np.stack([a, b, a * b * usual[2]])
    return [*np.concatenate([anything, usual, cancelling, small, rng.choice(ends, (3, 4000))], axis=1)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fused_multiply_add_rounds_once(machine, dtype):
    given = operands(dtype)
    with np.errstate(all="ignore"):
        twice = given[0] * given[1] + given[2]
    assert bits.noted(twice) != bits.noted(fma(*given)), "numbers that do not tell one rounding from two"
    made = machine.page.evaluate("operands => laboratory.fused(operands)", [*map(bits.packed, given)])
    assert bytes(made) == bits.noted(fma(*given))


def test_a_power_is_correctly_rounded(machine):
    draws = random.Random(0)
    whole = [(draws.uniform(0.01, 3), float(draws.randint(-60, 400))) for _ in range(400)]
    other = [(draws.uniform(0.01, 3), draws.uniform(-60, 60)) for _ in range(400)]
    exact = [
        (0.5, 1074.0),
        (0.5, 1075.0),
        (2.0, -1074.0),
        (4.0, 0.5),
        (0.25, -1.5),
        (32.0, -0.8),  # a double that is no -4/5: nearly 1/16
        (8.0, 1 / 3),
        (-3.0, 3.0),
        (-2.0, -2.0),
        (1.1, 0.0),
    ]
    pairs = [*whole, *other, *exact]
    made = machine.page.evaluate("pairs => laboratory.powers(pairs)", pairs)
    assert [pair for pair, value in zip(pairs, made, strict=True) if float(value) != correctly_rounded(*pair)] == []


@pytest.mark.parametrize("seed", [0, 42, 2**32 + 5])
def test_a_mask_is_drawn_from_pytorchs_stream(machine, seed):
    draws = [(0.5, [3, 5], "float32"), (0.3, [1000], "float64"), (0.0, [4], "float32"), (0.9, [7, 11], "float32")]
    generator = Generator(seed)
    ours = [bits.noted(generator.dropout_mask(p, tuple(shape), np.dtype(name))) for p, shape, name in draws]
    made = machine.page.evaluate("([seed, draws]) => laboratory.masks(seed, draws)", [seed, draws])
    assert [*map(bytes, made)] == ours


@pytest.mark.parametrize(("dtype", "whole", "width"), [(np.float32, np.uint32, 8), (np.float64, np.uint64, 11)])
def test_a_number_is_opened_and_its_bits_are_turned(machine, dtype, whole, width):
    info = np.finfo(dtype)
    for value in np.array([0.1, -0.0, 1.5, info.tiny, -info.smallest_subnormal, info.max, np.inf], dtype):
        pattern, size = int(value.view(whole)), info.bits
        made = machine.page.evaluate("([x, name]) => laboratory.opened(x, name)", [float(value), value.dtype.name])
        assert made["bits"] == format(pattern, f"0{size}b")
        assert int(made["hex"], 16) == pattern
        assert (made["sign"] << size - 1) + (made["exponent"] << info.nmant) + int(made["significand"]) == pattern
        turned = [int(text, 16) ^ pattern for text in made["turned"]]
        assert turned[: 1 + width] == [1 << size - 1 - place for place in range(1 + width)] or np.isinf(value)


def test_numbers_are_as_far_apart_as_there_are_steps_between_them(machine):
    one, tiny = np.float32(1), np.finfo(np.float32).smallest_subnormal
    pairs = [(1.0, float(np.nextafter(one, 2))), (float(-tiny), float(tiny)), (0.0, -0.0), (1.0, 2.0)]
    made = machine.page.evaluate("([pairs, name]) => laboratory.apart(pairs, name)", [pairs, "float32"])
    assert made == [1, 2, 0, 2**23]
