/** API keys: made with the scopes that they need, shown once, revoked at once. */
import { html, useState } from "../lib/view.js";
import { moment } from "../lib/time.js";
import { useDoing } from "./doing.js";

/** @param {{ data: any, scopes: string[], may: boolean, changed: () => void, zone: string }} props */
export function Keys({ data, scopes, may, changed, zone }) {
  const [shown, setShown] = useState("");
  const { busy, send, Said } = useDoing();
  const create = (/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.target;
    const wanted = [...form.elements].filter((each) => each.name === "scope" && each.checked).map((each) => each.value);
    void send("ApiKeyCreate", { name: form.name_.value, scopes: wanted }, ({ apiKey, key }) => {
      data.apiKeys = [apiKey, ...data.apiKeys];
      setShown(key);
      form.reset();
      changed();
    });
  };
  return html`<section id="keys"><h2>API keys</h2>
    ${shown && html`<p class="secret" role="status">Copy it now, it is not shown again: <code>${shown}</code> <button type="button" onClick=${() => void navigator.clipboard.writeText(shown)}>Copy</button> <button type="button" onClick=${() => setShown("")}>I have it</button></p>`}
    <ul class="list">${data.apiKeys.map((/** @type {any} */ key) => html`<li key=${key.id} class=${key.revokedAt ? "is-over" : ""}>
      <span><b>${key.name}</b> <code>${key.prefix}</code><small>${key.scopes.join(", ")}</small>
      <small>${key.revokedAt ? `Revoked ${moment(Date.parse(key.revokedAt), zone)}` : key.lastUsedAt ? `Last used ${moment(Date.parse(key.lastUsedAt), zone)}` : "Never used"}</small></span>
      ${!key.revokedAt && may && html`<button type="button" class="danger" disabled=${busy} onClick=${() => void send("ApiKeyRevoke", { apiKeyId: key.id }, ({ apiKey }) => {
        data.apiKeys = data.apiKeys.map((/** @type {any} */ each) => (each.id === apiKey.id ? apiKey : each));
        changed();
        return "Revoked.";
      })}>Revoke</button>`}</li>`)}</ul>
    ${!data.apiKeys.length && html`<p class="empty">None yet.</p>`}
    ${may && html`<details><summary>Make a key</summary><form onSubmit=${create}>
      <label>Name <input name="name_" required maxlength="100" /></label>
      <fieldset class="scopes"><legend>May</legend>${scopes.map((scope) => html`<label key=${scope}><input type="checkbox" name="scope" value=${scope} /> ${scope}</label>`)}</fieldset>
      <button class="primary" disabled=${busy}>Make the key</button></form></details>`}
    <p><${Said} /></p></section>`;
}
