"""Causes of gradients.clip_grad_value."""

from lockstep.cases.gradients import Gradients
from lockstep.causes.cause import Cause, Scenario
from lockstep.causes.tables import table

SCENARIOS = [Scenario(Gradients("gradients that are too large", clip_value=0.5))]

CAUSES = table(
    "gradients.clip_grad_value",
    SCENARIOS,
    [
        Cause(
            id="clipped-from-above-alone",
            lines={"raised": "grad"},
            formula=r"g' = \min(g, c)",
        ),
        Cause(
            id="norm-for-value",
            lines={"clipped": "np.minimum(clip_value / ((grad ** 2).sum() ** 0.5 + 1e-6), 1) * grad"},
            formula=r"g' = \min\bigl(\tfrac{c}{\lVert g \rVert + 10^{-6}}, 1\bigr)\,g",
        ),
        Cause(
            id="too-large-is-dropped",
            lines={"clipped": "np.where(abs(grad) > clip_value, 0 * grad, grad)"},
            formula=r"g' = [\,|g| \le c\,]\,g",
        ),
    ],
    line="clipped",
)
