// The doors to the questions: descriptions, formats, executions that can be called off, uploads. It knows no question by name.

import { get } from "../map/api.js";
import { setup, t } from "../map/words.js";

/** What the API refuses: `problems` are [{pointer, message}]; `status` is 0 when nothing answered. */
export class Refused extends Error {
  constructor(message, status, problems = []) {
    super(message);
    Object.assign(this, { status, problems });
  }
}

const GEOJSON = "application/geo+json, application/json;q=0.9";

/** Every question: id, title, description. */
export const questions = async () => (await get("/processes")).processes;

/** What a question takes and answers. */
export const description = (id) => get(`/processes/${encodeURIComponent(id)}`);

/** The media types that a question's answer can be had as, as the OpenAPI document lists them. */
export async function formats(id) {
  const { paths } = await get("/api");
  return Object.keys(paths[`/processes/${id}/execution`]?.post.responses["200"].content ?? {});
}

/** The address of an execution, in the page's language. */
export const address = (id) => `/processes/${encodeURIComponent(id)}/execution?lang=${setup.lang}`;

/** The answer in a media type. When `signal` aborts, the connection goes, and the service calls off its statement. */
export function execute(id, inputs, { accept = GEOJSON, signal } = {}) {
  return send(address(id), JSON.stringify({ inputs }), { "Content-Type": "application/json", Accept: accept }, signal);
}

/** A file, or GeoJSON text, as a FeatureCollection. */
export async function upload(body, { repair = false } = {}) {
  const answer = await send(`/uploads${repair ? "?repair=true" : ""}`, body, { "Content-Type": "application/octet-stream" });
  return answer.json();
}

async function send(path, body, headers, signal) {
  let response;
  try {
    response = await fetch(path, { method: "POST", body, headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(t("error_network"), 0);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Refused(problem.detail || problem.title || `HTTP ${response.status}`, response.status, problem.errors ?? []);
}
