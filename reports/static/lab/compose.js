// A formula put together row by row: each as the paper has it, as PyTorch does, as a known mistake has it, or as typed.

import {flipped} from "./bits.js";
import {typedLine} from "./expression.js";
import {format, Tensor} from "./numbers.js";

/** @typedef {import("./optimizer.js").Line} Line */
/** @typedef {{lines: [string, Line][], result: [string, Line][], given: string[], defaults: Record<string, number>}} Whole
 * @typedef {Record<string, string>} Choices what stands in a row: "" the paper's, "pytorch", the name of a cause, or "=" and a text
 * @typedef {{step: number, line: string, place: number, bit: number}} Flip a bit that is turned: of a line's number, at a step
 * @typedef {{paper: Whole, pytorch: Whole, functions: Record<string, Record<string, Whole>>, causes: Record<string, Record<string, Line>>}} Formulas */

/** The names that a row's own text may read. @param {Whole} paper @param {string} key */
export function readable(paper, key) {
  const [kind, name] = key.split(":"), lines = paper.lines.map(([own]) => own);
  return [...new Set([...paper.given, ...(kind === "kept" ? lines : kind === "line" ? lines.slice(0, lines.indexOf(name)) : [])])];
}

/** @param {Formulas} formulas @param {string} choice @param {string} key @returns {Line | undefined} */
const chosen = (formulas, choice, key) => (choice.startsWith("=") ? typedLine(choice.slice(1), readable(formulas.paper, key)).line : formulas.causes[choice]?.[key]);

/** The formula of some choices. @param {Formulas} formulas @param {Choices} choices @param {Flip[]} flips
 * @param {{step: number}} clock which step it is that a flipped bit waits for @returns {{lines: [string, Line][], result: [string, Line][]}} */
export function composed(formulas, choices, flips, clock) {
  const { paper, pytorch } = formulas, shared = new Set(paper.lines.map(([own]) => own));
  const of = (/** @type {string} */ key, /** @type {Line} */ own) => chosen(formulas, choices[key] ?? "", key) ?? own;
  /** @type {[string, Line][]} */
  const lines = Object.keys(choices).filter((key) => key.startsWith("argument:")).map((key) => [key.slice("argument:".length), of(key, (s) => s[key.slice("argument:".length)])]);
  for (const [name, own] of paper.lines) {
    const end = pytorch.lines.findIndex(([theirs]) => theirs === name);
    let start = end; // PyTorch's line comes with those of its own that stand between it and the one before that both have
    while (start > 0 && !shared.has(pytorch.lines[start - 1][0])) start -= 1;
    lines.push(...(choices[`line:${name}`] === "pytorch" && end >= 0 ? pytorch.lines.slice(start, end + 1) : [/** @type {[string, Line]} */ ([name, of(`line:${name}`, own)])]));
    const bits = flips.filter((flip) => flip.line === name);
    if (bits.length) lines.push([name, turning(name, bits, clock)]);
  }
  return { lines, result: paper.result.map(([name, own]) => [name, of(`kept:${name}`, own)]) };
}

/** A line's numbers with some bits turned at their step. @param {string} name @param {Flip[]} flips @param {{step: number}} clock @returns {Line} */
const turning = (name, flips, clock) => ({ [name]: made }) => {
  const now = flips.filter((flip) => flip.step === clock.step);
  if (!now.length || !(made instanceof Tensor)) return made;
  const data = made.data.slice();
  for (const { place, bit } of now) data[place] = flipped(data[place], format(made), bit);
  return new Tensor(data, made.shape);
};
