/** Prints the script of the pages of these tests: `node bundle.mjs`. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { build } = require("esbuild");

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("live_page.mjs", import.meta.url))],
  bundle: true,
  format: "iife",
  target: "es2022",
  write: false,
});
process.stdout.write(outputFiles[0].text);
