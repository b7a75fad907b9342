/**
 * The state tables in the heads of the core's modules, each compared with what the module does.
 */
import { expect, it } from "vitest";
import { ConnectionLifecycle } from "../../src/core/connection-lifecycle.ts";
import type { Event, Input } from "../../src/core/events.ts";
import { LightSession } from "../../src/core/light-session.ts";
import { Session } from "../../src/core/session.ts";
import type { Op, Write } from "../../src/core/storage-ops.ts";
import { apply, RETELLABLE, stateOf, waiting } from "../../src/core/storage-ops.ts";
import { Streams } from "../../src/core/streams.ts";
import { WriteQueue } from "../../src/core/write-queue.ts";
import type { ClientMessage } from "../../src/messages/types.ts";
import { codecOf, encode } from "../../src/wire/index.ts";
import { replicaOf } from "../support/replica.ts";
import { explore, tableOf } from "../support/states.ts";
import { WELCOME } from "../support/welcome.ts";
import { write as made } from "../support/writes.ts";

const ONE_SIDE = { codec: codecOf("json"), random: () => 0.5 };

it("the life of a connection", async () => {
  const table = tableOf(
    "core/connection-lifecycle.ts",
    ...["waiting", "connecting", "greeting", "open", "offline", "closed"],
  );
  await explore(table, () => {
    const lifecycle = new ConnectionLifecycle(() => 0.5);
    let now = 0;
    const due = () => {
      now = lifecycle.deadline ?? now;
      lifecycle.tick(now);
    };
    return {
      state: () => lifecycle.phase,
      check() {
        const isOver = ["offline", "closed"].includes(lifecycle.phase);
        expect(lifecycle.deadline === undefined, "only what is over has no deadline").toBe(isOver);
        expect(lifecycle.canSend).toBe(["greeting", "open"].includes(lifecycle.phase));
      },
      events: {
        tick: due,
        opened: () => lifecycle.opened(now),
        begin: () => lifecycle.begin(20_000, now),
        lost: () => lifecycle.lost(now),
        wake: () => lifecycle.wake(now),
        online: () => lifecycle.online(now),
        "end(offline)": () => lifecycle.end("offline"),
        "end(closed)": () => lifecycle.end("closed"),
      },
    };
  });
});

it.each([
  ["a session", () => new Session(ONE_SIDE, stateOf([["client_id", "c1"]]))],
  ["a light session", () => new LightSession(ONE_SIDE)],
])("the conversation of %s", async (_, begin) => {
  const table = tableOf(
    "core/conversation.ts",
    ...["waiting", "connecting", "open", "offline", "closed"],
  );
  await explore(table, () => {
    const session = begin();
    let now = 0;
    let deadline: number | undefined;
    let isGreeting = false;
    const take = (input: Input) => {
      ({ deadline } = session.step(input, now));
    };
    const frame = (data: string) => {
      if (!isGreeting && session.state === "connecting") take({ type: "opened" });
      isGreeting = true;
      take({ type: "frame", data });
    };
    const whys = ["app", "network"] as const;
    const why = (random: number) => whys[Math.floor(random * 2)]!;
    return {
      state: () => {
        if (session.state !== "connecting") isGreeting = false;
        return session.state;
      },
      events: {
        tick() {
          now = deadline ?? now;
          take({ type: "tick" });
        },
        opened() {
          if (!isGreeting) take({ type: "opened" });
          isGreeting = true;
        },
        welcome: () => frame(encode(WELCOME, "json") as string),
        "another message": () => frame('{"type":"ping"}'),
        "what is none": () => frame("{}"),
        ended: () => take({ type: "ended", code: 1006 }),
        "ended for good": () => take({ type: "ended", code: 4504 }),
        offline: (random) => take({ type: "offline", why: why(random) }),
        online: (random) => take({ type: "online", why: why(random) }),
        wake: () => take({ type: "wake" }),
      },
    };
  });
});

it("the stream of an entity that is read", async () => {
  const table = tableOf("core/streams.ts", "none", "wanted", "asked", "live", "rejected");
  await explore(table, () => {
    const memory = stateOf();
    let state = "none";
    let isConnected = false;
    const streams = new Streams({
      state: memory,
      epoch: "e1",
      unstored: undefined,
      emit: (op) => apply(memory, op),
      send({ type }) {
        state = type === "subscribe" ? "asked" : "none";
      },
      tell({ type }) {
        if (type === "synced") state = "live";
        if (type === "rejected") state = "rejected";
      },
      fence: (act) => act(),
    });
    const tab = (random: number) => (random < 0.5 ? "t1" : "t2");
    const tabs = new Set<string>();
    const leave = (who: string) => {
      tabs.delete(who);
      if (state !== "asked") end();
    };
    const end = () => {
      if (!tabs.size) state = "none";
    };
    return {
      state: () => state,
      check() {
        expect(!!streams.replica("users"), "it has a replica while somebody reads").toBe(
          state !== "none",
        );
      },
      events: {
        open(random) {
          tabs.add(tab(random));
          if (state === "none") state = "wanted";
          streams.open("users", false, tab(random));
        },
        shut(random) {
          streams.shut("users", tab(random));
          leave(tab(random));
        },
        gone(random) {
          streams.gone(tab(random));
          leave(tab(random));
        },
        begin() {
          if (isConnected) return;
          isConnected = true;
          streams.begin(128);
        },
        lost() {
          isConnected = false;
          streams.lost();
          if (state !== "none") state = "wanted";
          end();
        },
        began() {
          const what = { entity: "users", epoch: "e1", reset: true, fields: false };
          streams.began({ type: "sync_begin", ...what });
          if (state === "live") state = "asked";
        },
        synced() {
          const at = { entity: "users", epoch: "e1", version: 1, reset: false };
          streams.synced({ type: "sync_complete", ...at });
        },
        refused() {
          const error = { code: "forbidden", message: "no", details: null } as const;
          streams.refused("users", error);
          end();
        },
        again: () => streams.again(),
      },
    };
  });
});

/** A queue with one write, of which the test is the session, the store and the server. */
function queue() {
  const state = stateOf();
  const told: Event[] = [];
  const core = {
    state,
    epoch: "e1",
    unstored: undefined as Op | undefined,
    emit(op: Op) {
      apply(state, op);
      if (!RETELLABLE.has(op[0])) core.unstored = op;
    },
    send: (_: ClientMessage) => void (core.sends += 1),
    sends: 0,
    tell: (event: Event) => void told.push(event),
    fence: () => {},
  };
  const it = new WriteQueue(core, () => 0.5);
  return { it, core, state, told };
}

it("one write of the queue", async () => {
  const table = tableOf("core/write-queue.ts", "none", "waiting", "sent", "renewing", "settled");
  await explore(table, () => {
    const { it: writes, core, state, told } = queue();
    let isOpen = false;
    let renewing = false;
    let known = 0;
    let now = 0;
    const current = () => [...state.writes.values()][0];
    const stateNow = () => {
      const write = current();
      if (!write) return "none";
      if (write.settled) return "settled";
      if (renewing) return "renewing";
      return isOpen && writes.sent.includes(write.id) ? "sent" : "waiting";
    };
    const stored = () => core.unstored && writes.stored([core.unstored]);
    const fail = (code: string, details: object | null = null) => {
      const failure = { type: "error", message: "no", code, details, seq: current()!.seq };
      writes.failed(failure as never, now);
      stored();
    };
    const number = (id: string) => {
      const seq = state.meta.last + 1;
      const write: Write = { ...made(id), seq };
      apply(state, ["write", id, write]);
      writes.added(write);
    };
    let ids = 0;
    const begin = (last_seq: number) => {
      isOpen = true;
      known = last_seq;
      writes.begin({ ...WELCOME, last_seq });
      // Numbers are missing: the store has no others.
      writes.loaded();
      stored();
    };
    return {
      state: stateNow,
      check() {
        const all = waiting(state);
        const numbers = all.map(({ seq }) => seq);
        expect(numbers, "without holes").toEqual(numbers.map((_, at) => numbers[0]! + at));
        if (!isOpen) expect(core.sends, "nothing is sent without a connection").toBe(0);
        core.sends = 0;
        const sent = isOpen ? writes.sent : [];
        expect(sent, "what is sent is what waits first").toEqual(
          all.slice(0, sent.length).map(({ id }) => id),
        );
        expect(writes.confirmed, "no answer is confirmed before there is one").toBeLessThan(
          numbers[0] ?? Infinity,
        );
      },
      events: {
        added: () => number(`w${++ids}`),
        numbered() {
          renewing = false;
          number(current()!.id);
        },
        "not numbered"() {
          renewing = false;
          writes.unnumbered(current()!.id, now);
        },
        flush() {
          now = Math.max(now, writes.hold.until ?? 0);
          if (now === Infinity) now = 0;
          writes.flush(now, 10);
        },
        begin() {
          if (!isOpen) begin(Math.max(known, state.meta.last - waiting(state).length));
        },
        lost() {
          isOpen = false;
          writes.lost();
        },
        "acknowledged late": () => acknowledge(false),
        acknowledged: () => acknowledge(true),
        "its change": () => core.emit(["write", current()!.id]),
        rejected: () => fail("forbidden"),
        "not now": () => fail("rate_limited"),
        "no token": () => fail("unauthenticated"),
        authenticated: () => writes.authenticated(),
        "number used"() {
          fail("seq_reused");
          renewing = told.at(-1)?.type === "renew";
        },
        "out of order": () => fail("out_of_order", { last_seq: current()!.seq! - 1 }),
      },
    };

    function acknowledge(isComing: boolean): void {
      const replica = replicaOf(current()!.entity);
      const { seq } = current()!;
      const ack = { type: "push_ack", entity: "tasks", entity_id: "1", version: 9, seq } as never;
      known = seq!;
      writes.answered(ack, { replica: () => (isComing ? replica : undefined) });
      stored();
      expect(told.some(({ type }) => type === "outcome")).toBe(true);
    }
  });
});
