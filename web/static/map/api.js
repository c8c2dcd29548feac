// One door to the API: JSON in, errors as words out. It knows addresses, not what they mean.

import { setup, t } from "./words.js";

/** A refusal or a silence of the API: `message` can be shown, `status` is 0 when nothing answered. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The JSON document at a path of this service. */
export async function get(path, params = {}, signal) {
  const query = new URLSearchParams({ ...params, lang: setup.lang });
  let response;
  try {
    response = await fetch(`${path}?${query}`, { signal, headers: { Accept: "application/geo+json, application/schema+json, application/json" } });
    if (response.ok) return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("error_network"), 0);
  }
  const problem = await response.json().catch(() => ({}));
  throw new ApiError(problem.detail || problem.title || `HTTP ${response.status}`, response.status);
}

/** The parameters of a document's `next` link, or null. The address itself may name another host than the one we are on. */
export function nextParams(document) {
  const link = document.links?.find(({ rel }) => rel === "next");
  if (!link) return null;
  const params = Object.fromEntries(new URL(link.href, location.href).searchParams);
  delete params.f;
  delete params.lang;
  return params;
}
