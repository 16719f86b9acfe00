// Packs the files of a build into the archive that the server embeds (crates/server/src/console/archive.rs), and
// checks what the first page loads.
//
// usage: node archive.mjs BUILD OUTPUT

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** What the page and the home screen may load, compressed. */
const FIRST_LOAD_BYTES_MAX = 700_000;
/** Files up to this size are kept uncompressed as well, for clients that decode nothing. */
const IDENTITY_BYTES_MAX = 4_096;
const MANIFEST = "manifest.json";
const FIRST_SCREEN = "src/screens/home/index.tsx";
const MEDIA_TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".md": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const [build, output] = process.argv.slice(2);
const files = readdirSync(build, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(build, join(entry.parentPath, entry.name)))
  .filter((path) => path !== MANIFEST)
  .sort();

const packed = files.map((path) => {
  const body = readFileSync(join(build, path));
  const mediaType = MEDIA_TYPES[extname(path)];
  if (mediaType === undefined) throw new Error(`${path}: no media type is known for this name`);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
  };
  return {
    path,
    mediaType,
    digest: createHash("sha256").update(body).digest("hex"),
    identity: body.length <= IDENTITY_BYTES_MAX ? body : Buffer.alloc(0),
    gzip: gzipSync(body, { level: 9 }),
    brotli: brotliCompressSync(body, { params }),
  };
});

/** The files that a browser loads before the home screen shows. */
function firstLoad() {
  const manifest = JSON.parse(readFileSync(join(build, MANIFEST), "utf8"));
  const seen = new Set();
  const loaded = new Set(["index.html"]);
  const visit = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    if (chunk === undefined) throw new Error(`${key} is not in the build's manifest`);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) loaded.add(file);
    for (const next of chunk.imports ?? []) visit(next);
  };
  visit("index.html");
  visit(FIRST_SCREEN);
  return packed.filter((file) => loaded.has(file.path));
}

const total = firstLoad().reduce((sum, file) => sum + file.brotli.length, 0);
console.log(`first load: ${total} bytes compressed, at most ${FIRST_LOAD_BYTES_MAX}`);
if (total > FIRST_LOAD_BYTES_MAX) throw new Error("the first page loads too much");

const head = packed.map(({ path, mediaType, digest, identity, gzip, brotli }) =>
  [path, mediaType, digest.slice(0, 32), identity.length, gzip.length, brotli.length].join("\t"),
);
const bodies = packed.flatMap(({ identity, gzip, brotli }) => [identity, gzip, brotli]);
mkdirSync(output, { recursive: true });
writeFileSync(join(output, "assets.bin"), Buffer.concat([Buffer.from(`${head.join("\n")}\n\n`), ...bodies]));
writeFileSync(join(output, "contents.txt"), packed.map(({ path, digest }) => `${digest}  ${path}\n`).join(""));
