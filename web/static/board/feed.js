/** What has just happened, newest first. */
import { html } from "../lib/view.js";
import { clock } from "../lib/time.js";
import { plain } from "../lib/words.js";

/** @param {{ store: import("./store.js").Store }} props */
export function Feed({ store }) {
  return html`<section class="feed" aria-label="Activity">
    <h2>Activity</h2>
    ${!store.feed.length && html`<p class="empty">Nothing yet. What happens appears here at once.</p>`}
    <ol>
      ${store.feed.map((event) => html`<li key=${event.cursor}>
        <button type="button" onClick=${() => store.set({ selected: event.appointment.id })}>
          <time datetime=${event.occurredAt}>${clock(Date.parse(event.occurredAt), store.zone)}</time>
          <span><b>#${event.appointment.number}</b> ${plain(event.type)}${event.appointment.technician ? ` · ${store.technician(event.appointment.technician.id)?.name ?? ""}` : ""}</span>
        </button>
      </li>`)}
    </ol>
  </section>`;
}
