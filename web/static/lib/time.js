/** Dates and times of a place: everything is counted in milliseconds UTC and shown on the place's own clock. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} zone @param {Intl.DateTimeFormatOptions} options */
function format(zone, options) {
  const key = zone + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat("en-US", { timeZone: zone, ...options })));
  return found;
}

/** 9:30 AM. @param {number} instant @param {string} zone */
export const clock = (instant, zone) => format(zone, { hour: "numeric", minute: "2-digit" }).format(instant);
/** 9 AM. @param {number} instant @param {string} zone */
export const hourOf = (instant, zone) => format(zone, { hour: "numeric" }).format(instant);
/** Tue, Nov 24. @param {number} instant @param {string} zone */
export const dateOf = (instant, zone) => format(zone, { weekday: "short", month: "short", day: "numeric" }).format(instant);
/** Tuesday, November 24. @param {number} instant @param {string} zone */
export const longDate = (instant, zone) => format(zone, { weekday: "long", month: "long", day: "numeric" }).format(instant);
/** Nov 24, 9:30 AM. @param {number} instant @param {string} zone */
export const moment = (instant, zone) =>
  format(zone, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" }).format(instant);
/** CST. @param {number} instant @param {string} zone */
export const zoneName = (instant, zone) =>
  format(zone, { timeZoneName: "short" }).formatToParts(instant).find((part) => part.type === "timeZoneName")?.value ?? zone;

/** The parts of a moment on a place's clock. @param {number} instant @param {string} zone @returns {Record<string, string>} */
function parts(instant, zone) {
  const made = format(zone, {
    hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).formatToParts(instant);
  return Object.fromEntries(made.map((part) => [part.type, part.value]));
}

/** The date there: 2026-11-24. @param {number} instant @param {string} zone */
export function localDate(instant, zone) {
  const p = parts(instant, zone);
  return `${p.year}-${p.month}-${p.day}`;
}

/** The time there: 09:30. @param {number} instant @param {string} zone */
export function localTime(instant, zone) {
  const p = parts(instant, zone);
  return `${p.hour}:${p.minute}`;
}

/**
 * The moment at which a place's clock shows a date and time; where the clocks go forward, the one after the gap.
 * @param {string} date 2026-11-24 @param {string} time 09:30 @param {string} zone
 */
export function instantOf(date, time, zone) {
  const wall = Date.parse(`${date}T${time}:00Z`);
  const offset = (/** @type {number} */ at) => {
    const p = parts(at, zone);
    return Date.parse(`${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}:${p.second}Z`) - Math.floor(at / 1000) * 1000;
  };
  const guess = wall - offset(wall);
  return wall - offset(guess);
}

/** Another date. @param {string} date @param {number} days */
export const addDays = (date, days) => new Date(Date.parse(`${date}T12:00:00Z`) + days * 24 * HOUR).toISOString().slice(0, 10);

/** From midnight to midnight there, which may be 23 or 25 hours. @param {string} date @param {string} zone */
export const dayBounds = (date, zone) => /** @type {[number, number]} */ ([
  instantOf(date, "00:00", zone), instantOf(addDays(date, 1), "00:00", zone),
]);

/** 2:15 PM – 3:15 PM. @param {{ start: string, end: string }} window @param {string} zone */
export const span = (window, zone) => `${clock(Date.parse(window.start), zone)} – ${clock(Date.parse(window.end), zone)}`;
/** As the API takes it. @param {number} instant */
export const iso = (instant) => new Date(instant).toISOString();
