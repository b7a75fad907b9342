import { expect, it } from "vitest";

import { memberOf, newest } from "../../demo/members.ts";
import type { Timestamp } from "../../src/schema.ts";

it("reads a member", () => {
  const row = { id: "ada", version: 1, pending: false };
  const joined = "2026-01-01T00:00:00Z" as Timestamp;
  expect(memberOf({ ...row, data: { joined } })).toEqual({ name: "ada", joined, pending: false });
  expect(memberOf({ ...row, data: {} }).joined).toBeUndefined();
});

it("shows the newest first, and those without a moment last", () => {
  const member = (name: string, joined?: string) => ({
    ...(joined && { joined: joined as Timestamp }),
    name,
    pending: false,
  });
  const all = [
    member("none"),
    member("old", "2025-01-01T00:00:00Z"),
    member("new", "2026-01-01T00:00:00Z"),
    member("fine", "2025-06-01T00:00:00.123456789Z"),
  ];
  expect(newest(all, 3).map(({ name }) => name)).toEqual(["new", "fine", "old"]);
  expect(newest(all, 1).map(({ name }) => name)).toEqual(["new"]);
});
