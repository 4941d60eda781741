"""a·b + c rounded once, in NumPy, bit for bit as a processor's fused multiply-add.

Nearly always a bound on what earlier roundings lost leaves no doubt about the last one. Where it does, every
operation is exact or rounded to odd, so the one rounding to nearest at the end sees everything it has to
decide on (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding
to odd", IEEE Transactions on Computers 57(4), 2008).
"""

import numpy as np

SPLITTER = 2.0**27 + 1  # Veltkamp's constant halves the 53 bits of a float64
SPLITTABLE = 2.0**990  # beyond, the splitting overflows
LARGE = 2.0**1000  # beyond, the sum of a product and c might
SMALL = 2.0**-960  # below, the error of a product is no longer a float64
SMALLEST_NORMAL = 2.0**-1022
LOWEST = -1074  # the exponent of the smallest subnormal float64
LESS, MORE = 1 - 2.0**-52, 1 + 2.0**-52  # times a rounded sum: on either side of the exact one


def fma(a, b, c):
    """a·b + c, rounded once to the nearest float32 or float64, ties to even.

    Arguments:
        a, b, c: arrays or scalars that broadcast; a Python scalar takes the dtype of the others.

    Right for subnormals, overflow, infinities, NaN (of any sign and payload) and signed zeros; raises no
    floating-point warning. PyTorch's kernels do the same in one instruction.

    Raises:
        TypeError: for numbers that are neither float32 nor float64, which no processor fuses.
    """
    dtype = np.result_type(a, b, c)
    if dtype not in (np.float32, np.float64):
        raise TypeError(f"fma is for float32 and float64, not {dtype}")
    rounded = fma32 if dtype == np.float32 else fma64
    with np.errstate(all="ignore"):
        return rounded(*(np.asarray(number, dtype) for number in (a, b, c)))


def fma32(a, b, c):
    """For float32: the product is exact in float64."""
    total = np.multiply(a, b, dtype=np.float64) + c
    result = (total * LESS).astype(np.float32)
    return settled(result, result != (total * MORE).astype(np.float32), odd_fma32, a, b, c)


def fma64(a, b, c):
    """For float64: the product, c and what their rounded sum lost are a·b + c exactly, unless they are tiny or huge."""
    product, below = exact_product(a, b)
    total, error = exact_sum(product, c)
    excess = 0.0 - (error + below)  # never -0, so that a sum of -0 keeps its sign
    result = total - excess * LESS
    size = abs(product)
    inexact = (size < SMALL) | (size >= LARGE)  # another factor or c that is too large has made a NaN
    if np.count_nonzero(inexact):
        inexact = inexact & (a != 0) & (b != 0)
    return settled(result, inexact | (result != total - excess * MORE), odd_fma64, a, b, c)


def settled(result, doubtful, exactly, a, b, c):
    """`result` with what is doubtful, NaN among it, worked out `exactly`."""
    if np.count_nonzero(doubtful):
        result = np.asarray(result)
        result[doubtful] = exactly(*(number[doubtful] for number in np.broadcast_arrays(a, b, c)))
    return result[()]


def odd_fma32(a, b, c):
    """For float32: the product is exact in float64, whose 53 bits rounded to odd leave 24 no doubt."""
    return odd_sum(np.multiply(a, b, dtype=np.float64), c.astype(np.float64)).astype(np.float32)


def odd_fma64(a, b, c):
    """For float64: two unevaluated sums hold a·b + c exactly (Boldo and Melquiond, figure 8)."""
    product, below = exact_product(a, b)
    high, low = exact_sum(c, below)
    high, middle = exact_sum(product, high)
    zero = (a == 0) | (b == 0)
    result = np.where(zero, product + c, high + odd_sum(low, middle))  # the sign of -0·0 + -0
    size = abs(product)
    ordinary = (abs(a) < SPLITTABLE) & (abs(b) < SPLITTABLE) & (abs(c) < LARGE)
    ordinary = ordinary & (zero | ((size >= SMALL) & (size < LARGE)))
    if not ordinary.all():
        a, b, c = (number[~ordinary] for number in (a, b, c))
        result[~ordinary] = without_limits(a, b, c)
    return result


def without_limits(a, b, c):
    """odd_fma64 where a product or a sum would leave the range of exponents; slower.

    The exponents are taken off and c is moved to that of the product. Where one is more than 200
    binary places below the other, its sign is all that matters, so 200 will do.
    """
    (a_mantissa, a_exponent), (b_mantissa, b_exponent), (c_mantissa, c_exponent) = map(np.frexp, (a, b, c))
    exponent = a_exponent + b_exponent
    apart = np.where(c == 0, 0, np.clip(c_exponent - exponent, -200, 200))
    exponent = np.where(apart == 200, c_exponent - 200, exponent)
    product, below = exact_product(a_mantissa, b_mantissa)
    high, low = exact_sum(np.ldexp(c_mantissa, apart), below)
    high, middle = exact_sum(product, high)
    rest = odd_sum(low, middle)
    total = high + rest
    is_subnormal = np.ldexp(abs(total), exponent) <= SMALLEST_NORMAL
    result = np.where(is_subnormal, subnormal(high, rest, exponent), np.ldexp(total, exponent))
    product_is_finite = np.isfinite(a) & np.isfinite(b)
    special = ~product_is_finite | ~np.isfinite(c) | (a == 0) | (b == 0)
    return np.where(special, np.where(product_is_finite & ~np.isfinite(c), c, a * b + c), result)


def subnormal(high, rest, exponent):
    """(high + rest)·2^exponent rounded once, to a multiple of the smallest subnormal.

    Adding a number whose last place is that multiple makes the sum round there.
    """
    exponent = np.maximum(exponent, LOWEST - 300)  # all below is rounded to zero alike
    anchor = np.copysign(np.ldexp(1.0, LOWEST + 52 - exponent), high + rest)
    anchored, remainder = exact_sum(anchor, high)
    rounded = (anchored + odd_sum(remainder, rest)) - anchor
    return np.copysign(np.ldexp(rounded, exponent), anchor)


def exact_product(a, b):
    """a·b as a rounded product and its error (Dekker 1971)."""
    product = a * b
    a_high, a_low = split(a)
    b_high, b_low = split(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def split(a):
    """a as a sum of two numbers of 26 bits (Veltkamp 1968)."""
    scaled = SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def exact_sum(a, b):
    """a + b as a rounded sum and its error (Knuth's two-sum)."""
    total = a + b
    b_part = total - a
    return total, (a - (total - b_part)) + (b - b_part)


def odd_sum(a, b):
    """a + b in float64: itself where exact, else whichever neighbour has an odd last bit."""
    total, error = exact_sum(a, b)
    inexact = abs(error) > 0  # an overflow leaves NaN here and stays as it is
    bits, error_bits = total.view(np.int64), error.view(np.int64)
    truncated = bits - (inexact & ((bits ^ error_bits) < 0))
    return (truncated | inexact).view(np.float64)
