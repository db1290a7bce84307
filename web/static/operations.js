// The operations that the pages send; a test validates each against the schema.

const VISIT = `id number version status allowedTransitions durationMinutes eta
  scheduled { start end } arrivalWindow { start end }
  technician { id name } customer { name phone } lines { service { name } }`;

export const LOG_IN = `mutation LogIn($input: LogInInput!) {
  logIn(input: $input) { viewer { scopes } userErrors { code message } } }`;

export const LOG_OUT = `mutation LogOut { logOut { userErrors { code } } }`;

export const WHO = `query Who { viewer { scopes } }`;

export const VIEWER = `query Viewer { viewer { scopes tenant { name } } locations { id timeZone } }`;

export const BOARD = `query Board($day: Date!) { dispatchBoard(day: $day) { day cursor
  lanes { technician { id name color } working { start end } appointments { ${VISIT} } }
  unassigned { ${VISIT} } } }`;

export const EVENTS = `subscription Events($after: String) { appointmentEvents(after: $after) {
  cursor type actor appointment { ${VISIT} } } }`;

export const DETAIL = `query Detail($id: ID!) { node(id: $id) { ... on Appointment { ${VISIT} notes
  address { address { line1 city postalCode } }
  history { type actor occurredAt } messages { event channel state reason sendAt } } } }`;

export const SCHEDULE = `mutation Schedule($input: AppointmentScheduleInput!) {
  appointmentSchedule(input: $input) { appointment { id version } userErrors { code message } } }`;

export const MOVES = Object.fromEntries([
  ["ON_THE_WAY", "appointmentMarkOnTheWay", "AppointmentMarkOnTheWayInput", "On the way"],
  ["IN_PROGRESS", "appointmentStart", "AppointmentTransitionInput", "Start"],
  ["COMPLETED", "appointmentComplete", "AppointmentTransitionInput", "Complete"],
  ["CANCELLED", "appointmentCancel", "AppointmentTransitionInput", "Cancel"],
  ["NO_SHOW", "appointmentMarkNoShow", "AppointmentTransitionInput", "No-show"],
  ["REOPEN", "appointmentReopen", "AppointmentTransitionInput", "Undo or reopen"],
].map(([status, field, type, label]) => [status, {
  label,
  query: `mutation Move($input: ${type}!) { it: ${field}(input: $input) { appointment { id } userErrors { code message } } }`,
}]));
