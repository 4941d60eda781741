"""The ladder ends at not one differing bit, and where it cannot it says so and points at the line."""

import inspect
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import lockstep
from lockstep.cases import Case
from lockstep.cases.layers import LayerCase
from lockstep.cases.models import Training
from lockstep.cli import main as cli
from lockstep.cli.commands import explain, ledger
from lockstep.cli.commands import matrix as matrix_command
from lockstep.explanation import ladder
from lockstep.numerics import probe
from lockstep.records.kinds.explanation import ExplanationRecord, Rung
from lockstep.records.schema import fields
from lockstep.subjects.families.layers import drawing
from lockstep.subjects.registry import find, subjects
from lockstep.subjects.subject import own_class
from reference.layers.activation import ReLU
from reference.optim.adam import Adam
from torch_impl import arithmetic as kernels

DTYPES = ("float32", "float64")
OPTIMIZERS = [subject for subject in subjects() if subject.family.name == "optim"]
EVERY_PATH = [(subject.path, path) for subject in OPTIMIZERS for path in subject.theirs().paths]
LAYERS = [
    (subject.path, case.desc)
    for subject in subjects()
    if subject.family.name in ("layers", "penalty")
    for case in {getattr(case, "layer", None): case for case in subject.cases.CASES}.values()
]
MODULES = {
    case.layer: subject.path
    for subject in subjects()
    if subject.family.name == "layers"
    for case in subject.cases.CASES
}
LENGTHS = {str(n): (n,) for n in (1, 7, 61, 64, 1000, 4099)}
KEYS = ["schema", "version", "kind", *fields(ExplanationRecord)]
RUNG = [*fields(Rung)]


def closes(*arguments, **settings):
    found = lockstep.explain(*arguments, thorough=False, **settings)
    assert found.explained, str(found)
    assert found.rungs[-1].differing == 0
    assert found.rungs[-1].elements > 0 or found.request.case.still
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("subject", "path"), EVERY_PATH)
def test_every_optimizer_on_every_path(subject, path, dtype):
    decay = (
        {"weight_decay": 0.1}
        if "weight_decay" in inspect.signature(own_class(find(subject).reference)).parameters
        else {}
    )
    closes(subject, path=path, dtype=dtype, case=Case("every length", shapes=LENGTHS, steps=8, **decay))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("subject", "case"), LAYERS)
def test_every_layer(subject, case, dtype):
    closes(subject, case=case, dtype=dtype)


@pytest.mark.parametrize("case", ["digits, Adam, dropout and BatchNorm", "digits, L1 and L2 penalties"])
def test_the_network(case):
    closes("models.mlp", case=case, steps=3)


def test_threads_of_their_own():
    """Each of two threads has a share of a long tensor, and adds up its own."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        shapes = {"long": (70_001,)}
        for path in ("single", "fused"):
            closes("optim.adam", case=Case("a long tensor", shapes=shapes, steps=2), path=path)
        closes("layers.batchnorm", case="features, in training")
        closes("layers.linear", case="digits into 64 units")
    finally:
        torch.set_num_threads(before)


numbers = st.floats(0, 1, exclude_max=True)
seeds = st.integers(0, 2**31)
sizes = st.integers(1, 70)
inputs = st.sampled_from(["normal", "large offset", "tiny", "many sizes", "zeros among them", "logits"])


@given(
    st.sampled_from(["single", "foreach", "fused"]),
    st.sampled_from(DTYPES),
    st.tuples(numbers, numbers),
    st.floats(1e-8, 1.0),
    st.sampled_from([0.0, 0.03]),
    st.booleans(),
    seeds,
    st.lists(sizes, min_size=1, max_size=2),
    st.integers(1, 5),
)
@settings(max_examples=12)
def test_what_is_in_no_table(path, dtype, betas, eps, weight_decay, flag, seed, shape, at):
    momentum, other = betas
    case = Case("drawn", shapes={"w": shape, "b": (3,)}, steps=4, weight_decay=weight_decay)
    late = None if path == "fused" and flag else at  # torch's fused SGD takes no tensor whose first gradient is late

    def check(subject, **hyperparameters):
        closes(subject, case=case.replaced(**hyperparameters), path=path, dtype=dtype, seed=seed)

    check("optim.adam", betas=betas, eps=eps, amsgrad=flag, none_at=at)
    check("optim.adamw", betas=betas, eps=eps, amsgrad=flag, lr_at={at: eps})
    check("optim.sgd", lr=eps, maximize=flag, momentum=momentum, dampening=other, lr_at={at: other})
    if momentum:
        check("optim.sgd", lr=eps, momentum=momentum, nesterov=True, none_at=late if late != 1 else None)
    check("optim.adagrad", lr=eps, lr_decay=momentum, eps=other, initial_accumulator_value=eps, maximize=flag)
    if path != "fused":
        check("optim.rmsprop", lr=eps, alpha=momentum, centered=flag, momentum=other, none_at=at)


@given(st.sampled_from(DTYPES), seeds, st.integers(2, 70), sizes, sizes, inputs, st.booleans(), st.floats(0, 1))
@settings(max_examples=25)
def test_layers_that_are_in_no_table(dtype, seed, rows, columns, width, kind, flag, number):
    def check(layer, **settings):
        case = LayerCase("drawn", layer=layer, **{"shape": (rows, columns), "kind": kind, "steps": 2} | settings)
        closes(MODULES[layer], case=case, dtype=dtype, seed=seed)

    linear = {"in_features": columns, "out_features": width, "bias": flag}
    check("Linear", **linear)
    check("Linear", **linear, shape=(1, columns))
    scaled = {"affine": flag, "momentum": number, "eps": max(number, 1e-8), "evaluate_from": 2 if flag else None}
    check("BatchNorm1d", num_features=columns, **scaled)
    check("BatchNorm2d", num_features=columns, shape=(rows, columns, 3, 2), **scaled)
    check("Dropout", masked=True, p=number)
    for layer in ("ReLU", "Sigmoid", "Tanh"):
        check(layer)
    for reduction in ("mean", "sum", "none"):
        check("CrossEntropyLoss", kind="logits", target="classes", reduction=reduction)
        check("BCEWithLogitsLoss", kind="logits", target="soft", reduction=reduction)
        check("BCELoss", kind="probabilities", target="soft", reduction=reduction)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_single_number_is_taken_for_a_column(dtype):
    """Autograd turns the product then, which adds up in another order; found by a draw."""
    linear = {"layer": "Linear", "shape": (1, 1), "in_features": 1, "out_features": 61, "steps": 20}
    closes("layers.linear", case=LayerCase("one number", **linear), dtype=dtype)


@given(
    st.sampled_from(DTYPES),
    seeds,
    st.lists(sizes, max_size=3),
    st.booleans(),
    st.floats(0, 0.9),
    st.sampled_from([subject.path for subject in OPTIMIZERS if subject.cases.TRAINED]),
    st.integers(2, 130),
)
@settings(max_examples=8)
def test_networks_that_are_in_no_table(dtype, seed, hidden, flag, p, optimizer, batch_size):
    network = {"hidden": tuple(hidden), "batchnorm": flag, "bias": not flag, "dropout": p, "l2": p / 10}
    case = Training("drawn", optimizer=optimizer, network=network, batch_size=batch_size, steps=3, lr=0.01)
    closes("models.mlp", case=case, dtype=dtype, seed=seed)


def test_rungs_in_order():
    found = lockstep.explain("optim.adam", steps=60)
    names = [str(rung.name) for rung in found.rungs]
    assert names[:2] == [str(ladder.PAPER), str(ladder.PYTORCH)]
    assert [rung.closes for rung in found.rungs] == [False] * (len(names) - 1) + [True]
    assert all(np.array_equal(rung.drift("differing") > 0, rung.drift() > 0) for rung in found.rungs)
    assert not found.drift()[names[-1]].any()
    assert found.drift()[names[0]].shape == (60,)


def test_in_plain_data():
    found = lockstep.explain("optim.sgd", steps=2).to_json()
    assert list(found) == KEYS
    assert all(list(rung) == RUNG for rung in found["rungs"])
    assert json.loads(json.dumps(found)) == found


def test_one_record_of_two_probes(tmp_path):
    """A probe of its own before each, of another process as it were: not a byte depends on how long it took."""
    for name in ("one", "two"):
        probe.with_torch.cache_clear()
        lockstep.explain("optim.sgd", steps=2).save(tmp_path / name / "ladder.json")
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(one) == 2


def test_the_record_comes_back(tmp_path):
    found = lockstep.explain("layers.activation", steps=2)
    found.save(tmp_path / "ladder.json")
    record = lockstep.load(tmp_path / "ladder.json")
    assert record.kind == "explanation"
    assert record.to_json() == found.to_json()
    assert record.arrays["rung/0/output/ulp"].shape == (2,)


# where it must not end well


def one_ulp_up(x):
    return np.nextafter(x, np.array(np.inf, x.dtype))


@pytest.fixture
def worse_tanh(monkeypatch):
    right = kernels.tanh
    monkeypatch.setattr(kernels, "tanh", lambda x: one_ulp_up(right(x)))


def test_a_worse_kernel_leaves_the_case_unexplained(worse_tanh):
    found = lockstep.explain("layers.activation", case="Tanh")
    assert not found.explained
    assert found.left is not None
    assert (found.left.step, found.left.line, found.left.ulp) == (1, "y", 1)
    assert "not explained" in str(found)


@pytest.mark.parametrize(
    ("kernel", "subject", "case", "stage", "line"),
    [
        ("sqrt", "optim.rmsprop", "defaults", "update", "denom"),
        ("sqrt", "models.mlp", "digits, Adam, dropout and BatchNorm", "update", "denom"),
        ("addmm", "models.mlp", "digits, Adam, dropout and BatchNorm", "forward linear3", "y"),
        ("softmax_exp", "layers.loss", "CrossEntropyLoss, 10 classes, mean", "pass", "dz"),
        ("log_softmax", "layers.loss", "CrossEntropyLoss, 10 classes, mean", "pass", "log_p"),
    ],
)
def test_a_worse_kernel_is_found_where_it_is_used(kernel, subject, case, stage, line, monkeypatch):
    right = getattr(kernels, kernel)
    monkeypatch.setattr(kernels, kernel, lambda *operands, **settings: one_ulp_up(right(*operands, **settings)))
    found = lockstep.explain(subject, case=case, steps=4)
    assert not found.explained
    assert found.left is not None
    assert (found.left.step, found.left.stage, found.left.line) == (1, stage, line)


def off_at_step(order, line, step):
    """The formula, off by one ulp in one line at one step."""

    def formula(*arguments, ops, **settings):
        lines = order(*arguments, ops=ops, **settings)
        if settings["step"] != step:
            return lines
        return lines._replace(**{line: one_ulp_up(getattr(lines, line))})

    return formula


@pytest.mark.parametrize("line", ["m", "v", "param"])
def test_a_formula_off_by_one_ulp_at_one_step(line):
    orders = {**Adam.ORDERS, "pytorch": off_at_step(Adam.ORDERS["pytorch"], line, 3)}
    found = lockstep.explain("optim.adam", steps=5, ours=type("Off", (Adam,), {"ORDERS": orders}))
    assert not found.explained
    assert found.left is not None
    assert (found.left.step, found.left.line, found.left.ulp) == (3, line, 1)


def test_another_order_is_not_explained():
    """The paper's order under the name of PyTorch's."""

    def formula(*arguments, ops, **settings):
        return Adam.ORDERS["paper"](*arguments, **settings)

    orders = {**Adam.ORDERS, "pytorch": formula}
    found = lockstep.explain("optim.adam", steps=3, ours=type("Other", (Adam,), {"ORDERS": orders}))
    assert not found.explained


def test_agreement_at_the_end_is_not_enough():
    """Off at the second of three steps, after which a layer starts anew."""
    second = next(case for case in find("layers.activation").cases.CASES if case.layer == "ReLU")
    (x,) = second.inputs(drawing(0, 2), 2, "float32")

    def forward(given):
        lines = ReLU.ORDERS["pytorch"].forward(given)
        return lines._replace(y=one_ulp_up(lines.y)) if np.array_equal(given, x) else lines

    orders = dict.fromkeys(ReLU.ORDERS, ReLU.ORDERS["pytorch"]._replace(forward=forward))
    off = type("Off", (ReLU,), {"ORDERS": orders})
    found = lockstep.explain("layers.activation", case=second, steps=3, ours=off)
    assert not found.explained
    assert (found.rungs[-1].differing, found.rungs[-1].first_step) == (0, 2)


def test_the_smallest_set():
    tried = []

    def close(names):
        tried.append(tuple(names))
        return {"b", "d"} <= set(names)

    assert ladder.smallest(["a", "b", "c", "d"], close) == ["b", "d"]
    assert ("b", "d") in tried


# on the command line


def status(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["lockstep", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


def test_exit_status(monkeypatch, tmp_path, capsys):
    path = tmp_path / "ladder.json"
    assert status(monkeypatch, "explain", "optim.adam", "--steps", "2", "--json", str(path)) == 0
    assert list(json.loads(path.read_text("utf-8"))) == KEYS
    assert status(monkeypatch, "explain", "optim.adm") == 2
    assert status(monkeypatch, "explain", "optim.adam", "--steps", "0") == 2
    assert status(monkeypatch, "explain", "optim.adam", "--dtype", "float8") == 2
    capsys.readouterr()


def test_exit_status_of_what_is_not_explained(monkeypatch, worse_tanh, capsys):
    assert status(monkeypatch, "explain", "layers.activation", "--case", "Tanh") == 1
    assert "line y" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [("explain", "optim.adam", "--steps", "2"), ("matrix", "--only", "penalty.l1"), ("ledger", "optim.adam")]
)
def test_where_nothing_can_be_written_nothing_is_worked_out(words, monkeypatch, tmp_path, capsys):
    def worked(*_, **__):
        raise AssertionError("it was worked out first")

    for module in (explain, matrix_command, ledger):
        monkeypatch.setattr(module, words[0], worked, raising=False)
    assert status(monkeypatch, *words, "--json", str(tmp_path)) == 2
    assert "is a folder" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_infinitely_far_can_be_written(monkeypatch, tmp_path, capsys):
    """Where the paper's order overflows and PyTorch's does not, and where there is nothing but NaN."""
    path = tmp_path / "far.json"
    words = ("--problem", "rosenbrock", "--set", "lr=1e20", "--set", "weight_decay=1e19", "--json", str(path))
    assert status(monkeypatch, "explain", "optim.adam", "--steps", "20", *words) == 0
    assert json.loads(path.read_text("utf-8"))["rungs"][0]["max_ulp"] == "inf"
    assert not status(monkeypatch, "ledger", "optim.adam", "--step", "8", *words)
    assert json.loads(path.read_text("utf-8"))[-1]["entries"][-1]["ours"] == "nan"
    capsys.readouterr()
