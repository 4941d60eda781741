"""AdamW: Adam whose weight decay shrinks the parameter and stays out of the moments."""

from reference.optim import adam
from reference.optim.adam import Adam, fused, paper, pytorch

__all__ = ["EQUATIONS", "AdamW", "fused", "paper", "pytorch"]

EQUATIONS = adam.EQUATIONS | {
    "d": r"d_t = g_t",
    "decayed": r"\theta'_t = \theta_{t-1} - \alpha\lambda\,\theta_{t-1}",
}


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter).

    The formula is Adam's (`reference.optim.adam`) on the gradient alone, from a parameter that is
    first shrunk by αλθ.

    Arguments:
        params, lr, betas, eps, amsgrad, maximize: as in Adam.
        weight_decay: λ, per unit of lr: a step takes the share lr·λ off each parameter.

    PyTorch differs from the paper, and this class follows it: Algorithm 2 multiplies λ by a schedule
    only, never by α, so the paper's λ is PyTorch's lr·λ.

    Raises:
        ValueError: for a hyperparameter out of range, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Loshchilov and Hutter, arXiv:1711.05101v3, Algorithm 2; torch.optim.AdamW 2.13.
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *, maximize=False
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)
