/** Asks the API: named operations over HTTP, by the ids of their documents, with the CSRF header where there is a session. */
import documentIds from "../operations.js";

/** What the caller could not do, or what broke. `code` is the API's, or NETWORK. */
export class GraphQLFailure extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Hears of every answer that tells that nobody is logged in any more. */
export const loggedOut = new EventTarget();

/** The CSRF cookie's value; over HTTPS its name is bound to this host. @returns {string} */
function csrfToken() {
  const name = location.protocol === "https:" ? "__Host-sps_csrf" : "sps_csrf";
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? found.slice(name.length + 1) : "";
}

/**
 * One operation, one answer.
 * @param {string} name the operation's, which is its file's
 * @param {Record<string, unknown>} [variables]
 * @returns {Promise<any>} its data
 * @throws {GraphQLFailure} when there is none
 */
export async function ask(name, variables = {}) {
  const documentId = documentIds[name];
  if (!documentId) throw new GraphQLFailure("UNKNOWN_OPERATION", `There is no operation ${name}.`);
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json" };
  const token = csrfToken();
  if (token) headers["X-CSRF-Token"] = token;
  let body;
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers,
      credentials: "same-origin",
      body: JSON.stringify({ documentId, variables, operationName: name }),
      signal: AbortSignal.timeout(20_000),
    });
    body = await response.json();
  } catch (error) {
    throw new GraphQLFailure("NETWORK", "The server cannot be reached. Nothing was changed that you do not see.");
  }
  const [error] = body.errors ?? [];
  if (error) {
    const code = error.extensions?.code ?? "INTERNAL";
    if (code === "UNAUTHENTICATED") loggedOut.dispatchEvent(new Event("loggedout"));
    throw new GraphQLFailure(code, error.message);
  }
  return body.data;
}

/** The id of an operation's document. @param {string} name @returns {string} */
export function documentIdOf(name) {
  return documentIds[name];
}
