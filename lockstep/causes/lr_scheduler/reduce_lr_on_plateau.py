"""Causes of lr_scheduler.reduce_lr_on_plateau."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

METRICS = (
    *(2.0, 1.5, 1.2, 1.195, 1.19499, 1.1949, 1.19, 1.19, 1.21, 1.18, 1.1799, 1.3),
    *(1.25, 1.24, 1.23, 1.1, 1.09, 1.0899, 1.1, 1.1, 1.1, 1.1),
)

LARGE, RISING = tuple(100 * metric for metric in METRICS), tuple(3 - metric for metric in METRICS)

SCENARIOS = [
    Scenario(Schedule("it rests, and falls again", metrics=METRICS, patience=1, threshold=1e-3, steps=23)),
    Scenario(Schedule("large metrics", metrics=LARGE, patience=1, threshold=1e-2, steps=23)),
    Scenario(Schedule("it rests during the cooldown", metrics=METRICS, patience=1, cooldown=3, factor=0.5, steps=23)),
    Scenario(Schedule("down to the floor", metrics=METRICS, patience=0, factor=0.3, min_lr=0.005, steps=23)),
    Scenario(Schedule("larger is better", metrics=RISING, mode="max", patience=1, steps=23)),
]

CAUSES = table(
    "lr_scheduler.reduce_lr_on_plateau",
    SCENARIOS,
    [
        Slip(
            id="threshold-absolute-for-relative",
            lines={"bound": "best + sign * threshold"},
            formula=r"b = m^* \mp \tau",
            seen="Keras (keras-team/keras#15863)",
            shows="large metrics",
            first=First(5, "best"),
        ),
        Slip(
            id="threshold-ignored",
            lines={"bound": "best"},
            formula=r"b = m^*",
            shows="large metrics",
            first=First(5, "best"),
        ),
        Slip(
            id="patience-off-by-one",
            lines={"due": "bad >= patience"},
            formula=r"d = [n \ge P]",
            seen="Keras, fastai/fastai#2355, pytorch/pytorch#7151",
            shows="it rests, and falls again",
            first=First(6, "num_bad_epochs"),
        ),
        Slip(
            id="compared-with-the-last",
            lines={"best": "metrics"},
            formula=r"m^* = m_t",
            shows="it rests, and falls again",
            first=First(6, "best"),
        ),
        Slip(
            id="bad-epochs-kept",
            lines={"num_bad_epochs": "bad"},
            formula=r"n = n",
            shows="it rests, and falls again",
            first=First(7, "num_bad_epochs"),
        ),
        Slip(
            id="bad-in-cooldown",
            lines={"bad": "0 if better else num_bad_epochs + 1"},
            formula=r"n = (n + 1)(1 - v)",
            shows="it rests during the cooldown",
            first=First(9, "num_bad_epochs"),
        ),
        Slip(
            id="floor-ignored",
            lines={"lower": "lr * factor"},
            formula=r"\eta' = \eta_{t-1} f",
            shows="down to the floor",
            first=First(9, "lr"),
        ),
        Slip(
            id="mode-ignored",
            arguments={"mode": "'min'"},
            formula=r"v = [m_t < b]",
            shows="larger is better",
            first=First(2, "best"),
        ),
        Slip(
            id="factor-taken-off",
            lines={"lower": "np.maximum(lr * (1 - factor), min_lr)"},
            formula=r"\eta' = \eta_{t-1}(1 - f)",
            shows="it rests, and falls again",
            first=First(7, "lr"),
        ),
    ],
)
