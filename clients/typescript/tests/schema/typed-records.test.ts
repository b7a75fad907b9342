import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RhtmxError } from "../../src/errors.ts";
import { fromJson, toJson } from "../../src/schema/convert.ts";
import { changedOf, editOf } from "../../src/schema/edit.ts";
import { Person, SignUp, Task, TaskStep } from "../support/sample.ts";

const SHAPES = { Person, SignUp, Task, TaskStep };
const FILE = new URL("../../../../tests/vectors/typed_records.json", import.meta.url);
const { records, edits, replaced } = JSON.parse(readFileSync(FILE, "utf8"));

function failure(make: () => unknown): RhtmxError | undefined {
  try {
    make();
  } catch (error) {
    return error as RhtmxError;
  }
  return undefined;
}

interface Read {
  readonly name: string;
  readonly record: keyof typeof SHAPES;
  readonly data: object;
  readonly written?: object;
  readonly absent?: readonly string[];
  readonly unreadable?: string;
}

interface Edited {
  readonly fields: object;
  readonly values?: object;
  readonly deletes?: readonly string[];
  readonly refused?: { readonly [field: string]: string };
}

interface Replaced {
  readonly before: object;
  readonly after: object;
  readonly changed?: readonly string[];
  readonly refused?: { readonly [field: string]: string };
}

describe("both languages", () => {
  it.each<Read>(records)("read alike: $name", ({ record, data, written, absent, unreadable }) => {
    const shape = SHAPES[record];
    const read = () => fromJson(shape, data);
    if (unreadable !== undefined) {
      expect(failure(read)?.violations).toMatchObject([{ field: unreadable }]);
      return;
    }
    const now = toJson(shape, read());
    if (written) expect(now).toEqual(written);
    for (const name of absent ?? []) expect(now).not.toHaveProperty(name);
  });

  it.each<Edited>(edits)("write alike: $fields", ({ fields, values, deletes, refused }) => {
    if (refused) {
      const found = failure(() => editOf(Task, fields))?.violations ?? [];
      expect(Object.fromEntries(found.map(({ field, code }) => [field, code]))).toEqual(refused);
      return;
    }
    expect(editOf(Task, fields)).toMatchObject({ values, gone: deletes });
  });

  it.each<Replaced>(replaced)("replace alike: $before by $after", ({ before, after, ...rest }) => {
    const { changed, refused } = rest;
    if (changed) return expect(new Set(changedOf(Task, before, after))).toEqual(new Set(changed));
    const found = failure(() => changedOf(Task, before, after))?.violations ?? [];
    expect(Object.fromEntries(found.map(({ field, code }) => [field, code]))).toEqual(refused);
  });
});
