/** What stands in a control and is no value is an error, not an empty value. */
import assert from "node:assert/strict";

import {
  isDone,
  isRefused,
  isWrong,
  nothingWasSent,
  open,
  sentOnce,
  textOf,
  valueIn,
  wordsAt,
} from "./form_tools.mjs";

/** What an engine makes of a text in a number field differs; that it is not lost must not. */
async function textInANumberField(tools, text, attribute) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="number" ${attribute} action="/done" method="post">
    <input type="number" name="price" step="any"><button>Send</button></form>`,
  );
  await tab.type("input", text);
  const bad = await tab.evaluate(() => document.querySelector("input").validity.badInput);
  if (!bad) return assert.notEqual(await valueIn(tab, "input"), "");
  await isWrong(tab, "input");
  const words = await tab.evaluate(() => document.querySelector("input").validationMessage);
  assert.equal(await wordsAt(tab, "input"), words);
  await tab.click("button");
  assert.equal(await wordsAt(tab, "input"), words);
  assert.doesNotMatch(await textOf(tab), /required/);
  await nothingWasSent(tools);
  await tab.evaluate(() => document.querySelector("input").select());
  await tab.type("input", "15");
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["price=15"]);
}

export const aTextThatIsNoNumberIsNeverEmpty = (tools) =>
  textInANumberField(tools, "4-2", "novalidate");
export const aNumberWithACommaIsNeverEmpty = (tools) =>
  textInANumberField(tools, "1,5", "novalidate");
export const aNumberThatEndsWithACommaIsNeverEmpty = (tools) =>
  textInANumberField(tools, "21,", "novalidate");
export const theBrowsersOwnChecksOfATextThatIsNoNumberStay = (tools) =>
  textInANumberField(tools, "-", "");

export async function halfADateIsNoEmptyDate(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="number" novalidate action="/done" method="post">
    <input name="price" value="1"><input type="date" name="day"><button>Send</button></form>`,
  );
  await tab.type("[type=date]", "12");
  const isHalf = await tab.evaluate(() => document.querySelector("[type=date]").validity.badInput);
  // An engine without a control for dates takes any text.
  if (!isHalf) return;
  await tab.click("button");
  await isRefused(tab);
  await isWrong(tab, "[type=date]");
  await nothingWasSent(tools);
}

export async function halfADateThatIsClearedIsNoErrorAnyMore(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="number" novalidate action="/done" method="post">
    <input type="date" name="day"><input name="price" value="1"><button>Send</button></form>`,
  );
  await tab.type("[type=date]", "12");
  const isHalf = () => tab.evaluate(() => document.querySelector("[type=date]").validity.badInput);
  if (!(await isHalf())) return;
  await tab.click("button");
  await isWrong(tab, "[type=date]");
  // The focus is at the date again, and no event tells of its parts.
  for (const key of ["Backspace", "Tab", "Backspace", "Tab", "Backspace"]) await tab.press(key);
  assert.equal(await isHalf(), false);
  await tab.evaluate(() => document.querySelector("[name=price]").focus());
  await tab.until(() => document.querySelector("[type=date]").ariaInvalid === null);
}
