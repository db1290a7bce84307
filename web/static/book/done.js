/** The confirmation. */
import { html } from "../lib/view.js";
import { longDate, span, zoneName } from "../lib/time.js";
import { calendarFile } from "./calendar.js";

/** @param {{ portal: any, state: any, heading: any, framed: boolean }} props */
export function Done({ portal, state, heading, framed }) {
  const { appointmentNumber: number, arrivalWindow: window_, trackingToken } = state.booked;
  const start = Date.parse(window_.start);
  const services = portal.services.filter((/** @type {any} */ each) => state.chosen.has(each.id)).map((/** @type {any} */ each) => each.name);
  const { line1, city, region, postalCode } = state.address;
  const address = `${line1}, ${city}, ${region.toUpperCase()} ${postalCode}`;
  const path = `/track/${encodeURIComponent(trackingToken)}`;
  const save = () => {
    const text = calendarFile({ number, window: window_, business: portal.name, services, address, url: new URL(path, location.origin).href });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/calendar" }));
    link.download = `visit-${number}.ics`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return html`<div class="book done">
    <p class="tick" aria-hidden="true">✓</p>
    <h1 tabindex="-1" ref=${heading}>You are booked</h1>
    <dl>
      <dt>When</dt><dd><b>${longDate(start, portal.timeZone)}</b><br />${span(window_, portal.timeZone)} ${zoneName(start, portal.timeZone)}</dd>
      <dt>What</dt><dd>${services.join(", ")}</dd>
      <dt>Where</dt><dd>${address}</dd>
      <dt>Number</dt><dd>${number}</dd>
    </dl>
    ${state.busy && state.photos.length > 0 && html`<p role="status">Sending your photos…</p>`}
    ${state.photoTrouble.map((/** @type {string} */ text) => html`<p class="wrong" role="alert">${text} The visit is booked all the same.</p>`)}
    <p class="next"><button type="button" onClick=${save}>Add to calendar</button><a class="button primary" href=${path} target=${framed ? "_blank" : undefined} rel="noopener">Follow your visit</a></p>
    ${portal.phone && html`<p class="hint">To change it, call ${portal.name}: <a href=${`tel:${portal.phone}`}>${portal.phone}</a></p>`}
  </div>`;
}
