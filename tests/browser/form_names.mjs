/** Controls and images may be called like what a script calls of a form or a document. */
import assert from "node:assert/strict";

import { isBound, isDone, isRefused, isWrong, open, sentOnce, valueIn } from "./form_tools.mjs";

/** As a page must not call them, and pages do. */
const NAMES = [
  "action",
  "addEventListener",
  "append",
  "attributes",
  "childNodes",
  "closest",
  "contains",
  "dataset",
  "dispatchEvent",
  "elements",
  "form",
  "getAttribute",
  "getAttributeNames",
  "getRootNode",
  "hasAttribute",
  "id",
  "isConnected",
  "length",
  "matches",
  "method",
  "name",
  "noValidate",
  "nodeType",
  "ownerDocument",
  "parentNode",
  "querySelector",
  "querySelectorAll",
  "reportValidity",
  "requestSubmit",
  "reset",
  "submit",
  "target",
  "textContent",
];

export async function controlsMayBeCalledLikeThePropertiesOfAForm(tools) {
  const { tab } = tools;
  const named = NAMES.map((each) => `<input name="${each}">`).join("");
  await open(
    tools,
    `
    <form data-rhtmx-form="names" action="/done" method="post"><input id="t" name="title">
    <button id="send">Send</button>${named}</form>`,
  );
  await tab.type("#t", "x");
  await isWrong(tab, "#t");
  // A driver's own click may go by what is hidden here.
  const send = () => tab.evaluate(() => document.querySelector("#send").click());
  await send();
  await isRefused(tab);
  await tab.type("#t", "yz");
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueIn(tab, "#t"), "xyz");
  await send();
  await isDone(tab);
  assert.equal((await sentOnce(tools))[0], "title=xyz");
}

export async function imagesMayBeCalledLikeThePropertiesOfADocument(tools) {
  const { tab, ask } = tools;
  const names = [
    "activeElement",
    "addEventListener",
    "body",
    "createElement",
    "currentScript",
    "forms",
    "querySelector",
    "querySelectorAll",
    "readyState",
    "visibilityState",
  ];
  const named = names
    .map((each) => `<img name="${each}" alt="" data-url="ws://nowhere/">`)
    .join("");
  await ask("show", "/form", {
    body: `
    ${named}<form data-rhtmx-form="names" action="/done" method="post"><input id="t" name="title">
    <button id="send">Send</button></form>`,
  });
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
