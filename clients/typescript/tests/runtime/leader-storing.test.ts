/**
 * What a leader has to store is stored in its order, whatever becomes of it.
 */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Held, Op } from "../../src/core/storage-ops.ts";
import { stateOf } from "../../src/core/storage-ops.ts";
import type { TabChannel } from "../../src/core/tab-messages.ts";
import { RhtmxError } from "../../src/errors.ts";
import { takeTurns } from "../../src/runtime/leader.ts";
import { Tab } from "../../src/runtime/tab.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { codecOf } from "../../src/wire/index.ts";
import { record } from "../support/client.ts";
import { fakeSockets } from "../support/sockets.ts";
import { WELCOME } from "../support/welcome.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What becomes of a transaction, in the end. */
type End = (why?: RhtmxError) => void;

/** A store whose transactions end when the test says so. */
class HeldStore extends MemoryStore {
  /** What is under way, and how it ends. */
  readonly begun: [ops: readonly Op[], end: End][] = [];
  isHeld = false;

  override async apply(...[ops, leader]: Parameters<MemoryStore["apply"]>) {
    if (this.isHeld) {
      const why = await new Promise<RhtmxError | undefined>((end) => this.begun.push([ops, end]));
      if (why) throw why;
    }
    return super.apply(ops, leader);
  }

  /** What is stored of the records of `tasks`. */
  async records(): Promise<Map<string, Held> | undefined> {
    return (await super.load()).entities.get("tasks")?.records;
  }
}

const settled = () => vi.advanceTimersByTimeAsync(0);
const full = new RhtmxError("storage_full", "no space left");

/** A tab that leads, and reads `tasks`; `turn` has it lead anew. */
async function leading() {
  const [store, state] = [new HeldStore("c"), stateOf()];
  let turn = () => {};
  const channel: TabChannel = {
    post() {},
    lead(start, stop) {
      start();
      turn = () => {
        stop();
        start(true);
      };
    },
    close() {},
  };
  const tab = new Tab(store, channel, "one", state);
  const { all, WebSocket } = fakeSockets();
  const around = { WebSocket, codec: codecOf("json"), random: () => 0.5, store, channel, state };
  const stop = takeTurns(tab, { url: "ws://x/", leader: "L", ...around });
  tab.open("tasks", false);
  const errors = vi.fn();
  tab.on("error", errors);
  await settled();
  const welcomed = async () => {
    all.at(-1)!.opens();
    all.at(-1)!.says(WELCOME);
    await settled();
  };
  const told = async (id: string, version: number) => {
    all.at(-1)!.says({ type: "change", change: record(id, version, version) });
    await settled();
  };
  await welcomed();
  store.isHeld = true;
  const pause = () => (channel.paused = () => !(channel.paused = () => false)());
  return { store, told, stop, welcomed, errors, pause, turn: () => turn() };
}

/** How what is under way ends, the first of it. */
async function ends({ begun }: HeldStore, why?: RhtmxError): Promise<void> {
  begun.shift()![1](why);
  await settled();
}

it("what comes last is not stored where what came before it was not", async () => {
  const { store, told, stop, errors } = await leading();
  await told("1", 1);
  await told("2", 2);
  stop();
  await settled();
  expect(store.begun, "one transaction after the other").toHaveLength(1);
  await ends(store, full);
  expect(store.begun).toHaveLength(0);
  expect((await store.records())?.size ?? 0, "a position would say that all of it is here").toBe(0);
  expect(errors).toHaveBeenCalledExactlyOnceWith(full);
});

it("what comes last is stored after what came before it", async () => {
  const { store, told, stop } = await leading();
  await told("1", 1);
  await told("2", 2);
  stop();
  await ends(store);
  await ends(store);
  expect([...(await store.records())!.keys()]).toEqual(["1", "2"]);
});

it("what a turn has yet to store does not come over what the next turn of the same tab has stored", async () => {
  const { store, told, turn, welcomed } = await leading();
  await told("1", 1);
  await told("1", 2);
  turn();
  await settled();
  const [first, ...more] = store.begun.splice(0);
  const isNaming = ([[op]]: (typeof more)[number]) => op![0] === "leader";
  for (const [, end] of [first!, ...more.filter(isNaming)]) end();
  await settled();
  const late = [...more.filter((each) => !isNaming(each)), ...store.begun.splice(0)];
  expect(late).toHaveLength(1);
  await welcomed();
  await told("1", 3);
  for (let next = store.begun.shift(); next; next = store.begun.shift()) {
    next[1]();
    await settled();
  }
  for (const [, end] of late) end();
  await settled();
  expect((await store.records())!.get("1")).toMatchObject({ data: 3 });
});

it("one that finds no room to say that it leads leads, and says so with what it stores next", async () => {
  const { store, told, turn, welcomed, errors, pause } = await leading();
  turn();
  await settled();
  await ends(store, full);
  expect(errors).toHaveBeenCalledExactlyOnceWith(full);
  await welcomed();
  pause();
  await told("1", 1);
  await ends(store); // who leads, as the store knows: another one
  await vi.advanceTimersByTimeAsync(5_000);
  expect(store.begun.map(([ops]) => ops.map(([name]) => name))).toEqual([
    ["leader", "record", "place"],
  ]);
  await ends(store);
  expect((await store.records())!.get("1")).toMatchObject({ data: 1 });
  await told("1", 2);
  await ends(store);
  expect((await store.records())!.get("1"), "as the one who leads").toMatchObject({ data: 2 });
});

it("one that leads no longer, and never could say that it did, says nothing of it any more", async () => {
  const { store, told, turn, welcomed, stop } = await leading();
  turn();
  await settled();
  await ends(store, full);
  await welcomed();
  await told("1", 1);
  stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(store.begun, "another one may lead by now").toEqual([]);
});
