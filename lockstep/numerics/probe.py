"""What this machine's kernels do: measured at the start, so that nothing about them is assumed.

Another CPU, thread count, PyTorch version or `ATEN_CPU_CAPABILITY` rounds differently. The findings go into
the record, choose the arithmetic that PyTorch's order is evaluated with, and tell the verdict how far off a
library's functions may be.
"""

import contextlib
import dataclasses
import functools
import importlib
import itertools
import math
import pathlib
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from lockstep.numerics import formats
from lockstep.numerics.environment import Environment, environment
from lockstep.numerics.shapes import Array

# What a processor computes in; narrower numbers are computed with in float32, and rounded.
DTYPES = tuple(name for name, held in formats.FORMATS.items() if held.size >= np.dtype(np.float32).itemsize)
LENGTH = 1003  # neither whole vectors nor an even number of them


@dataclasses.dataclass(frozen=True, kw_only=True)
class Machine(Environment):
    """What the kernels run on.

    Attributes:
        vendor: of the CPU. numpy_blas, mkl: the libraries NumPy and PyTorch multiply matrices with.
    """

    vendor: str | None = None
    numpy_blas: str | None = None
    mkl: str | None = None


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """How far off a function was.

    Attributes:
        error: the largest, in units of the last place of the exact value (half of one is what the nearest number may be
            off). off: the share of results that were not the nearest number. at: the argument of the largest error.
    """

    error: float
    off: float
    at: float


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was measured; plain data throughout.

    Attributes:
        missing: why PyTorch's kernels could not be probed, or None.
        machine: what they run on.
        contraction: primitive to "fused" (multiply and add round once), "plain" (each rounds), "either"
            (nothing to contract) or "neither" (some other rounding).
        vector: dtype to how many numbers the fused optimizers' kernels take at once; 0 where whole vectors and
            what is left over round alike.
        lanes: kernel that adds up ("sum"; "row_sum", of log_softmax; "channel", of BatchNorm) to dtype to how many
            running sums its vectors hold; 0 where no number explains it.
        halves: those of them that add up a float32 vector's lanes by halves and not one by one.
        kernels: function to dtype to side ("numpy", "torch", of a power also "python") to how far off it was.
        kernel_ulps: dtype to function to how many numbers the worse of both sides may be from the nearest one.
        flushed: dtype to the functions of which PyTorch's result is 0 where the nearest number is subnormal.
        random: which stream ("mersenne" or "other") each of PyTorch's draws comes from.
        threads: reduction to "alone" (the thread count changes nothing), "shares" (each of two threads adds up half,
            and the sums are added) or "other".
    """

    missing: str | None
    machine: Machine
    contraction: dict[str, str]
    vector: dict[str, int]
    lanes: dict[str, dict[str, int]]
    halves: list[str]
    kernels: dict[str, dict[str, dict[str, Accuracy]]]
    kernel_ulps: dict[str, dict[str, float]]
    flushed: dict[str, list[str]]
    random: dict[str, str]
    threads: dict[str, str]


def findings() -> Findings:
    """This machine's, measured once for a thread count."""
    try:
        torch = importlib.import_module("torch")
    except ModuleNotFoundError:
        return without_torch()
    return with_torch(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability())


@functools.cache
def without_torch() -> Findings:
    kernels = {name: {dtype: accuracy(name, dtype, None) for dtype in measurable()} for name in FUNCTIONS}
    return Findings(
        missing="PyTorch is not installed: its kernels could not be probed",
        machine=machine(None),
        contraction={},
        vector={},
        lanes={},
        halves=[],
        kernels=kernels,
        kernel_ulps=worst(kernels),
        flushed={},
        random={},
        threads={},
    )


@functools.cache
def with_torch(threads: int, capability: str) -> Findings:
    torch = importlib.import_module("torch")
    with threads_set_to(torch, 1):
        warm_up(torch)
        contracted = contraction(torch)
        vector = {dtype: whole_vector(torch, dtype) for dtype in DTYPES}
        kernels = {name: {dtype: accuracy(name, dtype, torch) for dtype in measurable()} for name in FUNCTIONS}
        flushed = {dtype: [name for name in FUNCTIONS if flushes(torch, name, dtype)] for dtype in DTYPES}
        lanes, halves = sums(torch)
        drawn = random_streams(torch)
    return Findings(
        missing=None,
        machine=dataclasses.replace(machine(torch), capability=capability, threads=threads),
        contraction=contracted,
        vector=vector,
        lanes=lanes,
        halves=halves,
        kernels=kernels,
        kernel_ulps=worst(kernels),
        flushed=flushed,
        random=drawn,
        threads={name: shares(torch, *reduction) for name, reduction in REDUCTIONS.items()},
    )


def arithmetic(probed: Findings, *, ordered: bool = True) -> Any:
    """The Arithmetic that rounds as these kernels do, with NumPy's own functions: no library of PyTorch's.

    Each primitive is fused where the kernel was found to contract, else plain. `ordered`: sums in the kernels' order,
    on as many threads; else in NumPy's.
    """
    reference = importlib.import_module("reference.arithmetic")
    fused = reference.Fused({dtype: width or 1 for dtype, width in probed.vector.items()})
    contracted = [name for name, how in probed.contraction.items() if how == "fused"]
    base = reference.PLAIN
    if ordered and probed.missing is None:
        summation = importlib.import_module("reference.summation")
        lanes = {
            kernel: {dtype: width or 1 for dtype, width in widths.items()} for kernel, widths in probed.lanes.items()
        }
        base = summation.Ordered(probed.machine.threads or 1, lanes, probed.halves)
    return base.replacing(**{name: getattr(fused, name) for name in contracted})


# the machine


def machine(torch: ModuleType | None) -> Machine:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return Machine(
        **dataclasses.asdict(environment()),
        vendor=cpu_field("vendor_id"),
        numpy_blas=f"{blas.get('name')} {blas.get('version')}",
        mkl=mkl(torch) if torch else None,
    )


def cpu_field(name: str) -> str | None:
    """A line of Linux' description of the first CPU; None elsewhere."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)


def mkl(torch: ModuleType) -> str | None:
    version = re.search(r"Math Kernel Library Version (\S+)", torch.__config__.show())
    return version[1].removesuffix("-Product") if version else None


@contextlib.contextmanager
def threads_set_to(torch: ModuleType, count: int) -> Generator[None]:
    """PyTorch on `count` threads, and back on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def warm_up(torch: ModuleType) -> None:
    """Load the vector maths library from one thread: from several at once it may go wrong once (pytorch#188792)."""
    for dtype, name in itertools.product(DTYPES, FUNCTIONS):
        evaluate_torch(torch, name, torch.ones(64, dtype=getattr(torch, dtype)))


# which primitives contract


def numbers(dtype: str, count: int = 3, length: int = LENGTH) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(length).astype(dtype) for _ in range(count)]


Primitive = Callable[[Any, Any, Any, Any], Any]  # of three arrays and an arithmetic
Pair = tuple[Callable[[Any], Any], Any]  # an evaluation over an arithmetic, and what PyTorch's kernel made of the same

# primitive to what is evaluated over an arithmetic, and over PyTorch's kernels
EVALUATIONS: dict[str, list[Primitive]] = {
    "add": [lambda x, y, z, ops: ops.add(x, y, alpha=0.1)],
    "lerp": [lambda x, y, z, ops: ops.lerp(x, y, 0.1), lambda x, y, z, ops: ops.lerp(x, y, 0.9)],
    "addcmul": [lambda x, y, z, ops: ops.addcmul(x, y, z), lambda x, y, z, ops: ops.addcmul(x, y, z, value=0.1)],
    "addcdiv": [lambda x, y, z, ops: ops.addcdiv(x, y, z, value=0.1)],
}


def contraction(torch: ModuleType) -> dict[str, str]:
    """How each primitive rounds, judged by every element of every evaluation in both dtypes."""
    reference = importlib.import_module("reference.arithmetic")
    kernels = importlib.import_module("torch_impl.arithmetic")
    fused = reference.Fused({dtype: whole_vector(torch, dtype) or 1 for dtype in DTYPES})
    rounding: dict[str, str] = {}
    for name, evaluations in EVALUATIONS.items():
        pairs: list[Pair] = [
            (functools.partial(evaluation, x, y, z), evaluation(x, y, z, kernels))
            for evaluation in evaluations
            for x, y, z in map(numbers, DTYPES)
        ]
        rounding[name] = how(pairs, reference.PLAIN, fused)
    for name, evaluated in {"fma": multiply_add, "minus_product": channels, "sum_of_products": second_moment}.items():
        rounding[name] = how([pair for dtype in DTYPES for pair in evaluated(torch, dtype)], reference.PLAIN, fused)
    return rounding


def how(pairs: Sequence[Pair], plain: Any, fused: Any) -> str:
    """`pairs` of an evaluation over an arithmetic and what PyTorch's kernel made of the same numbers."""
    is_plain = all(np.array_equal(evaluate(plain), theirs) for evaluate, theirs in pairs)
    is_fused = all(np.array_equal(evaluate(fused), theirs) for evaluate, theirs in pairs)
    return {(True, True): "either", (True, False): "plain", (False, True): "fused"}.get((is_plain, is_fused), "neither")


def multiply_add(torch: ModuleType, dtype: str) -> Iterator[Pair]:
    """a·b + c where kernels take it: 1 - y² of tanh's backward, and BatchNorm's x·α + β in evaluation."""
    x, y, z = numbers(dtype)
    x, y, z = (torch.from_numpy(array) for array in (x, y, z))
    slope = torch.ops.aten.tanh_backward(torch.ones_like(y), y).numpy()
    yield (lambda ops: ops.fma(-y.numpy(), y.numpy(), y.numpy().dtype.type(1))), slope
    rows = torch.stack([x, z], 1)
    weight, bias = torch.stack([y[0], y[1]]), torch.stack([y[2], y[3]])
    settings = {"running_mean": torch.zeros(2, dtype=y.dtype), "running_var": torch.ones(2, dtype=y.dtype)}
    scaled = torch.nn.functional.batch_norm(rows, **settings, weight=weight, bias=bias, eps=0.0).numpy()
    yield (lambda ops: ops.fma(rows.numpy(), weight.numpy(), bias.numpy())), scaled


def channels(torch: ModuleType, dtype: str) -> Iterator[Pair]:
    """BatchNorm's backward by its input of one sample with mean 0, deviation 1 and weight 1: (dy - dy) - x·(x·dy)."""
    x, dy, _ = (torch.from_numpy(array[None]) for array in numbers(dtype))
    zero, ones = torch.zeros(LENGTH, dtype=x.dtype), torch.ones(LENGTH, dtype=x.dtype)
    backward = torch.ops.aten.native_batch_norm_backward
    rows, drows = x.repeat(2, 1), torch.cat([dy, 3 * dy])
    theirs = backward(drows, rows, ones, None, None, zero, ones, True, 0.0, [True] * 3)
    dot, mean = theirs[1] / 2, theirs[2] / 2
    yield (lambda ops: ops.minus_product((drows - mean).numpy(), rows.numpy(), dot.numpy())), theirs[0].numpy()


# Tensors of 15 numbers: vectors of 16, 8, 4 and 2 leave 15, 7, 3 and 1 over.
TENSORS, SHORT, BETA2 = 64, 15, 0.9


def fused_adam(torch: ModuleType, dtype: str) -> list[tuple[Any, Any, Any]]:
    """For each of many short tensors: second moment, gradient, and the moment after fused Adam's kernel."""
    v, g, _ = (torch.from_numpy(array).reshape(TENSORS, SHORT) for array in numbers(dtype, length=TENSORS * SHORT))
    before, after = v.abs(), list(v.abs().clone())
    torch._fused_adam_(
        list(torch.zeros_like(g)),
        list(g.clone()),
        list(torch.zeros_like(g)),
        after,
        [],
        [torch.tensor(3.0) for _ in after],
        lr=1e-3,
        beta1=0.9,
        beta2=BETA2,
        weight_decay=0.0,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
    )
    return [(v.numpy(), g.numpy(), moment.numpy()) for v, g, moment in zip(before, g, after, strict=True)]


def second_moment(torch: ModuleType, dtype: str) -> Iterator[Pair]:
    for v, g, theirs in fused_adam(torch, dtype):
        yield functools.partial(moment_after, v, g), theirs


def moment_after(v: Array, g: Array, ops: Any) -> np.ndarray:
    """The second moment as reference/optim/adam.py has it in the order of the fused kernel."""
    return ops.sum_of_products(v, BETA2, (1 - BETA2) * g, g)


def whole_vector(torch: ModuleType, dtype: str) -> int:
    """How many numbers fused Adam takes at once: what is left over after them contracts the other product."""
    fused = importlib.import_module("reference.arithmetic").Fused
    moments = fused_adam(torch, dtype)
    for width in (2, 4, 8, 16):
        if all(np.array_equal(moment_after(v, g, fused({dtype: width})), theirs) for v, g, theirs in moments):
            return width
    return 0


# how far off the libraries' functions are


MANY, FEW = 1 << 16, 1 << 13  # arguments; few of what takes long in the wider type


def wide(low: float, high: float, count: int = MANY) -> Callable[[Any], np.ndarray]:
    """Magnitudes of every size between two powers of two."""
    return lambda dtype: np.exp2(np.random.default_rng(1).uniform(low, high, count)).astype(dtype)


def even(low: float, high: float, count: int = MANY) -> Callable[[Any], np.ndarray]:
    return lambda dtype: np.random.default_rng(2).uniform(low, high, count).astype(dtype)


# function to where it is sampled: over its range, and densely where argument reduction is hardest
FUNCTIONS: dict[str, list[Callable[[Any], np.ndarray]]] = {
    "sqrt": [wide(-100, 100), even(1, 4)],
    "exp": [even(-80, 80), even(-1, 1)],
    "expm1": [even(-20, 80), even(-1, 1)],
    "log": [wide(-100, 100), even(0.5, 2)],
    "log1p": [wide(-60, 60), even(-0.5, 1)],
    "tanh": [even(-10, 10), even(-1, 1)],
    "sin": [even(-100, 100, FEW), even(-4, 4, FEW)],
    "cos": [even(-100, 100, FEW), even(-4, 4, FEW)],
    "power": [wide(-8, 8, FEW), even(0.9, 1, FEW)],  # to EXPONENTS, one after the other
    "sigmoid": [even(-80, 80), even(-8, 8)],
}
EXPONENTS = (0.8, -0.8, 0.25, 1 / 3, -0.5, 1.5, 2.5, -3.7, 7.3, 11.0, -1.0, 3.0)  # nearly what decays and norms take


def measurable() -> tuple[str, ...]:
    """The dtypes for which NumPy has a wider one here."""
    return tuple(name for name in DTYPES if formats.FORMATS[name].is_measurable)


def accuracy(name: str, dtype: str, torch: ModuleType | None) -> dict[str, Accuracy]:
    """How far NumPy's and PyTorch's function are from the exact value, in units of its last place."""
    held = formats.FORMATS[dtype]
    with np.errstate(over="ignore", under="ignore"):
        x = np.concatenate([sample(held.dtype) for sample in FUNCTIONS[name]])
        exact = evaluate(name, x.astype(held.wide))
    inside = (np.abs(exact) >= held.smallest_normal) & (np.abs(exact) <= held.largest)
    x = np.where(inside, x, x[inside][0])  # as many as there were: exponents belong to their places
    exact = evaluate(name, x.astype(held.wide))
    results = {"numpy": evaluate(name, x)}
    if name == "power" and dtype == "float64":
        results["python"] = np.array(
            [base**power for base, power in zip(x.tolist(), exponents(x).tolist(), strict=True)]
        )
    if torch:
        tensors = importlib.import_module("torch_impl.tensors")
        results["torch"] = tensors.array(evaluate_torch(torch, name, tensors.tensor(x)))
    place = np.spacing(np.abs(exact.astype(held.dtype))).astype(exact.dtype)
    by_side: dict[str, Accuracy] = {}
    for side, result in results.items():
        error = np.abs(result.astype(exact.dtype) - exact) / place
        largest = int(np.argmax(error))
        off = float(np.mean(error > 0.5))
        by_side[side] = Accuracy(error=float(error[largest]), off=off, at=float(x[largest]))
    return by_side


def exponents(x: Array) -> np.ndarray:
    """An exponent for each number, one that float32 holds, whatever the dtype."""
    return np.resize(np.array(EXPONENTS, np.float32), x.shape).astype(x.dtype)


def evaluate_torch(torch: ModuleType, name: str, x: Any) -> Any:
    """PyTorch's function."""
    if name == "power":
        return torch.pow(x, torch.from_numpy(exponents(np.empty(tuple(x.shape)))).to(x.dtype))
    return getattr(torch, name)(x)


def evaluate(name: str, x: Array) -> np.ndarray:
    """NumPy's function; the sigmoid, which NumPy has not, as the reference writes it."""
    plain = importlib.import_module("reference.arithmetic").PLAIN
    with np.errstate(over="ignore", under="ignore"):
        if name == "power":
            return np.power(x, exponents(x))
        return plain.sigmoid(x) if name == "sigmoid" else getattr(np, name)(x)


def needs(dtype: str) -> dict[str, float]:
    """Function to how many numbers of that format the worse library may be from the nearest; empty where unmeasurable.

    What narrower formats than a processor's need is measured when it is first asked for.
    """
    probed = findings()
    return probed.kernel_ulps.get(dtype, {}) if dtype in DTYPES else narrow_needs(dtype, probed.missing is None)


@functools.cache
def narrow_needs(dtype: str, with_torch: bool) -> dict[str, float]:
    torch = importlib.import_module("torch") if with_torch else None
    return worst({name: {dtype: accuracy(name, dtype, torch)} for name in FUNCTIONS}, (dtype,))[dtype]


def worst(
    kernels: dict[str, dict[str, dict[str, Accuracy]]], dtypes: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """dtype to function to how many numbers off the nearest one the worse library may be: its error, rounded up.

    A result e units from the exact one is at most ⌈e - ½⌉ numbers from the nearest; the half is kept for arguments
    worse than the sampled. Only the square root is taken to be always the nearest where no sample was off: every
    processor has one, and no library promises it of the others.
    """
    by_dtype: dict[str, dict[str, float]] = {dtype: {} for dtype in dtypes or measurable()}
    for name, dtype in itertools.product(kernels, by_dtype):
        sides = kernels[name][dtype].values()
        exact = name == "sqrt" and not any(side.off for side in sides)
        by_dtype[dtype][name] = 0.0 if exact else float(math.ceil(max(side.error for side in sides)))
    return by_dtype


def flushes(torch: ModuleType, name: str, dtype: str) -> bool:
    """Whether PyTorch gives 0 for some argument whose nearest result is subnormal."""
    smallest = formats.FORMATS[dtype].smallest_normal
    tiny = math.log(smallest)
    below = {
        "exp": np.linspace(tiny - 1, tiny - 10, 50),
        "sigmoid": np.linspace(tiny - 1, tiny - 10, 50),
        "tanh": np.geomspace(smallest / 1000, smallest / 2, 50),
        "log1p": np.geomspace(smallest / 1000, smallest / 2, 50),
        "expm1": np.geomspace(smallest / 1000, smallest / 2, 50),
        "sqrt": np.geomspace(smallest / 1000, smallest / 2, 50),
    }
    if name not in below:
        return False
    return bool((getattr(torch, name)(torch.from_numpy(below[name].astype(dtype))) == 0).any())


# how random numbers are drawn


def random_streams(torch: ModuleType) -> dict[str, str]:
    """Which of PyTorch's draws come from MT19937 as NumPy's legacy generator has it, and how many words each takes."""
    seed, count = 20, 200
    words = np.random.RandomState(seed).randint(0, 2**32, 2 * count, np.uint32).astype(np.uint64)
    single = (words[:count] & np.uint64(2**24 - 1)) * 2.0**-24
    double = ((words[::2] << np.uint64(32) | words[1::2]) & np.uint64(2**53 - 1)) * 2.0**-53

    def generator() -> Any:
        return torch.Generator().manual_seed(seed)

    kept = torch.get_rng_state()
    torch.manual_seed(seed)
    dropped = torch.nn.functional.dropout(torch.ones(count), 0.3).numpy() != 0
    torch.set_rng_state(kept)
    equal = {
        "rand_float32": np.array_equal(torch.rand(count, generator=generator()).numpy(), single.astype(np.float32)),
        "rand_float64": np.array_equal(torch.rand(count, generator=generator(), dtype=torch.float64).numpy(), double),
        "bernoulli": np.array_equal(torch.empty(count).bernoulli_(0.3, generator=generator()).numpy(), double < 0.3),
        "dropout": np.array_equal(dropped, double < 1 - 0.3),
    }
    return {name: "mersenne" if same else "other" for name, same in equal.items()}


# in which order they add up

WIDTH = 127  # of a row: whole vectors of every width, and something left over
ROWS_OF_SUMS = 40


def sums(torch: ModuleType) -> tuple[dict[str, dict[str, int]], list[str]]:
    """The lanes of each kernel that adds up, and which of them add the lanes by halves."""
    lanes: dict[str, dict[str, int]] = {kernel: dict.fromkeys(DTYPES, 0) for kernel in SUMS}
    halves: set[str] = set()
    ordered = importlib.import_module("reference.summation").Ordered
    for (kernel, terms), dtype in itertools.product(SUMS.items(), DTYPES):
        evaluate_sum, theirs = terms(torch, dtype)
        for width, halving in itertools.product((2, 4, 8, 16), (False, True)):
            if np.array_equal(evaluate_sum(ordered(1, {kernel: {dtype: width}}, [kernel] if halving else [])), theirs):
                lanes[kernel][dtype] = width
                halves |= {kernel} if halving else set()
                break
    return lanes, sorted(halves)


def all_terms(torch: ModuleType, dtype: str) -> Pair:
    x = numbers(dtype, 1, ROWS_OF_SUMS * WIDTH)[0].reshape(ROWS_OF_SUMS, WIDTH)
    return lambda ops: ops.sum(x, axis=-1), torch.from_numpy(x).sum(-1).numpy()


def terms_of_rows(torch: ModuleType, dtype: str) -> Pair:
    """A row's total under log_softmax, which exp(-log_softmax) at its largest element shows as long as it is near 1."""
    kernels = importlib.import_module("torch_impl.arithmetic")
    x = np.random.default_rng(4).uniform(-9, -7, (ROWS_OF_SUMS, WIDTH)).astype(dtype)
    x[:, 0] = 0
    largest = kernels.log_softmax(x, None)[:, 0].astype(formats.FORMATS[dtype].wide)
    e = kernels.softmax_exp(x)
    return lambda ops: ops.row_sum(e), np.exp(-largest).astype(dtype)[:, None]


def terms_of_channels(torch: ModuleType, dtype: str) -> Pair:
    """The gradient of BatchNorm's bias: one sample of one channel a row."""
    x = torch.from_numpy(numbers(dtype, 1, ROWS_OF_SUMS * WIDTH)[0].reshape(1, ROWS_OF_SUMS, WIDTH))
    ones = torch.ones(ROWS_OF_SUMS, dtype=x.dtype)
    backward = torch.ops.aten.native_batch_norm_backward
    theirs = backward(x, x, ones, None, None, ones, ones, True, 0.0, [True] * 3)[2].numpy()
    return lambda ops: ops.narrow(ops.channel_grad_sum(x.numpy()), x.numpy()), theirs


SUMS = {"sum": all_terms, "row_sum": terms_of_rows, "channel": terms_of_channels}

# how reductions split over threads

COLUMNS = 8
POWER = 1 << 16  # rows; at::parallel_for starts a second thread from 2¹⁵ numbers on
AWKWARD = POWER + 6  # nothing but the halves of it is the same work for one thread as for two

# each with a sum as its result (BatchNorm's mean is taken times the rows, exact for a power of two), and for how
# many rows
REDUCTIONS: dict[str, tuple[Callable[[ModuleType, Any], Any], tuple[int, ...]]] = {
    "sum": (lambda torch, x: x.sum(), (POWER, AWKWARD)),
    "sum of rows": (lambda torch, x: x.sum(0), (POWER, AWKWARD)),
    "matmul": (lambda torch, x: x.T @ x, (POWER, AWKWARD)),
    "batch_norm": (
        lambda torch, x: len(x) * torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[1],
        (POWER,),
    ),
}


def shares(torch: ModuleType, reduce: Callable[[ModuleType, Any], Any], rows: tuple[int, ...]) -> str:
    """Whether two threads add up to the same as one, or to the sum of their halves', or to something else."""
    as_alone, as_halves = True, True
    for count in rows:
        x = torch.from_numpy(numbers("float32", 1, count * COLUMNS)[0].reshape(count, COLUMNS))
        with threads_set_to(torch, 1):
            alone = reduce(torch, x)
            first, second = (reduce(torch, half) for half in x.split(count // 2))
        with threads_set_to(torch, 2):
            together = reduce(torch, x)
        as_alone = as_alone and torch.equal(alone, together)
        as_halves = as_halves and torch.equal(first + second, together)
    return "alone" if as_alone else "shares" if as_halves else "other"
