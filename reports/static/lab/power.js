// Python's x**y of two floats, correctly rounded. That is what a C library nearly always gives: where the one of the machine
// that made the report gave another last bit, the value was handed over to `remember`.
"use strict";

import {exactly, lastPlace, length, nearest} from "./exact.js";

const CARRIED = 128; // bits of a product that are carried
const SURE = 100; // bits of it that are right: 2 · WHOLE cuts lose less than one in 2^127 each
const PLACES = 192; // bits below the point of a logarithm
const ONE = 1n << BigInt(PLACES);
const WHOLE = 2 ** 20; // exponents up to which a whole one multiplies
const HALVINGS = 8;

/** @type {Map<number, Map<number, number>>} */
const memory = new Map();

/**
 * Values that are known, each as [x, y, x**y].
 * @param {Iterable<readonly [number, number, number]>} known
 */
export function remember(known) {
  for (const [x, y, value] of known) {
    let powers = memory.get(x);
    if (!powers) memory.set(x, (powers = new Map()));
    powers.set(y, value);
  }
}

/**
 * x**y, remembered: a step asks for the same powers as the run before it.
 * @param {number} x
 * @param {number} y
 */
export function power(x, y) {
  const kept = memory.get(x)?.get(y);
  if (kept !== undefined) return kept;
  const value = rounded(x, y);
  remember([[x, y, value]]);
  return value;
}

/**
 * x**y, correctly rounded.
 * @param {number} x
 * @param {number} y
 */
export function rounded(x, y) {
  if (y === 0 || x === 1) return 1; // of NaN, too
  if (x === -1 && Math.abs(y) === Infinity) return 1;
  const whole = Number.isInteger(y);
  if (x === 0 || !Number.isFinite(x) || !Number.isFinite(y) || (x < 0 && !whole) || Math.abs(y) >= 2 ** 64) return x ** y;
  const size = whole && Math.abs(y) <= WHOLE ? multiplied(Math.abs(x), y) : grown(Math.abs(x), y);
  return x < 0 && y % 2 !== 0 ? -size : size;
}

/**
 * x·x·…·x, cut to CARRIED bits on the way; exactly where that leaves a doubt.
 * @param {number} x positive
 * @param {number} y a whole number
 */
function multiplied(x, y) {
  const [whole, exponent] = exactly(x);
  for (const places of [CARRIED, Infinity]) {
    let [product, scale, cut] = raised(whole, exponent, Math.abs(y), places);
    if (y < 0) {
      const bits = 2 * length(product) + CARRIED;
      cut ||= (1n << BigInt(bits)) % product !== 0n;
      product = (1n << BigInt(bits)) / product;
      scale = -scale - bits;
    }
    const value = nearest(product, scale);
    if (!cut || places === Infinity || settled(product, scale)) return value;
  }
  throw new Error("unreachable");
}

/**
 * whole^count · 2^(exponent·count) as [significand, exponent, whether bits were cut off].
 * @param {bigint} whole
 * @param {number} exponent
 * @param {number} count
 * @param {number} places
 * @returns {[bigint, number, boolean]}
 */
function raised(whole, exponent, count, places) {
  let [product, scale, cut] = [1n, 0, false];
  const trim = () => {
    const extra = length(product) - places;
    if (extra > 0) {
      cut ||= (product & ((1n << BigInt(extra)) - 1n)) !== 0n;
      product >>= BigInt(extra);
      scale += extra;
    }
  };
  for (const digit of count.toString(2)) {
    product *= product;
    scale *= 2;
    if (digit === "1") {
      product *= whole;
      scale += exponent;
    }
    trim();
  }
  return [product, scale, cut];
}

/**
 * Whether what was cut off cannot change the rounding: what stands below the last place is farther from its half than that.
 * @param {bigint} product
 * @param {number} scale
 */
function settled(product, scale) {
  const below = lastPlace(product, scale) - scale;
  const unsure = length(product) - SURE;
  if (below <= unsure) return false;
  const rest = product & ((1n << BigInt(below)) - 1n);
  const apart = rest - (1n << BigInt(below - 1));
  return (apart < 0n ? -apart : apart) > 1n << BigInt(unsure);
}

/**
 * exp(y · log(x)), to some 110 bits: no power that is not exact comes that close to a midpoint.
 * @param {number} x positive
 * @param {number} y
 */
function grown(x, y) {
  const [whole, exponent] = exactly(y);
  const log = logarithm(x);
  const product = exponent < 0 ? (log * whole) >> BigInt(-exponent) : (log * whole) << BigInt(exponent);
  const doublings = Number(product / LOG2);
  if (Math.abs(doublings) > 2000) return doublings > 0 ? Infinity : 0;
  const rest = (product - BigInt(doublings) * LOG2) >> BigInt(HALVINGS);
  let [sum, term] = [ONE, ONE];
  for (let place = 1n; term !== 0n && term !== -1n; place += 1n) {
    term = ((term * rest) >> BigInt(PLACES)) / place;
    sum += term;
  }
  for (let square = 0; square < HALVINGS; square += 1) sum = (sum * sum) >> BigInt(PLACES);
  return nearest(sum, doublings - PLACES);
}

/**
 * 2·artanh(numerator / denominator), with PLACES bits below the point.
 * @param {bigint} numerator
 * @param {bigint} denominator
 */
function twiceArtanh(numerator, denominator) {
  const z = (numerator * ONE) / denominator;
  const square = (z * z) >> BigInt(PLACES);
  let total = 0n;
  let place = 1n;
  for (let term = z; term !== 0n && term !== -1n; term = (term * square) >> BigInt(PLACES)) {
    total += term / place;
    place += 2n;
  }
  return 2n * total;
}

const LOG2 = twiceArtanh(1n, 3n);

/**
 * log(x) = log(m) + k·log(2), m from 3/4 to 3/2.
 * @param {number} x
 */
function logarithm(x) {
  const [whole, exponent] = exactly(x);
  const bits = length(whole);
  const low = whole << 2n < 3n << BigInt(bits);
  const scale = low ? bits - 1 : bits;
  const one = 1n << BigInt(scale);
  return twiceArtanh(whole - one, whole + one) + BigInt(exponent + scale) * LOG2;
}
