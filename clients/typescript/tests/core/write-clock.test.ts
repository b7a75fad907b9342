import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { nextTime } from "../../src/core/write-clock.ts";

const NOON = Date.parse("2026-01-01T12:00:00Z") * 1000;
const MINUTE = 60_000_000;
const DAYS = 40 * 24 * 60 * MINUTE;

describe("the time of a write", () => {
  it("is what the clock says", () => {
    expect(nextTime(0, NOON, false)).toBe(NOON);
    expect(nextTime(NOON, NOON + 1, false)).toBe(NOON + 1);
  });

  it("is a microsecond later in a burst of one moment", () => {
    let last = NOON - 1;
    const times = Array.from({ length: 10_000 }, () => (last = nextTime(last, NOON, true)));
    expect(times).toEqual(times.map((_, at) => NOON + at));
  });

  it("does not follow a clock that is set back a little", () => {
    expect(nextTime(NOON, NOON - MINUTE, false)).toBe(NOON + 1);
  });

  it("follows one that was wrong, unless a write waits that it would come before", () => {
    expect(nextTime(NOON + DAYS, NOON, true)).toBe(NOON + DAYS + 1);
    expect(nextTime(NOON + DAYS, NOON, false)).toBe(NOON);
  });

  it("goes forward whatever the clock does, until that is far behind", () => {
    const jump = fc.constantFrom(0, 0, 1, 2, -1, -2, 1e6, -1e6, MINUTE, -MINUTE, DAYS, -DAYS);
    fc.assert(
      fc.property(fc.array(fc.tuple(jump, fc.boolean())), (steps) => {
        let clock = NOON;
        let before = -Infinity;
        for (const [by, waits] of steps) {
          clock += by;
          const time = nextTime(before, clock, waits);
          expect(time).toBeGreaterThanOrEqual(clock);
          if (waits || before - clock <= MINUTE) expect(time).toBeGreaterThan(before);
          else expect(time).toBe(clock);
          before = time;
        }
      }),
    );
  });
});
