/** Bound forms, as their users meet them. */
import assert from "node:assert/strict";

const GOOD = "ada@example.com";

/** Waits until the server has said something about a field. */
const judged = (tab, name, invalid) => tab.shows(`[name=${name}][aria-invalid=${invalid}]`);

/** The error that stands at a field. */
const errorOf = (tab, name) =>
  tab.evaluate((name) => document.querySelector(`[data-rhtmx-error=${name}]`)?.textContent, name);

export async function typingShowsAnErrorAndTakesItAway({ open }) {
  const tab = await open("/form");
  await tab.shows("form[data-rhtmx-state]");
  await tab.keys("[name=email]", "ada@");
  await judged(tab, "email", true);
  assert.equal(await errorOf(tab, "email"), "is not an email address");
  await tab.keys("[name=email]", "example.com");
  await judged(tab, "email", false);
  assert.equal(await errorOf(tab, "email"), "");
}

export async function aSubmissionWaitsForTheConnectionAndIsSentOnce({ open, ask }) {
  const tab = await open("/form");
  await tab.shows("form[data-rhtmx-state]");
  await tab.fill("[name=email]", GOOD);
  await tab.fill("[name=amount]", "2");
  await judged(tab, "email", false);
  await ask("cut");
  await tab.click("button");
  await tab.shows("form[data-rhtmx-state=waiting]");
  assert.deepEqual(await ask("posted"), []);
  await ask("mend");
  await tab.evaluate(() => void dispatchEvent(new Event("online")));
  await tab.says("Sent.");
  const posted = await ask("posted");
  assert.deepEqual(
    posted.map((body) => Object.fromEntries(new URLSearchParams(body))),
    [{ email: GOOD, amount: "2", how: "now" }],
  );
}

export async function aFormThatIsNotValidIsNotSent({ open, ask }) {
  const tab = await open("/form");
  await tab.shows("form[data-rhtmx-state]");
  await tab.fill("[name=amount]", "2");
  await tab.click("button");
  await judged(tab, "email", true);
  await tab.waitFor(() => document.activeElement.name === "email");
  assert.deepEqual(await ask("posted"), []);
  await tab.keys("[name=email]", GOOD);
  await tab.press("Enter");
  await tab.says("Sent.");
  assert.equal((await ask("posted")).length, 1);
}

/** Types what is no number everywhere; some engines keep the text and say that it is none. */
async function badNumber({ open, ask }, text) {
  const tab = await open("/form");
  await tab.shows("form[data-rhtmx-state]");
  await tab.fill("[name=email]", GOOD);
  await tab.keys("[name=amount]", text);
  await tab.press("Tab");
  await tab.shows("[name=amount][aria-invalid]");
  const [value, bad] = await tab.evaluate(() => {
    const { value, validity } = document.querySelector("[name=amount]");
    return [value, validity.badInput];
  });
  await tab.click("button");
  if (!bad) {
    await tab.says("Sent.");
    const [body] = await ask("posted");
    return assert.equal(new URLSearchParams(body).get("amount"), value);
  }
  await judged(tab, "amount", true);
  const error = await errorOf(tab, "amount");
  assert.ok(error && !/required/.test(error), `text stands in the field, and it is said: ${error}`);
  assert.deepEqual(await ask("posted"), []);
  await tab.fill("[name=amount]", "2");
  await judged(tab, "amount", false);
  await tab.click("button");
  await tab.says("Sent.");
}

export const aNumberWithACommaIsNotSaidToBeMissing = (world) => badNumber(world, "1,5");
export const aNumberWithACommaAtItsEndIsNotSaidToBeMissing = (world) => badNumber(world, "21,");

export async function aDraftSurvivesAReload({ open }) {
  const tab = await open("/form");
  await tab.shows("form[data-rhtmx-state]");
  await tab.keys("[name=email]", "ada@");
  await tab.keys("[name=amount]", "2.5");
  await judged(tab, "email", true);
  await tab.reload();
  await tab.waitFor(() => document.querySelector("[name=email]").value === "ada@");
  assert.equal(await tab.evaluate(() => document.querySelector("[name=amount]").value), "2.5");
  await judged(tab, "email", true);
  await tab.fill("[name=email]", GOOD);
  await judged(tab, "email", false);
  await tab.click("button");
  await tab.says("Sent.");
}
