/** Bundles the module on standard input, which finds the TypeScript client by its name, and prints the script. */
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const typescript = new URL("../../../clients/typescript/", import.meta.url);
const require = createRequire(new URL("package.json", typescript));
const { build } = require("esbuild");
const source = (path) => fileURLToPath(new URL(`src/${path}`, typescript));

const { outputFiles } = await build({
  stdin: {
    contents: await text(process.stdin),
    loader: "tsx",
    resolveDir: fileURLToPath(typescript),
  },
  alias: {
    "@rhtmx/client/react": source("react/index.ts"),
    "@rhtmx/client": source("index.ts"),
  },
  bundle: true,
  define: { "process.env.NODE_ENV": '"development"' },
  format: "iife",
  jsx: "automatic",
  target: "es2022",
  write: false,
});
process.stdout.write(outputFiles[0].text);
