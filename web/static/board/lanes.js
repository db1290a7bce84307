/** The timeline: a lane for each technician, drawn again only where something has changed. */
import { clock, hourOf, zoneName } from "../lib/time.js";
import { STATUS } from "../lib/words.js";
import { Component, html, useEffect, useLayoutEffect, useRef, useState } from "../lib/view.js";
import { along, axisOf } from "./axis.js";
import { beginDrag } from "./drag.js";
import { onKey } from "./keys.js";
import { movable } from "./actions.js";

/** @param {string} name */
export const initials = (name) => name.split(/\s+/).map((part) => part[0]).slice(0, 2).join("");

/** The names of the colleagues who have an appointment open. @param {Map<string, any[]>} presences @param {string} id */
export const watchers = (presences, id) => (presences.get(id) ?? []).map((each) => each.name).join(", ");

/** Who has it open on another board, so that two do not plan the same visit. @param {{ names: string }} props */
export function Watched({ names }) {
  if (!names) return null;
  return html`<i class="watched" title=${names}><span aria-hidden="true">${names.split(", ").map(initials).join(" ")}</span><span class="unseen">, open with ${names}</span></i>`;
}

/** What a screen reader says of it. @param {any} it @param {string} zone */
export function label(it, zone) {
  const when = it.scheduled ? `${clock(Date.parse(it.scheduled.start), zone)} to ${clock(Date.parse(it.scheduled.end), zone)}` : "no time yet";
  return `Number ${it.number}, ${STATUS[it.status]}, ${when}`;
}

/** @param {any} it */
export const services = (it) => it.lines.map((/** @type {any} */ line) => line.service.name).join(", ");

class Visit extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const p = /** @type {any} */ (this.props);
    return next.it !== p.it || next.axis !== p.axis || next.selected !== p.selected || next.watched !== p.watched || next.ghost !== p.ghost;
  }

  /** @param {any} props */
  render({ store, it, axis, selected, watched, ghost }) {
    const start = Date.parse(it.scheduled.start);
    const left = along(axis, Math.max(start, axis.start));
    const width = Math.max(14, along(axis, Math.min(Date.parse(it.scheduled.end), axis.end)) - left);
    const may = movable(store, it);
    return html`<button
      type="button"
      class=${`visit s-${it.status} ${selected ? "is-selected" : ""} ${it.pending ? "is-pending" : ""} ${may ? "can-move" : ""} ${ghost ? "is-ghost" : ""}`}
      data-id=${it.id}
      style=${{ transform: `translateX(${left}px)`, width: `${width - 2}px` }}
      aria-pressed=${selected}
      title=${`${it.customer.name}\n${services(it)}\n${label(it, store.zone)}`}
      onClick=${() => store.set({ selected: it.id })}
      onPointerDown=${(/** @type {PointerEvent} */ event) => may && beginDrag(store, it, axis, event)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => onKey(store, it, event)}
    >
      <b>${it.customer.name}</b>
      <span>${services(it)}</span>
      <span class="unseen">${label(it, store.zone)}</span>
      <small>${it.eta && it.status === "ON_THE_WAY" ? `ETA ${clock(Date.parse(it.eta), store.zone)}` : STATUS[it.status]}</small>
      <${Watched} names=${watched} />
    </button>`;
  }
}

class LaneRow extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const p = /** @type {any} */ (this.props);
    return (
      next.items !== p.items || next.lane !== p.lane || next.axis !== p.axis || next.presences !== p.presences ||
      next.moving !== p.moving || next.on !== p.on ||
      (next.selected !== p.selected && [next.selected, p.selected].some((id) => id && next.items.some((/** @type {any} */ it) => it.id === id)))
    );
  }

  /** @param {any} props */
  render({ store, lane, items, axis, selected, presences, moving, on }) {
    const { technician, working } = lane;
    const block = (/** @type {any} */ window, /** @type {string} */ kind, /** @type {string} */ title) => {
      const left = along(axis, Math.max(axis.start, Date.parse(window.start)));
      const right = along(axis, Math.min(axis.end, Date.parse(window.end)));
      return right > left && html`<div class=${kind} title=${title} style=${{ transform: `translateX(${left}px)`, width: `${right - left}px` }}></div>`;
    };
    const job = moving && store.get(moving.id);
    return html`<div class="lane" role="row" data-technician=${technician.id}>
      <div class="who" role="rowheader">
        <span class="face" style=${{ borderColor: technician.color }}>${initials(technician.name)}</span>
        <span class="name">${technician.name}<small>${on ? "on duty" : working.length ? `${items.length} visit${items.length === 1 ? "" : "s"}` : "not working"}</small></span>
      </div>
      <div class="track" role="cell" style=${{ width: `${axis.width}px` }}>
        ${working.map((/** @type {any} */ window) => block(window, "working", "Working hours"))}
        ${technician.timeOff.map((/** @type {any} */ off) => block(off.window, "off", off.reason ? `Time off: ${off.reason}` : "Time off"))}
        ${items.map(
          (/** @type {any} */ it) => html`<${Visit}
            key=${it.id} store=${store} it=${it} axis=${axis} selected=${selected === it.id} ghost=${moving?.id === it.id}
            watched=${watchers(presences, it.id)}
          />`,
        )}
        ${job && moving.technicianId === technician.id && html`<div class="target" style=${{
          transform: `translateX(${along(axis, moving.start)}px)`,
          width: `${(moving.length / 3_600_000) * axis.hour - 2}px`,
        }}>${clock(moving.start, store.zone)}</div>`}
      </div>
    </div>`;
  }
}

/** @type {any[]} */
const NONE = [];

/** @param {{ store: import("./store.js").Store, axisRef: any }} props */
export function Lanes({ store, axisRef }) {
  const box = useRef(/** @type {any} */ (null));
  const [room, setRoom] = useState(900);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  useLayoutEffect(() => {
    const measure = () => {
      const head = box.current.querySelector(".corner").offsetWidth;
      setRoom(Math.max(200, box.current.clientWidth - head - 2));
    };
    measure();
    const watching = new ResizeObserver(measure);
    watching.observe(box.current);
    return () => watching.disconnect();
  }, []);
  const made = axisOf(store, room);
  // The same axis as long as nothing about it changes, so that lanes need not be drawn again.
  const kept = axisRef.current;
  const axis = kept && kept.start === made.start && kept.end === made.end && kept.hour === made.hour ? kept : (axisRef.current = made);
  const today = now >= axis.start && now <= axis.end;
  useEffect(() => {
    if (!store.loaded) return;
    const first = Math.min(...store.lanes.flatMap((lane) => lane.working.map((window) => Date.parse(window.start))));
    const at = today ? now - 3_600_000 : Number.isFinite(first) ? first : axis.start;
    box.current.scrollLeft = Math.max(0, along(axis, at));
  }, [store.loaded, store.day, axis.start]);
  const moving = store.moving;
  return html`<section class="lanes" ref=${box} aria-label="Timeline" tabindex="-1">
    <div class="sheet" role="table" aria-label=${`Visits of ${store.day} by technician`} style=${{ "--hour": `${axis.hour}px` }}>
      <div class="hours" role="row">
        <div class="corner" role="columnheader">${zoneName(axis.start, store.zone)}</div>
        <div class="scale" role="columnheader" aria-label="Hours" style=${{ width: `${axis.width}px` }}>
          ${axis.ticks.map((/** @type {number} */ at) => html`<span key=${at} style=${{ transform: `translateX(${along(axis, at)}px)` }}>${hourOf(at, store.zone)}</span>`)}
        </div>
      </div>
      ${store.lanes.map(
        (lane) => html`<${LaneRow}
          key=${lane.technician.id} store=${store} lane=${lane} axis=${axis} selected=${store.selected} presences=${store.presences}
          items=${store.rows.get(lane.technician.id) ?? NONE} on=${store.positions.has(lane.technician.id)}
          moving=${moving && (moving.technicianId === lane.technician.id || store.appointments.get(moving.id)?.technician?.id === lane.technician.id) ? moving : null}
        />`,
      )}
      ${today && html`<div class="now" aria-hidden="true" style=${{ transform: `translateX(${along(axis, now)}px)` }}></div>`}
    </div>
    ${store.loaded && !store.lanes.length && html`<p class="empty">No technicians here yet.</p>`}
  </section>`;
}
