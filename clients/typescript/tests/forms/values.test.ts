// @vitest-environment happy-dom
/** What is in a form is what would be submitted by a button. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import {
  badIn,
  controlsOf,
  isLive,
  isSame,
  submitterOf,
  valuesOf,
} from "../../src/forms/values.ts";
import { becomesBad, choose, find, page } from "./support.ts";

let form: HTMLFormElement;

beforeEach(() => {
  form = page(`
    <input name="a" value="1"><input name="a" value="2"><input name="__proto__" value="x">
    <input type="file" name="file"><input value="nameless">
    <button id="send" name="how" value="send"></button><button id="plain" type="button" name="how" value="plain"></button>
    <input id="old" type="button" name="how" value="old">`);
});

afterEach(() => vi.unstubAllGlobals());

const how = (id: string) => valuesOf(form, find(`#${id}`)).how;

it("several values are a list, and names are just names", () => {
  const values = valuesOf(form);
  expect(Object.entries(values)).toEqual([
    ["a", ["1", "2"]],
    ["__proto__", "x"],
    ["file", ""],
  ]);
});

it("a chosen file is what rules can see of it", () => {
  choose("file", new File(["abc"], "a.png", { type: "image/png" }));
  expect(valuesOf(form).file).toEqual({ name: "a.png", size: 3, type: "image/png" });
});

it("a button that submits is in there, one of another form is not", () => {
  expect(how("send")).toBe("send");
  expect(valuesOf(form).how).toBeUndefined();
  const { children } = form;
  document.body.append(children.namedItem("send")!);
  expect(how("send")).toBeUndefined();
});

it.each([
  ["2.0.11", "plain"],
  ["4.0.1", undefined],
  [undefined, undefined],
])("a button that submits nothing is in there if htmx %s sends it", (version, value) => {
  vi.stubGlobal("htmx", version && { version });
  expect(how("plain")).toBe(value);
  // No version sends that of an input.
  expect(how("old")).toBeUndefined();
});

it("controls are those with a name, in their order", () => {
  expect(controlsOf(form).length).toBe(7);
  expect(controlsOf(form, "a").map((each) => each.value)).toEqual(["1", "2"]);
  find("[name=a]").disabled = true;
  expect(controlsOf(form, "a").map(isLive)).toEqual([false, true]);
});

it("a button that submits nothing any more is no submitter", () => {
  const send = find("#send");
  expect(submitterOf(form, send)).toBe(send);
  send.type = "button";
  expect(submitterOf(form, send)).toBeNull();
  expect(how("send")).toBeUndefined();
  send.type = "submit";
  send.remove();
  expect([submitterOf(form, send), submitterOf(form, null)]).toEqual([null, null]);
});

it("what is no value is found, where its user can mend it", () => {
  expect(badIn(form)).toEqual([]);
  becomesBad("a");
  expect(badIn(form).length).toBe(1);
  expect(badIn(form, "a")).toEqual([find("[name=a]")]);
  expect(badIn(form, "file")).toEqual([]);
  find("[name=a]").disabled = true;
  expect(badIn(form, "a")).toEqual([]);
});

it("values are the same if they read the same", () => {
  expect(isSame(undefined, undefined)).toBe(true);
  expect(isSame(undefined, "")).toBe(false);
  expect(isSame(["a"], "a")).toBe(false);
  expect(isSame(valuesOf(form), valuesOf(form))).toBe(true);
});
