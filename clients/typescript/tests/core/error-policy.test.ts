import { describe, expect, it } from "vitest";
import type { Reaction } from "../../src/core/error-policy.ts";
import {
  finalError,
  isBusy,
  isTooLarge,
  reactionTo,
  shouldReconnect,
} from "../../src/core/error-policy.ts";
import { ERRORS } from "../../src/messages/tables.ts";
import type { ErrorCode, Error as Failure } from "../../src/messages/types.ts";

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

it("only two close codes are about one message", () => {
  expect([undefined, 1000, 1006, 1009, 4000, 4500, 4502].filter(isTooLarge)).toEqual([1009, 4502]);
});

it("a busy server is asked again, one that says no is not", () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  const busy = codes.filter((code) => isBusy({ type: "error", message: "m", code, details: null }));
  expect(busy.sort()).toEqual(["rate_limited", "shutting_down", "too_many_requests"]);
});

describe("the error of a final close", () => {
  it("has the code that the close code stands for", () => {
    expect(finalError(4503, undefined).code).toBe("unauthenticated");
  });

  it("repeats what the server said last, if that was why", () => {
    const said = { code: "unauthenticated", message: "expired at noon", details: null } as const;
    expect(finalError(4503, said).message).toContain("expired at noon");
    expect(finalError(4504, said).message).not.toContain("expired");
  });

  it("has the code `closed` where the close code is nobody's", () => {
    expect(finalError(4999, undefined)).toMatchObject({ code: "closed" });
    expect(finalError(4999, undefined).message).toContain("4999");
  });
});

describe("a refused write", () => {
  const error = (code: ErrorCode | undefined, more = {}) =>
    reactionTo({ type: "error", message: "m", code, details: null, ...more }, 5);

  it.each(Object.keys(ERRORS) as ErrorCode[])("with code %s has one reactionTo", (code) => {
    const special: Partial<Record<ErrorCode, Reaction>> = {
      unauthenticated: "reauthenticate",
      seq_reused: "renew",
    };
    expect(error(code)).toBe(special[code] ?? (ERRORS[code].retryable ? "retry" : "reject"));
  });

  it("is tried again if the server says so", () => {
    expect(error("timeout", { retryable: false })).toBe("reject");
    expect(error("internal", { retryable: true })).toBe("retry");
  });

  it("with a code of a newer server has the reactionTo that comes with it", () => {
    for (const code of ["quota_exceeded", "toString", "__proto__"]) {
      const said = (more: Partial<Failure>) => {
        const refused = { type: "error", message: "m", code, details: null, ...more } as const;
        expect(isBusy(refused)).toBe(reactionTo(refused, 5) === "retry");
        return reactionTo(refused, 5);
      };
      expect(said({})).toBe("reject");
      expect(said({ retryable: false, retry_after: 5 })).toBe("reject");
      expect(said({ retryable: true })).toBe("retry");
      expect(said({ retry_after: 0 })).toBe("retry");
    }
  });

  it("without a code was not understood by anybody", () => {
    expect(error(undefined)).toBe("reject");
  });

  it("out of order is put in order only if the server lacks something", () => {
    expect(error("out_of_order", { details: { last_seq: 4 } })).toBe("reorder");
    expect(error("out_of_order", { details: { last_seq: 5 } })).toBe("reject");
    expect(error("out_of_order")).toBe("reject");
  });
});
