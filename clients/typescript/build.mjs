/**
 * Builds the bundles and prints what they weigh.
 *
 * - `dist/*.js`: an ES module for each subpath of the package, for bundlers; not
 *   checked in.
 * - `rhtmx_server/static/client.js`: for a `<script>` tag, with the global
 *   `rhtmx`; checked in, so that a server needs no Node.
 * - `rhtmx_server/static/forms.js`: the same for pages that only have forms.
 * - `rhtmx_server/demo/static/demo.js`: the script of the demo page; checked in.
 * - `rhtmx_server/inspector/static/inspector.js`: that of the inspector; checked in.
 *
 * Fails if a part weighs more than `BUDGETS` in size.mjs allow.
 *
 * `node build.mjs --package` builds the modules only, `node build.mjs` the scripts only.
 * `node build.mjs --check` writes nothing and fails if one that is checked in differs.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { minify } from "terser";

import { BUDGETS, gzipped, integrity } from "./size.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const checking = process.argv.includes("--check");
const packing = process.argv.includes("--package");

const common = {
  absWorkingDir: here,
  bundle: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  target: "es2022",
  write: !checking,
};

// Nothing here changes what a right program does: no getter of ours has an effect,
// and no function expression is called with `new`.
const squeeze = {
  ecma: 2022,
  // The other two cost fewer bytes once all is compressed.
  compress: { passes: 3, pure_getters: true, unsafe_arrows: true, inline: 1, lhs_constants: false },
};

/** Bundles a module in memory, minified by esbuild, which shortens private names. */
async function bundled(options) {
  const { outputFiles } = await build({
    ...common,
    ...options,
    format: "esm",
    minify: true,
    write: false,
  });
  return outputFiles[0].text;
}

/**
 * Turns a bundled module into a script; with `name`, its exports become an object of
 * that name. As esbuild's own `iife` does, but without getters for what never changes.
 */
function script(code, name) {
  const body = code.replace(/export\{([^}]*)\};\s*$/, (_, names) => {
    const pairs = names.split(",").map((each) => each.split(" as "));
    return `return{${pairs.map(([own, given = own]) => `${given}:${own}`).join(",")}};`;
  });
  return `${name ? `var ${name}=` : ""}(()=>{"use strict";${body}})();`;
}

/** Builds a script for a page, and writes it or compares it with the one checked in. */
async function bundle(entry, target, name) {
  const preamble = "/* Built from clients/typescript; do not edit. */";
  const code = script(await bundled({ entryPoints: [entry] }), name);
  const built = Buffer.from((await minify(code, { ...squeeze, format: { preamble } })).code);
  console.log(`${target}  ${built.length} bytes, ${gzipped(built)} gzipped`);
  if (!checking) {
    await mkdir(dirname(root + target), { recursive: true });
    await writeFile(root + target, built);
    return built;
  }
  const found = await readFile(root + target).catch(() => Buffer.alloc(0));
  if (!found.equals(built)) fail(`${target} is not what the source builds: npm run build`);
  return built;
}

function fail(words) {
  console.error(words);
  process.exitCode = 1;
}

/** What a part weighs by itself, as a module that exports so much. */
async function weigh(part, contents) {
  const module = await bundled({ stdin: { contents, resolveDir: here, loader: "ts" } });
  const { code } = await minify(module, { ...squeeze, module: true });
  console.log(`${part}: ${gzipped(code)} gzipped`);
  check(part, code);
}

/** Fails if a part weighs more than it may, where that is limited. */
function check(part, code) {
  if (gzipped(code) > (BUDGETS[part] ?? Infinity)) {
    fail(
      `${part} weighs ${gzipped(code)} bytes gzipped; the budget is ${BUDGETS[part]} (size.mjs)`,
    );
  }
}

/** Builds the modules, in a folder that holds nothing of an earlier build. */
async function modules() {
  await rm(`${here}dist`, { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: ["index", "forms", "htmx", "react", "schema", "testing"].map((part) => ({
      in: part === "index" || part === "schema" ? `src/${part}.ts` : `src/${part}/index.ts`,
      out: part,
    })),
    outdir: "dist",
    external: ["react"],
    format: "esm",
    sourcemap: "linked",
    splitting: true,
  });
}

/** Builds the scripts, and says what they weigh. */
async function scripts() {
  for (const [name, entry] of [
    ["client.js", "src/browser.ts"],
    ["forms.js", "src/browser-forms.ts"],
  ]) {
    const built = await bundle(entry, `rhtmx_server/static/${name}`, "rhtmx");
    console.log(`${name}  integrity="${integrity(built)}"`);
    check(name, built);
  }
  await bundle("demo/main.ts", "rhtmx_server/demo/static/demo.js");
  await bundle("inspector/main.ts", "rhtmx_server/inspector/static/inspector.js");

  await weigh("connect", 'export { connect } from "./src/api/client.ts";');
  await weigh(
    "codec of both formats",
    'export { decodeFromServer, encodeFromClient } from "./src/wire/index.ts";',
  );
  await weigh("forms", 'export { bindForm } from "./src/forms/index.ts";');
  await weigh(
    "rules of a sign-up form",
    'export { SIGN_UP_RULES } from "./tests/schema/judged.ts"; export { judge } from "./src/schema/judge.ts";',
  );
}

await (packing ? modules() : scripts());
