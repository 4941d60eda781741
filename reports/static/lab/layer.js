// A layer's way there: its parameters and buffers handed to a formula, and the lines that replace the buffers in training.
"use strict";

import {worked} from "./optimizer.js";

/** @typedef {{lines: import("./optimizer.js").Lines, result: import("./optimizer.js").Lines, buffers: Record<string, string>}} Formula */

export class Layer {
  /**
   * @param {Formula} formula buffers: each to the line that replaces it
   * @param {Record<string, any>} settings
   * @param {Record<string, any>} params name to Tensor, or null where there is none
   * @param {Record<string, any>} buffers name to Tensor or plain number, or null
   * @param {any} F
   */
  constructor(formula, settings, params, buffers, F) {
    this.formula = formula;
    this.settings = settings;
    this.params = params;
    this.buffers = buffers;
    this.F = F;
    this.training = true;
  }

  /**
   * Every line of the formula; in training the buffers are brought up to date.
   * @param {Record<string, any>} inputs x, and what else the formula is given (a mask r)
   * @returns {Record<string, any>}
   */
  forward(inputs) {
    const given = {...this.settings, ...this.params, ...this.buffers, ...inputs, training: this.training};
    const lines = worked(this.formula, given, this.F);
    if (this.training) {
      for (const [name, line] of Object.entries(this.formula.buffers)) {
        if (this.buffers[name] !== null) this.buffers = {...this.buffers, [name]: lines[line]};
      }
    }
    return lines;
  }
}
