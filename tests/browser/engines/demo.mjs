/** The demo page, and whether an error on any page is noticed at all. */
import assert from "node:assert/strict";

import { until } from "./engine.mjs";

export async function theDemoKeepsATaskOverAReload({ open }) {
  const tab = await open("/");
  await tab.shows("#connection[data-state=live]");
  await tab.keys("#add-title", "Buy milk");
  await tab.press("Enter");
  const titles = () =>
    [...document.querySelectorAll(".card [data-field=title]")].map(({ value }) => value);
  await tab.waitFor(`() => (${titles})().join() === "Buy milk"`);
  await tab.waitFor(() =>
    document.querySelector("#tasks-log").innerText.includes("everything is saved"),
  );
  await tab.reload();
  await tab.waitFor(`() => (${titles})().join() === "Buy milk"`);
  await tab.shows("#connection[data-state=live]");
  assert.deepEqual(await tab.evaluate(titles), ["Buy milk"]);
}

/** Every kind of error that `watch.js` tells of. The test wants to hear of each. */
export async function errorsOnAPageAreNoticed({ open, ask }) {
  const tab = await open("/elsewhere");
  await tab.evaluate(() => {
    console.error("an error");
    console.warn("a warning");
    setTimeout(() => {
      throw new Error("a throw");
    });
    void Promise.reject(new Error("a rejection"));
  });
  await until(async () => (await ask("problems")).length === 4, "four errors to be told");
}
