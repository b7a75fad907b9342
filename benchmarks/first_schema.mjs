/**
 * The first minute of docs/schema.md, in two browsers of a real Chromium.
 *
 *     node first_schema.mjs /usr/bin/chromium
 *
 * Speaks the line protocol of `tests/browser/driver.mjs`. Says what each step took.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../clients/typescript/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => console.log(JSON.stringify(message));

const problems = [];

async function step(name, done) {
  const begun = performance.now();
  const made = await done();
  say({ ask: "took", with: [name, (performance.now() - begun) / 1000] });
  await lines.next();
  return made;
}

// Each is a browser of its own: it shares nothing with the other.
async function open(browser, url) {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(url);
  await page.getByLabel("Task").waitFor();
  return page;
}

async function add(page, title) {
  await page.getByLabel("Task").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
}

const shows = (page, text) => page.locator(`li:text-is("${text}")`).waitFor();

async function walk(browser, url, pictures) {
  const [here, there] = await step("The page is open in two browsers", () =>
    Promise.all([open(browser, url), open(browser, url)]),
  );
  await step("A task that is added in one shows in the other", async () => {
    await add(here, "Write it down");
    await shows(there, "Write it down (0)");
    await there.locator("li").click();
    await shows(here, "Write it down (1)");
  });
  await step("A wrong one is refused, in the words of the rule", async () => {
    await add(here, "x".repeat(41));
    await here.getByText("must have at most 40 characters").waitFor();
  });
  if (pictures !== "None") {
    await here.screenshot({ path: `${pictures}/first.png` });
    await there.screenshot({ path: `${pictures}/second.png` });
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

const { url, pictures } = JSON.parse((await lines.next()).value);
const browser = await step("A browser is started", () =>
  chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] }),
);
try {
  await walk(browser, url, pictures);
  say({ passed: true });
} catch (error) {
  say({ failed: error.stack });
}
await browser.close();
