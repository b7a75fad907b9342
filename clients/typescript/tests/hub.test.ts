/**
 * Two tabs on one store: what the port has to be able to carry.
 */
import { afterEach, describe, expect, it, vi } from "vitest";

import { Collection } from "../src/collection.ts";
import * as compose from "../src/compose.ts";
import { Hub } from "../src/hub.ts";
import { Runner } from "../src/runner.ts";
import { contentsOf } from "./support/contents.ts";
import { record, settle } from "./support/client.ts";
import { TestStore } from "./support/driver.ts";
import { fakeSockets } from "./support/sockets.ts";
import { WELCOME } from "./support/welcome.ts";
import { eventually } from "./support/eventually.ts";
import type { Message } from "../src/messages/types.ts";
import type { Port, Told } from "../src/port.ts";

const ends: (() => void)[] = [];

afterEach(() => ends.splice(0).forEach((end) => end()));

/** What one tab tells reaches the others a moment later, as a copy. */
function channel(): (deaf?: boolean) => Port {
  const ports: Port[] = [];
  return (deaf = false) => {
    const port: Port = {
      post(message: Told) {
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

function lead(hub: Hub, name: string, waited?: boolean): Runner {
  const options = { url: "ws://x/", WebSocket, format: "json", random: () => 0.5, leader: name } as const;
  const runner = new Runner(options, hub);
  runner.start(waited);
  ends.push(() => runner.stop());
  return runner;
}

async function tab(store: TestStore, port: Port, prefix: string): Promise<Hub> {
  const hub = new Hub(store, port, prefix);
  hub.on("error", () => {});
  await hub.ready;
  ends.push(() => hub.close());
  return hub;
}

/** The last socket, welcomed. */
async function welcomed(last_seq = 0) {
  const socket = sockets.at(-1)!;
  socket.opens();
  socket.says({ ...WELCOME, last_seq });
  await settle();
  return socket;
}

const heard = (messages: Message[]) => messages.map(({ type, ...rest }) => [type, (rest as { seq?: number }).seq]);
const push = (id: string, n: number) => compose.push("tasks", id, "update", { n }, {});

describe("two tabs on one store", () => {
  it("write into one queue, which the leader sends in one order, and each learns what became of its own", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await tab(store, port(), "one"), await tab(store, port(), "two")];
    lead(one, "L1");
    const socket = await welcomed();
    const tasks = new Collection(two, "tasks");
    await settle();
    const [first, second] = [one.write(() => push("1", 1)), two.write(() => push("2", 2))];
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
    expect((await contentsOf(store)).refused).toEqual([]);
  });

  it("ask through the leader, and a new leader is asked again and sends what the old one did not", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await tab(store, port(), "one"), await tab(store, port(), "two")];
    const old = lead(one, "L1");
    const before = await welcomed();
    const seen: unknown[] = [];
    two.changes("prices", (change: { version: number } | null) => seen.push(change && change.version));
    new Collection(one, "tasks");
    const asked = two.ask<{ type: "form_validation_result" } & Message>({
      type: "validate_form",
      request_id: "",
      form: "f",
      fields: [],
    });
    void two.write(() => push("1", 1));
    await settle();
    expect(before.heard().map(({ type }) => type).sort()).toEqual(
      ["hello", "push", "subscribe", "subscribe", "validate_form"].sort(),
    );
    old.stop();
    lead(two, "L2");
    await settle();
    const after = await welcomed();
    const again = after.heard();
    expect(again.map(({ type }) => type)).toEqual(["hello", "subscribe", "subscribe", "validate_form", "push"]);
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
    const one = await tab(store, port(), "one");
    lead(one, "L1");
    const socket = await welcomed();
    socket.heard();
    const silent = await tab(store, { post() {}, lead() {}, close() {} }, "silent");
    void silent.write(() => push("1", 1));
    await settle();
    expect(socket.heard()).toEqual([]);
    void one.write(() => push("2", 2));
    await settle();
    expect(heard(socket.heard())).toEqual([["push", 1], ["push", 2]]);
  });

  it("a number that was given while all were counted anew is put right before it is sent", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const one = await tab(store, port(), "one");
    lead(one, "L1");
    // The store has numbered it by now, and nobody was told yet.
    const write = one.write(() => push("1", 1));
    const socket = await welcomed(7);
    expect(heard(socket.heard()).slice(1)).toEqual([["push", 8]]);
    socket.says({ type: "push_ack", entity: "tasks", entity_id: "1", version: 2, seq: 8 });
    expect(await write).toMatchObject({ version: 2 });
    expect((await contentsOf(store)).meta.last).toBe(8);
  });

  it("one that does not lead any more stores nothing, and stops", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await tab(store, port(), "one"), await tab(store, port(), "two")];
    lead(one, "L1");
    const socket = await welcomed();
    new Collection(one, "tasks");
    lead(two, "L2");
    socket.says({ type: "change", change: record("1", 1, { n: 1 }) });
    await eventually(() => expect(socket.closedWith).toBe(1000));
    expect((await contentsOf(store)).records).toEqual([]);
  });

  it("one whose place was taken while it loaded does not even connect", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const one = await tab(store, port(), "one");
    const before = sockets.length;
    lead(one, "L1", true);
    void store.apply([["leader", "L2"]]);
    await settle();
    expect([sockets.length, one.leader]).toEqual([before, undefined]);
  });

  it("one that has ended does not try to store for ever", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [store, port] = [new TestStore("c"), channel()];
    const one = await tab(store, port(), "one");
    const runner = lead(one, "L1");
    const socket = await welcomed();
    new Collection(one, "tasks");
    store.full = true;
    socket.says({ type: "change", change: record("1", 1, { n: 1 }) });
    runner.stop();
    one.close();
    await settle();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("one that misses the outcome of its write knows it from what is stored, also before its change has come", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const own = port();
    const [one, two] = [await tab(store, port(), "one"), await tab(store, own, "two")];
    lead(one, "L1");
    const socket = await welcomed();
    new Collection(two, "tasks");
    await settle();
    const hear = own.onmessage!;
    own.onmessage = (message) => void (message.type === "outcome" || hear(message));
    const written = two.write(() => push("1", 1));
    await settle();
    socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    socket.says({ type: "push_ack", entity: "tasks", entity_id: "1", version: 2, seq: 1 });
    expect(await written).toMatchObject({ duplicate: true });
    expect([...two.state.writes.values()]).toMatchObject([{ settled: { version: 2 } }]);
  });

  it("what is told before a tab has loaded is not lost", async () => {
    const [store, port] = [new TestStore("c"), channel()];
    const own = port();
    const hub = new Hub(store, own, "late");
    own.onmessage!({ type: "ops", ops: [["record", "tasks", "1", { data: 1, version: 1 }]] });
    await hub.ready;
    await settle();
    expect(hub.rows("tasks")).toMatchObject([{ id: "1", data: 1 }]);
    hub.close();
  });
});

describe("changes that a tab may have missed", () => {
  const watch = (hub: Hub) => {
    const seen: unknown[] = [];
    hub.changes("prices", (change: { version: number } | null) => seen.push(change && change.version));
    return seen;
  };
  const place = { type: "sync_complete", entity: "prices", epoch: "e1", reset: false } as const;

  it.each([true, undefined])("are told of after a change of leaders; of its own, if it waited: %o", async (waited) => {
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await tab(store, port(), "one"), await tab(store, port(), "two")];
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
  });

  it("are none for the first leader", async () => {
    const one = await tab(new TestStore("c"), channel()(), "one");
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
    const hubs = [await tab(store, port(), "one"), await tab(store, port(), "two")] as const;
    lead(hubs[0], "L1");
    const socket = await welcomed();
    const [one, two] = hubs.map((hub) => new Collection(hub, "tasks")) as [Collection, Collection];
    await settle();
    socket.heard();
    return { hubs, socket, one, two, port };
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
    const { hubs, socket, one, port } = await reading();
    one.close();
    port(true).post({ type: "gone", tab: "two" });
    hubs[0].leader!({ type: "gone", tab: "three" });
    // It is there after all, and says so.
    await settle();
    expect(socket.heard().map(({ type }) => type)).toEqual(["unsubscribe", "ping"]);
    hubs[1].close();
    port(true).post({ type: "gone", tab: "two" });
    await settle();
    socket.says({ type: "pong" });
    expect(socket.heard()).toEqual([]);
  });

  it("and is refused is told to each of them once for each cause, and to no other", async () => {
    const { hubs, socket, one, two } = await reading();
    const told = hubs.map((hub) => {
      const errors = vi.fn();
      hub.on("error", errors);
      return errors;
    });
    new Collection(hubs[1], "posts");
    await settle();
    const refusal = { type: "error", code: "unknown_entity", message: "no 'posts'" } as const;
    socket.says({ ...refusal, details: { entity: "posts" } });
    await settle();
    hubs[1].again();
    await settle();
    expect(told.map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 1, reset: false });
    await Promise.all([one.synced, two.synced]);
  });
});

describe("writes of one moment", () => {
  const patch = (hub: Hub, value: boolean) =>
    void hub.write((at) => compose.pushFields("tasks", "1", { f: value }, {}, at)).catch(() => {});
  const timesOf = (messages: Message[]) =>
    messages.flatMap((each) => (each.type === "push_fields" ? each.fields[0]!.timestamp : []));

  afterEach(() => void vi.useRealTimers());

  it("have times of their own, also before the store is read, and over a restart after which the clock was set back", async () => {
    vi.useFakeTimers({ now: new Date("2026-01-01T12:00:00Z"), toFake: ["Date"] });
    const store = new TestStore("c");
    const before = new Hub(store, channel()(), "one");
    for (const value of [true, false]) patch(before, value);
    await settle();
    before.close();
    vi.setSystemTime(new Date("2025-01-01T12:00:00Z"));
    const hub = new Hub(store, channel()(), "two");
    ends.push(() => hub.close());
    for (const value of [true, false]) patch(hub, value);
    await settle();
    lead(hub, "L1");
    expect(timesOf((await welcomed()).heard())).toEqual([
      "2026-01-01T12:00:00Z",
      "2026-01-01T12:00:00.000001Z",
      "2026-01-01T12:00:00.000002Z",
      "2026-01-01T12:00:00.000003Z",
    ]);
  });

  it("of two tabs are shown in both in the order in which they are sent", async () => {
    vi.useFakeTimers({ now: new Date("2026-01-01T12:00:00Z"), toFake: ["Date"] });
    const [store, port] = [new TestStore("c"), channel()];
    const [one, two] = [await tab(store, port(), "one"), await tab(store, port(), "two")];
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
