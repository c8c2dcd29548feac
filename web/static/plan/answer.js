// An answer on the page: on the map with a legend, as figures, grounds and rows; files of it, and the call that gives it.

import { byId, el, say } from "../map/dom.js";
import { dateWords, quantity } from "../map/format.js";
import { t } from "../map/words.js";
import { execute } from "./ask.js";
import { curl, python } from "./calls.js";
import { figures, groundsOf } from "./figures.js";
import { Rows } from "./table.js";

const COLOURS = ["#1d4b41", "#b3541e", "#3b5b92", "#8a5a00", "#7b3f72", "#4d4a42"];
const NAMES = { "application/geo+json": "GeoJSON", "application/geopackage+sqlite3": "GeoPackage", "text/csv": "CSV", "application/pdf": "PDF", "text/html": "HTML" };
const SUFFIXES = { "application/geo+json": "geojson", "application/geopackage+sqlite3": "gpkg", "text/csv": "csv", "application/pdf": "pdf", "text/html": "html" };

let rows = null;

/** Shows it; `question` has id, title and inputs, and `offered` promises the media types. */
export function showAnswer(found, question, speech, board, offered) {
  const features = (found.features ?? []).map((one, n) => ({ ...one, id: n + 1 }));
  const [key, classes] = classed(features, speech);
  board.answer(features, coloured(key, classes));
  board.frame(features);
  rows = new Rows(features, speech, { light: (id) => point(board, id), frame: (feature) => board.frame([feature]) });
  const about = found[question.id] ?? (found.features ? {} : found);
  const n = features.length;
  byId("answer").replaceChildren(
    el("h2", { id: "answer-title", tabindex: "-1" }, `${t("answer")}${t("colon")}${question.title}`),
    el("p", { class: "quiet" }, t("asked_on", { date: dateWords(new Date().toISOString()) }), " · ", t("rows", { n: quantity(n) })),
    el("section", { "aria-label": t("figures"), class: "figures" }, el("h3", {}, t("figures")), figures(about, speech)),
    n ? el("section", { "aria-label": t("table") }, el("h3", {}, t("table")), rows.element) : "",
    about.grounds ? el("section", { "aria-label": t("grounds"), class: "grounds" }, el("h3", {}, t("grounds")), groundsOf(about, speech)) : "",
    el("section", { "aria-label": t("take"), class: "take" }, el("h3", {}, t("take")), downloads(question, offered), calls(question)),
  );
  drawLegend(key, classes, speech);
  byId("answer").hidden = false;
  byId("answer-title").focus({ preventScroll: true });
  byId("answer-title").scrollIntoView({ block: "nearest" });
  say(t("answered", { n }));
}

/** A shape and its row, whichever was pointed at. */
export function point(board, id) {
  board.light(id);
  rows?.show(id);
}

/** Takes an answer away: it is no longer that of the question. */
export function hideAnswer(board) {
  byId("answer").hidden = true;
  byId("legend").hidden = true;
  board.answer([], COLOURS[0]);
}

/** The first property whose values have words tells the classes apart; else what collection it is of. */
function classed(features, speech) {
  const names = Object.keys(features[0]?.properties ?? {});
  const key = names.find((name) => speech.terms[name]?.values?.[features[0].properties[name]]) ?? names.find((name) => name === "collection");
  return [key, key ? [...new Set(features.map(({ properties }) => properties[key]))] : []];
}

function coloured(key, classes) {
  if (classes.length < 1) return COLOURS[0];
  return ["match", ["to-string", ["get", key]], ...classes.flatMap((one, n) => [String(one), COLOURS[n % COLOURS.length]]), COLOURS.at(-1)];
}

function drawLegend(key, classes, speech) {
  const swatch = (n) => el("span", { class: `swatch s${n % COLOURS.length}`, "aria-hidden": "true" });
  const lines = key ? classes.map((one, n) => el("li", {}, swatch(n), speech.value(key, one))) : [el("li", {}, swatch(0), t("answer"))];
  byId("legend").replaceChildren(el("ul", {}, lines, el("li", {}, el("span", { class: "swatch asked", "aria-hidden": "true" }), t("drawn"))));
  byId("legend").hidden = false;
}

function downloads(question, offered) {
  const place = el("p", { class: "buttons" });
  const status = el("p", { class: "error", role: "alert", hidden: true });
  offered.then((types) => place.append(...types.filter((type) => NAMES[type]).map((type) => el("button", { type: "button", class: "button", onclick: () => take(type, question, status) }, NAMES[type]))), () => {});
  place.append(el("button", { type: "button", class: "button", onclick: () => print() }, t("print")));
  return [place, status];
}

/** Asks again in another form, and hands it over as a file. */
async function take(type, { id, inputs }, status) {
  status.hidden = true;
  try {
    const answer = await execute(id, inputs, { accept: type });
    const href = URL.createObjectURL(await answer.blob());
    el("a", { href, download: `${id}.${SUFFIXES[type]}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  } catch (error) {
    status.textContent = error.message;
    status.hidden = false;
  }
}

function calls({ id, inputs }) {
  return [["curl", curl(id, inputs)], ["Python", python(id, inputs)]].map(([name, text]) => {
    const code = el("pre", { tabindex: "0", role: "region", "aria-label": name }, el("code", {}, text));
    const copy = el("button", { type: "button", class: "button small", onclick: () => copied(text, code) }, t("copy"));
    return el("details", {}, el("summary", {}, t("as_call", { name })), copy, code);
  });
}

/** Where the clipboard is closed to the page, the text is marked, so that one key copies it. */
async function copied(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    getSelection().selectAllChildren(code);
  }
}
