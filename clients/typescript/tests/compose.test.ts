import { expect, it } from "vitest";

import * as compose from "../src/compose.ts";
import { checkFromClient } from "../src/wire/index.ts";

const MORNING = Date.parse("2026-11-22T10:00:00.5Z") * 1000;

const timeOf = (at: number, timestamp?: Date) =>
  compose.pushFields("users", "1", { a: 1 }, { timestamp }, at).fields[0]?.timestamp;

it("fields are written with the time of the write, to the microsecond, if no other is given", () => {
  const { fields } = compose.pushFields("users", "1", { a: 1 }, {}, MORNING + 7);
  expect(fields).toEqual([
    { field: "a", value: 1, action: "update", timestamp: "2026-11-22T10:00:00.500007Z" },
  ]);
  expect(timeOf(MORNING - 500_000)).toBe("2026-11-22T10:00:00Z");
  expect(timeOf(MORNING + 499_999)).toBe("2026-11-22T10:00:00.999999Z");
  expect(timeOf(MORNING, new Date("2026-01-01T00:00:00.25Z"))).toBe("2026-01-01T00:00:00.250000Z");
  expect(timeOf(MORNING, new Date(-1))).toBe("1969-12-31T23:59:59.999000Z");
  expect(timeOf(MORNING, new Date("9999-12-31T23:59:59.999Z"))).toBe("9999-12-31T23:59:59.999000Z");
});

it.each([
  ["of no time", new Date(NaN)],
  ["of the year 10000", new Date("+010000-01-01T00:00:00Z")],
  ["of the year 0", new Date("0000-12-31T23:59:59Z")],
  ["that is a text", "2026-01-01T00:00:00Z" as never],
])("a time %s is refused with its path, as everything that cannot be sent", (_, timestamp) => {
  const message = compose.pushFields("users", "1", { a: 1 }, { timestamp }, MORNING);
  expect(() => checkFromClient(message)).toThrow(/^push_fields\.fields\[0\]\.timestamp: not an RFC/);
});

it("everything that is made can be sent", () => {
  const made = [
    compose.push("users", "1", "update", { a: 1 }, { baseVersion: 3 }),
    compose.pushFields("users", "1", { a: 1 }, { delete: ["b"] }, MORNING),
  ];
  for (const message of made) expect(checkFromClient(message)).toMatchObject({ type: message.type });
});
