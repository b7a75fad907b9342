/**
 * Runs a program of a page in Node: bundled with the client's source. One in JavaScript is
 * for a browser, and gets a WebSocket, which Node 20 lacks.
 *
 *     node run.mjs tasks.ts
 */
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const client = new URL("../../clients/typescript/", import.meta.url);
const require = createRequire(new URL("package.json", client));
const { build } = require("esbuild");

const [, , file] = process.argv;
if (file.endsWith(".js")) globalThis.WebSocket = require("ws").WebSocket;
const { outputFiles } = await build({
  entryPoints: [file],
  alias: {
    "@rhtmx/client": fileURLToPath(new URL("src/index.ts", client)),
    "@rhtmx/client/htmx": fileURLToPath(new URL("src/htmx/index.ts", client)),
    "@rhtmx/client/testing": fileURLToPath(new URL("src/testing/index.ts", client)),
    "@rhtmx/client/schema": fileURLToPath(new URL("src/schema.ts", client)),
    ws: require.resolve("ws"),
  },
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "es2022",
  write: false,
});
await writeFile(`${file}.mjs`, outputFiles[0].contents);
await import(pathToFileURL(`${file}.mjs`).href);
