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

import * as audit from "./audit.mjs";
import * as board from "./board.mjs";
import * as cached from "./cached.mjs";
import * as demoTabs from "./demo_tabs.mjs";
import * as formDialogs from "./form_dialogs.mjs";
import * as formDrafts from "./form_drafts.mjs";
import * as formHtmx from "./form_htmx.mjs";
import * as formLive from "./form_live.mjs";
import * as formNames from "./form_names.mjs";
import * as formNumbers from "./form_numbers.mjs";
import * as formRecords from "./form_records.mjs";
import * as formSubmissions from "./form_submissions.mjs";
import * as formValues from "./form_values.mjs";
import * as forms from "./forms.mjs";
import * as hostile from "./hostile.mjs";
import * as htmx from "./htmx.mjs";
import * as inspector from "./inspector.mjs";
import * as offline from "./offline.mjs";
import * as page from "./page.mjs";
import * as pictures from "./pictures.mjs";
import * as places from "./places.mjs";
import * as react from "./react.mjs";
import * as refused from "./refused.mjs";
import * as rooms from "./rooms.mjs";
import * as signup from "./signup.mjs";
import * as storage from "./storage.mjs";
import { Tab } from "./tab.mjs";
import * as tabs from "./tabs.mjs";
import * as tenants from "./tenants.mjs";
import * as transactions from "./transactions.mjs";
import { Window } from "./window.mjs";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const demo = {
  ...board,
  ...offline,
  ...signup,
  ...page,
  ...audit,
  ...hostile,
  ...demoTabs,
  ...pictures,
};
const scenarios = {
  ...demo,
  ...forms,
  ...htmx,
  ...tabs,
  ...inspector,
  ...places,
  ...react.scenarios,
  ...cached,
  ...refused,
  ...rooms,
  ...storage,
  ...tenants,
  ...transactions,
};
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const options = {
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
  // Playwright 1.65 turns it off; a user's browser has it.
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
};
const browser = await chromium.launch(options);

/** What these use of a browser, any driver of any browser can do. */
const facts = {
  ...formValues,
  ...formNumbers,
  ...formNames,
  ...formSubmissions,
  ...formDialogs,
  ...formDrafts,
  ...formRecords,
  ...formHtmx,
  ...formLive,
};

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
  const go = async (context, path, { before, ...options } = {}) => {
    contexts.push(context);
    windows.push(new Window(await context.newPage(), /./));
    const { page } = windows.at(-1);
    if (before) await page.addInitScript(before);
    await page.goto(new URL(path, url).href, options);
    return page;
  };
  /** Opens any page of the server, not the demo; `before` runs in it before its scripts. */
  const visit = async (path, options) => go(await browser.newContext(), path, options);
  /** Opens one in a browser whose user has such preferences. */
  const profile = async (preferences, path) => {
    const folder = await mkdtemp(join(tmpdir(), "rhtmx-profile-"));
    folders.push(folder);
    await mkdir(join(folder, "Default"));
    await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
    return go(await chromium.launchPersistentContext(folder, options), path);
  };
  try {
    if ([tabs, cached, refused, transactions].some((each) => scenario in each)) {
      // Pages of the server may connect to nothing else, by their policy.
      contexts.push(await browser.newContext({ bypassCSP: scenario.includes("OfAnotherOrigin") }));
      return await scenarios[scenario]({ context: contexts[0], url, ask });
    }
    if (scenario in facts) {
      contexts.push(await browser.newContext());
      const tab = new Tab(await contexts[0].newPage(), url);
      await facts[scenario]({ tab, ask });
      return assert.deepEqual(tab.problems, []);
    }
    await scenarios[scenario]({ open, openTab, visit, profile, ask, pictures, url });
    assert.deepEqual(
      windows.flatMap((window) => window.problems),
      [],
    );
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
