// What the first page leads with: the right formula beside PyTorch's, a handle that puts one mistake into it, and the distance.

import {written} from "./address.js";
import {draw} from "./drawing.js";
import {parting, tellVerdict} from "./panel.js";
import {Trial} from "./trial.js";
import {part, say, share, short} from "./words.js";

/** @param {HTMLElement} root with the name of a mistake @param {import("./trial.js").Data} data of one setting
 * @param {import("./compose.js").Formulas} formulas @param {Record<string, string>} words */
export function opening(root, data, formulas, words) {
  const { cause = "" } = root.dataset, [setting] = data.settings, trial = new Trial(formulas, data, setting, setting);
  const ways = [{}, Object.fromEntries(data.causes[cause].rows.map((key) => [key, cause]))], tried = ways.map((choices) => trial.of(choices));
  const handle = /** @type {HTMLElement} */ (root.querySelector("[role=switch]"));

  /** @param {boolean} wrong */
  function show(wrong) {
    const outcome = tried[Number(wrong)], steps = outcome.drift.length - 1, { beyond, verdict } = outcome;
    const values = { steps, end: short(outcome.drift[steps]), most: short(Math.max(...outcome.drift)), used: share(outcome.used), times: short(beyond?.times ?? 0), step: beyond?.step ?? 0 };
    const sentence = say(words, beyond ? "opening.different" : "opening.rounding", values);
    handle.setAttribute("aria-checked", String(wrong));
    draw(root, words, trial, outcome, { first: parting(outcome, words), now: null, label: sentence, beside: tried[Number(!wrong)].drift });
    part(root, "go").hash = written(setting, [], ways[Number(wrong)]);
    tellVerdict(root, verdict, say(words, `is.${verdict}`), sentence);
  }

  handle.addEventListener("click", () => show(handle.getAttribute("aria-checked") !== "true"));
  show(false);
}
