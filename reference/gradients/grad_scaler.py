"""Loss scaling: a loss is made large before the way back, and its gradients small again, so that none vanishes."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.gradients.transformation import Transformation

EQUATIONS = {
    "scaled": r"S\,g",
    "found_inf": r"f = 1 - [\,S\,|g| \le g_{\max}\,]",
    "inverse": r"r = 1 / S",
    "unscaled": r"g' = (S\,g) / S",
    "in_a_row": r"j = i + 1",
    "grown": r"S'' = \gamma_+^{[j = I]}\,S",
    "scale": r"S' = f\,\gamma_- S + (1 - f)\,S''",
    "growth_tracker": r"i' = (1 - f)\,(j \bmod I)",
}


class Paper(NamedTuple):
    scaled: Any
    found_inf: Any
    unscaled: Any
    in_a_row: Any
    grown: Any
    scale: Any
    growth_tracker: Any


class PyTorch(NamedTuple):
    scaled: Any
    found_inf: Any
    inverse: Any
    unscaled: Any
    in_a_row: Any
    grown: Any
    scale: Any
    growth_tracker: Any


def paper(grad, *, scale, growth_tracker, growth_factor, backoff_factor, growth_interval, largest):
    """The gradients of one step, and the scale of the next."""
    scaled = scale * grad
    found_inf = np.where(np.isfinite(grad) & (abs(grad) / largest <= 1 / scale), 0.0, 1.0).max()
    unscaled = scaled / scale
    in_a_row = growth_tracker + 1
    grown = scale * growth_factor if in_a_row == growth_interval else scale
    scale = np.where(found_inf > 0, scale * backoff_factor, grown)
    growth_tracker = np.where(found_inf > 0, 0.0, in_a_row % growth_interval)
    return Paper(scaled, found_inf, unscaled, in_a_row, grown, scale, growth_tracker)


def pytorch(grad, *, scale, growth_tracker, growth_factor, backoff_factor, growth_interval, largest, ops=PLAIN):
    """As scale, unscale_ and update do: what divides is a reciprocal, of float32."""
    scaled = ops.mul(grad, scale)
    found_inf = np.where(np.isfinite(grad) & (abs(grad) / largest <= 1 / scale), 0.0, 1.0).max()
    inverse = 1 / scale
    unscaled = ops.mul(scaled, inverse)
    in_a_row = growth_tracker + 1
    grown = scale * growth_factor if in_a_row == growth_interval else scale
    scale = np.where(found_inf > 0, scale * backoff_factor, grown)
    growth_tracker = np.where(found_inf > 0, 0.0, in_a_row % growth_interval)
    return PyTorch(scaled, found_inf, inverse, unscaled, in_a_row, grown, scale, growth_tracker)


class GradScaler(Transformation):
    """S·g by the backward pass of a scaled loss, and g of it again; the formula is `EQUATIONS`.

    A step with a number of S·g beyond the largest of the format is to be skipped (`found_inf` is 1), and the scale
    backs off; after `growth_interval` steps without one it grows.

    Arguments:
        init_scale: S at first.
        growth_factor, backoff_factor: γ₊ and γ₋, what the scale is multiplied by.
        growth_interval: I, steps in a row.

    PyTorch keeps the scale in float32 whatever the gradients' format is, and multiplies by its reciprocal: of a
    scale that is no power of two, float64 gradients come back with float32's rounding.

    Raises:
        AssertionError: for a growth_factor or a backoff_factor that does the contrary, with PyTorch's words.

    Source: Micikevicius et al., ICLR 2018, section 3.2; torch.amp.GradScaler 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    TENSORS = ("unscaled",)
    NUMBERS = ("found_inf", "scale", "growth_tracker")
    CARRIED = {"scale": "init_scale", "growth_tracker": 0.0}
    DOUBLES = ("found_inf", "growth_tracker")
    CHOICES = ("growth_interval", "growth_tracker")

    def __init__(self, init_scale=65536.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000):
        if not growth_factor > 1:
            raise AssertionError("The growth factor must be > 1.0.")
        if not backoff_factor < 1:
            raise AssertionError("The backoff factor must be < 1.0.")
        super().__init__(
            init_scale=init_scale,
            growth_factor=growth_factor,
            backoff_factor=backoff_factor,
            growth_interval=growth_interval,
        )

    def start(self, arrays) -> dict[str, Any]:
        """The first scale, in float32."""
        return {"scale": np.float32(self.hyperparameters["init_scale"]), "growth_tracker": 0.0}

    def numbers(self, arrays):
        largest = float(np.finfo(next(iter(arrays.values())).dtype).max)
        return {"largest": largest} | {
            name: value for name, value in self.hyperparameters.items() if name != "init_scale"
        }
