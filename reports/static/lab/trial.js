// A formula on its own way beside PyTorch's, and one step at a time from PyTorch's numbers: where they part, by how much,
// and whether rounding allows it. Two numbers of one tensor; PyTorch's side is recorded, or this page's own of its order.

import {Bounded, bounding} from "./bounded.js";
import {ulps} from "./bits.js";
import {numpy} from "./ops.js";
import {Optimizer} from "./optimizer.js";
import {tensor} from "./numbers.js";

export const NUMBERS = 2;

/** @typedef {(s: Record<string, any>, F: any) => any} Line */
/** @typedef {{lines: [string, Line][], result: [string, Line][], state: Record<string, any>}} Formula */
/** @typedef {{format: "float32" | "float64", steps: number, hyperparameters: Record<string, any>, start: number[],
 *   rates: Record<string, number>, missing: number | null, clock: {step: number}, slope: (param: any, step: number, order: string) => any}} Setting */
/** @typedef {{param: any, state: Record<string, any>, grad: any, lines: Record<string, any>}} Moment */

const FUSED = numpy("fused");

/** The hyperparameters in force at a step. @param {Setting} setting @param {number} step */
function given(setting, step) {
  const passed = Object.keys(setting.rates).map(Number).filter((at) => at <= step);
  return passed.length ? { ...setting.hyperparameters, lr: setting.rates[Math.max(...passed)] } : setting.hyperparameters;
}

/** An optimizer's way: where it is before the first step and after each.
 * @param {Formula} formula @param {Setting} setting @param {string} order of the slope @returns {Moment[]} */
export function way(formula, setting, order) {
  const optimizer = new Optimizer(formula, setting.hyperparameters, FUSED);
  const param = tensor(setting.start, setting.format);
  /** @type {Moment[]} */
  const made = [{ param, state: optimizer.begin(param), grad: null, lines: {} }];
  for (let step = 1; step <= setting.steps; step += 1) {
    const last = made[step - 1];
    const grad = step === setting.missing ? null : setting.slope(last.param, step, order);
    made.push(stepped(optimizer, setting, last, grad, step));
  }
  return made;
}

/** One step from a moment. @param {any} optimizer @param {Setting} setting @param {Moment} last @param {any} grad
 * @param {number} step @returns {Moment} */
function stepped(optimizer, setting, last, grad, step) {
  if (grad === null) return { ...last, grad, lines: {} };
  setting.clock.step = step;
  optimizer.hyperparameters = given(setting, step);
  const before = step > 1 ? given(setting, step - 1) : undefined;
  const { param, state, lines } = optimizer.step(last.param, grad, last.state, before);
  return { param, state, grad, lines };
}

/** Every line of one step from a moment. @param {Formula} formula @param {Setting} setting @param {Moment} last @param {any} grad
 * @param {number} step @returns {Record<string, any>} */
export function within(formula, setting, last, grad, step) {
  return stepped(new Optimizer(formula, setting.hyperparameters, FUSED), setting, last, grad, step).lines;
}

/** What rounding allows in each step from PyTorch's numbers: of every line of the right formula, an error for each number.
 * @param {Formula} right @param {Setting} setting @param {Moment[]} theirs @returns {Record<string, number[]>[]} */
export function allowances(right, setting, theirs) {
  const B = bounding(setting.format);
  return theirs.map((moment, step) => (step && moment.grad ? allowed(right, setting, theirs[step - 1], moment.grad, step, B) : {}));
}

/** @param {Formula} right @param {Setting} setting @param {Moment} last @param {any} grad @param {number} step @param {any} B */
function allowed(right, setting, last, grad, step, B) {
  /** @type {Record<string, number[]>} */
  const found = {};
  for (let place = 0; place < NUMBERS; place += 1) {
    /** @type {Record<string, any>} */
    const s = { ...plain(given(setting, step)), param: exact(last.param, place), grad: exact(grad, place) };
    for (const [key, entry] of Object.entries(right.state)) {
      const held = last.state[key];
      if (entry.kind === "count") s[key] = step - missed(setting, step);
      else s[key] = held === null || held === undefined ? null : exact(held, place);
    }
    for (const [name, line] of right.lines) s[name] = line(s, B);
    for (const [name, line] of right.result) {
      const made = line(s, B);
      (found[name] ??= []).push(made instanceof Bounded ? 2 * made.error : 0); // two honest evaluations, an error from the truth each
    }
  }
  return found;
}

/** Hyperparameters as plain numbers are: exact as given. @param {Record<string, any>} hyperparameters */
const plain = (hyperparameters) => Object.fromEntries(Object.entries(hyperparameters).map(([name, value]) => [name, weak(value)]));
/** @param {any} value @returns {any} */
const weak = (value) => (Array.isArray(value) ? value.map(weak) : typeof value === "number" && value ? new Bounded(value, 0, true) : value);
/** @param {any} held @param {number} place */
const exact = (held, place) => new Bounded(held.data[held.data.length > 1 ? place : 0], 0);
/** @param {Setting} setting @param {number} step */
const missed = (setting, step) => Number(setting.missing !== null && setting.missing < step);

/** @typedef {{step: number, line: string, place: number, ours: number, theirs: number, ulp: number}} Parting */
/** @typedef {{verdict: "identical" | "rounding" | "different", ours: Moment[], drift: number[], defect: number[], used: number,
 *   beyond: Parting | null, first: Parting | null, slope: number | null}} Outcome */

/** How a formula compares with PyTorch's side. @param {Formula} formula @param {Setting} setting @param {Moment[]} theirs
 * @param {Record<string, number[]>[]} allowing @param {(last: Moment, grad: any, step: number) => Record<string, any>} inside
 * PyTorch's own lines of a step @returns {Outcome} */
export function outcome(formula, setting, theirs, allowing, inside) {
  const ours = way(formula, setting, "paper");
  const optimizer = new Optimizer(formula, setting.hyperparameters, FUSED);
  /** @type {Outcome} */
  const found = { verdict: "identical", ours, drift: [], defect: [], used: 0, beyond: null, first: null, slope: null };
  for (let step = 0; step <= setting.steps; step += 1) {
    found.drift.push(distance(ours[step].param, theirs[step].param));
    const { grad } = theirs[step];
    if (!step || grad === null) {
      found.defect.push(0);
      continue;
    }
    if (found.slope === null && different(setting.slope(theirs[step - 1].param, step, "paper"), grad)) found.slope = step;
    const made = stepped(optimizer, setting, theirs[step - 1], grad, step);
    found.defect.push(distance(made.param, theirs[step].param));
    judge(found, formula, setting, made, theirs[step], allowing[step], () => inside(theirs[step - 1], grad, step), step);
  }
  const moved = found.drift.some((one) => one > 0 || Number.isNaN(one));
  if (found.beyond) found.verdict = "different";
  else if (found.first || found.slope !== null || moved) found.verdict = "rounding";
  return found;
}

/** Hold one step against PyTorch's. @param {Outcome} found @param {Formula} formula @param {Setting} setting @param {Moment} made
 * @param {Moment} theirs @param {Record<string, number[]>} allowing @param {() => Record<string, any>} inside @param {number} step */
function judge(found, formula, setting, made, theirs, allowing, inside, step) {
  const kept = Object.entries(formula.state).filter(([, entry]) => entry.kind !== "count");
  /** @type {[string, any, any][]} */
  const pairs = [["param", made.param, theirs.param], ...kept.map(([key, entry]) => /** @type {[string, any, any]} */ ([entry.line, made.state[key], theirs.state[key]]))];
  const apart = pairs.filter(([, one, other]) => one && other && different(one, other));
  if (!apart.length) return;
  let over = false;
  for (const [line, one, other] of apart) {
    for (let place = 0; place < NUMBERS; place += 1) {
      const size = gap(one.data[place] ?? one.data[0], other.data[place] ?? other.data[0]);
      const share = size && size / (allowing[line]?.[place] ?? Infinity);
      found.used = Math.max(found.used, share);
      over ||= share > 1;
    }
  }
  const first = !found.first, beyond = over && !found.beyond;
  if (!first && !beyond) return;
  const held = kept.map(([key, entry]) => [entry.line, theirs.state[key]]).filter(([, there]) => there);
  const lines = { ...inside(), ...Object.fromEntries(held), param: theirs.param };
  const parting = parted(formula, setting, made, lines, step, (name) => allowing[name], over) ?? seen(setting, apart[0], step);
  if (first) found.first = parted(formula, setting, made, lines, step, () => [0, 0], false) ?? parting;
  if (beyond) found.beyond = parting;
}

/** The first line of a step that is apart, or further than it may be. @param {Formula} formula @param {Setting} setting
 * @param {Moment} made @param {Record<string, any>} lines @param {number} step @param {(name: string) => number[] | undefined} room
 * @param {boolean} over @returns {Parting | null} */
function parted(formula, setting, made, lines, step, room, over) {
  for (const [name] of formula.result) {
    const one = made.lines[name], other = lines[name], most = over ? room(name) : [0, 0];
    if (!one?.data || !other?.data || !most) continue;
    for (let place = 0; place < NUMBERS; place += 1) {
      const [x, y] = [one.data[place] ?? one.data[0], other.data[place] ?? other.data[0]];
      if (gap(x, y) > most[place]) return { step, line: name, place, ours: x, theirs: y, ulp: ulps(x, y, setting.format) };
    }
  }
  return null;
}

/** Where what is kept is apart though no line is. @param {Setting} setting @param {[string, any, any]} pair @param {number} step */
function seen(setting, [line, one, other], step) {
  const place = gap(one.data[0], other.data[0]) ? 0 : one.data.length - 1;
  const [x, y] = [one.data[place], other.data[place]];
  return { step, line, place, ours: x, theirs: y, ulp: ulps(x, y, setting.format) };
}

/** How far two numbers are apart; equal infinities and two NaNs are not, one alone is infinitely far. @param {number} x @param {number} y */
export function gap(x, y) {
  if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) return 0;
  const size = Math.abs(x - y);
  return Number.isNaN(size) ? Infinity : size;
}

/** @param {any} one @param {any} other */
const distance = (one, other) => Math.max(...[0, 1].map((place) => gap(one.data[place], other.data[place])));

/** Whether any bit of two tensors differs, the sign of a zero among them. @param {any} one @param {any} other */
const different = (one, other) => one.data.some((/** @type {number} */ x, /** @type {number} */ place) => !Object.is(x, other.data[place]));
