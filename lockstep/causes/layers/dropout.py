"""Causes of layers.dropout."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.behaviour import complements_mask, ignores_mode, keeps_training_pass
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table
from lockstep.verdict import Verdict

SCENARIOS = [
    Scenario(
        LayerCase("training, then evaluation", layer="Dropout", masked=True, p=0.3, evaluate_from=3),
        "the two modes differ; a p that is not ½ tells keeping from dropping",
    ),
    Scenario(
        LayerCase("half of the units", layer="Dropout", masked=True, p=0.5, evaluate_from=3),
        "at ½ the scale is the same either way, so that only the mask can differ",
    ),
    Scenario(
        LayerCase("a third, which no binary number is", layer="Dropout", masked=True, p=1 / 3, shape=(61, 67)),
        "a scale that rounds",
    ),
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
            seen="Theano, Paddle's downscale_in_infer",
            first_shows="at step 1, in training and in evaluation",
            fix="scale by 1/(1-p) in training, and not at all in evaluation",
            note="the same network up to the scale of its weights; not the same training",
            shows="training, then evaluation",
            first=First(1, "y"),
        ),
        Cause(
            id="keep-for-drop",
            arguments={"p": "1 - p"},
            formula=r"s = 1 / p, \quad r_i \sim \mathrm{Bernoulli}(p)",
            seen="TensorFlow 1's keep_prob",
            first_shows="at step 1, unless p is ½",
            fix="p is the probability to drop",
            note="their keep_prob is 1-p",
            shows="training, then evaluation",
            first=First(1, "y"),
        ),
        Cause(
            id="active-in-evaluation",
            behaviour=ignores_mode,
            formula=r"y = s \cdot r \odot x \quad \text{in evaluation, too}",
            first_shows="in evaluation",
            fix="drop nothing and scale nothing in evaluation",
            shows="training, then evaluation",
            first=First(3, "y"),
        ),
        Cause(
            id="scale-divides",
            lines={"y": "x * r / (1 - p) if training else was"},
            formula=r"y = (r \odot x) / (1 - p)",
            first_shows="an ulp in up to 22 % of float32 values: rounding",
            fix="nothing is wrong: to agree to the bit, multiply by the scale, rounded once",
            shows="a third, which no binary number is",
            first=First(1, "y"),
            verdict=Verdict.ROUNDING,
        ),
        Cause(
            id="mask-complement",
            behaviour=complements_mask,
            formula=r"r_i = [u_i \ge p]",
            seen="Dao-AILab/flash-attention#180",
            first_shows="at step 1",
            fix="keep a unit where u < 1-p, as the stream is drawn for",
            shows="half of the units",
            first=First(1, "y"),
        ),
        Cause(
            id="backward-of-training",
            behaviour=keeps_training_pass,
            formula=r"\partial x_t \text{ of the last training pass}",
            seen="from-scratch layers whose evaluation returns early",
            first_shows="in evaluation, on the way back",
            fix="in evaluation pass the gradient on as it is: there is no mask",
            note="the same in training, and in evaluation there: it matters where a frozen layer is differentiated",
            shows="training, then evaluation",
            first=First(3, "dx"),
        ),
    ],
)
