/**
 * Judges in Node, or in one page of Chromium if its path is an argument.
 *
 * Each line is `[bundle, function, cases, now]`: the bundle of `judging.ts` is loaded if it is
 * another than before, and what the function says of the cases is the answer.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import vm from "node:vm";

const [program] = process.argv.slice(2);
const { load, call, close } = program ? await chromium(program) : inNode();
let loaded;

for await (const line of createInterface({ input: process.stdin })) {
  const [bundle, name, cases, now] = JSON.parse(line);
  if (bundle !== loaded) await load(readFileSync(bundle, "utf8"));
  loaded = bundle;
  console.log(JSON.stringify(await call(name, cases, now)));
}
await close();

function inNode() {
  return {
    load: (text) => vm.runInThisContext(text),
    call: (name, cases, now) => globalThis[name](cases, now),
    close: () => {},
  };
}

async function chromium(executablePath) {
  const typescript = new URL("../../../clients/typescript/package.json", import.meta.url);
  const { chromium } = createRequire(typescript)("playwright-core");
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
  });
  const page = await browser.newPage();
  return {
    load: (text) => page.evaluate(text),
    call: (name, cases, now) =>
      page.evaluate(([name, cases, now]) => globalThis[name](cases, now), [name, cases, now]),
    close: () => browser.close(),
  };
}
