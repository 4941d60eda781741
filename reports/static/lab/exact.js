// Numbers as whole multiples of powers of two, without limits, and their one rounding to a double.
"use strict";

const LOWEST = -1074; // the exponent of the smallest subnormal double
const WIDTH = 53; // bits of a double's significand

const view = new DataView(new ArrayBuffer(8));

/** @param {bigint} whole not negative */
export function length(whole) {
  const digits = whole.toString(16);
  return 4 * digits.length - (Math.clz32(parseInt(digits[0], 16)) - 28);
}

/**
 * A finite double as whole · 2^exponent.
 * @param {number} x
 * @returns {[bigint, number]}
 */
export function exactly(x) {
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const whole = exponent ? fraction | 0x10000000000000n : fraction;
  return [bits >> 63n ? -whole : whole, Math.max(exponent, 1) + LOWEST - 1];
}

/**
 * The exponent of the last bit that a double keeps of whole · 2^exponent.
 * @param {bigint} whole positive
 * @param {number} exponent
 */
export function lastPlace(whole, exponent) {
  return Math.max(length(whole) + exponent - WIDTH, LOWEST);
}

/**
 * whole · 2^exponent rounded to the nearest double, ties to even; subnormal or infinite where it has to be.
 * @param {bigint} whole
 * @param {number} exponent
 */
export function nearest(whole, exponent) {
  if (whole === 0n) return 0;
  const size = whole < 0n ? -whole : whole;
  const place = lastPlace(size, exponent);
  const below = BigInt(place - exponent);
  let kept = size;
  if (below > 0n) {
    const half = 1n << (below - 1n);
    const rest = size & ((1n << below) - 1n);
    kept = size >> below;
    if (rest > half || (rest === half && kept & 1n)) kept += 1n;
  } else {
    kept <<= -below;
  }
  return (whole < 0n ? -1 : 1) * Number(kept) * 2 ** place;
}
