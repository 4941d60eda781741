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

DECAYING = "with momentum, several decays"

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
    lines = {name: where_there(name, text) for name, text in cause.lines.items()}
    first = First(step, SEEN.get(line, line))
    return dataclasses.replace(cause, lines=lines, first=first, dtypes=("float64", "float32"))


def where_there(name: str, text: str) -> str:
    """What stands for a line of a piece, where the piece is there."""
    formula = find("loop.training").ours().ORDERS["paper"]
    value = assignments(parsed(formula))[name].value
    whole = where_taken(value) is value
    return text if whole or not isinstance(value, ast.IfExp) else f"{text} if {ast.unparse(value.test)} else was"


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
        ),
        Cause(
            id="mean-of-unequal-batches",
            lines={"shares": "samples / samples / len(samples)"},
            formula=r"s_k = 1 / K",
            seen="`loss / accumulation_steps`",
            shows="unequal batches",
        ),
        Cause(
            id="batch-averaged-twice",
            lines={"shares": "was / samples"},
            formula=r"s_k = \tfrac{1}{\sum_j m_j}",
            seen="`loss.mean() / batch_size`",
        ),
        Cause(
            id="last-batch-alone",
            lines={"accumulated": "scaled[-1]"},
            formula=r"a = S g_K",
            seen="`optimizer.zero_grad(); loss.backward()`",
            shows="several batches a step",
        ),
        Cause(
            id="clipped-before-unscaling",
            lines={"total_norm": "norm(accumulated, norm_type)"},
            formula=r"n = \lVert a \rVert_p",
            seen="`clip_grad_norm_`, `scaler.unscale_`",
            shows="a scaled loss",
        ),
        Cause(
            id="never-unscaled",
            lines={"grad": "accumulated"},
            formula=r"g = a",
            shows="a scaled loss, nothing clipped",
        ),
        Cause(
            id="schedule-by-step",
            lines={"last_epoch": "n_averaged"},
            formula=r"t = i",
            seen="`scheduler.step()`",
            shows="several decays",
            first=First(5, "lr"),
        ),
        Cause(
            id="schedule-never-stepped",
            lines={"lr": "base_lr"},
            formula=r"\eta = \eta_0",
            seen="`scheduler.step()`",
            shows="several decays",
            first=First(9, "lr"),
        ),
        Cause(
            id="gradients-not-zeroed",
            lines={"left": "clipped"},
            formula=r"a_0' = g'",
            seen="`optimizer.zero_grad()`",
            first=First(1, "left"),
        ),
        Cause(
            id="gradients-not-zeroed",
            variant="before they are unscaled and clipped",
            lines={"left": "accumulated"},
            formula=r"a_0' = a",
            shows="a scaled loss",
            first=First(1, "left"),
        ),
        Cause(
            id="never-clipped",
            lines={"clipped": "grad"},
            formula=r"g' = g",
            seen="`optimizer.step()`, `clip_grad_norm_`",
            shows="gradients that are too long",
            first=First(1, "momentum_buffer"),
        ),
        Cause(
            id="clipped-a-batch-at-a-time",
            lines={
                "accumulated": "left + (shares * scaled * np.minimum(max_norm / ((abs(grads) ** norm_type)"
                ".sum(axis=1, keepdims=True) ** (1 / norm_type) + 1e-6), 1)).sum(axis=0) if clips else was",
                "clipped": "grad",
            },
            formula=r"a = \sum_k s_k\,\min\Bigl(\frac{N}{\lVert g_k \rVert_p + 10^{-6}}, 1\Bigr)\,(S g_k)",
            seen="`loss.backward()`, `clip_grad_norm_`",
            shows="several batches a step, too long",
        ),
        Cause(
            id="batch-summed",
            lines={"shares": "samples * samples / samples.sum()"},
            formula=r"s_k = m_k^2 / \textstyle\sum_j m_j",
            seen='`reduction="sum"`',
        ),
        Cause(
            id="ema-momentum",
            lines={"momentum_buffer": "momentum * momentum_buffer + (1 - momentum) * clipped if momentum else was"},
            formula=r"v' = \mu\,v + (1 - \mu)\,g'",
            shows=DECAYING,
            first=First(1, "momentum_buffer"),
        ),
        Cause(
            id="ema-momentum",
            variant="after the first step",
            words="dampened",
            lines={
                "momentum_buffer": "was if n_averaged == 0 or momentum == 0 else "
                "momentum * momentum_buffer + (1 - momentum) * clipped"
            },
            formula=r"v' = \mu\,v + (1 - \mu)\,g', \quad g' \text{ at first}",
            seen="`dampening`",
            shows=DECAYING,
            first=First(2, "momentum_buffer"),
        ),
        Cause(
            id="lr-inside-momentum",
            lines={
                "momentum_buffer": "lr * clipped if n_averaged == 0 else momentum * momentum_buffer + lr * clipped",
                "param": "param - momentum_buffer",
            },
            formula=r"v' = \mu\,v + \eta\,g', \quad w' = w - v'",
            shows=DECAYING,
            first=First(1, "momentum_buffer"),
        ),
        Cause(
            id="nesterov-on",
            lines={"param": "param - lr * (clipped + momentum * momentum_buffer) if momentum else was"},
            formula=r"w' = w - \eta\,(g' + \mu\,v')",
            seen="jax-ml/jax",
            shows=DECAYING,
            first=First(1, "param"),
        ),
        Cause(
            id="optimizer-made-anew",
            lines={
                "momentum_buffer": "clipped if n_averaged % per_epoch == 0 else momentum * momentum_buffer + clipped"
            },
            formula=r"v' = g' \text{ at first in every epoch}",
            shows=DECAYING,
            first=First(3, "momentum_buffer"),
        ),
        Cause(
            id="averaged-before-the-step",
            lines={
                "moved": "decay * averaged + (1 - decay) * (param + lr * momentum_buffer)",
                "averaged": "param + lr * momentum_buffer if n_averaged == 0 else np.where(copied, param, moved)",
            },
            formula=r"u = \beta\,\bar w + (1 - \beta)\,w",
            shows="an average of parameters",
            first=First(1, "averaged"),
        ),
    ],
    line="total_norm",
)
