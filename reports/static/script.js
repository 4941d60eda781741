// What means the same lights up together, and the steps of a walk turn like pages. Without it, all there is to read
// stands on the page: the first step that differs, in full.
"use strict";

// A symbol or a line that is pointed at or focused lights up wherever it occurs; a pressed button keeps its symbol lit.
const marks = ["symbol", "line"];
const pinned = new Set();

/** @param {string} mark @param {string} name */
function same(mark, name) {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-${mark}="${CSS.escape(name)}"]`));
}

/** @param {HTMLElement} element @param {boolean} on */
function light(element, on) {
  for (const mark of marks) {
    const name = element.dataset[mark];
    if (name && (on || !pinned.has(name))) same(mark, name).forEach((one) => one.classList.toggle("lit", on));
  }
}

/** @param {Event} event @param {string} selector @returns {HTMLElement | null} */
function around({target}, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

for (const [on, kinds] of /** @type {const} */ ([[true, ["mouseover", "focusin"]], [false, ["mouseout", "focusout"]]])) {
  for (const kind of kinds) {
    document.addEventListener(kind, (event) => {
      const element = around(event, "[data-symbol], [data-line]");
      if (element) light(element, on);
    });
  }
}

document.addEventListener("click", (event) => {
  const button = around(event, "button[data-symbol]");
  const name = button?.dataset.symbol;
  if (!button || !name) return;
  const on = !pinned.delete(name);
  if (on) pinned.add(name);
  button.setAttribute("aria-pressed", String(on));
  same("symbol", name).forEach((one) => one.classList.toggle("lit", on));
});

// The steps of a walk: one is shown, the others wait.
for (const walk of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".walk"))) {
  const steps = [.../** @type {NodeListOf<HTMLElement>} */ (walk.querySelectorAll(".step"))];
  const stepper = /** @type {HTMLElement} */ (walk.querySelector(".stepper"));
  const slider = /** @type {HTMLInputElement} */ (stepper.querySelector("input"));
  const told = /** @type {HTMLOutputElement} */ (stepper.querySelector("output"));
  const all = [.../** @type {NodeListOf<HTMLButtonElement>} */ (stepper.querySelectorAll("[data-go]"))];
  const buttons = Object.fromEntries(all.map((one) => [one.dataset.go, one]));
  const first = steps.findIndex((step) => step.dataset.step === walk.dataset.first);

  /** @param {number} place */
  function show(place) {
    steps.forEach((step, other) => { step.hidden = other !== place; });
    slider.value = String(place + 1);
    slider.setAttribute("aria-valuetext", steps[place].querySelector("h3")?.textContent ?? "");
    told.textContent = `${steps[place].dataset.step} / ${steps[steps.length - 1].dataset.step}`;
    buttons.previous.disabled = place === 0;
    buttons.next.disabled = place === steps.length - 1;
    buttons.first.disabled = place === first;
  }

  const now = () => Number(slider.value) - 1;
  slider.addEventListener("input", () => show(now()));
  buttons.previous.addEventListener("click", () => show(now() - 1));
  buttons.next.addEventListener("click", () => show(now() + 1));
  buttons.first.addEventListener("click", () => show(first));
  stepper.hidden = steps.length < 2;
  show(first);
}
