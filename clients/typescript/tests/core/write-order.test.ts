import fc from "fast-check";
import { expect, it } from "vitest";

import type { Write } from "../../src/core/storage-ops.ts";
import { bySeq, inOrder, put, sameSince } from "../../src/core/write-order.ts";
import { write } from "../support/writes.ts";

const settled = { version: 1, epoch: "e1" };

const ids = fc.constantFrom("a", "b", "c", "d", "e");
const made = fc.record({
  seq: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
  settled: fc.constantFrom(undefined, settled),
});
const steps = fc.array(fc.tuple(ids, fc.option(made, { nil: undefined })), { maxLength: 40 });

it("the order is what sorting all of them gives, whatever comes, changes and goes", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const writes = new Map<string, Write>();
      inOrder(writes);
      for (const [id, more] of all) {
        put(writes, id, more && write(id, more));
        expect(inOrder(writes)).toEqual([...writes.values()].sort(bySeq));
      }
    }),
  );
});

it("so many of the first do what they did as sameSince says", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const writes = new Map<string, Write>();
      sameSince(writes);
      for (const [id, more] of all) {
        const before = inOrder(writes).map(({ message }) => message);
        put(writes, id, more && write(id, more));
        const same = sameSince(writes);
        const now = inOrder(writes).map(({ message }) => message);
        expect(same).toBeLessThanOrEqual(now.length);
        expect(now.slice(0, same).every((message, at) => message === before[at])).toBe(true);
      }
    }),
  );
});

it("a write that gets its number, in its turn, does what it did", () => {
  const writes = new Map<string, Write>();
  const [one, two] = [write("a"), write("b")];
  for (const each of [one, two]) put(writes, each.id, each);
  expect(sameSince(writes)).toBe(0);
  put(writes, "a", { ...one, seq: 1 });
  expect(sameSince(writes)).toBe(2);
  put(writes, "c", write("c"));
  expect(sameSince(writes)).toBe(2);
  put(writes, "b", { ...two, seq: 2, message: { ...two.message } });
  expect(sameSince(writes)).toBe(1);
  put(writes, "a");
  expect(sameSince(writes)).toBe(0);
});
