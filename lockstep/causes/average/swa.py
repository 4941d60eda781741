"""Causes of average.swa."""

from lockstep.causes.average.averaged import AVERAGED_TOO, LEFT_OUT, SCENARIOS
from lockstep.causes.cause import Cause, First
from lockstep.causes.tables import table

CAUSES = table(
    "average.swa",
    SCENARIOS,
    [
        Cause(
            id="average-counts-the-start",
            lines={"averaged": "np.where(copied, param, averaged + (param - averaged) / (n_averaged + 2))"},
            formula=r"\bar w' = \bar w + \frac{w - \bar w}{n + 2}",
        ),
        Cause(
            id="average-of-the-last-two",
            lines={"moved": "(averaged + param) / 2"},
            formula=r"u = \tfrac12(\bar w + w)",
            first=First(3),
        ),
        LEFT_OUT,
        AVERAGED_TOO,
    ],
    line="averaged",
)
