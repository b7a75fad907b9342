/**
 * Runs a program of a page as a browser would: bundled with the client's
 * source, and with a WebSocket, which Node 20 lacks.
 *
 *     node run.mjs page.ts
 */
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const client = new URL("../../clients/typescript/", import.meta.url);
const require = createRequire(new URL("package.json", client));
const { build } = require("esbuild");
globalThis.WebSocket = require("ws").WebSocket;

const [, , file] = process.argv;
const { outputFiles } = await build({
  entryPoints: [file],
  alias: {
    "@rhtmx/client": fileURLToPath(new URL("src/index.ts", client)),
    "@rhtmx/client/htmx": fileURLToPath(new URL("src/htmx/index.ts", client)),
  },
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
});
await writeFile(`${file}.mjs`, outputFiles[0].contents);
await import(pathToFileURL(`${file}.mjs`).href);
