/**
 * The page of the guide for FastAPI, in two browsers of a real Chromium.
 *
 *     node fastapi_guide.mjs /usr/bin/chromium
 *
 * Speaks the line protocol of `tests/browser/driver.mjs`. Does what the guide says that one sees.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../clients/typescript/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => console.log(JSON.stringify(message));

const problems = [];

async function open(browser, url) {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(url);
  return page;
}

async function add(page, title) {
  await page.getByRole("textbox").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
}

const shows = (page, text) => page.locator(`pre:text-is("${text}")`).waitFor();

async function walk(browser, url) {
  const [here, there] = [await open(browser, url), await open(browser, url)];
  await add(here, "Write it down");
  await shows(there, "Write it down");
  await add(there, "");
  await there.getByText("is required").waitFor();
  await add(there, "x".repeat(41));
  await there.getByText("40").waitFor();
  await shows(there, "Write it down");
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
