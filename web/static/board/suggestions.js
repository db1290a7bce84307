/** Who could take a job, and when; and a better day for all, to look at before it is applied. */
import { GraphQLFailure, ask } from "../lib/graphql.js";
import { html, useEffect, useRef, useState } from "../lib/view.js";
import { clock, span } from "../lib/time.js";
import { plain, refusal } from "../lib/words.js";
import { move } from "./actions.js";

/** @param {{ store: import("./store.js").Store, it: any }} props */
export function Suggestions({ store, it }) {
  const [found, setFound] = useState(/** @type {any[] | null} */ (null));
  const [wrong, setWrong] = useState("");
  const look = () =>
    ask("TechnicianSuggestions", { id: it.id, day: store.day }).then(
      (data) => setFound(data.technicianSuggestions ?? []),
      (error) => setWrong(error instanceof GraphQLFailure ? error.message : String(error)),
    );
  useEffect(() => {
    if (!it.technician) void look();
  }, []);
  return html`<section class="suggestions"><h3>Who could go</h3>
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    ${!found && !wrong && (it.technician ? html`<button type="button" onClick=${look}>Suggest somebody</button>` : html`<p class="empty">Looking…</p>`)}
    <ul>${(found ?? []).map((each) => html`<li key=${each.technician.id} class=${each.feasible ? "" : "cannot"}>
      <span><b>${each.technician.name}</b> <small>${each.feasible
        ? `${each.earliest ? span(each.earliest, store.zone) : ""}${each.addedTravelMinutes === null ? "" : ` · ${Math.round(each.addedTravelMinutes)} min more driving`}`
        : each.reasons.map(plain).join(", ")}</small></span>
      ${each.feasible && each.earliest && html`<button type="button" onClick=${() => void move(store, it, each.technician.id, Date.parse(each.earliest.start))}>Give</button>`}
    </li>`)}</ul></section>`;
}

/** @param {{ store: import("./store.js").Store, onClose: () => void }} props */
export function DayPlan({ store, onClose }) {
  const dialog = useRef(/** @type {any} */ (null));
  const [plan, setPlan] = useState(/** @type {any} */ (null));
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const [place, setPlace] = useState(store.locationId ?? store.locations[0]?.id);
  useEffect(() => dialog.current.showModal(), []);
  useEffect(() => {
    setPlan(null);
    setWrong("");
    let wanted = true;
    ask("DayPlanProposal", { day: store.day, location: place }).then(
      (data) => wanted && setPlan(data.dayPlanProposal),
      (error) => wanted && setWrong(error instanceof GraphQLFailure ? error.message : String(error)),
    );
    return () => {
      wanted = false;
    };
  }, [place]);
  const apply = async () => {
    setBusy(true);
    try {
      const { dayPlanApply } = await ask("DayPlanApply", { input: { token: plan.token } });
      const [error] = dayPlanApply.userErrors;
      if (error) setWrong(refusal(error));
      else {
        dayPlanApply.appointments.forEach((/** @type {any} */ each) => store.take(each));
        store.say("done", `The plan is applied: ${dayPlanApply.appointments.length} visits moved.`);
        onClose();
      }
    } catch (error) {
      setWrong(error instanceof GraphQLFailure ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const saved = plan ? Math.round(plan.travelMinutesBefore - plan.travelMinutesAfter) : 0;
  return html`<dialog ref=${dialog} class="dayplan" aria-label="Day plan" onClose=${onClose}>
    <h2>A better day</h2>
    ${store.locations.length > 1 && html`<label>Location <select value=${place} onChange=${(/** @type {any} */ event) => setPlace(event.target.value)}>
      ${store.locations.map((each) => html`<option key=${each.id} value=${each.id}>${each.name}</option>`)}</select></label>`}
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    ${!plan && !wrong && html`<p class="empty">Working it out…</p>`}
    ${plan && html`<div>
      <p class="figures"><span><b>${Math.round(plan.travelMinutesBefore)}</b> min driving now</span><span><b>${Math.round(plan.travelMinutesAfter)}</b> min then</span><span class="saved"><b>${saved}</b> min saved</span></p>
      ${!plan.changes.length && html`<p>Today's plan cannot be bettered.</p>`}
      <table><thead>${plan.changes.length > 0 && html`<tr><th>Visit</th><th>Now</th><th>Then</th></tr>`}</thead><tbody>
        ${plan.changes.map((/** @type {any} */ change) => {
          const now = change.appointment;
          return html`<tr key=${now.id}><td>#${now.number} ${now.customer.name}</td>
            <td>${now.technician?.name ?? "Nobody"}${now.scheduled ? `, ${clock(Date.parse(now.scheduled.start), store.zone)}` : ""}</td>
            <td>${change.technician.name}, ${clock(Date.parse(change.scheduled.start), store.zone)}</td></tr>`;
        })}</tbody></table>
      ${plan.unplanned.length > 0 && html`<p>No place for: ${plan.unplanned.map((/** @type {any} */ it) => `#${it.number} ${it.customer.name}`).join(", ")}</p>`}
    </div>`}
    <div class="row">
      ${plan?.changes.length > 0 && html`<button class="primary" disabled=${busy} onClick=${apply}>Apply</button>`}
      <button type="button" onClick=${() => dialog.current.close()}>Close</button>
    </div>
  </dialog>`;
}
