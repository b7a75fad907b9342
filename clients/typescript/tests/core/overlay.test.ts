import { describe, expect, it } from "vitest";

import * as compose from "../../src/core/build-message.ts";
import { add, deleteKey, inc, max, remove } from "../../src/core/operations.ts";
import { steady, View, withFields } from "../../src/core/overlay.ts";
import { NOTHING } from "../../src/core/row-list.ts";
import type { Write } from "../../src/core/storage-ops.ts";
import { apply, entityOf, stateOf } from "../../src/core/storage-ops.ts";
import type { JsonValue, Push, PushFields } from "../../src/messages/types.ts";

const state = () => {
  const memory = stateOf();
  const view = new View();
  return {
    memory,
    view,
    held: (id: string, data?: JsonValue, version = 1) =>
      apply(memory, ["record", "tasks", id, data === undefined ? undefined : { data, version }]),
    write: (id: string, message: Push | PushFields, more: Partial<Write> = {}) => {
      const { entity, entity_id: entityId } = message;
      apply(memory, ["write", id, { id, entity, entityId, message, since: 0, ...more }]);
    },
    rows: () => view.list(entityOf(memory, "tasks")),
  };
};

const set = (id: string, data: JsonValue) => compose.push("tasks", id, "update", data, {});
const patch = (id: string, fields: compose.Fields, gone: string[] = []) =>
  compose.pushFields("tasks", id, fields, { delete: gone }, 0);

describe("what is shown of a record", () => {
  it("is what the server told, and every write on top of it, by number; those without one last", () => {
    const { held, write, rows } = state();
    held("1", { a: 0, b: 0, c: 0 });
    write("w3", patch("1", { a: 3, c: 3 }));
    write("w2", patch("1", { a: 2, b: 2 }), { seq: 2 });
    write("w1", patch("1", { a: 1 }, ["c"]), { seq: 1 });
    expect(rows()).toEqual([{ id: "1", data: { a: 3, b: 2, c: 3 }, version: 1, pending: true }]);
  });

  it("is of its fields only, also where one is called as what all objects have", () => {
    const { held, write, rows } = state();
    held("1", { a: 1 });
    write("w1", patch("1", { valueOf: inc(2), toString: add("x") }), { seq: 1 });
    expect(Object.entries(rows()[0]!.data as object)).toEqual([
      ["a", 1],
      ["valueOf", 2],
      ["toString", ["x"]],
    ]);
  });

  it("keeps its order when the server's count goes back: what was acknowledged before stays below", () => {
    const { memory, write, rows } = state();
    const settled = { version: 9, epoch: "e1" };
    write("w1", patch("1", { a: 1, b: 1, c: 1 }), { seq: 5, settled });
    write("w2", patch("1", { b: 2, c: 2 }), { seq: 6, settled });
    write("w3", patch("1", { c: 3 }), { seq: 7 });
    apply(memory, ["renumber", 2]);
    write("w3", patch("1", { c: 3 }), { seq: 3, settled: { version: 4, epoch: "e2" } });
    expect(rows()).toMatchObject([{ data: { a: 1, b: 2, c: 3 } }]);
    expect(memory.meta.last).toBe(3);
  });

  it("has operations applied to it in their order, and is unchanged where one does not fit", () => {
    const { held, write, rows } = state();
    held("1", { n: 1, text: "a", tags: ["c"], gone: null });
    write("w2", patch("1", { n: inc(2), text: inc(1), tags: add("a") }), { seq: 2 });
    write("w1", patch("1", { n: 10, tags: remove("c") }), { seq: 1 });
    write("w3", patch("1", { m: max(3), gone: remove("x"), none: deleteKey("k") }), { seq: 3 });
    const data = { n: 12, text: "a", tags: ["a"], gone: null, m: 3 };
    expect(rows()).toMatchObject([{ data }]);
    expect(Object.keys(rows()[0]!.data as object)).not.toContain("none");
  });

  it("begins anew where fields are written into what has none", () => {
    const { held, write, rows } = state();
    held("1", "text");
    held("2", [1]);
    held("3", null);
    for (const id of ["1", "2", "3", "4"]) write(`w${id}`, patch(id, { a: 1 }));
    expect(rows().map(({ data }) => data)).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }, { a: 1 }]);
  });

  it("is nothing after a deletion, and something again after what follows it", () => {
    const { held, write, rows } = state();
    held("1", { a: 0 });
    write("w1", compose.push("tasks", "1", "delete", null, {}), { seq: 1 });
    expect(rows()).toEqual([]);
    write("w2", patch("1", { b: 1 }), { seq: 2 });
    expect(rows()).toMatchObject([{ data: { b: 1 } }]);
  });

  it("does not wait once all is acknowledged", () => {
    const { write, rows } = state();
    write("w1", set("1", 1), { seq: 1, settled: { version: 1, epoch: "e" } });
    expect(rows()).toEqual([{ id: "1", data: 1, version: 0, pending: false }]);
  });

  it("leaves what the server told as it was", () => {
    const { held, write, rows, memory } = state();
    const data = { a: 0 };
    held("1", data);
    write("w1", patch("1", { a: 1 }));
    rows();
    expect(data).toEqual({ a: 0 });
    apply(memory, ["write", "w1"]);
    expect(rows()[0]!.data).toBe(data);
  });
});

describe("many writes of one record", () => {
  const append = (at: number) => patch("1", { n: inc(1), last: at });

  it("are looked at once each, however often the record is shown", () => {
    const { held, write, rows } = state();
    held("1", { n: 0 });
    let looked = 0;
    for (let at = 0; at < 50; at += 1) {
      const message = append(at);
      const counted = new Proxy(message, {
        get: (of, key) => ((looked += +(key === "fields")), Reflect.get(of, key)),
      });
      write(`w${at}`, counted);
      expect(rows()[0]!.data).toEqual({ n: at + 1, last: at });
      write(`w${at}`, counted, { seq: at + 1 });
    }
    expect(looked).toBe(50);
  });

  it("are all looked at again where what is beneath them is another one, or one of them is", () => {
    const { memory, held, write, rows } = state();
    held("1", { n: 0 });
    for (const at of [1, 2, 3]) write(`w${at}`, append(at), { seq: at });
    expect(rows()[0]!.data).toEqual({ n: 3, last: 3 });
    held("1", { n: 10 }, 2);
    expect(rows()[0]!.data).toEqual({ n: 13, last: 3 });
    apply(memory, ["write", "w2"]);
    expect(rows()[0]!.data).toEqual({ n: 12, last: 3 });
    const settled = { version: 3, epoch: "e1", prepared: { by: "ada" } };
    write("w1", append(1), { seq: 1, settled });
    expect(rows()[0]!.data).toEqual({ n: 12, last: 3, by: "ada" });
  });
});

describe("rows and lists", () => {
  it("stay the same where nothing changed", () => {
    const { held, rows } = state();
    held("2", 2);
    held("1", 1);
    const before = rows();
    expect(before.map(({ id }) => id)).toEqual(["1", "2"]);
    held("1", before[0]!.data, 1);
    expect(rows()).toBe(before);
    held("3", 3);
    held("2");
    const after = rows();
    expect(after.map(({ id }) => id)).toEqual(["1", "3"]);
    expect(after[0]).toBe(before[0]);
    expect(before).toHaveLength(2);
  });

  it("have each record once, however often it changes", () => {
    const { held, rows } = state();
    held("1", 1);
    held("2", 2);
    rows();
    held("1", 3, 2);
    expect(rows().map(({ id, data }) => [id, data])).toEqual([
      ["1", 3],
      ["2", 2],
    ]);
  });

  it("change when a write of what is there already begins to wait, and when it is done", () => {
    const { memory, held, write, rows } = state();
    const data = { a: 1 };
    held("1", data);
    rows();
    write("w1", set("1", data));
    expect(rows()).toEqual([{ id: "1", data, version: 1, pending: true }]);
    apply(memory, ["write", "w1"]);
    expect(rows()).toEqual([{ id: "1", data, version: 1, pending: false }]);
  });

  it("do not mix entities whose records have the same ids", () => {
    const { held, write, rows } = state();
    held("1", 1);
    write("w1", compose.push("users", "1", "update", 9, {}));
    expect(rows()).toMatchObject([{ data: 1, pending: false }]);
  });
});

it("one row is there without a list, and the list has it then", () => {
  const { memory, view, held, write, rows } = state();
  const row = (id: string) => view.row(entityOf(memory, "tasks"), id);
  held("1", { a: 1 });
  held("2", { a: 2 });
  expect(row("1")!.data).toEqual({ a: 1 });
  expect(rows()[0]).toBe(row("1"));
  write("w", patch("1", { a: 3 }));
  const now = row("1")!;
  expect([now.data, row("3")]).toEqual([{ a: 3 }, undefined]);
  held("2");
  expect(row("2")).toBeUndefined();
  expect(rows()).toEqual([now]);
});

describe("what is the same", () => {
  it("is no rows, before there are any and as long as there are none", () => {
    const { held, rows } = state();
    expect(rows()).toBe(NOTHING);
    held("1");
    expect(rows()).toBe(NOTHING);
  });

  it("is a row whose record was told again, as a copy, and with it the list", () => {
    const { held, write, rows } = state();
    held("1", { a: [1, { b: null }] });
    held("2", { a: 1 });
    write("w2", patch("2", { b: 2 }));
    const before = rows();
    held("1", { a: [1, { b: null }] });
    write("w2", patch("2", { b: 2 }));
    expect(rows()).toBe(before);
  });

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: 1, b: 1 }, { a: 1 }],
    [[1], [1, 2]],
    [[], {}],
    [{ a: null }, { a: {} }],
    [{ a: 1 }, { a: "1" }],
    [{ a: 0 }, { a: false }],
    [null, []],
  ])("is not %j and %j", (one, other) => {
    expect(steady<unknown>(one, other)).toBe(other);
    expect(steady<unknown>([one], [other])).toEqual([other]);
    const { held, rows } = state();
    held("1", one as JsonValue);
    const before = rows()[0];
    held("1", other as JsonValue);
    expect(rows()[0]).not.toBe(before);
    expect(rows()[0]!.data).toEqual(other);
  });
});

it("a record that is no object has no fields but those that are written", () => {
  const stamp = { timestamp: "2026-01-01T00:00:00Z" };
  const fields = [
    { field: "a", action: "update", value: 1, ...stamp },
    { field: "b", action: "delete", value: null, ...stamp },
  ] as const;
  for (const data of [undefined, null, "text", 7])
    expect(withFields(data, fields)).toEqual({ a: 1 });
  const before = { a: 0, b: 2, c: 3 };
  expect(withFields(before, fields)).toEqual({ a: 1, c: 3 });
  expect(before, "it is left as it was").toEqual({ a: 0, b: 2, c: 3 });
});
