"""SGD: a step against the gradient, or against a running sum of gradients that forgets (momentum)."""

from typing import Any, NamedTuple

from reference.arithmetic import PLAIN
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers
from reference.sparse import Sparse
from reference.state import Entry

EQUATIONS = {
    "g": r"g_t = \nabla f_t(\theta_{t-1})",
    "d": r"d_t = g_t + \lambda\,\theta_{t-1}",
    "buf": r"b_t = \mu\,b_{t-1} + (1 - \tau)\,d_t, \quad b_1 = d_1",
    "update": r"u_t = b_t \quad (\text{Nesterov: } d_t + \mu\,b_t)",
    "param": r"\theta_t = \theta_{t-1} - \alpha\,u_t",
}


class Lines(NamedTuple):
    g: Any
    d: Any
    buf: Any
    update: Any
    param: Any


def paper(param, grad, momentum_buffer=None, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    """One step as torch.optim.SGD documents it; without momentum there is no buffer, and b is d."""
    g = -grad if maximize else grad
    d = g + weight_decay * param if weight_decay else g
    buf = d if momentum_buffer is None else momentum * momentum_buffer + (1 - dampening) * d
    update = d + momentum * buf if nesterov else buf
    param = param - lr * update
    return Lines(g, d, buf, update, param)


def pytorch(param, grad, momentum_buffer=None, *, lr, momentum, dampening, weight_decay, nesterov, maximize, ops=PLAIN):
    """One step in the order of torch.optim.SGD (2.13, `_single_tensor_sgd`; foreach is the same)."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    buf = d if momentum_buffer is None else ops.add(ops.mul(momentum_buffer, momentum), d, alpha=1 - dampening)
    update = ops.add(d, buf, alpha=momentum) if nesterov else buf
    param = ops.add(param, update, alpha=-lr)
    return Lines(g, d, buf, update, param)


def fused(param, grad, momentum_buffer=None, *, lr, momentum, dampening, weight_decay, nesterov, maximize, ops=PLAIN):
    """One step in the order of the fused kernel (2.13, `FusedSGDKernel.cpp`)."""
    g = -grad if maximize else grad
    d = ops.add(g, param, alpha=weight_decay) if weight_decay else g
    buf = d if momentum_buffer is None else ops.sum_of_products(momentum_buffer, momentum, d, 1 - dampening)
    update = ops.add(d, buf, alpha=momentum) if nesterov else buf
    param = ops.add(param, update, alpha=-lr)
    return Lines(g, d, buf, update, param)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum in PyTorch's form.

    The formula is `EQUATIONS`.

    Arguments:
        params: name to float32 or float64 array of any shape, updated in place.
        lr: α, in parameter units per gradient unit.
        momentum: μ, the share of the buffer kept a step; 0 keeps no buffer.
        dampening: τ, the share of the gradient kept out of the buffer from the second step on.
        weight_decay: λ, added to the gradient as λθ.
        nesterov: look ahead by one more share of the buffer.
        maximize: ascend instead of descend.

    PyTorch differs from Sutskever et al., who carry lr inside the velocity (v = μv - αg): the two
    agree while lr is constant and part where it changes. The buffer starts as the first gradient,
    which is not dampened.

    A sparse gradient is as good as a dense one; PyTorch keeps a sparse buffer of it, of all entries so far.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording. Like PyTorch's, a
            comparison with NaN refuses nothing.
        TypeError: for a hyperparameter that is no number.
        RuntimeError: for weight decay with a sparse gradient.

    Source: torch.optim.SGD 2.13; Sutskever, Martens, Dahl and Hinton, ICML 2013, equations 1 to 4.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch, "fused": fused}
    STATE = {"momentum_buffer": Entry("buf", start=None, when="momentum")}
    SPARSE = "whole"

    def __init__(
        self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, *, maximize=False
    ):
        check_numbers(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay)
        check_hyperparameter(not lr < 0.0, f"Invalid learning rate: {lr}")
        check_hyperparameter(not momentum < 0.0, f"Invalid momentum value: {momentum}")
        check_hyperparameter(not weight_decay < 0.0, f"Invalid weight_decay value: {weight_decay}")
        check_hyperparameter(
            not (nesterov and (momentum <= 0 or dampening != 0)),
            "Nesterov momentum requires a momentum and zero dampening",
        )
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def check_layout(self, grad) -> None:
        super().check_layout(grad)
        if isinstance(grad, Sparse) and self.hyperparameters["weight_decay"]:
            raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
