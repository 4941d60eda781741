// Brings the laboratories of a page to life, its riddles, and what the first page leads with.

import {remember} from "./exact.js";
import {Dropping, Normalising} from "./layers.js";
import {Opening} from "./opening.js";
import {Panel} from "./panel.js";
import {Riddle} from "./riddles.js";

/** @typedef {Record<string, import("./compose.js").Formulas>} BySubject */

/** What a page was handed as JSON. @param {any} holder */
function data(holder) {
  const held = JSON.parse(holder.textContent);
  remember(held.powers ?? []);
  return held;
}

/** @param {BySubject} formulas @param {Record<string, import("./compose.js").Whole>} layers theirs, by what the page calls them */
export function begin(formulas, layers) {
  const words = data(document.getElementById("lab-words"));
  for (const section of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("section[data-lab]:not([data-riddle])"))) {
    const own = formulas[section.dataset.lab ?? ""], held = data(section.querySelector("script"));
    section.hidden = false;
    if (section.dataset.cause !== undefined) new Opening(section, held, own, words);
    else new Panel(section, held, own, words).load(location.hash);
  }
  for (const [name, Shown] of Object.entries({ normalising: Normalising, dropping: Dropping })) {
    const section = /** @type {HTMLElement | null} */ (document.querySelector(`[data-layer="${name}"]`));
    if (!section) continue;
    section.hidden = false;
    new Shown(section, layers[name], words);
  }
  const asked = /** @type {HTMLElement | null} */ (document.querySelector("[data-riddles]"));
  if (asked) riddles(asked, formulas, words);
}

/** The riddles: one is shown, and made when it is. @param {HTMLElement} root @param {BySubject} formulas @param {Record<string, string>} words */
function riddles(root, formulas, words) {
  root.hidden = false;
  const sections = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-riddle]")]), buttons = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-turn]")]);
  const held = Object.fromEntries(sections.map(({ dataset: { lab = "" } }) => [lab, data(document.getElementById(`lab-data-${lab}`))]));
  const made = new Set(), solved = (/** @type {string} */ number) => buttons[Number(number) - 1].classList.add("solved");
  /** @param {string} number */
  function show(number) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.turn === number));
    for (const section of sections) section.hidden = section.dataset.riddle !== number;
    const section = sections[Number(number) - 1], subject = section.dataset.lab ?? "";
    if (!made.has(number)) new Riddle(section, held[subject], formulas[subject], words, solved);
    made.add(number);
  }
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.turn ?? ""));
  show("1");
}
