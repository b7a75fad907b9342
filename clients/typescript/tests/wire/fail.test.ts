import { expect, it } from "vitest";

import { refuse, show } from "../../src/wire/fail.ts";
import { refusal } from "../support/refusal.ts";

it.each([
  ["text", '"text"'],
  ["a\nb", '"a\\nb"'],
  ["x".repeat(41), `"${"x".repeat(40)}"`],
])("%j is shown as %s", (value, shown) => {
  expect(show(value)).toBe(shown);
});

it("a refusal names the place and what was wrong", () => {
  const error = refusal(() => refuse("push.data", "not JSON"));
  expect(error.code).toBe("bad_message");
  expect(error.message).toBe("push.data: not JSON");
  expect(error.details).toBeNull();
});
