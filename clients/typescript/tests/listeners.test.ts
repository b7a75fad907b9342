import { expect, it, vi } from "vitest";

import { Listeners } from "../src/listeners.ts";

it("all are called, in the order in which they were added", () => {
  const listeners = new Listeners<[string]>();
  const heard: string[] = [];
  listeners.add((word) => heard.push(`1 ${word}`));
  listeners.add((word) => heard.push(`2 ${word}`));
  listeners.call("hello");
  expect(heard).toEqual(["1 hello", "2 hello"]);
});

it("the same function twice is two listeners, each with its own end", () => {
  const listeners = new Listeners<[]>();
  const listener = vi.fn();
  const stop = listeners.add(listener);
  listeners.add(listener);
  stop();
  stop();
  listeners.call();
  expect(listener).toHaveBeenCalledTimes(1);
  expect(listeners.size).toBe(1);
});

it("an error in one is reported and stops nothing", () => {
  const listeners = new Listeners<[]>();
  const reported = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => {});
  const last = vi.fn();
  listeners.add(() => {
    throw new Error("mine");
  });
  listeners.add(last);
  listeners.call();
  const report = reported.mock.calls[0]![0];
  reported.mockRestore();
  expect(last).toHaveBeenCalledOnce();
  expect(report).toThrow("mine");
});
