/**
 * Runs scenarios in one engine, on demand: `node driver.mjs ENGINE PROGRAM…`.
 *
 * The lines that it reads and writes are those of `../driver.mjs`. Each scenario gets
 * `open(path)`, which opens a tab with a page, `url`, and `ask(what, ...more)`.
 */
import { createInterface } from "node:readline";

import * as demo from "./demo.mjs";
import * as forms from "./forms.mjs";
import * as htmx from "./htmx.mjs";
import * as life from "./life.mjs";
import * as otherwise from "./otherwise.mjs";
import { chromium, firefox } from "./puppeteer.mjs";
import * as react from "./react.mjs";
import * as storage from "./storage.mjs";
import * as tabs from "./tabs.mjs";
import { webkit } from "./webkit.mjs";
import * as wire from "./wire.mjs";

const data = { ...storage, ...tabs, ...life, ...wire };
const scenarios = { ...data, ...demo, ...forms, ...htmx, ...otherwise, ...react };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const [name, ...programs] = process.argv.slice(2);
const engine = await { chromium, firefox, webkit }[name](...programs);

const say = (message) => console.log(JSON.stringify(message));

async function ask(what, ...more) {
  say({ ask: what, with: more });
  return JSON.parse((await lines.next()).value);
}

async function run({ scenario, url }) {
  const open = async (path = "/") => {
    const tab = await engine.tab();
    await tab.goto(new URL(path, url).href);
    return tab;
  };
  try {
    await scenarios[scenario]({ open, url, ask, engine: name });
  } finally {
    await engine.reset();
  }
}

console.error(await engine.version());
for (let line = await lines.next(); !line.done; line = await lines.next()) {
  try {
    await run(JSON.parse(line.value));
    say({ passed: true });
  } catch (error) {
    say({ failed: error.stack });
  }
}
await engine.close();
