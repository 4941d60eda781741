"""Causes of penalty.l2."""

from lockstep.causes.cause import Cause
from lockstep.causes.penalty.penalty import AVERAGED, situations
from lockstep.causes.tables import table

SCENARIOS = situations("L2")

CAUSES = table(
    "penalty.l2",
    SCENARIOS,
    [
        Cause(
            id="l2-twice",
            lines={"penalty": "lam / m * total"},
            backward={"dw": "2 * lam / m * w * dpenalty"},
            formula=r"R = \frac{\lambda}{m}\,S, \quad \partial w_i = \frac{2\lambda}{m}\,w_i\,\partial R",
            seen="Keras l2",
        ),
        *AVERAGED,
    ],
    line="penalty",
)
