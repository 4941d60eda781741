"""The fused multiply-add against the C library's, and the fused primitives against PyTorch's kernels."""

import ctypes
import ctypes.util

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lockstep.numerics import probe
from reference import fma as module
from reference.arithmetic import FUSED, PLAIN, Arithmetic
from reference.fma import fma
from torch_impl import arithmetic as kernels

DTYPES = (np.float32, np.float64)
LENGTHS = (1, 7, 61, 64, 1000, 4099, 200_003)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 1.5, 3.0, np.inf, -np.inf, np.nan)
FINDINGS = probe.findings()


def same_bits(a, b) -> np.ndarray:
    """Where two arrays have one value: the same bits, or NaN of any kind."""
    integer = {4: np.uint32, 8: np.uint64}[a.dtype.itemsize]
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    return (a.view(integer) == b.view(integer)) | (np.isnan(a) & np.isnan(b))


def differing(a, b) -> int:
    return int(np.count_nonzero(~same_bits(np.asarray(a), np.asarray(b))))


# the C library's fma, one number at a time


def c_fma(a, b, c):
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    function, number = (library.fmaf, ctypes.c_float) if a.dtype == np.float32 else (library.fma, ctypes.c_double)
    function.restype, function.argtypes = number, [number] * 3
    a, b, c = np.broadcast_arrays(a, b, c)
    return np.array([function(*numbers) for numbers in zip(a.flat, b.flat, c.flat, strict=True)], a.dtype)


def any_bits(rng, dtype, n):
    """Every bit pattern is as likely as any other: all exponents, infinities and NaN among them."""
    integer = np.uint32 if dtype == np.float32 else np.uint64
    return tuple(rng.integers(0, np.iinfo(integer).max, n, integer, endpoint=True).view(dtype) for _ in "abc")


def short(rng, dtype, n, low, high):
    """Numbers of few bits, whose products and sums end on a tie or are exact."""
    mantissa = rng.integers(1, 2 ** rng.integers(1, np.finfo(dtype).nmant + 2, n)) * rng.choice([-1, 1], n)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(mantissa.astype(dtype), rng.integers(low, high, n)).astype(dtype)


def ties(rng, dtype, n):
    """c is the negative product, its neighbour, or up to 60 places above or below it; over all exponents."""
    top, digits = np.finfo(dtype).maxexp, np.finfo(dtype).nmant
    a, b = short(rng, dtype, n, -top - digits, top - digits), short(rng, dtype, n, -30, 30)
    with np.errstate(over="ignore", under="ignore"):
        product = a * b
        near = np.ldexp(short(rng, dtype, n, -digits, 0), np.frexp(product)[1] + rng.integers(-60, 60, n))
    return a, b, np.choose(rng.integers(0, 3, n), [-product, np.nextafter(-product, dtype(0)), near.astype(dtype)])


def at_the_smallest_normal(rng, dtype, n):
    """Results on both sides of the first subnormal, where a second rounding would show."""
    info, integer = np.finfo(dtype), np.int32 if dtype == np.float32 else np.int64
    b = np.ldexp(rng.uniform(0.5, 2, n).astype(dtype), info.minexp + rng.integers(-4, 4, n)).astype(dtype)
    c = (np.array(info.tiny, dtype).view(integer) + rng.integers(-4, 5, n)).astype(integer).view(dtype)
    return rng.uniform(0.5, 2, n).astype(dtype), b, c * rng.choice([-1, 0, 1], n).astype(dtype)


def at_the_largest(rng, dtype, n):
    """Products on both sides of the largest number, with a c of any size."""
    top, digits = np.finfo(dtype).maxexp, np.finfo(dtype).nmant
    a, b = (rng.uniform(0.5, 2, n).astype(dtype) for _ in "ab")
    exponents = rng.integers(1, top - 1, n)
    c = np.ldexp(rng.uniform(-1, 1, n).astype(dtype), rng.integers(-digits, top, n))
    return np.ldexp(a, exponents), np.ldexp(b, top - 1 - exponents), c * rng.integers(0, 2, n).astype(dtype)


def at_the_limits(rng, dtype, n):
    """Zeros of both signs, ones, the largest, the smallest, infinities and NaN, in every combination."""
    info = np.finfo(dtype)
    limits = [info.max, -info.max, info.tiny, -info.tiny, info.smallest_subnormal, -info.smallest_subnormal]
    values = np.array([*SPECIAL, *limits], dtype)
    combinations = np.stack(np.meshgrid(values, values, values)).reshape(3, -1)
    return tuple(combinations[:, rng.permutation(combinations.shape[1])[:n]])


def ordinary(rng, dtype, n):
    return tuple(rng.standard_normal(n).astype(dtype) for _ in "abc")


DRAWS = (any_bits, ties, at_the_smallest_normal, at_the_largest, at_the_limits, ordinary)


def assert_is_c_fma(a, b, c):
    ours, theirs = fma(a, b, c), c_fma(a, b, c)
    wrong = np.flatnonzero(~same_bits(ours, theirs))
    assert not wrong.size, [tuple(float(x[i]).hex() for x in (a, b, c, ours, theirs)) for i in wrong[:3]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("draw", DRAWS)
def test_fma_is_the_c_librarys(draw, dtype):
    assert_is_c_fma(*draw(np.random.default_rng(0), dtype, 40_000))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("draw", DRAWS)
def test_fma_is_the_c_librarys_on_millions(draw, dtype, seed):
    assert_is_c_fma(*draw(np.random.default_rng(seed), dtype, 500_000))


@given(st.tuples(*[st.floats(width=32)] * 3))
def test_fmaf_of_any_float(numbers):
    assert_is_c_fma(*(np.array([number], np.float32) for number in numbers))


@given(st.tuples(*[st.floats()] * 3))
def test_fma_of_any_float(numbers):
    assert_is_c_fma(*(np.array([number]) for number in numbers))


def test_a_result_just_below_the_tie_at_the_smallest_normal():
    """Rounded to 53 bits first it would be that tie, and then go up to the even neighbour instead of down."""
    assert_is_c_fma(np.array([-(2.0**-500) * (1 + 2.0**-40)]), np.array([2.0**-575]), np.array([2.0**-1022]))


MUTANTS = {
    "rounded to even": ("odd_sum", lambda a, b: a + b),
    "no error of the product": ("exact_product", lambda a, b: (a * b, np.zeros_like(a * b))),
    "subnormals rounded twice": ("subnormal", lambda high, rest, exponent: np.ldexp(high + rest, exponent)),
    "exponents never taken off": ("without_limits", lambda a, b, c: a * b + c),
    "no doubt about a tie": ("MORE", module.LESS),
    "a tiny product trusted": ("SMALL", 0.0),
    "a huge product trusted": ("LARGE", np.inf),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_worse_fma_is_caught(name, monkeypatch):
    monkeypatch.setattr(module, *MUTANTS[name])
    with np.errstate(all="ignore"):
        caught = [draw for draw in DRAWS for dtype in DTYPES if not is_c_fma(draw, dtype)]
    assert caught


def is_c_fma(draw, dtype) -> bool:
    numbers = draw(np.random.default_rng(0), dtype, 3_000)
    return not differing(fma(*numbers), c_fma(*numbers))


def test_fma_broadcasts_and_keeps_dtypes():
    rng = np.random.default_rng(0)
    column, row = rng.standard_normal((3, 1)).astype(np.float32), rng.standard_normal(4).astype(np.float32)
    assert fma(column, row, 0.1).shape == (3, 4)
    assert fma(column, row, 0.1).dtype == np.float32
    assert not differing(fma(column, 0.3, row), c_fma(column, np.float32(0.3), row).reshape(3, 4))
    assert fma(column, row, np.zeros(4)).dtype == np.float64
    assert fma(np.zeros((0, 2)), 1.0, 2.0).shape == (0, 2)
    assert type(FUSED.fma(-0.1, 0.3, 1.0)) is float
    assert fma(np.float32(3), np.float32(5), np.float32(7)) == 22


def test_fma_says_what_it_cannot_fuse():
    with pytest.raises(TypeError, match="float32 and float64, not"):
        fma(np.zeros(2, np.longdouble), 1.0, 2.0)


# the fused primitives against PyTorch's own kernels


def operands(dtype, n):
    """x, y and positive z of length n; a twentieth are zeros, subnormal or large."""
    rng = np.random.default_rng(n)
    arrays = [rng.standard_normal(n).astype(dtype) for _ in range(3)]
    for array in arrays:
        extreme = np.array([0.0, -0.0, np.finfo(dtype).smallest_subnormal * 7, np.sqrt(np.finfo(dtype).max)], dtype)
        places = rng.random(n) < 0.05
        array[places] = rng.choice(extreme, int(places.sum()))
    return arrays[0], arrays[1], np.abs(arrays[2])


PRIMITIVES = {
    "lerp, from the start": lambda ops, x, y, z: ops.lerp(x, y, 0.1),
    "lerp, from the end": lambda ops, x, y, z: ops.lerp(x, y, 0.9),
    "lerp, at the middle": lambda ops, x, y, z: ops.lerp(x, y, 0.5),
    "lerp, outside": lambda ops, x, y, z: ops.lerp(x, y, -0.7),
    "lerp, just below the middle in double": lambda ops, x, y, z: ops.lerp(x, y, 0.4999999999),
    "addcmul": lambda ops, x, y, z: ops.addcmul(x, y, z),
    "addcmul, -1": lambda ops, x, y, z: ops.addcmul(x, y, y, value=-1),
    "addcmul, value": lambda ops, x, y, z: ops.addcmul(x, y, y, value=0.1),
    "addcdiv": lambda ops, x, y, z: ops.addcdiv(x, y, z),
    "addcdiv, value": lambda ops, x, y, z: ops.addcdiv(x, y, z, value=-0.1),
    "add": lambda ops, x, y, z: ops.add(x, y),
    "add, alpha": lambda ops, x, y, z: ops.add(x, y, alpha=0.1),
    "add, scalar": lambda ops, x, y, z: ops.add(x, 0.1),
    "mul, scalar": lambda ops, x, y, z: ops.mul(x, 0.1),
    "mul": lambda ops, x, y, z: ops.mul(x, y),
    "div, scalar": lambda ops, x, y, z: ops.div(x, 0.3),
    "div": lambda ops, x, y, z: ops.div(x, z),
    "rsqrt": lambda ops, x, y, z: ops.rsqrt(z),
}


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PRIMITIVES)
def test_as_pytorchs_kernel(name, dtype, n, threads):
    """On any machine: the arithmetic that the probe chose for it."""
    primitive, arrays = PRIMITIVES[name], operands(dtype, n)
    with np.errstate(all="ignore"):
        ours = primitive(probe.arithmetic(FINDINGS), *arrays)
    assert differing(ours, primitive(kernels, *arrays)) == 0


# half of a difference is exact: nothing shows there
CONTRACTED = [
    "lerp, from the start",
    "lerp, from the end",
    "lerp, outside",
    "addcmul, -1",
    "addcmul, value",
    "add, alpha",
]


@pytest.mark.parametrize("name", CONTRACTED)
def test_every_contraction_is_needed(name):
    """The other rounding of a primitive is seen, on machines whose kernels contract and on those where none does."""
    rng = np.random.default_rng(0)
    x, y, z = (rng.standard_normal(4099).astype(np.float32) for _ in range(3))
    method = name.split(",", maxsplit=1)[0]
    other = PLAIN if FINDINGS.contraction[method] == "fused" else FUSED
    mutant = probe.arithmetic(FINDINGS).replacing(**{method: getattr(other, method)})
    assert differing(PRIMITIVES[name](mutant, x, y, z), PRIMITIVES[name](kernels, x, y, z)) > 0


# the fused optimizers' kernels, whose body and left-over contract differently


def fused_adam_v(v, g, beta2):
    """exp_avg_sq after a step of fused Adam."""
    param = torch.zeros(v.shape, dtype=torch.from_numpy(v).dtype, requires_grad=True)
    param.grad = torch.tensor(g)
    optimizer = torch.optim.Adam([param], betas=(0.9, beta2), fused=True)
    moments = {"exp_avg": torch.zeros_like(param.grad), "exp_avg_sq": torch.tensor(v)}
    optimizer.state[param] = {"step": torch.tensor(3.0), **moments}
    optimizer.step()
    return optimizer.state[param]["exp_avg_sq"].numpy()


def fused_sgd_buffer(buffer, g, momentum, dampening):
    """momentum_buffer after a step of fused SGD."""
    param = torch.zeros(g.shape, dtype=torch.from_numpy(g).dtype, requires_grad=True)
    param.grad = torch.tensor(g)
    optimizer = torch.optim.SGD([param], lr=0.1, momentum=momentum, dampening=dampening, fused=True)
    optimizer.state[param]["momentum_buffer"] = torch.tensor(buffer)
    optimizer.step()
    return optimizer.state[param]["momentum_buffer"].numpy()


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_as_the_fused_optimizers_kernels(dtype, n, threads):
    x, g, v = operands(dtype, n)
    ops = probe.arithmetic(FINDINGS)
    with np.errstate(all="ignore"):
        moment = ops.sum_of_products(v, 0.99, (1 - 0.99) * g, g)
        buffer = ops.sum_of_products(x, 0.9, g, 1 - 0.3)
    assert differing(moment, fused_adam_v(v, g, 0.99)) == 0
    assert differing(buffer, fused_sgd_buffer(x, g, 0.9, 0.3)) == 0


def test_the_left_over_of_a_matrix_is_its_end():
    rng = np.random.default_rng(0)
    v, g = np.abs(rng.standard_normal((67, 67))).astype(np.float32), rng.standard_normal((67, 67)).astype(np.float32)
    ours = probe.arithmetic(FINDINGS).sum_of_products(v, 0.99, (1 - 0.99) * g, g)
    assert differing(ours, fused_adam_v(v, g, 0.99)) == 0


def test_a_wrong_vector_width_is_caught():
    """The body's and the left-over's rounding differ, so either one everywhere is seen."""
    if FINDINGS.contraction["sum_of_products"] != "fused":
        pytest.skip("the fused optimizers' kernels contract nothing here: there is no left-over to round otherwise")
    rng = np.random.default_rng(0)
    v, g = np.abs(rng.standard_normal(4095)).astype(np.float32), rng.standard_normal(4095).astype(np.float32)
    theirs = fused_adam_v(v, g, 0.99)
    width = FINDINGS.vector["float32"]
    for wrong in (1, 2 * width, 4095):
        assert differing(type(FUSED)({"float32": wrong}).sum_of_products(v, 0.99, (1 - 0.99) * g, g), theirs) > 0


# exchanging


def test_a_primitive_is_exchanged_alone():
    ops = FUSED.replacing(sqrt=kernels.sqrt)
    x = np.random.default_rng(0).random(100_000).astype(np.float32)
    assert differing(ops.sqrt(x), torch.sqrt(torch.tensor(x)).numpy()) == 0
    assert differing(ops.lerp(x, -x, 0.1), FUSED.lerp(x, -x, 0.1)) == 0
    assert differing(FUSED.sqrt(x), np.sqrt(x)) == 0


def test_a_misspelt_primitive_is_refused():
    with pytest.raises(TypeError, match="no such primitive: sqr"):
        PLAIN.replacing(sqr=np.sqrt)


def test_every_kernel_is_a_primitive():
    """What is exchanged exists on both sides, under one name."""
    public = [name for name in kernels.__all__ if not hasattr(Arithmetic, name)]
    assert not public


# PyTorch's kernels, on arrays


def positive(dtype, shape):
    return np.random.default_rng(0).uniform(0.01, 0.99, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sqrt", "rsqrt", "exp", "log", "log1p", "tanh", "sigmoid"])
def test_a_kernel_is_the_function_of_its_name(name, dtype):
    x = positive(dtype, (37, 11))
    assert differing(getattr(kernels, name)(x), getattr(torch, name)(torch.tensor(x)).numpy()) == 0
    assert differing(getattr(kernels, name)(x[0, 0]), getattr(torch, name)(torch.tensor(x[0, 0])).numpy()) == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "log", "log1p", "tanh", "sigmoid", "scalar_log", "log_sigmoid", "softmax_exp"])
def test_a_kernel_agrees_with_plain_to_rounding(name, dtype):
    """No further apart than both libraries' needs together; log σ(z) needs those of e⁻ᶻ, which log(1 + e) damps, and
    of the logarithm, and rounds three times.
    """
    x = positive(dtype, 10_000)
    needs = FINDINGS.kernel_ulps[np.dtype(dtype).name]
    function = {"scalar_log": "log", "softmax_exp": "exp"}.get(name, name)
    need = needs.get(function, needs["exp"] + needs["log1p"] + 3)
    ours, theirs = getattr(PLAIN, name)(x), getattr(kernels, name)(x)
    assert (np.abs(ours - theirs) <= 2 * need * np.spacing(np.maximum(np.abs(ours), np.abs(theirs)))).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_binary_cross_entropys_logarithms(dtype):
    """The loss is -log p for a target of 1 and -log(1 - p) for 0, by the C library."""
    p, t = positive(dtype, 1000), np.random.default_rng(1).integers(0, 2, 1000).astype(dtype)
    loss = torch.nn.functional.binary_cross_entropy(torch.tensor(p), torch.tensor(t), reduction="none").numpy()
    assert differing(-np.where(t == 1, kernels.scalar_log(p), kernels.scalar_log1p(-p)), loss) == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrix_products_keep_their_layout(dtype):
    """A transposed weight stays transposed, as torch.nn.Linear hands it to the library."""
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.standard_normal(shape).astype(dtype) for shape in ((64, 300), (50, 300), (50,)))
    linear = torch.nn.functional.linear
    assert differing(kernels.matmul(x, weight.T), linear(torch.tensor(x), torch.tensor(weight)).numpy()) == 0
    biased = linear(torch.tensor(x), torch.tensor(weight), torch.tensor(bias)).numpy()
    assert differing(kernels.addmm(bias, x, weight.T), biased) == 0
    assert kernels.tensor(weight.T).stride() == torch.tensor(weight).T.stride()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_softmaxs_exponential_is_that_of_its_backward(dtype):
    rng = np.random.default_rng(0)
    x, grad = rng.standard_normal((64, 10)).astype(dtype), np.zeros((64, 10), dtype)
    grad[:, 3] = -1
    z = torch.tensor(x, requires_grad=True)
    log_p = torch.log_softmax(z, 1)
    log_p.backward(torch.tensor(grad))
    assert differing(kernels.softmax_exp(log_p.detach().numpy()) + grad, z.grad.numpy()) == 0
    assert differing(kernels.log_softmax(x, None), log_p.detach().numpy()) == 0


def test_kernels_share_no_memory_and_leave_no_gradient():
    x = positive(np.float32, 8)
    kept = x.copy()
    result = kernels.add(x, 0.0)
    result += 1
    assert differing(x, kept) == 0
    x.flags.writeable = False
    assert kernels.sqrt(x).flags.writeable
