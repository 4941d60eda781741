"""models.mlp beside the same network of torch.nn's modules, differentiated by autograd."""

import re

import numpy as np
import pytest

import lockstep
from lockstep.cases.models import Training
from lockstep.engine import stepping as engine
from lockstep.engine.resuming import resumed
from lockstep.engine.stepping import run_pair
from lockstep.numerics.bounded import Bounded
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.families.models import load_data
from lockstep.subjects.registry import asked, find
from parity_tests.support.digits import digits, slope
from parity_tests.support.families import SubjectTests, advanced, agree, run_of
from reference.models.mlp import MLP
from reference.optim.adamw import AdamW
from reference.random import Generator
from torch_impl.models import mlp as torch_impl

DEEP = {"batchnorm": True, "bias": False, "dropout": 0.2}
ADAM = "digits, Adam, dropout and BatchNorm"
BIASED = "digits, Adam, a bias before BatchNorm"


class TestMLP(SubjectTests):
    """The optimizers' paths are tried by their own tests; here each optimizer takes its first.

    A few steps show every stage of a pass with a warm state; more of them are another test's.
    """

    path = "models.mlp"
    steps = 3
    every_path = False
    ill_conditioned = {BIASED: "BatchNorm takes the mean away, and with it what the bias adds"}


def case_of(desc):
    return next(case for case in find("models.mlp").cases.CASES if case.desc == desc)


def network(seed=0, widths=(3, 4, 2), dtype=np.float64, **settings):
    return MLP(widths, dtype=dtype, generator=Generator(seed), **settings)


def both(widths=(64, 32, 10), dtype="float32", **settings):
    """The network on both sides, from one start."""
    ours = network(0, widths, np.dtype(dtype), **settings)
    theirs = torch_impl.MLP(widths, dtype=np.dtype(dtype), **settings)
    for name, array in ours.params.items():
        theirs.params[name][...] = array
    return ours, theirs


# what is saved


@pytest.mark.parametrize(
    ("lost", "named"),
    [("set_state", "mask"), ("load_state_dict", "step")],
    ids=["the generator", "the optimizer's state"],
)
def test_a_run_that_goes_on_without_what_was_saved_is_caught_at_once(lost, named, monkeypatch):
    """The masks, which are drawn in the step that it goes on with, are others; or the steps are counted anew."""
    request = asked("models.mlp", "digits, AdamW, resumed")
    assert run_pair(resumed(request), 3).verdict is Verdict.ROUNDING
    monkeypatch.setattr({"set_state": Generator, "load_state_dict": AdamW}[lost], lost, lambda *_: None)
    outcome = run_pair(resumed(request), 3)
    if lost == "set_state":
        assert outcome.evidence is not None
        assert (outcome.evidence.step, outcome.evidence.quantity) == (2, named)
    else:
        assert outcome.broken is not None
        assert named in str(outcome.broken.message)


def test_a_run_goes_on_in_the_middle_of_an_epoch_and_over_its_end_to_the_bit():
    """Parameters, running statistics, state, batches and masks of either side, as if it had not stopped."""
    stopped = case_of("digits, AdamW, resumed").replaced(resumed=20, network={"hidden": (4,), **DEEP})
    for crossed in (False, True):
        request = asked("models.mlp", stopped.replaced(crossed=crossed))
        for side in ("ours", "theirs"):
            unbroken, other = (advanced(getattr(pair, side)(), 24) for pair in (request.pair(), resumed(request)))
            agree(unbroken.read(), other.read())


# what is compared


def test_everything_on_the_way_is_compared_and_batches_and_masks_are_the_same_bits():
    """Over more than one epoch of 22 batches, each side drawing from a generator of its own."""
    run = lockstep.run("models.mlp", case=case_of(ADAM), steps=30, judge_every=10)
    passed = {"output", "loss", "slope", "grad", "running_mean", "running_var", "num_batches_tracked"}
    assert set(run.outcome.verdicts) == {"batch", "mask", "param", "step", "exp_avg", "exp_avg_sq", *passed}
    for quantity in ("batch", "mask", "num_batches_tracked", "step"):
        assert run.outcome.verdicts[quantity] is Verdict.IDENTICAL
        assert not run.drift[quantity].any()
    assert run.drift["param"].any()


def test_another_seed_draws_other_batches_and_masks():
    pairs = [asked("models.mlp", case_of(ADAM), seed=seed).pair() for seed in (0, 1)]
    batches, masks, starts = [], [], []
    for side in (pair.ours() for pair in pairs):
        starts.append(side.model.params["linear1.weight"].copy())
        side.advance("draw", 1)
        batches.append(side.batch)
        masks.append(side.masks["dropout1"])
    for first, second in (batches, masks, starts):
        assert not np.array_equal(first, second)


def test_one_pass_is_all_its_stages():
    """`loss_and_grads`, which the engine takes apart into a stage a layer and direction."""
    ours, _ = both(**DEEP)
    whole, _ = both(**DEEP)
    data = load_data("digits", "float32")
    x, t = data.x[:50], data.t[:50]
    masks = ours.masks(Generator(3), 50)
    outputs = {"": x}
    for name, before in zip(ours.layers, outputs.copy() | dict.fromkeys(ours.layers), strict=False):
        outputs[name], buffers = ours.forward_one(name, outputs[before], masks)
        for key, value in buffers.items():
            ours.buffers[key][...] = value
    loss, descent = ours.loss_one(outputs[name], t)
    grads = {}
    for name in reversed(ours.layers):
        before = [*outputs][[*outputs].index(name) - 1]
        descent, made = ours.backward_one(name, outputs[before], descent, masks)
        grads |= made
    result = whole.loss_and_grads(x, t, masks)
    assert result.loss == loss
    agree({"grad": result.grad}, {"grad": {name: grads[name] for name in result.grad}})
    agree({"buffers": whole.buffers}, {"buffers": ours.buffers})


# faults are found where they are


@pytest.mark.parametrize(
    ("layer", "quantity", "tensor"),
    [("relu1", "slope", "batchnorm1"), ("batchnorm1", "slope", "linear1"), ("linear2", "slope", "dropout1")],
)
def test_a_wrong_slope_is_found_at_its_layer(layer, quantity, tensor):
    class Wrong(MLP):
        def backward_one(self, name, x, slope, masks, *others, **settings):
            slope, grads = super().backward_one(name, x, slope, masks, *others, **settings)
            return (slope * self.dtype.type(1.01) if name == layer else slope), grads

    run = run_of(find("models.mlp"), case_of(ADAM), "float32", TestMLP().pair(case_of(ADAM), "float32", ours=Wrong), 1)
    assert run.verdict is Verdict.DIFFERENT
    assert run.evidence is not None
    assert (run.evidence.step, run.evidence.quantity, run.evidence.tensor) == (1, quantity, tensor)


def test_running_statistics_that_no_pass_moves_are_found():
    class Frozen(MLP):
        def forward_one(self, *arguments, **settings):
            output, buffers = super().forward_one(*arguments, **settings)
            return output, {name: self.buffers[name] for name in buffers}

    run = run_of(find("models.mlp"), case_of(ADAM), "float32", TestMLP().pair(case_of(ADAM), "float32", ours=Frozen), 1)
    found = {name for name, verdict in run.outcome.verdicts.items() if verdict is Verdict.DIFFERENT}
    assert found == {"running_mean", "running_var", "num_batches_tracked"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("desc", [BIASED, ADAM], ids=["with a bias", "without"])
def test_a_bias_before_batchnorm_is_ill_conditioned_at_its_gradient_and_nowhere_else(desc, dtype, monkeypatch):
    found = set()

    def judge(step, quantity, tensor, *others):
        judgement = original(step, quantity, tensor, *others)
        if judgement.verdict not in {Verdict.IDENTICAL, Verdict.ROUNDING}:
            found.add((quantity, tensor, judgement.verdict))
        return judgement

    original = engine.judge
    monkeypatch.setattr(engine, "judge", judge)
    lockstep.run("models.mlp", case=case_of(desc), dtype=dtype, steps=3)
    biases = {("grad", f"linear{k}.bias", Verdict.ILL_CONDITIONED) for k in (1, 2)}
    assert found == (biases if desc == BIASED else set())


# an oracle besides PyTorch


@pytest.mark.parametrize(
    "settings",
    [
        {"activation": "tanh"},
        {"activation": "sigmoid", "batchnorm": True},
        {"activation": "tanh", "dropout": 0.4, "l1": 0.3, "l2": 0.7},
        {"activation": "tanh", "loss": "probabilities", "l2": 0.1},
        {"activation": "relu", "batchnorm": True, "bias": False, "loss": "logits"},
    ],
    ids=["plain", "BatchNorm", "dropout and penalties", "probabilities", "logits"],
)
def test_gradients_are_the_slopes_of_the_loss(settings):
    """On eighty digits, to the last bit of a double; a quarter, by which the loss is averaged, is one."""
    model = network(1, **settings)
    rng = np.random.default_rng(0)
    x, masks = digits(rng.standard_normal((4, 3))), model.masks(Generator(2), 4)
    t = rng.integers(0, 2, 4) if "loss" not in settings else digits(rng.random((4, 2)))
    masks = {name: digits(mask) for name, mask in masks.items()}
    params = {name: digits(array) for name, array in model.params.items()}

    def forward(params):
        outputs = [x]
        for name in model.layers:
            outputs.append(model.forward_one(name, outputs[-1], masks, params)[0])
        return outputs

    outputs = forward(params)
    _, descent = model.loss_one(outputs[-1], t, params)
    grads = {}
    for name, given in zip(reversed(model.layers), outputs[-2::-1], strict=True):
        descent, made = model.backward_one(name, given, descent, masks, params)
        grads |= made
    assert grads.keys() == params.keys()
    for name, array in params.items():
        expected = slope(
            lambda moved, name=name: model.loss_one(forward(params | {name: moved})[-1], t, params | {name: moved})[0],
            array,
        )
        exactly_zero = settings.get("batchnorm") and name == "linear1.bias"
        assert exactly_zero or np.array_equal(np.vectorize(float)(grads[name]), expected), name
        assert not exactly_zero or np.abs(np.vectorize(float)(grads[name])).max() < 1e-60


# evaluation, penalties, learning


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_evaluation_takes_no_masks_and_moves_no_statistics(dtype):
    """Both sides stay within what the formula, taken layer by layer, allows."""
    ours, theirs = both(dtype=dtype, **DEEP)
    data = load_data("digits", dtype)
    for model in (ours, theirs):
        model.loss_and_grads(data.x[:64], data.t[:64], ours.masks(Generator(0), 64))
    for name, array in ours.buffers.items():
        theirs.buffers[name][...] = array
    before = Snapshot({"ours": ours.buffers, "theirs": theirs.buffers}).copy()
    outputs = [model.predict(data.x_test) for model in (ours, theirs)]
    agree({"ours": ours.buffers, "theirs": theirs.buffers}, before)
    exact = Bounded(data.x_test, np.dtype(dtype))
    for name, layer in ours.layers.items():
        own = (
            {key: as_exact(array) for key, array in named.items()}
            for named in ours.own(name, ours.params, ours.buffers)
        )
        forward, _ = layer.evaluate((exact,), None, *own, training=False)
        exact = getattr(forward, layer.OUTPUT)
    for output in outputs:
        assert np.all(np.abs(output - exact.value) <= exact.error)
        assert output.dtype == np.dtype(dtype)
    assert np.max(exact.error) < np.max(np.abs(exact.value)) / 100  # two digits at least are certain
    trained = ours.loss_and_grads(data.x_test, data.t_test, ours.masks(Generator(0), len(data.x_test)))
    assert np.abs(trained.output["linear2"] - exact.value).max() > np.max(exact.error)


def as_exact(array):
    return Bounded(array, array.dtype) if array.dtype.kind == "f" else array


def test_penalties_reach_the_weights_and_no_bias_and_no_batchnorm():
    settings = {"batchnorm": True, "activation": "tanh"}
    plain, penalised = network(0, **settings), network(0, **settings, l1=0.3, l2=0.5)
    x, t = np.random.default_rng(0).standard_normal((6, 3)), np.arange(6) % 2
    without, within = (model.loss_and_grads(x, t) for model in (plain, penalised))
    moved = {name for name in plain.params if not np.array_equal(without.grad[name], within.grad[name])}
    assert moved == {"linear1.weight", "linear2.weight"}
    w = [plain.params[name] for name in sorted(moved)]
    exact = sum(0.3 / 6 * abs(a).sum() + 0.5 / 12 * (a * a).sum() for a in map(digits, w))
    # three terms a weight and the loss, each within an ulp of the sum, whichever way they are added up
    assert abs(within.loss - without.loss - float(exact)) <= 8 * np.spacing(within.loss)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_held_back_digits_both_sides_get_above_95_percent(dtype):
    case = case_of("digits, Adagrad, dropout and BatchNorm")
    run = lockstep.run("models.mlp", case=case, dtype=dtype, steps=60, judge_every=30)
    for side in ("ours", "theirs"):
        accuracy = run.outcome.traces[f"accuracy/{side}"]
        assert accuracy[-1] > 0.95
        assert accuracy[0] < 0.5
        assert run.outcome.traces[f"loss/{side}"][-1] < run.outcome.traces[f"loss/{side}"][0] / 2


# what makes no sense


def test_a_refused_pass_moves_no_statistics():
    """Though the layers before the one that refuses have been passed."""
    model = network(batchnorm=True)
    before = Snapshot({"buffers": model.buffers}).copy()
    with pytest.raises(ValueError, match=r"Expected more than 1 value per channel when training"):
        model.loss_and_grads(np.ones((1, 3)), np.zeros(1, int))
    with pytest.raises(IndexError, match=r"Target 2 is out of bounds"):
        model.loss_and_grads(np.eye(3), np.full(3, 2))
    agree({"buffers": model.buffers}, before)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: MLP((3,)), ValueError, "widths must name an input and an output, not (3,)"),
        (
            lambda: MLP((3, 2), activation="gelu"),
            ValueError,
            "activation must be one of relu, sigmoid, tanh, not 'gelu'",
        ),
        (lambda: MLP((3, 2), loss="hinge"), ValueError, "loss must be one of cross entropy, logits, probabilities"),
        (lambda: MLP((3, 2), droput=0.5), TypeError, "unexpected keyword argument 'droput'"),
        (lambda: MLP((3, 4, 2), dropout=1.5), ValueError, "dropout probability has to be between 0 and 1, but got 1.5"),
        (
            lambda: network(l2=-1.0).loss_and_grads(np.ones((2, 3)), np.zeros(2, int)),
            ValueError,
            "Invalid lam value: -1.0",
        ),
        (
            lambda: network(dropout=0.5).loss_and_grads(np.ones((2, 3)), np.zeros(2, int)),
            ValueError,
            "no mask for dropout1",
        ),
        (lambda: network().loss_and_grads(np.ones((2, 4)), np.zeros(2, int)), RuntimeError, "mat1 and mat2 shapes"),
        (lambda: network().loss_and_grads(np.ones((2, 3)), np.full(2, 7)), IndexError, "Target 7 is out of bounds."),
        (
            lambda: lockstep.run("models.mlp", case=Training("x", optimizer="optim.adam", data="cats")),
            ValueError,
            "not 'cats'",
        ),
        (
            lambda: lockstep.run("models.mlp", case=Training("x", optimizer="optim.adm")),
            ValueError,
            "did you mean 'optim.adam'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()
