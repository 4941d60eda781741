// Pictures as SVG of our own: the paths over the contours, and the distance by step on a log axis. A library of pictures
// would be thirty times this, and would have neither the rail at 0 nor marks that a reader without colours tells apart.

const NS = "http://www.w3.org/2000/svg";
const LEVELS = 11; // contours, closer together near the lowest value
const GRID = 44; // points a side of which the contours are made

/** @typedef {{x: number, y: number, w: number, h: number}} Box */
/** @typedef {(x: number, y: number) => number} Height */
/** @typedef {[number, number]} Point */

/** An element. @param {string} name @param {Record<string, string | number>} attributes @param {(SVGElement | string)[]} children */
export function svg(name, attributes, ...children) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** The tenth that a place in a picture needs. @param {number} x */
const tenth = (x) => Math.round(x * 10) / 10;

/** A line through points; what is no number breaks it. @param {Point[]} points */
function through(points) {
  let pen = "M", made = "";
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) {
      made += `${pen}${tenth(x)} ${tenth(y)}`;
      pen = "L";
    } else pen = "M";
  }
  return made || "M0 0";
}

/** The window that shows a path, and others as far as they do not leave it by more than its own size.
 * @param {Point[]} path @param {Point[][]} others @returns {Box} */
export function around(path, others) {
  const sides = [0, 1].map((axis) => {
    const own = path.map((point) => point[axis]).filter(Number.isFinite);
    let low = Math.min(...own), high = Math.max(...own);
    const span = high - low || 1e-3;
    for (const value of others.flat().map((point) => point[axis])) {
      if (value > low - span && value < high + span) [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    const margin = 0.14 * (high - low || span);
    return [low - margin, high + margin];
  });
  return { x: sides[0][0], w: sides[0][1] - sides[0][0], y: sides[1][0], h: sides[1][1] - sides[1][0] };
}

/** Contours of a function in a window, as one path a level. @param {Height} height @param {Box} box @param {(x: number, y: number) => Point} place */
function contours(height, box, place) {
  const at = (/** @type {number} */ i, /** @type {number} */ j) => /** @type {Point} */ ([box.x + (box.w * i) / GRID, box.y + (box.h * j) / GRID]);
  const z = Array.from({ length: GRID + 1 }, (_row, j) => Array.from({ length: GRID + 1 }, (_point, i) => height(...at(i, j))));
  const all = z.flat().filter(Number.isFinite);
  const low = Math.min(...all), span = Math.max(...all) - low;
  if (!(span > 0)) return [];
  return Array.from({ length: LEVELS }, (_, k) => {
    const level = low + span * 1e-3 * (900 ** (k / (LEVELS - 1)));
    let made = "";
    for (let j = 0; j < GRID; j += 1) {
      for (let i = 0; i < GRID; i += 1) made += crossing([z[j][i], z[j][i + 1], z[j + 1][i + 1], z[j + 1][i]], level, (u, v) => place(...at(i + u, j + v)));
    }
    return made;
  });
}

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];

/** Where a level crosses a cell. @param {number[]} corners @param {number} level @param {(u: number, v: number) => Point} place */
function crossing(corners, level, place) {
  const points = [];
  for (let side = 0; side < 4; side += 1) {
    const [a, b] = [corners[side], corners[(side + 1) % 4]];
    if (a < level === b < level) continue;
    const share = (level - a) / (b - a), [u, v] = CORNERS[side], [s, t] = CORNERS[(side + 1) % 4];
    points.push(place(u + share * (s - u), v + share * (t - v)));
  }
  let made = "";
  for (let k = 0; k + 1 < points.length; k += 2) made += `M${tenth(points[k][0])} ${tenth(points[k][1])}L${tenth(points[k + 1][0])} ${tenth(points[k + 1][1])}`;
  return made;
}

/** Both paths over the contours. @param {Element} into @param {{ours: Point[], theirs: Point[], height: Height | null, now: number,
 *  key: string, label: string}} what key: of what the contours are of, which are drawn anew only where it changes */
export function drawPaths(into, { ours, theirs, height, now, key, label }) {
  const W = 460, H = 330, box = around(theirs, [ours]);
  /** @param {number} x @param {number} y @returns {Point} */
  const place = (x, y) => [8 + ((x - box.x) / box.w) * (W - 16), H - 22 - ((y - box.y) / box.h) * (H - 34)];
  const spot = (/** @type {Point} */ point) => place(...point);
  const whole = `${key} ${[box.x, box.y, box.w, box.h].map((one) => one.toPrecision(4)).join(" ")}`;
  const kept = /** @type {any} */ (into).contours?.key === whole ? /** @type {any} */ (into).contours.group : ground(height, box, place);
  /** @type {any} */ (into).contours = { key: whole, group: kept };
  const [x, y] = spot(ours[now]), [s, t] = spot(theirs[now]), [a, b] = spot(theirs[0]);
  const dots = ours.length <= 130 ? [svg("path", { class: "ours dots", d: dotted(ours.map(spot)) })] : [];
  into.replaceChildren(svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label }, kept,
    svg("path", { class: "theirs", d: through(theirs.map(spot)) }), svg("path", { class: "ours", d: through(ours.map(spot)) }), ...dots,
    svg("rect", { class: "start", x: a - 4, y: b - 4, width: 8, height: 8 }), svg("text", { class: "note", x: a + 9, y: b - 5 }, "t = 0"),
    ...(Number.isFinite(s + t) ? [svg("circle", { class: "theirs now", cx: s, cy: t, r: 7 })] : []),
    ...(Number.isFinite(x + y) ? [svg("circle", { class: "ours now", cx: x, cy: y, r: 3.5 })] : []),
    svg("text", { class: "axis", x: W - 8, y: H - 6, "text-anchor": "end" }, `θ₁  ${box.x.toPrecision(3)} … ${(box.x + box.w).toPrecision(3)}`),
    svg("text", { class: "axis", x: 8, y: H - 6 }, `θ₂  ${box.y.toPrecision(3)} … ${(box.y + box.h).toPrecision(3)}`)));
}

/** What the paths lie on. @param {Height | null} height @param {Box} box @param {(x: number, y: number) => Point} place */
function ground(height, box, place) {
  const lines = height ? contours(height, box, place) : [];
  return svg("g", { class: "contours" }, ...lines.map((d, k) => svg("path", { d: d || "M0 0", style: `opacity: ${0.25 + (0.6 * (LEVELS - k)) / LEVELS}` })));
}

/** @param {Point[]} points */
const dotted = (points) => points.filter(([x, y]) => Number.isFinite(x + y)).map(([x, y]) => `M${tenth(x)} ${tenth(y)}h0`).join("") || "M0 0";

/** How far the sides are apart by step, on a log axis with a rail for 0, over what rounding allows in a step.
 * @param {Element} into @param {{drift: number[], defect: number[], allowed: number[], first: {step: number, line: string} | null, now: number | null,
 *  label: string, beside?: number[]}} what beside: another drift, to compare with @returns {(x: number) => number} the step at a place across the picture, from 0 to 1 */
export function drawDrift(into, { drift, defect, allowed, first, now, label, beside = [] }) {
  const W = 460, H = 240, left = 46, right = 10, top = 14, bottom = 40, rail = H - 24;
  const sizes = [...drift, ...defect, ...allowed, ...beside].filter((one) => one > 0 && Number.isFinite(one)).map(Math.log10);
  const low = Math.floor(sizes.length ? Math.min(...sizes) : -16), high = Math.max(Math.ceil(sizes.length ? Math.max(...sizes) : 0), low + 1);
  const last = drift.length - 1;
  const across = (/** @type {number} */ step) => left + ((W - left - right) * step) / Math.max(last, 1);
  const up = (/** @type {number} */ value) => (value === 0 ? rail : value === Infinity || Number.isNaN(value) ? top - 6 : H - bottom - ((Math.log10(value) - low) / (high - low)) * (H - bottom - top));
  const by = Math.max(1, Math.ceil((high - low) / 6));
  const ticks = Array.from({ length: Math.floor((high - low) / by) + 1 }, (_, k) => low + k * by);
  const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last)).filter((step, k, all) => all.indexOf(step) === k);
  const line = drift.map((value, step) => /** @type {Point} */ ([across(step), up(value)]));
  const band = allowed.map((value, step) => /** @type {[number, number]} */ ([step, value])).filter(([, value]) => value > 0 && Number.isFinite(value));
  const edge = band.map(([step, value]) => /** @type {Point} */ ([across(step), up(value)]));
  const marks = defect.map((value, step) => /** @type {[number, number]} */ ([step, value])).filter(([, value]) => value > 0);
  const other = beside.map((value, step) => /** @type {Point} */ ([across(step), up(value)]));
  const tall = first ? across(first.step) : 0;
  into.replaceChildren(svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label },
    ...ticks.flatMap((tick) => [svg("line", { class: "grid", x1: left, x2: W - right, y1: up(10 ** tick), y2: up(10 ** tick) }),
      svg("text", { class: "axis", x: left - 6, y: up(10 ** tick) + 4, "text-anchor": "end" }, tick === 0 ? "1" : `1e${tick}`)]),
    svg("line", { class: "rail", x1: left, x2: W - right, y1: rail, y2: rail }), svg("text", { class: "axis", x: left - 6, y: rail + 4, "text-anchor": "end" }, "0"),
    ...steps.map((step) => svg("text", { class: "axis", x: across(step), y: H - 6, "text-anchor": step === last ? "end" : "middle" }, step === last ? `t = ${step}` : String(step))),
    ...(edge.length > 1 ? [svg("path", { class: "band", d: `${through(edge)}L${tenth(edge[edge.length - 1][0])} ${H - bottom}L${tenth(edge[0][0])} ${H - bottom}Z` })] : []),
    ...(first ? [svg("line", { class: "parts", x1: tall, x2: tall, y1: top - 6, y2: rail }),
      svg("text", { class: "parts note", x: tall + (first.step > 0.6 * last ? -5 : 5), y: top + 3, "text-anchor": first.step > 0.6 * last ? "end" : "start" }, `t = ${first.step}: ${first.line}`)] : []),
    ...(other.length ? [svg("path", { class: "beside", d: through(other) })] : []), svg("path", { class: "drift", d: through(line) }),
    svg("path", { class: "defect", d: dotted(marks.map(([step, value]) => [across(step), up(value)])) }),
    ...(now === null ? [] : [svg("line", { class: "now", x1: across(now), x2: across(now), y1: top - 6, y2: rail })])));
  return (share) => Math.max(0, Math.min(last, Math.round(((share * W - left) / (W - left - right)) * last)));
}
