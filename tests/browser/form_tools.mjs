/** What the facts about forms have in common. */
import assert from "node:assert/strict";

/** Opens a page with this in its body, and waits until its forms are bound. */
export async function open({ tab, ask }, body, { path = "/form", ...more } = {}) {
  await ask("show", path, { body, ...more });
  await tab.goto(path);
  await isBound(tab);
}

/** Waits until all forms that are to be checked are. */
export const isBound = (tab) =>
  tab.until(() => {
    const count = (selector) => document.querySelectorAll(selector).length;
    const all = "form[data-rhtmx-form]";
    return count(all) > 0 && count(`${all}:not([data-rhtmx-state])`) === 0;
  });

/** Waits until the form was found invalid. */
export const isRefused = (tab) =>
  tab.until(() => document.querySelector("form[data-rhtmx-state=invalid]"));

/** Waits until a control is shown as wrong. */
export const isWrong = (tab, selector) =>
  tab.until((each) => document.querySelector(each).ariaInvalid === "true", selector);

/** Waits until the page that answers a post is there. */
export const isDone = (tab) => tab.until(() => document.body?.textContent.includes("Done."));

/** The words that describe a control, as assistive technology finds them. */
export const wordsAt = (tab, selector) =>
  tab.evaluate((each) => {
    const ids = document.querySelector(each).getAttribute("aria-describedby") ?? "";
    return ids
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join("");
  }, selector);

export const textOf = (tab, selector = "body") =>
  tab.evaluate((each) => document.querySelector(each).textContent, selector);

export const valueIn = (tab, selector) =>
  tab.evaluate((each) => document.querySelector(each).value, selector);

/** What was posted to a form that was sent once, as pairs, but for its receipt. */
export async function sentOnce({ ask }, path) {
  const posted = await ask("posted", 1);
  assert.equal(posted.length, 1, `posted: ${JSON.stringify(posted)}`);
  if (path) assert.equal(posted[0][0], path);
  const pairs = [...new URLSearchParams(posted[0][1])];
  return pairs.filter(([name]) => name !== "_rhtmx_receipt").map((each) => each.join("="));
}

export async function nothingWasSent({ ask }) {
  assert.deepEqual(await ask("posted", 0), []);
}

/** Waits until another attempt is no second half of a double click any more. */
export const aMomentLater = (tab) =>
  tab
    .evaluate(() => (window.since = performance.now()))
    .then(() => tab.until(() => performance.now() - window.since > 600));
