/**
 * Chromium over its own protocol, and Firefox over WebDriver BiDi: no geckodriver.
 *
 * Knows puppeteer-core (24.43). What is odd about an engine stands where it is met.
 */
import { createRequire } from "node:module";

import { ending } from "./ending.mjs";
import { PATIENCE, Tab } from "./engine.mjs";

const require = createRequire(new URL("../../../clients/typescript/package.json", import.meta.url));
const { launch } = require("puppeteer-core");

/** @param program the path of Chromium. */
export async function chromium(program) {
  return new Puppet(
    await launch({
      ...(await common(program)),
      browser: "chrome",
      args: ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
    }),
  );
}

/** @param program the path of Firefox. */
export async function firefox(program) {
  return new Puppet(
    await launch({
      ...(await common(program)),
      browser: "firefox",
      protocol: "webDriverBiDi",
    }),
  );
}

async function common(program) {
  return {
    // Puppeteer puts a browser into a process group of its own.
    executablePath: await ending(program),
    headless: true,
    protocolTimeout: PATIENCE,
    timeout: PATIENCE,
  };
}

class Puppet {
  #browser;
  #profile;

  constructor(browser) {
    this.#browser = browser;
  }

  async tab() {
    this.#profile ??= await this.#browser.createBrowserContext();
    const page = await this.#profile.newPage();
    page.setDefaultTimeout(PATIENCE);
    return new PuppetTab(page);
  }

  version() {
    return this.#browser.version();
  }

  async reset() {
    await this.#profile?.close();
    this.#profile = undefined;
  }

  close() {
    return this.#browser.close();
  }
}

class PuppetTab extends Tab {
  #page;

  constructor(page) {
    super();
    this.#page = page;
  }

  url() {
    return this.evaluate(() => location.href);
  }

  run(expression) {
    return this.#page.evaluate(expression);
  }

  async goto(url) {
    await this.#page.goto(url);
  }

  async reload() {
    await this.#page.reload();
  }

  click(selector) {
    return this.#page.click(selector);
  }

  keys(selector, text) {
    return this.#page.type(selector, text);
  }

  press(key) {
    return this.#page.keyboard.press(key);
  }

  close() {
    return this.#page.close();
  }
}
