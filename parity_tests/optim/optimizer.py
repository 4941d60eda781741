"""What every optimizer's tests do, beside their table of cases."""

import inspect
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from lockstep.cases import Case
from lockstep.engine.stepping import run_pair
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Verdict
from parity_tests.optim.saved import SavedTests, drawn
from parity_tests.support.families import (
    SAME,
    SubjectTests,
    advanced,
    agree,
    mirrored,
    refusal,
    refused_as,
    run_of,
    swapped,
)
from reference.sparse import stored
from reference.state import Entry

# How PyTorch is to execute a step, not what the step is: chosen here by the path, or without meaning in NumPy.
EXECUTION = {"foreach", "fused", "capturable", "differentiable"}

# Streams whose every step is like the one before: what they can show is there once the state is warm.
STEADY = {"normal", "near eps", "many sizes", "large offset", "sparse", "zero"}

DTYPES = ("float32", "float64")
SHAPES = {"weight": (3, 2), "bias": (2,), "scale": ()}


def held(optimizer) -> dict[str, dict[str, Any]]:
    """Copies of the parameters and of the state, tensor by tensor, without the entries that wait for a first step."""
    state = {
        name: {key: value for key, value in entries.items() if value is not None}
        for name, entries in optimizer.state.items()
    }
    return Snapshot({"param": optimizer.params, **state}).copy()


class OptimizerTests(SubjectTests, SavedTests):
    """`options` turns on every entry of the state that the optimizer can have; `shapes` are what it takes."""

    options: ClassVar[dict[str, Any]]
    shapes: ClassVar[dict[str, tuple[int, ...]]] = SHAPES

    @property
    def reference(self) -> Any:
        return self.ours or self.subject.ours()

    @property
    def counterpart(self) -> Any:
        return self.subject.theirs()

    @property
    def entry(self) -> str:
        """The key of an entry like its parameter."""
        return next(key for key, entry in self.reference.STATE.items() if type(entry) is Entry)

    @property
    def case(self) -> Case:
        """A plain case that uses the whole state."""
        layout = "rows" if self.reference.SPARSE == "alone" else ""
        return Case("the whole state", shapes=self.subject.table("SIZES"), steps=6, sparse=layout, **self.options)

    def sides(self, dtype, path="single"):
        """Both optimizers over one start, with the whole state in use."""
        start = drawn(self.shapes, dtype)
        ours = self.reference({name: array.copy() for name, array in start.items()}, **self.options)
        return ours, self.counterpart(start, path=path, **self.options)

    def steps_of(self, case):
        scheduled = case.none_at or case.frozen or case.zero_from or case.lr_at
        return case.steps if scheduled or case.problem not in STEADY else min(case.steps, 5)

    def given(self, grads):
        """Gradients as the optimizer takes them: of one that takes no others, sparse."""
        if self.reference.SPARSE != "alone":
            return grads
        if isinstance(grads, dict):
            return {name: self.given(grad) for name, grad in grads.items()}
        if isinstance(grads, list) and any(isinstance(grad, np.ndarray) for grad in grads):
            return [self.given(grad) for grad in grads]
        return stored(grads) if isinstance(grads, np.ndarray) else grads

    # names

    def test_hyperparameters_have_pytorchs_names_defaults_and_order(self):
        ours = inspect.signature(self.reference).parameters
        theirs = inspect.signature(self.counterpart.counterpart).parameters
        assert ours.keys() <= theirs.keys()
        assert theirs.keys() - ours.keys() == theirs.keys() & EXECUTION
        assert {name: ours[name].default for name in ours} == {name: theirs[name].default for name in ours}
        ours, theirs = (
            [name for name, parameter in names.items() if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
            for names in (ours, theirs)
        )
        assert ours == [name for name in theirs if name not in EXECUTION][: len(ours)]

    def test_bad_hyperparameters_are_refused_with_pytorchs_words(self, bad):
        start = drawn(self.shapes)
        tensors = [torch.tensor(array, requires_grad=True) for array in start.values()]
        refused_as(
            bad,
            lambda: self.reference(start, **bad.hyperparameters),
            lambda: self.counterpart.counterpart(tensors, **bad.hyperparameters),
        )

    @pytest.mark.parametrize("params", [{}, []], ids=["no names", "no list"])
    def test_no_parameters_are_refused_with_pytorchs_words(self, params):
        theirs = refusal(lambda: self.counterpart.counterpart([]))
        assert refusal(lambda: self.reference(params)) == theirs

    def test_a_misspelt_change_is_refused_by_both_sides(self):
        for optimizer in self.sides("float32"):
            kind, text = refusal(lambda optimizer=optimizer: optimizer.set("learning_rate", 1.0))
            assert kind is TypeError
            assert text.startswith("no hyperparameter 'learning_rate'; there are lr, ")

    def test_a_changed_lr_is_that_of_the_next_step(self):
        """Set, assigned or given from the start: the step is the same."""
        grads, start = self.given(drawn(self.shapes, seed=1)), drawn(self.shapes)
        by_set, by_name, from_the_start = (
            self.reference({name: array.copy() for name, array in start.items()}, **{**self.options, "lr": lr})
            for lr in (0.5, 0.5, 0.25)
        )
        by_set.set("lr", 0.25)
        by_name.lr = 0.25
        from_the_start.step(grads)
        for optimizer in (by_set, by_name):
            optimizer.step(grads)
            agree(held(optimizer), held(from_the_start))

    # state

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_the_state_has_pytorchs_keys_shapes_and_dtypes_after_every_step(self, dtype):
        for case in self.subject.cases.CASES:
            start = drawn(self.shapes, dtype)
            ours = self.reference({name: array.copy() for name, array in start.items()}, **case.hyperparameters)
            theirs = self.counterpart(start, **case.hyperparameters)
            for step in range(4):
                kinds = [
                    {
                        (name, key): (array.shape, array.dtype)
                        for name, entries in held(optimizer).items()
                        for key, array in entries.items()
                    }
                    for optimizer in (ours, theirs)
                ]
                assert kinds[0] == kinds[1], (case, step)
                grads = drawn(self.shapes, dtype, seed=step)
                grads["bias"] = grads["bias"] if step else None
                ours.step(self.given(grads))
                theirs.step(self.given(grads))

    @pytest.mark.parametrize(
        ("spoilt", "causes"),
        [
            (lambda entry: {"another": entry}, {"names-differ"}),
            (lambda entry: {}, {"names-differ"}),
            (lambda entry: entry.astype(np.longdouble), {"dtype-differs", "dtype-promoted"}),
            (lambda entry: np.stack([entry, entry]), {"shape-differs"}),
        ],
        ids=["another key", "no entry", "another dtype", "another shape"],
    )
    def test_the_engine_refuses_another_state(self, spoilt, causes):
        key = self.entry

        class Spoilt(self.reference):
            def step(self, grads):
                super().step(grads)
                entry = self.state["one"].pop(key)
                made = spoilt(entry)
                self.state["one"] |= made if isinstance(made, dict) else {key: made}

        outcome = run_pair(self.pair(self.case, "float32", ours=Spoilt), 2)
        assert outcome.verdict is Verdict.BROKEN
        assert outcome.broken is not None
        assert outcome.broken.id in causes

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_the_state_of_pytorch_is_taken_over_mid_run(self, dtype, torch_path):
        """From torch.optim's own state_dict, which counts tensors from 0; then both go on together."""
        pair = self.pair(self.case, dtype, torch_path)
        theirs: Any = advanced(pair.theirs(), 5)
        theirs.grads.clear()
        mine: Any = pair.ours()
        for name, array in theirs.optimizer.params.items():
            mine.optimizer.params[name][...] = array
        mine.optimizer.load_state(theirs.optimizer.optimizer.state_dict()["state"])
        agree(held(mine.optimizer), held(theirs.optimizer))
        run = run_of(self.subject, self.case, dtype, pair._replace(theirs=lambda: theirs, ours=again(pair, mine)))
        assert run.verdict in SAME, str(run)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_the_state_is_handed_to_pytorch_mid_run(self, dtype, torch_path):
        """As torch_impl takes it, and as torch.optim's own load_state_dict does; then both go on together."""
        pair = self.pair(self.case, dtype, torch_path)
        mine: Any = advanced(pair.ours(), 5)
        mine.grads.clear()
        state = mine.optimizer.state
        numbers = [key for key, entry in self.reference.STATE.items() if entry.kind == "number"]
        # PyTorch's own load_state_dict casts to the parameter's dtype whatever is not called "step"
        for by_torch in (False,) if numbers and dtype == "float64" else (False, True):
            theirs: Any = pair.theirs()
            for name, array in mine.optimizer.params.items():
                theirs.optimizer.params[name][...] = array
            if by_torch:
                own = theirs.optimizer.optimizer
                tensors = [
                    {key: torch.tensor(value) for key, value in state[name].items()} for name in theirs.optimizer.params
                ]
                own.load_state_dict(own.state_dict() | {"state": dict(enumerate(tensors))})
            else:
                theirs.optimizer.load_state(state)
            agree(held(theirs.optimizer), held(mine.optimizer))
            ours = again(pair, mine)
            run = run_of(self.subject, self.case, dtype, pair._replace(theirs=lambda side=theirs: side, ours=ours))
            assert run.verdict in SAME, str(run)

    def test_what_was_handed_over_is_a_copy(self):
        ours, theirs = self.sides("float32")
        grads = self.given(drawn(self.shapes, seed=1))
        for optimizer in (ours, theirs):
            optimizer.step(grads)
        for giver, taker in ((ours, theirs), (theirs, ours)):
            taker.load_state(giver.state)
            before = held(taker)
            giver.step(grads)
            agree(held(taker), before)

    @pytest.mark.parametrize(
        ("key", "spoil", "error"),
        [
            ("bias", lambda entry: entry[:1], ValueError),
            ("bias", lambda entry: entry.astype(np.float64), ValueError),
            ("another", lambda entry: entry, KeyError),
            (7, lambda entry: entry, KeyError),
        ],
        ids=["another shape", "another dtype", "an unknown tensor", "an unknown position"],
    )
    def test_a_refused_state_changes_nothing(self, key, spoil, error):
        for optimizer in self.sides("float32"):
            optimizer.step(self.given(drawn(self.shapes, seed=1)))
            before = held(optimizer)
            state = held(optimizer)
            entry = self.entry
            spoilt = {"weight": {name: 2 * array for name, array in state["weight"].items()}}
            spoilt[key] = state["bias"] | {entry: spoil(state["bias"][entry])}
            assert refusal(lambda optimizer=optimizer, spoilt=spoilt: optimizer.load_state(spoilt))[0] is error
            agree(held(optimizer), before)

    # steps

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("desc", ["everything at once", "gradients near eps"])
    def test_swapped_sides_show_one_difference_from_either_end(self, desc, dtype, torch_path):
        case = next(case for case in self.subject.cases.CASES if case.desc == desc)
        pair = self.pair(case, dtype, torch_path)
        mirrored(run_of(self.subject, case, dtype, pair, 5), run_of(self.subject, case, dtype, swapped(pair), 5))

    @pytest.mark.parametrize(
        ("grads", "error", "words"),
        [
            (lambda good: good | {"bias": good["bias"][:1]}, ValueError, "gradient of 'bias' is"),
            (lambda good: good | {"bias": good["bias"].astype(np.float64)}, ValueError, "gradient of 'bias' is"),
            (lambda good: good | {"bias": np.ones(2, int)}, TypeError, "'bias' must be"),
            (lambda good: good | {"bias": [1.0, 2.0]}, TypeError, "'bias' must be"),
            (lambda good: good | {"extra": good["bias"]}, KeyError, "gradient for unknown parameter 'extra'"),
            (lambda good: [*good.values(), good["bias"]], KeyError, "gradient for unknown parameter '3'"),
        ],
        ids=["another shape", "another dtype", "integers", "a list of numbers", "an unknown tensor", "one too many"],
    )
    def test_a_refused_step_changes_nothing(self, grads, error, words):
        optimizer, _ = self.sides("float32")
        good = drawn(self.shapes, seed=1)
        optimizer.step(self.given(good))
        before = held(optimizer)
        kind, text = refusal(lambda: optimizer.step(self.given(grads(good))))
        assert kind is error
        assert text.startswith(words)
        agree(held(optimizer), before)

    @pytest.mark.parametrize("dtype", ["int16", "int64", "bool", "complex64"])
    def test_other_dtypes_are_refused(self, dtype):
        kind, text = refusal(lambda: self.reference({"weight": np.ones(3, dtype)}))
        assert kind is TypeError
        assert text.startswith("'weight' must be")
        assert text.endswith(dtype)

    def test_names_lists_pairs_and_single_arrays_step_alike(self):
        start, grads = drawn(self.shapes), drawn(self.shapes, seed=1)
        copies = [array.copy() for array in start.values()]
        by_name = self.stepped({name: array.copy() for name, array in start.items()}, grads)
        by_pairs = self.stepped([(name, array.copy()) for name, array in start.items()], grads)
        by_position = self.stepped(copies, [*grads.values()])
        single = self.stepped(start["weight"].copy(), grads["weight"])
        assert list(by_pairs.params) == list(start)
        assert list(by_position.params) == list(self.counterpart(copies).params) == ["0", "1", "2"]
        for other in (by_pairs, by_position):
            agree({"param": by_name.params}, {"param": dict(zip(start, other.params.values(), strict=True))})
        agree({"param": {"0": by_name.params["weight"]}}, {"param": single.params})
        assert by_position.params["0"] is copies[0]

    def stepped(self, params, grads):
        optimizer = self.reference(params, **self.options)
        optimizer.step(self.given(grads))
        return optimizer

    @pytest.mark.parametrize("shape", [(6, 4), (260, 200)], ids=["small", "of several blocks"])
    def test_arrays_of_any_layout_step_in_place_and_alike(self, shape):
        start, grads = (drawn({"weight": shape}, seed=seed)["weight"] for seed in (0, 1))
        plain = self.reference({"weight": start.copy()}, **self.options)
        wide = np.zeros((shape[0], 2 * shape[1]), np.float32)
        layouts = {
            "columns first": np.asfortranarray(start),
            "every second column": wide[:, ::2],
            "backwards": start[::-1, ::-1].copy()[::-1, ::-1],
        }
        wide[:, ::2] = start
        others = {name: self.reference({"weight": array}, **self.options) for name, array in layouts.items()}
        for step in range(3):
            plain.step(self.given({"weight": grads if step else np.asfortranarray(grads)}))
            for name, optimizer in others.items():
                optimizer.step(self.given({"weight": grads}))
                assert np.array_equal(layouts[name], plain.params["weight"]), name
                assert np.array_equal(optimizer.params["weight"], layouts[name]), name
        assert not wide[:, 1::2].any()

    def test_a_tied_parameter_is_given_once(self):
        """PyTorch warns and steps it twice; here it is refused, whatever view it comes as."""
        weight = drawn(self.shapes)["weight"]
        kind, text = refusal(lambda: self.reference({"encoder": weight, "decoder": weight[:]}))
        assert kind is ValueError
        assert text == "'decoder' is the same array as 'encoder'; give a tied parameter once"
        with pytest.warns(UserWarning, match="duplicate parameters"):
            self.counterpart.counterpart([torch.tensor(weight, requires_grad=True)] * 2)

    def test_a_read_only_array_is_refused(self):
        weight = drawn(self.shapes)["weight"]
        weight.flags.writeable = False
        assert refusal(lambda: self.reference({"weight": weight}))[0] is ValueError

    def test_a_missing_gradient_leaves_tensor_and_state_alone(self):
        """None and no entry are one; a zero gradient is not."""
        results = []
        for grads in ({"bias": None}, {}):
            optimizer, _ = self.sides("float32")
            optimizer.step(self.given(drawn(self.shapes, seed=1)))
            before = held(optimizer)
            others = {name: grad for name, grad in drawn(self.shapes, seed=2).items() if name != "bias"}
            optimizer.step(self.given(others | grads))
            results.append(held(optimizer))
            agree({"bias": results[-1]["bias"]}, {"bias": before["bias"]})
            assert results[-1]["param"]["bias"].tobytes() == before["param"]["bias"].tobytes()
            assert results[-1]["param"]["weight"].tobytes() != before["param"]["weight"].tobytes()
        agree(*results)


def again(pair, side):
    """A maker of sides of ours that stand where `side` stands."""
    start = side.read().copy()

    def make():
        made = pair.ours()
        made.write(start)
        return made

    return make
