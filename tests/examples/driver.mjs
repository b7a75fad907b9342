/**
 * Walks through the examples, in one Chromium.
 *
 *     node driver.mjs /usr/bin/chromium
 *
 * Speaks the line protocol of `tests/browser/driver.mjs`: a scenario is a walk of `walks.mjs`.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import * as walks from "./walks.mjs";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const scenarios = { ...walks };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
});

const say = (message) => console.log(JSON.stringify(message));

async function ask(what, ...more) {
  say({ ask: what, with: more });
  return JSON.parse((await lines.next()).value);
}

/** What stands on a content network is taken from here: the tests need no network. */
async function withoutNetwork(context) {
  await context.route("https://cdn.jsdelivr.net/npm/htmx.org@4.0.1/**", (route) => {
    const path = new URL(route.request().url()).pathname.replace("/npm/htmx.org@4.0.1", "htmx4");
    return route.fulfill({
      path: require.resolve(path),
      headers: { "access-control-allow-origin": "*", "content-type": "text/javascript" },
    });
  });
}

/** What a page shows, to tell what went wrong. */
const shownBy = async (page) =>
  `${page.url()} shows:\n${await page.locator("body").ariaSnapshot()}`;

/** Runs one walk. Each window is a browser profile of its own: somebody else's machine. */
async function run({ scenario, url, pictures }) {
  const contexts = [];
  const problems = [];
  const open = async (options) => {
    const context = await browser.newContext(options);
    contexts.push(context);
    await withoutNetwork(context);
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(url);
    return page;
  };
  try {
    await scenarios[scenario]({ open, ask, url, pictures });
    if (problems.length > 0) throw new Error(problems.join("\n"));
  } catch (error) {
    const shown = await Promise.all(contexts.flatMap((each) => each.pages()).map(shownBy));
    throw new Error([error.stack, ...problems, ...shown].join("\n\n"));
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
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
