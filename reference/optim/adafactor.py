"""Adafactor: squared gradients kept as one mean a row and one a column, and an update whose size is held."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.state import STEP, Axis, Entry

EQUATIONS = {
    "g": r"G_t = \nabla f_t(\theta_{t-1})",
    "beta2": r"\hat\beta_{2t} = 1 - t^{\tau}",
    "rho": r"\rho_t = \min(\alpha,\, 1/\sqrt t)",
    "alpha": r"\alpha_t = \max(\epsilon_2,\, \operatorname{RMS}(\theta_{t-1}))\,\rho_t",
    "decayed": r"\theta'_t = \theta_{t-1} - \alpha\lambda\,\theta_{t-1}",
    "r": r"R_t = \hat\beta_{2t} R_{t-1} + (1 - \hat\beta_{2t})\,G_t^2\,1_m / m",
    "c": r"C_t = \hat\beta_{2t} C_{t-1} + (1 - \hat\beta_{2t})\,1_n^\top G_t^2 / n",
    "v_hat": r"\hat V_t = R_t C_t / \max(1_n^\top R_t / n,\, \epsilon_1) \text{, or}"
    r" \hat\beta_{2t} \hat V_{t-1} + (1 - \hat\beta_{2t})\,G_t^2 \text{ of a vector}",
    "u": r"U_t = G_t / \sqrt{\max(\hat V_t,\, \epsilon_1^2)}",
    "u_hat": r"\hat U_t = U_t / \max(1,\, \operatorname{RMS}(U_t) / d)",
    "param": r"\theta_t = \theta'_t - \alpha_t\,\hat U_t",
}


class Paper(NamedTuple):
    g: Any
    beta2: Any
    rho: Any
    alpha: Any
    decayed: Any
    r: Any
    c: Any
    v_hat: Any
    u: Any
    u_hat: Any
    param: Any


class PyTorch(NamedTuple):
    g: Any
    decayed: Any
    r: Any
    c: Any
    v_hat: Any
    u: Any
    param: Any


def paper(
    param, grad, row_var=None, col_var=None, variance=None, *, step, lr, beta2_decay, eps, d, weight_decay, maximize,
):  # fmt: skip
    """One step in the order of the paper (Shazeer and Stern 2018, algorithms 4 and 5), with PyTorch's ε₁ and means."""
    eps1, eps2 = eps
    factored = grad.ndim > 1
    g = -grad if maximize else grad
    beta2 = 1 - step**beta2_decay
    rho = min(lr, 1 / step**0.5)
    alpha = np.maximum(eps2, np.sqrt((param**2).mean())) * rho
    decayed = param - lr * weight_decay * param if weight_decay else param
    r = beta2 * row_var + (1 - beta2) * (g**2).mean(axis=-1, keepdims=True) if factored else None
    c = beta2 * col_var + (1 - beta2) * (g**2).mean(axis=-2, keepdims=True) if factored else None
    v_hat = (
        beta2 * variance + (1 - beta2) * g**2 if r is None else r * c / np.maximum(r.mean(axis=-2, keepdims=True), eps1)
    )
    u = g / np.sqrt(np.maximum(v_hat, eps1**2))
    u_hat = u / np.maximum(1.0, np.sqrt((u**2).mean()) / d)
    param = decayed - alpha * u_hat
    return Paper(g, beta2, rho, alpha, decayed, r, c, v_hat, u, u_hat, param)


def pytorch(
    param, grad, row_var=None, col_var=None, variance=None, *, step, lr, beta2_decay, eps, d, weight_decay, maximize,
    ops=PLAIN,
):  # fmt: skip
    """One step in the order of torch.optim.Adafactor (2.13, `_single_tensor_adafactor`): means by norms, in place."""
    eps1, eps2 = eps
    factored = grad.ndim > 1
    g = -grad if maximize else grad
    rho = min(lr, 1 / step**0.5)
    alpha = np.maximum(eps2, ops.norm(param).item() / param.size**0.5).item() * rho
    decayed = ops.mul(param, 1 - lr * weight_decay) if weight_decay else param
    rows = ops.norm(g, axis=-1) if factored else None
    columns = ops.norm(g, axis=-2) if factored else None
    r = ops.lerp(row_var, ops.div(ops.mul(rows, rows), g.shape[-1]), step**beta2_decay) if factored else None
    c = ops.lerp(col_var, ops.div(ops.mul(columns, columns), g.shape[-2]), step**beta2_decay) if factored else None
    v_hat = (
        ops.lerp(variance, ops.mul(g, g), step**beta2_decay)
        if r is None
        else ops.div(ops.matmul(r, c), np.maximum(ops.mean(r[..., 0], axis=-1)[..., None, None], eps1))
    )
    u = ops.mul(ops.rsqrt(np.maximum(v_hat, eps1 * eps1)), g)
    excess = np.maximum(1.0, ops.norm(u).item() / (u.size**0.5 * d)).item()
    param = ops.add(decayed, u, alpha=-alpha / excess)
    return PyTorch(g, decayed, r, c, v_hat, u, param)


def foreach(
    param, grad, row_var=None, col_var=None, variance=None, *, step, lr, beta2_decay, eps, d, weight_decay, maximize,
    ops=PLAIN,
):  # fmt: skip
    """One step in the order of the foreach path (2.13, `_multi_tensor_adafactor`): the update is scaled, then added."""
    eps1, eps2 = eps
    factored = grad.ndim > 1
    g = -grad if maximize else grad
    rho = min(lr, 1 / step**0.5)
    alpha = np.maximum(eps2, ops.norm(param).item() / param.size**0.5).item() * rho
    decayed = ops.mul(param, 1 - lr * weight_decay) if weight_decay else param
    rows = ops.norm(g, axis=-1) if factored else None
    columns = ops.norm(g, axis=-2) if factored else None
    r = ops.lerp(row_var, ops.div(ops.mul(rows, rows), g.shape[-1]), step**beta2_decay) if factored else None
    c = ops.lerp(col_var, ops.div(ops.mul(columns, columns), g.shape[-2]), step**beta2_decay) if factored else None
    v_hat = (
        ops.lerp(variance, ops.mul(g, g), step**beta2_decay)
        if r is None
        else ops.div(ops.matmul(r, c), np.maximum(ops.mean(r[..., 0], axis=-1)[..., None, None], eps1))
    )
    u = ops.mul(ops.rsqrt(np.maximum(v_hat, eps1 * eps1)), g)
    excess = np.maximum(1.0, ops.norm(u).item() / (u.size**0.5 * d)).item()
    param = ops.add(decayed, ops.mul(u, -alpha / excess))
    return PyTorch(g, decayed, r, c, v_hat, u, param)


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern), with PyTorch's options.

    The formula is `EQUATIONS`, where RMS is the root of the mean of squares. The last two axes of a tensor are its
    rows and columns; a vector or a number keeps V̂ whole.

    Arguments:
        params: name to float32 or float64 array of any shape that is not empty, updated in place.
        lr: α, the most that ρ may be, as a share of the tensor's own size per step; a factor of the decay, too.
        beta2_decay: τ, how fast β̂₂ goes to 1; at most 0.
        eps: ε₁, in gradient units, below which a root is not taken; None for the spacing at 1 of the first parameter's
            dtype. And ε₂, in parameter units, the least size that a tensor is taken to have.
        d: the RMS above which an update is scaled down to it; at least 1.
        weight_decay: λ, shrinks the parameter by αλθ.
        maximize: ascend instead of descend.

    PyTorch differs from the paper in ε₁, which is held against V̂ and its root where the paper adds it to G² before the
    means; in means, where the paper has sums; and in lr, where the paper has 0.01. It works out means of squares from
    norms. Its foreach path rounds the scaled update before it is added. It divides by 0 for an empty tensor.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Shazeer and Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, ICML 2018,
    arXiv:1804.04235; torch.optim.Adafactor 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "foreach": foreach}
    ELEMENTWISE = False
    STATE = {
        "step": STEP,
        "row_var": Axis("r", axis=-1, positive=True),
        "col_var": Axis("c", axis=-2, positive=True),
        "variance": Entry("v_hat", most_axes=1, positive=True),
    }

    def __init__(
        self,
        params,
        lr=1e-2,
        beta2_decay=-0.8,
        eps=(None, 1e-3),
        d=1.0,
        weight_decay=0.0,
        *,
        maximize=False,
    ):
        eps1, eps2 = eps
        own = {} if eps1 is None else {"epsilon1": eps1}
        check_numbers(lr=lr, beta2_decay=beta2_decay, epsilon2=eps2, d=d, weight_decay=weight_decay, **own)
        check_hyperparameter(lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}")
        check_hyperparameter(beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}")
        check_hyperparameter(eps1 is None or eps1 >= 0.0, f"epsilon1 should be >= 0 but is: {eps1}")
        check_hyperparameter(eps2 >= 0.0, f"epsilon2 should be >= 0 but is: {eps2}")
        check_hyperparameter(d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}")
        check_hyperparameter(weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(
            params,
            lr=lr,
            beta2_decay=beta2_decay,
            eps=(eps1, eps2),
            d=d,
            weight_decay=weight_decay,
            maximize=maximize,
        )

    @property
    def hyperparameters(self):
        given = super().hyperparameters
        eps1, eps2 = given["eps"]
        first = self.params[self.param_groups[0]["params"][0]]
        return given | {"eps": (float(np.spacing(first.dtype.type(1))) if eps1 is None else eps1, eps2)}
