import { expect, it } from "vitest";

import { newId } from "../../src/core/identity.ts";

it("a new id is made of random numbers, and always as long", () => {
  const numbers = [0, 0.5, 0.999999999999, 1 / 3];
  expect(newId(() => numbers.shift()!)).toBe("0000000080000000ffffffff55555555");
});
