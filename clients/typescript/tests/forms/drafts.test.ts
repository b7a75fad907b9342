// @vitest-environment happy-dom
/** What was typed survives a reload, and nothing that must not. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { bindForm } from "../../src/forms/index.ts";
import { FakeClient, find, page, settled, type } from "./support.ts";
import type { BoundForm } from "../../src/forms/index.ts";

const INSIDE = `
  <input name="email"> <input name="phone" value="from the server"> <textarea name="message"></textarea>
  <input type="checkbox" name="tags" value="a"> <input type="checkbox" name="tags" value="b" checked>
  <input type="radio" name="size" value="s" checked> <input type="radio" name="size" value="m">
  <select name="answer"><option>email<option>phone</select>
  <input name="line"> <input name="line">`;

let client: FakeClient;
let bound: BoundForm | undefined;

/** The page is there again, as the server sends it. */
function load(inside = INSIDE, attributes?: string): HTMLFormElement {
  bound?.stop();
  client = new FakeClient();
  const form = page(inside, attributes);
  bound = bindForm(form, { client });
  return form;
}

/** Everything that is in the tab's storage. */
const stored = () => JSON.stringify({ ...sessionStorage });

function toggle(selector: string): void {
  const control = find(selector);
  control.checked = !control.checked;
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  load();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("everything that the user wrote or chose is there after a reload", () => {
  type("email", "ada@");
  type("message", "two\nlines");
  toggle("[name=tags][value=a]");
  toggle("[name=tags][value=b]");
  toggle("[name=size][value=m]");
  type("answer", "phone");
  type("line", "one");
  const form = load();
  const data = [...new FormData(form)].map((each) => each.join("="));
  expect(data).toEqual([
    "email=ada@", "phone=from the server", "message=two\nlines", "tags=a", "size=m",
    "answer=phone", "line=one", "line=",
  ]);
});

it("what the user did not touch is the server's", () => {
  type("email", "ada@");
  load(INSIDE.replace("from the server", "newer"));
  expect(find("[name=phone]").value).toBe("newer");
});

it("what is put back is told to the page's listeners, and asked about", async () => {
  type("email", "ada@");
  const told = vi.fn();
  document.addEventListener("input", told);
  load();
  document.removeEventListener("input", told);
  expect(told).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(300);
  expect(client.asked()).toEqual(["email=ada@"]);
});

it("a form that was sent has no draft", async () => {
  const form = load();
  form.addEventListener("submit", (event) => event.preventDefault());
  type("email", "ada@example.com");
  form.requestSubmit();
  await settled();
  await client.forms[0]!.answer({});
  expect(stored()).not.toContain("ada");
  load();
  expect(find("[name=email]").value).toBe("");
});

it("a form that was not valid keeps its draft", async () => {
  const form = load();
  type("email", "ada@");
  form.requestSubmit();
  await settled();
  await client.forms[0]!.answer({ errors: [{ field: "email", error: "no" }] });
  load();
  expect(find("[name=email]").value).toBe("ada@");
});

it("a reset drops the draft", () => {
  const form = load();
  type("email", "ada@");
  form.reset();
  load();
  expect(find("[name=email]").value).toBe("");
});

it("another form, another name and another page have drafts of their own", () => {
  type("email", "ada@");
  for (const attributes of ['data-rhtmx-form="contact" id="second"', 'data-rhtmx-form="other"']) {
    load(INSIDE, attributes);
    expect(find("[name=email]").value).toBe("");
  }
  expect(Object.keys(sessionStorage)[0]).toContain(location.pathname);
});

it.each([
  ["a password", '<input name="key" type="password">'],
  ["a password that the page shows", '<input name="password">'],
  ["a new password", '<input name="key" autocomplete="new-password">'],
  ["a number of a card", '<input name="key" autocomplete="section-pay cc-number">'],
  ["a code that is used once", '<input name="key" autocomplete="one-time-code">'],
  ["what the page asks not to remember", '<input name="key" autocomplete="off">'],
  ["what is hidden", '<input name="key" type="hidden">'],
])("%s is not kept", (_, control) => {
  load(control);
  type(control.includes('"password">') && !control.includes("key") ? "password" : "key", "secret");
  expect(stored()).not.toContain("secret");
});

it("nothing of a form that asks not to be remembered is kept", () => {
  load(INSIDE, 'data-rhtmx-form="contact" autocomplete="off"');
  type("email", "secret");
  expect(stored()).not.toContain("secret");
});

it("nothing is kept where the page does without drafts", () => {
  bound?.stop();
  bound = bindForm(page(INSIDE), { client, drafts: false });
  type("email", "secret");
  expect(stored()).not.toContain("secret");
});

it("a postal code is nothing that must not be kept", () => {
  load('<input name="profile" autocomplete="postal-code">');
  type("profile", "0150");
  expect(stored()).toContain("0150");
});

it("a storage that is full or forbidden does not break the form", async () => {
  vi.spyOn(globalThis, "sessionStorage", "get").mockImplementation(() => {
    throw new DOMException("forbidden", "SecurityError");
  });
  load();
  type("email", "ada@");
  await vi.advanceTimersByTimeAsync(300);
  expect(client.asked()).toEqual(["email=ada@"]);
});

it("rubbish in the storage does not break the form", async () => {
  type("email", "ada@");
  for (const rubbish of ["{", "null", "7", '[["email",5]]']) {
    sessionStorage.setItem(Object.keys(sessionStorage)[0]!, rubbish);
    load();
    type("email", "a");
    await vi.advanceTimersByTimeAsync(300);
    expect(client.asked()).toContain("email=a");
  }
});
