/** The two links of account mails: setting a first password, and setting a new one; and asking for the second. */
import { GraphQLFailure, ask } from "../lib/graphql.js";
import { refusal } from "../lib/words.js";
import { html, render, useState } from "../lib/view.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
const invited = location.pathname === "/invitation";
// Behind the #, so that no server has seen it; and out of the address bar, where the next person at this screen would.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

/** @param {{ title: string, note: string, button: string, fields: any, send: (form: any) => Promise<string | null> }} props */
function Form({ title, note, button, fields, send }) {
  const [wrong, setWrong] = useState("");
  const [done, setDone] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    try {
      setDone((await send(event.target)) ?? "");
    } catch (error) {
      setWrong(error instanceof GraphQLFailure ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return html`<main class="login">
    <form onSubmit=${submit}>
      <p class="brand" aria-hidden="true"><span class="mark"></span>Service Pro Stream</p>
      <h1>${title}</h1>
      ${done ? html`<p role="status">${done}</p>` : html`<p>${note}</p>${fields}<button class="primary" disabled=${busy}>${busy ? "One moment…" : button}</button>`}
      ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
      ${!invited && html`<p><a href="/board">Log in</a></p>`}
    </form>
  </main>`;
}

/** One mutation; a refusal becomes the form's sentence. @param {string} name @param {Record<string, string>} input */
async function one(name, input) {
  const [payload] = Object.values(await ask(name, { input }));
  const [error] = payload.userErrors;
  if (error) throw new GraphQLFailure(error.code, refusal(error));
}

const word = (/** @type {string} */ label) =>
  html`<label>${label} <input name="word" type="password" autocomplete="new-password" minlength="8" maxlength="128" required /></label>`;

function Page() {
  if (invited) {
    return html`<${Form} title="Welcome" note="Choose a password, and you are in." button="Set the password" fields=${word("Password")}
      send=${async (/** @type {any} */ form) => {
        await one("InvitationAccept", { token, password: form.word.value });
        location.assign("/board");
        return null;
      }} />`;
  }
  if (token) {
    return html`<${Form} title="Set a new password" note="All your other log-ins will end." button="Set the password" fields=${word("New password")}
      send=${async (/** @type {any} */ form) => {
        await one("PasswordReset", { token, newPassword: form.word.value });
        return "Your new password is set.";
      }} />`;
  }
  return html`<${Form} title="Forgot your password?" note="We send a link to your address that sets a new one." button="Send the link"
    fields=${html`<label>Email <input name="email" type="email" autocomplete="username" required /></label>`}
    send=${async (/** @type {any} */ form) => {
      await one("PasswordResetRequest", { email: form.email.value.trim() });
      return "If that address has an account, a link is on its way. It works for 30 minutes.";
    }} />`;
}

render(html`<${Page} />`, root);
