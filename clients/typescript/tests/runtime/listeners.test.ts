import { expect, it, vi } from "vitest";

import { Listeners } from "../../src/runtime/listeners.ts";

it("all of a name are called, each as often as it was added, until it is stopped", () => {
  const listeners = new Listeners();
  const heard = vi.fn();
  const stop = listeners.on("a", heard);
  listeners.on("a", heard);
  expect(listeners.emit("a", 1, 2)).toBe(true);
  expect(heard.mock.calls).toEqual([
    [1, 2],
    [1, 2],
  ]);
  stop();
  stop();
  listeners.emit("a", 3);
  expect(heard).toHaveBeenCalledTimes(3);
  expect(listeners.emit("b")).toBe(false);
});

it("one that stops another one while they are called does no harm", () => {
  const listeners = new Listeners();
  const heard = vi.fn();
  let stop = () => {};
  listeners.on("a", () => stop());
  stop = listeners.on("a", heard);
  listeners.emit("a");
  listeners.emit("a");
  expect(heard).toHaveBeenCalledOnce();
});
