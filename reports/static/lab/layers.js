// Layers at the notebook's size: a batch to be edited with every intermediate beside it, and a mask drawn from its seed.

import {Layer} from "./layer.js";
import {Mersenne} from "./mersenne.js";
import {tensor} from "./numbers.js";
import {numpy} from "./ops.js";
import {say, short} from "./words.js";

/** @typedef {import("./compose.js").Whole} Whole */

const FORMAT = "float64"; // the notebook's
const BY_HAND = numpy("plain");

/** A cell of a table. @param {string} name @param {(Node | string)[]} children */
function cell(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

/** A value in as many digits as the notebook prints. @param {any} held @param {number} at */
const shown = (held, at) => (held?.data ? String(Number(held.data[at % held.data.length].toPrecision(9))) : held === null || held === undefined ? "–" : String(held));

/** Batch normalisation of a batch of two features. */
export class Normalising {
  /** @param {HTMLElement} root @param {Whole} formula @param {Record<string, string>} words */
  constructor(root, formula, words) {
    this.root = root;
    this.words = words;
    this.formula = { ...formula, buffers: Object.fromEntries(["running_mean", "running_var", "num_batches_tracked"].map((name) => [name, name])) };
    this.batch = Array.from({ length: 4 }, (_, row) => [row + 2, row + 1]); // the notebook's
    this.fresh();
    root.addEventListener("change", (event) => this.changed(/** @type {any} */ (event.target)));
    root.addEventListener("click", (event) => {
      const go = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset.go;
      if (go === "another") this.pass();
      else if (go === "fresh") this.fresh();
    });
    root.addEventListener("submit", (event) => event.preventDefault());
    this.show();
  }

  /** @param {string} name @returns {any} */
  part(name) { return this.root.querySelector(`[data-part="${name}"]`); }

  /** The running statistics as they are before the first batch. */
  fresh() {
    this.running = { running_mean: tensor([0, 0], FORMAT), running_var: tensor([1, 1], FORMAT), num_batches_tracked: 0 };
    this.show();
  }

  /** The batch once more, in training. */
  pass() {
    const layer = this.layer();
    layer.forward({ x: tensor(this.batch.flat(), FORMAT, [this.batch.length, 2]) });
    this.running = /** @type {any} */ (layer.buffers);
    this.show();
  }

  layer() {
    const settings = { eps: Number(this.part("eps").value) || 0, momentum: Number(this.part("momentum").value), track_running_stats: true };
    const layer = new Layer(this.formula, settings, { weight: null, bias: null }, this.running, BY_HAND);
    layer.training = this.root.querySelector(":checked[value=training]") !== null;
    return layer;
  }

  /** @param {any} target */
  changed(target) {
    const [row, column] = (target.dataset.at ?? "").split(" ").map(Number);
    if (target.dataset.at && Number.isFinite(Number(target.value)) && target.value.trim()) this.batch[row][column] = Number(target.value);
    if (target.dataset.part === "rows") {
      const rows = Math.min(Math.max(Math.round(Number(target.value)) || 2, 2), 64), draws = new Mersenne(rows);
      while (this.batch.length < rows) this.batch.push([0, 1].map(() => Math.round(1000 * draws.uniform()) / 200));
      this.batch.length = rows;
    }
    this.show();
  }

  show() {
    const rows = this.batch.length, layer = this.layer(), { words } = this;
    const lines = layer.forward({ x: tensor(this.batch.flat(), FORMAT, [rows, 2]) });
    this.part("rows").value = rows;
    this.part("batch").replaceChildren(...this.batch.map((values, row) => cell("tr", cell("th", String(row + 1)),
      ...values.map((value, column) => this.field(value, row, column)),
      ...["centred", "x_hat", "y"].flatMap((name) => [0, 1].map((column) => cell("td", shown(lines[name], 2 * row + column)))))));
    this.part("statistics").replaceChildren(...["mu", "var", "unbiased", "sigma", "running_mean", "running_var"].map((name) => cell("tr", cell("th", name), ...[0, 1].map((column) => cell("td", shown(lines[name], column))))));
    const [biased, unbiased] = [lines.var.data[0], lines.unbiased.data[0]];
    this.part("told").textContent = say(words, layer.training ? "norm.training" : "norm.evaluation", { rows, ratio: short(unbiased / biased), batches: this.running.num_batches_tracked });
  }

  /** @param {number} value @param {number} row @param {number} column */
  field(value, row, column) {
    const input = document.createElement("input");
    Object.assign(input, { type: "text", inputMode: "decimal", size: 4, value: String(value) });
    input.dataset.at = `${row} ${column}`;
    input.setAttribute("aria-label", say(this.words, "norm.field", { row: row + 1, column: column + 1 }));
    return cell("td", input);
  }
}

/** Dropout of a small batch of ones: the mask that PyTorch draws from a seed. */
export class Dropping {
  /** @param {HTMLElement} root @param {Whole} formula @param {Record<string, string>} words */
  constructor(root, formula, words) {
    this.root = root;
    this.formula = formula;
    this.words = words;
    root.addEventListener("input", () => this.show());
    root.addEventListener("submit", (event) => event.preventDefault());
    this.show();
  }

  show() {
    const part = (/** @type {string} */ name) => /** @type {any} */ (this.root.querySelector(`[data-part="${name}"]`));
    const [p, seed, rows, columns] = [Number(part("p").value), Math.abs(Math.round(Number(part("seed").value))) || 0, 6, 8];
    const r = new Mersenne(seed).dropoutMask(p, [rows, columns], "float32"), x = tensor(Array(rows * columns).fill(1), "float32", [rows, columns]);
    const { y } = new Layer({ ...this.formula, buffers: {} }, { p }, {}, {}, BY_HAND).forward({ x, r });
    part("rate").textContent = short(p);
    part("mask").replaceChildren(...Array.from({ length: rows }, (_, row) => cell("tr", ...Array.from({ length: columns }, (_one, column) => {
      const made = cell("td", shown(y, row * columns + column));
      made.className = r.data[row * columns + column] ? "kept" : "dropped";
      return made;
    }))));
    const total = (/** @type {any} */ held) => [...held.data].reduce((sum, one) => sum + one, 0), left = total(r);
    part("told").textContent = say(this.words, "drop.told", { left, all: rows * columns, seed, p: short(p), mean: short(total(y) / (rows * columns)) });
  }
}
