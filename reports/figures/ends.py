"""Names at the ends of curves, where the eye arrives: none covers another, and no legend is needed."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from reports.style import INK, drawable

SIZE = 8.5  # points of text
APART = 1.35 * SIZE  # points from one name to the next


class End(NamedTuple):
    """What stands at the end of a curve: its last height on the axis, in data, its name and its colour."""

    y: float
    text: str
    colour: str = INK


def name_ends(axis: Axes, ends: list[End], height: float) -> None:
    """Write every name to the right of the axis, beside its curve's end or as near to it as the others let it.

    Arguments:
        axis: with its limits and its scale as they will stay; names take their place to the right of it.
        ends: the curves' ends.
        height: of the axis, in points, about: names that would be nearer than a line are pushed apart.
    """
    low, high = axis.get_ylim()
    scale = axis.transScale.transform
    bottom, top = scale((1, low))[1], scale((1, high))[1]
    known = {end: float(np.clip(np.nan_to_num(end.y, nan=low), low, high)) for end in ends}
    wanted = {end: (scale((1, known[end]))[1] - bottom) / (top - bottom) * height for end in ends}
    order = sorted(ends, key=lambda end: wanted[end])
    for end, place in zip(order, spread([wanted[end] for end in order], height), strict=True):
        axis.annotate(
            drawable(end.text), (1, place / height), xycoords="axes fraction", xytext=(11, 0), va="center",
            textcoords="offset points", size=SIZE, color=INK, annotation_clip=False,
        )  # fmt: skip
        axis.plot(
            [1.002, 1.011], [wanted[end] / height, place / height], color=end.colour, linewidth=1.6,
            transform=axis.transAxes, clip_on=False, scalex=False, scaley=False,
        )  # fmt: skip


def spread(wanted: list[float], height: float) -> list[float]:
    """Ascending places as near as they can be to the ascending ones that are wanted, none nearer than a line."""
    groups = [[place] for place in wanted]
    while True:
        halves = [APART * (len(group) - 1) / 2 for group in groups]
        means = [sum(group) / len(group) for group in groups]
        centres = [min(max(m, half), max(height - half, half)) for m, half in zip(means, halves, strict=True)]
        tops = [centre + half for centre, half in zip(centres, halves, strict=True)]
        close = [k for k in range(1, len(groups)) if tops[k - 1] + APART > centres[k] - halves[k]]
        if not close:
            break
        groups[close[0] - 1 : close[0] + 1] = [groups[close[0] - 1] + groups[close[0]]]
    rows = zip(groups, centres, halves, strict=True)
    return [centre - half + APART * row for group, centre, half in rows for row in range(len(group))]
