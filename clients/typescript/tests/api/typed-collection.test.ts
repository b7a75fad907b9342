import { afterEach, describe, expect, it } from "vitest";
import type { Client } from "../../src/api/client.ts";
import type { TypedCollection } from "../../src/api/typed-collection.ts";
import { add, inc } from "../../src/core/operations.ts";
import type { RhtmxError } from "../../src/errors.ts";
import { toJson } from "../../src/schema/convert.ts";
import { open, record, settle } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { Reading, Task, type TaskEdit, type TaskNew } from "../support/sample.ts";
import type { FakeWebSocket } from "../support/sockets.ts";

let client: Client;
let socket: FakeWebSocket;
let tasks: TypedCollection<Task, TaskNew, TaskEdit>;

interface Pushed {
  readonly seq: number;
  readonly base_version?: number;
}

const RED = { title: "Write it down", team: "red" };

async function world(): Promise<void> {
  const opened = await open();
  client = opened.client;
  socket = opened.socket();
  tasks = client.of(Task);
}

function says(version: number, id: string, data: object): void {
  socket.says({ type: "change", change: record(id, version, data as never) });
}

async function wrong(call: Promise<unknown>): Promise<unknown[]> {
  const error = (await call.catch((each) => each)) as RhtmxError;
  expect(error).toMatchObject({ code: "invalid" });
  return error.violations.map(({ field, code }) => [field, code]);
}

afterEach(() => client.close());

describe("rows", () => {
  it("are the JSON's own where nothing is another thing", async () => {
    await world();
    const raw = client.collection("tasks");
    says(1, "1", { ...toJson(Task, RED), location: "Rome" });
    expect(tasks.snapshot[0]?.data).toMatchObject({ place: "Rome", foreign_id: 0n });
    expect(tasks.snapshot[0]).not.toBe(raw.snapshot[0]);
    const readings = client.of(Reading);
    socket.says({
      type: "change",
      change: { ...record("1", 1, { degrees: 1, station: "" }), entity: "reading" },
    });
    expect(readings.row("1")).toBe(client.collection("reading").row("1"));
    expect(readings.row("1")?.data.degrees).toBe(1);
  });

  it("are the same objects as long as nothing about them changes", async () => {
    await world();
    says(1, "1", RED);
    says(2, "2", RED);
    const before = tasks.snapshot;
    expect(tasks.snapshot).toBe(before);
    expect(tasks.row("1")).toBe(before[0]);
    says(3, "2", { ...RED, done: true });
    expect(tasks.snapshot[0]).toBe(before[0]);
    expect(tasks.snapshot[1]?.data.done).toBe(true);
    expect(await tasks.where(({ data }) => data.done)).toEqual([tasks.row("2")]);
  });

  it("of which one cannot be read are all the others", async () => {
    await world();
    says(1, "1", { ...RED, votes: "many" });
    says(2, "2", RED);
    expect(tasks.snapshot.map(({ id }) => id)).toEqual(["2"]);
    expect(tasks.row("1")).toBeUndefined();
    await expect(tasks.get("1")).rejects.toThrow("tasks/1: votes: must be a whole number");
    expect(tasks.unreadable).toMatchObject([{ id: "1", data: { votes: "many" } }]);
    says(3, "1", { ...RED, votes: 3 });
    expect(tasks.unreadable).toEqual([]);
    expect((await tasks.get("1"))?.data.votes).toBe(3);
  });

  it("are told to whoever listens", async () => {
    await world();
    const seen: string[][] = [];
    tasks.subscribe((rows) => seen.push(rows.map(({ data }) => data.place)));
    await settle();
    says(1, "1", { ...RED, location: "Rome" });
    await eventually(() => expect(seen.at(-1)).toEqual(["Rome"]));
  });
});

describe("a new record", () => {
  it("shows at once under a new id", async () => {
    await world();
    void tasks.create({ ...RED, thumbnail: new Uint8Array([97]) });
    const [row] = tasks.snapshot;
    expect(row?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(row).toMatchObject({ pending: true, data: { title: "Write it down", owner: "" } });
    await settle();
    const { data, base_version } = socket.heard().at(-1) as never as Record<string, unknown>;
    expect(data).toMatchObject({ thumbnail: "YQ==", done: false, foreign_id: "0" });
    expect(data).not.toHaveProperty("owner");
    expect(base_version).toBe(0);
  });

  it("that breaks a rule is not even queued", async () => {
    await world();
    expect(await wrong(tasks.create({ ...RED, title: "", votes: -1 }))).toEqual([
      ["title", "required"],
      ["votes", "int64.gte"],
    ]);
    expect(await wrong(tasks.create({ ...RED, url: "http://a/", ticket: "7" }))).toEqual([
      ["source", "oneof"],
    ]);
    expect(await wrong(tasks.create({ ...RED, owner: "eve" } as never))).toEqual([
      ["owner", "read_only"],
    ]);
    expect(await wrong(tasks.create(null as never))).toEqual([["", "type"]]);
    expect(client.queue).toEqual([]);
  });
});

describe("an edit", () => {
  it("writes what it names, and shows at once", async () => {
    await world();
    says(1, "1", { ...RED, ticket: "7", due: "2026-01-31T00:00:00Z" });
    void tasks.edit("1", { votes: inc(2), labels: add("b", "a"), due: null, url: "http://a/" });
    expect(tasks.row("1")?.data).toMatchObject({ votes: 2, labels: ["a", "b"], url: "http://a/" });
    expect(tasks.row("1")?.data).not.toHaveProperty("due");
    expect(tasks.row("1")?.data).not.toHaveProperty("ticket");
  });

  it("is judged by the record as it would be", async () => {
    await world();
    says(1, "1", { votes: 1, start: "2026-01-31T00:00:00Z" });
    expect(await wrong(tasks.edit("1", { votes: inc(-2) }))).toEqual([["votes", "int64.gte"]]);
    const due = "2026-01-30T00:00:00Z" as NonNullable<Task["due"]>;
    expect(await wrong(tasks.edit("1", { due }))).toEqual([["", "due_after_start"]]);
    void tasks.edit("1", { done: true });
    expect(client.queue).toHaveLength(1);
  });

  it("is judged by what it deletes, too", async () => {
    await world();
    says(1, "1", { ...RED, location: "Rome", colour: "red" });
    const gone = (...names: string[]) => tasks.edit("1", { done: true }, { delete: names });
    expect(await wrong(gone("title"))).toEqual([["title", "required"]]);
    expect(await wrong(gone("team", "owner"))).toEqual([
      ["team", "immutable"],
      ["owner", "read_only"],
    ]);
    void gone("place", "colour");
    expect(tasks.row("1")?.data).toMatchObject({ done: true, place: "" });
    expect(tasks.row("1")?.data).not.toHaveProperty("colour");
  });

  it("of what is not held is judged by its values alone", async () => {
    await world();
    expect(await wrong(tasks.edit("1", { title: "" }))).toEqual([["title", "required"]]);
    void tasks.edit("1", { votes: inc(-2), title: "x" });
    void tasks.patch("2", { title: "y" });
    expect(client.queue).toHaveLength(2);
  });

  it("of a record that is written as a whole writes all of it", async () => {
    await world();
    const readings = client.of(Reading);
    await expect(readings.edit("1", { degrees: 3 })).rejects.toMatchObject({ code: "not_found" });
    void readings.create({ degrees: 1.5, station: "x" }, "1");
    void readings.edit("1", { degrees: 3 });
    expect(readings.row("1")?.data).toEqual({ degrees: 3, station: "x" });
    expect(client.queue).toHaveLength(2);
    await settle();
    const pushed = () =>
      socket.heard().filter(({ type }) => type === "push") as unknown as Pushed[];
    const [first, ...others] = pushed();
    expect([first?.base_version, others]).toEqual([0, []]);
    const ack = { type: "push_ack", entity: "reading", entity_id: "1" } as const;
    socket.says({ ...ack, seq: first!.seq, version: 7 });
    await eventually(() => expect(pushed()[0]?.base_version).toBe(7));
  });
});

describe("a whole record", () => {
  it("that has been read can be written back", async () => {
    await world();
    says(1, "1", { ...RED, votes: 1 });
    const { data } = tasks.row("1")!;
    void tasks.set("1", data);
    void tasks.create({ ...data }, "2");
    void tasks.set("3", data); // nobody here knows what it has
    expect(client.queue.map(({ entityId }) => entityId)).toEqual(["1", "2", "3"]);
    expect(await wrong(tasks.set("1", { ...data, owner: "eve", team: "blue" }))).toEqual([
      ["team", "immutable"],
      ["owner", "read_only"],
    ]);
  });

  it("is judged by what differs from the one that is there", async () => {
    await world();
    says(1, "1", { title: "", team: "red", done: false });
    const { data } = tasks.row("1")!;
    void tasks.set("1", { ...data, done: true });
    expect(client.queue).toHaveLength(1);
    expect(await wrong(tasks.set("1", { ...data, votes: -1 }))).toEqual([["votes", "int64.gte"]]);
  });
});

describe("a typed collection", () => {
  it("is one for each part, and closed together with that which is not typed", async () => {
    await world();
    expect(client.of(Task)).toBe(tasks);
    const red = client.of(Task, { where: { team: "red" } });
    expect(red).not.toBe(tasks);
    expect(client.of(Task, { where: { team: "red" } })).toBe(red);
    const raw = client.collection("tasks");
    raw.close();
    expect(client.of(Task)).not.toBe(tasks);
    const again = client.collection("tasks");
    client.of(Task).close();
    expect(client.collection("tasks")).not.toBe(again);
  });
});
