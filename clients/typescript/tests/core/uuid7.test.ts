import { describe, expect, it } from "vitest";
import { uuid7 } from "../../src/core/uuid7.ts";

describe("an id of a new record", () => {
  it("is a UUID of version 7 of its time", () => {
    const id = uuid7(Date.UTC(2026, 0, 31), "0123456789abcdef0123456789abcdef");
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(Date.UTC(2026, 0, 31));
  });

  it("sorts by the time of its making", () => {
    const ids = [1, 2, 1e12, 1e12 + 1].map((now) => uuid7(now, "f".repeat(32)));
    expect([...ids].sort()).toEqual(ids);
  });
});
