"""Batch normalisation: every channel to mean 0 and variance 1 over the batch, then scaled and shifted."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula, Layer, check_dtype

EQUATIONS = {
    "mu": r"\mu = \tfrac1m \sum_i x_i",
    "centred": r"c_i = x_i - \mu",
    "var": r"\sigma^2 = \tfrac1m \sum_i c_i^2",
    "sigma": r"\sigma_\epsilon = \sqrt{\sigma^2 + \epsilon}",
    "x_hat": r"\hat x_i = c_i / \sigma_\epsilon",
    "invstd": r"\iota = 1 / \sqrt{\sigma^2 + \epsilon}",
    "linear": r"a = \iota\,\gamma",
    "constant": r"b = \beta - \mu\,a",
    "y": r"y_i = \gamma\,\hat x_i + \beta",
    "share": r"\alpha = \text{momentum, or } 1/t \text{ for a cumulative average}",
    "unbiased": r"s^2 = \tfrac{m}{m-1}\,\sigma^2",
    "running_mean": r"\bar\mu_t = (1 - \alpha)\,\bar\mu_{t-1} + \alpha\,\mu",
    "running_var": r"\bar\sigma^2_t = (1 - \alpha)\,\bar\sigma^2_{t-1} + \alpha\,s^2",
    "num_batches_tracked": r"t \leftarrow t + 1",
    "dbeta": r"\partial\beta = \sum_i \partial y_i",
    "dot": r"d = \sum_i c_i\,\partial y_i",
    "dgamma": r"\partial\gamma = \sum_i \partial y_i\,\hat x_i",
    "slope": r"k = d\,\iota^2 / m",
    "dy_mean": r"\overline{\partial y} = \tfrac1m \sum_i \partial y_i",
    "dx_hat": r"\partial\hat x_i = \gamma\,\partial y_i",
    "dvar": r"\partial\sigma^2 = -\tfrac12\,\sigma_\epsilon^{-3} \sum_i \partial\hat x_i\,c_i",
    "dmu": r"\partial\mu = -\sigma_\epsilon^{-1} \sum_i \partial\hat x_i - \partial\sigma^2\,\tfrac2m \sum_i c_i",
    "dx": r"\partial x_i = \partial\hat x_i / \sigma_\epsilon + \tfrac1m (2\,\partial\sigma^2\,c_i + \partial\mu)",
}


class Paper(NamedTuple):
    mu: Any
    centred: Any
    var: Any
    sigma: Any
    x_hat: Any
    y: Any
    share: Any
    unbiased: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any


class PaperBackward(NamedTuple):
    dbeta: Any
    dgamma: Any
    dx_hat: Any
    dvar: Any
    dmu: Any
    dx: Any


class PyTorch(NamedTuple):
    mu: Any
    var: Any
    invstd: Any
    linear: Any
    constant: Any
    y: Any
    share: Any
    unbiased: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any


class PyTorchBackward(NamedTuple):
    dbeta: Any
    dot: Any
    dgamma: Any
    slope: Any
    dy_mean: Any
    dx: Any


def paper(
    x,
    weight: Any = None,
    bias: Any = None,
    running_mean: Any = None,
    running_var: Any = None,
    num_batches_tracked: Any = None,
    *,
    eps,
    momentum,
    track_running_stats,
    training,
):
    """Forward in the order of the paper (arXiv:1502.03167v3, Algorithm 1)."""
    axes = (0, *range(2, x.ndim))
    column = (1, -1, *(1 for _ in axes[1:]))
    m = x.size // x.shape[1]
    of_batch = training or not track_running_stats
    tracked = training and track_running_stats
    gamma = 1.0 if weight is None else weight.reshape(*column)
    beta = 0.0 if bias is None else bias.reshape(*column)
    mu = x.mean(axis=axes, keepdims=True) if of_batch else running_mean.reshape(*column)
    centred = x - mu
    var = (centred * centred).mean(axis=axes, keepdims=True) if of_batch else running_var.reshape(*column)
    sigma = np.sqrt(var + eps)
    x_hat = centred / sigma
    y = gamma * x_hat + beta
    num_batches_tracked = num_batches_tracked + 1 if tracked else num_batches_tracked
    share = momentum if momentum is not None else 1 / num_batches_tracked if tracked else 0.0
    unbiased = var * (m / (m - 1)) if tracked else var
    running_mean = (1 - share) * running_mean + share * mu.reshape(-1) if tracked else running_mean
    running_var = (1 - share) * running_var + share * unbiased.reshape(-1) if tracked else running_var
    return Paper(mu, centred, var, sigma, x_hat, y, share, unbiased, running_mean, running_var, num_batches_tracked)


def paper_backward(dy, lines, x, weight: Any = None, *, track_running_stats, training):
    """Backward as in section 3 of the paper; in evaluation mean and variance are constants."""
    axes = (0, *range(2, x.ndim))
    m = x.size // x.shape[1]
    of_batch = training or not track_running_stats
    gamma = 1.0 if weight is None else weight.reshape(*lines.mu.shape)
    dbeta = dy.sum(axis=axes)
    dgamma = (dy * lines.x_hat).sum(axis=axes)
    dx_hat = dy * gamma
    dvar = (dx_hat * lines.centred).sum(axis=axes, keepdims=True) * -0.5 / lines.sigma**3 if of_batch else 0.0
    dmu = (
        -dx_hat.sum(axis=axes, keepdims=True) / lines.sigma - dvar * 2 * lines.centred.sum(axis=axes, keepdims=True) / m
        if of_batch
        else 0.0
    )
    dx = dx_hat / lines.sigma + dvar * 2 * lines.centred / m + dmu / m if of_batch else dx_hat / lines.sigma
    return PaperBackward(dbeta, dgamma, dx_hat, dvar, dmu, dx)


def pytorch(
    x,
    weight: Any = None,
    bias: Any = None,
    running_mean: Any = None,
    running_var: Any = None,
    num_batches_tracked: Any = None,
    *,
    eps,
    momentum,
    track_running_stats,
    training,
    ops=PLAIN,
):
    """Forward as native_batch_norm on the CPU (Normalization.cpp, batch_norm_kernel.cpp, 2.13)."""
    column = (1, -1, *(1 for _ in range(2, x.ndim)))
    m = x.size // x.shape[1]
    of_batch = training or not track_running_stats
    tracked = training and track_running_stats
    mu = ops.narrow(ops.channel_sum(x) / m, x) if of_batch else running_mean
    centred = x - mu.reshape(*column)
    square = ops.narrow(ops.channel_square(centred), x) if of_batch else None
    var = ops.div(square, m) if of_batch else running_var
    invstd = ops.narrow(1 / np.sqrt(ops.wide(var) + eps), x) if of_batch else 1 / np.sqrt(ops.add(var, eps))
    linear = invstd if weight is None else ops.mul(invstd, weight)
    constant = ops.fma(-mu, linear, 0.0 if bias is None else bias)
    y = ops.fma(x, linear.reshape(*column), constant.reshape(*column))
    num_batches_tracked = num_batches_tracked + 1 if tracked else num_batches_tracked
    average = momentum if momentum is not None else 1 / num_batches_tracked if tracked else 0.0
    share = ops.narrow(average, x)
    unbiased = ops.div(square, m - 1) if tracked else var
    running_mean = ops.mul(mu, share) + ops.mul(running_mean, 1 - share) if tracked else running_mean
    kept = ops.mul(running_var, 1 - share) if tracked else running_var
    running_var = ops.narrow(ops.wide(unbiased) * ops.wide(share) + ops.wide(kept), x) if tracked else running_var
    return PyTorch(
        mu, var, invstd, linear, constant, y, share, unbiased, running_mean, running_var, num_batches_tracked
    )


def pytorch_backward(dy, lines, x, weight: Any = None, *, eps, track_running_stats, training, ops=PLAIN):
    """Backward as native_batch_norm_backward on the CPU (batch_norm_kernel.cpp, 2.13)."""
    column = (1, -1, *(1 for _ in range(2, x.ndim)))
    m = x.size // x.shape[1]
    of_batch = training or not track_running_stats
    # in evaluation the root is taken again, this time in double
    invstd = lines.invstd if of_batch else ops.narrow(1 / np.sqrt(ops.wide(lines.var) + eps), x)
    centred = x - lines.mu.reshape(*column)
    total = ops.channel_grad_sum(dy)
    dbeta = ops.narrow(total, x)
    dot = ops.channel_grad_dot(centred, dy)
    dgamma = ops.narrow(dot * invstd, x)
    slope = ops.div(ops.mul(ops.mul(ops.narrow(dot, x), invstd), invstd), m)
    dy_mean = ops.narrow(total / m, x)
    less = ops.minus_product(dy - dy_mean.reshape(*column), centred, slope.reshape(*column)) if of_batch else dy
    unscaled = ops.mul(less, invstd.reshape(*column))
    dx = unscaled if weight is None else ops.mul(unscaled, weight.reshape(*column))
    return PyTorchBackward(dbeta, dot, dgamma, slope, dy_mean, dx)


class BatchNorm(Layer):
    """Batch normalisation of (n, c), (n, c, l) or (n, c, h, w); the formula is `EQUATIONS`.

    Arguments:
        num_features: c, the number of channels.
        eps: ε, added to the variance.
        momentum: α, the share of the new batch in the running statistics; None averages all batches
            alike, 1/t for the t-th.
        affine: whether there are γ (`weight`, from ones) and β (`bias`, from zeros).
        track_running_stats: whether there are running statistics; without them evaluation, too,
            normalises with the batch's own.
        dtype: of parameters and running statistics, float32 or float64.

    The batch is normalised with its biased variance; the running variance takes the unbiased one.

    PyTorch differs in the order of operations: it folds the normalisation into one line, y = a·x + b, with
    a = γ/√(σ² + ε) and b = β - μa, and takes the root in double. For a large mean b is large, and so
    is the rounding. Its sums over the batch depend on the shape and on the number of threads.

    Raises:
        ValueError: for inputs of another rank, or in training with one value a channel, with PyTorch's wording.
        RuntimeError: for other channels, with PyTorch's wording, and for another dtype.

    Source: Ioffe and Szegedy, arXiv:1502.03167v3, Algorithm 1 and section 3; torch.nn.BatchNorm1d and
    BatchNorm2d 2.13.
    """

    RANKS: ClassVar[tuple[int, ...]] = (2, 3, 4)
    ORDERS = {"paper": Formula(paper, paper_backward), "pytorch": Formula(pytorch, pytorch_backward)}
    # PyTorch's a·x + (β - μa) has the error of a twice, once at x and once at μ, and it cancels but for
    # a's share of x - μ, which the paper's order has; an error bound that runs along cannot see that.
    ALLOWS = ("paper",)
    SETTINGS = ("eps", "momentum", "track_running_stats")
    num_features: int
    GRADS = {"weight": "dgamma", "bias": "dbeta"}
    BUFFERS = {
        "running_mean": "running_mean",
        "running_var": "running_var",
        "num_batches_tracked": "num_batches_tracked",
    }

    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, *, dtype=np.float32
    ):
        super().__init__(
            num_features=num_features,
            eps=eps,
            momentum=momentum,
            affine=affine,
            track_running_stats=track_running_stats,
        )
        if affine:
            self.params = {"weight": np.ones(num_features, dtype), "bias": np.zeros(num_features, dtype)}
        if track_running_stats:
            zero, one = np.zeros(num_features, dtype), np.ones(num_features, dtype)
            self.buffers = {"running_mean": zero, "running_var": one, "num_batches_tracked": np.array(0)}

    def arguments(self, params=None, buffers=None, **replaced):
        arguments = super().arguments(params, buffers, **replaced)
        count = arguments["num_batches_tracked"]
        return arguments | {"num_batches_tracked": None if count is None else int(count)}

    def accepted(self, inputs):
        (x,) = inputs
        if x.ndim not in self.RANKS:
            raise ValueError(f"expected {' or '.join(f'{rank}D' for rank in self.RANKS)} input (got {x.ndim}D input)")
        if x.shape[1] != self.num_features:
            name = "running_mean" if self.buffers else "weight"
            raise RuntimeError(f"{name} should contain {x.shape[1]} elements not {self.num_features}")
        if (self.training or not self.buffers) and x.size == x.shape[1]:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size torch.Size({list(x.shape)})"
            )
        check_dtype(x, self.params)
        return inputs


class BatchNorm1d(BatchNorm):
    """`BatchNorm` of (n, c) or (n, c, l), as torch.nn.BatchNorm1d 2.13."""

    RANKS = (2, 3)


class BatchNorm2d(BatchNorm):
    """`BatchNorm` of images (n, c, h, w), as torch.nn.BatchNorm2d 2.13."""

    RANKS = (4,)
