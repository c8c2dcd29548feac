// The panel beside the map: its two tabs, and on a small screen the three heights of a sheet.

import { byId } from "./dom.js";
import { t } from "./words.js";

const SIZES = ["peek", "half", "full"];
const tabs = () => [byId("tab-legend"), byId("tab-list")];

/** Wires tabs and handle. */
export function openPanel() {
  for (const tab of tabs()) {
    tab.addEventListener("click", () => (choose(tab), atLeastHalf()));
    tab.addEventListener("keydown", ({ key }) => {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      const other = tabs().find((one) => one !== tab);
      choose(other);
      other.focus();
    });
  }
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    choose(byId("tab-list"));
    atLeastHalf();
    byId("tab-list").focus();
  });
  byId("handle").addEventListener("click", () => size(SIZES[(SIZES.indexOf(byId("panel").dataset.size) + 1) % SIZES.length]));
  draggable(byId("handle"));
}

/** Shows one tab's content. */
export function choose(tab) {
  for (const one of tabs()) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    byId(one.getAttribute("aria-controls")).hidden = !chosen;
  }
}

/** Makes room for what is to be read. */
export function atLeastHalf() {
  if (byId("panel").dataset.size === "peek") size("half");
}

/** Sets the sheet's height: peek, half or full. */
export function size(name) {
  byId("panel").dataset.size = name;
  byId("handle").setAttribute("aria-expanded", String(name !== "peek"));
  byId("handle").setAttribute("aria-label", t(name === "full" ? "panel_close" : "panel_open"));
}

function draggable(handle) {
  let from = null;
  handle.addEventListener("pointerdown", (event) => {
    from = event.clientY;
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointerup", (event) => {
    const moved = event.clientY - from;
    from = null;
    if (Math.abs(moved) < 24) return; // a click, which the button answers
    handle.addEventListener("click", (click) => click.stopImmediatePropagation(), { capture: true, once: true });
    const now = SIZES.indexOf(byId("panel").dataset.size);
    size(SIZES[Math.min(2, Math.max(0, now + (moved < 0 ? 1 : -1)))]);
  });
}
