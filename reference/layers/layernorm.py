"""Layer normalisation: every sample to mean 0 and variance 1 over its own numbers, then scaled and shifted."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN
from reference.layers.layer import Formula, Layer, check_dtype
from reference.summation import one_by_one, shares

EQUATIONS = {
    "mu": r"\mu = \tfrac1n \sum_j x_j",
    "centred": r"c_j = x_j - \mu",
    "var": r"\sigma^2 = \tfrac1n \sum_j c_j^2",
    "sigma": r"\sigma_\epsilon = \sqrt{\sigma^2 + \epsilon}",
    "rstd": r"\iota = 1 / \sqrt{\sigma^2 + \epsilon}",
    "x_hat": r"\hat x_j = c_j / \sigma_\epsilon",
    "y": r"y_j = \gamma_j\,\hat x_j + \beta_j",
    "dbeta": r"\partial\beta_j = \sum_i \partial y_{ij}",
    "dgamma": r"\partial\gamma_j = \sum_i \partial y_{ij}\,\hat x_{ij}",
    "dx_hat": r"\partial\hat x_j = \gamma_j\,\partial y_j",
    "along_one": r"g = \tfrac1n \sum_j \partial\hat x_j",
    "along_x_hat": r"h = \tfrac1n \sum_j \partial\hat x_j\,\hat x_j",
    "ds": r"d_s = \sum_j \gamma_j\,\partial y_j\,x_j",
    "db": r"d_b = \sum_j \gamma_j\,\partial y_j",
    "slope": r"b = (d_b\,\mu - d_s)\,\iota^3 / n",
    "constant": r"c = -b\,\mu - d_b\,\iota / n",
    "dx": r"\partial x_j = (\partial\hat x_j - g - h\,\hat x_j) / \sigma_\epsilon",
}


class Paper(NamedTuple):
    mu: Any
    centred: Any
    var: Any
    sigma: Any
    x_hat: Any
    y: Any


class PaperBackward(NamedTuple):
    dbeta: Any
    dgamma: Any
    dx_hat: Any
    along_one: Any
    along_x_hat: Any
    dx: Any


class PyTorch(NamedTuple):
    mu: Any
    var: Any
    rstd: Any
    x_hat: Any
    y: Any


class PyTorchBackward(NamedTuple):
    dbeta: Any
    dgamma: Any
    ds: Any
    db: Any
    slope: Any
    constant: Any
    dx: Any


def paper(x, weight: Any = None, bias: Any = None, *, normalized_shape, eps, training):
    """Forward in the order of the paper (arXiv:1607.06450v1, equations 3 and 4)."""
    axes = tuple(range(-len(normalized_shape), 0))
    gamma = 1.0 if weight is None else weight
    beta = 0.0 if bias is None else bias
    mu = x.mean(axis=axes, keepdims=True)
    centred = x - mu
    var = (centred * centred).mean(axis=axes, keepdims=True)
    sigma = np.sqrt(var + eps)
    x_hat = centred / sigma
    y = gamma * x_hat + beta
    return Paper(mu, centred, var, sigma, x_hat, y)


def paper_backward(dy, lines, x, weight: Any = None, *, normalized_shape, training):
    """Backward: what of ∂x̂ lies along 1 and along x̂ moves neither the mean nor the variance, and is taken away."""
    axes = tuple(range(-len(normalized_shape), 0))
    gamma = 1.0 if weight is None else weight
    dbeta = dy.reshape(-1, *normalized_shape).sum(axis=0)
    dgamma = (dy * lines.x_hat).reshape(-1, *normalized_shape).sum(axis=0)
    dx_hat = dy * gamma
    along_one = dx_hat.mean(axis=axes, keepdims=True)
    along_x_hat = (dx_hat * lines.x_hat).mean(axis=axes, keepdims=True)
    dx = (dx_hat - along_one - along_x_hat * lines.x_hat) / lines.sigma
    return PaperBackward(dbeta, dgamma, dx_hat, along_one, along_x_hat, dx)


def pytorch(x, weight: Any = None, bias: Any = None, *, normalized_shape, eps, training, ops=PLAIN):
    """Forward as native_layer_norm on the CPU (layer_norm_kernel.cpp, moments_utils.h, 2.13)."""
    n = int(np.prod(normalized_shape))
    rows = x.reshape(1, x.size // n, n)
    gamma = 1.0 if weight is None else weight.reshape(n)
    beta = 0.0 if bias is None else bias.reshape(n)
    mu = mean_of(rows, ops)
    var = variance_of(rows, ops)
    rstd = 1 / np.sqrt(var + eps)
    x_hat = ops.mul(rows - mu, rstd)
    y = ops.fma(x_hat, gamma, beta).reshape(x.shape)
    return PyTorch(mu, var, rstd, x_hat, y)


def pytorch_backward(dy, lines, x, weight: Any = None, *, normalized_shape, training, ops=PLAIN):
    """Backward as native_layer_norm_backward on the CPU (layer_norm_kernel.cpp, 2.13)."""
    n = int(np.prod(normalized_shape))
    rows = x.reshape(1, x.size // n, n)
    dy_rows = dy.reshape(1, x.size // n, n)
    gamma = np.ones(rows.shape, x.dtype) * (1.0 if weight is None else weight.reshape(n))
    dbeta = over_rows(dy_rows, None, ops).reshape(normalized_shape)
    dgamma = over_rows(dy_rows, ops.fma(lines.rstd, rows, -lines.rstd * lines.mu), ops).reshape(normalized_shape)
    terms = dy_rows if weight is None else ops.mul(dy_rows, rows)
    ds = row_of(ops.channel_grad_dot(terms, rows if weight is None else gamma), x, ops)
    db = row_of(ops.channel_grad_sum(dy_rows) if weight is None else ops.channel_grad_dot(dy_rows, gamma), x, ops)
    slope = ops.fma(db, lines.mu, -ds) * lines.rstd * lines.rstd * lines.rstd * ops.narrow(1 / n, x)
    constant = ops.fma(-slope, lines.mu, -(db * lines.rstd * ops.narrow(1 / n, x)))
    dx = (ops.fma(slope, rows, lines.rstd * dy_rows * gamma) + constant).reshape(x.shape)
    return PyTorchBackward(dbeta, dgamma, ds, db, slope, constant, dx)


def mean_of(rows, ops):
    """The mean of each row (1, m, n), of shape (1, m, 1)."""
    return by_welford(rows[0], ops)[0].reshape(1, -1, 1) if ordered(ops) else rows.mean(axis=-1, keepdims=True)


def variance_of(rows, ops):
    """The mean square of each row (1, m, n) around its mean, of shape (1, m, 1)."""
    return by_welford(rows[0], ops)[1].reshape(1, -1, 1) if ordered(ops) else mean_square(rows, mean_of(rows, ops))


def mean_square(rows, mu):
    return ((rows - mu) * (rows - mu)).mean(axis=-1, keepdims=True)


def row_of(sums, like, ops):
    """Sums of rows (m,), perhaps wide, as (1, m, 1)."""
    return ops.narrow(sums, like).reshape(1, -1, 1)


def over_rows(rows, others, ops):
    """Σ rows·others of (1, m, n) along the rows, `others` None for 1: of (n,)."""
    return (
        in_shares(rows[0], others, ops)
        if ordered(ops)
        else (rows if others is None else rows * others).sum(axis=(0, 1))
    )


def ordered(ops) -> bool:
    """Whether sums are taken in the order of PyTorch's kernels: an arithmetic that does has lanes and threads."""
    return hasattr(ops, "lanes")


def in_shares(rows, others, ops):
    """Each thread its share of the rows, and those sums one after the other."""
    partial = []
    for share in shares(len(rows), ops.threads, 1):
        running = np.zeros(rows.shape[1], rows.dtype)
        for number in range(len(rows))[share]:
            running = running + rows[number] if others is None else ops.fma(rows[number], others[0, number], running)
        partial.append(running)
    return one_by_one(np.stack(partial)) if partial else np.zeros(rows.shape[1], rows.dtype)


CHUNK = 16  # vectors of which the moments are taken one after the other


def by_welford(rows, ops):
    """Mean and variance of each row of (m, n): Welford's, of lanes and in chunks, which are merged pairwise.

    A vector's lanes round a product and a sum once; what is left over after whole vectors goes before the lanes, and
    rounds both (`RowwiseMoments`).
    """
    number = rows.dtype.type
    lanes = ops.lanes["channel"][rows.dtype.name]
    vectors = rows.shape[1] // lanes
    zero = np.zeros((len(rows), lanes), number)
    levels = [(0, zero, zero)] * max(1, (-(-vectors // CHUNK) - 1).bit_length())
    for chunk, begin in enumerate(range(0, vectors, CHUNK), 1):
        mean, square = zero, zero
        count = min(CHUNK, vectors - begin)
        for place in range(count):
            x = rows[:, (begin + place) * lanes : (begin + place + 1) * lanes]
            delta = x - mean
            mean = ops.fma(delta, 1 / number(place + 1), mean)
            square = ops.fma(delta, x - mean, square)
        levels[0] = merged_vectors((count, mean, square), levels[0], ops)
        level = 1
        while level < len(levels) and chunk % 2**level == 0:
            levels[level] = merged_vectors(levels[level - 1], levels[level], ops)
            levels[level - 1] = (0, zero, zero)
            level += 1
    for level in levels[1:]:
        levels[0] = merged_vectors(level, levels[0], ops)
    _, means, squares = levels[0]
    whole = (0, zero[:, 0], zero[:, 0])
    for x in rows[:, vectors * lanes :].T:
        whole = one_more(x, *whole)
    for lane in range(lanes):
        whole = merged((vectors, means[:, lane], squares[:, lane]), whole, ops)
    return whole[1], whole[2] / number(rows.shape[1])


def one_more(x, count, mean, square):
    """Welford's recurrence for one number more."""
    delta = x - mean
    mean = mean + delta / x.dtype.type(count + 1)
    return count + 1, mean, square + delta * (x - mean)


def part(added: int, count: int, like):
    """The share of the added numbers in all of them."""
    return like.dtype.type(added) / like.dtype.type(added + count) if added + count else like.dtype.type(0)


def merged_vectors(added, moments, ops):
    """The moments of both, lane by lane, as the compiler shares the product."""
    (count, mean, square), (total, running, squares) = added, moments
    delta = mean - running
    moved = part(count, total, delta) * delta
    return total + count, running + moved, ops.fma(delta.dtype.type(total) * delta, moved, squares + square)


def merged(added, moments, ops):
    """The moments of both, one lane after the other."""
    (count, mean, square), (total, running, squares) = added, moments
    delta = mean - running
    share = part(count, total, delta)
    return (
        total + count,
        ops.fma(share, delta, running),
        squares + ops.fma(delta * delta * share, delta.dtype.type(total), square),
    )


class LayerNorm(Layer):
    """Layer normalisation over the last axes; the formula is `EQUATIONS`, in which n numbers are a sample's.

    Arguments:
        normalized_shape: the lengths of the last axes, over which mean and variance are taken; or that of the last one.
        eps: ε, added to the variance.
        elementwise_affine: whether there is γ (`weight`, from ones) and, with it, β.
        bias: whether there is β (`bias`, from zeros).
        dtype: of the parameters, float32 or float64.

    Training and evaluation are the same. The variance is the biased one.

    PyTorch differs in the order of operations: it takes the moments by Welford's recurrence, of each lane of its
    vectors by itself and in chunks of 16, which are merged pairwise; it goes back by one line, ∂x = ι·γ·∂y + b·x + c,
    whose terms cancel where the mean is large. The sums over samples are taken a share a thread.

    Raises:
        RuntimeError: for an input of another shape, with PyTorch's wording, and of another dtype.

    Source: Ba, Kiros and Hinton, arXiv:1607.06450v1, equations 3 and 4; torch.nn.LayerNorm 2.13.
    """

    ORDERS = {"paper": Formula(paper, paper_backward), "pytorch": Formula(pytorch, pytorch_backward)}
    SETTINGS = ("normalized_shape", "eps")
    GRADS = {"weight": "dgamma", "bias": "dbeta"}
    normalized_shape: tuple[int, ...]

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, *, dtype=np.float32):
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        super().__init__(normalized_shape=shape, eps=eps, elementwise_affine=elementwise_affine, bias=bias)
        if elementwise_affine:
            self.params = {"weight": np.ones(shape, dtype)} | ({"bias": np.zeros(shape, dtype)} if bias else {})

    def arguments(self, params=None, buffers=None, **replaced):
        arguments = super().arguments(params, buffers, **replaced)
        return arguments | {name: arguments[name] for name in self.GRADS}

    def accepted(self, inputs):
        (x,) = inputs
        shape = self.normalized_shape
        if x.shape[-len(shape) :] != shape:
            wanted = "".join(f", {length}" for length in shape)
            raise RuntimeError(
                f"Given normalized_shape={list(shape)}, expected input with shape [*{wanted}], "
                f"but got input of size{list(x.shape)}"
            )
        check_dtype(x, self.params)
        return inputs
