// The primitives that PyTorch's kernels are made of, over any numbers: each operation rounded by itself, or multiplications
// and additions rounded once where its vector kernels contract them.
"use strict";

import {FormulaError, NUMPY} from "./numbers.js";

/** @typedef {any} Num */

const VECTOR = {float32: 8, float64: 4}; // numbers in a vector of 256 bits

/** Every operation rounds by itself, as NumPy's does; the order inside each primitive is PyTorch's. */
export class Plain {
  /** @param {any} F the numbers: NumPy's, or such as carry an error */
  constructor(F) {
    this.F = F;
  }

  /** @param {Num} x @param {Num} y @param {{alpha?: Num}} [settings] */
  add(x, y, {alpha = 1} = {}) { return alpha === 1 ? this.F.plus(x, y) : this.F.plus(x, this.F.times(alpha, y)); }

  /** @param {Num} x @param {Num} y */
  mul(x, y) { return this.F.times(x, y); }

  /** @param {Num} x @param {Num} y */
  div(x, y) { return this.F.over(x, y); }

  /** From the nearer end. @param {Num} x @param {Num} y @param {Num} weight */
  lerp(x, y, weight) {
    const {F} = this;
    const share = F.met(weight, x);
    if (isSmall(F, weight, x)) return F.plus(x, F.times(share, F.minus(y, x)));
    return F.minus(y, F.times(F.minus(y, x), F.minus(1, share)));
  }

  /** @param {Num} x @param {Num} a @param {Num} b @param {{value?: Num}} [settings] */
  addcmul(x, a, b, {value = 1} = {}) { return this.F.plus(x, this.F.times(scaled(this.F, value, a), b)); }

  /** @param {Num} x @param {Num} a @param {Num} b @param {{value?: Num}} [settings] */
  addcdiv(x, a, b, {value = 1} = {}) { return this.F.plus(x, this.F.over(scaled(this.F, value, a), b)); }

  /** @param {Num} a @param {Num} b @param {Num} c */
  fma(a, b, c) { return this.F.plus(this.F.times(a, b), c); }

  /** @param {Num} a @param {Num} b @param {Num} c @param {Num} d */
  sum_of_products(a, b, c, d) { return this.F.plus(this.F.times(a, b), this.F.times(c, d)); }

  /** @param {Num} c @param {Num} a @param {Num} b */
  minus_product(c, a, b) { return this.F.minus(c, this.F.times(a, b)); }

  /** @param {Num} x */
  sqrt(x) { return this.F.sqrt(x); }

  /** @param {Num} x @param {Num} exponent */
  pow(x, exponent) { return this.F.power(x, exponent); }

  /** @param {Num} x */
  sum(x) { return this.F.sum(x); }

  /** @param {Num} x @param {{axis?: number}} [settings] */
  mean(x, settings) { return this.F.mean(x, settings); }

  /** The root of a sum of squares; along an axis, which is kept. @param {Num} x @param {{axis?: number}} [settings] */
  norm(x, settings = {}) {
    return this.F.sqrt(this.F.sum(this.F.times(x, x), {...settings, keepdims: settings.axis !== undefined}));
  }

  /** Rounded twice. @param {Num} x */
  rsqrt(x) { return this.F.over(1, this.F.sqrt(x)); }

  /** A column by a row, of which nothing is added up; what is, a library adds up in an order of its own. @param {Num} a @param {Num} b */
  matmul(a, b) {
    if (a.shape[a.ndim - 1] !== 1) throw new FormulaError("matmul");
    return this.F.times(a, b);
  }

  /** @param {Num} x */
  wide(x) { return x; }

  /** @param {Num} x */
  narrow(x) { return x; }

  /** @param {Num} x */
  channel_sum(x) { return this.F.sum(x, {axis: [0, ...this.F.range(2, x.ndim)]}); }

  /** @param {Num} x */
  channel_square(x) { return this.channel_sum(this.F.times(x, x)); }

  /** @param {Num} x */
  channel_grad_sum(x) { return this.channel_sum(x); }

  /** @param {Num} x @param {Num} y */
  channel_grad_dot(x, y) { return this.channel_sum(this.F.times(x, y)); }
}

/** Multiply and add round once, as PyTorch's vector kernels on x86 (AVX2, AVX512) contract them. */
export class Fused extends Plain {
  /** @param {Num} x @param {Num} y @param {{alpha?: Num}} [settings] */
  add(x, y, {alpha = 1} = {}) { return alpha === 1 ? this.F.plus(x, y) : this.F.fma(alpha, y, x); }

  /** @param {Num} x @param {Num} y @param {Num} weight */
  lerp(x, y, weight) {
    const {F} = this;
    const share = F.met(weight, x);
    return isSmall(F, weight, x) ? F.fma(share, F.minus(y, x), x) : F.fma(F.minus(y, x), F.minus(share, 1), y);
  }

  /** @param {Num} x @param {Num} a @param {Num} b @param {{value?: Num}} [settings] */
  addcmul(x, a, b, {value = 1} = {}) { return this.F.fma(scaled(this.F, value, a), b, x); }

  /** @param {Num} a @param {Num} b @param {Num} c */
  fma(a, b, c) { return this.F.fma(a, b, c); }

  /** Whole vectors round a·b and then once, the scalars after them c·d. @param {Num} a @param {Num} b @param {Num} c @param {Num} d */
  sum_of_products(a, b, c, d) {
    const {F} = this;
    const whole = F.fma(c, d, F.times(a, b));
    return afterVectors(F, whole, whole.size, 1, F.fma(a, b, F.times(c, d)));
  }

  /** Once; but of a row of channels what is left over after whole vectors rounds both. @param {Num} c @param {Num} a @param {Num} b */
  minus_product(c, a, b) {
    const {F} = this;
    const once = F.fma(F.negative(a), b, c);
    const [rows, channels] = once.shape;
    return once.size > rows * channels ? once : afterVectors(F, once, channels, rows, super.minus_product(c, a, b));
  }
}

/**
 * `whole`, but in every row of so many numbers `left` where no vector is whole any more.
 * @param {any} F
 * @param {any} whole
 * @param {number} length
 * @param {number} rows
 * @param {any} left
 */
function afterVectors(F, whole, length, rows, left) {
  const vector = whole.data instanceof Float32Array ? VECTOR.float32 : VECTOR.float64;
  const begin = length - (length % vector);
  const mask = F.mask(whole.shape, Array.from({length: rows * length}, (_, place) => place % length >= begin));
  return F.where(mask, left, whole);
}

/**
 * @param {any} F
 * @param {Num} value
 * @param {Num} x
 */
function scaled(F, value, x) {
  return value === 1 ? x : F.times(value, x);
}

/**
 * Which of lerp's two forms is taken: by the weight as it meets the array.
 * @param {any} F
 * @param {Num} weight
 * @param {Num} x
 */
function isSmall(F, weight, x) {
  return F.truth(F.less(F.abs(F.met(weight, x)), 0.5));
}

/**
 * NumPy's numbers with PyTorch's primitives.
 * @param {"plain" | "fused"} rounding
 */
export function numpy(rounding) {
  /** @type {Record<string, any>} */
  const F = {...NUMPY};
  F.ops = rounding === "fused" ? new Fused(F) : new Plain(F);
  return F;
}
