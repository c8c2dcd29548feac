// The planners' page: choose a question, fill its form, ask, call off. Everything about a question comes from its description.

import { get } from "../map/api.js";
import { byId, el, say } from "../map/dom.js";
import { t } from "../map/words.js";
import { hideAnswer, point, showAnswer } from "./answer.js";
import { description, execute, formats, questions } from "./ask.js";
import { read, write } from "./address.js";
import { openBoard } from "./board.js";
import { openForm } from "./form.js";
import { Speech } from "./values.js";

const state = { told: null, form: null, running: null };
let board = null;
let collections = new Map(); // titles of those that are drawn

async function start() {
  board = await openBoard((id) => point(board, id));
  try {
    const [all, listed] = await Promise.all([questions(), get("/collections")]);
    collections = new Map(listed.collections.filter(({ itemType, extent }) => itemType !== "record" && extent?.spatial).map(({ id, title }) => [id, title]));
    byId("question").replaceChildren(...all.map(({ id, title }) => el("option", { value: id }, title)));
  } catch (error) {
    return fail(error.message);
  }
  byId("question").addEventListener("change", () => choose(byId("question").value));
  byId("ask").addEventListener("submit", (event) => (event.preventDefault(), ask()));
  byId("cancel").addEventListener("click", () => state.running?.abort());
  byId("ask").addEventListener("input", () => remember());
  addEventListener("hashchange", follow);
  await follow();
}

/** What the address asks for: the form filled, and asked where it was filled. */
async function follow() {
  const { id, inputs } = read(location.hash);
  const known = [...byId("question").options].some(({ value }) => value === id);
  byId("question").value = known ? id : byId("question").options[0].value;
  await choose(byId("question").value, inputs);
  if (known && inputs && Object.keys(inputs).length) await ask();
}

async function choose(id, inputs = {}) {
  state.running?.abort();
  try {
    state.told = await description(id);
  } catch (error) {
    return fail(error.message);
  }
  clear();
  state.form?.close();
  byId("about").textContent = state.told.description;
  state.form = openForm(byId("fields"), state.told, { board, collections });
  state.form.write(inputs ?? {});
  document.documentElement.dataset.form = id;
  remember();
}

function remember() {
  const hash = write(state.told.id, state.form.read());
  if (hash !== location.hash) history.replaceState(null, "", hash);
  for (const link of document.querySelectorAll(".languages a")) link.hash = hash;
}

function clear() {
  byId("problem").hidden = true;
  hideAnswer(board);
}

async function ask() {
  const { told, form } = state;
  clear();
  form.right();
  remember();
  const question = { id: told.id, title: told.title, inputs: form.read() };
  const [output] = Object.values(told.outputs);
  state.running = new AbortController();
  const waiting = wait();
  try {
    const found = await (await execute(question.id, question.inputs, { signal: state.running.signal })).json();
    showAnswer(found, question, new Speech(output.schema, collections), board, formats(question.id));
  } catch (error) {
    if (error.name === "AbortError") stop();
    else refuse(error);
  } finally {
    waiting();
    state.running = null;
  }
}

/** Shows that it runs, since when, and how to call it off; the function it gives ends that. */
function wait() {
  const began = Date.now();
  const tell = () => (byId("waiting-text").textContent = t("running", { s: Math.round((Date.now() - began) / 1000) }));
  const timer = setInterval(tell, 1000);
  tell();
  say(t("running", { s: 0 }));
  byId("waiting").hidden = false;
  byId("run").disabled = true;
  return () => {
    clearInterval(timer);
    byId("waiting").hidden = true;
    byId("run").disabled = false;
  };
}

function stop() {
  say(t("cancelled"));
  fail(t("cancelled"), { quiet: true });
}

/** Each problem at its field; what is about none, above the form. */
function refuse(error) {
  const rest = [];
  let first = null;
  for (const problem of error.problems ?? []) {
    const name = (problem.pointer ?? "").split("/")[2];
    const known = name && name in state.told.inputs;
    if (known) state.form.wrong(name, problem.message, problem);
    else rest.push(problem.message);
    if (known) first ??= byId(`in-${name}`);
  }
  fail([first ? t("see_fields") : rest.length ? t("see_question") : error.message, ...rest].filter(Boolean).join(" – "), { quiet: first !== null });
  first?.focus();
}

function fail(text, { quiet = false } = {}) {
  byId("problem").textContent = text;
  byId("problem").hidden = false;
  if (!quiet) byId("problem").focus();
}

start();
