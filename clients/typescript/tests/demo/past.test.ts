// @vitest-environment happy-dom
import { readFileSync } from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";

import type { TaskPast } from "../../demo/past.ts";
import { Past } from "../../demo/past.ts";
import { settle } from "../support/client.ts";

// Relative to the package, where the tests run: here `URL` is that of a browser.
const PAGE = readFileSync("../../rhtmx_server/demo/static/index.html", "utf8");

let details: HTMLDetailsElement;
let ask: ReturnType<typeof vi.fn<() => Promise<TaskPast>>>;
let past: Past;

beforeEach(() => {
  const [author] = /<template id="author">[\s\S]*?<\/template>/.exec(PAGE)!;
  const [card] = /<details class="past">[\s\S]*?<\/details>/.exec(PAGE)!;
  document.body.innerHTML = author + card;
  details = document.querySelector("details")!;
  ask = vi.fn();
  past = new Past(details, ask, () => "me");
});

function opens(): void {
  // Which tells it, as a click on its summary does.
  details.open = true;
}

const text = (selector: string) => details.querySelector(selector)!.textContent;
const title = { field: "title", version: 3, timestamp: "2026-11-22T10:00:00Z", client_id: "me" };

it("is asked for when it is opened, and again when the task has changed since", async () => {
  past.show(3);
  expect(ask).not.toHaveBeenCalled();
  const undo = vi.fn();
  ask.mockResolvedValue({ authors: [title, { field: "<b>notes</b>", version: 2 }], undo });
  opens();
  expect(text(".asking")).toBe("One moment…");
  await settle();
  expect(text(".asking")).toBe("");
  expect(text("ul")).toContain("Title you");
  expect(text("ul")).toContain("<b>notes</b> the server");
  expect(details.querySelector("time")!.dateTime).toBe("2026-11-22T10:00:00Z");
  const button = details.querySelector<HTMLButtonElement>(".undo")!;
  expect(button.hidden).toBe(false);
  button.click();
  expect(undo).toHaveBeenCalledOnce();
  past.show(3);
  expect(ask).toHaveBeenCalledOnce();
  ask.mockResolvedValue({ authors: [] });
  past.show(4);
  await settle();
  expect(text("ul")).toBe("");
  expect(button.hidden).toBe(true);
});

it("of a version that is no more is not shown", async () => {
  let answer!: (past: TaskPast) => void;
  ask.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  opens();
  ask.mockResolvedValue({ authors: [title] });
  past.show(4);
  await settle();
  answer({ authors: [] });
  await settle();
  expect(text("ul")).toContain("Title");
});

it("that nobody knows says why", async () => {
  ask.mockRejectedValue(new Error("no record"));
  opens();
  await settle();
  expect(text(".asking")).toBe("Not known: no record.");
});
