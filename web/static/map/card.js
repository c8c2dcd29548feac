// The card: one entry in full, or the choice between the entries that lie at one place.

import { byId, el, say } from "./dom.js";
import { dateWords, fields, lifeWords, positionWords, quantity, webAddress } from "./format.js";
import { parseCell } from "./grid.js";
import { entries } from "./list.js";
import { swatch } from "./symbols.js";
import { page, t } from "./words.js";

let opener = null; // what had the focus before the card
let turn = 0; // counts what was asked to be shown, so that a slow schema does not overtake

/** Shows one entry. `schema` may be a failed promise: then the own columns are left out. `frame` moves the map to it. */
export async function showCard(collection, feature, { data, frame, close, back }) {
  const { properties } = feature;
  const mine = ++turn;
  const schema = await data.schema(collection).catch(() => null);
  if (mine !== turn) return;
  const own = fields(properties, schema);
  const label = (column, key) => schema?.properties?.[column]?.title ?? t(key);
  const elsewhere = el("div", {});
  data.loadSmall(data.told).then(() => elsewhere.replaceChildren(...mentions(data.mentions(collection, feature))));
  const own_page = page(`/collections/${encodeURIComponent(collection.id)}/items/${encodeURIComponent(feature.id)}`);
  show(
    el("p", { class: "eyebrow" }, swatch(collection), collection.title),
    heading(properties.name || t("unnamed")),
    back && el("button", { type: "button", class: "small", onclick: back }, `← ${t("back_to_list")}`),
    photo(properties),
    String(properties.description ?? "").split(/\n\s*\n/).filter(Boolean).map((text) => el("p", {}, text)),
    rows([
      [t("when"), lifeWords(properties)],
      ...own.map(([name, text, href]) => [capital(name), text, href]),
    ]),
    elsewhere,
    el("div", { class: "origin" }, rows([
      [t("position"), positionWords(properties)],
      [t("source"), properties.source, webAddress(properties.source_url)],
      [t("source_date"), properties.source_date && dateWords(properties.source_date)],
      [t("licence"), properties.licence],
      [capital(label("updated_at", "updated")), properties.updated_at && dateWords(properties.updated_at)],
    ])),
    el("p", { class: "buttons" },
      feature.box && el("button", { type: "button", onclick: () => frame(feature) }, t("zoom_to")),
      el("a", { class: "button", href: own_page }, t("permalink")),
      el("button", { type: "button", onclick: copyAddress }, t("copy_link")),
      flagLink(properties.source_key)),
    closeButton(close),
  );
}

/** The photo of a declared entry, small; the page of the entry has it large. */
function photo({ photo: path, name }) {
  if (!/^\/photos\/[0-9a-f-]{36}$/.test(path ?? "")) return null;
  return el("img", { class: "photo", src: `${path}/small`, alt: t("photo_of", { name: name ?? "" }), loading: "lazy" });
}

/** Shows the entries at one place; `cell` says that they share a square. */
export function showChoice(found, cell, { close, open }) {
  turn++;
  const size = parseCell(cell)?.size;
  show(
    heading(cell ? t("cell_members", { n: found.length, size: size >= 1000 ? quantity(size / 1000, "km") : quantity(size, "m") }) : t("here_are", { n: found.length })),
    cell && el("p", { class: "quiet" }, t("cell_why")),
    entries(found, open, { named: true }),
    closeButton(close),
  );
}

/** Takes the card away; the focus goes back to where it came from. */
export function hideCard() {
  turn++;
  const card = byId("card");
  if (card.hidden) return;
  const within = card.contains(document.activeElement);
  card.hidden = true;
  card.replaceChildren();
  document.documentElement.classList.remove("reading");
  if (within) (opener?.isConnected ? opener : document.querySelector(".maplibregl-canvas"))?.focus({ preventScroll: true });
  opener = null;
}

function show(...content) {
  const card = byId("card");
  if (!card.contains(document.activeElement)) opener = document.activeElement;
  card.replaceChildren(...content.flat(Infinity).filter(Boolean));
  card.hidden = false;
  card.scrollTop = 0;
  document.documentElement.classList.add("reading");
  card.querySelector("h2").focus({ preventScroll: true });
}

const heading = (text) => el("h2", { tabindex: -1 }, text);
const closeButton = (close) => el("button", { type: "button", class: "close", "aria-label": t("close"), onclick: close }, "×");
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A description list of the rows that say something. */
function rows(all) {
  const told = all.filter(([, text]) => text);
  return told.length > 0 && el("dl", {}, told.map(([name, text, href]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, href ? el("a", { href, rel: "external noopener" }, text) : text))));
}

/** What figures, milestones and documents say about the entry: asked for when the first card opens. */
function mentions(pairs) {
  return pairs.length === 0 ? [] : [
    el("h3", {}, t("see_also")),
    el("ul", { class: "mentions" }, pairs.map(([collection, { id, properties }]) =>
      el("li", {}, el("a", { href: page(`/collections/${encodeURIComponent(collection.id)}/items/${encodeURIComponent(id)}`) }, properties.name || t("unnamed")), " ", el("small", {}, collection.title)))),
  ];
}

/** Where anybody reports an entry that a resident declared; the others are the pack's own. */
function flagLink(key) {
  const entry = /^declaration:([0-9a-f-]{36})$/.exec(key ?? "")?.[1];
  return entry && el("a", { class: "button", rel: "nofollow", href: page("/flag", { entry }) }, t("flag"));
}

async function copyAddress() {
  try {
    await navigator.clipboard.writeText(location.href);
    say(t("copied"));
    this.textContent = t("copied");
  } catch {
    globalThis.prompt(t("copy_link"), location.href);
  }
}
