import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RhtmxError } from "../../src/errors.ts";
import { recordCodec } from "../../src/schema/codecs.ts";
import { messageOf } from "../../src/schema/containers.ts";
import { fromJson, type Shape, toJson } from "../../src/schema/convert.ts";
import { editOf } from "../../src/schema/edit.ts";
import { type Kind, type Message, PRESENCE } from "../../src/schema/message.ts";
import { Person, Task, type TaskNew, TaskStep } from "../support/sample.ts";
import { KEPT_RULES } from "./judged.ts";

const FULL = toJson(Task, {
  title: "Write it down",
  team: "red",
  owner: "ada",
  thumbnail: new Uint8Array([97]),
  foreign_id: 9007199254740993n,
  steps: [{ text: "a", priority: "low" }],
  place: "Rome",
  keys: [new Uint8Array([97])],
  due: "2026-01-31T00:00:00.123456789Z",
  colour: "red",
});

function failure(make: () => unknown): RhtmxError {
  try {
    make();
  } catch (error) {
    return error as RhtmxError;
  }
  throw new Error("nothing was wrong");
}

describe("a record", () => {
  it("is the JSON itself where nothing is another thing", () => {
    const person = { name: "Ada", email: "", age: 36 };
    expect(fromJson(Person, person)).toBe(person);
    const step = toJson(TaskStep, { text: "a", steps: [{ text: "b" }] });
    expect(fromJson(TaskStep, step)).toBe(step);
  });

  it("has bytes, large integers and names as its type says", () => {
    const before = structuredClone(FULL);
    const task = fromJson(Task, FULL);
    expect(task).toMatchObject({
      thumbnail: new Uint8Array([97]),
      foreign_id: 9007199254740993n,
      place: "Rome",
      keys: [new Uint8Array([97])],
      due: "2026-01-31T00:00:00.123456789Z",
      colour: "red",
    });
    expect(task).not.toHaveProperty("location");
    expect(FULL).toEqual(before);
    expect(toJson(Task, task)).toEqual(FULL);
  });

  it("has its zero values where nothing is, and nothing where null is", () => {
    const task = fromJson(Task, { due: null, labels: null, steps: [{}] });
    expect(task).toMatchObject({
      title: "",
      done: false,
      votes: 0,
      labels: [],
      priority: "unspecified",
      thumbnail: new Uint8Array(),
      foreign_id: 0n,
      notes: {},
      place: "",
      steps: [{ text: "", priority: "unspecified", steps: [] }],
    });
    expect(task).not.toHaveProperty("due");
    expect(task).not.toHaveProperty("next");
    expect(task).not.toHaveProperty("internal_note");
  });

  it("keeps words of enums and keys that it does not know", () => {
    const person = { name: "Ada", email: "", place: { any: [1] } };
    expect(fromJson(Person, person)).toBe(person);
    expect(fromJson(Task, { ...FULL, priority: "urgent" })).toHaveProperty("priority", "urgent");
  });

  it.each([
    [{ votes: "many" }, "votes"],
    [{ location: 7 }, "place"],
    [{ steps: [{}, { done: 1 }] }, "steps[1].done"],
    [{ notes: { "a b": 1 } }, 'notes["a b"]'],
    [{ thumbnail: "a b" }, "thumbnail"],
    [{ foreign_id: "1e3" }, "foreign_id"],
    [{ due: "tomorrow" }, "due"],
    [[], ""],
  ])("cannot be read from %j, and says why", (data, field) => {
    const error = failure(() => fromJson(Task, data, "tasks/7"));
    expect(error).toMatchObject({ code: "invalid_data", violations: [{ field, code: "type" }] });
    expect(error.message).toMatch(/^tasks\/7: .*must be/);
  });

  it("is written with all that has no presence, but for what the server fills in", () => {
    const task: TaskNew = { title: "x", team: "red" };
    expect(toJson(Task, task)).toHaveProperty("owner", "");
    const written = toJson(Task, task, true);
    expect(written).toMatchObject({ done: false, labels: [], foreign_id: "0", location: "" });
    for (const name of ["owner", "due", "next", "internal_note", "place"])
      expect(written).not.toHaveProperty(name);
  });

  it("is looked at once, with all that is within", () => {
    let looked = 0;
    const kind: Kind = {
      word: "string",
      read: (json) => {
        looked++;
        return json;
      },
    };
    const rules: Message = {
      name: "Step",
      fields: [
        ["text", kind],
        ["next", messageOf(() => rules), PRESENCE],
      ],
    };
    const shape: Shape = { rules, codecs: { next: recordCodec(() => shape) } };
    let deep: object = { text: "a" };
    for (let depth = 1; depth < 40; depth++) deep = { text: "a", next: deep };
    expect(fromJson(shape, deep)).toBe(deep);
    expect(looked).toBe(40);
  });
});

const normalized = JSON.parse(
  readFileSync(new URL("../../../../tests/vectors/normalized.json", import.meta.url), "utf8"),
) as { readonly name: string; readonly data: object; readonly kept: object }[];

it.each(normalized)("texts are kept as their fields ask: $name", ({ data, kept }) => {
  const { clean } = messageOf(() => KEPT_RULES);
  expect(clean!(data as never)).toEqual(kept);
});

it("what is created and edited is normalised before it is sent", () => {
  const shape = { rules: KEPT_RULES };
  const made = toJson(shape, {
    trimmed: " a ",
    both: " b ",
    plain: " c ",
    items: [{ trimmed: " d " }],
  });
  expect(made).toMatchObject({ trimmed: "a", two: "b", plain: " c ", items: [{ trimmed: "d" }] });
  const edit = editOf(shape, {
    trimmed: " a ",
    both: " b ",
    plain: " c ",
    inner: { trimmed: " d " },
  });
  expect(edit.values).toEqual({ trimmed: "a", two: "b", plain: " c ", inner: { trimmed: "d" } });
});
