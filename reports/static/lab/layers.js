// Layers at the notebook's size: a batch to be edited with every intermediate beside it, and a mask drawn from its seed.

import {Mersenne} from "./mersenne.js";
import {tensor} from "./numbers.js";
import {numpy} from "./ops.js";
import {Layer} from "./optimizer.js";
import {html, part, say, short} from "./words.js";

/** @typedef {import("./compose.js").Whole} Whole */

const FORMAT = "float64"; // the notebook's
const BY_HAND = numpy("plain");
const BUFFERS = ["running_mean", "running_var", "num_batches_tracked"];

/** A value in as many digits as the notebook prints. @param {any} held @param {number} place */
const shown = (held, place) => (held?.data ? String(Number(held.data[place % held.size].toPrecision(9))) : "–");

/** Batch normalisation of a batch of two features. */
export class Normalising {
  /** @param {HTMLElement} root @param {Whole} formula @param {Record<string, string>} words */
  constructor(root, formula, words) {
    this.root = root;
    this.words = words;
    this.formula = { ...formula, buffers: Object.fromEntries(BUFFERS.map((name) => [name, name])) };
    this.batch = Array.from({ length: 4 }, (_, row) => [row + 2, row + 1]); // the notebook's
    this.running = fresh();
    root.addEventListener("change", (event) => this.set(/** @type {any} */ (event.target)));
    root.addEventListener("click", (event) => {
      const go = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset.go;
      if (go) this.running = go === "fresh" ? fresh() : this.passed().buffers;
      if (go) this.show();
    });
    root.addEventListener("submit", (event) => event.preventDefault());
    this.show();
  }

  /** The layer after this batch; in evaluation it keeps nothing of it. */
  passed() {
    const settings = { eps: Number(part(this.root, "eps").value) || 0, momentum: Number(part(this.root, "momentum").value), track_running_stats: true };
    const layer = new Layer(this.formula, settings, { weight: null, bias: null }, this.running, BY_HAND);
    layer.training = this.root.querySelector(":checked[value=training]") !== null;
    const lines = layer.forward({ x: tensor(this.batch.flat(), FORMAT, [this.batch.length, 2]) });
    return { lines, buffers: layer.buffers, training: layer.training };
  }

  /** @param {any} target */
  set({ dataset, value }) {
    const [row, column] = (dataset.at ?? "").split(" ").map(Number);
    if (dataset.at && Number.isFinite(Number(value)) && value.trim()) this.batch[row][column] = Number(value);
    if (dataset.part === "rows") {
      const rows = Math.min(Math.max(Math.round(Number(value)) || 2, 2), 64), draws = new Mersenne(rows);
      while (this.batch.length < rows) this.batch.push([0, 1].map(() => Math.round(1000 * draws.uniform()) / 200));
      this.batch.length = rows;
    }
    this.show();
  }

  show() {
    const { root, words, batch } = this, rows = batch.length, { lines, training } = this.passed();
    const field = (/** @type {number} */ value, /** @type {number} */ row, /** @type {number} */ column) => html("input", {
      type: "text", inputmode: "decimal", size: 4, value, "data-at": `${row} ${column}`, "aria-label": say(words, "norm.field", { row: row + 1, column: column + 1 }),
    });
    part(root, "rows").value = rows;
    part(root, "batch").replaceChildren(...batch.map((values, row) => html("tr", {}, html("th", { scope: "row" }, String(row + 1)), ...values.map((value, column) => html("td", {}, field(value, row, column))),
      ...["centred", "x_hat", "y"].flatMap((name) => [0, 1].map((column) => html("td", {}, shown(lines[name], 2 * row + column)))))));
    part(root, "statistics").replaceChildren(...["mu", "var", "unbiased", "sigma", "running_mean", "running_var"].map((name) => html("tr", {}, html("th", { scope: "row" }, name), ...[0, 1].map((column) => html("td", {}, shown(lines[name], column))))));
    part(root, "told").textContent = say(words, training ? "norm.training" : "norm.evaluation", { rows, ratio: short(lines.unbiased.data[0] / lines.var.data[0]), batches: this.running.num_batches_tracked });
  }
}

/** Running statistics of no batch. @returns {Record<string, any>} */
const fresh = () => ({ running_mean: tensor([0, 0], FORMAT), running_var: tensor([1, 1], FORMAT), num_batches_tracked: 0 });

/** Dropout of a small batch of ones: the mask that PyTorch draws from a seed. */
export class Dropping {
  /** @param {HTMLElement} root @param {Whole} formula @param {Record<string, string>} words */
  constructor(root, formula, words) {
    this.root = root;
    this.formula = { ...formula, buffers: {} };
    this.words = words;
    root.addEventListener("input", () => this.show());
    root.addEventListener("submit", (event) => event.preventDefault());
    this.show();
  }

  show() {
    const { root, words } = this, [p, seed, rows, columns] = [Number(part(root, "p").value), Math.abs(Math.round(Number(part(root, "seed").value))) || 0, 6, 8];
    const r = new Mersenne(seed).dropoutMask(p, [rows, columns], "float32"), x = tensor(Array(rows * columns).fill(1), "float32", [rows, columns]);
    const { y } = new Layer(this.formula, { p }, {}, {}, BY_HAND).forward({ x, r }), total = (/** @type {any} */ held) => [...held.data].reduce((sum, one) => sum + one, 0);
    const cell = (/** @type {number} */ place) => html("td", { class: r.data[place] ? "kept" : "dropped" }, shown(y, place));
    part(root, "rate").textContent = short(p);
    part(root, "mask").replaceChildren(...Array.from({ length: rows }, (_, row) => html("tr", {}, ...Array.from({ length: columns }, (_one, column) => cell(row * columns + column)))));
    part(root, "told").textContent = say(words, "drop.told", { left: total(r), all: rows * columns, seed, p: short(p), mean: short(total(y) / (rows * columns)) });
  }
}
