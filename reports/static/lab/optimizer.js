// An optimizer's state and its step, and a layer's way there: what is handed to a formula, and which of its lines becomes what.

import {as, format, Tensor, tensor, volume} from "./numbers.js";

/** @typedef {(s: Record<string, any>, F: any) => any} Line of the environment and the numbers */
/** @typedef {readonly (readonly [string, Line])[]} Lines */
/** An entry of the state, as reference/state.py declares it; of one that has an axis the length there is 1.
 * @typedef {{kind: string, line: string, start: number | string | null, when: string, least_axes?: number, most_axes?: number | null, axis?: number | null}} Entry */
/** @typedef {{lines: Lines, result: Lines, state: Record<string, Entry>, sparse?: boolean}} Formula sparse: what has no entry in a gradient stays */

export class Optimizer {
  /** @param {Formula} formula @param {Record<string, any>} hyperparameters under PyTorch's names; may be replaced between steps @param {any} F */
  constructor(formula, hyperparameters, F) {
    this.formula = formula;
    this.hyperparameters = hyperparameters;
    this.F = F;
  }

  /** The entries that a parameter and the hyperparameters put to use. @param {Tensor} param */
  entries(param) {
    return Object.entries(this.formula.state).filter(([, {when, least_axes = 0, most_axes}]) => (
      param.ndim >= least_axes && param.ndim <= (most_axes ?? Infinity) && (!when || this.F.truth(this.hyperparameters[when]))
    ));
  }

  /** The state before a tensor's first step; null where the first step makes it. @param {Tensor} param @returns {Record<string, any>} */
  begin(param) {
    return Object.fromEntries(this.entries(param).map(([key, {kind, start, axis}]) => {
      const value = typeof start === "string" ? this.hyperparameters[start] : start;
      if (value === null) return [key, null];
      if (kind !== "array") return [key, tensor(value, "float32")];
      const shape = typeof axis === "number" ? param.shape.with(axis, 1) : param.shape;
      return [key, tensor(Array(volume(shape)).fill(value), format(param), shape)];
    }));
  }

  /** What a step gives the formula; its counts are raised by then.
   * @param {Tensor} param @param {Tensor} grad @param {Record<string, any>} state as `begin` or the step before left it
   * @param {Record<string, any>} [before] the hyperparameters of the tensor's step before, for a formula that reads `lr_before` */
  environment(param, grad, state, before) {
    const begun = this.entries(param).every(([key]) => key in state) ? state : {...this.begin(param), ...state};
    const kept = Object.entries(this.formula.state).map(([key, {kind}]) => [key, begun[key] && kind === "count" ? begun[key].data[0] + 1 : begun[key] ?? null]);
    const told = Object.entries(this.hyperparameters).flatMap(([name, value]) => [[name, value], [`${name}_before`, before?.[name] ?? null]]);
    const {F} = this;
    return {param, grad, ...Object.fromEntries([...kept, ...told]), get norm_of_all() { return F.sqrt(F.sum(F.times(grad, grad))); }}; // a page has one tensor
  }

  /** One step of a tensor that has a gradient; nothing is changed in place.
   * @param {Tensor} param @param {Tensor} grad @param {Record<string, any>} state @param {Record<string, any>} [before] */
  step(param, grad, state, before) {
    const s = this.environment(param, grad, state, before), begun = Object.fromEntries(this.entries(param).map(([key]) => [key, s[key]]));
    const lines = worked(this.formula, s, this.F);
    for (const [key, {kind, line}] of this.entries(param)) {
      if (kind === "array") begun[key] = this.kept(as(lines[line], format(param)), begun[key], grad);
      else begun[key] = as(kind === "count" ? begun[key] : this.F.item(lines[line]), "float32");
    }
    const moved = this.kept(as(lines.param, format(param)), param, grad);
    if (!this.formula.sparse) return {param: moved, state: begun, lines};
    return {param: moved, state: begun, lines: {...Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, entered(line, grad)])), param: moved}};
  }

  /** What a step leaves of an array: beside a sparse gradient what has no entry stays as it was. @param {Tensor} made @param {Tensor} was @param {Tensor} grad */
  kept(made, was, grad) {
    return this.formula.sparse ? entered(made, grad, was) : made;
  }
}

/** What a sparse gradient has entries for; in other places what was there, or no number. @param {any} made @param {Tensor} grad @param {Tensor} [was] */
export const entered = (made, grad, was) => (made instanceof Tensor && made.size === grad.size
  ? new Tensor(made.data.map((/** @type {number} */ one, /** @type {number} */ place) => (grad.data[place] === 0 ? was?.data[place] ?? NaN : one)), made.shape) : made);

/** Every line of a formula in turn, and what it returns. @param {{lines: Lines, result: Lines}} formula
 * @param {Record<string, any>} s what the formula is given; its lines join it @param {any} F @returns {Record<string, any>} */
export function worked({lines, result}, s, F) {
  for (const [name, of] of lines) s[name] = of(s, F);
  return Object.fromEntries(result.map(([name, of]) => [name, of(s, F)]));
}

export class Layer {
  /** @param {{lines: Lines, result: Lines, buffers: Record<string, string>}} formula buffers: each to the line that replaces it
   * @param {Record<string, any>} settings @param {Record<string, any>} params name to Tensor, or null where there is none
   * @param {Record<string, any>} buffers name to Tensor or plain number, or null @param {any} F */
  constructor(formula, settings, params, buffers, F) {
    this.formula = formula;
    this.given = {...settings, ...params};
    this.buffers = buffers;
    this.F = F;
    this.training = true;
  }

  /** Every line of the formula; in training the buffers are brought up to date. @param {Record<string, any>} inputs x, and what else it is given (a mask r) */
  forward(inputs) {
    const lines = worked(this.formula, {...this.given, ...this.buffers, ...inputs, training: this.training}, this.F);
    const updated = Object.entries(this.formula.buffers).filter(([name]) => this.training && this.buffers[name] !== null);
    this.buffers = {...this.buffers, ...Object.fromEntries(updated.map(([name, line]) => [name, lines[line]]))};
    return lines;
  }
}
