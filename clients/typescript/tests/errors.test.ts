import { expect, it } from "vitest";

import { RhtmxError, typed } from "../src/errors.ts";

it("an error is an Error with its code, words and context", () => {
  const error = new RhtmxError("conflict", "moved on", { seq: 3, details: { version: 4 } });
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toBe("RhtmxError: moved on");
  expect(error).toMatchObject({ code: "conflict", seq: 3, details: { version: 4 } });
});

it("an error says how long to wait, where the server did", () => {
  expect(
    typed({ code: "rate_limited", message: "m", details: null, retry_after: 250 }).retryAfter,
  ).toBe(250);
  expect(new RhtmxError("closed", "m").retryAfter).toBeUndefined();
});

it("what is not said is absent, and no retry is promised", () => {
  const error = new RhtmxError("closed", "m");
  expect(error).toMatchObject({ request_id: undefined, retryable: false, details: null });
});

it("an error lists the fields that are wrong", () => {
  const violations = [{ field: "end", code: "early", message: "too early", metadata: { min: 3 } }];
  expect(new RhtmxError("invalid_data", "no", { details: { violations } }).violations).toEqual(
    violations,
  );
  for (const details of [null, 7, [], { field: "a" }]) {
    expect(new RhtmxError("invalid_data", "no", { details }).violations).toEqual([]);
  }
});

it("of a transaction an error lists the fields of each write", () => {
  const one = { violations: [{ field: "n", code: "low", message: "too low" }] };
  const writes = [{ index: 2, details: one }, { index: 3 }, { index: 4, details: one }, 7, null];
  const found = new RhtmxError("invalid_data", "no", { details: { writes } }).violations;
  expect(found).toEqual([2, 4].map((write) => ({ ...one.violations[0], write })));
});

it("what another server says there is taken as far as it goes", () => {
  for (const details of [{ violations: 7 }, { writes: 7 }, { writes: [{ details: 7 }] }]) {
    expect(new RhtmxError("invalid_data", "no", { details }).violations).toEqual([]);
  }
});
