// The same question from a script: curl and Python's standard library. Plain texts, nothing is run here.

import { address } from "./ask.js";

/** As one types it in a shell; a quote within quotes leaves them, and comes back. */
export function curl(id, inputs) {
  const body = JSON.stringify({ inputs }).replaceAll("'", "'\\''");
  return `curl '${location.origin}${address(id)}' \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}

/** As a program; JSON within a raw text is read as JSON again, so that true and null stay right. */
export function python(id, inputs) {
  const body = JSON.stringify(JSON.stringify({ inputs }));
  return [
    "import json",
    "from urllib.request import Request, urlopen",
    "",
    `question = ${body}`,
    `request = Request("${location.origin}${address(id)}", question.encode(), {"Content-Type": "application/json"})`,
    "answer = json.load(urlopen(request))",
    'print(len(answer["features"]) if "features" in answer else answer)',
  ].join("\n");
}
