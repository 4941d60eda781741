"""Causes of lr_scheduler.linear_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("a line up", start_factor=0.2, total_iters=8, steps=14)),
    Scenario(Schedule("a line down", start_factor=1.0, end_factor=0.25, total_iters=8, steps=14)),
]

CAUSES = table(
    "lr_scheduler.linear_lr",
    SCENARIOS,
    [
        Slip(
            id="warm-up-off-by-one",
            lines={"done": "min(total_iters, last_epoch + 1)"},
            formula=r"d = \min(T, t + 1)",
            seen="pytorch/torchtitan#1261",
            shows="a line up",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            lines={"done": "min(total_iters, max(last_epoch - 1, 0))"},
            formula=r"d = \min(T, t - 1)",
            shows="a line up",
            first=First(2, "lr"),
        ),
        Slip(
            id="total-iters-off-by-one",
            arguments={"total_iters": "max(total_iters - 1, 1)"},
            formula=r"T \to T - 1",
            shows="a line up",
            first=First(2, "lr"),
        ),
        Slip(
            id="warm-up-from-zero",
            arguments={"start_factor": "0.0"},
            formula=r"c_0 = 0",
            seen="google-research/bert#1293, EleutherAI/gpt-neox#1373",
            shows="a line up",
            first=First(1, "lr"),
        ),
        Slip(
            id="end-factor-ignored",
            arguments={"end_factor": "1.0"},
            formula=r"c_1 = 1",
            shows="a line down",
            first=First(2, "lr"),
        ),
        Slip(
            id="goes-on-after-the-end",
            lines={"done": "last_epoch"},
            formula=r"d = t",
            shows="a line up",
            first=First(10, "lr"),
        ),
        Slip(
            id="factor-compounds",
            lines={"lr": "lr * factor"},
            formula=r"\eta_t = \eta_{t-1}\,c_t",
            shows="a line up",
            first=First(2, "lr"),
        ),
        Slip(
            id="factor-value",
            variant="0.1",
            arguments={"start_factor": "start"},
            free={"start": 0.1},
            formula=r"c_0 = 0.1",
            shows="a line up",
            first=First(1, "lr"),
        ),
    ],
)
