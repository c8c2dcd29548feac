// The map page: opens the data, the map and the panel, and lets them know of each other. What is on and what is open lives here.

import { hideCard, showCard, showChoice } from "./card.js";
import { Data } from "./data.js";
import { byId, calm, el, say } from "./dom.js";
import { box, middle } from "./geometry.js";
import { basemapStyle, paper } from "./ground.js";
import { Layers, surroundings } from "./layers.js";
import { once } from "./format.js";
import { drawLegend, updateLegend } from "./legend.js";
import { drawList } from "./list.js";
import { clear, notice } from "./notices.js";
import { atLeastHalf, openPanel } from "./panel.js";
import { read, write } from "./permalink.js";
import { openSearch } from "./search.js";
import { assignSigns } from "./symbols.js";
import { members, ownTiles } from "./tiled.js";
import { setup, t } from "./words.js";

const library = import("maplibre-gl"); // the legend, the list and the search do not wait for it: it is most of what is loaded
library.catch(() => {}); // openMap says so
const data = new Data();
const state = { on: new Set(), chosen: false, at: null, picked: null }; // chosen: somebody has used a switch
const still = matchMedia("(prefers-reduced-motion: reduce)");
let map = null;
let layers = null;
let opening = true; // until there is a map, or it is known that there will be none

const mark = (what) => (document.documentElement.dataset.map = what);
const view = () => (map ? map.getBounds().toArray().flat() : setup.bounds);
const shown = () => data.drawn.filter(({ id }) => state.on.has(id));

async function start() {
  mark("busy");
  carry();
  openPanel();
  try {
    await data.open(setup.only);
  } catch (error) {
    byId("legend").replaceChildren();
    mark("failed");
    return notice("map", `${t("error_map")} ${error.message}`, { retry: start });
  }
  assignSigns(data.drawn);
  const asked = read(location.hash);
  switchOn(asked.on ?? setup.only);
  drawLegend(data, state, { toggle, toggleAll });
  data.addEventListener("change", ({ detail }) => changed(detail));
  const among = () => [...shown(), ...data.drawn.filter(({ id }) => !state.on.has(id))];
  openSearch({ among, prepare: () => data.loadSmall(data.drawn), open: find });
  addEventListener("popstate", follow);
  addEventListener("hashchange", follow);
  addEventListener("keydown", ({ key }) => key === "Escape" && close());
  data.loadSmall(shown());
  await openMap(asked.view);
  opening = false;
  loadView(); // what is large waited: with a map it is drawn from its tiles
  listView();
  if (!map) settle();
  if (asked.at) restore(asked.at);
}

// The map itself

async function openMap(asked) {
  const maplibre = await library.catch(() => null);
  if (!maplibre) return notice("map", t("error_network"), { retry: () => location.reload() });
  let own = (url) => ({ url });
  try {
    map = new maplibre.Map({
      container: "map",
      style: paper,
      ...(asked ?? { bounds: setup.bounds, fitBoundsOptions: { padding: 24 } }),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxZoom: 19,
      transformRequest: (url) => own(url),
      locale: setup.words.maplibre,
      fadeDuration: still.matches ? 0 : 200,
    });
  } catch {
    return notice("map", t("error_webgl"));
  }
  data.useTiles();
  own = ownTiles(data.drawn);
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(homeControl(), "top-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 120 }), "bottom-left");
  map.addControl(new maplibre.AttributionControl({ compact: false, customAttribution: escaped(setup.attribution) }), "bottom-right");
  map.on("style.load", () => {
    layers ??= new Layers(map, data.drawn, (id) => state.on.has(id));
    layers.install({ onBasemap: map.getStyle().layers.some(({ id }) => id.startsWith("base:")) });
    layers.pick(state.picked);
  });
  map.on("error", ({ sourceId, error }) => (sourceId?.startsWith("base:") ? noBasemap() : failed(data.byId(sourceId), error)));
  map.on("movestart", () => mark("busy"));
  map.on("moveend", calm(moved, 60));
  map.on("idle", settle);
  map.on("click", ({ point }) => openAt(point));
  map.on("mousemove", calm(({ point }) => hover(point), 30));
  map.getCanvas().addEventListener("keydown", ({ key }) => key === "Enter" && openAt(map.project(map.getCenter())));
  map.getCanvas().addEventListener("focus", () => (byId("crosshair").hidden = !map.getCanvas().matches(":focus-visible")));
  map.getCanvas().addEventListener("blur", () => (byId("crosshair").hidden = true));
  map.getCanvas().setAttribute("aria-describedby", "map-help");
  map.getCanvas().setAttribute("aria-label", t("map_region"));
  print();
  basemapStyle().then((style) => style && lay(style), noBasemap);
  globalThis.gohelle = { map, data }; // for pages that embed the map, and for whoever looks into it
}

/** On paper the map shows what it shows on the screen, whatever the shape of the sheet; afterwards it is as it was. */
function print() {
  let screen = null;
  const look = () => ({ bounds: map.getBounds(), center: map.getCenter(), zoom: map.getZoom() });
  const sheet = el("canvas", { class: "sheet" }); // the map's own canvas prints what it had drawn last for the screen
  addEventListener("beforeprint", () => (screen = look())); // later the map may have the sheet's shape already
  matchMedia("print").addEventListener("change", ({ matches }) => {
    const { bounds, center, zoom } = (screen ??= look());
    map.resize();
    if (!matches) {
      sheet.remove();
      screen = null;
      return map.jumpTo({ center, zoom });
    }
    map.fitBounds(bounds, { animate: false });
    map.redraw(); // at once: the sheet waits for no frame
    const { width, height } = Object.assign(sheet, { width: map.getCanvas().width, height: map.getCanvas().height });
    sheet.getContext("2d").drawImage(map.getCanvas(), 0, 0, width, height);
    map.getCanvas().after(sheet);
  });
}

/** Puts a basemap below the data; they are drawn again once its style is there. */
function lay(style) {
  layers?.suspend();
  map.setStyle(style, { diff: false });
}

/** Attributions are HTML to MapLibre; ours is text. */
function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
}

function homeControl() {
  const button = el("button", { type: "button", class: "home", title: t("home_view"), "aria-label": t("home_view"), onclick: () => fit(setup.bounds, { padding: 24 }) });
  return { onAdd: () => el("div", { class: "maplibregl-ctrl maplibregl-ctrl-group" }, button), onRemove() {} };
}

const noBasemap = () => notice("basemap", t("basemap_missing"), { quiet: true });

function fit([west, south, east, north], { padding = 60, maxZoom = 17 } = {}) {
  const beside = covered();
  const sides = { top: padding, bottom: padding, left: padding, right: padding + beside };
  map?.fitBounds([[west, south], [east, north]], { padding: sides, maxZoom, animate: !still.matches, duration: 600 });
}

/** Moves the map to an entry and the circle in which it lies. */
function frame(feature) {
  const around = surroundings(feature);
  if (feature.box) fit(around ? box(around) : feature.box, { maxZoom: 16.5 });
}

/** How much of the map's right side the card covers, in pixels; on a small screen it covers the panel instead. */
function covered() {
  const [card, area] = [byId("card"), byId("map-area")].map((one) => one.getBoundingClientRect());
  return card.width && card.left > area.left && card.top < area.bottom - 100 && card.bottom > area.top + 100 ? Math.max(0, area.right - card.left) : 0;
}

/** Moves the map so far that the card does not hide the place that it is about. */
function uncover(place) {
  const beside = covered();
  if (!map || !beside || !place) return;
  const { x } = map.project(place);
  const free = byId("map-area").clientWidth - beside;
  if (x > free - 20 && x < byId("map-area").clientWidth) map.panBy([x - free / 2, 0], { animate: !still.matches });
}

function settle() {
  for (const one of shown()) if (one.tiled) layers?.look(one);
  if (shown().some(({ tiled }) => tiled)) listView();
  if (opening || data.drawn.some(({ id, loading }) => loading && state.on.has(id))) return;
  if (document.documentElement.dataset.map === "busy") say(t("ready"));
  mark("idle");
}

// What is loaded and shown

function switchOn(ids) {
  state.chosen = ids !== null;
  state.on = new Set(data.drawn.filter((one) => (ids ? ids.includes(one.id) : one.visible !== false)).map(({ id }) => id));
}

const loadView = () => Promise.all(shown().map((one) => data.load(one, view())));
const listView = calm(() => drawList(shown(), view(), open, (collection, cell) => openSquares([[collection, cell]])), 50);

/** Tiles of a collection did not come. */
function failed(collection, error) {
  if (collection?.tiled) notice(collection.id, `${t("error_collection", collection)} ${error?.message ?? ""}`, { quiet: true });
}

function changed(collection) {
  updateLegend(data, state, retry);
  if (!collection.geometryType) return;
  if (collection.loading) {
    if (state.on.has(collection.id)) mark("busy");
  } else {
    layers?.refresh(collection);
    map?.triggerRepaint();
    listView();
    if (collection.more && state.on.has(collection.id)) notice(`more ${collection.id}`, t("more_exist", collection), { quiet: true });
    else clear(`more ${collection.id}`);
  }
  if (!map) settle();
}

function retry(collection) {
  collection.forgive();
  data.load(collection, view());
}

function toggle(id, on) {
  state.chosen = true;
  if (on) state.on.add(id);
  else state.on.delete(id);
  switched();
}

function toggleAll(on) {
  state.chosen = true;
  state.on = new Set(on ? data.drawn.map(({ id }) => id) : []);
  switched();
}

function switched({ keep = true } = {}) {
  mark("busy");
  for (const one of data.drawn) if (!state.on.has(one.id)) clear(`more ${one.id}`);
  updateLegend(data, state, retry);
  layers?.arrange();
  map?.triggerRepaint();
  loadView();
  listView();
  if (keep) remember("push");
}

function moved() {
  loadView();
  listView();
  remember("replace");
}

// What is open

const doors = { data, close: () => close(), frame, open: (collection, feature) => open(collection, feature) };

function openAt(point) {
  if (!layers) return;
  const { entries, cell, circle, squares } = layers.at(point);
  if (circle) map.easeTo({ center: circle.geometry.coordinates, zoom: Math.min(map.getZoom() + 2, map.getMaxZoom()), animate: !still.matches });
  else if (squares.length) openSquares(squares, entries);
  else if (entries.length === 0) close();
  else if (entries.length === 1 && !cell) open(...entries[0]);
  else {
    const place = map.unproject(point);
    choice(entries, cell);
    uncover(place);
  }
}

/** Asks for the members of squares and shows them, with what else lies there. */
async function openSquares(squares, beside = []) {
  try {
    const found = once([...beside, ...(await members(squares))]);
    choice(found, beside.length === 0 && squares.length === 1 ? squares[0][1] : null);
  } catch (error) {
    notice("squares", error.message, { quiet: true });
  }
}

function choice(entries, cell) {
  hideHover();
  atLeastHalf();
  showChoice(entries, cell, { ...doors, open: (collection, feature) => open(collection, feature, { back: () => choice(entries, cell) }) });
}

async function open(collection, feature, { back, keep = true } = {}) {
  state.at = { collection: collection.id, id: String(feature.id) };
  pick(feature);
  atLeastHalf();
  hideHover();
  if (keep) remember("push");
  if (feature.partial) {
    feature = await data.feature(collection, feature.id).catch((error) => notice("restore", error.message, { quiet: true }));
    if (!feature || state.at?.id !== String(feature.id)) return;
    pick(feature);
  }
  await showCard(collection, feature, { ...doors, back });
  uncover(feature.box && middle(feature.box));
}

function close({ keep = true } = {}) {
  hideCard();
  if (!state.at) return;
  state.at = null;
  pick(null);
  if (keep) remember("push");
}

function pick(feature) {
  state.picked = feature;
  layers?.pick(feature);
}

/** Opens what the search found, wherever it is. */
async function find(collection, feature) {
  if (!state.on.has(collection.id)) toggle(collection.id, true);
  await open(collection, feature);
  frame(feature);
}

async function restore({ collection: id, id: fid }) {
  const collection = data.byId(id);
  try {
    if (!collection) throw new Error(t("error_not_found"));
    const feature = await data.feature(collection, fid);
    const placed = read(location.hash).view !== null;
    if (collection.geometryType && !state.on.has(id)) {
      state.on.add(id);
      switched({ keep: false });
    }
    await open(collection, feature, { keep: false });
    if (!placed) frame(feature);
  } catch (error) {
    notice("restore", error.status === 404 || !error.status ? t("error_not_found") : error.message, { quiet: true });
  }
}

// The address

function remember(how) {
  if (!map) return;
  const hash = write({ zoom: map.getZoom(), center: map.getCenter(), on: state.chosen ? shown().map(({ id }) => id) : null, at: state.at });
  if (hash === location.hash) return;
  // In a frame each entry would be one more step back on the page around it.
  if (how === "push" && !setup.only) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  carry();
}

/** The same view in other languages. */
function carry() {
  for (const link of document.querySelectorAll(".languages a")) link.hash = location.hash;
}

/** Back, forward, or an address typed in. */
function follow() {
  carry();
  const asked = read(location.hash);
  const before = [...state.on].join();
  switchOn(asked.on ?? setup.only);
  if ([...state.on].join() !== before) switched({ keep: false });
  if (asked.view) map?.jumpTo(asked.view);
  if (!asked.at) close({ keep: false });
  else if (asked.at.id !== state.at?.id || asked.at.collection !== state.at?.collection) restore(asked.at);
}

// The pointer

function hover(point) {
  if (!layers || !matchMedia("(hover: hover)").matches || map.isMoving()) return;
  const { entries, circle, squares } = layers.at(point);
  map.getCanvas().style.cursor = entries.length || circle || squares.length ? "pointer" : "";
  const n = circle ? (circle.properties.point_count ?? 1) : squares.reduce((sum, [, , many]) => sum + many, 0);
  if (!entries.length && !n) return hideHover();
  const label = byId("hover") ?? byId("map-area").appendChild(el("div", { id: "hover", class: "hover", "aria-hidden": "true" }));
  if (n) label.textContent = t(circle ? "hover_gathered" : "list_square", { n });
  else label.textContent = entries.length === 1 ? entries[0][1].properties.name : `${entries[0][1].properties.name} + ${entries.length - 1}`;
  label.style.transform = `translate(${Math.round(point.x)}px, ${Math.round(point.y)}px)`;
}

function hideHover() {
  byId("hover")?.remove();
}

start();
