/**
 * What programs can find out about the page in each of its states: what axe, the
 * checker of accessibility, says, and whether everything fits and can be hit.
 *
 * What the page is like for its users is in `page.mjs`.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { fill } from "./page.mjs";

const AXE = new URL("../../clients/typescript/node_modules/axe-core/axe.min.js", import.meta.url);

/** Everything that axe 4.14 knows of WCAG 2.2 up to level AA, and what it calls best practice. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Pixels that whatever is hit with a pointer has at least, WCAG 2.2 criterion 2.5.8. */
const TARGET = 24;

/** 320 is what a page of 1280 has where its user makes everything four times as large (1.4.10). */
const NARROW = { width: 320, height: 640, colorScheme: "dark" };
const WIDE = { width: 1280, height: 900, colorScheme: "light" };

/**
 * Fails if anything is found, on a narrow dark screen and on a wide light one.
 *
 * @param least so many rules of axe have something to look at, and more.
 */
export async function holds({ page }, state, least = 30) {
  // Evaluated, as the page's Content Security Policy lets no foreign script in.
  if (!(await page.evaluate(() => "axe" in window)))
    await page.evaluate(await readFile(AXE, "utf8"));
  for (const { colorScheme, ...screen } of [NARROW, WIDE]) {
    await page.setViewportSize(screen);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const where = `${state}, ${colorScheme}, ${screen.width} wide`;
    assert.deepEqual(await page.evaluate(findUnfit, TARGET), [], where);
    assert.deepEqual(await violations(page, least), [], where);
  }
}

async function violations(page, least) {
  const { violations: found, passes } = await page.evaluate(
    (values) => window.axe.run({ runOnly: { type: "tag", values }, resultTypes: ["violations"] }),
    TAGS,
  );
  assert.ok(passes.length > least, "axe has looked at the page");
  return found.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, any, all, none }) => {
      const [{ message } = {}] = [...any, ...all, ...none];
      return `${impact}: ${id}: ${message}: ${html.slice(0, 200)}`;
    }),
  );
}

/** Runs in the page: what is cut off, makes it scroll sideways, or is smaller than `least`. */
function findUnfit(least) {
  const unfit = [];
  const note = (element, why) => unfit.push(`${why}: ${element.outerHTML.slice(0, 100)}`);
  const wider = (element) => element.scrollWidth > element.clientWidth + 1;
  if (wider(document.documentElement)) note(document.documentElement, "scrolls sideways");
  // A table has two dimensions: it may be scrolled by itself (1.4.10).
  for (const element of document.body.querySelectorAll("*:not(.records, .records *)")) {
    if (!element.checkVisibility()) continue;
    const { left, right, width, height } = element.getBoundingClientRect();
    if (left < 0 || right > document.documentElement.clientWidth) note(element, "off the screen");
    if (getComputedStyle(element).display !== "inline" && wider(element)) note(element, "cut");
    if (element.matches("textarea[data-field]:not([data-field=notes])")) {
      if (element.scrollHeight > element.clientHeight + 1) note(element, "cut below");
    }
    if (element.matches("input[placeholder]") && element.value === "") {
      element.value = element.placeholder;
      if (wider(element)) note(element, "its placeholder is cut");
      element.value = "";
    }
    const target = "a, button, input, select, textarea, [tabindex], [draggable=true]";
    if (element.matches(target) && Math.min(width, height) < least) note(element, "too small");
  }
  return unfit;
}

const LONG = [
  "A task with a title that is a good deal wider than the screen of a telephone",
  "OrATitleOfOneSingleWordThatIsAGoodDealWiderThanTheScreenOfATelephone",
];

export async function nothingIsFoundOnABoardThatIsEmptyOrFull({ open, ask }) {
  const window = await open();
  await window.page.getByText("Nothing to do yet.").waitFor();
  await holds(window, "an empty board");
  for (const [number, column] of ["todo", "doing", "done"].entries()) {
    const notes = "The first line\nand the second one";
    for (const [n, title] of LONG.entries()) {
      const task = { title, column, assignee: n ? "" : "Somebody whose name is long, too", notes };
      await ask("push", "tasks", `${number}${n}`, task);
    }
    await ask("push", "members", `member-${number}`, { joined: "2026-01-01T00:00:00Z" });
  }
  await window.page.getByText("6 tasks, everything is saved.").waitFor();
  await window.page.getByText("3 members").waitFor();
  await holds(window, "a full board");
}

export async function nothingIsFoundWhileConflictsAreOpen({ open, ask }) {
  const [window, other] = await Promise.all([open(), open()]);
  const [won, lost, gone] = [
    await window.add("One"),
    await window.add("Two"),
    await window.add("Three"),
  ];
  await window.saved();
  await other.find("Three");
  await window.goOffline();
  await window.write(lost, "assignee", "Mine");
  await ask("patch", "tasks", won, { title: "Theirs", column: "doing" });
  await ask("patch", "tasks", lost, { assignee: "Theirs" });
  await other.remove(gone);
  await other.saved();
  await window.write(won, "title", LONG[1]);
  await window.move(won, "done");
  await window.write(gone, "title", "Mine");
  await window.goOnline();
  await window.conflict(won, "title").waitFor();
  await window.conflict(won, "column").waitFor();
  await window.conflict(lost, "assignee").getByText("theirs stays").waitFor();
  await window.conflict(gone, "title").getByText("yours brought it back").waitFor();
  await window.saved();
  await holds(window, "conflicts");
  await window.conflict(won, "title").getByRole("button", { name: "Merge" }).click();
  await holds(window, "a conflict that is being merged");
}

export async function nothingIsFoundOnAPageOnWhichEverythingIsThere({ open, ask }) {
  const window = await open();
  await fill(window, ask);
  await holds(window, "offline, with a conflict, a refused write, notices and errors");
  await window.goOnline();
  await window.page.getByRole("button", { name: /^Retry/ }).focus();
  await holds(window, "online again");
}

export async function nothingIsFoundWhileTextsAreBeingWritten({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  const [kept, gone] = [await one.add("Kept"), await one.add("Gone")];
  await other.find("Gone");
  await one.field(gone, "notes").fill("A long thought");
  await other.remove(gone);
  await one.page.getByText("while you were writing").waitFor();
  await one.field(kept, "title").pressSequentially(" in");
  await other.write(kept, "title", "Theirs");
  await one.page.getByText("Another window saved “Theirs” meanwhile.").waitFor();
  await holds(one, "a text that another window has overtaken");
  await one.reload();
  await one.page.getByText("What you were writing is still here").waitFor();
  await holds(one, "a text from before a reload");
}

export async function nothingIsFoundInTheFormWithAndWithoutErrors({ open }) {
  const window = await open();
  const { page } = window;
  await page.getByLabel("Age").fill("15");
  await page.getByRole("button", { name: "Sign up" }).click();
  // Of a form that the page refuses, the server is asked about single fields only.
  await page.getByLabel("Guardian’s email").fill("ada@example.com");
  await page.getByLabel("Guardian’s email").fill("");
  for (const name of ["username", "email", "guardian"]) {
    await page.locator(`#${name}-error:not(:empty)`).waitFor();
  }
  await holds(window, "errors");
  await page.getByLabel("Username").fill("ada");
  await page.getByLabel("Email", { exact: true }).fill("ada@example.com");
  await page.getByLabel("Age").fill("36");
  await page.locator("#guardian-error:empty").waitFor({ state: "attached" });
  await window.goOffline();
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.locator("#signup[data-rhtmx-state=waiting]").waitFor();
  await holds(window, "a form that waits");
  await window.goOnline();
  await page.getByText("Welcome, ada.").waitFor();
  await holds(window, "a new member");
}

export async function nothingIsFoundWithoutAConnection({ open }) {
  const window = await open();
  await window.page.routeWebSocket(/\/api\/ws/, () => {});
  await window.page.reload();
  await window.connection("connecting");
  await holds(window, "connecting");
  await window.page.unrouteAll();
  await window.page.routeWebSocket(/\/api\/ws/, (socket) => socket.close({ code: 4504 }));
  await window.page.reload();
  await window.connection("closed");
  await holds(window, "refused for good");
}

export async function whatIsWrongIsFound({ open }) {
  const { page } = await open();
  await holds({ page }, "as it is");
  const spoilt = async (spoil, words) => {
    await page.evaluate(spoil);
    await assert.rejects(holds({ page }, "spoilt"), words, String(spoil));
    await page.reload();
  };
  await spoilt(() => document.querySelector("label[for=email]").remove(), /critical: label/);
  await spoilt(
    () => document.querySelector(".lead").style.setProperty("color", "#777"),
    /serious: color/,
  );
  await spoilt(
    () => (document.querySelector("main").style.width = "330px"),
    /off the screen|sideways/,
  );
  await spoilt(
    () => (document.querySelector("#add-title").placeholder = "x".repeat(60)),
    /placeholder is cut/,
  );
  await spoilt(
    () => (document.querySelector("#offline").style.cssText = "min-height: 0; height: 20px"),
    /too small/,
  );
}
