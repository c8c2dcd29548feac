// The list: the same content as the map in the current view, as words and buttons.

import { byId, el } from "./dom.js";
import { setup, t } from "./words.js";
import { swatch } from "./symbols.js";

const STEP = 60;
const opened = new Map(); // how many entries of a collection are listed

/** Lists what the switched-on collections have in a view; `open(collection, feature)` shows a card. */
export function drawList(collections, view, open) {
  const groups = collections.map((one) => [one, sorted(one.within(view))]).filter(([, features]) => features.length);
  const total = groups.reduce((sum, [, features]) => sum + features.length, 0);
  byId("list-count").textContent = total.toLocaleString(setup.lang);
  const focused = document.activeElement?.closest?.("#list [data-entry]")?.dataset.entry;
  byId("list").replaceChildren(
    el("p", { class: "quiet" }, t(total ? "list_intro" : "list_empty")),
    ...groups.map(([one, features]) => group(one, features, open, () => drawList(collections, view, open))),
  );
  if (focused) document.querySelector(`#list [data-entry="${CSS.escape(focused)}"]`)?.focus();
}

function sorted(features) {
  const { compare } = new Intl.Collator(setup.lang, { numeric: true });
  return [...features].sort((a, b) => compare(a.properties.name ?? "", b.properties.name ?? ""));
}

function group(one, features, open, again) {
  const many = opened.get(one.id) ?? STEP;
  const more = () => {
    opened.set(one.id, many + 5 * STEP);
    again();
  };
  return el("section", { "data-collection": one.id },
    el("h2", {}, swatch(one), el("span", { class: "title" }, one.title), el("span", { class: "badge" }, features.length)),
    one.more && el("p", { class: "quiet" }, t("more_exist", one)),
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
