/**
 * A tab of a browser, as the facts about forms use it: what any driver of any browser can do.
 *
 * Conditions are functions that run in the page: the facts say there what they look at.
 */

export const PATIENCE = 60_000;

/** What a failed request says by itself: these are answers that a fact asked for. */
const ASKED_FOR = /Failed to load resource|Response Status Error Code/;

export class Tab {
  #page;
  #url;
  /** What no page may do: an uncaught error, one on the console. */
  problems = [];

  constructor(page, url) {
    this.#page = page;
    this.#url = url;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => this.problems.push(`uncaught: ${error.stack}`));
    page.on("console", (message) => {
      const isBad = ["error", "warning"].includes(message.type());
      if (isBad && !ASKED_FOR.test(message.text())) this.problems.push(message.text());
    });
  }

  goto(path) {
    return this.#page.goto(this.#url + path);
  }

  reload() {
    return this.#page.reload();
  }

  back() {
    // A page out of the cache of pages does not load once more.
    return this.#page.goBack({ waitUntil: "commit" });
  }

  /** Does not wait for a page that this loads. */
  click(selector) {
    return this.#page.click(selector, { noWaitAfter: true });
  }

  /** Types at the end of what stands in a control. */
  async type(selector, text) {
    await this.evaluate((each) => {
      const control = document.querySelector(each);
      control.focus();
      // Only texts have a caret that can be set.
      if (control.selectionStart !== null) control.setSelectionRange?.(1e9, 1e9);
    }, selector);
    await this.#page.keyboard.type(text);
  }

  press(key) {
    return this.#page.keyboard.press(key);
  }

  /** Chooses a file. */
  upload(selector, path) {
    return this.#page.setInputFiles(selector, path);
  }

  /** Runs a function in the page. */
  evaluate(act, ...more) {
    return this.#page.evaluate(
      ([source, all]) => (0, eval)(`(${source})`)(...all),
      [`${act}`, more],
    );
  }

  /** Waits until a function returns something true in the page. */
  async until(condition, ...more) {
    const given = [`${condition}`, more];
    const test = ([source, all]) => (0, eval)(`(${source})`)(...all);
    await this.#page.waitForFunction(test, given).catch(async (error) => {
      const body = await this.#page.evaluate(() => document.documentElement.outerHTML);
      throw new Error(`${condition}(${more}) never came true: ${error.message}\n${body}`);
    });
  }
}
