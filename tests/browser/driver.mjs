/**
 * Runs scenarios in one Chromium, on demand.
 *
 *     node driver.mjs /usr/bin/chromium
 *
 * Reads one JSON object a line, `{"scenario": name, "url": address, "pictures": folder}`,
 * and answers each with `{"passed": true}` or `{"failed": why}`. While a scenario
 * runs it may ask for something, `{"ask": what, "with": [more]}`, and goes on with
 * the next line as the answer.
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import * as board from "./board.mjs";
import * as demoTabs from "./demo_tabs.mjs";
import * as forms from "./forms.mjs";
import * as hostile from "./hostile.mjs";
import * as htmx from "./htmx.mjs";
import * as offline from "./offline.mjs";
import * as page from "./page.mjs";
import * as pictures from "./pictures.mjs";
import * as places from "./places.mjs";
import * as signup from "./signup.mjs";
import * as storage from "./storage.mjs";
import * as tabs from "./tabs.mjs";
import { Window } from "./window.mjs";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const demo = { ...board, ...offline, ...signup, ...page, ...hostile, ...demoTabs, ...pictures };
const scenarios = { ...demo, ...forms, ...htmx, ...tabs, ...places, ...storage };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const options = {
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
};
const browser = await chromium.launch(options);

const say = (message) => console.log(JSON.stringify(message));

async function ask(what, ...more) {
  say({ ask: what, with: more });
  return JSON.parse((await lines.next()).value);
}

/**
 * Runs one scenario. Each window that it opens is a client of its own, in a
 * browser profile of its own; a tab shares the profile of a window.
 */
async function run({ scenario, url, pictures }) {
  const contexts = [];
  const windows = [];
  const folders = [];
  const opened = async (context) => {
    windows.push(await Window.open(context, url));
    return windows.at(-1);
  };
  const open = async (options) => {
    contexts.push(await browser.newContext(options));
    return opened(contexts.at(-1));
  };
  const openTab = (window) => opened(window.page.context());
  const go = async (context, path) => {
    contexts.push(context);
    windows.push(new Window(await context.newPage(), /./));
    const { page } = windows.at(-1);
    await page.goto(new URL(path, url).href);
    return page;
  };
  /** Opens any page of the server, not the demo. */
  const visit = async (path) => go(await browser.newContext(), path);
  /** Opens one in a browser whose user has such preferences. */
  const profile = async (preferences, path) => {
    const folder = await mkdtemp(join(tmpdir(), "rhtmx-profile-"));
    folders.push(folder);
    await mkdir(join(folder, "Default"));
    await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
    return go(await chromium.launchPersistentContext(folder, options), path);
  };
  try {
    if (scenario in tabs) {
      contexts.push(await browser.newContext());
      return await tabs[scenario]({ context: contexts[0], url });
    }
    await scenarios[scenario]({ open, openTab, visit, profile, ask, pictures });
    assert.deepEqual(windows.flatMap((window) => window.problems), []);
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
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
