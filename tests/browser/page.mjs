/** What holds for the page as such. */
import assert from "node:assert/strict";

/** Contrast of normal text, WCAG 2.2 criterion 1.4.3. */
const CONTRAST = 4.5;

/** A list and a form in which everything that the page can show is there. */
async function fill(window) {
  const id = await window.add("Look at this");
  await window.field(id, "done").check();
  await window.saved();
  await window.page.getByRole("button", { name: "Send" }).click();
  await window.page.getByText("2 fields need another look.").waitFor();
}

export async function everyControlHasANameAndEveryPartItsLandmark({ open }) {
  const window = await open();
  await fill(window);
  const tree = await window.page.locator("body").ariaSnapshot();
  for (const part of [
    "- banner:", "- main:", "- contentinfo:", 'region "Shared tasks"', 'region "Contact form"',
    'textbox "New task"', 'checkbox "Done: Look at this"', 'textbox "Title"',
    'textbox "Assigned to: Look at this"', 'button "Remove: Look at this"',
    'textbox "Email"', 'combobox "Answer me by"', 'textbox "Phone"', 'textbox "Message"',
  ]) assert.ok(tree.includes(part), `no ${part} in\n${tree}`);
  const nameless = /- '?(textbox|checkbox|combobox|button|link)(?! ")/.exec(tree);
  assert.equal(nameless, null, `${nameless} without a name in\n${tree}`);
  assert.equal(await window.page.locator("html").getAttribute("lang"), "en");
  assert.equal(await window.page.locator("h1").count(), 1);
}

export async function errorsBelongToTheirFields({ open }) {
  const window = await open();
  await fill(window);
  const controls = window.page.locator("#contact [aria-describedby]");
  const described = await controls.evaluateAll((all) =>
    all.map((control) => {
      const ids = control.getAttribute("aria-describedby").split(" ");
      const words = ids.map((id) => document.getElementById(id).textContent).join(" ");
      return [control.name, control.getAttribute("aria-invalid"), words.trim()];
    }),
  );
  assert.deepEqual(described, [
    ["email", "true", "Email is required."],
    ["answer", "false", ""],
    ["phone", null, ""],
    ["message", "true", "At least 10 characters. Message is required."],
  ]);
}

export async function theKeyboardReachesEverythingAndItShowsWhere({ open }) {
  const window = await open();
  await window.add("Reach me");
  await window.saved();
  const reached = [];
  for (;;) {
    await window.page.keyboard.press("Tab");
    const [name, outline] = await window.page.evaluate(() => {
      const element = document.activeElement;
      const label = element.labels?.[0]?.textContent ?? element.textContent.trim();
      return [element.ariaLabel ?? label, getComputedStyle(element).outlineStyle];
    });
    if (reached.includes(name) || name === "") break;
    assert.equal(outline, "solid", `no outline on ${name}`);
    reached.push(name);
    if (name === "Send") break;
  }
  assert.deepEqual(reached, [
    "Add", "Done: Reach me", "Title", "Assigned to: Reach me", "Remove: Reach me",
    "Email", "Answer me by", "Phone", "Message", "Send",
  ]);
}

export async function textsStandOutInLightAndDark({ open }) {
  for (const colorScheme of ["light", "dark"]) {
    const window = await open({ colorScheme, reducedMotion: "reduce" });
    await fill(window);
    const faint = await window.page.evaluate(findFaintTexts, CONTRAST);
    assert.deepEqual(faint, [], `in ${colorScheme}`);
    await window.page.getByRole("button", { name: "Remove: Look at this" }).click();
    await window.saved();
  }
}

export async function itFitsANarrowScreen({ open }) {
  const window = await open({ viewport: { width: 390, height: 844 } });
  await window.add("A task with a title that is a good deal wider than the screen of a telephone");
  await fill(window);
  const [content, screen] = await window.page.evaluate(() => {
    return [document.documentElement.scrollWidth, document.documentElement.clientWidth];
  });
  assert.equal(content, screen);
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
