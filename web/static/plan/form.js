// The form of a question, made from its description: one field for each input. Geometry has a room of its own (place.js).

import { el } from "../map/dom.js";
import { t } from "../map/words.js";
import { placeField } from "./place.js";

/** A field: `read()` is its value (undefined: left to the default), `write(value)` fills it, `wrong(text)` says what is wrong. */
const field = (element, about) => ({ element, ...about });

/** The fields of a description by name, put into `form`. */
export function openForm(form, { inputs }, context) {
  const fields = new Map(Object.entries(inputs).map(([name, input]) => [name, told(name, input, made(name, input, context))]));
  form.replaceChildren(...[...fields.values()].map(({ element }) => element));
  return {
    read: () => Object.fromEntries([...fields].map(([name, one]) => [name, one.read()]).filter(([, value]) => value !== undefined)),
    write: (values) => fields.forEach((one, name) => name in values && one.write(values[name])),
    wrong: (name, text, problem) => fields.get(name)?.wrong(text, problem),
    right: () => fields.forEach((one) => one.wrong("")),
    close: () => fields.forEach((one) => one.close?.()),
  };
}

function made(name, input, context) {
  const { schema, maxOccurs } = input;
  if (schema.format?.startsWith("geojson")) return placeField(name, input, context);
  if (schema.enum && maxOccurs) return severalOf(name, input);
  if (schema.enum) return oneOf(name, input);
  if (schema.type === "object") return members(name, input);
  if (schema.type === "boolean") return tick(name, input);
  return typed(name, input);
}

/** Where errors of a field are said; they are part of its description. */
function told(name, { description }, one) {
  const error = el("p", { id: `${name}-error`, class: "error", hidden: true });
  const about = description && el("p", { id: `${name}-about`, class: "quiet" }, description);
  one.element.append(...[about, error].filter(Boolean));
  one.control.setAttribute("aria-describedby", [about && `${name}-about`, `${name}-error`].filter(Boolean).join(" "));
  const wrong = (text, problem) => {
    error.textContent = text;
    error.hidden = !text;
    one.control.toggleAttribute("aria-invalid", false);
    if (text && one.control.matches("input, select, textarea")) one.control.setAttribute("aria-invalid", "true");
    one.offer?.(error, problem);
  };
  return { ...one, wrong };
}

const words = (schema, value) => schema["x-titles"]?.[value] ?? value;
const starred = ({ title, minOccurs }) => (minOccurs ? [title, el("span", { class: "must", title: t("required") }, " *")] : title);

function labelled(name, input, control) {
  return field(el("div", { class: "field" }, el("label", { for: `in-${name}` }, starred(input)), control), { control });
}

function oneOf(name, input) {
  const { schema, minOccurs } = input;
  const empty = "default" in schema ? [] : [el("option", { value: "" }, minOccurs ? t("choose") : "–")];
  const select = el("select", { id: `in-${name}`, name, required: Boolean(minOccurs) }, empty, schema.enum.map((value) => el("option", { value, selected: value === schema.default }, words(schema, value))));
  return { ...labelled(name, input, select), read: () => select.value || undefined, write: (value) => (select.value = value) };
}

function severalOf(name, input) {
  const boxes = input.schema.enum.map((value) => el("input", { type: "checkbox", name, value }));
  const rows = boxes.map((box) => el("label", { class: "tick" }, box, " ", words(input.schema, box.value)));
  const control = el("fieldset", { class: "several", id: `in-${name}` }, el("legend", {}, starred(input)), el("div", { class: "rows" }, rows));
  const read = () => {
    const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
    return chosen.length || input.minOccurs ? chosen : undefined;
  };
  return field(el("div", { class: "field" }, control), { control, read, write: (values) => boxes.forEach((box) => (box.checked = [values].flat().includes(box.value))) });
}

function tick(name, input) {
  const box = el("input", { type: "checkbox", id: `in-${name}`, name, checked: input.schema.default === true });
  const element = el("div", { class: "field" }, el("label", { class: "tick" }, box, " ", input.title));
  const read = () => (box.checked === (input.schema.default ?? false) ? undefined : box.checked);
  return field(element, { control: box, read, write: (value) => (box.checked = value === true) });
}

function typed(name, input) {
  const { schema, minOccurs } = input;
  const numeric = ["number", "integer"].includes(schema.type);
  const bounds = numeric ? { step: schema.type === "integer" ? 1 : "any", min: schema.minimum ?? schema.exclusiveMinimum, max: schema.maximum, inputmode: "decimal" } : { maxlength: schema.maxLength };
  const control = el("input", { id: `in-${name}`, name, type: numeric ? "number" : "text", required: Boolean(minOccurs), value: schema.default, ...bounds });
  const read = () => (control.value.trim() === "" ? undefined : numeric ? Number(control.value) : control.value);
  return { ...labelled(name, input, control), read, write: (value) => (control.value = value) };
}

/** An object of plain members, each a field of its own; without any it is not there. */
function members(name, input) {
  const parts = Object.entries(input.schema.properties ?? {}).map(([part, schema]) => [part, typed(`${name}-${part}`, { title: schema.title ?? part, schema })]);
  const control = el("fieldset", { id: `in-${name}`, class: "members" }, el("legend", {}, starred(input)), parts.map(([, one]) => one.element));
  const read = () => {
    const values = parts.map(([part, one]) => [part, one.read()]).filter(([, value]) => value !== undefined);
    return values.length ? Object.fromEntries(values) : undefined;
  };
  return field(el("div", { class: "field" }, control), { control, read, write: (value) => parts.forEach(([part, one]) => one.write(value[part])) });
}
