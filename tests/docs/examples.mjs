/**
 * Runs the examples of the TypeScript client in Node, in a page of happy-dom, with a real server.
 *
 *     node examples.mjs FOLDER URL NUMBER
 *
 * Prints a list: for each of the examples an empty text, or what was wrong. They lie in the folder,
 * as `example_0.tsx` and so on.
 */

import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";

const [, , folder, url, number] = process.argv;
const source = fileURLToPath(new URL("../../clients/typescript/src/", import.meta.url));
const require = createRequire(new URL("../package.json", pathToFileURL(source)));
const { build } = require("esbuild");
const { Window } = require("happy-dom");

const window = new Window({ url });
const { document } = window;
document.body.innerHTML = '<form id="contact"><input name="email"></form><main></main>';
const ofPage = [
  "document",
  "location",
  "navigator",
  "sessionStorage",
  "localStorage",
  "MutationObserver",
];
const classes = Object.getOwnPropertyNames(window).filter((name) =>
  /^(HTML\w*|\w*Event|Abort\w*|CSS|Element|EventTarget|File|FormData|Node)$/.test(name),
);
for (const name of [...ofPage, ...classes]) {
  Object.defineProperty(globalThis, name, {
    value: window[name],
    configurable: true,
    writable: true,
  });
}
for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
  globalThis[name] = window[name].bind(window);
}
Object.assign(globalThis, {
  window,
  confirm: () => true,
  WebSocket: require("ws").WebSocket,
  IS_REACT_ACT_ENVIRONMENT: true,
});

// As in tests/forms/support.ts: forms of happy-dom are proxies, and this needs what is behind one.
const target = Object.getPrototypeOf(window.Node.prototype);
const { dispatchEvent } = target;
let isBehind = false;
target.dispatchEvent = function (event) {
  isBehind = this instanceof HTMLFormElement && !isBehind;
  return isBehind ? this.dispatchEvent(event) : dispatchEvent.call(this, event);
};

const numbers = Array.from({ length: Number(number) }, (_, at) => at);
const entry = `
export { act, createElement } from "react";
export { createRoot } from "react-dom/client";
export * from "${source}index.ts";
export * from "${source}forms/index.ts";
export { bindPage } from "${source}htmx/index.ts";
export * from "${source}react/index.ts";
export { shown } from "${source}core/handshake-failure.ts";
export { uuid7 } from "${source}core/uuid7.ts";
export { member } from "${source}forms/member.ts";
export { entered } from "${source}schema/entered.ts";
export { isEmail, isHostname, isWebUrl } from "${source}schema/formats.ts";
export { form as declareForm, INT32, judge, minLen, STRING } from "${source}schema.ts";
export * from "${source}schema/text.ts";
export * from "${source}schema/times.ts";
export { createServer } from "${source}testing/index.ts";
export { decode } from "${source}wire/index.ts";
${numbers.map((at) => `import e${at} from "./example_${at}.tsx";`).join("\n")}
export const examples = [${numbers.map((at) => `e${at}`).join(", ")}];
`;
const { outputFiles } = await build({
  stdin: { contents: entry, resolveDir: folder, loader: "ts" },
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  define: { "process.env.NODE_ENV": '"development"' },
  bundle: true,
  platform: "node",
  format: "esm",
  jsx: "automatic",
  write: false,
});
const file = `${folder}/examples.mjs`;
await writeFile(file, outputFiles[0].contents);
const { act, createElement, createRoot, declareForm, examples, ...all } = await import(
  pathToFileURL(file).href
);

const client = all.connect("/api/ws");
const TASK = { name: "Task", fields: [["title", all.STRING, 0, [[all.minLen, 1]]]] };
Object.assign(globalThis, all, {
  client,
  tasks: client.collection("tasks"),
  id: "1",
  form: document.querySelector("form"),
  element: document.querySelector("form"),
  TASK,
  SignUp: declareForm("signup", { rules: TASK }),
  isOpen: ({ data }) => !data.done,
  render() {},
  send() {},
  gives(value, said) {
    if (!isDeepStrictEqual(value, said)) {
      throw new Error(`${JSON.stringify(value)}, not ${JSON.stringify(said)}`);
    }
  },
});
await globalThis.tasks.synced;

console.log = () => {}; // theirs

/** What went wrong without being thrown: a question that failed, a hook in the wrong place. */
const complaints = [];
console.error = (...words) => complaints.push(words.map((each) => each?.stack ?? each).join(" "));

async function run(example) {
  if (!example.name.startsWith("Example")) return example(); // esbuild may number it
  const root = createRoot(document.querySelector("main"));
  await act(async () => root.render(createElement(example)));
  await act(async () => root.unmount());
}

const said = [];
for (const example of examples) {
  let wrong = "";
  try {
    await run(example);
    if (complaints.length > 0) wrong = complaints.splice(0).join("\n");
  } catch (error) {
    wrong = `${error.name}: ${error.message}`;
  }
  said.push(wrong);
}
process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit());
