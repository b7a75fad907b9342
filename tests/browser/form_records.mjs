/** Whose text it is: what was typed for one record or in one row stays that one's. */
import assert from "node:assert/strict";

import { isBound, open, valueIn } from "./form_tools.mjs";

/** What the note is after a reload by which the record is, or may be, another one. */
async function noteAfter(tools, before, after) {
  const { tab, ask } = tools;
  const form = (more) =>
    `<form data-rhtmx-form="task" action="/save">${more}<input id="note" name="note"></form>`;
  await open(tools, form(before));
  await tab.type("#note", "typed");
  await ask("show", "/form", { body: form(after) });
  await tab.reload();
  await isBound(tab);
  return valueIn(tab, "#note");
}

async function anotherRecord(tools, one) {
  assert.equal(await noteAfter(tools, one, one), "typed");
  assert.equal(await noteAfter(tools, one, one.replace("1", "2")), "");
}

export const aButtonThatPostsToAnotherRecordTellsItApart = (tools) =>
  anotherRecord(tools, '<button hx-post="/records/1">Save</button>');
export const aButtonWithAnotherActionTellsItApart = (tools) =>
  anotherRecord(tools, '<button formaction="/records/1" formmethod="post">Save</button>');
export const theValueOfAButtonTellsTheRecord = (tools) =>
  anotherRecord(tools, '<button name="save" value="1">Save</button>');
export const aFieldThatNobodyWritesInTellsTheRecord = (tools) =>
  anotherRecord(tools, '<input name="number" value="1" readonly>');
export const aDisabledChoiceTellsTheRecord = (tools) =>
  anotherRecord(tools, '<select name="number" disabled><option>1</select>');
export const aHiddenFieldOfTheFrameworkTellsTheRecord = (tools) =>
  anotherRecord(tools, '<input type="hidden" name="_id" value="1">');

/** A framework may use the form that it has: another record's now, by its id. */
export async function whatIsTypedAfterTheFormBecameAnothersIsNotTheFirsts(tools) {
  const { tab } = tools;
  await open(tools, '<form id="record1" data-rhtmx-form="task"><input name="note"></form>');
  await tab.evaluate(() => (document.querySelector("form").id = "record2"));
  await tab.type("input", "for record 2");
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueIn(tab, "input"), "");
}

/** What is in two rows after something was typed in the second, something done, and a reload. */
async function rowsAfter(tools, names, act) {
  const { tab } = tools;
  const rows = names.map((name) => `<p><input name="${name}"></p>`).join("");
  await open(tools, `<form data-rhtmx-form="names">${rows}</form>`);
  await tab.type("p + p input", "typed");
  await tab.evaluate(act);
  await tab.reload();
  await isBound(tab);
  return tab.evaluate(() => [...document.querySelectorAll("input")].map((each) => each.value));
}

export async function theTextOfARowStaysThereWhenAnotherIsRemoved(tools) {
  const remove = () => document.querySelector("p").remove();
  assert.deepEqual(await rowsAfter(tools, ["line", "line"], remove), ["", "typed"]);
}

export async function theTextOfARowStaysThereWhenItTakesTheNameOfAnother(tools) {
  const rename = () => {
    document.querySelector("p").remove();
    document.querySelector("input").name = "line[0]";
  };
  assert.deepEqual(await rowsAfter(tools, ["line[0]", "line[1]"], rename), ["", "typed"]);
}

export async function theTextOfARowStaysThereWhenRowsAreSorted(tools) {
  const sort = () => document.querySelector("form").append(document.querySelector("p"));
  assert.deepEqual(await rowsAfter(tools, ["line", "line"], sort), ["", "typed"]);
}

export async function aPasswordThatIsShownForAMomentIsNotKept(tools) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="names"><input type="password" name="pin"><input name="title"></form>`,
  );
  await tab.evaluate(() => (document.querySelector("input").type = "text"));
  await tab.type("[name=pin]", "secret");
  await tab.type("[name=title]", "kept");
  await ask("show", "/away", { body: "Away." });
  await tab.goto("/away");
  const all = await tab.evaluate(() => JSON.stringify({ ...sessionStorage }));
  assert.ok(all.includes("kept") && !all.includes("secret"), all);
}
