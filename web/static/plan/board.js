// The map of the page: the territory as a ground, what is drawn, and the answer above it. Without WebGL there is none, and the page works on.

import { Map as MapLibre, NavigationControl, ScaleControl } from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPointMode, TerraDrawPolygonMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";

import { byId, el } from "../map/dom.js";
import { box } from "../map/geometry.js";
import { basemapStyle } from "../map/ground.js";
import { setup, t } from "../map/words.js";

const MODES = { Point: TerraDrawPointMode, LineString: TerraDrawLineStringMode, Polygon: TerraDrawPolygonMode };
const still = matchMedia("(prefers-reduced-motion: reduce)");
const ASKED = "#7a3d00";
const LIT = ["boolean", ["feature-state", "lit"], false];
const mark = (what) => (document.documentElement.dataset.map = what);

/** Opens the map; `picked` is told the number of the answer's feature that is clicked. */
export async function openBoard(picked) {
  const style = (await basemapStyle().catch(() => null)) ?? `/styles/territory?lang=${setup.lang}`;
  try {
    return new Board(style, picked);
  } catch {
    byId("plan-map").textContent = t("error_webgl");
    mark("idle");
    return { show() {}, frame() {}, answer() {}, light() {}, draw: async () => null };
  }
}

class Board {
  constructor(style, picked) {
    this.map = new MapLibre({
      container: "plan-map", style, bounds: setup.bounds, fitBoundsOptions: { padding: 24 }, attributionControl: { compact: true, customAttribution: [] },
      dragRotate: false, pitchWithRotate: false, touchPitch: false, maxZoom: 19, locale: setup.words.maplibre, fadeDuration: still.matches ? 0 : 200,
      canvasContextAttributes: { preserveDrawingBuffer: true }, // so that it is printed
    });
    this.asked = new Map();
    this.found = { type: "FeatureCollection", features: [] };
    this.colours = "#1d4b41";
    this.lit = null;
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
    this.map.getCanvas().setAttribute("aria-label", t("map_region"));
    this.map.on("style.load", () => this.install());
    this.map.on("movestart", () => mark("busy"));
    this.map.on("idle", () => (this.picture(), mark("idle")));
    this.map.on("click", ({ point }) => !this.drawing && picked(this.at(point)));
    globalThis.gohelle = { map: this.map, board: this };
  }

  install() {
    const { map } = this;
    map.addSource("answer", { type: "geojson", data: this.found });
    map.addSource("asked", { type: "geojson", data: this.drawn() });
    const shape = (kind) => ["==", ["geometry-type"], kind];
    const layer = (id, source, type, kind, paint) => map.addLayer({ id, source, type, filter: shape(kind), paint });
    const width = (plain, lit) => ["case", LIT, lit, plain];
    layer("answer-fill", "answer", "fill", "Polygon", { "fill-color": this.colours, "fill-opacity": ["case", LIT, 0.65, 0.32] });
    layer("answer-edge", "answer", "line", "Polygon", { "line-color": this.colours, "line-width": width(1.5, 4) });
    layer("answer-line", "answer", "line", "LineString", { "line-color": this.colours, "line-width": width(4, 8) });
    layer("asked-fill", "asked", "fill", "Polygon", { "fill-color": ASKED, "fill-opacity": 0.06 });
    layer("asked-edge", "asked", "line", "Polygon", { "line-color": ASKED, "line-width": 2, "line-dasharray": [3, 2] });
    layer("asked-line", "asked", "line", "LineString", { "line-color": ASKED, "line-width": 3, "line-dasharray": [3, 2] });
    layer("asked-point", "asked", "circle", "Point", { "circle-color": ASKED, "circle-radius": 6, "circle-stroke-color": "#fff", "circle-stroke-width": 2 });
    layer("answer-point", "answer", "circle", "Point", { "circle-color": this.colours, "circle-radius": width(6, 10), "circle-stroke-color": "#fff", "circle-stroke-width": 1.5 });
  }

  /** The map as paper shows it: a browser that prints gives the canvas another size, and does not wait for it. */
  picture() {
    if (matchMedia("print").matches) return; // the map has no size there
    const picture = byId("picture");
    picture.hidden = !this.found.features.length;
    if (!picture.hidden) picture.src = this.map.getCanvas().toDataURL();
  }

  drawn() {
    return { type: "FeatureCollection", features: [...this.asked.values()].flat() };
  }

  /** Shows what a field of the form holds. */
  show(name, features) {
    this.asked.set(name, features);
    this.map.getSource("asked")?.setData(this.drawn());
  }

  /** Shows an answer: features numbered by `id`, each with its colour. */
  answer(features, colours) {
    this.lit = null;
    this.found = { type: "FeatureCollection", features: features.filter(({ geometry }) => geometry) };
    this.colours = colours;
    const source = this.map.getSource("answer");
    if (!source) return;
    this.map.removeFeatureState({ source: "answer" });
    source.setData(this.found);
    for (const [id, paint] of [["fill", "fill-color"], ["edge", "line-color"], ["line", "line-color"], ["point", "circle-color"]]) this.map.setPaintProperty(`answer-${id}`, paint, colours);
  }

  /** Makes one feature of the answer stand out; null: none. */
  light(id) {
    if (!this.map.getSource("answer")) return;
    if (this.lit !== null) this.map.setFeatureState({ source: "answer", id: this.lit }, { lit: false });
    if (id !== null) this.map.setFeatureState({ source: "answer", id }, { lit: true });
    this.lit = id;
  }

  /** Moves the map to features; where they have no place it stays. */
  frame(features) {
    const boxes = features.map(({ geometry }) => geometry && box(geometry)).filter(Boolean);
    if (!boxes.length) return;
    const side = (n, choose) => choose(...boxes.map((one) => one[n]));
    const bounds = [[side(0, Math.min), side(1, Math.min)], [side(2, Math.max), side(3, Math.max)]];
    this.map.fitBounds(bounds, { padding: 48, maxZoom: 17, animate: !still.matches, duration: 500 });
  }

  at(point) {
    const layers = ["answer-point", "answer-line", "answer-fill"].filter((id) => this.map.getLayer(id));
    const around = [[point.x - 6, point.y - 6], [point.x + 6, point.y + 6]];
    return this.map.queryRenderedFeatures(around, { layers })[0]?.id ?? null;
  }

  /** Lets somebody draw one shape; null if they give up (Escape, the button, or another drawing). `hint` says how. */
  draw(kind, hint) {
    this.giveUp?.();
    const draw = new TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map: this.map }), modes: [new MODES[kind]()] });
    return new Promise((resolve) => {
      const end = (geometry) => {
        removeEventListener("keydown", escape);
        byId("drawing").replaceChildren();
        draw.stop();
        [this.drawing, this.giveUp] = [null, null];
        resolve(geometry);
      };
      const escape = ({ key }) => key === "Escape" && end(null);
      this.giveUp = () => end(null);
      this.drawing = draw;
      addEventListener("keydown", escape);
      draw.start();
      draw.setMode(kind.toLowerCase());
      draw.on("finish", (id) => end(draw.getSnapshotFeature(id).geometry));
      byId("drawing").replaceChildren(el("span", {}, hint), el("button", { type: "button", class: "button small", onclick: this.giveUp }, t("give_up")));
      byId("plan-map").scrollIntoView({ block: "nearest" });
    });
  }
}
