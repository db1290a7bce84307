/** Everything of the business in one archive. */
import { ask } from "../lib/graphql.js";
import { html, useEffect } from "../lib/view.js";
import { moment } from "../lib/time.js";
import { plain } from "../lib/words.js";
import { useDoing } from "./doing.js";

const LOOK_AGAIN_MS = 2_000;

/** @param {{ data: any, may: boolean, changed: () => void, zone: string }} props */
export function Exports({ data, may, changed, zone }) {
  const { busy, send, Said } = useDoing();
  const waiting = data.exports.some((/** @type {any} */ each) => each.state === "QUEUED" || each.state === "RUNNING");
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setInterval(async () => {
      const { exports } = await ask("Exports").catch(() => ({ exports: data.exports }));
      data.exports = exports;
      changed();
    }, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [waiting]);
  return html`<section id="export"><h2>Export</h2>
    <p class="hint">Everything that is kept about your business and its customers: JSON Lines, CSV and the attachments, in one ZIP.</p>
    <ul class="list">${data.exports.map((/** @type {any} */ each) => html`<li key=${each.id}><span><b>${moment(Date.parse(each.createdAt), zone)}</b><small>${plain(each.state)}, kept until ${moment(Date.parse(each.expiresAt), zone)}</small></span>
      ${each.url && html`<a class="button" href=${each.url} download>Download</a>`}</li>`)}</ul>
    ${may && html`<button type="button" disabled=${busy || waiting} onClick=${() => void send("ExportRequest", null, (payload) => {
      data.exports = [payload.export, ...data.exports];
      changed();
      return "It is being made.";
    })}>${waiting ? "Being made…" : "Export everything"}</button>`}
    <p><${Said} /></p></section>`;
}
