// A laboratory on a page: what a reader sets, what it comes to, and where it is shown.

import {begun, changed, longest, read, written} from "./address.js";
import {flipped, parts, ulps} from "./bits.js";
import {readable} from "./compose.js";
import {draw} from "./drawing.js";
import {Refused, typedLine} from "./expression.js";
import {FormulaError} from "./numbers.js";
import {at, Trial} from "./trial.js";
import {digits, html, part, say, share, short, tell} from "./words.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {import("./compose.js").Formulas} Formulas */
/** @typedef {import("./trial.js").Data} Data */

const OWN = "=";

export class Panel {
  /** @param {HTMLElement} root @param {Data} data @param {Formulas} formulas @param {Record<string, string>} words
   * @param {boolean} addressed whether the address says what is set */
  constructor(root, data, formulas, words, addressed = true) {
    this.root = root;
    this.data = data;
    this.formulas = formulas;
    this.words = words;
    this.addressed = addressed;
    /** @type {State} */
    this.state = begun(0, data.settings);
    /** What stands under rows: what is wrong with it, and what is to be known of it. @type {Record<string, {fault?: string, note?: string}>} */
    this.under = {};
    /** Whose bits are open. @type {{line: string, place: number} | null} */
    this.opened = null;
    /** A mistake that is hidden from the reader. @type {Record<string, string>} */
    this.hidden = {};
    /** @type {Trial} */
    this.trial = this.prepared();
    this.found = /** @type {import("./trial.js").Outcome | null} */ (null);
    this.touched = false; // by the reader: only then is the address written
    this.failed = this.own = "";
    /** @type {(x: number) => number} */
    this.stepAt = () => 0;
    root.addEventListener("change", (event) => this.set(/** @type {any} */ (event.target)));
    root.addEventListener("input", (event) => this.typed(/** @type {any} */ (event.target)));
    root.addEventListener("click", (event) => {
      const button = /** @type {HTMLElement} */ (event.target).closest("button");
      if (button) this.pressed(button.dataset);
    });
    root.addEventListener("submit", (event) => event.preventDefault());
    this.part("drift").addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const box = this.part("drift").getBoundingClientRect();
      this.turn(this.stepAt((event.clientX - box.left) / box.width));
    });
    if (addressed) window.addEventListener("hashchange", () => { if (location.hash !== this.own) this.load(location.hash); });
  }

  /** @param {string} name @returns {any} */
  part(name) { return part(this.root, name); }

  /** @param {string} key @returns {any} */
  row(key) { return this.root.querySelector(`[data-row="${CSS.escape(key)}"]`); }

  get recorded() { return this.data.settings[this.state.setting]; }

  // What a reader does

  /** @param {any} target a control that says something else now */
  set(target) {
    const { name, value } = target, { state } = this;
    if (name === "case" || name === "dtype") this.choose();
    else if (name === "steps") this.update({ steps: Math.min(Math.max(Math.round(Number(value)) || 1, 1), longest(this.recorded)) });
    else if (target.dataset.choice !== undefined) this.choice(target.closest("[data-row]").dataset.row, value);
    else if (name?.startsWith("set:")) {
      const [key, place] = name.slice(4).split("@"), given = target.type === "checkbox" ? target.checked : Number(value), pair = state.hyperparameters[key];
      if (given !== true && given !== false && (value.trim() === "" || !Number.isFinite(given))) return this.show();
      this.update({ hyperparameters: { ...state.hyperparameters, [key]: place === undefined ? given : pair.with(Number(place), given) } });
    }
  }

  /** @param {any} target in which something is typed or moved */
  typed(target) {
    if (target.dataset.part === "now") this.turn(Number(target.value));
    if (target.dataset.own !== undefined) this.update({ choices: { ...this.state.choices, [target.closest("[data-row]").dataset.row]: OWN + target.value } });
  }

  /** Another recorded setting; what is chosen of lines stays. */
  choose() {
    const format = /** @type {any} */ (this.root.querySelector('[name="dtype"]:checked'))?.value;
    const place = this.data.settings.findIndex((one) => one.name === this.part("case").value && one.format === format);
    if (place >= 0) this.update({ ...begun(place, this.data.settings), choices: this.state.choices });
  }

  /** The rows of a mistake as choices. @param {string} cause @returns {Record<string, string>} */
  rowsOf(cause) { return Object.fromEntries(this.data.causes[cause].rows.map((key) => [key, cause])); }

  /** A row is to be another: all rows of a known mistake go together. @param {string} key @param {string} value */
  choice(key, value) {
    const { causes } = this.data, before = this.state.choices[key];
    const others = Object.entries(this.state.choices).filter(([other, one]) => !(causes[before]?.rows ?? [key]).includes(other) || one !== before);
    const made = value === OWN ? { [key]: OWN + (this.row(key).dataset.code ?? "") } : causes[value] ? this.rowsOf(value) : value ? { [key]: value } : {};
    this.update({ choices: { ...Object.fromEntries(others), ...made } });
    if (value === OWN) this.row(key).querySelector("input").focus();
  }

  /** @param {DOMStringMap} its what a button says of itself */
  pressed({ go, bits, bit }) {
    const { settings } = this.data;
    if (bits) {
      const [line, place] = bits.split(" "), again = this.opened?.line === line && this.opened.place === Number(place);
      this.opened = again ? null : { line, place: Number(place) };
      this.show();
    } else if (bit !== undefined) this.flip(Number(bit));
    else if (go === "reset") this.update(begun(0, settings));
    else if (go === "right") this.update({ choices: {}, flips: [] });
    else if (go === "pytorch") {
      const rows = [...this.root.querySelectorAll('[data-row] option[value="pytorch"]')].map((one) => /** @type {any} */ (one.closest("[data-row]")).dataset.row);
      this.update({ choices: Object.fromEntries(rows.map((key) => [key, "pytorch"])) });
    } else if (go === "parts") this.turn(this.parting()?.step ?? 0);
    else if (go === "previous" || go === "next") this.turn(this.state.now + (go === "next" ? 1 : -1));
    else if (go === "link" || go === "command") {
      const text = go === "link" ? location.href.replace(/#.*|$/, written(this.state, settings)) : this.command();
      navigator.clipboard?.writeText(text).catch(() => {});
      this.part("copied").textContent = text;
    }
  }

  /** @param {number} bit */
  flip(bit) {
    if (!this.opened) return;
    const flip = { step: this.state.now, ...this.opened, bit }, same = (/** @type {any} */ one) => Object.entries(flip).every(([name, value]) => one[name] === value);
    const others = this.state.flips.filter((one) => !same(one));
    this.update({ flips: others.length < this.state.flips.length ? others : [...others, flip] });
    /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-bit="${bit}"]`))?.focus();
  }

  /** The call that does at home what is set here. */
  command() {
    const { recorded, state, data } = this;
    if (Object.values(state.choices).some((choice) => choice && choice !== "pytorch")) return `lockstep check my_file.py:MyClass --like ${data.subject}`;
    const others = new Set(changed(state, recorded.hyperparameters).map(([key]) => key));
    const whole = recorded.path !== null; // a penalty is run by itself, without what goes down it
    const sets = Object.entries(state.hyperparameters).filter(([key]) => recorded.own.includes(key) || (whole && others.has(key))).map(([key, value]) => ` --set ${quoted(`${key}=${python(value)}`)}`);
    return `lockstep run ${data.subject}${whole ? ` --problem ${quoted(recorded.problem)}` : ""}${sets.join("")} --dtype ${recorded.format} --steps ${state.steps}`;
  }

  /** @param {number} step */
  turn(step) {
    this.state.now = Math.min(Math.max(step, 0), this.state.steps);
    this.touched = true;
    this.show();
  }

  /** @param {Partial<State>} changes */
  update(changes) {
    this.touched = true;
    const atEnd = this.state.now === this.state.steps;
    Object.assign(this.state, changes);
    this.state.now = atEnd && changes.now === undefined ? this.state.steps : Math.min(this.state.now, this.state.steps);
    this.run();
  }

  /** Take over what an address says; where it says nothing that makes sense, as it was. @param {string} hash */
  load(hash) {
    const fits = (/** @type {string} */ key, /** @type {string} */ choice) => choice.startsWith(OWN) || choice === "pytorch" || Boolean(this.formulas.causes[choice]?.[key]);
    const said = read(hash, this.data.settings, this.data.rows, fits);
    this.state = said ?? this.state;
    this.run();
    if (said) this.root.scrollIntoView({ behavior: "instant" });
  }

  // What comes of it

  /** PyTorch's side and what rounding allows; made anew where the setting is another one. @returns {Trial} */
  prepared() {
    const { steps, hyperparameters } = this.state, made = JSON.stringify([this.recorded.name, this.recorded.format, { steps, hyperparameters }]);
    return this.trial?.key === made ? this.trial : new Trial(this.formulas, this.data, this.recorded, { steps, hyperparameters });
  }

  /** Work out and show. */
  run() {
    this.failed = "";
    this.under = Object.fromEntries(Object.entries(this.state.choices).filter(([, choice]) => choice.startsWith(OWN)).map(([key, choice]) => [key, this.held(key, choice.slice(1))]));
    try {
      /** @type {Trial} */
    this.trial = this.prepared();
      if (!this.stopped) this.found = this.trial.of({ ...this.state.choices, ...this.hidden }, this.state.flips);
    } catch (error) {
      this.failed = say(this.words, error instanceof FormulaError ? `stopped.${error.key}` : "stopped.other");
    }
    this.show();
  }

  /** What is typed, held against the language. @param {string} key @param {string} text @returns {{fault?: string, note?: string}} */
  held(key, text) {
    try {
      const { inexact } = typedLine(text, readable(this.formulas.paper, key));
      return inexact.length ? { note: say(this.words, "inexact", { names: inexact.join(", ") }) } : {};
    } catch (error) {
      if (error instanceof Refused) return { fault: say(this.words, `refused.${error.key}`, error.values) };
      throw error;
    }
  }

  /** Whether some line is none. */
  get stopped() { return Object.values(this.under).some(({ fault }) => fault); }

  /** The verdict in a word and in a sentence. @returns {{word: string, sentence: string}} */
  sentence() {
    const { found, words, state, failed } = this;
    const said = (/** @type {string} */ word, /** @type {string} */ key, values = {}) => ({ word: say(words, `is.${word}`), sentence: say(words, key, values) });
    if (this.stopped || failed || !found) return said("stopped", this.stopped ? "stopped.row" : failed);
    const { verdict, first, beyond, slope, drift, used } = found, where = verdict === "different" ? beyond : first;
    const inSlope = verdict === "rounding" && slope !== null && (!first || slope <= first.step);
    const values = { steps: state.steps, end: short(drift[state.steps]), used: share(used), step: inSlope ? slope : where?.step ?? 0, line: where?.line ?? "", ulp: short(where?.ulp ?? 0), times: short(where?.times ?? 0) };
    return said(verdict, { identical: "identical.all", different: "different.at", rounding: inSlope ? "rounding.slope" : first ? "rounding.at" : "rounding.drift" }[verdict], values);
  }

  /** Where the sides part: beyond rounding, or at all. @returns {{step: number, line: string} | null} */
  parting() { return this.found && parting(this.found, this.words); }

  // What is shown

  /** Write the state into the page. */
  show() {
    if (this.addressed && this.touched) {
      this.own = written(this.state, this.data.settings);
      if (location.hash !== this.own) history.replaceState(null, "", this.own);
    }
    const { found, state, words, trial } = this, { word, sentence } = this.sentence(), place = this.part("verdict"), inside = trial.inside(state.now);
    this.controls();
    for (const key of this.data.rows) if (this.row(key)) this.line(key, this.row(key), inside);
    place.dataset.verdict = this.failed || this.stopped || !found ? "stopped" : found.verdict;
    tell(place.querySelector(".word"), word);
    tell(place.querySelector(".sentence"), sentence);
    tell(this.part("source"), say(words, trial.known ? "recorded" : "standin"));
    this.part("nothing").disabled = !this.parting();
    if (found && !this.stopped && !this.failed) this.stepAt = draw(this.root, words, trial, found, { defect: found.defect, first: this.parting(), now: state.now, label: sentence });
    if (this.part("bits")) this.bits(this.part("bits"));
  }

  controls() {
    const { state, recorded } = this;
    const fields = /** @type {any[]} */ ([...this.root.querySelectorAll("[name]")]);
    for (const field of fields) {
      const [name, place] = field.name.replace("set:", "").split("@"), given = state.hyperparameters[name];
      if (field.type === "radio") field.checked = field.value === recorded.format;
      else if (field.type === "checkbox") field.checked = given;
      else {
        const value = /** @type {Record<string, any>} */ ({ case: recorded.name, steps: state.steps })[field.name] ?? (place === undefined ? given : given[place]);
        if (document.activeElement !== field || (field.value !== value && Number(field.value) !== value)) field.value = String(value);
      }
    }
    if (this.part("steps")) this.part("steps").max = longest(recorded);
    Object.assign(this.part("now"), { max: state.steps, value: state.now });
    tell(this.part("at"), `${state.now} / ${state.steps}`);
    for (const one of this.part("why").children) one.hidden = one.dataset.of !== recorded.name;
  }

  /** A row: which one it is, and its numbers on both sides. @param {string} key @param {any} row @param {Record<string, any>} inside PyTorch's lines */
  line(key, row, inside) {
    const choice = this.state.choices[key] ?? "", own = choice.startsWith(OWN), input = row.querySelector("input"), { fault = "", note = this.elsewhere(choice) } = this.under[key] ?? {};
    const parted = this.found?.beyond ?? this.found?.first, name = key.slice(5);
    row.querySelector("select").value = own ? OWN : choice;
    row.classList.toggle("changed", Boolean(choice));
    row.classList.toggle("first", !this.failed && key === `line:${parted?.line}`);
    input.hidden = !own;
    if (own && input.value !== choice.slice(1)) input.value = choice.slice(1);
    input.setAttribute("aria-invalid", String(Boolean(fault)));
    tell(row.querySelector(".fault"), fault);
    tell(row.querySelector(".note"), note);
    for (const code of row.querySelectorAll("[data-code-of]")) code.hidden = own || code.dataset.codeOf !== choice;
    if (key.startsWith("line:")) row.querySelector(".numbers").replaceChildren(...this.values(name, this.found?.ours[this.state.now]?.lines[name], inside[name]));
  }

  /** Where a known mistake shows, if it is not to be told from rounding here. @param {string} choice */
  elsewhere(choice) {
    const cause = this.data.causes[choice], { name, format } = this.recorded;
    if (!cause || this.found?.verdict === "different" || (cause.shows === name && cause.formats.includes(format))) return "";
    const option = [...this.part("case").options].find(({ value }) => value === cause.shows);
    return option ? say(this.words, "elsewhere", { name: option.text, dtype: cause.formats.includes(format) ? format : cause.formats[0] }) : "";
  }

  /** A line's numbers on both sides, each to be opened. @param {string} name @param {any} ours @param {any} theirs @returns {HTMLElement[]} */
  values(name, ours, theirs) {
    const { format } = this.recorded, { opened, words } = this;
    return (ours?.data ? [0, 1].slice(0, ours.size) : []).map((place) => {
      const x = at(ours, place), y = theirs?.data ? at(theirs, place) : null, value = this.data.sparse && Number.isNaN(x) ? "–" : digits(x, format);
      const open = opened?.line === name && opened.place === place, same = Object.is(x, y);
      return html("span", {}, html("button", { type: "button", "data-bits": `${name} ${place}`, "aria-expanded": String(open), "aria-label": say(words, "open", { line: name, place: place + 1, value }) }, value), " ",
        html("span", { class: y === null ? "where" : same ? "identical" : "open" }, y === null ? "" : same ? "=" : `≠ ${digits(y, format)}  ${short(ulps(x, y, format))} ulp`));
    });
  }

  /** The bits of the number that is open. @param {any} panel */
  bits(panel) {
    const { opened, state, words } = this, { format } = this.recorded, made = opened && this.found?.ours[state.now]?.lines[opened.line];
    panel.hidden = !made?.data;
    if (!opened || panel.hidden) return;
    const row = this.row(`line:${opened.line}`);
    if (panel.parentElement !== row) row.append(panel); // where it was asked for
    const x = at(made, opened.place), { wide, raised, hex, sign, exponent, bits } = parts(x, format), values = { line: opened.line, place: opened.place + 1, step: state.now };
    tell(panel.querySelector("h3"), say(words, "bits.title", values));
    tell(panel.querySelector("output"), `${digits(x, format)}   ${hex}   ${say(words, "bits.parts", { sign: sign ? "−" : "+", exponent: exponent - raised })}`);
    const turned = state.flips.filter((one) => one.step === state.now && one.line === opened.line && one.place === opened.place).map((one) => one.bit);
    const groups = /** @type {const} */ ([["sign", 0, 1], ["exponent", 1, 1 + wide], ["significand", 1 + wide, bits.length]]);
    panel.querySelector(".bits").replaceChildren(...groups.map(([name, from, to]) => html("fieldset", {}, html("legend", {}, say(words, `bits.${name}`)), ...Array.from(bits.slice(from, to), (digit, k) => {
      const bit = from + k, value = digits(flipped(x, format, bit), format), label = say(words, "bits.turn", { name: say(words, `bits.${name}`), k: to - bit - 1, digit, value });
      return html("button", { type: "button", "data-bit": bit, "aria-pressed": String(turned.includes(bit)), "aria-label": label, title: value }, digit);
    }))));
  }
}

/** Where the sides part: beyond rounding, or at all. @param {import("./trial.js").Outcome} found @param {Record<string, string>} words @returns {{step: number, line: string} | null} */
export const parting = ({ beyond, first, slope }, words) => beyond ?? (slope !== null && slope <= (first?.step ?? slope) ? { step: slope, line: say(words, "slope") } : first);

/** A value as Python writes it. @param {any} value @returns {string} */
const python = (value) => (Array.isArray(value) ? `(${value.map(python).join(", ")})` : typeof value === "boolean" ? (value ? "True" : "False") : String(value));

/** A word of a command line. @param {string} text */
const quoted = (text) => (/^[\w.=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
