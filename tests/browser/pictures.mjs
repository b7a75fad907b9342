/** The pictures of the documentation. */
import { join } from "node:path";

const BOARD = [
  ["Write the release notes", "Ada", "Mention the offline mode,\nand thank everybody.", "doing"],
  ["Book a room for Thursday", "Grace", "", "done"],
  ["Check the backups", "", "Restore one, to be sure.", "todo"],
  ["Water the plants", "Linus", "", "todo"],
];
const MEMBERS = ["hedy", "linus", "barbara", "ada", "grace"];

/** A board that has been in use for a while. Returns the ids of its tasks. */
async function inUse(window, ask) {
  for (const [number, [title, assignee, notes, column]] of BOARD.entries()) {
    await ask("push", "tasks", `000${number}`, { title, assignee, notes, column });
  }
  for (const [number, name] of MEMBERS.entries()) {
    await ask("push", "members", name, { joined: `2026-11-2${number}T10:15:00Z` });
  }
  await window.find("Water the plants");
}

/** Takes a picture of one part of the page, or of all down to the end of that part. */
async function shoot(window, pictures, name, heading, fromTop = false) {
  const part = window.page.locator(`section[aria-labelledby=${heading}]`);
  await window.page.evaluate(() => document.activeElement?.blur());
  const path = join(pictures, name);
  if (!fromTop) return part.screenshot({ path });
  const { y, width, height, x } = await part.boundingBox();
  const clip = { x: 0, y: 0, width: x + width + x, height: y + height + 12 };
  await window.page.screenshot({ path, fullPage: true, clip });
}

export async function aPictureOfTheBoard({ open, ask, pictures }) {
  const viewport = { width: 1280, height: 800 };
  const window = await open({ viewport, colorScheme: "light", reducedMotion: "reduce" });
  await inUse(window, ask);
  await window.goOffline();
  await ask("patch", "tasks", "0002", { title: "Check the backups tonight" });
  await window.write("0002", "title", "Check all backups");
  await window.goOnline();
  await window.conflict("0002", "title").waitFor();
  await window.write("0001", "notes", "The large one, with a view");
  await window.saved();
  await window.card("0001").getByText("Who wrote what").click();
  await window.card("0001").getByText("Notes you").waitFor();
  await window.goOffline();
  await window.move("0003", "doing");
  await window.add("Call the printer");
  await shoot(window, pictures, "demo.png", "board-heading", true);
}

export async function aPictureOfTheInspector({ open, ask, pictures }) {
  const viewport = { width: 1280, height: 1000 };
  const window = await open({ viewport, colorScheme: "dark", reducedMotion: "reduce" });
  await inUse(window, ask);
  await window.goOffline();
  await ask("patch", "tasks", "0002", { assignee: "Grace" });
  await ask("patch", "tasks", "0003", { title: "Water the plants twice a week" });
  await window.write("0002", "assignee", "Linus");
  await window.write("0003", "notes", "Water the plants twice a week");
  await window.goOnline();
  await window.page.locator("#rejected .entry").waitFor();
  await window.goOffline();
  await window.write("0000", "title", "Write the notes");
  await window.move("0001", "todo");
  await window.page.locator("#schema summary").first().click();
  await shoot(window, pictures, "demo-inspector.png", "inspector-heading");
}

export async function aPictureOfTheForm({ open, ask, pictures }) {
  const viewport = { width: 390, height: 844 };
  const window = await open({ viewport, colorScheme: "light", reducedMotion: "reduce" });
  await inUse(window, ask);
  const { page } = window;
  await page.getByLabel("Username").fill("grace");
  await page.locator("#email").fill("grace@example.com");
  await page.getByLabel("Age").fill("15");
  await page.getByLabel("Guardian’s email").fill("grace@example.com");
  await page.getByLabel("Guardian’s email").blur();
  await page.locator("#username-error:not(:empty)").waitFor();
  await page.locator("#guardian-error:not(:empty)").waitFor();
  await shoot(window, pictures, "demo-signup.png", "signup-heading");
}
