/** What waits for a technician or a time. */
import { html } from "../lib/view.js";
import { dateOf, span } from "../lib/time.js";
import { STATUS } from "../lib/words.js";
import { movable } from "./actions.js";
import { beginDrag } from "./drag.js";
import { onKey } from "./keys.js";
import { label, services, Watched, watchers } from "./lanes.js";

/** @param {{ store: import("./store.js").Store, axisRef: any }} props */
export function Queue({ store, axisRef }) {
  const waiting = store.rows.get(null) ?? [];
  return html`<section class="queue" aria-label="Unassigned">
    <h2>Unassigned <span class="count">${waiting.length}</span></h2>
    ${!waiting.length && html`<p class="empty">${store.loaded ? "Everything has somebody." : "Loading…"}</p>`}
    <ul>
      ${waiting.map((it) => html`<li key=${it.id}>
        <button
          type="button"
          class=${`card visit s-${it.status} ${store.selected === it.id ? "is-selected" : ""} ${it.pending ? "is-pending" : ""} ${movable(store, it) ? "can-move" : ""}`}
          data-id=${it.id}
          aria-pressed=${store.selected === it.id}
          onClick=${() => store.set({ selected: it.id })}
          onPointerDown=${(/** @type {PointerEvent} */ event) => movable(store, it) && axisRef.current && beginDrag(store, it, axisRef.current, event)}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => onKey(store, it, event)}
        >
          <b>${it.customer.name}</b>
          <span>${services(it)}</span>
          <span class="unseen">${label(it, store.zone)}</span>
          <small>${it.scheduled
            ? `${span(it.scheduled, store.zone)}`
            : it.arrivalWindow
              ? `Wants ${dateOf(Date.parse(it.arrivalWindow.start), store.zone)}, ${span(it.arrivalWindow, store.zone)}`
              : `${STATUS[it.status]} · ${it.durationMinutes} min`} · ${it.address.address.city}</small>
          <${Watched} names=${watchers(store.presences, it.id)} />
        </button>
      </li>`)}
    </ul>
  </section>`;
}
