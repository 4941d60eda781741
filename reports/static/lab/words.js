// Numbers and sentences as a person reads them, and the elements that they stand in.

const NS = "http://www.w3.org/2000/svg";

/** @param {any} element @param {Record<string, any>} attributes of which false leaves one out @param {(Node | string)[]} children */
function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) if (value !== false) element.setAttribute(key, value === true ? "" : String(value));
  element.append(...children);
  return element;
}

/** An element of a page. @param {string} name @param {Record<string, any>} attributes @param {(Node | string)[]} children @returns {any} */
export const html = (name, attributes, ...children) => filled(document.createElement(name), attributes, children);

/** One of a picture. @param {string} name @param {Record<string, any>} attributes @param {(Node | string)[]} children @returns {any} */
export const svg = (name, attributes, ...children) => filled(document.createElementNS(NS, name), attributes, children);

/** The part of that name. @param {Element} root @param {string} name @returns {any} */
export const part = (root, name) => root.querySelector(`[data-part="${name}"]`);

/** Whatever is in a text, where it is another: what is spoken is not spoken again. @param {any} element @param {string} text */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

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
  if (Object.is(x, -0)) return "-0";
  const texts = format === "float64" || !Number.isFinite(x) ? [] : Array.from({ length: 9 }, (_, count) => x.toPrecision(count + 1));
  return String(Number(texts.find((text) => Math.fround(Number(text)) === x) ?? x)).replace("Infinity", "∞");
}

/** A sentence, its placeholders filled in. @param {Record<string, string>} words @param {string} key @param {Record<string, string | number>} [values] */
export function say(words, key, values = {}) {
  const said = (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  return said.replace(/(?<=\de)-(?=\d)/g, "-\u2060"); // no line ends inside a number
}
