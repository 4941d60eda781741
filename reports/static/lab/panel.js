// A laboratory on a page: what a reader sets, what it comes to, and where it is shown.

import {begun, longest, read, written} from "./address.js";
import {flipped, parts, ulps} from "./bits.js";
import {composed, readable} from "./compose.js";
import {drawDrift, drawPaths} from "./drawing.js";
import {Refused, typedLine} from "./expression.js";
import {FormulaError} from "./numbers.js";
import {evaluated, known, setting, theirs} from "./recorded.js";
import {allowances, gap, outcome, within} from "./trial.js";
import {digits, say, share, short} from "./words.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {import("./compose.js").Formulas} Formulas */
/** @typedef {{state: Record<string, any>, settings: (import("./recorded.js").Recorded & {own: string[]})[], rows: string[],
 *   causes: Record<string, {rows: string[]}>, scenarios: string[], subject: string}} Data */

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
    /** @type {Record<string, string>} the messages under rows */
    this.refused = {};
    /** @type {{line: string, place: number} | null} whose bits are open */
    this.opened = null;
    /** A mistake that is hidden from the reader. @type {Record<string, string>} */
    this.hidden = {};
    this.prepared = { key: "", made: /** @type {any} */ (null), theirs: /** @type {any[]} */ ([]), allowing: /** @type {any[]} */ ([]) };
    this.found = /** @type {import("./trial.js").Outcome | null} */ (null);
    this.touched = false; // by the reader: only then is the address written
    this.follow();
  }

  /** @param {string} name @returns {any} */
  part(name) { return this.root.querySelector(`[data-part="${name}"]`); }

  /** @param {string} key @returns {HTMLElement | null} */
  row(key) { return this.root.querySelector(`[data-row="${CSS.escape(key)}"]`); }

  get recorded() { return this.data.settings[this.state.setting]; }

  /** Listen to every control. */
  follow() {
    const { root } = this;
    root.addEventListener("change", (event) => this.changed(/** @type {any} */ (event.target)));
    root.addEventListener("input", (event) => {
      const target = /** @type {any} */ (event.target);
      if (target.dataset.part === "now") this.turn(Number(target.value));
      if (target.dataset.own !== undefined) this.type(target.closest("[data-row]").dataset.row, target.value);
    });
    root.addEventListener("click", (event) => this.pressed(/** @type {any} */ (event.target)));
    root.addEventListener("submit", (event) => event.preventDefault());
    for (const picture of root.querySelectorAll('[data-part="drift"]')) {
      picture.addEventListener("click", (/** @type {any} */ event) => {
        const box = picture.getBoundingClientRect();
        this.turn(this.stepAt?.((event.clientX - box.left) / box.width) ?? this.state.now);
      });
    }
    if (this.addressed) window.addEventListener("hashchange", () => { if (location.hash !== this.own) this.load(location.hash); });
  }

  /** @param {any} target */
  changed(target) {
    const { name, value } = target;
    if (name === "case" || name === "dtype") this.choose();
    else if (name === "steps") this.update({ steps: Math.min(Math.max(Math.round(Number(value)) || 1, 1), longest(this.recorded)) });
    else if (name?.startsWith("set:")) this.number(name.slice(4), target);
    else if (target.dataset.choice !== undefined) this.choice(target.closest("[data-row]").dataset.row, value);
  }

  /** Another recorded setting; what is chosen of lines stays. */
  choose() {
    const [name, format] = [this.part("case").value, this.root.querySelector('[name="dtype"]:checked')];
    const place = this.data.settings.findIndex((one) => one.name === name && one.format === /** @type {any} */ (format)?.value);
    if (place >= 0) this.update({ ...begun(place, this.data.settings), choices: this.state.choices });
  }

  /** @param {string} name @param {any} target */
  number(name, target) {
    const old = this.state.hyperparameters[name];
    const [key, place] = name.split("@");
    const value = target.type === "checkbox" ? target.checked : Number(target.value);
    if (typeof value === "number" && (target.value.trim() === "" || !Number.isFinite(value))) return this.show();
    const pair = this.state.hyperparameters[key];
    const made = place === undefined ? value : pair.map((/** @type {number} */ one, /** @type {number} */ k) => (k === Number(place) ? value : one));
    this.update({ hyperparameters: { ...this.state.hyperparameters, [key]: made } });
    return old;
  }

  /** A row is to be another: all rows of a known mistake go together. @param {string} key @param {string} value */
  choice(key, value) {
    const choices = { ...this.state.choices };
    const before = choices[key];
    for (const other of this.data.causes[before]?.rows ?? [key]) if (choices[other] === before) delete choices[other];
    for (const other of this.data.causes[value]?.rows ?? [key]) {
      if (value === OWN) choices[other] = OWN + (this.row(other)?.dataset.code ?? "");
      else if (value) choices[other] = value;
      else delete choices[other];
    }
    this.refused = {};
    this.update({ choices });
    if (value === OWN) this.row(key)?.querySelector("input")?.focus();
  }

  /** What is typed in a row. @param {string} key @param {string} text */
  type(key, text) { this.update({ choices: { ...this.state.choices, [key]: OWN + text } }); }

  /** @param {HTMLElement} target */
  pressed(target) {
    const button = /** @type {HTMLElement | null} */ (target.closest("button"));
    if (!button || !this.root.contains(button)) return;
    const { go, bits, bit } = button.dataset;
    if (bits) {
      const [line, place] = bits.split(" ");
      this.opened = this.opened?.line === line && this.opened.place === Number(place) ? null : { line, place: Number(place) };
      this.show();
    } else if (bit !== undefined) this.flip(Number(bit));
    else if (go === "reset") this.update({ ...begun(0, this.data.settings) });
    else if (go === "right") this.update({ choices: {}, flips: [] });
    else if (go === "pytorch") this.update({ choices: this.everyLine() });
    else if (go === "parts") this.turn(this.parting()?.step ?? 0);
    else if (go === "link") this.copy(button, location.href.replace(/#.*|$/, written(this.state, this.data.settings)));
    else if (go === "command") this.copy(button, this.command());
    else if (go === "previous" || go === "next") this.turn(this.state.now + (go === "next" ? 1 : -1));
  }

  /** Every line in PyTorch's order. @returns {Record<string, string>} */
  everyLine() {
    const there = new Set(this.formulas.pytorch.lines.map(([name]) => `line:${name}`));
    const given = (/** @type {string} */ key) => this.root.querySelector(`[data-row="${CSS.escape(key)}"] option[value="pytorch"]`);
    return Object.fromEntries(this.data.rows.filter((key) => there.has(key) && given(key)).map((key) => [key, "pytorch"]));
  }

  /** @param {number} bit */
  flip(bit) {
    if (!this.opened) return;
    const flip = { step: this.state.now, ...this.opened, bit };
    const same = (/** @type {any} */ one) => ["step", "line", "place", "bit"].every((name) => one[name] === /** @type {any} */ (flip)[name]);
    const flips = this.state.flips.some(same) ? this.state.flips.filter((one) => !same(one)) : [...this.state.flips, flip];
    this.update({ flips });
    /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-bit="${bit}"]`))?.focus();
  }

  /** @param {HTMLElement} button @param {string} text */
  copy(button, text) {
    navigator.clipboard?.writeText(text).catch(() => {});
    this.part("copied").textContent = text;
    button.dataset.done = "";
  }

  /** The call that does at home what is set here. */
  command() {
    const { recorded, state, data } = this;
    if (Object.values(state.choices).some((choice) => choice && choice !== "pytorch")) return `lockstep check my_file.py:MyClass --like ${data.subject}`;
    const changed = Object.keys(state.hyperparameters).filter((key) => recorded.own.includes(key) || JSON.stringify(state.hyperparameters[key]) !== JSON.stringify(recorded.hyperparameters[key]));
    const sets = changed.map((key) => ` --set ${quoted(`${key}=${python(state.hyperparameters[key])}`)}`).join("");
    return `lockstep run ${data.subject} --problem ${quoted(recorded.problem)}${sets} --dtype ${recorded.format} --steps ${state.steps}`;
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
    if (changes.now === undefined && atEnd) this.state.now = this.state.steps;
    this.state.now = Math.min(this.state.now, this.state.steps);
    this.run();
  }

  /** Take over what an address says; where it says nothing that makes sense, as it was. @param {string} hash */
  load(hash) {
    const fits = (/** @type {string} */ key, /** @type {string} */ choice) => choice.startsWith(OWN) || choice === "pytorch" || Boolean(this.formulas.causes[choice]?.[key]);
    const state = read(hash, this.data.settings, this.data.rows, fits);
    if (state) this.state = state;
    this.run();
  }

  /** Work out and show. */
  run() {
    this.prepare();
    this.refused = {};
    try {
      this.check();
      const choices = { ...this.state.choices, ...this.hidden };
      const formula = composed(this.formulas, this.data.state, choices, this.state.flips, this.prepared.made.clock);
      const pytorch = { ...this.formulas.pytorch, state: this.data.state };
      const inside = (/** @type {any} */ last, /** @type {any} */ grad, /** @type {number} */ step) => within(pytorch, this.prepared.made, last, grad, step);
      this.found = outcome(formula, this.prepared.made, this.prepared.theirs, this.prepared.allowing, inside);
      this.failed = "";
    } catch (error) {
      this.failed = error instanceof Refused ? "" : say(this.words, error instanceof FormulaError ? `stopped.${error.key}` : "stopped.other");
    }
    this.show();
  }

  /** PyTorch's side and what rounding allows, where the setting is another one. */
  prepare() {
    const { state, recorded, formulas, data } = this;
    const key = JSON.stringify([state.setting, state.steps, state.hyperparameters]);
    if (this.prepared.key === key) return;
    const made = setting(recorded, state, formulas);
    const others = theirs(recorded, state, formulas, data.state, made);
    this.prepared = { key, made, theirs: others, allowing: allowances({ ...formulas.paper, state: data.state }, made, others) };
  }

  /** Hold what is typed against the language; the first fault stands under its row. */
  check() {
    for (const [key, choice] of Object.entries(this.state.choices)) {
      if (!choice.startsWith(OWN)) continue;
      try {
        typedLine(choice.slice(1), readable(this.formulas.paper, key));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.refused[key] = say(this.words, `refused.${error.key}`, error.values);
      }
    }
    if (Object.keys(this.refused).length) throw new Refused("row");
  }

  /** Write the state into the page. */
  show() {
    if (this.addressed && this.touched) {
      this.own = written(this.state, this.data.settings);
      if (location.hash !== this.own) history.replaceState(null, "", this.own);
    }
    this.controls();
    this.rows();
    this.verdict();
    this.pictures();
    this.bits();
  }

  controls() {
    const { state, recorded } = this;
    this.set("case", recorded.name);
    for (const one of this.root.querySelectorAll('[name="dtype"]')) /** @type {any} */ (one).checked = /** @type {any} */ (one).value === recorded.format;
    this.set("steps", state.steps);
    this.part("steps").max = longest(recorded);
    for (const one of this.root.querySelectorAll('[name^="set:"]')) {
      const field = /** @type {any} */ (one), [name, place] = field.name.slice(4).split("@");
      const value = place === undefined ? state.hyperparameters[name] : state.hyperparameters[name][place];
      if (field.type === "checkbox") field.checked = value;
      else if (document.activeElement !== field || Number(field.value) !== value) field.value = String(value);
    }
    const now = this.part("now");
    now.max = state.steps;
    now.value = state.now;
    this.part("at").textContent = `${state.now} / ${state.steps}`;
    const why = this.part("why");
    for (const one of why.children) one.hidden = one.dataset.of !== recorded.name;
  }

  /** @param {string} name @param {any} value */
  set(name, value) { if (this.part(name).value !== String(value)) this.part(name).value = value; }

  rows() {
    const { state, found } = this;
    const moment = found?.ours[state.now], other = this.lines(state.now);
    const first = found?.beyond ?? found?.first;
    for (const key of this.data.rows) {
      const row = this.row(key);
      if (!row) continue;
      const choice = state.choices[key] ?? "", own = choice.startsWith(OWN);
      const select = /** @type {any} */ (row.querySelector("select")), input = /** @type {any} */ (row.querySelector("input"));
      select.value = own ? OWN : choice;
      row.classList.toggle("changed", Boolean(choice));
      row.classList.toggle("first", !this.failed && first ? `line:${first.line}` === key : false);
      input.hidden = !own;
      if (own && input.value !== choice.slice(1)) input.value = choice.slice(1);
      const fault = this.refused[key] ?? "", note = /** @type {HTMLElement} */ (row.querySelector(".fault"));
      if (note.textContent !== fault) note.textContent = fault;
      input.setAttribute("aria-invalid", String(Boolean(fault)));
      for (const code of row.querySelectorAll("[data-code-of]")) /** @type {any} */ (code).hidden = own || /** @type {any} */ (code).dataset.codeOf !== choice;
      if (key.startsWith("line:")) this.values(row, key.slice(5), moment?.lines, other);
    }
  }

  /** PyTorch's lines of a step of its own run. @param {number} step @returns {Record<string, any>} */
  lines(step) {
    const { made, theirs: others } = this.prepared;
    if (!step || others[step].grad === null) return {};
    const kept = Object.entries(this.data.state).filter(([, entry]) => entry.kind !== "count").map(([key, entry]) => [entry.line, others[step].state[key]]).filter(([, held]) => held);
    const pytorch = { ...this.formulas.pytorch, state: this.data.state };
    return { ...within(pytorch, made, others[step - 1], others[step].grad, step), ...Object.fromEntries(kept), param: others[step].param };
  }

  /** A line's numbers on both sides. @param {HTMLElement} row @param {string} name @param {any} ours @param {any} others */
  values(row, name, ours, others) {
    const cell = /** @type {HTMLElement} */ (row.querySelector(".numbers"));
    const [one, other] = [ours?.[name], others?.[name]];
    const { format } = this.recorded;
    cell.replaceChildren(...(one?.data ? [0, 1] : []).map((place) => {
      const x = one.data[place] ?? one.data[0], y = other?.data ? other.data[place] ?? other.data[0] : null;
      const pair = document.createElement("span"), button = document.createElement("button");
      button.type = "button";
      button.dataset.bits = `${name} ${place}`;
      button.textContent = digits(x, format);
      button.setAttribute("aria-expanded", String(this.opened?.line === name && this.opened.place === place));
      button.setAttribute("aria-label", say(this.words, "open", { line: name, place: place + 1, value: digits(x, format) }));
      const beside = document.createElement("span");
      beside.className = y === null ? "where" : Object.is(x, y) ? "identical" : "open";
      beside.textContent = y === null ? "" : Object.is(x, y) ? "=" : `≠ ${digits(y, format)}  ${short(ulps(x, y, format))} ulp`;
      pair.append(button, " ", beside);
      return pair;
    }));
  }

  verdict() {
    const { found, words, state } = this, place = this.part("verdict");
    const said = this.sentence();
    place.dataset.verdict = this.failed || Object.keys(this.refused).length ? "stopped" : found?.verdict ?? "stopped";
    for (const [name, text] of Object.entries(said)) if (place.querySelector(`.${name}`).textContent !== text) place.querySelector(`.${name}`).textContent = text;
    this.part("source").textContent = say(words, known(this.recorded, state) ? "recorded" : "standin");
    this.part("nothing").disabled = !this.parting();
  }

  /** The verdict in a word and in a sentence. @returns {{word: string, sentence: string}} */
  sentence() {
    const { found, words, state } = this;
    if (Object.keys(this.refused).length) return { word: say(words, "is.stopped"), sentence: say(words, "stopped.row") };
    if (this.failed || !found) return { word: say(words, "is.stopped"), sentence: this.failed ?? "" };
    const { verdict, first, beyond, slope, drift, used } = found;
    const end = short(drift[state.steps]), values = { steps: state.steps, end, used: share(used) };
    if (verdict === "different" && beyond) {
      const room = this.prepared.allowing[beyond.step][beyond.line]?.[beyond.place] ?? 0;
      const times = room ? short(gap(beyond.ours, beyond.theirs) / room) : "∞";
      return { word: say(words, "is.different"), sentence: say(words, "different.at", { ...values, step: beyond.step, line: beyond.line, times, ulp: short(beyond.ulp) }) };
    }
    if (verdict === "rounding") {
      const inSlope = slope !== null && (!first || slope <= first.step);
      const key = inSlope ? "rounding.slope" : first ? "rounding.at" : "rounding.drift";
      return { word: say(words, "is.rounding"), sentence: say(words, key, { ...values, step: inSlope ? slope : first?.step ?? 0, line: first?.line ?? "", ulp: short(first?.ulp ?? 0) }) };
    }
    return { word: say(words, "is.identical"), sentence: say(words, "identical.all", values) };
  }

  pictures() {
    const { found, state, words, recorded, formulas } = this;
    if (!found) return;
    const point = (/** @type {any} */ moment) => /** @type {[number, number]} */ ([moment.param.data[0], moment.param.data[1]]);
    const problem = formulas.functions[recorded.problem];
    const height = problem ? (/** @type {number} */ x, /** @type {number} */ y) => evaluated(problem.paper, x, y).value : null;
    const { allowing } = this.prepared, { sentence } = this.sentence();
    const shown = { ours: found.ours.map(point), theirs: this.prepared.theirs.map(point), now: state.now, height, key: recorded.problem };
    drawPaths(this.part("path"), { ...shown, label: say(words, "path", { steps: state.steps }) });
    const first = this.parting();
    const allowed = allowing.map((one) => Math.max(0, ...(one.param ?? [])));
    this.stepAt = drawDrift(this.part("drift"), { drift: found.drift, defect: found.defect, allowed, first, now: state.now, label: sentence });
  }

  /** Where the sides part: beyond rounding, or at all. @returns {{step: number, line: string} | null} */
  parting() {
    const { found } = this;
    return found?.beyond ?? found?.first ?? (found && found.slope !== null ? { step: found.slope, line: say(this.words, "slope") } : null);
  }

  /** The bits of the number that is open. */
  bits() {
    const panel = this.part("bits"), { opened, found, state, words } = this;
    if (!panel) return;
    const made = opened && found?.ours[state.now]?.lines[opened.line];
    panel.hidden = !made?.data;
    if (!opened || !made?.data) return;
    const { format } = this.recorded, x = made.data[opened.place] ?? made.data[0], whole = parts(x, format);
    const wide = format === "float64" ? 11 : 8;
    panel.querySelector("h3").textContent = say(words, "bits.title", { line: opened.line, place: opened.place + 1, step: state.now });
    panel.querySelector("output").textContent = `${digits(x, format)}   ${whole.hex}   ${say(words, "bits.parts", { sign: whole.sign ? "−" : "+", exponent: whole.exponent - (format === "float64" ? 1023 : 127) })}`;
    const turned = new Set(state.flips.filter((one) => one.step === state.now && one.line === opened.line && one.place === opened.place).map((one) => one.bit));
    const groups = [["sign", 0, 1], ["exponent", 1, 1 + wide], ["significand", 1 + wide, whole.bits.length]];
    panel.querySelector(".bits").replaceChildren(...groups.map(([name, from, to]) => {
      const group = document.createElement("fieldset"), legend = document.createElement("legend");
      legend.textContent = say(words, `bits.${name}`);
      group.append(legend, ...Array.from(whole.bits.slice(Number(from), Number(to)), (digit, k) => {
        const bit = Number(from) + k, button = document.createElement("button");
        button.type = "button";
        button.dataset.bit = String(bit);
        button.textContent = digit;
        button.setAttribute("aria-pressed", String(turned.has(bit)));
        button.setAttribute("aria-label", say(words, "bits.turn", { name: say(words, `bits.${name}`), k: Number(to) - Number(from) - k - 1, digit, value: digits(flipped(x, format, bit), format) }));
        button.title = digits(flipped(x, format, bit), format);
        return button;
      }));
      return group;
    }));
  }
}

/** A value as Python writes it. @param {any} value @returns {string} */
const python = (value) => (Array.isArray(value) ? `(${value.map(python).join(", ")})` : typeof value === "boolean" ? (value ? "True" : "False") : String(value));

/** A word of a command line. @param {string} text */
const quoted = (text) => (/^[\w.=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
