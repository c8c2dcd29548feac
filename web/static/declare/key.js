// Puts the key from the address, which no server is sent, into the page's form; a page that only opens something opens it.

const form = document.querySelector("form[data-key]");
const token = location.hash.slice(1);
document.documentElement.classList.add("scripted");

if (form && /^[\w-]{10,100}$/.test(token)) {
  form.elements.token.value = token;
  form.querySelector(".paste").hidden = true;
  history.replaceState(null, "", location.pathname + location.search); // not in the history, nor over a shoulder
  if (form.dataset.key === "open") form.requestSubmit();
}
