// A formula with a mistake in it that the reader has to find: by the settings in which it parts, and by where it goes.

import {Panel} from "./panel.js";
import {say, short} from "./words.js";
import {composed} from "./compose.js";
import {outcome, within} from "./trial.js";

export class Riddle extends Panel {
  /** @param {HTMLElement} root with the number of the riddle and the name of the mistake @param {import("./panel.js").Data} data
   * @param {import("./compose.js").Formulas} formulas @param {Record<string, string>} words @param {(number: string) => void} solved */
  constructor(root, data, formulas, words, solved) {
    super(root, data, formulas, words, false);
    this.answer = root.dataset.cause ?? "";
    this.solved = solved;
    this.hinted = false;
    this.done = false;
    /** Of each scenario that was tried: who is told from rounding in it. @type {Map<string, Set<string>>} */
    this.seen = new Map();
    /** @type {Set<string>} */
    this.denied = new Set();
    this.hidden = this.rowsOf(this.answer);
    this.run();
  }

  /** The rows of a mistake as choices. @param {string} cause @returns {Record<string, string>} */
  rowsOf(cause) { return Object.fromEntries(this.data.causes[cause].rows.map((key) => [key, cause])); }

  /** The suspects that agree with all that was seen. */
  suspects() {
    const agrees = (/** @type {string} */ name) => [...this.seen.values()].every((parting) => parting.has(name) === parting.has(this.answer));
    return Object.keys(this.data.causes).filter((name) => !this.denied.has(name) && agrees(name));
  }

  run() {
    super.run();
    const { name } = this.recorded;
    if (this.seen && this.data.scenarios.includes(name) && !this.seen.has(name)) {
      this.seen.set(name, new Set(Object.keys(this.data.causes).filter((cause) => this.tried(this.rowsOf(cause)).verdict === "different")));
    }
    if (this.seen) this.list();
  }

  /** Who is left. */
  list() {
    const left = this.suspects(), select = this.part("suspect"), chosen = select.value;
    for (const option of select.options) option.hidden = option.disabled = option.value !== "" && !left.includes(option.value);
    if (chosen && !left.includes(chosen)) select.value = "";
    this.part("left").textContent = say(this.words, "riddle.left", { left: left.length, all: Object.keys(this.data.causes).length, tried: this.seen.size, scenarios: this.data.scenarios.length });
  }

  /** @param {HTMLElement} target */
  pressed(target) {
    const go = /** @type {HTMLElement | null} */ (target.closest("button"))?.dataset.go;
    if (go === "guess") this.guess(this.part("suspect").value);
    else if (go === "hint") {
      this.hinted = true;
      this.show();
    } else super.pressed(target);
  }

  /** @param {string} name */
  guess(name) {
    if (!name) return;
    const right = name === this.answer || this.alike(name);
    this.part("told").textContent = say(this.words, right ? (name === this.answer ? "riddle.right" : "riddle.twin") : "riddle.wrong", { name });
    if (right) {
      this.done = this.hinted = true;
      this.part("story").hidden = false;
      this.solved(this.root.dataset.riddle ?? "");
      this.show();
    } else {
      this.denied.add(name);
      this.list();
    }
  }

  /** Whether a mistake makes the same bits in every setting there is. @param {string} name */
  alike(name) {
    const own = { ...this.state };
    const same = this.data.settings.every((recorded, place) => {
      Object.assign(this.state, { setting: place, steps: recorded.steps, hyperparameters: recorded.hyperparameters });
      this.prepare();
      const [one, other] = [this.answer, name].map((cause) => this.tried(this.rowsOf(cause)).ours.flatMap((moment) => [...moment.param.data]));
      return one.every((value, k) => Object.is(value, other[k]));
    });
    Object.assign(this.state, own);
    this.prepare();
    return same;
  }

  /** What comes of some rows in the setting that is shown. @param {Record<string, string>} choices */
  tried(choices) {
    const { made, theirs, allowing } = this.prepared, pytorch = { ...this.formulas.pytorch, state: this.data.state };
    const inside = (/** @type {any} */ last, /** @type {any} */ grad, /** @type {number} */ step) => within(pytorch, made, last, grad, step);
    return outcome(composed(this.formulas, this.data.state, choices), made, theirs, allowing, inside);
  }

  /** Which line it is stays hidden until somebody asks. */
  sentence() {
    const { found, words, state } = this;
    if (this.hinted || !found || this.failed) return super.sentence();
    const values = { steps: state.steps, end: short(found.drift[state.steps]) };
    return { word: say(words, `is.${found.verdict}`), sentence: say(words, `riddle.${found.verdict === "different" ? "different" : "rounding"}`, values) };
  }

  parting() { return this.hinted ? super.parting() : null; }
}
