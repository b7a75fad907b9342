import { describe, expect, it } from "vitest";
import { traceparent } from "../../src/core/traceparent.ts";

const ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("where in a trace a client is", () => {
  it("is nowhere unless it is said", () => {
    expect(traceparent(undefined)).toBeUndefined();
    expect(traceparent(() => null)).toBeUndefined();
    expect(traceparent(() => undefined)).toBeUndefined();
  });

  it("is what a text says, or a function each time", () => {
    const said = [ONE, ONE.replace("-01", "-00")];
    expect(traceparent(ONE)).toBe(ONE);
    expect([1, 2].map(() => traceparent(() => said.shift()))).toEqual([
      ONE,
      ONE.replace("-01", "-00"),
    ]);
  });

  it.each(["", "traces", ONE.slice(1), ONE.toUpperCase(), `${ONE}-`, `${ONE}\n`])(
    "is nowhere where %j is said, which is none",
    (said) => {
      expect(traceparent(said)).toBeUndefined();
      expect(traceparent(() => said)).toBeUndefined();
    },
  );

  it("is nowhere where what says it fails", () => {
    const fails = () => {
      throw new Error("no span");
    };
    expect(traceparent(fails)).toBeUndefined();
  });
});
