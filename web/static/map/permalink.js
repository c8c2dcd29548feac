// The address of a view: #zoom/latitude/longitude, what is switched on, what is open. Reading and writing, nothing else.

/** What the address asks for; anything unreadable is left out. */
export function read(hash) {
  const parts = hash.replace(/^#/, "").split("&");
  const place = parts.find((part) => !part.includes("=")) ?? "";
  const asked = Object.fromEntries(parts.filter((part) => part.includes("=")).map((part) => part.split("=").map(plain)));
  const numbers = place.split("/").map(Number);
  const [zoom, lat, lon] = numbers;
  const good = /^[\d.]+\/-?[\d.]+\/-?[\d.]+$/.test(place) && numbers.every(Number.isFinite) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && zoom <= 24;
  const [collection, id] = (asked.at ?? "").split("/");
  return {
    view: good ? { zoom, center: [lon, lat] } : null,
    on: "on" in asked ? asked.on.split(",").filter(Boolean) : null,
    at: collection && id ? { collection, id } : null,
  };
}

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a view. `on` is null while the territory's own choice of collections stands. */
export function write({ zoom, center, on, at }) {
  const place = `#${zoom.toFixed(2)}/${center.lat.toFixed(5)}/${center.lng.toFixed(5)}`;
  const parts = [on && `on=${on.map(encodeURIComponent).join(",")}`, at && `at=${encodeURIComponent(at.collection)}/${encodeURIComponent(at.id)}`];
  return [place, ...parts.filter(Boolean)].join("&");
}
