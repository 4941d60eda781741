// Brings the laboratories of a page to life, its riddles, and what the first page leads with.

import {remember} from "./exact.js";
import {dropping, normalising} from "./layers.js";
import {opening} from "./opening.js";
import {Panel} from "./panel.js";
import {Riddle} from "./riddles.js";

/** @typedef {Record<string, import("./compose.js").Formulas>} BySubject */

/** @type {Record<string, typeof dropping>} */
const LAYERS = {normalising, dropping};

/** What a page was handed as JSON. @param {any} holder */
function data(holder) {
  const held = JSON.parse(holder.textContent);
  remember(held.powers ?? []);
  return held;
}

/** @param {BySubject} formulas @param {Record<string, import("./compose.js").Whole>} layers theirs, by what the page calls them */
export function begin(formulas, layers) {
  const words = data(document.getElementById("lab-words"));
  const sections = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("section[data-lab]:not([data-riddle]), [data-layer], [data-riddles]")]);
  document.addEventListener("submit", (event) => event.preventDefault());
  for (const section of sections) {
    const { lab = "", layer = "", cause } = section.dataset, holder = section.querySelector("script");
    section.hidden = false;
    if (layer) LAYERS[layer](section, layers[layer], words);
    else if (!lab) riddles(section, formulas, words);
    else if (cause !== undefined) opening(section, data(holder), formulas[lab], words);
    else new Panel(section, data(holder), formulas[lab], words).load(location.hash);
  }
}

/** The riddles: one is shown, and made when it is. @param {HTMLElement} root @param {BySubject} formulas @param {Record<string, string>} words */
function riddles(root, formulas, words) {
  const sections = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-riddle]")]), buttons = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[data-turn]")]);
  const held = Object.fromEntries(sections.map(({ dataset: { lab = "" } }) => [lab, data(document.getElementById(`lab-data-${lab}`))]));
  const made = new Set();
  /** @param {number} turn */
  function show(turn) {
    buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(place === turn)));
    sections.forEach((section, place) => { section.hidden = place !== turn; });
    const { lab = "" } = sections[turn].dataset;
    if (!made.has(turn)) new Riddle(sections[turn], held[lab], formulas[lab], words, () => buttons[turn].classList.add("solved"));
    made.add(turn);
  }
  buttons.forEach((button, turn) => button.addEventListener("click", () => show(turn)));
  show(0);
}
