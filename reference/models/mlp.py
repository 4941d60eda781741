"""A multi-layer network: the notebook's, generalised to any widths, with dropout and BatchNorm between layers."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.activation import ReLU, Sigmoid, Tanh
from reference.layers.batchnorm import BatchNorm
from reference.layers.dropout import Dropout
from reference.layers.layer import Layer
from reference.layers.linear import Linear
from reference.layers.loss import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss
from reference.penalty.l1 import L1
from reference.penalty.l2 import L2

EQUATIONS = {
    "output": r"A_k = \mathrm{layer}_k(A_{k-1}), \quad \text{Linear, BatchNorm, ReLU, Dropout, \dots, Linear}",
    "loss": r"L = \mathrm{loss}(A_K, t) + R_1(W) + R_2(W)",
    "slope": r"\partial A_{k-1} = \mathrm{layer}_k'(A_{k-1})^\top\, \partial A_k",
    "grad": r"\partial W_k = \partial L / \partial W_k",
}

ACTIVATIONS = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
LOSSES = {"cross entropy": CrossEntropyLoss, "logits": BCEWithLogitsLoss, "probabilities": BCELoss}


class Pass(NamedTuple):
    """What one pass there and back makes, under the names of layers, parameters and buffers.

    `output` and `slope` hold each layer's output and the gradient by it.
    """

    output: dict[str, Any]
    loss: Any
    slope: dict[str, Any]
    grad: dict[str, Any]
    buffers: dict[str, Any]


class MLP:
    """Linear layers with an activation between them, and BatchNorm before it and dropout after it where asked for.

    The formula is `EQUATIONS`; each layer's own is in reference/layers.

    Arguments:
        widths: of the input, of every hidden layer, of the output: (64, 128, 10).
        activation: "relu", "sigmoid" or "tanh", after every hidden layer.
        batchnorm: whether every hidden layer is normalised before its activation.
        bias: whether a layer before BatchNorm has a bias. Its gradient is exactly 0, because BatchNorm
            takes the mean away: what either side computes for it is rounding and nothing else.
        dropout: the probability of a hidden unit to be dropped; 0 leaves the layer out.
        loss: "cross entropy" (logits, integer classes), "logits" (binary, on logits) or "probabilities"
            (binary, on a sigmoid output, clipped as the notebook does).
        l1, l2: λ of a penalty on all weights (not on biases, not on BatchNorm's), by the number of
            samples in the batch: λ/m·Σ|w| and λ/2m·Σw², as in the notebook.
        dtype: float32 or float64.
        generator: draws the first parameters, in the order of the layers.

    Attributes:
        params, buffers: "linear1.weight", "batchnorm1.running_mean", … to array.
        layers: name to layer, in order.

    PyTorch's counterpart is built of torch.nn's modules; its gradients come from autograd.

    Raises:
        ValueError: for fewer than two widths, or a name that is not in the lists above.

    Source: the notebook, sections 2.1 to 3; torch.nn 2.13 for the order Linear, BatchNorm, ReLU, Dropout.
    """

    def __init__(
        self,
        widths,
        *,
        activation="relu",
        batchnorm=False,
        bias=True,
        dropout=0.0,
        loss="cross entropy",
        l1=0.0,
        l2=0.0,
        dtype=np.float32,
        generator=None,
    ):
        if len(widths) < 2:
            raise ValueError(f"widths must name an input and an output, not {widths}")
        for value, known, what in ((activation, ACTIVATIONS, "activation"), (loss, LOSSES, "loss")):
            if value not in known:
                raise ValueError(f"{what} must be one of {', '.join(known)}, not {value!r}")
        self.layers: dict[str, Layer] = {}
        for k, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            hidden = k < len(widths) - 1
            biased = bias or not (hidden and batchnorm)
            self.layers[f"linear{k}"] = Linear(inputs, outputs, biased, dtype=dtype, generator=generator)
            if hidden and batchnorm:
                self.layers[f"batchnorm{k}"] = BatchNorm(outputs, dtype=dtype)
            if hidden:
                self.layers[f"{activation}{k}"] = ACTIVATIONS[activation]()
            if hidden and dropout:
                self.layers[f"dropout{k}"] = Dropout(dropout)
        if loss == "probabilities":
            self.layers["sigmoid"] = Sigmoid()
        self.loss = LOSSES[loss]()
        self.l1, self.l2, self.dtype, self.widths = l1, l2, np.dtype(dtype), tuple(widths)
        owned = [(name, layer) for name, layer in self.layers.items()]
        self.params = {f"{name}.{key}": array for name, layer in owned for key, array in layer.params.items()}
        self.buffers = {f"{name}.{key}": array for name, layer in owned for key, array in layer.buffers.items()}

    def masks(self, generator, n: int) -> dict[str, Any]:
        """A mask a dropout layer for `n` samples, drawn in the order of the layers."""
        masks, width = {}, self.widths[0]
        for name, layer in self.layers.items():
            width = layer.params["weight"].shape[0] if isinstance(layer, Linear) else width
            if isinstance(layer, Dropout):
                masks[name] = generator.dropout_mask(layer.p, (n, width), self.dtype)
        return masks

    def predict(self, x):
        """The output in evaluation: no unit dropped, running statistics."""
        for name, layer in self.layers.items():
            if isinstance(layer, Linear):
                layer.accepted((x,))
            forward, _ = layer.evaluate((x,), None, *self.own(name, self.params, self.buffers), training=False)
            x = getattr(forward, layer.OUTPUT)
        return x

    def loss_and_grads(self, x, t, masks=None) -> Pass:
        """One pass in training; the running statistics are brought up to date.

        Arguments:
            x: (n, widths[0]). t: classes (n,), or (n, widths[-1]) for the binary losses.
            masks: dropout layer to mask, from `masks`.

        Raises:
            ValueError: where dropout lacks a mask; and what the layers and the loss themselves raise for inputs
                that they cannot take. All of them before anything is changed.
        """
        masks = masks or {}
        missing = [name for name, layer in self.layers.items() if isinstance(layer, Dropout) and name not in masks]
        if missing:
            raise ValueError(f"no mask for {', '.join(missing)}: draw them with masks(generator, n)")
        output, slope, grad, buffers = {}, {}, {}, {}
        inputs, passed = {}, {}
        for name, layer in self.layers.items():
            inputs[name] = x
            layer.accepted(self.inputs(name, x, masks))
            output[name], updated = self.forward_one(name, x, masks, passed=passed)
            x = output[name]
            buffers |= updated
        self.loss.accepted((x, t))
        loss, slope_in = self.loss_one(x, t)
        for name in reversed(self.layers):
            slope[name] = slope_in
            slope_in, grads = self.backward_one(name, inputs[name], slope_in, masks, passed=passed)
            grad |= grads
        for name, value in buffers.items():
            self.buffers[name][...] = value
        return Pass(output, loss, slope, {name: grad[name] for name in self.params}, buffers)

    def forward_one(self, name, x, masks, params=None, buffers=None, *, order="paper", ops=PLAIN, passed=None):
        """One layer's output and the buffers it leaves; nothing is updated.

        `params` and `buffers`, by their full names, stand in for its own; numbers of any type. `passed`, a dict, takes
        up the layer's lines, for `backward_one` of the same pass.
        """
        layer = self.layers[name]
        own = self.own(name, params or self.params, buffers or self.buffers)
        inputs = self.inputs(name, x, masks)
        forward, _ = layer.evaluate(inputs, None, *own, training=True, formula=layer.ORDERS[order], ops=ops)
        if passed is not None:
            passed[name] = forward
        updated = {key: getattr(forward, line) for key, line in layer.BUFFERS.items() if key in layer.buffers}
        return getattr(forward, layer.OUTPUT), {f"{name}.{key}": value for key, value in updated.items()}

    def loss_one(self, output, t, params=None, *, order="paper", ops=PLAIN):
        """The loss with its penalties, and its slope by the output."""
        params = params or self.params
        one, formula = self.dtype.type(1), self.loss.ORDERS[order]
        forward, backward = self.loss.evaluate((output, t), one, formula=formula, ops=ops)
        terms = [
            penalty.evaluate((params[name],), None, formula=penalty.ORDERS[order], ops=ops)[0].penalty
            for penalty in self.penalties(output.shape[0])
            for name in self.weights()
        ]
        loss = forward.loss + sum(terms[1:], start=terms[0]) if terms else forward.loss
        return loss, getattr(backward, self.loss.GRAD_INPUT)

    def backward_one(self, name, x, slope, masks, params=None, buffers=None, *, order="paper", ops=PLAIN, passed=None):
        """The slope by one layer's input, and the gradients by its parameters, penalties included.

        `passed` has the lines of the way there, where `forward_one` has been asked of the same numbers.
        """
        params = params or self.params
        layer = self.layers[name]
        own = self.own(name, params, buffers or self.buffers)
        inputs = self.inputs(name, x, masks)
        forward, formula = (passed or {}).get(name), layer.ORDERS[order]
        _, backward = layer.evaluate(inputs, slope, *own, training=True, formula=formula, forward=forward, ops=ops)
        grads = {f"{name}.{key}": getattr(backward, line) for key, line in layer.GRADS.items() if key in layer.params}
        penalties = self.penalties(x.shape[0])
        for key in grads.keys() & set(self.weights()) if penalties else ():
            terms = [
                getattr(
                    penalty.evaluate((params[key],), self.dtype.type(1), formula=penalty.ORDERS[order], ops=ops)[1],
                    penalty.GRAD_INPUT,
                )
                for penalty in reversed(penalties)  # autograd goes back, so the last comes first
            ]
            grads[key] = sum(terms[1:], start=terms[0]) + grads[key]
        return getattr(backward, layer.GRAD_INPUT), grads

    def inputs(self, name, x, masks) -> tuple:
        return (x, masks[name]) if isinstance(self.layers[name], Dropout) else (x,)

    def penalties(self, m):
        """The penalties in force on a batch of `m` samples."""
        return [kind(lam, m) for kind, lam in ((L1, self.l1), (L2, self.l2)) if lam]

    def weights(self):
        """The parameters that are penalised."""
        return [f"{name}.weight" for name, layer in self.layers.items() if isinstance(layer, Linear)]

    def own(self, name, params, buffers):
        """The parameters and the buffers of one layer, without its name."""
        layer = self.layers[name]
        return tuple(
            {key: named[full] for key in held if (full := f"{name}.{key}") in named}
            for held, named in ((layer.params, params), (layer.buffers, buffers))
        )
