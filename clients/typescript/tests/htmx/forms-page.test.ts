// @vitest-environment happy-dom
/** Pages that only have forms. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { bindFormsPage } from "../../src/htmx/forms-page.ts";
import { FakeClient, find, leave, settled, type } from "../forms/support.ts";

let client: FakeClient;
let stop: () => void;
const FORM = '<form data-rhtmx-form="contact"><input name="email"></form>';

/** The page becomes this, and is kept up to date. */
function bind(html: string): void {
  document.body.innerHTML = html;
  stop = bindFormsPage(client);
}

beforeEach(() => {
  vi.useFakeTimers();
  client = new FakeClient();
});

afterEach(() => {
  stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("its forms are bound, also those that come later, and let go when they leave", async () => {
  bind(FORM);
  type("email", "a");
  leave("email");
  expect(client.asked()).toEqual(["email=a"]);
  document.body.innerHTML = FORM;
  await settled();
  type("email", "b");
  leave("email");
  expect(client.asked()).toEqual(["email=b"]);
});

it("what waits for the state of the connection is told of it", () => {
  bind('<p hx-trigger="rhtmx:state from:body"></p><ul hx-trigger="load, other:changed"></ul>');
  const told = vi.fn();
  const log = vi.spyOn(console, "error");
  for (const each of ["p", "ul", "body"]) find(each).addEventListener("rhtmx:state", told);
  client.becomes("waiting");
  expect(told.mock.calls.map(([event]) => event.target.tagName)).toEqual(["P", "BODY"]);
  stop();
  client.becomes("open");
  expect(told).toHaveBeenCalledTimes(2);
  expect(log).not.toHaveBeenCalled();
});

it.each([
  '<p data-rhtmx-changes="tasks"></p>',
  '<p data-rhtmx-watch="tasks?done=1"></p>',
  '<p data-rhtmx-room="orders/7"></p>',
  '<button data-rhtmx-inc="tasks/7/votes"></button>',
  '<ul hx-trigger="rhtmx:tasks:changed from:body"></ul>',
  '<ul data-hx-trigger="rhtmx:tasks:changed from:body"></ul>',
])("%s is said once to need the other script, and the forms go on", async (html) => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  bind(html + FORM);
  document.body.append(document.createElement("p"));
  await settled();
  const words = "needs /api/client.js, which has all of /api/forms.js: load it instead";
  expect(log).toHaveBeenCalledExactlyOnceWith("rhtmx:", document.body.firstElementChild, words);
  type("email", "a");
  leave("email");
  expect(client.asked()).toEqual(["email=a"]);
});
