"""Causes of loop.training: those of each piece whose very lines the loop has, and what is wrong between the pieces."""

import ast
import dataclasses
import functools

from lockstep.cases.loop.training import PIECES
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.source import assignments, parsed
from lockstep.causes.tables import causes, table
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject

SCENARIOS = [Scenario(case) for case in PIECES]

SEEN = {"clipped": "momentum_buffer"}  # a line that is not compared, to the first one after it that is


@functools.cache
def code(subject: Subject) -> dict[str, str]:
    """Line to its right-hand side, of the paper's order; nothing for one that has two ways."""
    formula = getattr(subject.ours(subject.cases.CASES[0]), "ORDERS", {}).get("paper")
    if not callable(formula):
        return {}
    return {name: ast.unparse(where_taken(line.value)) for name, line in assignments(parsed(formula)).items()}


def where_taken(value: ast.expr) -> ast.expr:
    """What a line is where its piece is there: of `… if clips else grad` the first."""
    return value.body if isinstance(value, ast.IfExp) and isinstance(value.test, ast.Name) else value


def pieces() -> list[Subject]:
    """The subjects whose every line is a line of the loop, word by word."""
    loop = find("loop.training")
    known = [find("gradients.clip_grad_norm"), find("lr_scheduler.step_lr"), find("average.ema")]
    return [piece for piece in known if code(piece).items() <= code(loop).items()]


def within(cause: Cause) -> Cause:
    """A piece's cause as one of the loop: where it shows first is said in the loop's steps."""
    step, line = cause.first
    if line == "lr":
        step = find("loop.training").ours()(0.1).hyperparameters["per_epoch"] * (step - 1) + 1
    return dataclasses.replace(cause, first=First(step, SEEN.get(line, line)), dtypes=("float64", "float32"))


KNOWN = {scenario.name for scenario in SCENARIOS}

CAUSES = table(
    "loop.training",
    SCENARIOS,
    [
        *(within(cause) for piece in pieces() for cause in causes(piece) if cause.shows in KNOWN),
        Cause(
            id="accumulated-sum",
            lines={"shares": "samples / samples"},
            formula=r"s_k = 1",
            seen="`loss.backward()`",
            shows="several batches a step",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="mean-of-unequal-batches",
            lines={"shares": "samples / samples / len(samples)"},
            formula=r"s_k = 1 / K",
            seen="`loss / accumulation_steps`",
            shows="unequal batches",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="batch-averaged-twice",
            lines={"shares": "was / samples"},
            formula=r"s_k = \tfrac{1}{\sum_j m_j}",
            seen="`loss.mean() / batch_size`",
            shows="a plain loop",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="last-batch-alone",
            lines={"accumulated": "scaled[-1]"},
            formula=r"a = S g_K",
            seen="`optimizer.zero_grad(); loss.backward()`",
            shows="several batches a step",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="clipped-before-unscaling",
            lines={"total_norm": "norm(accumulated, norm_type)"},
            formula=r"n = \lVert a \rVert_p",
            seen="`clip_grad_norm_`, `scaler.unscale_`",
            shows="a scaled loss",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="never-unscaled",
            lines={"grad": "accumulated"},
            formula=r"g = a",
            shows="a scaled loss, nothing clipped",
            first=First(1, "total_norm"),
        ),
        Cause(
            id="schedule-by-step",
            lines={"last_epoch": "n_averaged"},
            formula=r"t = i",
            seen="`scheduler.step()`",
            shows="several decays",
            first=First(5, "lr"),
        ),
    ],
)
