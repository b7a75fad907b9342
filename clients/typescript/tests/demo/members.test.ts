import { expect, it } from "vitest";

import { memberOf, newest } from "../../demo/members.ts";

it("reads a member, whatever others wrote", () => {
  const row = { id: "ada", version: 1, pending: false };
  expect(memberOf({ ...row, data: { joined: "2026-01-01T00:00:00Z" } })).toEqual({
    name: "ada",
    joined: "2026-01-01T00:00:00Z",
    pending: false,
  });
  expect(memberOf({ ...row, data: null }).joined).toBe("");
  expect(memberOf({ ...row, data: "a text" }).joined).toBe("");
  expect(memberOf({ ...row, data: { joined: [1] } }).joined).toBe("[1]");
});

it("shows the newest first, and those without a moment last", () => {
  const member = (name: string, joined: string) => ({ name, joined, pending: false });
  const all = [
    member("none", "<b>yesterday</b>"),
    member("old", "2025-01-01T00:00:00Z"),
    member("new", "2026-01-01T00:00:00Z"),
    // Engines read these differently.
    member("no day", "2026-02-30T00:00:00Z"),
    member("no second", "2026-03-01T00:00:60Z"),
    member("small", "2026-03-01t00:00:00z"),
    member("fine", "2025-06-01T00:00:00.123456789Z"),
  ];
  expect(newest(all, 3).map(({ name }) => name)).toEqual(["new", "fine", "old"]);
  expect(newest(all, 1).map(({ name }) => name)).toEqual(["new"]);
});
