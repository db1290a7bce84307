/**
 * What the board knows: the day as the server told it, events on top, and what has been asked for but not answered yet.
 *
 * Components read it and are told of changes once a frame, however many events came in between.
 */
import { dayBounds } from "../lib/time.js";

/** @typedef {{ start: string, end: string }} TimeWindow */
/**
 * @typedef {object} Appointment
 * @property {string} id
 * @property {number} number
 * @property {number} version
 * @property {string} status
 * @property {string[]} allowedTransitions
 * @property {number} durationMinutes
 * @property {TimeWindow | null} scheduled
 * @property {TimeWindow | null} arrivalWindow
 * @property {string | null} eta
 * @property {{ id: string, timeZone: string }} location
 * @property {{ id: string, name: string }} customer
 * @property {{ id: string, address: any }} address
 * @property {{ id: string } | null} technician
 * @property {{ quantity: number, service: { id: string, name: string, requiredSkills: string[] } }[]} lines
 * @property {boolean} [pending] asked for, not answered
 */
/** @typedef {{ technician: any, working: TimeWindow[] }} Lane */
/** @typedef {Partial<Pick<Appointment, "technician" | "scheduled" | "status">>} Patch */

const PLACEABLE = new Set(["REQUESTED", "SCHEDULED"]);
const FEED_LENGTH = 60;

export class Store {
  constructor() {
    this.day = "";
    this.zone = "UTC";
    /** @type {[number, number]} */
    this.bounds = [0, 0];
    /** @type {string | null} */
    this.locationId = null;
    /** @type {any[]} */
    this.locations = [];
    /** @type {any} */
    this.viewer = null;
    /** @type {Set<string>} */
    this.features = new Set();
    /** @type {Lane[]} */
    this.lanes = [];
    /** @type {Map<string, Appointment>} */
    this.appointments = new Map();
    /** @type {Map<string, Patch>} */
    this.patches = new Map();
    /** @type {Map<string, any>} */
    this.positions = new Map();
    /** @type {Map<string, any[]>} */
    this.presences = new Map();
    /** @type {any[]} */
    this.feed = [];
    /** @type {"loading" | "connecting" | "live" | "retrying" | "failed"} */
    this.connection = "loading";
    this.heardAt = 0;
    /** @type {string | null} */
    this.selected = null;
    /** @type {{ id: string, technicianId: string | null, start: number } | null} */
    this.moving = null;
    /** @type {{ id: number, kind: string, text: string }[]} */
    this.notices = [];
    this.spoken = "";
    /** @type {Map<string | null, Appointment[]>} */
    this.rows = new Map();
    this.loaded = false;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.due = false;
    this.noticeCount = 0;
    this.failure = "";
    /** When something was last heard of the messages of an appointment. @type {Map<string, number>} */
    this.messagesAt = new Map();
  }

  /** @param {() => void} listener @returns {() => void} */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tell the components, in the next frame; a page that nobody looks at has no frames. */
  changed() {
    if (this.due) return;
    this.due = true;
    const tell = () => {
      this.due = false;
      for (const listener of this.listeners) listener();
    };
    if (document.hidden) setTimeout(tell, 200);
    else requestAnimationFrame(tell);
  }

  /** @param {Record<string, unknown>} values */
  set(values) {
    Object.assign(this, values);
    this.changed();
  }

  /** Take a whole board. @param {any} board */
  load(board) {
    this.bounds = dayBounds(board.day, this.zone);
    this.lanes = board.lanes.map((/** @type {any} */ lane) => ({ technician: lane.technician, working: lane.working }));
    this.appointments = new Map();
    for (const lane of board.lanes) {
      for (const each of lane.appointments) this.appointments.set(each.id, each);
      if (lane.position) this.positions.set(lane.technician.id, lane.position);
    }
    for (const each of board.unassigned) this.appointments.set(each.id, each);
    this.loaded = true;
    this.sort();
    this.changed();
  }

  /** Whether it belongs to what is shown. @param {Appointment} it */
  shows(it) {
    if (this.locationId && it.location.id !== this.locationId) return false;
    if (!it.scheduled) return PLACEABLE.has(it.status);
    const today = Date.parse(it.scheduled.start) < this.bounds[1] && Date.parse(it.scheduled.end) > this.bounds[0];
    if (!today) return false;
    return it.technician ? it.status !== "CANCELLED" : PLACEABLE.has(it.status);
  }

  /** Take an appointment as it is now, unless a later state of it is known. @param {Appointment} it */
  take(it) {
    const known = this.appointments.get(it.id);
    if (known && known.version > it.version) return;
    if (known || this.shows(it)) this.appointments.set(it.id, it);
    this.sort();
    this.changed();
  }

  /** @param {any} event */
  happened(event) {
    this.heardAt = Date.now();
    this.feed = [event, ...this.feed].slice(0, FEED_LENGTH);
    this.take(event.appointment);
  }

  /** Show it as if it were done already. @param {string} id @param {Patch} patch */
  assume(id, patch) {
    this.patches.set(id, patch);
    this.sort();
    this.changed();
  }

  /** The answer is there: what was assumed goes, whether it came true or not. @param {string} id */
  settle(id) {
    this.patches.delete(id);
    this.sort();
    this.changed();
  }

  /** @param {string} id @returns {Appointment | undefined} as it is shown */
  get(id) {
    const it = this.appointments.get(id);
    const patch = this.patches.get(id);
    return it && patch ? { ...it, ...patch, pending: true } : it;
  }

  /** Who is in which row. Rows that have not changed stay the same array, so that they need not be drawn again. */
  sort() {
    /** @type {Map<string | null, Appointment[]>} */
    const rows = new Map();
    for (const id of this.appointments.keys()) {
      const it = /** @type {Appointment} */ (this.get(id));
      if (!this.shows(it)) continue;
      const row = it.scheduled || !it.technician ? (it.technician?.id ?? null) : null;
      const found = rows.get(row);
      if (found) found.push(it);
      else rows.set(row, [it]);
    }
    for (const [row, found] of rows) {
      found.sort((a, b) => (a.scheduled?.start ?? "").localeCompare(b.scheduled?.start ?? "") || a.number - b.number);
      const known = this.rows.get(row);
      if (known?.length === found.length && found.every((it, at) => !it.pending && it === known[at])) rows.set(row, known);
    }
    this.rows = rows;
  }

  /** @param {string} kind "error" or "done" @param {string} text */
  say(kind, text) {
    const id = ++this.noticeCount;
    this.notices = [...this.notices, { id, kind, text }].slice(-4);
    setTimeout(() => this.set({ notices: this.notices.filter((notice) => notice.id !== id) }), kind === "error" ? 9_000 : 4_000);
    this.changed();
  }

  /** For screen readers. @param {string} text */
  speak(text) {
    this.set({ spoken: text });
  }

  /** @param {string} scope */
  may(scope) {
    return Boolean(this.viewer?.scopes.includes(scope));
  }

  /** @param {string | null | undefined} id */
  technician(id) {
    return this.lanes.find((lane) => lane.technician.id === id)?.technician;
  }
}
