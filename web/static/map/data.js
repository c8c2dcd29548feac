// The data layer: which collections exist, what of them is loaded, what a view holds.

import { get, nextParams } from "./api.js";
import { box, boxWithin, grown, meets } from "./geometry.js";
import { cellRing } from "./grid.js";

export const WHOLE = 2000; // collections up to this size are loaded whole, larger ones are drawn from their tiles
const PAGE = 1000;
const MOST = 10_000; // features a collection and view

/**
 * Announces `change` (detail: the collection) whenever something has been loaded or has failed.
 * A collection here is the API's document and `features`, `loading`, `error`, `more`.
 */
export class Data extends EventTarget {
  /** Learns from the API which collections exist; of those on the map `only` these are drawn, or all. */
  async open(only) {
    const { collections } = await get("/collections");
    this.collections = collections.map((document) => new Loaded(document));
    this.drawn = this.collections.filter((one) => one.geometryType && (!only || only.includes(one.id)));
    this.told = this.collections.filter((one) => !one.geometryType);
    return this;
  }

  /** From now on a map draws what is large from its tiles; without a map it is loaded view by view. */
  useTiles() {
    for (const one of this.drawn) one.tiled = one.itemCount > WHOLE;
  }

  byId(id) {
    return this.collections.find((one) => one.id === id);
  }

  /** Loads what a collection has in a view, if it is not there yet. */
  async load(collection, view) {
    if (collection.tiled) return;
    const region = collection.itemCount > WHOLE ? view : null;
    if (!collection.lacks(region)) return;
    try {
      await collection.fetch(region, () => this.#announce(collection));
    } catch (error) {
      if (error.name === "AbortError") return;
      collection.error = error;
      collection.loading = false;
    }
    this.#announce(collection);
  }

  /** One feature of a collection, loaded or asked for. */
  async feature(collection, id) {
    const there = collection.features.find((feature) => String(feature.id) === String(id));
    return there && !there.partial ? there : prepare(await get(`/collections/${collection.id}/items/${encodeURIComponent(id)}`));
  }

  /** The schema of a collection, asked for once. */
  schema(collection) {
    collection.schema ??= get(`/collections/${collection.id}/schema`).catch((error) => {
      collection.schema = undefined;
      throw error;
    });
    return collection.schema;
  }

  /** Loads whatever is small: for the search, and for what speaks about a place. */
  async loadSmall(collections) {
    await Promise.all(collections.filter((one) => one.itemCount <= WHOLE).map((one) => this.load(one, null)));
  }

  /** What is said elsewhere about a feature: [collection, feature] pairs of figures, milestones, documents. */
  mentions(collection, feature) {
    const key = feature.properties.source_key;
    if (key == null) return [];
    const same = new Set(this.collections.filter((one) => one.kind === collection.kind).map((one) => one.id));
    return this.told.flatMap((one) =>
      one.features
        .filter(({ properties }) => properties.about?.some?.((ref) => same.has(ref.collection) && ref.source_key === key))
        .map((mention) => [one, mention]),
    );
  }

  #announce(collection) {
    this.dispatchEvent(new CustomEvent("change", { detail: collection }));
  }
}

class Loaded {
  features = [];
  loading = false;
  error = null;
  more = false;
  tiled = false;
  squares = []; // of a tiled collection in view: [name of the cell, count] pairs
  gathered = 0; // and how many stand in circles
  #region = undefined; // what `features` covers: undefined nothing, null everything, or a box
  #abort = null;
  #asked = undefined;

  constructor(document) {
    Object.assign(this, document);
    this.itemCount ??= 0;
  }

  get complete() {
    return this.#region !== undefined;
  }

  lacks(region) {
    const covers = (have) => have === null || (have && region && boxWithin(region, have));
    if (this.loading) return !covers(this.#asked);
    if (this.error && region === null) return false; // until somebody asks again
    if (this.#region === undefined || !covers(this.#region)) return true;
    return this.more && region !== null && region.some((edge, i) => edge !== this.#region[i]);
  }

  /** Forgets a failure, so that the next `load` tries again. */
  forgive() {
    this.error = null;
  }

  async fetch(region, progress) {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    const wide = region && (this.more ? region : grown(region, 0.25));
    Object.assign(this, { loading: true, error: null });
    this.#asked = wide;
    progress();
    const features = [];
    let params = { limit: PAGE, ...(wide && { bbox: wide.map((degree) => degree.toFixed(6)).join(",") }) };
    while (params && features.length < MOST) {
      const document = await get(`/collections/${this.id}/items`, params, abort.signal);
      features.push(...document.features.map(prepare));
      params = nextParams(document);
    }
    Object.assign(this, { features, loading: false, more: params !== null });
    this.#region = wide;
  }

  /** The loaded features that meet a view. */
  within(view) {
    return this.features.filter((feature) => meets(feature.shape, view, feature.box));
  }
}

/** A feature with what is asked for often: its box, and the shape that is drawn (the square of a cell, not its middle). */
export function prepare(feature) {
  const ring = feature.properties.position === "cell" ? cellRing(feature.properties.cell) : null;
  feature.shape = ring ? { type: "Polygon", coordinates: [ring] } : feature.geometry;
  feature.box = box(feature.shape);
  return feature;
}
