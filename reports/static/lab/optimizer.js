// An optimizer's state and its step: what is handed to a formula, and which of its lines becomes what.
"use strict";

import {as, format, tensor, volume} from "./numbers.js";

/** @typedef {import("./numbers.js").Tensor} Tensor */
/** @typedef {(s: any, F: any) => any} Expression of the environment and the numbers */
/** @typedef {readonly (readonly [string, Expression])[]} Lines */
/**
 * An entry of the state, as reference/state.py declares it; of one that has an axis the length there is 1.
 * @typedef {{kind: string, line: string, start: number | string | null, when: string, least_axes?: number, most_axes?: number, axis?: number}} Entry
 */
/** @typedef {{lines: Lines, result: Lines, state: Record<string, Entry>}} Formula */

export class Optimizer {
  /**
   * @param {Formula} formula
   * @param {Record<string, any>} hyperparameters under PyTorch's names; may be replaced between steps
   * @param {any} F
   */
  constructor(formula, hyperparameters, F) {
    this.formula = formula;
    this.hyperparameters = hyperparameters;
    this.F = F;
  }

  /**
   * The entries that a parameter and the hyperparameters put to use.
   * @param {Tensor} param
   */
  entries(param) {
    return Object.entries(this.formula.state).filter(([, {when, least_axes = 0, most_axes = Infinity}]) => (
      param.ndim >= least_axes && param.ndim <= most_axes && (!when || this.F.truth(this.hyperparameters[when]))
    ));
  }

  /**
   * The state before a tensor's first step; null where the first step makes it.
   * @param {Tensor} param
   * @returns {Record<string, any>}
   */
  begin(param) {
    return Object.fromEntries(this.entries(param).map(([key, {kind, start, axis}]) => {
      const value = typeof start === "string" ? this.hyperparameters[start] : start;
      if (value === null) return [key, null];
      if (kind !== "array") return [key, tensor(value, "float32")];
      const shape = axis === undefined ? param.shape : param.shape.with(axis, 1);
      return [key, tensor(Array(volume(shape)).fill(value), format(param), shape)];
    }));
  }

  /**
   * One step of a tensor that has a gradient; nothing is changed in place.
   * @param {Tensor} param
   * @param {Tensor} grad
   * @param {Record<string, any>} state as `begin` or the step before left it
   * @param {Record<string, any>} [before] the hyperparameters of the tensor's step before, for a formula that reads `lr_before`
   */
  step(param, grad, state, before) {
    const entries = this.entries(param);
    const begun = {...this.begin(param), ...state};
    const s = {param, grad, ...Object.fromEntries(Object.keys(this.formula.state).map((key) => [key, null]))};
    for (const [key, {kind}] of entries) {
      if (kind === "count") begun[key] = tensor(begun[key].data[0] + 1, "float32");
      Object.assign(s, {[key]: kind === "count" ? begun[key].data[0] : begun[key]});
    }
    for (const [name, value] of Object.entries(this.hyperparameters)) Object.assign(s, {[name]: value, [`${name}_before`]: before?.[name] ?? null});
    const lines = worked(this.formula, s, this.F);
    for (const [key, {kind, line}] of entries) {
      if (kind === "array") begun[key] = as(lines[line], format(param));
      if (kind === "number") begun[key] = as(this.F.item(lines[line]), "float32");
    }
    return {param: as(lines.param, format(param)), state: begun, lines};
  }
}

/**
 * Every line of a formula in turn, and what it returns.
 * @param {{lines: Lines, result: Lines}} formula
 * @param {Record<string, any>} s what the formula is given; its lines join it
 * @param {any} F
 * @returns {Record<string, any>}
 */
export function worked({lines, result}, s, F) {
  for (const [name, of] of lines) s[name] = of(s, F);
  return Object.fromEntries(result.map(([name, of]) => [name, of(s, F)]));
}
