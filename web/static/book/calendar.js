/** A file that puts the visit into the customer's calendar (RFC 5545). */

/** 20261124T143000Z. @param {string} instant */
const stamp = (instant) => new Date(instant).toISOString().replace(/[-:]|\.\d{3}/g, "");
/** @param {string} text */
const escaped = (text) => text.replace(/[\\;,]/g, "\\$&").replace(/\r?\n/g, "\\n");

/** Lines of at most 75 bytes, as the standard wants. @param {string} line */
function folded(line) {
  const bytes = new TextEncoder();
  const parts = [""];
  for (const letter of line) {
    if (bytes.encode(parts[parts.length - 1] + letter).length > 73) parts.push("");
    parts[parts.length - 1] += letter;
  }
  return parts.join("\r\n ");
}

/**
 * @param {{ number: number, window: { start: string, end: string }, business: string, services: string[], address: string, url: string }} visit
 * @returns {string}
 */
export function calendarFile(visit) {
  return [
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Service Pro Stream//Booking//EN", "METHOD:PUBLISH", "BEGIN:VEVENT",
    `UID:visit-${visit.number}-${stamp(visit.window.start)}@${location.hostname}`,
    `DTSTAMP:${stamp(new Date().toISOString())}`,
    `DTSTART:${stamp(visit.window.start)}`,
    `DTEND:${stamp(visit.window.end)}`,
    `SUMMARY:${escaped(`${visit.business}: ${visit.services.join(", ")}`)}`,
    `LOCATION:${escaped(visit.address)}`,
    `DESCRIPTION:${escaped(`The technician arrives within this window. Follow the visit: ${visit.url}`)}`,
    `URL:${visit.url}`,
    "END:VEVENT", "END:VCALENDAR", "",
  ].map(folded).join("\r\n");
}
