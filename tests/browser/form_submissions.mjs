/** A submission goes on once, as it was; errors go with their fields. */
import assert from "node:assert/strict";

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
} from "./form_tools.mjs";

const TASK = `
  <form data-rhtmx-form="task" action="/slow" method="post"><input name="title" value="good">
  <button>Send</button></form>`;

export async function aSecondClickWhileThePageIsLoadingIsRefusedInWords(tools) {
  const { tab, ask } = tools;
  await ask("answer", "/slow", { held: true });
  await open(tools, TASK);
  // All of it in the page: a driver may wait for the page that is being loaded.
  await tab.evaluate(() => {
    const again = () => {
      document.querySelector("button").click();
      navigator.sendBeacon("/words", document.querySelector("form").textContent.trim());
    };
    // Later than the second half of a double click.
    addEventListener("submit", () => setTimeout(again, 600), { once: true });
    document.querySelector("button").click();
  });
  const posted = await ask("posted", 2);
  assert.deepEqual(
    posted.map(([path]) => path),
    ["/slow", "/words"],
  );
  assert.match(posted[1][1], /Is being sent…/);
  await ask("release");
  await isDone(tab);
  assert.equal((await ask("posted", 2)).length, 2);
}

/** As where a layout has one of them, and a page of it the other. */
export async function aPageWithBothScriptsSendsAFormOnce(tools) {
  const { tab, ask } = tools;
  await open(tools, TASK.replace("good", "x"));
  await tab.evaluate(() => {
    const other = document.createElement("script");
    other.src = "/other.js";
    other.dataset.url = document.querySelector("script[data-url]").dataset.url;
    other.onload = () => (window.isThere = true);
    document.head.append(other);
  });
  await tab.until(() => window.isThere);
  await tab.click("button");
  await isRefused(tab);
  await nothingWasSent(tools);
  await tab.type("[name=title]", "yz");
  await tab.click("button");
  await isDone(tab);
  assert.equal((await ask("posted", 1)).length, 1);
}

export async function aValueThatCameWithoutAnEventIsWhatIsChecked(tools) {
  const { tab } = tools;
  await open(tools, TASK.replace('value="good"', ""));
  await tab.click("button");
  await isRefused(tab);
  await tab.evaluate(() => (document.querySelector("input").value = "by a password manager"));
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["title=by a password manager"]);
}

export async function aChangeAloneIsAskedAbout(tools) {
  const { tab } = tools;
  await open(tools, TASK);
  await tab.evaluate(() => {
    document.querySelector("input").value = "x";
    document.querySelector("input").dispatchEvent(new Event("change", { bubbles: true }));
  });
  await isWrong(tab, "input");
}

const COMPANY = `
  <form data-rhtmx-form="company" action="/done" method="post">
  <input name="kind" value="company"><fieldset><label>VAT <input id="vat" name="vat"></label></fieldset>
  <button>Send</button></form>`;

/** An error is shown; then something happens to its field, and it is gone by that alone. */
async function goesWithItsField(tools, act, sent) {
  const { tab } = tools;
  await open(tools, COMPANY);
  await tab.evaluate(() => {
    window.told = [];
    addEventListener("rhtmx:validation", ({ detail }) => window.told.push(detail));
    window.vat = document.querySelector("#vat");
  });
  await tab.type("#vat", "DE");
  await isWrong(tab, "#vat");
  // Who leaves a field asks about it once more: that is not what this is about.
  await tab.press("Tab");
  await tab.evaluate(act);
  await tab.until(() => !/too short/.test(document.querySelector("form").textContent));
  assert.equal(await tab.evaluate(() => window.vat.ariaInvalid), null);
  const told = await tab.evaluate(() => window.told.at(-1));
  assert.deepEqual([told.field, told.valid, told.error], ["vat", true, ""]);
  await tab.click("button");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), sent);
}

const WITHOUT = ["kind=company"];
export const theErrorOfAFieldThatIsRemovedGoesWithIt = (tools) =>
  goesWithItsField(tools, () => window.vat.closest("label").remove(), WITHOUT);
export const theErrorOfAFieldThatIsDisabledGoesWithIt = (tools) =>
  goesWithItsField(tools, () => (window.vat.disabled = true), WITHOUT);
export const theErrorOfAFieldInADisabledSetGoesWithIt = (tools) =>
  goesWithItsField(tools, () => (document.querySelector("fieldset").disabled = true), WITHOUT);
export const theErrorOfAFieldThatIsRenamedGoesWithIt = (tools) =>
  goesWithItsField(tools, () => (window.vat.name = "tax-number"), [...WITHOUT, "tax-number=DE"]);
export const theErrorOfAFieldThatIsExchangedGoesWithIt = (tools) =>
  goesWithItsField(
    tools,
    () => (document.querySelector("label").innerHTML = '<input name="vat" value="DE 999">'),
    [...WITHOUT, "vat=DE 999"],
  );
export const theErrorOfAFieldThatGoesToAnotherFormGoesWithIt = (tools) =>
  goesWithItsField(tools, () => window.vat.setAttribute("form", "other"), WITHOUT);

export const theErrorOfAFieldThatItsFormLeavesBehindGoesWithIt = async (tools) => {
  const { tab } = tools;
  await open(
    tools,
    `
    <form id="f" data-rhtmx-form="company"></form><label>VAT <input form="f" name="vat"></label>`,
  );
  await tab.type("input", "DE");
  await isWrong(tab, "input");
  await tab.press("Tab");
  await tab.evaluate(() => (document.querySelector("form").id = "g"));
  await tab.until(() => document.querySelector("input").ariaInvalid === null);
};

const LINES = `
  <form data-rhtmx-form="several"><p><input name="line" value="ab"></p>
  <p id="gone"><input id="wrong" name="line"></p></form>`;

export async function theErrorOfOneOfSeveralValuesGoesWithIt(tools) {
  const { tab } = tools;
  await open(tools, LINES);
  await tab.type("#wrong", "too long");
  await isWrong(tab, "#wrong");
  await tab.press("Tab");
  await tab.evaluate(() => document.querySelector("#gone").remove());
  await tab.until(() => document.querySelector("input").ariaInvalid === "false");
  assert.doesNotMatch(await textOf(tab, "form"), /too long/);
}

export async function whatIsStillWrongOfSeveralValuesStaysSo(tools) {
  const { tab } = tools;
  await open(
    tools,
    LINES.replace("</form>", '<p><input name="line" value="long as well"></p></form>'),
  );
  await tab.type("#wrong", "too long");
  await tab.until(() => document.querySelector("form").textContent.includes("“too long”"));
  await tab.press("Tab");
  await tab.evaluate(() => document.querySelector("#gone").remove());
  await tab.until(() => document.querySelector("form").textContent.includes("“long as well”"));
  await isWrong(tab, "input");
}

export async function aButtonThatIsNoneAnyMoreDoesNotHoldTheForm(tools) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="slow" action="/done" method="post"><input name="name" value="good">
    <button>Send</button></form>`,
  );
  await ask("hold checks");
  await tab.click("button");
  await tab.until(() => document.querySelector("form").dataset.rhtmxState === "checking");
  await tab.evaluate(() => (document.querySelector("button").type = "button"));
  await ask("release checks");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["name=good"]);
}

export async function aResetThatThePagePreventsChangesNothing(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="task" onreset="return false"><input name="title"><button type="reset">Reset</button></form>`,
  );
  await tab.type("input", "x");
  await isWrong(tab, "input");
  await tab.click("button");
  assert.equal(await tab.evaluate(() => document.querySelector("input").ariaInvalid), "true");
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueIn(tab, "input"), "x");
}

export async function whatThePageSaysInThePlaceOfAnErrorStays(tools) {
  const { tab } = tools;
  await open(tools, COMPANY.replace("</label>", '</label><p data-rhtmx-error="vat"></p>'));
  await tab.type("#vat", "DE");
  await isWrong(tab, "#vat");
  await tab.evaluate(() => {
    document.querySelector("p").textContent = "No longer needed.";
    window.vat = document.querySelector("#vat");
    window.vat.closest("label").remove();
  });
  await tab.until(() => window.vat.ariaInvalid === null);
  assert.equal(await textOf(tab, "p"), "No longer needed.");
}

export async function aSubmissionThatWaitsGoesOnWithoutAFieldThatWent(tools) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="slow" action="/done" method="post"><input name="name" value="good">
    <input id="more" name="more" value="x"><button>Send</button></form>`,
  );
  await ask("hold checks");
  await tab.click("button");
  await tab.until(() => document.querySelector("form").dataset.rhtmxState === "checking");
  await tab.evaluate(() => document.querySelector("#more").remove());
  await ask("release checks");
  await isDone(tab);
  assert.deepEqual(await sentOnce(tools), ["name=good"]);
}

export async function aReasonThatNoFieldShowsIsTheForms(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="task" action="/done" method="post">
    <input name="title" disabled value="good"><button>Send</button></form>`,
  );
  await tab.click("button");
  await isRefused(tab);
  assert.match(await textOf(tab, "[data-rhtmx-error='']"), /title is required/);
  assert.equal(await valueIn(tab, "[name=title]"), "good");
  await nothingWasSent(tools);
}

/** Binds the page's form to what answers without asking anybody, before the event has ended. */
const judgedHere = () => {
  const answer = async () => ({ valid: true, metadata: null, errors: [] });
  const judge = { state: "open", onState: () => () => {} };
  const client = { ...judge, validateField: answer, validateForm: answer };
  rhtmx.bindForm(document.querySelector("form"), { client, name: "here" });
};

async function isSentWhenJudgedHere(tools, send, form, options) {
  const { tab, ask } = tools;
  const body = `<form ${form}><input name="title" value="good"><button>Send</button></form>`;
  await ask("show", "/form", { body, ...options });
  await tab.goto("/form");
  await tab.until(() => window.rhtmx);
  await tab.evaluate(judgedHere);
  await send(tab);
  assert.deepEqual(await sentOnce(tools), ["title=good"]);
}

const POSTED = 'action="/done" method="post"';

/** The browser takes no submission of a form while it tells of one. */
export const aFormThatIsJudgedInThePageIsSentByAClick = (tools) =>
  isSentWhenJudgedHere(tools, (tab) => tab.click("button"), POSTED);

export const aFormThatIsJudgedInThePageIsSentByTheKeyboard = (tools) =>
  isSentWhenJudgedHere(
    tools,
    (tab) => tab.type("input", "").then(() => tab.press("Enter")),
    POSTED,
  );

export const aFormThatIsJudgedInThePageIsSentByHtmx = (tools) =>
  isSentWhenJudgedHere(tools, (tab) => tab.click("button"), 'hx-post="/done"', { htmx: "2" });

export async function thePostHasAReceiptThatSparesTheHandlerTheValidator(tools) {
  const { tab, ask } = tools;
  const form = TASK.replace('"task"', '"slow"').replace('name="title"', 'name="name"');
  await open(tools, form);
  await tab.click("button");
  await isDone(tab);
  const [[, body]] = await ask("posted", 1);
  assert.match(body, /^name=good&_rhtmx_receipt=[\w-]+$/);
  assert.deepEqual(await ask("judge", body), [true, 0]);
  assert.deepEqual(await ask("judge", body.replace("good", "well")), [true, 1]);
  assert.deepEqual(await ask("judge", body.replace("good", "bad")), [false, 1]);
}

export async function aFormThatIsNotPostedHasNoReceiptInItsAddress(tools) {
  const { tab } = tools;
  const form = TASK.replace('"task"', '"slow"').replace('name="title"', 'name="name"');
  await open(tools, form.replace("post", "get"));
  await tab.click("button");
  await isDone(tab);
  assert.equal(await tab.evaluate(() => location.search), "?name=good");
}
