// What is set stands in the address behind #, so that a link shows the same thing.

/** @typedef {import("./compose.js").Flip} Flip */
/** @typedef {{setting: number, steps: number, hyperparameters: Record<string, any>, choices: Record<string, string>, flips: Flip[], now: number}} State */
/** @typedef {import("./recorded.js").Recorded} Recorded */

const MOST = 500; // steps that may be asked for

/** @param {State} state @param {Recorded[]} settings @returns {string} */
export function written(state, settings) {
  const { name, format, hyperparameters, steps } = settings[state.setting];
  const parts = new URLSearchParams({ case: name, dtype: format });
  if (state.steps !== steps) parts.set("steps", String(state.steps));
  for (const [key, value] of Object.entries(state.hyperparameters)) {
    if (JSON.stringify(value) !== JSON.stringify(hyperparameters[key])) parts.set(`set:${key}`, JSON.stringify(value));
  }
  for (const [key, choice] of Object.entries(state.choices)) if (choice) parts.set(key, choice);
  for (const { step, line, place, bit } of state.flips) parts.append("flip", [step, line, place, bit].join(" "));
  if (state.now !== state.steps) parts.set("at", String(state.now));
  return `#${parts}`;
}

/** What an address says, as far as it makes sense here. @param {string} hash @param {Recorded[]} settings @param {string[]} rows
 * @param {(key: string, choice: string) => boolean} fits @returns {State | null} */
export function read(hash, settings, rows, fits) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const place = settings.findIndex((one) => one.name === parts.get("case") && one.format === (parts.get("dtype") ?? one.format));
  if (place < 0) return null;
  const state = begun(place, settings);
  const most = longest(settings[place]);
  state.steps = bounded(parts.get("steps"), 1, most, state.steps);
  for (const [key, value] of Object.entries(state.hyperparameters)) {
    const given = parsed(parts.get(`set:${key}`));
    if (given !== undefined && alike(given, value)) state.hyperparameters[key] = given;
  }
  for (const key of rows) {
    const choice = parts.get(key);
    if (choice && fits(key, choice)) state.choices[key] = choice;
  }
  for (const text of parts.getAll("flip").slice(0, 64)) {
    const [step, line, number, bit] = text.split(" ");
    const flip = { step: Number(step), line, place: Number(number), bit: Number(bit) };
    const sound = [flip.step, flip.place, flip.bit].every((one) => Number.isInteger(one) && one >= 0) && flip.place < 2 && flip.bit < 64;
    if (sound && rows.includes(`line:${line}`)) state.flips.push(flip);
  }
  state.now = bounded(parts.get("at"), 0, state.steps, state.steps);
  return state;
}

/** Where a setting begins: as it was recorded. @param {number} place @param {Recorded[]} settings @returns {State} */
export function begun(place, settings) {
  const { steps, hyperparameters } = settings[place];
  return { setting: place, steps, hyperparameters: structuredClone(hyperparameters), choices: {}, flips: [], now: steps };
}

/** How many steps a setting can be followed: a stream of gradients as far as it was recorded. @param {Recorded & {streamed?: boolean}} recorded */
export const longest = (recorded) => (recorded.streamed ? recorded.steps : MOST);

/** @param {string | null} text @param {number} low @param {number} high @param {number} otherwise */
function bounded(text, low, high, otherwise) {
  const value = Number(text);
  return text !== null && Number.isInteger(value) ? Math.min(Math.max(value, low), high) : otherwise;
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether one value may stand where another did: a number, a flag, or as many numbers. @param {any} one @param {any} other @returns {boolean} */
function alike(one, other) {
  if (Array.isArray(other)) return Array.isArray(one) && one.length === other.length && one.every((part) => Number.isFinite(part));
  return typeof one === typeof other && (typeof one !== "number" || Number.isFinite(one));
}
