// NumPy's arrays and functions, to the bit: what a translated formula computes with.
//
// Every operation is done in double and rounded as it is stored, to the format of the array that it is stored in. For
// float32 that is the one rounding that NumPy does: a double has p = 53 bits of significand, float32 q = 24, and p >= 2q + 2.
// Of numbers of q bits, a product has at most 2q = 48 bits and is exact in double. A sum, a quotient or a root may need more,
// but where it is no midpoint between neighbours of float32 it lies more than half a unit in the 53rd bit from every one of
// them (Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30(3), 1995): the first rounding never makes a
// midpoint of what was none, so that the second sees the same side as if there had been no first. Subnormals of float32
// have fewer bits still, and are no subnormals in double: there a sum is exact, a product is rounded from exact, and a
// quotient is no nearer to a midpoint of fewer bits, from which it differs by at least one part in 2^49 as from any.
//
// A plain number is Python's: double where it meets its like, and rounded to an array's format, once, where it meets that
// (NumPy 2). exp, log, log1p and tanh are the browser's, which no standard rounds: of 10 000 doubles each, 1 016, 223, 162 and
// 1 065 were not the correctly rounded ones (V8, Node 20), tanh's by up to 2 units in the last place, the others' by 1. So is
// a power of an array other than 2, 1/2, 1 and -1: here it is correctly rounded, and NumPy's is a library's.
"use strict";

import {fma32, fma64} from "./fma.js";
import {power, rounded} from "./power.js";

/** @typedef {Float32Array | Float64Array | Uint8Array} Data */
/** @typedef {number | Tensor} Num */
/** @typedef {boolean | number | Tensor} Truth */
/** @typedef {{axis?: number | number[], keepdims?: boolean}} Axes negative axes count from the last */

/** What Python refuses; `key` names why. */
export class FormulaError extends Error {
  /** @param {string} key */
  constructor(key) {
    super(key);
    this.key = key;
  }
}

/** An array; its data's type is its format, Uint8Array that of a mask. It is never changed in place. */
export class Tensor {
  /**
   * @param {Data} data
   * @param {readonly number[]} [shape] [] for one number
   */
  constructor(data, shape = [data.length]) {
    this.data = data;
    this.shape = shape;
  }

  get size() { return this.data.length; }

  get ndim() { return this.shape.length; }
}

/** @type {Record<string, Float32ArrayConstructor | Float64ArrayConstructor>} */
const FORMATS = {float32: Float32Array, float64: Float64Array};

/**
 * @param {number | ArrayLike<number>} values
 * @param {string} name of the format
 * @param {readonly number[]} [shape]
 */
export function tensor(values, name, shape) {
  const Floats = FORMATS[name];
  return typeof values === "number" ? new Tensor(Floats.of(values), []) : new Tensor(Floats.from(values), shape);
}

/** @param {Tensor} x */
export function format(x) {
  return x.data instanceof Float32Array ? "float32" : x.data instanceof Float64Array ? "float64" : "mask";
}

/**
 * The array in another format, each number rounded.
 * @param {Num} x
 * @param {string} name
 */
export function as(x, name) {
  return typeof x === "number" ? tensor(x, name) : format(x) === name ? x : tensor(x.data, name, x.shape);
}

/**
 * Row `place` of an array.
 * @param {Tensor} x
 * @param {number} place
 */
export function row(x, place) {
  const length = x.size / x.shape[0];
  return new Tensor(x.data.slice(place * length, (place + 1) * length), x.shape.slice(1));
}

/**
 * Arrays of one shape and format as the rows of one.
 * @param {Tensor[]} rows
 */
export function stack(rows) {
  const values = rows.flatMap((one) => [...one.data]);
  return tensor(values, format(rows[0]), [rows.length, ...rows[0].shape]);
}

/** The format in which operands meet: the widest; a plain number has none. @param {...Truth} operands */
function meeting(...operands) {
  const wide = operands.some((one) => one instanceof Tensor && one.data instanceof Float64Array);
  return wide ? Float64Array : Float32Array;
}

/**
 * @param {readonly number[]} a
 * @param {readonly number[]} b
 */
function broadcast(a, b) {
  const [long, short] = a.length < b.length ? [b, a] : [a, b];
  const ahead = long.length - short.length;
  return long.map((length, axis) => (axis < ahead || short[axis - ahead] === 1 ? length : length === 1 ? short[axis - ahead] : length));
}

/**
 * The numbers of an operand laid out in `shape`, rounded to what they meet.
 * @param {Truth} x
 * @param {readonly number[]} shape
 * @param {Float32ArrayConstructor | Float64ArrayConstructor} Floats
 * @returns {Data}
 */
function laidOut(x, shape, Floats) {
  const size = volume(shape);
  if (!(x instanceof Tensor)) return new Floats(size).fill(Number(x));
  if (x.size === size) return x.data;
  const made = new Floats(size);
  if (x.size === 1) return made.fill(x.data[0]);
  const steps = strides(x.shape);
  const ahead = shape.length - x.shape.length;
  const own = shape.map((_, axis) => (axis < ahead || x.shape[axis - ahead] === 1 ? 0 : steps[axis - ahead]));
  const across = strides(shape);
  const fill = (/** @type {number} */ axis, /** @type {number} */ from, /** @type {number} */ to) => {
    if (axis === shape.length) made[to] = x.data[from];
    else for (let place = 0; place < shape[axis]; place += 1) fill(axis + 1, from + place * own[axis], to + place * across[axis]);
  };
  fill(0, 0, 0);
  return made;
}

/** @param {readonly number[]} shape */
export function volume(shape) {
  return shape.reduce((product, length) => product * length, 1);
}

/** @param {readonly number[]} shape */
function strides(shape) {
  return shape.map((_, axis) => volume(shape.slice(axis + 1)));
}

/** @param {...(Truth)} operands */
function common(...operands) {
  let shape = /** @type {readonly number[]} */ ([]);
  for (const one of operands) {
    if (one instanceof Tensor && one.shape !== shape) shape = shape.length ? broadcast(shape, one.shape) : one.shape;
  }
  return shape;
}

/**
 * A function of two, element by element; of two plain numbers a plain one.
 * @param {(a: number, b: number) => number} apply
 * @param {Num} a
 * @param {Num} b
 * @returns {any}
 */
function binary(apply, a, b) {
  if (typeof a === "number" && typeof b === "number") return apply(a, b);
  const Floats = meeting(a, b);
  const shape = common(a, b);
  const x = laidOut(a, shape, Floats);
  const y = laidOut(b, shape, Floats);
  const made = new Floats(x.length);
  for (let place = 0; place < made.length; place += 1) made[place] = apply(x[place], y[place]);
  return new Tensor(made, shape);
}

/**
 * A function of three, element by element.
 * @param {(a: number, b: number, c: number) => number} apply
 * @param {Float32ArrayConstructor | Float64ArrayConstructor} Floats
 * @param {Truth} a
 * @param {Num} b
 * @param {Num} c
 */
function ternary(apply, Floats, a, b, c) {
  const shape = common(a, b, c);
  const [x, y, z] = [laidOut(a, shape, Floats), laidOut(b, shape, Floats), laidOut(c, shape, Floats)];
  const made = new Floats(x.length);
  for (let place = 0; place < made.length; place += 1) made[place] = apply(x[place], y[place], z[place]);
  return new Tensor(made, shape);
}

/** The comparison of two, element by element: a mask. @param {(a: number, b: number) => boolean} apply */
function compared(apply) {
  return (/** @type {Num} */ a, /** @type {Num} */ b) => {
    if (typeof a === "number" && typeof b === "number") return apply(a, b);
    const told = binary((x, y) => Number(apply(x, y)), a, b);
    return new Tensor(Uint8Array.from(told.data), told.shape);
  };
}

/** @param {(a: number, b: number) => number} apply */
function ofTwo(apply) {
  return (/** @type {Num} */ a, /** @type {Num} */ b) => binary(apply, a, b);
}

/** @param {(x: number) => number} apply */
function ofOne(apply) {
  return (/** @type {Num} */ x) => each(apply, strong(x));
}

/** A quotient, which Python refuses of plain numbers by 0. @param {(a: number, b: number) => number} apply */
function quotient(apply) {
  return (/** @type {Num} */ a, /** @type {Num} */ b) => {
    if (typeof a === "number" && b === 0) throw new FormulaError("zero-division");
    return binary(apply, a, b);
  };
}

/**
 * A function of an array, element by element.
 * @param {(x: number) => number} apply
 * @param {Tensor} x
 */
function each(apply, x) {
  return new Tensor(x.data.map(apply), x.shape);
}

/**
 * NumPy's function of a plain number is one of its own scalars, in double, which are not weak.
 * @param {Num} x
 */
function strong(x) {
  return typeof x === "number" ? tensor(x, "float64") : x;
}

/**
 * Σ of `length` numbers from `start` on, in NumPy's order: in eights, in blocks of 128, those in pairs.
 * @param {Data} data
 * @param {number} start
 * @param {number} length
 * @param {(x: number) => number} round
 * @returns {number}
 */
function pairwise(data, start, length, round) {
  if (length < 8) {
    let few = 0;
    for (let place = start; place < start + length; place += 1) few = round(few + data[place]);
    return few;
  }
  if (length > 128) {
    const half = Math.floor(length / 2);
    const first = half - (half % 8);
    return round(pairwise(data, start, first, round) + pairwise(data, start + first, length - first, round));
  }
  const eight = [...data.subarray(start, start + 8)];
  const whole = length - (length % 8);
  for (let place = 8; place < whole; place += 1) eight[place % 8] = round(eight[place % 8] + data[start + place]);
  const pair = (/** @type {number} */ one) => round(eight[one] + eight[one + 1]);
  let total = round(round(pair(0) + pair(2)) + round(pair(4) + pair(6)));
  for (let place = whole; place < length; place += 1) total = round(total + data[start + place]);
  return total;
}

/** @param {number} x */
const same = (x) => x;

/** @param {Data} data */
function rounding(data) {
  return data instanceof Float32Array ? Math.fround : same;
}

// The functions of the language, under their names in a translation

const plus = ofTwo((x, y) => x + y);
const minus = ofTwo((x, y) => x - y);
const times = ofTwo((x, y) => x * y);
const over = quotient((x, y) => x / y);
const sqrt = ofOne(Math.sqrt);
const greatest = ofTwo((x, y) => (x >= y || Number.isNaN(x) ? x : y));
const least = ofTwo((x, y) => (x <= y || Number.isNaN(x) ? x : y));
const maximum = (/** @type {Num} */ a, /** @type {Num} */ b) => strong(greatest(a, b));
const minimum = (/** @type {Num} */ a, /** @type {Num} */ b) => strong(least(a, b));

/** @param {Num} a @param {Num} b */
function powered(a, b) {
  if (typeof a === "number" && typeof b === "number") return pythons(a, b);
  if (b === 2) return times(a, a);
  if (b === 0.5) return sqrt(a);
  if (b === 1) return a;
  return b === -1 ? over(1, a) : binary(rounded, a, b);
}

/** A power of plain numbers, as Python has or refuses it. @param {number} x @param {number} y */
function pythons(x, y) {
  if (x === 0 && y < 0) throw new FormulaError("zero-division");
  const value = power(x, y);
  if (Number.isNaN(value) && !Number.isNaN(x) && !Number.isNaN(y)) throw new FormulaError("complex");
  if (!Number.isFinite(value) && Number.isFinite(x) && Number.isFinite(y)) throw new FormulaError("overflow");
  return value;
}

/** Python's truth, where NaN is true. @param {unknown} x */
function truth(x) {
  if (x instanceof Tensor && x.size !== 1) throw new FormulaError("truth-of-array");
  const one = x instanceof Tensor ? x.data[0] : x;
  return Boolean(one) || Number.isNaN(one);
}

/** @param {Truth} mask @param {Num} a @param {Num} b */
function where(mask, a, b) {
  const Floats = typeof a === "number" && typeof b === "number" ? Float64Array : meeting(a, b);
  return ternary((told, x, y) => (told ? x : y), Floats, mask, a, b);
}

/** a·b + c rounded once; of plain numbers a plain one. @param {Num} a @param {Num} b @param {Num} c */
function fma(a, b, c) {
  if (typeof a === "number" && typeof b === "number" && typeof c === "number") return fma64(a, b, c);
  return meeting(a, b, c) === Float64Array ? ternary(fma64, Float64Array, a, b, c) : ternary(fma32, Float32Array, a, b, c);
}

/** The number that an array of one holds, as a plain one. @param {Num} x */
function item(x) {
  return x instanceof Tensor && x.ndim === 0 ? x.data[0] : x;
}

/** x multiplied by itself so many times, each product in float32. @param {number} x @param {number} count */
function float32_product(x, count) {
  let product = 1;
  for (let done = 0; done < Math.round(count); done += 1) product = Math.fround(product * Math.fround(x));
  return product;
}

/** @param {Tensor} x @param {...number} shape of which one may be -1 */
function reshape(x, ...shape) {
  const known = volume(shape.filter((length) => length >= 0));
  return new Tensor(x.data, shape.map((length) => (length < 0 ? x.size / known : length)));
}

/** The first number of each row along the last axis. @param {Tensor} x */
function firsts(x) {
  const length = x.shape[x.ndim - 1];
  return new Tensor(x.data.filter((_, place) => place % length === 0), x.shape.slice(0, -1));
}

/** Σ x along axes, all of them if none is named, in NumPy's order. @param {Tensor} x @param {Axes} [settings] */
function sum(x, {axis = x.shape.map((_, own) => own), keepdims = false} = {}) {
  const axes = [axis].flat();
  const gone = x.shape.map((_, own) => axes.includes(own) || axes.includes(own - x.ndim));
  const shape = x.shape.map((length, own) => (gone[own] ? 1 : length));
  const [steps, across, round] = [strides(shape), strides(x.shape), rounding(x.data)];
  const long = x.shape.map((_, own) => own).filter((own) => x.shape[own] > 1);
  let run = 1; // of numbers that lie side by side and are added up first
  while (long.length && gone[long[long.length - 1]]) run *= x.shape[long.pop() ?? 0];
  const made = new FORMATS[format(x)](volume(shape));
  for (let start = 0; start < x.size; start += run) {
    let place = 0;
    for (const own of long) if (!gone[own]) place += (Math.floor(start / across[own]) % shape[own]) * steps[own];
    made[place] += run > 1 ? pairwise(x.data, start, run, round) : x.data[start];
  }
  return new Tensor(made, keepdims ? shape : shape.filter((_, own) => !gone[own]));
}

/** @param {Tensor} x @param {Axes} [settings] */
function mean(x, settings) {
  const total = sum(x, settings);
  return over(total, x.size / total.size);
}

/** NumPy's numbers: what a translated formula calls. */
export const NUMPY = {
  plus, minus, times, over, wholes: quotient((x, y) => Math.floor(x / y)), power: powered,
  negative: (/** @type {Num} */ x) => (typeof x === "number" ? -x : each((one) => -one, x)),
  less: compared((x, y) => x < y), lessEqual: compared((x, y) => x <= y), equal: compared((x, y) => x === y),
  greater: compared((x, y) => x > y), greaterEqual: compared((x, y) => x >= y), notEqual: compared((x, y) => x !== y),
  truth, where, maximum, minimum, sqrt, exp: ofOne(Math.exp), log: ofOne(Math.log), log1p: ofOne(Math.log1p), tanh: ofOne(Math.tanh),
  sign: ofOne((x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : NaN)),
  abs: (/** @type {Num} */ x) => (typeof x === "number" ? Math.abs(x) : each(Math.abs, x)),
  clip: (/** @type {Num} */ x, /** @type {Num} */ low, /** @type {Num} */ high) => minimum(maximum(x, low), high),

  // what the reference and the causes have besides, under their names
  fma, item, float32_product,
  like: (/** @type {Num} */ number, /** @type {Tensor} */ array) => plus(item(number), times(0, array)),
  root: (/** @type {Num} */ x) => (typeof x === "number" ? Math.sqrt(x) : sqrt(x)),
  float32: Math.fround,
  float32_power: (/** @type {number} */ x, /** @type {number} */ y) => Math.fround(power(Math.fround(x), y)),
  single: (/** @type {Tensor} */ x) => as(as(x, "float32"), format(x)),
  min: (/** @type {number} */ a, /** @type {number} */ b) => (b < a ? b : a), // Python's
  max: (/** @type {number} */ a, /** @type {number} */ b) => (b > a ? b : a),
  /** A plain number as it meets an array: an array of one in its format. @param {Num} x @param {Num} array @returns {Num} */
  met: (x, array) => (typeof x === "number" && array instanceof Tensor ? tensor(x, format(array)) : x),

  // arrays of any shape
  sum, mean, reshape, firsts,
  copy: (/** @type {Num} */ x) => x, // nothing is changed in place
  range: (/** @type {number} */ start, /** @type {number} */ stop) => Array.from({length: Math.max(stop - start, 0)}, (_, place) => start + place),
  mask: (/** @type {readonly number[]} */ shape, /** @type {boolean[]} */ truths) => new Tensor(Uint8Array.from(truths, Number), shape),
};
