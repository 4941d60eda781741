"""What every optimizer's tests do with parameter groups and with a state that is saved."""

import itertools
from typing import Any, ClassVar

import numpy as np
import pytest

from lockstep.engine.resuming import resumed
from lockstep.engine.stepping import run_pair
from lockstep.numerics import formats
from lockstep.numerics.verdict import Verdict
from lockstep.records import checkpoint
from lockstep.subjects.registry import asked
from parity_tests.support.families import SAME, agree, refusal

UNORDERED = (
    "optimizer parameters need to be organized in ordered collections, but "
    "the ordering of tensors in sets will change between runs. Please use a list instead."
)
LRS = {"weight": 0.05, "bias": 0.002}


def drawn(shapes, dtype="float32", seed=0) -> dict[str, Any]:
    """Normal numbers, the same for the same seed."""
    rng = np.random.default_rng(seed)
    kind = formats.named(dtype).dtype
    return {name: np.asarray(rng.standard_normal(shape), kind) for name, shape in shapes.items()}


def everything(optimizer) -> dict[str, dict[str, Any]]:
    """Copies of parameters and state by tensor, and of what the groups hold."""
    state = {
        name: {key: np.array(value) for key, value in entries.items() if value is not None}
        for name, entries in optimizer.state.items()
    }
    groups = {f"group {n}": one for n, one in enumerate(optimizer.state_dict()["param_groups"])}
    numbers = {
        key: {name: np.array(repr(value)) for name, value in group.items()} for key, group in sorted(groups.items())
    }
    return {"param": {name: array.copy() for name, array in optimizer.params.items()}, **state, **numbers}


def entry_lost(optimizer):
    """The first entry that is an array starts anew."""
    name, entries = next((name, entries) for name, entries in optimizer.state.items() if entries)
    fresh = optimizer.of(name).entries(optimizer.params[name])
    key = next(key for key in entries if key in fresh and fresh[key].kind == "array")
    entries[key] = entries[key] * 0 + (3 if not entries[key].any() else 0)
    return key


def count_of(optimizer):
    return next((key for key, entry in optimizer.STATE.items() if entry.kind == "count"), None)


def step_lost(optimizer):
    """The counts start anew."""
    key = count_of(optimizer)
    for entries in optimizer.state.values() if key else ():
        entries[key] = 0 * entries[key]
    return key


def step_ahead(optimizer):
    """The counts are one ahead."""
    key = count_of(optimizer)
    for entries in optimizer.state.values() if key else ():
        entries[key] = entries[key] + entries[key].dtype.type(1)
    return key


def lr_lost(optimizer):
    """The learning rate is the one it was made with."""
    for group in optimizer.param_groups:
        group["lr"] = optimizer.defaults["lr"]
    return None if "step_size" in optimizer.STATE else "lr"  # Rprop's is that of the first step


def groups_interchanged(optimizer):
    """Each group has the learning rate of the other."""
    first, second = optimizer.param_groups
    first["lr"], second["lr"] = second["lr"], first["lr"]
    return None if "step_size" in optimizer.STATE else "lr"


class SavedTests:
    """The tests; `reference`, `counterpart`, `options`, `entry`, `given` and `shapes` are those of the optimizer."""

    options: ClassVar[dict[str, Any]]
    shapes: ClassVar[dict[str, tuple[int, ...]]]
    reference: Any
    counterpart: Any
    entry: Any
    given: Any
    subject: Any

    def groups(self, dtype="float32") -> list[dict[str, Any]]:
        """A group a tensor, the first two with a learning rate of their own."""
        start = drawn(self.shapes, dtype)
        return [{"params": {name: start[name]}, **({"lr": LRS[name]} if name in LRS else {})} for name in self.shapes]

    def grouped(self, dtype="float32", steps=0):
        """Both optimizers over these groups after some steps, with the whole state in use."""
        for kind in (self.reference, self.counterpart):
            optimizer = kind(self.groups(dtype), **self.options)
            for step in range(steps):
                optimizer.step(self.given(drawn(self.shapes, dtype, step)))
            yield optimizer

    @pytest.mark.parametrize("later", [False, True], ids=["from the start", "added"])
    def test_each_group_is_stepped_with_its_own_hyperparameters(self, later):
        """As an optimizer of it alone would."""
        for kind in (self.reference, self.counterpart):
            first, *others = self.groups()
            optimizer = kind([first] if later else [first, *others], **self.options)
            for group in others if later else []:
                optimizer.add_param_group(group)
            alone = [
                kind(group["params"], **self.options | {key: group[key] for key in group.keys() - {"params"}})
                for group in self.groups()
            ]
            for step in range(3):
                grads = drawn(self.shapes, seed=step)
                optimizer.step(self.given(grads))
                for one in alone:
                    one.step(self.given({name: grads[name] for name in one.params}))
            made = {"param": optimizer.params, **optimizer.state}
            agree(made, {"param": {k: v for one in alone for k, v in one.params.items()}} | merged(alone))

    def test_a_change_of_one_group_is_no_change_of_another(self):
        for optimizer in self.grouped():
            held = getattr(optimizer, "optimizer", optimizer).param_groups
            held[1]["lr"] = 0.0
            before = everything(optimizer)["param"]
            optimizer.step(self.given(drawn(self.shapes, seed=1)))
            moved = {name: optimizer.params[name].tobytes() != before[name].tobytes() for name in before}
            assert moved["weight"]
            if self.reference.__name__ != "Rprop":  # whose lr is that of the first step, which it has taken
                assert not moved["bias"]

    @pytest.mark.parametrize(
        ("group", "error", "words"),
        [
            (lambda own, params: [params["weight"]], TypeError, "param_group must be a dict, but got <class 'list'>"),
            (
                lambda own, params: {"params": set()},
                TypeError,
                UNORDERED,
            ),
            (
                lambda own, params: {"params": [own["weight"]]},
                ValueError,
                "some parameters appear in more than one parameter group",
            ),
        ],
        ids=["no dict", "a set", "a tensor that is in another"],
    )
    def test_a_group_that_pytorch_refuses_is_refused_in_its_words_and_changes_nothing(self, group, error, words):
        for optimizer in self.grouped(steps=1):
            inner = getattr(optimizer, "optimizer", optimizer)
            own = getattr(optimizer, "tensors", optimizer.params)
            before = everything(optimizer)
            assert refusal(lambda inner=inner, own=own: inner.add_param_group(group(own, own))) == (error, words)
            agree(everything(optimizer), before)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_saved_state_has_pytorchs_layout(self, dtype):
        ours, theirs = (optimizer.state_dict() for optimizer in self.grouped(dtype, steps=2))
        assert ours["state"].keys() == theirs["state"].keys() == set(range(len(self.shapes)))
        for place, entries in theirs["state"].items():
            kinds = [
                {key: (type(value), np.asarray(value).dtype, np.shape(value)) for key, value in one.items()}
                for one in (ours["state"][place], entries)
            ]
            assert kinds[0] == kinds[1]
        for one, other in zip(ours["param_groups"], theirs["param_groups"], strict=True):
            assert one == {name: other[name] for name in one}
            assert other.keys() - one.keys() <= {"foreach", "fused", "capturable", "differentiable"}

    @pytest.mark.parametrize(
        ("spoil", "error", "words"),
        [
            (
                lambda saved, key: saved["param_groups"].pop(),
                ValueError,
                "loaded state dict has a different number of parameter groups",
            ),
            (
                lambda saved, key: saved["param_groups"][1]["params"].append(9),
                ValueError,
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
            ),
            (lambda saved, key: saved["param_groups"][1].pop("lr"), KeyError, "param_groups[1] has no 'lr'"),
            (lambda saved, key: saved["state"][1].pop(key), KeyError, "state of 'bias' has "),
            (lambda saved, key: saved["state"][1].update(another=1), KeyError, "state of 'bias' has "),
            (lambda saved, key: saved["state"].update({9: {}}), KeyError, "state for unknown parameter 9"),
            (
                lambda saved, key: saved["state"][1].update({key: np.zeros((7, 7), "float32")}),
                ValueError,
                "state {key!r} of 'bias' is ",
            ),
            (
                lambda saved, key: saved["state"][1].update({key: saved["state"][1][key].astype("float64")}),
                ValueError,
                "state {key!r} of 'bias' is ",
            ),
        ],
        ids=["a group", "a tensor", "a number", "an entry", "another entry", "another tensor", "a shape", "a dtype"],
    )
    def test_a_state_that_does_not_fit_is_refused_before_anything_changes(self, spoil, error, words):
        """Too few, too many, or of another kind."""
        for optimizer in self.grouped(steps=2):
            saved = optimizer.state_dict()
            for entries in saved["state"].values():
                entries |= {key: 2 * entry for key, entry in entries.items()}
            saved["param_groups"][0]["lr"] = 0.5
            spoil(saved, self.entry)
            before = everything(optimizer)
            kind, text = refusal(lambda optimizer=optimizer, saved=saved: optimizer.load_state_dict(saved))
            assert kind is error
            assert text.startswith(words.format(key=self.entry))
            agree(everything(optimizer), before)

    def test_what_a_group_holds_besides_goes_along(self):
        """As a schedule's first learning rate."""
        for one, other in itertools.product(self.grouped(), self.grouped()):
            for number, group in enumerate(getattr(one, "optimizer", one).param_groups):
                group["initial_lr"] = number / 8
            other.load_state_dict(one.state_dict())
            held = other.state_dict()["param_groups"]
            assert [group["initial_lr"] for group in held] == [n / 8 for n in range(len(held))]

    @pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
    def test_a_run_goes_on_from_either_side_to_the_bit_as_if_it_had_not_stopped(self, dtype):
        """Through a file; but where PyTorch makes the parameter's dtype of a number that it keeps in float32."""
        numbers = [key for key, entry in self.reference.STATE.items() if entry.kind == "number"]
        for one, number in itertools.product(range(2), range(2)):
            stopped = [*self.grouped(dtype, steps=2)][one]
            content = checkpoint.packed({"params": stopped.params, "optimizer": stopped.state_dict()})
            unbroken, resumed = ([*self.grouped(dtype)][number] for _ in range(2))
            if one == number:
                unbroken = stopped
            else:
                unbroken.load_state(stopped.state)
            saved = checkpoint.unpacked(content)
            for optimizer in (unbroken, resumed):
                for name, array in saved["params"].items():
                    optimizer.params[name][...] = array
            resumed.load_state_dict(saved["optimizer"])
            for step in (2, 3):
                for optimizer in (unbroken, resumed):
                    optimizer.step(self.given(drawn(self.shapes, dtype, step)))
            made = [{"param": optimizer.params, **optimizer.state} for optimizer in (unbroken, resumed)]
            if numbers and dtype != "float32" and number == 1:
                with pytest.raises(AssertionError):
                    agree(*made)
            else:
                agree(*made)

    @pytest.mark.parametrize("spoil", [entry_lost, step_lost, step_ahead, lr_lost, groups_interchanged])
    def test_a_run_that_goes_on_wrongly_is_caught_at_once(self, spoil):
        """And what was lost is named."""

        class Forgetful(self.reference):
            def load_state_dict(self, state_dict):
                super().load_state_dict(state_dict)
                self.lost = spoil(self)

        stopped = next(case for case in self.subject.cases.CASES if case.desc == "resumed")
        stopped = stopped.replaced(**self.options, **({"lr_at": {}} if spoil is groups_interchanged else {}))
        request = asked(self.subject, stopped, "float32")
        assert run_pair(resumed(request), 5).verdict in SAME
        pair = resumed(request, Forgetful)
        outcome = run_pair(pair, 5)
        lost = outcome.sides["ours"].optimizer.lost
        if lost is None:
            assert outcome.verdict in SAME  # it keeps no such thing
        else:
            assert outcome.verdict is Verdict.DIFFERENT
            assert outcome.evidence is not None
            assert outcome.evidence.step == 4
            assert lost in (outcome.evidence.quantity, "lr")

    def test_a_saved_state_is_a_copy(self):
        for one, other in itertools.product(self.grouped(steps=2), self.grouped(steps=1)):
            saved = one.state_dict()
            other.load_state_dict(saved)
            before, kept = everything(other), repr(saved)
            one.step(self.given(drawn(self.shapes, seed=5)))
            agree(everything(other), before)
            other.step(self.given(drawn(self.shapes, seed=6)))
            assert repr(saved) == kept


def merged(optimizers) -> dict[str, dict[str, Any]]:
    return {name: entries for one in optimizers for name, entries in one.state.items()}
