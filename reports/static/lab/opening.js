// What the first page leads with: the right formula beside PyTorch's, a handle that puts one mistake into it, and the distance.

import {begun} from "./address.js";
import {composed} from "./compose.js";
import {drawDrift, drawPaths} from "./drawing.js";
import {evaluated, setting, theirs} from "./recorded.js";
import {allowances, gap, outcome, within} from "./trial.js";
import {say, share, short} from "./words.js";

export class Opening {
  /** @param {HTMLElement} root with the name of a mistake @param {import("./panel.js").Data} data of one setting
   * @param {import("./compose.js").Formulas} formulas @param {Record<string, string>} words */
  constructor(root, data, formulas, words) {
    this.root = root;
    this.words = words;
    const [recorded] = data.settings, wanted = begun(0, data.settings);
    const made = setting(recorded, wanted, formulas);
    this.theirs = theirs(recorded, wanted, formulas, data.state, made);
    this.allowing = allowances({ ...formulas.paper, state: data.state }, made, this.theirs);
    const pytorch = { ...formulas.pytorch, state: data.state };
    const inside = (/** @type {any} */ last, /** @type {any} */ grad, /** @type {number} */ step) => within(pytorch, made, last, grad, step);
    const mistake = Object.fromEntries(data.causes[root.dataset.cause ?? ""].rows.map((key) => [key, root.dataset.cause ?? ""]));
    this.tried = [{}, mistake].map((choices) => outcome(composed(formulas, data.state, choices), made, this.theirs, this.allowing, inside));
    const problem = formulas.functions[recorded.problem];
    this.height = problem ? (/** @type {number} */ x, /** @type {number} */ y) => evaluated(problem.paper, x, y).value : null;
    this.handle = /** @type {HTMLElement} */ (root.querySelector("[role=switch]"));
    this.handle.addEventListener("click", () => this.show(this.handle.getAttribute("aria-checked") !== "true"));
    this.show(false);
  }

  /** @param {boolean} wrong */
  show(wrong) {
    const { root, words } = this;
    this.handle.setAttribute("aria-checked", String(wrong));
    const found = this.tried[Number(wrong)], last = found.drift.length - 1;
    const point = (/** @type {any} */ moment) => /** @type {[number, number]} */ ([moment.param.data[0], moment.param.data[1]]);
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
    drawPaths(part("path"), { ours: found.ours.map(point), theirs: this.theirs.map(point), height: this.height, now: last, key: "", label: say(words, "path", { steps: last }) });
    const most = Math.max(...found.drift), end = short(found.drift[last]), verdict = part("verdict"), at = found.beyond;
    const room = at ? this.allowing[at.step][at.line]?.[at.place] ?? 0 : 0;
    const sentence = at
      ? say(words, "opening.different", { steps: last, end, times: room ? short(gap(at.ours, at.theirs) / room) : "∞", step: at.step })
      : say(words, "opening.rounding", { steps: last, most: short(most), used: share(found.used) });
    const first = at ?? (found.slope !== null ? { step: found.slope, line: say(words, "slope") } : found.first);
    const allowed = this.allowing.map((one) => Math.max(0, ...(one.param ?? [])));
    drawDrift(part("drift"), { drift: found.drift, defect: [], allowed, first, now: null, label: sentence, beside: this.tried[Number(!wrong)].drift });
    verdict.dataset.verdict = found.verdict;
    const [word, text] = ["word", "sentence"].map((name) => /** @type {HTMLElement} */ (verdict.querySelector(`.${name}`)));
    word.textContent = say(words, `is.${found.verdict}`);
    text.textContent = sentence;
  }
}
