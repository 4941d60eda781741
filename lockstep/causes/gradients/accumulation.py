"""Causes of gradients.accumulation."""

from lockstep.cases.gradients import Gradients
from lockstep.cases.gradients.accumulation import SHAPES
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Gradients("several batches a step", shapes=SHAPES)),
    Scenario(Gradients("unequal batches", shapes=SHAPES, samples=(4, 4, 1))),
    Scenario(Gradients("unequal batches, summed", shapes=SHAPES, samples=(4, 4, 1), reduction="sum")),
]

CAUSES = table(
    "gradients.accumulation",
    SCENARIOS,
    [
        Cause(
            id="accumulated-sum",
            lines={"scaled": "was if summed else grads", "total": "1"},
            formula=r"a = \sum_k g_k",
            seen="`loss.backward()`",
            shows="several batches a step",
            first=First(1, "accumulated"),
        ),
        Cause(
            id="mean-of-unequal-batches",
            lines={"scaled": "was if summed else grads", "total": "was if summed else len(samples)"},
            formula=r"a = \sum_k g_k / K",
            seen="`loss / accumulation_steps`",
            shows="unequal batches",
            first=First(1, "accumulated"),
        ),
        Cause(
            id="last-batch-alone",
            lines={"accumulated": "scaled[-1] / total"},
            formula=r"a = m_K\,g_K / m",
            seen="`optimizer.zero_grad(); loss.backward()`",
            shows="several batches a step",
            first=First(1, "accumulated"),
        ),
        Cause(
            id="batch-averaged-twice",
            lines={"scaled": "grads"},
            formula=r"a = \sum_k g_k / m",
            seen="`loss.mean() / batch_size`",
            shows="unequal batches",
            first=First(1, "accumulated"),
        ),
        Cause(
            id="mean-for-sum",
            lines={"total": "samples.sum()"},
            formula=r"m = \textstyle\sum_k m_k \quad \text{of a sum, too}",
            shows="unequal batches, summed",
            first=First(1, "accumulated"),
        ),
    ],
)
