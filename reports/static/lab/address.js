// What is set is what the controls say. What of that is not as it was recorded stands in the address behind #, so that a
// link shows the same thing.

/** @typedef {import("./compose.js").Flip} Flip */
/** @typedef {import("./trial.js").Recorded} Recorded */
/** @typedef {Record<string, string>} Choices */

const MOST = 500; // steps that may be asked for
export const MOST_FLIPS = 64; // bits that an address may turn

/** How many steps a setting can be followed: a stream of gradients as far as it was recorded. @param {Recorded} recorded */
export const longest = (recorded) => (recorded.streamed ? recorded.steps : MOST);

/** What the fields of a setting say as it was recorded; several numbers have one each. @param {import("./trial.js").Wanted} recorded @returns {[string, any][]} */
export const recordedFields = ({ steps, hyperparameters }) => [["steps", steps], ...Object.entries(hyperparameters).flatMap(([key, value]) => (
  Array.isArray(value) ? value.map((part, place) => /** @type {[string, any]} */ ([`set:${key}@${place}`, part])) : [/** @type {[string, any]} */ ([`set:${key}`, value])]
))];

/** What a field says, a number or a flag; what is no number gives way to what was there, and what is beyond its ends to those. @param {any} field */
export function given(field) {
  if (field.type === "checkbox") return field.checked;
  const number = field.value.trim() ? Number(field.value) : NaN;
  const value = !Number.isFinite(number) ? Number(field.defaultValue) : field.max ? Math.min(Math.max(Math.round(number), field.min), field.max) : number;
  if (value !== number) field.value = String(value);
  field.defaultValue = field.value;
  return value;
}

/** Let a field say that. @param {any} field @param {any} value */
export function put(field, value) {
  if (field.type === "checkbox") field.checked = String(value) === "true";
  else field.value = String(value);
  return given(field);
}

/** The address of a setting with what differs in its fields, its choices and flipped bits. @param {Recorded} recorded @param {[string, any][]} others
 * @param {Choices} choices @param {Iterable<string>} [flips] */
export function written({ name, format }, others, choices, flips = []) {
  const parts = new URLSearchParams({ case: name, dtype: format, ...Object.fromEntries(others), ...choices });
  for (const turned of flips) parts.append("flip", turned);
  return `#${parts}`;
}

/** A bit that an address turns, of a line that there is. @param {string} text @param {string[]} rows @returns {Flip | null} */
export function flip(text, rows) {
  const [, step, line, place, bit] = /^(\d+) (\w+) ([01]) (\d+)$/.exec(text) ?? [];
  return Number(bit) < 64 && rows.includes(`line:${line}`) ? { step: Number(step), line, place: Number(place), bit: Number(bit) } : null;
}
