/** Cancelling, coming back within 90 days, and deleting at once. */
import { html } from "../lib/view.js";
import { moment } from "../lib/time.js";
import { useDoing } from "./doing.js";

/** @param {{ data: any, changed: () => void, zone: string, onGone: () => void }} props */
export function Leaving({ data, changed, zone, onGone }) {
  const { busy, send, Said } = useDoing();
  const take = (/** @type {any} */ tenant) => {
    data.tenant = { ...data.tenant, ...tenant };
    changed();
  };
  if (data.tenant.status === "CANCELLED") {
    return html`<section id="leaving"><h2>This account is cancelled</h2>
      <p>Everything can be read and exported until ${moment(Date.parse(data.tenant.purgeAt), zone)}, when it is deleted for good.</p>
      <p class="row"><button type="button" class="primary" disabled=${busy} onClick=${() => void send("AccountRestore", null, ({ tenant }) => { take(tenant); return "Welcome back."; })}>Restore the account</button></p>
      <details><summary>Delete everything now</summary><form onSubmit=${(/** @type {any} */ event) => {
        event.preventDefault();
        const form = event.target;
        void send("AccountDelete", { password: form.word.value, confirmBusinessName: form.name_.value }, onGone);
      }}><label>Name of the business, as above <input name="name_" required autocomplete="off" /></label><label>Password <input type="password" name="word" autocomplete="current-password" required /></label>
      <button class="danger" disabled=${busy}>Delete everything for good</button></form></details><p><${Said} /></p></section>`;
  }
  return html`<section id="leaving"><h2>Cancel</h2>
    <p class="hint">The account is read-only at once. You can come back within 90 days; after that all data is deleted.</p>
    <details><summary>Cancel the account</summary><form onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      const form = event.target;
      void send("AccountCancel", { password: form.word.value, reason: form.reason.value.trim() || null }, ({ tenant }) => { take(tenant); return "Cancelled."; });
    }}><label>Why are you leaving? <input name="reason" maxlength="500" /></label><label>Password <input type="password" name="word" autocomplete="current-password" required /></label>
    <button class="danger" disabled=${busy}>Cancel the account</button></form></details><p><${Said} /></p></section>`;
}
