"""PyTorch's CPU generator: from the same seed the same numbers, in NumPy.

The Mersenne Twister (Matsumoto and Nishimura 1998) is NumPy's own, seeded the same way; what PyTorch makes
of its words is written here. Both in-place names (`uniform_`) and arguments are PyTorch's.

Source: aten/src/ATen/CPUGeneratorImpl.cpp, core/TransformationHelper.h, core/DistributionsHelper.h,
native/cpu/DistributionTemplates.h, native/TensorFactories.cpp; torch/utils/data (all 2.13).
"""

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from reference import box_muller
from reference.fma import fma

# What torch.get_rng_state() holds, as the C++ struct lays it out; the words stand in 64 bits each.
STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "words", "normal", "has_normal", "normal32", "has_normal32"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<i4", "<f4", "u1"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040, 5048, 5052],
        "itemsize": 5056,
    }
)
BLOCK = 1024 * 16  # numbers that stay in the cache; a multiple of the 16 that are transformed together
INTEGRAL = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")  # what random_ fills
INSIDE_OUT_FROM = (2**32 - 1) // 20  # randperm: where 32 bits stop being enough


class Generator:
    """The counterpart of torch.Generator on the CPU, and of what draws from it.

    Arguments:
        seed: from -2**63 to 2**64 - 1; negative ones count from 2**64 down, as in PyTorch. The engine sees
            the lowest 32 bits.
        fused: whether this CPU's kernels round a·b + c once. They do, but for ATEN_CPU_CAPABILITY=default;
            `uniform_` and `normal_` with another range or scale depend on it.
        vector: whether float32 `normal_` of 16 numbers and more uses the AVX2 kernel, where it is equal to
            the bit. Without it float32 is equal to rounding only; float64 is equal to the bit either way.
        wide: the range of integers from which on one takes 64 bits (2**32 before PyTorch 2.7).

    PyTorch built with MKL on some Intel CPUs draws `bernoulli_(p)`, and so dropout, from another generator;
    everything else is the same there.

    Raises:
        ValueError: for a seed out of range, and for what PyTorch refuses, in its wording; nothing is drawn then.
        TypeError: for a dtype that PyTorch does not draw.
    """

    def __init__(self, seed: int = 67280421310721, *, fused: bool = True, vector: bool = True, wide: int = 2**28):
        self.fused, self.vector, self.wide = fused, vector, wide
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> "Generator":
        """Start again from `seed`."""
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: seed must be from -2**63 to 2**64 - 1, not {seed}")
        self.seed = int(seed) % 2**64
        self.mersenne = np.random.RandomState(self.seed % 2**32)
        self.untouched = True
        self.next_normal: float | None = None
        self.next_normal32: np.float32 | None = None
        return self

    def initial_seed(self) -> int:
        return self.seed

    # The engine

    def words(self, count: int) -> np.ndarray:
        """The next `count` words of 32 bits."""
        self.untouched = self.untouched and count == 0
        return self.mersenne.randint(0, 2**32, count, dtype=np.uint32)

    def wide_words(self, count: int) -> np.ndarray:
        """The next `count` words of 64 bits, two of the engine's each, the first one on top."""
        self.untouched = self.untouched and count == 0
        return self.mersenne.randint(0, 2**64, count, dtype=np.uint64)

    def get_state(self) -> np.ndarray:
        """The bytes that torch.Generator.set_state takes (torch.from_numpy makes them a tensor)."""
        state = np.zeros((), STATE)
        engine = self.mersenne.get_state(legacy=False)["state"]
        position = engine["pos"]
        state["seed"], state["seeded"], state["words"] = self.seed, 1, engine["key"]
        state["left"], state["next"] = (1, 0) if self.untouched else (625 - position, position)
        if self.next_normal is not None:
            state["has_normal"], state["normal"] = 1, self.next_normal
        if self.next_normal32 is not None:
            state["has_normal32"], state["normal32"] = 1, self.next_normal32
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state) -> "Generator":
        """Go on from where a generator was: bytes from `get_state` here or in PyTorch.

        Raises:
            TypeError: for anything but bytes or an array of uint8.
            ValueError: for another length, or words that no generator can be at; nothing is changed then.
        """
        if not isinstance(state, bytes | bytearray) and getattr(state, "dtype", None) != np.uint8:
            raise TypeError("RNG state must be bytes or an array of uint8")
        content = bytes(state)
        if len(content) != STATE.itemsize:
            raise ValueError(
                f"Expected a CPUGeneratorImplState of size {STATE.itemsize} "
                f"but found the input RNG state size to be {len(content)}"
            )
        parsed = np.frombuffer(content, STATE)[0]
        left, position, words = int(parsed["left"]), int(parsed["next"]), parsed["words"]
        untouched = (left, position) == (1, 0)
        if not parsed["seeded"] or not (untouched or (left + position == 625 and left >= 1 and position >= 1)):
            raise ValueError(f"Invalid mt19937 state: seeded={parsed['seeded']}, left={left}, next={position}")
        if words.max() >= 2**32:
            raise ValueError(f"Invalid mt19937 state: word {words.argmax()} is {words.max()}, more than 32 bits")
        self.seed, self.untouched = int(parsed["seed"]), untouched
        self.mersenne.set_state(("MT19937", words.astype(np.uint32), 624 if untouched else position, 0, 0.0))
        self.next_normal = float(parsed["normal"]) if parsed["has_normal"] else None
        self.next_normal32 = parsed["normal32"] if parsed["has_normal32"] else None
        return self

    # Uniform numbers

    def rand(self, *size, dtype=np.float32) -> np.ndarray:
        """Uniform in [0, 1)."""
        return self.uniform_(np.empty(shape_of(size), dtype))

    def uniform_(self, array, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Fill `array` with uniform numbers in [low, high), in the order of its memory."""
        dtype = floating(array, "uniform_")
        check_bounds(low, high, dtype)
        low, high = dtype.type(low), dtype.type(high)
        drawn = self.multiply_add(self.unit(array.size, dtype), high - low, low)
        drawn[drawn == high] = low  # a sum that was rounded up to the end it must not reach
        view = in_memory_order(array)
        view[...] = drawn.reshape(view.shape)
        return array

    def unit(self, count: int, dtype) -> np.ndarray:
        """Uniform in [0, 1): the lowest bits of a word, as many as a number of the dtype has."""
        if dtype == np.float32:
            return (self.words(count) & np.uint32(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)
        return (self.wide_words(count) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53

    def multiply_add(self, x, scale, offset):
        """x·scale + offset, as this CPU's kernels round it."""
        if scale == 1 and offset == 0:
            return x
        return fma(x, scale, offset) if self.fused else x * scale + offset

    # Yes or no

    def bernoulli(self, p, shape=None, dtype=None) -> np.ndarray:
        """1 with probability p, else 0.

        Arguments:
            p: a number, with `shape`, is drawn as Tensor.bernoulli_(p), in float32 if no dtype is given. An
                array is drawn as torch.bernoulli(p), in its own dtype, and takes half the words in float32.
            dtype: of the result; bool and integers too.
        """
        if not isinstance(p, np.ndarray):
            return self.bernoulli_(np.empty(() if shape is None else shape, dtype or np.float32), p)
        return self.bernoulli_(np.empty_like(p, dtype or p.dtype), p)

    def bernoulli_(self, array, p: float | Annotated[np.ndarray, "*shape"] = 0.5) -> np.ndarray:
        """Fill `array` with 1 with probability p (a number, or an array of its shape), else 0."""
        if isinstance(p, np.ndarray):
            dtype = floating(p, "bernoulli_ with an array p")
            p = arranged_as(array, np.broadcast_to(p, array.shape))
        else:
            dtype, p = np.dtype(np.float64), float(p)
        if not np.all((p >= 0) & (p <= 1)):
            raise ValueError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        view = in_memory_order(array)
        view[...] = self.unit(array.size, dtype).reshape(view.shape) < p
        return array

    def dropout_mask(self, p: float, shape, dtype=np.float32) -> np.ndarray:
        """1 for what F.dropout(x, p) keeps, 0 for what it drops; not scaled.

        As there, nothing is drawn when p is 0 or 1.
        """
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        return np.full(shape, 1 - p, dtype) if p in (0, 1) else self.bernoulli(1 - p, shape, dtype)

    # Integers

    def randint(self, low: int, high: int | None = None, size=(), dtype=np.int64) -> np.ndarray:
        """Integers from low to high - 1; from 0 to low - 1 where high is left out."""
        low, high = (0, low) if high is None else (low, high)
        return self.random_(np.empty(size, dtype), low, high)

    def random_(self, array, low: int | None = None, high: int | None = None) -> np.ndarray:
        """Fill `array` with integers in [low, high); without a range, all of the dtype's that are not negative."""
        dtype = array.dtype
        if dtype not in INTEGRAL:
            raise TypeError(f"random_ draws {', '.join(INTEGRAL)}; not {dtype}")
        if high is None and low is None:
            low, span, wide = 0, greatest(dtype) + 1, dtype in (np.int64, np.float64)
        else:
            low, high = (0, low or 0) if high is None else (low or 0, high)
            check_range(low, high, dtype)
            span, wide = high - low, high - low >= self.wide
        drawn = self.wide_words(array.size) if wide else self.words(array.size).astype(np.uint64)
        drawn = (drawn % np.uint64(span) + np.uint64(low % 2**64)).view(np.int64)
        view = in_memory_order(array)
        view[...] = drawn.reshape(view.shape).astype(dtype)
        return array

    def randperm(self, n: int, dtype=np.int64) -> np.ndarray:
        """The numbers from 0 to n - 1 in random order: Fisher-Yates, and inside-out from 214 748 364 numbers on."""
        if n < 0:
            raise ValueError(f"Trying to create tensor with negative dimension {n}: [{n}]")
        if n >= INSIDE_OUT_FROM:
            return self.inside_out(n, dtype)
        steps = np.arange(max(n - 1, 0))
        others = (steps + self.words(steps.size) % (n - steps)).tolist()
        order = list(range(n))
        for step, other in enumerate(others):
            order[step], order[other] = order[other], order[step]
        return np.array(order, dtype)

    def inside_out(self, n: int, dtype=np.int64) -> np.ndarray:
        """Grown by a number at a time: each takes a random place, and what was there moves to the end."""
        order = np.empty(n, dtype)
        places = order.data  # reads and writes single numbers faster than the array does
        for start in range(0, n, BLOCK):
            sizes = np.arange(start + 1, min(start + BLOCK, n) + 1, dtype=np.uint64)
            for last, place in enumerate((self.wide_words(sizes.size) % sizes).tolist(), start):
                places[last] = places[place]
                places[place] = last
        return order

    # Normal numbers

    def randn(self, *size, dtype=np.float32) -> np.ndarray:
        """Standard normal."""
        return self.normal_(np.empty(shape_of(size), dtype))

    def normal_(self, array, mean: float = 0.0, std: float = 1.0) -> np.ndarray:
        """Fill `array` with normal numbers.

        16 contiguous ones and more are drawn at once; fewer are drawn in float64, two at a time, and the one
        left over waits for the next such call.
        """
        dtype = floating(array, "normal_")
        if not std >= 0:
            raise ValueError(f"normal expects std >= 0.0, but found std {std}")
        if array.size >= 16 and array.flags.c_contiguous:
            array.reshape(-1)[...] = self.many_normals(array.size, dtype, dtype.type(mean), dtype.type(std))
        else:
            view = in_memory_order(array)
            drawn = np.array([self.one_normal() for _ in range(array.size)], np.float64)
            view[...] = self.multiply_add(drawn, np.float64(std), np.float64(mean)).reshape(view.shape)
        return array

    def many_normals(self, count: int, dtype, mean, std) -> np.ndarray:
        """In blocks of 16; where the last one is not full, the last 16 are drawn again."""
        whole = count - count % 16
        drawn = self.unit(count, dtype)
        for start in range(0, whole, BLOCK):
            block = drawn[start : min(start + BLOCK, whole)]
            block[...] = self.transformed(block, mean, std)
        if whole < count:
            drawn[-16:] = self.transformed(self.unit(16, dtype), mean, std)
        return drawn

    def transformed(self, uniforms, mean, std):
        """Normal numbers from uniform ones: of 16, the first 8 pair up with the last 8."""
        u1, u2 = uniforms.reshape(-1, 2, 8).swapaxes(0, 1)
        vector = self.vector and uniforms.dtype == np.float32
        pairs = np.stack((box_muller.vector if vector else box_muller.scalar)(u1, u2), axis=1)
        return fma(pairs, std, mean).reshape(-1)

    def one_normal(self) -> float:
        waiting, self.next_normal = self.next_normal, None
        if waiting is not None:
            return waiting
        u1, u2 = self.unit(2, np.float64).tolist()
        drawn, self.next_normal = box_muller.pair(u1, u2)
        return drawn

    # What PyTorch's modules draw

    def linear(self, in_features: int, out_features: int, bias: bool = True, dtype=np.float32):
        """The start of nn.Linear: weight [out, in] (Kaiming uniform with a = √5, He et al. 2015), then bias or None."""
        weight = np.empty((out_features, in_features), dtype)
        if weight.size:
            gain = math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))
            bound = math.sqrt(3.0) * (gain / math.sqrt(in_features))
            self.uniform_(weight, -bound, bound)
        if not bias:
            return weight, None
        bound = 1 / math.sqrt(in_features) if in_features > 0 else 0
        return weight, self.uniform_(np.empty(out_features, dtype), -bound, bound)

    def batches(
        self, n: int, batch_size: int = 1, shuffle: bool = True, drop_last: bool = False, generator=None
    ) -> Iterator[np.ndarray]:
        """The indices of each batch of one epoch of DataLoader(dataset of n, …), iterated by the main process.

        As there, the call draws the workers' seed even when there are none; with `shuffle` the first batch draws
        the seed of a generator for the order. Both come from `generator`, where DataLoader was given one, which
        then draws the order itself, and one more that nobody sees.
        """
        if batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if shuffle and n <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={n}")
        (generator or self).random_(np.empty(1, np.int64))
        return self.in_batches(n, batch_size, shuffle, drop_last, generator)

    def in_batches(self, n, batch_size, shuffle, drop_last, generator):
        order = np.arange(n)
        if shuffle:
            source = generator or Generator(int(self.random_(np.empty(1, np.int64))[0]), wide=self.wide)
            order = source.randperm(n)
        end = n - n % batch_size if drop_last else n
        for start in range(0, end, batch_size):
            if shuffle and generator and start + batch_size > n:
                generator.randperm(n)
            yield order[start : start + batch_size]
        if shuffle and generator and (drop_last or n % batch_size == 0):
            generator.randperm(n)


def shape_of(size) -> tuple[int, ...]:
    """rand(2, 3) and rand((2, 3)) are the same."""
    return tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int | np.integer) else size


def floating(array, name: str) -> np.dtype:
    dtype = np.dtype(array.dtype)
    if dtype.type not in (np.float32, np.float64):
        raise TypeError(f"{name} draws float32 and float64, not {dtype}")
    return dtype


def check_bounds(low: float, high: float, dtype) -> None:
    largest = float(np.finfo(dtype).max)
    for name, bound in (("from", low), ("to", high)):
        if not abs(bound) <= largest:
            raise ValueError(f"{name} is out of bounds for {dtype}: {bound}")
    if not low <= high:
        raise ValueError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
    if not high - low <= largest:
        raise ValueError(f"uniform_ expects to-from <= {largest}, but found to={high} and from={low}")


def in_memory_order(array):
    """A view of `array` whose elements come in the order in which they lie in memory, as PyTorch fills them."""
    return array.transpose(memory_axes(array))


def arranged_as(array, other):
    return other.transpose(memory_axes(array))


def memory_axes(array):
    return sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))


def greatest(dtype) -> int:
    """The largest integer of the dtype; of a floating-point one, up to which it has all of them."""
    if dtype == np.bool_:
        return 1
    return 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else int(np.iinfo(dtype).max)


def check_range(low: int, high: int, dtype) -> None:
    if not low < high:
        raise ValueError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    highest = greatest(dtype)
    lowest = {"b": 0, "u": 0, "i": -highest - 1, "f": -highest}[dtype.kind]
    if low < lowest:
        raise ValueError(f"from is out of bounds for {dtype}: {low} < {lowest}")
    if high - 1 > highest:
        raise ValueError(f"to - 1 is out of bounds for {dtype}: {high - 1} > {highest}")
