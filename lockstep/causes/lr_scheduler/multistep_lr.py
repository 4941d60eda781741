"""Causes of lr_scheduler.multistep_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("several milestones", milestones=(4, 8, 15), gamma=0.3, steps=24)),
    Scenario(Schedule("a milestone twice", milestones=(3, 3, 9), gamma=0.7, steps=16)),
]

CAUSES = table(
    "lr_scheduler.multistep_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            lines={"decays": "bisect_right(milestones, last_epoch + 1)"},
            formula=r"k = |\{i : m_i \le t + 1\}|",
            seen="pytorch/pytorch#20124",
            shows="several milestones",
            first=First(4, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            lines={"decays": "bisect_right(milestones, last_epoch - 1)"},
            formula=r"k = |\{i : m_i < t\}|",
            shows="several milestones",
            first=First(5, "lr"),
        ),
        Slip(
            id="gamma-applied-twice",
            lines={"lr": "base_lr * gamma ** (2 * decays)"},
            formula=r"\eta_t = \eta_0\,\gamma^{2k}",
            seen="pytorch/pytorch#17913",
            shows="several milestones",
            first=First(5, "lr"),
        ),
        Slip(
            id="decays-once",
            lines={"decays": "min(was, 1)"},
            formula=r"k = \min(1, |\{i : m_i \le t\}|)",
            shows="several milestones",
            first=First(9, "lr"),
        ),
        Slip(
            id="decays-from-the-milestone-on",
            lines={"decays": "max(last_epoch - milestones[0] + 1, 0) if milestones else 0"},
            formula=r"k = \max(0, t - m_1 + 1)",
            shows="several milestones",
            first=First(6, "lr"),
        ),
        Slip(
            id="milestones-as-lengths",
            lines={"decays": "sum(sum(milestones[: at + 1]) <= last_epoch for at in range(len(milestones)))"},
            formula=r"k = |\{i : m_1 + \dots + m_i \le t\}|",
            shows="several milestones",
            first=First(9, "lr"),
        ),
        Slip(
            id="milestone-once",
            lines={"decays": "bisect_right(sorted(set(milestones)), last_epoch)"},
            formula=r"k = |\{m : m \le t\}|",
            shows="a milestone twice",
            first=First(4, "lr"),
        ),
        Slip(
            id="gamma-taken-off",
            lines={"lr": "base_lr * (1 - gamma) ** decays"},
            formula=r"\eta_t = \eta_0\,(1 - \gamma)^k",
            shows="several milestones",
            first=First(5, "lr"),
        ),
        Slip(
            id="gamma-value",
            variant="0.5",
            arguments={"gamma": "gamma"},
            free={"gamma": 0.5},
            formula=r"\gamma = 0.5",
            shows="several milestones",
            first=First(5, "lr"),
        ),
    ],
)
