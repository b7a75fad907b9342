/** Who is at a record, as pages of several browsers and tabs show it. */
import assert from "node:assert/strict";

/** Waits until a page shows these members. */
const shows = (page, ...names) =>
  page.waitForFunction((wanted) => {
    const items = [...document.querySelectorAll("li")].map(({ textContent }) => textContent);
    return items.join("; ") === wanted;
  }, names.join("; "));

/** Has a page be there under another name. */
const renames = (page, name) =>
  page.evaluate((name) => {
    document.querySelector("ul").dataset.rhtmxMember = JSON.stringify({ name });
  }, name);

/** Everything that a page has shown since somebody came. */
const seen = async (page) => {
  const all = await page.evaluate(() => window.seen);
  return all.slice(all.findIndex(Boolean));
};

export async function twoBrowsersSeeEachOtherComeAndGo({ visit }) {
  const ada = await visit("/desk?ada");
  const bob = await visit("/desk?bob");
  const watcher = await visit("/desk");
  for (const page of [ada, bob, watcher]) await shows(page, "ada", "bob");
  await renames(bob, "bob, typing");
  for (const page of [ada, bob, watcher]) await shows(page, "ada", "bob, typing");
  await bob.close();
  for (const page of [ada, watcher]) await shows(page, "ada");
}

export async function tabsOfABrowserAreOneMemberThatStaysWhicheverOfThemIsClosed({ visit }) {
  const watcher = await visit("/desk");
  const first = await visit("/desk?ada");
  await shows(watcher, "ada");
  const second = await first.context().newPage();
  await second.goto(first.url());
  await shows(second, "ada");
  await first.close({ runBeforeUnload: false });
  await renames(second, "ada, alone");
  await shows(watcher, "ada, alone");
  assert.deepEqual(await seen(watcher), ["ada", "ada, alone"]);
}

export async function aPageThatIsLoadedAgainWasNeverGone({ visit }) {
  const watcher = await visit("/desk");
  const ada = await visit("/desk?ada");
  await shows(watcher, "ada");
  await ada.reload();
  await shows(ada, "ada");
  await renames(ada, "ada, again");
  await shows(watcher, "ada, again");
  assert.deepEqual(await seen(watcher), ["ada", "ada, again"]);
}
