/** Booking: services, address, a window, who it is, and the confirmation. Times are the location's. */
import { GraphQLFailure, ask } from "../lib/graphql.js";
import { html, render, useEffect, useReducer, useRef } from "../lib/view.js";
import { longDate, span, zoneName } from "../lib/time.js";
import { words } from "./words.js";
import { Services } from "./services.js";
import { Done } from "./done.js";

const slug = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const framed = window.parent !== window;
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
document.documentElement.classList.toggle("is-framed", framed);
if (framed) {
  // The page around us gives the frame this height; it learns nothing else.
  new ResizeObserver(() => window.parent.postMessage({ type: "sps:height", height: Math.ceil(root.getBoundingClientRect().height) }, "*")).observe(root);
}

const STEPS = ["Services", "Address", "Time", "You"];
const EMPTY_ADDRESS = { line1: "", line2: "", city: "", region: "", postalCode: "" };
const SHOWN_DAYS = 5;

/** A key that makes a booking happen once, however often it is sent. */
const freshKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const state = {
  step: 0,
  busy: false,
  wrong: "",
  /** @type {Map<string, Set<string>>} services, and the options of each */
  chosen: new Map(),
  address: { ...EMPTY_ADDRESS },
  /** @type {any[]} */
  windows: [],
  /** @type {any} */
  offer: null,
  days: SHOWN_DAYS,
  key: freshKey(),
  contact: { name: "", phone: "", email: "", notes: "" },
  /** @type {File[]} */
  photos: [],
  /** @type {string[]} */
  photoTrouble: [],
  /** @type {any} */
  booked: null,
};

/** @param {any} portal */
function App({ portal }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const heading = useRef(/** @type {any} */ (null));
  const first = useRef(true);
  const set = (/** @type {Partial<typeof state>} */ values) => {
    Object.assign(state, values);
    redraw(0);
  };
  useEffect(() => {
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [state.step, state.booked]);
  const trying = async (/** @type {() => Promise<void>} */ work) => {
    set({ busy: true, wrong: "" });
    try {
      await work();
    } catch (error) {
      if (!(error instanceof GraphQLFailure)) throw error;
      set({ wrong: words(error) });
    } finally {
      set({ busy: false });
    }
  };
  const address = () => ({ ...state.address, line2: state.address.line2 || null, region: state.address.region.toUpperCase() });
  const look = (/** @type {string} */ note = "") =>
    trying(async () => {
      const data = await ask("BookingWindows", {
        slug,
        input: { serviceIds: [...state.chosen.keys()], optionIds: [...state.chosen.values()].flatMap((ids) => [...ids]), address: address(), days: 14 },
      });
      const { userErrors, windows } = data.bookingPortal.windows;
      if (userErrors[0] && !windows.length) set({ wrong: words(userErrors[0]), step: 1 });
      else if (!windows.length) set({ wrong: `No time is free in the next two weeks.${portal.phone ? ` Call us: ${portal.phone}` : ""}` });
      else set({ windows, offer: null, step: 2, wrong: note, days: SHOWN_DAYS });
    });
  const book = () =>
    trying(async () => {
      const { name, phone, email, notes } = state.contact;
      const { bookingCreate: result } = await ask("BookingCreate", {
        input: { idempotencyKey: state.key, token: state.offer.token, name, phone: international(phone), email: email || null, notes: notes || null },
      });
      const [error] = result.userErrors;
      if (error) {
        const again = ["SLOT_TAKEN", "HOLD_EXPIRED", "TOKEN_EXPIRED"].includes(error.code);
        if (again && result.windows.length) set({ windows: result.windows, offer: null, step: 2, wrong: words(error) });
        else if (again) await look(words(error));
        else set({ wrong: words(error) });
        return;
      }
      set({ booked: result });
      const { sendPhoto } = await import("./photo.js");
      for (const photo of state.photos) {
        const trouble = await sendPhoto(photo, result.trackingToken).catch((failure) => String(failure.message));
        if (trouble) set({ photoTrouble: [...state.photoTrouble, trouble] });
      }
    });

  if (state.booked) return html`<${Done} portal=${portal} state=${state} heading=${heading} framed=${framed} />`;
  return html`<div class="book">
    <header><p class="business">${portal.name}</p>${portal.phone && html`<a href=${`tel:${portal.phone}`}>${portal.phone}</a>`}</header>
    <ol class="progress" aria-label="Steps">${STEPS.map((name, at) => html`<li key=${name} class=${at < state.step ? "is-done" : at === state.step ? "is-now" : ""} aria-current=${at === state.step ? "step" : undefined}>
      ${at < state.step ? html`<button type="button" onClick=${() => set({ step: at, wrong: "" })}>${name}</button>` : html`<span>${name}</span>`}</li>`)}</ol>
    <h1 tabindex="-1" ref=${heading}>${["What do you need?", "Where?", "When?", "Who are you?"][state.step]}</h1>
    ${state.wrong && html`<p class="wrong" role="alert">${state.wrong}</p>`}
    ${state.step === 0 && html`<${Services} portal=${portal} chosen=${state.chosen} onChange=${() => redraw(0)} onNext=${() => set({ step: 1, wrong: "" })} />`}
    ${state.step === 1 && html`<form onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); set({ address: /** @type {any} */ (Object.fromEntries(new FormData(event.target))) }); void look(); }}>
      <label>Street and number <input name="line1" required maxlength="200" autocomplete="address-line1" value=${state.address.line1} /></label>
      <label>Apartment, gate code <span class="may">(if any)</span> <input name="line2" maxlength="200" autocomplete="address-line2" value=${state.address.line2} /></label>
      <div class="row">
        <label class="wide">City <input name="city" required maxlength="100" autocomplete="address-level2" value=${state.address.city} /></label>
        <label>State <input name="region" required maxlength="2" pattern="[A-Za-z]{2}" title="Two letters, such as TX" autocomplete="address-level1" value=${state.address.region} /></label>
        <label>ZIP <input name="postalCode" required pattern="\\d{5}(-\\d{4})?" title="Five digits" inputmode="numeric" autocomplete="postal-code" value=${state.address.postalCode} /></label>
      </div>
      <${Next} busy=${state.busy} text="See times" />
    </form>`}
    ${state.step === 2 && html`<${Windows} portal=${portal} set=${set} />`}
    ${state.step === 3 && html`<form onSubmit=${(/** @type {any} */ event) => {
      event.preventDefault();
      const form = event.target;
      const contact = { name: form.name_.value, phone: form.phone.value.trim(), email: form.email.value.trim(), notes: form.notes.value };
      set({ contact, photos: [...form.photos.files].slice(0, 5) });
      if (!contact.phone && !contact.email) set({ wrong: "Leave a phone number or an email address, so that we can confirm." });
      else void book();
    }}>
      <p class="chosen">${when(state.offer.window, portal.timeZone)}</p>
      <label>Name <input name="name_" required maxlength="200" autocomplete="name" value=${state.contact.name} /></label>
      <div class="row">
        <label class="wide">Mobile phone <input name="phone" type="tel" autocomplete="tel" value=${state.contact.phone} /></label>
        <label class="wide">Email <input name="email" type="email" autocomplete="email" value=${state.contact.email} /></label>
      </div>
      <label>What should the technician know? <textarea name="notes" rows="3" maxlength="2000">${state.contact.notes}</textarea></label>
      <label>Photos <span class="may">(up to five: the appliance, its label)</span> <input name="photos" type="file" multiple accept="image/jpeg,image/png,image/webp,image/heic,image/heif" /></label>
      <${Next} busy=${state.busy} text="Book this visit" />
    </form>`}
  </div>`;
}

/** @param {{ busy: boolean, text: string }} props */
const Next = ({ busy, text }) => html`<p class="next"><button class="primary" disabled=${busy}>${busy ? "One moment…" : text}</button></p>`;

/** Tuesday, November 24, 8:30 AM – 10:30 AM CST. @param {any} window @param {string} zone */
export const when = (window, zone) => {
  const start = Date.parse(window.start);
  return `${longDate(start, zone)}, ${span(window, zone)} ${zoneName(start, zone)}`;
};

/** +15125550123, from what people in the US write. @param {string} text */
function international(text) {
  if (!text) return null;
  const digits = text.replace(/\D/g, "");
  if (text.startsWith("+")) return `+${digits}`;
  return digits.length === 11 && digits.startsWith("1") ? `+${digits}` : `+1${digits}`;
}

/** @param {{ portal: any, set: (values: any) => void }} props */
function Windows({ portal, set }) {
  /** @type {Map<string, any[]>} */
  const days = new Map();
  for (const offer of state.windows) {
    const day = longDate(Date.parse(offer.window.start), portal.timeZone);
    days.set(day, [...(days.get(day) ?? []), offer]);
  }
  return html`<div class="days">
    <p class="hint">The technician arrives within the window that you choose. Times are ${zoneName(Date.now(), portal.timeZone)}.</p>
    ${[...days].slice(0, state.days).map(([day, offers]) => html`<section key=${day}><h2>${day}</h2><ul>${offers.map((offer) => html`<li key=${offer.window.start}>
      <button type="button" onClick=${() => set({ offer, step: 3, wrong: "", key: freshKey() })}>${span(offer.window, portal.timeZone)}</button></li>`)}</ul></section>`)}
    ${days.size > state.days && html`<button type="button" class="quiet" onClick=${() => set({ days: days.size })}>Show later days</button>`}
  </div>`;
}

async function begin() {
  try {
    const { bookingPortal } = await ask("BookingPortal", { slug });
    if (!bookingPortal) {
      render(html`<section class="book"><h1>There is no booking page here</h1><p>Check the address, or ask the business for its link.</p></section>`, root);
      return;
    }
    document.title = `Book a visit · ${bookingPortal.name}`;
    render(html`<${App} portal=${bookingPortal} />`, root);
  } catch (error) {
    render(html`<section class="book"><p class="wrong" role="alert">${/** @type {Error} */ (error).message}</p><button type="button" onClick=${() => location.reload()}>Try again</button></section>`, root);
  }
}
void begin();
