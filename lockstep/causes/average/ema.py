"""Causes of average.ema."""

from lockstep.causes.average.averaged import AVERAGED_TOO, LEFT_OUT, SCENARIOS
from lockstep.causes.cause import Cause, First
from lockstep.causes.tables import table

CAUSES = table(
    "average.ema",
    SCENARIOS,
    [
        Cause(
            id="average-starts-from-zero",
            lines={"averaged": "np.where(copied, param, (1 - decay) * param if n_averaged == 0 else moved)"},
            formula=r"\bar w_0 = 0",
        ),
        Cause(
            id="average-starts-before",
            lines={"averaged": "np.where(copied, param, moved)"},
            formula=r"\bar w_0 = w_0",
            seen="`copy.deepcopy(model)`",
        ),
        Cause(
            id="average-warmed-up",
            arguments={"decay": "decay if n_averaged == 0 else min(decay, (1 + n_averaged) / (10 + n_averaged))"},
            formula=r"\beta_n = \min\bigl(\beta, \tfrac{1 + n}{10 + n}\bigr)",
            seen="TensorFlow's ExponentialMovingAverage with num_updates",
            first=First(2),
        ),
        Cause(
            id="average-warmed-up",
            variant="counted from 1",
            arguments={"decay": "min(decay, (2 + n_averaged) / (11 + n_averaged))"},
            formula=r"\beta_n = \min\bigl(\beta, \tfrac{2 + n}{11 + n}\bigr)",
            seen="fadel/pytorch_ema",
            first=First(2),
        ),
        Cause(
            id="decay-for-its-complement",
            lines={"moved": "(1 - decay) * averaged + decay * param"},
            formula=r"u = (1 - \beta)\,\bar w + \beta\,w",
            first=First(2),
        ),
        LEFT_OUT,
        AVERAGED_TOO,
        Cause(
            id="decay-value",
            variant="0.99",
            arguments={"decay": "decay"},
            free={"decay": 0.99},
            formula=r"\beta = 0.99",
            first=First(2),
        ),
    ],
    line="averaged",
)
