// The question in the address, all of it in the fragment: no server sees what is drawn before it is asked.

/** {id, inputs} that the address holds; null for what it does not, or cannot be read. */
export function read(hash) {
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  let inputs = null;
  try {
    inputs = JSON.parse(asked.get("inputs"));
  } catch {
    // An address that was cut off still names its question.
  }
  return { id: asked.get("question"), inputs: inputs && typeof inputs === "object" && !Array.isArray(inputs) ? inputs : null };
}

/** The fragment for a question. */
export function write(id, inputs) {
  return `#${new URLSearchParams({ question: id, inputs: JSON.stringify(inputs) })}`;
}
