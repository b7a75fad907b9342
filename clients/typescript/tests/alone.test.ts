import { describe, expect, it } from "vitest";

import { alone } from "../src/alone.ts";

function opened() {
  const port = alone();
  const calls: string[] = [];
  const lead = () => port.lead(() => calls.push("start"), () => calls.push("stop"));
  return { port, calls, lead };
}

describe("a client in one tab", () => {
  it("leads at once", () => {
    const { calls, lead } = opened();
    lead();
    expect(calls).toEqual(["start"]);
  });

  it("begins anew as another client, or with what is stored, and rests between", () => {
    const { port, calls, lead } = opened();
    lead();
    port.stand!("alone");
    port.stand!("nowhere");
    expect(calls).toEqual(["start", "stop", "start", "stop"]);
    port.stand!("shared");
    expect(calls.at(-1)).toBe("start");
  });

  it("does not begin before it is asked to", () => {
    const { port, calls, lead } = opened();
    port.stand!("alone");
    expect(calls).toEqual([]);
    lead();
    expect(calls).toEqual(["start"]);
  });
});
