/**
 * The state table in the head of `leader-election.ts`, compared with what it does.
 */
import { expect, it } from "vitest";

import type { Surroundings } from "../../src/runtime/leader-election.ts";
import { HEARTBEAT, LeaderElection } from "../../src/runtime/leader-election.ts";
import { explore, tableOf } from "../support/states.ts";

type Held = (lock: object | null) => Promise<void> | undefined;

/** A place in the line for the lock; what becomes of it is told at once. */
interface Place {
  readonly held: Held;
  readonly options: LockOptions;
  has: boolean;
  fail(error: Error): void;
}

/** A tab, in surroundings that the test moves. */
function tab() {
  const listeners: Record<string, () => void> = {};
  const all: Place[] = [];
  let now = 1;
  let tick = () => {};
  const request = (name: string, options: LockOptions, held: Held) => {
    if (name !== "n") return new Promise(() => {});
    const place: Place = { held, options, has: false, fail: () => {} };
    if (options.ifAvailable) held(null);
    else all.push(place);
    return { catch: (failed: (error: Error) => void) => (place.fail = failed) };
  };
  const around = {
    navigator: { locks: { request } },
    BroadcastChannel: class {
      postMessage() {}
      close() {}
    },
    performance: { now: () => now },
    addEventListener: (name: string, listener: () => void) => (listeners[name] = listener),
    setInterval: (act: () => void) => (tick = act),
    clearInterval: () => (tick = () => {}),
  };
  const election = new LeaderElection("n", "t", around as unknown as Surroundings);
  return {
    election,
    listeners,
    place: () => all.at(-1)!,
    tick() {
      now += HEARTBEAT / 2;
      tick();
    },
  };
}

it("a tab in the election of the leader", async () => {
  const table = tableOf("runtime/leader-election.ts", "away", "in line", "has lock", "leads");
  await explore(table, () => {
    const { election, listeners, place, tick } = tab();
    let leads = false;
    let isAway = false;
    let isClosed = false;
    const state = () => {
      if (leads) return "leads";
      if (isAway) return "away";
      return place().has ? "has lock" : "in line";
    };
    return {
      state,
      check() {
        expect(leads && isAway, "nobody leads who is away").toBe(false);
      },
      events: {
        lead() {
          if (state() === "away") return;
          election.lead(
            () => (leads = true),
            () => (leads = false),
          );
        },
        granted() {
          const mine = place();
          mine.has = true;
          void mine.held({});
        },
        stolen: () => place().fail(Object.assign(new Error("stolen"), { name: "AbortError" })),
        yield: () => election.yield(),
        freeze() {
          listeners.freeze!();
          isAway = true;
        },
        resume() {
          if (isClosed) return;
          listeners.resume!();
          isAway = false;
        },
        nobody() {
          const before = state();
          for (let times = 0; times < 3; times += 1) tick();
          if (before === "in line") expect(place().options.steal).toBe(true);
        },
        close() {
          election.close();
          isAway = isClosed = true;
        },
      },
    };
  });
});
