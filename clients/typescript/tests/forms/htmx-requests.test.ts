// @vitest-environment happy-dom
/** By which buttons htmx posts a form, and what it tells of that. */
import { afterEach, expect, it, vi } from "vitest";

import {
  isPosting,
  postedBy,
  REQUESTS,
  requestOf,
  tellButton,
  triggerOf,
} from "../../src/forms/htmx-requests.ts";
import { find, page } from "./support.ts";

afterEach(() => vi.unstubAllGlobals());

const click = (selector: string) => ({ target: find(selector) }) as unknown as Event;

it.each([
  ['<button hx-post="/"><i></i></button>', true],
  ['<button type="button" data-hx-put="/"><i></i></button>', true],
  ['<a href="/" hx-patch="/"><i></i></a>', true],
  ['<button hx-action="/" hx-method="post"><i></i></button>', true],
  ['<button hx-get="/"><i></i></button>', false],
  ['<button hx-delete="/"><i></i></button>', false],
  ['<button type="reset" hx-post="/"><i></i></button>', false],
  ["<button><i></i></button>", false],
  ['<div hx-post="/"><i></i></div>', false],
  ['<div hx-post="/" role="button"><i></i></div>', true],
  ['<button hx-post="/" hx-trigger="keyup, click delay:1s"><i></i></button>', true],
  ['<button hx-post="/" hx-trigger="dblclick"><i></i></button>', false],
  ["<i></i>", false],
])("a click in %s posts the form: %s", (inside, posts) => {
  const form = page(inside);
  expect(postedBy(form, click("i"))).toBe(posts ? form.firstElementChild : undefined);
});

it("a field that is posted by itself is no button, and another form's button not this one's", () => {
  const form = page('<input name="a" hx-post="/"><input type="submit" hx-post="/">');
  expect(postedBy(form, click("[name=a]"))).toBeUndefined();
  expect(postedBy(form, click("[type=submit]"))).toBe(find("[type=submit]"));
  expect(postedBy(document.createElement("form"), click("[type=submit]"))).toBeUndefined();
  expect(postedBy(form, { target: document } as unknown as Event)).toBeUndefined();
});

it("what triggers is found under both names", () => {
  const form = page("", 'data-hx-trigger="change" hx-post="/"');
  expect(triggerOf(form)).toBe("change");
  expect(isPosting(form)).toBe(true);
  form.setAttribute("hx-trigger", "submit");
  expect(triggerOf(form)).toBe("submit");
});

it("a request that no event caused, or no answer came to, is told as that", () => {
  for (const detail of [{}, null, { ctx: {} }, { requestConfig: {} }]) {
    expect(requestOf(new CustomEvent("x", { detail }))).toMatchObject({
      cause: undefined,
      status: 0,
    });
  }
});

it("each event of a request says that it has begun, or that it is over", () => {
  const isOver = REQUESTS.map((type) => requestOf(new CustomEvent(type)).isOver);
  expect(isOver).toEqual([false, false, true, true, true]);
});

it.each([
  ["2.0.11", 1],
  ["4.0.1", 0],
  [undefined, 0],
])("htmx %s is told the button: %s", (version, times) => {
  vi.stubGlobal("htmx", version && { version });
  page("<button></button>");
  const told = vi.fn();
  document.body.addEventListener("focusin", told, { once: true });
  tellButton(find("button"));
  tellButton(null);
  expect(told).toHaveBeenCalledTimes(times);
});
