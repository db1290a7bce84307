/** What codes of the API are called on the pages. */

/** @type {Record<string, string>} */
export const STATUS = {
  REQUESTED: "Requested",
  SCHEDULED: "Scheduled",
  ON_THE_WAY: "On the way",
  IN_PROGRESS: "In progress",
  COMPLETED: "Completed",
  CANCELLED: "Cancelled",
  NO_SHOW: "No-show",
};

/** @type {Record<string, string>} */
const REFUSALS = {
  SLOT_TAKEN: "That time is taken: the technician has another visit then.",
  VERSION_CONFLICT: "Somebody changed this appointment a moment ago. You see it as it is now.",
  INVALID_TRANSITION: "That step is not possible from where the appointment stands now.",
  TECHNICIAN_UNAVAILABLE: "The technician is not available then.",
  MISSING_SKILL: "The technician lacks a skill that this job needs.",
  INVALID_CREDENTIALS: "The email address or the password is wrong.",
  TENANT_CANCELLED: "This account is cancelled: it can be read, but not changed.",
  PLAN_LIMIT: "Your plan does not include that.",
};

/** A refusal in words. @param {{ code: string, message: string }} error */
export const refusal = (error) => REFUSALS[error.code] ?? error.message;

/** sending_failed → Sending failed. @param {string} code */
export const plain = (code) => {
  const text = code.toLowerCase().replaceAll("_", " ");
  return (text[0].toUpperCase() + text.slice(1)).replace(/^(Eta|Api|Totp)\b/, (word) => word.toUpperCase());
};

/** $129.00. @param {{ amount: string, currency: string }} money */
export const price = (money) =>
  new Intl.NumberFormat("en-US", { style: "currency", currency: money.currency }).format(Number(money.amount));
