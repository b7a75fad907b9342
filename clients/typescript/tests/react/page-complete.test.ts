// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { whenComplete } from "../../src/react/page-complete.ts";

let heard: string[];
const hear = (what: string) => () => void heard.push(what);

beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
});

afterEach(async () => {
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  document.body.innerHTML = "";
});

it("a page of which nothing is to come is whole as soon as what is under way has ended", async () => {
  document.body.innerHTML = "<!--$--><p></p><!--/$--><!--$!--><!-- $? -->";
  whenComplete(hear("one"));
  whenComplete(hear("two"));
  expect(heard).toEqual([]);
  await Promise.resolve();
  expect(heard).toEqual(["one", "two"]);
});

it.each(["$?", "$~"])(
  "one with a part that is to come, %s, is whole when that is there",
  async (mark) => {
    document.body.innerHTML = `<main><!--${mark}--><p></p><!--/$--></main>`;
    whenComplete(hear("one"));
    await vi.advanceTimersByTimeAsync(1000);
    whenComplete(hear("two"));
    await vi.advanceTimersByTimeAsync(1000);
    expect(heard).toEqual([]);
    (document.querySelector("main")!.firstChild as Comment).data = "$";
    await vi.advanceTimersByTimeAsync(50);
    expect(heard).toEqual(["one", "two"]);
  },
);

it("a part that does not come is waited for three seconds, and no longer", async () => {
  document.body.innerHTML = "<!--$?--><!--/$-->";
  whenComplete(hear("one"));
  await vi.advanceTimersByTimeAsync(2_949);
  expect(heard).toEqual([]);
  await vi.advanceTimersByTimeAsync(51);
  expect(heard).toEqual(["one"]);
});

it("who does not wait any more is not called, and nothing goes on for nobody", async () => {
  document.body.innerHTML = "<!--$?--><!--/$-->";
  const stop = whenComplete(hear("one"));
  await vi.advanceTimersByTimeAsync(100);
  stop();
  await vi.advanceTimersByTimeAsync(50);
  expect(vi.getTimerCount()).toBe(0);
  document.body.innerHTML = "";
  whenComplete(hear("two"));
  await Promise.resolve();
  expect(heard).toEqual(["two"]);
});
