/** Forms in dialogs: what closes one sends nothing, and what was closed is not sent. */
import assert from "node:assert/strict";

import { isDone, isRefused, isWrong, nothingWasSent, open, sentOnce } from "./form_tools.mjs";

const shown = (tab) => tab.evaluate(() => document.querySelector("dialog").showModal());

const isClosed = (tab) => tab.until(() => !document.querySelector("dialog").open);

const returned = (tab) => tab.evaluate(() => document.querySelector("dialog").returnValue);

const stateIs = (tab, state) =>
  tab.until((each) => document.querySelector("form").dataset.rhtmxState === each, state);

export async function aButtonThatClosesTheDialogIsNotHeld(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <dialog><form data-rhtmx-form="task" action="/done" method="post"><input name="title">
    <button id="cancel" value="cancel" formmethod="dialog">Cancel</button>
    <button id="send">Send</button></form></dialog>`,
  );
  await shown(tab);
  await tab.click("#send");
  await isRefused(tab);
  await tab.click("#cancel");
  await isClosed(tab);
  assert.equal(await returned(tab), "cancel");
  await nothingWasSent(tools);
  // It has not counted as a submission.
  await shown(tab);
  await tab.type("input", "good");
  await tab.click("#send");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=good"]);
}

export async function aFormOfADialogClosesItWithItsButtonOnceItIsValid(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <dialog><form data-rhtmx-form="two" method="dialog"><input name="title">
    <button name="action" value="publish">Publish</button></form></dialog>`,
  );
  await shown(tab);
  await tab.click("button");
  await isRefused(tab);
  await tab.type("input", "x");
  await tab.click("button");
  await isClosed(tab);
  assert.equal(await returned(tab), "publish");
}

/** A submission waits for its answer; then the dialog is closed. */
async function closed(tools, close) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <dialog><form data-rhtmx-form="slow" action="/done" method="post"><input name="name" value="good">
    <button id="cancel" type="button" onclick="this.closest('dialog').close()">Cancel</button>
    <button id="send">Send</button></form></dialog>
    <form data-rhtmx-form="task"><input id="title" name="title"></form>`,
  );
  await ask("hold checks");
  await shown(tab);
  await tab.click("#send");
  await stateIs(tab, "checking");
  await close(tab);
  await isClosed(tab);
  await stateIs(tab, "idle");
  await ask("release checks");
  // A later question is answered later.
  await tab.type("#title", "x");
  await isWrong(tab, "#title");
  await stateIs(tab, "idle");
  await nothingWasSent(tools);
}

export const whoLeavesTheDialogHasNotSent = (tools) => closed(tools, (tab) => tab.press("Escape"));
export const whoClosesTheDialogHasNotSent = (tools) => closed(tools, (tab) => tab.click("#cancel"));

export async function aDialogThatItsButtonClosesFirstIsSent(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <dialog><form data-rhtmx-form="task" action="/done" method="post"><input name="title" value="good">
    <button onclick="this.closest('dialog').close()">Send</button></form></dialog>`,
  );
  await shown(tab);
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=good"]);
}
