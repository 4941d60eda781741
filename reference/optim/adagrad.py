"""Adagrad: each coordinate's steps shrink with the root of all its squared gradients so far."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.sparse import Sparse
from reference.state import STEP, Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "v": r"v_t = v_{t-1} + d_t^2",
    "denom": r"s_t = \sqrt{v_t} + \epsilon",
    "param": r"\theta_t = \theta_{t-1} - \frac{\alpha}{1 + (t - 1)\,\eta}\,d_t / s_t",
}


class Lines(NamedTuple):
    g: Any
    d: Any
    v: Any
    denom: Any
    param: Any


def paper(param, grad, sum, *, step, lr, lr_decay, weight_decay, eps, maximize):  # noqa: A002 - PyTorch's key
    """One step with the diagonal of the paper's matrix (JMLR 12:2121, 2011, Figure 1, composite update)."""
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay else g
    v = sum + d**2
    denom = np.sqrt(v) + eps
    param = param - lr / (1 + (step - 1) * lr_decay) * d / denom
    return Lines(g, d, v, denom, param)


def pytorch(param, grad, sum, *, step, lr, lr_decay, weight_decay, eps, maximize, ops=PLAIN):  # noqa: A002 - PyTorch's key
    """One step in the order of torch.optim.Adagrad (2.13, `_single_tensor_adagrad`; foreach is the same)."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    v = ops.addcmul(sum, d, d)
    denom = ops.add(ops.sqrt(v), eps)
    step_size = lr / (1 + (step - 1) * lr_decay)
    param = ops.addcdiv(param, d, denom, value=-step_size)
    return Lines(g, d, v, denom, param)


def fused(param, grad, sum, *, step, lr, lr_decay, weight_decay, eps, maximize, ops=PLAIN):  # noqa: A002 - PyTorch's key
    """One step in the order of the fused kernel (2.13, `FusedAdagradKernel.cpp`), whose root is NumPy's."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    v = ops.addcmul(sum, d, d)
    denom = ops.add(np.sqrt(v), eps)
    step_size = lr / ops.fma(step - 1, lr_decay, 1.0)
    param = ops.addcdiv(param, d, denom, value=-step_size)
    return Lines(g, d, v, denom, param)


def sparse(param, grad, sum, *, step, lr, lr_decay, weight_decay, eps, maximize, ops=PLAIN):  # noqa: A002 - PyTorch's key
    """One step of a sparse gradient's entries (2.13, `_single_tensor_adagrad`): squares and quotients, then added."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    v = ops.add(sum, ops.mul(d, d))
    denom = ops.add(ops.sqrt(v), eps)
    step_size = lr / (1 + (step - 1) * lr_decay)
    param = ops.add(param, ops.div(d, denom), alpha=-step_size)
    return Lines(g, d, v, denom, param)


START = "initial_accumulator_value"


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer), diagonal, with PyTorch's options.

    The formula is `EQUATIONS`.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units: the length of the first step where the sum starts at 0.
        lr_decay: η; lr falls as 1/(1 + (t-1)η).
        weight_decay: λ, added to the gradient as λθ.
        initial_accumulator_value: v₀, in squared gradient units.
        eps: ε, in gradient units; added after the root.
        maximize: ascend instead of descend.

    PyTorch differs in having lr_decay, which the paper has not, and in where the small constant
    stands: it is the paper's δ, but 1e-10. The state exists from construction. Of a sparse gradient the entries alone
    are stepped, which is the same.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.
        RuntimeError: for weight decay with a sparse gradient.

    Source: Duchi, Hazan and Singer, JMLR 12:2121 (2011), Figure 1; torch.optim.Adagrad 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "fused": fused, "sparse": sparse}
    STATE = {"step": STEP, "sum": Entry("v", start="initial_accumulator_value", positive=True)}
    SPARSE = "entries"

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0.0,
        weight_decay=0.0,
        initial_accumulator_value=0.0,
        eps=1e-10,
        *,
        maximize=False,
    ):
        start = initial_accumulator_value
        check_numbers(lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=start, eps=eps)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(lr_decay >= 0.0, f"Invalid lr_decay value: {lr_decay}")
        check_hyperparameter(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        check_hyperparameter(start >= 0.0, f"Invalid initial_accumulator_value value: {start}")
        check_hyperparameter(eps >= 0.0, f"Invalid epsilon value: {eps}")
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            eps=eps,
            weight_decay=weight_decay,
            initial_accumulator_value=start,
            maximize=maximize,
        )
        self.state = {name: self.new_state(param) for name, param in self.params.items()}

    def new_state(self, param):
        """That of any group, whatever it says of it itself: PyTorch reads the defaults."""
        alike = self.with_group({**self.param_groups[0], START: self.defaults[START]})
        return Optimizer.new_state(alike, param)

    @property
    def hyperparameters(self):
        given = super().hyperparameters
        return {name: value for name, value in given.items() if name != START}

    def check_layout(self, grad) -> None:
        super().check_layout(grad)
        if isinstance(grad, Sparse) and self.hyperparameters["weight_decay"]:
            raise RuntimeError("weight_decay option is not compatible with sparse gradients")
