// Notes at the edge of the map: what went wrong, in words, with a way to try again.

import { byId, el } from "./dom.js";
import { t } from "./words.js";

const shown = new Map();

/** Shows a note; one of the same key replaces it. `retry` gives it a button. */
export function notice(key, text, { retry, quiet = false } = {}) {
  clear(key);
  const note = el("div", { class: quiet ? "notice quiet" : "notice", role: quiet ? "status" : "alert" },
    el("p", {}, text),
    retry && el("button", { type: "button", onclick: () => (clear(key), retry()) }, t("retry")),
    el("button", { type: "button", class: "plain", "aria-label": t("dismiss"), onclick: () => clear(key) }, "×"),
  );
  shown.set(key, note);
  byId("notices").append(note);
}

/** Takes a note away. */
export function clear(key) {
  shown.get(key)?.remove();
  shown.delete(key);
}
