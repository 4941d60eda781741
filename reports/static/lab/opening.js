// What the first page leads with: the right formula beside PyTorch's, a handle that puts one mistake into it, and the distance.

import {begun, written} from "./address.js";
import {draw} from "./drawing.js";
import {parting} from "./panel.js";
import {Trial} from "./trial.js";
import {part, say, share, short} from "./words.js";

export class Opening {
  /** @param {HTMLElement} root with the name of a mistake @param {import("./trial.js").Data} data of one setting
   * @param {import("./compose.js").Formulas} formulas @param {Record<string, string>} words */
  constructor(root, data, formulas, words) {
    this.root = root;
    this.words = words;
    this.trial = new Trial(formulas, data, data.settings[0], begun(0, data.settings));
    const cause = root.dataset.cause ?? "", mistake = Object.fromEntries(data.causes[cause].rows.map((key) => [key, cause]));
    const ways = [{}, mistake];
    this.tried = ways.map((choices) => this.trial.of(choices));
    this.there = ways.map((choices) => written({ ...begun(0, data.settings), choices }, data.settings));
    this.handle = /** @type {HTMLElement} */ (root.querySelector("[role=switch]"));
    this.handle.addEventListener("click", () => this.show(this.handle.getAttribute("aria-checked") !== "true"));
    this.show(false);
  }

  /** @param {boolean} wrong */
  show(wrong) {
    const { root, words, trial, tried } = this, found = tried[Number(wrong)], steps = found.drift.length - 1, { beyond, verdict } = found;
    const values = { steps, end: short(found.drift[steps]), most: short(Math.max(...found.drift)), used: share(found.used), times: short(beyond?.times ?? 0), step: beyond?.step ?? 0 };
    const sentence = say(words, beyond ? "opening.different" : "opening.rounding", values), told = part(root, "verdict");
    this.handle.setAttribute("aria-checked", String(wrong));
    draw(root, words, trial, found, { first: parting(found, words), now: null, label: sentence, beside: tried[Number(!wrong)].drift });
    part(root, "go").hash = this.there[Number(wrong)];
    told.dataset.verdict = verdict;
    told.querySelector(".word").textContent = say(words, `is.${verdict}`);
    told.querySelector(".sentence").textContent = sentence;
  }
}
