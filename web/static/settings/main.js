/** Settings: what a business switches on and off for itself, takes away with it, and ends. */
import { ask, loggedOut } from "../lib/graphql.js";
import { LogIn } from "../lib/login.js";
import { Fragment, html, render, useReducer } from "../lib/view.js";
import { moment } from "../lib/time.js";
import { plain, price } from "../lib/words.js";
import { Keys } from "./keys.js";
import { Leaving } from "./leaving.js";
import { Notifications } from "./notifications.js";
import { Exports } from "./exports.js";
import { Security } from "./security.js";
import { Sites } from "./sites.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
loggedOut.addEventListener("loggedout", () => void begin("Your session has ended. Log in again."));

/** @param {string} [note] */
async function begin(note) {
  try {
    const { viewer } = await ask("Viewer");
    if (!viewer?.user) {
      render(html`<${LogIn} key="login" note=${note} onDone=${() => void begin()} />`, root);
      return;
    }
    const may = (/** @type {string} */ scope) => viewer.scopes.includes(scope) && !viewer.secondFactorMissing;
    const data = await ask("Settings", {
      keys: may("api_keys:read"), exports: may("exports:read"), billing: may("billing:read"), security: may("security:read"),
    }).catch((error) => {
      // Until the second factor is set up nothing else may be read.
      if (viewer.secondFactorMissing) return { locations: [], secondFactor: { enabled: false, recoveryCodesLeft: 0 } };
      throw error;
    });
    render(html`<${Page} key="page" viewer=${viewer} data=${data} may=${may} />`, root);
    if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
  } catch (error) {
    render(html`<main class="login"><p class="wrong" role="alert">${/** @type {Error} */ (error).message}</p></main>`, root);
  }
}

/** @param {{ viewer: any, data: any, may: (scope: string) => boolean }} props */
function Page({ viewer, data, may }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const changed = () => redraw(0);
  const { tenant, billing } = data;
  const parts = [
    [true, "account", "Account"], [data.locations?.length, "notifications", "Notifications"], [data.locations?.length, "sites", "Your website"], [data.apiKeys, "keys", "API keys"],
    [data.exports, "export", "Export"], [true, "security", "Security"], [may("account:close"), "leaving", "Cancel"],
  ].filter(([shown]) => shown);
  return html`<${Fragment}>
    <header class="bar"><p class="brand"><span class="mark" aria-hidden="true"></span>${tenant?.name ?? viewer.tenant?.name ?? ""}</p><h1>Settings</h1><a class="button" href="/board">Back to the board</a></header>
    <div class="settings">
      <nav aria-label="Sections"><ul>${parts.map(([, id, name]) => html`<li key=${id}><a href=${`#${id}`}>${name}</a></li>`)}</ul></nav>
      <main>
        ${viewer.secondFactorMissing && html`<p class="wrong" role="alert">Your business asks everybody for a second factor. Set one up below to go on.</p>`}
        ${tenant?.status === "CANCELLED" && html`<p class="wrong" role="status">This account is cancelled. All of its data will be deleted on ${moment(Date.parse(tenant.purgeAt), zone)}.</p>`}
        <section id="account"><h2>Account</h2><dl>
          <dt>You</dt><dd>${viewer.user.name}, ${plain(viewer.user.role)}</dd>
          ${tenant && html`<${Fragment}><dt>Business</dt><dd>${tenant.name}, ${tenant.email}${tenant.phone ? `, ${tenant.phone}` : ""}</dd></${Fragment}>`}
          ${billing && html`<${Fragment}><dt>Plan</dt><dd>${billing.plan.name}, ${price(billing.plan.price)} a month, ${plain(billing.status)}</dd>
            <dt>This month</dt><dd>${billing.usage.appointments} appointments, ${billing.usage.messages} of ${billing.plan.includedMessages} messages, ${billing.usage.technicians}${billing.plan.technicianLimit ? ` of ${billing.plan.technicianLimit}` : ""} technicians</dd></${Fragment}>`}
        </dl></section>
        ${data.locations?.length > 0 && html`<section id="notifications"><h2>Notifications</h2>
          <p class="hint">What customers are sent about their visits. All off: nothing is sent.</p>
          ${data.locations.map((/** @type {any} */ place) => html`<${Notifications} key=${place.id} place=${place} may=${may("locations:write")} />`)}</section>
          <section id="sites"><h2>Your website</h2>
          ${data.locations.map((/** @type {any} */ place) => html`<${Sites} key=${place.id} place=${place} may=${may("locations:write")} />`)}</section>`}
        ${data.apiKeys && html`<${Keys} data=${data} scopes=${viewer.scopes} may=${may("api_keys:write")} changed=${changed} zone=${zone} />`}
        ${data.exports && html`<${Exports} data=${data} may=${may("exports:write")} changed=${changed} zone=${zone} />`}
        <${Security} data=${data} changed=${changed} zone=${zone} onSetUp=${() => viewer.secondFactorMissing && void begin()} />
        ${may("account:close") && html`<${Leaving} data=${data} changed=${changed} zone=${zone} onGone=${() => void begin("The account and all of its data are deleted.")} />`}
      </main>
    </div>
  </${Fragment}>`;
}

void begin();
