/** One appointment: who, where, when, what can be done, who else has it open, what happened and what was sent. */
import { GraphQLFailure, ask } from "../lib/graphql.js";
import { Fragment, html, useEffect, useRef, useState } from "../lib/view.js";
import { dateOf, instantOf, localDate, localTime, moment, span } from "../lib/time.js";
import { STATUS, plain, price } from "../lib/words.js";
import { movable, move, steps, take } from "./actions.js";
import { pickUp } from "./keys.js";
import { Suggestions } from "./suggestions.js";

const SAY_AGAIN_MS = 15_000;

/** @param {{ store: import("./store.js").Store, id: string }} props */
export function Panel({ store, id }) {
  const it = store.get(id);
  const [detail, setDetail] = useState(/** @type {any} */ (null));
  const [failure, setFailure] = useState("");
  const heading = useRef(/** @type {any} */ (null));
  const version = it?.version;

  useEffect(() => heading.current?.focus(), [id]);
  useEffect(() => {
    let wanted = true;
    const variables = { id, withMessages: store.may("messages:read"), withAttachments: store.may("attachments:read") };
    ask("AppointmentDetail", variables).then(
      ({ node }) => {
        if (!wanted) return;
        setDetail(node);
        setFailure(node ? "" : "This appointment is not there any more.");
      },
      (error) => wanted && setFailure(error instanceof GraphQLFailure ? error.message : String(error)),
    );
    return () => {
      wanted = false;
    };
  }, [id, version, store.messagesAt?.get(id)]);
  usePresence(store, id);

  const shown = it ?? (detail?.id === id ? detail : null);
  const colleagues = (store.presences.get(id) ?? []).filter((each) => each.userId !== store.viewer?.user?.id);
  const whole = detail?.id === id ? detail : null;
  return html`<aside class="panel" aria-label="Appointment">
    <header>
      <h2 tabindex="-1" ref=${heading}>${shown ? `#${shown.number} ${shown.customer.name}` : "Appointment"}</h2>
      <button type="button" class="close" aria-label="Close" onClick=${() => store.set({ selected: null })}>✕</button>
    </header>
    ${failure && html`<p class="wrong" role="alert">${failure}</p>`}
    ${colleagues.length > 0 && html`<p class="colleagues" role="status">${colleagues.map((each) => each.name).join(", ")} ${colleagues.length === 1 ? "has" : "have"} this open too.</p>`}
    ${shown && html`<${Fragment}>
      <p><span class=${`badge s-${shown.status}`}>${STATUS[shown.status]}</span>${shown.pending ? html` <span class="saving">Saving…</span>` : ""}</p>
      <dl>
        <dt>When</dt>
        <dd>${shown.scheduled ? `${dateOf(Date.parse(shown.scheduled.start), store.zone)}, ${span(shown.scheduled, store.zone)}` : "No time yet"}</dd>
        ${shown.arrivalWindow && html`<dt>Promised</dt><dd>${span(shown.arrivalWindow, store.zone)}</dd>`}
        <dt>Who</dt><dd>${shown.technician ? (store.technician(shown.technician.id)?.name ?? "Somebody of another location") : "Nobody yet"}</dd>
        <dt>Where</dt><dd>${shown.address.address.line1}, ${shown.address.address.city} ${shown.address.address.postalCode}</dd>
        <dt>What</dt>
        <dd><ul>${(whole ?? shown).lines.map((/** @type {any} */ line) => html`<li>${line.quantity > 1 ? `${line.quantity} × ` : ""}${line.service.name}${line.option ? ` (${line.option.name})` : ""}${line.unitPrice ? html` <span class="price">${price(line.unitPrice)}</span>` : ""}</li>`)}</ul></dd>
        ${whole && html`<${Fragment}>
          <dt>Total</dt><dd>${price(whole.total)}</dd>
          ${whole.customer.phone && html`<${Fragment}><dt>Phone</dt><dd><a href=${`tel:${whole.customer.phone}`}>${whole.customer.phone}</a></dd></${Fragment}>`}
          ${whole.notes && html`<${Fragment}><dt>Notes</dt><dd>${whole.notes}</dd></${Fragment}>`}
          ${whole.internalNotes && html`<${Fragment}><dt>Internal</dt><dd>${whole.internalNotes}</dd></${Fragment}>`}
        </${Fragment}>`}
      </dl>
      <${Steps} store=${store} it=${shown} />
      ${movable(store, shown) && html`<${Plan} key=${`${id}-${shown.version}`} store=${store} it=${shown} />`}
      ${movable(store, shown) && store.features.has("query.technicianSuggestions") && html`<${Suggestions} key=${`s-${id}-${shown.version}`} store=${store} it=${shown} />`}
    </${Fragment}>`}
    ${whole?.attachments?.length > 0 && html`<section><h3>Files</h3><ul class="files">${whole.attachments.map((/** @type {any} */ file) => html`<li key=${file.id}>
      <a href=${file.url} target="_blank" rel="noopener">${file.thumbnailUrl ? html`<img src=${file.thumbnailUrl} alt="" loading="lazy" />` : ""}${file.fileName}</a></li>`)}</ul></section>`}
    ${whole?.messages && html`<section><h3>Messages</h3>
      ${!whole.messages.length && html`<p class="empty">None planned.</p>`}
      <ul class="ledger">${whole.messages.map((/** @type {any} */ message) => html`<li key=${message.id}>
        <details><summary><b>${plain(message.event)}</b> by ${message.channel === "SMS" ? "text" : "email"} <span class=${`state m-${message.state}`}>${plain(message.state)}</span>
        <small>${moment(Date.parse(message.deliveredAt ?? message.sentAt ?? message.sendAt), store.zone)}${message.reason ? ` · ${plain(message.reason)}` : ""}</small></summary>
        <p>${message.to}</p><p class="body">${message.body}</p></details></li>`)}</ul></section>`}
    ${whole && html`<section><h3>History</h3><ol class="history">${[...whole.history].reverse().map((/** @type {any} */ event) => html`<li key=${event.cursor}>
      <b>${plain(event.type)}</b> <small>${moment(Date.parse(event.occurredAt), store.zone)} · ${event.actor}</small></li>`)}</ol></section>`}
  </aside>`;
}

/** @param {{ store: import("./store.js").Store, it: any }} props */
function Steps({ store, it }) {
  const [asking, setAsking] = useState(/** @type {any} */ (null));
  const possible = steps(it).filter((step) => store.may(step.to === "CANCELLED" ? "appointments:write" : "appointments:progress"));
  if (!possible.length) return null;
  if (asking) {
    return html`<form class="plan" onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      setAsking(null);
      void take(store, it, asking, event.target.reason.value.trim());
    }}>
      <label>Why? <input name="reason" maxlength="500" autofocus /></label>
      <div class="row"><button class="danger">${asking.label}</button><button type="button" onClick=${() => setAsking(null)}>Leave it</button></div>
    </form>`;
  }
  return html`<div class="steps" role="group" aria-label="Status">
    ${possible.map((step) => html`<button
      key=${step.to} type="button" disabled=${it.pending}
      class=${step.to === "CANCELLED" || step.to === "NO_SHOW" ? "danger" : step.operation === "AppointmentReopen" ? "" : "primary"}
      onClick=${() => (step.to === "CANCELLED" ? setAsking(step) : void take(store, it, step))}
    >${step.label}</button>`)}
  </div>`;
}

/** Another time or technician, as a form. @param {{ store: import("./store.js").Store, it: any }} props */
function Plan({ store, it }) {
  const start = it.scheduled ? Date.parse(it.scheduled.start) : it.arrivalWindow ? Date.parse(it.arrivalWindow.start) : null;
  const length = it.scheduled ? (Date.parse(it.scheduled.end) - Date.parse(it.scheduled.start)) / 60_000 : it.durationMinutes;
  return html`<form class="plan" aria-label="Plan" onSubmit=${(/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.target;
    const at = form.time.value ? instantOf(form.date.value, form.time.value, store.zone) : null;
    void move(store, it, form.technician.value || null, at, at === null ? undefined : at + Number(form.length.value) * 60_000);
  }}>
    <label>Technician
      <select name="technician">
        <option value="" selected=${!it.technician}>Nobody yet</option>
        ${store.lanes.map((lane) => html`<option key=${lane.technician.id} value=${lane.technician.id} selected=${it.technician?.id === lane.technician.id}>${lane.technician.name}</option>`)}
      </select>
    </label>
    <div class="row">
      <label>Date <input type="date" name="date" required value=${start === null ? store.day : localDate(start, store.zone)} /></label>
      <label>Start <input type="time" name="time" step="300" value=${start === null ? "" : localTime(start, store.zone)} required=${Boolean(it.scheduled)} /></label>
      <label>Minutes <input type="number" name="length" min="5" max="1440" step="5" value=${length} /></label>
    </div>
    <div class="row">
      <button class="primary">${it.scheduled ? "Reschedule" : "Schedule"}</button>
      <button type="button" class="quiet" onClick=${() => {
        pickUp(store, it);
        /** @type {HTMLElement | null} */ (document.querySelector(`.visit[data-id="${it.id}"]`))?.focus();
      }}>Move with arrow keys</button>
    </div>
  </form>`;
}

/** Tell colleagues that it is open here, for as long as it is. @param {import("./store.js").Store} store @param {string} id */
function usePresence(store, id) {
  useEffect(() => {
    if (!store.features.has("mutation.appointmentPresence") || !store.may("appointments:write")) return undefined;
    const say = (/** @type {boolean} */ editing) =>
      ask("Presence", { input: { appointmentId: id, editing } }).catch((error) => {
        // Colleagues not seeing it hurts nobody: the board itself shows when the line is down.
        if (!(error instanceof GraphQLFailure)) throw error;
      });
    void say(true);
    const timer = setInterval(() => void say(true), SAY_AGAIN_MS);
    return () => {
      clearInterval(timer);
      void say(false);
    };
  }, [id]);
}
