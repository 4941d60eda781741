"""What the tests of every subject check, seen to fail: each on a subject that is wrong in just that."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch

import lockstep
from lockstep.cases import Bad, Case
from lockstep.subjects.registry import find
from parity_tests.layers.test_batchnorm import TestBatchNorm as OfBatchNorm
from parity_tests.layers.test_linear import TestLinear as OfLinear
from parity_tests.models import test_mlp
from parity_tests.models.test_mlp import TestMLP as OfMLP
from parity_tests.optim.test_adam import TestAdam as OfAdam
from parity_tests.penalty import test_l2
from parity_tests.penalty.test_l2 import TestL2 as OfL2
from parity_tests.support.digits import digits, slope
from parity_tests.support.families import agree, mirrored, refusal, refused_as, run_of, swapped
from reference.layers.batchnorm import BatchNorm1d
from reference.layers.layer import Formula
from reference.layers.linear import Linear, paper, paper_backward
from reference.models.mlp import MLP
from reference.optim.adam import Adam
from reference.penalty.l2 import L2
from torch_impl.optim.optimizer import Optimizer as TorchOptimizer

RED = (AssertionError, pytest.fail.Exception)


def red(tests: Any, name: str, ours: Any, *arguments) -> None:
    """The test `name` passes on the reference's class, and fails where `ours` stands in."""
    getattr(tests(), name)(*arguments)
    mutant = type(tests.__name__, (tests,), {"ours": ours})
    with pytest.raises(RED):
        getattr(mutant(), name)(*arguments)


def saying(kind, **changes):
    """`kind` with another signature: None takes an argument away, anything else is its default."""
    signature = inspect.signature(kind)
    parameters = dict(signature.parameters)
    for name, value in changes.items():
        known = parameters.pop(name, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY))
        if value is not None:
            parameters[name] = known.replace(default=value)
    parameters = sorted(parameters.values(), key=lambda parameter: parameter.kind)
    return type(kind.__name__, (kind,), {"__signature__": signature.replace(parameters=parameters)})


NAMES = "test_hyperparameters_have_pytorchs_names_defaults_and_order"


@pytest.mark.parametrize(
    "changes",
    [{"maximize": None}, {"eps": 1e-7}, {"beta": 0.9}, {"betas": (0.9, 0.999)}],
    ids=["one is missing", "another default", "one too many", "another order"],
)
def test_hyperparameters(changes):
    red(OfAdam, NAMES, saying(Adam, **changes))


class Careless(Adam):
    """Takes any lr."""

    def __init__(self, params, lr=1e-3, **others):
        super().__init__(params, abs(lr), **others)


class OfOtherWords(Adam):
    def __init__(self, params, lr=1e-3, **others):
        if lr < 0:
            raise ValueError("lr must not be negative")
        super().__init__(params, lr, **others)


class Empty(Adam):
    def __init__(self, params, **others):
        super().__init__(params or {"nothing": np.zeros(1)}, **others)


class TakingAnyName(Adam):
    def set(self, name, value):
        setattr(self, name, value)


class Remembering(Adam):
    """Keeps the hyperparameters that it started with."""

    @property
    def hyperparameters(self):
        self.first: dict[str, Any]
        vars(self).setdefault("first", super().hyperparameters)
        return self.first

    def __init__(self, params, **others):
        super().__init__(params, **others)
        assert self.hyperparameters


class CountingInDouble(Adam):
    def step(self, grads):
        super().step(grads)
        for entries in self.state.values():
            if entries:
                entries["step"] = entries["step"].astype(np.float64)


class Eager(Adam):
    """Has its state before the first step."""

    def __init__(self, params, **others):
        super().__init__(params, **others)
        self.state = {name: self.new_state(param) for name, param in self.params.items()}


class Forgetful(Adam):
    def load_state(self, state):
        fresh = {name: entries | {"step": np.zeros((), np.float32)} for name, entries in state.items() if entries}
        super().load_state(fresh)


class Sharing(Adam):
    def load_state(self, state):
        self.state.update({name: dict(entries) for name, entries in state.items()})


class OneByOne(Adam):
    def load_state(self, state):
        for name, entries in state.items():
            super().load_state({name: entries})

    def step(self, grads):
        grads = grads if isinstance(grads, dict) else dict(zip([*self.params, "3"], grads, strict=True))
        for name, grad in grads.items():
            super().step({name: grad})


class Casting(Adam):
    def __init__(self, params, **others):
        params = {name: array.astype(np.float64) for name, array in dict(params).items()}
        super().__init__(params, **others)


class Copying(Adam):
    def __init__(self, params, **others):
        super().__init__(params, **others)
        self.params = {name: array.copy() for name, array in self.params.items()}


class Flat(Adam):
    """Steps a contiguous copy, and forgets to write it back."""

    def step_one(self, name, grad):
        place = self.params[name]
        self.params[name] = np.ascontiguousarray(place)
        super().step_one(name, grad)
        self.params[name] = place


class Tied(Adam):
    def __init__(self, params, **others):
        super().__init__({name: array.copy() for name, array in params.items()}, **others)


class FillingIn(Adam):
    def step(self, grads):
        super().step(
            {name: np.zeros_like(p) if grads.get(name) is None else grads[name] for name, p in self.params.items()}
        )


@pytest.mark.parametrize(
    ("name", "ours", "arguments"),
    [
        ("test_no_parameters_are_refused_with_pytorchs_words", Empty, [{}]),
        ("test_a_misspelt_change_is_refused_by_both_sides", TakingAnyName, []),
        ("test_a_changed_lr_is_that_of_the_next_step", Remembering, []),
        ("test_the_state_has_pytorchs_keys_shapes_and_dtypes_after_every_step", CountingInDouble, ["float32"]),
        ("test_the_state_has_pytorchs_keys_shapes_and_dtypes_after_every_step", Eager, ["float64"]),
        ("test_the_state_of_pytorch_is_taken_over_mid_run", Forgetful, ["float32", "single"]),
        ("test_what_was_handed_over_is_a_copy", Sharing, []),
        ("test_other_dtypes_are_refused", Casting, ["int64"]),
        ("test_names_lists_pairs_and_single_arrays_step_alike", Copying, []),
        ("test_arrays_of_any_layout_step_in_place_and_alike", Flat, [(6, 4)]),
        ("test_arrays_of_any_layout_step_in_place_and_alike", Copying, [(260, 200)]),
        ("test_a_tied_parameter_is_given_once", Tied, []),
        ("test_a_read_only_array_is_refused", Tied, []),
        ("test_a_missing_gradient_leaves_tensor_and_state_alone", FillingIn, []),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else value if isinstance(value, str) else "",
)
def test_an_optimizer(name, ours, arguments):
    red(OfAdam, name, ours, *arguments)


@pytest.mark.parametrize("ours", [Careless, OfOtherWords], ids=["taken", "other words"])
def test_a_bad_hyperparameter(ours):
    bad = Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1)
    red(OfAdam, "test_bad_hyperparameters_are_refused_with_pytorchs_words", ours, bad)


def test_a_table_that_misquotes_pytorch():
    bad = Bad("negative lr", (ValueError, "Invalid lr: -0.1"), lr=-0.1)
    with pytest.raises(AssertionError, match="PyTorch itself says something else"):
        OfAdam().test_bad_hyperparameters_are_refused_with_pytorchs_words(bad)


def test_what_is_refused_halfway():
    def shorter(good):
        return good | {"bias": good["bias"][:1]}

    arguments = (shorter, ValueError, "gradient of 'bias' is")
    red(OfAdam, "test_a_refused_step_changes_nothing", OneByOne, *arguments)
    arguments = ("bias", lambda entry: entry[:1], ValueError)
    red(OfAdam, "test_a_refused_state_changes_nothing", OneByOne, *arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "load"),
    [
        ("test_the_state_is_handed_to_pytorch_mid_run", ["float32", "single"], lambda self, state: None),
        (
            "test_what_was_handed_over_is_a_copy",
            [],
            lambda self, state: [
                self.optimizer.state.update({self.tensors[name]: {k: torch.from_numpy(v) for k, v in given.items()}})
                for name, given in state.items()
            ],
        ),
    ],
    ids=["nothing arrives", "memory is shared"],
)
def test_the_hand_over_to_pytorch(name, arguments, load, monkeypatch):
    getattr(OfAdam(), name)(*arguments)
    monkeypatch.setattr(TorchOptimizer, "load_state", load)
    with pytest.raises(RED):
        getattr(OfAdam(), name)(*arguments)


def test_a_case_that_comes_out_otherwise():
    class Wrong(Adam):
        def step(self, grads):
            super().step({name: None if g is None else 2 * g for name, g in grads.items()})

    red(OfAdam, "test_case", Wrong, Case("shrinking", problem="near eps"), "float32", ("single",))
    case = next(case for case in find("layers.loss").cases.CASES if case.differs)
    with pytest.raises(AssertionError):
        OfLinear().test_case(OfLinear.derivable[0].replaced(differs=case.differs), "float32", (None,))


def test_an_exception_that_is_no_case():
    with pytest.raises(AssertionError):
        type("Tests", (OfMLP,), {"ill_conditioned": {"a case of long ago": ""}})().test_every_exception_is_a_case()


# layers


def test_arguments():
    name = "test_arguments_have_pytorchs_names_defaults_and_order"
    for ours in (saying(Linear, bias=False), saying(Linear, bias=None), saying(Linear, scale=1.0)):
        red(OfLinear, name, ours, "Linear")


class TakingAnyInput(Linear):
    def accepted(self, inputs):
        (x,) = inputs
        return (x[..., : self.params["weight"].shape[1]],)


class Hasty(BatchNorm1d):
    def accepted(self, inputs):
        self.buffers["num_batches_tracked"] = self.buffers["num_batches_tracked"] + 1
        return super().accepted(inputs)


def without_bias_gradient(dy, lines, x, weight, bias=None):
    backward = paper_backward(dy, lines, x, weight, bias)
    return backward._replace(dbias=backward.dbias * 0)


def of_the_mean(dy, lines, x, weight, bias=None):
    backward = paper_backward(dy, lines, x, weight, bias)
    return backward._replace(dx=backward.dx * (1 + 2.0**-50))


class Transposed(Linear):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.params["weight"] = self.params["weight"].T.copy()


class Aliased(Linear):
    def load_state(self, state):
        self.params.update(state)


@pytest.mark.parametrize(
    ("name", "ours", "arguments"),
    [
        ("test_bad_calls_are_refused_with_pytorchs_words", TakingAnyInput, [find("layers.linear").cases.BAD[0]]),
        ("test_the_state_has_pytorchs_keys_shapes_and_dtypes", Transposed, []),
        *(
            (
                "test_gradients_are_the_slopes_of_the_forward_formula",
                type("Linear", (Linear,), {"ORDERS": {"paper": Formula(paper, backward)}}),
                [OfLinear.derivable[0]],
            )
            for backward in (without_bias_gradient, of_the_mean)
        ),
    ],
    ids=["any input", "transposed", "no gradient for the bias", "off by 10⁻¹⁵"],
)
def test_a_layer(name, ours, arguments):
    red(OfLinear, name, ours, *arguments)


def test_statistics_that_a_refused_call_moves():
    bad = next(bad for bad in find("layers.batchnorm").cases.BAD if bad.desc == "other channels")
    red(OfBatchNorm, "test_a_refused_call_changes_nothing", Hasty, bad)


def test_a_state_of_which_no_copy_is_taken():
    """Handed on, an array of PyTorch's is PyTorch's to change."""
    theirs = torch.nn.Linear(3, 2)
    taker = Aliased(3, 2)
    taker.load_state({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    before = {"weight": taker.params["weight"].copy()}
    with torch.no_grad():
        theirs.weight.zero_()
    with pytest.raises(AssertionError):
        agree({"state": before}, {"state": {"weight": taker.params["weight"]}})


def test_a_gradient_deaf_to_what_comes_from_above():
    """The test plants that fault itself; one that is planted in vain is noticed."""

    class Immune(Linear):
        def __init_subclass__(cls):
            del cls.backward

    with pytest.raises(AssertionError):
        type("Tests", (OfLinear,), {"ours": Immune})().test_a_gradient_that_is_right_for_ones_alone_is_caught(
            OfLinear.derivable[0]
        )


def test_a_penalty_of_the_first_weight_alone():
    class First(L2):
        def forward(self, *weights):
            output = super().forward(*weights)
            return output if len(weights) == 1 else super().forward(weights[0])

    red(OfL2, "test_several_weights_are_penalised_each_by_itself", First, "float64")


@pytest.mark.parametrize("wrong", [lambda lam, m: lam, lambda lam, m: lam / (2 * m)], ids=["not by m", "half"])
def test_a_weight_decay_that_is_not_the_penaltys(wrong, monkeypatch):
    monkeypatch.setattr(test_l2, "weight_decay_of", wrong)
    with pytest.raises(AssertionError):
        test_l2.test_in_the_loss_or_as_weight_decay_the_steps_are_the_same_bits("float32", 0.9)
    with pytest.raises(AssertionError):
        test_l2.test_our_weight_decay_beside_the_loss_term_in_pytorch(test_l2.LAM, test_l2.M, test_l2.SAME, "float32")


# the network


@pytest.mark.parametrize(
    ("name", "arguments", "method", "wrong"),
    [
        (
            "test_penalties_reach_the_weights_and_no_bias_and_no_batchnorm",
            [],
            "weights",
            lambda self: [*self.params],
        ),
        (
            "test_evaluation_takes_no_masks_and_moves_no_statistics",
            ["float32"],
            "predict",
            lambda self, x: self.loss_and_grads(
                x, np.zeros(len(x), int), {"dropout1": np.ones((len(x), 32), x.dtype)}
            ).output["linear2"],
        ),
        (
            "test_a_refused_pass_moves_no_statistics",
            [],
            "forward_one",
            lambda self, name, *others, right=MLP.forward_one, **settings: [
                made := right(self, name, *others, **settings),
                self.buffers.update(made[1]),
            ][0],
        ),
    ],
    ids=["penalised biases", "evaluation that trains", "statistics moved at once"],
)
def test_a_network(name, arguments, method, wrong, monkeypatch):
    getattr(test_mlp, name)(*arguments)
    monkeypatch.setattr(MLP, method, wrong)
    with pytest.raises(AssertionError):
        getattr(test_mlp, name)(*arguments)


def test_a_network_whose_pass_is_not_its_stages(monkeypatch):
    whole = MLP.loss_and_grads
    monkeypatch.setattr(MLP, "loss_and_grads", lambda self, x, t, masks=None: whole(self, x[::-1], t[::-1], masks))
    with pytest.raises(AssertionError):
        test_mlp.test_one_pass_is_all_its_stages()


def test_a_network_with_another_chain_rule(monkeypatch):
    stages = MLP.backward_one

    def backward_one(self, name, *others, **settings):
        descent, grads = stages(self, name, *others, **settings)
        return (descent * 2 if name == "tanh1" else descent), grads

    monkeypatch.setattr(MLP, "backward_one", backward_one)
    with pytest.raises(AssertionError):
        test_mlp.test_gradients_are_the_slopes_of_the_loss({"activation": "tanh"})


# what they are built of


def test_a_mirror_that_shows_something_else():
    case = Case("plain", steps=3)
    pair = OfAdam().pair(case, "float32")
    straight = run_of(find("optim.adam"), case, "float32", pair)
    mirrored(straight, run_of(find("optim.adam"), case, "float32", swapped(pair)))
    for other in (
        straight,
        lockstep.run("optim.adam", case=case, seed=1),
        lockstep.run("optim.adam", case=case, steps=2),
    ):
        with pytest.raises(AssertionError):
            mirrored(straight, other)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"param": {}},
        {"param": {"w": np.zeros(2)}},
        {"param": {"w": np.array([0.0, -0.0], np.float32)}},
        {"param": {"w": np.zeros((2, 1), np.float32)}},
    ],
    ids=["no quantity", "no tensor", "another dtype", "another zero", "another shape"],
)
def test_quantities_that_do_not_agree(other):
    with pytest.raises(AssertionError):
        agree({"param": {"w": np.zeros(2, np.float32)}}, other)


def test_a_refusal_that_does_not_come_and_one_of_another_type():
    with pytest.raises(AssertionError, match="nothing was refused"):
        refusal(lambda: None)

    def raised(error):
        raise error

    bad = Bad("", (ValueError, "no"))
    with pytest.raises(AssertionError):
        refused_as(bad, lambda: raised(TypeError("no")), lambda: raised(ValueError("no")))


def test_difference_quotients_against_slopes_known_in_closed_form():
    x = np.array([0.3, -1.7])
    found = slope(lambda x: (np.exp(x) + np.tanh(x) + np.log1p(x * x) + np.sqrt(abs(x)) + x**3 / 3).sum(), digits(x))
    z = digits(x)
    twice = np.exp(z * 2)
    cosh2 = (twice + 2 + 1 / twice) / 4
    expected = np.exp(z) + 1 / cosh2 + z * 2 / (z * z + 1) + np.sign(z) / (np.sqrt(abs(z)) * 2) + z * z
    assert found.tolist() == [float(value) for value in expected]
