import { describe, expect, it } from "vitest";
import { add, append, inc, max, remove } from "../../src/core/operations.ts";
import type { RhtmxError } from "../../src/errors.ts";
import { fromJson } from "../../src/schema/convert.ts";
import { created, edited, editOf, partOf } from "../../src/schema/edit.ts";
import { Task, type TaskEdit } from "../support/sample.ts";

const edit = (fields: TaskEdit) => editOf(Task, fields);

describe("an edit", () => {
  it("writes only what it names, as JSON has it", () => {
    const { values, gone, names } = edit({ done: false, place: "Rome", foreign_id: 5n });
    expect(values).toEqual({ done: false, location: "Rome", foreign_id: "5" });
    expect(gone).toEqual([]);
    expect([...names]).toEqual(["done", "place", "foreign_id"]);
    expect(edit({ done: undefined }).names.size).toBe(0);
  });

  it("takes away what is null and has presence", () => {
    expect(edit({ due: null, progress: null })).toMatchObject({
      values: {},
      gone: ["due", "progress"],
    });
    expect(editOf(Task, { title: null }).values).toEqual({ title: null });
  });

  it("takes the others of a oneof away", () => {
    expect(edit({ ticket: "7" })).toMatchObject({
      values: { ticket: "7" },
      gone: ["url", "person"],
    });
    expect([...edit({ ticket: "7" }).names]).toEqual(["ticket", "url", "person"]);
    expect(edit({ ticket: null }).gone).toEqual(["ticket"]);
    expect(edit({ ticket: "7", url: "http://a/" }).gone).toEqual(["person"]);
  });

  it("shows a record as it would be", () => {
    const said = edit({ votes: inc(2), labels: add("a"), due: null, done: true });
    expect([...said.operated]).toEqual(["votes", "labels"]);
    const before = { votes: 1, due: "2026-01-31T00:00:00Z", colour: "red" };
    const after = { votes: 3, labels: ["a"], done: true, colour: "red" };
    expect(edited(before, said)).toEqual(after);
    expect(edited({}, edit({ labels: remove("a") }))).toEqual({});
  });

  it("says what to do only where the server takes it", () => {
    const codes = (fields: object) => {
      try {
        return editOf(Task, fields) && [];
      } catch (error) {
        return (error as RhtmxError).violations.map(({ field, code }) => [field, code]);
      }
    };
    expect(
      codes({ cost: inc("-0.50"), votes: inc(1), labels: remove("a"), weight: max(1) }),
    ).toEqual([]);
    expect(codes({ cost: inc("0.5"), votes: max(1), labels: append("a") })).toEqual([
      ["cost", "operation.decimals"],
      ["votes", "operation"],
      ["labels", "operation"],
    ]);
    for (const by of ["1", "0.500", 1]) {
      expect(codes({ cost: inc(by) })).toEqual([["cost", "operation.decimals"]]);
    }
  });

  it("is refused where the field is not for whoever edits", () => {
    let error: unknown;
    try {
      editOf(Task, { team: "blue", owner: "eve", internal_note: "x", titel: "x", title: "y" });
    } catch (caught) {
      error = caught;
    }
    expect((error as RhtmxError).violations.map(({ field, code }) => [field, code])).toEqual([
      ["team", "immutable"],
      ["owner", "read_only"],
      ["internal_note", "unknown"],
      ["titel", "unknown"],
    ]);
  });
});

describe("a new record", () => {
  it("is judged by what its author says", () => {
    const [, names] = created(Task, { title: "x" });
    expect(names).toContain("due");
    expect(names).not.toContain("owner");
    expect(() => created(Task, { title: "x", owner: "eve" })).toThrow(
      "owner: is set by the server",
    );
  });

  it("may be a copy of one that says nothing of what is the server's", () => {
    const [data, names] = created(Task, fromJson(Task, { title: "x" }));
    expect(data).not.toHaveProperty("owner");
    expect(names).not.toContain("owner");
  });
});

describe("a part", () => {
  it("is named by the keys of JSON", () => {
    const where = { place: ["Rome"], done: true, foreign_id: 7n, teem: "x" };
    const part = { location: ["Rome"], done: true, foreign_id: "7", teem: "x" };
    expect(partOf(Task, where)).toEqual(part);
  });
});
