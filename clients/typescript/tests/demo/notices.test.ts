// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";

import { Notices } from "../../demo/notices.ts";

beforeEach(() => {
  document.body.innerHTML =
    "<ul></ul><template id=notice><li><p></p>" +
    "<button class=act hidden></button><button class=dismiss>Dismiss</button></li></template>";
});

function world() {
  const list = document.querySelector("ul")!;
  const texts = () => [...list.querySelectorAll("p")].map(({ textContent }) => textContent);
  return { list, texts, notices: new Notices(list) };
}

it("shows words as words until they are dismissed", () => {
  const { list, texts, notices } = world();
  notices.show("<b>words</b>");
  expect(texts()).toEqual(["<b>words</b>"]);
  expect(list.querySelector<HTMLElement>(".act")!.hidden).toBe(true);
  list.querySelector<HTMLElement>(".dismiss")!.click();
  expect(texts()).toEqual([]);
});

it("does what can be done, once", () => {
  const { list, texts, notices } = world();
  const act = vi.fn();
  notices.show("deleted", { label: "Undo", act });
  const button = list.querySelector<HTMLElement>(".act")!;
  expect(button.textContent).toBe("Undo");
  button.click();
  expect(act).toHaveBeenCalledOnce();
  expect(texts()).toEqual([]);
});

it("tells that nothing is to be done", () => {
  const { list, notices } = world();
  const [act, dismissed] = [vi.fn(), vi.fn()];
  notices.show("lost", { label: "Bring it back", act, dismissed });
  list.querySelector<HTMLElement>(".dismiss")!.click();
  expect([act, dismissed].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
});

it("drops the oldest of many, but none that a text hangs on", () => {
  const { texts, notices } = world();
  notices.show("a text", { label: "Bring it back", act: () => {}, keeps: true });
  for (let number = 1; number <= 7; number++) notices.show(`${number}`);
  expect(texts()).toEqual(["a text", "3", "4", "5", "6", "7"]);
});
