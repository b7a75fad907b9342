import { describe, expect, it } from "vitest";

import { checkSizes, checkToken } from "../../src/wire/sizes.ts";
import { refusal } from "../support/refusal.ts";

describe("a token", () => {
  it("may be left out, and have 4,096 bytes", () => {
    for (const token of [undefined, "", "é".repeat(2_048)]) checkToken(token);
  });

  it.each([
    ["é".repeat(2_049), "0 to 4096 bytes expected, got 4098"],
    ["\0", "not a string"],
    ["\ud800", "not a string"],
    [7 as unknown as string, "not a string"],
  ])("that no server takes does not travel: %#", (token, words) => {
    expect(refusal(() => checkToken(token)).message).toBe(`authenticate.token: ${words}`);
  });
});

describe("a name", () => {
  it("has 1 to 255 bytes, wherever it stands", () => {
    checkSizes({ form: "é".repeat(127) }, "validate_form");
    for (const form of ["", "é".repeat(128)]) {
      const words = `validate_form.form: 1 to 255 bytes expected, got ${Buffer.byteLength(form)}`;
      expect(refusal(() => checkSizes({ form }, "validate_form")).message).toBe(words);
    }
  });
});
