/** What each refusal means to somebody who books. */

/** @type {Record<string, string>} */
const REFUSALS = {
  OUT_OF_SERVICE_AREA: "That address is outside the area that we serve.",
  ADDRESS_NOT_FOUND: "We cannot find that address. Check the street and the ZIP code.",
  SLOT_TAKEN: "Somebody was faster: that time has just been taken. These times are left.",
  HOLD_EXPIRED: "Those times were offered a while ago. Here they are anew.",
  TOKEN_EXPIRED: "Those times were offered a while ago. Here they are anew.",
  OUTSIDE_HOURS: "We do not work at that time. Choose another one.",
  TECHNICIAN_UNAVAILABLE: "Nobody can come then any more. Choose another time.",
  MISSING_SKILL: "None of our technicians does all of that in one visit. Choose fewer services, or call us.",
  TENANT_CANCELLED: "This business does not take bookings online at the moment.",
  PLAN_LIMIT: "This business does not take bookings online at the moment.",
  THROTTLED: "Too many tries at once. Wait a moment and try again.",
  IDEMPOTENCY_CONFLICT: "Something changed while this was being sent. Try again.",
};
/** @type {Record<string, string>} */
const FIELDS = {
  phone: "That phone number does not look right. Write it with its area code.",
  email: "That email address does not look right.",
  name: "Tell us your name.",
  postalCode: "That ZIP code does not look right.",
  region: "Write the state as two letters, such as TX.",
  line1: "Tell us the street and number.",
};

/** @param {{ code: string, message: string, path?: string[] | null }} error */
export function words(error) {
  const field = error.path?.at(-1) ?? "";
  return REFUSALS[error.code] ?? FIELDS[field] ?? error.message;
}
