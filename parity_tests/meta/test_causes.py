"""Every cause of the catalogue, planted alone, is found where it says; and without it the same scenario is clean."""

import functools
import itertools
import pathlib

import numpy as np
import pytest

from lockstep.causes import BadEdit, Cause, First, causes, plant, scenarios, table
from lockstep.causes.catalogue import met, page
from lockstep.causes.cause import DTYPES, subject_class
from lockstep.causes.harness import FAULTS as ANY_OPTIMIZERS
from lockstep.causes.precision import float32, float32_power, float32_product
from lockstep.causes.saved import LR, SAVED
from lockstep.checking.driving.trials import RESUMING, trials
from lockstep.engine.stepping import run_pair
from lockstep.experiments.detection.table import FAITHFUL, causes_table
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked, find, subjects
from lockstep.text import ENGLISH, Voice, texts
from reference.optim.adam import Adam
from reference.optim.sgd import SGD

# The rows of the catalogue: what people really met.
ADAM = {
    *("eps-hat", "eps-inside-sqrt", "eps-twice", "hyperparameter-low-precision", "eps-outside-quotient", "eps-value"),
    *("no-bias-correction", "step-off-by-one", "step-per-parameter", "beta-powers-low-precision", "beta-value"),
    *("amsgrad-of-corrected", "amsgrad-ignored", "amsgrad-on", "none-gradient-decays", "state-aliased"),
}
CATALOGUE = {
    "optim.adam": ADAM | {"decoupled-for-l2"},
    "optim.adamw": ADAM | {"l2-for-decoupled", "decay-without-lr", "decay-after-update"},
    "optim.rmsprop": {
        *("eps-inside-sqrt", "alpha-value", "accumulator-starts-at-one", "lr-inside-momentum", "centered-eps-inside"),
        *("centered-ignored", "bias-corrected", "hyperparameter-low-precision"),
    },
    "optim.sgd": {
        *("lr-inside-momentum", "ema-momentum", "dampening-on-first-step", "nesterov-ignored", "nesterov-lookahead"),
        *("l2-twice", "l2-divided-by-batch", "decoupled-for-l2", "decay-ignored-without-momentum", "momentum-reset"),
        *("tied-updated-twice", "hyperparameter-low-precision"),
    },
    "optim.adagrad": {
        *("accumulator-starts-above-zero", "eps-inside-sqrt", "eps-value", "accumulator-decayed"),
        *("lr-decay-off-by-one", "hyperparameter-low-precision"),
    },
    "penalty.l1": {"l1-subgradient-at-zero", "penalty-averaged"},
    "penalty.l2": {"penalty-averaged", "l2-twice"},
    "models.mlp": {"penalty-includes-bias"},
    "layers.dropout": {
        *("scaled-at-evaluation", "keep-for-drop", "active-in-evaluation", "scale-divides", "mask-complement"),
    },
    "layers.batchnorm": {
        *("running-variance-biased", "variance-unbiased", "momentum-complement", "eps-value", "eps-added-to-deviation"),
        *("one-pass-variance", "statistics-detached", "running-statistics-swapped", "statistics-not-updated"),
        "batch-statistics-in-evaluation",
    },
}
HARNESS = {"shared-memory", "nothing-moved", "dtype-promoted", "layout-transposed", "null-gradient"}

ALL = [cause for subject in subjects() for cause in causes(subject)]
FAULTS = [*ANY_OPTIMIZERS, *(fault for subject in subjects() for fault in getattr(subject.causes, "FAULTS", ()))]
OPTIMIZERS = [subject.path for subject in subjects() if subject.family.name == "optim"]


def name(value):
    return f"{value.subject}-{value.name}" if isinstance(value, Cause) else getattr(value, "name", None) or str(value)


def scenario_of(cause: Cause):
    return next(scenario.case for scenario in scenarios(cause.subject) if scenario.name == cause.shows)


EVERY = [(cause, dtype) for cause in ALL for dtype in scenario_of(cause).dtypes]


def known(path, row) -> Cause:
    """The first cause of that id."""
    return next(cause for cause in causes(path) if cause.id == row)


def pair_of(path, case, dtype, planted=()):
    """The pair of sides of a case, with our side planted."""
    request = asked(path, case, dtype)
    return request.pair(plant(path, planted, request.subject.ours(case)) if planted else None)


@functools.cache
def clean(path, desc, dtype):
    """The outcome of a scenario with nothing planted, all its steps."""
    case = next(scenario.case for scenario in scenarios(path) if scenario.name == desc)
    return run_pair(pair_of(path, case, dtype), case.steps)


# The table


def test_every_row_of_the_catalogue_is_there():
    for path, ids in CATALOGUE.items():
        assert ids <= {cause.id for cause in causes(path)}, path
    assert {fault.id for fault in FAULTS} == HARNESS


def test_no_optimizer_and_no_row_of_the_catalogue_is_without_a_table():
    assert {cause.subject for cause in ALL} >= {*CATALOGUE, *OPTIMIZERS}


def test_a_subject_without_a_table_has_no_causes():
    assert all(causes(subject) or not scenarios(subject) for subject in subjects())


@pytest.mark.slow
@pytest.mark.parametrize("cause", ALL, ids=name)
def test_a_cause_is_told_in_words(cause):
    text = cause.describe()
    assert cause.name in text
    assert all(ENGLISH.say(said) in text for said in (cause.fix, cause.first_shows, cause.note, cause.met) if said)
    assert all(change.line in text and change.theirs != change.ours for change in cause.changes())
    assert cause.formula
    assert Voice("ko").say(cause.fix) in cause.describe(Voice("ko"))
    assert all(part in Voice("en").say(cause.met) for part in cause.seen.split(", ") if cause.seen)


def test_every_message_of_a_cause_or_a_scenario_has_its_user():
    every_cause = (*ALL, *SAVED, LR)
    known = [cause.solved() if cause.free else cause for cause in every_cause]  # another variant, and the same words
    said = [part for cause in known for part in (cause.fix, cause.first_shows, cause.note, cause.met)]
    said += [part for fault in FAULTS for part in (fault.what, fault.fix)]
    every = subjects()
    said += [scenario.why for subject in every for scenario in scenarios(subject)]
    said += [trial.scenario.why for subject in every for trial in trials(subject)]
    used = {part.key for part in said if part} | {"cause.as-it-is"}
    assert used == {key for key in texts("en") if key.startswith(("cause.", "scenario."))}


def test_only_a_case_of_no_table_speaks_for_itself():
    for subject in filter(causes, subjects()):
        tried = [*scenarios(subject), *(trial.scenario for trial in trials(subject))]
        silent = {scenario.name for scenario in tried if scenario.why.key == "scenario.any"}
        cases = {case.desc for case in [*subject.cases.CASES, *getattr(subject.cases, "EXTREMES", [])]}
        assert silent <= cases | RESUMING.keys()
    (first, *_) = trials(find("layers.activation"))
    assert ENGLISH.say(first.scenario.why) == first.name


# Each cause alone


@pytest.mark.parametrize(("cause", "dtype"), EVERY, ids=name)
def test_planted_alone_it_is_found(cause, dtype):
    case = scenario_of(cause)
    with np.errstate(all="ignore"):  # a wrong formula may divide by zero
        outcome = run_pair(pair_of(cause.subject, case, dtype, [cause]), cause.first.step)
        if outcome.broken and outcome.broken.id == "nothing-moved":  # it rests at first, and moves later
            outcome = run_pair(pair_of(cause.subject, case, dtype, [cause]), case.steps)
    if dtype in cause.dtypes:
        assert outcome.verdict is cause.verdict, outcome.broken
        assert outcome.evidence is not None
        assert First(outcome.evidence.step, outcome.evidence.line) == cause.first
    else:
        assert outcome.verdict in (Verdict.IDENTICAL, Verdict.ROUNDING)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "desc", "dtype"),
    [
        (path, scenario.name, dtype)
        for path in dict.fromkeys(cause.subject for cause in ALL)
        for scenario in scenarios(path)
        for dtype in scenario.case.dtypes
    ],
)
def test_without_it_the_scenario_is_clean(path, desc, dtype):
    outcome = clean(path, desc, dtype)
    if getattr(next(one.case for one in scenarios(path) if one.name == desc), "differs", ""):
        assert outcome.verdict is Verdict.DIFFERENT  # PyTorch follows another formula there than the notebook
        return
    assert outcome.verdict in (Verdict.IDENTICAL, Verdict.ROUNDING), outcome.evidence


@pytest.mark.parametrize(("fault", "dtype"), [(fault, dtype) for fault in FAULTS for dtype in fault.dtypes], ids=name)
def test_a_fault_of_the_harness_is_found(fault, dtype):
    pair = pair_of(fault.subject or "optim.adam", fault.case, dtype)
    outcome = run_pair(fault.spoil(pair), fault.case.steps)
    assert outcome.verdict is fault.verdict
    assert fault.verdict is not Verdict.BROKEN or outcome.broken.id == fault.id
    sound = fault.without or fault.case
    outcome = run_pair(pair_of(fault.subject or "optim.adam", sound, dtype), sound.steps)
    assert outcome.verdict in (Verdict.IDENTICAL, Verdict.ROUNDING)


LATENT = [
    (cause, "normal gradients")
    for path in OPTIMIZERS
    if find(path).family.recorded == "steps"
    for cause in causes(path)
    if cause.shows not in ("normal gradients", "gradients near eps", "gradients of many sizes", "gradients shrink")
    and not (path == "optim.adamw" and cause.shows == "weight decay")  # whose decay is never 0
    and cause.id not in ("momentum-value", "ema-momentum")  # SGD's scenarios have momentum
]


@pytest.mark.parametrize(("cause", "desc"), LATENT, ids=name)
def test_a_cause_that_nothing_triggers_changes_not_one_bit(cause, desc):
    case = next(scenario.case for scenario in scenarios(cause.subject) if scenario.name == desc)
    right, wrong = pair_of(cause.subject, case, "float32"), pair_of(cause.subject, case, "float32", [cause])
    ours, theirs = right.ours(), wrong.ours()
    for step in range(1, case.steps + 1):
        for side in (ours, theirs):
            for stage in side.stages:
                side.advance(stage, step)
    assert states(ours) == states(theirs)


def states(side):
    return {
        (quantity, tensor): array.tobytes()
        for quantity, named in side.read().items()
        for tensor, array in named.items()
    }


# The wrong formula on other numbers


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "cause", [cause for cause in ALL if cause.subject in OPTIMIZERS and not cause.behaviour], ids=name
)
def test_the_wrong_formula_runs_on_error_carrying_numbers_and_explains_itself(cause, dtype):
    case = scenario_of(cause)
    with np.errstate(all="ignore"):
        pair = pair_of(cause.subject, case, dtype, [cause])
        side = pair.ours()
        arbiter = pair.exact
        arbiter.take(pair.ours().optimizer)
        for step in range(1, cause.first.step + 1):
            gradient, update = side.stages
            side.advance(gradient, step)
            before = side.read().copy()
            side.advance(update, step)
            bounds = arbiter.update(step, before)
            for quantity, named in bounds.items():
                for tensor, bound in named.items():
                    apart = np.abs(np.asarray(side.read()[quantity][tensor], bound.value.dtype) - bound.value)
                    assert not (apart > bound.error).any(), (quantity, step)


# How an edit is made


def test_a_planted_adam_is_the_formula_written_by_hand():
    eps_inside, twice = known("optim.adam", "eps-inside-sqrt"), known("optim.adam", "l2-twice")
    rng = np.random.default_rng(0)
    w, g = rng.standard_normal((2, 7)).astype(np.float32)
    for planted in ([eps_inside, twice], [twice, eps_inside]):
        params = {"w": w.copy()}
        plant("optim.adam", planted)(params, weight_decay=0.1).step({"w": g})
        d = g + 2 * 0.1 * w
        m, v = (1 - 0.9) * d, (1 - 0.999) * d**2
        expected = w - 1e-3 * (m / (1 - 0.9)) / np.sqrt(v / (1 - 0.999) + 1e-8)
        assert params["w"].tobytes() == expected.tobytes()
    assert Adam.ORDERS["paper"].__doc__  # and the reference is as it was
    assert plant("optim.adam", [twice]).ORDERS["paper"] is not Adam.ORDERS["paper"]


def test_what_is_altered_comes_after_what_is_replaced():
    outright = cause(lines={"d": "g - weight_decay * param"})
    altered = cause(lines={"d": "2 * was"})
    for planted in ([outright, altered], [altered, outright]):
        lines = plant("optim.sgd", planted).ORDERS["paper"](
            1.0, 3.0, lr=1, momentum=0, dampening=0, weight_decay=0.5, nesterov=False, maximize=False
        )
        assert lines.d == 2 * (3.0 - 0.5 * 1.0)


def test_the_lr_before_is_edited_with_the_lr():
    carried = known("optim.sgd", "lr-inside-momentum")
    tenfold = known("optim.sgd", "lr-value")
    params = {"w": np.ones(3)}
    both = plant("optim.sgd", [tenfold, carried])(params, lr=0.1, momentum=0.5)
    both.step({"w": np.ones(3)})
    both.set("lr", 0.01)
    both.step({"w": np.ones(3)})
    # velocity of the wrong code, in its own words
    velocity = 10 * 0.1 * np.ones(3)
    expected = np.ones(3) - velocity
    expected = expected - (0.5 * velocity + 10 * 0.01)
    # a handful of roundings at the size of the largest term
    assert (np.abs(params["w"] - expected) <= 8 * np.spacing(1.0)).all()


def cause(**edits) -> Cause:
    settings = {"id": "made-up", "formula": "x", "shows": "normal gradients"}
    return Cause(**{**settings, "first": First(1, "param"), **edits})


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"lines": {"denominator": "1"}}, "has no line 'denominator'; there are g, d, v, denom, param"),
        ({"lines": {"denom": "np.sqrt(v) + eps"}}, "the edit changes nothing"),
        ({"lines": {"denom": "np.sqrt( v )+eps"}}, "the edit changes nothing"),
        ({"lines": {"denom": "was"}}, "the edit changes nothing"),
        ({"lines": {"v": "denom"}}, "does not know denom in 'v = denom'"),
        ({"lines": {"v": "sum + squared"}}, "does not know squared"),
        ({"lines": {"d": "grad_before"}}, "does not know"),
        ({"backward": {"dx": "dy"}}, "edits a backward formula, and there is none"),
        ({"arguments": {"betas": "1"}}, "has no argument 'betas'; there are param, grad, sum, step, lr"),
        ({"arguments": {"lr": "lr"}}, "the edit changes nothing"),
        ({"kept": {"v_max": "v"}}, "returns no 'v_max'; there are g, d, v, denom, param"),
        ({"kept": {"v": "v"}}, "the edit changes nothing"),
        ({}, "edits nothing"),
        ({"lines": {"d": "g"}, "shows": "rain"}, "names no scenario"),
        ({"lines": {"d": "g"}}, "has no message cause.made-up.fix"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_when_the_table_is_made(edits, words):
    with pytest.raises(BadEdit) as refused:
        table("optim.adagrad", scenarios("optim.adagrad"), [cause(**edits)])
    assert words in str(refused.value)


def test_a_cause_given_twice_is_refused():
    with pytest.raises(BadEdit, match="has the cause made-up twice"):
        table("optim.sgd", scenarios("optim.sgd"), [cause(lines={"d": "g"})] * 2)


def test_two_causes_that_replace_one_line_are_refused():
    twice, inside = known("optim.adam", "eps-twice"), known("optim.adam", "eps-inside-sqrt")
    with pytest.raises(BadEdit, match="eps-twice and eps-inside-sqrt both replace 'denom'"):
        plant("optim.adam", [twice, inside])


def test_what_alters_a_line_joins_what_replaces_it():
    eps_hat, inside = known("optim.adam", "eps-hat"), known("optim.adam", "eps-inside-sqrt")
    rng = np.random.default_rng(0)
    w, g = rng.standard_normal((2, 7))
    for planted in ([eps_hat, inside], [inside, eps_hat]):
        params = {"w": w.copy()}
        plant("optim.adam", planted)(params, eps=1e-4).step({"w": g})
        m, v = (1 - 0.9) * g, (1 - 0.999) * g**2
        expected = w - 1e-3 * (m / (1 - 0.9)) / (np.sqrt(v + 1e-4) / np.sqrt(1 - 0.999))
        assert (np.abs(params["w"] - expected) <= 8 * np.spacing(1.0)).all()


def test_an_expression_is_replaced_wherever_it_stands():
    powers = known("optim.adam", "beta-powers-low-precision")
    changed = {change.line: change.theirs for change in powers.changes()}
    assert changed == {
        "m_hat": "m / (1 - float32_power(beta1, step))",
        "v_hat": "v_max / (1 - float32_power(beta2, step))",
    }
    both = plant("optim.adam", [powers, known("optim.adam", "eps-hat")])
    rounded = plant("optim.adam", [known("optim.adam", "eps-hat")])
    one, other = {"w": np.ones(3)}, {"w": np.ones(3)}
    both(one).step({"w": np.full(3, 1e-8)})
    rounded(other).step({"w": np.full(3, 1e-8)})
    assert (one["w"] != other["w"]).all()  # the root's own power is rounded, too


def test_pairs_combine_in_either_order_or_are_refused():
    refused = 0
    for one, other in itertools.combinations(causes("optim.sgd"), 2):
        shared = one.targets.keys() & other.targets.keys()
        if any(one.targets[target] and other.targets[target] for target in shared):
            refused += 1
            for order in ([one, other], [other, one]):
                with pytest.raises(BadEdit, match="both replace"):
                    plant("optim.sgd", order)
        elif not shared:
            assert trail([one, other]) == trail([other, one])
    assert refused


def trail(planted):
    """Where SGD with these causes ends after three steps that trigger most of them."""
    params = {"w": np.linspace(-1, 1, 5), "b": np.ones(2)}
    optimizer = plant("optim.sgd", planted)(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)
    for step in range(3):
        optimizer.step({"w": np.linspace(2, -3, 5) * (step + 1), "b": None if step == 1 else np.ones(2)})
        optimizer.set("lr", 0.01)
    return [array.tobytes() for array in params.values()]


def test_a_free_number_can_be_solved_for():
    eps = known("optim.adam", "eps-value")
    solved = eps.solved(eps=3e-6)
    assert solved.name == "eps-value (eps=3e-06)"
    assert [change.theirs for change in solved.changes()] == ["3e-06"]
    with pytest.raises(TypeError, match="leaves eps free, not lr"):
        eps.solved(lr=1)


def test_a_hyperparameter_is_replaced_in_every_order():
    alpha = known("optim.rmsprop", "alpha-value")
    assert set(plant("optim.rmsprop", [alpha]).ORDERS) == {"paper", "pytorch"}


def test_both_formulas_of_a_layer_are_edited_and_the_reference_stays():
    formula = subject_class(find("layers.batchnorm")).ORDERS["paper"]
    before = [function.__code__ for function in formula]
    planted = plant("layers.batchnorm", [known("layers.batchnorm", "eps-added-to-deviation")]).ORDERS["paper"]
    assert type(planted) is type(formula)
    assert all(one.__code__ != other.__code__ for one, other in zip(planted, formula, strict=True))
    assert [function.__code__ for function in formula] == before


def test_a_layer_takes_no_steps_and_so_has_no_momentum_before():
    with pytest.raises(BadEdit, match="takes no steps"):
        plant("layers.batchnorm", [cause(lines={"share": "momentum_before"})])


# The matrix


@pytest.mark.slow
@pytest.mark.parametrize("path", ["optim.adagrad", "layers.dropout"])
def test_the_matrix_tells_causes_apart_and_is_the_same_twice(path):
    first, again = causes_table(path), causes_table(path)
    assert first == again
    columns = [column.name for column in scenarios(path)]
    assert all(cell.used <= 1 and cell.step is None for cell in first[FAITHFUL])
    for one in causes(path):
        cell = first[one.name][columns.index(one.shows)]
        shows = one.verdict is Verdict.DIFFERENT and "float32" in one.dtypes
        assert (cell.used > 1) == shows
        assert not shows or First(cell.step, cell.line) == one.first


def test_an_error_carrying_hyperparameter_can_be_rounded():
    beta = Bounded.scalar(0.999)
    assert float32(beta) == float(np.float32(0.999)) != 0.999
    assert float32_power(beta, 1) == float32_product(beta, 1) == float32(0.999)
    assert float32_product(beta, 3) == float(np.float32(np.float32(0.999) ** 2) * np.float32(0.999))


def test_momentum_carries_the_lr_of_its_own_last_step():
    """A tensor that missed the step at which lr changed still has the old lr in its buffer."""
    carried = known("optim.sgd", "lr-inside-momentum")
    grads = {"a": np.ones(2), "b": np.ones(2)}
    sides = [
        kind({name: np.zeros(2) for name in grads}, lr=0.5, momentum=0.5)
        for kind in (SGD, plant("optim.sgd", [carried]))
    ]
    for optimizer in sides:
        optimizer.step(grads)
        optimizer.set("lr", 0.25)
        optimizer.step({"a": None, "b": grads["b"]})
        optimizer.step(grads)
    right, wrong = sides
    # lr is halved, so the buffer counts double, at the step that is the tensor's first after the change
    assert (right.state["a"]["momentum_buffer"] == 1.5).all()
    assert (wrong.state["a"]["momentum_buffer"] == 2.0).all()
    assert (wrong.state["b"]["momentum_buffer"] == 0.5 * 2.0 + 1).all()


# The page


def test_the_catalogue_is_a_page_that_is_current():
    """python -m lockstep.causes.catalogue > docs/causes.md"""
    path = pathlib.Path(__file__).parents[2] / "docs" / "causes.md"
    assert path.read_text("utf-8") == page()


def test_whoever_does_it_is_on_the_page():
    text = page()
    for one in ALL:
        assert f"**{one.name}**" in text
        assert all(f"## {who}\n" in text for who, _ in met(one.seen))
    assert list(met("a/b#1, #2; Keras")) == [("a/b", "a/b#1"), ("a/b", "#2"), ("Keras", "")]
