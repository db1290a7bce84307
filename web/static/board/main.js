/** The dispatch board. */
import { ask, loggedOut } from "../lib/graphql.js";
import { LogIn } from "../lib/login.js";
import { Fragment, html, render, useEffect, useReducer, useRef, useState } from "../lib/view.js";
import { addDays, localDate, longDate, instantOf } from "../lib/time.js";
import { Feed } from "./feed.js";
import { Lanes } from "./lanes.js";
import { startLive } from "./live.js";
import { BoardMap } from "./map.js";
import { Panel } from "./panel.js";
import { Queue } from "./queue.js";
import { Store } from "./store.js";
import { DayPlan } from "./suggestions.js";

const store = new Store();
const live = startLive(store, () => void begin("Your session has ended. Log in again."));
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
loggedOut.addEventListener("loggedout", () => {
  if (store.viewer) void begin("Your session has ended. Log in again.");
});

/** @type {Record<string, string>} */
const CONNECTION = {
  loading: "Loading…",
  connecting: "Connecting…",
  live: "Live",
  retrying: "Reconnecting: what you see may be out of date",
  failed: "No connection",
};
const TABS = [["lanes", "Lanes"], ["queue", "Unassigned"], ["map", "Map"], ["feed", "Activity"]];

/** Who is here, then the board; or the log-in form. @param {string} [note] */
async function begin(note) {
  live.stop();
  store.viewer = null;
  let viewer;
  // Asked for with the viewer, and thrown away if there is none: one round trip less.
  const beside = Promise.allSettled([ask("Places"), ask("Features")]);
  try {
    ({ viewer } = await ask("Viewer"));
  } catch (error) {
    render(html`<main class="login"><p class="wrong" role="alert">${/** @type {Error} */ (error).message}</p></main>`, root);
    setTimeout(() => void begin(note), 3_000);
    return;
  }
  if (!viewer?.user) {
    render(html`<${LogIn} key="login" note=${note} onDone=${() => void begin()} />`, root);
    return;
  }
  store.viewer = viewer;
  if (viewer.secondFactorMissing) {
    location.assign("/settings#security");
    return;
  }
  const [places, features] = await beside;
  store.locations = (places.status === "fulfilled" && places.value.locations) || [];
  // Where introspection is not allowed, what is optional is not shown.
  const told = features.status === "fulfilled" ? features.value : {};
  store.features = new Set(
    ["query", "mutation", "subscription"].flatMap((kind) => (told[kind]?.fields ?? []).map((/** @type {any} */ field) => `${kind}.${field.name}`)),
  );
  store.zone = store.locations[0]?.timeZone ?? "UTC";
  const asked = new URLSearchParams(location.search);
  store.locationId = store.locations.some((place) => place.id === asked.get("location")) ? asked.get("location") : null;
  if (store.locationId) store.zone = store.locations.find((place) => place.id === store.locationId).timeZone;
  const day = asked.get("day") ?? "";
  store.day = /^\d{4}-\d{2}-\d{2}$/.test(day) ? day : localDate(Date.now(), store.zone);
  render(html`<${Board} key="board" />`, root);
  void live.load();
}

/** @param {string} day @param {string | null} [place] */
function go(day, place = store.locationId) {
  store.day = day;
  store.locationId = place;
  const zone = store.locations.find((each) => each.id === place)?.timeZone;
  if (zone) store.zone = zone;
  store.loaded = false;
  const query = new URLSearchParams({ day, ...(place ? { location: place } : {}) });
  history.replaceState(null, "", `?${query}`);
  void live.load();
}

function Board() {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const [tab, setTab] = useState("lanes");
  const [planning, setPlanning] = useState(false);
  const axisRef = useRef(null);
  useEffect(() => store.listen(() => redraw(0)), []);
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && store.selected && !store.moving) {
        const id = store.selected;
        store.set({ selected: null });
        requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(`.visit[data-id="${id}"]`))?.focus());
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const noon = instantOf(store.day, "12:00", store.zone);
  const waiting = store.rows.get(null)?.length ?? 0;
  return html`<${Fragment}>
    <a class="skip" href="#lanes">To the timeline</a>
    <header class="bar">
      <p class="brand"><span class="mark" aria-hidden="true"></span><span class="long">${store.viewer.tenant?.name ?? "Service Pro Stream"}</span></p>
      <nav aria-label="Day">
        <button type="button" aria-label="Day before" onClick=${() => go(addDays(store.day, -1))}>‹</button>
        <h1><label><span class="day">${longDate(noon, store.zone)}</span><input type="date" aria-label="Go to a date" value=${store.day} onChange=${(/** @type {any} */ event) => event.target.value && go(event.target.value)} /></label></h1>
        <button type="button" aria-label="Day after" onClick=${() => go(addDays(store.day, 1))}>›</button>
        <button type="button" class="today" disabled=${store.day === live.today()} onClick=${() => go(live.today())}>Today</button>
      </nav>
      ${store.locations.length > 1 && html`<select class="place" aria-label="Location" value=${store.locationId ?? ""} onChange=${(/** @type {any} */ event) => go(store.day, event.target.value || null)}>
        <option value="">All locations</option>
        ${store.locations.map((place) => html`<option key=${place.id} value=${place.id}>${place.name}</option>`)}
      </select>`}
      <p class=${`connection c-${store.connection}`} role="status" data-state=${store.connection}><span class="dot" aria-hidden="true"></span>${CONNECTION[store.connection]}</p>
      <div class="tools">
        ${store.features.has("query.dayPlanProposal") && store.may("appointments:write") && html`<button type="button" onClick=${() => setPlanning(true)}>Plan day</button>`}
        <a class="button" href="/settings">Settings</a>
        <button type="button" onClick=${async () => { await ask("LogOut"); void begin(); }}>Log out</button>
      </div>
    </header>
    ${(store.connection === "retrying" || store.connection === "failed") && html`<p class="stale" role="alert">${store.connection === "failed" && store.failure ? store.failure : "The line to the server is down."} The board may be out of date; it catches up by itself.</p>`}
    ${store.viewer.tenant?.status === "CANCELLED" && html`<p class="stale" role="status">This account is cancelled: it can be read, but not changed.</p>`}
    <main class=${`board t-${tab} ${store.selected ? "has-panel" : ""} ${store.loaded ? "" : "is-loading"}`} id="lanes">
      <${Queue} store=${store} axisRef=${axisRef} />
      <${Lanes} store=${store} axisRef=${axisRef} />
      <div class="side">
        ${store.selected ? html`<${Panel} key=${store.selected} store=${store} id=${store.selected} />` : html`<${BoardMap} store=${store} /><${Feed} store=${store} />`}
      </div>
    </main>
    <nav class="tabs" aria-label="Views">
      ${TABS.map(([name, text]) => html`<button key=${name} type="button" aria-pressed=${tab === name} onClick=${() => { store.set({ selected: null }); setTab(name); }}>${text}${name === "queue" && waiting ? html` <span class="count">${waiting}</span>` : ""}</button>`)}
    </nav>
    <div class="notices" role="log" aria-live="assertive">${store.notices.map((notice) => html`<p key=${notice.id} class=${notice.kind}>${notice.text}</p>`)}</div>
    <p class="unseen" role="status" aria-live="polite">${store.spoken}</p>
    ${planning && html`<${DayPlan} store=${store} onClose=${() => setPlanning(false)} />`}
  </${Fragment}>`;
}

void begin();
