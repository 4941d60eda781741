// A number as sign, exponent and significand, with a bit turned, and how many numbers two are apart.

/** How wide a format is, and its exponent. @type {Record<string, {bits: number, exponent: number}>} */
const WIDTHS = {float32: {bits: 32, exponent: 8}, float64: {bits: 64, exponent: 11}};

const word = new DataView(new ArrayBuffer(8));

/** @param {number} x @param {string} format */
function pattern(x, format) {
  if (format === "float64") word.setFloat64(0, x);
  else word.setFloat32(0, x);
  return format === "float64" ? word.getBigUint64(0) : BigInt(word.getUint32(0));
}

/** A number opened; its exponent as it stands there, and by how much that is raised. @param {number} x @param {string} format */
export function parts(x, format) {
  const {bits: width, exponent} = WIDTHS[format], whole = pattern(x, format), bits = whole.toString(2).padStart(width, "0");
  return {
    bits, wide: exponent, raised: 2 ** (exponent - 1) - 1, hex: `0x${whole.toString(16).padStart(width / 4, "0")}`,
    sign: Number(bits[0]), exponent: parseInt(bits.slice(1, 1 + exponent), 2), significand: BigInt(`0b${bits.slice(1 + exponent)}`),
  };
}

/** The number with one bit turned; 0 is the sign's, the last one the significand's lowest.
 * @param {number} x @param {string} format @param {number} place */
export function flipped(x, format, place) {
  const bits = pattern(x, format) ^ (1n << BigInt(WIDTHS[format].bits - 1 - place));
  if (format === "float64") word.setBigUint64(0, bits);
  else word.setUint32(0, Number(bits));
  return format === "float64" ? word.getFloat64(0) : word.getFloat32(0);
}

/** How many steps from one number of the format to the next lead from a to b; +0 and -0 are one. NaN where one of them is.
 * @param {number} a @param {number} b @param {string} format */
export function ulps(a, b, format) {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  const top = 1n << BigInt(WIDTHS[format].bits - 1);
  const [from, to] = [a, b].map((x) => pattern(x, format)).map((bits) => (bits & top ? top - bits : bits));
  return Math.abs(Number(to - from));
}
