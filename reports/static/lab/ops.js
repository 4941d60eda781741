// The primitives that PyTorch's kernels are made of, over any numbers: each operation rounded by itself, or multiplications
// and additions rounded once where its vector kernels contract them. The order inside each primitive is PyTorch's.

import {FormulaError, NUMPY, Tensor} from "./numbers.js";

/** @typedef {any} Num */

const VECTOR = {float32: 8, float64: 4}; // numbers in a vector of 256 bits

/** Every operation rounds by itself, as NumPy's does. @param {any} F @returns {Record<string, (...given: any[]) => any>} */
function plain(F) {
  const {plus, minus, times, over, sqrt, sum, mean} = F;
  const scaled = (/** @type {Num} */ value, /** @type {Num} */ x) => (value === 1 ? x : times(value, x));
  const channels = (/** @type {Num} */ x) => sum(x, {axis: [0, ...F.range(2, x.ndim)]});
  return {
    sqrt, sum, mean, mul: times, div: over, pow: F.power, rsqrt: (x) => over(1, sqrt(x)), wide: (x) => x, narrow: (x) => x,
    add: (x, y, {alpha = 1} = {}) => plus(x, scaled(alpha, y)),
    lerp: (x, y, weight) => (isSmall(F, weight, x) ? plus(x, times(F.met(weight, x), minus(y, x))) : minus(y, times(minus(y, x), minus(1, F.met(weight, x))))),
    addcmul: (x, a, b, {value = 1} = {}) => plus(x, times(scaled(value, a), b)),
    addcdiv: (x, a, b, {value = 1} = {}) => plus(x, over(scaled(value, a), b)),
    fma: (a, b, c) => plus(times(a, b), c),
    sum_of_products: (a, b, c, d) => plus(times(a, b), times(c, d)),
    minus_product: (c, a, b) => minus(c, times(a, b)),
    norm: (x, settings = {}) => sqrt(sum(times(x, x), {...settings, keepdims: settings.axis !== undefined})), // along an axis, which is kept
    matmul: (a, b) => {
      if (a.shape[a.ndim - 1] !== 1) throw new FormulaError("matmul"); // what is added up, a library adds up in an order of its own
      return times(a, b);
    },
    channel_sum: channels, channel_grad_sum: channels, channel_square: (x) => channels(times(x, x)), channel_grad_dot: (x, y) => channels(times(x, y)),
  };
}

/** Multiply and add round once, as PyTorch's vector kernels on x86 (AVX2, AVX512) contract them. @param {any} F */
function fused(F) {
  const {fma, minus, times, negative} = F, apart = plain(F);
  return {
    ...apart, fma,
    add: (/** @type {Num} */ x, /** @type {Num} */ y, {alpha = 1} = {}) => (alpha === 1 ? F.plus(x, y) : fma(alpha, y, x)),
    lerp: (/** @type {Num} */ x, /** @type {Num} */ y, /** @type {Num} */ weight) => (isSmall(F, weight, x) ? fma(F.met(weight, x), minus(y, x), x) : fma(minus(y, x), minus(F.met(weight, x), 1), y)),
    addcmul: (/** @type {Num} */ x, /** @type {Num} */ a, /** @type {Num} */ b, {value = 1} = {}) => fma(value === 1 ? a : times(value, a), b, x),
    /** Whole vectors round a·b and then once, the scalars after them c·d. @param {Num[]} given */
    sum_of_products: (...given) => {
      const [a, b, c, d] = given, whole = fma(c, d, times(a, b));
      return afterVectors(F, whole, whole.size, 1, fma(a, b, times(c, d)));
    },
    /** Once; but of a row of channels what is left over after whole vectors rounds both. @param {Num} c @param {Num} a @param {Num} b */
    minus_product: (c, a, b) => {
      const once = fma(negative(a), b, c), [rows, channels] = once.shape;
      return once.size > rows * channels ? once : afterVectors(F, once, channels, rows, apart.minus_product(c, a, b));
    },
  };
}

/** `whole`, but in every row of so many numbers `left` where no vector is whole any more.
 * @param {any} F @param {Tensor} whole @param {number} length @param {number} rows @param {Tensor} left */
function afterVectors(F, whole, length, rows, left) {
  const vector = whole.data instanceof Float32Array ? VECTOR.float32 : VECTOR.float64, begin = length - (length % vector);
  return F.where(new Tensor(Uint8Array.from({length: rows * length}, (_, place) => Number(place % length >= begin)), whole.shape), left, whole);
}

/** Which of lerp's two forms is taken: by the weight as it meets the array. @param {any} F @param {Num} weight @param {Num} x */
const isSmall = (F, weight, x) => F.truth(F.less(F.abs(F.met(weight, x)), 0.5));

/** NumPy's numbers with PyTorch's primitives. @param {"plain" | "fused"} rounding @returns {Record<string, any>} */
export const numpy = (rounding) => ({...NUMPY, ops: (rounding === "fused" ? fused : plain)(NUMPY)});
