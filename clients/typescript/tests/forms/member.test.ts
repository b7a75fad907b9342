// @vitest-environment happy-dom
/** A node's own members are found, whatever hides them. */
import { expect, it } from "vitest";

import { member } from "../../src/forms/member.ts";

it("a property is the one of the node's class", () => {
  const form = document.createElement("form");
  Object.defineProperty(form, "elements", { value: "hidden" });
  expect(member(form, "elements").length).toBe(0);
});

it("a function belongs to its node", () => {
  const list = document.createElement("ul");
  Object.defineProperty(list, "append", { value: "hidden" });
  const append = member(list, "append");
  append("one");
  expect(list.textContent).toBe("one");
});

it("what is not there is not there", () => {
  expect(member(document, "closest" as never)).toBeUndefined();
});
