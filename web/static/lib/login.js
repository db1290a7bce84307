/** The log-in form; asks for the second factor when the account has one. */
import { GraphQLFailure, ask } from "./graphql.js";
import { refusal } from "./words.js";
import { html, useState } from "./view.js";

/** @param {{ onDone: () => void, note?: string }} props */
export function LogIn({ onDone, note }) {
  const [wrong, setWrong] = useState("");
  const [second, setSecond] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.target;
    setBusy(true);
    setWrong("");
    try {
      const code = form.code?.value.trim();
      const { logIn } = await ask("LogIn", {
        input: { email: form.email.value.trim(), password: form.password.value, ...(code ? { totpCode: code } : {}) },
      });
      const [error] = logIn.userErrors;
      if (!error) return onDone();
      if (error.code === "SECOND_FACTOR_REQUIRED") {
        setWrong(second ? "That code is not right." : "");
        setSecond(true);
      } else setWrong(refusal(error));
    } catch (error) {
      setWrong(error instanceof GraphQLFailure ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return html`<main class="login">
    <form onSubmit=${submit}>
      <p class="brand" aria-hidden="true"><span class="mark"></span>Service Pro Stream</p>
      <h1>Log in</h1>
      ${note && html`<p role="status">${note}</p>`}
      <label>Email <input name="email" type="email" autocomplete="username" required /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
      ${second && html`<label>Code of your authenticator app, or a recovery code <input name="code" autocomplete="one-time-code" autofocus required /></label>`}
      ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
      <button class="primary" disabled=${busy}>${busy ? "One moment…" : "Log in"}</button>
      <p><a href="/password-reset">Forgot your password?</a></p>
    </form>
  </main>`;
}
