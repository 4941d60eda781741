// A laboratory on a page: what a reader sets, what it comes to, and where it is shown.

import {flip, given, longest, MOST_FLIPS, put, recordedFields, written} from "./address.js";
import {flipped, parts, ulps} from "./bits.js";
import {readable} from "./compose.js";
import {draw} from "./drawing.js";
import {Refused, typedLine} from "./expression.js";
import {FormulaError} from "./numbers.js";
import {at, Trial} from "./trial.js";
import {digits, html, part, say, share, short, tell} from "./words.js";

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
    /** Bits that are turned, each as an address says it. @type {Set<string>} */
    this.flips = new Set();
    /** What stands under rows: what is wrong with it, and what is to be known of it. @type {Record<string, {fault?: string, note?: string}>} */
    this.under = {};
    /** Whose bits are open. @type {{line: string, place: number} | null} */
    this.opened = null;
    /** A mistake that is hidden from the reader. @type {Record<string, string>} */
    this.hidden = {};
    /** What stands in each row that is not the paper's. @type {Record<string, string>} */
    this.chosen = {};
    this.to(data.settings[0]);
    this.trial = new Trial(formulas, data, this.recorded, this.wanted);
    this.found = /** @type {import("./trial.js").Outcome | null} */ (null);
    this.failed = "";
    /** @type {(x: number) => number} */
    this.stepAt = () => 0;
    root.addEventListener("change", ({ target }) => this.set(/** @type {any} */ (target)));
    root.addEventListener("input", ({ target }) => this.typed(/** @type {any} */ (target)));
    root.addEventListener("click", ({ target }) => this.pressed(/** @type {any} */ (target).closest("button")?.dataset ?? {}));
    this.part("drift").addEventListener("click", (/** @type {MouseEvent} */ { clientX }) => {
      const { left, width } = this.part("drift").getBoundingClientRect();
      this.turn(this.stepAt((clientX - left) / width));
    });
    if (addressed) window.addEventListener("hashchange", () => this.load(location.hash));
  }

  /** @param {string} name @returns {any} */
  part(name) { return part(this.root, name); }

  /** @param {string} key @returns {any} */
  row(key) { return this.root.querySelector(`[data-row="${CSS.escape(key)}"]`); }

  /** @returns {any[]} */
  get rows() { return [...this.root.querySelectorAll("[data-row]")]; }

  /** @param {string} name @returns {any} */
  field(name) { return [...this.root.querySelectorAll("input")].find((field) => field.name === name); }

  // What the controls say

  get recorded() {
    const { value } = /** @type {any} */ (this.root.querySelector('[name="dtype"]:checked')) ?? {}, { settings } = this.data;
    return settings.find(({ name, format }) => name === this.part("case").value && format === value) ?? settings[0];
  }

  /** @returns {import("./trial.js").Wanted} */
  get wanted() {
    const told = (/** @type {string} */ name, /** @type {any} */ otherwise) => (this.field(name) ? given(this.field(name)) : otherwise);
    const { steps, hyperparameters } = this.recorded, values = Object.entries(hyperparameters).map(([key, value]) => [
      key, Array.isArray(value) ? value.map((own, place) => told(`set:${key}@${place}`, own)) : told(`set:${key}`, value),
    ]);
    return { steps: told("steps", steps), hyperparameters: Object.fromEntries(values) };
  }

  get steps() { return Number(this.part("now").max); }

  get now() { return Number(this.part("now").value); }

  get address() {
    const { recorded, wanted, now, steps } = this, was = recordedFields(recorded);
    const others = recordedFields(wanted).filter(([, value], place) => value !== was[place][1]);
    return written(recorded, now === steps ? others : [...others, ["at", now]], this.chosen, this.flips);
  }

  /** Let the controls say what was recorded of a setting; what is chosen of lines stays. @param {import("./trial.js").Recorded} setting */
  to(setting) {
    const slider = this.part("now"), { steps } = setting;
    this.part("case").value = setting.name;
    for (const radio of this.root.querySelectorAll('[name="dtype"]')) /** @type {any} */ (radio).checked = /** @type {any} */ (radio).value === setting.format;
    this.field("steps").max = longest(setting);
    for (const [name, value] of recordedFields(setting)) if (this.field(name)) put(this.field(name), value);
    Object.assign(slider, { max: steps, value: steps });
    this.flips.clear();
  }

  /** Let rows say that, all others what the paper has, and see what comes of it. @param {Record<string, string>} choices */
  choose(choices) {
    for (const row of this.rows) {
      const choice = choices[row.dataset.row] ?? "", select = row.querySelector("select"), own = choice.startsWith(OWN);
      select.value = own ? OWN : choice;
      if (select.selectedIndex < 0) select.value = "";
      if (own) row.querySelector("input").value = choice.slice(OWN.length);
    }
    this.run();
  }

  // What a reader does

  /** @param {any} target a control that says something else now */
  set({ name, value, dataset }) {
    if (dataset.choice !== undefined) return this.choice(dataset.choice, value);
    if (name === "case" || name === "dtype") this.to(this.recorded);
    if (name) this.run();
  }

  /** @param {any} target in which something is typed or moved */
  typed(target) {
    if (target.dataset.part === "now") this.show();
    if (target.dataset.own !== undefined) this.run();
  }

  /** The rows of a mistake as choices. @param {string} cause @returns {Record<string, string>} */
  rowsOf(cause) { return Object.fromEntries(this.data.causes[cause].rows.map((key) => [key, cause])); }

  /** A row is to be another: all rows of a known mistake go together. @param {string} key @param {string} value */
  choice(key, value) {
    const { causes } = this.data, before = this.chosen[key];
    const others = Object.entries(this.chosen).filter(([other, one]) => !(causes[before]?.rows ?? [key]).includes(other) || one !== before);
    const made = value === OWN ? { [key]: OWN + (this.row(key).dataset.code ?? "") } : causes[value] ? this.rowsOf(value) : { [key]: value };
    this.choose({ ...Object.fromEntries(others), ...made });
    if (value === OWN) this.row(key).querySelector("input").focus();
  }

  /** @param {DOMStringMap} its what a button says of itself */
  pressed({ go, bits, bit }) {
    const { settings } = this.data;
    if (bits) {
      const [line, place] = bits.split(" "), again = this.opened?.line === line && this.opened.place === Number(place);
      this.opened = again ? null : { line, place: Number(place) };
      this.show();
    } else if (bit) this.flip(bit);
    else if (go === "reset" || go === "right") {
      if (go === "reset") this.to(settings[0]);
      this.flips.clear();
      this.choose({});
    } else if (go === "pytorch") this.choose(Object.fromEntries(this.data.rows.map((key) => [key, "pytorch"])));
    else if (go === "parts") this.turn(this.parting()?.step ?? 0);
    else if (go === "previous" || go === "next") this.turn(this.now + (go === "next" ? 1 : -1));
    else if (go === "link" || go === "command") {
      const text = go === "link" ? location.href.replace(/#.*|$/, this.address) : this.command();
      navigator.clipboard?.writeText(text).catch(() => {});
      this.part("copied").textContent = text;
    }
  }

  /** The bit of what is open, as an address says it. @param {string | number} bit */
  flipOf(bit) { return [this.now, this.opened?.line, this.opened?.place, bit].join(" "); }

  /** @param {string} bit */
  flip(bit) {
    const turned = this.flipOf(bit);
    if (!this.flips.delete(turned)) this.flips.add(turned);
    this.run();
    /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-bit="${bit}"]`))?.focus();
  }

  /** The call that does at home what is set here. */
  command() {
    const { recorded, wanted: { steps, hyperparameters }, data: { subject } } = this, { missing, rates } = recorded;
    const plain = missing === null && !Object.keys(rates).length; // `run` steps on every gradient, at one learning rate
    if (!plain || Object.values(this.chosen).some((choice) => choice !== "pytorch")) return `lockstep check my_file.py:MyClass --like ${subject}`;
    const whole = recorded.path !== null; // a penalty is run by itself, without what goes down it
    const told = Object.entries(hyperparameters).filter(([key, value]) => recorded.own.includes(key) || (whole && python(value) !== python(recorded.hyperparameters[key])));
    const sets = told.map(([key, value]) => ` --set ${quoted(`${key}=${python(value)}`)}`);
    return `lockstep run ${subject}${whole ? ` --problem ${quoted(recorded.problem)}` : ""}${sets.join("")} --dtype ${recorded.format} --steps ${steps}`;
  }

  /** @param {number} step */
  turn(step) {
    this.part("now").value = step;
    this.show();
  }

  /** Take over what an address says; where it says nothing that makes sense, as it was. @param {string} hash */
  load(hash) {
    const said = new URLSearchParams(hash.slice(1)), dtype = said.get("dtype");
    const setting = this.data.settings.find(({ name, format }) => name === said.get("case") && format === (dtype ?? format));
    if (!setting) return this.run();
    this.to(setting);
    for (const [name] of recordedFields(setting)) if (said.has(name) && this.field(name)) put(this.field(name), said.get(name));
    this.flips = new Set(said.getAll("flip").filter((text) => flip(text, this.data.rows)).slice(0, MOST_FLIPS));
    this.choose(Object.fromEntries(said));
    if (said.has("at")) this.turn(Number(said.get("at")) || 0);
    this.root.scrollIntoView({ behavior: "instant" });
  }

  // What comes of it

  /** Work out and show. */
  run() {
    const { recorded, wanted } = this, slider = this.part("now"), atEnd = slider.value === slider.max;
    slider.max = wanted.steps;
    if (atEnd) slider.value = slider.max;
    this.failed = "";
    const said = (/** @type {any} */ row) => row.querySelector("select").value.replace(OWN, () => OWN + row.querySelector("input").value);
    this.chosen = Object.fromEntries(this.rows.map((row) => [row.dataset.row, said(row)]).filter(([, choice]) => choice));
    this.under = Object.fromEntries(Object.entries(this.chosen).filter(([, choice]) => choice.startsWith(OWN)).map(([key, choice]) => [key, this.held(key, choice.slice(OWN.length))]));
    try {
      if (!this.trial.is(recorded, wanted)) this.trial = new Trial(this.formulas, this.data, recorded, wanted);
      if (!this.stopped) this.found = this.trial.of({ ...this.chosen, ...this.hidden }, [...this.flips].flatMap((text) => flip(text, this.data.rows) ?? []));
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
    const { found, words, steps, failed } = this;
    const said = (/** @type {string} */ word, /** @type {string} */ key, values = {}) => ({ word: say(words, `is.${word}`), sentence: say(words, key, values) });
    if (this.stopped || failed || !found) return said("stopped", this.stopped ? "stopped.row" : failed);
    const { verdict, first, beyond, slope, drift, used } = found, where = verdict === "different" ? beyond : first;
    const inSlope = verdict === "rounding" && slope !== null && (!first || slope <= first.step);
    const values = { steps, end: short(drift[steps]), used: share(used), step: inSlope ? slope : where?.step ?? 0, line: where?.line ?? "", ulp: short(where?.ulp ?? 0), times: short(where?.times ?? 0) };
    return said(verdict, { identical: "identical.all", different: "different.at", rounding: inSlope ? "rounding.slope" : first ? "rounding.at" : "rounding.drift" }[verdict], values);
  }

  /** Where the sides part: beyond rounding, or at all. @returns {{step: number, line: string} | null} */
  parting() { return this.found && parting(this.found, this.words); }

  // What is shown

  /** Write the state into the page. */
  show() {
    const plain = written(this.data.settings[0], [], {}), there = new URLSearchParams(location.hash.slice(1)).has("case");
    if (this.addressed && (there || this.address !== plain)) history.replaceState(null, "", this.address);
    const { found, now, words, trial } = this, { word, sentence } = this.sentence(), inside = trial.inside(now);
    tell(this.part("at"), `${now} / ${this.steps}`);
    for (const why of this.part("why").children) why.hidden = why.dataset.of !== this.recorded.name;
    for (const key of this.data.rows) if (this.row(key)) this.line(key, this.row(key), inside);
    tellVerdict(this.root, this.failed || this.stopped || !found ? "stopped" : found.verdict, word, sentence);
    tell(this.part("source"), say(words, trial.known ? "recorded" : "standin"));
    this.part("nothing").disabled = !this.parting();
    if (found && !this.stopped && !this.failed) this.stepAt = draw(this.root, words, trial, found, { defect: found.defect, first: this.parting(), now, label: sentence });
    if (this.part("bits")) this.bits(this.part("bits"));
  }

  /** A row: which one it is, and its numbers on both sides. @param {string} key @param {any} row @param {Record<string, any>} inside PyTorch's lines */
  line(key, row, inside) {
    const choice = this.chosen[key] ?? "", own = choice.startsWith(OWN), input = row.querySelector("input"), { fault = "", note = this.elsewhere(choice) } = this.under[key] ?? {};
    const parted = this.found?.beyond ?? this.found?.first, name = key.slice(5);
    row.classList.toggle("changed", Boolean(choice));
    row.classList.toggle("first", !this.failed && key === `line:${parted?.line}`);
    input.hidden = !own;
    input.setAttribute("aria-invalid", String(Boolean(fault)));
    tell(row.querySelector(".fault"), fault);
    tell(row.querySelector(".note"), note);
    for (const code of row.querySelectorAll("[data-code-of]")) code.hidden = own || code.dataset.codeOf !== choice;
    if (key.startsWith("line:")) row.querySelector(".numbers").replaceChildren(...this.values(name, this.found?.ours[this.now]?.lines[name], inside[name]));
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
    const { opened, now, words } = this, { format } = this.recorded, made = opened && this.found?.ours[now]?.lines[opened.line];
    panel.hidden = !made?.data;
    if (!opened || panel.hidden) return;
    const row = this.row(`line:${opened.line}`);
    if (panel.parentElement !== row) row.append(panel); // where it was asked for
    const x = at(made, opened.place), { wide, raised, hex, sign, exponent, bits } = parts(x, format), values = { line: opened.line, place: opened.place + 1, step: now };
    tell(panel.querySelector("h3"), say(words, "bits.title", values));
    tell(panel.querySelector("output"), `${digits(x, format)}   ${hex}   ${say(words, "bits.parts", { sign: sign ? "−" : "+", exponent: exponent - raised })}`);
    const groups = /** @type {const} */ ([["sign", 0, 1], ["exponent", 1, 1 + wide], ["significand", 1 + wide, bits.length]]);
    panel.querySelector(".bits").replaceChildren(...groups.map(([name, from, to]) => html("fieldset", {}, html("legend", {}, say(words, `bits.${name}`)), ...Array.from(bits.slice(from, to), (digit, k) => {
      const bit = from + k, value = digits(flipped(x, format, bit), format), label = say(words, "bits.turn", { name: say(words, `bits.${name}`), k: to - bit - 1, digit, value });
      return html("button", { type: "button", "data-bit": bit, "aria-pressed": String(this.flips.has(this.flipOf(bit))), "aria-label": label, title: value }, digit);
    }))));
  }
}

/** Where the sides part: beyond rounding, or at all. @param {import("./trial.js").Outcome} found @param {Record<string, string>} words @returns {{step: number, line: string} | null} */
export const parting = ({ beyond, first, slope }, words) => beyond ?? (slope !== null && slope <= (first?.step ?? slope) ? { step: slope, line: say(words, "slope") } : first);

/** A verdict: for the eye, and in a word and a sentence. @param {Element} root @param {string} verdict @param {string} word @param {string} sentence */
export function tellVerdict(root, verdict, word, sentence) {
  const place = part(root, "verdict");
  place.dataset.verdict = verdict;
  tell(place.querySelector(".word"), word);
  tell(place.querySelector(".sentence"), sentence);
}

/** A value as Python writes it. @param {any} value @returns {string} */
const python = (value) => (Array.isArray(value) ? `(${value.map(python).join(", ")})` : typeof value === "boolean" ? (value ? "True" : "False") : String(value));

/** A word of a command line. @param {string} text */
const quoted = (text) => (/^[\w.=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
