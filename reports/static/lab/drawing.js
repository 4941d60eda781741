// Pictures as SVG of our own: the paths over the contours, and the distance by step on a log axis. A library of pictures
// (uPlot, Observable Plot) would be twenty times this and more, and would have neither the rail at 0 nor contours under a path.

import {part, say, svg} from "./words.js";

const LEVELS = 11; // contours, closer together near the lowest value
const GRID = 44; // points a side of which the contours are made
const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];

/** @typedef {[number, number]} Point */
/** @typedef {import("./trial.js").Trial} Trial */
/** @typedef {import("./trial.js").Outcome} Outcome */

/** The tenth that a place in a picture needs. @param {number} x */
const tenth = (x) => Math.round(x * 10) / 10;

/** A line through points, or with `dots` each by itself; what is no number breaks it. @param {Point[]} points */
function through(points, dots = false) {
  let pen = "M", made = "";
  for (const [x, y] of points) {
    const there = Number.isFinite(x + y);
    if (there) made += `${dots ? "M" : pen}${tenth(x)} ${tenth(y)}${dots ? "h0" : ""}`;
    pen = there ? "L" : "M";
  }
  return made || "M0 0";
}

/** From where to where a path goes along an axis, and another as far as it does not leave it by more than its own size.
 * @param {Point[]} path @param {Point[]} other @param {number} axis */
function range(path, other, axis) {
  const own = path.map((point) => point[axis]).filter(Number.isFinite), low = Math.min(...own), high = Math.max(...own), span = high - low || 1e-3;
  const all = [...own, ...other.map((point) => point[axis]).filter((value) => value > low - span && value < high + span)];
  const [from, to] = [Math.min(...all), Math.max(...all)], margin = 0.14 * (to - from || span);
  return [from - margin, to - from + 2 * margin];
}

/** What the paths lie on: contours of a function, a path a level. @param {((x: number, y: number) => number) | null} height
 * @param {number[]} box left, width, lower end, height @param {(x: number, y: number) => Point} place */
function ground(height, [x, w, y, h], place) {
  const z = Array.from({ length: height ? GRID + 1 : 0 }, (_row, j) => Array.from({ length: GRID + 1 }, (_one, i) => height?.(x + (w * i) / GRID, y + (h * j) / GRID) ?? NaN));
  const all = z.flat().filter(Number.isFinite), low = Math.min(...all), span = Math.max(...all) - low;
  return svg("g", { class: "contours" }, ...Array.from({ length: span > 0 ? LEVELS : 0 }, (_, k) => {
    const level = low + span * 1e-3 * (900 ** (k / (LEVELS - 1))), made = [];
    for (let j = 0; j < GRID; j += 1) {
      for (let i = 0; i < GRID; i += 1) {
        const corners = CORNERS.map(([u, v]) => z[j + v][i + u]), points = [];
        for (let side = 0; side < 4; side += 1) {
          const [a, b] = [corners[side], corners[(side + 1) % 4]], [u, v] = CORNERS[side], [s, t] = CORNERS[(side + 1) % 4];
          const along = (level - a) / (b - a);
          if (a < level !== b < level) points.push(place(x + (w * (i + u + along * (s - u))) / GRID, y + (h * (j + v + along * (t - v))) / GRID));
        }
        for (let end = 0; end + 1 < points.length; end += 2) made.push(through(points.slice(end, end + 2)));
      }
    }
    return svg("path", { d: made.join("") || "M0 0", style: `opacity: ${0.25 + (0.6 * (LEVELS - k)) / LEVELS}` });
  }));
}

/** Both paths over the contours, which are drawn anew only where they are others. @param {any} into @param {Trial} trial @param {Outcome} found
 * @param {number} now @param {string} label */
function drawPaths(into, trial, found, now, label) {
  const [ours, theirs] = [found.ours, trial.theirs].map((way) => way.map(({ param }) => /** @type {Point} */ ([param.data[0], param.data[1]])));
  const W = 460, H = 330, box = [...range(theirs, ours, 0), ...range(theirs, ours, 1)], [x, w, y, h] = box;
  const place = (/** @type {number} */ s, /** @type {number} */ t) => /** @type {Point} */ ([8 + ((s - x) / w) * (W - 16), H - 22 - ((t - y) / h) * (H - 34)]);
  const spots = (/** @type {Point[]} */ way) => way.map((point) => place(...point)), [own, other] = [spots(ours), spots(theirs)], [begun] = other;
  const key = `${trial.recorded.problem} ${box.map((one) => one.toPrecision(4)).join(" ")}`;
  if (into.ground?.key !== key) into.ground = { key, made: ground(trial.height, box, place) };
  const mark = (/** @type {string} */ name, /** @type {Point} */ [s, t], /** @type {number} */ r) => (Number.isFinite(s + t) ? [svg("circle", { class: `${name} now`, cx: s, cy: t, r })] : []);
  const end = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ length) => `${name}  ${from.toPrecision(3)} … ${(from + length).toPrecision(3)}`;
  into.replaceChildren(svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label }, into.ground.made,
    svg("path", { class: "theirs", d: through(other) }), svg("path", { class: "ours", d: through(own) }),
    ...(own.length <= 130 ? [svg("path", { class: "ours dots", d: through(own, true) })] : []),
    svg("rect", { class: "start", x: begun[0] - 4, y: begun[1] - 4, width: 8, height: 8 }), svg("text", { class: "note", x: begun[0] + 9, y: begun[1] - 5 }, "t = 0"),
    ...mark("theirs", other[now], 7), ...mark("ours", own[now], 3.5),
    svg("text", { class: "axis", x: W - 8, y: H - 6, "text-anchor": "end" }, end("θ₁", x, w)), svg("text", { class: "axis", x: 8, y: H - 6 }, end("θ₂", y, h))));
}

/** How far the sides are apart by step, on a log axis with a rail for 0, over what rounding allows in a step.
 * @param {Element} into @param {{drift: number[], defect?: number[], allowed: number[], first: {step: number, line: string} | null, now: number | null,
 *  label: string, beside?: number[]}} what beside: another drift, to compare with @returns {(x: number) => number} the step at a place across the picture, from 0 to 1 */
function drawDrift(into, { drift, defect = [], allowed, first, now, label, beside = [] }) {
  const W = 460, H = 240, left = 46, right = 10, top = 14, bottom = 40, rail = H - 24, last = drift.length - 1;
  const sizes = [...drift, ...defect, ...allowed, ...beside].filter((one) => one > 0 && Number.isFinite(one)).map(Math.log10);
  const low = Math.floor(Math.min(...sizes, sizes.length ? Infinity : -16)), high = Math.max(Math.ceil(Math.max(...sizes, sizes.length ? -Infinity : 0)), low + 1);
  const across = (/** @type {number} */ step) => left + ((W - left - right) * step) / Math.max(last, 1);
  const up = (/** @type {number} */ value) => (value === 0 ? rail : value === Infinity || Number.isNaN(value) ? top - 6 : H - bottom - ((Math.log10(value) - low) / (high - low)) * (H - bottom - top));
  const points = (/** @type {number[]} */ values, zeros = false) => values.map((value, step) => /** @type {Point} */ ([across(step), up(value)])).filter((_, step) => zeros || values[step] > 0);
  const text = (/** @type {string} */ said, /** @type {number} */ x, /** @type {number} */ y, anchor = "end", name = "axis") => svg("text", { class: name, x, y, "text-anchor": anchor }, said);
  const level = (/** @type {string} */ name, /** @type {number} */ y) => svg("line", { class: name, x1: left, x2: W - right, y1: y, y2: y });
  const upright = (/** @type {string} */ name, /** @type {number} */ step) => svg("line", { class: name, x1: across(step), x2: across(step), y1: top - 6, y2: rail });
  const by = Math.max(1, Math.ceil((high - low) / 6)), ticks = Array.from({ length: Math.floor((high - low) / by) + 1 }, (_, k) => low + k * by);
  const band = points(allowed.map((one) => (Number.isFinite(one) ? one : 0))), late = first && first.step > 0.6 * last;
  into.replaceChildren(svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label },
    ...ticks.flatMap((tick) => [level("grid", up(10 ** tick)), text(tick === 0 ? "1" : `1e${tick}`, left - 6, up(10 ** tick) + 4)]), level("rail", rail), text("0", left - 6, rail + 4),
    ...[...new Set([0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last)))].map((step) => text(step === last ? `t = ${step}` : String(step), across(step), H - 6, step === last ? "end" : "middle")),
    ...(band.length > 1 ? [svg("path", { class: "band", d: `${through(band)}L${tenth(band[band.length - 1][0])} ${H - bottom}L${tenth(band[0][0])} ${H - bottom}Z` })] : []),
    ...(first ? [upright("parts", first.step), text(`t = ${first.step}: ${first.line}`, across(first.step) + (late ? -5 : 5), top + 3, late ? "end" : "start", "parts note")] : []),
    ...(beside.length ? [svg("path", { class: "beside", d: through(points(beside, true)) })] : []), svg("path", { class: "drift", d: through(points(drift, true)) }),
    svg("path", { class: "defect", d: through(points(defect), true) }), ...(now === null ? [] : [upright("now", now)])));
  return (share) => Math.max(0, Math.min(last, Math.round(((share * W - left) / (W - left - right)) * last)));
}

/** Both pictures of a trial. @param {Element} root @param {Record<string, string>} words @param {Trial} trial @param {Outcome} found
 * @param {{now: number | null, first: {step: number, line: string} | null, label: string, beside?: number[], defect?: number[]}} what */
export function draw(root, words, trial, found, what) {
  const steps = found.drift.length - 1, allowed = trial.allowing.map((one) => Math.max(0, ...(one.param ?? [])));
  drawPaths(part(root, "path"), trial, found, what.now ?? steps, say(words, "path", { steps }));
  return drawDrift(part(root, "drift"), { drift: found.drift, allowed, ...what });
}
