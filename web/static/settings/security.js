/** The password, the second factor, and what happened to the account. */
import { html, useState } from "../lib/view.js";
import { moment } from "../lib/time.js";
import { plain } from "../lib/words.js";
import { useDoing } from "./doing.js";

/** @param {{ data: any, changed: () => void, zone: string, onSetUp: () => void }} props */
export function Security({ data, changed, zone, onSetUp }) {
  const password = useDoing();
  const factor = useDoing();
  const [secret, setSecret] = useState(/** @type {any} */ (null));
  const [codes, setCodes] = useState(/** @type {string[]} */ ([]));
  const events = data.securityEvents?.nodes ?? [];
  return html`<section id="security"><h2>Security</h2>
    <form class="row" onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      const form = event.target;
      void password.send("PasswordChange", { currentPassword: form.current.value, newPassword: form.fresh.value }, () => {
        form.reset();
        return "Changed. Your other log-ins have ended.";
      });
    }}>
      <label>Current password <input type="password" name="current" autocomplete="current-password" required /></label>
      <label>New password <input type="password" name="fresh" autocomplete="new-password" required /></label>
      <button disabled=${password.busy}>Change password</button><${password.Said} />
    </form>
    <h3>Second factor</h3>
    ${codes.length > 0 && html`<div class="secret" role="status"><p>Keep these codes: each logs you in once without your phone. They are not shown again.</p><pre>${codes.join("\n")}</pre></div>`}
    ${data.secondFactor?.enabled
      ? html`<form class="row" onSubmit=${(/** @type {any} */ event) => {
          event.preventDefault();
          const form = event.target;
          void factor.send("TotpDisable", { password: form.word.value, code: form.code.value.trim() }, () => {
            data.secondFactor = { enabled: false, recoveryCodesLeft: 0 };
            changed();
            return "Switched off.";
          });
        }}><p class="wide">On, ${data.secondFactor.recoveryCodesLeft} recovery codes left.</p><label>Password <input type="password" name="word" autocomplete="current-password" required /></label><label>Code <input name="code" autocomplete="one-time-code" required /></label><button class="danger" disabled=${factor.busy}>Switch off</button></form>`
      : secret
        ? html`<form class="row" onSubmit=${(/** @type {any} */ event) => {
            event.preventDefault();
            void factor.send("TotpConfirm", { code: event.target.code.value.trim() }, ({ recoveryCodes }) => {
              setCodes(recoveryCodes);
              setSecret(null);
              data.secondFactor = { enabled: true, recoveryCodesLeft: recoveryCodes.length };
              changed();
              onSetUp();
              return "Switched on.";
            });
          }}><p class="wide">Type this into your authenticator app, or <a href=${secret.uri}>open it there</a>: <code>${secret.secret}</code></p><label>Code that it shows <input name="code" autocomplete="one-time-code" inputmode="numeric" required /></label><button class="primary" disabled=${factor.busy}>Switch on</button></form>`
        : html`<form class="row" onSubmit=${(/** @type {any} */ event) => {
            event.preventDefault();
            void factor.send("TotpEnrol", { password: event.target.word.value }, (payload) => setSecret(payload));
          }}><label>Password <input type="password" name="word" autocomplete="current-password" required /></label><button disabled=${factor.busy}>Set up a second factor</button></form>`}
    <p><${factor.Said} /></p>
    ${events.length > 0 && html`<details><summary>What happened lately</summary><ul class="list">${events.map((/** @type {any} */ event) => html`<li key=${event.id}><span><b>${plain(event.type)}</b><small>${moment(Date.parse(event.occurredAt), zone)}${event.actor ? ` · ${event.actor}` : ""}${event.ip ? ` · ${event.ip}` : ""}${event.city ? `, ${event.city}` : ""}</small></span></li>`)}</ul></details>`}
  </section>`;
}
