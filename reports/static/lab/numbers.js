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

import {power, rounded} from "./exact.js";
import {fma32, fma64} from "./fma.js";

/** @typedef {any} Data Float32Array, Float64Array, of a mask Uint8Array; any[] holds numbers of another kind */
/** @typedef {any} Num a plain number, or a Tensor */

/** What Python refuses; `key` names why. */
export class FormulaError extends Error {
  /** @param {string} key */
  constructor(key) {
    super(key);
    this.key = key;
  }
}

/** An array; its data's type is its format. It is never changed in place. */
export class Tensor {
  /** @param {Data} data @param {readonly number[]} shape [] for one number */
  constructor(data, shape = [data.length]) {
    this.data = data;
    this.shape = shape;
  }

  get size() { return this.data.length; }

  get ndim() { return this.shape.length; }
}

/** @type {Record<string, Float32ArrayConstructor | Float64ArrayConstructor>} */
const FORMATS = {float32: Float32Array, float64: Float64Array};

/** An array of a format, or one number of it. @param {number | ArrayLike<number>} values @param {string} name @param {readonly number[]} [shape] */
export const tensor = (values, name, shape) => (typeof values === "number" ? new Tensor(FORMATS[name].of(values), []) : new Tensor(FORMATS[name].from(values), shape));

/** @param {Tensor} x */
export const format = (x) => (x.data instanceof Float32Array ? "float32" : x.data instanceof Float64Array ? "float64" : "mask");

/** The array in another format, each number rounded. @param {Num} x @param {string} name @returns {Tensor} */
export const as = (x, name) => (typeof x === "number" ? tensor(x, name) : format(x) === name ? x : tensor(x.data, name, x.shape));

/** Row `place` of an array. @param {Tensor} x @param {number} place */
export function row(x, place) {
  const length = x.size / x.shape[0];
  return new Tensor(x.data.slice(place * length, (place + 1) * length), x.shape.slice(1));
}

/** Arrays of one shape and format as the rows of one. @param {Tensor[]} rows */
export const stack = (rows) => tensor(rows.flatMap((one) => [...one.data]), format(rows[0]), [rows.length, ...rows[0].shape]);

/** @param {readonly number[]} shape */
export const volume = (shape) => shape.reduce((product, length) => product * length, 1);

/** @param {readonly number[]} shape */
const strides = (shape) => shape.map((_, axis) => volume(shape.slice(axis + 1)));

/** What arrays that meet are made of: the widest; a plain number has no format. @param {Num[]} operands @returns {any} */
function meeting(operands) {
  let made = Float32Array;
  for (const one of operands) {
    if (Array.isArray(one?.data)) return Array;
    if (one?.data instanceof Float64Array) made = /** @type {any} */ (Float64Array);
  }
  return made;
}

/** The shape that both are laid out in. @param {readonly number[]} a @param {readonly number[]} b @returns {readonly number[]} */
function broadcast(a, b) {
  if (a.length < b.length) return broadcast(b, a);
  const ahead = a.length - b.length;
  return a.map((length, axis) => (axis >= ahead && length === 1 ? b[axis - ahead] : length));
}

/** The numbers of an array laid out in a shape. @param {Tensor} x @param {readonly number[]} shape */
function laidOut(x, shape) {
  const size = volume(shape);
  if (x.size === size) return x.data;
  const own = strides(x.shape), across = strides(shape), ahead = shape.length - x.ndim;
  const step = shape.map((_, axis) => (axis < ahead || x.shape[axis - ahead] === 1 ? 0 : own[axis - ahead]));
  return Array.from({length: size}, (_, to) => x.data[step.reduce((from, each, axis) => from + (Math.floor(to / across[axis]) % shape[axis]) * each, 0)]);
}

/** A function of two or three, element by element; of plain numbers a plain one. @param {(...numbers: any[]) => any} apply @param {Num[]} operands */
export function mapped(apply, ...operands) {
  const [isA, isB, isC] = operands.map((one) => one instanceof Tensor), first = operands.find((one) => one instanceof Tensor);
  if (!first) return apply(...operands);
  const shape = operands.reduce((known, one) => (one instanceof Tensor && one.shape !== known ? broadcast(known, one.shape) : known), first.shape);
  const Floats = meeting(operands), made = new Floats(volume(shape)), round = Floats === Float32Array ? Math.fround : (/** @type {any} */ x) => x;
  const [a, b, c] = operands.map((one) => (one instanceof Tensor ? laidOut(one, shape) : round(one)));
  for (let k = 0; k < made.length; k += 1) made[k] = apply(isA ? a[k] : a, isB ? b[k] : b, isC ? c[k] : c);
  return new Tensor(made, shape);
}

/** @param {(...numbers: any[]) => any} apply @returns {(...operands: Num[]) => any} */
const lifted = (apply) => (...operands) => mapped(apply, ...operands);

/** The comparison of two: a mask. @param {(x: number, y: number) => boolean} apply */
const compared = (apply) => (/** @type {Num} */ a, /** @type {Num} */ b) => {
  const told = mapped(apply, a, b);
  return told instanceof Tensor ? new Tensor(Uint8Array.from(told.data), told.shape) : told;
};

/** NumPy's function of a plain number is one of its own scalars, in double, which are not weak. @param {Num} x @returns {Tensor} */
const strong = (x) => (typeof x === "number" ? tensor(x, "float64") : x);

/** @param {(x: number) => number} apply @returns {(x: Num) => any} */
const ofOne = (apply) => (x) => each(apply, strong(x));

/** @param {(x: number) => number} apply @param {Tensor} x */
const each = (apply, x) => new Tensor(x.data.map(apply), x.shape);

/** A quotient, which Python refuses of plain numbers by 0. @param {(x: number, y: number) => number} apply */
const quotient = (apply) => (/** @type {Num} */ a, /** @type {Num} */ b) => {
  if (typeof a === "number" && b === 0) throw new FormulaError("zero-division");
  return mapped(apply, a, b);
};

/** Σ of some numbers in NumPy's order: in eights, in blocks of 128, those in pairs. @param {any} data @param {(x: number) => number} round @returns {number} */
function pairwise(data, round) {
  const {length} = data, whole = length - (length % 8);
  if (length < 8) return data.reduce((/** @type {number} */ few, /** @type {number} */ one) => round(few + one), 0);
  if (length > 128) {
    const half = Math.floor(length / 2), first = half - (half % 8);
    return round(pairwise(data.subarray(0, first), round) + pairwise(data.subarray(first), round));
  }
  const eight = [...data.subarray(0, 8)], pair = (/** @type {number} */ one) => round(eight[one] + eight[one + 1]);
  for (let place = 8; place < whole; place += 1) eight[place % 8] = round(eight[place % 8] + data[place]);
  const total = round(round(pair(0) + pair(2)) + round(pair(4) + pair(6)));
  return data.subarray(whole).reduce((/** @type {number} */ most, /** @type {number} */ one) => round(most + one), total);
}

/** What is left of an array along axes, all of them if none is named; negative ones count from the last. The numbers that lie
 * side by side are handed to `run` first, what comes of it to `add`.
 * @param {Tensor} x @param {{axis?: number | number[], keepdims?: boolean}} settings @param {any} made of zeros, as many as are left
 * @param {(data: any) => any} run @param {(total: any, part: any) => any} add */
export function along(x, {axis = x.shape.map((_, own) => own), keepdims = false}, made, run, add) {
  const axes = [axis].flat(), gone = x.shape.map((_, own) => axes.includes(own) || axes.includes(own - x.ndim));
  const shape = x.shape.map((length, own) => (gone[own] ? 1 : length)), steps = strides(shape), across = strides(x.shape);
  const long = x.shape.map((_, own) => own).filter((own) => x.shape[own] > 1);
  let side = 1;
  while (long.length && gone[long[long.length - 1]]) side *= x.shape[long.pop() ?? 0];
  const data = made(volume(shape));
  for (let start = 0; start < x.size; start += side) {
    const place = long.reduce((at, own) => at + (gone[own] ? 0 : (Math.floor(start / across[own]) % shape[own]) * steps[own]), 0);
    data[place] = add(data[place], run(x.data.slice(start, start + side)));
  }
  return new Tensor(data, keepdims ? shape : shape.filter((_, own) => !gone[own]));
}

// The functions of the language, under their names in a translation

const plus = lifted((x, y) => x + y);
const times = lifted((x, y) => x * y);
const over = quotient((x, y) => x / y);
const sqrt = ofOne(Math.sqrt);
const greatest = lifted((x, y) => (x > y || Number.isNaN(x) ? x : y)); // of +0 and -0 the second, as x86 has it
const least = lifted((x, y) => (x < y || Number.isNaN(x) ? x : y));
const maximum = (/** @type {Num} */ a, /** @type {Num} */ b) => strong(greatest(a, b));
const minimum = (/** @type {Num} */ a, /** @type {Num} */ b) => strong(least(a, b));

/** A power; of plain numbers as Python has or refuses it. @param {Num} x @param {Num} y */
function powered(x, y) {
  if (typeof x !== "number" || typeof y !== "number") {
    if (y === 2) return times(x, x);
    if (y === 0.5) return sqrt(x);
    if (y === 1) return x;
    return y === -1 ? over(1, x) : mapped(rounded, x, y);
  }
  if (x === 0 && y < 0) throw new FormulaError("zero-division");
  const value = power(x, y);
  if (Number.isNaN(value) && !Number.isNaN(x) && !Number.isNaN(y)) throw new FormulaError("complex");
  if (!Number.isFinite(value) && Number.isFinite(x) && Number.isFinite(y)) throw new FormulaError("overflow");
  return value;
}

/** Python's truth, where NaN is true. @param {any} x */
function truth(x) {
  if (x instanceof Tensor && x.size !== 1) throw new FormulaError("truth-of-array");
  const one = x instanceof Tensor ? x.data[0] : x;
  return Boolean(one) || Number.isNaN(one);
}

/** The number that an array of one holds, as a plain one. @param {Num} x */
const item = (x) => (x instanceof Tensor && x.ndim === 0 ? x.data[0] : x);

/** Σ x along axes, all of them if none is named, in NumPy's order. @param {Tensor} x @param {any} [settings] */
function sum(x, settings = {}) {
  const Floats = FORMATS[format(x)], round = x.data instanceof Float32Array ? Math.fround : (/** @type {number} */ one) => one;
  return along(x, settings, (/** @type {number} */ size) => new Floats(size), (data) => pairwise(data, round), (total, part) => total + part);
}

/** NumPy's numbers: what a translated formula calls. @type {Record<string, any>} */
export const NUMPY = {
  plus, times, over, sqrt, truth, maximum, minimum, item, sum, minus: lifted((x, y) => x - y), wholes: quotient((x, y) => Math.floor(x / y)), power: powered,
  remainder: quotient((x, y) => { const rest = x % y; return rest && (rest < 0) !== (y < 0) ? rest + y : rest; }),
  negative: (/** @type {Num} */ x) => (typeof x === "number" ? -x : each((one) => -one, x)),
  abs: (/** @type {Num} */ x) => (typeof x === "number" ? Math.abs(x) : each(Math.abs, x)),
  less: compared((x, y) => x < y), lessEqual: compared((x, y) => x <= y), equal: compared((x, y) => x === y),
  greater: compared((x, y) => x > y), greaterEqual: compared((x, y) => x >= y), notEqual: compared((x, y) => x !== y),
  where: (/** @type {any} */ mask, /** @type {Num} */ a, /** @type {Num} */ b) => mapped((told, x, y) => (told ? x : y), mask, a instanceof Tensor ? a : b instanceof Tensor ? a : strong(a), b),
  exp: ofOne(Math.exp), log: ofOne(Math.log), log1p: ofOne(Math.log1p), tanh: ofOne(Math.tanh),
  sign: ofOne((x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : NaN)),
  /** As NumPy between two plain numbers: what equals one of them stays. @param {Num[]} operands */
  clip: (...operands) => strong(mapped((x, low, high) => (x < low ? low : x > high ? high : x), ...operands)),
  mean: (/** @type {Tensor} */ x, /** @type {any} */ settings) => {
    const total = sum(x, settings);
    return over(total, x.size / total.size);
  },

  // what the reference and the causes have besides, under their names
  /** a·b + c rounded once. @param {Num[]} operands */
  fma: (...operands) => mapped(meeting(operands) === Float64Array || !operands.some((one) => one instanceof Tensor) ? fma64 : fma32, ...operands),
  /** x multiplied by itself so many times, each product in float32. @param {number} x @param {number} count */
  float32_product: (x, count) => Array.from({length: Math.round(count)}).reduce((/** @type {number} */ product) => Math.fround(product * Math.fround(x)), 1),
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
  /** @param {Tensor} x @param {...number} shape of which one may be -1 */
  reshape: (x, ...shape) => new Tensor(x.data, shape.map((length) => (length < 0 ? x.size / volume(shape.filter((own) => own >= 0)) : length))),
  /** The first number of each row along the last axis. @param {Tensor} x */
  firsts: (x) => new Tensor(x.data.filter((/** @type {any} */ _, /** @type {number} */ place) => place % x.shape[x.ndim - 1] === 0), x.shape.slice(0, -1)),
  copy: (/** @type {Num} */ x) => x, // nothing is changed in place
  /** How many of a tuple are that, and of a sorted one not more than it. @param {number[]} all @param {number} x */
  count: (all, x) => all.filter((one) => one === x).length,
  bisect_right: (/** @type {number[]} */ all, /** @type {number} */ x) => all.filter((one) => one <= x).length,
  range: (/** @type {number} */ start, /** @type {number} */ stop) => Array.from({length: Math.max(stop - start, 0)}, (_, place) => start + place),
};
