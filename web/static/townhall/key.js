// Takes the key of a mailed link out of the address, so that neither history nor a copied address keeps it, and readies the button.

const form = document.querySelector("form[data-key]");

function take() {
  const key = location.hash.slice(1);
  if (!form || !/^[\w-]{20,100}$/.test(key)) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.namedItem("code").value = key;
  form.hidden = false;
  for (const other of document.querySelectorAll("[data-no-key]")) other.hidden = true;
  form.querySelector("button").focus();
}

take();
addEventListener("hashchange", take);
