import { describe, expect, it } from "vitest";

import { RhtmxError } from "../src/errors.ts";
import { finalError, isUnknownType, shouldReconnect, typedError } from "../src/verdict.ts";

describe("after a close code", () => {
  it.each([undefined, 1000, 1001, 1005, 1006, 1011, 1012, 1013, 4000, 4001, 4400, 4499])(
    "%s a client connects again",
    (code) => {
      expect(shouldReconnect(code)).toBe(true);
    },
  );

  it.each([1002, 1003, 1007, 1008, 1009, 1010, 4500, 4503, 4999])("%d it does not", (code) => {
    expect(shouldReconnect(code)).toBe(false);
  });
});

describe("the error of a final close", () => {
  it("has the code that the close code stands for", () => {
    expect(finalError(4503, undefined).code).toBe("unauthenticated");
  });

  it("repeats what the server said last, if that was why", () => {
    const said = new RhtmxError("unauthenticated", "the token expired at noon");
    expect(finalError(4503, said).message).toContain("the token expired at noon");
    expect(finalError(4504, said).message).not.toContain("the token");
  });

  it("has the code `closed` where the close code is nobody's", () => {
    expect(finalError(4999, undefined).code).toBe("closed");
  });
});

describe("the error of a message", () => {
  it("takes from the table whether to try again, unless the server says", () => {
    const message = { type: "error", message: "m", details: null } as const;
    expect(typedError({ ...message, code: "timeout" }).retryable).toBe(true);
    expect(typedError({ ...message, code: "timeout", retryable: false }).retryable).toBe(false);
    expect(typedError({ ...message, code: "conflict" }).retryable).toBe(false);
  });

  it("without a code is internal", () => {
    expect(typedError({ type: "error", message: "m", details: null }).code).toBe("internal");
  });

  it("keeps what it is about", () => {
    const error = typedError({
      type: "error",
      message: "m",
      code: "conflict",
      request_id: "r1",
      seq: 3,
      details: { version: 4 },
    });
    expect(error).toMatchObject({ request_id: "r1", seq: 3, details: { version: 4 } });
  });
});

it("an unknown type is told from a broken message", () => {
  expect(isUnknownType(new RhtmxError("bad_message", "m", { details: { unknown_type: true } }))).toBe(
    true,
  );
  expect(isUnknownType(new RhtmxError("bad_message", "m"))).toBe(false);
  expect(isUnknownType(new RhtmxError("bad_message", "m", { details: "unknown_type" }))).toBe(false);
});
