// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";

import { arrange, find, isMoving, setText, showText } from "../../inspector/dom.ts";

beforeEach(() => {
  document.body.innerHTML = "<ul id=one></ul><ul id=other></ul>";
});

function item(name: string): HTMLElement {
  const made = document.createElement("li");
  made.id = name;
  made.append(document.createElement("input"));
  return made;
}

function names(list: Element): string[] {
  return [...list.children].map(({ id }) => id);
}

it("finds what is there, and says what is not", () => {
  expect(find(document, "#one", HTMLElement).id).toBe("one");
  expect(() => find(document, "#none", HTMLElement)).toThrow(/#none/);
  expect(() => find(document, "#one", HTMLInputElement)).toThrow(/HTMLInputElement #one/);
});

it("hides an empty text", () => {
  const place = find(document, "#one", HTMLElement);
  showText(place, "words");
  expect([place.textContent, place.hidden]).toEqual(["words", false]);
  showText(place, "");
  expect(place.hidden).toBe(true);
});

it("does not touch a text that is the same", () => {
  const place = find(document, "#one", HTMLElement);
  setText(place, "words");
  const node = place.firstChild;
  setText(place, "words");
  expect(place.firstChild).toBe(node);
});

describe("arranging", () => {
  it("brings elements into their order, from wherever they are", () => {
    const [one, other] = [find(document, "#one", Element), find(document, "#other", Element)];
    const [a, b, c] = [item("a"), item("b"), item("c")];
    arrange(one, [a, b, c]);
    expect(names(one)).toEqual(["a", "b", "c"]);
    arrange(one, [c, a]);
    arrange(other, [b]);
    expect([names(one), names(other)]).toEqual([["c", "a"], ["b"]]);
  });

  it("touches none that stands right, though others go elsewhere", () => {
    const one = find(document, "#one", Element);
    const [a, b, c] = [item("a"), item("b"), item("c")];
    arrange(one, [a, b, c]);
    const moved: Node[] = [];
    const insert = one.insertBefore.bind(one);
    one.insertBefore = ((node: Node, before: Node | null) => {
      moved.push(node);
      return insert(node, before);
    }) as typeof one.insertBefore;
    arrange(one, [b, c]);
    expect(moved).toEqual([]);
    arrange(one, [c, b]);
    expect(moved).toEqual([c]);
  });

  it("leaves the focus where it was, and says meanwhile that nobody left", () => {
    const one = find(document, "#one", Element);
    const [a, b] = [item("a"), item("b")];
    arrange(one, [a, b]);
    const control = find(b, "input", HTMLInputElement);
    control.focus();
    const while_: boolean[] = [];
    control.addEventListener("focus", () => while_.push(isMoving()));
    arrange(one, [b, a]);
    expect(document.activeElement).toBe(control);
    expect(isMoving()).toBe(false);
    expect(while_.every(Boolean)).toBe(true);
  });
});
