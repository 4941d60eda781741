// Brings the laboratories of a page to life, its riddles, and what the first page leads with.

import {Opening} from "./opening.js";
import {Dropping, Normalising} from "./layers.js";
import {Panel} from "./panel.js";
import {remember} from "./power.js";
import {Riddle} from "./riddles.js";

/** @param {string | undefined} id @param {HTMLElement} within */
function data(id, within) {
  const holder = id ? document.getElementById(id) : within.querySelector("script[type='application/json']");
  const held = JSON.parse(holder?.textContent ?? "null");
  remember(held?.powers ?? []);
  return held;
}

/** @param {Record<string, import("./compose.js").Formulas>} formulas by subject
 * @param {Record<string, import("./compose.js").Whole>} layers theirs, by what the page calls them */
export function begin(formulas, layers) {
  const words = data("lab-words", document.body);
  for (const root of document.querySelectorAll("section[data-lab]")) {
    const section = /** @type {HTMLElement} */ (root), subject = section.dataset.lab ?? "";
    if (section.dataset.riddle || !formulas[subject]) continue;
    section.hidden = false;
    if (section.dataset.cause !== undefined) new Opening(section, data(undefined, section), formulas[subject], words);
    else new Panel(section, data(undefined, section), formulas[subject], words).load(location.hash);
  }
  for (const [name, Shown] of /** @type {[string, typeof Normalising | typeof Dropping][]} */ ([["normalising", Normalising], ["dropping", Dropping]])) {
    const section = /** @type {HTMLElement | null} */ (document.querySelector(`[data-layer="${name}"]`));
    if (!section || !layers[name]) continue;
    section.hidden = false;
    new Shown(section, layers[name], words);
  }
  const asked = document.querySelector("[data-riddles]");
  if (asked) riddles(/** @type {HTMLElement} */ (asked), formulas, words);
}

/** The riddles: one is shown, and made when it is. @param {HTMLElement} root @param {Record<string, import("./compose.js").Formulas>} formulas
 * @param {Record<string, string>} words */
function riddles(root, formulas, words) {
  root.hidden = false;
  const sections = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-riddle]")]);
  const buttons = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-turn]")]);
  const made = new Set();
  const solved = (/** @type {string} */ number) => buttons.find((one) => one.dataset.turn === number)?.classList.add("solved");
  /** @param {string} number */
  function show(number) {
    for (const section of sections) {
      section.hidden = section.dataset.riddle !== number;
      const subject = section.dataset.lab ?? "";
      if (!section.hidden && !made.has(number)) {
        made.add(number);
        new Riddle(section, data(`lab-data-${subject}`, section), formulas[subject], words, solved);
      }
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.turn === number));
  }
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.turn ?? ""));
  show("1");
}
