// A formula on its own way beside PyTorch's, and one step at a time from PyTorch's numbers: where they part, by how much,
// and whether rounding allows it. PyTorch's side is what was recorded; where a setting was not, this page's own of its order.

import {Bounded, bounding} from "./bounded.js";
import {ulps} from "./bits.js";
import {composed} from "./compose.js";
import {row, stack, Tensor, tensor, volume} from "./numbers.js";
import {numpy} from "./ops.js";
import {entered, Optimizer, worked} from "./optimizer.js";

/** @typedef {{name: string, problem: string, format: "float32" | "float64", steps: number, shape: number[], hyperparameters: Record<string, any>,
 *   own: string[], path: string | null, streamed: boolean, rates: Record<string, number>, missing: number | null, arrays: Record<string, string>}} Recorded
 * @typedef {{state: Record<string, any>, settings: Recorded[], rows: string[], causes: Record<string, {rows: string[], shows: string, formats: string[]}>, scenarios: string[], subject: string,
 *   sparse: boolean}} Data
 * @typedef {{steps: number, hyperparameters: Record<string, any>}} Wanted what a reader asks for
 * @typedef {{param: any, state: Record<string, any>, grad: any, lines: Record<string, any>}} Moment
 * @typedef {{step: number, line: string, place: number, ours: number, theirs: number, ulp: number, times: number}} Parting times: of what is allowed
 * @typedef {{verdict: "identical" | "rounding" | "different", ours: Moment[], drift: number[], defect: number[], used: number,
 *   beyond: Parting | null, first: Parting | null, slope: number | null}} Outcome */

const NUMBERS = 2;
const EACH = [0, 1];
const PLAIN = numpy("plain");
const FUSED = numpy("fused");

/** A number of a tensor, of which there may be one for all. @param {any} held @param {number} place @returns {number} */
export const at = (held, place) => held.data[place % held.size];

/** What a function of two numbers returns. @param {import("./compose.js").Whole} formula @param {any} x @param {any} y */
const evaluated = (formula, x, y) => worked(formula, { ...formula.defaults, x, y }, PLAIN);

export class Trial {
  /** PyTorch's side of a setting, and what rounding allows of each of its steps.
   * @param {import("./compose.js").Formulas} formulas @param {Data} data @param {Recorded} recorded @param {Wanted} wanted */
  constructor(formulas, data, recorded, wanted) {
    this.formulas = formulas;
    this.data = data;
    this.recorded = recorded;
    this.wanted = wanted;
    this.problem = formulas.functions[recorded.problem];
    /** Whether PyTorch's own bits are there. */
    this.known = wanted.steps <= recorded.steps && JSON.stringify(recorded.hyperparameters) === JSON.stringify(wanted.hyperparameters);
    this.gradients = this.array("grad");
    this.pytorch = this.stepping(formulas.pytorch);
    this.theirs = this.known ? this.replayed() : this.way(this.pytorch, "pytorch");
    /** @type {Record<string, number[]>[] | undefined} */
    this.bounds = undefined;
  }

  /** Whether it is of that. @param {Recorded} recorded @param {Wanted} wanted */
  is(recorded, wanted) { return this.recorded === recorded && JSON.stringify(this.wanted) === JSON.stringify(wanted); }

  /** Of every step and line of the right formula: how far each number may be off. */
  get allowing() { return (this.bounds ??= this.bounded(bounding(this.recorded.format))); }

  /** @param {any} B */
  bounded(B) { return this.theirs.map((moment, step) => (step && moment.grad ? this.allowed(step, B) : {})); }

  /** The recorded numbers of that name. @param {string} name */
  array(name) {
    const bytes = Uint8Array.from(atob(this.recorded.arrays[name]), (one) => one.charCodeAt(0));
    return this.recorded.format === "float32" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
  }

  /** Two of them from a step on, as a tensor of the parameter's shape. @param {any} all @param {number} step @param {readonly number[]} shape */
  two(all, step, shape = this.recorded.shape) { return new Tensor(all.slice(2 * step, 2 * step + volume(shape)), shape); }

  /** @param {{lines: any, result: any}} formula */
  stepping(formula) { return new Optimizer({ ...formula, state: this.data.state, sparse: this.data.sparse }, this.wanted.hyperparameters, FUSED); }

  /** The hyperparameters in force at a step, and how many updates there were with it. @param {number} step */
  given(step) {
    const { rates } = this.recorded, passed = Object.keys(rates).map(Number).filter((from) => from <= step), { hyperparameters } = this.wanted;
    return { ...hyperparameters, ...(passed.length ? { lr: rates[Math.max(...passed)] } : {}), updates: this.updates(step) };
  }

  /** How many updates there were after a step: none at one without a gradient. @param {number} step */
  updates(step) {
    const { missing } = this.recorded;
    return step - Number(missing !== null && missing <= step);
  }

  /** The gradient where a parameter is; of a stream, that of the step. @param {any} param @param {number} step @param {"paper" | "pytorch"} order */
  slope(param, step, order) {
    if (!this.problem) return this.two(this.gradients, step - 1);
    const { dx, dy } = evaluated(this.problem[order], row(param, 0), row(param, 1)), whole = stack([dx, dy]);
    return this.data.sparse ? new Tensor(whole.data.map((/** @type {number} */ one, /** @type {number} */ place) => ((place + step) % NUMBERS ? 0 : one)), whole.shape) : whole; // as lockstep.cases thins it
  }

  /** One step from a moment. @param {Optimizer} optimizer @param {Moment} last @param {any} grad @param {number} step @returns {Moment} */
  stepped(optimizer, last, grad, step) {
    if (grad === null) return { ...last, grad, lines: {} };
    optimizer.hyperparameters = this.given(step);
    return { grad, ...optimizer.step(last.param, grad, last.state, step > 1 ? this.given(step - 1) : undefined) };
  }

  /** A way from the start: before the first step and after each. @param {Optimizer} optimizer @param {"paper" | "pytorch"} order of the slope
   * @param {{step: number}} [clock] which step it is */
  way(optimizer, order, clock = { step: 0 }) {
    const param = this.two(this.array("param"), 0);
    /** @type {Moment[]} */
    const made = [{ param, state: optimizer.begin(param), grad: null, lines: {} }];
    for (clock.step = 1; clock.step <= this.wanted.steps; clock.step += 1) {
      const last = made[clock.step - 1], grad = clock.step === this.recorded.missing ? null : this.slope(last.param, clock.step, order);
      made.push(this.stepped(optimizer, last, grad, clock.step));
    }
    return made;
  }

  /** What was recorded of PyTorch. @returns {Moment[]} */
  replayed() {
    const { missing, arrays } = this.recorded, all = this.array("param"), begun = this.pytorch.begin(this.two(all, 0));
    const states = Object.keys(arrays).filter((name) => name.startsWith("state/")).map((name) => /** @type {const} */ ([name.slice(6), this.array(name)]));
    return Array.from({ length: this.wanted.steps + 1 }, (_, step) => {
      const count = this.updates(step), kept = states.filter(([key]) => key in begun && step).map(([key, held]) => [key, this.held(key, held, step)]);
      const counts = Object.keys(begun).filter((key) => this.data.state[key].kind === "count").map((key) => [key, tensor(count, "float32")]);
      const grad = step && step !== missing ? this.two(this.gradients, step - 1) : null;
      return { param: this.two(all, step), state: { ...begun, ...Object.fromEntries([...kept, ...counts]) }, grad, lines: {} };
    });
  }

  /** An entry of the state as it was after a step; null where there was none yet. @param {string} key @param {any} all @param {number} step */
  held(key, all, step) {
    const { kind, axis } = this.data.state[key];
    if (Number.isNaN(all[2 * step])) return null;
    return kind === "number" ? tensor(all[2 * step], "float32") : this.two(all, step, typeof axis === "number" ? this.recorded.shape.with(axis, 1) : undefined);
  }

  /** What the step after a moment of PyTorch's may be off, line by line. @param {number} step @param {any} B @returns {Record<string, number[]>} */
  allowed(step, B) {
    const { param, state } = this.theirs[step - 1];
    this.pytorch.hyperparameters = this.given(step);
    const s = errorless(this.pytorch.environment(param, this.theirs[step].grad, state, step > 1 ? this.given(step - 1) : undefined));
    return Object.fromEntries(Object.entries(worked(this.formulas.paper, s, B)).map(([name, made]) => {
      const errors = (made instanceof Tensor ? made.data : [made]).map((/** @type {any} */ one) => (one instanceof Bounded ? 2 * one.error : 0)); // two honest evaluations, an error from the truth each
      return [name, EACH.map((place) => errors[place % errors.length])];
    }));
  }

  /** PyTorch's lines of a step of its own run, and what it kept. @param {number} step @returns {Record<string, any>} */
  inside(step) {
    const moment = this.theirs[step];
    if (!step || moment.grad === null) return {};
    const kept = this.kept(moment).filter(([, held]) => held).map(([line, held]) => [line, this.data.sparse ? entered(held, moment.grad) : held]);
    return { ...this.stepped(this.pytorch, this.theirs[step - 1], moment.grad, step).lines, ...Object.fromEntries(kept), param: moment.param };
  }

  /** What of a state stands for a line. @param {Moment} moment @returns {[string, any][]} */
  kept({ state }) { return Object.entries(this.data.state).filter(([, { kind }]) => kind !== "count").map(([key, { line }]) => [line, state[key]]); }

  /** Where a formula of some choices goes. @param {Record<string, string>} choices */
  followed(choices) { return this.way(this.stepping(composed(this.formulas, choices, [], { step: 0 })), "paper"); }

  /** How a formula of some choices compares with PyTorch's side. @param {Record<string, string>} choices @param {import("./compose.js").Flip[]} [flips] @returns {Outcome} */
  of(choices, flips = []) {
    const clock = { step: 0 }, optimizer = this.stepping(composed(this.formulas, choices, flips, clock));
    /** @type {Outcome} */
    const found = { verdict: "identical", ours: this.way(optimizer, "paper", clock), drift: [], defect: [0], used: 0, beyond: null, first: null, slope: null };
    found.drift = found.ours.map(({ param }, step) => distance(param, this.theirs[step].param));
    for (clock.step = 1; clock.step <= this.wanted.steps; clock.step += 1) {
      const { step } = clock, last = this.theirs[step - 1], { grad, param } = this.theirs[step];
      if (grad !== null && found.slope === null && different(this.slope(last.param, step, "paper"), grad)) found.slope = step;
      const made = this.stepped(optimizer, last, grad, step);
      found.defect.push(grad === null ? 0 : distance(made.param, param));
      if (grad !== null) this.judge(found, optimizer.formula.result.map(([name]) => name), made, step);
    }
    if (found.beyond) found.verdict = "different";
    else if (found.first || found.slope !== null || found.drift.some((one) => one > 0 || Number.isNaN(one))) found.verdict = "rounding";
    return found;
  }

  /** Hold one step against PyTorch's. @param {Outcome} found @param {string[]} names of the lines, in order @param {Moment} made @param {number} step */
  judge(found, names, made, step) {
    const theirs = this.theirs[step], allowing = this.allowing[step], others = Object.fromEntries(this.kept(theirs));
    const apart = [["param", made.param, theirs.param], ...this.kept(made).map(([line, one]) => [line, one, others[line]])].filter(([, one, other]) => one && other && different(one, other));
    if (!apart.length) return;
    const shares = apart.flatMap(([line, one, other]) => EACH.map((place) => shareOf(gap(at(one, place), at(other, place)), allowing[line]?.[place])));
    found.used = Math.max(found.used, ...shares);
    const beyond = found.used > 1 && !found.beyond && Math.max(...shares) > 1;
    if (found.first && !beyond) return;
    const inside = this.inside(step), parting = (/** @type {(line: string) => number[] | undefined} */ room) => (
      names.map((line) => this.parted(line, made.lines[line], inside[line], room(line), step)).find(Boolean) ?? this.parted(apart[0][0], apart[0][1], apart[0][2], [-1, -1], step)
    );
    found.first ??= parting(() => [0, 0]);
    if (beyond) found.beyond = parting((line) => allowing[line]);
  }

  /** The first number of a line that is further apart than there is room. @param {string} line @param {any} one @param {any} other
   * @param {number[] | undefined} room @param {number} step @returns {Parting | null} */
  parted(line, one, other, room, step) {
    if (!one?.data || !other?.data || !room) return null;
    const place = EACH.find((k) => gap(at(one, k), at(other, k)) > Math.max(room[k], 0)) ?? (room[0] < 0 ? 0 : -1);
    if (place < 0) return null;
    const [ours, theirs] = [at(one, place), at(other, place)], allowed = this.allowing[step][line]?.[place] ?? 0;
    return { step, line, place, ours, theirs, ulp: ulps(ours, theirs, this.recorded.format), times: allowed ? gap(ours, theirs) / allowed : Infinity };
  }

  /** How high the function lies that is gone down. */
  get height() { return this.problem ? (/** @type {number} */ x, /** @type {number} */ y) => evaluated(this.problem.paper, x, y).value : null; }
}

/** The same without an error, plain numbers as such. @param {any} value @returns {any} */
function errorless(value) {
  if (value instanceof Tensor) return new Tensor([...value.data].map((number) => new Bounded(number)), value.shape);
  if (Array.isArray(value)) return value.map(errorless);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, errorless(part)]));
  return typeof value === "number" && value ? new Bounded(value, 0, true) : value;
}

/** @param {number} size @param {number} [room] */
const shareOf = (size, room = Infinity) => size && size / room;

/** How far two numbers are apart; equal infinities and two NaNs are not, one alone is infinitely far. @param {number} x @param {number} y */
function gap(x, y) {
  if (Object.is(x, y) || x === y) return 0;
  const size = Math.abs(x - y);
  return Number.isNaN(size) ? Infinity : size;
}

/** @param {any} one @param {any} other */
const distance = (one, other) => Math.max(...EACH.map((place) => gap(at(one, place), at(other, place))));

/** Whether any bit of two tensors differs, the sign of a zero among them. @param {any} one @param {any} other */
const different = (one, other) => one.data.some((/** @type {number} */ x, /** @type {number} */ place) => !Object.is(x, at(other, place)));
