"""Causes of layers.activation."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

SCENARIOS = [
    *(Scenario(LayerCase(layer, layer=layer)) for layer in ("ReLU", "Sigmoid", "Tanh")),
    *(
        Scenario(
            LayerCase(f"{layer}, zeros among them", layer=layer, kind="zeros among them"), "zeros among the inputs"
        )
        for layer in ("ReLU", "Sigmoid", "Tanh")
    ),
    *(
        Scenario(LayerCase(f"{layer}, many sizes", layer=layer, kind="many sizes"), "inputs of many sizes")
        for layer in ("ReLU", "Sigmoid", "Tanh")
    ),
    *(
        Scenario(LayerCase(f"{layer}, extreme", layer=layer, kind="extreme logits"), "extreme inputs")
        for layer in ("ReLU", "Sigmoid", "Tanh")
    ),
]

CAUSES = table(
    "layers.activation",
    SCENARIOS,
    [
        Cause(
            id="slope-at-zero",
            layer="ReLU",
            backward={"dx": "np.where(x >= 0, dy, 0)"},
            formula=r"\partial x = \partial y \cdot [x \ge 0]",
            seen="eriklindernoren/ML-From-Scratch, uptake/numpynet#35, pytorch/tutorials#269",
            shows="ReLU, zeros among them",
        ),
        Cause(
            id="gradient-let-through",
            layer="ReLU",
            backward={"dx": "dy"},
            formula=r"\partial x = \partial y",
            seen="chainer/chainer#5898",
        ),
        Cause(
            id="gradient-from-above-missing",
            layer="ReLU",
            backward={"dx": "np.where(x > 0, 1 + 0 * dy, 0)"},
            formula=r"\partial x = [x > 0]",
            seen="haifengl/smile#528",
        ),
        Cause(
            id="relu-leaks",
            layer="ReLU",
            lines={"y": "np.where(x > 0, x, leak * x)"},
            backward={"dx": "np.where(x > 0, dy, leak * dy)"},
            free={"leak": 0.01},
            formula=r"y = \max(x, 0) + c \min(x, 0)",
            first=First(1, "y"),
        ),
        Cause(
            id="tail-cancelled",
            layer="Sigmoid",
            lines={"y": "0.5 * (1 + np.tanh(0.5 * x))"},
            formula=r"y = \tfrac12 (1 + \tanh \tfrac x2)",
            shows="Sigmoid, extreme",
            first=First(1, "y"),
        ),
        Cause(
            id="exponential-overflows",
            variant="Sigmoid",
            layer="Sigmoid",
            lines={"y": "1 / (1 + np.exp(-x))"},
            backward={"dx": "dy * (lines.y * lines.y) * np.exp(-x)"},
            formula=r"\partial x = \partial y \cdot y^2\, e^{-x}",
            seen="1 / (1 + torch.exp(-x)), differentiated",
            shows="Sigmoid, extreme",
        ),
        Cause(
            id="exponential-overflows",
            variant="Tanh",
            layer="Tanh",
            lines={"y": "(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))"},
            formula=r"y = (e^x - e^{-x}) / (e^x + e^{-x})",
            shows="Tanh, extreme",
            first=First(1, "y"),
        ),
        *(
            Cause(
                id="slope-of-the-input",
                variant=layer,
                layer=layer,
                backward={"slope": text},
                formula=formula,
                seen="BoltzmannEntropy/interviews.ai#4, dwhitena/gophernet#6",
                shows=layer,
            )
            for layer, text, formula in (
                ("Sigmoid", "x * (1 - x)", r"s = x\,(1 - x)"),
                ("Tanh", "1 - x * x", r"s = 1 - x^2"),
            )
        ),
    ],
    line="dx",
)
