// Words for values, the search's comparison, and the address of a view. The page's setup is made up before the modules load.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const french = JSON.parse(readFileSync(new URL("../../web/words/fr.json", import.meta.url)));
globalThis.document = { getElementById: () => ({ textContent: JSON.stringify({ lang: "fr", words: french }) }) };
const { dateWords, fields, fold, lifeWords, positionWords, quantity, search, webAddress } = await import("../../web/static/map/format.js");
const { read, write } = await import("../../web/static/map/permalink.js");
const { cells } = await import("../../web/static/map/layers.js");

test("dates are as precise as they are known", () => {
  assert.equal(dateWords("1986-01-31", "day"), "31 janvier 1986");
  assert.equal(dateWords("1986-01-01", "month"), "janvier 1986");
  assert.equal(dateWords("1986-01-01", "year"), "1986");
  assert.equal(lifeWords({ since: "2013-03-08", since_precision: "day" }), "depuis le 8 mars 2013");
  assert.equal(lifeWords({ since: "2013-01-01", since_precision: "year" }), "depuis 2013");
  assert.equal(lifeWords({ since: "1891-01-01", since_precision: "year", until: "1986-01-31", until_precision: "day" }), "1891 – 31 janvier 1986");
  assert.equal(lifeWords({ since: null }), "");
});

test("numbers have their unit, in words where the unit is a word", () => {
  assert.match(quantity(1234.5, "kW"), /^1\s234,5\s kW$|^1\s234,5\skW$/u);
  assert.match(quantity(6850, "inhabitants"), /^6\s850\shabitants$/u);
});

test("an entry says its own columns, and a year is no quantity", () => {
  const schema = { properties: {
    name: { title: "nom", type: "string" },
    technology: { title: "technologie", oneOf: [{ const: "wind", title: "éolien" }] },
    year: { title: "année", type: "integer", minimum: 1800 },
    power_kw: { title: "puissance", type: "number", minimum: 0, "x-ogc-unit": "kW" },
    url: { title: "adresse", format: "uri" },
    area_m2: { title: "surface" },
  } };
  const told = fields({ name: "x", technology: "wind", year: 2013, power_kw: 0, url: "javascript:alert(1)", area_m2: null }, schema);
  assert.deepEqual(told.map(([label, text]) => [label, text.replace(/\s/g, " ")]), [["technologie", "éolien"], ["année", "2013"], ["puissance", "0 kW"], ["adresse", "javascript:alert(1)"]]);
  assert.equal(told[3][2], null);
});

test("only http(s) becomes a link", () => {
  assert.equal(webAddress("https://cler.org/a?b=c"), "https://cler.org/a?b=c");
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "//host", "https://a b", null, 3]) assert.equal(webAddress(bad), null);
});

test("the position is said with its accuracy", () => {
  assert.match(positionWords({ position: "approximate", position_accuracy_m: 150 }), /^approximative \(±\s150\sm\)$/u);
  assert.equal(positionWords({}), "");
});

test("the search minds neither accents nor capitals nor ligatures, and tells an entry once", () => {
  assert.equal(fold("Église Saint-ÉDOUARD, Œuvre"), "eglise saint-edouard, oeuvre");
  const feature = (id, name) => ({ id, properties: { name } });
  const all = { kind: "installations", features: [feature(1, "Toit de l’église"), feature(2, "Église Saint-Vaast"), feature(3, "Mairie")] };
  const some = { kind: "installations", features: [feature(1, "Toit de l’église")] };
  assert.deepEqual(search("EGLISE", [all, some]).map(([, { id }]) => id), [2, 1]);
  assert.deepEqual(search("vaast eglise", [all]).map(([, { id }]) => id), [2]);
  assert.deepEqual(search("  ", [all]), []);
  assert.deepEqual(search("(", [all]), []);
});

test("an address is read as it was written, and nonsense is left out", () => {
  const hash = write({ zoom: 14.5, center: { lat: 50.45, lng: 2.79 }, on: ["solar", "base-11-19"], at: { collection: "solar", id: "12" } });
  assert.equal(hash, "#14.50/50.45000/2.79000&on=solar,base-11-19&at=solar/12");
  assert.deepEqual(read(hash), { view: { zoom: 14.5, center: [2.79, 50.45] }, on: ["solar", "base-11-19"], at: { collection: "solar", id: "12" } });
  assert.deepEqual(read("#at=solar/12"), { view: null, on: null, at: { collection: "solar", id: "12" } });
  assert.deepEqual(read("#14/95/2&on="), { view: null, on: [], at: null });
  for (const nonsense of ["", "#", "#//", "#a/b/c", "#%E0%A4%A/1/2", "#on=%E0%A4%A&at=x"]) assert.equal(read(nonsense).view, null);
});

test("entries of one cell are one square, each told once, larger squares below", () => {
  const at = (id, cell, position = "cell") => ({ id, properties: { position, cell } });
  const small = "CRS3035RES200mN3061800E3809600";
  const large = "CRS3035RES1000mN3061000E3809000";
  const installations = { kind: "installations", colour: "#111111", features: [at(1, small), at(2, small), at(3, large), at(4, null, "surveyed")] };
  const solar = { kind: "installations", colour: "#222222", features: [at(1, small)] };
  const found = [...cells([installations, solar])];
  assert.deepEqual(found.map(([name, { members }]) => [name, members.map(([, { id }]) => id)]), [[large, [3]], [small, [1, 2]]]);
});
