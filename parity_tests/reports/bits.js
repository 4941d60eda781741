// The page's side of the test of its bits: runs as they are handed over, and the fingerprint of every number of theirs.
"use strict";

import {flipped, parts, ulps} from "../../reports/static/lab/bits.js";
import {remember, rounded} from "../../reports/static/lab/exact.js";
import {Mersenne} from "../../reports/static/lab/mersenne.js";
import {format, NUMPY, row, stack, Tensor} from "../../reports/static/lab/numbers.js";
import {numpy} from "../../reports/static/lab/ops.js";
import {Layer, Optimizer, worked} from "../../reports/static/lab/optimizer.js";

/** @typedef {import("../../reports/static/lab/optimizer.js").Formula} Formula */
/** @typedef {[string, number[], string]} Packed format, shape and bytes */

/** @param {Packed} packed */
function unpacked([name, shape, bytes]) {
  const {buffer} = Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0));
  return new Tensor(name === "bool" ? new Uint8Array(buffer) : name === "float32" ? new Float32Array(buffer) : new Float64Array(buffer), shape);
}

/** What a formula is given. @param {any} value @returns {any} */
function given(value) {
  if (value?.lines) return named(value.lines, given);
  if (value?.all) return value.all.map(given);
  return value?.array ? unpacked(value.array) : value;
}

/** @param {Float32Array | Float64Array} data */
function bytesOf(data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (!data.some(Number.isNaN)) return bytes;
  const width = data.BYTES_PER_ELEMENT;
  const made = bytes.slice();
  for (let place = 0; place < data.length; place += 1) {
    if (!Number.isNaN(data[place])) continue;
    made.fill(0, place * width, (place + 1) * width);
    made.set(width === 4 ? [0xc0, 0x7f] : [0xf8, 0x7f], (place + 1) * width - 2);
  }
  return made;
}

/**
 * A value with its type, bit for bit; of NaN there is one.
 * @param {unknown} value
 */
function noted(value) {
  if (value === null) return [Uint8Array.of(0)];
  if (typeof value === "number" || typeof value === "boolean") return [Uint8Array.of(1), bytesOf(Float64Array.of(Number(value)))];
  if (!(value instanceof Tensor)) throw new TypeError(`no number: ${value}`);
  const size = new Uint8Array(Uint32Array.of(value.size).buffer);
  if (value.data instanceof Uint8Array) return [Uint8Array.of(4), size, value.data];
  return [Uint8Array.of(format(value) === "float32" ? 2 : 3), size, bytesOf(value.data)];
}

/**
 * @template A, B
 * @param {Record<string, A>} record
 * @param {(value: A) => B} made
 */
function named(record, made) {
  return renamed(record, (_, value) => made(value));
}

/**
 * @template A, B
 * @param {Record<string, A>} record
 * @param {(name: string, value: A) => B} made
 */
function renamed(record, made) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, made(name, value)]));
}

/** A gradient of which only some entries are there. @param {{places: number[] | null, values: Packed} | undefined} entries */
function thinned(entries) {
  return {places: entries?.places ?? null, grad: entries ? unpacked(entries.values) : null};
}

/**
 * What stands at these places of an array, as a gradient has it there.
 * @param {Tensor} whole
 * @param {number[]} places
 * @param {Tensor} like
 */
function taken(whole, places, like) {
  const width = like.size / places.length || 1;
  const data = whole.data.slice(0, like.size);
  places.forEach((from, to) => data.set(whole.data.subarray(from * width, (from + 1) * width), to * width));
  return new Tensor(data, like.shape);
}

/**
 * The array with these at their places.
 * @param {Tensor} whole
 * @param {Tensor} some
 * @param {number[]} places
 */
function put(whole, some, places) {
  const data = whole.data.slice();
  const width = some.size / places.length || 1;
  places.forEach((to, from) => data.set(some.data.subarray(from * width, (from + 1) * width), to * width));
  return new Tensor(data, whole.shape);
}

/** @param {Uint8Array[]} pieces */
function together(pieces) {
  const whole = new Uint8Array(pieces.reduce((size, part) => size + part.length, 0));
  let place = 0;
  for (const part of pieces) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

export class Laboratory {
  /** @param {Record<string, Formula>} formulas */
  constructor(formulas) {
    this.formulas = formulas;
    /** @type {Record<string, Record<string, (Tensor | null)[]>>} */
    this.streams = {};
  }

  /** @param {Record<string, Record<string, (Packed | null)[]>>} streams */
  take(streams) {
    for (const [key, tensors] of Object.entries(streams)) {
      this.streams[key] = named(tensors, (steps) => steps.map((one) => one && unpacked(one)));
    }
  }

  /**
   * Every line of every tensor at every step, then its parameter and state.
   * @param {any} run
   * @returns {Generator<Uint8Array[]>}
   */
  * evaluated(run) {
    const F = numpy(run.rounding);
    remember(run.powers);
    const optimizer = new Optimizer(this.formulas[run.formula], run.hyperparameters, F);
    /** @type {Record<string, Tensor>} */
    const params = named(run.start, unpacked);
    /** @type {Record<string, Record<string, any>>} */
    const states = {};
    /** @type {Record<string, any>} */
    const before = {};
    const [first] = Object.keys(params);
    const {state: declared} = optimizer.formula;
    const isArray = (/** @type {string} */ key) => key === "param" || declared[key].kind === "array";
    for (let step = 1; step <= run.steps; step += 1) {
      optimizer.hyperparameters = {...optimizer.hyperparameters, ...run.changes[step]};
      for (const name of Object.keys(params)) {
        const {places, grad} = run.entries ? thinned(run.entries[step]?.[name]) : {places: null, grad: this.gradient(run, F, name, params[name], step)};
        if (!grad || (name === first && run.missing.includes(step))) continue;
        const scheduled = run.zero_from !== null && step >= run.zero_from && !run.entries ? F.times(0, grad) : grad;
        /** @type {Record<string, any>} */
        const whole = {param: params[name], ...optimizer.begin(params[name]), ...states[name]};
        const {param, ...state} = places ? renamed(whole, (key, one) => (isArray(key) && one ? taken(one, places, grad) : one)) : whole;
        optimizer.hyperparameters = {...optimizer.hyperparameters, updates: (before[name]?.updates ?? 0) + 1};
        const made = optimizer.step(param, scheduled, state, before[name]);
        const after = {param: made.param, ...made.state};
        const {param: moved, ...kept} = places ? renamed(after, (key, one) => (isArray(key) ? put(whole[key], one, places) : one)) : after;
        [params[name], states[name], before[name]] = [moved, kept, optimizer.hyperparameters];
        yield Object.values(made.lines).flatMap(noted);
        yield noted(moved);
        yield Object.entries(kept).filter(([key]) => declared[key].kind !== "count").flatMap(([, one]) => noted(one));
      }
    }
  }

  /**
   * @param {any} run
   * @param {any} F
   * @param {string} name
   * @param {Tensor} param
   * @param {number} step
   */
  gradient(run, F, name, param, step) {
    if (run.stream !== null) {
      return this.streams[run.stream][name][step - 1];
    }
    const lines = worked(this.formulas[run.function], {x: row(param, 0), y: row(param, 1), ...run.arguments}, F);
    return stack([lines.dx, lines.dy]);
  }

  /**
   * Every line of every pass of a layer, there and back.
   * @param {any} run
   * @returns {Generator<Uint8Array[]>}
   */
  * passed(run) {
    const F = numpy(run.rounding);
    const {there, back} = /** @type {any} */ (this.formulas[run.formula]);
    /** @param {any} one */
    const tensor = (one) => (Array.isArray(one) ? unpacked(/** @type {Packed} */ (one)) : one);
    const layer = new Layer(there, run.settings, named(run.params, tensor), named(run.buffers, tensor), F);
    for (const one of run.passes) {
      const inputs = Object.fromEntries(one.inputs.map((/** @type {Packed} */ packed, /** @type {number} */ place) => [there.given[place], unpacked(packed)]));
      layer.training = one.training;
      const lines = layer.forward(inputs);
      yield Object.values(lines).flatMap(noted);
      const s = {...layer.given, ...inputs, lines, training: one.training, [back.given[0]]: unpacked(one.upstream)};
      yield Object.values(worked(back, s, F)).flatMap(noted);
    }
  }

  /**
   * Every line of every evaluation of a formula.
   * @param {any} run
   * @returns {Generator<Uint8Array[]>}
   */
  * called(run) {
    remember(run.powers);
    const halves = /** @type {any} */ (this.formulas[run.formula]), F = numpy(run.rounding);
    for (const call of run.calls) yield Object.values(worked(halves[call.half], named(call.given, given), F)).flatMap(noted);
  }

  /** a·b + c of three arrays, rounded once. @param {Packed[]} operands */
  fused(operands) {
    const [a, b, c] = operands.map(unpacked);
    return [...together(noted(NUMPY.fma(a, b, c)))];
  }

  /** @param {[number, number][]} pairs */
  powers(pairs) {
    return pairs.map(([x, y]) => rounded(x, y));
  }

  /** What a generator's dropout draws in turn. @param {number} seed @param {[number, number[], string][]} draws */
  masks(seed, draws) {
    const stream = new Mersenne(seed);
    return draws.map(([p, shape, name]) => [...together(noted(stream.dropoutMask(p, shape, name)))]);
  }

  /** A number opened, and with each of its bits turned. @param {number} x @param {string} name */
  opened(x, name) {
    const {bits, hex, sign, exponent, significand} = parts(x, name);
    const turned = Array.from(bits, (_, place) => parts(flipped(x, name, place), name).hex);
    return {bits, hex, sign, exponent, significand: String(significand), turned};
  }

  /** How far numbers are apart. @param {[number, number][]} pairs @param {string} name */
  apart(pairs, name) {
    return pairs.map(([a, b]) => ulps(a, b, name));
  }

  /** @param {any} run */
  parts(run) {
    return run.calls ? this.called(run) : run.passes ? this.passed(run) : this.evaluated(run);
  }

  /**
   * The fingerprint of all that a run evaluates, or why it cannot be evaluated.
   * @param {any} run
   * @returns {Promise<[string, number]>}
   */
  async fingerprint(run) {
    try {
      const bytes = together([...this.parts(run)].flat());
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      return [Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""), bytes.length];
    } catch (error) {
      return [String(error), 0];
    }
  }

  /** @param {any[]} runs */
  fingerprints(runs) {
    return Promise.all(runs.map((run) => this.fingerprint(run)));
  }

  /**
   * For each mutant of a formula, whether some run of it has another fingerprint than the formula itself.
   * @param {string[]} mutants
   * @param {[any, [string, number]][]} runs each with the fingerprint that is right
   */
  async caught(mutants, runs) {
    const told = [];
    for (const formula of mutants) {
      let differs = false;
      for (const [run, [right]] of runs) {
        if (differs) break;
        const [made] = await this.fingerprint({...run, formula});
        differs = made !== right;
      }
      told.push(differs);
    }
    return told;
  }

  /**
   * What a run evaluates, to find the number that differs.
   * @param {any} run
   */
  whole(run) {
    return Array.from(this.parts(run), (pieces) => [...together(pieces)]);
  }
}
