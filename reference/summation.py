"""Sums in the order in which PyTorch's CPU kernels take the terms, on as many threads.

Floating-point addition is not associative, so a sum is another number in another order. The kernels keep
several running sums (one a lane of their vectors, four vectors side by side, one a thread) and add those up at
the end; long runs are cut into chunks whose sums are added up in turn.
Source: aten/src/ATen/native/cpu/SumKernel.cpp, batch_norm_kernel.cpp, native/LossNLL.cpp,
cpu/vec/functional_base.h (2.13); what the compiler fuses and the limits below were measured.
"""

from collections.abc import Collection, Mapping

import numpy as np

from reference.arithmetic import VECTOR, Arithmetic

NARROW = 16  # so many channels of few samples are added up as one thread would
GRAIN = 32_768  # terms for which at::parallel_for starts another thread
SIDE_BY_SIDE = 4  # running sums that hide the latency of an addition


def one_by_one(x, total=0.0):
    """total + x[0] + x[1] + …, rounded to the dtype of x after each."""
    start = np.broadcast_to(np.asarray(total, x.dtype), x.shape[1:])
    return np.add.accumulate(np.concatenate([start[None], x]), axis=0)[-1]


def shares(count: int, threads: int, grain: int):
    """The stretches of `count` items that at::parallel_for gives its threads."""
    busy = min(threads, -(-count // grain)) if grain else threads
    stretch = -(-count // max(busy, 1))
    return [slice(begin, begin + stretch) for begin in range(0, count, max(stretch, 1))]


def cascade(x, levels: int = 4, first=0.0, count: int | None = None):
    """first + Σ x along axis 0: sums of chunks, sums of as many of those, and so on, the last without end.

    `count` terms, all of x by default, decide on the length of a chunk.
    """
    digits = ((len(x) if count is None else count) - 1).bit_length()
    power = max(4, digits // levels)
    step = 1 << power
    left_over, terms = [], x
    for _ in range(levels - 1):
        whole = len(terms) // step * step
        left_over.append(one_by_one(terms[whole:]))
        chunks = terms[:whole].reshape(whole // step, step, *x.shape[1:])
        terms = one_by_one(np.moveaxis(chunks, 1, 0))
    left_over.append(one_by_one(terms, first))
    return one_by_one(np.stack(left_over[1:]), left_over[0])


def side_by_side(x):
    """Σ x along axis 0 in four cascades, the terms dealt out in turn."""
    whole = len(x) // SIDE_BY_SIDE * SIDE_BY_SIDE
    partial = cascade(x[:whole].reshape(whole // SIDE_BY_SIDE, SIDE_BY_SIDE, *x.shape[1:]))
    return one_by_one(partial[1:], one_by_one(x[whole:], partial[0]))


def contiguous(x, lanes: int):
    """Σ x along the last axis, whole vectors of `lanes` first; what is left over comes before the lanes."""
    rows, length = x.reshape(-1, x.shape[-1]), x.shape[-1]
    if length < lanes:
        return side_by_side(rows.T).reshape(x.shape[:-1])
    whole = length // lanes * lanes
    vectors = np.moveaxis(rows[:, :whole].reshape(len(rows), -1, lanes), 1, 0)
    left_over = one_by_one(rows[:, whole:].T)
    return one_by_one(side_by_side(vectors).T, left_over).reshape(x.shape[:-1])


def across(x, lanes: int):
    """Σ x of (n, c) along the first axis: columns in groups of four vectors in one cascade, the others in four."""
    columns = x.shape[1]
    group = SIDE_BY_SIDE * lanes if columns >= lanes else SIDE_BY_SIDE
    grouped = columns // group * group
    return np.concatenate([cascade(x[:, :grouped]), side_by_side(x[:, grouped:])])


def total(x, axis, lanes: int, threads: int):
    """torch.sum over all elements (None), the first or the last axis of a contiguous array.

    Raises:
        NotImplementedError: for an axis between, whose order depends on all strides.
    """
    axis = None if axis is None or x.ndim <= 1 else axis % x.ndim
    if axis is None or x.size == x.shape[axis]:
        shape = () if axis is None else np.delete(x.shape, axis)
        return of_all(np.ascontiguousarray(x).reshape(-1), lanes, threads).reshape(shape)
    if axis == x.ndim - 1:
        return contiguous(np.ascontiguousarray(x), lanes)
    if axis == 0:
        return across(np.ascontiguousarray(x).reshape(len(x), -1), lanes).reshape(x.shape[1:])
    raise NotImplementedError(f"the order of a sum along axis {axis} of {x.ndim}")


def of_all(x, lanes: int, threads: int):
    """Σ x of an array in one dimension, from `GRAIN` terms on with each thread its share."""
    if len(x) < GRAIN or threads == 1:
        return contiguous(x, lanes)
    partial = np.zeros(threads, x.dtype)
    for thread, share in enumerate(shares(len(x), threads, GRAIN)):
        partial[thread] = contiguous(x[share], lanes)
    return contiguous(partial, lanes)


def of_losses(x):
    """Σ x of `nll_loss`: a cascade of eight levels, the last of which starts with the first loss."""
    return cascade(x[1:], 8, x[0], len(x)) if len(x) else one_by_one(x)


def of_squares(x, lanes: int, fma):
    """Σ x² of `vector_norm`: lanes, one by one; what is left over in groups of four, and only the last few fused."""
    whole = len(x) // lanes * lanes
    total = one_by_one(one_by_one((x[:whole] * x[:whole]).reshape(-1, lanes)))
    grouped = whole + (len(x) - whole) // SIDE_BY_SIDE * SIDE_BY_SIDE
    total = one_by_one(x[whole:grouped] * x[whole:grouped], total)
    for number in x[grouped:]:
        total = fma(number, number, total)
    return total


def of_powers(x, p, threads: int):
    """Σ |x|ᵖ of `vector_norm`, one by one, from `GRAIN` terms on with each thread its share; p other than 2."""
    powers = abs(x) if p == 1 else np.array([number**p for number in abs(x)], x.dtype) if p else abs(np.sign(x))
    if len(x) < GRAIN:
        return one_by_one(powers)
    return one_by_one(np.stack([one_by_one(powers[share]) for share in shares(len(x), threads, GRAIN)]))


def in_lanes(x, y, lanes: int, fma, halves: bool):
    """Σ x·y along the last axis, y None for 1: lane by lane, then the lanes by halves or one by one.

    What is left over after whole vectors goes into the first lanes, and only its products are fused.
    """
    terms = np.moveaxis(x if y is None else x * y, -1, 0)
    if len(terms) < lanes:
        return one_by_one(terms[1:], terms[0])
    whole = len(terms) // lanes * lanes
    vectors = terms[:whole].reshape(whole // lanes, lanes, *terms.shape[1:])
    running = one_by_one(vectors[1:], vectors[0])
    some = slice(len(terms) - whole)
    if y is None:
        running[some] = running[some] + terms[whole:]
    else:
        running[some] = fma(np.moveaxis(x, -1, 0)[whole:], np.moveaxis(y, -1, 0)[whole:], running[some])
    while halves and len(running) > 1:
        running = running[: len(running) // 2] + running[len(running) // 2 :]
    return one_by_one(running[1:], running[0])


def of_rows(x, y, threads: int, fma):
    """Σ x·y of (n, c) along the first axis, y None for 1: each thread its share of rows, those sums in double."""
    partial = [
        one_by_one(x[share]) if y is None else of_products(x[share], y[share], fma)
        for share in shares(len(x), threads, 1)
    ]
    return one_by_one(np.stack(partial).astype(np.float64))


def of_products(x, y, fma):
    """Σ x·y along the first axis, product by product, each added by `fma`.

    In float32 the sums are guessed, by way of double, and all held against `fma` at once: where each is what it makes
    of the sum before, they are what it makes one by one.
    """
    sums = np.zeros((len(x) + 1, *x.shape[1:]), x.dtype)
    if x.dtype == np.float32:
        with np.errstate(all="ignore"):
            for n, product in enumerate(np.multiply(x, y, dtype=np.float64)):
                np.add(product, sums[n], out=sums[n + 1], casting="same_kind")
        if sums[1:].tobytes() == fma(x, y, sums[:-1]).tobytes():
            return sums[-1]
    for n, (a, b) in enumerate(zip(x, y, strict=True)):
        sums[n + 1] = fma(a, b, sums[n])
    return sums[-1]


def in_pairs(x, y, fma, start):
    """start + Σ x·y along the first axis in double, y None for 1; an odd last product of doubles is fused."""
    terms = (x if y is None else x * y).astype(np.float64)
    if y is None or x.dtype == np.float32 or len(x) % 2 == 0:
        return one_by_one(terms, start)
    return fma(x[-1], y[-1], one_by_one(terms[:-1], start))


def by_channel(x):
    """(n, c, …) as (n·…, c)."""
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


class Ordered(Arithmetic):
    """Adds up in the order of PyTorch's kernels, accumulating in double where they do; multiplies plainly.

    Exchange `fma` and whatever else contracts: `Ordered(threads).replacing(fma=FUSED.fma, …)`.

    Arguments:
        threads: as `torch.get_num_threads()`.
        lanes: kernel ("sum", "row_sum", "channel") to dtype to how many running sums a vector holds.
        halves: the kernels that add a float32 vector's lanes by halves, not one by one.
    """

    def __init__(
        self,
        threads: int = 1,
        lanes: Mapping[str, Mapping[str, int]] = {"sum": VECTOR, "row_sum": VECTOR, "channel": VECTOR},
        halves: Collection[str] = ("row_sum", "channel"),
    ):
        self.threads, self.lanes, self.halves = threads, lanes, halves

    def wide(self, x):
        return np.asarray(x, np.float64)

    def narrow(self, x, like):
        return np.asarray(x).astype(like.dtype)[()]

    def sum(self, x, axis=None):
        return total(x, axis, self.lanes["sum"][x.dtype.name], self.threads)[()]

    def norm(self, x, p=2, axis=None):
        if axis is not None:
            return super().norm(x, p, axis)
        x, one, p = np.ravel(x), x.dtype.type(1), x.dtype.type(p)
        if np.isinf(p) or not x.size:
            return np.linalg.norm(x, p)
        if len(x) == 1 and p:
            return abs(x[0])
        if p == 2:
            return np.sqrt(of_squares(x, VECTOR[x.dtype.name], self.fma))
        total = of_powers(x, p, self.threads)
        return total ** (one / p) if p and p != 1 else total

    def row_sum(self, x):
        return self.along("row_sum", x)[..., None]

    def loss_sum(self, x):
        return of_losses(x)

    def channel_sum(self, x):
        return self.of_channels(x, None) if has_planes(x) else self.of_samples(x, None)

    def channel_square(self, x):
        return self.of_channels(x, x) if has_planes(x) else self.of_samples(x, x)

    def channel_grad_sum(self, x):
        return self.of_planes(x, None) if has_planes(x) else self.narrow(self.of_shares(x, None), x)

    def channel_grad_dot(self, x, y):
        return self.of_planes(x, y) if has_planes(x) else self.narrow(self.of_shares(x, y), x)

    def along(self, kernel: str, x, y=None):
        """Σ x·y along the last axis in the lanes of `kernel`."""
        halves = kernel in self.halves and x.dtype == np.float32
        return in_lanes(x, y, self.lanes[kernel][x.dtype.name], self.fma, halves)

    def of_channels(self, x, y):
        """Σ x·y for each channel of images, number by number in double."""
        planes = [np.moveaxis(array.reshape(*x.shape[:2], -1), 1, 2) for array in (x, x if y is None else y)]
        running = np.zeros(x.shape[1])
        for a, b in zip(*planes, strict=True):
            running = in_pairs(a, None if y is None else b, self.fma, running)
        return running

    def of_planes(self, x, y):
        """Σ x·y for each channel of images: an image's plane in lanes, the planes in double."""
        planes = (None if array is None else array.reshape(*x.shape[:2], -1) for array in (x, y))
        return one_by_one(self.along("channel", *planes).astype(np.float64))

    def of_shares(self, x, y):
        """Σ x·y for each channel of samples, each thread its share of them."""
        return of_rows(by_channel(x), None if y is None else by_channel(y), self.threads, self.fma)

    def of_samples(self, x, y):
        """Likewise in the forward kernel, which leaves no more samples than threads to one of them."""
        rows, others = by_channel(x), None if y is None else by_channel(y)
        if len(rows) > self.threads:
            return of_rows(rows, others, self.threads, self.fma)
        if rows.shape[1] <= NARROW:
            return of_rows(rows, others, 1, self.fma)
        return in_pairs(rows, others, self.fma, 0.0)


def has_planes(x) -> bool:
    """Whether a sample has more than one number a channel: those are summed another way."""
    return x.ndim > 2 and x.size > x.shape[0] * x.shape[1]
