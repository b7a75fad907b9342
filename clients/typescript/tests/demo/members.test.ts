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
  ];
  expect(newest(all, 9).map(({ name }) => name)).toEqual(["new", "old", "none"]);
  expect(newest(all, 1).map(({ name }) => name)).toEqual(["new"]);
});
