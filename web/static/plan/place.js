// A geometry in the form: drawn on the map, from a file, pasted or typed, or taken from an existing item. Shown on the map as it is.

import { get } from "../map/api.js";
import { byId, el, say } from "../map/dom.js";
import { t } from "../map/words.js";
import { upload } from "./ask.js";

const ALL = ["Point", "LineString", "Polygon"];
const ITEMS = 500; // of a collection, that a list offers

/** The field; its value is a geometry or a FeatureCollection, as the input's format says. */
export function placeField(name, input, { board, collections }) {
  const many = input.schema.format === "geojson-feature-collection";
  const kinds = input.schema["x-geometries"] ?? ALL;
  let features = [];
  let sent = null; // the file that was refused, so that it can be repaired
  const summary = el("p", { class: "quiet held", id: `${name}-held` });
  const clear = el("button", { type: "button", class: "button small", onclick: () => put([]) }, t("clear"));
  const draws = kinds.map((kind) => el("button", { type: "button", class: "button small", onclick: () => draw(kind) }, t(`draw_${kind}`)));
  const file = el("input", { type: "file", id: `file-${name}`, accept: ".geojson,.json,.gpkg,.zip,.kml,.gpx", onchange: () => file.files[0] && take(file.files[0]) });
  const text = el("textarea", { id: `text-${name}`, rows: 3, spellcheck: "false" });
  const control = el("fieldset", { id: `in-${name}`, class: "place", tabindex: "-1" },
    el("legend", {}, input.title, input.minOccurs ? el("span", { class: "must", title: t("required") }, " *") : null),
    el("div", { class: "buttons" }, draws),
    el("div", { class: "part" }, el("label", { for: file.id }, t("upload")), file),
    el("details", {}, el("summary", {}, t("otherwise")),
      el("div", { class: "part" }, el("label", { for: text.id }, t("paste")), text, el("button", { type: "button", class: "button small", onclick: paste }, t("use"))),
      existing(name, collections, (feature) => add([feature]))),
    summary, clear);
  const element = el("div", { class: "field" }, control);
  const held = { element, control, read, write: (value) => put(apart(value)), close: () => board.show(name, []), offer };
  put([], { quiet: true });
  return held;

  function read() {
    if (!features.length) return undefined;
    return many ? { type: "FeatureCollection", features } : together(features.map(({ geometry }) => geometry));
  }

  function put(next, { quiet = false } = {}) {
    features = next;
    board.show(name, features);
    summary.textContent = features.length ? t("held", { n: features.length, types: [...new Set(features.map(({ geometry }) => t(`type_${geometry.type.replace("Multi", "")}`)))].join(", ") }) : t("held_none");
    clear.hidden = !features.length;
    if (!quiet) say(summary.textContent);
  }

  function add(more) {
    wrong("");
    put(many ? [...features, ...more] : more);
    board.frame(more);
  }

  async function draw(kind) {
    say(t(`drawing_${kind}`));
    const geometry = await board.draw(kind, t(`drawing_${kind}`));
    if (geometry) {
      wrong("");
      put([...(many ? features : []), { type: "Feature", properties: {}, geometry }]);
    }
  }

  async function take(body, { repair = false } = {}) {
    sent = body;
    control.setAttribute("aria-busy", "true");
    try {
      add((await upload(body, { repair })).features.filter(({ geometry }) => geometry));
    } catch (error) {
      wrong([error.message, ...(error.problems ?? []).map(({ message }) => message)].filter((one, n, all) => all.indexOf(one) === n).join(" – "), { repairable: true });
    } finally {
      control.removeAttribute("aria-busy");
      file.value = "";
    }
  }

  function paste() {
    const numbers = text.value.trim().match(/^(-?\d+(?:\.\d+)?)[,;\s]+(-?\d+(?:\.\d+)?)$/);
    if (numbers) return add([{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [Number(numbers[1]), Number(numbers[2])] } }]);
    return take(text.value);
  }

  function wrong(message, problem) {
    const error = byId(`${name}-error`);
    if (!error) return;
    error.textContent = message;
    error.hidden = !message;
    if (message) say(message);
    offer(error, problem);
  }

  /** Offers to mend what is refused as invalid. */
  function offer(error, problem) {
    if (!/valid|self-?intersect|ring/i.test(error.textContent)) return;
    const body = problem?.repairable ? sent : JSON.stringify({ type: "FeatureCollection", features });
    error.append(" ", el("button", { type: "button", class: "button small", onclick: () => take(body, { repair: true }) }, t("repair")));
  }
}

/** Features of a value in the form's own terms. */
function apart(value) {
  if (value?.type === "FeatureCollection") return value.features ?? [];
  if (value?.type === "Feature") return [value];
  return value ? [{ type: "Feature", properties: {}, geometry: value }] : [];
}

/** One geometry of several of a kind; of different kinds the service says that it takes none such. */
function together(geometries) {
  if (geometries.length === 1) return geometries[0];
  const kind = geometries[0].type.replace("Multi", "");
  if (geometries.some(({ type }) => type.replace("Multi", "") !== kind)) return { type: "GeometryCollection", geometries };
  return { type: `Multi${kind}`, coordinates: geometries.flatMap(({ type, coordinates }) => (type.startsWith("Multi") ? coordinates : [coordinates])) };
}

/** Two lists: a collection, and an item of it. */
function existing(name, collections, choose) {
  const items = el("select", { id: `item-${name}`, disabled: true, onchange: () => items.value && pick() }, el("option", { value: "" }, t("choose")));
  const from = el("select", { id: `from-${name}`, onchange: fill }, el("option", { value: "" }, t("choose")), [...collections].map(([id, title]) => el("option", { value: id }, title)));
  let found = [];
  return el("div", { class: "part" }, el("label", { for: from.id }, t("existing")), from, el("label", { for: items.id }, t("item")), items);

  async function fill() {
    items.disabled = true;
    found = from.value ? (await get(`/collections/${from.value}/items`, { limit: ITEMS }).catch(() => ({ features: [] }))).features : [];
    items.replaceChildren(el("option", { value: "" }, t("choose")), ...found.map(({ id, properties }) => el("option", { value: id }, properties.name ?? id)));
    items.disabled = !found.length;
  }

  function pick() {
    const { geometry, properties } = found.find(({ id }) => String(id) === items.value);
    choose({ type: "Feature", properties: { name: properties.name }, geometry });
  }
}
