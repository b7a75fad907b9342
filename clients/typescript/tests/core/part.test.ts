/** Names of parts, and which records are in them. */
import { describe, expect, it } from "vitest";

import type { Where } from "../../src/core/part.ts";
import {
  checkedName,
  entityIn,
  nameInWords,
  partName,
  whereIn,
  within,
} from "../../src/core/part.ts";
import type { JsonValue } from "../../src/messages/types.ts";

const BIG = 9007199254740993n;

describe("the name of a part", () => {
  it("of a whole entity is its own", () => {
    expect([partName("orders"), partName("orders", {}), checkedName("orders")]).toEqual(
      Array(3).fill("orders"),
    );
    expect([entityIn("orders"), whereIn("orders")]).toEqual(["orders", undefined]);
  });

  it("is the same in whatever order its fields are given, and gives them back", () => {
    const name = partName("orders", { open: true, customer: ["7", "8"] });
    expect(partName("orders", { customer: ["7", "8"], open: true })).toBe(name);
    expect(entityIn(name)).toBe("orders");
    expect(JSON.stringify(whereIn(name))).toBe('{"customer":["7","8"],"open":true}');
    expect(nameInWords(name)).toBe('orders where {"customer":["7","8"],"open":true}');
  });

  it("is another one for each value, to the digit", () => {
    const values = ["1", 1, true, "true", BIG, BIG + 1n, `${BIG}`, ["1"], "\\u0000"];
    const names = values.map((value) => partName("orders", { customer: value }));
    expect(new Set(names).size).toBe(values.length);
    expect(names.map((name) => whereIn(name)!.customer)).toEqual(values);
  });

  it("takes equal numbers for one", () => {
    const names = [1, 1.0, 1n].map((customer) => checkedName("orders", { customer }));
    expect(new Set(names).size).toBe(1);
  });

  it.each([undefined, null, {}, [null], [["7"]], Symbol("s"), () => {}, Number.NaN, "\0"])(
    "is refused with a value that is none, since without it it would be a larger part: %s",
    (value) => {
      const where = { customer: value, open: true } as unknown as Where;
      expect(() => checkedName("orders", where)).toThrow(/where.*customer/);
    },
  );

  it("is refused for what no entity is named", () => {
    expect(() => checkedName("a\0b", { customer: "7" })).toThrow("entities");
  });
});

it.each<[JsonValue, JsonValue | undefined, boolean]>([
  [1, 1.0, true],
  [1, "1", false],
  ["1", 1, false],
  [true, 1, false],
  [1, true, false],
  [true, true, true],
  ["true", true, false],
  [BIG, BIG, true],
  [BIG, BIG - 1n, false],
  [1e21, 10n ** 21n, true],
  [10n ** 21n, 1e21, true],
  [10n ** 21n, 1e22, false],
  [1, 1n, true],
  [0, false, false],
  [0, "", false],
  ["", null, false],
  ["7", ["7"], false],
  ["7", { a: "7" }, false],
  ["7", undefined, false],
  [["7", "8"], "8", true],
  [["7", 8], 8, true],
  [["7", 8], "8", false],
  [[], "7", false],
])("of %s a record with %s is: %s", (value, has, isIn) => {
  expect(within(partName("orders", { customer: value }))({ customer: has! })).toBe(isIn);
});

it("a record without the field, or that is no object, is in no part, and in the whole", () => {
  const all = [undefined, null, "7", ["7"], 7, {}, { other: "7" }] as const;
  for (const data of all) {
    expect(within(partName("orders", { customer: "7" }))(data as JsonValue)).toBe(false);
    expect(within("orders")(data as JsonValue)).toBe(true);
  }
});

it("all fields have to match", () => {
  const isIn = within(partName("orders", { customer: "7", open: [true] }));
  expect(isIn({ customer: "7", open: true })).toBe(true);
  expect(isIn({ customer: "7", open: false })).toBe(false);
  expect(isIn({ customer: "8", open: true })).toBe(false);
});
