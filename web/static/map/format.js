// Values in words: numbers with units, dates at their precision, what an entry says in its collection's own columns.

import { setup, t } from "./words.js";

const COMMON = new Set(
  ("name description since until commune position position_accuracy_m source source_url source_date licence source_key updated_at " +
    "translations about photo geometry geom id fid").split(" "),
);

/** A number as the language writes it, with its unit. */
export function quantity(value, unit) {
  const text = new Intl.NumberFormat(setup.lang, { maximumFractionDigits: 6 }).format(value);
  return unit ? `${text}\u00a0${setup.words.units?.[unit] ?? unit}` : text;
}

/** 1986, January 1986 or 31 January 1986: no more than is known. */
export function dateWords(text, precision) {
  const date = new Date(`${String(text).slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return String(text);
  const month = precision === "year" ? {} : { month: "long" };
  const day = precision === "year" || precision === "month" ? {} : { day: "numeric" };
  return new Intl.DateTimeFormat(setup.lang === "en" ? "en-GB" : setup.lang, { year: "numeric", ...month, ...day, timeZone: "UTC" }).format(date);
}

/** Since when, or from when until when; empty if nobody knows. */
export function lifeWords(properties) {
  const [start, end] = ["since", "until"].map((name) => properties[name] && dateWords(properties[name], properties[`${name}_precision`]));
  if (start && end) return t("life", { start, end });
  const day = (name) => (["year", "month"].includes(properties[`${name}_precision`]) ? name : `${name}_day`);
  return start ? t(day("since"), { start }) : end ? t(day("until"), { end }) : "";
}

/** How well the position is known, with its accuracy. */
export function positionWords({ position, position_accuracy_m: accuracy }) {
  const said = setup.words.positions?.[position] ?? position ?? "";
  return said && accuracy ? `${said} (±\u00a0${quantity(accuracy, "m")})` : said;
}

/** [label, words, address or null] of each own column that has a value, in the schema's order. */
export function fields(properties, schema) {
  return Object.entries(schema?.properties ?? {})
    .filter(([name]) => !COMMON.has(name) && !name.endsWith("_precision") && properties[name] != null && properties[name] !== "")
    .filter(([, column]) => !column["x-ogc-role"]?.startsWith("primary"))
    .map(([name, column]) => [column.title ?? name, valueWords(properties[name], column, properties[`${name}_precision`]), address(properties[name], column)]);
}

function valueWords(value, column, precision) {
  const chosen = column.oneOf?.find((choice) => choice.const === value);
  if (chosen) return chosen.title;
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (column.format === "date" || column.format === "date-time") return dateWords(value, precision);
  if (typeof value === "number") return column.minimum >= 1000 ? String(value) : quantity(value, column["x-ogc-unit"]); // a year is no quantity
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function address(value, column) {
  return column.format === "uri" ? webAddress(value) : null;
}

/** An http(s) address, or null: no other scheme becomes a link. */
export function webAddress(value) {
  return typeof value === "string" && /^https?:\/\/\S+$/.test(value) ? value : null;
}

/** Words without accents and capitals, for comparing. */
export function fold(text) {
  return String(text ?? "").normalize("NFD").replace(/\p{M}/gu, "").replace(/œ/gi, "oe").replace(/æ/gi, "ae").replace(/ß/g, "ss").replace(/[’‘]/g, "'").toLowerCase();
}

/** Entries, each told once: the same row of a kind may be in several collections. */
export function once(entries) {
  const found = new Map();
  for (const entry of entries) {
    const key = `${entry[0].kind}/${entry[1].id}`;
    if (!found.has(key)) found.set(key, entry);
  }
  return [...found.values()];
}

/** Features whose name holds all words of a query, the closest first: [collection, feature] pairs. */
export function search(query, collections) {
  const wanted = fold(query).split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  const rank = (name) => (name.startsWith(wanted[0]) ? 0 : new RegExp(`\\b${wanted[0].replace(/\W/g, "\\$&")}`).test(name) ? 1 : 2);
  const found = collections
    .flatMap((collection) => collection.features.map((feature) => ({ collection, feature, name: fold(feature.properties.name) })))
    .filter(({ name }) => wanted.every((word) => name.includes(word)))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
  return once(found.map(({ collection, feature }) => [collection, feature]));
}
