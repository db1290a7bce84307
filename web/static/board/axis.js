/** The time axis: from when to when, and where a moment lies on it. */
import { HOUR, MINUTE } from "../lib/time.js";

export const STEP = 15 * MINUTE;
const NARROWEST_HOUR = 72;

/**
 * @typedef {object} Axis
 * @property {number} start
 * @property {number} end
 * @property {number} hour pixels of an hour
 * @property {number} width
 * @property {number[]} ticks
 */

/**
 * The hours in which somebody works or has a visit, whole, and at least seven to six.
 * @param {import("./store.js").Store} store @param {number} room pixels that there are
 * @returns {Axis}
 */
export function axisOf(store, room) {
  const [low, high] = store.bounds;
  let start = low + 8 * HOUR;
  let end = low + 18 * HOUR;
  const within = (/** @type {import("./store.js").TimeWindow} */ window) => {
    start = Math.min(start, Math.max(low, Date.parse(window.start)));
    end = Math.max(end, Math.min(high, Date.parse(window.end)));
  };
  for (const lane of store.lanes) lane.working.forEach(within);
  for (const [row, items] of store.rows) {
    if (row !== null) items.forEach((it) => it.scheduled && within(it.scheduled));
  }
  start = low + Math.floor((start - low) / HOUR) * HOUR;
  end = low + Math.ceil((end - low) / HOUR) * HOUR;
  const hour = Math.max(NARROWEST_HOUR, Math.floor((room / (end - start)) * HOUR));
  const ticks = [];
  for (let at = start; at < end; at += HOUR) ticks.push(at);
  return { start, end, hour, width: ((end - start) / HOUR) * hour, ticks };
}

/** @param {Axis} axis @param {number} instant @returns {number} pixels from the left */
export const along = (axis, instant) => ((instant - axis.start) / HOUR) * axis.hour;

/** The quarter of an hour at a place on the axis. @param {Axis} axis @param {number} x */
export const instantAt = (axis, x) => axis.start + Math.round(((x / axis.hour) * HOUR) / STEP) * STEP;
