// What an answer says beside its features: figures as they come, before beside after, and what it rests on in plain words.

import { el } from "../map/dom.js";
import { page, setup, t } from "../map/words.js";
import { number } from "./values.js";

const ELSEWHERE = new Set(["grounds", "accuracy_m", "accuracy_unstated", "place"]);
const LONGEST = 20; // numbers of a list that are read rather than counted
const plain = (value) => value === null || typeof value !== "object" || (Array.isArray(value) && value.every((one) => typeof one !== "object"));

/** The figures of `about`, the member of an answer under its question's name. */
export function figures(about, speech) {
  const told = Object.entries(about).filter(([name, value]) => !ELSEWHERE.has(name) && !(Array.isArray(value) && value.length > LONGEST));
  const parts = told.filter(([, value]) => !plain(value)).map(([name, value]) => [el("h3", {}, speech.title(name)), nested(value, speech)]);
  return [list(told.filter(([, value]) => plain(value)), about, speech), ...parts.flat()];
}

function list(entries, beside, speech) {
  if (!entries.length) return el("p", { class: "quiet" }, t("none"));
  return el("dl", { class: "totals" }, entries.map(([name, value]) => el("div", {}, el("dt", {}, speech.title(name)), el("dd", { "data-name": name }, speech.value(name, value, beside)))));
}

function nested(value, speech) {
  if (Array.isArray(value)) return rows(value, speech);
  if (value.before && value.after) {
    const same = Object.entries(value).filter(([name, one]) => plain(one) && name !== "before" && name !== "after");
    return el("div", {}, list(same, value, speech), compared(value, speech));
  }
  return el("div", {}, list(Object.entries(value).filter(([, one]) => plain(one)), value, speech));
}

function rows(all, speech) {
  if (!all.length) return el("p", { class: "quiet" }, t("none"));
  const names = [...new Set(all.flatMap(Object.keys))];
  return framed(
    el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, speech.title(name))))),
    el("tbody", {}, all.map((one) => el("tr", {}, names.map((name) => el("td", { class: typeof one[name] === "number" ? "number" : null }, speech.value(name, one[name], one)))))),
  );
}

function compared({ before, after }, speech) {
  return framed(
    el("thead", {}, el("tr", {}, el("td", {}), ["before", "after"].map((name) => el("th", { scope: "col" }, speech.title(name))))),
    el("tbody", {}, Object.keys(before).map((name) => el("tr", {}, el("th", { scope: "row" }, speech.title(name)), [before, after].map((one) => el("td", { class: "number" }, speech.value(name, one[name], one)))))),
  );
}

const framed = (...parts) => el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("figures") }, el("table", {}, parts));

/** What was looked at, left out and why, and how exact the rest is. */
export function groundsOf({ grounds = [], accuracy_m: accuracy, accuracy_unstated: unstated }, speech) {
  const lines = grounds.map((one) => el("li", {}, sentence(one, speech)));
  const exact = accuracy == null ? t("accuracy_none") : t("accuracy_all", { m: number(accuracy, "m") });
  return [el("ul", {}, lines), el("p", {}, exact, unstated ? ` ${t("accuracy_unstated", { n: unstated })}` : "")];
}

function sentence(one, speech) {
  const title = speech.collections.get(one.collection) ?? one.collection;
  const left = one.left_out.map(({ reason, count }) => t("left_out", { n: count, reason: speech.reasons[reason] ?? reason }));
  const positions = Object.entries(one.by_position).map(([position, n]) => `${n} × ${setup.words.positions?.[position] ?? position}`);
  const parts = [t("looked_at", { n: one.looked_at, counted: one.counted }), ...left, positions.length && t("by_position", { list: positions.join(" ; ") }), one.accuracy_m != null && t("accuracy_one", { m: number(one.accuracy_m, "m") })];
  const sources = el("a", { href: page(`/collections/${one.collection}/items`) }, title); // where each entry names its source
  return [sources, t("colon"), parts.filter(Boolean).join(" ")];
}
