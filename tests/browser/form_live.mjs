/** What a form shows stays true while it is open. */
import assert from "node:assert/strict";

import { isDone, isWrong, open, sentOnce, wordsAt } from "./form_tools.mjs";

const FORM = `
  <form data-rhtmx-form="user" action="/sent" method="post"><input name="name">
  <input name="other"> <button>Send</button></form>`;
const NAME = "[name=name]";

const isGood = (tab) =>
  tab.until(() => document.querySelector("[name=name]").ariaInvalid === "false");

/** Types a name, and goes on to the next field once it is found free. */
async function typed({ tab }, name) {
  await tab.type(NAME, name);
  await tab.evaluate(() => document.querySelector("[name=other]").focus());
  await isGood(tab);
}

export async function aUserNameThatIsTakenMeanwhileShowsBesideItsField(tools) {
  const { tab, ask } = tools;
  await open(tools, FORM);
  await typed(tools, "ada");
  await ask("register", "ada");
  await isWrong(tab, NAME);
  assert.equal(await wordsAt(tab, NAME), "is taken");
  assert.equal(await tab.evaluate(() => document.activeElement.name), "other");
  await ask("leave", "ada");
  await isGood(tab);
  assert.equal(await wordsAt(tab, NAME), "");
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["name=ada", "other="]);
}
