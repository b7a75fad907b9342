/** The component of the documentation. */
import assert from "node:assert/strict";

export async function theDocumentedBoardRendersAndIsLive({ open, ask }) {
  await ask("push", "tasks", "1", { title: "One" });
  const tab = await open("/board");
  await tab.waitFor(() => document.querySelector("li input")?.value === "One");
  await ask("push", "tasks", "1", { title: "Two" });
  await ask("push", "tasks", "2", { title: "Three" });
  const titles = () => [...document.querySelectorAll("li input")].map(({ value }) => value).join();
  await tab.waitFor(`() => (${titles})() === "Two,Three"`);
  await tab.keys("li input", "!");
  await tab.waitFor(
    `() => (${titles})() === "Two!,Three" && !document.body.innerText.includes("…")`,
  );
  assert.equal((await ask("record", "tasks", "1")).title, "Two!");
}
