/**
 * Builds the bundles and prints what they weigh.
 *
 * - `dist/index.js`: an ES module for bundlers; not checked in.
 * - `rhtmx_server/static/client.js`: for a `<script>` tag, with the global
 *   `rhtmx`; checked in, so that a server needs no Node.
 * - `rhtmx_server/demo/static/demo.js`: the script of the demo page; checked in.
 *
 * `node build.mjs --check` writes nothing and fails if one that is checked in
 * differs.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const checking = process.argv.includes("--check");

const common = {
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  target: "es2022",
  write: !checking,
};

/** Bundles `contents` in memory and returns its size, for the figures. */
async function weigh(contents) {
  const stdin = { contents, resolveDir: here, loader: "ts" };
  const options = { ...common, stdin, format: "esm", minify: true, write: false };
  const { outputFiles } = await build(options);
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

/** Builds a script for a page, and writes it or compares it with the one checked in. */
async function bundle(entry, target, options) {
  const { outputFiles } = await build({
    ...common,
    ...options,
    entryPoints: [entry],
    outfile: root + target,
    format: "iife",
    minify: true,
    banner: { js: "/* Built from clients/typescript by `npm run build`; do not edit. */" },
    write: false,
  });
  const built = outputFiles[0].contents;
  console.log(`${target}  ${built.length} bytes, ${gzipSync(built, { level: 9 }).length} gzipped`);
  if (!checking) {
    await mkdir(dirname(root + target), { recursive: true });
    await writeFile(root + target, built);
    return;
  }
  const found = await readFile(root + target).catch(() => Buffer.alloc(0));
  if (!found.equals(Buffer.from(built))) {
    console.error(`${target} is not what the source builds: npm run build`);
    process.exitCode = 1;
  }
}

await build({
  ...common,
  entryPoints: ["src/index.ts"],
  outfile: "dist/index.js",
  format: "esm",
  sourcemap: "linked",
});
await bundle("src/index.ts", "rhtmx_server/static/client.js", { globalName: "rhtmx" });
await bundle("demo/main.ts", "rhtmx_server/demo/static/demo.js");

const codec = await weigh(
  'export { decodeFromServer, encodeFromClient } from "./src/wire/index.ts";',
);
console.log(`the codec of both formats: ${codec} gzipped`);
