/**
 * Bundles modules of a folder with the packages that are installed there, as any bundler would.
 *
 * Reads `[[entry, output, "development" | "production", "browser" | "node"], …]`, as JSON, with
 * paths that are relative to the folder: `node bundle.mjs FOLDER`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../clients/typescript/package.json", import.meta.url));
const { build } = require("esbuild");

for (const [entry, outfile, mode, platform] of JSON.parse(readFileSync(0, "utf8"))) {
  await build({
    absWorkingDir: process.argv[2],
    entryPoints: [entry],
    outfile,
    platform,
    bundle: true,
    define: { "process.env.NODE_ENV": JSON.stringify(mode) },
    format: platform === "node" ? "cjs" : "iife",
    jsx: "automatic",
    logLevel: "warning",
    minify: mode === "production",
    target: "es2022",
  });
}
