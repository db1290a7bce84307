/** Dragging with mouse, pen or finger: the place under the pointer is shown in quarters of an hour, and dropped there. */
import { clock } from "../lib/time.js";
import { move } from "./actions.js";
import { instantAt } from "./axis.js";

const SLACK = 5;
const EDGE = 48;

/**
 * @param {import("./store.js").Store} store @param {import("./store.js").Appointment} it
 * @param {import("./axis.js").Axis} axis @param {PointerEvent} event
 */
export function beginDrag(store, it, axis, event) {
  if (event.button !== 0 || !event.isPrimary) return;
  // A finger scrolls; it drags from the queue and the panel's form.
  if (event.pointerType === "touch") return;
  const element = /** @type {HTMLElement} */ (event.currentTarget);
  const length = it.scheduled ? Date.parse(it.scheduled.end) - Date.parse(it.scheduled.start) : it.durationMinutes * 60_000;
  const held = it.scheduled && element.closest(".track") ? event.clientX - element.getBoundingClientRect().left : 12;
  const from = { x: event.clientX, y: event.clientY };
  let dragging = false;
  /** @type {HTMLElement | null} */
  let card = null;

  const over = (/** @type {PointerEvent} */ at) => {
    const hit = document.elementsFromPoint(at.clientX, at.clientY).find((each) => each.closest?.(".track, .queue"));
    if (!hit) return null;
    if (hit.closest(".queue")) return { id: it.id, technicianId: null, start: 0, length };
    const track = /** @type {HTMLElement} */ (hit.closest(".track"));
    const lane = /** @type {HTMLElement} */ (track.closest(".lane"));
    const start = instantAt(axis, at.clientX - held - track.getBoundingClientRect().left);
    return { id: it.id, technicianId: lane.dataset.technician ?? null, start, length };
  };
  const scroll = (/** @type {PointerEvent} */ at) => {
    const box = document.querySelector(".lanes");
    if (!box) return;
    const edge = box.getBoundingClientRect();
    if (at.clientX > edge.right - EDGE) box.scrollLeft += 12;
    else if (at.clientX < edge.left + 180 + EDGE && at.clientX > edge.left + 150) box.scrollLeft -= 12;
    if (at.clientY > edge.bottom - EDGE) box.scrollTop += 12;
    else if (at.clientY < edge.top + EDGE && at.clientY > edge.top) box.scrollTop -= 12;
  };
  const onMove = (/** @type {PointerEvent} */ at) => {
    if (!dragging) {
      if (Math.hypot(at.clientX - from.x, at.clientY - from.y) < SLACK) return;
      dragging = true;
      document.body.classList.add("is-dragging");
      card = document.createElement("div");
      card.className = `carried s-${it.status}`;
      document.body.append(card);
    }
    scroll(at);
    const target = over(at);
    store.set({ moving: target });
    if (card) {
      card.style.transform = `translate(${at.clientX + 14}px, ${at.clientY + 14}px)`;
      const who = target?.technicianId ? store.technician(target.technicianId)?.name : target ? "Unassigned" : "Not here";
      card.textContent = `${it.customer.name} · ${who}${target?.technicianId ? ` · ${clock(target.start, store.zone)}` : ""}`;
    }
  };
  const end = () => {
    removeEventListener("pointermove", onMove);
    removeEventListener("pointerup", onUp);
    removeEventListener("pointercancel", end);
    removeEventListener("keydown", onEscape, true);
    document.body.classList.remove("is-dragging");
    card?.remove();
    if (dragging) {
      // The click that follows is the end of the drag, and opens nothing.
      addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
      setTimeout(() => store.set({ moving: null }));
    }
  };
  const onUp = (/** @type {PointerEvent} */ at) => {
    const target = dragging ? over(at) : null;
    end();
    if (target) void move(store, it, target.technicianId, target.technicianId ? target.start : null);
  };
  const onEscape = (/** @type {KeyboardEvent} */ key) => {
    if (key.key === "Escape") end();
  };
  addEventListener("pointermove", onMove);
  addEventListener("pointerup", onUp);
  addEventListener("pointercancel", end);
  addEventListener("keydown", onEscape, true);
}
