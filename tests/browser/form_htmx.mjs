/** Forms that htmx 2 and 4 post: held, posted once, by the button that was pressed. */
import assert from "node:assert/strict";

import {
  aMomentLater,
  isRefused,
  isWrong,
  nothingWasSent,
  open,
  sentOnce,
  textOf,
} from "./form_tools.mjs";

const OUT = '<p id="out"></p>';

/** Waits until htmx has put the answer into the page. */
const isAnswered = (tab) =>
  tab.until(() => document.querySelector("#out").textContent.includes("Done."));

const two = (button, more = "") => `
  <form data-rhtmx-form="two" ${more}><input id="title" name="title">
  <button id="other" name="action" value="draft" type="button">Other</button>${button}</form>${OUT}`;

const BUTTON = `
  <button id="b" name="action" value="publish" hx-post="/save" hx-target="#out">Save</button>`;

async function button(tools, version) {
  const { tab } = tools;
  await open(tools, two(BUTTON), { htmx: version });
  await tab.click("#b");
  await isRefused(tab);
  await isWrong(tab, "#title");
  await nothingWasSent(tools);
  await tab.type("#title", "x");
  await tab.press("Enter");
  await isAnswered(tab);
  assert.deepEqual((await sentOnce(tools)).sort(), ["action=publish", "title=x"]);
}

/** The value of the button is what the server refuses, wherever the button stands. */
async function wrongButton(tools, version) {
  const { tab } = tools;
  const wrong = BUTTON.replace("publish", "delete").replace("hx-post", 'form="f" data-hx-post');
  const body = `${two("", 'id="f"')}${wrong}<a id="a"></a>`;
  await open(tools, body, { htmx: version });
  await tab.type("#title", "x");
  await tab.click("#b");
  await isRefused(tab);
  await isWrong(tab, "#b");
  await nothingWasSent(tools);
}

/** htmx 2 sends the value of a button that submits nothing, htmx 4 does not. */
async function plainButton(tools, version) {
  const { tab } = tools;
  await open(tools, two(BUTTON.replace("hx-post", 'type="button" hx-post')), { htmx: version });
  await tab.type("#title", "x");
  await tab.click("#b");
  if (version === "2") {
    await isAnswered(tab);
    assert.deepEqual((await sentOnce(tools)).sort(), ["action=publish", "title=x"]);
    return;
  }
  await isRefused(tab);
  await nothingWasSent(tools);
}

async function link(tools, version) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="task"><input name="title">
    <a href="/nowhere" hx-put="/save" hx-target="#out"><b>Save</b></a></form>${OUT}`,
    { htmx: version },
  );
  await tab.click("b");
  await isRefused(tab);
  await nothingWasSent(tools);
}

/** What its page makes a button posts like one; what another event posts is no click's. */
async function roleOfAButton(tools, version) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="task"><input name="title">
    <span id="save" role="button" tabindex="0" hx-post="/save" hx-target="#out">Save</span>
    <button id="twice" type="button" hx-post="/twice" hx-trigger="dblclick" hx-target="#out"
      onclick="this.textContent = 'Once more'">Send</button></form>${OUT}`,
    { htmx: version },
  );
  await tab.click("#twice");
  await tab.until(() => document.querySelector("#twice").textContent === "Once more");
  await tab.click("#save");
  await isRefused(tab);
  await nothingWasSent(tools);
  await tab.type("[name=title]", "good");
  await tab.click("#save");
  await isAnswered(tab);
  assert.deepEqual(await sentOnce(tools, "/save"), ["title=good"]);
}

/** What posts without being a submission, as it says; what does not send the form's values. */
async function exempt(tools, version) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="task"><input name="title">
    <button id="row" type="button" formnovalidate hx-post="/row" hx-target="#out">Add a row</button>
    <button id="list" type="button" hx-get="/list" hx-target="#out">List</button></form>${OUT}`,
    {
      htmx: version,
    },
  );
  await tab.click("#list");
  await isAnswered(tab);
  await tab.evaluate(() => (document.querySelector("#out").textContent = ""));
  await tab.click("#row");
  await isAnswered(tab);
  assert.deepEqual(await sentOnce(tools, "/row"), ["title="]);
}

async function browsersChecks(tools, version) {
  const { tab } = tools;
  const form = two(BUTTON).replace('name="title"', 'name="title" required maxlength="9"');
  await open(tools, form, { htmx: version });
  await tab.click("#b");
  await tab.until(() => document.activeElement.id === "title");
  assert.equal(await tab.evaluate(() => document.querySelector("form").dataset.rhtmxState), "idle");
  await nothingWasSent(tools);
}

async function secondClick(tools, version, form) {
  const { tab, ask } = tools;
  await ask("answer", "/save", { held: true });
  await open(tools, form, { htmx: version });
  await tab.type("#title", "x");
  await tab.click("#b");
  await ask("posted", 1);
  await aMomentLater(tab);
  await tab.click("#b");
  await tab.until(() => document.querySelector("form").textContent.includes("Is being sent…"));
  await ask("release");
  await isAnswered(tab);
  await tab.until(() => !document.querySelector("form").textContent.includes("Is being sent…"));
  await sentOnce(tools);
  // It may be sent again, once that is answered.
  await tab.click("#b");
  assert.equal((await ask("posted", 2)).length, 2);
}

const POSTING = two(
  '<button id="b" name="action" value="publish">Save</button>',
  'hx-post="/save" hx-target="#out"',
);

async function failed(tools, version) {
  const { tab, ask } = tools;
  await ask("answer", "/save", { status: 500 });
  await open(tools, POSTING, { htmx: version });
  await tab.type("#title", "x");
  await tab.click("#b");
  await ask("posted", 1);
  await aMomentLater(tab);
  await tab.click("#b");
  assert.equal((await ask("posted", 2)).length, 2);
  assert.doesNotMatch(await textOf(tab, "form"), /being sent/);
}

/** htmx 2 sends the value of the button that had the focus last. */
async function focusElsewhere(tools, version) {
  const { tab, ask } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="slow" hx-post="/save" hx-target="#out"><input name="name" value="good">
    <button id="b" name="action" value="publish">Publish</button>
    <button id="draft" name="action" value="draft" formaction="/draft">Draft</button></form>${OUT}`,
    {
      htmx: version,
    },
  );
  await ask("hold checks");
  await tab.click("#b");
  await tab.until(() => document.querySelector("form").dataset.rhtmxState === "checking");
  await tab.press("Tab");
  await tab.until(() => document.activeElement.id === "draft");
  await ask("release checks");
  await isAnswered(tab);
  assert.deepEqual(await sentOnce(tools, "/save"), ["name=good", "action=publish"]);
}

/** The field that is wrong is swapped out by another request; its error goes. */
async function swapped(tools, version) {
  const { tab, ask } = tools;
  await ask("show", "/kind", { body: '<input name="note">' });
  await open(
    tools,
    `
    <form data-rhtmx-form="company"><input name="kind" value="person"><p id="out"><input id="vat" name="vat"></p>
    <p data-rhtmx-error="vat"></p><button id="kind" type="button" hx-get="/kind" hx-target="#out">Person</button></form>`,
    {
      htmx: version,
    },
  );
  await tab.type("#vat", "DE");
  await isWrong(tab, "#vat");
  await tab.click("#kind");
  await tab.until(() => !/too short/.test(document.querySelector("form").textContent));
}

async function swappedItself(tools, version) {
  const { tab, ask } = tools;
  const form = `<form data-rhtmx-form="task" hx-post="/save" hx-swap="outerHTML">
    <input name="title" value="good"><button id="b">Save</button></form>`;
  await open(tools, form, { htmx: version });
  for (const time of [1, 2, 3]) {
    await ask("answer", "/save", { body: form.replace("<form", `<form data-time="${time}"`) });
    await tab.click("#b");
    await tab.until(
      (each) => document.querySelector("form[data-rhtmx-state]")?.dataset.time === each,
      `${time}`,
    );
  }
  assert.equal((await ask("posted", 3)).length, 3);
}

const both = (scenario, ...more) =>
  ["2", "4"].map((version) => (tools) => scenario(tools, version, ...more));

export const [aButtonThatPostsTheFormIsHeld2, aButtonThatPostsTheFormIsHeld4] = both(button);
export const [theButtonThatPostsIsChecked2, theButtonThatPostsIsChecked4] = both(wrongButton);
export const [
  aButtonThatSubmitsNothingIsCheckedAsItIsSent2,
  aButtonThatSubmitsNothingIsCheckedAsItIsSent4,
] = both(plainButton);
export const [aLinkThatPostsTheFormIsHeld2, aLinkThatPostsTheFormIsHeld4] = both(link);
export const [whatHasTheRoleOfAButtonIsHeld2, whatHasTheRoleOfAButtonIsHeld4] = both(roleOfAButton);
export const [aButtonThatSaysSoIsNotHeld2, aButtonThatSaysSoIsNotHeld4] = both(exempt);
export const [theBrowsersChecksComeFirst2, theBrowsersChecksComeFirst4] = both(browsersChecks);
export const [aSecondClickOnTheButtonIsRefused2, aSecondClickOnTheButtonIsRefused4] = both(
  secondClick,
  two(BUTTON),
);
export const [aSecondSubmissionIsRefused2, aSecondSubmissionIsRefused4] = both(
  secondClick,
  POSTING,
);
export const [whatFailedMayBeSentAgain2, whatFailedMayBeSentAgain4] = both(failed);
export const [theFocusElsewhereSendsNoOtherButton2, theFocusElsewhereSendsNoOtherButton4] =
  both(focusElsewhere);
export const [anErrorGoesWithAFieldThatIsSwapped2, anErrorGoesWithAFieldThatIsSwapped4] =
  both(swapped);
export const [aFormThatItsPostReplacesIsSentEachTime2, aFormThatItsPostReplacesIsSentEachTime4] =
  both(swappedItself);
