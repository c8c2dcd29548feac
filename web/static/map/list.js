// The list: the same content as the map in the current view, as words and buttons.

import { byId, el } from "./dom.js";
import { setup, t } from "./words.js";
import { swatch } from "./symbols.js";

const STEP = 60;
const opened = new Map(); // how many entries of a collection are listed

/** Lists what the switched-on collections have in a view; `open(collection, feature)` and `square(collection, cell)` show a card. */
export function drawList(collections, view, open, square) {
  const groups = collections.map((one) => [one, sorted(one.within(view))]).filter(([one, features]) => features.length + counted(one));
  const total = groups.reduce((sum, [one, features]) => sum + features.length + counted(one), 0);
  byId("list-count").textContent = total.toLocaleString(setup.lang);
  const focused = document.activeElement?.closest?.("#list [data-entry]")?.dataset.entry;
  byId("list").replaceChildren(
    el("p", { class: "quiet" }, t(total ? "list_intro" : "list_empty")),
    ...groups.map(([one, features]) => group(one, features, { open, square, again: () => drawList(collections, view, open, square) })),
  );
  if (focused) document.querySelector(`#list [data-entry="${CSS.escape(focused)}"]`)?.focus();
}

/** How many are told by circles and squares alone. */
const counted = ({ squares, gathered }) => squares.reduce((sum, [, n]) => sum + n, gathered);

function sorted(features) {
  const { compare } = new Intl.Collator(setup.lang, { numeric: true });
  return [...features].sort((a, b) => compare(a.properties.name ?? "", b.properties.name ?? ""));
}

function group(one, features, { open, square, again }) {
  const many = opened.get(one.id) ?? STEP;
  const more = () => {
    opened.set(one.id, many + 5 * STEP);
    again();
  };
  return el("section", { "data-collection": one.id },
    el("h2", {}, swatch(one), el("span", { class: "title" }, one.title), el("span", { class: "badge" }, (features.length + counted(one)).toLocaleString(setup.lang))),
    one.more && el("p", { class: "quiet" }, t("more_exist", one)),
    one.gathered > 0 && el("p", { class: "quiet" }, t("list_gathered", { n: one.gathered })),
    one.squares.length > 0 && el("ul", { class: "entries" }, one.squares.slice(0, STEP).map(([cell, n]) =>
      el("li", {}, el("button", { type: "button", "data-entry": `${one.id}/${cell}`, onclick: () => square(one, cell) }, t("list_square", { n }))))),
    entries(features.slice(0, many).map((feature) => [one, feature]), open),
    features.length > many && el("button", { type: "button", class: "small", onclick: more }, t("list_more", { n: features.length - many })),
  );
}

/** Entries as a list of buttons; `named` adds the collection's sign where several collections stand together. */
export function entries(pairs, open, { named = false } = {}) {
  return el("ul", { class: "entries" }, pairs.map(([collection, feature]) => {
    const { name, position } = feature.properties;
    const doubt = ["approximate", "schematic", "cell"].includes(position) && setup.words.positions?.[position]?.split(/ ?: ?/)[0];
    return el("li", {},
      el("button", { type: "button", "data-entry": `${collection.id}/${feature.id}`, onclick: () => open(collection, feature) },
        named && swatch(collection),
        el("span", {}, el("span", { class: "name" }, name || t("unnamed")), el("small", {}, [named && collection.title, doubt].filter(Boolean).join(" · ")))));
  }));
}
