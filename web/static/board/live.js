/** Loads the board and keeps it live: from the board's cursor on, everything that happens, in order. */
import { ask } from "../lib/graphql.js";
import { connect } from "../lib/live.js";
import { dayBounds, iso, localDate } from "../lib/time.js";

/**
 * @param {import("./store.js").Store} store
 * @param {() => void} onEnded the session is over
 */
export function startLive(store, onEnded) {
  /** @type {ReturnType<typeof connect> | null} */
  let line = null;
  let turn = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;

  const stop = () => {
    clearTimeout(again);
    line?.close();
    line = null;
  };

  /** The whole board anew, and the line behind it. */
  async function load() {
    const mine = ++turn;
    stop();
    if (store.connection !== "retrying") store.set({ connection: "loading" });
    const [from, to] = dayBounds(store.day, store.zone);
    let data;
    try {
      data = await ask("Board", { day: store.day, location: store.locationId, from: iso(from), to: iso(to) });
    } catch (error) {
      if (mine !== turn) return;
      store.set({ connection: "failed", failure: /** @type {Error} */ (error).message });
      again = setTimeout(load, 3_000);
      return;
    }
    if (mine !== turn) return;
    if (!data.dispatchBoard) {
      store.set({ connection: "failed", failure: "Your role does not see the board." });
      return;
    }
    store.load(data.dispatchBoard);
    follow(data.dispatchBoard.cursor);
  }

  /** @param {string} cursor */
  function follow(cursor) {
    store.set({ connection: "connecting" });
    const opened = connect((state) => {
      if (opened !== line) return;
      if (state === "ended") {
        stop();
        onEnded();
      } else {
        if (state === "live") {
          store.presences = new Map();
          store.heardAt = Date.now();
        }
        store.set({ connection: state === "live" ? "live" : state });
      }
    });
    line = opened;
    const variables = { after: cursor, location: store.locationId };
    opened.follow("BoardEvents", variables, {
      next: ({ appointmentEvents: event }) => {
        // The next connection begins behind it: nothing is missed and nothing comes twice.
        variables.after = event.cursor;
        store.happened(event);
      },
      // A cursor too old to replay, or rights that have changed: begin anew with a whole board.
      refused: ([error]) => {
        // Loading the board anew brings no other version of this page.
        if (error?.extensions?.code === "DOCUMENT_NOT_FOUND") store.set({ connection: "failed", failure: error.message });
        else again = setTimeout(load, 1_000);
      },
    });
    if (store.features.has("subscription.technicianPositions") && store.may("technicians:read")) {
      opened.follow("BoardPositions", {}, {
        next: ({ technicianPositions: position }) => {
          store.positions.set(position.technicianId, position);
          store.changed();
        },
        refused: (errors) => store.say("error", `No live positions: ${errors[0].message}`),
      });
    }
    if (store.features.has("subscription.appointmentPresences") && store.may("appointments:write")) {
      opened.follow("BoardPresences", {}, {
        next: ({ appointmentPresences: presence }) => {
          const others = presence.colleagues.filter((/** @type {any} */ each) => each.userId !== store.viewer.user?.id);
          store.presences = new Map(store.presences).set(presence.appointmentId, others);
          store.changed();
        },
        refused: (errors) => store.say("error", `Colleagues are not shown: ${errors[0].message}`),
      });
    }
    if (store.features.has("subscription.messageEvents") && store.may("messages:read")) {
      opened.follow("MessageEvents", {}, {
        next: ({ messageEvents: message }) => {
          if (message.appointment.id !== store.selected) return;
          store.messagesAt = new Map(store.messagesAt).set(message.appointment.id, Date.now());
          store.changed();
        },
        refused: (errors) => store.say("error", `Messages are not live: ${errors[0].message}`),
      });
    }
  }

  return { load, stop, today: () => localDate(Date.now(), store.zone) };
}
