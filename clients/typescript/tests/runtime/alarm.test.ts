import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Alarm } from "../../src/runtime/alarm.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("rings when it is time, once", () => {
  const ring = vi.fn();
  new Alarm(ring).set(performance.now() + 50);
  vi.advanceTimersByTime(49);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(ring).toHaveBeenCalledOnce();
});

it("that is set for later rings at the earlier time, and for earlier at that", () => {
  const ring = vi.fn();
  const alarm = new Alarm(ring);
  alarm.set(performance.now() + 50);
  alarm.set(performance.now() + 500);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(50);
  expect(ring).toHaveBeenCalledOnce();
  alarm.set(performance.now() + 500);
  alarm.set(performance.now() + 10);
  vi.advanceTimersByTime(10);
  expect(ring).toHaveBeenCalledTimes(2);
});

it("that is set for never does not ring", () => {
  const alarm = new Alarm(vi.fn());
  alarm.set(performance.now() + 50);
  alarm.set();
  expect(vi.getTimerCount()).toBe(0);
});

it("rings at once for a time that is past", () => {
  const ring = vi.fn();
  new Alarm(ring).set(performance.now() - 50);
  vi.advanceTimersByTime(0);
  expect(ring).toHaveBeenCalledOnce();
});
