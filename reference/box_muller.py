"""Normal numbers from uniform ones (Box and Muller 1958), as PyTorch's two kernels compute them.

The `scalar` kernel calls the C library, which Python's `math` calls too: equal to the bit where both
processes load the same one. The `vector` kernel (float32, on CPUs with AVX2) has polynomials of its own,
those of Cephes; with each a·b + c rounded once, as here, it is equal to the bit everywhere.

Source: aten/src/ATen/native/cpu/DistributionTemplates.h and avx_mathfun.h (2.13); the coefficients are
those of Cephes' single-precision logf, sinf and cosf (Moshier).
"""

import math

import numpy as np

from reference.fma import fma32

F = np.float32
LOG = [
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]  # fmt: skip
SIN = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
COS = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]
LN2_HIGH, LN2_LOW = F(0.693359375), F(-2.12194440e-4)
QUARTER_PI = [F(0.78515625), F(2.4187564849853515625e-4), F(3.77489497744594108e-8)]


def pair(u1, u2):
    """Two normal numbers from one pair of uniforms in [0, 1), the way PyTorch draws fewer than 16.

    The pair's parts are the other way round than in `scalar`: here u2 gives the radius.
    """
    radius = math.sqrt(-2.0 * math.log1p(-u2))
    theta = 2.0 * math.pi * u1
    return radius * math.cos(theta), radius * math.sin(theta)


def scalar(u1, u2):
    """Two arrays of normal numbers; the radius from 1 - u1, which is never 0, the angle from u2."""
    dtype = u1.dtype
    radius = np.sqrt(-2 * libm(math.log, 1 - u1))
    theta = (2 * math.pi * u2.astype(np.float64)).astype(dtype)
    return radius * libm(math.cos, theta), radius * libm(math.sin, theta)


def vector(u1, u2):
    """The same in float32 with the polynomials of Cephes."""
    radius = np.sqrt(F(-2) * log(F(1) - u1))
    cosine, sine = cos_sin(F(2 * math.pi) * u2)
    return radius * cosine, radius * sine


def libm(function, x):
    """The C library's `function`, element by element, which NumPy's own may differ from by an ulp.

    For float32 its float64 function is rounded, where PyTorch calls the float32 one: equal to rounding only.
    """
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape).astype(x.dtype)


def log(x):
    """ln x for normal float32 x > 0: x = 2^e · (1 + f), with 1 + f between √½ and √2."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < F(math.sqrt(0.5))
    e = (exponent - small).astype(F)
    f = np.where(small, mantissa + mantissa, mantissa) - F(1)
    z = f * f
    y = fma32(polynomial(LOG, f) * f, z, e * LN2_LOW) - F(0.5) * z
    return (f + y) + e * LN2_HIGH


def cos_sin(x):
    """The cosine and sine of float32 x ≥ 0, turned by multiples of π/2 to within π/4 of 0."""
    octant = ((x * F(4 / math.pi)).astype(np.int32) + 1) & ~1
    x = reduced(x, octant.astype(F))
    z = x * x
    near_one = fma32(polynomial(COS, z) * z, z, F(-0.5) * z) + F(1)
    near_zero = fma32(polynomial(SIN, z) * z, x, x)
    across = (octant & 2) != 0
    cosine, sine = np.where(across, near_zero, near_one), np.where(across, near_one, near_zero)
    return np.where((octant + 2) & 4, -cosine, cosine), np.where(octant & 4, -sine, sine)


def reduced(x, turns):
    """x - turns·π/4, with π/4 in three parts."""
    for part in QUARTER_PI:
        x = fma32(turns, -part, x)
    return x


def polynomial(coefficients, x):
    """Horner's rule, each step rounded once."""
    y = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        y = fma32(y, x, F(coefficient))
    return y
