// One expression in the language that the formulas are written in, as somebody types it: read by hand into the very calls
// that a translated line makes, never run as script. What it holds besides names that are known, numbers, operators and the
// functions below is refused.

/** @typedef {import("./optimizer.js").Line} Line */

/** What is wrong with an expression: the key of a message, and what it names. */
export class Refused extends Error {
  /** @param {string} key @param {Record<string, string | number>} [values] */
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

const LONGEST = 400; // characters, and how deep brackets may go: more is no line of a formula
const DEEPEST = 40;
const TOKEN = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|<=|>=|==|!=|[-+*/()<>,.[\]=]))/y;
const WORDS = new Set(["if", "else", "and", "or", "not", "is", "None", "True", "False"]);
/** What words stand for that are values. @type {Map<string, any>} */
const VALUES = new Map(Object.entries({ None: null, True: true, False: false }));
/** Those that no browser has to round alike. */
export const INEXACT = ["np.exp", "np.log", "np.log1p", "np.tanh"];
/** Which functions there are, and how many arguments each takes. @type {Map<string, number>} */
const FUNCTIONS = new Map(Object.entries({
  "np.sqrt": 1, "np.maximum": 2, "np.minimum": 2, "np.where": 3, "np.clip": 3, "np.sign": 1, "np.abs": 1, abs: 1, root: 1, min: 2, max: 2,
  float32: 1, single: 1, item: 1, like: 2, float32_power: 2, float32_product: 2, "np.sum": 1, "np.mean": 1, ...Object.fromEntries(INEXACT.map((name) => [name, 1])),
  "ops.add": 2, "ops.mul": 2, "ops.div": 2, "ops.sqrt": 1, "ops.lerp": 3, "ops.addcmul": 3, "ops.addcdiv": 3,
}));
const SHORT = ["sqrt", "maximum", "minimum", "sign", "where", "clip", "exp", "log", "tanh", "mean"]; // that need no np.

/** @param {string} name @returns {(left: Line, right: Line) => Line} */
const calling = (name) => (left, right) => (s, F) => F[name](left(s, F), right(s, F));
const [COMPARED, SIGNED] = [5, 8];
/** How tight a sign between two binds, and what it makes of them. @type {Map<string, readonly [number, (left: Line, right: Line) => Line]>} */
const BETWEEN = new Map([
  ["or", [2, (left, right) => (s, F) => { const first = left(s, F); return F.truth(first) ? first : right(s, F); }]],
  ["and", [3, (left, right) => (s, F) => { const first = left(s, F); return F.truth(first) ? right(s, F) : first; }]],
  ["is", [COMPARED, (left) => left]],
  ["<", [COMPARED, calling("less")]], ["<=", [COMPARED, calling("lessEqual")]], ["==", [COMPARED, calling("equal")]],
  [">", [COMPARED, calling("greater")]], [">=", [COMPARED, calling("greaterEqual")]], ["!=", [COMPARED, calling("notEqual")]],
  ["+", [6, calling("plus")]], ["-", [6, calling("minus")]], ["*", [7, calling("times")]], ["/", [7, calling("over")]],
  ["**", [9, calling("power")]],
]);
/** The same of one that stands before. @type {Map<string, readonly [number, (of: Line) => Line]>} */
const BEFORE = new Map([["not", [4, (of) => (s, F) => !F.truth(of(s, F))]], ["-", [SIGNED, (of) => (s, F) => F.negative(of(s, F))]]]);

/** @param {string} text @returns {{kind: string, text: string}[]} */
function tokens(text) {
  if (text.length > LONGEST) throw new Refused("long", { most: LONGEST });
  const found = [];
  for (let at = 0; at < text.trimEnd().length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Refused("character", { text: text.slice(at).trim().slice(0, 12) });
    const [, number, name, sign] = match;
    found.push(number ? { kind: "number", text: number } : name ? { kind: WORDS.has(name) ? "sign" : "name", text: name } : { kind: "sign", text: sign });
  }
  return found;
}

/** A typed line, held against the names that it may read; and which of its functions are inexact. @param {string} text @param {string[]} known
 * @returns {{line: Line, inexact: string[]}} */
export function typedLine(text, known) {
  if (!text.trim()) throw new Refused("empty");
  const list = tokens(text), inexact = new Set();
  let place = 0, depth = 0;

  const next = () => list[place]?.text ?? "";
  const wrong = (sign = "") => new Refused(place >= list.length ? "end" : sign ? "expected" : "unexpected", { sign, text: next() });
  /** @param {string} sign */
  function take(sign) {
    const there = next() === sign;
    place += Number(there);
    return there;
  }
  /** @param {string} sign */
  function need(sign) {
    if (!take(sign)) throw wrong(sign);
  }

  /** What stands there, as far as it binds tighter than that (Pratt 1973). @returns {Line} */
  function read(tight = 0) {
    depth += 1;
    if (depth > DEEPEST) throw new Refused("deep", { most: DEEPEST });
    const [held, before] = BEFORE.get(next()) ?? [tight, null];
    if (held < tight) throw wrong();
    place += Number(before !== null);
    let left = before ? before(read(held)) : atom(), compared = false;
    for (let [binds, made] = BETWEEN.get(next()) ?? [0]; made && binds > tight; [binds, made] = BETWEEN.get(next()) ?? [0]) {
      if (binds === COMPARED && compared) throw wrong(); // of two in a row Python makes something else
      compared ||= binds === COMPARED;
      if (take("is")) {
        const [denied, of] = [take("not"), left];
        need("None");
        if ((BETWEEN.get(next())?.[0] ?? 0) > COMPARED) throw wrong(); // Python's None would be the other's first
        left = (s, F) => (of(s, F) === null) !== denied;
      } else {
        place += 1;
        left = made(left, read(binds > SIGNED ? SIGNED : binds));
      }
    }
    if (tight === 0 && take("if")) {
      const [then, test] = [left, read(1)];
      need("else");
      const other = read();
      left = (s, F) => (F.truth(test(s, F)) ? then(s, F) : other(s, F));
    }
    depth -= 1;
    return left;
  }
  /** A number, a value, a name, a call, or what stands in brackets; or a part of it. @returns {Line} */
  function atom() {
    const word = next(), kind = list[place]?.kind;
    if (kind !== "number" && kind !== "name" && !VALUES.has(word) && word !== "(") throw wrong();
    place += 1;
    const of = kind === "number" ? () => Number(word) : kind === "name" ? named(word) : word === "(" ? bracketed() : () => VALUES.get(word);
    if (!take("[")) return of;
    const at = next();
    if (!/^\d$/.test(at)) throw new Refused("expected", { sign: "0", text: at });
    place += 1;
    need("]");
    return (s, F) => of(s, F)[at];
  }
  /** @returns {Line} */
  function bracketed() {
    const parts = [read()];
    while (take(",")) parts.push(read());
    need(")");
    return parts.length === 1 ? parts[0] : (s, F) => parts.map((part) => part(s, F));
  }
  /** @param {string} first @returns {Line} */
  function named(first) {
    let name = first;
    while (take(".")) {
      if (list[place]?.kind !== "name") throw new Refused("unexpected", { text: "." });
      name += `.${next()}`;
      place += 1;
    }
    if (take("(")) return called(SHORT.includes(name) ? `np.${name}` : name, name);
    if (name.includes(".")) throw new Refused("attribute", { name });
    if (!known.includes(name)) throw new Refused("name", { name, known: known.join(", ") });
    return (s) => s[name];
  }
  /** @param {string} name @param {string} written @returns {Line} */
  function called(name, written) {
    const wanted = FUNCTIONS.get(name), given = /** @type {Line[]} */ ([]), options = /** @type {[string, Line][]} */ ([]);
    if (wanted === undefined) throw new Refused("function", { name: written, known: [...SHORT, "abs", "root"].join(", ") });
    while (!take(")")) {
      const option = list[place + 1]?.text === "=" && ["alpha", "value"].includes(next()) ? next() : "";
      place += option ? 2 : 0;
      if (option) options.push([option, read()]);
      else given.push(read());
      if (!take(",") && next() !== ")") throw wrong(")");
    }
    if (given.length !== wanted) throw new Refused("arguments", { name, wanted, given: given.length });
    if (INEXACT.includes(name)) inexact.add(name);
    const short = name.replace(/^(np|ops)\./, ""), settings = (/** @type {any} */ s, /** @type {any} */ F) => (options.length ? [Object.fromEntries(options.map(([key, of]) => [key, of(s, F)]))] : []);
    return (s, F) => (name.startsWith("ops.") ? F.ops : F)[short](...given.map((one) => one(s, F)), ...settings(s, F));
  }

  const line = read();
  if (place < list.length) throw wrong();
  return { line, inexact: INEXACT.filter((name) => inexact.has(name)) };
}
