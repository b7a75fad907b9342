/** Strings that want to run, in every place that shows what others wrote. */
import assert from "node:assert/strict";

/**
 * Runs in the page: its elements without those that are made of templates, and
 * whatever should not be there: an item that is not as its template, an attribute
 * that runs or leads somewhere, the global that the strings want to set.
 */
function inspect() {
  const templates = {
    conflict: ".conflict",
    card: ".card",
    member: ".member",
    queued: "#queue > *",
    "rejected-write": "#rejected > *",
    past: "#conflicts > *, #open-conflicts > *",
    misfit: "#unreadable > *",
    notice: ".notice",
  };
  const shape = (root) => [...root.querySelectorAll("*")].map(({ tagName }) => tagName).join(" ");
  const foreign = window.pwned === undefined ? [] : ["the global was set"];
  const page = document.documentElement.cloneNode(true);
  for (const element of page.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      const runs = name.startsWith("on") || name === "style" || name === "srcdoc";
      const leads = ["href", "src", "action"].includes(name) && !/^[/#][\w./-]*$/.test(value);
      if (runs || leads) foreign.push(`${element.tagName}[${name}=${value}]`);
    }
  }
  for (const [name, selector] of Object.entries(templates)) {
    const { content } = document.querySelector(`template#${name}`);
    const wanted = shape(content.firstElementChild);
    for (const item of page.querySelectorAll(selector)) {
      if (shape(item) !== wanted) foreign.push(`${name}: ${shape(item)}`);
      item.remove();
    }
  }
  return { foreign, rest: shape(page) };
}

/** A window, and a check that nothing in it was taken for more than text. */
async function watched(open) {
  const window = await open();
  const { rest } = await window.page.evaluate(inspect);
  const nothingRan = async () => {
    assert.deepEqual(await window.page.evaluate(inspect), { foreign: [], rest });
  };
  return { window, nothingRan };
}

export async function hostileStringsOfTasksAndMembersAreTexts({ open, ask }) {
  const { window, nothingRan } = await watched(open);
  const strings = await ask("push hostile strings");
  assert.equal(strings.length, 100);
  await window.wait(() => document.querySelectorAll(".card").length === 100, null, "all tasks");
  await window.wait(() => document.querySelectorAll(".member").length === 100, null, "all members");
  const { page } = window;
  const shown = await page
    .locator(".card")
    .evaluateAll((cards) =>
      cards.map((card) => [
        card.dataset.id,
        ...["title", "assignee", "notes"].map(
          (name) => card.querySelector(`[data-field=${name}]`).value,
        ),
      ]),
    );
  const oneLine = (text) => text.replace(/[\r\n]/g, "");
  for (const [number, text] of strings.entries()) {
    const id = `${String(number).padStart(3, "0")} ${text}`;
    const card = shown.find(([each]) => each === id);
    assert.deepEqual(card, [id, oneLine(text), oneLine(text), `Notes: ${text}`]);
  }
  const names = await page.locator("#members .name").allTextContents();
  assert.deepEqual(names.toSorted(), strings.toSorted());
  await nothingRan();
  await window.reload();
  await window.isLive();
  await nothingRan();
}

export async function hostileStringsOfConflictsAndRefusalsAreTexts({ open, ask }) {
  const { window, nothingRan } = await watched(open);
  const strings = await ask("push hostile strings");
  await window.wait(() => document.querySelectorAll(".card").length === 100, null, "all tasks");
  await window.goOffline();
  const ids = strings.map((text, number) => `${String(number).padStart(3, "0")} ${text}`);
  // Typed at once, as no person could: 100 titles, and ten notes that are too long.
  await window.page.evaluate(
    ([ids, strings]) => {
      const cards = new Map(
        [...document.querySelectorAll(".card")].map((each) => [each.dataset.id, each]),
      );
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
  await nothingRan();
  await ask(
    "patch all",
    "tasks",
    Object.fromEntries(ids.slice(10).map((id, at) => [id, { title: `${strings[at + 10]} too` }])),
  );
  await window.goOnline();
  await window.wait(
    () => document.querySelectorAll("#rejected .entry").length === 10,
    null,
    "10 refusals",
  );
  await window.wait(
    () => document.querySelectorAll(".conflict").length === 90,
    null,
    "90 conflicts",
  );
  const mine = await window.page.locator(".conflict .mine").allTextContents();
  const theirs = await window.page.locator(".conflict .theirs").allTextContents();
  for (const [number, text] of strings.entries()) {
    if (number >= 10) assert.ok(theirs.includes(`“${text} too”`), text);
    if (number < 90) assert.ok(mine.includes(`“${text.trim()}”`), text);
  }
  const merges = window.page.locator(".conflict .merge");
  await merges.evaluateAll((buttons) => buttons.forEach((button) => button.click()));
  await nothingRan();
}

export async function hostileStringsInAFormAreTexts({ open, ask }) {
  const { window, nothingRan } = await watched(open);
  const { page } = window;
  const strings = await ask("push hostile strings");
  // Leaving a field judges it at once.
  await page.evaluate(async (strings) => {
    const field = document.querySelector("#username");
    const error = document.querySelector("#username-error");
    for (const text of strings) {
      field.focus();
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.blur();
      while (!error.textContent) await new Promise(requestAnimationFrame);
    }
  }, strings);
  await nothingRan();
}

export async function aTextThatBecomesAnElementIsNoticed({ open }) {
  const { window, nothingRan } = await watched(open);
  const id = await window.add("Harmless");
  await nothingRan();
  await window.card(id).evaluate((card) => card.append(document.createElement("input")));
  await assert.rejects(nothingRan, /card/);
}
