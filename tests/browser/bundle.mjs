/**
 * Prints a script for the pages of these tests: `node bundle.mjs live_page.mjs`, or the
 * client as a script tag loads it, built from its source: `node bundle.mjs`.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { build } = require("esbuild");

const entry = process.argv[2] ?? "../../clients/typescript/src/browser.ts";
const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
  bundle: true,
  format: "iife",
  globalName: "rhtmx",
  target: "es2022",
  write: false,
});
process.stdout.write(outputFiles[0].text);
