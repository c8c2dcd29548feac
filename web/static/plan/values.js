// Values of answers in words: metres, hectares, shares, titles. The words come with the question's description.

import { quantity } from "../map/format.js";
import { setup, t } from "../map/words.js";

/** Speaks for one question; `schema` is that of its output. */
export class Speech {
  constructor(schema, collections) {
    this.terms = schema["x-terms"] ?? {};
    this.reasons = schema["x-reasons"] ?? {};
    this.collections = collections;
  }

  /** The words for a member's name. */
  title(name) {
    const counted = name.endsWith("_known") && this.terms[name.slice(0, -6)];
    if (counted) return t("known", { name: counted.title });
    return this.terms[name]?.title ?? name;
  }

  knows(name) {
    return this.title(name) !== name || name in this.terms;
  }

  /** A member's value; its neighbours say what is measured. */
  value(name, value, beside = {}) {
    if (value === null || value === undefined) return t("none");
    if (typeof value === "boolean") return t(value ? "yes" : "no");
    if (typeof value === "number") return number(value, this.unit(name, beside));
    if (Array.isArray(value)) return value.map((one) => this.value(name, one)).join(", ");
    if (typeof value === "object") return JSON.stringify(value);
    const position = name === "position" ? setup.words.positions?.[value] : null;
    return this.terms[name]?.values?.[value] ?? position ?? this.collections.get(value) ?? value;
  }

  unit(name, { measure }) {
    const unit = this.terms[name]?.unit;
    return unit === "measure" ? this.terms[measure]?.unit : unit;
  }
}

/** A number with its unit: no more decimals than help, and hectares for what is a field or more. */
export function number(value, unit) {
  if (unit === "year" || unit === "number") return String(value);
  if (unit === "share") return new Intl.NumberFormat(setup.lang, { style: "percent", maximumFractionDigits: 1 }).format(value);
  if (unit === "m²" && Math.abs(value) >= 1000) return quantity(rounded(value / 10_000, 2), "ha");
  return quantity(rounded(value, unit === "m" && Math.abs(value) >= 10 ? 0 : 2), unit);
}

function rounded(value, decimals) {
  return Number(value.toFixed(decimals));
}
