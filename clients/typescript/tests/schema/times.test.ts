import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type Duration,
  MAX_DURATION,
  MAX_TIMESTAMP,
  MIN_DURATION,
  MIN_TIMESTAMP,
  parseDuration,
  parseTimestamp,
  type Timestamp,
  timestampFrom,
  toDate,
  writeDuration,
  writeTimestamp,
} from "../../src/schema/times.ts";

interface Case {
  readonly form: "timestamp" | "duration";
  readonly text: string;
  readonly nanoseconds: string | null;
  readonly canonical?: string;
}

const path = new URL("../../../../tests/vectors/times.json", import.meta.url);
const cases = JSON.parse(readFileSync(path, "utf8")) as Case[];

describe("times as texts", () => {
  it.each(cases)("$form $text is read and written as the vector says", (each) => {
    const read = each.form === "timestamp" ? parseTimestamp : parseDuration;
    const nanoseconds = read(each.text);
    expect(nanoseconds?.toString() ?? null).toBe(each.nanoseconds);
    if (nanoseconds === undefined) return;
    const write = each.form === "timestamp" ? writeTimestamp : writeDuration;
    expect(write(nanoseconds)).toBe(each.canonical);
  });

  it("a time comes back as it was written", () => {
    fc.assert(
      fc.property(fc.bigInt(MIN_TIMESTAMP, MAX_TIMESTAMP), (nanoseconds) => {
        expect(parseTimestamp(writeTimestamp(nanoseconds))).toBe(nanoseconds);
      }),
    );
  });

  it("a duration comes back as it was written", () => {
    fc.assert(
      fc.property(fc.bigInt(MIN_DURATION, MAX_DURATION), (nanoseconds) => {
        expect(parseDuration(writeDuration(nanoseconds))).toBe(nanoseconds);
      }),
    );
  });

  it.each([MIN_TIMESTAMP - 1n, MAX_TIMESTAMP + 1n, 10n ** 400n])(
    "a time outside the years is not written: %s",
    (nanoseconds) => {
      expect(() => writeTimestamp(nanoseconds)).toThrow("years 1 to 9999");
    },
  );

  it.each([MIN_DURATION - 1n, MAX_DURATION + 1n])(
    "a duration beyond ten thousand years is not written: %s",
    (nanoseconds) => {
      expect(() => writeDuration(nanoseconds)).toThrow("315576000000 seconds");
    },
  );
});

describe("times as dates", () => {
  it("a date comes back", () => {
    const [min, max] = [new Date(-62_135_596_800_000), new Date(253_402_300_799_999)];
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        expect(toDate(timestampFrom(date))).toEqual(date);
      }),
    );
  });

  it("a time is cut to its millisecond, back in time", () => {
    expect(toDate("1970-01-01T00:00:00.001999999Z" as Timestamp).getTime()).toBe(1);
    expect(toDate("1969-12-31T23:59:59.999999999Z" as Timestamp).getTime()).toBe(-1);
    expect(toDate("9999-12-31T23:59:59.999999999Z" as Timestamp).getTime()).toBe(
      253_402_300_799_999,
    );
  });

  it("what is no time is no date", () => {
    for (const text of ["2026-02-30T00:00:00Z", "2026-11-29", ""]) {
      expect(() => toDate(text as Timestamp)).toThrow(RangeError);
    }
  });

  it("what is no moment of the years is no time", () => {
    for (const at of [Number.NaN, -62_135_596_800_001, 253_402_300_800_000]) {
      expect(() => timestampFrom(new Date(at))).toThrow(RangeError);
    }
  });

  it("a text is neither before somebody has looked, nor is one the other", () => {
    const timestamp: Timestamp = writeTimestamp(0n);
    const duration: Duration = writeDuration(0n);
    // @ts-expect-error a text of any form
    const unseen: Timestamp = "1970-01-01T00:00:00Z";
    // @ts-expect-error a duration
    const mistaken: Timestamp = duration;
    expect([timestamp, unseen, duration, mistaken]).toEqual([
      "1970-01-01T00:00:00Z",
      "1970-01-01T00:00:00Z",
      "0s",
      "0s",
    ]);
  });
});
