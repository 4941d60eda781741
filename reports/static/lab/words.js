// Numbers and sentences as a person reads them.

/** A number in two significant digits, as everywhere on these pages. @param {number} x */
export function short(x) {
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? "0" : Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "-∞";
  const size = Math.abs(x);
  if (size >= 1e-3 && size < 1e4) return String(Number(x.toPrecision(size >= 100 ? 4 : 2)));
  return x.toExponential(1).replace("e+", "e").replace(".0e", "e");
}

/** A share of an allowance, never rounded across all of it. @param {number} x */
export function share(x) {
  if (x >= 10) return `${short(x)}×`;
  const percent = x * 100;
  if (percent > 99 && x < 1) return "99 %";
  return `${percent < 10 ? Number(percent.toPrecision(2)) : Math.round(percent)} %`;
}

/** The shortest digits that are this number of the format. @param {number} x @param {string} format */
export function digits(x, format) {
  if (format === "float64" || !Number.isFinite(x)) return Object.is(x, -0) ? "-0" : String(x).replace("Infinity", "∞");
  for (let count = 1; count < 10; count += 1) {
    const text = x.toPrecision(count);
    if (Math.fround(Number(text)) === x) return Object.is(x, -0) ? "-0" : String(Number(text));
  }
  return String(x);
}

/** A sentence, its placeholders filled in. @param {Record<string, string>} words @param {string} key @param {Record<string, string | number>} [values] */
export function say(words, key, values = {}) {
  const said = (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  return said.replace(/(?<=\de)-(?=\d)/g, "-\u2060"); // no line ends inside a number
}
