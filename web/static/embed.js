// The element <gohelle-map>: a frame with the territory's map in anybody's page, made when somebody is about to see it.
// A frame and no map in the page itself: neither the page's styles nor its policy reach the map, nor the other way round.

const service = new URL("/", import.meta.url).origin;
const WORDS = { fr: ["Carte", "Ouvrir la carte"], en: ["Map", "Open the map"], de: ["Karte", "Karte öffnen"] };

// A sheet that script makes, and no style element, which a strict policy would refuse.
const sheet = new CSSStyleSheet();
sheet.replaceSync(":host { display: block; height: 36rem; max-height: 100vh; min-width: 0; } :host([hidden]) { display: none; } iframe { display: block; width: 100%; height: 100%; border: 0; }");

class GohelleMap extends HTMLElement {
  static observedAttributes = ["collections", "lang", "view"];
  #seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.#show());
  #frame = null;

  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      this.#wait();
    }
    this.#seen.observe(this);
  }

  disconnectedCallback() {
    this.#seen.disconnect();
  }

  attributeChangedCallback() {
    if (this.#frame) this.#frame.src = this.#address();
  }

  /** What stands there before: what the page wrote inside the element, else a link. */
  #wait() {
    const link = document.createElement("a");
    link.href = `${service}/`;
    link.textContent = this.#words()[1];
    const slot = document.createElement("slot");
    slot.append(link);
    this.shadowRoot.replaceChildren(slot);
  }

  #show() {
    this.#seen.disconnect();
    this.#frame = document.createElement("iframe");
    this.#frame.title = this.title || this.#words()[0];
    this.#frame.allow = "clipboard-write";
    this.#frame.src = this.#address();
    this.shadowRoot.replaceChildren(this.#frame);
  }

  #words() {
    return WORDS[this.#language()] ?? WORDS.en;
  }

  #language() {
    return (this.getAttribute("lang") || this.closest("[lang]")?.lang || "").split("-")[0].toLowerCase();
  }

  #address() {
    const address = new URL("/embed", service);
    const collections = this.getAttribute("collections")?.split(",").map((id) => id.trim()).filter(Boolean).join(",");
    if (collections) address.searchParams.set("collections", collections);
    if (this.#language() in WORDS) address.searchParams.set("lang", this.#language());
    if (this.hasAttribute("view")) address.hash = this.getAttribute("view");
    return address.href;
  }
}

if (!customElements.get("gohelle-map")) customElements.define("gohelle-map", GohelleMap);
