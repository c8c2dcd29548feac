// The table twin of the answer's map: sortable columns, a row and its shape point at each other.

import { el, say } from "../map/dom.js";
import { t } from "../map/words.js";

const SHOWN = 500; // rows; files hold all

/** The table of an answer's features; `light(id)` and `frame(feature)` reach the map. */
export class Rows {
  constructor(features, speech, { light, frame }) {
    Object.assign(this, { features, speech, light, frame });
    this.names = columns(features, speech);
    this.order = { name: null, down: false };
    this.body = el("tbody");
    this.heads = this.names.map((name) => el("th", { scope: "col" }, el("button", { type: "button", onclick: () => this.sort(name) }, speech.title(name))));
    const more = features.length > SHOWN && el("p", { class: "quiet" }, t("rows_more", { shown: SHOWN, n: features.length }));
    const caption = el("caption", { class: "hidden" }, t("table"));
    this.element = el("div", {}, more, el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("table") }, el("table", { class: "answers" }, caption, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("see")), this.heads)), this.body)));
    this.draw();
  }

  sort(name) {
    this.order = { name, down: this.order.name === name && !this.order.down };
    const key = ({ properties }) => properties[name];
    const way = this.order.down ? -1 : 1;
    this.features.sort((a, b) => compare(key(a), key(b), way));
    this.heads.forEach((head, n) => (this.names[n] === name ? head.setAttribute("aria-sort", this.order.down ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    this.draw();
    say(t(this.order.down ? "sorted_down" : "sorted_up", { name: this.speech.title(name) }));
  }

  draw() {
    this.body.replaceChildren(...this.features.slice(0, SHOWN).map((feature) => this.row(feature)));
  }

  row(feature) {
    const { id, properties, geometry } = feature;
    const light = () => this.light(id);
    const see = geometry && el("button", { type: "button", class: "button small", "aria-label": t("see_row", { n: id }), onfocus: light, onclick: () => (light(), this.frame(feature)) }, String(id));
    const cells = this.names.map((name) => el("td", { class: typeof properties[name] === "number" ? "number" : null }, this.speech.value(name, properties[name], properties)));
    return el("tr", { "data-id": id, onmouseenter: light }, el("td", {}, see ?? String(id)), cells);
  }

  /** Points at the row of a feature. */
  show(id) {
    for (const row of this.body.rows) row.classList.toggle("lit", Number(row.dataset.id) === id);
    this.body.querySelector(".lit")?.scrollIntoView({ block: "nearest" });
  }
}

/** The properties that have words; all of them where none has. */
function columns(features, speech) {
  const all = [...new Set(features.flatMap(({ properties }) => Object.keys(properties)))];
  const known = all.filter((name) => speech.knows(name) && features.some(({ properties }) => properties[name] != null));
  return known.length ? known : all;
}

/** What is not known comes last, whichever way. */
function compare(a, b, way) {
  if (a == null || b == null) return (a == null) - (b == null);
  return way * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
}
