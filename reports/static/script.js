// What means the same lights up together, and the steps of a walk turn like pages. Without it, all there is to read
// stands on the page: the first step that differs, in full.
"use strict";

// A symbol or a line that is pointed at or focused lights up wherever it occurs; a pressed button keeps its symbol lit.
const marks = ["symbol", "line"];
const pinned = new Set();

function same(mark, name) {
  return document.querySelectorAll(`[data-${mark}="${CSS.escape(name)}"]`);
}

function light(element, on) {
  for (const mark of marks) {
    const name = element.dataset[mark];
    if (name && (on || !pinned.has(name))) same(mark, name).forEach((one) => one.classList.toggle("lit", on));
  }
}

function marked(event) {
  return event.target.closest?.("[data-symbol], [data-line]");
}

for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(kind, (event) => {
    const element = marked(event);
    if (element) light(element, on);
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-symbol]");
  if (!button) return;
  const name = button.dataset.symbol;
  const on = !pinned.delete(name);
  if (on) pinned.add(name);
  button.setAttribute("aria-pressed", String(on));
  same("symbol", name).forEach((one) => one.classList.toggle("lit", on));
});

// The steps of a walk: one is shown, the others wait.
for (const walk of document.querySelectorAll(".walk")) {
  const steps = [...walk.querySelectorAll(".step")];
  const stepper = walk.querySelector(".stepper");
  const slider = stepper.querySelector("input");
  const told = stepper.querySelector("output");
  const buttons = Object.fromEntries([...stepper.querySelectorAll("[data-go]")].map((one) => [one.dataset.go, one]));
  const first = steps.findIndex((step) => step.dataset.step === walk.dataset.first);

  function show(place) {
    steps.forEach((step, other) => { step.hidden = other !== place; });
    slider.value = String(place + 1);
    slider.setAttribute("aria-valuetext", steps[place].querySelector("h3").textContent);
    told.textContent = `${steps[place].dataset.step} / ${steps.at(-1).dataset.step}`;
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
