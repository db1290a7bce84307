/** One location's messages: the master switches, and one for each event and channel. */
import { html, useState } from "../lib/view.js";
import { plain } from "../lib/words.js";
import { useDoing } from "./doing.js";

/** @param {{ place: any, may: boolean }} props */
export function Notifications({ place, may }) {
  const [now, setNow] = useState(place.notificationSettings);
  const { busy, send, Said } = useDoing();
  const change = (/** @type {Record<string, unknown>} */ values) =>
    send("NotificationSettingsUpdate", { locationId: place.id, ...values }, ({ location }) => {
      setNow(location.notificationSettings);
      return "Saved.";
    });
  const toggle = (/** @type {string} */ name, /** @type {boolean} */ on, /** @type {(on: boolean) => void} */ set, hidden = false) =>
    html`<label class="switch"><input type="checkbox" role="switch" checked=${on} disabled=${!may || busy} onChange=${(/** @type {any} */ event) => set(event.target.checked)} /><span class=${hidden ? "unseen" : ""}>${name}</span></label>`;
  return html`<fieldset><legend>${place.name}</legend>
    <div class="row">
      ${toggle("Text messages", now.smsEnabled, (on) => void change({ smsEnabled: on }))}
      ${toggle("Emails", now.emailEnabled, (on) => void change({ emailEnabled: on }))}
      ${toggle("Reminders", now.remindersEnabled, (on) => void change({ remindersEnabled: on }))}
    </div>
    <table><thead><tr><th scope="col">When</th><th scope="col">Text</th><th scope="col">Email</th></tr></thead><tbody>
      ${now.rules.map((/** @type {any} */ rule) => html`<tr key=${rule.event}><th scope="row">${plain(rule.event)}${rule.offsetMinutes ? html` <small>${hours(rule.offsetMinutes)} ${rule.event === "REMINDER" ? "before" : "after"}</small>` : ""}</th>
        <td>${toggle(`${plain(rule.event)} by text`, rule.sms, (on) => void change({ rules: [{ event: rule.event, sms: on }] }), true)}</td>
        <td>${toggle(`${plain(rule.event)} by email`, rule.email, (on) => void change({ rules: [{ event: rule.event, email: on }] }), true)}</td></tr>`)}
    </tbody></table>
    <form class="row" onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      const { from, to } = event.target;
      void change({ quietHoursStart: from.value || null, quietHoursEnd: to.value || null });
    }}>
      <label>Quiet from <input type="time" name="from" value=${now.quietHoursStart ?? ""} disabled=${!may} /></label>
      <label>until <input type="time" name="to" value=${now.quietHoursEnd ?? ""} disabled=${!may} /></label>
      <button disabled=${!may || busy}>Save quiet hours</button><${Said} />
    </form>
  </fieldset>`;
}

/** @param {number} minutes */
const hours = (minutes) => (minutes % 60 ? `${minutes} min` : `${minutes / 60} h`);
