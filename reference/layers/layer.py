"""What the layers share: named parameters and buffers, a pure formula there and back, and a cache between."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np


class Formula(NamedTuple):
    """One order of operations, there and back.

    `forward(*inputs, **arguments)` and `backward(upstream, lines, *inputs, **arguments)` return every
    line; `arguments` are those of the parameters, buffers and settings that each of them names.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]


class Layer:
    """Runs a formula that knows nothing of names, forward and backward.

    A subclass states `ORDERS` (its formula in each order of operations), `SETTINGS` (the attributes a
    formula may read) and which line becomes what: `OUTPUT`, `GRAD_INPUT`, `GRADS` (parameter to the
    line of its gradient) and `BUFFERS` (buffer to the line that replaces it in training).

    Attributes:
        params, buffers: name to array, under PyTorch's names; a missing one is None in the formula.
        grads: name to gradient, written by `backward`; each call replaces them, none is added up.
        training: whether `forward` trains (the default) or evaluates; see `train` and `eval`.
        formula: the order in use, `ORDERS["paper"]` unless it is replaced.
    """

    ORDERS: ClassVar[Mapping[str, Formula]]
    # the orders whose running error is a fair measure of what the layer may be off
    ALLOWS: ClassVar[tuple[str, ...]] = ("paper", "pytorch")
    # other stable forms that people write, for what they may be off; nothing here runs them
    FORMS: ClassVar[tuple[Formula, ...]] = ()
    SETTINGS: ClassVar[tuple[str, ...]] = ()
    OUTPUT: ClassVar[str] = "y"
    GRAD_INPUT: ClassVar[str] = "dx"
    GRADS: ClassVar[Mapping[str, str]] = {}
    BUFFERS: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **hyperparameters):
        self.params: dict[str, Any] = {}
        self.buffers: dict[str, Any] = {}
        self.grads: dict[str, Any] = {}
        self.training = True
        self.formula = self.ORDERS["paper"]
        self.hyperparameter_names = tuple(hyperparameters)
        for name, value in hyperparameters.items():
            setattr(self, name, value)
        self.cache: tuple[tuple, Any, dict[str, Any]] | None = None

    @property
    def hyperparameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.hyperparameter_names}

    @property
    def state(self) -> dict[str, Any]:
        """Parameters and buffers under the keys of PyTorch's state_dict."""
        return self.params | self.buffers

    def train(self, mode: bool = True):
        self.training = mode
        return self

    def eval(self):
        return self.train(False)

    def forward(self, *inputs):
        """The output, in memory of its own; in training the buffers are brought up to date.

        Raises:
            ValueError, RuntimeError: for inputs the layer cannot take, before anything is changed.
        """
        inputs = self.accepted(inputs)
        arguments = self.arguments()
        lines = self.run(self.formula.forward, inputs, arguments)
        if self.training:
            updated = {name: np.asarray(getattr(lines, line)) for name, line in self.BUFFERS.items()}
            self.buffers.update({name: array for name, array in updated.items() if name in self.buffers})
        self.cache = inputs, lines, arguments
        return getattr(lines, self.OUTPUT)

    __call__ = forward

    def backward(self, grad_output):
        """The gradient by the (first) input of the last `forward`; `grads` gets those by the parameters.

        Raises:
            RuntimeError: without a `forward` before it; for a gradient of another shape than the output's.
        """
        if self.cache is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward before it")
        inputs, lines, arguments = self.cache
        output = getattr(lines, self.OUTPUT)
        if np.shape(grad_output) != np.shape(output):
            raise RuntimeError(f"grad_output has shape {np.shape(grad_output)}, the output {np.shape(output)}")
        lines = self.run(self.formula.backward, (grad_output, lines, *inputs), arguments)
        self.grads = {name: getattr(lines, line) for name, line in self.GRADS.items() if name in self.params}
        return getattr(lines, self.GRAD_INPUT)

    def evaluate(self, inputs, grad_output=None, params=None, buffers=None, *, formula=None, forward=None, **replaced):
        """Every line forward, and every line backward unless `grad_output` is None; nothing is updated.

        `inputs` is a tuple. `params`, `buffers`, `formula` and `replaced` settings (`training`, `ops`, …) stand in
        for the layer's own. The arrays may be of any precision or error-carrying numbers. `forward` has the lines of
        the way there, where they are known.
        """
        formula = self.formula if formula is None else formula
        arguments = self.arguments(self.params if params is None else params, buffers, **replaced)
        forward = self.run(formula.forward, inputs, arguments) if forward is None else forward
        if grad_output is None:
            return forward, None
        return forward, self.run(formula.backward, (grad_output, forward, *inputs), arguments)

    def arguments(self, params=None, buffers=None, **replaced) -> dict[str, Any]:
        params = self.params if params is None else params
        buffers = self.buffers if buffers is None else buffers
        settings = {name: getattr(self, name) for name in self.SETTINGS}
        missing = dict.fromkeys((*self.GRADS, *self.BUFFERS))
        return {**missing, **params, **buffers, **settings, "training": self.training, **replaced}

    @staticmethod
    def run(formula, inputs, arguments):
        accepted = parameters_of(formula)
        return formula(*inputs, **{name: value for name, value in arguments.items() if name in accepted})

    def accepted(self, inputs: tuple) -> tuple:
        """The inputs as the formula takes them; a subclass refuses those it cannot take."""
        return inputs

    def load_state(self, state) -> None:
        """Take over copies of parameters and buffers, in the dtype they come in.

        Raises:
            KeyError: for a name the layer does not have.
            ValueError: for another shape, before anything is changed.
        """
        own = self.state
        for name, value in state.items():
            if name not in own:
                raise KeyError(f"unexpected key {name!r}; there are {list(own)}")
            if np.shape(value) != np.shape(own[name]):
                raise ValueError(f"size mismatch for {name}: {np.shape(value)}, not {np.shape(own[name])}")
        for name, value in state.items():
            (self.params if name in self.params else self.buffers)[name] = np.array(value)


@functools.cache
def parameters_of(formula) -> frozenset[str]:
    """The names a formula takes, looked up once."""
    return frozenset(inspect.signature(formula).parameters)


def check_dtype(x, params) -> None:
    """Refuse an input that would change its dtype on meeting the parameters."""
    for name, param in params.items():
        if x.dtype != param.dtype:
            raise RuntimeError(f"expected input and {name} to have the same dtype, but got {x.dtype} and {param.dtype}")
