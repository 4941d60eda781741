"""Causes of penalty.l1."""

from lockstep.causes.cause import Cause
from lockstep.causes.penalty.penalty import AVERAGED, situations
from lockstep.causes.tables import table

SCENARIOS = situations("L1")

CAUSES = table(
    "penalty.l1",
    SCENARIOS,
    [
        *(
            Cause(
                id="l1-subgradient-at-zero",
                variant=f"sign(0) = {value}",
                backward={"dw": f"lam / m * np.where(w == 0, 0 * w {value}, np.sign(w)) * dpenalty"},
                formula=rf"\operatorname{{sign}}(0) = {value}",
                seen="jax-ml/jax#37820, pytorch/pytorch#7172",
                shows="zeros among the weights",
            )
            for value in ("+1", "-1")
        ),
        *AVERAGED,
    ],
    line="dw",
)
