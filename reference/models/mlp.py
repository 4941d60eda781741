"""A multi-layer network: the notebook's, generalised to any widths, with dropout and BatchNorm between layers."""

from typing import Any, NamedTuple

import numpy as np

from reference.layers.activation import ReLU, Sigmoid, Tanh
from reference.layers.batchnorm import BatchNorm
from reference.layers.dropout import Dropout
from reference.layers.layer import Layer
from reference.layers.linear import Linear
from reference.layers.loss import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss
from reference.penalty.l1 import L1
from reference.penalty.l2 import L2

EQUATIONS = {
    "linear": r"Z_k = A_{k-1} W_k^\top + b_k",
    "batchnorm": r"N_k = \mathrm{BatchNorm}(Z_k)",
    "activation": r"A_k = \max(N_k, 0)",
    "dropout": r"A'_k = s \cdot R_k \odot A_k",
    "output": r"Z_K = A'_{K-1} W_K^\top + b_K",
    "loss": r"L = \mathrm{loss}(Z_K, t) + R_1(W) + R_2(W)",
    "grad": r"\partial \theta = \partial L / \partial \theta",
    "running_mean": r"\bar\mu_t = (1 - \alpha)\,\bar\mu_{t-1} + \alpha\,\mu",
    "running_var": r"\bar\sigma^2_t = (1 - \alpha)\,\bar\sigma^2_{t-1} + \alpha\,\tfrac{m}{m-1}\,\sigma^2",
}

ACTIVATIONS = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
LOSSES = {"cross entropy": CrossEntropyLoss, "logits": BCEWithLogitsLoss, "probabilities": BCELoss}


class Pass(NamedTuple):
    """One pass there and back: what it makes, under the names the parameters and buffers have."""

    output: Any
    loss: Any
    grads: dict[str, Any]
    buffers: dict[str, Any]


class MLP:
    """Linear layers with an activation between them, and BatchNorm before it and dropout after it where asked for.

    The formula is `EQUATIONS`; each layer's own is in reference/layers.

    Arguments:
        widths: of the input, of every hidden layer, of the output: (64, 128, 10).
        activation: "relu", "sigmoid" or "tanh", after every hidden layer.
        batchnorm: whether every hidden layer is normalised before its activation.
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
        for k, (inputs, outputs) in enumerate(zip(widths[:-1], widths[1:], strict=True), start=1):
            self.layers[f"linear{k}"] = Linear(inputs, outputs, dtype=dtype, generator=generator)
            if k < len(widths) - 1:
                if batchnorm:
                    self.layers[f"batchnorm{k}"] = BatchNorm(outputs, dtype=dtype)
                self.layers[f"{activation}{k}"] = ACTIVATIONS[activation]()
                if dropout:
                    self.layers[f"dropout{k}"] = Dropout(dropout)
        if loss == "probabilities":
            self.layers["sigmoid"] = Sigmoid()
        self.loss = LOSSES[loss]()
        self.l1, self.l2, self.dtype, self.widths = l1, l2, np.dtype(dtype), tuple(widths)
        self.training = True
        self.params = {f"{name}.{key}": array for name, layer in self.layers.items() for key, array in layer.params.items()}
        self.buffers = {f"{name}.{key}": array for name, layer in self.layers.items() for key, array in layer.buffers.items()}

    def masks(self, generator, n: int) -> dict[str, Any]:
        """A mask a dropout layer for `n` samples, drawn in the order of the layers."""
        masks, width = {}, self.widths[0]
        for name, layer in self.layers.items():
            width = layer.params["weight"].shape[0] if isinstance(layer, Linear) else width
            if isinstance(layer, Dropout):
                masks[name] = generator.bernoulli(1 - layer.p, (n, width)).astype(self.dtype)
        return masks

    def predict(self, x):
        """The output in evaluation: no unit dropped, running statistics."""
        for name, layer in self.layers.items():
            lines = layer.run(layer.formula.forward, (x,), layer.arguments(*self.own(name), training=False))
            x = getattr(lines, layer.OUTPUT)
        return x

    def loss_and_grads(self, x, t, masks=None) -> Pass:
        """One pass in training; the running statistics are brought up to date.

        Arguments:
            x: (n, widths[0]). t: classes (n,), or (n, widths[-1]) for the binary losses.
            masks: dropout layer to mask, from `masks`.

        Raises:
            ValueError: where dropout lacks a mask.
        """
        missing = [name for name, layer in self.layers.items() if isinstance(layer, Dropout) and name not in (masks or {})]
        if missing:
            raise ValueError(f"no mask for {', '.join(missing)}: draw them with masks(generator, n)")
        result = self.evaluate(x, t, masks)
        for name, value in result.buffers.items():
            self.buffers[name][...] = value
        return result

    def evaluate(self, x, t, masks=None, params=None, buffers=None, order="paper", ops=None) -> Pass:
        """The same pass with nothing updated, in numbers of any type.

        `params` and `buffers` stand in for its own. `order` names the order of every layer, or tells it of
        each; `ops` is the arithmetic of PyTorch's order.
        """
        chosen = order if callable(order) else lambda layer: order
        params, buffers = params or self.params, buffers or self.buffers
        extra = {} if ops is None else {"ops": ops}
        calls, outputs, new_buffers = [], x, {}
        for name, layer in self.layers.items():
            inputs = (outputs, (masks or {})[name]) if isinstance(layer, Dropout) else (outputs,)
            arguments = layer.arguments(*self.own(name, params, buffers), training=True, **extra)
            lines = layer.run(layer.ORDERS[chosen(layer)].forward, inputs, arguments)
            calls.append((name, layer, inputs, lines, arguments))
            outputs = getattr(lines, layer.OUTPUT)
            new_buffers |= {f"{name}.{key}": getattr(lines, line) for key, line in layer.BUFFERS.items() if key in layer.buffers}
        loss, slope = self.loss_and_slope(outputs, t, chosen(self.loss), extra)
        grads = {}
        for name, layer, inputs, lines, arguments in reversed(calls):
            back = layer.run(layer.ORDERS[chosen(layer)].backward, (slope, lines, *inputs), arguments)
            grads |= {f"{name}.{key}": getattr(back, line) for key, line in layer.GRADS.items() if key in layer.params}
            slope = getattr(back, layer.GRAD_INPUT)
        for penalty in self.penalties(x.shape[0]):
            for name in self.weights():
                term, grad = self.penalised(penalty, params[name], chosen(penalty), extra)
                loss, grads[name] = loss + term, grads[name] + grad
        return Pass(outputs, loss, {name: grads[name] for name in params}, new_buffers)

    def loss_and_slope(self, outputs, t, order, extra):
        arguments = self.loss.arguments(**extra)
        lines = self.loss.run(self.loss.ORDERS[order].forward, (outputs, t), arguments)
        one = self.dtype.type(1)
        back = self.loss.run(self.loss.ORDERS[order].backward, (one, lines, outputs, t), arguments)
        return lines.loss, getattr(back, self.loss.GRAD_INPUT)

    def penalties(self, m):
        """The penalties in force on a batch of `m` samples."""
        return [kind(lam, m) for kind, lam in ((L1, self.l1), (L2, self.l2)) if lam]

    def penalised(self, penalty, weight, order, extra):
        arguments = penalty.arguments(**extra)
        lines = penalty.run(penalty.ORDERS[order].forward, (weight,), arguments)
        back = penalty.run(penalty.ORDERS[order].backward, (self.dtype.type(1), lines, weight), arguments)
        return lines.penalty, getattr(back, penalty.GRAD_INPUT)

    def weights(self):
        """The parameters that are penalised."""
        return [f"{name}.weight" for name, layer in self.layers.items() if isinstance(layer, Linear)]

    def own(self, name, params=None, buffers=None):
        """The parameters and the buffers of one layer, without its name."""
        return tuple(
            {key.removeprefix(f"{name}."): value for key, value in (mine if given is None else given).items() if key.startswith(f"{name}.")}
            for mine, given in ((self.params, params), (self.buffers, buffers))
        )
