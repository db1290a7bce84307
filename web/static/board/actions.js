/** What can be done to an appointment from the board: shown at once, taken back when the server refuses. */
import { GraphQLFailure, ask } from "../lib/graphql.js";
import { clock, iso } from "../lib/time.js";
import { STATUS, refusal } from "../lib/words.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Appointment} Appointment */

/** The operation that leads to a status. @type {Record<string, string>} */
const LEADS_TO = {
  ON_THE_WAY: "AppointmentMarkOnTheWay",
  IN_PROGRESS: "AppointmentStart",
  COMPLETED: "AppointmentComplete",
  CANCELLED: "AppointmentCancel",
  NO_SHOW: "AppointmentMarkNoShow",
};
/** What the step is called on its button. @type {Record<string, string>} */
const STEP = { ON_THE_WAY: "On the way", IN_PROGRESS: "Start", COMPLETED: "Complete", CANCELLED: "Cancel visit", NO_SHOW: "No-show" };

/**
 * The steps that the appointment allows, for the buttons.
 * @param {Appointment} it @returns {{ to: string, operation: string, label: string }[]}
 */
export function steps(it) {
  return it.allowedTransitions
    .filter((to) => !["REQUESTED"].includes(to) && !(to === "SCHEDULED" && it.status === "REQUESTED"))
    .map((to) => {
      const back = to === "SCHEDULED" || (to === "IN_PROGRESS" && it.status === "COMPLETED");
      if (!back) return { to, operation: LEADS_TO[to], label: STEP[to] };
      const undo = it.status === "ON_THE_WAY" || it.status === "IN_PROGRESS";
      return { to, operation: "AppointmentReopen", label: undo ? "Back to scheduled" : "Reopen" };
    });
}

/**
 * @param {Store} store @param {Appointment} it @param {import("./store.js").Patch} patch
 * @param {string} operation @param {Record<string, unknown>} input
 * @returns {Promise<boolean>} whether it was done
 */
async function change(store, it, patch, operation, input) {
  store.assume(it.id, patch);
  try {
    const { result } = await ask(operation, { input: { appointmentId: it.id, expectedVersion: it.version, ...input } });
    // What comes with a refusal is the appointment as it is now.
    if (result.appointment) store.take(result.appointment);
    const [error] = result.userErrors;
    if (!error) return true;
    store.say("error", `#${it.number}: ${refusal(error)}`);
    if (!result.appointment && error.code === "VERSION_CONFLICT") await refresh(store, it.id);
    return false;
  } catch (failure) {
    if (!(failure instanceof GraphQLFailure)) throw failure;
    store.say("error", `#${it.number}: ${failure.message}`);
    if (failure.code === "NETWORK") store.say("error", "It may have been done all the same: the board will show it when it is back.");
    return false;
  } finally {
    store.settle(it.id);
  }
}

/** @param {Store} store @param {string} id */
async function refresh(store, id) {
  const { node } = await ask("AppointmentDetail", { id, withMessages: false, withAttachments: false });
  if (node) store.take(node);
}

/** @param {Store} store @param {Appointment} it @param {{ to: string, operation: string, label: string }} step @param {string} [reason] */
export async function take(store, it, step, reason) {
  const input = step.operation === "AppointmentMarkOnTheWay" || !reason ? {} : { reason };
  const done = await change(store, it, { status: step.to }, step.operation, input);
  if (done) store.speak(`Number ${it.number} is ${STATUS[step.to]}.`);
  return done;
}

/**
 * To another technician, another time or both.
 * @param {Store} store @param {Appointment} it @param {string | null} technicianId @param {number | null} start @param {number} [end]
 */
export async function move(store, it, technicianId, start, end) {
  const from = it.technician?.id ?? null;
  const technician = technicianId ? { id: technicianId } : null;
  const sameTime = start === null || (it.scheduled && Date.parse(it.scheduled.start) === start && (end === undefined || Date.parse(it.scheduled.end) === end));
  if (sameTime && technicianId === from) return false;
  const who = technicianId ? store.technician(technicianId)?.name : "nobody yet";
  if (sameTime || technicianId === null) {
    const done = await change(store, it, { technician }, "AppointmentAssign", { technicianId });
    if (done) store.speak(`Number ${it.number} is assigned to ${who}.`);
    return done;
  }
  const length = it.scheduled ? Date.parse(it.scheduled.end) - Date.parse(it.scheduled.start) : it.durationMinutes * 60_000;
  const scheduled = { start: iso(/** @type {number} */ (start)), end: iso(end ?? /** @type {number} */ (start) + length) };
  const input = { scheduled, ...(technicianId === from ? {} : { technicianId }) };
  const done = await change(store, it, { technician, scheduled, status: "SCHEDULED" }, "AppointmentSchedule", input);
  if (done) store.speak(`Number ${it.number} is planned for ${clock(/** @type {number} */ (start), store.zone)}, ${who}.`);
  return done;
}

/** Whether it can be given another time or technician. @param {Store} store @param {Appointment} it */
export const movable = (store, it) =>
  (it.status === "REQUESTED" || it.status === "SCHEDULED") && !it.pending && store.may("appointments:write");
