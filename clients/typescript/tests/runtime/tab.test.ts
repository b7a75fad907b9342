/**
 * Two tabs on one store: what the port has to be able to carry.
 */
import { afterEach, describe, expect, it, vi } from "vitest";

import { Collection } from "../../src/api/collection.ts";
import * as compose from "../../src/core/build-message.ts";
import type { State, Store, Write } from "../../src/core/storage-ops.ts";
import { apply, stateOf } from "../../src/core/storage-ops.ts";
import type { TabChannel, TabMessage } from "../../src/core/tab-messages.ts";
import { RhtmxError } from "../../src/errors.ts";
import type { Message } from "../../src/messages/types.ts";
import { Leader } from "../../src/runtime/leader.ts";
import { Tab } from "../../src/runtime/tab.ts";
import { codecOf } from "../../src/wire/index.ts";
import { record, settle } from "../support/client.ts";
import { contentsOf } from "../support/contents.ts";
import { TestStore } from "../support/driver.ts";
import { eventually } from "../support/eventually.ts";
import { fakeSockets } from "../support/sockets.ts";
import { WELCOME } from "../support/welcome.ts";
import { write } from "../support/writes.ts";

const ends: (() => void)[] = [];

afterEach(() => ends.splice(0).forEach((end) => end()));

/** What one tab tells reaches the others a moment later, as a copy. */
function channel(): (deaf?: boolean) => TabChannel {
  const ports: TabChannel[] = [];
  return (deaf = false) => {
    const port: TabChannel = {
      post(message: TabMessage) {
        const copy = structuredClone(message);
        for (const other of ports) {
          if (other !== port) queueMicrotask(() => other.onmessage?.(copy));
        }
      },
      lead: (start) => start(),
      close: () => void ports.splice(ports.indexOf(port), 1),
    };
    if (!deaf) ports.push(port);
    return port;
  };
}

const { all: sockets, WebSocket } = fakeSockets();

/** What a tab was made of. */
interface Made {
  readonly store: TestStore;
  readonly channel: TabChannel;
  readonly state: State;
}

const made = new WeakMap<Tab, Made>();

function make(store: TestStore, channel: TabChannel, prefix: string): Tab {
  const state = stateOf();
  const tab = new Tab(store, channel, prefix, state);
  made.set(tab, { store, channel, state });
  return tab;
}

function lead(tab: Tab, name: string, waited?: boolean): Leader {
  const options = {
    ...made.get(tab)!,
    url: "ws://x/",
    WebSocket,
    codec: codecOf("json"),
    random: () => 0.5,
    leader: name,
  } as const;
  const leader = new Leader(options, tab);
  leader.start(waited);
  ends.push(() => leader.stop());
  return leader;
}

async function opened(store: TestStore, port: TabChannel, prefix: string): Promise<Tab> {
  const tab = make(store, port, prefix);
  tab.on("error", () => {});
  await tab.ready;
  ends.push(() => tab.close());
  return tab;
}

/** The last socket, welcomed. */
async function welcomed(last_seq = 0) {
  const socket = sockets.at(-1)!;
  socket.opens();
  socket.says({ ...WELCOME, last_seq });
  await settle();
  return socket;
}

const heard = (messages: Message[]) =>
  messages.map(({ type, ...rest }) => [type, (rest as { seq?: number }).seq]);
const push = (id: string, n: number) => compose.push("tasks", id, "update", { n }, {});

describe("two tabs on one store", () => {
  it("write into one queue, which the leader sends in one order, and each learns what became of its own", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
    lead(one, "L1");
    const socket = await welcomed();
    const tasks = new Collection(two, "tasks");
    await settle();
    const [first, second] = [one.write(push("1", 1)), two.write(push("2", 2))];
    await settle();
    expect(one.queue.map(({ id }) => id)).toEqual(two.queue.map(({ id }) => id));
    expect(heard(socket.heard())).toEqual([
      ["hello", undefined],
      ["subscribe", undefined],
      ["push", 1],
      ["push", 2],
    ]);
    socket.says({ type: "change", change: record("9", 1, { n: 9 }) });
    socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    socket.says({ type: "push_ack", entity: "tasks", entity_id: "1", version: 2, seq: 1 });
    socket.says({ type: "error", message: "no", code: "forbidden", seq: 2, details: null });
    expect(await first).toMatchObject({ version: 2 });
    await expect(second).rejects.toMatchObject({ code: "forbidden" });
    await tasks.synced;
    await eventually(() => expect(tasks.snapshot.map(({ id }) => id)).toEqual(["1", "9"]));
    expect(one.rejected.map(({ id }) => id)).toEqual(two.rejected.map(({ id }) => id));
    two.rejected[0]!.discard();
    await settle();
    expect(one.rejected).toEqual([]);
    expect((await contentsOf(store)).rejected).toEqual([]);
  });

  it("ask through the leader, and a new leader is asked again and sends what the old one did not", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
    const old = lead(one, "L1");
    const before = await welcomed();
    const seen: unknown[] = [];
    two.changes("prices", (change: { version: number } | null) =>
      seen.push(change?.version ?? null),
    );
    new Collection(one, "tasks");
    const asked = two.ask<{ type: "form_validation_result" } & Message>({
      type: "validate_form",
      request_id: "",
      form: "f",
      fields: [],
    });
    void two.write(push("1", 1));
    await settle();
    expect(
      before
        .heard()
        .map(({ type }) => type)
        .sort(),
    ).toEqual(["hello", "push", "subscribe", "subscribe", "validate_form"].sort());
    old.stop();
    lead(two, "L2");
    await settle();
    const after = await welcomed();
    const again = after.heard();
    expect(again.map(({ type }) => type)).toEqual([
      "hello",
      "subscribe",
      "subscribe",
      "validate_form",
      "push",
    ]);
    const { request_id } = again[3] as { request_id: string };
    const answer = { form: "f", valid: true, errors: [], request_id } as const;
    after.says({ type: "form_validation_result", ...answer });
    expect(await asked).toMatchObject({ valid: true });
    after.says({ type: "sync_complete", entity: "prices", epoch: "e1", version: 4, reset: false });
    after.says({ type: "change", change: { ...record("1", 5, 1), entity: "prices" } });
    expect(seen).toEqual([5]);
  });

  it("a leader that was not told of a write finds the hole, and loads the queue anew", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const one = await opened(store, port(), "one");
    lead(one, "L1");
    const socket = await welcomed();
    socket.heard();
    const silent = await opened(store, { post() {}, lead() {}, close() {} }, "silent");
    void silent.write(push("1", 1));
    await settle();
    expect(socket.heard()).toEqual([]);
    void one.write(push("2", 2));
    await settle();
    expect(heard(socket.heard())).toEqual([
      ["push", 1],
      ["push", 2],
    ]);
  });

  it("a number that was given while all were counted anew is put right before it is sent", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const one = await opened(store, port(), "one");
    lead(one, "L1");
    // The store has numbered it by now, and nobody was told yet.
    const write = one.write(push("1", 1));
    const socket = await welcomed(7);
    expect(heard(socket.heard()).slice(1)).toEqual([["push", 8]]);
    socket.says({ type: "push_ack", entity: "tasks", entity_id: "1", version: 2, seq: 8 });
    expect(await write).toMatchObject({ version: 2 });
    expect((await contentsOf(store)).meta.last).toBe(8);
  });

  it("one that does not lead any more stores nothing, and stops", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
    lead(one, "L1");
    const socket = await welcomed();
    new Collection(one, "tasks");
    lead(two, "L2");
    socket.says({ type: "change", change: record("1", 1, { n: 1 }) });
    await eventually(() => expect(socket.closedWith).toBe(1000));
    expect((await contentsOf(store)).records).toEqual([]);
  });

  it("one that has ended does not store what it was about to once more", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [store, port] = [new TestStore("c"), channel()];
    const one = await opened(store, port(), "one");
    const leader = lead(one, "L1");
    const socket = await welcomed();
    new Collection(one, "tasks");
    await vi.advanceTimersByTimeAsync(0);
    vi.spyOn(store, "apply").mockReturnValue(new Promise(() => {}));
    socket.says({ type: "change", change: record("1", 1, { n: 1 }) });
    leader.stop();
    one.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("one whose place was taken while it loaded does not even connect", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const one = await opened(store, port(), "one");
    const before = sockets.length;
    lead(one, "L1", true);
    void store.apply([["leader", "L2"]]);
    await settle();
    expect([sockets.length, one.leads]).toEqual([before, false]);
  });

  it("stores one batch after the other: what failed does not come back over what came later", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [store, port] = [new TestStore("c"), channel()];
    const one = await opened(store, port(), "one");
    lead(one, "L1");
    const socket = await welcomed();
    new Collection(one, "tasks");
    await vi.advanceTimersByTimeAsync(0);
    let fail = () => {};
    const apply = vi.spyOn(store, "apply");
    const failing = new Promise<boolean>((_, reject) => {
      fail = () => reject(new RhtmxError("storage_full", "full"));
    });
    apply.mockReturnValueOnce(failing);
    socket.says({ type: "change", change: record("1", 1, { n: 1 }) });
    await vi.advanceTimersByTimeAsync(0);
    socket.says({ type: "change", change: record("1", 2, { n: 2 }) });
    await vi.advanceTimersByTimeAsync(0);
    fail();
    await vi.advanceTimersByTimeAsync(0);
    expect(apply, "nor is it tried at once").toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(apply).toHaveBeenCalledTimes(2);
    expect((await contentsOf(store)).records).toEqual([
      ["tasks", "1", { data: { n: 2 }, version: 2 }],
    ]);
    vi.useRealTimers();
  });

  it("what comes while a batch is being stored is read as if it was there, and stored next", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const one = await opened(store, port(), "one");
    lead(one, "L1");
    const socket = await welcomed();
    const writes = [one.write(push("1", 1)), one.write(push("2", 2))];
    await settle();
    let goOn = () => {};
    const apply = store.apply.bind(store);
    vi.spyOn(store, "apply").mockImplementationOnce(async (...args) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      return apply(...args);
    });
    const ack = { type: "push_ack", entity: "tasks", version: 2 } as const;
    socket.says({ ...ack, entity_id: "1", seq: 1 });
    await settle();
    socket.says({ ...ack, entity_id: "2", seq: 2 });
    one.send({ type: "hole" });
    await settle();
    expect(one.queue).toEqual([]);
    goOn();
    await settle();
    expect((await contentsOf(store)).writes).toEqual([]);
    await Promise.all(writes);
  });

  it("a write that an earlier page left gets a fresh number, in all tabs", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const before = await opened(store, port(), "before");
    void before.write(push("1", 1));
    await settle();
    before.close();
    const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
    lead(one, "L1");
    const socket = await welcomed(1);
    expect(heard(socket.heard()).slice(1)).toEqual([["push", 1]]);
    const error = { type: "error", message: "m", details: null } as const;
    socket.says({ ...error, code: "seq_reused", seq: 1 });
    await settle();
    expect(heard(socket.heard())).toEqual([["push", 2]]);
    expect([one.queue, two.queue]).toMatchObject([[{ seq: 2 }], [{ seq: 2 }]]);
    // Nobody has it any more: it is read what there is.
    await store.apply([["write", one.queue[0]!.id]]);
    socket.says({ ...error, code: "seq_reused", seq: 2 });
    await settle();
    expect([one.queue, two.queue]).toEqual([[], []]);
  });

  it("one that has ended does not try to store for ever", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [store, port] = [new TestStore("c"), channel()];
    const one = await opened(store, port(), "one");
    const leader = lead(one, "L1");
    const socket = await welcomed();
    new Collection(one, "tasks");
    store.full = true;
    socket.says({ type: "change", change: record("1", 1, { n: 1 }) });
    leader.stop();
    one.close();
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("one that misses the outcome of its write knows it from what is stored, also before its change has come", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const own = port();
    const [one, two] = [await opened(store, port(), "one"), await opened(store, own, "two")];
    lead(one, "L1");
    const socket = await welcomed();
    new Collection(two, "tasks");
    await settle();
    const hear = own.onmessage!;
    own.onmessage = (message) => void (message.type === "outcome" || hear(message));
    const written = two.write(push("1", 1));
    await settle();
    socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    socket.says({ type: "push_ack", entity: "tasks", entity_id: "1", version: 2, seq: 1 });
    expect(await written).toMatchObject({ duplicate: true });
    expect([...made.get(two)!.state.writes.values()]).toMatchObject([{ settled: { version: 2 } }]);
  });

  it("a write that was acknowledged while a tab heard nothing is durable, though its change is still to come", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const own = port();
    const tab = await opened(store, own, "one");
    const written = tab.write(push("1", 1));
    await settle();
    const [write] = (await contentsOf(store)).writes;
    await store.apply([["write", write!.id, { ...write!, settled: { version: 9, epoch: "e1" } }]]);
    let ended = false;
    void written.then(() => (ended = true));
    own.onmessage!({ type: "lost" });
    await settle();
    expect(ended).toBe(true);
    expect(tab.queue).toEqual([]);
    expect(tab.row("tasks", "1")?.data, "it is shown until then").toEqual({ n: 1 });
  });

  it("what is told before a tab has loaded is not lost", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const own = port();
    const tab = make(store, own, "late");
    own.onmessage!({ type: "ops", ops: [["record", "tasks", "1", { data: 1, version: 1 }]] });
    await tab.ready;
    await settle();
    expect(tab.rows("tasks")).toMatchObject([{ id: "1", data: 1 }]);
    tab.close();
  });
});

describe("what is shown is the same object as long as it is the same", () => {
  /** All that can be looked at. */
  const shown = (tab: Tab) => [tab.rows("tasks"), tab.row("tasks", "1"), tab.queue, tab.rejected];
  const expectSame = (now: unknown[], before: unknown[]) =>
    now.forEach((each, at) => expect(each).toBe(before[at]));

  it("from the first call, before anything is loaded, and after it if there is nothing", async () => {
    const tab = make(new TestStore("c"), channel()(), "one");
    ends.push(() => tab.close());
    const before = shown(tab);
    expectSame(shown(tab), before);
    await tab.ready;
    await settle();
    expectSame(shown(tab), before);
  });

  it("much that is stored is shown at once, and made ready some at a time", async () => {
    const store = new TestStore("c");
    await store.apply(
      Array.from({ length: 9_000 }, (_, n) => [
        "record",
        "tasks",
        `${n}`,
        { data: n, version: n + 1 },
      ]),
    );
    const go = vi.fn(async () => {});
    vi.stubGlobal("scheduler", { yield: go });
    const tab = make(store, channel()(), "one");
    tab.open("tasks", false);
    const seen = new Set<number>();
    go.mockImplementation(async () => void seen.add(tab.rows("tasks").length));
    await tab.ready;
    vi.unstubAllGlobals();
    expect(go).toHaveBeenCalledTimes(3);
    expect([...seen, tab.rows("tasks").length]).toEqual([0, 9_000]);
  });

  it("also when everything is loaded anew, as after another tab has taken over", async () => {
    const store = new TestStore("c");
    const tab = await opened(store, channel()(), "one");
    tab.hear({ type: "ops", ops: [["record", "tasks", "1", { data: { a: [1] }, version: 1 }]] });
    const write = { id: "w1", entity: "tasks", entityId: "2", message: push("2", 2), since: 1 };
    await store.apply([["record", "tasks", "1", { data: { a: [1] }, version: 1 }]]);
    tab.hear({ type: "added", write: { ...write, seq: await store.add(write) } });
    const no = {
      id: "r",
      message: push("3", 3),
      code: "forbidden",
      text: "no",
      details: null,
    } as const;
    tab.commit(["rejected", "r", no]);
    const before = shown(tab);
    expect(before).toMatchObject([
      [{ id: "1" }, { id: "2" }],
      { id: "1" },
      [{ id: "w1" }],
      [{ id: "r" }],
    ]);
    await tab.load();
    expectSame(shown(tab), before);
  });

  it("and another one when a reload finds it gone, or otherwise", async () => {
    const store = new TestStore("c");
    const tab = await opened(store, channel()(), "one");
    const write = { id: "w1", entity: "tasks", entityId: "1", message: push("1", 2), since: 1 };
    tab.hear({ type: "added", write: { ...write, seq: await store.add(write) } });
    tab.hear({ type: "ops", ops: [["record", "tasks", "2", { data: 2, version: 2 }]] });
    const told: string[] = [];
    tab.on("rows \0queue", () => void told.push("queue"));
    expect(tab.queue).toHaveLength(1);
    expect(tab.rows("tasks")).toHaveLength(2);
    await settle();
    told.length = 0;
    // Another tab has had them answered and deleted, which this one was not told.
    await store.apply([
      ["write", "w1"],
      ["record", "tasks", "1", { data: { n: 3 }, version: 3 }],
    ]);
    const state = await store.load();
    // A database names what it has found, and not what was there once.
    state.changed.delete("\0queue");
    store.load = async () => state;
    await tab.load();
    expect(tab.queue).toEqual([]);
    expect(tab.rows("tasks")).toMatchObject([{ id: "1", data: { n: 3 }, pending: false }]);
    await eventually(() => expect(told).toEqual(["queue"]));
  });

  it("of the queue, while only what was rejected changes, and the other way round", async () => {
    const tab = await opened(new TestStore("c"), channel()(), "one");
    void tab.write(push("1", 1)).catch(() => {});
    const no = { message: push("3", 3), code: "forbidden", text: "no", details: null } as const;
    await settle();
    const [queue, rejected] = [tab.queue, tab.rejected];
    tab.commit(["rejected", "r", { id: "r", ...no }]);
    expect(tab.queue).toBe(queue);
    expect(tab.rejected).not.toBe(rejected);
    const [first] = tab.rejected;
    tab.commit(["rejected", "s", { id: "s", ...no }]);
    expect(tab.rejected.map(({ id }) => id)).toEqual(["r", "s"]);
    expect(tab.rejected[0]).toBe(first);
    const both = tab.rejected;
    void tab.write(push("2", 1)).catch(() => {});
    await settle();
    expect(tab.rejected).toBe(both);
    expect(tab.queue[0]).toBe(queue[0]);
    tab.commit(["rejected", "r", { id: "r", ...no, text: "never" }]);
    expect(tab.rejected[0]).toMatchObject({ id: "r", text: "never" });
  });
});

it("a queue that was read for one that leads no more by then is not told as the word of the next one", async () => {
  const [store, port] = [new TestStore("c"), channel()];
  await store.apply([["leader", "L1"]]);
  const [tab, told] = [await opened(store, port(), "one"), [] as TabMessage[]];
  port().onmessage = (message) => told.push(message);
  await store.apply([["leader", "L2"]]);
  await Promise.all([tab.load(), tab.reload(() => [])]);
  await settle();
  expect(made.get(tab)!.state.meta.leader).toBe("L2");
  expect(told).toMatchObject([{ type: "ops", leader: "L1" }]);
});

describe("changes that a tab may have missed", () => {
  const watch = (tab: Tab) => {
    const seen: unknown[] = [];
    tab.changes("prices", (change: { version: number } | null) =>
      seen.push(change?.version ?? null),
    );
    return seen;
  };
  const place = { type: "sync_complete", entity: "prices", epoch: "e1", reset: false } as const;

  it.each([true, undefined])(
    "are told of after a change of leaders; of its own, if it waited: %o",
    async (waited) => {
      const [store, port] = [new TestStore("c"), channel()];
      const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
      const old = lead(one, "L1");
      const before = await welcomed();
      const seen = [watch(one), watch(two)];
      await settle();
      before.says({ ...place, version: 4 });
      old.stop();
      lead(two, "L2", waited);
      await settle();
      const after = await welcomed();
      after.says({ ...place, version: 9 });
      after.says({ type: "change", change: { ...record("1", 10, 1), entity: "prices" } });
      await settle();
      expect(seen[0]).toEqual([null, 10]);
      expect(seen[1]).toEqual([null, 10]);
    },
  );

  it("are none for the first leader", async () => {
    const one = await opened(new TestStore("c"), channel()(), "one");
    const seen = watch(one);
    lead(one, "L1");
    (await welcomed()).says({ ...place, version: 4 });
    await settle();
    expect(seen).toEqual([]);
  });
});

describe("what several tabs read", () => {
  async function reading() {
    const [store, port] = [new TestStore("c"), channel()];
    const tabs = [await opened(store, port(), "one"), await opened(store, port(), "two")] as const;
    lead(tabs[0], "L1");
    const socket = await welcomed();
    const [one, two] = tabs.map((tab) => new Collection(tab, "tasks")) as [Collection, Collection];
    await settle();
    socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 0, reset: false });
    await settle();
    socket.heard();
    return { tabs, socket, one, two, port };
  }

  it("ends for the server with the last of them", async () => {
    const { socket, one, two } = await reading();
    one.close();
    await settle();
    expect(socket.heard()).toEqual([]);
    two.close();
    await settle();
    expect(socket.heard()).toEqual([{ type: "unsubscribe", entities: ["tasks"] }]);
  });

  it("ends with the last that is there, if one is gone without a word", async () => {
    const { tabs, socket, one, port } = await reading();
    one.close();
    port(true).post({ type: "gone", tab: "two" });
    tabs[0].hear({ type: "gone", tab: "three" });
    // It is there after all, and says so.
    await settle();
    expect(socket.heard().map(({ type }) => type)).toEqual(["unsubscribe", "ping"]);
    tabs[1].close();
    port(true).post({ type: "gone", tab: "two" });
    await settle();
    socket.says({ type: "pong" });
    expect(socket.heard()).toEqual([]);
  });

  it("and is rejected is told to each of them once for each cause, and to no other", async () => {
    const { tabs, socket, one, two } = await reading();
    const told = tabs.map((tab) => {
      const errors = vi.fn();
      tab.on("error", errors);
      return errors;
    });
    new Collection(tabs[1], "posts");
    await settle();
    const refusal = { type: "error", code: "unknown_entity", message: "no 'posts'" } as const;
    socket.says({ ...refusal, details: { entity: "posts" } });
    await settle();
    tabs[1].again();
    await settle();
    expect(told.map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    await Promise.all([one.synced, two.synced]);
  });
});

it("a write that was changed while it had no number is told as it is by then", async () => {
  const store = new TestStore("c");
  const port = channel();
  const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
  const add = store.add.bind(store);
  vi.spyOn(store, "add").mockImplementation((write) => {
    const changed = { ...write, message: { ...write.message, base_version: 7 } };
    apply(made.get(one)!.state, ["write", write.id, changed]);
    return add(changed);
  });
  void one.write(push("1", 1));
  await settle();
  expect(two.queue).toMatchObject([{ seq: 1, message: { base_version: 7 } }]);
});

describe("why nothing comes is told", () => {
  /** A tab, and what it was told. */
  async function listening() {
    const tab = await opened(new TestStore("c"), channel()(), "one");
    const [errors, states] = [vi.fn(), vi.fn()];
    tab.on("error", ({ message }: Error) => errors(message));
    tab.on("state", states);
    return { tab, errors, states };
  }
  const error = { code: "forbidden", message: "not from here", details: null } as const;

  it("once for each time that there was a connection", async () => {
    const { tab, errors } = await listening();
    const fails = () => {
      for (const state of ["connecting", "waiting"] as const) tab.hear({ type: "state", state });
      tab.hear({ type: "state", state: "waiting", error });
    };
    fails();
    fails();
    expect(errors).toHaveBeenCalledOnce();
    tab.hear({ type: "state", state: "open" });
    fails();
    expect(errors).toHaveBeenCalledTimes(2);
  });

  it("and once when that is for good, though the client is closed, too", async () => {
    const { tab, states } = await listening();
    tab.hear({ type: "state", state: "closed", error });
    tab.close();
    expect(states).toHaveBeenCalledExactlyOnceWith("closed", expect.objectContaining(error));
  });

  it("for an entity once, until it is read, or asked for anew", async () => {
    const { tab, errors } = await listening();
    const refuse = () => tab.hear({ type: "rejected", entity: "tasks", fields: false, error });
    tab.open("tasks", false);
    refuse();
    refuse();
    expect(errors).toHaveBeenCalledTimes(1);
    tab.hear({ type: "synced", entity: "tasks" });
    refuse();
    expect(errors).toHaveBeenCalledTimes(2);
    tab.shut("tasks");
    tab.open("tasks", false);
    refuse();
    expect(errors).toHaveBeenCalledTimes(3);
  });
});

it("a write that has its number in another database is not sent, and looked for", async () => {
  const [store, port] = [new TestStore("c"), channel()];
  const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
  lead(one, "L1");
  const socket = await welcomed();
  const loads = vi.spyOn(store, "load");
  const added = { type: "added", write: write("w1", { seq: 1 }) } as const;
  one.hear({ ...added, client: "other" });
  two.hear({ ...added, client: "other" });
  await settle();
  expect([one.queue, two.queue, loads.mock.calls.length]).toEqual([[], [], 2]);
  one.hear({ ...added, client: "c" });
  await settle();
  expect(heard(socket.heard()).slice(-1)).toEqual([["push", 1]]);
});

it("a write that was told while another database was being read has no number in that", async () => {
  const store = new TestStore("c");
  const tab = make(store, channel()(), "one");
  ends.push(() => tab.close());
  for (const client of ["c", "other"])
    tab.hear({ type: "added", write: write(`of ${client}`, { seq: 1 }), client });
  await tab.ready;
  expect(tab.queue.map(({ id }) => id)).toEqual(["of c"]);
});

it("whoever leads on another database is not heard", async () => {
  const store = new TestStore("c");
  await store.apply([["leader", "L1"]]);
  const tab = await opened(store, channel()(), "one");
  const hear = (client: string) => {
    tab.hear({ type: "lead", leader: "L2", client });
    tab.hear({ type: "ops", ops: [["write", "w1", write("w1", { seq: 1 })]], leader: "L2" });
  };
  hear("other");
  expect(tab.queue).toEqual([]);
  hear("c");
  expect(tab.queue).toMatchObject([{ id: "w1" }]);
});

describe("a write that another page has found and stored", () => {
  it("is not taken out of what is being read, and told once that says what became of it", async () => {
    const store = new TestStore("c");
    const tab = await opened(store, channel()(), "one");
    const told = vi.fn();
    let read = (_: State) => {};
    vi.spyOn(store, "load").mockReturnValueOnce(new Promise((resolve) => (read = resolve)));
    const loading = tab.load();
    vi.spyOn(store, "add").mockResolvedValueOnce(0);
    void tab.write(push("1", 1)).then(told, told);
    await settle();
    tab.hear({ type: "ops", ops: [["epoch", "e1"]] });
    await settle();
    expect([told.mock.calls, tab.queue]).toEqual([[], []]);
    read(stateOf([["write", "one-1", write("one-1", { seq: 1 })]]));
    await loading;
    expect([told.mock.calls, tab.queue]).toMatchObject([[], [{ id: "one-1", seq: 1 }]]);
    // What comes next finds it gone.
    await eventually(() => expect(told).toHaveBeenCalledOnce());
    expect(tab.queue).toEqual([]);
  });

  it("is not told as durable while nothing can be read", async () => {
    const store: Store = new TestStore("c");
    const tab = await opened(store as TestStore, channel()(), "one");
    const told = vi.fn();
    Object.assign(store, { stored: false });
    vi.spyOn(store, "add").mockResolvedValueOnce(0);
    void tab.write(push("1", 1)).then(told, told);
    await settle();
    await tab.load();
    expect(told).not.toHaveBeenCalled();
    Object.assign(store, { stored: true });
    await tab.load();
    expect(told).toHaveBeenCalledOnce();
  });

  it("is looked for by who is about to lead, too, once it does", async () => {
    const store = new TestStore("c");
    const tab = await opened(store, channel()(), "one");
    lead(tab, "L1", true);
    tab.send({ type: "hole" });
    await store.add(write("two-1"));
    const loads = vi.spyOn(store, "load");
    await eventually(() => expect(loads).toHaveBeenCalledTimes(2));
    expect(tab.queue).toMatchObject([{ id: "two-1", seq: 1 }]);
  });
});

describe("a write before the store is loaded", () => {
  /** One that is loaded when the test says so, and keeps what is held for the next page. */
  class SlowStore extends TestStore {
    readonly held: Write[] = [];
    loads = () => {};
    readonly #loading = new Promise<void>((resolve) => (this.loads = resolve));
    readonly calls: string[] = [];

    override async load() {
      await this.#loading;
      return super.load();
    }

    override async add(write: Write, rejected?: string) {
      this.calls.push("add");
      return super.add(write, rejected);
    }

    hold(write: Write) {
      this.held.push(write);
    }

    override close() {
      this.calls.push("close");
    }
  }

  function opened() {
    const [store, own] = [new SlowStore("c"), channel()()];
    const tab = make(store, own, "one");
    ends.push(() => tab.close());
    return { store, own, tab };
  }

  it("is held for the next page at once, and waits for its number and its answer", async () => {
    const { store, tab } = opened();
    let ended = false;
    void tab.write(push("1", 1)).then(
      () => (ended = true),
      () => {},
    );
    expect(store.held).toMatchObject([
      { id: "one-1", entity: "tasks", entityId: "1", message: { data: { n: 1 } } },
    ]);
    store.loads();
    await settle();
    expect(tab.queue).toMatchObject([{ id: "one-1", seq: 1 }]);
    expect(ended).toBe(false);
  });

  it("that another page has found, and sent, is not added again", async () => {
    const { store, tab } = opened();
    const written = tab.write(push("1", 1));
    const answer = { type: "push_ack", entity: "tasks", entity_id: "1", version: 1 } as const;
    tab.hear({ type: "outcome", id: "one-1", answer });
    store.loads();
    expect(await written).toBe(answer);
    await tab.ready;
    await settle();
    expect([store.calls, tab.queue]).toEqual([[], []]);
  });

  it("builds on what was loaded", async () => {
    const { store, tab } = opened();
    await store.apply([
      ["record", "tasks", "1", { data: { n: 1 }, version: 4 }],
      ["place", "tasks", { epoch: "e1", version: 4, fields: false }],
    ]);
    void new Collection(tab, "tasks").patch("1", { m: 1 });
    expect(store.held).toMatchObject([{ message: { base_version: undefined } }]);
    store.loads();
    await settle();
    expect(tab.queue).toMatchObject([{ message: { base_version: 4 } }]);
  });

  it("that cannot be made is rejected, with the reason", async () => {
    const { store, tab } = opened();
    await expect(tab.write(push("1", NaN))).rejects.toMatchObject({ code: "bad_message" });
    expect(store.held).toEqual([]);
    store.loads();
    await settle();
    await expect(tab.write(push("1", NaN))).rejects.toMatchObject({ code: "bad_message" });
    expect(tab.queue).toEqual([]);
  });

  it("is made of the values of its call, whatever becomes of them until then", async () => {
    const { store, tab } = opened();
    const [record, fields] = [{ n: 1 }, { m: 1 }];
    const tasks = new Collection<object>(tab, "tasks");
    void tasks.set("1", record);
    void tasks.patch("2", fields);
    record.n = fields.m = 2;
    store.loads();
    await settle();
    expect(tasks.snapshot.map(({ data }) => data)).toEqual([{ n: 1 }, { m: 1 }]);
  });

  it("is stored before the store of a closed client is", async () => {
    const { store, tab } = opened();
    const written = tab.write(push("1", 1));
    tab.close();
    await expect(written).rejects.toMatchObject({ code: "closed" });
    store.loads();
    await settle();
    expect(store.calls).toEqual(["add", "close"]);
    expect(tab.queue, "and shown no more").toEqual([]);
    expect((await contentsOf(store)).writes).toMatchObject([{ id: "one-1", seq: 1 }]);
  });

  it("that another page has stored by then is not written again", async () => {
    const { store, tab } = opened();
    void tab.write(push("1", 1));
    await TestStore.prototype.add.call(store, store.held[0]!);
    store.loads();
    await settle();
    expect(store.calls).toEqual([]);
    expect(tab.queue).toMatchObject([{ id: "one-1", seq: 1 }]);
  });

  it("that another page has stored and sent by then is durable, and not shown for ever", async () => {
    const { store, tab } = opened();
    const written = tab.write(push("1", 1));
    vi.spyOn(store, "add").mockResolvedValue(0);
    store.loads();
    expect(await written).toMatchObject({ duplicate: true });
    expect(tab.queue).toEqual([]);
    expect(tab.rows("tasks")).toEqual([]);
  });
});

describe("writes of one moment", () => {
  const patch = (tab: Tab, value: boolean) =>
    void tab
      .write({ entity: "tasks", entityId: "1", values: { f: value }, options: {} })
      .catch(() => {});
  const timesOf = (messages: Message[]) =>
    messages.flatMap((each) => (each.type === "push_fields" ? each.fields[0]!.timestamp : []));

  afterEach(() => void vi.useRealTimers());

  it("have times of their own, also before the store is read, and over a restart after which the clock was set back", async () => {
    vi.useFakeTimers({ now: new Date("2026-01-01T12:00:00Z"), toFake: ["Date"] });
    const store = new TestStore("c");
    const before = make(store, channel()(), "one");
    for (const value of [true, false]) patch(before, value);
    await settle();
    before.close();
    vi.setSystemTime(new Date("2025-01-01T12:00:00Z"));
    const tab = make(store, channel()(), "two");
    ends.push(() => tab.close());
    for (const value of [true, false]) patch(tab, value);
    await settle();
    lead(tab, "L1");
    expect(timesOf((await welcomed()).heard())).toEqual([
      // Two were used up by the same writes before the store was read.
      "2026-01-01T12:00:00.000002Z",
      "2026-01-01T12:00:00.000003Z",
      "2026-01-01T12:00:00.000004Z",
      "2026-01-01T12:00:00.000005Z",
    ]);
  });

  it("of two tabs are shown in both in the order in which they are sent", async () => {
    vi.useFakeTimers({ now: new Date("2026-01-01T12:00:00Z"), toFake: ["Date"] });
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await opened(store, port(), "one"), await opened(store, port(), "two")];
    lead(one, "L1");
    const socket = await welcomed();
    const views = [new Collection(one, "tasks"), new Collection(two, "tasks")];
    patch(one, true);
    patch(two, false);
    patch(one, true);
    await settle();
    // Each heard of the others: the next is later than all of them.
    patch(two, false);
    await settle();
    const sent = socket.heard().filter((each) => each.type === "push_fields");
    const last = sent.at(-1)!.fields[0]!.value;
    expect(sent.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(last).toBe(false);
    for (const view of views) expect(view.row("1")?.data).toEqual({ f: last });
    const micros = timesOf(sent).map((each) => +each.slice(20, -1));
    expect(micros.slice(0, 3).every((each) => each < micros[3]!)).toBe(true);
  });
});
