// Elements from words: everything goes in as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (`on...` are listeners, true and false set and leave out) and children; strings become text. */
export function el(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** The element of that id. */
export const byId = (id) => document.getElementById(id);

/** Says something to screen readers. */
export function say(text) {
  byId("status").textContent = text;
}

/** Calls `work` once, `ms` after the last call. */
export function calm(work, ms) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), ms);
  };
}
