// The address search: asks the national geocoder from the browser, and says so when it cannot be reached. The pin is set by what is chosen.

import { byId, calm, el } from "../map/dom.js";
import { setup, t } from "../map/words.js";

const GEOCODER = "https://data.geopf.fr/geocodage/search";
const PATIENCE = 4000;

/** Wires the field; `choose` gets the point of the address that was picked from the list. */
export function openAddresses(input, choose) {
  const list = byId("addresses");
  const status = byId("pin-status");
  let found = [];
  let active = -1;
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "addresses" })) input.setAttribute(name, value);

  const hide = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const pick = (one) => {
    if (!one) return;
    input.value = one.properties.label;
    hide();
    choose(one.geometry.coordinates);
  };
  const mark = (index) => {
    active = found.length ? (index + found.length) % found.length : -1;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === active)));
    if (active >= 0) input.setAttribute("aria-activedescendant", `address-${active}`);
  };
  const look = calm(async () => {
    const asked = input.value.trim();
    if (asked.length < 4) return hide();
    try {
      found = await search(asked);
    } catch {
      hide();
      return void (status.textContent = t("geocoder_down"));
    }
    if (asked !== input.value.trim()) return;
    list.replaceChildren(...found.map((one, i) => el("li", { id: `address-${i}`, role: "option", "aria-selected": "false", onpointerdown: (event) => event.preventDefault(), onclick: () => pick(one) }, one.properties.label)));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = found.length ? t("geocoder_found", { n: found.length }) : t("geocoder_none");
    active = -1;
  }, 250);

  input.addEventListener("input", look);
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (event.key === "Enter") {
      event.preventDefault(); // an address is no reason to send the form
      pick(found[Math.max(active, 0)] && !list.hidden ? found[Math.max(active, 0)] : null);
    }
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !list.hidden) {
      event.preventDefault();
      mark(active + (event.key === "ArrowDown" ? 1 : -1));
    }
  });
}

/** At most six addresses in the territory's communes, best first. */
async function search(q) {
  const [west, south, east, north] = setup.bounds;
  const query = new URLSearchParams({ q, limit: "6", autocomplete: "1", lon: String((west + east) / 2), lat: String((south + north) / 2) });
  if (setup.communes.length === 1) query.set("citycode", setup.communes[0]);
  const answer = await fetch(`${GEOCODER}?${query}`, { signal: AbortSignal.timeout(PATIENCE), credentials: "omit", referrerPolicy: "no-referrer" });
  if (!answer.ok) throw new Error(String(answer.status));
  const { features } = await answer.json();
  return features.filter(({ properties }) => !setup.communes.length || setup.communes.includes(properties.citycode));
}
