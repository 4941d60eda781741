"""How much Dropout keeps, and that both sides keep the same: the masks of one seed, equal bit for bit."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.text import Message, message
from reports.facts import apart
from reports.rails import separate
from reports.style import COLOURS, INK, LINE, RULE, WIDTH, styled

NAME = "keep"
KIND = "svg"
NAMES = ("p", "ours", "theirs", "equal")
ROWS, COLUMNS = 16, 40  # of a mask that are shown, at most


def applies(record: ExperimentRecord) -> bool:
    known = [*(f"keep/{name}" for name in NAMES), "keep/mask/ours", "keep/mask/theirs"]
    return all(name in record.arrays for name in known)


def rates(record: ExperimentRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    p, ours, theirs, equal = (np.asarray(record.arrays[f"keep/{name}"], np.float64) for name in NAMES)
    return p, ours, theirs, equal


def masks(record: ExperimentRecord) -> tuple[np.ndarray, np.ndarray]:
    """Both masks as rows and columns of what is kept; one of a single row is cut into several."""
    ours, theirs = (np.asarray(record.arrays[f"keep/mask/{side}"]) != 0 for side in ("ours", "theirs"))
    return shaped(ours), shaped(theirs)


def shaped(mask: np.ndarray) -> np.ndarray:
    if mask.ndim != 2:
        flat = mask.ravel()
        mask = flat[: len(flat) // COLUMNS * COLUMNS].reshape(-1, COLUMNS) if len(flat) > COLUMNS else flat[None]
    return mask[:ROWS, :COLUMNS]


def finding(record: ExperimentRecord) -> Message:
    p, ours, theirs, equal = rates(record)
    off = float(np.abs(theirs - (1 - p)).max())
    values = {"rates": len(p), "least": f"{p.min():g}", "greatest": f"{p.max():g}", "off": off}
    if (equal == 1).all() and not apart(ours, theirs).any():
        return message("figure.keep.equal", **values)
    return message("figure.keep.apart", same=int((equal == 1).sum()), **values)


def read(record: ExperimentRecord) -> Message:
    return message("figure.keep.read")


@styled
def draw(record: ExperimentRecord) -> Figure:
    """Left the share that is kept over p; right both masks, and under them where they differ."""
    p, ours, theirs, equal = rates(record)
    mine, other = masks(record)
    figure = Figure(figsize=(WIDTH, 3.9))
    left, *right = grid(figure)
    left.plot([0, 1], [1, 0], **RULE, label="1 − p")
    ring = {"markersize": 9, "markerfacecolor": "none", "markeredgewidth": 2, "linestyle": "none"}
    left.plot(p, ours, "o", color=COLOURS["ours"], label="NumPy", **ring)
    left.plot(
        p, theirs, "x", color=COLOURS["theirs"], markersize=6, markeredgewidth=1.6, label="PyTorch", linestyle="none"
    )
    for x, y, same in zip(p, ours, equal, strict=True):
        left.annotate("=" if same == 1 else "≠", (x, y), xytext=(9, 3), textcoords="offset points", weight="bold")
    left.set_xlabel("p")
    left.set_ylabel("n₁ / n")
    left.set_xlim(-0.02, 1.02)
    left.set_ylim(-0.02, 1.06)
    left.legend(loc="lower left")
    shades = (COLOURS["ours"], COLOURS["theirs"], INK)
    for axis, mask, name, shade in zip(
        right, (mine, other, mine != other), ("NumPy", "PyTorch", "≠"), shades, strict=True
    ):
        cells(axis, mask, shade)
        axis.set_title(f"{name}   {int(mask.sum())} / {mask.size}", weight="bold")
    return figure


def grid(figure: Figure) -> list[Axes]:
    layout = figure.add_gridspec(3, 2, width_ratios=(1.15, 1))
    return [figure.add_subplot(layout[:, 0]), *(figure.add_subplot(layout[row, 1]) for row in range(3))]


def cells(axis: Axes, mask: np.ndarray, shade: str) -> None:
    """A dot for every unit that the mask keeps, on a pale ground that shows where there are none."""
    rows, columns = mask.shape
    row, column = np.nonzero(mask)
    separate(axis, column.astype(np.float64), rows - row.astype(np.float64), color=shade, linewidth=3.2)
    axis.set_facecolor(LINE)
    axis.set_xlim(-1, columns)
    axis.set_ylim(0.2, rows + 0.8)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)
    axis.spines[["left", "bottom"]].set_visible(False)


def table(record: ExperimentRecord) -> dict[str, np.ndarray]:
    p, ours, theirs, equal = rates(record)
    return {"p": p, "ours": ours, "theirs": theirs, "abs_difference": apart(ours, theirs), "masks_equal": equal}
