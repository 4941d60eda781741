"""Rprop: a step size for every coordinate, which grows while the gradient keeps its sign and shrinks when it turns."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "turn": r"q_t = g_t\,g_{t-1}",
    "scaled": r"\Delta'_t = \eta^+ \Delta_{t-1},\ \eta^- \Delta_{t-1},\ \Delta_{t-1} \ \text{as} \ q_t >, <, = 0",
    "size": r"\Delta_t = \min(\max(\Delta'_t,\, \Delta_{\min}),\, \Delta_{\max})",
    "kept": r"g_t \leftarrow 0 \ \text{if} \ q_t < 0",
    "param": r"\theta_t = \theta_{t-1} - \operatorname{sign}(g_t)\,\Delta_t",
}


class Lines(NamedTuple):
    g: Any
    turn: Any
    scaled: Any
    size: Any
    kept: Any
    param: Any


def paper(param, grad, prev, step_size, *, step, lr, etas, step_sizes, maximize):
    """One step in the order of the paper (Igel and Hüsken, iRprop⁻; Riedmiller and Braun's with the turned back)."""
    shrink, grow = etas
    smallest, largest = step_sizes
    g = -grad if maximize else grad
    turn = g * prev
    scaled = np.where(turn > 0, grow * step_size, np.where(turn < 0, shrink * step_size, step_size))
    size = np.minimum(np.maximum(scaled, smallest), largest)
    kept = np.where(turn < 0, 0, g)
    # PyTorch's sign of NaN, whose size is not above 0, is 0
    param = param - np.sign(np.where(abs(kept) >= 0, kept, 0)) * size
    return Lines(g, turn, scaled, size, kept, param)


def pytorch(param, grad, prev, step_size, *, step, lr, etas, step_sizes, maximize, ops=PLAIN):
    """One step in the order of torch.optim.Rprop (2.13, `_single_tensor_rprop`; foreach is the same)."""
    shrink, grow = etas
    smallest, largest = step_sizes
    g = -grad if maximize else grad
    turn = ops.mul(g, prev)
    turned = np.where(turn < 0, ops.mul(step_size, shrink), step_size)
    scaled = np.where(turn > 0, ops.mul(step_size, grow), turned)
    size = np.minimum(np.maximum(scaled, smallest), largest)
    kept = np.where(turn < 0, 0, g)
    param = ops.addcmul(param, np.sign(np.where(abs(kept) >= 0, kept, 0)), size, value=-1)
    return Lines(g, turn, scaled, size, kept, param)


class Rprop(Optimizer):
    """Rprop (Riedmiller and Braun; Igel and Hüsken's iRprop⁻), with PyTorch's options.

    The formula is `EQUATIONS`. Only signs of gradients count, so that it is for whole batches.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: the step size every coordinate starts with, in parameter units; later changes of it do nothing.
        etas: η⁻ and η⁺, by which a step size shrinks and grows; 0 < η⁻ < 1 < η⁺.
        step_sizes: the smallest and the largest step size.
        maximize: ascend instead of descend.

    PyTorch differs from the paper of 1993, which takes a step back where the sign turns; here the coordinate rests
    for that step, and its gradient counts as 0 at the next. The sign of NaN is 0 there: such a coordinate rests, too.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Riedmiller and Braun, ICNN 1993; Igel and Hüsken, NC 2000 (iRprop⁻); torch.optim.Rprop 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    STATE = {"step": STEP, "prev": Entry("kept"), "step_size": Entry("size", start="lr", positive=True)}

    lr: float

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, maximize=False):
        shrink, grow = etas
        smallest, largest = step_sizes
        check_numbers(lr=lr, etaminus=shrink, etaplus=grow, step_size_min=smallest, step_size_max=largest)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(0.0 < shrink < 1.0 < grow, f"Invalid eta values: {shrink}, {grow}")
        super().__init__(params, lr=lr, etas=(shrink, grow), step_sizes=(smallest, largest), maximize=maximize)
