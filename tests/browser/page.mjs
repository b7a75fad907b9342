/** What holds for the page as such. */
import assert from "node:assert/strict";

/** Contrast of normal text, WCAG 2.2 criterion 1.4.3. */
const CONTRAST = 4.5;

/** A page on which everything that it can show is there. Returns the task's id. */
export async function fill(window, ask) {
  const { page } = window;
  const id = await window.add("Look at this");
  await window.saved();
  await ask("push", "tasks", "odd", { title: "Odd" });
  await ask("push", "members", "grace", { joined: "2026-01-01T00:00:00Z" });
  await window.goOffline();
  await ask("patch", "tasks", id, { title: "Theirs", notes: "Theirs too" });
  await ask("patch", "tasks", "odd", { title: "Refused" });
  await window.write(id, "title", "Look at that");
  await window.write("odd", "notes", "Refused");
  await window.goOnline();
  await window.conflict(id, "title").waitFor();
  await page.locator("#rejected .entry").waitFor();
  await window.remove(await window.add("Delete this"));
  await page.getByLabel("Age").fill("7");
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.locator("#username-error:not(:empty)").waitFor();
  await window.goOffline();
  await window.move(id, "doing");
  await window.field(id, "notes").fill("Being written");
  return id;
}

export async function everyControlHasANameAndEveryPartItsLandmark({ open, ask }) {
  const window = await open();
  const id = await fill(window, ask);
  await window.conflict(id, "title").getByRole("button", { name: "Merge" }).click();
  const tree = await window.page.locator("body").ariaSnapshot();
  for (const part of [
    "- banner:",
    "- main:",
    "- contentinfo:",
    'region "Task board"',
    'region "Sign up"',
    'region "Inspector"',
    'region "To do',
    'list "Doing"',
    'switch "Offline" [checked]',
    'textbox "New task"',
    'textbox "Title"',
    'textbox "Assigned to: Look at that"',
    'textbox "Notes: Look at that"',
    'combobox "Column: Look at that"',
    'button "Delete: Look at that"',
    'group "Conflict: Title"',
    'button "Use theirs"',
    'button "Keep mine"',
    'button "Merge" [expanded]',
    'textbox "One value from both"',
    'textbox "Username"',
    'textbox "Email"',
    'textbox "Age"',
    'textbox "Guardian’s email"',
    'list "Newest members"',
    'list "Waiting for the server"',
    'list "Rejected writes"',
    'button "Retry: tasks/odd: Notes “Refused”"',
    'list "Open conflicts"',
    'list "Last conflicts"',
    'group "Schema"',
    'list "Notices"',
  ])
    assert.ok(tree.includes(part), `no ${part} in\n${tree}`);
  const nameless = /- '?(textbox|checkbox|combobox|button|link|switch|list|region)\b(?! ")/.exec(
    tree,
  );
  assert.equal(nameless, null, `${nameless} without a name in\n${tree}`);
  assert.equal(await window.page.locator("html").getAttribute("lang"), "en");
  assert.equal(await window.page.locator("h1").count(), 1);
}

export async function errorsBelongToTheirFields({ open }) {
  const { page } = await open();
  await page.getByLabel("Age").fill("36");
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.locator("#username-error:not(:empty)").waitFor();
  const controls = page.locator("#signup [aria-describedby]");
  const described = await controls.evaluateAll((all) =>
    all.map((control) => {
      const ids = control.getAttribute("aria-describedby").split(" ");
      const words = ids.map((id) => document.getElementById(id).textContent).join(" ");
      return [control.name, control.getAttribute("aria-invalid"), words.trim()];
    }),
  );
  assert.deepEqual(described, [
    ["username", "true", "3 to 20 of a–z, 0–9, _ and -. Username is required."],
    ["email", "true", "Email is required."],
    ["age", "false", ""],
    ["guardian", null, "If you are younger than 18."],
  ]);
}

export async function theKeyboardReachesEverythingAndItShowsWhere({ open, ask }) {
  const window = await open();
  const id = await window.add("Reach me");
  await window.saved();
  assert.equal(await window.page.locator(".scroll").isVisible(), false, "nobody is in there");
  await ask("push", "members", "grace", { joined: "2026-01-01T00:00:00Z" });
  await window.page.getByText("1 member").waitFor();
  await window.page.getByRole("switch").focus();
  const reached = [];
  for (;;) {
    await window.page.keyboard.press("Tab");
    const [name, outline] = await window.page.evaluate(() => {
      const element = document.activeElement;
      const label = element.labels?.[0]?.textContent ?? element.textContent.trim();
      const name = element.ariaLabel ?? element.ariaLabelledByElements?.[0]?.textContent ?? label;
      return [name, getComputedStyle(element).outlineStyle];
    });
    if (reached.includes(name) || name === "") break;
    assert.equal(outline, "solid", `no outline on ${name}`);
    reached.push(name);
    if (name === "client.js") break;
  }
  assert.deepEqual(reached, [
    "New task",
    "Add",
    "Title",
    "Assigned to: Reach me",
    "Notes: Reach me",
    "Column: Reach me",
    "Delete: Reach me",
    "Who wrote what: Reach me",
    "Username",
    "Email",
    "Age",
    "Guardian’s email",
    "Sign up",
    "Newest members",
    "Task entity tasks",
    "Member entity members",
    "SignUp form signup",
    "Contact form contact",
    "client.js",
  ]);
  await window.card(id).waitFor();
}

export async function theFocusStaysNearWhatWasDeletedOrAnswered({ open, ask }) {
  const window = await open();
  const [first, second] = [await window.add("First"), await window.add("Second")];
  await window.remove(first);
  await window.card(second).locator(".remove:focus").waitFor();
  await window.page.keyboard.press("Enter");
  await window.page.locator("#add-title:focus").waitFor();
  const id = await window.add("Third");
  await window.saved();
  await window.goOffline();
  await ask("patch", "tasks", id, { title: "Theirs" });
  await window.write(id, "title", "Mine");
  await window.goOnline();
  await window.conflict(id, "title").getByRole("button", { name: "Keep mine" }).press("Enter");
  await window.card(id).locator("[data-field=title]:focus").waitFor();
}

export async function textsStandOutInLightAndDark({ open, ask }) {
  for (const colorScheme of ["light", "dark"]) {
    const window = await open({ colorScheme, reducedMotion: "reduce" });
    const id = await fill(window, ask);
    const faint = await window.page.evaluate(findFaintTexts, CONTRAST);
    assert.deepEqual(faint, [], `in ${colorScheme}`);
    await window.goOnline();
    await window.remove(id);
    await window.remove("odd");
    await window.saved();
  }
}

export async function aSwitchShowsWhetherItIsOnInColoursOfTheUsersChoice({ open }) {
  const window = await open();
  const { page } = window;
  for (const forcedColors of ["none", "active"]) {
    await page.emulateMedia({ forcedColors });
    const seen = async () => {
      // Neither the focus nor the pointer is what makes the difference.
      await page.evaluate(() => document.activeElement.blur());
      await page.mouse.move(0, 0);
      return (await page.locator("#offline").screenshot({ animations: "disabled" })).toString(
        "base64",
      );
    };
    const off = await seen();
    assert.equal(await seen(), off, "it looks the same as long as nothing has changed");
    await window.goOffline();
    assert.notEqual(await seen(), off, `forced colours: ${forcedColors}`);
    await window.goOnline();
  }
}

export async function aTitleOfOneLineIsShownWhole({ open }) {
  const window = await open({ viewport: { width: 320, height: 640 } });
  const title = "A task with a title that is a good deal wider than the screen of a telephone";
  const id = await window.add(title);
  await window.saved();
  const field = window.field(id, "title");
  const fits = () =>
    field.evaluate(({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight);
  assert.ok(await fits());
  await field.press("End");
  await field.pressSequentially(", and longer still");
  assert.ok(await fits(), "also while it is being written");
  await field.press("Enter");
  await window.saved();
  await window.reload();
  await window.shows(id, "title", `${title}, and longer still`);
}

export async function theInspectorSaysWhatTheClientKnows({ open, ask }) {
  const window = await open();
  const fact = (name, words) =>
    window.page.locator(`[data-fact=${name}]`, { hasText: words }).waitFor();
  await fact("connection", /^open$/);
  await fact("client", /^[\w-]{16,}$/);
  await ask("push", "members", "grace", {});
  await ask("push", "tasks", "1", { title: "Tea" });
  await fact("positions", /^\$conflicts\/tasks 0, members 1, tasks 1$/);
  await fact("epoch", /^\S{8,}$/);
  await fact("stored", /^2 records in this tab/);
  await window.goOffline();
  await fact("connection", /^offline$/);
  await window.write("1", "title", "Milk");
  const entry = /^\s*1\s+tasks\/1: Title “Milk”\s+since \d+:\d\d/;
  await window.page.locator("#queue .entry", { hasText: entry }).waitFor();
}

export async function theInspectorShowsTheSchemaOfTheApplication({ open }) {
  const { page } = await open();
  const schema = page.locator("#schema");
  await schema.getByText(/^version 1, hash [0-9a-f]{16}$/).waitFor();
  const titles = await schema.locator("summary").allInnerTexts();
  assert.deepEqual(titles, [
    "Task entity tasks",
    "Member entity members",
    "SignUp form signup",
    "Contact form contact",
  ]);
  const message = (title) => schema.locator(".message", { hasText: title });
  for (const title of titles) await message(title).locator("summary").click();
  const field = (title, name) =>
    message(title).locator(".fields > div", { has: page.getByText(name, { exact: true }) });
  const said = async (title, name) => {
    const words = await field(title, name).innerText();
    return words.split(/\n/).map((each) => each.trim());
  };
  assert.deepEqual(await said("Task entity", "assignee"), [
    "Assigned to assignee",
    "text",
    "Who does it: whoever is named first, stays.",
    "at most 100 characters",
    "merged: who was first, stays",
  ]);
  assert.deepEqual(await said("Member entity", "joined"), [
    "Joined joined",
    "date and time",
    "When that was, by the server's clock.",
    "written once, with the record",
    "begins as the server’s time",
  ]);
  assert.deepEqual(await said("SignUp form", "age"), [
    "Age age",
    "whole number",
    "required",
    "13 or more",
    "120 or less",
  ]);
  const words = await message("Task entity").innerText();
  assert.match(
    words,
    /notes_say_more \(Notes, Title\), otherwise “has notes that only repeat its title”/,
  );
}

export async function theInspectorShowsConflictsWithLabelsAndHowTheyWereMerged({ open, ask }) {
  const window = await open();
  const { page } = window;
  const id = await window.add("Apples");
  await window.saved();
  await window.goOffline();
  await ask("patch", "tasks", id, { assignee: "Grace" });
  await window.write(id, "assignee", "Linus");
  await window.goOnline();
  for (const list of ["#open-conflicts", "#conflicts"]) {
    const entry = page.locator(`${list} .entry`);
    await entry.getByText(`tasks/${id}: Assigned to: another window was first`).waitFor();
    await entry.getByText("Yours: “Linus”. Theirs: “Grace”.").waitFor();
    await entry.getByText("Merged: who was first, stays.").waitFor();
  }
  await window.conflict(id, "assignee").getByRole("button", { name: "Use theirs" }).click();
  await page.getByText("No conflict waits for an answer.").waitFor();
  await page.locator("#conflicts .entry").waitFor();
}

export async function anInlineScriptDoesNotRunAndIsNoticed({ open }) {
  const { page } = await open();
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'executed'";
    document.body.append(script);
  });
  assert.notEqual(await page.title(), "executed");
}

/** Runs in the page: texts whose contrast (WCAG 2.2, relative luminance) is below `least`. */
function findFaintTexts(least) {
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const background = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!(own || element.value) || !element.checkVisibility()) continue;
    const pair = [parse(getComputedStyle(element).color), background(element)].map(luminance);
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < least) faint.push(`${element.outerHTML.slice(0, 80)}: ${contrast.toFixed(2)}`);
  }
  return faint;
}
