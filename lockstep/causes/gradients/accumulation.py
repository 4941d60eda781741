"""Causes of gradients.accumulation."""

from lockstep.cases.gradients import Gradients
from lockstep.cases.gradients.accumulation import SHAPES
from lockstep.causes.cause import Cause, Scenario
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
            lines={"accumulated": "was if summed else grads.sum(axis=0)"},
            formula=r"a = \sum_k g_k",
            seen="`loss.backward()`",
        ),
        Cause(
            id="mean-of-unequal-batches",
            lines={"accumulated": "was if summed else grads.sum(axis=0) / len(samples)"},
            formula=r"a = \sum_k g_k / K",
            seen="`loss / accumulation_steps`",
            shows="unequal batches",
        ),
        Cause(
            id="last-batch-alone",
            lines={"accumulated": "scaled[-1] / (1 if summed else samples.sum())"},
            formula=r"a = m_K\,g_K / \textstyle\sum_j m_j",
            seen="`optimizer.zero_grad(); loss.backward()`",
        ),
        Cause(
            id="batch-averaged-twice",
            lines={"scaled": "grads"},
            formula=r"a = \sum_k g_k / \sum_j m_j",
            seen="`loss.mean() / batch_size`",
            shows="unequal batches",
        ),
        Cause(
            id="mean-for-sum",
            lines={"accumulated": "scaled.sum(axis=0) / samples.sum()"},
            formula=r"a = \sum_k m_k\,g_k / \sum_j m_j \quad \text{of a sum, too}",
            shows="unequal batches, summed",
        ),
    ],
    line="accumulated",
)
