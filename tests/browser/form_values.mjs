/** What is checked is what the browser will submit: each fact in a page of its own. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import {
  isBound, isDone, isRefused, isWrong, nothingWasSent, open, sentOnce, textOf, valueOf, wordsAt,
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
  await open(tools, `
    <form id="f" data-rhtmx-form="two" action="/done"><input name="title" value="x"></form>
    <input type="submit" form="f" formaction="/there" formmethod="post" name="action" value="publish">`);
  await tab.click("[type=submit]");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools, "/there"), ["title=x", "action=publish"]);
}

export async function thePlaceOfAClickOnAnImageIsChecked(tools) {
  const { tab } = tools;
  await open(tools, `
    <form data-rhtmx-form="point" action="/done" method="post">
    <input type="image" name="at" alt="Send" width="80" height="80"></form>`);
  await tab.click("[type=image]");
  await isDone(tab);
  const [x, y] = await sentOnce(tools);
  assert.match(x, /^at\.x=[1-9]/);
  assert.match(y, /^at\.y=[1-9]/);
}

export async function aHiddenFieldAndItsBoxAreTwoValues(tools) {
  const { tab } = tools;
  await open(tools, `
    <form data-rhtmx-form="several" action="/done" method="post">
    <input type="hidden" name="agree" value="false">
    <input type="checkbox" name="agree" value="true"><button>Send</button></form>`);
  await tab.click("[type=checkbox]");
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["agree=false", "agree=true"]);
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
  await open(tools, `
    <form data-rhtmx-form="several" action="/done" method="post">
    <input name="line" value="abc"><input name="line" value="de"><button>Send</button></form>`);
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["line=abc", "line=de"]);
}

export async function aListOfSeveralChoicesIsSeveralValues(tools) {
  const { tab } = tools;
  await open(tools, `
    <form data-rhtmx-form="several" action="/done" method="post">
    <select name="tags" multiple><option>red<option>green<option selected>blue</select>
    <button>Send</button></form>`);
  await tab.evaluate(() => (document.querySelector("option").selected = true));
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["tags=red", "tags=blue"]);
}

export async function aControlElsewhereIsPartOfItsForm(tools) {
  const { tab, ask } = tools;
  await open(tools, `
    <form id="f" data-rhtmx-form="task" action="/done" method="post"><button>Send</button></form>
    <form id="g"><input id="own" form="f" name="note"></form>
    <aside><label>Title <input id="o" form="f" name="title"></label></aside>`);
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
  await open(tools, `
    <form id="f" data-rhtmx-form="task"></form>
    <form data-rhtmx-form="task" id="g"><p data-rhtmx-error="title"></p></form>
    <input form="f" name="title"><p id="place" data-rhtmx-error="title"></p>`);
  await tab.type("input", "x");
  await isWrong(tab, "input");
  assert.match(await textOf(tab, "#place"), /too short/);
  assert.equal(await textOf(tab, "#g"), "");
}

export async function anEditElsewhereTakesASubmissionBack(tools) {
  const { tab, ask } = tools;
  await open(tools, `
    <form id="f" data-rhtmx-form="slow" action="/done" method="post"><button>Send</button></form>
    <input form="f" name="name" value="good">`);
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
  await open(tools, `
    <form data-rhtmx-form="task" action="/done" method="post"><input name="title" value="good">
    <input id="foreign" form="g" name="note"><button>Send</button></form><form id="g"></form>`);
  await tab.type("#foreign", "x".repeat(101));
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=good"]);
}

export async function whatThePageItselfAddsIsChecked(tools) {
  const { tab } = tools;
  await open(tools, `
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
    <fieldset disabled><input name="stars" value="9"></fieldset><button>Send</button></form>`);
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

export async function aChosenFileFillsItsField(tools) {
  const { tab, ask } = tools;
  await open(tools, `
    <form data-rhtmx-form="upload" action="/done" method="post" enctype="multipart/form-data">
    <input type="file" name="document"><button>Send</button></form>`);
  await tab.click("button");
  await isRefused(tab);
  assert.match(await wordsAt(tab, "input"), /required/);
  await tab.upload("input", fileURLToPath(import.meta.url));
  await tab.until(() => document.querySelector("input").ariaInvalid === "false");
  await tab.click("button");
  await isDone(tab);
  assert.match((await ask("posted", 1))[0][1], /filename="form_values\.mjs"/);
}

/** What an engine makes of a text in a number field differs; that it is not lost must not. */
async function textInANumberField(tools, text, attribute) {
  const { tab } = tools;
  await open(tools, `
    <form data-rhtmx-form="number" ${attribute} action="/done" method="post">
    <input type="number" name="price" step="any"><button>Send</button></form>`);
  await tab.type("input", text);
  const bad = await tab.evaluate(() => document.querySelector("input").validity.badInput);
  if (!bad) return assert.notEqual(await valueOf(tab, "input"), "");
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

export const aTextThatIsNoNumberIsNeverEmpty = (tools) => textInANumberField(tools, "4-2", "novalidate");
export const aNumberWithACommaIsNeverEmpty = (tools) => textInANumberField(tools, "1,5", "novalidate");
export const aNumberThatEndsWithACommaIsNeverEmpty = (tools) => textInANumberField(tools, "21,", "novalidate");
export const theBrowsersOwnChecksOfATextThatIsNoNumberStay = (tools) => textInANumberField(tools, "-", "");

export async function halfADateIsNoEmptyDate(tools) {
  const { tab } = tools;
  await open(tools, `
    <form data-rhtmx-form="number" novalidate action="/done" method="post">
    <input name="price" value="1"><input type="date" name="day"><button>Send</button></form>`);
  await tab.type("[type=date]", "12");
  const isHalf = await tab.evaluate(() => document.querySelector("[type=date]").validity.badInput);
  // An engine without a control for dates takes any text.
  if (!isHalf) return;
  await tab.click("button");
  await isRefused(tab);
  await isWrong(tab, "[type=date]");
  await nothingWasSent(tools);
}

/** As a page must not call them, and pages do. */
const NAMES = [
  "action", "addEventListener", "append", "attributes", "childNodes", "closest", "contains",
  "dataset", "dispatchEvent", "elements", "form", "getAttribute", "getAttributeNames",
  "getRootNode", "hasAttribute", "id", "isConnected", "length", "matches", "method", "name",
  "noValidate", "nodeType", "ownerDocument", "parentNode", "querySelector", "querySelectorAll",
  "reportValidity", "requestSubmit", "reset", "submit", "target", "textContent",
];

export async function controlsMayBeCalledLikeThePropertiesOfAForm(tools) {
  const { tab } = tools;
  const named = NAMES.map((each) => `<input name="${each}">`).join("");
  await open(tools, `
    <form data-rhtmx-form="names" action="/done" method="post"><input id="t" name="title">
    <button id="send">Send</button>${named}</form>`);
  await tab.type("#t", "x");
  await isWrong(tab, "#t");
  // A driver's own click may go by what is hidden here.
  const send = () => tab.evaluate(() => document.querySelector("#send").click());
  await send();
  await isRefused(tab);
  await tab.type("#t", "yz");
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueOf(tab, "#t"), "xyz");
  await send();
  await isDone(tab);
  assert.equal((await sentOnce(tools))[0], "title=xyz");
}

export async function imagesMayBeCalledLikeThePropertiesOfADocument(tools) {
  const { tab, ask } = tools;
  const names = [
    "activeElement", "addEventListener", "body", "createElement", "currentScript", "forms",
    "querySelector", "querySelectorAll", "readyState", "visibilityState",
  ];
  const named = names.map((each) => `<img name="${each}" alt="" data-url="ws://nowhere/">`).join("");
  await ask("show", "/form", { body: `
    ${named}<form data-rhtmx-form="names" action="/done" method="post"><input id="t" name="title">
    <button id="send">Send</button></form>` });
  await tab.goto("/form");
  // The drivers' own selectors go by what is hidden here.
  const run = (source) => {
    const $ = (each) => Document.prototype.querySelector.call(document, each);
    return (0, eval)(`(${source})`)($);
  };
  const until = (condition) => tab.until(run, `${condition}`);
  const act = (what) => tab.evaluate(run, `${what}`);
  await until(($) => $("form").dataset.rhtmxState === "idle");
  await act(($) => {
    $("#t").value = "x";
    $("#t").dispatchEvent(new Event("input", { bubbles: true }));
  });
  await until(($) => $("#t").ariaInvalid === "true");
  await act(($) => {
    $("#t").value = "xyz";
    $("#send").click();
  });
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=xyz"]);
}
