/** What a user typed and did not send: back in the very same form, and in no other. */
import assert from "node:assert/strict";

import { isBound, isDone, isRefused, open, textOf, valueIn } from "./form_tools.mjs";

const edit = (id, title, more = "") => `
  <form data-rhtmx-form="task" action="/save" method="post" hx-post="/save" hx-target="#out" ${more}>
  <input type="hidden" name="record" value="${id}"><input name="title" value="${title}">
  <input name="note"><button id="save">Save</button></form><p id="out"></p>`;

/** Leaves the page, and returns what it has kept. */
async function kept({ tab, ask }) {
  await ask("show", "/away", { body: "Away." });
  await tab.goto("/away");
  return tab.evaluate(() => JSON.stringify({ ...sessionStorage }));
}

export async function whatWasTypedIsBackAfterAReloadAndAnother(tools) {
  const { tab } = tools;
  await open(
    tools,
    `
    <form data-rhtmx-form="several"><input name="line"><input id="second" name="line">
    <input type="checkbox" name="agree" value="true"><input type="radio" name="size" value="s" checked>
    <input type="radio" name="size" value="m"><select name="tags"><option>red<option>blue</select></form>`,
  );
  await tab.type("#second", "two");
  await tab.click("[name=agree]");
  await tab.click("[value=m]");
  await tab.type("select", "b");
  for (const time of ["first", "second"]) {
    await tab.reload();
    await isBound(tab);
    const found = await tab.evaluate(() => [...new FormData(document.forms[0])].map(String));
    const typed = ["line,", "line,two", "agree,true", "size,m", "tags,blue"];
    assert.deepEqual(found, typed, `the ${time} time`);
  }
}

export async function whatAScriptPutThereIsNotKept(tools) {
  const { tab } = tools;
  await open(tools, edit(1, ""));
  await tab.evaluate(() => {
    document.querySelector("[name=note]").value = "by a script";
    document.querySelector("[name=note]").dispatchEvent(new Event("input", { bubbles: true }));
  });
  await tab.type("[name=title]", "typed");
  const all = await kept(tools);
  assert.ok(all.includes("typed") && !all.includes("script"), all);
}

export async function theTextForOneRecordStaysOutOfAnother(tools) {
  const { tab, ask } = tools;
  await open(tools, edit(1, "Pay the rent"), { path: "/edit?id=1" });
  await tab.type("[name=title]", " and the gas");
  await tab.type("[name=note]", "for record 1");
  // A link to a page of the same path.
  await open(tools, edit(2, "Call the bank"), { path: "/edit?id=2" });
  assert.equal(await valueIn(tab, "[name=title]"), "Call the bank");
  assert.equal(await valueIn(tab, "[name=note]"), "");
  // The same address shows another record now, whose note is empty as well.
  await tab.type("[name=note]", "for record 2");
  await ask("show", "/edit?id=2", { body: edit(3, "Call the bank") });
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueIn(tab, "[name=note]"), "");
}

export async function whatTheServerRendersAnewStays(tools) {
  const { tab, ask } = tools;
  await open(tools, edit(1, "Pay the rent"));
  await tab.type("[name=title]", " and the gas");
  await tab.type("[name=note]", "soon");
  await ask("show", "/form", { body: edit(1, "Paid") });
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueIn(tab, "[name=title]"), "Paid");
  assert.equal(await valueIn(tab, "[name=note]"), "soon");
}

export async function aFormThatWasAnsweredHasNoDraft(tools) {
  const { tab, ask } = tools;
  await ask("answer", "/save", { location: "/done" });
  await open(tools, edit(1, "Pay the rent"));
  await tab.type("[name=title]", " and the gas");
  await tab.click("#save");
  await isDone(tab);
  assert.equal(await tab.evaluate(() => sessionStorage.length), 0);
}

export async function aFormWhosePostFailedHasItsDraft(tools) {
  const { tab, ask } = tools;
  await ask("answer", "/save", { status: 500, body: "<p>Sorry.</p>" });
  // No page with such a listener is kept by the browser itself.
  await open(tools, `${edit(1, "Pay the rent")}<script>onunload = () => {};</script>`);
  await tab.type("[name=title]", " and the gas");
  await tab.click("#save");
  await tab.until(() => document.body?.textContent.includes("Sorry."));
  const all = await tab.evaluate(() => JSON.stringify({ ...sessionStorage }));
  assert.match(all, /and the gas/);
  await tab.back();
  await isBound(tab);
  assert.equal(await valueIn(tab, "[name=title]"), "Pay the rent and the gas");
}

export async function aFormThatIsRefusedOrResetAndItsDraft(tools) {
  const { tab } = tools;
  await open(tools, edit(1, ""));
  await tab.type("[name=title]", "x");
  await tab.click("#save");
  await isRefused(tab);
  assert.match(await kept(tools), /"x\\"/);
  await tab.back();
  await isBound(tab);
  assert.equal(await valueIn(tab, "[name=title]"), "x");
  await tab.evaluate(() => document.querySelector("form").reset());
  assert.doesNotMatch(await kept(tools), /"x\\"/);
}

async function opensForms(tools, version) {
  const { tab, ask } = tools;
  const more = `<button id="open1" hx-get="/1" hx-target="#modal">1</button>
    <button id="open2" hx-get="/2" hx-target="#modal">2</button><div id="modal"></div>`;
  await ask("show", "/1", { body: edit(1, "") });
  await ask("show", "/2", { body: edit(2, "") });
  await ask("show", "/form", { body: more, htmx: version });
  await tab.goto("/form");
  return async (id) => {
    await tab.click(`#open${id}`);
    await tab.until((each) => document.querySelector("[name=record]")?.value === each, `${id}`);
    await isBound(tab);
  };
}

async function abandoned(tools, version) {
  const { tab } = tools;
  const opens = await opensForms(tools, version);
  await opens(1);
  await tab.type("[name=title]", "scrap");
  await opens(2);
  assert.equal(await valueIn(tab, "[name=title]"), "");
  await opens(1);
  assert.equal(await valueIn(tab, "[name=title]"), "");
  await tab.type("[name=title]", "scrap");
  await tab.evaluate(() => (document.querySelector("#modal").innerHTML = ""));
  await tab.reload();
  await opens(1);
  assert.equal(await valueIn(tab, "[name=title]"), "");
  await tab.type("[name=title]", "not done yet");
  await tab.reload();
  await opens(2);
  assert.equal(await valueIn(tab, "[name=title]"), "");
  await opens(1);
  assert.equal(await valueIn(tab, "[name=title]"), "not done yet");
}

async function posted(tools, version, status, left) {
  const { tab, ask } = tools;
  await ask("answer", "/save", { status, body: "Answered." });
  await open(tools, edit(1, "Pay the rent"), { htmx: version });
  await tab.type("[name=title]", " and the gas");
  await tab.evaluate(() => {
    for (const type of ["htmx:afterRequest", "htmx:finally:request"]) {
      addEventListener(type, () => (window.isAnswered = true));
    }
  });
  await tab.click("#save");
  await tab.until(() => window.isAnswered);
  await tab.reload();
  await isBound(tab);
  assert.equal(await valueIn(tab, "[name=title]"), left);
  assert.equal(await textOf(tab, "#out"), "");
}

const both = (scenario) => ["2", "4"].map((version) => (tools) => scenario(tools, version));

export const [aFormThatWasGivenUpIsNotBack2, aFormThatWasGivenUpIsNotBack4] = both(abandoned);
export const [aFormThatHtmxPostedHasNoDraft2, aFormThatHtmxPostedHasNoDraft4] = both(
  (tools, version) => posted(tools, version, 200, "Pay the rent"),
);
export const [aFormThatHtmxCouldNotPostHasItsDraft2, aFormThatHtmxCouldNotPostHasItsDraft4] = both(
  (tools, version) => posted(tools, version, 500, "Pay the rent and the gas"),
);
