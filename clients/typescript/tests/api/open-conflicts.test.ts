import { afterEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/api/client.ts";
import type { Collection } from "../../src/api/collection.ts";
import type { OpenConflicts } from "../../src/api/open-conflicts.ts";
import type { OpenConflict } from "../../src/core/options.ts";
import type { ChangeAction, JsonValue } from "../../src/messages/types.ts";
import type { Opened } from "../support/client.ts";
import { open, settle } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { FakeWebSocket } from "../support/sockets.ts";
import { TIME, WELCOME } from "../support/welcome.ts";

const LOG = "$conflicts/tasks";

let opened: Opened;
let client: Client;
let socket: FakeWebSocket;
let tasks: Collection;
let conflicts: OpenConflicts;

async function world(): Promise<void> {
  opened = await open({ clientId: "me" });
  client = opened.client;
  socket = opened.socket();
  tasks = client.collection("tasks");
  conflicts = tasks.conflicts;
  await settle();
}

afterEach(() => client.close());

/** A record of the log, as the server tells it. */
function says(version: number, id: string, data: JsonValue, action: ChangeAction = "update"): void {
  const change = { entity: LOG, entity_id: id, action, data, version, created_at: TIME };
  socket.says({ type: "change", change });
}

function synced(version: number): void {
  const place = { entity: LOG, epoch: "e1", version, reset: false };
  socket.says({ type: "sync_complete", ...place });
}

/** A conflict in which what this client pushed has lost. */
function lost(field = "title") {
  const side = (value: string, client_id: string) => {
    return { value, action: "update", timestamp: TIME, client_id };
  };
  const sides = { stored: side("theirs", "you"), pushed: side("mine", "me") };
  return { field, winner: "server", strategy: "server_wins", version: 5, ...sides };
}

const numbers = (all: readonly OpenConflict[]) => all.map(({ number }) => number);

describe("open conflicts", () => {
  it("are read from the first time that they are asked for, once, until the collection is closed", async () => {
    await world();
    const asked = socket.heard().filter(({ type }) => type === "subscribe");
    expect(asked).toMatchObject([{ entities: ["tasks"] }, { entities: [LOG] }]);
    expect(tasks.conflicts).toBe(conflicts);
    socket.says({ type: "sync_complete", entity: "tasks", epoch: "e1", version: 0, reset: false });
    synced(0);
    tasks.close();
    expect(socket.heard()).toMatchObject([
      { type: "unsubscribe", entities: [LOG] },
      { type: "unsubscribe", entities: ["tasks"] },
    ]);
    expect(() => tasks.conflicts).toThrow("closed");
  });

  it("of a part of an entity are those of its records", async () => {
    await world();
    const part = client.collection("tasks", { where: { team: "red" } });
    socket.heard();
    void part.conflicts;
    expect(socket.heard()).toMatchObject([{ entities: [LOG], where: { [LOG]: { team: "red" } } }]);
  });

  it("have who wrote what, and when; the oldest stands first", async () => {
    await world();
    says(12, "2", { team: "red", $12: lost("notes"), $9: lost() });
    says(13, "1", { $13: lost() });
    synced(13);
    await conflicts.synced;
    expect(numbers(conflicts.snapshot)).toEqual([9, 12, 13]);
    expect(conflicts.snapshot[0]).toMatchObject({
      entity: "tasks",
      id: "2",
      field: "title",
      mine: "mine",
      theirs: "theirs",
      stands: "theirs",
      strategy: "server_wins",
      version: 5,
      lost: { value: "mine", timestamp: TIME, client_id: "me" },
      standing: { value: "theirs", client_id: "you" },
    });
  });

  it("are the same objects until something about them changes", async () => {
    await world();
    says(12, "1", { $12: lost(), $11: lost() });
    says(13, "2", { $13: lost() });
    synced(13);
    const [before, one, two] = [conflicts.snapshot, conflicts.of("1"), conflicts.of("2")];
    expect(conflicts.snapshot).toBe(before);
    says(14, "1", { $12: lost() });
    expect(numbers(conflicts.of("1"))).toEqual([12]);
    expect(conflicts.of("1")[0]).toBe(one[1]);
    expect(conflicts.of("2")).toBe(two);
    const last = conflicts.snapshot;
    says(15, "1", { team: "blue", $12: lost() });
    expect(conflicts.snapshot).toBe(last);
    expect(conflicts.of("3")).toEqual([]);
    says(16, "2", { $13: { ...lost(), version: 6 } });
    expect(conflicts.of("2")[0]).not.toBe(two[0]);
  });

  it("are told when they change, and iterated", async () => {
    await world();
    const told = vi.fn();
    const stop = conflicts.subscribe((all) => told(numbers(all)));
    await settle();
    const each = conflicts[Symbol.asyncIterator]();
    const next = async () => numbers((await each.next()).value ?? []);
    expect(await next()).toEqual([]);
    says(12, "1", { $12: lost() });
    synced(12);
    await settle();
    expect(await next()).toEqual([12]);
    says(13, "1", { $12: lost(), $13: lost("notes") });
    await settle();
    expect(await next()).toEqual([12, 13]);
    stop();
    says(14, "1", null, "delete");
    await settle();
    expect(told.mock.calls).toEqual([[[]], [[12]], [[12, 13]]]);
    client.close();
    expect((await each.next()).done).toBe(true);
  });

  it("are gone once they are answered, at once, and stay gone when the answer arrives", async () => {
    await world();
    says(12, "1", { $12: lost(), $13: lost("notes") });
    synced(13);
    const [first, second] = conflicts.snapshot;
    socket.heard();
    const answers = [first!.keepMine(), second!.takeTheirs()];
    expect(conflicts.snapshot).toEqual([]);
    await settle();
    expect(socket.heard()).toMatchObject([
      {
        type: "transaction",
        writes: [
          { entity: "tasks", base_version: 5, fields: [{ field: "title", value: "mine" }] },
          { entity: LOG, base_version: 12, if_unchanged: true, fields: [{ field: "$12" }] },
        ],
      },
      {
        type: "push_fields",
        entity: LOG,
        entity_id: "1",
        base_version: 13,
        if_unchanged: true,
        fields: [{ field: "$13", action: "delete" }],
      },
    ]);
    const results = [
      { entity: "tasks", entity_id: "1", version: 6, applied: 1, conflicts: 0 },
      { entity: LOG, entity_id: "1", version: 14, applied: 1, conflicts: 0 },
    ];
    socket.says({ type: "transaction_ack", seq: 1, transaction: "t1", results });
    const place = { entity: LOG, entity_id: "1" };
    socket.says({
      type: "field_push_ack",
      ...place,
      version: 15,
      applied: 1,
      conflicts: 0,
      seq: 2,
    });
    says(15, "1", null, "delete");
    await Promise.all(answers);
    expect(conflicts.snapshot).toEqual([]);
  });

  it("that somebody else has answered say so where something was to be written, which is kept", async () => {
    await world();
    says(12, "1", { $12: lost(), $13: lost("notes") });
    synced(13);
    const [first, second] = conflicts.snapshot;
    const answers = [first!.takeTheirs(), second!.keepMine()];
    await settle();
    const error = { type: "error", code: "conflict", message: "written since" } as const;
    socket.says({ ...error, seq: 1, details: { version: 14, fields: ["$12"] } });
    const late = { index: 1, code: "conflict", details: { version: 15, fields: ["$13"] } };
    socket.says({ ...error, seq: 2, details: { writes: [late] } });
    // Before the log has told it, too: they are not open any more.
    expect(conflicts.snapshot).toEqual([]);
    await settle();
    expect(conflicts.snapshot).toEqual([]);
    says(15, "1", {}, "delete");
    says(16, "1", { $16: lost() });
    expect(numbers(conflicts.snapshot)).toEqual([16]);
    // To leave it as it is: that somebody was faster is no error.
    await answers[0];
    await expect(answers[1]).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("this conflict is not open any more"),
    });
    // What was to stand instead is the user's.
    expect(client.rejected.map(({ message }) => message.type)).toEqual(["transaction"]);
  });
});

describe("a conflict of a store that is no more", () => {
  /** The server's store begins anew; returns what an answer writes then. */
  async function anew() {
    client.offline();
    client.online();
    await eventually(() => expect(opened.socket()).not.toBe(socket));
    socket = opened.socket();
    socket.opens();
    socket.says({ ...WELCOME, epoch: "e2" });
    await settle();
    socket.heard();
  }

  const bases = (message: unknown) => {
    const { writes = [message] } = message as { writes?: unknown[] };
    return (writes as { base_version?: number }[]).map((each) => each.base_version);
  };

  /** So many writes that are sent from now on. */
  async function sent(count: number) {
    const all: object[] = [];
    await eventually(() => {
      all.push(...socket.heard());
      expect(all).toHaveLength(count);
    });
    return all;
  }

  it("is answered on no version of it: in the new one that is something else", async () => {
    await world();
    says(12, "1", { $12: lost(), $13: lost("notes") });
    synced(13);
    const [first, second] = conflicts.snapshot;
    await anew();
    expect(conflicts.snapshot[0]).toBe(first);
    void first!.keepMine().catch(() => {});
    void second!.takeTheirs();
    const [one, two] = await sent(2);
    expect([bases(one), bases(two)]).toEqual([[undefined, undefined], [undefined]]);
    expect(two).toMatchObject({ if_unchanged: true });
    // What the new store has of the log may well be the same.
    says(12, "2", { $12: lost() });
    socket.says({ type: "sync_complete", entity: LOG, epoch: "e2", version: 12, reset: true });
    void conflicts.snapshot.at(-1)!.keepMine();
    expect((await sent(1)).map(bases)).toEqual([[5, 12]]);
  });

  it("that the answer to a write told is so, too, and so is a rejected write", async () => {
    await world();
    const told: OpenConflict[] = [];
    tasks.onConflict((each) => told.push(each));
    socket.heard();
    void tasks.patch("1", { title: "mine" });
    void client.push("tasks", "1", { n: 1 }, { baseVersion: 4 }).catch(() => {});
    await sent(2);
    const place = { entity: "tasks", entity_id: "1", seq: 1, version: 5 };
    const values = { field: "title", server_value: "theirs", client_value: "mine", conflict: 12 };
    const times = { server_timestamp: TIME, client_timestamp: TIME };
    socket.says({ type: "field_conflict", ...place, ...values, ...times, winner: "server" });
    socket.says({ type: "field_push_ack", ...place, applied: 0, conflicts: 1 });
    const details = { ...place, action: "update", data: { n: 2 }, created_at: TIME };
    socket.says({ type: "error", code: "conflict", message: "moved on", seq: 2, details });
    await eventually(() => expect(told).toHaveLength(2));
    await anew();
    const [ofField, ofRecord] = told;
    void ofField!.keepMine();
    void client.rejected[0]!.retry();
    expect((await sent(2)).map(bases)).toEqual([[undefined, undefined], [undefined]]);
    void ofRecord!.keepMine();
    expect((await sent(1)).map(bases)).toEqual([[undefined]]);
  });
});

describe("a conflict that the answer to a write tells", () => {
  it("is answered in the log, too", async () => {
    await world();
    const told: OpenConflict[] = [];
    tasks.onConflict((each) => told.push(each));
    void tasks.patch("1", { title: "mine" });
    await settle();
    const place = { entity: "tasks", entity_id: "1", seq: 1, version: 5 };
    const values = { field: "title", server_value: "theirs", client_value: "mine", conflict: 12 };
    const times = { server_timestamp: TIME, client_timestamp: TIME };
    socket.says({ type: "field_conflict", ...place, ...values, ...times, winner: "server" });
    socket.says({ type: "field_push_ack", ...place, applied: 0, conflicts: 1 });
    socket.heard();
    void told[0]!.keepMine();
    await settle();
    expect(socket.heard()).toMatchObject([
      { type: "transaction", writes: [{ entity: "tasks" }, { entity: LOG, base_version: 12 }] },
    ]);
  });
});

describe("what has become of a record", () => {
  const change = (version: number, data: JsonValue, action: ChangeAction = "update") => {
    return { entity: "tasks", entity_id: "1", action, data, version, created_at: TIME };
  };

  /** Answers the question that was asked last, and returns it. */
  function answer(commits: object[], complete = true) {
    const question = socket.heard().at(-1) as { request_id?: string };
    const { request_id } = question;
    socket.says({ type: "history_result", commits, complete, request_id } as never);
    return question;
  }

  it("is asked of the server", async () => {
    await world();
    const asked = tasks.history("1", { before: 9, limit: 5 });
    const told = { change: change(8, { n: 1 }), changed: ["n"], subject: "ann" };
    expect(answer([told])).toMatchObject({ type: "history", entity: "tasks", before: 9, limit: 5 });
    expect((await asked).commits).toMatchObject([{ version: 8, data: { n: 1 }, subject: "ann" }]);
  });

  it("as of a time is the last commit then, nothing where there was none, or not kept", async () => {
    await world();
    const time = new Date(TIME);
    const asked = [tasks.asOf("1", time)];
    expect(answer([{ change: change(8, 1), changed: [] }])).toMatchObject({
      until: TIME,
      limit: 1,
    });
    asked.push(tasks.asOf("1", time));
    answer([]);
    asked.push(tasks.asOf("1", time));
    answer([{ change: change(9, null, "delete"), changed: [] }]);
    expect(await Promise.all(asked)).toMatchObject([{ version: 8 }, undefined, undefined]);
    const lost = tasks.asOf("1", time);
    answer([], false);
    await expect(lost).rejects.toMatchObject({ code: "not_found" });
  });

  it("says who wrote which field", async () => {
    await world();
    const asked = tasks.blame("1");
    const [{ request_id }] = socket.heard().slice(-1) as unknown as [{ request_id?: string }];
    const title = { field: "title", version: 3, timestamp: TIME, client_id: "you" };
    socket.says({ type: "blame_result", fields: [title], request_id });
    expect(await asked).toEqual({ title });
  });

  it("is undone by one write", async () => {
    await world();
    const undone = tasks.undo("1", 8);
    const commits = [
      { change: change(8, { n: 2, m: 1 }), changed: ["n"] },
      { change: change(6, { n: 1, m: 1 }), changed: ["n"] },
    ];
    expect(answer(commits)).toMatchObject({ before: 9, limit: 2 });
    await settle();
    expect(socket.heard()).toMatchObject([
      { type: "push_fields", base_version: 8, if_unchanged: true, fields: [{ value: 1 }] },
    ]);
    const place = { entity: "tasks", entity_id: "1", version: 9, seq: 1 };
    socket.says({ type: "field_push_ack", ...place, applied: 1, conflicts: 0 });
    expect(await undone).toMatchObject({ version: 9 });
  });
});
