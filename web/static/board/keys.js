/** The same without a mouse: M picks a visit up, arrows carry it, Enter puts it down, Escape lets it be. */
import { clock } from "../lib/time.js";
import { movable, move } from "./actions.js";
import { STEP } from "./axis.js";

/** @param {import("./store.js").Store} store @param {import("./store.js").Appointment} it @param {KeyboardEvent} event */
export function onKey(store, it, event) {
  const moving = /** @type {any} */ (store.moving?.id === it.id ? store.moving : null);
  if (!moving) {
    if (event.key === "m" || event.key === "M") {
      event.preventDefault();
      pickUp(store, it);
    } else if (event.key.startsWith("Arrow")) walk(event);
    return;
  }
  const rows = store.lanes.map((lane) => lane.technician.id);
  const row = rows.indexOf(moving.technicianId);
  const carried = { ...moving };
  switch (event.key) {
    case "ArrowLeft": carried.start -= STEP; break;
    case "ArrowRight": carried.start += STEP; break;
    case "ArrowUp": carried.technicianId = rows[Math.max(0, row - 1)]; break;
    case "ArrowDown": carried.technicianId = rows[Math.min(rows.length - 1, row + 1)]; break;
    case "Escape":
      store.set({ moving: null });
      store.speak("Left where it was.");
      break;
    case "Enter": case " ":
      store.set({ moving: null });
      void move(store, it, moving.technicianId, moving.start).then(() => focusOn(it.id));
      break;
    case "Tab": store.set({ moving: null }); return;
    default: return;
  }
  event.preventDefault();
  event.stopPropagation();
  if (store.moving) {
    store.set({ moving: carried });
    tell(store, carried);
  }
}

/** @param {import("./store.js").Store} store @param {import("./store.js").Appointment} it */
export function pickUp(store, it) {
  if (!movable(store, it)) {
    store.say("error", `#${it.number} cannot be moved as it stands.`);
    return;
  }
  const length = it.scheduled ? Date.parse(it.scheduled.end) - Date.parse(it.scheduled.start) : it.durationMinutes * 60_000;
  const now = Math.ceil(Date.now() / STEP) * STEP;
  const [low, high] = store.bounds;
  const first = store.lanes.flatMap((lane) => lane.working.map((window) => Date.parse(window.start))).sort((a, b) => a - b)[0] ?? low;
  const start = it.scheduled ? Date.parse(it.scheduled.start) : now > low && now < high ? Math.max(now, first) : first;
  const moving = { id: it.id, technicianId: it.technician?.id ?? store.lanes[0]?.technician.id ?? null, start, length };
  store.set({ moving });
  store.speak(`Picked up number ${it.number}. Arrows move it by a quarter of an hour or to another technician, Enter puts it down, Escape leaves it.`);
}

/** @param {import("./store.js").Store} store @param {any} moving */
function tell(store, moving) {
  store.speak(`${store.technician(moving.technicianId)?.name}, ${clock(moving.start, store.zone)}`);
}

/** @param {string} id */
function focusOn(id) {
  requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(`.visit[data-id="${id}"]`))?.focus());
}

/** Arrows go from visit to visit. @param {KeyboardEvent} event */
function walk(event) {
  const here = /** @type {HTMLElement} */ (event.currentTarget);
  const lane = here.closest(".lane");
  if (!lane) return;
  event.preventDefault();
  const visits = (/** @type {Element} */ row) =>
    /** @type {HTMLElement[]} */ ([...row.querySelectorAll(".visit")]).sort((a, b) => a.getBoundingClientRect().left - b.getBoundingClientRect().left);
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const all = visits(lane);
    all[all.indexOf(here) + (event.key === "ArrowRight" ? 1 : -1)]?.focus();
    return;
  }
  const next = event.key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling";
  const x = here.getBoundingClientRect().left;
  for (let row = lane[next]; row; row = row[next]) {
    const found = visits(row).sort((a, b) => Math.abs(a.getBoundingClientRect().left - x) - Math.abs(b.getBoundingClientRect().left - x))[0];
    if (found) return found.focus();
  }
}
