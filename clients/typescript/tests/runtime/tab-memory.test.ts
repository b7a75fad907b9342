import { expect, it } from "vitest";

import { applyAll, stateOf } from "../../src/core/storage-ops.ts";
import { TabMemory } from "../../src/runtime/tab-memory.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { write } from "../support/writes.ts";

it("stays as its store has left it when nothing could be read, whatever was told meanwhile", async () => {
  const state = stateOf();
  const store = new MemoryStore("c1");
  store.load = async () => {
    applyAll(state, [["write", "other"]]);
    return state;
  };
  const memory = new TabMemory(store, state);
  const loading = memory.load();
  memory.added(write("other", { seq: 1 }));
  await loading;
  expect([...state.writes.keys()]).toEqual([]);
});
