/** Strings that want to run, in every place that shows what others wrote. */
import assert from "node:assert/strict";

/** Runs in the page: what is there that the page itself did not put there. */
function findForeign() {
  const own = new Set(
    ("HTML HEAD META TITLE LINK SCRIPT BODY HEADER DIV H1 IMG P STRONG SPAN BUTTON MAIN NOSCRIPT " +
      "SECTION H2 A FORM LABEL INPUT UL LI SELECT OPTION H3 DL DT DD OL FOOTER TEMPLATE TEXTAREA")
      .split(" "),
  );
  const once = { SCRIPT: 1, IMG: 1, LINK: 2, META: 3, A: 5 };
  const found = [];
  const counts = {};
  for (const element of document.querySelectorAll("*")) {
    const { tagName } = element;
    if (element.closest(".refused")) continue;
    counts[tagName] = (counts[tagName] ?? 0) + 1;
    if (!own.has(tagName) || counts[tagName] > (once[tagName] ?? Infinity)) found.push(tagName);
    for (const { name, value } of element.attributes) {
      const runs = name.startsWith("on") || name === "style" || name === "srcdoc";
      const leads = ["href", "src", "action"].includes(name) && !/^[/#][\w./-]*$/.test(value);
      if (runs || leads) found.push(`${tagName}[${name}=${value}]`);
    }
  }
  if (window.pwned !== undefined) found.push("the global was set");
  return found;
}

async function nothingRan({ page }) {
  assert.deepEqual(await page.evaluate(findForeign), []);
}

export async function hostileStringsOfTasksAndMembersAreTexts({ open, ask }) {
  const window = await open();
  const strings = await ask("push hostile strings");
  assert.equal(strings.length, 100);
  await window.wait(() => document.querySelectorAll(".card").length === 100, null, "all tasks");
  await window.wait(() => document.querySelectorAll(".member").length === 100, null, "all members");
  const { page } = window;
  const shown = await page.locator(".card").evaluateAll((cards) =>
    cards.map((card) => [
      card.dataset.id,
      ...["title", "assignee", "notes"].map((name) => card.querySelector(`[data-field=${name}]`).value),
    ]),
  );
  const oneLine = (text) => text.replace(/[\r\n]/g, "");
  for (const [number, text] of strings.entries()) {
    const id = `${String(number).padStart(3, "0")} ${text}`;
    const card = shown.find(([each]) => each === id);
    assert.deepEqual(card, [id, oneLine(text), oneLine(text), text]);
  }
  const names = await page.locator("#members .name").allTextContents();
  assert.deepEqual(names.toSorted(), strings.toSorted());
  await nothingRan(window);
  await window.reload();
  await window.isLive();
  await nothingRan(window);
}

export async function hostileStringsOfConflictsAndRefusalsAreTexts({ open, ask }) {
  const window = await open();
  const strings = await ask("push hostile strings");
  await window.wait(() => document.querySelectorAll(".card").length === 100, null, "all tasks");
  await window.goOffline();
  const ids = strings.map((text, number) => `${String(number).padStart(3, "0")} ${text}`);
  // Typed at once, as no person could: 100 titles, and ten notes that are too long.
  await window.page.evaluate(
    ([ids, strings]) => {
      const cards = new Map([...document.querySelectorAll(".card")].map((each) => [each.dataset.id, each]));
      const type = (id, field, text) => {
        const control = cards.get(id).querySelector(`[data-field=${field}]`);
        control.value = text;
        control.dispatchEvent(new Event("input", { bubbles: true }));
        control.dispatchEvent(new Event("change", { bubbles: true }));
      };
      for (const [number, id] of ids.entries()) {
        if (number < 10) type(id, "notes", strings[99 - number] + "!".repeat(4000));
        else type(id, "title", strings[99 - number]);
      }
    },
    [ids, strings],
  );
  await nothingRan(window);
  await ask(
    "patch all",
    "tasks",
    Object.fromEntries(ids.slice(10).map((id, at) => [id, { title: `${strings[at + 10]} too` }])),
  );
  await window.goOnline();
  await window.wait(() => document.querySelectorAll("#rejected .entry").length === 10, null, "10 refusals");
  await window.wait(() => document.querySelectorAll(".conflict").length === 90, null, "90 conflicts");
  const mine = await window.page.locator(".conflict .mine").allTextContents();
  const theirs = await window.page.locator(".conflict .theirs").allTextContents();
  for (const [number, text] of strings.entries()) {
    if (number >= 10) assert.ok(theirs.includes(`“${text} too”`), text);
    if (number < 90) assert.ok(mine.includes(`“${text.trim()}”`), text);
  }
  for (const merge of await window.page.locator(".conflict .merge").all()) await merge.click();
  await nothingRan(window);
}

export async function hostileStringsInAFormAreTexts({ open, ask }) {
  const window = await open();
  const { page } = window;
  const strings = await ask("push hostile strings");
  const field = page.getByLabel("Username");
  const error = page.locator("#username-error");
  // Leaving a field asks at once; the error quotes what was typed.
  for (const text of strings) {
    await field.fill(text);
    await field.blur();
    await error.filter({ hasText: `“${text}”` }).waitFor();
  }
  await nothingRan(window);
}
