// One expression in the language that the formulas are written in, as somebody types it: read by hand into a tree, never
// run as script. What it holds besides names that are known, numbers, operators and the functions below is refused.

/** @typedef {{kind: "number", value: number} | {kind: "name", name: string} | {kind: "none"} | {kind: "flag", value: boolean}
 *   | {kind: "minus" | "not", of: Tree} | {kind: "binary" | "compare", sign: string, left: Tree, right: Tree}
 *   | {kind: "and" | "or", left: Tree, right: Tree} | {kind: "choice", test: Tree, then: Tree, other: Tree}
 *   | {kind: "call", name: string, given: Tree[], named: Record<string, Tree>} | {kind: "pair", parts: Tree[]}
 *   | {kind: "item", of: Tree, at: number}} Tree */

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
const COMPARISONS = new Set(["<", "<=", ">", ">=", "==", "!="]);
// Which functions there are, and how many arguments each takes.
const FUNCTIONS = new Map(Object.entries({
  "np.sqrt": 1, "np.maximum": 2, "np.minimum": 2, "np.where": 3, "np.clip": 3, "np.sign": 1, "np.abs": 1, abs: 1, root: 1,
  float32: 1, single: 1, item: 1, like: 2, float32_power: 2, float32_product: 2,
  "ops.add": 2, "ops.mul": 2, "ops.div": 2, "ops.sqrt": 1, "ops.lerp": 3, "ops.addcmul": 3, "ops.addcdiv": 3,
}));
const SHORT = new Map(Object.entries({ sqrt: "np.sqrt", maximum: "np.maximum", minimum: "np.minimum", sign: "np.sign", where: "np.where", clip: "np.clip" }));
const OPTIONS = new Set(["alpha", "value"]);
const OPERATORS = /** @type {Record<string, string>} */ ({
  "+": "plus", "-": "minus", "*": "times", "/": "over", "**": "power",
  "<": "less", "<=": "lessEqual", ">": "greater", ">=": "greaterEqual", "==": "equal", "!=": "notEqual",
});

/** @param {string} text @returns {{kind: string, text: string}[]} */
function tokens(text) {
  if (text.length > LONGEST) throw new Refused("long", { most: LONGEST });
  const found = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.trimEnd().length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Refused("character", { text: text.slice(at).trim().slice(0, 12) });
    const [, number, name, sign] = match;
    found.push(number ? { kind: "number", text: number } : name ? { kind: WORDS.has(name) ? "word" : "name", text: name } : { kind: "sign", text: sign });
  }
  return found;
}

/** The tree of an expression. @param {string} text @returns {Tree} */
export function parse(text) {
  const list = tokens(text);
  let place = 0, depth = 0;

  const next = () => list[place]?.text ?? "";
  const end = () => place >= list.length;

  /** @param {string} sign */
  function take(sign) {
    const there = !end() && list[place].kind !== "name" && list[place].kind !== "number" && list[place].text === sign;
    if (there) place += 1;
    return there;
  }
  /** @param {string} sign */
  function need(sign) {
    if (!take(sign)) throw new Refused(end() ? "end" : "expected", { sign, text: next() });
  }

  /** @returns {Tree} */
  function whole() {
    depth += 1;
    if (depth > DEEPEST) throw new Refused("deep", { most: DEEPEST });
    const then = either();
    depth -= 1;
    if (!take("if")) return then;
    const test = either();
    need("else");
    return { kind: "choice", test, then, other: whole() };
  }
  /** @returns {Tree} */
  function either() {
    let left = both();
    while (take("or")) left = { kind: "or", left, right: both() };
    return left;
  }
  /** @returns {Tree} */
  function both() {
    let left = denied();
    while (take("and")) left = { kind: "and", left, right: denied() };
    return left;
  }
  /** @returns {Tree} */
  function denied() {
    return take("not") ? { kind: "not", of: denied() } : compared();
  }
  /** @returns {Tree} */
  function compared() {
    const left = sum();
    if (take("is")) {
      const negated = take("not");
      need("None");
      return { kind: "compare", sign: negated ? "is not" : "is", left, right: { kind: "none" } };
    }
    if (!end() && list[place].kind === "sign" && COMPARISONS.has(next())) {
      const sign = list[place].text;
      place += 1;
      return { kind: "compare", sign, left, right: sum() };
    }
    return left;
  }
  /** @returns {Tree} */
  function sum() {
    let left = product();
    for (let sign = next(); take("+") || take("-"); sign = next()) left = { kind: "binary", sign, left, right: product() };
    return left;
  }
  /** @returns {Tree} */
  function product() {
    let left = signed();
    for (let sign = next(); take("*") || take("/"); sign = next()) left = { kind: "binary", sign, left, right: signed() };
    return left;
  }
  /** @returns {Tree} */
  function signed() {
    depth += 1;
    if (depth > DEEPEST) throw new Refused("deep", { most: DEEPEST });
    const made = take("-") ? /** @type {Tree} */ ({ kind: "minus", of: signed() }) : power();
    depth -= 1;
    return made;
  }
  /** @returns {Tree} */
  function power() {
    const left = indexed();
    return take("**") ? { kind: "binary", sign: "**", left, right: signed() } : left;
  }
  /** @returns {Tree} */
  function indexed() {
    let of = atom();
    while (take("[")) {
      const at = list[place];
      if (!at || at.kind !== "number" || !/^\d$/.test(at.text)) throw new Refused("expected", { sign: "0", text: next() });
      place += 1;
      need("]");
      of = { kind: "item", of, at: Number(at.text) };
    }
    return of;
  }
  /** @returns {Tree} */
  function atom() {
    const token = list[place];
    if (!token) throw new Refused("end");
    place += 1;
    if (token.kind === "number") return { kind: "number", value: Number(token.text) };
    if (token.kind === "name") return named(token.text);
    if (token.text === "None") return { kind: "none" };
    if (token.text === "True" || token.text === "False") return { kind: "flag", value: token.text === "True" };
    if (token.text === "(") {
      const parts = [whole()];
      while (take(",")) parts.push(whole());
      need(")");
      return parts.length === 1 ? parts[0] : { kind: "pair", parts };
    }
    throw new Refused("unexpected", { text: token.text });
  }
  /** @param {string} first @returns {Tree} */
  function named(first) {
    let name = first;
    while (take(".")) {
      const token = list[place];
      if (!token || token.kind !== "name") throw new Refused("unexpected", { text: "." });
      place += 1;
      name += `.${token.text}`;
    }
    if (!take("(")) {
      if (name.includes(".")) throw new Refused("attribute", { name });
      return { kind: "name", name };
    }
    const known = SHORT.get(name) ?? name;
    if (!FUNCTIONS.has(known)) throw new Refused("function", { name, known: [...SHORT.keys(), "abs", "root"].join(", ") });
    return called(known);
  }
  /** @param {string} name @returns {Tree} */
  function called(name) {
    /** @type {Tree[]} */
    const given = [];
    /** @type {Record<string, Tree>} */
    const options = {};
    while (!take(")")) {
      const option = list[place + 1]?.text === "=" && OPTIONS.has(next()) ? next() : "";
      if (option) place += 2;
      if (option) options[option] = whole();
      else given.push(whole());
      if (!take(",") && next() !== ")") throw new Refused(end() ? "end" : "expected", { sign: ")", text: next() });
    }
    const wanted = FUNCTIONS.get(name) ?? 0;
    if (given.length !== wanted) throw new Refused("arguments", { name, wanted, given: given.length });
    return { kind: "call", name, given, named: options };
  }

  const tree = whole();
  if (!end()) throw new Refused("unexpected", { text: next() });
  return tree;
}

/** A line of a formula: what it makes of an environment, by an arithmetic.
 * @typedef {(s: Record<string, any>, F: any) => any} Line */

/** What a tree works out, in the very calls that a translated line makes. @param {Tree} tree @returns {Line} */
export function compiled(tree) {
  switch (tree.kind) {
    case "number": return () => tree.value;
    case "flag": return () => tree.value;
    case "none": return () => null;
    case "name": return (s) => s[tree.name];
    case "pair": {
      const parts = tree.parts.map(compiled);
      return (s, F) => parts.map((part) => part(s, F));
    }
    case "item": {
      const of = compiled(tree.of);
      return (s, F) => of(s, F)[tree.at];
    }
    case "minus": {
      const of = compiled(tree.of);
      return (s, F) => F.negative(of(s, F));
    }
    case "not": {
      const of = compiled(tree.of);
      return (s, F) => !F.truth(of(s, F));
    }
    case "choice": {
      const [test, then, other] = [tree.test, tree.then, tree.other].map(compiled);
      return (s, F) => (F.truth(test(s, F)) ? then(s, F) : other(s, F));
    }
    case "call": return call(tree.name, tree.given.map(compiled), Object.entries(tree.named).map(([name, of]) => [name, compiled(of)]));
    default: return operated(tree.kind, "sign" in tree ? tree.sign : "", compiled(tree.left), compiled(tree.right));
  }
}

/** @param {string} kind @param {string} sign @param {Line} left @param {Line} right @returns {Line} */
function operated(kind, sign, left, right) {
  if (kind === "and") return (s, F) => { const first = left(s, F); return F.truth(first) ? right(s, F) : first; };
  if (kind === "or") return (s, F) => { const first = left(s, F); return F.truth(first) ? first : right(s, F); };
  if (sign === "is") return (s, F) => left(s, F) === null;
  if (sign === "is not") return (s, F) => left(s, F) !== null;
  const name = OPERATORS[sign];
  return (s, F) => F[name](left(s, F), right(s, F));
}

/** @param {string} name @param {Line[]} given @param {[string, Line][]} named @returns {Line} */
function call(name, given, named) {
  const short = name.replace(/^(np|ops)\./, "");
  const options = named.length ? (/** @type {any} */ s, /** @type {any} */ F) => [Object.fromEntries(named.map(([key, of]) => [key, of(s, F)]))] : () => [];
  if (name.startsWith("ops.")) return (s, F) => F.ops[short](...given.map((one) => one(s, F)), ...options(s, F));
  return (s, F) => F[short](...given.map((one) => one(s, F)), ...options(s, F));
}

/** A typed line, held against the names that it may read. @param {string} text @param {string[]} known @returns {Line} */
export function typedLine(text, known) {
  if (!text.trim()) throw new Refused("empty");
  const tree = parse(text);
  const strange = names(tree).find((name) => !known.includes(name));
  if (strange !== undefined) throw new Refused("name", { name: strange, known: known.join(", ") });
  return compiled(tree);
}

/** The names that a tree reads, in the order in which they stand. @param {Tree} tree @returns {string[]} */
export function names(tree) {
  switch (tree.kind) {
    case "name": return [tree.name];
    case "minus": case "not": case "item": return names(tree.of);
    case "binary": case "compare": case "and": case "or": return [...names(tree.left), ...names(tree.right)];
    case "choice": return [...names(tree.test), ...names(tree.then), ...names(tree.other)];
    case "call": return [...tree.given, ...Object.values(tree.named)].flatMap(names);
    case "pair": return tree.parts.flatMap(names);
    default: return [];
  }
}
