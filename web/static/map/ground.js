// The ground the data lie on: paper by default, a town's basemap where one is set. A basemap that fails is no error.

import { setup } from "./words.js";

const FONT = "/vendor/noto-sans/noto-sans";
const RANGES = {
  latin: ["U+0000-00FF", "U+0131", "U+0152-0153", "U+02C6", "U+02DA", "U+02DC", "U+2000-206F", "U+20AC", "U+2122", "U+2212"],
  "latin-ext": ["U+0100-0151", "U+0154-02BA", "U+1E00-1E9F", "U+2020-2021", "U+2113"],
};

/** The fonts of the map's own words, as files of ours: no glyph server. */
export const fontFaces = Object.fromEntries(
  [["Noto Sans Regular", "400-normal"], ["Noto Sans SemiBold", "600-normal"], ["Noto Sans Italic", "400-italic"]].map(([name, file]) => [
    name,
    Object.entries(RANGES).map(([range, codes]) => ({ url: new URL(`${FONT}-${range}-${file}.woff2`, location.href).href, "unicode-range": codes })),
  ]),
);

/** Paper: the style that is there before any answer of a server. */
export const paper = {
  version: 8,
  "font-faces": fontFaces,
  sources: {},
  layers: [{ id: "paper", type: "background", paint: { "background-color": "#f1ebdf" } }],
};

/** The style of the basemap, or null: none is set, it does not answer in time, or what it answers is no style. */
export async function basemapStyle() {
  if (!setup.basemap) return null;
  const response = await fetch(setup.basemap, { signal: AbortSignal.timeout(10_000), credentials: "omit" });
  const style = response.ok ? await response.json() : null;
  if (style?.version !== 8 || !Array.isArray(style.layers)) throw new Error("not a style");
  return renamed({ ...style, "font-faces": { ...style["font-faces"], ...fontFaces } });
}

/** The same style with names of its own, so that no source of a basemap is mistaken for a collection. */
function renamed(style) {
  const sources = Object.fromEntries(Object.entries(style.sources ?? {}).map(([id, source]) => [`base:${id}`, source]));
  const layers = style.layers.map((layer) => ({ ...layer, id: `base:${layer.id}`, ...(layer.source && { source: `base:${layer.source}` }) }));
  return { ...style, sources, layers };
}
