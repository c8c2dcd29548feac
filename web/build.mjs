// `npm run build`, which script/bootstrap calls: puts together in web/built what browsers load. Each script that a template names
// becomes one file; what several share is a file of its own. MapLibre is built from its own sources with them, for its finished
// page and worker bundles repeat each other: together 376 kB compressed, against 265 with one shared file.

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import { rolldown } from "rolldown";

const WEB = fileURLToPath(new URL(".", import.meta.url));
const MAPLIBRE = `${WEB}node_modules/maplibre-gl`;
const MAKING = `${WEB}built.new`; // becomes web/built when it is whole
const WORKER = "maplibre-gl-worker.mjs"; // the name that MapLibre looks for beside itself
const FONTS = ["latin-400-normal", "latin-600-normal", "latin-400-italic", "latin-ext-400-normal", "latin-ext-600-normal", "latin-ext-400-italic"];
// MapLibre's fields are TypeScript's: one without a value declares a type, and must not overwrite what a parent class has set.
const FIELDS = { typescript: { removeClassFieldsWithoutInitializer: true }, assumptions: { setPublicClassFields: true } };
const LICENCE = "/* Holds MapLibre GL JS, 3-Clause BSD: /built/LICENSE-maplibre-gl.txt */\n";

/** The scripts that templates name: { "map/main.js": path }. */
async function scripts() {
  const files = (await readdir(`${WEB}templates`)).filter((name) => name.endsWith(".html"));
  const texts = await Promise.all(files.map((name) => readFile(`${WEB}templates/${name}`, "utf8")));
  const named = texts.flatMap((text) => [...text.matchAll(/asset\('([\w/]+\.js)'\)/g)].map(([, name]) => name));
  return Object.fromEntries([...new Set(named)].sort().map((name) => [name, `${WEB}static/${name}`]));
}

/**
 * MapLibre's name leads to our choice of it, and its version tells builds apart: it stands in the worker's address, which is kept
 * for a year, and the worker loads files of this very build.
 */
function maplibre(build) {
  const version = JSON.stringify({ version: build });
  return {
    name: "maplibre",
    resolveId: (source) => (source === "maplibre-gl" ? `${WEB}maplibre.mjs` : null),
    load: (id) => (id === `${MAPLIBRE}/package.json` ? { code: version, moduleType: "json" } : null),
  };
}

/** All that is made, in one build: [file] with their names, code and imports. */
async function bundle(entries, build) {
  const input = { ...Object.fromEntries(Object.entries(entries).map(([name, path]) => [flat(name), path])), worker: `${MAPLIBRE}/src/source/worker.ts` };
  const made = await rolldown({ input, platform: "browser", tsconfig: false, transform: FIELDS, plugins: [maplibre(build)], onLog: complain });
  const { output } = await made.write({
    dir: MAKING,
    format: "esm",
    minify: true,
    entryFileNames: ({ name }) => (name === "worker" ? WORKER : "[name]-[hash].js"),
    chunkFileNames: "[name]-[hash].js",
    banner: ({ moduleIds }) => (moduleIds.some((id) => id.startsWith(MAPLIBRE)) ? LICENCE : ""),
  });
  return output;
}

const flat = (name) => name.replace(/\.js$/, "").replaceAll("/", "-");

function complain(level, { message }) {
  if (level === "warn") throw new Error(message); // such as a name that MapLibre no longer has
}

/** What each script is called now, and what it loads at once and later: { "map/main.js": { file, imports, later } }. */
function manifest(entries, output) {
  const files = new Map(output.map((one) => [one.fileName, one]));
  const all = (names, found = new Set()) => {
    for (const name of names) if (files.has(name) && !found.has(name)) all(files.get(found.add(name) && name).imports, found);
    return [...found];
  };
  return Object.fromEntries(Object.keys(entries).map((name) => {
    const { fileName: file, imports, dynamicImports } = output.find((one) => one.isEntry && one.name === flat(name));
    const now = all(imports);
    return [name, { file, imports: now, later: all(dynamicImports).filter((one) => !now.includes(one)) }];
  }));
}

/** MapLibre's style sheet without what it says of controls that are not loaded: half of it are their pictures. */
function styles(text) {
  return text.replace(/[^{}]*\{[^{}]*\}/g, (rule) => (/ctrl-(geolocate|fullscreen|globe|terrain|logo)|maplibregl-(popup|user-location)/.test(rule.split("{")[0]) ? "" : rule));
}

/** Each text once more in the two codings that browsers take, as small as they can be: the service need not do it again and again. */
async function compress(name) {
  const bytes = await readFile(`${MAKING}/${name}`);
  const br = promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  const gz = promisify(gzip)(bytes, { level: 9 });
  await writeFile(`${MAKING}/${name}.br`, await br);
  await writeFile(`${MAKING}/${name}.gz`, await gz);
}

/** A word that changes with all that goes into a build. */
async function digest(entries) {
  const own = (await readdir(`${WEB}static`, { recursive: true })).filter((name) => name.endsWith(".js")).sort().map((name) => `static/${name}`);
  const hash = createHash("sha256").update(Object.keys(entries).join());
  for (const name of [...own, "build.mjs", "maplibre.mjs", "package-lock.json"]) hash.update(await readFile(WEB + name));
  return hash.digest("hex").slice(0, 8);
}

await rm(MAKING, { recursive: true, force: true });
await mkdir(`${MAKING}/noto-sans`, { recursive: true });
const entries = await scripts();
const { version } = JSON.parse(await readFile(`${MAPLIBRE}/package.json`, "utf8"));
const output = await bundle(entries, `${version}-${await digest(entries)}`);
await writeFile(`${MAKING}/manifest.json`, JSON.stringify(manifest(entries, output), null, 1));
await writeFile(`${MAKING}/maplibre-gl.css`, styles(await readFile(`${MAPLIBRE}/dist/maplibre-gl.css`, "utf8")));
await Promise.all([...output.map(({ fileName }) => fileName), "maplibre-gl.css"].map(compress));
await cp(`${MAPLIBRE}/LICENSE.txt`, `${MAKING}/LICENSE-maplibre-gl.txt`);
for (const name of FONTS) await cp(`${WEB}node_modules/@fontsource/noto-sans/files/noto-sans-${name}.woff2`, `${MAKING}/noto-sans/noto-sans-${name}.woff2`);
await cp(`${WEB}node_modules/@fontsource/noto-sans/LICENSE`, `${MAKING}/noto-sans/LICENSE.txt`);
await rm(`${WEB}built`, { recursive: true, force: true });
await rename(MAKING, `${WEB}built`);
