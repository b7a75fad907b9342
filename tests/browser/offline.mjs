/** What holds without a connection, and when it comes back. */
import assert from "node:assert/strict";

export async function theSwitchEndsTheConnectionAndBringsItBack({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  await one.goOffline();
  const id = await one.add("Written on the train");
  await one.card(id).getByText("Not saved yet").waitFor();
  await one.page.getByText("1 task, 1 change waits to be saved").waitFor();
  await one.waiting(1);
  await one.page.locator("#queue").getByText("Title “Written on the train”").waitFor();
  assert.deepEqual(await other.tasks(), []);
  await one.goOnline();
  await one.saved();
  await one.waiting(0);
  assert.equal(await other.find("Written on the train"), id);
}

/** Two windows with one task, both offline; then `edits`, then both online again. */
async function apart(open, edits) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Apples");
  await one.write(id, "assignee", "Ada");
  await other.shows(id, "assignee", "Ada");
  await one.saved();
  await Promise.all([one.goOffline(), other.goOffline()]);
  await edits(one, other, id);
  await other.goOnline();
  await other.saved();
  await one.goOnline();
  await one.saved();
  return { one, other, id };
}

export async function offlineEditsOfDifferentFieldsBothStay({ open }) {
  const { one, other, id } = await apart(open, async (one, other, id) => {
    await one.write(id, "title", "Pears");
    await one.write(id, "notes", "Green ones");
    await other.write(id, "assignee", "Grace");
    await other.move(id, "doing");
  });
  for (const window of [one, other]) {
    await window.shows(id, "title", "Pears");
    await window.shows(id, "notes", "Green ones");
    await window.shows(id, "assignee", "Grace");
    await window.shows(id, "column", "doing");
    assert.equal(await window.told(), 0);
  }
}

/** Both wrote the title offline: this window's replaced the other's, and it is told so. */
async function bothWroteTheTitle(open) {
  const { one, other, id } = await apart(open, async (one, other, id) => {
    await other.write(id, "title", "Plums");
    await one.write(id, "title", "Pears");
  });
  const conflict = one.conflict(id, "title");
  await conflict.getByText("yours replaced what another window saved meanwhile").waitFor();
  assert.equal(await conflict.locator(".theirs").innerText(), "“Plums”");
  assert.equal(await conflict.locator(".mine").innerText(), "“Pears”");
  for (const window of [one, other]) await window.shows(id, "title", "Pears");
  const answer = (name) => conflict.getByRole("button", { name, exact: true }).click();
  return { one, other, id, conflict, answer };
}

export async function offlineEditsOfOneFieldCanBeAnsweredWithTheirs({ open }) {
  const { one, other, id, answer } = await bothWroteTheTitle(open);
  await answer("Use theirs");
  for (const window of [one, other]) await window.shows(id, "title", "Plums");
  assert.equal(await one.told(), 0);
  await one.page.locator("#conflicts").getByText("Yours: “Pears”. Theirs: “Plums”.").waitFor();
}

export async function offlineEditsOfOneFieldCanBeAnsweredWithMine({ open }) {
  const { one, other, id, answer } = await bothWroteTheTitle(open);
  await answer("Keep mine");
  assert.equal(await one.told(), 0);
  await one.saved();
  for (const window of [one, other]) await window.shows(id, "title", "Pears");
}

export async function offlineEditsOfOneFieldCanBeMerged({ open }) {
  const { one, other, id, conflict, answer } = await bothWroteTheTitle(open);
  await answer("Merge");
  const both = conflict.getByLabel("One value from both");
  assert.equal(await both.inputValue(), "Plums / Pears");
  await answer("Cancel");
  assert.equal(await both.isVisible(), false);
  await answer("Merge");
  await both.fill("Plums and pears");
  await answer("Save this");
  for (const window of [one, other]) await window.shows(id, "title", "Plums and pears");
  assert.equal(await one.told(), 0);
}

export async function aConflictOutlivesAReloadAndIsGoneEverywhereOnceAnybodyHasAnsweredIt({
  open,
}) {
  const { one, other, id, conflict } = await bothWroteTheTitle(open);
  const theirs = other.conflict(id, "title");
  await theirs.getByText("another window replaced yours").waitFor();
  await one.goOffline();
  await one.reload();
  await conflict.getByText("yours replaced what another window saved meanwhile").waitFor();
  await conflict.getByRole("button", { name: "Use theirs" }).click();
  assert.equal(await one.told(), 0);
  await theirs.getByRole("button", { name: "Keep mine" }).click();
  await other.saved();
  await one.goOnline();
  // Who was first is right, and the other one is told.
  await one.page.getByText("this conflict is not open any more").waitFor();
  for (const window of [one, other]) {
    await window.shows(id, "title", "Plums");
    assert.equal(await window.page.locator(".conflict").count(), 0);
  }
}

export async function theFirstToSayWhoDoesItIsRightAndTheOtherCanInsist({ open }) {
  const { one, other, id } = await apart(open, async (one, other, id) => {
    await other.write(id, "assignee", "Grace");
    await one.write(id, "assignee", "Linus");
  });
  const conflict = one.conflict(id, "assignee");
  await conflict.getByText("another window was first, so theirs stays").waitFor();
  for (const window of [one, other]) await window.shows(id, "assignee", "Grace");
  await conflict.getByRole("button", { name: "Keep mine" }).click();
  for (const window of [one, other]) await window.shows(id, "assignee", "Linus");
  await one.saved();
}

export async function anEditThatIsLaterThanARemovalBringsTheTaskBackAndSaysSo({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Apples");
  await other.find("Apples");
  await one.saved();
  await one.goOffline();
  await other.remove(id);
  await other.saved();
  await one.write(id, "title", "Pears");
  await one.goOnline();
  await one.conflict(id, "title").getByText("yours brought it back").waitFor();
  await other.shows(id, "title", "Pears");
  await one.conflict(id, "title").getByRole("button", { name: "Remove the task" }).click();
  for (const window of [one, other]) await window.card(id).waitFor({ state: "detached" });
}

export async function aRemovalThatIsLaterThanAnEditWinsAndTheTextIsToldAndCanComeBack({ open }) {
  const { one, other, id } = await apart(open, async (one, other, id) => {
    await one.write(id, "title", "Pears");
    await other.remove(id);
  });
  await one.page
    .getByText("because another window has removed the task. Yours was “Pears”")
    .waitFor();
  assert.deepEqual(await one.tasks(), []);
  await one.page.getByRole("button", { name: "Bring it back" }).click();
  for (const window of [one, other]) await window.shows(id, "title", "Pears");
}

export async function aReloadWhileOfflineKeepsEverything({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Before");
  await one.add("Untouched");
  await one.saved();
  await one.goOffline();
  await one.write(id, "title", "On the train");
  await one.field(id, "notes").pressSequentially("Half a tho");
  const added = await one.add("New on the train");
  const before = await one.tasks();
  await one.waiting(3);
  await one.reload();
  assert.match(await one.connection("offline"), /Offline/);
  assert.deepEqual(await one.tasks(), before);
  assert.equal(await one.card(id).getAttribute("data-pending"), "true");
  assert.equal(await one.field(id, "notes").inputValue(), "Half a tho");
  await one.waiting(3);
  await one.goOnline();
  await one.saved();
  await other.shows(id, "title", "On the train");
  await other.shows(added, "title", "New on the train");
}

export async function aNetworkThatIsGoneIsNoticedAndWhatWaitedIsSent({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Before");
  await other.find("Before");
  await one.saved();
  await one.page.context().setOffline(true);
  await one.connection("offline");
  await one.write(id, "title", "In the tunnel");
  await one.waiting(1);
  await one.page.context().setOffline(false);
  await one.isLive();
  await one.saved();
  await other.shows(id, "title", "In the tunnel");
}

export async function afterACrashOfTheServerEverythingGoesOn({ open, ask }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Before");
  await other.find("Before");
  await one.saved(); // the other one may be told before it
  await ask("kill");
  for (const window of [one, other]) {
    assert.match(await window.connection("reconnecting"), /Reconnecting…/);
  }
  await one.write(id, "title", "While it was away");
  await one.page.getByText("1 change waits to be saved").waitFor();
  await other.write(id, "notes", "Both of us");
  await ask("start");
  for (const window of [one, other]) {
    assert.match(await window.connection("live"), /Live/);
    await window.shows(id, "title", "While it was away");
    await window.shows(id, "notes", "Both of us");
    await window.saved();
  }
  await other.write(id, "assignee", "Ada");
  await one.shows(id, "assignee", "Ada");
}

export async function aRefusedWriteIsShownWithItsTextAndCanBeRetried({ open, ask }) {
  const [one, other] = await Promise.all([open(), open()]);
  const id = await one.add("Tea");
  await one.saved();
  await one.goOffline();
  // Right for whoever sees the old title: together both writes break a rule.
  await ask("patch", "tasks", id, { title: "A text that must not be lost" });
  await one.write(id, "notes", "A text that must not be lost");
  await one.goOnline();
  const refused = one.page.locator("#rejected .entry");
  await refused.getByText("Notes “A text that must not be lost”").waitFor();
  await refused.getByText("The record has notes that only repeat its title.").waitFor();
  await refused.getByText("Notes: the last write wins").waitFor();
  await one.card(id).getByText("Rejected: Notes.").waitFor();
  await one.shows(id, "notes", "");
  await one.saved();
  await one.reload();
  await refused.getByText("Notes “A text that must not be lost”").waitFor();
  await ask("patch", "tasks", id, { title: "Tea" });
  await one.shows(id, "title", "Tea");
  await refused.getByRole("button", { name: "Retry" }).click();
  for (const window of [one, other]) {
    await window.shows(id, "notes", "A text that must not be lost");
  }
  await refused.waitFor({ state: "detached" });
}

export async function aRefusedWriteCanBeGivenUp({ open, ask }) {
  const window = await open();
  const id = await window.add("Tea");
  await window.saved();
  await window.goOffline();
  await ask("patch", "tasks", id, { title: "No matter" });
  await window.write(id, "notes", "No matter");
  await window.goOnline();
  const refused = window.page.locator("#rejected .entry");
  await window.card(id).getByText("Rejected: Notes.").waitFor();
  await refused.getByRole("button", { name: "Discard" }).click();
  await window.page.getByText("No write was rejected.").waitFor();
  await window.card(id).getByText("Rejected").waitFor({ state: "hidden" });
}
