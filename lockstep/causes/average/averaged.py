"""Causes of every average, stated once."""

from lockstep.cases.average import BUFFERED, Average
from lockstep.causes.cause import Cause, First, Scenario

SCENARIOS = [
    Scenario(Average("an average of parameters", steps=6)),
    Scenario(Average("an average beside buffers", shapes=BUFFERED, steps=4)),
]

AVERAGED_TOO = Cause(
    id="buffers-averaged",
    arguments={"copied": "copied & False"},
    formula=r"\bar b' = u",
    seen="timm's ModelEma and ModelEmaV2",
    shows="an average beside buffers",
    first=First(2, "averaged"),
)
LEFT_OUT = Cause(
    id="buffers-left-out",
    lines={"averaged": "param if n_averaged == 0 else np.where(copied, averaged, moved)"},
    formula=r"\bar b' = \bar b",
    seen="`model.parameters()`",
    shows="an average beside buffers",
    first=First(2, "averaged"),
)
