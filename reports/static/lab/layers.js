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
const FEATURES = [0, 1];

/** A value in as many digits as the notebook prints. @param {any} held @param {number} place */
const shown = (held, place) => (held?.data ? String(Number(held.data[place % held.size].toPrecision(9))) : "–");

/** A row of a table: what it is called, and what stands in its cells. @param {string} name @param {(Node | string)[]} cells */
const line = (name, cells) => html("tr", {}, html("th", { scope: "row" }, name), ...cells.map((cell) => html("td", {}, cell)));

/** Running statistics of no batch. @returns {Record<string, any>} */
const fresh = () => ({ running_mean: tensor([0, 0], FORMAT), running_var: tensor([1, 1], FORMAT), num_batches_tracked: 0 });

/** Batch normalisation of a batch of two features. @param {HTMLElement} root @param {Whole} formula @param {Record<string, string>} words */
export function normalising(root, formula, words) {
  const buffered = { ...formula, buffers: Object.fromEntries(BUFFERS.map((name) => [name, name])) };
  const batch = Array.from({ length: 4 }, (_, row) => [row + 2, row + 1]); // the notebook's
  let running = fresh();

  /** The layer after this batch; in evaluation it keeps nothing of it. */
  function passed() {
    const settings = { eps: Number(part(root, "eps").value) || 0, momentum: Number(part(root, "momentum").value), track_running_stats: true };
    const layer = new Layer(buffered, settings, { weight: null, bias: null }, running, BY_HAND);
    layer.training = root.querySelector(":checked[value=training]") !== null;
    return { layer, lines: layer.forward({ x: tensor(batch.flat(), FORMAT, [batch.length, FEATURES.length]) }) };
  }

  /** As many rows as that: those that were there, and new ones. @param {number} rows */
  function fill(rows) {
    const draws = new Mersenne(rows);
    while (batch.length < rows) batch.push(FEATURES.map(() => Math.round(1000 * draws.uniform()) / 200));
    batch.length = rows;
  }

  function show() {
    const rows = batch.length, { lines, layer } = passed(), ratio = short(lines.unbiased.data[0] / lines.var.data[0]);
    const field = (/** @type {number} */ row, /** @type {number} */ column) => html("input", {
      type: "text", inputmode: "decimal", size: 4, value: batch[row][column], "data-at": `${row} ${column}`, "aria-label": say(words, "norm.field", { row: row + 1, column: column + 1 }),
    });
    const made = (/** @type {number} */ row) => ["centred", "x_hat", "y"].flatMap((name) => FEATURES.map((column) => shown(lines[name], 2 * row + column)));
    part(root, "rows").value = rows;
    part(root, "batch").replaceChildren(...batch.map((_, row) => line(String(row + 1), [...FEATURES.map((column) => field(row, column)), ...made(row)])));
    part(root, "statistics").replaceChildren(...["mu", "var", "unbiased", "sigma", "running_mean", "running_var"].map((name) => line(name, FEATURES.map((column) => shown(lines[name], column)))));
    part(root, "told").textContent = say(words, layer.training ? "norm.training" : "norm.evaluation", { rows, ratio, batches: running.num_batches_tracked });
  }

  root.addEventListener("change", ({ target }) => {
    const { dataset, value } = /** @type {HTMLInputElement} */ (target), [row, column] = (dataset.at ?? "").split(" ").map(Number);
    if (dataset.at && Number.isFinite(Number(value)) && value.trim()) batch[row][column] = Number(value);
    if (dataset.part === "rows") fill(Math.min(Math.max(Math.round(Number(value)) || 2, 2), 64));
    show();
  });
  root.addEventListener("click", ({ target }) => {
    const go = /** @type {HTMLElement} */ (target).closest("button")?.dataset.go;
    if (go) running = go === "fresh" ? fresh() : passed().layer.buffers;
    if (go) show();
  });
  show();
}

/** Dropout of a small batch of ones: the mask that PyTorch draws from a seed. @param {HTMLElement} root @param {Whole} formula @param {Record<string, string>} words */
export function dropping(root, formula, words) {
  const [rows, columns] = [6, 8], all = rows * columns, x = tensor(Array(all).fill(1), "float32", [rows, columns]);
  const total = (/** @type {any} */ held) => [...held.data].reduce((sum, value) => sum + value, 0);

  function show() {
    const p = Number(part(root, "p").value), seed = Math.abs(Math.round(Number(part(root, "seed").value))) || 0;
    const r = new Mersenne(seed).dropoutMask(p, x.shape, "float32"), { y } = new Layer({ ...formula, buffers: {} }, { p }, {}, {}, BY_HAND).forward({ x, r });
    const cell = (/** @type {number} */ place) => html("td", { class: r.data[place] ? "kept" : "dropped" }, shown(y, place));
    part(root, "rate").textContent = short(p);
    part(root, "mask").replaceChildren(...Array.from({ length: rows }, (_, row) => html("tr", {}, ...Array.from({ length: columns }, (_cell, column) => cell(row * columns + column)))));
    part(root, "told").textContent = say(words, "drop.told", { left: total(r), all, seed, p: short(p), mean: short(total(y) / all) });
  }

  root.addEventListener("input", show);
  show();
}
