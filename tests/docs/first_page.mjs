/**
 * The README's first page, in two browsers of a real Chromium.
 *
 *     node first_page.mjs /usr/bin/chromium
 *
 * Speaks the line protocol of `tests/browser/driver.mjs`. Does what the README asks its reader to do.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => console.log(JSON.stringify(message));

async function ask(what) {
  say({ ask: what, with: [] });
  await lines.next();
}

const problems = [];

async function open(browser, url) {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(url);
  return page;
}

async function add(page, title) {
  await page.getByLabel("Task").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
}

const shows = (page, text) => page.locator(`li:text-is("${text}")`).waitFor();

async function walk(browser, url) {
  const [here, there] = [await open(browser, url), await open(browser, url)];
  await add(here, "Write it down");
  await shows(there, "[ ] Write it down");
  await there.locator("li").click();
  await shows(here, "[x] Write it down");

  await add(here, "");
  await here.getByText("is required").waitFor();
  await add(here, "x".repeat(41));
  await here.getByText("40").waitFor();

  await ask("stop");
  await here.locator("li").click();
  await shows(here, "[ ] Write it down (waits)");
  await add(here, "Read it");
  await ask("start");
  for (const page of [here, there]) {
    await shows(page, "[ ] Write it down");
    await shows(page, "[ ] Read it");
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] });
const { url } = JSON.parse((await lines.next()).value);
try {
  await walk(browser, url);
  say({ passed: true });
} catch (error) {
  say({ failed: error.stack });
}
await browser.close();
