import { afterEach, expect, it, vi } from "vitest";

import * as compose from "../src/compose.ts";
import { checkFromClient } from "../src/wire/index.ts";

afterEach(() => void vi.useRealTimers());

it("fields are written with the time of now if no other is given", () => {
  vi.useFakeTimers({ now: new Date("2026-11-22T10:00:00.5Z") });
  const { fields } = compose.pushFields("users", "1", { a: 1 }, {});
  expect(fields).toEqual([
    { field: "a", value: 1, action: "update", timestamp: "2026-11-22T10:00:00.500Z" },
  ]);
});

it("everything that is made can be sent", () => {
  const made = [
    compose.push("users", "1", "update", { a: 1 }, { baseVersion: 3 }),
    compose.pushFields("users", "1", { a: 1 }, { delete: ["b"] }),
  ];
  for (const message of made) expect(checkFromClient(message)).toMatchObject({ type: message.type });
});
