// The legend: each collection's sign, switch and number, what the signs mean, and what has no place on the map.

import { WHOLE } from "./data.js";
import { byId, el, svg } from "./dom.js";
import { notice } from "./notices.js";
import { swatch } from "./symbols.js";
import { page, t } from "./words.js";

/** Draws the legend. `state` says what is on; `toggle(id, on)` and `toggleAll(on)` are told of switches. */
export function drawLegend(data, state, { toggle, toggleAll }) {
  const all = (on, key) => el("button", { type: "button", class: "small", onclick: () => toggleAll(on) }, t(key));
  byId("legend").replaceChildren(
    el("ul", { class: "switches" }, data.drawn.map((one) => row(one, state, toggle))),
    el("p", { class: "buttons" }, all(true, "show_all"), all(false, "hide_all")),
    el("h2", {}, t("signs")),
    el("ul", { class: "signs" }, signs(data.drawn)),
    data.told.length > 0 && el("h2", { class: "told-title" }, t("see_also")),
    el("ul", { class: "told" }, data.told.map((one) =>
      el("li", {}, el("a", { href: page(`/collections/${encodeURIComponent(one.id)}/items`, { limit: 1000 }) }, one.title), " ", el("span", { class: "badge" }, one.itemCount)))),
  );
}

function row(one, state, toggle) {
  const box = el("input", { type: "checkbox", id: `on-${one.id}`, checked: state.on.has(one.id), onchange: () => toggle(one.id, box.checked) });
  return el("li", { "data-collection": one.id },
    el("label", { for: `on-${one.id}`, title: one.description }, box, swatch(one), el("span", { class: "title" }, one.title), el("span", { class: "badge" }, one.itemCount)));
}

/** Shows in the legend what is on, what is being loaded and what could not be. */
export function updateLegend(data, state, retry) {
  for (const one of data.drawn) {
    const line = document.querySelector(`#legend [data-collection="${CSS.escape(one.id)}"]`);
    if (!line) continue;
    line.querySelector("input").checked = state.on.has(one.id);
    line.classList.toggle("busy", one.loading);
    if (one.error && line.dataset.error !== one.error.message) notice(one.id, `${t("error_collection", one)} ${one.error.message}`, { retry: () => retry(one) });
    if (one.error) line.dataset.error = one.error.message;
    else delete line.dataset.error;
  }
}

function signs(collections) {
  const has = (family) => collections.some(({ sign }) => sign.family === family);
  const picture = (...shapes) => svg("svg", { class: "swatch", viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true" }, ...shapes);
  const ink = "#4a5560";
  return [
    has("Point") && [picture(svg("circle", { cx: 12, cy: 12, r: 6, fill: "#fffdf8", stroke: ink, "stroke-width": 2.4 })), "sign_approximate"],
    (has("LineString") || has("Polygon")) && [picture(svg("path", { d: "M2 12h20", stroke: ink, "stroke-width": 3, "stroke-dasharray": "5 3" })), "sign_schematic"],
    has("Point") && [picture(svg("rect", { x: 3, y: 3, width: 18, height: 18, fill: ink, "fill-opacity": 0.16, stroke: ink, "stroke-width": 1.6 }), svg("text", { x: 12, y: 16.5, "text-anchor": "middle", "font-size": 12, fill: "#20262b" }, "3")), "sign_cell"],
    collections.some(({ itemCount, sign }) => itemCount > WHOLE && sign.family === "Point") && [picture(svg("circle", { cx: 12, cy: 12, r: 10, fill: ink }), svg("text", { x: 12, y: 16, "text-anchor": "middle", "font-size": 11, fill: "#fff" }, "12")), "sign_gathered"],
  ].filter(Boolean).map(([sign, key]) => el("li", {}, sign, el("span", {}, t(key))));
}
