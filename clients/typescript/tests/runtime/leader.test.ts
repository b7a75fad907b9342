/**
 * The state table in the head of `leader.ts`, compared with what a leader does.
 */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { stateOf } from "../../src/core/storage-ops.ts";
import type { TabChannel } from "../../src/core/tab-messages.ts";
import { Leader } from "../../src/runtime/leader.ts";
import { Tab } from "../../src/runtime/tab.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { codecOf } from "../../src/wire/index.ts";
import { FakeWebSocket } from "../support/sockets.ts";
import { explore, tableOf } from "../support/states.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A store that is read, and asked who leads, when the test says so. */
class HeldStore extends MemoryStore {
  reads: (() => void)[] = [];
  asked: ((leads: boolean) => void)[] = [];
  isSlow = false;

  override async load() {
    if (this.isSlow) await new Promise<void>((resolve) => this.reads.push(resolve));
    return super.load();
  }

  override apply(...[ops, leader]: Parameters<MemoryStore["apply"]>) {
    if (ops.length) return super.apply(ops, leader);
    return new Promise<boolean>((resolve) => this.asked.push(resolve));
  }
}

const settled = () => vi.advanceTimersByTimeAsync(0);

async function make() {
  const [store, state] = [new HeldStore("c"), stateOf()];
  let paused = false;
  const sockets: FakeWebSocket[] = [];
  const channel: TabChannel = {
    post() {},
    lead() {},
    close() {},
    paused() {
      const was = paused;
      paused = false;
      return was;
    },
  };
  class Socket extends FakeWebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const tab = new Tab(store, channel, "one", state);
  await tab.ready;
  store.isSlow = true;
  const options = {
    url: "ws://x/",
    codec: codecOf("json"),
    random: () => 0.5,
    leader: "L1",
  } as const;
  const leader = new Leader({ ...options, WebSocket: Socket, store, channel, state }, tab);
  leader.start(true);
  await settled();
  return { leader, tab, store, sockets, isPaused: () => paused, pause: () => (paused = true) };
}

it("a leader", async () => {
  const table = tableOf("runtime/leader.ts", "loading", "leads", "in doubt", "ended");
  await explore(
    table,
    async () => {
      const { leader, tab, store, sockets, isPaused, pause } = await make();
      let hasLoaded = false;
      const here = () => {
        if (!tab.leads) return "ended";
        if (!hasLoaded) return "loading";
        return store.asked.length ? "in doubt" : "leads";
      };
      const load = async (by: string) => {
        await store.apply([["leader", by]]);
        for (const read of store.reads.splice(0)) read();
        hasLoaded = true;
        await settled();
      };
      const say = async (isLate: boolean) => {
        if (isLate) pause();
        const before = here();
        const known = sockets.length;
        const acts = before === "leads" && !isPaused();
        tab.send({ type: "offline", why: "app" });
        tab.send({ type: "online", why: "app" });
        await settled();

        expect(sockets.length - known, "it acts only while it leads").toBe(+acts);
      };
      return {
        state: here,
        events: {
          loaded: () => load("L1"),
          "another leads": () => load("L2"),
          input: () => say(false),
          "late input": () => say(true),
          "still leads": async () => {
            for (const answer of store.asked.splice(0)) answer(true);
            await settled();
          },
          "does not lead": async () => {
            for (const answer of store.asked.splice(0)) answer(false);
            await settled();
          },
          stop: () => leader.stop(),
        },
      };
    },
    200,
  );
});
