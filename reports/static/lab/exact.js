// Numbers as whole multiples of powers of two, without limits, and their one rounding to a double; and with them Python's
// x**y of two floats, correctly rounded. That is what a C library nearly always gives: where the one of the machine that made
// the report gave another last bit, the value was handed over to `remember`.

const LOWEST = -1074; // the exponent of the smallest subnormal double
const WIDTH = 53; // bits of a double's significand
const PLACES = 192n; // bits below the point of a logarithm and of what is made of it
const ONE = 1n << PLACES;
const HALVINGS = 8;
const EXACT = 34; // an exact product of more odd factors has more bits than a midpoint between doubles

const view = new DataView(new ArrayBuffer(8));
/** What is known of x**y. @type {Map<number, Map<number, number>>} */
const memory = new Map();

/** How many bits a whole number has. @param {bigint} whole not negative */
function length(whole) {
  const digits = whole.toString(16);
  return 4 * digits.length + 28 - Math.clz32(parseInt(digits[0], 16));
}

/** A finite double as whole · 2^exponent. @param {number} x @returns {[bigint, number]} */
export function exactly(x) {
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0), exponent = Number((bits >> 52n) & 0x7ffn), fraction = bits & 0xfffffffffffffn;
  const whole = exponent ? fraction | 0x10000000000000n : fraction;
  return [bits >> 63n ? -whole : whole, Math.max(exponent, 1) + LOWEST - 1];
}

/** whole · 2^exponent as the nearest double, ties to even; subnormal or infinite where it has to be.
 * @param {bigint} whole @param {number} exponent */
export function nearest(whole, exponent) {
  if (whole === 0n) return 0;
  const size = whole < 0n ? -whole : whole;
  const place = Math.max(length(size) + exponent - WIDTH, LOWEST), below = BigInt(place - exponent);
  let kept = below > 0n ? size >> below : size << -below;
  if (below > 0n) {
    const half = 1n << (below - 1n), rest = size & ((1n << below) - 1n);
    if (rest > half || (rest === half && kept & 1n)) kept += 1n;
  }
  return (whole < 0n ? -1 : 1) * Number(kept) * 2 ** place;
}

/** Values that are known. @param {Iterable<readonly [number, number, number]>} known each as [x, y, x**y] */
export function remember(known) {
  for (const [x, y, value] of known) memory.set(x, (memory.get(x) ?? new Map()).set(y, value));
}

/** x**y, remembered: a step asks for the same powers as the run before it. @param {number} x @param {number} y */
export function power(x, y) {
  const value = memory.get(x)?.get(y) ?? rounded(x, y);
  remember([[x, y, value]]);
  return value;
}

/** x**y, correctly rounded. @param {number} x @param {number} y */
export function rounded(x, y) {
  if (y === 0 || x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1; // of NaN, too
  const whole = Number.isInteger(y);
  if (x === 0 || !Number.isFinite(x) || !Number.isFinite(y) || (x < 0 && !whole) || Math.abs(y) >= 2 ** 64) return x ** y;
  const [factor, exponent] = exactly(Math.abs(x)), zeros = length(factor & -factor) - 1;
  const odd = factor >> BigInt(zeros), scale = (exponent + zeros) * y; // of the product, where that is one
  const exact = odd === 1n ? isWhole(exponent + zeros, y) : whole && y > 0 && y <= EXACT;
  const size = !exact ? grown(Math.abs(x), y) : Math.abs(scale) > 1e5 ? (scale > 0 ? Infinity : 0) : nearest(odd === 1n ? odd : odd ** BigInt(y), scale);
  return x < 0 && y % 2 !== 0 ? -size : size;
}

/** Whether a whole number times another is one, before any rounding: 5 · 0.2 is none. @param {number} x @param {number} y */
function isWhole(x, y) {
  const [times, exponent] = exactly(y);
  return BigInt.asUintN(Math.max(-exponent, 0), BigInt(x) * times) === 0n;
}

/** exp(y · log(x)), to more than 170 bits: no power that is not exact comes that close to a midpoint.
 * @param {number} x positive @param {number} y */
function grown(x, y) {
  const [whole, exponent] = exactly(y), log = logarithm(x);
  const product = exponent < 0 ? (log * whole) >> BigInt(-exponent) : (log * whole) << BigInt(exponent);
  const doublings = Number(product / LOG2);
  if (Math.abs(doublings) > 2000) return doublings > 0 ? Infinity : 0;
  const rest = (product - BigInt(doublings) * LOG2) >> BigInt(HALVINGS);
  let sum = ONE;
  for (let term = rest, place = 1n; term !== 0n && term !== -1n; term = ((term * rest) >> PLACES) / place) {
    sum += term;
    place += 1n;
  }
  for (let square = 0; square < HALVINGS; square += 1) sum = (sum * sum) >> PLACES;
  return nearest(sum, doublings - Number(PLACES));
}

/** 2·artanh(numerator / denominator), with PLACES bits below the point. @param {bigint} numerator @param {bigint} denominator */
function twiceArtanh(numerator, denominator) {
  const z = (numerator * ONE) / denominator, square = (z * z) >> PLACES;
  let total = 0n, place = 1n;
  for (let term = z; term !== 0n && term !== -1n; term = (term * square) >> PLACES) {
    total += term / place;
    place += 2n;
  }
  return 2n * total;
}

const LOG2 = twiceArtanh(1n, 3n);

/** log(x) = log(m) + k·log(2), m from 3/4 to 3/2. @param {number} x */
function logarithm(x) {
  const [whole, exponent] = exactly(x), bits = length(whole);
  const scale = whole << 2n < 3n << BigInt(bits) ? bits - 1 : bits, one = 1n << BigInt(scale);
  return twiceArtanh(whole - one, whole + one) + BigInt(exponent + scale) * LOG2;
}
