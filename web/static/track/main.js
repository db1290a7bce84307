/** What a customer follows through the link in a message: where the visit stands, and the van while it is on the way. */
import { html, render } from "../lib/view.js";
import { connect } from "../lib/live.js";
import { clock, dateOf, span, zoneName } from "../lib/time.js";

const token = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
const STEPS = ["SCHEDULED", "ON_THE_WAY", "IN_PROGRESS", "COMPLETED"];
/** @type {Record<string, string>} */
const STEP = { SCHEDULED: "Booked", ON_THE_WAY: "On the way", IN_PROGRESS: "Here", COMPLETED: "Done" };
const OVER = new Set(["IN_PROGRESS", "COMPLETED", "CANCELLED", "NO_SHOW"]);
const MOST_TRAIL = 60;

/** @type {any} */
let visit = null;
/** @type {"connecting" | "live" | "retrying" | "ended" | "wrong"} */
let state = "connecting";
/** @type {{ latitude: number, longitude: number }[]} */
let trail = [];

/** 9:30 AM CST: on the clock at the visit, named, since whoever waits for it may be elsewhere. @param {string} instant @param {string} zone */
const namedClock = (instant, zone) => `${clock(Date.parse(instant), zone)} ${zoneName(Date.parse(instant), zone)}`;

/** @param {any} it */
function headline(it) {
  const who = it.technicianName ?? "Your technician";
  switch (it.status) {
    case "REQUESTED": return "We have your request, and will confirm a time.";
    case "SCHEDULED": return "Your visit is booked.";
    case "ON_THE_WAY": return it.eta ? `${who} is on the way and should be there at ${namedClock(it.eta, it.timeZone)}.` : `${who} is on the way.`;
    case "IN_PROGRESS": return `${who} has arrived.`;
    case "COMPLETED": return "All done. Thank you!";
    case "CANCELLED": return "This visit was cancelled.";
    case "NO_SHOW": return "We missed each other. Please call to find a new time.";
    default: return "";
  }
}

/** The way of the last minutes, with the van at its end; no map of anybody else's is asked for. */
function Van() {
  const last = trail.at(-1);
  if (!last) return null;
  const k = Math.cos((last.latitude * Math.PI) / 180);
  const reach = Math.max(0.004, ...trail.map((point) => Math.max(Math.abs(point.latitude - last.latitude), Math.abs(point.longitude - last.longitude) * k)));
  const at = (/** @type {any} */ point) => [200 + (((point.longitude - last.longitude) * k) / reach) * 85, 110 - ((point.latitude - last.latitude) / reach) * 85].map((n) => n.toFixed(1));
  const km = (85 / reach) / 111.32;
  const rings = [0.5, 1, 2, 5, 10, 20, 50].filter((length) => length * km > 26 && length * km < 190).slice(0, 3);
  return html`<figure><svg viewBox="0 0 400 220" role="img" aria-label=${`The van is at ${last.latitude.toFixed(3)}, ${last.longitude.toFixed(3)}`}>
    ${rings.map((length) => html`<g class="ring"><circle cx="200" cy="110" r=${length * km} /><text x="200" y=${110 - length * km - 3}>${length} km</text></g>`)}
    <polyline points=${trail.map((point) => at(point).join()).join(" ")} />
    <g class="pin"><circle cx="200" cy="110" r="15" /><path d="M191 115v-8h11v8zm11-5h5l3 3v2h-8z" /></g>
    <text class="north" x="384" y="22">N ↑</text>
  </svg><figcaption><a href=${`geo:${last.latitude},${last.longitude}`}>Open where the van is in your map app</a></figcaption></figure>`;
}

function Page() {
  if (state === "wrong") {
    return html`<section class="sheet"><h1>This link does not work any more</h1><p>Links to a visit end some time after it. Call the business if you need to know more.</p></section>`;
  }
  if (!visit) return html`<p class="first" role="status">${state === "retrying" ? "No connection. Trying again…" : "Looking for your visit…"}</p>`;
  const reached = STEPS.indexOf(visit.status);
  return html`<section class="sheet">
    <p class="business">${visit.businessName}</p>
    <h1 role="status" aria-live="polite">${headline(visit)}</h1>
    ${reached >= 0 && html`<ol class="steps" aria-label="Progress">${STEPS.map((step, at) => html`<li key=${step} class=${at < reached ? "is-done" : at === reached ? "is-now" : ""} aria-current=${at === reached ? "step" : undefined}>${STEP[step]}</li>`)}</ol>`}
    ${visit.status === "ON_THE_WAY" && html`<${Van} />`}
    <dl>
      ${visit.arrivalWindow && !OVER.has(visit.status) && html`<dt>Arrival</dt><dd>${dateOf(Date.parse(visit.arrivalWindow.start), visit.timeZone)}, ${span(visit.arrivalWindow, visit.timeZone)} ${zoneName(Date.parse(visit.arrivalWindow.start), visit.timeZone)}</dd>`}
      ${visit.technicianName && html`<dt>Technician</dt><dd>${visit.technicianName}</dd>`}
      <dt>Work</dt><dd>${visit.serviceNames.join(", ")}</dd>
    </dl>
    ${visit.businessPhone && html`<a class="button primary call" href=${`tel:${visit.businessPhone}`}>Call ${visit.businessPhone}</a>`}
    <p class="line" role="status">${OVER.has(visit.status) ? "" : state === "live" ? "Updates by itself." : "No connection: this may be out of date. Trying again…"}</p>
  </section>`;
}

const draw = () => render(html`<${Page} />`, root);
const line = connect((now) => {
  if (state === "wrong" || state === "ended") return;
  state = now === "ended" ? "wrong" : now;
  draw();
});
line.follow("TrackedVisit", { token }, {
  next: (data) => {
    visit = data.trackedVisit;
    document.title = `${visit.businessName}: ${headline(visit)}`;
    const last = trail.at(-1);
    if (visit.position && (last?.latitude !== visit.position.latitude || last?.longitude !== visit.position.longitude)) {
      trail = [...trail, visit.position].slice(-MOST_TRAIL);
    }
    if (!visit.position) trail = [];
    draw();
  },
  refused: () => {
    state = "wrong";
    draw();
  },
  complete: () => {
    state = "ended";
    line.close();
    draw();
  },
});
draw();
