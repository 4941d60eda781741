"""Causes of layers.dropout."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.behaviour import complements_mask, ignores_mode, keeps_training_pass
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table
from lockstep.numerics.verdict import Verdict

SCENARIOS = [
    Scenario(LayerCase("training, then evaluation", layer="Dropout", masked=True, p=0.3, evaluate_from=3)),
    Scenario(LayerCase("half of the units", layer="Dropout", masked=True, p=0.5, evaluate_from=3)),
    Scenario(LayerCase("a third, which no binary number is", layer="Dropout", masked=True, p=1 / 3, shape=(61, 67))),
]

CAUSES = table(
    "layers.dropout",
    SCENARIOS,
    [
        Cause(
            id="scaled-at-evaluation",
            lines={"y": "x * r if training else x * (1 - p)"},
            backward={"dx": "dy * r if training else dy / lines.scale"},
            formula=r"y = r \odot x \text{ in training}, \quad y = (1 - p)\,x \text{ in evaluation}",
            seen="Theano, Paddle",
        ),
        Cause(
            id="scale-missing",
            lines={"y": "x * r if training else was"},
            backward={"dx": "dy * r if training else was"},
            formula=r"y = r \odot x",
        ),
        Cause(
            id="scale-twice",
            lines={"y": "x * r * scale * scale if training else was"},
            backward={"dx": "dy * r * lines.scale * lines.scale if training else was"},
            formula=r"y = s^2 \cdot r \odot x",
            seen="CSTR-Edinburgh/mlpractical#32",
        ),
        Cause(
            id="scale-one-way",
            variant="there",
            words="there",
            backward={"dx": "dy * r if training else was"},
            formula=r"\partial x = r \odot \partial y",
            first=First(1, "dx"),
        ),
        Cause(
            id="scale-one-way",
            variant="back",
            words="back",
            lines={"y": "x * r if training else was"},
            formula=r"y = r \odot x",
        ),
        Cause(
            id="scale-of-the-dropped",
            lines={"scale": "1 / p if p > 0 else 0.0"},
            formula=r"s = 1 / p",
            seen="lmjohns3/theanets#123",
        ),
        Cause(
            id="keep-for-drop",
            arguments={"p": "1 - p"},
            formula=r"s = 1 / p, \quad r_i \sim \mathrm{Bernoulli}(p)",
            seen="TensorFlow 1",
        ),
        Cause(
            id="active-in-evaluation",
            behaviour=ignores_mode,
            formula=r"y = s \cdot r \odot x \quad \text{in evaluation, too}",
            first=First(3),
        ),
        Cause(
            id="scale-divides",
            lines={"y": "x * r / (1 - p) if training else was"},
            formula=r"y = (r \odot x) / (1 - p)",
            shows="a third, which no binary number is",
            verdict=Verdict.ROUNDING,
        ),
        Cause(
            id="mask-complement",
            behaviour=complements_mask,
            formula=r"r_i = [u_i \ge p]",
            seen="Dao-AILab/flash-attention#180",
            shows="half of the units",
        ),
        Cause(
            id="backward-of-training",
            behaviour=keeps_training_pass,
            formula=r"\partial x_t \text{ of the last training pass}",
            first=First(3, "dx"),
        ),
    ],
    line="y",
)
