"""How every picture looks: one style, one set of colours and markers, the same bytes every time."""

import functools
import pathlib
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine

from reports.palette import encode

P = ParamSpec("P")
R = TypeVar("R")

STYLE = pathlib.Path(__file__).with_name("report.mplstyle")
WIDTH = 9.0  # inches

# Okabe and Ito's colours (2008). A page sets a variable of each name, in a light and in a dark shade, so no two names
# have one colour; c1 to c3 of the curves are those of NumPy, PyTorch and the rule.
COLOURS = {
    "ink": "#222222", "soft": "#6b6b6b", "line": "#e4e4e4", "paper": "#ffffff", "ours": "#0072b2", "theirs": "#d55e00",
    "rule": "#009e73", "band": "#56b4e9", "c4": "#cc79a7", "c5": "#e69f00", "c6": "#46a3d8",
}  # fmt: skip
INK, SOFT, LINE, PAPER = (COLOURS[name] for name in ("ink", "soft", "line", "paper"))
OURS: dict[str, Any] = {"color": COLOURS["ours"], "linestyle": "-", "linewidth": 2.8}
THEIRS: dict[str, Any] = {"color": COLOURS["theirs"], "linestyle": (0, (3.5, 2)), "linewidth": 1.4}
DRIFT: dict[str, Any] = {"color": INK, "linewidth": 1.3}
DEFECT: dict[str, Any] = {"color": COLOURS["theirs"], "linestyle": "none", "marker": "o"}
BAND = COLOURS["band"]
RULE: dict[str, Any] = {"color": COLOURS["rule"], "linestyle": (0, (1, 1.5)), "linewidth": 1.4}
# Of several curves: a colour, and what tells them apart without it.
CURVES = tuple(COLOURS[name] for name in ("ours", "c5", "rule", "c4", "c6", "theirs"))
MARKERS = ("o", "s", "^", "D", "v", "P")


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
    canvas = settled(figure)
    canvas.draw()
    return encode(np.asarray(canvas.buffer_rgba()))


@styled
def settled(figure: Figure) -> FigureCanvasAgg:
    """The figure's canvas, everything on it in its place: it is laid out once, for all formats."""
    figure.set_dpi(mpl.rcParams["savefig.dpi"])
    canvas, engine = FigureCanvasAgg(figure), figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.execute(figure)
        figure.set_layout_engine("none")
    return canvas


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def drawable(text: str) -> str:
    """The text with everything that the font lacks as a replacement character; line ends become spaces."""
    return "".join(c if ord(c) in known_characters() else " " if c.isspace() else "\ufffd" for c in str(text))


@functools.cache
def known_characters() -> frozenset[int]:
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    return frozenset(code for code in font.get_charmap() if chr(code).isprintable())
