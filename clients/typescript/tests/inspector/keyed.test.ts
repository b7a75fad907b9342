// @vitest-environment happy-dom
import { beforeEach, expect, it } from "vitest";

import { KeyedList } from "../../inspector/keyed.ts";

interface Thing {
  readonly id: string;
  readonly words: string;
}

beforeEach(() => {
  document.body.innerHTML = "<ul></ul><template id=thing><li></li></template>";
});

it("follows a list, and keeps the elements of what stays", () => {
  const place = document.querySelector("ul")!;
  const list = new KeyedList<Thing>(
    place,
    "thing",
    ({ id }) => id,
    (element, { words }) => (element.textContent = words),
  );
  const texts = () => [...place.children].map(({ textContent }) => textContent);
  list.show([
    { id: "1", words: "one" },
    { id: "2", words: "two" },
  ]);
  expect(texts()).toEqual(["one", "two"]);
  const two = place.children[1];
  list.show([
    { id: "2", words: "two!" },
    { id: "3", words: "<b>three</b>" },
  ]);
  expect(texts()).toEqual(["two!", "<b>three</b>"]);
  expect(place.children[0]).toBe(two);
  list.show([]);
  expect(place.childElementCount).toBe(0);
});
