// The dispatch board: one query, then the event stream from its cursor; every change is a mutation that may be refused.

import { ask, subscribe, ApiError } from "./api.js";
import { BOARD, DETAIL, EVENTS, LOG_IN, LOG_OUT, MOVES, SCHEDULE, VIEWER, WHO } from "./operations.js";

const $ = (selector) => document.querySelector(selector);
const FIRST_HOUR = 6;
const LAST_HOUR = 22;
let zone = "UTC";
let board = null;
let cursor = null;
let stop = () => {};

/** An element with properties, classes and children; text never becomes markup. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const clock = (instant) => new Date(instant).toLocaleTimeString("en-US", { timeZone: zone, hour: "numeric", minute: "2-digit" });
const localDay = (instant) => new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date(instant));
const today = () => localDay(Date.now());

/** Where an instant stands on the day's track, in percent; by the clock on the wall, so that it is right when clocks change. */
function percent(instant) {
  const day = localDay(instant);
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, hour: "numeric", minute: "numeric", hourCycle: "h23" }).formatToParts(new Date(instant));
  const read = (type) => Number(parts.find((part) => part.type === type).value);
  let hours = read("hour") + read("minute") / 60;
  if (day < board.day) hours -= 24;
  if (day > board.day) hours += 24;
  return Math.min(100, Math.max(0, ((hours - FIRST_HOUR) / (LAST_HOUR - FIRST_HOUR)) * 100));
}

/** The instant of a wall-clock time of the shown day, as ISO text. */
function instantOf(day, time) {
  const guess = new Date(`${day}T${time}:00Z`);
  const shown = new Date(guess.toLocaleString("en-US", { timeZone: zone }) + " UTC");
  return new Date(guess.getTime() + (guess.getTime() - shown.getTime())).toISOString();
}

function visitButton(visit) {
  const what = visit.lines.map((line) => line.service.name).join(", ");
  const when = visit.scheduled ? clock(visit.scheduled.start) : "no time yet";
  const button = make("button", { className: `visit ${visit.status}`, type: "button", draggable: ["REQUESTED", "SCHEDULED"].includes(visit.status),
    title: `#${visit.number} ${visit.customer.name}: ${what}` },
    make("b", {}, `${when} · ${visit.customer.name}`), make("small", {}, `${visit.status.replaceAll("_", " ").toLowerCase()} · ${what}`));
  button.setAttribute("aria-label", `Number ${visit.number}, ${visit.customer.name}, ${when}, ${visit.status.replaceAll("_", " ").toLowerCase()}`);
  button.onclick = () => detail(visit.id);
  button.ondragstart = (event) => event.dataTransfer.setData("text/plain", visit.id);
  return button;
}

function allVisits() {
  return [...board.lanes.flatMap((lane) => lane.appointments), ...board.unassigned];
}

function draw() {
  $("#day").value = board.day;
  $("#waiting h2 span").textContent = `(${board.unassigned.length})`;
  $("#waiting ul").replaceChildren(...board.unassigned.map((visit) => make("li", {}, visitButton(visit))));
  const scale = make("div", { className: "track" });
  for (let hour = FIRST_HOUR + 1; hour < LAST_HOUR; hour += 2) {
    const mark = make("span", {}, `${hour % 12 || 12} ${hour < 12 ? "am" : "pm"}`);
    mark.style.left = `${((hour - FIRST_HOUR) / (LAST_HOUR - FIRST_HOUR)) * 100}%`;
    scale.append(mark);
  }
  $("#hours").replaceChildren(make("div"), scale);
  $("#lanes").replaceChildren(...board.lanes.map(drawLane));
}

function drawLane(lane) {
  const track = make("div", { className: "track" });
  for (const span of lane.working) {
    const works = make("div", { className: "works" });
    works.style.left = `${percent(span.start)}%`;
    works.style.right = `${100 - percent(span.end)}%`;
    track.append(works);
  }
  if (board.day === today()) {
    const now = make("div", { className: "now" });
    now.style.left = `${percent(Date.now())}%`;
    track.append(now);
  }
  for (const visit of lane.appointments) {
    const button = visitButton(visit);
    button.style.left = `${percent(visit.scheduled.start)}%`;
    button.style.width = `${percent(visit.scheduled.end) - percent(visit.scheduled.start)}%`;
    track.append(button);
  }
  track.ondragover = (event) => { event.preventDefault(); track.classList.add("over"); };
  track.ondragleave = () => track.classList.remove("over");
  track.ondrop = (event) => {
    event.preventDefault();
    track.classList.remove("over");
    const box = track.getBoundingClientRect();
    const quarter = Math.round(((event.clientX - box.left) / box.width) * (LAST_HOUR - FIRST_HOUR) * 4);
    const minutes = FIRST_HOUR * 60 + quarter * 15;
    const time = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
    const visit = allVisits().find((each) => each.id === event.dataTransfer.getData("text/plain"));
    if (visit) place(visit, lane.technician.id, time);
  };
  const who = make("div", { className: "who" }, lane.technician.name);
  who.style.setProperty("--swatch", lane.technician.color);
  return make("li", { className: "lane" }, who, track);
}

/** Put a visit where the server says that it now is. */
function fold(visit) {
  for (const lane of board.lanes) lane.appointments = lane.appointments.filter((each) => each.id !== visit.id);
  board.unassigned = board.unassigned.filter((each) => each.id !== visit.id);
  const open = ["REQUESTED", "SCHEDULED"].includes(visit.status);
  const touches = visit.scheduled && localDay(visit.scheduled.start) <= board.day && localDay(new Date(visit.scheduled.end) - 1) >= board.day;
  const lane = board.lanes.find((each) => each.technician.id === visit.technician?.id);
  if (visit.scheduled && visit.technician) {
    if (lane && touches && visit.status !== "CANCELLED") lane.appointments.push(visit);
  } else if (open && (touches || !visit.scheduled)) {
    board.unassigned.push(visit);
  }
}

/** Show it at once where it was dropped; the server's word replaces that, also when it refuses. */
async function place(visit, technicianId, time) {
  const start = instantOf(board.day, time);
  const end = new Date(new Date(start).getTime() + visit.durationMinutes * 60000).toISOString();
  const before = structuredClone(board);
  fold({ ...visit, status: "SCHEDULED", technician: { id: technicianId }, scheduled: { start, end } });
  draw();
  const input = { appointmentId: visit.id, expectedVersion: visit.version, technicianId, scheduled: { start, end } };
  if (!(await change(SCHEDULE, input))) {
    board = before;
    draw();
  }
}

/** Whether a mutation went through; why not is shown. */
async function change(query, input) {
  try {
    const [payload] = Object.values(await ask(query, { input }));
    $("#notice").textContent = payload.userErrors.map((error) => error.message).join(" ");
    return payload.userErrors.length === 0;
  } catch (error) {
    $("#notice").textContent = error.message;
    return false;
  }
}

async function detail(id) {
  const visit = (await ask(DETAIL, { id })).node;
  const dialog = $("#detail");
  const close = make("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const moves = make("div", { className: "row" });
  const wanted = visit.allowedTransitions.map((status) => [status, MOVES[status] ?? MOVES.REOPEN]);
  for (const [, move] of new Map(wanted.map(([status, move]) => [move.label, [status, move]])).values()) {
    moves.append(make("button", { type: "button", className: "primary", onclick: async () => {
      if (await change(move.query, { appointmentId: id, expectedVersion: visit.version })) dialog.close();
    } }, move.label));
  }
  const who = make("select", {}, ...board.lanes.map((lane) => make("option", { value: lane.technician.id, selected: lane.technician.id === visit.technician?.id }, lane.technician.name)));
  const time = make("input", { type: "time", step: 900, value: visit.scheduled ? new Date(visit.scheduled.start).toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }) : "09:00" });
  const form = make("form", { className: "row", onsubmit: (event) => { event.preventDefault(); dialog.close(); place(visit, who.value, time.value); } },
    make("label", {}, "Technician", who), make("label", {}, "Starts", time), make("button", {}, "Schedule"));
  form.hidden = !["REQUESTED", "SCHEDULED"].includes(visit.status);
  const { line1, city, postalCode } = visit.address.address;
  const title = make("h2", { id: "detail-title" }, `#${visit.number} ${visit.customer.name}`);
  const messages = visit.messages.map((each) => make("li", {}, `${each.event} by ${each.channel}: ${each.state}${each.reason ? ` (${each.reason})` : ""}`));
  dialog.replaceChildren(title, make("p", {}, `${visit.lines.map((line) => line.service.name).join(", ")} · ${line1}, ${city} ${postalCode} · ${visit.customer.phone ?? "no phone"}`),
    make("p", {}, visit.notes ?? ""), moves, form, make("h2", {}, "History"),
    make("ul", {}, ...visit.history.map((each) => make("li", {}, `${clock(each.occurredAt)} ${each.type.replaceAll("_", " ").toLowerCase()} by ${each.actor}`))),
    make("h2", {}, "Messages"), make("ul", {}, ...(messages.length ? messages : [make("li", {}, "none")])), close);
  dialog.showModal();
}

async function open(day) {
  stop();
  board = structuredClone((await ask(BOARD, { day })).dispatchBoard);
  cursor = board.cursor;
  draw();
  stop = subscribe(EVENTS, () => ({ after: cursor }), {
    next: ({ appointmentEvents: event }) => { cursor = event.cursor; fold(event.appointment); draw(); },
    state: (state) => {
      $("#connection").className = state;
      $("#connection").textContent = { live: "Live", connecting: "Reconnecting: what you see may be old", ended: "Logged out" }[state];
      if (state === "ended") start();
    },
  });
}

const shift = (days) => { const day = new Date(`${board.day}T12:00:00Z`); day.setUTCDate(day.getUTCDate() + days); return day.toISOString().slice(0, 10); };
$("#before").onclick = () => open(shift(-1));
$("#after").onclick = () => open(shift(1));
$("#today").onclick = () => open(today());
$("#day").onchange = ({ target }) => target.value && open(target.value);
$("#log-out").onclick = async () => { await ask(LOG_OUT); stop(); start(); };
$("#log-in").onsubmit = async (event) => {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(event.target));
  if (!given.totpCode) delete given.totpCode;
  try {
    const { logIn } = await ask(LOG_IN, { input: given });
    const [refusal] = logIn.userErrors;
    $("#code").hidden = refusal?.code !== "SECOND_FACTOR_REQUIRED";
    $("#log-in [role=alert]").textContent = refusal?.message ?? "";
    if (!refusal) start();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    $("#log-in [role=alert]").textContent = error.message;
  }
};

async function start() {
  const { viewer } = await ask(WHO);
  $("#log-in").hidden = Boolean(viewer);
  $("#app").hidden = !viewer;
  if (!viewer) return;
  const found = await ask(VIEWER);
  zone = found.locations[0]?.timeZone ?? "UTC";
  $("#business").textContent = found.viewer.tenant.name;
  await open(today());
}

start();
