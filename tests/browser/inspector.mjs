/** The page `/inspector` of an application that knows nothing of it. */
import assert from "node:assert/strict";

import { holds } from "./audit.mjs";

/** Opens it, as somebody. */
async function open(visit, token) {
  const page = await visit("/inspector");
  await page.locator("#connection[data-state=closed]").waitFor();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.locator("#connection[data-state=live]").waitFor();
  await page.locator("#schema[aria-busy=false]").waitFor();
  return page;
}

/** Waits until the table has these ids, from top to bottom. */
async function shows(page, ...ids) {
  await page.waitForFunction((wanted) => {
    const shown = [...document.querySelectorAll("tbody tr")].map(({ dataset }) => dataset.id);
    return shown.join() === wanted;
  }, ids.join());
}

/** What stands in a column of a record. */
async function cell(page, id, label) {
  const labels = await page.locator("thead th").allInnerTexts();
  const cells = page.locator(`tbody tr[data-id="${id}"] > *`);
  return (await cells.allInnerTexts())[labels.indexOf(label)];
}

export async function theInspectorShowsWhatOneMayReadAndNothingElse({ visit, ask }) {
  const page = await open(visit, "red");
  await shows(page, "1", "2");
  await page.getByText("2 records.").waitFor();
  assert.equal(await cell(page, "1", "title"), "Tea");
  assert.equal(await cell(page, "1", "labels"), '["hot","black"]');
  await ask("push", "3", { title: "Milk", team: "red" });
  await ask("push", "4", { title: "Rum", team: "blue" });
  await shows(page, "1", "2", "3");
  await page.getByLabel("Find").fill("MIL");
  await shows(page, "3");
  await page.getByText("3 records, 1 with what you look for.").waitFor();
  await page.getByLabel("Entity").selectOption("reading");
  await page.getByLabel("Find").fill("");
  await shows(page, "oslo");
  assert.equal(await page.locator("body").getByText("Rum").count(), 0);
}

export async function aRecordIsChangedAndWhatTheRulesRefuseIsToldInWords({ visit, ask }) {
  const page = await open(visit, "red");
  const dialog = page.getByRole("dialog", { name: "Task 1" });
  await page.getByRole("button", { name: "Change: 1" }).click();
  // Only the server writes these, or nobody does once the record is there.
  for (const name of ["owner", "team"])
    assert.equal(await dialog.getByLabel(name, { exact: true }).count(), 0);
  await dialog.getByLabel("title", { exact: true }).fill("");
  await dialog.getByLabel("votes", { exact: true }).fill("-1");
  await dialog.getByLabel("labels", { exact: true }).fill("hot, black");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("labels must be JSON.").waitFor();
  await dialog.getByLabel("labels", { exact: true }).fill('["hot"]');
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("title is required.").waitFor();
  await dialog.getByText("votes must be 0 or more.").waitFor();
  const title = dialog.getByLabel("title", { exact: true });
  assert.equal(await title.getAttribute("aria-invalid"), "true");
  await dialog.locator("#edit-title:focus").waitFor();
  await title.fill("Green tea");
  await dialog.getByLabel("votes", { exact: true }).fill("7");
  await dialog.getByLabel("done", { exact: true }).selectOption("true");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "hidden" });
  const { data } = await ask("read", "tasks", "1");
  const { title: now, votes, labels, done, team } = data;
  assert.deepEqual([now, votes, labels, done, team], ["Green tea", 7, ["hot"], true, "red"]);
  await page.getByText("No write was rejected.").waitFor();
  // A record that is written as a whole.
  await page.getByLabel("Entity").selectOption("reading");
  await page.getByRole("button", { name: "Change: oslo" }).click();
  const reading = page.getByRole("dialog", { name: "Reading oslo" });
  await reading.getByLabel("degrees").fill("101");
  await reading.getByRole("button", { name: "Save" }).click();
  await reading.getByText("degrees must be between -100 and 100.").waitFor();
  await reading.getByLabel("degrees").fill("-3.5");
  await reading.getByRole("button", { name: "Save" }).click();
  await reading.waitFor({ state: "hidden" });
  assert.deepEqual((await ask("read", "reading", "oslo")).data, { degrees: -3.5, station: "Oslo" });
}

export async function nothingIsFoundInTheInspector({ visit }) {
  const page = await visit("/inspector");
  await page.locator("#connection[data-state=closed]").waitFor();
  await holds({ page }, "who are you");
  const known = await open(visit, "red");
  await shows(known, "1", "2");
  for (const summary of await known.locator("#schema summary").all()) await summary.click();
  await holds({ page: known }, "records, and all of the schema");
  await known.getByRole("button", { name: "Change: 1" }).click();
  await known.getByLabel("title", { exact: true }).fill("");
  await known.getByRole("button", { name: "Save" }).click();
  await known.getByText("title is required.").waitFor();
  await holds({ page: known }, "a record that is being changed", 20);
}
