/** One location's booking page on the business's own sites: the line that puts it there, and which sites may have it. */
import { html } from "../lib/view.js";
import { useDoing } from "./doing.js";

/** @param {{ place: any, may: boolean }} props */
export function Sites({ place, may }) {
  const { busy, send, Said } = useDoing();
  const save = (/** @type {any} */ event) => {
    event.preventDefault();
    const { sites } = event.target;
    // What is copied from an address bar ends in a slash.
    const lines = sites.value.split("\n").map((/** @type {string} */ line) => line.trim().replace(/\/$/, ""));
    void send("LocationSitesUpdate", { locationId: place.id, allowedOrigins: lines.filter(Boolean) }, ({ location }) => {
      place.allowedOrigins = location.allowedOrigins;
      sites.value = location.allowedOrigins.join("\n");
      return "Saved. It takes effect within 15 seconds.";
    });
  };
  return html`<fieldset><legend>${place.name}</legend>
    <p class="hint">Booking page: <a href=${`/book/${place.slug}`}>/book/${place.slug}</a>. To show it on your own site, put this line into the page:</p>
    <pre><code>${`<script src="${location.origin}/widget.js" data-slug="${place.slug}" async></script>`}</code></pre>
    <form onSubmit=${save}>
      <label for=${`sites-${place.id}`}>Allowed sites</label>
      <p class="hint" id=${`sites-hint-${place.id}`}>One a line, as the address bar shows it, from https:// to the end of the name. With and without www. are two sites. Nobody else can show your booking page inside theirs.</p>
      <textarea id=${`sites-${place.id}`} name="sites" rows="3" spellcheck=${false} autocomplete="off" aria-describedby=${`sites-hint-${place.id}`} disabled=${!may}>${place.allowedOrigins.join("\n")}</textarea>
      <div class="row"><button disabled=${!may || busy}>Save sites</button><${Said} /></div>
    </form>
  </fieldset>`;
}
