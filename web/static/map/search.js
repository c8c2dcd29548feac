// The search box: names among the loaded entries, whatever their accents and capitals; arrows and Enter choose.

import { byId, calm, el, say } from "./dom.js";
import { search } from "./format.js";
import { swatch } from "./symbols.js";
import { t } from "./words.js";

const MOST = 12;

/** Wires the box. `among` gives the collections to search, `prepare` is called on first use, `open` with what was chosen. */
export function openSearch({ among, prepare, open }) {
  const input = byId("search");
  const list = byId("found");
  let found = [];
  let active = -1;

  const hide = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (index) => {
    const entry = found[index];
    if (!entry) return;
    hide();
    input.value = "";
    open(...entry);
  };
  const mark = (index) => {
    active = found.length ? (index + found.length) % found.length : -1;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
    list.children[active]?.scrollIntoView({ block: "nearest" });
    if (active >= 0) input.setAttribute("aria-activedescendant", `found-${active}`);
  };
  const draw = () => {
    const all = search(input.value, among());
    found = all.slice(0, MOST);
    list.replaceChildren(...found.map(([collection, feature], i) =>
      el("li", { id: `found-${i}`, role: "option", "aria-selected": "false", onpointerdown: (event) => event.preventDefault(), onclick: () => choose(i) },
        swatch(collection), el("span", {}, el("span", { class: "name" }, feature.properties.name), el("small", {}, collection.title)))));
    const asked = input.value.trim() !== "";
    if (asked && !found.length) list.append(el("li", { class: "quiet", role: "option", "aria-disabled": "true", "aria-selected": "false" }, t("search_none")));
    list.hidden = !asked;
    input.setAttribute("aria-expanded", String(asked));
    if (asked) say(found.length ? t("search_found", { n: all.length }) : t("search_none"));
    mark(found.length ? 0 : -1);
  };

  input.addEventListener("focus", () => prepare().then(() => !list.hidden && draw()), { once: true });
  input.addEventListener("input", calm(draw, 80));
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      hide();
    }
    if (event.key === "Enter") choose(active);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) draw();
      else mark(active + (event.key === "ArrowDown" ? 1 : -1));
    }
  });
}
