"""Causes of gradients.grad_scaler."""

from lockstep.cases.gradients import Gradients
from lockstep.cases.gradients.grad_scaler import CASES, SMALL
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

GROWS, OVERFLOWS = "the scale grows", "a gradient that is not finite"

SCENARIOS = [
    Scenario(Gradients(GROWS, shapes=SMALL, growth_interval=2, steps=6)),
    Scenario(next(case for case in CASES if case.desc == OVERFLOWS)),
]

CAUSES = table(
    "gradients.grad_scaler",
    SCENARIOS,
    [
        Cause(
            id="never-unscaled",
            lines={"unscaled": "scaled"},
            formula=r"g' = S\,g",
            seen="`scaler.unscale_`",
        ),
        Cause(
            id="scale-never-grows",
            lines={"grown": "scale"},
            formula=r"S'' = S",
            first=First(2, "scale"),
        ),
        Cause(
            id="scale-never-backs-off",
            lines={"scale": "grown"},
            formula=r"S' = S''",
            seen="`scaler.update()`",
            shows=OVERFLOWS,
            first=First(4, "scale"),
        ),
        Cause(
            id="overflow-not-noticed",
            lines={"found_inf": "0.0"},
            formula=r"f = 0",
            shows=OVERFLOWS,
            first=First(4, "found_inf"),
        ),
        Cause(
            id="overflow-counts-as-a-step",
            lines={"growth_tracker": "in_a_row % growth_interval"},
            formula=r"i' = j \bmod I",
            shows=OVERFLOWS,
            first=First(4, "growth_tracker"),
        ),
    ],
    line="unscaled",
)
