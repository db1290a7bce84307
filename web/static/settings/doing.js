/** What every form here does: sends one mutation, and says what came of it beside the button. */
import { GraphQLFailure, ask } from "../lib/graphql.js";
import { refusal } from "../lib/words.js";
import { html, useState } from "../lib/view.js";

/**
 * @returns {{ busy: boolean, send: (name: string, input: Record<string, unknown> | null, done: (payload: any) => string | void) => Promise<void>, Said: () => any }}
 */
export function useDoing() {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState({ wrong: false, text: "" });
  const send = async (/** @type {string} */ name, /** @type {any} */ input, /** @type {(payload: any) => string | void} */ done) => {
    setBusy(true);
    setSaid({ wrong: false, text: "" });
    try {
      const [payload] = Object.values(await ask(name, input ? { input } : {}));
      const [error] = payload.userErrors;
      if (error) setSaid({ wrong: true, text: error.code === "INVALID_CREDENTIALS" ? "The password is wrong." : refusal(error) });
      else setSaid({ wrong: false, text: done(payload) ?? "" });
    } catch (error) {
      if (!(error instanceof GraphQLFailure)) throw error;
      setSaid({ wrong: true, text: error.message });
    } finally {
      setBusy(false);
    }
  };
  const Said = () => html`<span class=${said.wrong ? "wrong" : "done"} role=${said.wrong ? "alert" : "status"} hidden=${!said.text}>${said.text}</span>`;
  return { busy, send, Said };
}
