// @vitest-environment happy-dom
/** What happens in a form's controls is heard once, wherever they stand. */
import { beforeEach, expect, it, vi } from "vitest";

import { hearControls } from "../../src/forms/control-events.ts";
import { find, page } from "./support.ts";

let ending: AbortController;
const heard = vi.fn();
const other = vi.fn();

beforeEach(() => {
  heard.mockReset();
  other.mockReset();
  ending = new AbortController();
  const form = page('<input name="within"><div></div>', 'id="f"');
  document.body.insertAdjacentHTML(
    "beforeend",
    '<input name="elsewhere" form="f"><input name="foreign">',
  );
  hearControls(form, { input: heard, change: heard }, other, ending.signal);
});

const happens = (selector: string, type = "input") =>
  find(selector).dispatchEvent(new Event(type, { bubbles: true }));

it("a control within the form and one elsewhere are heard once each, a foreign one is not", () => {
  for (const name of ["within", "elsewhere", "foreign"]) happens(`[name=${name}]`);
  happens("[name=elsewhere]", "change");
  const all = heard.mock.calls.map(([{ type, target }]) => `${type} ${target.name}`);
  expect(all).toEqual(["input within", "input elsewhere", "change elsewhere"]);
  expect(other).not.toHaveBeenCalled();
});

it("input that is in no control is told once, and nothing else of it", () => {
  happens("div", "change");
  expect(other).not.toHaveBeenCalled();
  happens("div");
  expect(other).toHaveBeenCalledOnce();
  expect(heard).not.toHaveBeenCalled();
});

it("it ends", () => {
  ending.abort();
  for (const selector of ["[name=within]", "[name=elsewhere]", "div"]) happens(selector);
  expect(heard).not.toHaveBeenCalled();
  expect(other).not.toHaveBeenCalled();
});
