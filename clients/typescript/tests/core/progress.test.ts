import { expect, test } from "vitest";
import { progressOf } from "../../src/core/progress.ts";

test("how far a load is, is told where the server has said how much there is", () => {
  expect(progressOf(undefined, 30)).toBeUndefined();
  expect(progressOf(300, 30)).toEqual({ received: 30, expected: 300 });
});

test("what is written meanwhile is beyond the end", () => {
  expect(progressOf(300, 301)).toEqual({ received: 300, expected: 300 });
});
