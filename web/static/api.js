// The GraphQL API as the pages use it: one request, and one subscription that comes back by itself with its cursor.

function cookie(name) {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`) || each.startsWith(`__Host-${name}=`));
  return found ? found.slice(found.indexOf("=") + 1) : "";
}

export class ApiError extends Error {
  constructor(errors) {
    super(errors[0].message);
    this.code = errors[0].extensions?.code;
  }
}

/** The data of an operation; throws an ApiError where the server answers with errors. */
export async function ask(query, variables = {}) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": cookie("sps_csrf") },
    body: JSON.stringify({ query, variables }),
  });
  const body = await answer.json();
  if (body.errors) throw new ApiError(body.errors);
  return body.data;
}

/**
 * Subscribe until the returned function is called. `variables()` is read at each connection, so that it can name the last cursor.
 * `state` hears "live", "connecting" and "ended" (rights are gone).
 */
export function subscribe(query, variables, { next, state }) {
  let socket = null;
  let stopped = false;
  let delay = 250;
  let timer = 0;

  function connect() {
    state("connecting");
    socket = new WebSocket(`${location.origin.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init" }));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "connection_ack") {
        delay = 250;
        socket.send(JSON.stringify({ type: "subscribe", id: "1", payload: { query, variables: variables() } }));
        state("live");
      } else if (message.type === "ping") {
        socket.send(JSON.stringify({ type: "pong", payload: message.payload }));
      } else if (message.type === "next" && message.payload.data) {
        next(message.payload.data);
      } else if (message.type === "error") {
        stop();
        state("ended");
      }
    };
    socket.onclose = ({ code }) => {
      if (stopped) return;
      if (code === 4401) {
        state("ended");
        return;
      }
      state("connecting");
      // Jitter: after a restart of the server every board comes back at once.
      timer = setTimeout(connect, delay * (0.5 + Math.random() / 2));
      delay = Math.min(delay * 2, 8000);
    };
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    socket?.close();
  }

  connect();
  return stop;
}
