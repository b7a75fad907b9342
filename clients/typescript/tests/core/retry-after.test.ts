import { describe, expect, it } from "vitest";

import { RetryAfter } from "../../src/core/retry-after.ts";
import type { Error as Failure } from "../../src/messages/types.ts";

const busy = (retry_after?: number): Failure => ({
  type: "error",
  message: "slower",
  code: "rate_limited",
  details: null,
  retry_after,
});

describe("after a refusal that may pass", () => {
  it("it waits as long as the server says, and a random while on top", () => {
    const hold = new RetryAfter(() => 0.5);
    hold.refused(busy(3_000), 10_000);
    expect(hold.until).toBe(13_500);
    expect(hold.tick(13_499)).toBe(false);
    expect(hold.tick(13_500)).toBe(true);
    expect(hold.until).toBeUndefined();
    expect(hold.tick(14_000)).toBe(false);
  });

  it("without a word it waits a random while", () => {
    const hold = new RetryAfter(() => 0.5);
    hold.refused(busy(), 10_000);
    expect(hold.until).toBe(10_500);
  });

  it("the longest wait of several counts, and they are one refusal", () => {
    const hold = new RetryAfter(() => 0.5);
    for (const wait of [3_000, 1_000]) hold.refused(busy(wait), 10_000);
    expect(hold.until).toBe(13_500);
    hold.refused(busy(4_000), 10_000);
    expect(hold.until).toBe(14_500);
  });

  it("each in a row may wait longer, until something is taken", () => {
    const hold = new RetryAfter(() => 0.5);
    const waits = [0, 100_000, 200_000].map((now) => {
      hold.refused(busy(), now);
      const { until } = hold;
      hold.passed(); // of before: what was refused is yet to come
      hold.tick(now + 50_000);
      return until! - now;
    });
    expect(waits).toEqual([500, 1_000, 2_000]);
    hold.passed();
    hold.refused(busy(), 300_000);
    expect(hold.until).toBe(300_500);
  });
});
