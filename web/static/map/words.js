// The setup that the page carries, and its words in the page's language. The words themselves stand in web/words.

export const setup = JSON.parse(globalThis.document?.getElementById("setup")?.textContent ?? '{"lang":"en","words":{}}');

/** The words of that key, with {names} filled in; a count chooses between singular and plural. */
export function t(key, values = {}) {
  const entry = setup.words[key] ?? key;
  const text = typeof entry === "object" && "other" in entry ? (entry[plural(values.n)] ?? entry.other) : entry;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function plural(n) {
  return new Intl.PluralRules(setup.lang).select(Number(n));
}

/** An address of this service for a page; a language asked for by name stays asked for. */
export function page(path, params = {}) {
  const query = new URLSearchParams({ ...params, ...(setup.asked && { lang: setup.asked }) });
  return query.size ? `${path}?${query}` : path;
}
