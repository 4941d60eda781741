"""What the tests of every layer, loss and penalty do, beside their table of cases."""

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from lockstep.cases.layers import LayerCase
from lockstep.numerics.snapshot import Snapshot
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.families.layers import drawing
from lockstep.subjects.subject import own_class
from parity_tests.support.digits import digits, slope
from parity_tests.support.families import SubjectTests, agree, mirrored, refusal, refused_as, run_of, swapped

DTYPES = ("float32", "float64")


class OfOnes(LayerCase):
    """The same case with ones for the gradient from above, as many a test has it."""

    def upstream(self, rng, shape, dtype):
        return np.ones(shape, dtype)


def of_ones(case: LayerCase) -> LayerCase:
    ones = object.__new__(OfOnes)
    vars(ones).update(vars(case))
    return ones


class LayerTests(SubjectTests):
    """The tests of a formula there and back.

    derivable: small cases without a kink, whose gradients are held against difference quotients.
    """

    derivable: ClassVar[tuple[LayerCase, ...]]

    def reference(self, name: str | None = None) -> Any:
        return self.ours or own_class(self.subject.reference, name)

    def counterpart(self, name: str | None = None) -> Any:
        return own_class(self.subject.counterpart, name)

    def pytest_generate_tests(self, metafunc):
        super().pytest_generate_tests(metafunc)
        if "small" in metafunc.fixturenames:
            metafunc.parametrize("small", self.derivable, ids=lambda case: case.desc)

    def layer(self, case: LayerCase, dtype="float64"):
        """A layer of ours at the start of a case, the inputs of its first step and the gradient from above."""
        made = self.reference(case.layer)(**case.hyperparameters)
        made.load_state(case.start(drawing(0, 0), getattr(made, "state", {}), dtype))
        made.train(case.training(1))
        rng = drawing(0, 1)
        inputs = case.inputs(rng, 1, dtype)
        return made, inputs, case.upstream(rng, np.shape(made.forward(*inputs)), dtype)

    def test_a_path_is_refused(self, small):
        with pytest.raises(ValueError, match=f"{self.path} has no paths to choose from, so not 'fused' either"):
            self.pair(small, "float32", "fused")

    # gradients

    def test_gradients_are_the_slopes_of_the_forward_formula(self, small):
        """Of the paper's order, on eighty digits, to the last bit of a double."""
        layer, inputs, upstream = self.layer(small)
        given = tuple(exact(array) for array in inputs)
        params, buffers = (
            {name: exact(np.asarray(array)) for name, array in getattr(layer, kind).items()}
            for kind in ("params", "buffers")
        )

        def total(x, params):
            forward, _ = layer.evaluate((x, *given[1:]), None, params, buffers)
            return np.sum(np.asarray(getattr(forward, layer.OUTPUT), object) * exact(upstream))

        _, backward = layer.evaluate(given, exact(upstream), params, buffers)
        expected = {layer.GRAD_INPUT: slope(lambda x: total(x, params), given[0])}
        for name in params:
            expected[layer.GRADS[name]] = slope(lambda x, name=name: total(given[0], params | {name: x}), params[name])
        for line, gradient in expected.items():
            found = np.asarray(getattr(backward, line), object)
            assert np.array_equal(np.vectorize(float, otypes=[float])(found), gradient), line

    def test_a_gradient_that_is_right_for_ones_alone_is_caught(self, small):
        """With ones from above nobody notices that what comes from above is left out.

        BatchNorm's gradient is 0 then, and all that either side finds is rounding.
        """

        class Deaf(self.reference(small.layer)):
            def backward(self, grad_output=1.0):
                return super().backward(np.ones_like(grad_output))

        run = run_of(self.subject, small, "float64", self.pair(small, "float64", ours=Deaf))
        assert run.verdict is Verdict.DIFFERENT
        assert run.evidence is not None
        assert run.evidence.quantity in {"grad", "grad_input"}
        ones = of_ones(small)
        run = run_of(self.subject, ones, "float64", self.pair(ones, "float64", ours=Deaf))
        assert run.verdict.passes, str(run)

    # state

    def test_the_state_has_pytorchs_keys_shapes_and_dtypes(self):
        for case in self.subject.cases.CASES:
            ours, theirs = (
                getattr(kind(case.layer)(**case.hyperparameters), "state", {})
                for kind in (self.reference, self.counterpart)
            )
            kinds = [
                {name: (np.asarray(array).shape, np.asarray(array).dtype) for name, array in state.items()}
                for state in (ours, theirs)
            ]
            assert kinds[0] == kinds[1], case
            assert list(ours) == list(theirs), case

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_the_state_goes_there_and_back(self, small, dtype):
        """As copies: what happens to one side is nothing to the other."""
        ours, inputs, upstream = self.layer(small, dtype)
        theirs, back = (kind(small.layer)(**small.hyperparameters) for kind in (self.counterpart, self.reference))
        if not ours.state:
            assert not getattr(theirs, "state", {})
            return
        theirs.load_state(ours.state)
        back.load_state({name: tensor.numpy() for name, tensor in theirs.module.state_dict().items()})
        agree({"state": back.state}, {"state": ours.state})
        before = Snapshot({"state": ours.state}).copy()
        for layer in (theirs, back):
            layer.forward(*inputs)
            for array in layer.state.values():
                array[...] = 0
        agree({"state": ours.state}, before)
        ours.backward(upstream)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_swapped_sides_show_one_difference_from_either_end(self, small, dtype):
        pair = self.pair(small, dtype)
        mirrored(run_of(self.subject, small, dtype, pair), run_of(self.subject, small, dtype, swapped(pair)))


class ModuleTests(LayerTests):
    """The tests of what torch.nn has a module for.

    left_out: layer to those arguments of the module that there are not.
    own: arguments that the module has not.
    """

    left_out: ClassVar[Mapping[str, set[str]]]
    own: ClassVar[set[str]] = set()

    def pytest_generate_tests(self, metafunc):
        super().pytest_generate_tests(metafunc)
        if "layer" in metafunc.fixturenames:
            metafunc.parametrize("layer", sorted(self.left_out))

    def test_arguments_have_pytorchs_names_defaults_and_order(self, layer):
        ours = inspect.signature(self.reference(layer)).parameters
        theirs = dict(inspect.signature(self.counterpart(layer).counterpart).parameters)
        shared = [name for name in ours if name not in self.own]
        assert set(shared) <= theirs.keys()
        assert theirs.keys() - ours.keys() - {"args", "kwargs"} == theirs.keys() & self.left_out[layer]
        assert {name: ours[name].default for name in shared} == {name: theirs[name].default for name in shared}
        assert shared == [name for name in theirs if name in shared]
        assert all(ours[name].kind is inspect.Parameter.KEYWORD_ONLY for name in ours if name in self.own)

    def test_bad_calls_are_refused_with_pytorchs_words(self, bad):
        def call(kind):
            layer = kind(**bad.hyperparameters)
            layer.train(bad.training)
            return layer.forward(*(array.copy() for array in bad.inputs))

        refused_as(bad, lambda: call(self.reference(bad.layer)), lambda: call(self.counterpart(bad.layer)))


class RefusingInputs(ModuleTests):
    """The tests of a module that does not take any input.

    good: layer to inputs that it takes after the arguments of any bad call in the table.
    """

    good: ClassVar[Mapping[str, tuple]]

    def pytest_generate_tests(self, metafunc):
        super().pytest_generate_tests(metafunc)
        if "bad_inputs" in metafunc.fixturenames:
            calls = [bad for bad in self.subject.cases.BAD if bad.inputs and "reduction" not in bad.hyperparameters]
            metafunc.parametrize("bad_inputs", calls, ids=lambda bad: bad.desc)

    def test_a_refused_call_changes_nothing(self, bad_inputs):
        """Neither the running statistics nor what the last good pass left behind."""
        layer = self.reference(bad_inputs.layer)(**bad_inputs.hyperparameters)
        output = layer.forward(*self.good[bad_inputs.layer])
        upstream = np.asarray(drawing(0, 1).standard_normal(output.shape), np.float32)
        gradient, before = layer.backward(upstream).copy(), Snapshot({"state": layer.state}).copy()
        layer.train(bad_inputs.training)
        assert refusal(lambda: layer.forward(*bad_inputs.inputs)) == bad_inputs.error
        agree({"state": layer.state}, before)
        assert np.array_equal(layer.backward(upstream), gradient)


def exact(array) -> np.ndarray:
    """To eighty digits; integers (classes, counts) stay as they are."""
    return digits(array) if np.asarray(array).dtype.kind == "f" else array
