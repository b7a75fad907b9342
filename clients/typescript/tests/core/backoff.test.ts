import { expect, it } from "vitest";

import { Backoff } from "../../src/core/backoff.ts";

/** The ceilings of a backoff: its waits when chance is at its highest. */
function ceilings(backoff: Backoff, count: number, now = 0): number[] {
  return Array.from({ length: count }, () => backoff.wait(now));
}

it("the ceiling doubles from one second to thirty", () => {
  const backoff = new Backoff(() => 1);
  expect(ceilings(backoff, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

it("the wait is anywhere under the ceiling", () => {
  expect(new Backoff(() => 0).wait(0)).toBe(0);
  expect(new Backoff(() => 0.25).wait(0)).toBe(250);
});

it("a connection that held a minute starts the count anew", () => {
  const backoff = new Backoff(() => 1);
  ceilings(backoff, 5);
  backoff.opened(1000);
  expect(backoff.wait(61_000)).toBe(1000);
});

it("a connection that held less does not", () => {
  const backoff = new Backoff(() => 1);
  ceilings(backoff, 2);
  backoff.opened(1000);
  expect(backoff.wait(60_999)).toBe(4000);
});

it("one long connection does not excuse the failed attempts after it", () => {
  const backoff = new Backoff(() => 1);
  backoff.opened(0);
  expect(ceilings(backoff, 3, 100_000)).toEqual([1000, 2000, 4000]);
});

it("a reset makes the next wait a short one", () => {
  const backoff = new Backoff(() => 1);
  ceilings(backoff, 3);
  backoff.reset();
  expect(backoff.wait(0)).toBe(1000);
});
