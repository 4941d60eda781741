// What was recorded of PyTorch, and what stands in where a setting was not: this page's own of PyTorch's order.

import {row, stack, tensor} from "./numbers.js";
import {numpy} from "./ops.js";
import {way} from "./trial.js";

/** @typedef {import("./trial.js").Setting} Setting */
/** @typedef {import("./trial.js").Moment} Moment */
/** @typedef {import("./compose.js").Formulas} Formulas */
/** @typedef {{name: string, problem: string, format: "float32" | "float64", steps: number, hyperparameters: Record<string, any>,
 *   rates: Record<string, number>, missing: number | null, arrays: Record<string, string>}} Recorded */
/** What a reader asks for. @typedef {{steps: number, hyperparameters: Record<string, any>}} Wanted */

const PLAIN = numpy("plain");

/** The numbers of an array. @param {Recorded} recorded @param {string} name @returns {Float32Array | Float64Array} */
export function numbers(recorded, name) {
  const bytes = Uint8Array.from(atob(recorded.arrays[name]), (one) => one.charCodeAt(0));
  return recorded.format === "float32" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}

/** A recorded setting with a reader's numbers in it. @param {Recorded} recorded @param {Wanted} wanted @param {Formulas} formulas
 * @returns {Setting} */
export function setting(recorded, wanted, formulas) {
  const problem = formulas.functions[recorded.problem];
  const start = [...numbers(recorded, "param").slice(0, 2)];
  const grads = numbers(recorded, "grad");
  /** @param {any} param @param {number} step @param {string} order */
  const slope = (param, step, order) => (problem ? descent(problem[order], param) : tensor([...grads.slice(2 * step - 2, 2 * step)], recorded.format));
  return { format: recorded.format, rates: recorded.rates, missing: recorded.missing, start, slope, clock: { step: 0 }, ...wanted };
}

/** The slope of a function where a parameter is. @param {import("./compose.js").Whole} formula @param {any} param */
function descent(formula, param) {
  const lines = evaluated(formula, row(param, 0), row(param, 1));
  return stack([lines.dx, lines.dy]);
}

/** Every line of a function of two numbers. @param {import("./compose.js").Whole} formula @param {any} x @param {any} y */
export function evaluated(formula, x, y) {
  const [, , ...settings] = formula.given;
  /** @type {Record<string, any>} */
  const s = { x, y, ...Object.fromEntries(settings.map((name) => [name, formula.defaults[name]])) };
  for (const [name, line] of formula.lines) s[name] = line(s, PLAIN);
  return s;
}

/** Whether PyTorch's own bits of a setting are there. @param {Recorded} recorded @param {Wanted} wanted */
export function known(recorded, wanted) {
  return wanted.steps <= recorded.steps && JSON.stringify(recorded.hyperparameters) === JSON.stringify(wanted.hyperparameters);
}

/** PyTorch's side of a setting: recorded, or this page's. @param {Recorded} recorded @param {Wanted} wanted @param {Formulas} formulas
 * @param {Record<string, any>} state @param {Setting} made @returns {Moment[]} */
export function theirs(recorded, wanted, formulas, state, made) {
  if (!known(recorded, wanted)) return way({ ...formulas.pytorch, state }, made, "pytorch");
  const [param, grad] = [numbers(recorded, "param"), numbers(recorded, "grad")];
  const kept = Object.entries(state).filter(([, entry]) => entry.kind !== "count").map(([key, entry]) => ({ key, entry, all: numbers(recorded, `state/${key}`) }));
  return Array.from({ length: wanted.steps + 1 }, (_, step) => {
    const there = kept.map(({ key, entry, all }) => [key, held(entry, all, step, recorded.format, wanted.hyperparameters)]);
    const count = Object.entries(state).filter(([, entry]) => entry.kind === "count").map(([key]) => [key, tensor(step - Number(recorded.missing !== null && recorded.missing <= step), "float32")]);
    const slope = step && step !== recorded.missing ? tensor([...grad.slice(2 * step - 2, 2 * step)], recorded.format) : null;
    return { param: tensor([...param.slice(2 * step, 2 * step + 2)], recorded.format), state: Object.fromEntries([...there, ...count]), grad: slope, lines: {} };
  });
}

/** An entry of the state as it was after a step; before the first, as it is declared. @param {any} entry @param {any} all @param {number} step
 * @param {"float32" | "float64"} format @param {Record<string, any>} given */
function held(entry, all, step, format, given) {
  const [first, second] = all.slice(2 * step, 2 * step + 2);
  const start = typeof entry.start === "string" ? given[entry.start] : entry.start;
  if (Number.isNaN(first) && step === 0) {
    if (start === null || (entry.when && !given[entry.when])) return null;
    return entry.kind === "number" ? tensor(start, "float32") : tensor([start, start], format);
  }
  if (Number.isNaN(first) && entry.when && !given[entry.when]) return null;
  return entry.kind === "number" ? tensor(first, "float32") : tensor([first, second], format);
}
