"""Causes of lr_scheduler.cosine_annealing_lr."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.causes.cause import First, Scenario
from lockstep.causes.lr_scheduler import Slip
from lockstep.causes.tables import table

SCENARIOS = [
    Scenario(Schedule("half a period, and on", T_max=8, eta_min=0.01, steps=20)),
]

CAUSES = table(
    "lr_scheduler.cosine_annealing_lr",
    SCENARIOS,
    [
        Slip(
            id="schedule-one-ahead",
            words="throughout",
            lines={"angle": "(last_epoch + 1) * pi / T_max"},
            formula=r"\varphi = \pi (t + 1) / T",
            seen="pytorch/pytorch#20124",
            shows="half a period, and on",
            first=First(1, "lr"),
        ),
        Slip(
            id="schedule-one-behind",
            words="throughout",
            lines={"angle": "max(last_epoch - 1, 0) * pi / T_max"},
            formula=r"\varphi = \pi (t - 1) / T",
            shows="half a period, and on",
            first=First(2, "lr"),
        ),
        Slip(
            id="t-max-off-by-one",
            arguments={"T_max": "max(T_max - 1, 1)"},
            formula=r"T \to T - 1",
            seen="open-mmlab/mmcv#519",
            shows="half a period, and on",
            first=First(2, "lr"),
        ),
        Slip(
            id="eta-min-forgotten",
            lines={"lr": "base_lr * share"},
            formula=r"\eta_t = \eta_0\,s",
            seen="facebookresearch/fairseq#2916",
            shows="half a period, and on",
            first=First(2, "lr"),
        ),
        Slip(
            id="eta-min-added",
            lines={"lr": "eta_min + base_lr * share"},
            formula=r"\eta_t = \eta_{\min} + \eta_0\,s",
            shows="half a period, and on",
            first=First(1, "lr"),
        ),
        Slip(
            id="eta-min-as-a-bound",
            lines={"lr": "np.maximum(eta_min, base_lr * share)"},
            formula=r"\eta_t = \max(\eta_{\min}, \eta_0\,s)",
            shows="half a period, and on",
            first=First(2, "lr"),
        ),
        Slip(
            id="half-forgotten",
            lines={"share": "1 + cos(angle)"},
            formula=r"s = 1 + \cos\varphi",
            shows="half a period, and on",
            first=First(1, "lr"),
        ),
        Slip(
            id="quarter-period",
            lines={"share": "cos(angle / 2)"},
            formula=r"s = \cos(\varphi / 2)",
            seen="goodfire-ai/spd#311, kekmodel/FixMatch-pytorch#6",
            shows="half a period, and on",
            first=First(2, "lr"),
        ),
        Slip(
            id="whole-period",
            lines={"angle": "2 * was"},
            formula=r"\varphi = 2 \pi t / T",
            seen="git-disl/LRBench#1",
            shows="half a period, and on",
            first=First(2, "lr"),
        ),
        Slip(
            id="cosine-upside-down",
            lines={"share": "(1 - cos(angle)) / 2"},
            formula=r"s = \tfrac{1}{2}(1 - \cos\varphi)",
            shows="half a period, and on",
            first=First(1, "lr"),
        ),
        Slip(
            id="stays-at-the-floor",
            lines={"angle": "min(last_epoch, T_max) * pi / T_max"},
            formula=r"\varphi = \pi \min(t, T) / T",
            seen="optax.cosine_decay_schedule, Keras' CosineDecay",
            shows="half a period, and on",
            first=First(10, "lr"),
        ),
    ],
)
