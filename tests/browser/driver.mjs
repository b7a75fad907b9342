/**
 * Runs scenarios in one Chromium, on demand.
 *
 *     node driver.mjs /usr/bin/chromium
 *
 * Reads one JSON object a line, `{"scenario": name, "url": address}`, and
 * answers each with `{"passed": true}` or `{"failed": why}`. While a scenario
 * runs it may ask for something, `{"ask": what}`, and goes on at the next line.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import * as contact from "./contact.mjs";
import * as forms from "./forms.mjs";
import * as htmx from "./htmx.mjs";
import * as page from "./page.mjs";
import * as tabs from "./tabs.mjs";
import * as tasks from "./tasks.mjs";
import { Window } from "./window.mjs";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const scenarios = { ...tasks, ...contact, ...page, ...forms, ...htmx, ...tabs };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
});

const say = (message) => console.log(JSON.stringify(message));

async function ask(what) {
  say({ ask: what });
  await lines.next();
}

/** Runs one scenario in a browser profile of its own. */
async function run({ scenario, url }) {
  const contexts = [];
  const windows = [];
  const open = async (options) => {
    if (options || contexts.length === 0) contexts.push(await browser.newContext(options));
    windows.push(await Window.open(contexts.at(-1), url));
    return windows.at(-1);
  };
  /** Opens any page of the server, not the demo. */
  const visit = async (path) => {
    contexts.push(await browser.newContext());
    windows.push(new Window(await contexts.at(-1).newPage()));
    const { page } = windows.at(-1);
    await page.goto(new URL(path, url).href);
    return page;
  };
  try {
    if (scenario in tabs) {
      contexts.push(await browser.newContext());
      return await tabs[scenario]({ context: contexts[0], url });
    }
    await scenarios[scenario]({ open, visit, ask });
    assert.deepEqual(windows.flatMap((window) => window.problems), []);
  } finally {
    for (const context of contexts) await context.close();
  }
}

for (let line = await lines.next(); !line.done; line = await lines.next()) {
  try {
    await run(JSON.parse(line.value));
    say({ passed: true });
  } catch (error) {
    say({ failed: error.stack });
  }
}
await browser.close();
