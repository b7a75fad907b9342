/**
 * A server in memory, with real clients.
 */
import { afterEach, describe, expect, it, vi } from "vitest";

import { connect } from "../../src/api/client.ts";
import type { Collection } from "../../src/api/collection.ts";
import { inc } from "../../src/core/operations.ts";
import type { OpenConflict } from "../../src/core/options.ts";
import { createServer } from "../../src/testing/index.ts";

interface Task {
  readonly title?: string;
  readonly done?: boolean;
  readonly votes?: number;
  readonly team?: string;
}

type Reader = Collection<Task>;

const FIRST = { tasks: { "1": { title: "Test it" } } };

afterEach(() => {
  vi.useRealTimers();
});

describe("a server for tests", () => {
  it("has the records that it is given", async () => {
    const tasks = createServer({ entities: FIRST }).connect().collection<Task>("tasks");
    await tasks.synced;
    expect(tasks.row("1")?.data).toEqual({ title: "Test it" });
  });

  it.each(["json", "proto"] as const)("shows a write to all who read, as %s", async (format) => {
    const server = createServer();
    const [ada, bob] = [server.connect({ format }), server.connect({ format })];
    const tasks = bob.collection<Task>("tasks");
    await tasks.synced;
    await ada.collection<Task>("tasks").set("1", { title: "größer" });
    await server.settled();
    expect(tasks.row("1")?.data).toEqual({ title: "größer" });
    expect(server.records("tasks")).toEqual({ "1": { title: "größer" } });
  });

  it("merges fields, and tells who has lost", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const server = createServer({ entities: FIRST });
    const [ada, bob] = [server.connect(), server.connect()];
    const [hers, his] = [ada, bob].map((each) =>
      each.collection<Task>("tasks", { granularity: "fields" }),
    ) as [Reader, Reader];
    await Promise.all([hers.synced, his.synced]);
    const conflicts: OpenConflict[] = [];
    his.onConflict((conflict) => conflicts.push(conflict));
    bob.offline();
    const saving = his.patch("1", { title: "of bob", done: true });
    vi.setSystemTime(Date.now() + 1_000);
    await hers.patch("1", { title: "of ada" });
    bob.online();
    await saving;
    await server.settled();
    expect(server.records("tasks")).toEqual({ "1": { title: "of ada", done: true } });
    expect(conflicts.map(({ field, mine, theirs }) => [field, mine, theirs])).toEqual([
      ["title", "of bob", "of ada"],
    ]);
  });

  it("applies operations", async () => {
    const server = createServer({ entities: { tasks: { "1": { votes: 1 } } } });
    const tasks = server.connect().collection<Task>("tasks");
    await Promise.all([tasks.patch("1", { votes: inc(2) }), tasks.patch("1", { votes: inc(3) })]);
    expect(server.records("tasks")).toEqual({ "1": { votes: 6 } });
  });

  it("takes a transaction as a whole, or not at all", async () => {
    const server = createServer({ entities: { tasks: {}, notes: {} } });
    const client = server.connect();
    const notes = client.collection("notes");
    await notes.synced;
    await client.transaction((both) => {
      both.set("tasks", "1", { title: "a" });
      both.set("notes", "1", "b");
    });
    await server.settled();
    expect(notes.row("1")?.data).toBe("b");
    server.reject("forbidden");
    const refused = client.transaction((both) => {
      both.set("tasks", "2", { title: "a" });
      both.set("notes", "2", "b");
    });
    await expect(refused).rejects.toMatchObject({ code: "forbidden" });
    expect([server.records("tasks"), server.records("notes")]).toEqual([
      { "1": { title: "a" } },
      { "1": "b" },
    ]);
  });

  it("shows what others write, and takes back what they delete", async () => {
    const server = createServer({ entities: FIRST });
    const tasks = server.connect().collection<Task>("tasks");
    await tasks.synced;
    server.patch("tasks", "1", { done: true });
    server.set("tasks", "2", { title: "new" });
    await server.settled();
    expect(tasks.row("1")?.data).toEqual({ title: "Test it", done: true });
    server.delete("tasks", "2");
    await server.settled();
    expect(tasks.row("2")).toBeUndefined();
  });

  it("reads a part of an entity", async () => {
    const server = createServer({
      entities: { tasks: { "1": { team: "red" }, "2": { team: "blue" } } },
    });
    const red = server.connect().collection<Task>("tasks", { where: { team: "red" } });
    await red.synced;
    expect(red.snapshot.map(({ id }) => id)).toEqual(["1"]);
    server.set("tasks", "1", { team: "blue" });
    server.set("tasks", "2", { team: "red" });
    await server.settled();
    expect(red.snapshot.map(({ id }) => id)).toEqual(["2"]);
  });

  it("tells of a record of one part that has come into another", async () => {
    const server = createServer({
      entities: { tasks: { "1": { team: "red" } }, notes: {} },
    });
    const client = server.connect();
    const [red, blue] = ["red", "blue"].map((team) => {
      return client.collection<Task>("tasks", { where: { team } });
    }) as [Reader, Reader];
    const notes = client.collection("notes");
    await Promise.all([red.synced, blue.synced, notes.synced]);
    server.set("tasks", "1", { team: "blue" });
    await server.settled();
    expect([red, blue, notes].map(({ snapshot }) => snapshot.length)).toEqual([0, 1, 0]);
  });

  it("refuses what a test wants refused, and only that", async () => {
    const server = createServer();
    const tasks = server.connect().collection<Task>("tasks");
    const violations = [{ field: "title", code: "string.max_len", message: "is too long" }];
    server.reject("invalid", {
      message: "no",
      details: { violations },
      when: (message) => message.type === "push" && message.entity_id === "2",
    });
    await tasks.set("1", { title: "x" });
    await expect(tasks.set("2", { title: "x" })).rejects.toMatchObject({
      code: "invalid",
      message: "no",
      violations: [{ field: "title", message: "is too long" }],
    });
    await tasks.set("3", { title: "x" });
    expect(Object.keys(server.records("tasks"))).toEqual(["1", "3"]);
  });

  it("keeps writes waiting while it is offline, and takes each once", async () => {
    const server = createServer();
    const client = server.connect();
    const tasks = client.collection<Task>("tasks");
    await tasks.synced;
    server.offline();
    await server.settled();
    const saving = tasks.set("1", { title: "on a train" });
    await server.settled();
    expect(server.records("tasks")).toEqual({});
    expect(tasks.row("1")).toMatchObject({ data: { title: "on a train" }, pending: true });
    server.online();
    expect((await saving).version).toBe(1);
    expect(server.records("tasks")).toEqual({ "1": { title: "on a train" } });
  });

  it("takes a write once whose answer is lost", async () => {
    const server = createServer();
    const client = server.connect();
    const tasks = client.collection<Task>("tasks");
    await tasks.synced;
    server.dropAtAnswer();
    const saving = tasks.patch("1", { votes: inc(1) });
    await server.settled();
    client.online();
    await saving;
    expect(server.records("tasks")).toEqual({ "1": { votes: 1 } });
    expect(server.received.filter(({ type }) => type === "push_fields")).toHaveLength(2);
  });

  it("asks the functions of a form", async () => {
    const server = createServer({
      forms: {
        signup: {
          email: async (value) => (value === "ada@example.com" ? "is already registered" : ""),
          again: (value, { email = [] }) => {
            return value === email[0] ? undefined : { error: "differs", metadata: { email } };
          },
        },
      },
    });
    const form = server.connect().form("signup");
    expect(await form.check("email", "ada@example.com")).toMatchObject({
      valid: false,
      error: "is already registered",
    });
    const values = { email: "bob@example.com" };
    expect(await form.check("again", "x", values)).toMatchObject({
      error: "differs",
      metadata: { email: ["bob@example.com"] },
    });
    expect(await form.validate({ email: "ada@example.com", again: "ada@example.com" })).toEqual(
      expect.objectContaining({
        valid: false,
        errors: [{ field: "email", error: "is already registered" }],
      }),
    );
    await expect(form.check("name", "x")).rejects.toMatchObject({ code: "unknown_form" });
  });

  it("tells of a form's function that fails", async () => {
    const server = createServer({
      forms: {
        signup: {
          email: () => {
            throw new Error("broken");
          },
        },
      },
    });
    const asked = server.connect().form("signup").check("email", "x");
    await expect(asked).rejects.toMatchObject({ code: "internal", message: "Error: broken" });
  });

  it("asks for tokens, if it is told to", async () => {
    const server = createServer({ authenticate: (token) => token === "good" });
    const ended = new Promise((end) => {
      server.connect({ token: "bad" }).onError(({ code }) => end(code));
    });
    expect(await ended).toBe("unauthenticated");
    const tasks = server.connect({ token: "good" }).collection("tasks");
    await tasks.synced;
  });

  it("has the entities that it was given, and no others", async () => {
    const server = createServer({ entities: FIRST });
    const client = server.connect();
    await expect(client.push("taks", "1", {})).rejects.toMatchObject({ code: "unknown_entity" });
    await expect(client.collection("taks").synced).rejects.toMatchObject({
      code: "unknown_entity",
    });
  });

  it("says what it cannot do", async () => {
    const server = createServer({ entities: FIRST });
    const history = server.connect().collection("tasks").history("1");
    await expect(history).rejects.toMatchObject({ code: "not_supported" });
  });

  it("is one for a client that a test makes by itself", async () => {
    const server = createServer({ entities: FIRST });
    const options = { WebSocket: server.WebSocket, storage: false } as const;
    const tasks = connect("ws://anywhere.test/api/ws", options).collection("tasks");
    await tasks.synced;
    expect(tasks.snapshot).toHaveLength(1);
  });

  it("goes by fake timers: a client connects again when they are moved", async () => {
    vi.useFakeTimers();
    const server = createServer();
    const client = server.connect();
    const tasks = client.collection<Task>("tasks");
    await tasks.synced;
    expect(client.state).toBe("open");
    server.drop();
    await server.settled();
    expect(client.state).not.toBe("open");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.state).toBe("open");
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(client.state).toBe("open");
  });

  it("keeps copies of what a test gives it", async () => {
    const first = { title: "Test it", tags: ["a"] };
    const server = createServer({ entities: { tasks: { "1": first } } });
    const labels = ["b"];
    server.patch("tasks", "1", { labels });
    first.tags.push("later");
    labels.push("later");
    const tasks = server.connect().collection("tasks");
    await tasks.synced;
    expect(tasks.row("1")?.data).toEqual({ title: "Test it", tags: ["a"], labels: ["b"] });
  });

  it("ends connections with a code", async () => {
    const server = createServer();
    const client = server.connect();
    await client.collection("tasks").synced;
    server.close("forbidden");
    await server.settled();
    expect(client.state).toBe("closed");
  });
});
