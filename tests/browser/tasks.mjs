/** What two windows see of the shared list. */
import assert from "node:assert/strict";

export async function changesShowInTheOtherWindow({ open }) {
  const [one, other] = [await open(), await open()];
  const id = await one.add("Write it down");
  assert.equal(await other.find("Write it down"), id);
  await other.field(id, "done").check();
  await one.shows(id, "done", true);
  await one.write(id, "title", "Write it up");
  await other.shows(id, "title", "Write it up");
  await other.page.getByRole("button", { name: "Remove: Write it up" }).click();
  await one.page.locator(`[data-id="${id}"]`).waitFor({ state: "detached" });
  await one.page.getByText("Nothing to do yet.").waitFor();
}

export async function editsOfDifferentFieldsBothStay({ open }) {
  const [one, other] = [await open(), await open()];
  const id = await one.add("Book a room");
  await other.find("Book a room");
  await one.field(id, "title").fill("Book a large room");
  await other.write(id, "assignee", "Ada");
  await one.shows(id, "assignee", "Ada");
  assert.equal(await one.field(id, "title").inputValue(), "Book a large room");
  await one.field(id, "title").press("Enter");
  for (const window of [one, other]) {
    await window.shows(id, "title", "Book a large room");
    await window.shows(id, "assignee", "Ada");
    assert.equal(await window.page.locator(".notice").count(), 0);
  }
}

export async function aConflictIsToldInWordsAndCanBeTakenBack({ open }) {
  const [one, other] = [await open(), await open()];
  const id = await one.add("Apples");
  await other.find("Apples");
  await one.field(id, "title").fill("Pears");
  await other.write(id, "title", "Plums");
  await one.page.getByText("Another window saved “Plums” meanwhile.").waitFor();
  assert.equal(await one.field(id, "title").inputValue(), "Pears");
  await one.field(id, "title").press("Enter");
  await one.page.getByText("your “Pears” replaced “Plums”").waitFor();
  await other.shows(id, "title", "Pears");
  await one.page.getByRole("button", { name: "Use theirs" }).click();
  for (const window of [one, other]) await window.shows(id, "title", "Plums");
  await one.saved();
  assert.equal(await one.page.locator(".notice").count(), 0);
}

export async function ownEditsInARowAreNoConflict({ open }) {
  const window = await open();
  const id = await window.add("One");
  await window.write(id, "assignee", "Ada");
  for (const title of ["Two", "Three", "Four"]) await window.write(id, "title", title);
  await window.saved();
  await window.shows(id, "title", "Four");
  await window.shows(id, "assignee", "Ada");
  assert.equal(await window.page.locator(".notice").count(), 0);
}

export async function escapeTakesAnEditBack({ open }) {
  const window = await open();
  const id = await window.add("Stay");
  await window.saved();
  await window.field(id, "title").fill("Go");
  await window.field(id, "title").press("Escape");
  await window.shows(id, "title", "Stay");
}

export async function aTextThatIsBeingWrittenSurvivesTheRemovalOfItsTask({ open }) {
  const [one, other] = [await open(), await open()];
  const id = await one.add("Gone soon");
  await other.find("Gone soon");
  await one.field(id, "title").fill("A long thought");
  await other.page.getByRole("button", { name: "Remove: Gone soon" }).click();
  await one.page.getByText("while you were writing “A long thought”").waitFor();
  assert.deepEqual(await one.tasks(), []);
}

export async function aReloadShowsTheSameList({ open }) {
  const window = await open();
  for (const title of ["First", "Second", "Third"]) await window.add(title);
  const second = await window.find("Second");
  await window.write(second, "assignee", "Grace");
  await window.field(second, "done").check();
  const removed = await window.find("First");
  await window.page.getByRole("button", { name: "Remove: First" }).click();
  await window.page.locator(`[data-id="${removed}"]`).waitFor({ state: "detached" });
  await window.saved();
  const before = await window.tasks();
  assert.deepEqual(before.map((task) => task.slice(1)), [
    ["Second", "Grace", true],
    ["Third", "", false],
  ]);
  await window.page.reload();
  await window.isLive();
  assert.deepEqual(await window.tasks(), before);
}

export async function afterARestartEverythingGoesOn({ open, ask }) {
  const [one, other] = [await open(), await open()];
  const id = await one.add("Before");
  await other.find("Before");
  await ask("kill");
  for (const window of [one, other]) {
    assert.match(await window.connection("reconnecting"), /Reconnecting…/);
  }
  await one.write(id, "title", "While it was away");
  await one.page.getByText("1 change waits to be saved").waitFor();
  await ask("start");
  for (const window of [one, other]) {
    assert.match(await window.connection("live"), /Live/);
    await window.shows(id, "title", "While it was away");
  }
  await one.saved();
  await other.write(id, "assignee", "Ada");
  await one.shows(id, "assignee", "Ada");
}

export async function hostileTextsAreTexts({ open }) {
  const hostile = "<img src=x onerror=alert(1)>";
  const [one, other] = [await open(), await open()];
  const id = await one.add(hostile);
  assert.equal(await other.find(hostile), id);
  await other.write(id, "assignee", "<script>alert(2)</script>");
  await one.shows(id, "assignee", "<script>alert(2)</script>");
  await one.field(id, "title").fill("mine");
  await other.write(id, "title", `${hostile}!`);
  await one.page.getByText(`Another window saved “${hostile}!” meanwhile.`).waitFor();
  await one.field(id, "title").press("Enter");
  await one.page.locator(".notice", { hasText: hostile }).waitFor();
  for (const { page } of [one, other]) {
    assert.equal(await page.locator("main img, main script").count(), 0);
  }
}
