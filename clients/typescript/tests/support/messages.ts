/**
 * Random messages, made from the schema's descriptors.
 */

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";

import { envelope, type Flat, has } from "./oracle.ts";

const text = fc.string({ unit: "binary", maxLength: 20 }).map((each) => each.replaceAll("\0", ""));
const key = text.filter((each) => !["__proto__", "constructor", "prototype"].includes(each));
const integer = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -1, max: 300 }));
const time = fc
  .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((each) => each.toISOString().replace(/\.(\d+)Z/, (_, ms) => (+ms ? `.${ms}000Z` : "Z")));

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((each) => !Number.isInteger(each) || Number.isSafeInteger(each))
      .map((each) => each + 0),
    text,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

/** Any message that a client or a server may send. */
export const messages: fc.Arbitrary<Flat> = fc.oneof(
  ...envelope.fields.map((field) =>
    message(field.message!).map((each) => ({ type: field.name, ...each })),
  ),
);

function message(desc: DescMessage): fc.Arbitrary<{ [key: string]: unknown }> {
  const fields = Object.fromEntries(desc.fields.map((field) => [field.name, value(field)]));
  const always = desc.fields.filter((field) => !mayLack(field)).map((field) => field.name);
  return fc.record(fields, { requiredKeys: always, noNullPrototype: true });
}

/** Absent or there; a list or map that may be left out is never there and empty. */
function mayLack(field: DescField): boolean {
  if (has(field, "json")) return has(field, "omittable");
  if (field.fieldKind === "message") return !has(field, "required");
  return field.proto.proto3Optional || has(field, "omittable");
}

function value(field: DescField): fc.Arbitrary<unknown> {
  const minimum = has(field, "omittable") ? 1 : 0;
  if (field.fieldKind === "list")
    return fc.array(single(field), { minLength: minimum, maxLength: 3 });
  if (field.fieldKind !== "map") return single(field);
  return fc.dictionary(key, single(field), { minKeys: minimum, maxKeys: 3, noNullPrototype: true });
}

function single(field: DescField): fc.Arbitrary<unknown> {
  if (field.enum) {
    const { sharedPrefix, values } = field.enum;
    const names = values
      .slice(1)
      .map((each) => each.name.slice(sharedPrefix!.length).toLowerCase());
    return fc.constantFrom(...names);
  }
  if (field.message?.typeName === "google.protobuf.Timestamp") return time;
  if (field.message) return message(field.message);
  // One that may be left out is: so it is never `null`.
  if (has(field, "json"))
    return has(field, "omittable") ? json.filter((each) => each !== null) : json;
  return scalar((field as { scalar: ScalarType }).scalar);
}

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  if (type === ScalarType.STRING) return text;
  return type === ScalarType.BOOL ? fc.boolean() : integer;
}
