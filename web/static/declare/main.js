// The form of a declaration where there is a script: map and address search, and sending that loses nothing, not even the photo.

import { byId } from "../map/dom.js";
import { t } from "../map/words.js";
import { openPlace } from "./place.js";

document.documentElement.classList.add("scripted");

let place = null;

function wire() {
  const form = byId("f-form");
  place = openPlace(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter);
  });
}

/** Sends the form and shows what comes back; what was typed, and the file chosen, stay in the page until it is accepted. */
async function send(form, button) {
  const told = new FormData(form, button);
  const status = byId("sending");
  const buttons = [...form.querySelectorAll("button")];
  buttons.forEach((one) => (one.disabled = true));
  status.textContent = t("sending");
  try {
    const answer = await fetch(form.action, { method: "POST", body: told, headers: { Accept: "text/html" } });
    if (answer.redirected) return location.assign(answer.url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.getElementById("answers")) return show(page);
    replace(page, form);
  } catch {
    status.textContent = t("failed");
  }
  buttons.forEach((one) => (one.disabled = false));
}

/** The same form with what is wrong in it, or with a look at what will be public. */
function replace(page, form) {
  const file = form.elements.photo?.files;
  const again = page.getElementById("answers");
  const kept = again.querySelector("#f-photo");
  if (file?.length && kept && !again.querySelector("#f-photo-wrong")) kept.files = file;
  place.close();
  byId("answers").replaceWith(document.adoptNode(again));
  wire();
  const told = byId("answers").querySelector(".faults, .looked") ?? byId("answers");
  told.tabIndex = -1;
  told.focus();
  told.scrollIntoView({ block: "start" });
}

/** Another page altogether. */
function show(page) {
  byId("content").replaceChildren(...page.getElementById("content").childNodes);
  document.title = page.title;
  scrollTo(0, 0);
  byId("content").focus();
}

wire();
