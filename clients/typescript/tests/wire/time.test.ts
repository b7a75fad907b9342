import { readdirSync, readFileSync } from "node:fs";

import { afterEach, describe, expect, it, vi } from "vitest";

import { formatTime, parseTime, splitTime, toDate } from "../../src/wire/time.ts";

describe("an RFC 3339 time", () => {
  it.each([
    ["2026-11-22T10:00:01Z", "2026-11-22T10:00:01Z"],
    ["2026-11-22T10:00:01.5Z", "2026-11-22T10:00:01.500000Z"],
    ["2026-11-22T10:00:01.000000Z", "2026-11-22T10:00:01Z"],
    ["2026-11-22T10:00:01.123456789Z", "2026-11-22T10:00:01.123456Z"],
    ["2026-11-22T12:00:01+02:00", "2026-11-22T10:00:01Z"],
    ["2026-11-22T00:30:00-05:30", "2026-11-22T06:00:00Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
    ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"],
    ["1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
  ])("%s is %s in its normal form", (text, normal) => {
    expect(parseTime(text)).toBe(normal);
  });

  it.each([
    "yesterday",
    "2026-11-22",
    "2026-11-22T10:00:01",
    "2026-11-22 10:00:01Z",
    "2026-11-22t10:00:01z",
    "2026-02-30T10:00:00Z",
    "2023-02-29T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-11-22T24:00:00Z",
    "2026-11-22T23:59:60Z",
    "2026-11-22T10:00:01.Z",
    "2026-11-22T10:00:01.1234567890Z",
    "2026-11-22T10:00:01+24:00",
    "2026-11-22T10:00:01+0200",
    "0000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "2026-00-01T10:00:00Z",
    "2026-11-00T10:00:00Z",
    "2026-11-22T10:60:00Z",
    5,
    undefined,
    ["2026-11-22T10:00:01Z"],
    null,
  ])("is not %j", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

describe("a protobuf timestamp", () => {
  it("loses what is finer than a microsecond", () => {
    expect(formatTime({ nanos: 1_999 })).toBe("1970-01-01T00:00:00.000001Z");
    expect(formatTime({ nanos: 999 })).toBe("1970-01-01T00:00:00Z");
  });

  it("has 32 bits of nanoseconds, and what is above is cut off", () => {
    expect(formatTime({ nanos: 2 ** 32 + 5_000 })).toBe("1970-01-01T00:00:00.000005Z");
  });

  it("without seconds or nanoseconds has none", () => {
    expect(formatTime({})).toBe("1970-01-01T00:00:00Z");
  });

  it.each([
    [-62_135_596_801, 0],
    [253_402_300_800, 0],
    [0, -1],
    [0, 1_000_000_000],
    [Number.NaN, 0],
    [2 ** 63, 0],
  ])("of %d seconds and %d nanoseconds is refused", (seconds, nanos) => {
    expect(formatTime({ seconds, nanos })).toBeUndefined();
  });

  it("comes back from its text", () => {
    expect(splitTime("1969-12-31T23:59:59.250000Z")).toEqual({ seconds: -1, nanos: 250_000_000 });
    expect(splitTime("2026-11-22T10:00:01Z")).toEqual({ seconds: 1_795_341_601, nanos: 0 });
    for (const time of ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000001Z"]) {
      expect(formatTime(splitTime(time))).toBe(time);
    }
  });

  it("keeps every digit of a fraction that it holds", () => {
    for (let micros = 1; micros < 1_000_000; micros += 997) {
      const time = `2026-11-22T10:00:01.${String(micros).padStart(6, "0")}Z`;
      expect(parseTime(time)).toBe(time);
    }
  });
});

describe("the moment of a time", () => {
  it.each([
    ["2026-11-22T12:00:01.123456789+02:00", Date.UTC(2026, 10, 22, 10, 0, 1, 123)],
    ["1969-12-31T23:59:59.5Z", -500],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000],
  ])("%s is to the millisecond", (text, milliseconds) => {
    expect(toDate(text)?.getTime()).toBe(milliseconds);
  });

  it.each(["2026-02-30T10:00:00Z", "2026-11-22T10:00:60Z", "2026-11-22t10:00:01z", "", 5])(
    "%j is none",
    (text) => expect(toDate(text)).toBeUndefined(),
  );
});

describe("an engine that takes more for a time than RFC 3339", () => {
  afterEach(() => vi.unstubAllGlobals());

  /** Whatever is too much rolls over: each of these some engine does, see `wire/time.ts`. */
  class Generous extends Date {
    constructor(value: number | string) {
      super(typeof value === "string" ? Generous.parse(value) : value);
    }

    static override parse(text: string): number {
      const [, ...parts] = /^(\d+)-(\d+)-(\d+).(\d+):(\d+):(\d+)(?:\.\d+)?(.*)$/i.exec(text) ?? [];
      const [year, month, day, hour, minute, second] = parts.map(Number);
      if (year === undefined) return Number.NaN;
      const local = new Date(0);
      local.setUTCFullYear(year, month! - 1, day);
      local.setUTCHours(hour!, minute, second);
      const [sign, hours, minutes] = /([+-])(\d+):(\d+)/.exec(parts[6]!)?.slice(1) ?? ["+", 0, 0];
      return local.getTime() - (sign === "-" ? -1 : 1) * (+hours! * 60 + +minutes!) * 60_000;
    }
  }

  it.each([
    "2026-11-22T10:00:60Z",
    "2026-11-22T10:60:00Z",
    "2026-11-22T10:00:99Z",
    "2026-06-30T23:59:60+02:00",
    "2026-11-22T24:00:00Z",
    "2026-02-30T10:00:00Z",
    "2026-04-31T10:00:00Z",
    "2026-13-22T10:00:00Z",
    "2026-11-22t10:00:00z",
  ])("changes nothing about %s", (text) => {
    vi.stubGlobal("Date", Generous);
    expect(new Date("2026-11-22T10:00:60Z").getTime()).toBe(Generous.UTC(2026, 10, 22, 10, 1));
    expect(parseTime(text)).toBeUndefined();
  });

  it("nor about a time that is one", () => {
    vi.stubGlobal("Date", Generous);
    expect(parseTime("2026-11-22T12:00:01.5+02:00")).toBe("2026-11-22T10:00:01.500000Z");
  });
});

it("a text is read as a time here and nowhere else, for each engine reads it otherwise", () => {
  const root = new URL("../../", import.meta.url);
  const files = ["src", "demo", "inspector"].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  const read = (file: string) => readFileSync(new URL(file, root), "utf8");
  const uses = files
    // Of a schema's times only whole seconds are read, in the one form that the language defines.
    .filter((file) => /\.tsx?$/.test(file) && !/^src\/(wire\/time|schema\/times)\.ts$/.test(file))
    .flatMap((file) => {
      const found = read(file).match(/\bDate\s*\.\s*parse\b.*|\bnew\s+Date\s*\(\s*[^)\s].*/g) ?? [];
      return found.map((use) => `${file}: ${use}`);
    });
  // Numbers of milliseconds.
  expect(uses).toEqual([
    "src/schema/cel-times.ts: new Date(floor(nanoseconds, 1_000_000n) + minutes * 60_000);",
    "src/schema/cel-times.ts: new Date(date).setUTCMonth(0, 1);",
    "inspector/inspector.ts: new Date(since).toLocaleTimeString();",
  ]);
});
