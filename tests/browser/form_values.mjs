/** What is checked is what the browser will submit: each fact in a page of its own. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import {
  isBound,
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

const TWO = `
  <form data-rhtmx-form="two" action="/done" method="post"><input name="title" value="x">
  <button name="action" value="draft">Draft</button>
  <button id="wrong" name="action" value="delete">Delete</button>
  <button id="publish" name="action" value="publish">Publish</button></form>`;

export async function thePressedButtonIsChecked(tools) {
  const { tab } = tools;
  await open(tools, TWO);
  await tab.click("#wrong");
  await isRefused(tab);
  await nothingWasSent(tools);
  await tab.click("#publish");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=x", "action=publish"]);
}

export async function theButtonOfTheEnterKeyIsChecked(tools) {
  const { tab } = tools;
  await open(tools, TWO);
  await tab.type("[name=title]", "y");
  await tab.press("Enter");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=xy", "action=draft"]);
}

export async function aButtonElsewhereIsCheckedAndSaysWhereTo(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form id="f" data-rhtmx-form="two" action="/done"><input name="title" value="x"></form>
    <input type="submit" form="f" formaction="/there" formmethod="post" name="action" value="publish">`,
  );
  await tab.click("[type=submit]");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools, "/there"), ["title=x", "action=publish"]);
}

export async function thePlaceOfAClickOnAnImageIsChecked(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="point" action="/done" method="post">
    <input type="image" name="at" alt="Send" width="80" height="80"></form>`,
  );
  await tab.click("[type=image]");
  await isDone(tab);
  const [x, y] = await sentOnce(tools);
  assert.match(x, /^at\.x=[1-9]/);
  assert.match(y, /^at\.y=[1-9]/);
}

export async function aHiddenFieldAndItsBoxAreTwoValues(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="several" action="/done" method="post">
    <input type="hidden" name="agree" value="false">
    <input type="checkbox" name="agree" value="true"><button>Send</button></form>`,
  );
  await tab.click("[type=checkbox]");
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["agree=false", "agree=true"]);
}

export async function aFieldWithoutAChoiceMakesNoMistakeOfANameBesideIt(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="several" action="/done" method="post">
    <input type="checkbox" name="agree" value="true"><input name="agree_text" value="x">
    <button>Send</button></form>`,
  );
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["agree_text=x"]);
}

export async function theFocusGoesToTheBoxNotToWhatIsHiddenBeforeIt(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="several" action="/done" method="post"><fieldset name="agree">
    <input type="hidden" name="agree" value="off"><input id="box" type="checkbox" name="agree" value="true">
    </fieldset><button>Send</button></form>`,
  );
  await tab.click("button");
  await isRefused(tab);
  assert.equal(await tab.evaluate(() => document.activeElement.id), "box");
}

const BOXES = `
  <form data-rhtmx-form="several" action="/done" method="post">
  <input type="checkbox" name="tags" value="red"><input type="checkbox" name="tags" value="green">
  <input type="checkbox" name="tags" value="blue"><button>Send</button></form>`;

export async function severalBoxesAreSeveralValues(tools) {
  const { tab } = tools;
  await open(tools, BOXES);
  for (const value of ["blue", "red", "green"]) await tab.click(`[value=${value}]`);
  await tab.click("[value=green]");
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["tags=red", "tags=blue"]);
}

/** Needs a server that checks each of a field's values. */
export async function eachOfSeveralValuesIsChecked(tools) {
  const { tab } = tools;
  await open(tools, BOXES);
  for (const value of ["green", "blue"]) await tab.click(`[value=${value}]`);
  await tab.click("button");
  await isRefused(tab);
  await isWrong(tab, "[name=tags]");
  await nothingWasSent(tools);
}

export async function severalTextsOfOneNameAreSeveralValues(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="several" action="/done" method="post">
    <input name="line" value="abc"><input name="line" value="de"><button>Send</button></form>`,
  );
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["line=abc", "line=de"]);
}

export async function aListOfSeveralChoicesIsSeveralValues(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="several" action="/done" method="post">
    <select name="tags" multiple><option>red<option>green<option selected>blue</select>
    <button>Send</button></form>`,
  );
  await tab.evaluate(() => (document.querySelector("option").selected = true));
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["tags=red", "tags=blue"]);
}

export async function aControlElsewhereIsPartOfItsForm(tools) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form id="f" data-rhtmx-form="task" action="/done" method="post"><button>Send</button></form>
    <form id="g"><input id="own" form="f" name="note"></form>
    <aside><label>Title <input id="o" form="f" name="title"></label></aside>`,
  );
  await tab.type("#o", "x");
  await tab.press("Tab");
  await isWrong(tab, "#o");
  assert.match(await textOf(tab, "aside"), /too short/);
  await tab.click("button");
  await isRefused(tab);
  assert.equal(await tab.evaluate(() => document.querySelectorAll("aside span").length), 1);
  assert.equal(await tab.evaluate(() => document.activeElement.id), "o");
  await tab.type("#o", "y");
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual((await sentOnce(tools)).sort(), ["note=", "title=xy"]);
  await ask("show", "/form", { body: "" });
}

export async function thePlaceForAnErrorMayBeElsewhereToo(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form id="f" data-rhtmx-form="task"></form>
    <form data-rhtmx-form="task" id="g"><p data-rhtmx-error="title"></p></form>
    <input form="f" name="title"><p id="place" data-rhtmx-error="title"></p>`,
  );
  await tab.type("input", "x");
  await isWrong(tab, "input");
  assert.match(await textOf(tab, "#place"), /too short/);
  assert.equal(await textOf(tab, "#g"), "");
}

export async function anEditElsewhereTakesASubmissionBack(tools) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form id="f" data-rhtmx-form="slow" action="/done" method="post"><button>Send</button></form>
    <input form="f" name="name" value="good">`,
  );
  await ask("hold checks");
  await tab.click("button");
  await tab.until(() => document.forms[0].dataset.rhtmxState === "checking");
  await tab.type("input", " but bad");
  await ask("release checks");
  await isWrong(tab, "input");
  await nothingWasSent(tools);
}

export async function aControlOfAnotherFormIsNoPartOfThisOne(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="task" action="/done" method="post"><input name="title" value="good">
    <input id="foreign" form="g" name="note"><button>Send</button></form><form id="g"></form>`,
  );
  await tab.type("#foreign", "x".repeat(101));
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=good"]);
}

export async function whatThePageItselfAddsIsChecked(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <script>
      customElements.define("x-stars", class extends HTMLElement {
        static formAssociated = true;
        connectedCallback() {
          this.inside = this.attachInternals();
          this.onclick = () => {
            this.inside.setFormValue("3");
            this.dispatchEvent(new Event("change", { bubbles: true }));
          };
        }
      });
      addEventListener("formdata", (event) => event.formData.append("body", window.body));
      window.body = "";
    </script>
    <form data-rhtmx-form="rating" action="/done" method="post">
    <x-stars name="stars" tabindex="0">Three stars</x-stars>
    <textarea name="note" dirname="body.dir">x</textarea>
    <fieldset disabled><input name="stars" value="9"></fieldset><button>Send</button></form>`,
  );
  await tab.click("button");
  await isRefused(tab);
  await isWrong(tab, "x-stars");
  assert.match(await textOf(tab, "[data-rhtmx-error='']"), /body is required/);
  await tab.click("x-stars");
  await tab.evaluate(() => (window.body = "Good."));
  await tab.click("button");
  await isDone(tab);
  const sent = ["stars=3", "note=x", "body.dir=ltr", "body=Good."];
  assert.deepEqual(await sentOnce(tools), sent);
}

/** As that of a list of choices, its `options` are none of a `select`. */
export async function anElementOfThePageThatHasOptionsIsNoList(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <script>
      customElements.define("x-list", class extends HTMLElement {
        static formAssociated = true;
        options = ["red"];
        inside = this.attachInternals();
        connectedCallback() { this.inside.setFormValue("red"); }
      });
    </script>
    <form data-rhtmx-form="several" action="/done" method="post"><x-list name="tags"></x-list>
    <input name="line"><button>Send</button></form>`,
  );
  await tab.type("[name=line]", "x");
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueIn(tab, "[name=line]"), "x");
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["tags=red", "line=x"]);
}

export async function filesInSeveralControlsOfANameAreSeveral(tools) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="upload" action="/done" method="post" enctype="multipart/form-data">
    <input type="file" name="document" multiple><input type="file" name="document">
    <input type="file" name="document"><button>Send</button></form>`,
  );
  await tab.evaluate(() => {
    // As a page does with what is dropped on it.
    const [first, second] = document.querySelectorAll("input");
    for (const [control, names] of [
      [first, ["a.txt", "b.txt"]],
      [second, ["c.txt"]],
    ]) {
      const dropped = new DataTransfer();
      for (const name of names) dropped.items.add(new File([], name));
      control.files = dropped.files;
      control.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  await tab.until(() => document.querySelector("input").ariaInvalid === "false");
  await tab.click("button");
  await isDone(tab);
  const names = (await ask("posted", 1))[0][1]
    .match(/filename="[^"]*/g)
    .map((each) => each.slice(10));
  assert.deepEqual(names, ["a.txt", "b.txt", "c.txt", ""]);
}

export async function aChosenFileFillsItsField(tools) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="upload" action="/done" method="post" enctype="multipart/form-data">
    <input type="file" name="document"><button>Send</button></form>`,
  );
  await tab.click("button");
  await isRefused(tab);
  assert.match(await wordsAt(tab, "input"), /required/);
  await tab.upload("input", fileURLToPath(import.meta.url));
  await tab.until(() => document.querySelector("input").ariaInvalid === "false");
  await tab.click("button");
  await isDone(tab);
  assert.match((await ask("posted", 1))[0][1], /filename="form_values\.mjs"/);
}
