// Numbers that know how far an honest evaluation may be from them: running error analysis as lockstep.numerics.bounded has
// it. The right formula, run on these, says what rounding allows.
//
// An operation is charged two roundings of half a unit in the last place, since an equal order may need two operations
// where the formula has one; a sum at the size of its terms. The value itself is kept in a double: what that rounds is
// charged on top. Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1 to 3.4.

import {along, mapped, NUMPY} from "./numbers.js";

const ROUNDINGS = 2;
const DOUBLE = 2 ** -53; // what a double rounds by
const HELD = {
  float32: { unit: 2 ** -24, least: 2 ** -149, most: 3.4028234663852886e38 },
  float64: { unit: DOUBLE, least: 2 ** -1074, most: Number.MAX_VALUE },
};
const UNSURE = Symbol("unsure"); // an order of two that hangs on a rounding

/** A value, how far an honest evaluation may be from it, and whether it is a plain number, which is computed with in double
 * until it meets an array. */
export class Bounded {
  /** @param {number} value @param {number} error @param {boolean} plain */
  constructor(value, error = 0, plain = false) {
    this.value = value;
    this.error = error;
    this.plain = plain;
  }
}

/** @typedef {Bounded | number} Num */

/** @param {any} x @returns {Bounded} */
const made = (x) => (x instanceof Bounded ? x : new Bounded(Number(x), 0, true));

/** The arithmetic of such numbers, and of arrays of them, beside arrays of a format. @param {"float32" | "float64"} format */
export function bounding(format) {
  const { unit, least, most } = HELD[format];

  /** A value whose operands' errors make `error`, after so many roundings at a size.
   * @param {number} value @param {number} error @param {number} size @param {boolean} plain */
  function rounded(value, error, size, plain, roundings = ROUNDINGS) {
    const [u, smallest] = plain ? [DOUBLE, 2 ** -1074] : [unit, least];
    const whole = error + (roundings * u + DOUBLE) * (size + error) + roundings * smallest;
    return new Bounded(value, Math.abs(value) + whole > most || Number.isNaN(whole) ? Infinity : whole, plain);
  }

  /** A plain number as an array takes it up: rounded once. @param {Bounded} x */
  function held(x) {
    const exact = !x.error && (format === "float64" || Math.fround(x.value) === x.value);
    return exact ? new Bounded(x.value, 0) : rounded(x.value, x.error, Math.abs(x.value), false, 1);
  }

  /** An operation of two as they meet. @param {(a: Bounded, b: Bounded, plain: boolean) => any} apply @returns {(x: any, y: any) => any} */
  const of = (apply) => (x, y) => {
    const [a, b] = [made(x), made(y)];
    return a.plain === b.plain ? apply(a, b, a.plain) : apply(a.plain ? held(a) : a, b.plain ? held(b) : b, false);
  };

  /** Which of two it is where that may hang on a rounding: either. @param {Bounded} a @param {Bounded} b */
  const either = (a, b) => new Bounded(a.value, Math.max(a.error, b.error) + Math.abs(a.value - b.value), a.plain && b.plain);

  /** Whether an order of two is sure: a flag, or that rounding decides. @param {(a: number, b: number) => boolean} test @returns {(x: any, y: any) => any} */
  const compared = (test) => (x, y) => {
    const [a, b] = [made(x), made(y)];
    return a.error + b.error > 0 && !(Math.abs(a.value - b.value) > a.error + b.error) ? UNSURE : test(a.value, b.value);
  };

  /** The larger or smaller of two. @param {(a: number, b: number) => number} pick */
  const picked = (pick) => of((a, b, plain) => new Bounded(pick(a.value, b.value), Math.max(a.error, b.error), plain));

  /** @type {Record<string, (...given: any[]) => any>} */
  const F = {
    plus: of((a, b, plain) => {
      const value = a.value + b.value, error = a.error + b.error;
      if ((!a.value && !a.error) || (!b.value && !b.error)) return new Bounded(value, error, plain);
      return rounded(value, error, Math.abs(a.value) + Math.abs(b.value), plain);
    }),
    minus: (x, y) => F.plus(x, F.negative(y)),
    times: of((a, b, plain) => {
      const value = a.value * b.value;
      if (!a.error && Math.abs(a.value) === 1) return new Bounded(value, b.error, plain);
      if (!b.error && Math.abs(b.value) === 1) return new Bounded(value, a.error, plain);
      if ((!a.value && !a.error) || (!b.value && !b.error)) return new Bounded(value, 0, plain);
      return rounded(value, Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error, Math.abs(value), plain);
    }),
    over: of((a, b, plain) => {
      const value = a.value / b.value, room = Math.abs(b.value) - b.error;
      if (!a.error && !b.error && !Number.isFinite(value)) return new Bounded(value, 0, plain);
      return rounded(value, room > 0 ? (a.error + Math.abs(value) * b.error) / room : Infinity, Math.abs(value), plain);
    }),
    power(x, y) {
      const [a, b] = [made(x), made(y)];
      if (!b.error && b.value === 0.5) return F.sqrt(a);
      const value = a.value ** b.value, size = Math.abs(value);
      if (!b.error && b.value >= 1 && b.value % 1 === 0) {
        const error = b.value * (Math.abs(a.value) + a.error) ** (b.value - 1) * a.error;
        return rounded(value, error, size, a.plain, Math.max(ROUNDINGS, a.plain ? ROUNDINGS : b.value));
      }
      // |b' log a' - b log a| <= |b| d + e (|log a| + d), with d the error of log a and e that of b
      const slope = -Math.log1p(-a.error / a.value), apart = Math.abs(b.value) * slope + b.error * (Math.abs(Math.log(a.value)) + slope);
      return rounded(value, a.value > a.error ? size * Math.expm1(apart) : Infinity, size, a.plain && b.plain, ROUNDINGS + 8);
    },
    negative: (x) => { const a = made(x); return new Bounded(-a.value, a.error, a.plain); },
    abs: (x) => { const a = made(x); return new Bounded(Math.abs(a.value), a.error, a.plain); },
    sqrt(x) {
      const a = made(x), value = Math.sqrt(Math.max(a.value, 0));
      // |sqrt a' - sqrt a| <= e / (sqrt(a - e) + sqrt a), and sqrt e where a may be 0; a kernel's root misses by a unit more
      const error = a.error ? (a.value > a.error ? a.error / (Math.sqrt(a.value - a.error) + value) : Math.sqrt(a.value + a.error)) : 0;
      return rounded(value, error, value, a.plain, ROUNDINGS + (a.plain ? 0 : 2));
    },
    maximum: picked(Math.max), minimum: picked(Math.min), max: picked(Math.max), min: picked(Math.min),
    clip: (x, low, high) => F.minimum(F.maximum(x, low), high),
    sign: (x) => { const a = made(x); return new Bounded(Math.sign(a.value), a.error && Math.abs(a.value) <= a.error ? 2 : 0); },
    where: (test, x, y) => of((a, b) => (test === UNSURE ? either(a, b) : test ? a : b))(x, y),
    less: compared((a, b) => a < b), lessEqual: compared((a, b) => a <= b), equal: compared((a, b) => a === b),
    greater: compared((a, b) => a > b), greaterEqual: compared((a, b) => a >= b), notEqual: compared((a, b) => a !== b),
    item: (x) => { const a = made(x); return new Bounded(a.value, a.error, true); },
    like: (x) => held(made(x)),
    root: (x) => F.sqrt(x),
  };
  const lifted = Object.fromEntries(Object.entries(F).map(([name, apply]) => [name, (/** @type {any[]} */ ...given) => mapped(apply, ...given)]));
  const sum = (/** @type {any} */ x, /** @type {any} */ settings = {}) => (
    along(x, settings, (/** @type {number} */ size) => Array(size).fill(new Bounded(0)), (part) => part.reduce(F.plus), F.plus)
  );
  return {
    ...lifted, sum, reshape: NUMPY.reshape, firsts: NUMPY.firsts, range: NUMPY.range,
    mean: (/** @type {any} */ x, /** @type {any} */ settings) => { const total = sum(x, settings); return lifted.over(total, x.size / total.size); },
    truth: (/** @type {any} */ x) => (x instanceof Bounded ? x.value !== 0 : Boolean(x) || Number.isNaN(x)),
  };
}
