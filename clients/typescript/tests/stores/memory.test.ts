import { expect, it } from "vitest";
import type { Op, State } from "../../src/core/storage-ops.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { write } from "../support/writes.ts";

const dirty = ({ entities }: State) => [...entities.values()].flatMap((each) => [...each.dirty]);

it("what is loaded has all of it to be shown, and nothing that went", async () => {
  const store = new MemoryStore("c1");
  for (let at = 0; at < 100; at += 1) {
    const set: Op = ["record", "tasks", `${at}`, { data: at, version: at }];
    await store.apply([set, ["record", "tasks", `${at - 2}`]]);
  }
  await store.add(write("w", { entityId: "mine" }));
  const found = await store.load();
  expect(dirty(found)).toEqual(["98", "99", "mine"]);
  expect([...found.changed]).toEqual([]);
});
