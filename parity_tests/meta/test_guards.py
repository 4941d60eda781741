"""The harness against itself: each reason not to trust a comparison, planted in a side, is named before any number."""

from collections import namedtuple

import numpy as np
import pytest

from lockstep.engine import guard as module
from lockstep.engine.guard import Broken, check_memory
from lockstep.engine.stepping import Outcome, run_pair
from lockstep.engine.wording import wording
from lockstep.numerics.bounded import Bounded, OrdersDisagree, widest
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.families.optim import agreed
from parity_tests.support.planted import planted
from parity_tests.support.toy import SHAPES, Toy, exact, fused, pair, plain

STEPS = 4


def told(outcome: Outcome) -> str:
    """What a person reads of it."""
    return wording("toy", outcome.verdict, outcome.evidence, outcome.broken, "rerun it")


def broken(cause: str, *words: str, steps: int = STEPS, **sides) -> Outcome:
    """A run that must be broken by `cause`, and say so first, in `words`, with no finding beside it."""
    outcome = run_pair(pair(**sides), steps)
    assert outcome.verdict is Verdict.BROKEN, outcome.verdict
    assert outcome.broken is not None
    assert outcome.broken.id == cause
    first, *rest = told(outcome).splitlines()
    assert first == f"toy: broken: {outcome.broken.message}"
    assert rest == [f"  cause    {cause}", "  rerun    rerun it"]
    for word in words:
        assert word in first
    return outcome


def before_any_number(outcome: Outcome) -> bool:
    return outcome.first_difference is None and not outcome.defect.columns and not outcome.drift.columns


def test_toys_are_in_order():
    outcome = run_pair(pair(), STEPS)
    assert outcome.verdict in (Verdict.IDENTICAL, Verdict.ROUNDING)
    assert outcome.broken is None


# memory


class Buffer:
    """Makes toys whose tensors lie in one buffer, as `place` says: (toy number, tensor) to a slice of it."""

    def __init__(self, place, quantity: str = "param"):
        self.memory = np.zeros(200, np.float32)
        self.place, self.quantity, self.made = place, quantity, 0

    def __call__(self, formula=plain) -> Toy:
        toy = Toy(formula)
        held = getattr(toy, self.quantity)
        for name, array in held.items():
            where = self.place(self.made, name)
            if where is not None:
                view = self.memory[where][: array.size].reshape(array.shape)
                view[...] = array
                held[name] = view
        self.made += 1
        return toy


def apart(toy: int, name: str) -> slice:
    return slice(40 * toy + (0 if name == "weight" else 20), None)


# in the order in which the engine makes them: theirs, the free run of ours, the resynchronised one
SHARED = {
    "the same buffer": lambda toy, name: apart(min(toy, 1) - (toy == 1), name) if toy < 2 else apart(2, name),
    "one element of it": lambda toy, name: slice(0 if toy == 0 else 11, None) if name == "weight" and toy < 2 else None,
    "every other element": lambda toy, name: slice(0, None, 2) if name == "weight" and toy == 0 else
    (slice(2, None, 2) if name == "weight" and toy == 1 else None),
    "theirs and the resynchronised": lambda toy, name: apart(0, name) if toy != 1 else None,
    "both of ours": lambda toy, name: apart(1, name) if toy else None,
}  # fmt: skip


@pytest.mark.parametrize("how", SHARED)
@pytest.mark.parametrize("quantity", ["param", "velocity"])
def test_shared_memory(how, quantity):
    buffer = Buffer(SHARED[how], quantity)
    outcome = broken("shared-memory", quantity, "one buffer", ours=buffer, theirs=lambda: buffer(fused))
    assert before_any_number(outcome)
    runs = ("your free run", "your resynchronised run")
    assert all((run in told(outcome)) == (how == "both of ours") for run in runs)


def test_neighbours_in_one_buffer_share_nothing():
    buffer = Buffer(apart)
    assert run_pair(pair(ours=buffer, theirs=lambda: buffer(fused)), STEPS).broken is None
    interleaved = Buffer(lambda toy, name: slice(toy, None, 3) if name == "weight" else None)
    assert run_pair(pair(ours=interleaved, theirs=lambda: interleaved(fused)), STEPS).broken is None


def test_memory_that_comes_to_be_shared():
    """A side that takes over the other's array instead of a copy: no difference from then on, whatever it computes."""
    toys = []

    class Taker(Toy):
        def advance(self, stage, step):
            super().advance(stage, step)
            if step == 2:
                self.velocity = toys[0].velocity

    def theirs():
        toys.append(Toy(fused))
        return toys[0]

    broken("shared-memory", "velocity", ours=Taker, theirs=theirs)


def test_state_of_a_class_is_shared_by_its_runs():
    """A mutable default or a class attribute: the free run steps the resynchronised one's state as well."""
    state = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}

    class Classwide(Toy):
        def __init__(self):
            super().__init__()
            self.velocity = state

    broken("shared-memory", "velocity", "your free run", ours=Classwide)


def test_shared_memory_behind_an_array_that_only_spans_it():
    """Every array that overlaps is looked at, not the widest alone."""
    base = np.zeros(16)
    ours = Snapshot({"param": {"even": base[::2], "second": base[1:2]}})
    theirs = Snapshot({"param": {"odd": base[1::2]}})
    with pytest.raises(Broken, match="'second' of your side and param 'odd' of PyTorch's side"):
        check_memory(ours, theirs)
    with pytest.raises(Broken, match="'odd' of your side and param 'second' of PyTorch's side"):
        check_memory(theirs, ours)
    with pytest.raises(Broken, match="'thirds' of your side and param 'third' of PyTorch's side"):
        check_memory(
            Snapshot({"param": {"thirds": base[::3], "next": base[1::3]}}), Snapshot({"param": {"third": base[3:4]}})
        )
    check_memory(Snapshot({"param": {"even": base[::2]}}), theirs)


def test_empty_arrays_share_nothing():
    base = np.zeros(4)
    check_memory(Snapshot({"param": {"a": base[:0]}}), Snapshot({"param": {"a": base}}))


# movement


class Still(Toy):
    def advance(self, stage, step):
        pass


class Late(Toy):
    """Moves one element, once."""

    def advance(self, stage, step):
        if step == STEPS:
            self.param["bias"][2] = np.nextafter(self.param["bias"][2], np.float32(9))


class StateOnly(Toy):
    """Keeps its books and changes no parameter."""

    def advance(self, stage, step):
        self.velocity["bias"] += 1


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ({"ours": Still, "theirs": Still}, "no param changed on your side"),
        ({"ours": StateOnly, "theirs": StateOnly}, "no param changed on your side"),
        ({"ours": Still}, "no param changed on your side"),
        ({"theirs": Still}, "no param changed on PyTorch's side"),
    ],
)
def test_nothing_moved(sides, words):
    broken("nothing-moved", words, **sides)


def test_one_element_that_moves_once_is_enough():
    assert run_pair(pair(ours=Late, theirs=Late), STEPS).verdict is Verdict.IDENTICAL
    broken("nothing-moved", ours=Late, theirs=Late, steps=STEPS - 1)


def test_a_still_case_may_stand_still():
    assert run_pair(pair(ours=Still, theirs=Still)._replace(still=True), STEPS).verdict is Verdict.IDENTICAL


# nothing to compare


def test_nothing_compared_for_want_of_elements():
    def empty(formula=plain):
        return Toy(formula, {"weight": (0, 4), "bias": (0,)})

    outcome = broken("nothing-compared", "single element", ours=empty, theirs=empty)
    assert before_any_number(outcome)


def test_nothing_compared_for_want_of_a_stage():
    class Silent(Toy):
        def produces(self, stage, quantity, tensor):
            return False

    broken("nothing-compared", "not one element", ours=Silent, theirs=Silent)


# names, shapes, dtypes


def renamed(quantity: str, old: str, new: str | None):
    """Toys in which a tensor of one quantity has another name, or is missing."""

    class Renamed(Toy):
        def read(self):
            quantities = super().read()
            array = quantities[quantity].pop(old)
            return quantities if new is None else quantities | {quantity: quantities[quantity] | {new: array}}

        def write(self, quantities):
            super().write(quantities | {quantity: {old: quantities[quantity].get(new or old), **quantities[quantity]}})

    return Renamed


@pytest.mark.parametrize("quantity", ["param", "velocity"])
@pytest.mark.parametrize("new", ["kernel", None])
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_names_differ(quantity, new, side):
    left = (new or "nothing", "weight") if side == "ours" else ("weight", new or "nothing")
    words = (f"tensors of {quantity} differ", f"only yours has {left[0]}, only PyTorch's has {left[1]}")
    assert before_any_number(broken("names-differ", *words, **{side: renamed(quantity, "weight", new)}))


def test_quantities_differ():
    class Richer(Toy):
        def read(self):
            return super().read() | {"nu": {"weight": np.zeros(3, np.float32)}}

    assert before_any_number(broken("names-differ", "only yours has nu, only PyTorch's has nothing", ours=Richer))


def test_a_state_that_only_one_side_comes_to_have():
    class Later(Toy):
        def __init__(self):
            super().__init__()
            self.steps = 0

        def advance(self, stage, step):
            super().advance(stage, step)
            self.steps = step

        def read(self):
            return super().read() | ({"step": {"weight": np.float32(self.steps)}} if self.steps else {})

    broken("names-differ", "only yours has step", ours=Later)


def shaped(**shapes):
    return lambda: Toy(plain, SHAPES | shapes)


def test_shapes_differ():
    outcome = broken("shape-differs", "'bias'", "(6,) on your side and (5,) on PyTorch's", ours=shaped(bias=(6,)))
    assert before_any_number(outcome)


def test_a_transposed_layout():
    outcome = broken("layout-transposed", "(4, 3)", "(3, 4)", "transpose", ours=shaped(weight=(4, 3)))
    assert before_any_number(outcome)


def test_a_transposed_square():
    """Of which the shape says nothing."""

    class Transposed(Toy):
        def __init__(self):
            super().__init__(plain, {"weight": (3, 3)})
            self.param["weight"] = self.param["weight"].T.copy()

    outcome = broken(
        "layout-transposed", "'weight'", "transpose", ours=Transposed, theirs=lambda: Toy(fused, {"weight": (3, 3)})
    )
    assert before_any_number(outcome)


def test_starts_differ():
    class Elsewhere(Toy):
        def __init__(self):
            super().__init__()
            self.param["bias"][3] = np.nextafter(self.param["bias"][3], np.float32(9))

    assert before_any_number(broken("start-differs", "param 'bias'", ours=Elsewhere))


def test_dtypes_differ():
    outcome = broken(
        "dtype-differs", "float64 on your side and float32 on PyTorch's", ours=lambda: Toy(dtype=np.float64)
    )
    assert before_any_number(outcome)


class Promoting(Toy):
    """numpy.sqrt of a Python float is a float64, and makes one of an array that isn't assigned to in place."""

    def advance(self, stage, step):
        super().advance(stage, step)
        if step == 2:
            self.velocity["weight"] = self.velocity["weight"] * np.sqrt(1.0)


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_step_promotes(side):
    whose = {"ours": "of your side", "theirs": "of PyTorch's side"}[side]
    words = ("velocity 'weight'", whose, "from float32 to float64")
    broken("dtype-promoted", *words, **{side: Promoting})


def test_both_sides_promote():
    """They agree with each other, and not with what was asked for."""
    broken("dtype-promoted", ours=Promoting, theirs=Promoting)


# the arbiter


def test_orders_disagree():
    def two_formulas(stage, step, before):
        bounds = exact(stage, step, before)
        wrong = {name: bound * (1 + 1e-3) for name, bound in bounds["param"].items()}
        return bounds | {"param": {name: widest([bound, wrong[name]]) for name, bound in bounds["param"].items()}}

    broken("orders-disagree", "two orders", arbiter=two_formulas)
    with pytest.raises(OrdersDisagree):
        widest([Bounded(1.0, np.float32), Bounded(1.1, np.float32)])


def test_the_first_line_that_orders_differ_in_is_named():
    """Of those that both have, and though the parameter is asked for."""
    one, other = (Bounded(value, np.float32) for value in (1.0, 1.1))
    paper = namedtuple("Paper", ["g", "m_hat", "m", "denom", "param"])(one, other, one, one, one)
    pytorch = namedtuple("PyTorch", ["g", "m", "denom", "param"])(one, one, other, other)
    with pytest.raises(OrdersDisagree, match=r"different exact values of line denom$"):
        agreed([paper, pytorch], "param")
    assert agreed([paper, pytorch], "m").value == one.value


# each guard is needed: without it, the run passes for one in order, or stops for another reason

GUARDS = {
    "check_memory": test_state_of_a_class_is_shared_by_its_runs,
    "check_names": test_a_state_that_only_one_side_comes_to_have,
    "check_dtypes": test_both_sides_promote,
    "check_start": test_starts_differ,
}


@pytest.mark.parametrize("name", GUARDS)
def test_without_its_guard_a_fault_passes(name, monkeypatch):
    monkeypatch.setattr(f"lockstep.engine.stepping.{name}", lambda *arguments: None)
    with pytest.raises((AssertionError, KeyError)):
        GUARDS[name]()


def test_without_watching_nothing_moved_passes(monkeypatch):
    monkeypatch.setattr("lockstep.engine.stepping.Movement.check", lambda self: None)
    with pytest.raises(AssertionError):
        test_nothing_moved({"ours": Still, "theirs": Still}, "")


MUTANTS = {
    "only whole buffers": (
        "np.shares_memory(np.asarray(array), np.asarray(other))",
        "np.asarray(array) is np.asarray(other)",
    ),
    "overlapping spans": ("np.shares_memory(np.asarray(array), np.asarray(other))", "True"),
    "the widest alone": (
        "for _, other_quantity, other_name in begun[1 - side]:",
        "for _, other_quantity, other_name in sorted(begun[1 - side])[-1:]:",
    ),
    "the last to begin alone": (
        "for _, other_quantity, other_name in begun[1 - side]:",
        "for _, other_quantity, other_name in begun[1 - side][-1:]:",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_weaker_look_at_memory_is_noticed(name, monkeypatch):
    mutant = planted(module, *MUTANTS[name])
    monkeypatch.setattr(mutant, "Broken", Broken)
    monkeypatch.setattr("lockstep.engine.stepping.check_memory", mutant.check_memory)
    monkeypatch.setitem(globals(), "check_memory", mutant.check_memory)
    with pytest.raises((AssertionError, Broken, pytest.fail.Exception)):
        everything_about_memory()


def everything_about_memory():
    for how in SHARED:
        test_shared_memory(how, "param")
    test_neighbours_in_one_buffer_share_nothing()
    test_shared_memory_behind_an_array_that_only_spans_it()
