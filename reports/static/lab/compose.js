// A formula put together row by row: each as the paper has it, as PyTorch does, as a known mistake has it, or as typed.

import {typedLine} from "./expression.js";
import {flipped} from "./bits.js";
import {Tensor} from "./numbers.js";

/** @typedef {import("./trial.js").Formula & {given: string[], defaults: Record<string, number>}} Whole */
/** @typedef {import("./trial.js").Line} Line */
/** What stands in a row: "" the paper's, "pytorch", the name of a cause, or "=" and a text.
 * @typedef {Record<string, string>} Choices */
/** A bit that is turned: of a line's number, at a step. @typedef {{step: number, line: string, place: number, bit: number}} Flip */
/** @typedef {{paper: Whole, pytorch: Whole, functions: Record<string, Record<string, Whole>>, causes: Record<string, Record<string, Line>>}} Formulas */

/** The names that a row's own text may read. @param {Whole} paper @param {string} key */
export function readable(paper, key) {
  const [kind, name] = key.split(":");
  const lines = paper.lines.map(([own]) => own);
  const before = kind === "kept" ? lines : kind === "line" ? lines.slice(0, lines.indexOf(name)) : [];
  return [...new Set([...paper.given, ...before])];
}

/** @param {Formulas} formulas @param {Choices} choices @param {string} key @returns {Line | null} */
function chosen(formulas, choices, key) {
  const choice = choices[key] ?? "";
  if (choice.startsWith("=")) return typedLine(choice.slice(1), readable(formulas.paper, key));
  return choice && choice !== "pytorch" ? formulas.causes[choice]?.[key] ?? null : null;
}

/** The formula of some choices. @param {Formulas} formulas @param {Record<string, any>} state @param {Choices} choices
 * @param {Flip[]} [flips] @param {{step: number}} [clock] which step it is that a flipped bit waits for
 * @returns {import("./trial.js").Formula} */
export function composed(formulas, state, choices, flips = [], clock = { step: 0 }) {
  const { paper } = formulas;
  /** @type {[string, Line][]} */
  const lines = [];
  for (const key of Object.keys(choices)) {
    const made = key.startsWith("argument:") && chosen(formulas, choices, key);
    if (made) lines.push([key.slice("argument:".length), made]);
  }
  for (const [name, own] of paper.lines) {
    const key = `line:${name}`;
    const made = choices[key] === "pytorch" ? null : chosen(formulas, choices, key) ?? own;
    const group = made ? /** @type {[string, Line][]} */ ([[name, made]]) : inPyTorch(formulas, name);
    const bits = flips.filter((flip) => flip.line === name);
    lines.push(...group.slice(0, -1), [name, bits.length ? turning(group[group.length - 1][1], bits, clock) : group[group.length - 1][1]]);
  }
  const result = paper.result.map(([name, own]) => /** @type {[string, Line]} */ ([name, chosen(formulas, choices, `kept:${name}`) ?? own]));
  return { lines, result, state };
}

/** PyTorch's line of that name, and before it those of its own that stand between it and the line before that both have.
 * @param {Formulas} formulas @param {string} name @returns {[string, Line][]} */
function inPyTorch({ paper, pytorch }, name) {
  const shared = new Set(paper.lines.map(([own]) => own));
  const end = pytorch.lines.findIndex(([own]) => own === name);
  let start = end;
  while (start > 0 && !shared.has(pytorch.lines[start - 1][0])) start -= 1;
  return pytorch.lines.slice(start, end + 1);
}

/** A line of whose numbers some bits are turned at their step. @param {Line} own @param {Flip[]} flips @param {{step: number}} clock
 * @returns {Line} */
function turning(own, flips, clock) {
  return (s, F) => {
    const made = own(s, F);
    const now = flips.filter((flip) => flip.step === clock.step);
    if (!now.length || !(made instanceof Tensor)) return made;
    const data = made.data.slice();
    const format = data instanceof Float32Array ? "float32" : "float64";
    for (const { place, bit } of now) data[place] = flipped(data[place], format, bit);
    return new Tensor(data, made.shape);
  };
}
