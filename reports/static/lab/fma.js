// a·b + c rounded once, as a processor's fused multiply-add: in float32 and in float64, subnormals, infinities and the
// signs of zero included. Every operation below is exact or rounded to odd, so that the one rounding to nearest at the end
// sees all that it has to decide on (Boldo and Melquiond, IEEE Transactions on Computers 57(4), 2008).

import {exactly, nearest} from "./exact.js";

const SPLITTER = 2 ** 27 + 1; // Veltkamp's constant halves the 53 bits of a double
const SPLITTABLE = 2 ** 990; // beyond, the splitting overflows
const LARGE = 2 ** 1000; // beyond, the sum of a product and c might
const SMALL = 2 ** -960; // below, the error of a product is no longer a double

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer); // the lower one first, as on every machine that a browser runs on

/** The error of a sum that was rounded to total (Knuth's two-sum). @param {number} a @param {number} b @param {number} total */
function lost(a, b, total) {
  const part = total - a;
  return (a - (total - part)) + (b - part);
}

/** a + b in double: itself where exact, else whichever neighbour has an odd last bit. @param {number} a @param {number} b */
function odd(a, b) {
  const total = a + b, error = lost(a, b, total);
  if (!(Math.abs(error) > 0)) return total; // an overflow leaves NaN here and stays as it is
  double[0] = total;
  if (halves[0] & 1) return total;
  const outwards = (error > 0) === (total > 0);
  if (!outwards && halves[0] === 0) halves[1] -= 1;
  halves[0] += outwards ? 1 : -1;
  return double[0];
}

/** For float32: of 24 bits by 24 bits a double holds the product exactly, and of a sum that is rounded to odd it has 29 bits
 * more than float32, which rounds it as it would have rounded the sum itself. @param {number} a @param {number} b @param {number} c */
export const fma32 = (a, b, c) => Math.fround(odd(a * b, c));

/** The upper half of a number's bits. @param {number} x */
function upper(x) {
  const scaled = SPLITTER * x;
  return scaled - (scaled - x);
}

/** For float64: two unevaluated sums hold a·b + c exactly; where they would leave the range of exponents, whole numbers do.
 * @param {number} a @param {number} b @param {number} c */
export function fma64(a, b, c) {
  const product = a * b, size = Math.abs(product);
  const ordinary = size >= SMALL && size < LARGE && Math.abs(c) < LARGE && Math.abs(a) < SPLITTABLE && Math.abs(b) < SPLITTABLE;
  if (!ordinary) return withoutLimits(a, b, c);
  const [aHigh, bHigh] = [upper(a), upper(b)], [aLow, bLow] = [a - aHigh, b - bHigh];
  const error = aLow * bLow - (((product - aHigh * bHigh) - aLow * bHigh) - aHigh * bLow); // of the product: Dekker 1971
  const inner = c + error, total = product + inner;
  return total + odd(lost(c, error, inner), lost(product, inner, total));
}

/** @param {number} a @param {number} b @param {number} c */
function withoutLimits(a, b, c) {
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0 || b === 0) return a * b + c;
  if (!Number.isFinite(c)) return c; // and not what an overflow of the product would make of it
  const [[aWhole, aExponent], [bWhole, bExponent], [cWhole, cExponent]] = [a, b, c].map(exactly);
  const exponent = Math.min(aExponent + bExponent, cExponent);
  const product = (aWhole * bWhole) << BigInt(aExponent + bExponent - exponent);
  return nearest(product + (cWhole << BigInt(cExponent - exponent)), exponent); // +0 of two that cancel
}
