// What is set stands in the address behind #, so that a link shows the same thing.

/** @typedef {import("./compose.js").Flip} Flip */
/** @typedef {import("./trial.js").Recorded} Recorded */
/** @typedef {{setting: number, steps: number, hyperparameters: Record<string, any>, choices: Record<string, string>, flips: Flip[], now: number}} State */

const MOST = 500; // steps that may be asked for

/** @param {State} state @param {Recorded[]} settings @returns {string} */
export function written(state, settings) {
  const { name, format, hyperparameters, steps } = settings[state.setting], parts = new URLSearchParams({ case: name, dtype: format });
  if (state.steps !== steps) parts.set("steps", String(state.steps));
  for (const [key, value] of changed(state, hyperparameters)) parts.set(`set:${key}`, JSON.stringify(value));
  for (const [key, choice] of Object.entries(state.choices)) if (choice) parts.set(key, choice);
  for (const { step, line, place, bit } of state.flips) parts.append("flip", [step, line, place, bit].join(" "));
  if (state.now !== state.steps) parts.set("at", String(state.now));
  return `#${parts}`;
}

/** The hyperparameters that are not as they were recorded. @param {State} state @param {Record<string, any>} recorded */
export const changed = (state, recorded) => Object.entries(state.hyperparameters).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(recorded[key]));

/** What an address says, as far as it makes sense here. @param {string} hash @param {Recorded[]} settings @param {string[]} rows
 * @param {(key: string, choice: string) => boolean} fits @returns {State | null} */
export function read(hash, settings, rows, fits) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const setting = settings.findIndex((one) => one.name === parts.get("case") && one.format === (parts.get("dtype") ?? one.format));
  if (setting < 0) return null;
  const state = begun(setting, settings);
  /** @param {string} key @param {number} low @param {number} high @param {number} otherwise */
  const whole = (key, low, high, otherwise) => (/^\d+$/.test(parts.get(key) ?? "") ? Math.min(Math.max(Number(parts.get(key)), low), high) : otherwise);
  state.steps = whole("steps", 1, longest(settings[setting]), state.steps);
  for (const [key, value] of Object.entries(state.hyperparameters)) {
    const given = parsed(parts.get(`set:${key}`));
    if (alike(given, value)) state.hyperparameters[key] = given;
  }
  for (const key of rows) {
    const choice = parts.get(key);
    if (choice && fits(key, choice)) state.choices[key] = choice;
  }
  for (const text of parts.getAll("flip").slice(0, 64)) {
    const [, step, line, place, bit] = /^(\d+) (\w+) ([01]) (\d+)$/.exec(text) ?? [];
    if (Number(bit) < 64 && rows.includes(`line:${line}`)) state.flips.push({ step: Number(step), line, place: Number(place), bit: Number(bit) });
  }
  state.now = whole("at", 0, state.steps, state.steps);
  return state;
}

/** Where a setting begins: as it was recorded. @param {number} setting @param {Recorded[]} settings @returns {State} */
export function begun(setting, settings) {
  const { steps, hyperparameters } = settings[setting];
  return { setting, steps, hyperparameters: structuredClone(hyperparameters), choices: {}, flips: [], now: steps };
}

/** How many steps a setting can be followed: a stream of gradients as far as it was recorded. @param {Recorded} recorded */
export const longest = (recorded) => (recorded.streamed ? recorded.steps : MOST);

/** @param {string | null} text */
function parsed(text) {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** Whether one value may stand where another did: a number, a flag, or as many numbers. @param {any} one @param {any} other @returns {boolean} */
function alike(one, other) {
  if (Array.isArray(other)) return Array.isArray(one) && one.length === other.length && one.every((part) => Number.isFinite(part));
  return typeof one === typeof other && (typeof one !== "number" || Number.isFinite(one));
}
