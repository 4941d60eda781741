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
/** Those that no browser has to round alike. */
export const INEXACT = ["np.exp", "np.log", "np.log1p", "np.tanh"];
/** Which functions there are, and how many arguments each takes. @type {Map<string, number>} */
const FUNCTIONS = new Map(Object.entries({
  "np.sqrt": 1, "np.maximum": 2, "np.minimum": 2, "np.where": 3, "np.clip": 3, "np.sign": 1, "np.abs": 1, abs: 1, root: 1, min: 2, max: 2,
  float32: 1, single: 1, item: 1, like: 2, float32_power: 2, float32_product: 2, "np.sum": 1, "np.mean": 1, ...Object.fromEntries(INEXACT.map((name) => [name, 1])),
  "ops.add": 2, "ops.mul": 2, "ops.div": 2, "ops.sqrt": 1, "ops.lerp": 3, "ops.addcmul": 3, "ops.addcdiv": 3,
}));
const SHORT = ["sqrt", "maximum", "minimum", "sign", "where", "clip", "exp", "log", "tanh", "mean"]; // that need no np.
/** How tight an operator binds, and what it calls. @type {Record<string, [number, string]>} */
const BINARY = {
  "<": [3, "less"], "<=": [3, "lessEqual"], ">": [3, "greater"], ">=": [3, "greaterEqual"], "==": [3, "equal"], "!=": [3, "notEqual"],
  "+": [4, "plus"], "-": [4, "minus"], "*": [5, "times"], "/": [5, "over"],
};

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
  const is = (/** @type {string} */ kind) => list[place]?.kind === kind;
  const wrong = (sign = "") => new Refused(place >= list.length ? "end" : sign ? "expected" : "unexpected", { sign, text: next() });
  /** @param {string} sign */
  function take(sign) {
    const there = is("sign") && next() === sign;
    if (there) place += 1;
    return there;
  }
  /** @param {string} sign */
  function need(sign) {
    if (!take(sign)) throw wrong(sign);
  }
  /** @param {() => Line} read @returns {Line} */
  function deeper(read) {
    depth += 1;
    if (depth > DEEPEST) throw new Refused("deep", { most: DEEPEST });
    const made = read();
    depth -= 1;
    return made;
  }

  /** @returns {Line} */
  function whole() {
    const then = deeper(either);
    if (!take("if")) return then;
    const test = either();
    need("else");
    const other = deeper(whole);
    return (s, F) => (F.truth(test(s, F)) ? then(s, F) : other(s, F));
  }
  /** @returns {Line} */
  function either() {
    const left = both();
    if (!take("or")) return left;
    const right = deeper(either);
    return (s, F) => { const first = left(s, F); return F.truth(first) ? first : right(s, F); };
  }
  /** @returns {Line} */
  function both() {
    const left = denied();
    if (!take("and")) return left;
    const right = deeper(both);
    return (s, F) => { const first = left(s, F); return F.truth(first) ? right(s, F) : first; };
  }
  /** @returns {Line} */
  function denied() {
    if (!take("not")) return compared();
    const of = deeper(denied);
    return (s, F) => !F.truth(of(s, F));
  }
  /** @returns {Line} */
  function compared() {
    const left = binary(3);
    if (!take("is")) return left;
    const negated = take("not");
    need("None");
    return (s, F) => (left(s, F) === null) !== negated;
  }
  /** Operators that bind as tight, from left to right; of two comparisons in a row Python would make something else. @param {number} tight @returns {Line} */
  function binary(tight) {
    let left = tight > 5 ? signed() : binary(tight + 1);
    while (is("sign") && Object.hasOwn(BINARY, next()) && BINARY[next()][0] === tight) {
      const [, name] = BINARY[next()], before = left;
      place += 1;
      const right = binary(tight + 1);
      left = (s, F) => F[name](before(s, F), right(s, F));
      if (tight === 3) return left;
    }
    return left;
  }
  /** @returns {Line} */
  function signed() {
    if (!take("-")) return power();
    const of = deeper(signed);
    return (s, F) => F.negative(of(s, F));
  }
  /** @returns {Line} */
  function power() {
    const left = indexed();
    if (!take("**")) return left;
    const right = deeper(signed);
    return (s, F) => F.power(left(s, F), right(s, F));
  }
  /** @returns {Line} */
  function indexed() {
    const of = atom();
    if (!take("[")) return of;
    const at = next();
    if (!/^\d$/.test(at)) throw new Refused("expected", { sign: "0", text: at });
    place += 1;
    need("]");
    return (s, F) => of(s, F)[at];
  }
  /** @returns {Line} */
  function atom() {
    const word = next(), [number, name] = [is("number"), is("name")];
    if (place >= list.length) throw wrong();
    if (!number && !name && !["None", "True", "False", "("].includes(word)) throw wrong();
    place += 1;
    if (number) return () => Number(word);
    if (name) return named(word);
    if (word !== "(") return () => (word === "None" ? null : word === "True");
    const parts = [whole()];
    while (take(",")) parts.push(whole());
    need(")");
    return parts.length === 1 ? parts[0] : (s, F) => parts.map((part) => part(s, F));
  }
  /** @param {string} first @returns {Line} */
  function named(first) {
    let name = first;
    while (take(".")) {
      if (!is("name")) throw new Refused("unexpected", { text: "." });
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
      if (option) options.push([option, whole()]);
      else given.push(whole());
      if (!take(",") && next() !== ")") throw wrong(")");
    }
    if (given.length !== wanted) throw new Refused("arguments", { name, wanted, given: given.length });
    if (INEXACT.includes(name)) inexact.add(name);
    const short = name.replace(/^(np|ops)\./, ""), settings = (/** @type {any} */ s, /** @type {any} */ F) => (options.length ? [Object.fromEntries(options.map(([key, of]) => [key, of(s, F)]))] : []);
    return (s, F) => (name.startsWith("ops.") ? F.ops : F)[short](...given.map((one) => one(s, F)), ...settings(s, F));
  }

  const line = whole();
  if (place < list.length) throw wrong();
  return { line, inexact: INEXACT.filter((name) => inexact.has(name)) };
}
