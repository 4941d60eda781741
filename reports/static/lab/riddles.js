// A formula with a mistake in it that the reader has to find: by the settings in which it parts, and by where it goes.

import {Panel} from "./panel.js";
import {Trial} from "./trial.js";
import {say, short, tell} from "./words.js";

/** Of each scenario of a subject that some riddle was tried on: who is told from rounding in it. @type {WeakMap<object, Map<string, Set<string>>>} */
const known = new WeakMap();

export class Riddle extends Panel {
  /** @param {HTMLElement} root with the number of the riddle and the name of the mistake @param {import("./trial.js").Data} data
   * @param {import("./compose.js").Formulas} formulas @param {Record<string, string>} words @param {() => void} solved */
  constructor(root, data, formulas, words, solved) {
    super(root, data, formulas, words, false);
    this.answer = root.dataset.cause ?? "";
    this.solved = solved;
    this.hinted = false;
    /** What is known of the scenarios that were tried on this one. @type {Map<string, any>} */
    this.seen = new Map();
    /** @type {Set<string>} */
    this.denied = new Set();
    this.hidden = this.rowsOf(this.answer);
    this.run();
  }

  run() {
    super.run();
    const { name } = this.recorded, causes = Object.keys(this.data.causes);
    const told = known.get(this.data) ?? new Map();
    known.set(this.data, told);
    if (this.data.scenarios.includes(name) && !told.has(name)) told.set(name, new Set(causes.filter((cause) => this.trial.of(this.rowsOf(cause)).verdict === "different")));
    if (told.has(name)) this.seen.set(name, told.get(name));
    this.list();
  }

  /** Who is left: the suspects that agree with all that was seen. */
  list() {
    const agrees = (/** @type {string} */ name) => [...this.seen.values()].every((told) => told.has(name) === told.has(this.answer));
    const all = Object.keys(this.data.causes), left = all.filter((name) => !this.denied.has(name) && agrees(name)), select = this.part("suspect"), chosen = select.value;
    for (const option of select.options) option.hidden = option.disabled = option.value !== "" && !left.includes(option.value);
    if (chosen && !left.includes(chosen)) select.value = "";
    tell(this.part("left"), say(this.words, "riddle.left", { left: left.length, all: all.length, tried: this.seen.size, scenarios: this.data.scenarios.length }));
  }

  /** @param {DOMStringMap} its */
  pressed(its) {
    if (its.go === "guess") this.guess(this.part("suspect").value);
    else if (its.go === "hint") {
      this.hinted = true;
      this.show();
    } else super.pressed(its);
  }

  /** @param {string} name */
  guess(name) {
    if (!name) return;
    const right = name === this.answer || this.alike(name);
    tell(this.part("told"), say(this.words, `riddle.${name === this.answer ? "right" : right ? "twin" : "wrong"}`, { name: this.part("suspect").selectedOptions[0].text }));
    if (right) {
      this.hinted = true;
      this.part("story").hidden = false;
      this.solved();
      this.show();
    } else {
      this.denied.add(name);
      this.list();
    }
  }

  /** Whether a mistake makes the same bits in every setting there is. @param {string} name */
  alike(name) {
    return this.data.settings.every((recorded) => {
      const trial = new Trial(this.formulas, this.data, recorded, recorded);
      const [one, other] = [this.answer, name].map((cause) => trial.followed(this.rowsOf(cause)).flatMap(({ param }) => [...param.data]));
      return one.every((value, k) => Object.is(value, other[k]));
    });
  }

  /** Which line it is stays hidden until somebody asks. */
  sentence() {
    const { found, words, steps } = this, said = super.sentence();
    if (this.hinted || !found || this.failed) return said;
    return { ...said, sentence: say(words, `riddle.${found.verdict === "different" ? "different" : "rounding"}`, { steps, end: short(found.drift[steps]) }) };
  }

  parting() { return this.hinted ? super.parting() : null; }
}
