/** Fields that are called as what every object of JavaScript has. */
import { describe, expect, it } from "vitest";
import { inc } from "../../src/core/operations.ts";
import { judgedClient } from "../../src/forms/judged-client.ts";
import type { FormsClient } from "../../src/forms/types.ts";
import { fromJson, type Shape, toJson } from "../../src/schema/convert.ts";
import { created, edited, editOf, partOf } from "../../src/schema/edit.ts";
import { judge } from "../../src/schema/judge.ts";
import { INT32, STRING } from "../../src/schema/kinds.ts";
import { PRESENCE, READ_ONLY, REQUIRED } from "../../src/schema/message.ts";

/** No key may be `constructor`, but a field with another key may be called so. */
const shape = (flags: number): Shape => ({
  rules: {
    name: "Car",
    fields: [
      ["toString", STRING, flags],
      ["valueOf", INT32],
      ["constructor", STRING, PRESENCE, [], { key: "builder" }],
      ["hasOwnProperty", STRING, PRESENCE],
    ],
  },
  codecs: {},
});

describe("a field with the name of a method", () => {
  it("is read as what JSON has, and as nothing where that has nothing", () => {
    const { rules } = shape(0);
    const none = { toString: "", valueOf: 0 };
    expect(Object.entries(fromJson({ rules }, {}))).toEqual(Object.entries(none));
    const car = fromJson(shape(0), { builder: "Lotus", toString: "49" });
    expect(Object.entries(car)).toEqual([
      ["toString", "49"],
      ["valueOf", 0],
      ["constructor", "Lotus"],
    ]);
  });

  it("is written as what it has", () => {
    expect(Object.entries(toJson(shape(0), {}))).toEqual([
      ["toString", ""],
      ["valueOf", 0],
    ]);
    expect(created(shape(READ_ONLY), {})[1]).toEqual(["valueOf", "constructor", "hasOwnProperty"]);
  });

  it("is edited, and asked for", () => {
    const edit = editOf(shape(0), { constructor: "Lotus", valueOf: inc(2), hasOwnProperty: null });
    expect(edit).toMatchObject({ gone: ["hasOwnProperty"] });
    expect(Object.entries(edited({}, edit))).toEqual([
      ["builder", "Lotus"],
      ["valueOf", 2],
    ]);
    expect(partOf(shape(0), { constructor: "Lotus" })).toEqual({ builder: "Lotus" });
  });

  it("and a rule that is called so, has no words of the application where it gave none", () => {
    const failing = () => ["toString", "is wrong"] as const;
    const rules = { name: "Car", fields: [["a", STRING, 0, [[failing]], {}]] } as const;
    expect(judge(rules, { a: "b" })).toEqual([
      { field: "a", code: "toString", message: "is wrong" },
    ]);
  });

  it("is missing in a form where nothing was entered", async () => {
    const client = judgedClient({} as FormsClient, shape(REQUIRED));
    const { errors } = await client.validateForm("car", {}, {} as never);
    expect(errors).toEqual([{ field: "toString", error: "is required" }]);
  });
});
