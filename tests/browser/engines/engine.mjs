/**
 * One interface to three engines, so that a fact is written once and tried in each.
 *
 * An engine has `tab()`, which opens an empty tab, `version`, `reset()`, which closes
 * every tab, and `close()`. All tabs of one engine share a profile. What the pages of
 * a scenario store is apart from that of the others, as each has an origin of its own.
 *
 * What a page says of errors is collected where it is served (`watch.js`), since not
 * every engine tells its driver.
 */

/** Milliseconds within which everything has to happen that need not happen at once. */
export const PATIENCE = 60_000;
/** Milliseconds between two looks at a page. */
const OFTEN = 25;

/**
 * A tab. An engine adds `url`, `run` (evaluates an expression), `goto`, `reload`, `click`, `keys`,
 * `press` and `close`.
 *
 * Nothing in a page may take long: one of the engines lets a tab do something only when
 * no other tab does. So what is begun in `evaluate` is waited for with `waitFor`.
 */
export class Tab {
  /** Calls a function in the page, and returns what it returns, or what its promise resolves to. */
  async evaluate(act, ...given) {
    const { value, failed } = await this.run(`(${inPage})(${act}, ${JSON.stringify(given)})`);
    if (failed) throw new Error(`in the page: ${failed}`);
    return value;
  }

  /** Waits until a function in the page returns something true, and returns that. */
  async waitFor(condition, ...given) {
    const end = performance.now() + PATIENCE;
    let failed;
    while (performance.now() < end) {
      // The page may be about to become another one.
      const value = await this.evaluate(condition, ...given).catch(
        (error) => void (failed = error),
      );
      if (value) return value;
      await new Promise((resolve) => setTimeout(resolve, OFTEN));
    }
    const shown = await this.evaluate(() => document.body.innerText).catch(String);
    throw new Error(`waited in vain for ${condition}${failed ?? ""}; the page says:\n${shown}`);
  }

  /** Goes back, and waits until the page before is shown. */
  async back() {
    // The drivers' own commands wait for a page that loads: one from the cache of pages does not.
    const before = await this.url();
    await this.evaluate(() => void setTimeout(() => history.back()));
    await until(async () => (await this.url().catch(() => before)) !== before, "the page before");
    await this.waitFor(() => document.readyState === "complete");
  }

  /** Types a text in place of the one that is there. */
  async fill(selector, text) {
    await this.evaluate((selector) => {
      const control = document.querySelector(selector);
      control.focus();
      control.select();
    }, selector);
    if (text) await this.keys(selector, text);
    else await this.press("Backspace");
  }

  /** Waits until an element is there. */
  shows(selector) {
    return this.waitFor((selector) => !!document.querySelector(selector), selector);
  }

  /** Waits until a text stands on the page. */
  says(text) {
    return this.waitFor((text) => document.body.innerText.includes(text), text);
  }
}

/** Waits until a condition outside of the pages holds. */
export async function until(condition, what, patience = PATIENCE) {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited for ${what} in vain`);
    await new Promise((resolve) => setTimeout(resolve, OFTEN));
  }
}

/** Runs in the page. It never throws: the drivers differ in what they tell of that. */
async function inPage(act, given) {
  try {
    return { value: await act(...given) };
  } catch (error) {
    return { failed: `${error}\n${error?.stack ?? ""}` };
  }
}
