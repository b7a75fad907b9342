/** What two windows see of the shared board. */
import assert from "node:assert/strict";

export async function changesShowInTheOtherWindow({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Write it down");
  assert.equal(await other.find("Write it down"), id);
  await other.move(id, "doing");
  await one.shows(id, "column", "doing");
  await one.page.locator("[data-column=doing] .card").waitFor();
  await one.write(id, "title", "Write it up");
  await other.shows(id, "title", "Write it up");
  await one.write(id, "notes", "first\nsecond");
  await other.shows(id, "notes", "first\nsecond");
  await other.remove(id);
  await one.card(id).waitFor({ state: "detached" });
  await one.page.getByText("Nothing to do yet.").waitFor();
}

export async function editsOfDifferentFieldsBothStay({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
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
    assert.equal(await window.told(), 0);
  }
}

export async function aConflictIsToldInWordsAndCanBeTakenBack({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Apples");
  await other.find("Apples");
  await one.field(id, "title").fill("Pears");
  await other.write(id, "title", "Plums");
  await one.page.getByText("Another window saved “Plums” meanwhile.").waitFor();
  assert.equal(await one.field(id, "title").inputValue(), "Pears");
  await one.field(id, "title").press("Enter");
  await one.conflict(id, "title").getByText("yours replaced").waitFor();
  await other.shows(id, "title", "Pears");
  await one.conflict(id, "title").getByRole("button", { name: "Use theirs" }).click();
  for (const window of [one, other]) await window.shows(id, "title", "Plums");
  await one.saved();
  assert.equal(await one.told(), 0);
}

export async function ownEditsInARowAreNoConflict({ open }) {
  const window = await open();
  const id = await window.add("One");
  await window.write(id, "assignee", "Ada");
  for (const title of ["Two", "Three", "Four"]) await window.write(id, "title", title);
  await window.saved();
  await window.shows(id, "title", "Four");
  await window.shows(id, "assignee", "Ada");
  assert.equal(await window.told(), 0);
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
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Gone soon");
  await other.find("Gone soon");
  await one.field(id, "notes").fill("A long thought");
  await other.remove(id);
  await one.page.getByText("while you were writing “A long thought”").waitFor();
  assert.deepEqual(await one.tasks(), []);
  await one.page.getByRole("button", { name: "Bring it back" }).click();
  for (const window of [one, other]) await window.shows(id, "notes", "A long thought");
}

export async function aTextThatIsBeingWrittenSurvivesAReload({ open }) {
  const window = await open();
  const id = await window.add("A title");
  await window.saved();
  await window.page.getByLabel("New task").fill("Half a ta");
  await window.field(id, "notes").pressSequentially("Half a tho");
  await window.reload();
  await window.page.getByText("What you were writing is still here (Notes)").waitFor();
  assert.equal(await window.field(id, "notes").inputValue(), "Half a tho");
  assert.equal(await window.page.getByLabel("New task").inputValue(), "Half a ta");
  await window.field(id, "notes").press("Control+Enter");
  await window.saved();
  await window.reload();
  await window.shows(id, "notes", "Half a tho");
  assert.equal(await window.page.getByText("is still here").count(), 0);
}

export async function aTextFromBeforeAReloadSurvivesTheRemovalOfItsTask({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Gone soon");
  await other.find("Gone soon");
  await one.saved();
  await one.goOffline();
  await one.field(id, "notes").pressSequentially("A long thought");
  await other.remove(id);
  await one.reload();
  assert.equal(await one.field(id, "notes").inputValue(), "A long thought");
  await one.goOnline();
  await one.page.getByText("while you were writing “A long thought”").waitFor();
}

export async function aCardThatMovesWhileOneWritesInItKeepsTextAndFocus({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Moving");
  await other.find("Moving");
  await one.field(id, "notes").pressSequentially("While I wri");
  await other.move(id, "done");
  await one.page.locator("[data-column=done] .card").waitFor();
  await one.page.keyboard.type("te");
  assert.equal(await one.field(id, "notes").inputValue(), "While I write");
  await one.waiting(0);
  await other.shows(id, "notes", "");
}

export async function aDeletedTaskCanBeBroughtBack({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Not this one");
  await one.write(id, "notes", "with its notes");
  await one.move(id, "doing");
  await other.shows(id, "column", "doing");
  await one.remove(id);
  await other.card(id).waitFor({ state: "detached" });
  await one.page.getByRole("button", { name: "Undo" }).click();
  for (const window of [one, other]) {
    await window.shows(id, "notes", "with its notes");
    await window.shows(id, "column", "doing");
  }
}

export async function aCardSaysWhoWroteWhatAndTakesTheLastChangeBack({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Apples");
  await other.find("Apples");
  const past = one.card(id).locator("details.past");
  await past.getByText("Who wrote what").click();
  await past.getByText("Title you").waitFor();
  assert.equal(await past.getByRole("button", { name: "Undo" }).isVisible(), false);
  await other.write(id, "title", "Pears");
  await past.getByText(/Title another window \(/).waitFor();
  await past.getByText("Notes you").waitFor();
  assert.notEqual(await past.locator("time").first().innerText(), "");
  await past.getByRole("button", { name: "Undo the last change" }).click();
  for (const window of [one, other]) await window.shows(id, "title", "Apples");
  await past.getByText("Title you").waitFor();
}

export async function aTaskMovesWithTheKeyboardAndKeepsTheFocus({ open }) {
  const window = await open();
  const id = await window.add("Move me");
  await window.field(id, "column").focus();
  await window.page.keyboard.press("ArrowDown");
  await window.page.locator("[data-column=doing] .card").waitFor();
  await window.page.keyboard.press("ArrowDown");
  await window.page.locator("[data-column=done] .card").waitFor();
  await window.saved();
}

/** Drags a card by its handle to a place in a column: 0 is its upper end, 1 its lower one. */
async function drag(window, id, column, part) {
  const target = window.page.locator(`.column:has([data-column=${column}])`);
  const { width, height } = await target.boundingBox();
  const targetPosition = { x: width / 2, y: 4 + part * (height - 8) };
  await window.card(id).locator(".handle").dragTo(target, { targetPosition });
  await window.shows(id, "column", column);
}

export async function aCardCanBeDraggedAnywhereIntoAnotherColumn({ open }) {
  const window = await open();
  for (const title of ["One", "Two", "Three"]) await window.add(title);
  const id = await window.add("Drag me");
  await drag(window, id, "doing", 1);
  await drag(window, id, "done", 0);
  await drag(window, id, "todo", 0.5);
  await window.saved();
}

export async function aCardCanBeDraggedOfflineAndWhileAConflictIsOpen({ open, ask }) {
  const window = await open();
  const id = await window.add("Drag me");
  await window.saved();
  await window.goOffline();
  await drag(window, id, "doing", 0.5);
  await ask("patch", "tasks", id, { title: "Theirs" });
  await window.write(id, "title", "Mine");
  await window.goOnline();
  await window.conflict(id, "title").waitFor();
  await drag(window, id, "done", 0.5);
  await window.saved();
}

export async function whereNothingIsDraggedThereIsNoHandle({ open }) {
  const touched = await open({
    hasTouch: true,
    isMobile: true,
    viewport: { width: 320, height: 640 },
  });
  const id = await touched.add("Move me");
  assert.equal(await touched.card(id).locator(".handle").isVisible(), false);
  await touched.move(id, "doing");
  const other = await open();
  await other.shows(id, "column", "doing");
  assert.equal(await other.card(id).locator(".handle").isVisible(), true);
}

export async function aReloadShowsTheSameBoard({ open }) {
  const window = await open();
  for (const title of ["First", "Second", "Third"]) await window.add(title);
  const second = await window.find("Second");
  await window.write(second, "assignee", "Grace");
  await window.move(second, "done");
  await window.remove(await window.find("First"));
  await window.saved();
  const before = await window.tasks();
  assert.deepEqual(before, [
    ["Third", "", "", "todo"],
    ["Second", "Grace", "", "done"],
  ]);
  await window.reload();
  await window.isLive();
  assert.deepEqual(await window.tasks(), before);
}

export async function whatTheRulesRefuseIsNotSavedAndStaysAsItWasWritten({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Apples");
  await other.find("Apples");
  const wrong = one.card(id).locator(".wrong");
  await one.write(id, "assignee", "x".repeat(101));
  await wrong.getByText("Assigned to must have at most 100 characters.").waitFor();
  assert.equal(await one.field(id, "assignee").getAttribute("aria-invalid"), "true");
  await one.write(id, "assignee", "Ada");
  await wrong.waitFor({ state: "hidden" });
  await other.shows(id, "assignee", "Ada");
  await one.write(id, "notes", "Apples");
  await wrong.getByText("The task has notes that only repeat its title.").waitFor();
  assert.equal(await one.field(id, "notes").inputValue(), "Apples");
  await one.field(id, "notes").press("Escape");
  await wrong.waitFor({ state: "hidden" });
  await one.waiting(0);
  await one.page.getByLabel("New task").fill("x".repeat(201));
  await one.page.keyboard.press("Enter");
  const words = await one.page.getByLabel("New task").evaluate((each) => each.validationMessage);
  assert.equal(words, "Title must have at most 200 characters.");
  assert.equal((await other.tasks()).length, 1);
}

export async function aRecordFromBeforeTheSchemaIsNamedAndTakesNoOtherWithIt({ open }) {
  const window = await open();
  await window.find("Tea");
  const misfits = window.page.locator("#unreadable .entry");
  await misfits.first().waitFor();
  assert.match(
    (await misfits.allInnerTexts()).join("; "),
    /tasks\/odd\s.*; tasks\/odder\s.*title/s,
  );
  assert.equal((await window.tasks()).length, 1);
}
