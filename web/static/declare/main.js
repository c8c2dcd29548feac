// The form of a declaration where there is a script: map and address search, and sending that loses nothing, not even the photo.

import { byId, el } from "../map/dom.js";
import { setup, t } from "../map/words.js";
import { openPlace } from "./place.js";

document.documentElement.classList.add("scripted");

let place = null;

function wire() {
  const form = byId("f-form");
  place = openPlace(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (tooLarge(form.elements.photo)) return;
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
    if (page.getElementById("answers")) replace(page, form);
    else if (answer.ok) return show(page);
    else status.textContent = refused(page); // such as a photo that no door lets in: the form stays as it is
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

/** Whether the photo chosen is larger than the service takes; said at once, for a telephone would send it for minutes. */
function tooLarge(field) {
  byId("f-photo-large")?.remove();
  if (!(field?.files[0]?.size > setup.largest_photo)) return false;
  field.before(el("p", { id: "f-photo-large", class: "wrong", role: "alert" }, t("photo_large")));
  field.focus();
  return true;
}

/** Why the form as a whole was not taken, in the words of the page that says so. */
function refused(page) {
  return page.querySelector("h1")?.textContent || t("failed");
}

/** Another page altogether. */
function show(page) {
  byId("content").replaceChildren(...page.getElementById("content").childNodes);
  document.title = page.title;
  scrollTo(0, 0);
  byId("content").focus();
}

wire();
