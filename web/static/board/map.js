/** Where everybody is: a plain map of our own, so that nobody else learns of a position or an address. */
import { html, useMemo } from "../lib/view.js";
import { STATUS } from "../lib/words.js";
import { initials } from "./lanes.js";

const WIDTH = 400;
const HEIGHT = 300;
const PAD = 26;
/** @param {number} latitude degrees, to Mercator's y in degrees */
const mercator = (latitude) => (Math.log(Math.tan(Math.PI / 4 + (latitude * Math.PI) / 360)) * 180) / Math.PI;

/** Where points lie on the picture so that all of them fit. @param {{ latitude: number, longitude: number }[]} points */
export function projection(points) {
  const xs = points.map((point) => point.longitude);
  const ys = points.map((point) => mercator(point.latitude));
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((WIDTH - 2 * PAD) / Math.max(right - left, 0.01), (HEIGHT - 2 * PAD) / Math.max(high - low, 0.01));
  const [x0, y0] = [(left + right) / 2, (low + high) / 2];
  const at = (/** @type {{ latitude: number, longitude: number }} */ point) =>
    /** @type {[number, number]} */ ([WIDTH / 2 + (point.longitude - x0) * scale, HEIGHT / 2 - (mercator(point.latitude) - y0) * scale]);
  // At the middle's latitude a degree of longitude is this long.
  const km = scale / (111.32 * Math.cos((points.reduce((sum, point) => sum + point.latitude, 0) / points.length) * (Math.PI / 180)));
  return { at, km };
}

/** A round length that takes about a fifth of the picture. @param {number} km pixels of one */
export function ruler(km) {
  const length = [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((each) => each * km > WIDTH / 8) ?? 200;
  return { length, pixels: length * km };
}

/** @param {{ store: import("./store.js").Store }} props */
export function BoardMap({ store }) {
  const visits = [...store.rows.values()].flat().filter((it) => it.address?.address.location);
  const places = store.locations.filter((place) => place.address.location && (!store.locationId || place.id === store.locationId));
  const people = store.lanes
    .map((lane) => ({ lane, position: store.positions.get(lane.technician.id) }))
    .filter((each) => each.position);
  const points = [
    ...visits.map((it) => it.address.address.location),
    ...places.map((place) => place.address.location),
    ...people.map((each) => each.position.point),
  ];
  const bounds = points.length
    ? [Math.min, Math.max].flatMap((f) => [f(...points.map((p) => p.latitude)), f(...points.map((p) => p.longitude))]).map((n) => n.toFixed(2)).join()
    : "";
  const view = useMemo(() => (points.length ? projection(points) : null), [bounds]);
  if (!view) return html`<section class="map" aria-label="Map"><p class="empty">Nothing to show on the map.</p></section>`;
  const scale = ruler(view.km);
  const grid = Array.from({ length: 12 }, (_, at) => at * scale.pixels);
  return html`<section class="map" aria-label="Map">
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label=${`${people.length} technicians on duty, ${visits.length} visits`}>
      <g class="grid" aria-hidden="true">
        ${grid.map((at) => html`<path d=${`M${at} 0V${HEIGHT}M0 ${at}H${WIDTH}`} />`)}
      </g>
      <g class="routes" aria-hidden="true">
        ${store.lanes.map((lane) => {
          const stops = (store.rows.get(lane.technician.id) ?? [])
            .filter((it) => it.address?.address.location)
            .map((it) => view.at(it.address.address.location).map((n) => n.toFixed(1)).join());
          const chosen = store.selected && store.get(store.selected)?.technician?.id === lane.technician.id;
          return stops.length > 1 && html`<polyline key=${lane.technician.id} class=${chosen ? "is-chosen" : ""} points=${stops.join(" ")} style=${{ stroke: lane.technician.color }} />`;
        })}
      </g>
      ${places.map((place) => {
        const [x, y] = view.at(place.address.location);
        return html`<g class="home" transform=${`translate(${x} ${y})`}><title>${place.name}</title><path d="M-6 5V-2L0 -7L6 -2V5Z" /></g>`;
      })}
      ${visits.map((it) => {
        const [x, y] = view.at(it.address.address.location);
        return html`<g
          key=${it.id} class=${`stop s-${it.status} ${store.selected === it.id ? "is-selected" : ""}`} transform=${`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
          onClick=${() => store.set({ selected: it.id })}
        ><title>${`#${it.number} ${it.customer.name}, ${STATUS[it.status]}`}</title><circle r=${store.selected === it.id ? 7 : 4.5} /></g>`;
      })}
      ${people.map(({ lane, position }) => {
        const [x, y] = view.at(position.point);
        return html`<g key=${lane.technician.id} class="van" style=${{ transform: `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)` }}>
          <title>${`${lane.technician.name}${position.speedKph ? `, ${Math.round(position.speedKph)} km/h` : ""}`}</title>
          <circle r="10" style=${{ stroke: lane.technician.color }} />
          <text dy="3.2">${initials(lane.technician.name)}</text>
        </g>`;
      })}
      <g class="ruler" transform=${`translate(10 ${HEIGHT - 10})`} aria-hidden="true"><path d=${`M0 -4V0H${scale.pixels}V-4`} /><text x="4" y="-4">${scale.length} km</text></g>
    </svg>
  </section>`;
}
