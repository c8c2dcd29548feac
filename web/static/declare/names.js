// What helps to find a house where no basemap is: the names of places and ways, written over the style of the territory.

import { byId } from "../map/dom.js";

const paint = { "text-color": "#20262b", "text-halo-color": "#fffdf8", "text-halo-width": 1.6 };
const font = (name) => ({ "text-font": [`Noto Sans ${name}`], "text-size": 12 });

/** Writes names on the map; the places are those that the form offers by name, so nothing is asked for. */
export function writeNames(map) {
  const shown = map.getStyle().layers.filter(({ layout }) => layout?.visibility !== "none");
  const ways = new Map(shown.filter(({ type, id }) => type === "line" && !isEdge(shown, id)).map((layer) => [layer["source-layer"], layer.source]));
  for (const [collection, source] of ways) {
    map.addLayer({ id: `${collection}:name`, type: "symbol", source, "source-layer": collection, minzoom: 12, layout: { ...font("Italic"), "symbol-placement": "line", "text-field": ["get", "name"], "text-offset": [0, -0.9] }, paint });
  }
  map.addSource("places", { type: "geojson", data: { type: "FeatureCollection", features: places() } });
  map.addLayer({ id: "places", type: "symbol", source: "places", minzoom: 12, layout: { ...font("Regular"), "text-field": ["get", "name"], "text-max-width": 9, "text-variable-anchor": ["top", "bottom", "left", "right"], "text-radial-offset": 0.7 }, paint });
}

/** Whether a line is the edge of an area: its layer has a filling too. */
function isEdge(layers, id) {
  const own = layers.find((layer) => layer.id === id)["source-layer"];
  return layers.some((layer) => layer.type === "fill" && layer["source-layer"] === own);
}

function places() {
  const named = [...byId("f-place_name").options].filter(({ value }) => value);
  return named.map(({ value, text }) => ({ type: "Feature", properties: { name: text }, geometry: { type: "Point", coordinates: value.split(",").map(Number) } }));
}
