"""How every picture looks: one style, one set of colours and markers, the same bytes every time."""

import functools
import pathlib
import re
import textwrap
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from reports.palette import encode

P = ParamSpec("P")
R = TypeVar("R")

STYLE = pathlib.Path(__file__).with_name("report.mplstyle")
WIDTH = 10.0  # inches
LINE = 92  # characters of a title that fit in it

INK, GREY, PALE = "#222222", "#6b6b6b", "#ececec"
NUMPY: dict[str, Any] = {"color": "#0072B2", "linestyle": "-", "linewidth": 2.6}
TORCH: dict[str, Any] = {"color": "#D55E00", "linestyle": (0, (4, 2)), "linewidth": 1.4}
DRIFT: dict[str, Any] = {"color": INK, "linewidth": 1.4}
DEFECT: dict[str, Any] = {"color": "#D55E00", "linestyle": "none", "marker": "o"}
BAND = "#56B4E9"
RULE: dict[str, Any] = {"color": "#009E73", "linestyle": (0, (1, 1.5)), "linewidth": 1.6}


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` under the style, whatever the user's own settings are."""

    @functools.wraps(function)
    def under_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rc_file(STYLE, use_default_template=False)
            return function(*args, **kwargs)

    return under_style


@styled
def png(figure: Figure) -> bytes:
    """The figure as a PNG, the same bytes for the same figure."""
    figure.set_dpi(mpl.rcParams["savefig.dpi"])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return encode(np.asarray(canvas.buffer_rgba()))


def headed(figure: Figure, finding: str, label: str) -> None:
    """The finding as the title, and below it, smaller, what it was found on."""
    whole = re.sub(r"(?<=\d) (?=%|ulp)", "\u00a0", drawable(finding))
    lines = balanced(whole)
    height = figure.get_figheight()
    figure.set_figheight(height + 0.22 * len(lines) + 0.34)
    top = figure.get_figheight()
    x = 0.1 / WIDTH
    figure.text(x, 1 - 0.08 / top, "\n".join(lines), ha="left", va="top", size=12, weight="bold", color=INK)
    figure.text(
        x,
        1 - (0.14 + 0.22 * len(lines)) / top,
        shortened(drawable(label), 130),
        ha="left",
        va="top",
        size=9,
        color=GREY,
    )
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0, 0, 1, height / top))  # type: ignore[call-arg]


def balanced(text: str) -> list[str]:
    """As few lines as fit the picture, none of them much shorter than the others."""
    lines = textwrap.wrap(text, LINE)
    narrower = (textwrap.wrap(text, width) for width in range(LINE // 2, LINE))
    return next((wrapped for wrapped in narrower if len(wrapped) == len(lines) > 1), lines) or [""]


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def drawable(text: str) -> str:
    """The text with everything that the font lacks as a replacement character; line ends become spaces."""
    return "".join(c if ord(c) in known_characters() else " " if c.isspace() else "\ufffd" for c in str(text))


@functools.cache
def known_characters() -> frozenset[int]:
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    return frozenset(code for code in font.get_charmap() if chr(code).isprintable())
