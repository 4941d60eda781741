"""Causes of lr_scheduler.sequential_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

PARTS = (("LinearLR", {"start_factor": 0.2, "total_iters": 5}), ("ExponentialLR", {"gamma": 0.8}))

SCENARIOS = [
    Scenario(Schedule("a warm-up and what follows", schedulers=PARTS, milestones=(5,), steps=14)),
]

CAUSES = table(
    "lr_scheduler.sequential_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            lines={
                "which": "bisect_right(milestones, last_epoch + 1)",
                "lr": "schedulers[which].closed(base_lr, last_epoch + 1 - begun)",
            },
            formula=r"t \to t + 1",
            seen="pytorch/pytorch#20124",
            shows="a warm-up and what follows",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            arguments={"last_epoch": "max(last_epoch - 1, 0)"},
            formula=r"t \to t - 1",
            shows="a warm-up and what follows",
            first=First(2, "lr"),
        ),
        Slip(
            id="second-counts-on",
            lines={"begun": "0"},
            formula=r"b = 0",
            seen="lindermanlab/S5#11, microsoft/Swin-Transformer#277, facebookresearch/fairchem#1967",
            shows="a warm-up and what follows",
            first=First(6, "lr"),
        ),
        Slip(
            id="milestone-off-by-one",
            arguments={"milestones": "tuple(milestone + 1 for milestone in milestones)"},
            formula=r"m_i \to m_i + 1",
            shows="a warm-up and what follows",
            first=First(7, "lr"),
        ),
        Slip(
            id="begins-where-the-first-ended",
            lines={
                "lr": "schedulers[which].closed(schedulers[0].closed(base_lr, 0), last_epoch - begun) if which else was"
            },
            formula=r"\eta_0 \to \eta^{(i-1)}_0",
            shows="a warm-up and what follows",
            first=First(6, "lr"),
        ),
        Slip(
            id="first-for-ever",
            lines={"which": "0"},
            formula=r"i = 0",
            shows="a warm-up and what follows",
            first=First(7, "lr"),
        ),
        Slip(
            id="warm-up-left-out",
            lines={"which": "len(milestones)"},
            formula=r"i = n",
            shows="a warm-up and what follows",
            first=First(1, "lr"),
        ),
    ],
)
