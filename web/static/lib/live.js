/**
 * Subscriptions that come back by themselves: one socket for a page, pinged so that a dead line is noticed, and each
 * subscription resumed behind the last thing that it heard.
 */
import { CloseCode, createClient } from "../vendor/graphql-ws.js";
import { documentIdOf } from "./graphql.js";

/** @typedef {"connecting" | "live" | "retrying" | "ended"} LiveState */

const PING_MS = 10_000;
const PONG_MS = 5_000;
const LONGEST_WAIT_MS = 10_000;

/** How long to wait before try number `tries`, spread so that a restarted server is not met by all at once. @param {number} tries */
const wait = (tries) =>
  new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_WAIT_MS, 250 * 2 ** tries) * (0.75 + Math.random() / 2)));

/**
 * @param {(state: LiveState, code?: number) => void} onState told of every change of the connection
 */
export function connect(onState) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  /** @type {any} */
  let socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let deadline;
  const client = createClient({
    url: `${scheme}://${location.host}/graphql`,
    keepAlive: PING_MS,
    retryAttempts: Infinity,
    retryWait: wait,
    // The library insists on a query. With a documentId none may be sent.
    jsonMessageReplacer: (/** @type {string} */ key, /** @type {any} */ value) =>
      key === "payload" && value?.documentId ? { ...value, query: undefined } : value,
    // 4401: the session has ended. All else may pass: a restart, a lost line, a reader that was too slow (4410).
    shouldRetry: (/** @type {any} */ event) => event?.code !== CloseCode.Unauthorized,
    on: {
      connecting: (/** @type {boolean} */ again) => onState(again ? "retrying" : "connecting"),
      opened: (/** @type {any} */ opened) => (socket = opened),
      connected: () => onState("live"),
      ping: (/** @type {boolean} */ received) => {
        if (received) return;
        deadline = setTimeout(() => socket?.readyState === WebSocket.OPEN && client.terminate(), PONG_MS);
      },
      pong: (/** @type {boolean} */ received) => received && clearTimeout(deadline),
      closed: (/** @type {any} */ event) => {
        clearTimeout(deadline);
        onState(event.code === CloseCode.Unauthorized ? "ended" : "retrying", event.code);
      },
    },
  });
  // A machine that wakes up, or a network that returns, is not left waiting for the next ping.
  addEventListener("offline", () => client.terminate());

  /**
   * @param {string} name the operation
   * @param {Record<string, unknown>} variables read again at each connection: move `after` on as events come
   * @param {{ next: (data: any) => void, refused: (errors: any[]) => void, complete?: () => void }} sink
   * @returns {() => void} ends it
   */
  function follow(name, variables, sink) {
    let wanted = true;
    /** @type {() => void} */
    let stop = () => {};
    const begin = () => {
      stop = client.subscribe(
        { query: "", documentId: documentIdOf(name), operationName: name, variables },
        {
          next: (/** @type {any} */ message) => {
            if (message.errors) sink.refused(message.errors);
            else sink.next(message.data);
          },
          error: (/** @type {any} */ problem) => {
            if (!wanted) return;
            if (Array.isArray(problem)) sink.refused(problem);
            // A close that the library takes for final, such as the server's own failure: it is tried again all the same.
            else if (problem?.code !== CloseCode.Unauthorized) {
              onState("retrying", problem?.code);
              setTimeout(() => wanted && begin(), 2_000);
            }
          },
          complete: () => wanted && sink.complete?.(),
        },
      );
    };
    begin();
    return () => {
      wanted = false;
      stop();
    };
  }

  return { follow, close: () => client.dispose() };
}
