/** What can be booked, with options and what it comes to. */
import { html, useState } from "../lib/view.js";
import { price } from "../lib/words.js";

const FEW = 8;

/** 1 h 15 min. @param {number} minutes */
const length = (minutes) => [Math.floor(minutes / 60) ? `${Math.floor(minutes / 60)} h` : "", minutes % 60 ? `${minutes % 60} min` : ""].filter(Boolean).join(" ");

/** @param {{ portal: any, chosen: Map<string, Set<string>>, onChange: () => void, onNext: () => void }} props */
export function Services({ portal, chosen, onChange, onNext }) {
  const [wanted, setWanted] = useState("");
  const parts = portal.services.filter((/** @type {any} */ each) => chosen.has(each.id)).flatMap((/** @type {any} */ each) => [
    each, ...each.options.filter((/** @type {any} */ option) => chosen.get(each.id)?.has(option.id)),
  ]);
  const currency = portal.services[0]?.price.currency ?? "USD";
  const amount = parts.reduce((/** @type {number} */ sum, /** @type {any} */ part) => sum + Math.round(Number(part.price.amount) * 100), 0) / 100;
  const minutes = parts.reduce((/** @type {number} */ sum, /** @type {any} */ part) => sum + part.durationMinutes, 0);
  const shown = portal.services.filter((/** @type {any} */ each) => chosen.has(each.id) || `${each.name} ${each.description ?? ""}`.toLowerCase().includes(wanted.toLowerCase()));
  return html`<form onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); if (chosen.size) onNext(); }}>
    ${portal.services.length > FEW && html`<label>Find a service <input type="search" value=${wanted} onInput=${(/** @type {any} */ event) => setWanted(event.target.value)} /></label>`}
    <ul class="services">${shown.map((/** @type {any} */ each) => html`<li key=${each.id} class=${chosen.has(each.id) ? "is-chosen" : ""}>
      <label><input type="checkbox" checked=${chosen.has(each.id)} onChange=${(/** @type {any} */ event) => {
        if (event.target.checked) chosen.set(each.id, new Set());
        else chosen.delete(each.id);
        onChange();
      }} /><span class="what"><b>${each.name}</b><small>${each.description}</small></span><span class="cost">${price(each.price)}<small>${length(each.durationMinutes)}</small></span></label>
      ${chosen.has(each.id) && each.options.length > 0 && html`<ul>${each.options.map((/** @type {any} */ option) => html`<li key=${option.id}><label><input type="checkbox" checked=${chosen.get(each.id)?.has(option.id)} onChange=${(/** @type {any} */ event) => {
        // One option of a service at most.
        chosen.set(each.id, new Set(event.target.checked ? [option.id] : []));
        onChange();
      }} /><span class="what">${option.name}</span><span class="cost">+ ${price(option.price)}</span></label></li>`)}</ul>`}
    </li>`)}</ul>
    ${!shown.length && html`<p class="empty">Nothing like that. Call us and ask.</p>`}
    <p class="next"><output aria-live="polite">${parts.length ? `${price({ amount: String(amount), currency })} · about ${length(minutes)}` : "Nothing chosen yet"}</output><button class="primary" disabled=${!chosen.size}>Next</button></p>
  </form>`;
}
